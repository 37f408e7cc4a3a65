#include "sabway/endpoint.h"

#include "base/peer.h"
#include "core/core.h"
#include "prim/prim.h"

/* Set in the claim word until the claim is complete: the start time is still the last owner's then. */
#define CLAIMING 0x80000000u

/* Is the owner that the claim word `claim` names still there? A start time whose low word is zero is unknown. */
static bool owner_alive(sw_endpoint *e, uint32_t claim) {
  if ((claim & CLAIMING) != 0) return sw_prim_process_alive(claim & ~CLAIMING, 0, 0);
  uint32_t low = sw_peer_load_acquire(&e->start_low);   /* pairs with [E3] */
  uint32_t high = sw_peer_load_acquire(&e->start_high); /* pairs with [E3] */
  return sw_prim_process_alive(claim, low, low == 0 ? 0 : high);
}

/* Is the owner that `claim` names dead, and is it for the caller to take its place? The next owner may have the same
 * pid: then the claim word looks as before when it is complete, and a slow rival would take it a second time. So only
 * one rival gets to wipe out the dead owner's start time, and the others give way. */
static bool bury(sw_endpoint *e, uint32_t claim) {
  uint32_t low = sw_peer_load_relaxed(&e->start_low);
  if (owner_alive(e, claim)) return false;
  if ((claim & CLAIMING) != 0 || low == 0) return true;
  if (sw_peer_load_relaxed(&e->pid) != claim) return false;   /* the start time may be the next owner's */
  return sw_compare_exchange_acq_rel(&e->start_low, &low, 0); /* [E4] */
}

int sw_endpoint_claim(void *base, uint32_t pid, uint32_t start_low, uint32_t start_high) {
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) {
    sw_endpoint *e = swi_endpoint_at(base, i);
    uint32_t owner = sw_peer_load_acquire(&e->pid); /* pairs with [E1] */
    if (owner != 0 && !bury(e, owner)) continue;
    if (!sw_compare_exchange_acq_rel(&e->pid, &owner, pid | CLAIMING)) continue; /* pairs with [E2] */
    sw_fetch_add_acq_rel(&e->epoch, 1);
    sw_store_relaxed(&e->sleeping, SW_AWAKE);
    sw_store_relaxed(&e->request, 0);
    sw_store_relaxed(&e->skills, 0);
    sw_store_relaxed(&e->lock_low, 0);
    sw_store_release(&e->start_high, start_high); /* [E3] who sees a part of it also sees that the claim word changed */
    sw_store_release(&e->start_low, start_low);   /* [E3] */
    sw_store_release(&e->pid, pid); /* [E1] whoever sees the pid alone sees the start time that goes with it */
    return (int)i;
  }
  return SW_ECROWDED;
}

static void give_back(sw_endpoint *e) {
  sw_store_relaxed(&e->sleeping, SW_AWAKE);
  sw_store_relaxed(&e->skills, 0);
  sw_store_release(&e->pid, 0); /* [E2] */
}

void sw_endpoint_release(void *base, uint32_t index) {
  sw_endpoint *e = swi_endpoint_at(base, index);
  sw_fetch_add_acq_rel(&e->epoch, 1); /* roles of this claim stop matching before anyone can claim anew */
  give_back(e);
}

/* Of the epoch, 24 bits are in a role. */
static bool is_of_claim(uint32_t role, uint32_t epoch) { return ((epoch ^ (role >> 8)) << 8) == 0; }

int sw_endpoint_release_role(void *base, uint32_t role) {
  sw_endpoint *e = swi_endpoint_named(base, role);
  if (e == NULL) return 0;
  uint32_t epoch = sw_peer_load_acquire(&e->epoch);
  if (!is_of_claim(role, epoch)) return 0;
  if (!sw_compare_exchange_acq_rel(&e->epoch, &epoch, epoch + 1)) return 0; /* [E5] one caller only goes on */
  give_back(e);
  return 1;
}

uint32_t sw_endpoint_role(const void *base, uint32_t index) {
  return (sw_peer_load_acquire(&swi_endpoint_at(base, index)->epoch) << 8) | (index + 1);
}

sw_endpoint *swi_endpoint_named(const void *base, uint32_t role) {
  uint32_t number = role & 0xff;
  if (number == 0 || number > SW_ENDPOINTS) return NULL;
  return swi_endpoint_at(base, number - 1);
}

int sw_endpoint_role_alive(const void *base, uint32_t role) {
  sw_endpoint *e = swi_endpoint_named(base, role);
  if (e == NULL) return 0;
  if (!is_of_claim(role, sw_peer_load_acquire(&e->epoch))) return 0;
  uint32_t pid = sw_peer_load_acquire(&e->pid); /* pairs with [E1] */
  return pid != 0 && (pid & CLAIMING) == 0 && owner_alive(e, pid);
}

int sw_endpoint_owner(const void *base, uint32_t role, sw_owner *owner) {
  sw_endpoint *e = swi_endpoint_named(base, role);
  if (e == NULL) return 0;
  owner->pid = sw_peer_load_acquire(&e->pid);               /* pairs with [E1] */
  owner->start_low = sw_peer_load_acquire(&e->start_low);   /* pairs with [E3] */
  owner->start_high = sw_peer_load_acquire(&e->start_high); /* pairs with [E3] */
  if (owner->start_low == 0) owner->start_high = 0;
  /* Looked at last: who saw a part of the next claim sees its epoch, too. */
  if (!is_of_claim(role, sw_peer_load_relaxed(&e->epoch))) return 0;
  return owner->pid != 0 && (owner->pid & CLAIMING) == 0;
}
/* ---- sleeping and waking ----
 *
 * The waker rings first and disarms last, so a waker that dies in between leaves the sleeper armed, for the next one to
 * ring again. What it then disarms is the one sleep that its ring has ended: the armed word carries the doorbell's
 * value, and a later sleep has a later one. */

uint32_t sw_endpoint_arm(void *base, uint32_t index, uint32_t how) {
  sw_endpoint *e = swi_endpoint_at(base, index);
  uint32_t ticket = sw_peer_load_acquire(&e->doorbell); /* [Q2] before arming: a ring from now on changes it */
  sw_store_release(&e->sleeping, ticket << SWI_HOW_BITS | how);
  sw_fence_handshake(); /* [F1] pairs with [F2] in ring.c: arm, then look; publish, then look whether armed */
  return ticket;
}

void sw_endpoint_disarm(void *base, uint32_t index) {
  sw_store_release(&swi_endpoint_at(base, index)->sleeping, SW_AWAKE);
}

int sw_endpoint_is_armed(const void *base, uint32_t index) {
  return sw_peer_load_relaxed(&swi_endpoint_at(base, index)->sleeping) != SW_AWAKE;
}

uint32_t *sw_endpoint_doorbell(void *base, uint32_t index) { return &swi_endpoint_at(base, index)->doorbell; }

/* `unless`: a bit of `sleeping` that lets the owner sleep on. An owner that goes from a quiet sleep to another arms
 * anew, so the handshake of [F1] and [F2] covers it: either the owner's second look sees the message, or the waker the
 * new arm. */
static void ring_unless(void *base, uint32_t role, uint32_t unless) {
  sw_endpoint *e = swi_endpoint_named(base, role);
  if (e == NULL) return;
  uint32_t armed = sw_peer_load_relaxed(&e->sleeping);
  if (armed == SW_AWAKE || (armed & unless) != 0) return;
  uint32_t rings = sw_fetch_add_acq_rel(&e->doorbell, 1) + 1;
  if (!sw_prim_wake(&e->doorbell, armed & SWI_HOW)) swi_relay_ask(base, e, rings);
  sw_compare_exchange_acq_rel(&e->sleeping, &armed, SW_AWAKE); /* a failure is a sleeper that has looked since */
}

void sw_endpoint_ring(void *base, uint32_t role) { ring_unless(base, role, 0); }

void swi_endpoint_ring_for_message(void *base, uint32_t role) { ring_unless(base, role, SW_SLEEP_QUIET); }

void sw_endpoint_alarm(void *base, uint32_t role) {
  sw_endpoint *e = swi_endpoint_named(base, role);
  if (e == NULL) return;
  uint32_t rings = sw_fetch_add_acq_rel(&e->doorbell, 1) + 1;
  int reached = sw_prim_wake(&e->doorbell, SW_SLEEP_LOOP);
  reached &= sw_prim_wake(&e->doorbell, SW_SLEEP_ATOMICS);
  reached &= sw_prim_wake(&e->doorbell, SW_SLEEP_FUTEX);
  if (!reached) swi_relay_ask(base, e, rings);
}
