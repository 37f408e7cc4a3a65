/* macOS. Unverified: only its syntax was checked, against stand-ins for Apple's headers
 * (scripts/check-macos.sh).
 *
 * There is no memory without a name here: an object that was given none has a random one, which
 * goes with its creator. When that is killed, the object stays until the system restarts: neither
 * can objects be locked, nor listed. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libproc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/peer.h"
#include "prim.h"
#include "sabway/error.h"
#include "why.h"

enum { GLANCE_NS = 2000000, PRIVATE = 0600, PATH_BYTES = 32 /* PSHMNAMLEN and its zero */ };

/* ---- processes ---- */

uint64_t sw_prim_process_start(uint32_t pid) {
  struct proc_bsdinfo is;
  if (proc_pidinfo((int)pid, PROC_PIDTBSDINFO, 0, &is, (int)sizeof(is)) != (int)sizeof(is)) return 0;
  return is.pbi_start_tvsec * 1000000 + is.pbi_start_tvusec;
}

int sw_prim_process_alive(uint32_t pid, uint32_t start_low, uint32_t start_high) {
  if (pid == 0 || pid > INT32_MAX) return 0;
  if (kill((pid_t)pid, 0) != 0 && errno == ESRCH) return 0;
  errno = 0;
  uint64_t now = sw_prim_process_start(pid), start = (uint64_t)start_high << 32 | start_low;
  /* one that has ended, but was not waited for, tells nothing */
  if (now == 0) return errno != ESRCH;
  return start == 0 || now == start;
}

uint64_t sw_prim_pid_namespace(void) { return 0; }

void sw_prim_watch_open(sw_prim_watch *watch, uint32_t pid, uint32_t start_low, uint32_t start_high) {
  *watch = (sw_prim_watch){-1, pid, start_low, start_high};
}

int sw_prim_watch_ended(const sw_prim_watch *watch) {
  return !sw_prim_process_alive(watch->pid, watch->start_low, watch->start_high);
}

void sw_prim_watch_close(sw_prim_watch *watch) { (void)watch; }

/* ---- sleeping and waking ----
 *
 * The kernel's compare-and-wait, which libc++ uses, too. The public os_sync_wait_on_address is
 * there from 14.4 on. */

int __ulock_wait(uint32_t operation, void *address, uint64_t value, uint32_t microseconds);
int __ulock_wake(uint32_t operation, void *address, uint64_t value);

enum { COMPARE_AND_WAIT_SHARED = 3, WAKE_ALL = 0x100, NO_ERRNO = 0x1000000 };

void sw_prim_futex_wait(uint32_t *word, uint32_t expected, int64_t timeout_ns) {
  if (timeout_ns == 0) return; /* to the kernel, zero means no time-out */
  int64_t us = timeout_ns < 0 ? 0 : (timeout_ns + 999) / 1000;
  __ulock_wait(COMPARE_AND_WAIT_SHARED | NO_ERRNO, word, expected, us > UINT32_MAX ? UINT32_MAX : (uint32_t)us);
}

/* The kernel does not say how many there were: 1 for any. */
int sw_prim_futex_wake(uint32_t *word) {
  return __ulock_wake(COMPARE_AND_WAIT_SHARED | WAKE_ALL | NO_ERRNO, word, 0) >= 0;
}

uint32_t sw_prim_futex_most(void) { return 0; }

/* Waits for the first word, and looks at the others now and then. */
void sw_prim_futex_wait_any(uint32_t *const *words, const uint32_t *expected, uint32_t count, int64_t timeout_ns) {
  for (uint32_t i = 1; i < count; i++) {
    if (sw_peer_load_acquire(words[i]) != expected[i]) return;
  }
  int64_t most = count == 1 || (timeout_ns >= 0 && timeout_ns < GLANCE_NS) ? timeout_ns : GLANCE_NS;
  sw_prim_futex_wait(words[0], expected[0], most);
}

/* ---- memory ----
 *
 * A handle is the descriptor, and above it the random number that is the object's name when it was
 * given none: so the token of every process that has it open leads to it. */

static int descriptor(sw_prim_handle handle) { return (int)(handle & INT32_MAX); }

static sw_prim_handle handle_of(int fd, uint32_t id) { return (int64_t)id << 32 | fd; }

/* 0 when the name is too long for this system. */
static int path_of(char path[PATH_BYTES], const char *name, uint32_t id) {
  int length = name != NULL ? snprintf(path, PATH_BYTES, "/sabway.%s", name)
                            : snprintf(path, PATH_BYTES, "/sabway-%08" PRIx32, id);
  return length > 0 && length < PATH_BYTES;
}

static int open_path(const char *path, uint64_t size, uint32_t id, sw_prim_handle *opened, char *why) {
  struct stat is;
  int fd = shm_open(path, O_RDWR, 0);
  if (fd < 0) return swi_refuse(errno == EACCES ? SW_EACCESS : SW_EGONE, why, "%s: %s", path, strerror(errno));
  int status = SW_OK;
  if (fstat(fd, &is) != 0) {
    status = swi_refuse(SW_ESYSTEM, why, "fstat: %s", strerror(errno));
  } else if (is.st_uid != geteuid() || (is.st_mode & 0777) != PRIVATE) {
    status = swi_refuse(SW_EACCESS, why, "%s is another user's, or open to others", path);
  } else if ((uint64_t)is.st_size != size) {
    status = swi_refuse(SW_ESIZE, why, "it has %" PRIu64 " bytes, the token says %" PRIu64, (uint64_t)is.st_size, size);
  }
  if (status == SW_OK) *opened = handle_of(fd, id);
  else close(fd);
  return status;
}

int sw_prim_memory_create(uint64_t size, const char *name, sw_prim_handle *made, char *why) {
  char path[PATH_BYTES];
  uint32_t id = 0;
  int fd;
  do {
    if (name == NULL) id = arc4random() & INT32_MAX;
    if (!path_of(path, name, id)) return swi_refuse(SW_EINVAL, why, "macOS takes names of up to 23 bytes");
    fd = shm_open(path, O_RDWR | O_CREAT | O_EXCL, PRIVATE);
  } while (fd < 0 && errno == EEXIST && name == NULL);
  if (fd < 0) return swi_refuse(errno == EEXIST ? SW_EEXIST : SW_ESYSTEM, why, "%s: %s", path, strerror(errno));
  if (fchmod(fd, PRIVATE) != 0 || ftruncate(fd, (off_t)size) != 0) {
    int status = swi_refuse(SW_ENOMEM, why, "%" PRIu64 " bytes of shared memory: %s", size, strerror(errno));
    shm_unlink(path);
    close(fd);
    return status;
  }
  *made = handle_of(fd, id);
  return SW_OK;
}

int sw_prim_memory_open(uint32_t pid, int64_t number, uint64_t size, sw_prim_handle *opened, char *why) {
  char path[PATH_BYTES];
  (void)pid;
  uint32_t id = (uint32_t)((uint64_t)number >> 32);
  path_of(path, NULL, id);
  return open_path(path, size, id, opened, why);
}

int sw_prim_memory_open_named(const char *name, uint64_t size, sw_prim_handle *opened, char *why) {
  char path[PATH_BYTES];
  if (!path_of(path, name, 0)) return swi_refuse(SW_EGONE, why, "macOS takes names of up to 23 bytes");
  return open_path(path, size, 0, opened, why);
}

void sw_prim_memory_close(sw_prim_handle handle, const char *name, int creator) {
  char path[PATH_BYTES];
  if (creator && path_of(path, name, (uint32_t)((uint64_t)handle >> 32))) shm_unlink(path);
  close(descriptor(handle));
}

int sw_prim_memory_map(sw_prim_handle handle, uint64_t size, void **base, char *why) {
  void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor(handle), 0);
  if (at == MAP_FAILED) return swi_refuse(SW_ENOMEM, why, "mmap of %" PRIu64 " bytes: %s", size, strerror(errno));
  *base = at;
  return SW_OK;
}

void sw_prim_memory_unmap(void *base, uint64_t size) { munmap(base, size); }

/* No advice of madvise is known to take pages from a shared memory object here. */
uint64_t sw_prim_discard(void *from, uint64_t bytes) {
  (void)from;
  (void)bytes;
  return 0;
}

/* MAP_FIXED might do. Until it has been tried with V8 there, messages are copied. */
int sw_prim_memory_overlay(sw_prim_handle handle, void *base, uint64_t size, int vouched, char *why) {
  (void)handle;
  (void)base;
  (void)size;
  (void)vouched;
  return swi_refuse(SW_ENOSYS, why, "mapping over memory that is in use was never tried on macOS");
}

int sw_prim_random(void *bytes, uint32_t count) {
  arc4random_buf(bytes, count);
  return SW_OK;
}
