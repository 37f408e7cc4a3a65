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
 * not recursive: the endpoint that holds it gets SW_ESTATE. An endpoint is used by one thread.
 *
 * The core never sleeps; sw_mutex_lock does, for native threads. Any other host that can sleep
 * waits like this:
 *
 *   sw_mutex_try_lock                                         SW_EBUSY: wait
 *     again: sw_mutex_begin_wait, sw_endpoint_arm, sw_mutex_try_lock
 *            still SW_EBUSY: sleep on the doorbell, and again
 *   sw_endpoint_disarm, sw_mutex_end_wait                     with the mutex, or out of time
 *
 * The waits of one endpoint share its bit: the host keeps their order, tries for the first when the
 * doorbell was rung and when it has unlocked the mutex itself, and ends the wait with the last. A
 * sleep ends after SW_WAIT_PATROL_MS at the latest where a holder may vanish without a word. */
#ifndef SABWAY_MUTEX_H
#define SABWAY_MUTEX_H

#include "error.h"
#include "layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Lock it when it is free, or its holder has died, or it was handed to the caller. Any thread, with
 * its own endpoint; lock-free. Asks the operating system only when another process holds it. A
 * crash inside leaves it as it was, or locked by the dead caller. Errors: SW_EBUSY; SW_EOWNERDEAD:
 * it is locked by the caller now, and its last holder died; SW_EPOISONED; SW_ESTATE: the caller
 * holds it. */
int sw_mutex_try_lock(void *base, sw_mutex *mutex, uint32_t endpoint);

/* Declare the caller a waiter, before each sleep: it then arms its doorbell, and tries once more,
 * which tells the holder to look for waiters. Its own endpoint; wait-free. A crash behind it leaves
 * a bit that unlock passes over. */
void sw_mutex_begin_wait(void *base, sw_mutex *mutex, uint32_t endpoint);

/* The caller waits no more, with the mutex or without. Without it, another waiter is woken when the
 * mutex is free, because the wake may have been for the caller; what was handed to the caller is
 * given back. Its own endpoint; lock-free; a system call when a waiter sleeps. A crash inside may
 * lose a wake: see sw_mutex_evict. */
void sw_mutex_end_wait(void *base, sw_mutex *mutex, uint32_t endpoint);

/* Ask that the next unlock gives the mutex to this waiter: for one that has waited for long. Before
 * sw_endpoint_arm. The first that asks has it until it has locked the mutex or ended its wait. Its
 * own endpoint; lock-free. */
void sw_mutex_request_handoff(void *base, sw_mutex *mutex, uint32_t endpoint);

/* Give it back, to a waiter that asked for it or to the first that comes, and wake one. Any thread,
 * with its own endpoint; lock-free; a system call when a waiter sleeps. A crash inside leaves it
 * locked by the dead caller, or free with a waiter that was not woken: see sw_mutex_evict. Errors:
 * SW_ESTATE: the caller does not hold it; SW_EPOISONED: it was SW_EOWNERDEAD, and
 * sw_mutex_consistent was not called; SW_ECORRUPT: a peer does not stop writing to it. */
int sw_mutex_unlock(void *base, sw_mutex *mutex, uint32_t endpoint);

/* What the mutex protects is mended. Its own endpoint; lock-free. Errors: SW_ESTATE: the caller has
 * not got it by SW_EOWNERDEAD. */
int sw_mutex_consistent(void *base, sw_mutex *mutex, uint32_t endpoint);

/* Take all of it from a participant that has ended: the mutex, which is left for the next one to
 * get with SW_EOWNERDEAD, and its request. Its bit stays until the endpoint is claimed anew, and
 * unlock passes over it meanwhile. A waiter is woken when the mutex can be locked, also one for
 * whose wake the dead one was to care. Any thread, any number of times; lock-free. A crash inside
 * is made good by the next call. */
void sw_mutex_evict(void *base, sw_mutex *mutex, uint32_t role);

/* The same for every claim of the caller's own endpoint, and its bit is cleared: behind a claim,
 * when an earlier owner may have left something, and before the endpoint is given back. Its own
 * endpoint, which waits for nothing; lock-free. A crash inside is made good by the next owner's
 * call. */
void sw_mutex_evict_endpoint(void *base, sw_mutex *mutex, uint32_t endpoint);

/* The role of its holder, which may be dead; zero when there is none. Any thread, wait-free. */
uint32_t sw_mutex_holder(const sw_mutex *mutex);

/* Are its words such as participants write? Any thread, wait-free. Errors: SW_ECORRUPT. */
int sw_mutex_check(const sw_mutex *mutex);

/* Native threads: lock it, sleeping for at most `timeout_ns` (negative: no time-out; zero: the
 * caller does not sleep). Errors: as sw_mutex_try_lock, but in place of SW_EBUSY SW_ETIMEDOUT. */
int sw_mutex_lock(void *base, sw_mutex *mutex, uint32_t endpoint, int64_t timeout_ns);

#ifdef __cplusplus
}
#endif
#endif
