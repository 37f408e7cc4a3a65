/* Each system call that making, opening and mapping shared memory takes fails once: the first, the
 * second, and so on, until a run needs no more. Every run ends with success, or an error and its
 * reason in words; nothing stays open or mapped, and the name is free for the next one. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "unit/helper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sabway/shared.h"

enum { SIZE = 20 * SW_PAGE, RUNS_AT_MOST = 200 };

static uint32_t left, failed;

/* Is it this call's turn to fail? */
static int fails(void) {
  if (left == 0 || --left != 0) return 0;
  failed++;
  errno = ENOMEM;
  return 1;
}

/* ---- libc's calls, as the linker redirects the library's ---- */

#define WRAPPED(result, name, failure, parameters, given) \
  result __real_##name parameters;                        \
  result __wrap_##name parameters;                        \
  result __wrap_##name parameters { return fails() ? (failure) : __real_##name given; }

WRAPPED(int, shm_open, -1, (const char *name, int flags, mode_t mode), (name, flags, mode))
WRAPPED(int, memfd_create, -1, (const char *name, unsigned flags), (name, flags))
WRAPPED(FILE *, fopen, NULL, (const char *path, const char *mode), (path, mode))
WRAPPED(DIR *, opendir, NULL, (const char *path), (path))
WRAPPED(int, fstat, -1, (int fd, struct stat *is), (fd, is))
WRAPPED(int, fchmod, -1, (int fd, mode_t mode), (fd, mode))
WRAPPED(int, ftruncate, -1, (int fd, off_t size), (fd, size))
WRAPPED(int, posix_fallocate, ENOMEM, (int fd, off_t from, off_t size), (fd, from, size))
WRAPPED(int, flock, -1, (int fd, int how), (fd, how))
WRAPPED(ssize_t, getrandom, -1, (void *bytes, size_t count, unsigned flags), (bytes, count, flags))
WRAPPED(void *, mmap, MAP_FAILED, (void *at, size_t size, int mode, int flags, int fd, off_t from),
        (at, size, mode, flags, fd, from))

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...) { return fails() ? -1 : __real_open(path, flags, 0600); }

int __real_fcntl(int fd, int what, ...);
int __wrap_fcntl(int fd, int what, ...);
int __wrap_fcntl(int fd, int what, ...) {
  va_list more;
  va_start(more, what);
  int argument = what == F_ADD_SEALS ? va_arg(more, int) : 0;
  va_end(more);
  return fails() ? -1 : __real_fcntl(fd, what, argument);
}

/* ---- what is held ---- */

static int descriptors(void) {
  DIR *folder = __real_opendir("/proc/self/fd");
  assert_non_null(folder);
  int count = 0;
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

static int mappings(void) {
  FILE *maps = __real_fopen("/proc/self/maps", "re");
  assert_non_null(maps);
  int count = 0;
  for (char line[512]; fgets(line, sizeof(line), maps) != NULL;) {
    count += strstr(line, "memfd:sabway") != NULL || strstr(line, "/dev/shm/sabway") != NULL;
  }
  fclose(maps);
  return count;
}

/* ---- the runs ---- */

/* An error has its reason, and holds nothing that would have to be closed. */
static int told(const sw_shared *s, int status) {
  assert_true(status < 0);
  assert_true(strlen(s->why) > 3 || status == SW_ESYSTEM);
  assert_int_equal(s->handle, -1);
  assert_null(s->base);
  return status;
}

static int both_sides(const char *name) {
  sw_shared made, same;
  char token[SW_TOKEN_BYTES];
  int status = sw_shared_create(&made, SIZE, name);
  if (status != SW_OK) return told(&made, status);
  sw_shared_token(&made, token);
  status = sw_shared_open(&same, token);
  if (status != SW_OK) {
    told(&same, status);
    sw_shared_close(&made);
    return status;
  }
  status = sw_shared_map(&made);
  if (status == SW_OK) status = sw_shared_map(&same);
  if (status == SW_OK) {
    memcpy((uint8_t *)made.base + SIZE - 8, "the same", 8);
    assert_memory_equal((uint8_t *)same.base + SIZE - 8, "the same", 8);
  } else {
    assert_int_equal(status, SW_ENOMEM);
    assert_true(made.base == NULL || same.base == NULL);
  }
  sw_shared_close(&same);
  sw_shared_close(&made);
  return status;
}

static int overlay(const char *name) {
  sw_shared made;
  int status = sw_shared_create(&made, SIZE, name);
  if (status != SW_OK) return told(&made, status);
  uint8_t *at = __real_mmap(NULL, SIZE + 2 * SW_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(at, MAP_FAILED);
  assert_int_equal(mprotect(at + SW_PAGE, SIZE, PROT_READ | PROT_WRITE), 0);
  at[SW_PAGE] = 1;
  status = sw_shared_overlay(&made, at + SW_PAGE, SIZE);
  if (status == SW_OK) assert_int_equal(at[SW_PAGE], 0);
  else assert_int_equal(at[SW_PAGE], 1); /* untouched */
  munmap(at, SIZE + 2 * SW_PAGE);
  sw_shared_close(&made);
  return status;
}

static void sweep(int (*act)(const char *name), const char *name) {
  int open_before = descriptors(), mapped_before = mappings(), errors = 0;
  uint32_t n = 1;
  for (; n < RUNS_AT_MOST; n++) {
    failed = 0;
    left = n;
    int status = act(name);
    left = 0;
    if (descriptors() != open_before) fail_msg("call %u fails, and a descriptor stays open", n);
    if (mappings() != mapped_before) fail_msg("call %u fails, and a mapping stays", n);
    if (failed == 0) {
      assert_int_equal(status, SW_OK);
      break;
    }
    errors += status != SW_OK;
    assert_int_equal(act(name), SW_OK); /* the next one finds everything as it should be */
  }
  assert_true(n > 5 && n < RUNS_AT_MOST);
  assert_true(errors > 3);
}

static const char *name(void) {
  static char text[SW_NAME_BYTES];
  snprintf(text, sizeof(text), "faults-%d", (int)getpid());
  return text;
}

static void without_name(void **state) {
  (void)state;
  sweep(both_sides, NULL);
}

static void with_name(void **state) {
  (void)state;
  sweep(both_sides, name());
}

static void laid_over(void **state) {
  (void)state;
  sweep(overlay, NULL);
}

TESTS(TEST(without_name), TEST(with_name), TEST(laid_over));
