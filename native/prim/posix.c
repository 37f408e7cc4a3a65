/* What Linux and macOS have alike: POSIX threads, the clock, libraries. */
#if defined(__linux__)
#define _GNU_SOURCE /* pthread_setname_np */
#endif
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "prim.h"
#include "sabway/error.h"

uint32_t sw_prim_pid(void) { return (uint32_t)getpid(); }

uint64_t sw_prim_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

void sw_prim_yield(void) { sched_yield(); }

void sw_prim_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static pthread_mutex_t process_lock = PTHREAD_MUTEX_INITIALIZER;

void sw_prim_lock(void) { pthread_mutex_lock(&process_lock); }

void sw_prim_unlock(void) { pthread_mutex_unlock(&process_lock); }

typedef struct start {
  const char *name; /* a literal */
  void (*run)(void *);
  void *argument;
} start;

static void *trampoline(void *passed) {
  start todo = *(start *)passed;
  free(passed);
#if defined(__APPLE__)
  pthread_setname_np(todo.name); /* there only a thread can name itself */
#endif
  todo.run(todo.argument);
  return NULL;
}

int sw_prim_thread_start(sw_prim_thread *thread, const char *name, void (*run)(void *), void *argument) {
  start *todo = malloc(sizeof(*todo));
  if (todo == NULL) return SW_ENOMEM;
  *todo = (start){name, run, argument};
  sigset_t all, before; /* the host's signal handlers are not for this thread */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t id;
  int failed = pthread_create(&id, NULL, trampoline, todo);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed) {
    free(todo);
    return SW_ESYSTEM;
  }
#if defined(__linux__)
  pthread_setname_np(id, name); /* by its maker: the name is there when the call returns */
#endif
  thread->id = (uint64_t)(uintptr_t)id;
  return SW_OK;
}

int sw_prim_thread_join(sw_prim_thread *thread) {
  return pthread_join((pthread_t)(uintptr_t)thread->id, NULL) == 0 ? SW_OK : SW_ESYSTEM;
}

void *sw_prim_library_open(const char *path, char *why, uint32_t why_bytes) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) snprintf(why, why_bytes, "%s", dlerror());
  return library;
}

void *sw_prim_library_symbol(void *library, const char *name) { return dlsym(library, name); }

void sw_prim_library_close(void *library) { dlclose(library); }
