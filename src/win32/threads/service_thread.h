// Threads of the shim's own: workers, the watcher of sockets.
#pragma once

namespace turnpike::win32 {

// Starts a detached thread that runs body(argument) with all signals blocked, which are for the program's own threads.
// `name` (15 characters at most) is what ps and gdb show. False where there are no more
// threads, or no memory.
bool start_service_thread(const char* name, void (*body)(void*), void* argument);

}  // namespace turnpike::win32
