#include "sabway/endpoint.h"

#include "base/peer.h"
#include "core/region/endpoint.h"
#include "prim/prim.h"
#include "sabway/role.h"

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

int sw_endpoint_release_role(void *base, uint32_t role) {
  sw_endpoint *e = swi_endpoint_named(base, role);
  if (e == NULL) return 0;
  uint32_t epoch = sw_peer_load_acquire(&e->epoch);
  if (!sw_role_is_of_claim(role, epoch)) return 0;
  if (!sw_compare_exchange_acq_rel(&e->epoch, &epoch, epoch + 1)) return 0; /* [E5] one caller only goes on */
  give_back(e);
  return 1;
}

uint32_t sw_endpoint_role(const void *base, uint32_t index) {
  return sw_role_of(index, sw_peer_load_acquire(&swi_endpoint_at(base, index)->epoch));
}

sw_endpoint *swi_endpoint_named(const void *base, uint32_t role) {
  uint32_t index = sw_role_index(role);
  return index < SW_ENDPOINTS ? swi_endpoint_at(base, index) : NULL;
}

int sw_endpoint_role_alive(const void *base, uint32_t role) {
  sw_endpoint *e = swi_endpoint_named(base, role);
  if (e == NULL) return 0;
  if (!sw_role_is_of_claim(role, sw_peer_load_acquire(&e->epoch))) return 0;
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
  if (!sw_role_is_of_claim(role, sw_peer_load_relaxed(&e->epoch))) return 0;
  return owner->pid != 0 && (owner->pid & CLAIMING) == 0;
}
