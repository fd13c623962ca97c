/* What the headers of this folder need from the compiler, and how their functions are named in the library.
 *
 * The documented router functions (RtmRegisterEntity, MgmTakeInterfaceOwnership, MprAdminServerConnect ...) keep their
 * names as symbols: nobody else on Linux has them. The functions of the base shim do not: CreateEventW or CloseHandle
 * may well come from another portability layer in the same process. So the header gives each of them another symbol:
 *
 *     HANDLE CreateEventW(LPSECURITY_ATTRIBUTES, BOOL, BOOL, LPCWSTR) TP_SHIM(CreateEventW);   // symbol
 * tp_CreateEventW
 *
 * A definition that follows such a declaration takes the symbol over; a client notices nothing. */
#ifndef TURNPIKE_ABI_H
#define TURNPIKE_ABI_H

#if !defined(__GNUC__)
#error "Turnpike's headers need GCC or Clang."
#endif
#if !defined(__linux__) || !defined(__LP64__)
#error "Turnpike's headers describe 64-bit Linux (LP64): DWORD has 32 bits, HANDLE the size of a pointer."
#endif
#if __SIZEOF_WCHAR_T__ != 4
#error \
    "WCHAR is wchar_t and the library was built with its 32 bits, as libc was: -fshort-wchar would give every structure \
with text another layout and make wcslen and wprintf misread L\"text\". Remove -fshort-wchar."
#endif

#define TP_SHIM(name) __asm__("tp_" #name) __attribute__((visibility("default")))

/* The same words as <turnpike/api.h>: this folder stands alone, and either may come first. */
#ifndef TP_API
#define TP_API __attribute__((visibility("default")))
#endif
#ifndef TP_BEGIN
#ifdef __cplusplus
#define TP_BEGIN extern "C" {
#define TP_END }
#else
#define TP_BEGIN
#define TP_END
#endif
#endif

/* Conversions inside macros that C and C++ share. A client that compiles with -Wold-style-cast must be able to use our
 * macros, and C knows no other cast: TP_CAST converts numbers, TP_BITS turns a number or a pointer into its bits,
 * TP_POINTER turns bits into a pointer. */
#ifdef __cplusplus
#define TP_CAST(type, value) static_cast<type>(value)
#define TP_POINTER(type, bits) reinterpret_cast<type>(bits)
#define TP_BITS(value) turnpike_abi::bits(value)
extern "C++" {
namespace turnpike_abi {
template <class T>
constexpr unsigned long bits(T value) {
  return static_cast<unsigned long>(value);
}
template <class T>
inline unsigned long bits(T* pointer) {
  return reinterpret_cast<unsigned long>(pointer);
}
inline unsigned long bits(decltype(nullptr)) { return 0; }
}  // namespace turnpike_abi
}
#else
#define TP_CAST(type, value) ((type)(value))
#define TP_POINTER(type, bits) ((type)(bits))
#define TP_BITS(value) ((unsigned long)(value))
#endif

/* The words of another compiler that client code uses. Calling conventions: there is one here. */
#ifndef __cdecl
#define __cdecl
#endif
#ifndef __stdcall
#define __stdcall
#endif
#ifndef __fastcall
#define __fastcall
#endif
#ifndef __forceinline
#define __forceinline inline __attribute__((always_inline))
#endif
#ifndef __unaligned
#define __unaligned
#endif
#ifndef __int64
#define __int8 char
#define __int16 short
#define __int32 int
#define __int64 long long
#endif

/* __declspec(word): each word we know becomes an attribute. dllexport matters: a module built with -fvisibility=hidden
 * must still show its RegisterProtocol. */
#ifndef __declspec
#define __declspec(word) TP_DECLSPEC_##word
#define TP_DECLSPEC_dllexport __attribute__((visibility("default")))
#define TP_DECLSPEC_dllimport
#define TP_DECLSPEC_noreturn __attribute__((noreturn))
#define TP_DECLSPEC__Noreturn __attribute__((noreturn)) /* what <stdnoreturn.h> makes of the line above */
#define TP_DECLSPEC_noinline __attribute__((noinline))
#define TP_DECLSPEC_nothrow __attribute__((nothrow))
#define TP_DECLSPEC_novtable
#define TP_DECLSPEC_restrict __attribute__((malloc))
#define TP_DECLSPEC_selectany __attribute__((weak))
#define TP_DECLSPEC_thread __thread
#define TP_DECLSPEC_deprecated __attribute__((deprecated))
#define TP_DECLSPEC_align(bytes) __attribute__((aligned(bytes)))
#endif

#endif
