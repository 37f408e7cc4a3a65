/* A bounded ring for any number of producers and consumers, in which nothing is claimed without
 * being published: so there is nothing to mend when a participant dies.
 *
 *   position   counts up without end: bits `order` and up are its cycle
 *   slot       cycle:32 | value:32; that of position p is p % n, spread over lines
 *
 *   slot of position p     means                       next
 *   cycle of p, minus 1    it is free                  put: compare-exchange -> filled       [P1]
 *   cycle of p             it is filled                a slot for p + n, once p was taken
 *
 *   put    t = tail; s = slot of t
 *          filled: another has put there and not moved the tail yet: move it, again
 *          neither: t is old, again
 *          t - head >= capacity: full
 *          compare-exchange slot -> (cycle of t, value): it is in the ring                   [P1]
 *          compare-exchange tail -> t + 1, or another does it
 *   take   h = head; s = slot of h
 *          free: empty; neither: h is old, again
 *          compare-exchange head -> h + 1: the value of s is the caller's                    [P2]
 *
 * The value was read before the head moved, and the slot is not written in a take. A put that finds
 * an old head says that the ring is full too early, and never puts too much.
 *
 * Closing puts SW_QUEUE_END like a value. No participant puts behind it or takes it, and there is
 * always room for it, as values take one slot less than there are.
 *
 * Ordering edges:
 *   [P1] the exchange that fills a slot, pairs with the acquire load of the slot by a take: what
 *        the value leads to is seen.
 *   [P2] the exchange that moves the head, pairs with the acquire load of the head by the next
 *        participant: a slot is not looked at as it was before.
 *
 * What a crash leaves: a value in the ring and the tail behind it, which the next put moves; or a
 * value that was taken and came to no caller, which is lost with what it leads to. */
#ifndef SABWAY_CORE_NCQ_H
#define SABWAY_CORE_NCQ_H

#include "core/objects/lock.h"

/* Rounds without a change of the position before a peer must have broken the ring, and rounds in
 * all, which only a peer that does nothing else can bring about. */
enum { SWI_NCQ_STUCK = 64, SWI_NCQ_ROUNDS = 1 << 16 };

#define SWI_NCQ_END ((uint32_t)SW_QUEUE_END)

/* A ring, as one call knows it. */
typedef struct swi_ncq {
  sw_queue_ring *ring;
  uint64_t *slots;
  uint32_t order, capacity;
} swi_ncq;

SWI_INLINE swi_ncq swi_ncq_at(uint8_t *base, uint32_t at, uint32_t order, uint32_t capacity) {
  sw_queue_ring *ring = (sw_queue_ring *)(void *)(base + at);
  return (swi_ncq){ring, (uint64_t *)(void *)(ring + 1), order, capacity};
}

/* log2 of the slots for so many values and the end. */
SWI_INLINE uint32_t swi_ncq_order(uint32_t capacity) {
  uint32_t order = 1;
  while (((uint32_t)1 << order) - 1 < capacity) order++;
  return order;
}

SWI_INLINE uint32_t swi_ncq_bytes(uint32_t order) { return (uint32_t)sizeof(sw_queue_ring) + ((uint32_t)8 << order); }

SWI_INLINE uint32_t swi_ncq_cycle(const swi_ncq *q, uint64_t position) { return (uint32_t)(position >> q->order); }

/* Neighbours lie in different lines, from 16 slots up. */
SWI_INLINE uint64_t *swi_ncq_slot(const swi_ncq *q, uint64_t position) {
  uint32_t mask = ((uint32_t)1 << q->order) - 1, i = (uint32_t)position & mask;
  if (q->order >= 4) i = (i << 3 | i >> (q->order - 3)) & mask;
  return &q->slots[i];
}

SWI_INLINE uint64_t swi_ncq_word(uint32_t cycle, uint32_t value) { return (uint64_t)cycle << 32 | value; }

/* Make it an empty ring: no other participant knows of it. */
static inline void swi_ncq_format(const swi_ncq *q, uint32_t cycle) {
  sw_store64_relaxed(&q->ring->head, (uint64_t)cycle << q->order);
  sw_store64_relaxed(&q->ring->tail, (uint64_t)cycle << q->order);
  for (uint32_t i = 0; i < (uint32_t)1 << q->order; i++) sw_store64_relaxed(&q->slots[i], swi_ncq_word(cycle - 1, 0));
}

/* Goes on for as long as others do. */
typedef struct swi_ncq_patience {
  uint64_t position;
  uint32_t stuck, rounds;
} swi_ncq_patience;

SWI_INLINE int swi_ncq_again(swi_ncq_patience *p, uint64_t position) {
  p->stuck = p->rounds != 0 && position == p->position ? p->stuck + 1 : 0;
  p->position = position;
  if (p->stuck > SWI_NCQ_STUCK) return SW_ECORRUPT;
  return ++p->rounds > SWI_NCQ_ROUNDS ? SW_EBUSY : SW_OK;
}

/* Where the next value goes, in *t, and what is in that slot, in *seen: 1; or SW_ECLOSED,
 * SW_ECORRUPT, SW_EBUSY. */
SWI_INLINE int swi_ncq_find_tail(const swi_ncq *q, uint64_t *t, uint64_t *seen) {
  for (swi_ncq_patience p = {0};;) {
    *t = sw_peer_load64_acquire(&q->ring->tail);
    *seen = sw_peer_load64_acquire(swi_ncq_slot(q, *t)); /* [P1] */
    uint32_t ahead = (uint32_t)(*seen >> 32) - swi_ncq_cycle(q, *t);
    if (ahead == UINT32_MAX) return 1;
    if (ahead == 0 && (uint32_t)*seen == SWI_NCQ_END) return SW_ECLOSED;
    uint64_t tail = *t;
    if (ahead == 0) sw_compare_exchange64_acq_rel(&q->ring->tail, &tail, *t + 1);
    int status = swi_ncq_again(&p, *t);
    if (status != SW_OK) return status;
  }
}

/* Is there no room at t? By the head that the caller saw before, which may be an old one and then
 * says too early that it is full: only then the head of now is looked at, whose line the takers
 * write to. */
SWI_INLINE bool swi_ncq_is_full(const swi_ncq *q, uint64_t t, uint64_t *head_seen) {
  if (t - *head_seen < q->capacity) return false;
  *head_seen = sw_peer_load64_acquire(&q->ring->head); /* [P2] */
  return (int64_t)(t - *head_seen) >= (int64_t)q->capacity;
}

/* Put a value: 1, or 0 when it is full. `head_seen`: as swi_ncq_is_full. */
SWI_INLINE int swi_ncq_put_behind(const swi_ncq *q, uint32_t value, uint64_t *head_seen) {
  for (swi_ncq_patience p = {0};;) {
    uint64_t t, seen;
    int status = swi_ncq_find_tail(q, &t, &seen);
    if (status != 1) return status;
    if (value != SWI_NCQ_END && swi_ncq_is_full(q, t, head_seen)) return 0;
    uint64_t word = swi_ncq_word(swi_ncq_cycle(q, t), value);
    if (sw_compare_exchange64_acq_rel(swi_ncq_slot(q, t), &seen, word)) { /* [P1] */
      uint64_t tail = t;
      if (value != SWI_NCQ_END) sw_compare_exchange64_acq_rel(&q->ring->tail, &tail, t + 1);
      return 1;
    }
    status = swi_ncq_again(&p, t);
    if (status != SW_OK) return status;
  }
}

SWI_INLINE int swi_ncq_put(const swi_ncq *q, uint32_t value) {
  uint64_t head = sw_peer_load64_acquire(&q->ring->head); /* [P2] */
  return swi_ncq_put_behind(q, value, &head);
}

/* Where the first value is, in *h, and its word in *seen: 1, or 0 when it is empty. */
SWI_INLINE int swi_ncq_find_head(const swi_ncq *q, uint64_t *h, uint64_t *seen) {
  for (swi_ncq_patience p = {0};;) {
    *h = sw_peer_load64_acquire(&q->ring->head);         /* [P2] */
    *seen = sw_peer_load64_acquire(swi_ncq_slot(q, *h)); /* [P1] */
    uint32_t ahead = (uint32_t)(*seen >> 32) - swi_ncq_cycle(q, *h);
    if (ahead == UINT32_MAX) return 0;
    if (ahead == 0) return (uint32_t)*seen == SWI_NCQ_END ? SW_ECLOSED : 1;
    int status = swi_ncq_again(&p, *h);
    if (status != SW_OK) return status;
  }
}

SWI_INLINE bool swi_ncq_move_head(const swi_ncq *q, uint64_t h, uint32_t count) {
  return sw_compare_exchange64_acq_rel(&q->ring->head, &h, h + count); /* [P2] */
}

/* Take the first value: 1 with *value, or 0 when it is empty; SW_ECLOSED: and will be. */
SWI_INLINE int swi_ncq_take(const swi_ncq *q, uint32_t *value) {
  for (swi_ncq_patience p = {0};;) {
    uint64_t h, seen;
    int status = swi_ncq_find_head(q, &h, &seen);
    if (status != 1) return status;
    *value = (uint32_t)seen;
    if (swi_ncq_move_head(q, h, 1)) return 1;
    status = swi_ncq_again(&p, h);
    if (status != SW_OK) return status;
  }
}

/* How many values there are, at the moment. */
SWI_INLINE uint32_t swi_ncq_size(const swi_ncq *q) {
  uint64_t h = sw_peer_load64_acquire(&q->ring->head), t = sw_peer_load64_acquire(&q->ring->tail);
  uint64_t seen = sw_peer_load64_acquire(swi_ncq_slot(q, t));
  bool more = (uint32_t)(seen >> 32) == swi_ncq_cycle(q, t) && (uint32_t)seen != SWI_NCQ_END;
  int64_t size = (int64_t)(t - h + more);
  return size < 0 ? 0 : size > (int64_t)q->capacity ? q->capacity : (uint32_t)size;
}

#endif
