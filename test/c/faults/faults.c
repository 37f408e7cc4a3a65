#include "faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

enum { NOTHING = -1 };

static int armed = NOTHING;
static fault_mode armed_mode;
static uint32_t armed_n, calls, fired;
static int64_t blocks, libraries;

/* Is it this call's turn? Any thread. */
static int fails(fault_kind kind) {
  if (__atomic_load_n(&armed, __ATOMIC_ACQUIRE) != (int)kind) return 0;
  uint32_t call = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
  if (armed_mode == FAULT_ONCE ? call != armed_n : call < armed_n) return 0;
  __atomic_add_fetch(&fired, 1, __ATOMIC_RELAXED);
  return 1;
}

void faults_arm(fault_kind kind, uint32_t n, fault_mode mode) {
  armed_n = n;
  armed_mode = mode;
  calls = fired = 0;
  __atomic_store_n(&armed, (int)kind, __ATOMIC_RELEASE);
}

uint32_t faults_disarm(void) {
  __atomic_store_n(&armed, NOTHING, __ATOMIC_RELEASE);
  return __atomic_load_n(&fired, __ATOMIC_RELAXED);
}

static int64_t entries(const char *path) {
  DIR *folder = opendir(path);
  if (folder == NULL) return -1;
  int64_t count = 0;
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

holdings faults_holdings(void) {
  return (holdings){.blocks = __atomic_load_n(&blocks, __ATOMIC_RELAXED),
                    .libraries = __atomic_load_n(&libraries, __ATOMIC_RELAXED),
                    .threads = entries("/proc/self/task"),
                    .files = entries("/proc/self/fd")};
}

/* ---- memory ---- */

static void *counted(void *block) {
  if (block != NULL) __atomic_add_fetch(&blocks, 1, __ATOMIC_RELAXED);
  return block;
}

static int out_of_memory(void) {
  if (!fails(FAULT_MEMORY)) return 0;
  errno = ENOMEM;
  return 1;
}

/* The linker's names, and prototypes for them: __real_x is libc's x, __wrap_x what the library gets
 * in its place. */
#define WRAPPED(result, name, ...)   \
  result __real_##name(__VA_ARGS__); \
  result __wrap_##name(__VA_ARGS__)

WRAPPED(void *, malloc, size_t size);
void *__wrap_malloc(size_t size) { return out_of_memory() ? NULL : counted(__real_malloc(size)); }

WRAPPED(void *, calloc, size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size) { return out_of_memory() ? NULL : counted(__real_calloc(count, size)); }

WRAPPED(char *, strdup, const char *text);
char *__wrap_strdup(const char *text) { return out_of_memory() ? NULL : counted(__real_strdup(text)); }

WRAPPED(void *, realloc, void *block, size_t size);
void *__wrap_realloc(void *block, size_t size) {
  if (out_of_memory()) return NULL;
  void *grown = __real_realloc(block, size);
  return block == NULL ? counted(grown) : grown;
}

WRAPPED(void, free, void *block);
void __wrap_free(void *block) {
  if (block != NULL) __atomic_sub_fetch(&blocks, 1, __ATOMIC_RELAXED);
  __real_free(block);
}

/* ---- threads ---- */

WRAPPED(int, pthread_create, pthread_t *id, const pthread_attr_t *with, void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *with, void *(*run)(void *), void *argument) {
  return fails(FAULT_THREAD) ? EAGAIN : __real_pthread_create(id, with, run, argument);
}

/* The library makes one system call by number: futex, with six arguments. */
WRAPPED(long, syscall, long number, ...);
long __wrap_syscall(long number, ...) {
  va_list list;
  va_start(list, number);
  void *word = va_arg(list, void *);
  int operation = va_arg(list, int);
  uint32_t value = va_arg(list, uint32_t);
  void *time = va_arg(list, void *);
  va_end(list);
  if (number == SYS_futex && fails(operation == FUTEX_WAIT ? FAULT_WAIT : FAULT_WAKE)) {
    errno = operation == FUTEX_WAIT ? EINTR : EFAULT;
    return -1;
  }
  return __real_syscall(number, word, operation, value, time, NULL, 0);
}

/* ---- libraries ---- */

WRAPPED(void *, dlopen, const char *path, int mode);
void *__wrap_dlopen(const char *path, int mode) {
  void *library = __real_dlopen(fails(FAULT_LOAD) ? "/nowhere/fault.so" : path, mode);
  if (library != NULL) __atomic_add_fetch(&libraries, 1, __ATOMIC_RELAXED);
  return library;
}

WRAPPED(int, dlclose, void *library);
int __wrap_dlclose(void *library) {
  __atomic_sub_fetch(&libraries, 1, __ATOMIC_RELAXED);
  return __real_dlclose(library);
}

WRAPPED(void *, dlsym, void *library, const char *name);
void *__wrap_dlsym(void *library, const char *name) { return fails(FAULT_SYMBOL) ? NULL : __real_dlsym(library, name); }

/* ---- files ---- */

WRAPPED(FILE *, fopen, const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode) {
  if (!fails(FAULT_OPEN)) return __real_fopen(path, mode);
  errno = EMFILE;
  return NULL;
}

WRAPPED(size_t, fread, void *to, size_t size, size_t count, FILE *file);
size_t __wrap_fread(void *to, size_t size, size_t count, FILE *file) {
  return fails(FAULT_READ) ? 0 : __real_fread(to, size, count, file);
}
