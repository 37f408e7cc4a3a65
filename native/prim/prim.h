/* All that Sabway asks of an operating system. linux/, macos.c and windows.c implement it, with
 * posix.c for what Linux and macOS have in common; wake.c has sw_prim_wake of every native host,
 * because it knows the process's event loops. WebAssembly is one more system (wasm.c), which has no
 * threads and asks its host for the rest. Some of it allocates, such as starting a thread and
 * reading /proc: nothing here is called per message, but for the wakes. */
#ifndef SABWAY_PRIM_H
#define SABWAY_PRIM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Wake the thread that sleeps on `doorbell` in the way of enum sw_sleep. Any thread. Returns 0 when
 * this thread has no means to wake such a sleeper. */
int sw_prim_wake(uint32_t *doorbell, uint32_t how); /* native: prim/wake.c */

/* Is the process that has `pid`, and started then, still there? A start time of zero is unknown:
 * then any process with that pid counts. Any thread. */
int sw_prim_process_alive(uint32_t pid, uint32_t start_low, uint32_t start_high);

/* Give the memory of these bytes back to the system, where it takes it: they may hold anything
 * afterwards. Whole pages of memory that may be shared. Returns how many bytes it has taken; 0
 * where it has no way to do that. Any thread. */
uint64_t sw_prim_discard(void *from, uint64_t bytes);

#ifndef __wasm__

/* What takes the place of sw_prim_wake's own ways: while JavaScript calls the native core, what
 * JavaScript can do to wake a sleeper. */
typedef struct sw_prim_waker {
  int (*wake)(void *context, uint32_t *doorbell, uint32_t how);
  void *context;
} sw_prim_waker;

/* Where this thread says so: NULL there is nothing. The place stays the same for as long as the
 * thread lives. wake.c. */
const sw_prim_waker **sw_prim_waker_place(void);

/* The pid of this process. */
uint32_t sw_prim_pid(void);

/* When the process started, in the system's own unit, or 0 when it cannot be told. */
uint64_t sw_prim_process_start(uint32_t pid);

/* The namespace in which this process's pid means something: to processes of another one it means
 * another process, or none. 0 where the system has one for all, or does not tell. */
uint64_t sw_prim_pid_namespace(void);

/* Sleep until `word` is not `expected`, a wake, or `timeout_ns` (negative: no time-out). May return
 * early for no reason. Shared between processes. */
void sw_prim_futex_wait(uint32_t *word, uint32_t expected, int64_t timeout_ns);

/* As sw_prim_futex_wait, on up to `count` words at once: until one of them is not as expected. */
void sw_prim_futex_wait_any(uint32_t *const *words, const uint32_t *expected, uint32_t count, int64_t timeout_ns);

/* On how many words at once a thread sleeps there. 0: on any number, but it looks at them now and
 * then instead of being woken. */
uint32_t sw_prim_futex_most(void);

/* Wake every thread that sleeps on `word`. Returns how many there were. */
int sw_prim_futex_wake(uint32_t *word);

/* Monotonic nanoseconds. */
uint64_t sw_prim_now(void);

/* Let another thread that is ready have this processor. Returns when it is this one's turn
 * again. */
void sw_prim_yield(void);

/* Tell the processor that this is a spin loop (on x86 the PAUSE instruction). */
void sw_prim_pause(void);

/* Take and release the one lock of the process. */
void sw_prim_lock(void);
void sw_prim_unlock(void);

/* Threads: 0 or a negative error. */
typedef struct sw_prim_thread {
  uint64_t id;
} sw_prim_thread;
int sw_prim_thread_start(sw_prim_thread *thread, const char *name, void (*run)(void *), void *argument);
int sw_prim_thread_join(sw_prim_thread *thread);

/* A process that is watched: it and no later one of its pid. */
typedef struct sw_prim_watch {
  int64_t handle;
  uint32_t pid, start_low, start_high;
} sw_prim_watch;
void sw_prim_watch_open(sw_prim_watch *watch, uint32_t pid, uint32_t start_low, uint32_t start_high);
int sw_prim_watch_ended(const sw_prim_watch *watch);
void sw_prim_watch_close(sw_prim_watch *watch);

/* Memory that processes share. All of these return 0 or a negative error, with the reason in words
 * in `why`. */
enum { SW_PRIM_WHY = 256 };
typedef int64_t sw_prim_handle;

/* `size` zeroed bytes that cannot be truncated. With a name others of the same user find it by
 * that; without one, by this process and the number of the handle. Errors: SW_EEXIST, SW_ENOMEM,
 * SW_EFILES, SW_ENOSYS, SW_ESYSTEM. */
int sw_prim_memory_create(uint64_t size, const char *name, sw_prim_handle *made, char *why);

/* Open what the process `pid` has under that number. Errors: SW_EGONE, SW_ESTALE, SW_EACCESS,
 * SW_ESIZE, SW_EFILES, SW_ESYSTEM. */
int sw_prim_memory_open(uint32_t pid, int64_t number, uint64_t size, sw_prim_handle *opened, char *why);
int sw_prim_memory_open_named(const char *name, uint64_t size, sw_prim_handle *opened, char *why);

/* Close the handle: mappings stay. The name, when there is one, goes with its creator or with the
 * last process. */
void sw_prim_memory_close(sw_prim_handle handle, const char *name, int creator);

/* Map the first `size` bytes anywhere. Errors: SW_ENOMEM. */
int sw_prim_memory_map(sw_prim_handle handle, uint64_t size, void **base, char *why);
void sw_prim_memory_unmap(void *base, uint64_t size);

/* Map the memory over `size` bytes at `base`, which must be the whole of a private, writable,
 * anonymous mapping. `vouched`: the caller knows that they are, also where the system lists them as
 * part of a larger one. Errors: SW_EOVERLAY, SW_EFILES; SW_ENOSYS where this system has no way to
 * do that, or to tell what is there. */
int sw_prim_memory_overlay(sw_prim_handle handle, void *base, uint64_t size, int vouched, char *why);

/* Unpredictable bytes. Errors: SW_ESYSTEM. */
int sw_prim_random(void *bytes, uint32_t count);

/* Load a shared library. On failure NULL, with the system's words in `why`. */
void *sw_prim_library_open(const char *path, char *why, uint32_t why_bytes);
void *sw_prim_library_symbol(void *library, const char *name);
void sw_prim_library_close(void *library);

#endif

#ifdef __cplusplus
}
#endif
#endif
