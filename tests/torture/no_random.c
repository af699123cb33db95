// The random generator fails after PULSE_TORTURE_RANDOM calls, as it does where a sandbox forbids it.
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

ssize_t getrandom(void *to, size_t length, unsigned flags) {
  static unsigned long calls;
  const char *good = getenv("PULSE_TORTURE_RANDOM");
  if (!good || calls++ < strtoul(good, NULL, 10)) return syscall(SYS_getrandom, to, length, flags);
  errno = EIO;
  return -1;
}
