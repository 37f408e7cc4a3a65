/* A mutex between threads of any processes of one region, in C and JavaScript. It is robust: when
 * its holder dies, the next one gets it and is told so.
 *
 *   int status = sw_mutex_lock(base, &shared->lock, endpoint, -1);
 *   if (status == SW_EOWNERDEAD) {
 *     ... mend what the dead one left half done ...
 *     sw_mutex_consistent(base, &shared->lock, endpoint);
 *   }
 *   ...
 *   sw_mutex_unlock(base, &shared->lock, endpoint);
 *
 * A holder that unlocks behind SW_EOWNERDEAD without sw_mutex_consistent poisons the mutex. It is
 * not recursive: the endpoint that holds it gets SW_ESTATE. The core never sleeps; a host that can
 * sleep does so between sw_mutex_begin_wait and sw_mutex_end_wait. */
#ifndef SABWAY_MUTEX_H
#define SABWAY_MUTEX_H

#include "layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Lock it when it is free, or its holder has died. Any thread, with its own endpoint; lock-free.
 * Asks the operating system only when it is held. Errors: SW_EBUSY; SW_EOWNERDEAD: it is locked by
 * the caller now, and its last holder died; SW_EPOISONED; SW_ESTATE: the caller holds it. */
int sw_mutex_try_lock(void *base, sw_mutex *mutex, uint32_t endpoint);

/* Declare the caller a waiter. It then arms its doorbell (sw_endpoint_arm), tries once more, and
 * sleeps. Its own endpoint; wait-free. A crash behind it leaves a bit that unlock clears. */
void sw_mutex_begin_wait(void *base, sw_mutex *mutex, uint32_t endpoint);

/* The caller waits no more, with the mutex or without. Without it, another waiter is woken when the
 * mutex is free, because the wake may have been for the caller. Lock-free. */
void sw_mutex_end_wait(void *base, sw_mutex *mutex, uint32_t endpoint);

/* Ask that the next unlock gives the mutex to this waiter: for one that has waited for long. */
void sw_mutex_request_handoff(void *base, sw_mutex *mutex, uint32_t endpoint);

/* Give it back, to a waiter that asked for it or to the first that comes, and wake one. Lock-free;
 * a system call when a waiter sleeps. Errors: SW_ESTATE: the caller does not hold it; SW_EPOISONED:
 * it was SW_EOWNERDEAD, and sw_mutex_consistent was not called. */
int sw_mutex_unlock(void *base, sw_mutex *mutex, uint32_t endpoint);

/* What the mutex protects is mended. Errors: SW_ESTATE: the caller has not got it by
 * SW_EOWNERDEAD. */
int sw_mutex_consistent(void *base, sw_mutex *mutex, uint32_t endpoint);

/* Native threads: lock it, sleeping for at most `timeout_ns` (negative: no time-out). Errors: as
 * sw_mutex_try_lock but SW_EBUSY; SW_ETIMEDOUT. */
int sw_mutex_lock(void *base, sw_mutex *mutex, uint32_t endpoint, int64_t timeout_ns);

#ifdef __cplusplus
}
#endif
#endif
