/* All that Sabway asks of an operating system. One file per system implements it; WebAssembly is one more system, which
 * has no threads and asks its host for the rest. Nothing here allocates. */
#ifndef SABWAY_PRIM_H
#define SABWAY_PRIM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Wake whoever sleeps on `doorbell` in the way of enum sw_sleep. Any thread. Returns 0 when this thread has no means to
 * wake such a sleeper. */
int sw_prim_wake(uint32_t *doorbell, uint32_t how); /* native: worker/loop.c */

/* Is the process that has `pid`, and started then, still there? A start time of zero is unknown: then any process with
 * that pid counts. Any thread. */
int sw_prim_process_alive(uint32_t pid, uint32_t start_low, uint32_t start_high);

#ifndef __wasm__

/* This process. */
uint32_t sw_prim_pid(void);

/* When the process started, in the system's own unit, or 0 when it cannot be told. */
uint64_t sw_prim_process_start(uint32_t pid);

/* Sleep until `word` is not `expected`, a wake, or `timeout_ns` (negative: for ever). May return early for no reason.
 * Shared between processes. */
void sw_prim_futex_wait(uint32_t *word, uint32_t expected, int64_t timeout_ns);

/* Wake everyone who sleeps on `word`. Returns how many there were. */
int sw_prim_futex_wake(uint32_t *word);

/* Monotonic nanoseconds. */
uint64_t sw_prim_now(void);

/* Be polite in a spin loop. */
void sw_prim_pause(void);

/* One lock for the whole process. */
void sw_prim_lock(void);
void sw_prim_unlock(void);

/* Threads: 0 or a negative error. */
typedef struct sw_prim_thread {
  uint64_t id;
} sw_prim_thread;
int sw_prim_thread_start(sw_prim_thread *thread, const char *name, void (*run)(void *), void *argument);
int sw_prim_thread_join(sw_prim_thread *thread);

/* Load a shared library. On failure NULL, with the system's words in `why`. */
void *sw_prim_library_open(const char *path, char *why, uint32_t why_bytes);
void *sw_prim_library_symbol(void *library, const char *name);
void sw_prim_library_close(void *library);

#endif

#ifdef __cplusplus
}
#endif
#endif
