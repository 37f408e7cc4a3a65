/* sw_channel.life: which generation of the channel this is, and whether it is open. A header that
 * was a channel stays one for good, because others may come to its words late; each channel that is
 * made of it has the next generation.
 *
 *   low half      state                                       next
 *   0             open                                        freer: -> looked at
 *   role          looked at by the freer that it names        freer: -> taken apart, or open
 *                                                             another freer: -> looked at by that
 *                                                             one that took a role: -> open
 *   role | GONE   taken apart by the freer that it names      freer: -> free
 *                                                             it is dead: -> by another
 *   GONE          free, or being made anew                    sw_channel_new: -> open, and the next
 *                                                             generation */
#ifndef SABWAY_CHANNEL_LIFE_H
#define SABWAY_CHANNEL_LIFE_H

#include <stddef.h>

#include "base/peer.h"
#include "sabway/role.h"

static inline uint64_t swi_life_of(uint32_t generation, uint32_t state) { return (uint64_t)generation << 32 | state; }
static inline uint32_t swi_life_generation(uint64_t life) { return (uint32_t)(life >> 32); }
static inline uint32_t swi_life_state(uint64_t life) { return (uint32_t)life; }

/* Open, or to be open again unless both sides are done. */
static inline bool swi_life_is_open(uint64_t life) {
  return swi_life_state(life) == 0 || sw_role_holder(swi_life_state(life)) != 0;
}

/* Is it open, and of that generation (zero: of any)? */
static inline bool swi_life_is_of(uint64_t life, uint32_t generation) {
  return swi_life_is_open(life) && (generation == 0 || swi_life_generation(life) == generation);
}

/* A role that was never held in this generation: an exchange that was prepared in an earlier one
 * fails. */
static inline uint32_t swi_life_no_role(uint32_t generation) { return generation << SWI_ROLE_EPOCH_AT; }

/* The header at that offset, or NULL when none can be there. */
static inline sw_channel *swi_channel_at(const void *base, uint64_t size, uint32_t offset) {
  if (offset < SW_HEAP_AT || offset % SW_LINE != 0 || (uint64_t)offset + sizeof(sw_channel) > size) return NULL;
  return (sw_channel *)(void *)((uint8_t *)base + offset); /* constness is for the caller to keep */
}

/* Write a channel's words, the magic last. The bytes of the rings are at `data`. */
void swi_channel_write(sw_channel *channel, uint32_t generation, uint32_t first, uint32_t second, uint32_t data);

#endif
