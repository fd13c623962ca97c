// Modules: found under the names of DLLs, counted, told by DllMain, and refused once they are gone.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <windows.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace {

std::vector<std::string> said;
HINSTANCE told;

}  // namespace

// Called by module_sample.c.
extern "C" __attribute__((visibility("default"))) void module_says(const char* word, HINSTANCE instance) {
  said.emplace_back(word);
  told = instance;
}

namespace {

using Words = std::vector<std::string>;

// By way of its address: the compiler sees that the type is another one.
template <class Function>
Function as(FARPROC found) {
  return reinterpret_cast<Function>(reinterpret_cast<void*>(found));
}

std::string folder() {
  char path[4096];
  EXPECT_NE(GetModuleFileNameA(nullptr, path, sizeof path), 0U);
  return std::filesystem::path(path).parent_path();
}

class Modules : public testing::Test {
 protected:
  Modules() { said.clear(); }
};

TEST_F(Modules, LoadedOnceForEverybody) {
  const HMODULE module = LoadLibraryA("win32_module.dll");
  ASSERT_NE(module, nullptr) << GetLastError();
  EXPECT_EQ(said, Words{"attach"});
  EXPECT_EQ(told, module);
  EXPECT_EQ(LoadLibraryW(L"win32_module"), module);
  EXPECT_EQ(LoadLibraryA((folder() + "\\WIN32_MODULE.DLL").c_str()), nullptr);  // a file's name is taken as it is
  EXPECT_EQ(GetLastError(), DWORD{ERROR_MOD_NOT_FOUND});
  EXPECT_EQ(LoadLibraryA((folder() + "\\win32_module.dll").c_str()), module);
  EXPECT_EQ(GetModuleHandleA("Win32_Module.dll"), module);
  EXPECT_EQ(GetModuleHandleW(L"win32_module.dll"), module);

  const FARPROC answer = GetProcAddress(module, "module_answer");
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(as<int (*)()>(answer)(), 42);

  EXPECT_TRUE(FreeLibrary(module));
  EXPECT_TRUE(FreeLibrary(module));
  EXPECT_EQ(said, Words{"attach"});
  EXPECT_TRUE(FreeLibrary(module));
  EXPECT_EQ(said, (Words{"attach", "detach"}));
  EXPECT_EQ(GetModuleHandleA("win32_module.dll"), nullptr);
  EXPECT_EQ(dlopen((folder() + "/win32_module.so").c_str(), RTLD_NOW | RTLD_NOLOAD), nullptr) << "still in memory";
}

TEST_F(Modules, AHandleIsRefusedOnceTheModuleIsGone) {
  const HMODULE module = LoadLibraryA("win32_module");
  EXPECT_TRUE(FreeLibrary(module));
  char path[64];
  const HANDLE event = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  for (const HMODULE bad : {module, HMODULE{INVALID_HANDLE_VALUE}, HMODULE{event}, HMODULE{GetProcessHeap()}}) {
    SetLastError(0);
    EXPECT_FALSE(FreeLibrary(bad));
    EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_HANDLE});
    EXPECT_EQ(GetProcAddress(bad, "module_answer"), nullptr);
    EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_HANDLE});
    EXPECT_EQ(GetModuleFileNameA(bad, path, 64), 0U);
    EXPECT_FALSE(DisableThreadLibraryCalls(bad));
  }
  EXPECT_FALSE(FreeLibrary(nullptr));
  EXPECT_EQ(GetProcAddress(nullptr, "module_answer"), nullptr);
  EXPECT_FALSE(CloseHandle(GetModuleHandleA(nullptr)));
  EXPECT_TRUE(CloseHandle(event));
  const HMODULE again = LoadLibraryA("win32_module");
  EXPECT_NE(again, module);
  EXPECT_TRUE(FreeLibrary(again));
}

TEST_F(Modules, OneThatRefusesIsNotLoaded) {
  SetLastError(0);
  EXPECT_EQ(LoadLibraryA("win32_module_refuses.dll"), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_DLL_INIT_FAILED});
  EXPECT_EQ(said, (Words{"attach", "detach"}));
  EXPECT_EQ(GetModuleHandleA("win32_module_refuses.dll"), nullptr);
  const HMODULE unasked = LoadLibraryExA("win32_module_refuses.dll", nullptr, DONT_RESOLVE_DLL_REFERENCES);
  ASSERT_NE(unasked, nullptr);
  EXPECT_TRUE(FreeLibrary(unasked));
  EXPECT_EQ(said.size(), 2U);
}

TEST_F(Modules, ADllMainThatLoadsAndFreesItselfChangesNothing) {
  const HMODULE module = LoadLibraryA("win32_module_confused.dll");
  ASSERT_NE(module, nullptr);
  EXPECT_EQ(GetModuleHandleA("win32_module_confused.dll"), module);
  EXPECT_TRUE(FreeLibrary(module));
  EXPECT_EQ(said, (Words{"not freed", "attach", "not loaded", "detach"}));
  EXPECT_EQ(GetModuleHandleA("win32_module_confused.dll"), nullptr);
}

TEST_F(Modules, WhatCannotBeLoadedSaysWhy) {
  EXPECT_EQ(LoadLibraryA("no_such_module.dll"), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_MOD_NOT_FOUND});
  EXPECT_EQ(LoadLibraryA("/no/such/folder/module.dll"), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_MOD_NOT_FOUND});
  EXPECT_EQ(LoadLibraryA("win32_module_needy.dll"), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_PROC_NOT_FOUND});
  const std::string text = testing::TempDir() + "/tp_no_module.so";
  std::ofstream(text) << "this is no module";
  EXPECT_EQ(LoadLibraryA((testing::TempDir() + "\\tp_no_module.dll").c_str()), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_BAD_EXE_FORMAT});
  std::filesystem::remove(text);
}

TEST_F(Modules, BadInput) {
  const auto error = [](HMODULE module) {
    EXPECT_EQ(module, nullptr);
    const DWORD code = GetLastError();
    SetLastError(0);
    return code;
  };
  EXPECT_EQ(error(LoadLibraryA(nullptr)), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(error(LoadLibraryW(L"")), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(error(LoadLibraryExA("rtm.dll", GetCurrentProcess(), 0)), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(error(LoadLibraryExA("rtm.dll", nullptr, 0x80000000)), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(error(LoadLibraryExW(L"rtm.dll", nullptr, LOAD_LIBRARY_AS_DATAFILE)), DWORD{ERROR_NOT_SUPPORTED});
  EXPECT_EQ(error(GetModuleHandleA("no_such_module.dll")), DWORD{ERROR_MOD_NOT_FOUND});
  const HMODULE program = GetModuleHandleA(nullptr);
  EXPECT_EQ(GetProcAddress(program, nullptr), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
  EXPECT_EQ(GetProcAddress(program, reinterpret_cast<LPCSTR>(17)), nullptr);  // an ordinal
  EXPECT_EQ(GetLastError(), DWORD{ERROR_PROC_NOT_FOUND});
}

TEST_F(Modules, TheDllsOfWindowsAreThisLibrary) {
  const HMODULE library = GetModuleHandleA("rtm.dll");
  ASSERT_NE(library, nullptr);
  for (const char* const name : {"RTM.DLL", "mgm", "rtutils.dll", "iphlpapi.dll", "ws2_32.dll", "kernel32.dll",
                                 "user32", "mprapi.dll", "advapi32.dll"}) {
    EXPECT_EQ(GetModuleHandleA(name), library) << name;
    EXPECT_EQ(LoadLibraryA(name), library) << name;
    EXPECT_TRUE(FreeLibrary(library)) << name;
  }
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(FreeLibrary(library));  // it stays whatever is freed
  EXPECT_EQ(as<BOOL (*)(HANDLE)>(GetProcAddress(library, "SetEvent")), &SetEvent);
  EXPECT_EQ(GetProcAddress(library, "RtmRegisterEntity") != nullptr,
            dlsym(RTLD_DEFAULT, "RtmRegisterEntity") != nullptr);
  EXPECT_EQ(GetProcAddress(library, "no_such_function"), nullptr);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_PROC_NOT_FOUND});
  EXPECT_EQ(GetProcAddress(library, "strlen"), nullptr) << "the C library's";
}

TEST_F(Modules, NdisIsALibraryOfItsOwn) {
  const HMODULE ndis = LoadLibraryA("NDIS.SYS");
  ASSERT_NE(ndis, nullptr);
  EXPECT_NE(ndis, GetModuleHandleA("rtm.dll"));
  EXPECT_NE(GetProcAddress(ndis, "NdisRegisterProtocol"), nullptr);
  EXPECT_TRUE(FreeLibrary(ndis));
}

TEST_F(Modules, AModuleShowsWhatItExportsItself) {
  const HMODULE module = LoadLibraryA("win32_module.dll");
  EXPECT_NE(GetProcAddress(module, "DllMain"), nullptr);
  EXPECT_EQ(GetProcAddress(module, "tp_SetEvent"), nullptr) << "this library's";
  EXPECT_EQ(GetProcAddress(module, "module_says"), nullptr) << "the program's";
  EXPECT_TRUE(FreeLibrary(module));
}

TEST_F(Modules, FileNames) {
  char narrow[4096];
  const DWORD length = GetModuleFileNameA(nullptr, narrow, sizeof narrow);
  EXPECT_EQ(length, strlen(narrow));
  EXPECT_EQ(std::filesystem::path(narrow), std::filesystem::read_symlink("/proc/self/exe"));
  EXPECT_EQ(GetModuleFileNameA(GetModuleHandleA(nullptr), narrow, sizeof narrow), length);
  wchar_t wide[4096];
  const DWORD wide_length = GetModuleFileNameW(GetModuleHandleA("rtm.dll"), wide, 4096);
  EXPECT_EQ(wide_length, wcslen(wide));
  EXPECT_NE(std::wstring(wide).find(L"libturnpike"), std::wstring::npos);

  char small[5] = "????";
  EXPECT_EQ(GetModuleFileNameA(nullptr, small, 5), 5U);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INSUFFICIENT_BUFFER});
  EXPECT_EQ(std::string(small), std::string(narrow, 4));
  EXPECT_EQ(GetModuleFileNameA(nullptr, small, 0), 0U);
  EXPECT_EQ(GetModuleFileNameA(nullptr, nullptr, 5), 0U);
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
}

TEST_F(Modules, GetModuleHandleEx) {
  const HMODULE module = LoadLibraryA("win32_module.dll");
  HMODULE found = nullptr;
  EXPECT_TRUE(GetModuleHandleExA(0, "win32_module.dll", &found));
  EXPECT_EQ(found, module);
  EXPECT_TRUE(FreeLibrary(module));
  EXPECT_EQ(said, Words{"attach"}) << "it was counted";
  const auto* const inside = reinterpret_cast<const char*>(GetProcAddress(module, "module_answer"));
  EXPECT_TRUE(GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                                 inside, &found));
  EXPECT_EQ(found, module);
  EXPECT_TRUE(FreeLibrary(module));
  EXPECT_EQ(said.size(), 2U) << "it was not counted";

  EXPECT_TRUE(
      GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, reinterpret_cast<const char*>(&folder), &found));
  EXPECT_EQ(found, GetModuleHandleA(nullptr));
  found = module;
  EXPECT_FALSE(GetModuleHandleExA(0, "no_such_module.dll", &found));
  EXPECT_EQ(found, nullptr);
  char on_stack = 0;
  EXPECT_FALSE(GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, &on_stack, &found));
  EXPECT_FALSE(GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, nullptr, &found));
  EXPECT_FALSE(GetModuleHandleExA(3, "rtm.dll", &found));
  EXPECT_FALSE(GetModuleHandleExA(8, "rtm.dll", &found));
  EXPECT_TRUE(GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN, L"rtm.dll", &found));
  EXPECT_EQ(found, GetModuleHandleA("rtm.dll"));
  EXPECT_FALSE(GetModuleHandleExW(0, L"no_such_module.dll", &found));
  EXPECT_FALSE(GetModuleHandleExA(0, "rtm.dll", nullptr));
  EXPECT_EQ(GetLastError(), DWORD{ERROR_INVALID_PARAMETER});
}

TEST_F(Modules, AThreadFreesTheModuleThatItRunsIn) {
  const HMODULE module = LoadLibraryA("win32_module.dll");
  const auto leave = as<LPTHREAD_START_ROUTINE>(GetProcAddress(module, "module_leave"));
  const HANDLE thread = CreateThread(nullptr, 0, leave, module, 0, nullptr);
  EXPECT_EQ(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
  DWORD code = 0;
  EXPECT_TRUE(GetExitCodeThread(thread, &code));
  EXPECT_EQ(code, 7U);
  EXPECT_TRUE(CloseHandle(thread));
  while (GetModuleHandleA("win32_module.dll") != nullptr) SwitchToThread();
  EXPECT_EQ(said, (Words{"attach", "detach"}));
}

TEST_F(Modules, ThreadsLoadAndFreeTheSame) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 50; ++round) {
        const HMODULE module = LoadLibraryA("win32_module.dll");
        const FARPROC answer = GetProcAddress(module, "module_answer");
        EXPECT_NE(answer, nullptr);
        EXPECT_EQ(answer == nullptr ? 0 : as<int (*)()>(answer)(), 42);
        EXPECT_TRUE(FreeLibrary(module));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(GetModuleHandleA("win32_module.dll"), nullptr);
  EXPECT_EQ(said.front(), "attach");
  EXPECT_EQ(said.back(), "detach");
}

}  // namespace
