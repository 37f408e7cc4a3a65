/* The heap's calls that sleep, for native threads: where the core says SW_EBUSY, they wait for the
 * lock, and the call that comes next has it. */
#include "core/heap/heap.h"
#include "prim/prim.h"
#include "sabway/mutex.h"

typedef struct wait {
  int64_t timeout_ns; /* negative: no end */
  uint64_t until;
} wait;

static wait wait_begin(int64_t timeout_ns) {
  return (wait){timeout_ns, timeout_ns < 0 ? 0 : sw_prim_now() + (uint64_t)timeout_ns};
}

/* Was the call refused because of the lock, and has the handle got it now? Else h->status says why
 * the call is over. */
static bool has_lock(sw_heap *h, const wait *w) {
  if (h->status != SW_EBUSY) return false;
  int64_t left = -1;
  if (w->timeout_ns >= 0) {
    uint64_t now = sw_prim_now();
    left = now < w->until ? (int64_t)(w->until - now) : 0;
  }
  int status = sw_mutex_lock(h->base, &h->control->lock, h->endpoint, left);
  return swi_runs_enter(h, status) == SW_OK;
}

uint32_t sw_heap_alloc_wait(sw_heap *h, uint32_t bytes, uint32_t align, int64_t timeout_ns) {
  wait w = wait_begin(timeout_ns);
  uint32_t at;
  do {
    at = align <= SW_HEAP_UNIT && align != 0 ? sw_heap_alloc(h, bytes) : sw_heap_alloc_aligned(h, bytes, align);
    swi_runs_unlock(h);
  } while (at == 0 && has_lock(h, &w));
  return at;
}

uint32_t sw_heap_realloc_wait(sw_heap *h, uint32_t at, uint32_t bytes, int64_t timeout_ns) {
  wait w = wait_begin(timeout_ns);
  uint32_t moved;
  do {
    moved = sw_heap_realloc(h, at, bytes);
    swi_runs_unlock(h);
  } while (moved == 0 && has_lock(h, &w));
  return moved;
}

uint64_t sw_heap_trim_wait(sw_heap *h, int64_t timeout_ns) {
  wait w = wait_begin(timeout_ns);
  uint64_t given;
  do {
    given = sw_heap_trim(h);
    swi_runs_unlock(h);
  } while (given == 0 && has_lock(h, &w));
  return given;
}
