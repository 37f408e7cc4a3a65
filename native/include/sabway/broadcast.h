/* A broadcast in a heap: what one participant publishes, every subscriber receives, each at its own
 * pace. Any participant may publish; each endpoint is one subscriber at most.
 *
 *   uint32_t at = sw_broadcast_new(&heap, 65536, SW_BROADCAST_DROP_OLDEST), generation;
 *   sw_object_type(&heap, at, &generation);
 *
 *   while ((status = sw_broadcast_subscribe(&heap, at, generation, 0)) == SW_EBUSY) continue;
 *   ...
 *   sw_broadcast_message message;
 *   if (sw_broadcast_try_receive(&heap, at, generation, bytes, sizeof(bytes), &message) == 1) ...
 *
 *   while ((status = sw_broadcast_try_send(&heap, at, generation, 0, text, length)) == SW_EBUSY)
 *     continue;
 *
 * Those that publish exclude each other by the object's lock, and find it taken: SW_EBUSY, to be
 * tried again. A receiver takes no lock and writes only its own words. A publisher that dies has
 * published its message or not; a subscriber that dies is left out as soon as it is in the way.
 *
 * Waiting: sw_broadcast_begin_wait, arm the endpoint, try once more, sleep; in the end
 * sw_broadcast_end_wait, whether it was in vain or not. */
#ifndef SABWAY_BROADCAST_H
#define SABWAY_BROADCAST_H

#include "heap.h"
#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a receiver learns of a message, beside its bytes. */
typedef struct sw_broadcast_message {
  uint32_t length;
  uint32_t type;   /* what its sender said */
  uint64_t missed; /* messages in all that this subscriber has missed */
} sw_broadcast_message;

/* What a waiter waits for. */
enum { SW_BROADCAST_MESSAGES = 0, SW_BROADCAST_ROOM = 1 };

/* Make a broadcast whose ring has `capacity` bytes, rounded up to a power of two. Returns its
 * offset, or 0 with h->status, as sw_object_new and sw_heap_alloc. Errors also: SW_ERANGE: above
 * SW_BROADCAST_MAX; SW_EINVAL: no such policy. `codec` is any number, for those that open it. A
 * crash inside leaks the ring at most. */
uint32_t sw_broadcast_new(sw_heap *h, uint32_t capacity, uint32_t policy, uint32_t codec);

/* The longest message: half of the ring, without its frame. Any thread, wait-free. */
uint32_t sw_broadcast_longest(const sw_heap *h, uint32_t at);

/* Publish a message, of a type from 0 to 254 that receivers are told. A crash inside publishes it
 * or does not. Lock-free but for the lock: a look at each subscriber at most, a call of the system
 * where one is in the way or sleeps. Errors: SW_EBUSY; SW_EFULL: a living subscriber has not
 * received what is in its place (SW_BROADCAST_BLOCK only); SW_ETOOBIG; SW_EINVAL: no such type;
 * SW_ECLOSED; SW_ECORRUPT; as sw_object_check. */
int sw_broadcast_try_send(sw_heap *h, uint32_t at, uint32_t generation, uint32_t type, const void *from,
                          uint32_t length);

/* Subscribe the caller's endpoint: to what is published from now on, or with `oldest` to all that
 * is there still. One that subscribes stays as it is. A crash behind it leaves a subscriber that is
 * dead. Errors: SW_EBUSY, SW_ECORRUPT; as sw_object_check. */
int sw_broadcast_subscribe(sw_heap *h, uint32_t at, uint32_t generation, uint32_t oldest);

/* Subscribe no more, and wake publishers that may have waited for this one. Wait-free but for that.
 * Errors: SW_ENOTSUBSCRIBED; as sw_object_check. */
int sw_broadcast_unsubscribe(sw_heap *h, uint32_t at, uint32_t generation);

/* Does the caller's endpoint subscribe? Wait-free. */
int sw_broadcast_is_subscribed(const sw_heap *h, uint32_t at, uint32_t generation);

/* How many subscribers live. Wait-free; asks the system for each. Errors: as sw_object_check. */
int sw_broadcast_subscribers(const sw_heap *h, uint32_t at, uint32_t generation);

/* Copy the next message to `to`, with SW_BROADCAST_LATEST_ONLY the newest: 1, or 0 when there is
 * none. Receiving is done when the cursor is stored; a crash before that leaves the message
 * unreceived, by a subscriber that is dead. Lock-free. Errors: SW_ERANGE: it has message->length
 * bytes, more than `room`, and is the next one still; SW_EBUSY: it was overwritten again and again
 * while it was copied; SW_ECLOSED: and all that was published is received; SW_ENOTSUBSCRIBED;
 * SW_ECORRUPT; as sw_object_check. */
int sw_broadcast_try_receive(sw_heap *h, uint32_t at, uint32_t generation, void *to, uint32_t room,
                             sw_broadcast_message *message);

/* Let no message be published any more, and wake all that wait. Subscribers receive what is there
 * first. Errors: SW_EBUSY, SW_ECLOSED: it was; SW_ECORRUPT; as sw_object_check. */
int sw_broadcast_close(sw_heap *h, uint32_t at, uint32_t generation);

/* Is it closed? Wait-free. Errors: as sw_object_check. */
int sw_broadcast_is_closed(const sw_heap *h, uint32_t at, uint32_t generation);

/* The caller's endpoint waits for messages or for room; and it does no more. Wait-free. Errors: as
 * sw_object_check. */
int sw_broadcast_begin_wait(sw_heap *h, uint32_t at, uint32_t generation, uint32_t what);
int sw_broadcast_end_wait(sw_heap *h, uint32_t at, uint32_t generation, uint32_t what);

/* Free the broadcast and its ring, and wake all that wait. Calls of others are SW_EFREED from then
 * on. A crash inside leaks what was not freed yet. Errors: SW_EBUSY, SW_ECORRUPT; as
 * sw_object_check. */
int sw_broadcast_free(sw_heap *h, uint32_t at, uint32_t generation);

/* Are its words such as participants write, and its messages whole? Locks it. Errors: SW_EBUSY,
 * SW_ECORRUPT; as sw_object_check. */
int sw_broadcast_check(sw_heap *h, uint32_t at, uint32_t generation);

/* Native threads: as those with _try_, waiting for at most `timeout_ns` (negative: no time-out)
 * where they would be SW_EBUSY, SW_EFULL or 0. Errors also: SW_ETIMEDOUT. */
int sw_broadcast_send(sw_heap *h, uint32_t at, uint32_t generation, uint32_t type, const void *from, uint32_t length,
                      int64_t timeout_ns);
int sw_broadcast_receive(sw_heap *h, uint32_t at, uint32_t generation, void *to, uint32_t room,
                         sw_broadcast_message *message, int64_t timeout_ns);

#ifdef __cplusplus
}
#endif
#endif
