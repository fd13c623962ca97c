/* Structures up to the next <poppack.h> are packed to 1 byte. No include guard, on purpose. */
#pragma pack(push, 1)
