/* Descriptors: each is closed again, also where a call is refused half-way, and none is inherited
 * by a program that the process starts, not even by one that another thread starts in the middle of
 * a call: all are opened with CLOEXEC. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "unit/helper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sabway/shared.h"

enum { SIZE = 20 * SW_PAGE };

static uint32_t opened, inheritable;

static void note(int fd, int closes) {
  if (fd < 0) return;
  opened++;
  inheritable += !closes;
}

/* ---- libc's calls, as the linker redirects the library's ---- */

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...) {
  int fd = __real_open(path, flags, 0600);
  note(fd, (flags & O_CLOEXEC) != 0);
  return fd;
}

int __real_shm_open(const char *name, int flags, mode_t mode);
int __wrap_shm_open(const char *name, int flags, mode_t mode);
int __wrap_shm_open(const char *name, int flags, mode_t mode) {
  int fd = __real_shm_open(name, flags, mode);
  note(fd, (flags & O_CLOEXEC) != 0);
  return fd;
}

int __real_memfd_create(const char *name, unsigned flags);
int __wrap_memfd_create(const char *name, unsigned flags);
int __wrap_memfd_create(const char *name, unsigned flags) {
  int fd = __real_memfd_create(name, flags);
  note(fd, (flags & MFD_CLOEXEC) != 0);
  return fd;
}

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode) {
  FILE *file = __real_fopen(path, mode);
  note(file == NULL ? -1 : fileno(file), strchr(mode, 'e') != NULL);
  return file;
}

/* ---- what is open ---- */

static int count(void) {
  DIR *folder = opendir("/proc/self/fd");
  assert_non_null(folder);
  int found = 0;
  while (readdir(folder) != NULL) found++;
  closedir(folder);
  return found;
}

/* Memory and watched processes. What ctest or a shell has left open does not count: its path may
 * have our name in it, too. */
static bool is_ours(const char *link) {
  return strncmp(link, "/dev/shm/", 9) == 0 || strncmp(link, "/memfd:", 7) == 0 || strstr(link, "pidfd") != NULL;
}

static void each_closes_on_exec(void) {
  int ours = 0;
  for (int fd = 3; fd < 256; fd++) {
    int flags = fcntl(fd, F_GETFD);
    char path[32], link[64] = "";
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (readlink(path, link, sizeof(link) - 1) < 0) continue;
    if (!is_ours(link)) continue;
    ours++;
    assert_true((flags & FD_CLOEXEC) != 0);
  }
  assert_true(ours > 0);
}

static const char *name(void) {
  static char text[SW_NAME_BYTES];
  snprintf(text, sizeof(text), "descriptors-%d", (int)getpid());
  return text;
}

/* ---- what opens some ---- */

static void create_and_open(const char *called) {
  sw_shared made, same;
  char token[SW_TOKEN_BYTES];
  assert_int_equal(sw_shared_create(&made, SIZE, called), SW_OK);
  sw_shared_token(&made, token);
  assert_int_equal(sw_shared_open(&same, token), SW_OK);
  assert_int_equal(sw_shared_map(&same), SW_OK);
  each_closes_on_exec();
  sw_shared_close(&same);
  sw_shared_close(&made);
}

static void without_name(void) { create_and_open(NULL); }

static void with_name(void) { create_and_open(name()); }

static void name_taken(void) {
  sw_shared made, second;
  assert_int_equal(sw_shared_create(&made, SIZE, name()), SW_OK);
  assert_int_equal(sw_shared_create(&second, SIZE, name()), SW_EEXIST);
  sw_shared_close(&made);
}

/* A name whose users were all killed is in the way: looked at, and removed. */
static void abandoned(void) {
  char path[SW_NAME_BYTES + 16];
  snprintf(path, sizeof(path), "/sabway.%s", name());
  int fd = __real_shm_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  assert_true(fd >= 0);
  close(fd);
  sw_shared made;
  assert_int_equal(sw_shared_create(&made, SIZE, name()), SW_OK);
  sw_shared_close(&made);
}

static void rewritten(sw_shared *made, uint64_t size, uint64_t nonce, int status) {
  sw_shared other = *made, same;
  char token[SW_TOKEN_BYTES];
  other.size += size;
  other.nonce += nonce;
  sw_shared_token(&other, token);
  assert_int_equal(sw_shared_open(&same, token), status);
}

/* What is opened, looked at, and found to be something else. */
static void refused(void) {
  for (int named = 0; named < 2; named++) {
    sw_shared made;
    assert_int_equal(sw_shared_create(&made, SIZE, named ? name() : NULL), SW_OK);
    rewritten(&made, SW_PAGE, 0, SW_ESIZE);
    rewritten(&made, 0, 1, SW_ESTALE);
    assert_int_equal(fchmod((int)made.handle, 0644), 0);
    rewritten(&made, 0, 0, SW_EACCESS);
    sw_shared_close(&made);
  }
  sw_shared file = {.size = SIZE};
  char path[] = "/tmp/sabway-descriptors-XXXXXX";
  file.handle = mkstemp(path);
  assert_true(file.handle >= 0);
  assert_int_equal(ftruncate((int)file.handle, SIZE), 0);
  rewritten(&file, 0, 0, SW_ESTALE); /* without seals */
  close((int)file.handle);
  unlink(path);
}

static void overlaid(void) {
  sw_shared made;
  assert_int_equal(sw_shared_create(&made, SIZE, NULL), SW_OK);
  uint8_t *around = mmap(NULL, SIZE + 2 * SW_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(around, MAP_FAILED);
  assert_int_equal(sw_shared_overlay(&made, around + SW_PAGE, SIZE), SW_EOVERLAY);
  assert_int_equal(mprotect(around + SW_PAGE, SIZE, PROT_READ | PROT_WRITE), 0);
  assert_int_equal(sw_shared_overlay(&made, around + SW_PAGE, SIZE), SW_OK);
  sw_shared_close(&made);
  munmap(around, SIZE + 2 * SW_PAGE);
}

/* One that lives, one that has ended, and one whose pid belongs to another now. */
static void watched(void) {
  uint64_t start = sw_prim_process_start(sw_prim_pid());
  sw_prim_watch watch;
  sw_prim_watch_open(&watch, sw_prim_pid(), (uint32_t)start, (uint32_t)(start >> 32));
  assert_false(sw_prim_watch_ended(&watch));
  each_closes_on_exec();
  sw_prim_watch_close(&watch);
  sw_prim_watch_close(&watch); /* once is enough */
  sw_prim_watch_open(&watch, sw_prim_pid(), (uint32_t)start + 1, (uint32_t)(start >> 32));
  assert_true(sw_prim_watch_ended(&watch));
  sw_prim_watch_close(&watch);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) _exit(0);
  sw_prim_watch_open(&watch, (uint32_t)child, 0, 0);
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_true(sw_prim_watch_ended(&watch));
  sw_prim_watch_close(&watch);
}

static void alive(void) {
  assert_true(sw_prim_process_alive(sw_prim_pid(), 0, 0));
  assert_false(sw_prim_process_alive(INT32_MAX, 0, 0));
}

static void given_back(void **state) {
  static void (*const acts[])(void) = {without_name, with_name, name_taken, abandoned,
                                       refused,      overlaid,  watched,    alive};
  (void)state;
  int before = count();
  for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
    for (int round = 0; round < 3; round++) acts[i]();
    if (count() != before) fail_msg("%d descriptors more after act %d", count() - before, (int)i);
  }
  assert_true(opened > 20); /* or the calls do not come by here */
  assert_int_equal(inheritable, 0);
}

TESTS(TEST(given_back));
