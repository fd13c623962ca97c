/* Structures up to the next <poppack.h> are packed to 8 bytes. No include guard, on purpose. */
#pragma pack(push, 8)
