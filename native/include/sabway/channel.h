/* A channel: two rings, one for each direction, and the roles by which participants hold its sides.
 *
 * A side (enum sw_side) is the producer of one ring and the consumer of the other. Roles are taken
 * per ring, so that a process which only receives can leave sending to another. */
#ifndef SABWAY_CHANNEL_H
#define SABWAY_CHANNEL_H

#include "ring.h"
#include "role.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes a channel needs in the heap, with rounded capacities; 0 when one is out of range. */
uint64_t sw_channel_bytes(uint32_t renderer_to_native, uint32_t native_to_renderer);

/* Write a channel at `offset` of a region that no other participant can see yet. Errors: SW_ERANGE.
 * */
int sw_channel_format(void *base, uint32_t offset, uint32_t renderer_to_native, uint32_t native_to_renderer);

/* Become the producer (or the consumer) of `side` with the endpoint `index`, if the channel is of
 * that `generation` (0: of any). A role whose holder is gone is free, and its published messages
 * are kept. Any thread, lock-free. Errors: SW_ETAKEN, SW_ECLOSED (this side has ended the stream
 * for good, or the channel was freed), SW_ENOTREGION (no channel at `offset`), SW_ERANGE (offset or
 * side), SW_ECORRUPT. */
int sw_channel_open_producer(sw_producer *p, void *base, uint64_t size, uint32_t offset, uint32_t generation,
                             uint32_t side, uint32_t index);
int sw_channel_open_consumer(sw_consumer *c, void *base, uint64_t size, uint32_t offset, uint32_t generation,
                             uint32_t side, uint32_t index);

/* Give the roles back. When the ring was not closed by it, the next participant goes on where this
 * one stopped. */
void sw_producer_leave(sw_producer *p);
void sw_consumer_leave(sw_consumer *c);

/* Take all roles that the endpoint `index` holds in the channel away from it, because its owner is
 * gone, and wake the holders of the others: a ring of the lost one's may have been cut short.
 * Lock-free; system calls. */
void sw_channel_evict(void *base, uint64_t size, uint32_t offset, uint32_t index);

/* The same for the participant that `role` names, which is woken, too, because it may live: then
 * sw_producer_holds and sw_consumer_holds tell it before its next message. What it is writing at
 * this moment may still land in the ring. */
void sw_channel_evict_role(void *base, uint64_t size, uint32_t offset, uint32_t role);

/* Have the holders of the roles of `side` look at the channel: their slots are marked, and they are
 * rung if they sleep. For news that only the role words tell: the caller has taken a role, or left
 * one. Any thread, lock-free; a system call only when a holder sleeps. */
void sw_channel_ring_holders(void *base, uint64_t size, uint32_t offset, uint32_t side);

/* One of the channel's four role words, by its number (sw_role_producer, sw_role_consumer). Zero
 * when there is no channel. Any thread, wait-free. */
uint32_t sw_channel_role(const void *base, uint64_t size, uint32_t offset, uint32_t number);

/* Which of the channels that were made of this header is there: 0 when it was freed, when there is
 * no channel, and in a region that was carved for its channel. Any thread, wait-free. */
uint32_t sw_channel_generation(const void *base, uint64_t size, uint32_t offset);

/* Both rings' sw_ring_check, and the roles: 0, SW_ECORRUPT, or SW_ECLOSED when it was freed. */
int sw_channel_check(const void *base, uint64_t size, uint32_t offset);

#ifdef __cplusplus
}
#endif
#endif
