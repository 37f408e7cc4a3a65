/* The hostile flavour: whatever the core reads of a peer, the harness may replace.
 *
 * native/base/peer.h includes this at its end. Inside its own expansion a macro's name is left
 * alone, so the production function reads the real word first. What a read-modify-write returns
 * comes from the peer, too, and a compare-exchange may always fail because of one. */
#ifndef SABWAY_HOSTILE_HOOKS_H
#define SABWAY_HOSTILE_HOOKS_H

#include "base/atomics.h"

/* What the core is to believe is in `word`, where `real` is. */
uint32_t swi_hostile_word(const void *word, uint32_t real);
uint64_t swi_hostile_word64(const void *word, uint64_t real);
/* Was a peer faster? Then *expected is what it is said to have put there. */
bool swi_hostile_race(const uint32_t *word, uint32_t *expected);
bool swi_hostile_race64(const uint64_t *word, uint64_t *expected);

static inline bool swi_hostile_compare_exchange(uint32_t *word, uint32_t *expected, uint32_t value) {
  return !swi_hostile_race(word, expected) && sw_compare_exchange_acq_rel(word, expected, value);
}

static inline bool swi_hostile_compare_exchange64(uint64_t *word, uint64_t *expected, uint64_t value) {
  return !swi_hostile_race64(word, expected) && sw_compare_exchange64_acq_rel(word, expected, value);
}

#define sw_peer_load_acquire(word)          swi_hostile_word((word), sw_peer_load_acquire(word))
#define sw_peer_load_relaxed(word)          swi_hostile_word((word), sw_peer_load_relaxed(word))
#define sw_peer_data_load(word)             swi_hostile_word((word), sw_peer_data_load(word))
#define sw_peer_load64_acquire(word)        swi_hostile_word64((word), sw_peer_load64_acquire(word))
#define sw_peer_load64_relaxed(word)        swi_hostile_word64((word), sw_peer_load64_relaxed(word))
#define sw_exchange_acq_rel(word, value)    swi_hostile_word((word), sw_exchange_acq_rel(word, value))
#define sw_fetch_add_acq_rel(word, value)   swi_hostile_word((word), sw_fetch_add_acq_rel(word, value))
#define sw_fetch_or_acq_rel(word, value)    swi_hostile_word((word), sw_fetch_or_acq_rel(word, value))
#define sw_fetch_and_acq_rel(word, value)   swi_hostile_word((word), sw_fetch_and_acq_rel(word, value))
#define sw_exchange64_acq_rel(word, value)  swi_hostile_word64((word), sw_exchange64_acq_rel(word, value))
#define sw_fetch_add64_acq_rel(word, value) swi_hostile_word64((word), sw_fetch_add64_acq_rel(word, value))
#define sw_fetch_or64_acq_rel(word, value)  swi_hostile_word64((word), sw_fetch_or64_acq_rel(word, value))
#define sw_fetch_and64_acq_rel(word, value) swi_hostile_word64((word), sw_fetch_and64_acq_rel(word, value))
#define sw_compare_exchange_acq_rel         swi_hostile_compare_exchange
#define sw_compare_exchange64_acq_rel       swi_hostile_compare_exchange64

#endif
