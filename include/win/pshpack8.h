/* Structures up to the next <poppack.h> are packed to 8 bytes. No include guard, on purpose.
 * Clang warns of a header that leaves another packing behind, and this one is for that: from here on it is silent. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpragma-pack"
#endif
#pragma pack(push, 8)
