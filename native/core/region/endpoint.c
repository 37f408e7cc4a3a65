/* Endpoints: how a participant claims one of the SW_ENDPOINTS places in a region, and how a dead
 * one's is claimed anew.
 *
 * The claim word (sw_endpoint.pid) says in which state an endpoint is, and a store to it ends each
 * step:
 *
 *   claim word                state         start time is of     next
 *   0                         free          an earlier owner     claim -> in progress
 *   pid | CLAIM_IN_PROGRESS   in progress   the previous owner   [E3], [E1] -> owned
 *   pid                       owned         this owner           release -> free
 *                                                                owner dead: claim -> in progress
 *
 * Claiming: compare-exchange the claim word (it pairs with [E2], the release), count the epoch up,
 * reset what the last owner left, write the start time [E3], then the pid alone [E1]. Every role
 * word has the epoch of its claim in it, so when the epoch moves, all roles of the earlier claim
 * stop matching.
 *
 * Is an owner alive? The operating system is asked about pid and start time. A start time of zero
 * is unknown: then any process with that pid counts as the owner.
 *
 * What a crash leaves:
 *   in a claim, before the exchange     nothing
 *   in a claim, after it                a dead owner, whose start time is unknown
 *   as the owner                        a dead owner
 *   in reclaim_if_dead, after [E4]      a dead owner, whose start time is unknown now
 *   in sw_endpoint_release              a dead owner, and no role of its claim matches any more
 *   in sw_endpoint_release_role, at [E5]   an endpoint that is lost while its owner's process lives
 * The next claim reclaims an endpoint whose owner is dead. */
#include "sabway/endpoint.h"

#include "base/peer.h"
#include "core/region/endpoint.h"
#include "prim/prim.h"
#include "sabway/role.h"

/* In the claim word while a claim is made: start_low and start_high still belong to the previous
 * owner then. */
#define CLAIM_IN_PROGRESS 0x80000000u

/* Is the owner that the claim word `claim` names still there? A start time whose low word is zero
 * is unknown. */
static bool owner_alive(sw_endpoint *e, uint32_t claim) {
  if ((claim & CLAIM_IN_PROGRESS) != 0) return sw_prim_process_alive(claim & ~CLAIM_IN_PROGRESS, 0, 0);
  uint32_t low = sw_peer_load_acquire(&e->start_low);   /* pairs with [E3] */
  uint32_t high = sw_peer_load_acquire(&e->start_high); /* pairs with [E3] */
  return sw_prim_process_alive(claim, low, low == 0 ? 0 : high);
}

/* True when the owner that `claim` names is dead, and the caller is the one to take its place. The
 * claim word alone cannot decide between rivals: the next owner may have the same pid, and then a
 * slow rival would find the word that it expects, and take the endpoint a second time. So the
 * rivals compete for wiping out the dead owner's start time [E4]: one of them wins. */
static bool reclaim_if_dead(sw_endpoint *e, uint32_t claim) {
  uint32_t low = sw_peer_load_relaxed(&e->start_low);
  if (owner_alive(e, claim)) return false;
  if ((claim & CLAIM_IN_PROGRESS) != 0 || low == 0) return true;
  /* the start time may be the next owner's */
  if (sw_peer_load_relaxed(&e->pid) != claim) return false;
  return sw_compare_exchange_acq_rel(&e->start_low, &low, 0); /* [E4] */
}

int sw_endpoint_claim(void *base, uint32_t pid, uint32_t start_low, uint32_t start_high) {
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) {
    sw_endpoint *e = swi_endpoint_at(base, i);
    uint32_t owner = sw_peer_load_acquire(&e->pid); /* pairs with [E1] */
    if (owner != 0 && !reclaim_if_dead(e, owner)) continue;
    /* pairs with [E2] */
    if (!sw_compare_exchange_acq_rel(&e->pid, &owner, pid | CLAIM_IN_PROGRESS)) continue;
    sw_fetch_add_acq_rel(&e->epoch, 1);
    sw_store_relaxed(&e->sleeping, SW_AWAKE);
    sw_store_relaxed(&e->request, 0);
    sw_store_relaxed(&e->skills, 0);
    sw_store_relaxed(&e->lock_low, 0);
    /* [E3] a load that sees it also sees that the claim word changed */
    sw_store_release(&e->start_high, start_high);
    sw_store_release(&e->start_low, start_low); /* [E3] */
    /* [E1] a load that sees the plain pid sees its start time, too */
    sw_store_release(&e->pid, pid);
    return (int)i;
  }
  return SW_ECROWDED;
}

static void give_back(sw_endpoint *e) {
  sw_store_relaxed(&e->sleeping, SW_AWAKE);
  /* a relay's wake could only come to a thread that its host is tearing down */
  sw_store_relaxed(&e->request, 0);
  sw_store_relaxed(&e->skills, 0);
  sw_store_release(&e->pid, 0); /* [E2] */
}

void sw_endpoint_release(void *base, uint32_t index) {
  sw_endpoint *e = swi_endpoint_at(base, index);
  /* first, so that roles of this claim stop matching before the next claim */
  sw_fetch_add_acq_rel(&e->epoch, 1);
  give_back(e);
}

int sw_endpoint_release_role(void *base, uint32_t role) {
  sw_endpoint *e = swi_endpoint_named(base, role);
  if (e == NULL) return 0;
  uint32_t epoch = sw_peer_load_acquire(&e->epoch);
  if (!sw_role_is_of_claim(role, epoch)) return 0;
  /* [E5] lets one caller go on */
  if (!sw_compare_exchange_acq_rel(&e->epoch, &epoch, epoch + 1)) return 0;
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
  return pid != 0 && (pid & CLAIM_IN_PROGRESS) == 0 && owner_alive(e, pid);
}

int sw_endpoint_owner(const void *base, uint32_t role, sw_owner *owner) {
  sw_endpoint *e = swi_endpoint_named(base, role);
  if (e == NULL) return 0;
  owner->pid = sw_peer_load_acquire(&e->pid);               /* pairs with [E1] */
  owner->start_low = sw_peer_load_acquire(&e->start_low);   /* pairs with [E3] */
  owner->start_high = sw_peer_load_acquire(&e->start_high); /* pairs with [E3] */
  if (owner->start_low == 0) owner->start_high = 0;
  /* The epoch last: had a load above seen a part of a later claim, the epoch would have changed. */
  if (!sw_role_is_of_claim(role, sw_peer_load_relaxed(&e->epoch))) return 0;
  return owner->pid != 0 && (owner->pid & CLAIM_IN_PROGRESS) == 0;
}

bool swi_endpoint_lives(const void *base, uint32_t endpoint, uint32_t role) {
  sw_owner own, other;
  if (!sw_endpoint_owner(base, role, &other)) return false;
  if (sw_endpoint_owner(base, sw_endpoint_role(base, endpoint % SW_ENDPOINTS), &own) && own.pid == other.pid &&
      own.start_low == other.start_low && own.start_high == other.start_high)
    return true;
  return sw_endpoint_role_alive(base, role);
}
