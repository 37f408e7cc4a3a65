/* Bounded queues of values in a heap, for participants of any processes.
 *
 * uint32_t at = sw_queue_new(&heap, &(sw_queue_options){.type = SW_TYPE_QUEUE, .capacity = 1000});
 *   sw_queue_handle queue;
 *   sw_queue_open(&queue, &heap, at, 0);
 *   sw_queue_put(&queue, &heap, SW_MAP_STRING, "hello", 5, 0);          1, or 0: it is full
 *   char text[64];
 *   int type = sw_queue_take(&queue, &heap, text, sizeof(text));        0: it is empty
 *   if (type == SW_MAP_STRING) ... queue.length bytes of text ...
 *
 * Values of SW_TYPE_QUEUE come out in the order in which they were put in, whichever participants
 * do that. No call waits for another participant, but those of a queue with SW_QUEUE_SORTED, which
 * take its lock. A participant that dies in a call has put its value or not, and taken it or not;
 * what it loses then is at most the value in its hand and one block. With SW_QUEUE_ACK it loses
 * nothing: what a dead consumer had is delivered again.
 *
 * Types of values are those of enum sw_map_type. null, false, true, and integers of 28 bits need no
 * block of the heap; others are copied to one. A queue keeps large blocks for its next values.
 *
 * A handle is for one thread, and lives where no other writes; an endpoint may have several. */
#ifndef SABWAY_QUEUE_H
#define SABWAY_QUEUE_H

#include "error.h"
#include "heap.h"
#include "layout.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sw_queue_options {
  uint32_t type; /* SW_TYPE_QUEUE and so on */
  /* SW_QUEUE_ACK: of SW_TYPE_QUEUE; SW_QUEUE_SORTED: of SW_TYPE_PRIORITY_QUEUE */
  uint32_t flags;
  /* values; of SW_TYPE_PRIORITY_QUEUE, of each level; zero, of SW_TYPE_CHANNEL: it is unbuffered,
   * see offer.h */
  uint32_t capacity;
  uint32_t levels; /* of SW_TYPE_PRIORITY_QUEUE without SW_QUEUE_SORTED; else 0 */
  uint32_t codec;  /* any number, for those that open it */
} sw_queue_options;

/* Its fields are offsets, and the queue's own but for these: */
typedef struct sw_queue_handle {
  uint32_t length; /* bytes of the value that was taken or looked at */
  /* of a value that was longer than its place: the block that has it, until the next
   * sw_queue_take or sw_queue_done. Its bytes are behind a sw_queue_item. */
  uint32_t held;
  uint32_t cell; /* with SW_QUEUE_ACK: what was taken, for sw_queue_ack and sw_queue_nack */
  uint32_t at;
  uint64_t life;
  uint64_t head_seen; /* of a queue with one ring, by the last put */
  uint32_t rings, again, first, rest;
  uint32_t stride, order, again_order;
  uint32_t capacity, levels, flags;
} sw_queue_handle;

/* Make a queue. Returns its offset, or 0 with h->status, as sw_object_new and sw_heap_alloc. Errors
 * also: SW_EINVAL: no such type, or flags that do not fit it; SW_ERANGE: no capacity, or above
 * SW_QUEUE_MOST (with SW_QUEUE_ACK above SW_QUEUE_CELLS_MOST); too many levels, or none. */
uint32_t sw_queue_new(sw_heap *h, const sw_queue_options *options);

/* Begin to use the queue at `at`; of a generation of zero, whichever is there. Errors: SW_ECORRUPT;
 * SW_EKIND: it is no queue; as sw_object_check. */
int sw_queue_open(sw_queue_handle *q, sw_heap *h, uint32_t at, uint32_t generation);

/* Give back what the handle has: a block in its hand, and the roles of a single producer and
 * consumer, which another handle of this endpoint takes again. Lock-free. */
void sw_queue_close_handle(sw_queue_handle *q, sw_heap *h);

/* Put a value at the end: 1, or 0 when there is no room. `priority`: with levels, the
 * level; with SW_QUEUE_SORTED any number but NaN; values of higher ones are taken first. Lock-free
 * (SORTED: blocking). A crash inside puts the value or does not, and leaks one block at most.
 * Errors: SW_ECLOSED; SW_ERANGE: no such priority; SW_ETAKEN: a living participant is the single
 * producer; SW_ECORRUPT; SW_EBUSY: others do not stop changing the queue, or hold its lock, or the
 * heap's; as sw_heap_alloc and sw_object_check. */
int sw_queue_put(sw_queue_handle *q, sw_heap *h, uint32_t type, const void *bytes, uint32_t length, double priority);

/* For a large value: a block for so many bytes, which are behind its sw_queue_item. Returns its
 * offset, or 0 with h->status, as sw_heap_alloc. It is the caller's, to fill and to put by
 * sw_queue_put_block, or to free by sw_heap_free. */
uint32_t sw_queue_reserve(sw_queue_handle *q, sw_heap *h, uint32_t length);

/* Put such a block: as sw_queue_put; unless it returns 1, the block stays the caller's. */
int sw_queue_put_block(sw_queue_handle *q, sw_heap *h, uint32_t block, uint32_t type, uint32_t length, double priority);

/* Take the first value: its type, or 0 when there is none. Its bytes are copied to `to` where it
 * has room for them; else q->held leads to them. A crash inside takes the value or does not.
 * Errors: SW_ECLOSED: it was closed, and is empty; SW_ETAKEN: as sw_queue_put; SW_EBUSY,
 * SW_ECORRUPT; as sw_object_check. */
int sw_queue_take(sw_queue_handle *q, sw_heap *h, void *to, uint32_t room);

/* Give q->held back to the queue. */
void sw_queue_done(sw_queue_handle *q, sw_heap *h);

/* Take up to `most` values at one moment, of a queue without flags and levels: how many. They are
 * left in `values`, for sw_queue_unpack, one after the other. A crash before that loses them.
 * Errors: as sw_queue_take. */
int sw_queue_take_many(sw_queue_handle *q, sw_heap *h, uint32_t *values, uint32_t most);

/* What one of those is: as sw_queue_take. */
int sw_queue_unpack(sw_queue_handle *q, sw_heap *h, uint32_t value, void *to, uint32_t room);

/* A value as the word of a slot, for sw_queue_put_many: returns it, or 0 with h->status, as
 * sw_heap_alloc. */
uint32_t sw_queue_pack(sw_queue_handle *q, sw_heap *h, uint32_t type, const void *bytes, uint32_t length);

/* Put `count` of those, in their order, of a queue without flags and levels: how many there was
 * room for. The others stay the caller's, to be put later or to be given to sw_queue_unpack.
 * Errors: as sw_queue_put, for the first one. */
int sw_queue_put_many(sw_queue_handle *q, sw_heap *h, const uint32_t *values, uint32_t count);

/* Look at the first value, which stays there: as sw_queue_take, but a value that is longer than
 * `room` is SW_ERANGE, with q->length. */
int sw_queue_peek(sw_queue_handle *q, sw_heap *h, void *to, uint32_t room);

/* What was taken from a queue with SW_QUEUE_ACK is done with: `cell` is q->cell of then. Returns 1,
 * or 0 when it is the caller's no more. Lock-free. */
int sw_queue_ack(sw_queue_handle *q, sw_heap *h, uint32_t cell);

/* It shall be delivered again, before all others. Returns as sw_queue_ack. */
int sw_queue_nack(sw_queue_handle *q, sw_heap *h, uint32_t cell);

/* How often it was delivered, this time included. */
uint32_t sw_queue_deliveries(const sw_queue_handle *q, const sw_heap *h, uint32_t cell);

/* How many values are there, at the moment; with SW_QUEUE_ACK, without those that consumers have.
 * Any thread, wait-free. */
uint32_t sw_queue_size(const sw_queue_handle *q, const sw_heap *h);

/* Is there room for a value of that priority, at the moment? 1, 0, or SW_ECLOSED; errors as
 * sw_queue_put. */
int sw_queue_has_room(sw_queue_handle *q, sw_heap *h, double priority);

/* Could sw_queue_take be told something, at the moment: a value, or that it is closed? */
int sw_queue_has_news(const sw_queue_handle *q, const sw_heap *h);

/* Let no more values in. What is there can still be taken; then calls are SW_ECLOSED. Any
 * participant, any number of times; lock-free (SORTED: blocking). A crash inside may leave some
 * levels open. Errors: SW_EBUSY, SW_ECORRUPT; as sw_object_check. */
int sw_queue_close(sw_queue_handle *q, sw_heap *h);
int sw_queue_is_closed(const sw_queue_handle *q, const sw_heap *h);

/* Wait: see core/region/waits.h. `room`: 0 for a value, 1 for room. end_wait passes a ring on when
 * there is still something for another waiter. */
void sw_queue_begin_wait(sw_queue_handle *q, sw_heap *h, uint32_t room);
void sw_queue_end_wait(sw_queue_handle *q, sw_heap *h, uint32_t room);

/* With SW_QUEUE_ACK: what dead participants have is there again, and waiters are rung: 1; or 0. For
 * one that waits, every SW_WAIT_PATROL_MS: a process may end without a word, and no participant
 * notices that but those that share a channel with it. Any participant, at any time; lock-free; a
 * system call for each participant that has something. A crash inside leaves the rest to the next
 * one. Errors: as sw_object_check. */
int sw_queue_evict_dead(sw_queue_handle *q, sw_heap *h);

/* Free the queue, its rings and its values. Calls of others are SW_EFREED from then on. A crash
 * inside leaks what was not freed yet. Errors: SW_EBUSY, of SORTED: others hold its lock; as
 * sw_object_check. Of an unbuffered channel the places stay allocated when another participant is
 * in a call that writes to one. */
int sw_queue_free(sw_queue_handle *q, sw_heap *h);

/* Are its words such as participants write? Where none is in a call. Errors: SW_ECORRUPT; as
 * sw_object_check. */
int sw_queue_check(sw_queue_handle *q, sw_heap *h);

/* The blocks that the queue owns, for tools: of a counter that begins with 0, the next one, or
 * 0. */
uint32_t sw_queue_block(const sw_queue_handle *q, const sw_heap *h, uint32_t index);

#ifdef __cplusplus
}
#endif
#endif
