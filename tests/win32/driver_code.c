/* A driver's code, for driver_calls_test.cpp: what timers and work items call. */
#include <wdm.h>

#include "driver_code.h"

__declspec(dllexport) KTIMER driver_timer; /* lies in the shared object */
__declspec(dllexport) KDEFERRED_ROUTINE driver_routine;
__declspec(dllexport) VOID NTAPI driver_work(PVOID context);

VOID NTAPI driver_routine(PKDPC call, PVOID context, PVOID argument1, PVOID argument2) {
  (void)call, (void)argument1, (void)argument2;
  driver_work(context);
}

VOID NTAPI driver_work(PVOID context) {
  struct Visit* const visit = context;
  KeSetEvent(&visit->begun, 0, FALSE);
  KeWaitForSingleObject(&visit->may_go, Executive, KernelMode, FALSE, NULL);
  if (visit->before_it_goes != NULL) visit->before_it_goes(visit);
}
