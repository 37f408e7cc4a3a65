#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/peer.h"
#include "prim/prim.h"
#include "proc.h"
#include "sabway/error.h"

typedef struct process {
  char state;
  uint64_t threads;
  uint64_t start;
} process;

int swi_proc_is_ours(void) {
  char self[16];
  ssize_t length = readlink("/proc/self", self, sizeof(self) - 1);
  if (length <= 0) return 0;
  self[length] = '\0';
  return strtol(self, NULL, 10) == (long)getpid();
}

/* /proc of another namespace tells this, too. */
uint64_t sw_prim_pid_namespace(void) {
  struct stat is;
  return stat("/proc/self/ns/pid", &is) == 0 ? is.st_ino : 0;
}

/* What proc(5) tells about a process: 1, or 0 when it tells nothing. */
static int look_at(uint32_t pid, process *p) {
  char path[32], text[1024];
  if (!swi_proc_is_ours()) return 0;
  snprintf(path, sizeof(path), "/proc/%u/stat", pid);
  FILE *file = fopen(path, "re");
  if (file == NULL) return 0;
  size_t length = fread(text, 1, sizeof(text) - 1, file);
  fclose(file);
  text[length] = '\0';
  char *at = strrchr(text, ')'); /* the name before it may hold anything */
  if (at == NULL) return 0;
  for (int field = 3; field <= 22; field++) {
    at = strchr(at, ' ');
    if (at == NULL) return 0;
    at++;
    if (field == 3) p->state = *at;
    if (field == 20) p->threads = strtoull(at, NULL, 10);
    if (field == 22) p->start = strtoull(at, NULL, 10);
  }
  return 1;
}

uint64_t sw_prim_process_start(uint32_t pid) {
  process p;
  return look_at(pid, &p) ? p.start : 0;
}

int sw_prim_process_alive(uint32_t pid, uint32_t start_low, uint32_t start_high) {
  if (pid == 0 || pid > INT32_MAX) return 0;
  if (kill((pid_t)pid, 0) != 0 && errno == ESRCH) return 0;
  process p;
  if (!look_at(pid, &p)) return 1;
  /* Ended, but its parent has not asked how: the parent may be the one that waits for it. */
  if (p.state == 'Z' && p.threads <= 1) return 0;
  uint64_t start = (uint64_t)start_high << 32 | start_low;
  return start == 0 || p.start == 0 || p.start == start;
}

void sw_prim_futex_wait(uint32_t *word, uint32_t expected, int64_t timeout_ns) {
  struct timespec time = {timeout_ns / 1000000000, timeout_ns % 1000000000};
  syscall(SYS_futex, word, FUTEX_WAIT, expected, timeout_ns < 0 ? NULL : &time, NULL, 0);
}

int sw_prim_futex_wake(uint32_t *word) { return (int)syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0); }

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* What the kernel's headers call struct futex_waitv, since 5.16. */
typedef struct waiter {
  uint64_t expected;
  uint64_t address;
  uint32_t flags;
  uint32_t reserved;
} waiter;

enum { WAITERS = 128, FLAG_U32 = 2, GLANCE_NS = 2000000 };

/* Where the kernel cannot wait for that many words (or, before 5.16, for more than one), it waits
 * for the first and this looks at the others now and then. */
static void glance(uint32_t *const *words, const uint32_t *expected, uint32_t count, int64_t timeout_ns) {
  for (uint32_t i = 1; i < count; i++) {
    if (sw_peer_load_acquire(words[i]) != expected[i]) return;
  }
  sw_prim_futex_wait(words[0], expected[0], timeout_ns < 0 || timeout_ns > GLANCE_NS ? GLANCE_NS : timeout_ns);
}

/* Nothing to wait for is refused by a kernel that has the call, and by no other in that way. */
uint32_t sw_prim_futex_most(void) {
  return syscall(SYS_futex_waitv, NULL, 0, 0, NULL, CLOCK_MONOTONIC) < 0 && errno == EINVAL ? WAITERS : 0;
}

void sw_prim_futex_wait_any(uint32_t *const *words, const uint32_t *expected, uint32_t count, int64_t timeout_ns) {
  if (count == 1) {
    sw_prim_futex_wait(words[0], expected[0], timeout_ns);
    return;
  }
  if (count <= WAITERS) {
    waiter waiters[WAITERS];
    for (uint32_t i = 0; i < count; i++) waiters[i] = (waiter){expected[i], (uintptr_t)words[i], FLAG_U32, 0};
    struct timespec now, end, *limit = NULL;
    if (timeout_ns >= 0) {
      clock_gettime(CLOCK_MONOTONIC, &now);
      int64_t nanoseconds = now.tv_nsec + timeout_ns;
      end = (struct timespec){now.tv_sec + nanoseconds / 1000000000, nanoseconds % 1000000000};
      limit = &end;
    }
    if (syscall(SYS_futex_waitv, waiters, count, 0, limit, CLOCK_MONOTONIC) >= 0) return;
    if (errno == EAGAIN || errno == EINTR || errno == ETIMEDOUT) return;
  }
  glance(words, expected, count, timeout_ns);
}

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

void sw_prim_watch_open(sw_prim_watch *watch, uint32_t pid, uint32_t start_low, uint32_t start_high) {
  *watch = (sw_prim_watch){(int64_t)syscall(SYS_pidfd_open, (pid_t)pid, 0), pid, start_low, start_high};
  /* What was opened may be the next process of that pid: asked after opening, this tells. */
  if (watch->handle >= 0 && !sw_prim_process_alive(pid, start_low, start_high)) sw_prim_watch_close(watch);
}

int sw_prim_watch_ended(const sw_prim_watch *watch) {
  if (watch->handle < 0) return !sw_prim_process_alive(watch->pid, watch->start_low, watch->start_high);
  struct pollfd ended = {(int)watch->handle, POLLIN, 0};
  return poll(&ended, 1, 0) == 1;
}

void sw_prim_watch_close(sw_prim_watch *watch) {
  if (watch->handle >= 0) close((int)watch->handle);
  watch->handle = -1;
}
