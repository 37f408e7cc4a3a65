/* One side of a channel, held as a whole: an endpoint, the producer of one ring and the consumer of
 * the other.
 *
 * A native worker, a port and the carrier hold their sides so. JavaScript takes the two roles one
 * by one (channel.h), when each is first used. */
#ifndef SABWAY_SIDE_H
#define SABWAY_SIDE_H

#include "channel.h"
#include "endpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where a side is. */
typedef struct sw_place {
  void *base;
  uint64_t size;    /* of the region */
  uint32_t channel; /* offset */
  uint32_t side;
  uint32_t generation; /* of the channel; zero: whichever is there */
} sw_place;

/* Claim an endpoint for the process `owner`, which tells `skills` (SW_WAKES_FUTEX and others), and
 * take both roles with it. Returns the endpoint's index, or an error, and then nothing is taken. A
 * side whose holder has died is free. Any thread, lock-free. A crash inside leaves what the dead
 * process held: free for the next one. Errors: SW_ECROWDED, SW_ETAKEN, SW_ECLOSED (this side has
 * ended the stream for good), SW_ENOTREGION (no channel there), SW_ERANGE, SW_ECORRUPT. */
int sw_side_open(sw_producer *out, sw_consumer *in, const sw_place *place, const sw_owner *owner, uint32_t skills);

/* Are both roles still these handles'? See sw_producer_holds. */
int sw_side_holds(const sw_producer *out, const sw_consumer *in);

/* Give both roles back without closing, and the endpoint. */
void sw_side_leave(sw_producer *out, sw_consumer *in, const sw_place *place, uint32_t endpoint);

/* The role word of the other side's holder, its consumer first; zero when it has none. Any thread,
 * wait-free. */
uint32_t sw_side_peer(const sw_place *place);

/* The participant of the other side that has ended without leaving it, and has no living successor;
 * zero when there is none. Any thread. Asks the operating system. */
uint32_t sw_side_dead_peer(const sw_place *place);

#ifdef __cplusplus
}
#endif
#endif
