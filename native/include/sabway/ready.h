/* The ready set of an endpoint: its owner need not look at each of a thousand channels, only at
 * those that have something for it.
 *
 * Going idle (owner):   store a slot (sw_consumer_set_slot, sw_producer_set_slot) -> look once more
 * Going to sleep:       sw_endpoint_arm -> sw_ready_some, and what is not idle -> sleep
 * Turning:              sw_ready_take -> look at what the slots stand for
 * Ringing (the core):   publish -> fence -> mark the slot -> ring the endpoint if it sleeps
 *
 * A mark is a hint that may come too often: for a slot that stands for something else now, or for
 * nothing. */
#ifndef SABWAY_READY_H
#define SABWAY_READY_H

#include "layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Mark the slot in the ready set of the endpoint `index`; SW_READY_ALL where it is none of a set.
 * The caller has published what it is for, and passed sw_fence_handshake; it rings next. Any
 * thread, wait-free; no read-modify-write when the slot is marked already. A crash inside leaves
 * the slot marked or not, or marked so that the owner does not see it: the next caller mends that,
 * and the participant that notices the death marks the slots of the dead one's peers. */
void sw_ready_mark(void *base, uint32_t index, uint32_t slot);

/* Is something marked? 1 or 0; 1 as well when all was taken meanwhile. The look before a sleep,
 * behind sw_endpoint_arm. Any thread, wait-free. */
int sw_ready_some(const void *base, uint32_t index);

/* Take up to `most` slots out of the set, in ascending order, and write them to `slots`: the count.
 * The others stay marked, so as many as `most` call for another take. What was published before a
 * mark is seen behind this. Owner only, wait-free. */
uint32_t sw_ready_take(void *base, uint32_t index, uint32_t *slots, uint32_t most);

#ifdef __cplusplus
}
#endif
#endif
