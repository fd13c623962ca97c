/* The other side of winpr_test.cpp: the same calls, by the same names, meant for WinPR. Only WinPR's headers are seen
 * here. */
#include "winpr_side.h"

#include <winpr/error.h>
#include <winpr/handle.h>
#include <winpr/synch.h>
#include <winpr/thread.h>

typedef struct {
  HANDLE there;
  HANDLE back;
  int rounds;
} Trips;

/* WinPR knows no auto-reset events. */
static int take(HANDLE event) { return WaitForSingleObject(event, INFINITE) == WAIT_OBJECT_0 && ResetEvent(event); }

static DWORD WINAPI partner(LPVOID argument) {
  const Trips* trips = (const Trips*)argument;
  for (int i = 0; i < trips->rounds; ++i) {
    if (!take(trips->there) || !SetEvent(trips->back)) return 1;
  }
  return 0;
}

int winpr_round_trips(int rounds) {
  Trips trips = {CreateEventA(NULL, TRUE, FALSE, NULL), CreateEventA(NULL, TRUE, FALSE, NULL), rounds};
  HANDLE thread = CreateThread(NULL, 0, partner, &trips, 0, NULL);
  int good = trips.there && trips.back && thread;
  for (int i = 0; good && i < rounds; ++i) {
    good = SetEvent(trips.there) && take(trips.back);
  }
  DWORD code = 1;
  good =
      good && WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0 && GetExitCodeThread(thread, &code) && code == 0;
  CloseHandle(thread);
  CloseHandle(trips.back);
  CloseHandle(trips.there);
  return good;
}

unsigned winpr_last_error(void) { return GetLastError(); }
void winpr_set_last_error(unsigned error) { SetLastError(error); }

void* winpr_event(void) { return CreateEventA(NULL, TRUE, FALSE, NULL); }
int winpr_is_signalled(void* event) { return WaitForSingleObject(event, 0) == WAIT_OBJECT_0; }
int winpr_set(void* event) { return SetEvent(event) != 0; }
int winpr_close(void* event) { return CloseHandle(event) != 0; }
