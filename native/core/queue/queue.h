/* What the files of the queue share. */
#ifndef SABWAY_CORE_QUEUE_H
#define SABWAY_CORE_QUEUE_H

#include "core/objects/burial.h"
#include "core/objects/lock.h"
#include "core/queue/ncq.h"
#include "core/region/waits.h"
#include "sabway/queue.h"

enum { SWI_SPARES_ORDER = 5, SWI_WAIT_VALUE = 0, SWI_WAIT_ROOM = 1 };

_Static_assert(SW_QUEUE_SPARES == 1 << SWI_SPARES_ORDER, "the slots of spares");

SWI_INLINE sw_queue *swi_queue_of(const sw_queue_handle *q, const sw_heap *h) {
  return (sw_queue *)(void *)(h->base + q->at);
}

/* Is the queue there that the handle is of? */
SWI_INLINE bool swi_queue_is_there(const sw_queue_handle *q, const sw_heap *h) {
  return sw_peer_load64_acquire(&swi_queue_of(q, h)->waitable.object.life) == q->life;
}

SWI_INLINE bool swi_queue_is_single(const sw_queue_handle *q) { return (uint32_t)q->life == SW_TYPE_SINGLE_QUEUE; }

/* Its values pass from a sender to a receiver that is there: see offer.c. */
SWI_INLINE bool swi_queue_is_unbuffered(const sw_queue_handle *q) { return q->capacity == 0; }

SWI_INLINE swi_ncq swi_queue_level(const sw_queue_handle *q, const sw_heap *h, uint32_t level) {
  uint32_t more = (q->flags & SW_QUEUE_ACK) != 0 ? 1 : 0;
  return swi_ncq_at(h->base, q->first + level * q->stride, q->order, q->capacity + more);
}

SWI_INLINE swi_ncq swi_queue_spares(const sw_queue_handle *q, const sw_heap *h) {
  return swi_ncq_at(h->base, q->rings, SWI_SPARES_ORDER, SW_QUEUE_SPARES - 1);
}

SWI_INLINE swi_ncq swi_queue_again(const sw_queue_handle *q, const sw_heap *h) {
  return swi_ncq_at(h->base, q->again, q->again_order, ((uint32_t)1 << q->again_order) - 1);
}

/* Wake a participant that waits for a value, or for room, which the caller has published by an
 * exchange. */
SWI_INLINE void swi_queue_ring(const sw_queue_handle *q, const sw_heap *h, uint32_t what) {
  uint64_t *waits = &swi_queue_of(q, h)->waitable.waits[what];
  if (swi_waits_any(waits)) swi_waits_ring_one(h->base, waits, h->endpoint);
}

/* Why a handle's queue is not there. */
int swi_queue_why(const sw_queue_handle *q, const sw_heap *h);

/* Put the word of a value: 1, or 0 when there is no room; errors as sw_queue_put. */
int swi_queue_put_word(sw_queue_handle *q, sw_heap *h, uint32_t value, double priority);

/* ---- items: values as words ---- */

/* Give a block back: to the spares, or to the heap. */
void swi_item_give(const sw_queue_handle *q, sw_heap *h, uint32_t block);

/* Free the block of a value, if it has one. */
void swi_item_drop(const sw_queue_handle *q, sw_heap *h, uint32_t value);

/* What a block has: its type with q->length; a hostile peer may have written anything. */
int swi_item_look(sw_queue_handle *q, sw_heap *h, uint32_t block);

/* Copy a value, whose type is returned, without taking it: SW_ERANGE where `room` is too small. */
int swi_item_peek(sw_queue_handle *q, sw_heap *h, uint32_t value, void *to, uint32_t room);

/* ---- ack.c: values in cells ---- */

int swi_ack_put(const sw_queue_handle *q, const sw_heap *h, uint32_t value);
int swi_ack_take(sw_queue_handle *q, const sw_heap *h, uint32_t *value);
int swi_ack_unpack(sw_queue_handle *q, sw_heap *h, uint32_t value, void *to, uint32_t room);
int swi_ack_peek(sw_queue_handle *q, sw_heap *h, void *to, uint32_t room);
bool swi_ack_has_news(const sw_queue_handle *q, const sw_heap *h);
bool swi_ack_has_free(const sw_queue_handle *q, const sw_heap *h);
bool swi_ack_has_any(const sw_queue_handle *q, const sw_heap *h);
uint32_t swi_ack_value(const sw_queue_handle *q, const sw_heap *h, uint32_t index);

/* Free all values: the queue is gone. */
void swi_ack_clear(const sw_queue_handle *q, sw_heap *h);

/* Give back what a participant has: what it held is delivered again. */
void swi_ack_evict(const sw_queue_handle *q, const sw_heap *h, uint32_t role, bool all_claims);

/* The same of all participants that are dead: were there some? */
bool swi_ack_evict_dead(const sw_queue_handle *q, const sw_heap *h);

/* ---- sorted.c: any priority ---- */

int swi_sorted_put(const sw_queue_handle *q, sw_heap *h, uint32_t value, double priority);
int swi_sorted_take(const sw_queue_handle *q, sw_heap *h, uint32_t *value);
int swi_sorted_peek(sw_queue_handle *q, sw_heap *h, void *to, uint32_t room);
int swi_sorted_begin_free(const sw_queue_handle *q, sw_heap *h); /* and its values */
int swi_sorted_close(const sw_queue_handle *q, sw_heap *h);
uint32_t swi_sorted_size(const sw_queue_handle *q, const sw_heap *h);
uint32_t swi_sorted_value(const sw_queue_handle *q, const sw_heap *h, uint32_t index);
int swi_sorted_check(const sw_queue_handle *q, sw_heap *h);

/* ---- offer.c: unbuffered channels ---- */

uint32_t swi_offer_bytes(void);
/* Tickets begin with that number, which no earlier channel in this memory has come to. */
void swi_offer_format(const sw_queue_handle *q, const sw_heap *h, uint32_t number);
/* Without waiting: 1, 0, SW_ECLOSED, SW_EBUSY. */
int swi_offer_give(const sw_queue_handle *q, sw_heap *h, uint32_t value);
int swi_offer_take(const sw_queue_handle *q, sw_heap *h, uint32_t *value);
/* Does a participant that lives wait on that side? 1, 0, SW_ECLOSED. */
int swi_offer_waits(const sw_queue_handle *q, const sw_heap *h, uint32_t side);
int swi_offer_close(const sw_queue_handle *q, const sw_heap *h);
bool swi_offer_is_closed(const sw_queue_handle *q, const sw_heap *h);
/* The queue is gone: its places can be freed; false: another participant writes to one. */
bool swi_offer_clear(const sw_queue_handle *q, sw_heap *h);
/* The values there, by a counter. */
uint32_t swi_offer_value(const sw_queue_handle *q, const sw_heap *h, uint32_t index);
int swi_offer_check(const sw_queue_handle *q, const sw_heap *h);
void swi_offer_bury(const sw_queue_handle *q, const sw_heap *h, const swi_dead *dead);

#endif
