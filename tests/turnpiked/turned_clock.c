/* LD_PRELOADed: adds to what two clocks show the nanoseconds that the file TURNED_CLOCK holds, two 64-bit numbers, the
 * wall's and the monotonic one's. Whoever writes there turns the clocks of a running process. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t* turned;

__attribute__((constructor)) static void open_file(void) {
  const char* path = getenv("TURNED_CLOCK");
  const int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  void* memory = file >= 0 ? mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0) : MAP_FAILED;
  if (memory != MAP_FAILED) turned = memory;
  if (file >= 0) close(file);
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t which, struct timespec* time) {
  const int result = (int)syscall(SYS_clock_gettime, which, time);
  if (result != 0 || turned == NULL || (which != CLOCK_REALTIME && which != CLOCK_MONOTONIC)) return result;
  const int64_t whole = (int64_t)time->tv_sec * 1000000000 + time->tv_nsec + turned[which == CLOCK_REALTIME ? 0 : 1];
  time->tv_sec = whole / 1000000000;
  time->tv_nsec = whole % 1000000000;
  return 0;
}
