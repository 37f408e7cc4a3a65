/* The crash flavour: every shared access of the core may be the last thing that its process does.
 *
 * native/base/peer.h includes this at its end. Each name becomes a macro that reports to the
 * harness first; inside its own expansion a macro's name is left alone, so what runs then is the
 * production function. */
#ifndef SABWAY_CRASH_HOOKS_H
#define SABWAY_CRASH_HOOKS_H

/* Kills the process when its turn has come. Defined in crash.c. */
void swi_crash_point(void);

#define sw_store_relaxed(word, value)       (swi_crash_point(), sw_store_relaxed(word, value))
#define sw_store_owned(word, value)         (swi_crash_point(), sw_store_owned(word, value))
#define sw_store_release(word, value)       (swi_crash_point(), sw_store_release(word, value))
#define sw_exchange_acq_rel(word, value)    (swi_crash_point(), sw_exchange_acq_rel(word, value))
#define sw_fetch_add_acq_rel(word, value)   (swi_crash_point(), sw_fetch_add_acq_rel(word, value))
#define sw_fetch_or_acq_rel(word, value)    (swi_crash_point(), sw_fetch_or_acq_rel(word, value))
#define sw_fetch_and_acq_rel(word, value)   (swi_crash_point(), sw_fetch_and_acq_rel(word, value))
#define sw_store64_relaxed(word, value)     (swi_crash_point(), sw_store64_relaxed(word, value))
#define sw_store64_release(word, value)     (swi_crash_point(), sw_store64_release(word, value))
#define sw_exchange64_acq_rel(word, value)  (swi_crash_point(), sw_exchange64_acq_rel(word, value))
#define sw_fetch_add64_acq_rel(word, value) (swi_crash_point(), sw_fetch_add64_acq_rel(word, value))
#define sw_fetch_or64_acq_rel(word, value)  (swi_crash_point(), sw_fetch_or64_acq_rel(word, value))
#define sw_fetch_and64_acq_rel(word, value) (swi_crash_point(), sw_fetch_and64_acq_rel(word, value))
#define sw_compare_exchange_acq_rel(word, expected, value) \
  (swi_crash_point(), sw_compare_exchange_acq_rel(word, expected, value))
#define sw_compare_exchange64_acq_rel(word, expected, value) \
  (swi_crash_point(), sw_compare_exchange64_acq_rel(word, expected, value))
#define sw_fill(word, value)         (swi_crash_point(), sw_fill(word, value))
#define sw_fill64(word, value)       (swi_crash_point(), sw_fill64(word, value))
#define sw_fence_handshake()         (swi_crash_point(), sw_fence_handshake())
#define sw_data_store(word, value)   (swi_crash_point(), sw_data_store(word, value))
#define sw_peer_load_acquire(word)   (swi_crash_point(), sw_peer_load_acquire(word))
#define sw_peer_load_relaxed(word)   (swi_crash_point(), sw_peer_load_relaxed(word))
#define sw_peer_load64_acquire(word) (swi_crash_point(), sw_peer_load64_acquire(word))
#define sw_peer_load64_relaxed(word) (swi_crash_point(), sw_peer_load64_relaxed(word))
#define sw_peer_data_load(word)      (swi_crash_point(), sw_peer_data_load(word))

#endif
