/* A Windows program in plain C, as far as the engine goes: a worker that serves a queue, told by events when there is
 * work and when to stop, with the idioms that such programs use. Each function returns 0, or the line that failed. */
#include <process.h>
#include <windows.h>

#define REQUIRE(condition)             \
  do {                                 \
    if (!(condition)) return __LINE__; \
  } while (0)

typedef struct _JOB {
  SLIST_ENTRY Link;
  LONG Number;
} JOB, *PJOB;

typedef struct _SERVICE {
  CRITICAL_SECTION Lock;
  HANDLE Stop;
  HANDLE Work;
  HANDLE Thread;
  SLIST_HEADER Queue;
  LONG Sum;
  volatile LONG Done;
} SERVICE, *PSERVICE;

static unsigned __stdcall ServiceThread(void* Context) {
  PSERVICE Service = (PSERVICE)Context;
  HANDLE Events[2] = {Service->Stop, Service->Work};
  for (;;) {
    DWORD Which = WaitForMultipleObjects(ARRAYSIZE(Events), Events, FALSE, INFINITE);
    if (Which == WAIT_OBJECT_0) return 17;
    if (Which != WAIT_OBJECT_0 + 1) return 1;
    EnterCriticalSection(&Service->Lock);
    __try {
      PJOB Job = (PJOB)InterlockedPopEntrySList(&Service->Queue);
      if (Job == NULL) __leave;
      Service->Sum += Job->Number;
      InterlockedIncrement(&Service->Done);
    } __finally {
      LeaveCriticalSection(&Service->Lock);
    }
  }
}

int client_runs_a_service(void) {
  static JOB Jobs[10];
  SERVICE Service;
  DWORD Code = 0;
  LONG i;
  ZeroMemory(&Service, sizeof(Service));
  InitializeSListHead(&Service.Queue);
  REQUIRE(InitializeCriticalSectionAndSpinCount(&Service.Lock, 400));
  REQUIRE((Service.Stop = CreateEvent(NULL, TRUE, FALSE, NULL)) != NULL);
  REQUIRE((Service.Work = CreateSemaphore(NULL, 0, 100, NULL)) != NULL);
  Service.Thread = (HANDLE)_beginthreadex(NULL, 0, ServiceThread, &Service, 0, NULL);
  REQUIRE(Service.Thread != NULL);
  for (i = 0; i < 10; ++i) {
    Jobs[i].Number = i;
    InterlockedPushEntrySList(&Service.Queue, &Jobs[i].Link);
    REQUIRE(ReleaseSemaphore(Service.Work, 1, NULL));
  }
  while (InterlockedCompareExchange(&Service.Done, 0, 0) != 10) SwitchToThread();
  REQUIRE(SetEvent(Service.Stop));
  REQUIRE(WaitForSingleObject(Service.Thread, INFINITE) == WAIT_OBJECT_0);
  REQUIRE(GetExitCodeThread(Service.Thread, &Code) && Code == 17);
  REQUIRE(Service.Sum == 45);
  REQUIRE(CloseHandle(Service.Thread) && CloseHandle(Service.Work) && CloseHandle(Service.Stop));
  DeleteCriticalSection(&Service.Lock);
  return 0;
}

static VOID CALLBACK OnTimer(PVOID Context, BOOLEAN Fired) {
  if (Fired) SetEvent((HANDLE)Context);
}

int client_uses_a_timer_queue(void) {
  HANDLE Timer = NULL;
  HANDLE Queue = CreateTimerQueue();
  HANDLE Event = CreateEvent(NULL, FALSE, FALSE, NULL);
  REQUIRE(Queue != NULL && Event != NULL);
  REQUIRE(CreateTimerQueueTimer(&Timer, Queue, OnTimer, Event, 1, 1, WT_EXECUTEDEFAULT));
  REQUIRE(WaitForSingleObject(Event, INFINITE) == WAIT_OBJECT_0);
  REQUIRE(WaitForSingleObject(Event, INFINITE) == WAIT_OBJECT_0);
  REQUIRE(DeleteTimerQueueEx(Queue, INVALID_HANDLE_VALUE));
  REQUIRE(!SetEvent(Timer) && GetLastError() == ERROR_INVALID_HANDLE);
  REQUIRE(CloseHandle(Event));
  return 0;
}

/* Both blocks of a __try/__finally run, __leave leaves the innermost __try alone, an __except block never runs. */
int client_uses_try(void) {
  int Steps = 0;
  int i;
  __try {
    for (i = 0; i < 5; ++i) {
      __try {
        if (i == 1) __leave;
        if (i == 3) break;
        Steps += 1;
      } __except (EXCEPTION_EXECUTE_HANDLER) {
        return __LINE__;
      }
    }
    REQUIRE(i == 3 && Steps == 2);
    switch (Steps) {
      case 2:
        __leave;
      default:
        return __LINE__;
    }
  } __finally {
    Steps += 10;
  }
  REQUIRE(Steps == 12);
  __try {
    Steps = 1;
  } __except (GetExceptionCode() == EXCEPTION_ACCESS_VIOLATION ? EXCEPTION_EXECUTE_HANDLER
                                                               : EXCEPTION_CONTINUE_SEARCH) {
    Steps = 2;
  }
  REQUIRE(Steps == 1);
  return 0;
}
