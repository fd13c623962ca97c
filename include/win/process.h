/* Threads of the C runtime library: CreateThread's under other names. */
#ifndef _INC_PROCESS
#define _INC_PROCESS

#include "basetsd.h"

TP_BEGIN

/* 0 with errno EINVAL or EAGAIN on failure. The handle is the caller's to close. */
uintptr_t _beginthreadex(void* security, unsigned stack_size, unsigned(__stdcall* start_address)(void*), void* arglist,
                         unsigned initflag, unsigned* thrdaddr) TP_SHIM(_beginthreadex);
__attribute__((noreturn)) void _endthreadex(unsigned retval) TP_SHIM(_endthreadex);

/* (uintptr_t)-1 on failure. The handle is closed already: it only says that there is a thread. */
uintptr_t _beginthread(void(__cdecl* start_address)(void*), unsigned stack_size, void* arglist) TP_SHIM(_beginthread);
__attribute__((noreturn)) void _endthread(void) TP_SHIM(_endthread);

TP_END

#endif
