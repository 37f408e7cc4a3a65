/* Unbuffered channels: a value passes from a sender to a receiver that is there, and is nowhere in
 * between. Such a channel is a queue of SW_TYPE_CHANNEL with a capacity of zero, see queue.h:
 * sw_queue_put gives to a receiver that waits, or returns 0; sw_queue_take takes from a sender that
 * waits, or returns 0. A participant waits by an offer, in one channel or, as a select, in several:
 *
 *   sw_offer offer = {0};
 *   for (;;) {
 *     int done = sw_offer_receive(&offer, &a, &heap, 0);              case 0: receive from a
 *     if (done == 0) done = sw_offer_send(&offer, &b, &heap, 1, value);    case 1: send to b
 *     if (done != 0) break;
 *     ... sleep on the endpoint, between sw_endpoint_arm and another look by these calls ...
 *   }
 *   1: offer.which is the case that was done, and offer.value what was received,
 *      for sw_queue_unpack
 *   ... sw_queue_end_wait of each channel and side ...
 *
 * One case of an offer is done, or none. What has waited is done by another participant's call,
 * also while the owner of the offer is at something else; so one that gives up asks
 * sw_offer_withdraw, which says whether that came first. Cases of buffered channels are tried by
 * sw_queue_put and sw_queue_take while the offer is withdrawn.
 *
 * An exchange is one compare-exchange, behind which the send and the receive are both done. A
 * sender that dies before it was received by at most one receiver, whole, or by none; then its
 * value is freed by a later call, but for values of a select's other channels, which are lost to
 * the heap when its first channel forgets the dead one sooner. A value that was given to the offer
 * of a receiver is that receiver's: when it dies without looking, the value goes with it. No value
 * is given to a receiver that is known to be dead.
 *
 * An endpoint has one offer at a time on each side of a channel: a second one is not seen by others
 * until the first one is done, but takes what others offer. An offer is for one thread, and lives
 * where no other writes. */
#ifndef SABWAY_OFFER_H
#define SABWAY_OFFER_H

#include "queue.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Its fields are its own but for the first two. Zeros at first, and again when it has ended. */
typedef struct sw_offer {
  uint32_t which; /* the case that was done */
  uint32_t value; /* what it received; zero: it has sent */
  uint64_t ticket;
  uint64_t life;    /* of the channel of its home */
  uint64_t yielded; /* by endpoint: it does not take what that one offers in front of it */
  uint32_t at;
  uint32_t home; /* the place with its state; zero: others do not see it */
} sw_offer;

/* Send `value`, a word of sw_queue_pack: 1: a case of the offer is done, which may be another than
 * this one; 0: no receiver waits, and the offer does. The value stays the caller's unless this
 * case was done. `which`: a number below 2^29. Lock-free. A crash inside leaves the exchange made
 * or not, and leaks one block at most. Errors, behind which the offer is withdrawn: SW_ECLOSED;
 * SW_EBUSY: others do not stop taking offers; SW_EINVAL: not an unbuffered channel; SW_ERANGE:
 * no such case; SW_ECORRUPT; as sw_object_check. */
int sw_offer_send(sw_offer *o, sw_queue_handle *q, sw_heap *h, uint32_t which, uint32_t value);

/* Receive: likewise. */
int sw_offer_receive(sw_offer *o, sw_queue_handle *q, sw_heap *h, uint32_t which);

/* Was a case done by another participant? 1, or 0. Wait-free. Errors: SW_EFREED: its first channel
 * was freed, and the offer has ended; SW_ECORRUPT. */
int sw_offer_is_done(sw_offer *o, sw_heap *h);

/* Wait no more: 0, and no case will be done; or 1: one was done before. Errors: as
 * sw_offer_is_done. */
int sw_offer_withdraw(sw_offer *o, sw_heap *h);

/* Free what a value that was not sent has: of any queue. */
void sw_queue_discard(const sw_queue_handle *q, sw_heap *h, uint32_t value);

#ifdef __cplusplus
}
#endif
#endif
