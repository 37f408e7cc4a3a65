/* The robust mutex.
 *
 * sw_mutex.state decides. It has two halves, which only compare-exchanges change:
 *
 *   owner              handoff   state                       next
 *   0                  0         free                        lock -> held
 *   role               0         held                        unlock -> free
 *                                                            a waiter asks -> asked
 *                                                            holder dead: lock -> inherited
 *                                                            holder dead: evict -> left
 *   role               waiter    asked: held, and wanted     unlock, waiter alive -> handed
 *                                                            unlock, waiter dead -> free
 *                                                            the waiter leaves -> held
 *   waiter             waiter    handed, and not yet taken   the waiter locks -> held
 *                                                            the waiter leaves -> free
 *                                                            it is dead: lock -> held
 *                                                            it is dead: evict -> free
 *   role | INHERITED   any       inherited                   consistent -> held, asked
 *                                                            unlock -> poisoned
 *                                                            holder dead: lock -> inherited
 *   INHERITED          any       left by a dead holder       lock -> inherited
 *   POISONED           0         poisoned                    none
 *
 * An owner that is no role at all is taken for a dead holder, whatever wrote it there.
 *
 * sw_mutex.waiters is the set of endpoints to wake, as bits:
 *
 *   a waiter                                     an unlock
 *     own bit := 1                                 state := free                      [M2]
 *     arm, which ends with a fence       [F1]      if WAITED was in it:
 *     try to lock; busy: WAITED in the state         fence                            [F3]
 *     sleep                                          waiters: the next bit that is set
 *                                                    WAITED in the state for others
 *                                                    ring that endpoint
 *
 * Either the waiter sees the mutex free, or the holder that it saw finds WAITED in the exchange by
 * which it unlocks, and then the bit and the armed doorbell. So a waiter that sleeps has WAITED in
 * the state, or its bit is being looked at by an unlock that puts it there before it rings. One
 * waiter is woken. It locks the mutex, or finds it locked by a faster one, whose unlock wakes one
 * again, or leaves; one that leaves clears its bit and looks [F4] whether the mutex is free: then
 * it wakes the next one itself.
 *
 * Only the owner of an endpoint clears its bit. Another participant cannot tell the bit of a dead
 * owner from that of the next one, which may wait by then: it passes over the bit of an endpoint
 * that is empty. The next owner clears what it finds before it waits for anything
 * (sw_mutex_evict_endpoint), and passes on a wake that was meant for another.
 *
 * Ordering edges:
 *   [M1] the exchange that locks, pairs with
 *   [M2] the exchange that frees or hands over: what the last holder wrote is seen.
 *   [F3] the fence before the bits are looked at, pairs with [F1] in sw_endpoint_arm.
 *   [F4] the fence between clearing the own bit and the look whether the mutex is free, pairs with
 *        [F3]: a wake for a waiter that leaves is passed on.
 *
 * What a crash leaves:
 *   of a holder           a mutex whose holder is dead: the next one gets it with SW_EOWNERDEAD
 *   of a waiter           its bit, and perhaps its request: unlock passes over both, and the next
 *                         owner of the endpoint clears the bit
 *   behind [M2]           a free mutex, and a waiter that sleeps: sw_mutex_evict wakes it, or its
 *                         patrol does
 *   of a woken waiter     the same
 *   in sw_mutex_evict     a part of it undone: the next call does the rest */
#include "sabway/mutex.h"

#include "base/peer.h"
#include "core/region/doorbell.h"
#include "core/region/endpoint.h"
#include "sabway/endpoint.h"
#include "sabway/role.h"

/* How often an exchange is tried again because the word has changed. Honest waiters change it now
 * and then, by a request; a peer that goes on doing so is hostile. */
enum { TRIES = 256 };

/* SW_MUTEX_WAITED where it stands in sw_mutex.state. */
#define WAITED ((uint64_t)SW_MUTEX_WAITED << 32)

static uint32_t owner_of(uint64_t state) { return (uint32_t)state; }
static uint32_t handoff_of(uint64_t state) { return (uint32_t)(state >> 32) & ~(uint32_t)SW_MUTEX_WAITED; }
static uint64_t waited(uint64_t state) { return state & WAITED; }
static uint64_t state_of(uint32_t owner, uint32_t handoff) { return (uint64_t)handoff << 32 | owner; }

/* The holder that an owner half names: zero when that is free, poisoned, or nonsense. */
static uint32_t holder_of(uint32_t owner) {
  uint32_t role = owner & ~(uint32_t)SW_MUTEX_INHERITED;
  return sw_role_index(role) < SW_ENDPOINTS ? role : 0;
}

static uint64_t bit_of(uint32_t index) { return (uint64_t)1 << index % SW_ENDPOINTS; }

/* The role of the caller's endpoint, without a call: locking is two exchanges and this. */
static uint32_t own_role(const void *base, uint32_t endpoint) {
  return sw_role_of(endpoint, sw_peer_load_relaxed(&swi_endpoint_at(base, endpoint)->epoch));
}

/* Is it a participant that lives? The caller's process needs no asking. */
static bool lives(const void *base, uint32_t endpoint, uint32_t role) {
  sw_owner own, other;
  if (!sw_endpoint_owner(base, role, &other)) return false;
  if (sw_endpoint_owner(base, own_role(base, endpoint), &own) && own.pid == other.pid &&
      own.start_low == other.start_low && own.start_high == other.start_high)
    return true;
  return sw_endpoint_role_alive(base, role);
}

/* ---- waking ---- */

static void ring(void *base, uint32_t role) { swi_doorbell_ring_slot(base, role, SW_READY_MUTEXES); }

/* Wake the next waiter behind `endpoint`, in the order of their numbers. The caller has published
 * or seen `state`, in which the mutex can be locked. */
static void wake_next(void *base, sw_mutex *m, uint32_t endpoint, uint64_t state) {
  sw_fence_handshake(); /* [F3] */
  uint64_t waiters = sw_peer_load64_relaxed(&m->waiters);
  for (uint32_t i = 1; i <= SW_ENDPOINTS && waiters != 0; i++) {
    uint32_t index = (endpoint + i) % SW_ENDPOINTS;
    if ((waiters & bit_of(index)) == 0 || !lives(base, endpoint, sw_endpoint_role(base, index))) continue;
    /* the others sleep on, and had WAITED for that in a state that is gone */
    bool others = (waiters & ~bit_of(index)) != 0;
    if (others && waited(state) == 0) sw_fetch_or64_acq_rel(&m->state, WAITED);
    /* One that is not armed is awake, and looks before it sleeps. */
    ring(base, sw_endpoint_role(base, index));
    return;
  }
}

static void wake_all(void *base, sw_mutex *m) {
  sw_fence_handshake(); /* [F3] */
  uint64_t waiters = sw_peer_load64_relaxed(&m->waiters);
  for (uint32_t index = 0; index < SW_ENDPOINTS; index++) {
    if ((waiters & bit_of(index)) != 0) ring(base, sw_endpoint_role(base, index));
  }
}

static void wake_one(void *base, uint32_t role) {
  sw_fence_handshake(); /* [F3] */
  ring(base, role);
}

/* ---- locking ---- */

/* The state in which `role` has taken it from one that is not there any more. */
static uint64_t taken(uint64_t state, uint32_t role) {
  uint32_t owner = owner_of(state), handoff = handoff_of(state);
  /* what was handed to a waiter that died before it took it was left in order */
  bool clean = owner == 0 || owner == handoff;
  handoff = clean || handoff == role ? 0 : handoff;
  return state_of(clean ? role : role | SW_MUTEX_INHERITED, handoff) | waited(state);
}

static bool is_waiting(const sw_mutex *m, uint32_t endpoint) {
  return (sw_peer_load64_relaxed(&m->waiters) & bit_of(endpoint)) != 0;
}

static int lock_slowly(void *base, sw_mutex *m, uint32_t endpoint, uint32_t role, uint64_t state) {
  for (int tries = 0; tries < TRIES; tries++) {
    uint32_t owner = owner_of(state), holder = holder_of(owner);
    uint64_t next = taken(state, role);
    bool busy = false;
    if (owner == SW_MUTEX_POISONED) return SW_EPOISONED;
    if (owner == role && handoff_of(state) == role) {
      next = role | waited(state);
    } else if (holder == role) {
      return SW_ESTATE;
    } else if (lives(base, endpoint, holder)) {
      /* it is about to sleep: the holder's unlock shall look for it */
      if (waited(state) != 0 || !is_waiting(m, endpoint)) return SW_EBUSY;
      busy = true;
      next = state | WAITED;
    }
    if (!sw_compare_exchange64_acq_rel(&m->state, &state, next)) continue; /* [M1] */
    return busy ? SW_EBUSY : (next & SW_MUTEX_INHERITED) == 0 ? SW_OK : SW_EOWNERDEAD;
  }
  return SW_EBUSY;
}

int sw_mutex_try_lock(void *base, sw_mutex *m, uint32_t endpoint) {
  uint32_t role = own_role(base, endpoint);
  uint64_t state = 0;
  if (sw_compare_exchange64_acq_rel(&m->state, &state, role)) return SW_OK; /* [M1] */
  return lock_slowly(base, m, endpoint, role, state);
}

int sw_mutex_consistent(void *base, sw_mutex *m, uint32_t endpoint) {
  uint32_t role = own_role(base, endpoint);
  uint64_t state = sw_peer_load64_relaxed(&m->state);
  for (int tries = 0; tries < TRIES; tries++) {
    if (owner_of(state) != (role | SW_MUTEX_INHERITED)) return SW_ESTATE;
    uint64_t next = state_of(role, handoff_of(state)) | waited(state);
    if (sw_compare_exchange64_acq_rel(&m->state, &state, next)) return SW_OK;
  }
  return SW_ESTATE;
}

/* ---- unlocking ---- */

static int unlock_slowly(void *base, sw_mutex *m, uint32_t endpoint, uint32_t role, uint64_t state) {
  for (int tries = 0; tries < TRIES; tries++) {
    uint32_t owner = owner_of(state), handoff = handoff_of(state);
    if (holder_of(owner) != role) return SW_ESTATE;
    bool poison = owner != role;
    bool hand = !poison && handoff != 0 && handoff != role && lives(base, endpoint, handoff);
    /* Without WAITED when no waiter is there, or is seen: one that comes now sleeps only behind a
     * look at what becomes of the state, or is found by the look behind it. */
    uint64_t freed = sw_peer_load64_relaxed(&m->waiters) != 0 ? waited(state) : 0;
    uint64_t next = poison ? SW_MUTEX_POISONED : hand ? state_of(handoff, handoff) | waited(state) : freed;
    if (!sw_compare_exchange64_acq_rel(&m->state, &state, next)) continue; /* [M2] */
    if (poison) wake_all(base, m);
    else if (hand) wake_one(base, handoff);
    else wake_next(base, m, endpoint, next);
    return poison ? SW_EPOISONED : SW_OK;
  }
  return SW_ECORRUPT;
}

int sw_mutex_unlock(void *base, sw_mutex *m, uint32_t endpoint) {
  uint32_t role = own_role(base, endpoint);
  uint64_t state = role;
  if (sw_compare_exchange64_acq_rel(&m->state, &state, 0)) return SW_OK; /* [M2] */
  return unlock_slowly(base, m, endpoint, role, state);
}

/* ---- waiting ---- */

void sw_mutex_begin_wait(void *base, sw_mutex *m, uint32_t endpoint) {
  (void)base;
  sw_fetch_or64_acq_rel(&m->waiters, bit_of(endpoint));
}

void sw_mutex_request_handoff(void *base, sw_mutex *m, uint32_t endpoint) {
  uint32_t role = own_role(base, endpoint);
  uint64_t state = sw_peer_load64_relaxed(&m->state);
  for (int tries = 0; tries < TRIES; tries++) {
    uint32_t owner = owner_of(state), handoff = handoff_of(state);
    if (holder_of(owner) == 0 || holder_of(owner) == role) return;
    if (handoff == role || (handoff != 0 && lives(base, endpoint, handoff))) return;
    if (sw_compare_exchange64_acq_rel(&m->state, &state, state_of(owner, role) | waited(state))) return;
  }
}

/* Takes the request of `role` back, and what was handed to it. Returns the state behind that. The
 * exchange publishes nothing of its own: it hands on what the last holder released [M2]. */
static uint64_t withdraw(sw_mutex *m, uint32_t role) {
  uint64_t state = sw_peer_load64_relaxed(&m->state);
  for (int tries = 0; tries < TRIES && handoff_of(state) == role; tries++) {
    uint64_t next = (owner_of(state) == role ? 0 : owner_of(state)) | waited(state);
    if (sw_compare_exchange64_acq_rel(&m->state, &state, next)) return next;
  }
  return state;
}

static bool is_left(uint64_t state) { return owner_of(state) == 0 || owner_of(state) == SW_MUTEX_INHERITED; }

void sw_mutex_end_wait(void *base, sw_mutex *m, uint32_t endpoint) {
  sw_fetch_and64_acq_rel(&m->waiters, ~bit_of(endpoint));
  sw_fence_handshake(); /* [F4] */
  uint64_t state = withdraw(m, own_role(base, endpoint));
  if (is_left(state)) wake_next(base, m, endpoint, state);
}

/* ---- death ---- */

/* Takes the mutex from a role that holds it, and its request. Returns the state behind that. */
static uint64_t take_from(sw_mutex *m, uint32_t role) {
  uint64_t state = withdraw(m, role);
  for (int tries = 0; tries < TRIES && holder_of(owner_of(state)) == role; tries++) {
    uint64_t next = state_of(SW_MUTEX_INHERITED, handoff_of(state)) | waited(state);
    if (sw_compare_exchange64_acq_rel(&m->state, &state, next)) state = next; /* [M2] */
  }
  return state;
}

void sw_mutex_evict(void *base, sw_mutex *m, uint32_t role) {
  if (sw_role_index(role) >= SW_ENDPOINTS) return;
  sw_fence_handshake(); /* [F4] */
  uint64_t state = take_from(m, role);
  if (is_left(state)) wake_next(base, m, sw_role_index(role), state);
}

void sw_mutex_evict_endpoint(void *base, sw_mutex *m, uint32_t endpoint) {
  sw_fetch_and64_acq_rel(&m->waiters, ~bit_of(endpoint));
  sw_fence_handshake(); /* [F4] */
  uint64_t state = sw_peer_load64_relaxed(&m->state);
  uint32_t holder = holder_of(owner_of(state)), handoff = handoff_of(state);
  bool held = holder != 0 && sw_role_index(holder) == endpoint;
  bool asked = handoff != 0 && sw_role_index(handoff) == endpoint;
  if (asked) state = take_from(m, handoff);
  if (held) state = take_from(m, holder);
  if (is_left(state)) wake_next(base, m, endpoint, state);
}

/* ---- for tools ---- */

uint32_t sw_mutex_holder(const sw_mutex *m) { return holder_of(owner_of(sw_peer_load64_relaxed(&m->state))); }

int sw_mutex_check(const sw_mutex *m) {
  uint64_t state = sw_peer_load64_relaxed(&m->state);
  uint32_t owner = owner_of(state), handoff = handoff_of(state);
  if (owner == SW_MUTEX_POISONED) return handoff == 0 ? SW_OK : SW_ECORRUPT;
  return sw_role_is_possible(owner) && sw_role_is_possible(handoff) ? SW_OK : SW_ECORRUPT;
}
