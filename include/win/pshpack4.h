/* Structures up to the next <poppack.h> are packed to 4 bytes. No include guard, on purpose. */
#pragma pack(push, 4)
