/* Modules.
 *
 * A module is a shared object of Linux. The name of a DLL finds it so: rtm.dll, rtutils.dll, kernel32.dll and the other
 * DLLs whose functions this library has are the library itself, mprapi.dll and ndis.dll its companions where they are
 * installed; any other name.dll is looked for as name.so, libname.so and name.dll, then in small letters, in the
 * program's own folder first and then where dlopen looks. A name with a folder ('/' or '\') is that file, with .so for
 * .dll. No ending: .dll is meant.
 *
 * If the module has a DllMain, it is called: with DLL_PROCESS_ATTACH by the first LoadLibrary, with DLL_PROCESS_DETACH
 * when it is unloaded (not at the end of the process), always under one lock, as on Windows; never for threads. */
#ifndef _LIBLOADERAPI_H_
#define _LIBLOADERAPI_H_

#include "minwinbase.h"

// clang-format off: a table
#define DONT_RESOLVE_DLL_REFERENCES 0x00000001u /* DllMain is not called */
#define LOAD_LIBRARY_AS_DATAFILE 0x00000002u    /* ERROR_NOT_SUPPORTED, and so are the next two */
#define LOAD_LIBRARY_AS_IMAGE_RESOURCE 0x00000020u
#define LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE 0x00000040u
#define LOAD_WITH_ALTERED_SEARCH_PATH 0x00000008u /* accepted, and so are all below */
#define LOAD_IGNORE_CODE_AUTHZ_LEVEL 0x00000010u
#define LOAD_LIBRARY_REQUIRE_SIGNED_TARGET 0x00000080u
#define LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR 0x00000100u
#define LOAD_LIBRARY_SEARCH_APPLICATION_DIR 0x00000200u
#define LOAD_LIBRARY_SEARCH_USER_DIRS 0x00000400u
#define LOAD_LIBRARY_SEARCH_SYSTEM32 0x00000800u
#define LOAD_LIBRARY_SEARCH_DEFAULT_DIRS 0x00001000u

#define GET_MODULE_HANDLE_EX_FLAG_PIN 0x00000001u
#define GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT 0x00000002u
#define GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS 0x00000004u
// clang-format on

TP_BEGIN

/* A module's own, if it has one. Declared so that LoadLibrary finds it however the module is compiled: in C++, and with
 * symbols hidden. */
BOOL WINAPI DllMain(HINSTANCE hinstDLL, DWORD fdwReason, LPVOID lpvReserved) __attribute__((__visibility__("default")));

/* Null on failure: ERROR_INVALID_PARAMETER (no name, a file handle, unknown flags), ERROR_MOD_NOT_FOUND (the module, or
 * one that it needs), ERROR_BAD_EXE_FORMAT, ERROR_PROC_NOT_FOUND (it needs a function that nobody has),
 * ERROR_DLL_INIT_FAILED (its DllMain said no). Why, in words, is in the log. */
HMODULE WINAPI LoadLibraryA(LPCSTR lpLibFileName) TP_SHIM(LoadLibraryA);
HMODULE WINAPI LoadLibraryW(LPCWSTR lpLibFileName) TP_SHIM(LoadLibraryW);
HMODULE WINAPI LoadLibraryExA(LPCSTR lpLibFileName, HANDLE hFile, DWORD dwFlags) TP_SHIM(LoadLibraryExA);
HMODULE WINAPI LoadLibraryExW(LPCWSTR lpLibFileName, HANDLE hFile, DWORD dwFlags) TP_SHIM(LoadLibraryExW);

/* A module is unloaded when it has been freed as often as loaded; then its handle is refused. The program and this
 * library stay whatever is freed. */
BOOL WINAPI FreeLibrary(HMODULE hLibModule) TP_SHIM(FreeLibrary);

/* For a thread whose code is in the module: the module is freed once the thread is gone. A bad handle only ends the
 * thread. */
DECLSPEC_NORETURN VOID WINAPI FreeLibraryAndExitThread(HMODULE hLibModule, DWORD dwExitCode)
    TP_SHIM(FreeLibraryAndExitThread);

/* What the module itself exports, not what others do that it needs; of this library also the functions of the shim.
 * Null and ERROR_PROC_NOT_FOUND for another name and for an ordinal; ERROR_INVALID_PARAMETER for no name. */
FARPROC WINAPI GetProcAddress(HMODULE hModule, LPCSTR lpProcName) TP_SHIM(GetProcAddress);

/* A module that is loaded; the program for null. It is not counted as loaded once more. */
HMODULE WINAPI GetModuleHandleA(LPCSTR lpModuleName) TP_SHIM(GetModuleHandleA);
HMODULE WINAPI GetModuleHandleW(LPCWSTR lpModuleName) TP_SHIM(GetModuleHandleW);

/* The same, and counted, unless the flags say otherwise: PIN keeps it to the end, FROM_ADDRESS takes an address in it
 * for the name. On failure *phModule is null. */
BOOL WINAPI GetModuleHandleExA(DWORD dwFlags, LPCSTR lpModuleName, HMODULE* phModule) TP_SHIM(GetModuleHandleExA);
BOOL WINAPI GetModuleHandleExW(DWORD dwFlags, LPCWSTR lpModuleName, HMODULE* phModule) TP_SHIM(GetModuleHandleExW);

/* The module's file; the program's for null. Too small a buffer: as much as fits, with a null,
 * ERROR_INSUFFICIENT_BUFFER, and nSize is returned. 0 for a bad handle or a null buffer. */
DWORD WINAPI GetModuleFileNameA(HMODULE hModule, LPSTR lpFilename, DWORD nSize) TP_SHIM(GetModuleFileNameA);
DWORD WINAPI GetModuleFileNameW(HMODULE hModule, LPWSTR lpFilename, DWORD nSize) TP_SHIM(GetModuleFileNameW);

/* DllMain is never called for threads; this says whether the handle is good. */
BOOL WINAPI DisableThreadLibraryCalls(HMODULE hLibModule) TP_SHIM(DisableThreadLibraryCalls);

TP_END

#define LoadLibrary TP_AW(LoadLibrary)
#define LoadLibraryEx TP_AW(LoadLibraryEx)
#define GetModuleHandle TP_AW(GetModuleHandle)
#define GetModuleHandleEx TP_AW(GetModuleHandleEx)
#define GetModuleFileName TP_AW(GetModuleFileName)

#endif
