/* The only file that names an atomic operation.
 *
 * Vocabulary. A *shared word* is an aligned word of the region, of 32 or 64 bits, that two
 * participants may touch at once; it is only reached through the functions here, always with the
 * same width, and the memory order is part of each name. *Data* is everything that one participant
 * owns until it hands it over (frame headers, payloads): ordinary accesses, ordered by the shared
 * word that publishes them. The region is written by several processes and by JavaScript, so shared
 * words are plain integers in layout.h and become atomic here.
 *
 * Orders are put on the operation, where ThreadSanitizer understands them. The one fence is the
 * handshake of doorbell.c, where a store must be visible before a load of another word. WebAssembly
 * has only sequentially consistent atomics: both sides of the handshake are then in one total
 * order, and the fence has to stop the compiler only. */
#ifndef SABWAY_ATOMICS_H
#define SABWAY_ATOMICS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef SW_FLAVOUR_MODEL
/* test/c/model: the same names, each of them a scheduling point of the explorer */
#include "model_hooks.h"
#else

static inline uint32_t sw_load_relaxed(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }

static inline uint32_t sw_load_acquire(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

static inline void sw_store_relaxed(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELAXED); }

/* A relaxed store to a word that only the caller writes, where each instruction counts. In
 * WebAssembly it is a plain store: an atomic one is a locked instruction there. Stores of 32 bits
 * are not torn, and the next atomic operation orders it. */
static inline void sw_store_owned(uint32_t *word, uint32_t value) {
#ifdef __wasm__
  *(volatile uint32_t *)word = value;
#else
  __atomic_store_n(word, value, __ATOMIC_RELAXED);
#endif
}

static inline void sw_store_release(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

static inline uint32_t sw_exchange_acq_rel(uint32_t *word, uint32_t value) {
  return __atomic_exchange_n(word, value, __ATOMIC_ACQ_REL);
}

static inline uint32_t sw_fetch_add_acq_rel(uint32_t *word, uint32_t value) {
  return __atomic_fetch_add(word, value, __ATOMIC_ACQ_REL);
}

static inline uint32_t sw_fetch_or_acq_rel(uint32_t *word, uint32_t value) {
  return __atomic_fetch_or(word, value, __ATOMIC_ACQ_REL);
}

static inline uint32_t sw_fetch_and_acq_rel(uint32_t *word, uint32_t value) {
  return __atomic_fetch_and(word, value, __ATOMIC_ACQ_REL);
}

/* On failure *expected becomes what the word held (acquire). */
static inline bool sw_compare_exchange_acq_rel(uint32_t *word, uint32_t *expected, uint32_t value) {
  return __atomic_compare_exchange_n(word, expected, value, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static inline void sw_fence_handshake(void) {
#ifdef __wasm__
  __asm__ volatile("" ::: "memory");
#else
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* The handshake's fence of a caller whose last write to shared memory before it, but for hints, was
 * one of the exchanges here. On x86 those are such fences, also where the comparison fails, and
 * this one has to stop the compiler only. */
static inline void sw_fence_behind_exchange(void) {
#if defined(__x86_64__) || defined(__i386__)
  __asm__ volatile("" ::: "memory");
#else
  sw_fence_handshake();
#endif
}

/* The same for words of 64 bits. JavaScript never touches those: its only 64-bit word is BigInt. */
static inline uint64_t sw_load64_relaxed(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }

static inline uint64_t sw_load64_acquire(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

static inline void sw_store64_relaxed(uint64_t *word, uint64_t value) {
  __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline void sw_store64_release(uint64_t *word, uint64_t value) {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline uint64_t sw_exchange64_acq_rel(uint64_t *word, uint64_t value) {
  return __atomic_exchange_n(word, value, __ATOMIC_ACQ_REL);
}

static inline uint64_t sw_fetch_add64_acq_rel(uint64_t *word, uint64_t value) {
  return __atomic_fetch_add(word, value, __ATOMIC_ACQ_REL);
}

static inline uint64_t sw_fetch_or64_acq_rel(uint64_t *word, uint64_t value) {
  return __atomic_fetch_or(word, value, __ATOMIC_ACQ_REL);
}

static inline uint64_t sw_fetch_and64_acq_rel(uint64_t *word, uint64_t value) {
  return __atomic_fetch_and(word, value, __ATOMIC_ACQ_REL);
}

static inline bool sw_compare_exchange64_acq_rel(uint64_t *word, uint64_t *expected, uint64_t value) {
  return __atomic_compare_exchange_n(word, expected, value, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* A word of a block that a participant fills while readers may still look at what was there before:
 * they see an earlier exchange by which the block was taken away, when they see the fill. In
 * WebAssembly a release store is a locked instruction, so the stores are plain, behind one
 * sw_fence_fill for all of a block. Stores of aligned words are not torn. */
static inline void sw_fill64(uint64_t *word, uint64_t value) {
#ifdef __wasm__
  *(volatile uint64_t *)word = value;
#else
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
#endif
}

static inline void sw_fill(uint32_t *word, uint32_t value) {
#ifdef __wasm__
  *(volatile uint32_t *)word = value;
#else
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
#endif
}

static inline void sw_fence_fill(void) {
#ifdef __wasm__
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* Data words: not atomic. */
static inline void sw_data_store(void *word, uint32_t value) { *(uint32_t *)word = value; }

#endif

/* sw_fence_fill and sw_store_release for a caller that may know that its processor makes stores
 * visible in their order: `ordered`. In WebAssembly both are locked instructions, which such a
 * processor does not need: an engine keeps the stores of shared memory in their order. */
#ifdef __wasm__
#define sw_fence_fill_unless(ordered) ((ordered) ? (void)0 : sw_fence_fill())
#define sw_store_release_unless(ordered, word, value) \
  ((ordered) ? sw_store_owned((word), (value)) : sw_store_release((word), (value)))
#else
#define sw_fence_fill_unless(ordered)                 ((void)(ordered), sw_fence_fill())
#define sw_store_release_unless(ordered, word, value) ((void)(ordered), sw_store_release((word), (value)))
#endif

#endif
