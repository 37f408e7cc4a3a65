/* The format of role words, and which role is whose: the only place that spells either out.
 *
 *   bits 8-31   the epoch of the claim (its low 24 bits)
 *   bit  7      SW_ROLE_GONE
 *   bits 0-6    the endpoint's index + 1; zero: no endpoint
 *
 * All functions here are calculation, for words that a peer may have written. */
#ifndef SABWAY_ROLE_H
#define SABWAY_ROLE_H

#include "layout.h"

enum { SWI_ROLE_NUMBER = 0x7f, SWI_ROLE_EPOCH_AT = 8 };

/* The word by which roles name the claim `epoch` of the endpoint `index`. */
static inline uint32_t sw_role_of(uint32_t index, uint32_t epoch) { return epoch << SWI_ROLE_EPOCH_AT | (index + 1); }

/* The index of the endpoint that a role word names: SW_ENDPOINTS or more when it names none, as
 * with SW_ROLE_GONE. */
static inline uint32_t sw_role_index(uint32_t role) { return (role & (SWI_ROLE_NUMBER | SW_ROLE_GONE)) - 1; }

/* Is it a role of the claim `epoch`? */
static inline int sw_role_is_of_claim(uint32_t role, uint32_t epoch) {
  return (epoch ^ role >> SWI_ROLE_EPOCH_AT) << SWI_ROLE_EPOCH_AT == 0;
}

/* The holder that a role word names; zero when it names none. */
static inline uint32_t sw_role_holder(uint32_t role) {
  return (role & SW_ROLE_GONE) == 0 && (role & SWI_ROLE_NUMBER) != 0 ? role : 0;
}

/* The participant that ended without giving the role back; zero when it names none. */
static inline uint32_t sw_role_lost(uint32_t role) {
  return (role & SW_ROLE_GONE) != 0 && (role & SWI_ROLE_NUMBER) != 0 ? role & ~(uint32_t)SW_ROLE_GONE : 0;
}

/* Can a participant have written it, with an endpoint that there is? */
static inline int sw_role_is_possible(uint32_t role) { return (role & SWI_ROLE_NUMBER) <= SW_ENDPOINTS; }

/* The slot word of the holder `role`: a slot, and SW_SLOT_QUIET or not. In it are the low bits of
 * the role, because a holder that was evicted without knowing may write it once more. */
static inline uint32_t sw_slot_word(uint32_t role, uint32_t slot) { return role << SW_SLOT_ROLE_AT | slot; }

/* What the slot word says, for the holder `role`: its slot, and SW_SLOT_QUIET or not. More than
 * that, when it is of another holder. */
static inline uint32_t sw_slot_for(uint32_t role, uint32_t word) { return word ^ role << SW_SLOT_ROLE_AT; }

/* The side that a side talks to. */
static inline uint32_t sw_other_side(uint32_t side) { return SW_RENDERER + SW_NATIVE - side; }

/* The four roles of a channel, numbered: the two producers, then the two consumers, each in the
 * order of the rings. */
enum { SW_ROLES = 4 };

/* The ring that a side produces into, and the one that it consumes from: indices of
 * sw_channel.rings. */
static inline uint32_t sw_ring_from(uint32_t side) { return side; }
static inline uint32_t sw_ring_towards(uint32_t side) { return sw_other_side(side); }

/* The number of a side's producer, and of its consumer. */
static inline uint32_t sw_role_producer(uint32_t side) { return sw_ring_from(side); }
static inline uint32_t sw_role_consumer(uint32_t side) { return SW_ROLES / 2 + sw_ring_towards(side); }

/* The ring of a role, by the role's number. */
static inline uint32_t sw_role_ring(uint32_t number) { return number % (SW_ROLES / 2); }
static inline int sw_role_is_producer(uint32_t number) { return number < SW_ROLES / 2; }

#endif
