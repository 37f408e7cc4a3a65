/* Locks and signals in a heap, between threads of any processes, in C and JavaScript.
 *
 *   uint32_t at = sw_sync_new(&heap, SW_TYPE_SEMAPHORE, 3, 3, 0), generation;
 *   sw_object_type(&heap, at, &generation);
 *   int permit = sw_semaphore_acquire(&heap, at, generation, -1);
 *   if (permit >= 0) {
 *     ... at most three participants are here ...
 *     sw_semaphore_release(&heap, at, generation, (uint32_t)permit);
 *   }
 *
 * The death of a participant that holds something, or that others wait for, is an answer: its
 * permits come back, its read locks end, the next writer gets SW_EOWNERDEAD, the barrier is broken.
 *
 * The core never sleeps. The calls that do (sw_event_wait, sw_semaphore_acquire and so on) are for
 * native threads. A host of another kind waits like this:
 *
 *   try                                                       SW_EBUSY: wait
 *     again: sw_sync_begin_wait, sw_endpoint_arm, try
 *            still SW_EBUSY: sleep on the doorbell, and again
 *   sw_endpoint_disarm, sw_sync_end_wait                      with it or without
 *
 * An endpoint is used by one thread. All calls may also return what sw_object_check says of an
 * object that was freed or is another: SW_EFREED, SW_EKIND, SW_EWILD. */
#ifndef SABWAY_SYNC_H
#define SABWAY_SYNC_H

#include "heap.h"
#include "layout.h"
#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Make one of the type SW_TYPE_EVENT to SW_TYPE_SPIN_LOCK. `limit`: of a semaphore, how many
 * permits there can be; of a barrier, how many parties (1 to 64); 0 of all others. `initial`: of a
 * semaphore, how many permits there are at first; of an event 1 when it is set. `options`:
 * SW_SYNC_AUTO of an event, SW_SYNC_LEAVE of a barrier or wait group. Returns its offset, or 0 with
 * h->status: as sw_object_new; SW_EINVAL, SW_ERANGE: not such numbers. A crash inside leaks at most
 * the block. */
uint32_t sw_sync_new(sw_heap *h, uint32_t type, uint32_t limit, uint32_t initial, uint32_t options);

/* Free it. Those that wait for it wake, and find it gone. Any thread, lock-free. */
int sw_sync_free(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation);

/* Before each sleep: declare the caller a waiter. Of a barrier or wait group, its next try also
 * looks for members that have died. `which`: 0; of an rwlock 1 for a reader. Its own endpoint;
 * lock-free. A
 * crash behind it leaves a bit that is passed over. */
int sw_sync_begin_wait(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation, uint32_t which);

/* It waits no more, with what it waited for or without: another is woken for what is left. A writer
 * that has not got the lock gives up its claim. Its own endpoint; lock-free. */
int sw_sync_end_wait(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation, uint32_t which);

/* Are its words such as participants write? Any thread, wait-free. Errors: SW_ECORRUPT. */
int sw_sync_check(const sw_heap *h, uint32_t at, uint32_t type, uint32_t generation);

/* ---- events: set or not ---- */

/* Set it, which lets all waiters go on, or one where it is SW_SYNC_AUTO. Any thread, lock-free. A
 * crash inside leaves it set or not; burial wakes the waiters. */
int sw_event_set(sw_heap *h, uint32_t at, uint32_t generation);
int sw_event_reset(sw_heap *h, uint32_t at, uint32_t generation);
/* SW_OK when it is set, and SW_SYNC_AUTO resets it for this caller; SW_EBUSY. */
int sw_event_try(sw_heap *h, uint32_t at, uint32_t generation);
int sw_event_wait(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns);

/* ---- semaphores ---- */

/* Up to 64 permits have a word each, which names the holder: those of one that dies come back. More
 * are counted (`limit` above 64), and then a dead holder's are lost.
 *
 * Take one: returns the permit, a number from 0; SW_EBUSY: there is none. Lock-free. A crash inside
 * takes it or does not, and it comes back. */
int sw_semaphore_try_acquire(sw_heap *h, uint32_t at, uint32_t generation);
/* Give it back, and wake one that waits. Errors: SW_ESTATE: it is not the caller's; SW_ERANGE. */
int sw_semaphore_release(sw_heap *h, uint32_t at, uint32_t generation, uint32_t permit);
/* The permit is used up: there is one less, until the next sw_semaphore_post. Errors: as above. */
int sw_semaphore_consume(sw_heap *h, uint32_t at, uint32_t generation, uint32_t permit);
/* One permit more. Any thread, lock-free. Errors: SW_ERANGE: there are `limit` already. */
int sw_semaphore_post(sw_heap *h, uint32_t at, uint32_t generation);
/* How many there are to be had, at the moment; or an error. */
int sw_semaphore_available(sw_heap *h, uint32_t at, uint32_t generation);
int sw_semaphore_acquire(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns);

/* ---- conditions, beside a mutex ---- */

/* A waiter: sw_condition_enlist, unlock the mutex, wait until sw_condition_try is SW_OK,
 * sw_condition_leave, lock the mutex. It may be notified for nothing, so what it waits for is
 * looked at in a loop. A notification that comes to one that leaves, or dies, goes to the next. */
int sw_condition_enlist(sw_heap *h, uint32_t at, uint32_t generation);
int sw_condition_try(sw_heap *h, uint32_t at, uint32_t generation);
int sw_condition_leave(sw_heap *h, uint32_t at, uint32_t generation);
/* Let one waiter go on, or `all`. Returns how many. Any thread, lock-free. */
int sw_condition_notify(sw_heap *h, uint32_t at, uint32_t generation, uint32_t all);
/* Native threads: unlock the mutex, wait, and lock it again. Errors: SW_ETIMEDOUT, with the mutex
 * locked; SW_EOWNERDEAD: as sw_mutex_lock, with it; SW_EPOISONED, SW_ESTATE: without it. */
int sw_condition_wait(sw_heap *h, uint32_t at, uint32_t generation, sw_mutex *mutex, int64_t timeout_ns);

/* ---- locks that many readers or one writer hold ---- */

/* Read: other readers may be there, no writer. A writer that waits holds off new readers. Not
 * recursive. A crash inside, or while it holds it, ends the read lock. Errors: SW_EBUSY;
 * SW_EOWNERDEAD: not locked: a writer died, lock it for writing and mend; SW_EPOISONED; SW_ESTATE:
 * the caller has the lock. */
int sw_rwlock_try_read(sw_heap *h, uint32_t at, uint32_t generation);
int sw_rwlock_end_read(sw_heap *h, uint32_t at, uint32_t generation);
/* Write: alone. `patient`: when only readers are in the way, the caller stays the next writer, and
 * calls it again, or sw_sync_end_wait to give that up. Errors: SW_EBUSY; SW_EOWNERDEAD: it is
 * locked, and the last writer died; SW_EPOISONED; SW_ESTATE: the caller has the lock. */
int sw_rwlock_try_write(sw_heap *h, uint32_t at, uint32_t generation, uint32_t patient);
/* What it protects is mended. Errors: SW_ESTATE: the caller has not got it by SW_EOWNERDEAD. */
int sw_rwlock_consistent(sw_heap *h, uint32_t at, uint32_t generation);
/* Errors: SW_ESTATE: the caller does not write; SW_EPOISONED: it was SW_EOWNERDEAD, and
 * sw_rwlock_consistent was not called. */
int sw_rwlock_end_write(sw_heap *h, uint32_t at, uint32_t generation);
int sw_rwlock_read(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns);
int sw_rwlock_write(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns);

/* ---- barriers, which can be used again ---- */

/* A participant is a member from its first arrival on, or from this call; a member that ends before
 * it has arrived breaks the barrier: all that wait get SW_EBROKEN, and later ones, until
 * sw_barrier_reset. With SW_SYNC_LEAVE the party has one less from then on. Errors: SW_ECROWDED:
 * the party is complete; SW_EBUSY: try again at once, as with all calls that change a barrier. */
int sw_barrier_join(sw_heap *h, uint32_t at, uint32_t generation);
/* The caller is no member any more, and the party has one less. Errors: SW_ESTATE: it was none. */
int sw_barrier_leave(sw_heap *h, uint32_t at, uint32_t generation);
/* Arrive. Returns 1 when the caller was the last, 0 when it is to wait until sw_barrier_try is
 * SW_OK for the ticket. Errors: SW_EBROKEN, SW_ECROWDED; SW_ESTATE: it has arrived already. */
int sw_barrier_arrive(sw_heap *h, uint32_t at, uint32_t generation, uint32_t *ticket);
/* Have all arrived? SW_OK, SW_EBUSY, SW_EBROKEN. Wait-free. */
int sw_barrier_try(sw_heap *h, uint32_t at, uint32_t generation, uint32_t ticket);
/* Take the arrival back, of one that waits no longer. SW_OK, or 1: all had arrived before. */
int sw_barrier_withdraw(sw_heap *h, uint32_t at, uint32_t generation, uint32_t ticket);
/* Begin anew: members that have ended are taken out, and none has arrived. */
int sw_barrier_reset(sw_heap *h, uint32_t at, uint32_t generation);
/* Returns 1 when the caller was the last, else 0, or an error. Out of time, it has not arrived. */
int sw_barrier_wait(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns);

/* ---- wait groups: until all parts are done ---- */

/* `parts` more to be done. Up to 64 at a time have a word each, more are counted. Errors:
 * SW_ERANGE. A crash inside adds some of them. */
int sw_group_add(sw_heap *h, uint32_t at, uint32_t generation, uint32_t parts);
/* Take a part on: if the caller ends without sw_group_done, the group is broken, or, with
 * SW_SYNC_LEAVE, the part counts as done. Errors: SW_EBUSY: none is open. */
int sw_group_claim(sw_heap *h, uint32_t at, uint32_t generation);
/* A part is done: one that the caller has claimed, or else one that is open. Errors: SW_ESTATE:
 * there is none. */
int sw_group_done(sw_heap *h, uint32_t at, uint32_t generation);
/* Is all done? SW_OK, SW_EBUSY, SW_EBROKEN. */
int sw_group_try(sw_heap *h, uint32_t at, uint32_t generation);
/* Broken parts count as done. Any thread, lock-free. */
int sw_group_mend(sw_heap *h, uint32_t at, uint32_t generation);
/* How many parts are left, at the moment; or an error. */
int sw_group_left(sw_heap *h, uint32_t at, uint32_t generation);
int sw_group_wait(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns);

/* ---- once ---- */

/* SW_OK: the caller is to do it, and to call sw_once_end; 1: it is done; SW_EBUSY: another does it;
 * SW_EOWNERDEAD: as SW_OK, and the last one that began died; SW_ESTATE: the caller is at it. */
int sw_once_begin(sw_heap *h, uint32_t at, uint32_t generation);
/* `done`: 1, or 0 when it failed, and the next one is to try. Errors: SW_ESTATE. */
int sw_once_end(sw_heap *h, uint32_t at, uint32_t generation, uint32_t done);
int sw_once_wait(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns);

/* ---- spin locks, for a few instructions ---- */

/* `closely`: also look whether the holder lives, which may ask the operating system. Errors:
 * SW_EBUSY; SW_EOWNERDEAD: it is locked, and the last holder died; SW_ESTATE: the caller has it. */
int sw_spin_try_lock(sw_heap *h, uint32_t at, uint32_t generation, uint32_t closely);
int sw_spin_unlock(sw_heap *h, uint32_t at, uint32_t generation);
/* Spins, then yields, and looks now and then whether the holder lives. */
int sw_spin_lock(sw_heap *h, uint32_t at, uint32_t generation, int64_t timeout_ns);

#ifdef __cplusplus
}
#endif
#endif
