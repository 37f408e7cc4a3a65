/* Which event loops of this process sleep on which doorbell: the one piece of state that belongs to
 * the process, because a wake may come from any of its threads. A hash table of lists under one
 * lock; looked at only when the sleeper is an event loop. */
#include <stdlib.h>

#include "prim/prim.h"
#include "sabway/error.h"
#include "sabway/layout.h"
#include "sabway/loop.h"

enum { BUCKETS = 256 };

typedef struct entry {
  struct entry *next;
  uint32_t *doorbell;
  void (*ring)(void *context);
  void *context;
} entry;

static entry *table[BUCKETS];

static entry **bucket(const uint32_t *doorbell) {
  /* Endpoints lie at the same few offsets of page-aligned regions: bits from both parts. */
  uintptr_t address = (uintptr_t)doorbell;
  return &table[(address >> 7 ^ address >> 16 ^ address >> 33) % BUCKETS];
}

static entry **find(const uint32_t *doorbell) {
  entry **at = bucket(doorbell);
  while (*at != NULL && (*at)->doorbell != doorbell) at = &(*at)->next;
  return at;
}

int sw_loop_register(uint32_t *doorbell, void (*ring)(void *context), void *context) {
  entry *made = malloc(sizeof(*made));
  if (made == NULL) return SW_ENOMEM;
  sw_prim_lock();
  entry **first = bucket(doorbell);
  *made = (entry){*first, doorbell, ring, context};
  *first = made;
  sw_prim_unlock();
  return SW_OK;
}

void sw_loop_unregister(uint32_t *doorbell) {
  sw_prim_lock();
  entry **at = find(doorbell);
  entry *gone = *at;
  if (gone != NULL) *at = gone->next;
  sw_prim_unlock();
  free(gone);
}

static _Thread_local uint64_t calls;
static _Thread_local const sw_prim_waker *in_place;

const sw_prim_waker **sw_prim_waker_place(void) { return &in_place; }

uint64_t sw_wake_calls(void) { return calls; }

int sw_prim_wake(uint32_t *doorbell, uint32_t how) {
  if (in_place != NULL) return in_place->wake(in_place->context, doorbell, how);
  if (how == SW_SLEEP_ATOMICS) return 0; /* V8's waiters are woken by JavaScript only */
  calls++;
  if (how == SW_SLEEP_FUTEX) {
    sw_prim_futex_wake(doorbell);
    return 1;
  }
  sw_prim_lock();
  entry *here = *find(doorbell);
  if (here != NULL) here->ring(here->context);
  sw_prim_unlock();
  return here != NULL || sw_prim_futex_wake(doorbell) > 0;
}
