// A module as a client writes it. What its DllMain is told, the test's program hears by module_says.
#include <windows.h>

extern void module_says(const char* word, HINSTANCE instance);

__declspec(dllexport) int module_answer(void);
__declspec(dllexport) DWORD WINAPI module_leave(LPVOID module);

int module_answer(void) { return 42; }

// A thread of the module's own, which frees the module that its code lies in.
DWORD WINAPI module_leave(LPVOID module) { FreeLibraryAndExitThread(module, 7); }

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID reserved) {
  (void)reserved;
  DisableThreadLibraryCalls(instance);
#ifdef MODULE_CONFUSED /* it frees what nobody has loaded yet, and loads what is about to go */
  if (reason == DLL_PROCESS_ATTACH) {
    module_says(FreeLibrary(instance) ? "freed" : "not freed", instance);
  } else {
    module_says(LoadLibraryA("win32_module_confused.dll") != NULL ? "loaded" : "not loaded", instance);
  }
#endif
  module_says(reason == DLL_PROCESS_ATTACH ? "attach" : reason == DLL_PROCESS_DETACH ? "detach" : "other", instance);
#ifdef MODULE_REFUSES
  return reason != DLL_PROCESS_ATTACH;
#else
  return TRUE;
#endif
}
