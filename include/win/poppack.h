/* Ends what the last <pshpack1.h>, 2, 4 or 8 began. No include guard, on purpose. */
#pragma pack(pop)
