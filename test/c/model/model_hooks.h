/* The model flavour of native/base/atomics.h and peer.h: the same names, but each of them is a
 * scheduling point of the explorer (explorer.h), which also chooses what a load reads.
 *
 * They are macros, so that a hook knows the line of the core that it stands for: failures are
 * reported by it, and the mutant runner finds the line of an ordering edge by its label ([R1] ...)
 * in the comment there. */
#ifndef SABWAY_MODEL_HOOKS_H
#define SABWAY_MODEL_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

enum model_order { MODEL_RELAXED = 0, MODEL_ACQUIRE = 1, MODEL_RELEASE = 2, MODEL_ACQ_REL = 3 };
enum model_change { MODEL_EXCHANGE, MODEL_ADD, MODEL_OR, MODEL_AND };

uint32_t model_load(const uint32_t *word, enum model_order order, const char *file, int line);
void model_store(uint32_t *word, uint32_t value, enum model_order order, const char *file, int line);
uint32_t model_rmw(uint32_t *word, enum model_change change, uint32_t value, enum model_order order, const char *file,
                   int line);
bool model_cas(uint32_t *word, uint32_t *expected, uint32_t value, enum model_order order, const char *file, int line);
uint64_t model_load64(const uint64_t *word, enum model_order order, const char *file, int line);
void model_store64(uint64_t *word, uint64_t value, enum model_order order, const char *file, int line);
uint64_t model_rmw64(uint64_t *word, enum model_change change, uint64_t value, enum model_order order, const char *file,
                     int line);
bool model_cas64(uint64_t *word, uint64_t *expected, uint64_t value, enum model_order order, const char *file,
                 int line);
void model_fence(const char *file, int line);
void model_data_store(void *word, uint32_t value, const char *file, int line);
uint32_t model_data_load(const void *word, const char *file, int line);

#define sw_load_relaxed(word)             model_load((word), MODEL_RELAXED, __FILE__, __LINE__)
#define sw_load_acquire(word)             model_load((word), MODEL_ACQUIRE, __FILE__, __LINE__)
#define sw_store_relaxed(word, value)     model_store((word), (value), MODEL_RELAXED, __FILE__, __LINE__)
#define sw_store_owned(word, value)       model_store((word), (value), MODEL_RELAXED, __FILE__, __LINE__)
#define sw_store_release(word, value)     model_store((word), (value), MODEL_RELEASE, __FILE__, __LINE__)
#define sw_exchange_acq_rel(word, value)  model_rmw((word), MODEL_EXCHANGE, (value), MODEL_ACQ_REL, __FILE__, __LINE__)
#define sw_fetch_add_acq_rel(word, value) model_rmw((word), MODEL_ADD, (value), MODEL_ACQ_REL, __FILE__, __LINE__)
#define sw_fetch_or_acq_rel(word, value)  model_rmw((word), MODEL_OR, (value), MODEL_ACQ_REL, __FILE__, __LINE__)
#define sw_fetch_and_acq_rel(word, value) model_rmw((word), MODEL_AND, (value), MODEL_ACQ_REL, __FILE__, __LINE__)
#define sw_compare_exchange_acq_rel(word, expected, value) \
  model_cas((word), (expected), (value), MODEL_ACQ_REL, __FILE__, __LINE__)
#define sw_peer_load_acquire(word) model_load((word), MODEL_ACQUIRE, __FILE__, __LINE__)
#define sw_peer_load_relaxed(word) model_load((word), MODEL_RELAXED, __FILE__, __LINE__)

#define sw_load64_relaxed(word)         model_load64((word), MODEL_RELAXED, __FILE__, __LINE__)
#define sw_load64_acquire(word)         model_load64((word), MODEL_ACQUIRE, __FILE__, __LINE__)
#define sw_store64_relaxed(word, value) model_store64((word), (value), MODEL_RELAXED, __FILE__, __LINE__)
#define sw_store64_release(word, value) model_store64((word), (value), MODEL_RELEASE, __FILE__, __LINE__)
#define sw_exchange64_acq_rel(word, value) \
  model_rmw64((word), MODEL_EXCHANGE, (value), MODEL_ACQ_REL, __FILE__, __LINE__)
#define sw_fetch_add64_acq_rel(word, value) model_rmw64((word), MODEL_ADD, (value), MODEL_ACQ_REL, __FILE__, __LINE__)
#define sw_fetch_or64_acq_rel(word, value)  model_rmw64((word), MODEL_OR, (value), MODEL_ACQ_REL, __FILE__, __LINE__)
#define sw_fetch_and64_acq_rel(word, value) model_rmw64((word), MODEL_AND, (value), MODEL_ACQ_REL, __FILE__, __LINE__)
#define sw_compare_exchange64_acq_rel(word, expected, value) \
  model_cas64((word), (expected), (value), MODEL_ACQ_REL, __FILE__, __LINE__)
#define sw_peer_load64_acquire(word) model_load64((word), MODEL_ACQUIRE, __FILE__, __LINE__)
#define sw_peer_load64_relaxed(word) model_load64((word), MODEL_RELAXED, __FILE__, __LINE__)

#define sw_fence_handshake()       model_fence(__FILE__, __LINE__)
#define sw_fence_behind_exchange() model_fence(__FILE__, __LINE__)

#define sw_fill64(word, value) model_store64((word), (value), MODEL_RELEASE, __FILE__, __LINE__)
#define sw_fill(word, value)   model_store((word), (value), MODEL_RELEASE, __FILE__, __LINE__)
#define sw_fence_fill()        ((void)0) /* the stores behind it are releases here */

#define sw_data_store(word, value) model_data_store((word), (value), __FILE__, __LINE__)
#define sw_peer_data_load(word)    model_data_load((word), __FILE__, __LINE__)

#endif
