/* The only way to read a word that a peer may write.
 *
 * A peer may be a compromised renderer: the word can hold anything, and can change between two
 * reads. So each word is read exactly once, into a local, and checked there. sw_peer_* returns the
 * raw value; the caller bounds it before use, by unsigned difference against private copies. */
#ifndef SABWAY_PEER_H
#define SABWAY_PEER_H

#include "atomics.h"

#ifndef SW_FLAVOUR_MODEL /* whose hooks need the line of the caller, so they are macros */

/* A shared word, ordered before everything that depends on it. */
static inline uint32_t sw_peer_load_acquire(const uint32_t *word) { return sw_load_acquire(word); }

/* A shared word used as a hint. */
static inline uint32_t sw_peer_load_relaxed(const uint32_t *word) { return sw_load_relaxed(word); }

/* The same for words of 64 bits. */
static inline uint64_t sw_peer_load64_acquire(const uint64_t *word) { return sw_load64_acquire(word); }

static inline uint64_t sw_peer_load64_relaxed(const uint64_t *word) { return sw_load64_relaxed(word); }

/* A data word that an acquire load has already ordered. volatile: the compiler may not read it a
 * second time. */
static inline uint32_t sw_peer_data_load(const void *word) { return *(const volatile uint32_t *)word; }

#endif

/* Two of the test flavours wrap the names above, and those of atomics.h: see test/c/crash and
 * test/c/hostile. */
#if defined(SW_FLAVOUR_CRASH)
#include "crash_hooks.h"
#elif defined(SW_FLAVOUR_HOSTILE)
#include "hostile_hooks.h"
#endif

#endif
