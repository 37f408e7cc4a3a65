/* Endpoints: the participants of a region, and how each of them sleeps and is woken.
 *
 * Going to sleep (owner):     sw_endpoint_arm -> look for work once more -> sleep on the doorbell
 *                             -> sw_endpoint_disarm
 * Waking (any participant):   publish work -> sw_fence_handshake -> sw_endpoint_ring
 *
 * Either the owner's second look sees the work, or the waker sees the owner asleep: that is the
 * fence's doing ([F1] in doorbell.c, [F2] in ring.c). The waker takes `sleeping` back to SW_AWAKE
 * once it has rung, so one sleep costs one system call. */
#ifndef SABWAY_ENDPOINT_H
#define SABWAY_ENDPOINT_H

#include "error.h"
#include "layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Take a free endpoint for process `pid`, which started at `start` (see prim.h; 0 where that is
 * unknown). An endpoint whose owner is dead counts as free. Returns its index. Any thread,
 * lock-free. A crash inside leaves an endpoint whose owner is dead. Errors: SW_ECROWDED. */
int sw_endpoint_claim(void *base, uint32_t pid, uint32_t start_low, uint32_t start_high);

/* Give an endpoint back. For its owner, and for the thread that has seen the owner's thread end.
 * Wait-free. */
void sw_endpoint_release(void *base, uint32_t index);

/* Give the endpoint back whose claim `role` names, for an owner that has ended without doing so.
 * Any number of callers may notice one end: the first gives it back, and for the others, as for a
 * role whose claim is over, nothing happens. Returns whether this caller did it. Any thread,
 * lock-free. A crash inside loses the endpoint for as long as the region lives. */
int sw_endpoint_release_role(void *base, uint32_t role);

/* The name by which roles refer to this claim of an endpoint: it stops matching when the endpoint
 * is released. Wait-free. */
uint32_t sw_endpoint_role(const void *base, uint32_t index);

/* Does the participant that a role word names still exist? A role of zero names none. Any thread.
 * Asks the operating system, so not for a hot path. */
int sw_endpoint_role_alive(const void *base, uint32_t role);

/* The process of the participant that a role word names: 1 with pid and start time, or 0 when the
 * role names none, or a claim that is over. The process itself may be gone. Any thread, wait-free.
 * */
typedef struct sw_owner {
  uint32_t pid, start_low, start_high;
} sw_owner;
int sw_endpoint_owner(const void *base, uint32_t role, sw_owner *owner);

/* Announce that the owner is about to sleep, in the way of enum sw_sleep, with SW_SLEEP_QUIET when
 * messages are not to end the sleep. Returns the ticket: the doorbell value to sleep on. Owner
 * only. Wait-free. */
uint32_t sw_endpoint_arm(void *base, uint32_t index, uint32_t how);

/* Back to awake, whatever woke the owner. Owner only. Wait-free. */
void sw_endpoint_disarm(void *base, uint32_t index);

/* Is it still armed, that is, has no waker rung it since sw_endpoint_arm? Any thread, wait-free. */
int sw_endpoint_is_armed(const void *base, uint32_t index);

/* The word to sleep on. */
uint32_t *sw_endpoint_doorbell(void *base, uint32_t index);

/* Have the owner look at everything behind the endpoint (SW_READY_ALL, see ready.h), and wake it if
 * it sleeps, quietly or not. The caller has published its work and passed
 * sw_fence_handshake. A role that names no participant, or nonsense, is ignored. Where this thread
 * has no means to wake such a sleeper, it asks a relay. Any thread; lock-free, and a system call
 * only when the owner sleeps. A crash inside leaves the owner armed, and the next waker rings it
 * again; but what the dead one published stays unseen until then: so the participant that notices
 * the death evicts it (sw_channel_evict), and one with a peer in another process does not sleep
 * without a bound. */
void sw_endpoint_ring(void *base, uint32_t role);

/* Mark SW_READY_ALL, and wake the owner by every means there is, whatever `sleeping` says: for when
 * a peer has died, perhaps in the middle of a ring. Any thread; system calls. */
void sw_endpoint_wake_always(void *base, uint32_t role);

/* Tell what the owner can do for others (SW_WAKES_FUTEX and others in layout.h). A caller that has
 * become a relay, or ceased to be one, calls sw_relay_serve next. For the owner, and for the thread
 * that has seen the owner's thread end. Wait-free. */
void sw_endpoint_set_skills(void *base, uint32_t index, uint32_t skills);

/* Wake the sleepers for which wakers have left requests. For relays: after each ring, behind
 * sw_endpoint_arm or a load of the doorbell. Returns how many this thread could not wake; another
 * relay has been rung for those. Any thread; lock-free, system calls. A crash inside leaves the
 * requests it has not fulfilled. */
int sw_relay_serve(void *base);

/* How a ring comes to an endpoint: bits of what sw_endpoint_wake_path returns. */
enum {
  SW_REACH_DIRECT = 0,
  SW_REACH_RELAY = 1,  /* through a relay */
  SW_REACH_NONE = 2,   /* not at all: look again and again */
  SW_REACH_FRAGILE = 4 /* its bearer may vanish without a word: look again now and then */
};

/* How the participant that a role names would wake the endpoint `index` from a sleep of kind `how`.
 * Any thread, wait-free. */
uint32_t sw_endpoint_wake_path(const void *base, uint32_t index, uint32_t role, uint32_t how);

#ifdef __cplusplus
}
#endif
#endif
