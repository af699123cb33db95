// Lets read and write do at most PULSE_TORTURE_MOST bytes at a time, as they may on any machine.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static size_t most(size_t length) {
  const char *limit = getenv("PULSE_TORTURE_MOST");
  size_t most = limit ? strtoul(limit, NULL, 10) : length;
  return length < most ? length : most;
}

ssize_t read(int file, void *to, size_t length) { return syscall(SYS_read, file, to, most(length)); }
ssize_t write(int file, const void *from, size_t length) { return syscall(SYS_write, file, from, most(length)); }
