/* Doorbells: how the owner of an endpoint goes to sleep, and how a waker ends that sleep.
 *
 * sw_endpoint.sleeping has two states, and sw_endpoint.doorbell only counts up:
 *
 *   sleeping                        state    next
 *   SW_AWAKE                        awake    owner: arm -> armed
 *   ticket, kind, SW_SLEEP_QUIET    armed    owner: disarm -> awake
 *                                            waker, after it has rung: -> awake
 *
 *   the owner                                     a waker
 *     ticket = doorbell                  [Q2]       publish the work
 *     sleeping = ticket, kind                       fence                              [F2]
 *     fence                              [F1]       if sleeping is armed:
 *     look for work once more                         count the doorbell up
 *     sleep while doorbell is the ticket              wake by the kind, or ask a relay
 *     sleeping = awake                                compare-exchange sleeping -> awake
 *
 * The fences put one of the two looks behind the other's store: either the owner sees the work, or
 * the waker sees the owner armed. The compare-exchange ends only the sleep that this ring was for,
 * because the armed word carries the doorbell's value, and a later sleep has a later one. So one
 * sleep costs one system call.
 *
 * What a crash of the waker leaves:
 *   after publishing    work that is not rung for: seen at the owner's next look
 *   after counting up   an armed owner. One that is not asleep yet does not go to sleep; one that
 *                       is asleep is rung by the next waker
 *   after waking        an owner that is awake and armed until it disarms: rung for nothing
 *
 * The first two last until the dead waker is evicted, which wakes its peers by every means, or
 * until a sleeper with a peer in another process looks by itself (sw_wait_limit_ms). A crash of the
 * owner leaves the word armed: the next claim resets it. */
#include "core/region/doorbell.h"

#include "base/peer.h"
#include "core/region/endpoint.h"
#include "core/region/relay.h"
#include "prim/prim.h"
#include "sabway/endpoint.h"
#include "sabway/ready.h"
#include "sabway/role.h"

/* The parts of sw_endpoint.sleeping: bits 0-1 are the kind (enum sw_sleep), bit 2 is
 * SW_SLEEP_QUIET, and the rest is the doorbell's value when the endpoint was armed. */
enum { SLEEP_KIND = 3, SLEEP_BITS = 3 };

uint32_t sw_endpoint_arm(void *base, uint32_t index, uint32_t how) {
  sw_endpoint *e = swi_endpoint_at(base, index);
  /* [Q2] before arming: a ring from now on changes it */
  uint32_t ticket = sw_peer_load_acquire(&e->doorbell);
  sw_store_release(&e->sleeping, ticket << SLEEP_BITS | how);
  /* [F1] pairs with [F2] in ring.c: arm, then look; publish, then look whether armed */
  sw_fence_handshake();
  return ticket;
}

void sw_endpoint_disarm(void *base, uint32_t index) {
  sw_store_release(&swi_endpoint_at(base, index)->sleeping, SW_AWAKE);
}

int sw_endpoint_is_armed(const void *base, uint32_t index) {
  return sw_peer_load_relaxed(&swi_endpoint_at(base, index)->sleeping) != SW_AWAKE;
}

uint32_t *sw_endpoint_doorbell(void *base, uint32_t index) { return &swi_endpoint_at(base, index)->doorbell; }

/* Functions that a message to an awake consumer does not come by: a page loads each once. */
#define SELDOM __attribute__((noinline))

static SELDOM void end_sleep(void *base, sw_endpoint *e, uint32_t armed) {
  uint32_t rings = sw_fetch_add_acq_rel(&e->doorbell, 1) + 1;
  if (!sw_prim_wake(&e->doorbell, armed & SLEEP_KIND)) swi_relay_ask(base, e, rings);
  /* failure: the sleeper has disarmed or armed anew */
  sw_compare_exchange_acq_rel(&e->sleeping, &armed, SW_AWAKE);
}

/* `unless`: a bit of `sleeping` that lets the owner sleep on. An owner that goes from a quiet sleep
 * to another arms anew, so the handshake of [F1] and [F2] covers it: either the owner's second look
 * sees the message, or the waker the new arm. */
static void ring_unless(void *base, sw_endpoint *e, uint32_t unless) {
  uint32_t armed = sw_peer_load_relaxed(&e->sleeping);
  if (armed != SW_AWAKE && (armed & unless) == 0) end_sleep(base, e, armed);
}

static SELDOM void wake_always(void *base, sw_endpoint *e) {
  uint32_t rings = sw_fetch_add_acq_rel(&e->doorbell, 1) + 1;
  /* All three, because the owner may sleep in any of these ways: a relay is left what this thread
   * has no means for. */
  bool loop = sw_prim_wake(&e->doorbell, SW_SLEEP_LOOP);
  bool atomics = sw_prim_wake(&e->doorbell, SW_SLEEP_ATOMICS);
  bool futex = sw_prim_wake(&e->doorbell, SW_SLEEP_FUTEX);
  if (!loop || !atomics || !futex) swi_relay_ask(base, e, rings);
}

/* Mark what the holder's slot word says; everything, when the word is of another holder. */
static SELDOM void mark(void *base, uint32_t role, uint32_t told) {
  if (told > (SW_SLOT_QUIET | (SW_SLOT_QUIET - 1))) told = SW_READY_ALL;
  /* not idle: its holder looks at it before each sleep */
  else if ((told & ~(uint32_t)SW_SLOT_QUIET) == 0) return;
  sw_ready_mark(base, sw_role_index(role), told & ~(uint32_t)SW_SLOT_QUIET);
}

void swi_doorbell_ring_for_message(void *base, uint32_t role, uint32_t slot_word) {
  sw_endpoint *e = swi_endpoint_named(base, role);
  if (e == NULL) return;
  uint32_t told = sw_slot_for(role, slot_word);
  if (told != 0) {
    if (told >> SW_SLOT_ROLE_AT == 0 && (told & SW_SLOT_QUIET) != 0) return;
    mark(base, role, told);
  }
  ring_unless(base, e, SW_SLEEP_QUIET);
}

void swi_doorbell_ring_holder(void *base, uint32_t role, uint32_t slot_word) {
  sw_endpoint *e = swi_endpoint_named(base, role);
  if (e == NULL) return;
  mark(base, role, sw_slot_for(role, slot_word));
  ring_unless(base, e, 0);
}

void swi_doorbell_wake_holder(void *base, uint32_t role, uint32_t slot_word) {
  sw_endpoint *e = swi_endpoint_named(base, role);
  if (e == NULL) return;
  mark(base, role, sw_slot_for(role, slot_word));
  wake_always(base, e);
}

void swi_doorbell_ring_slot(void *base, uint32_t role, uint32_t slot) {
  sw_endpoint *e = swi_endpoint_named(base, role);
  if (e == NULL) return;
  sw_ready_mark(base, sw_role_index(role), slot);
  ring_unless(base, e, 0);
}

void sw_endpoint_ring(void *base, uint32_t role) { swi_doorbell_ring_slot(base, role, SW_READY_ALL); }

void sw_endpoint_wake_always(void *base, uint32_t role) {
  sw_endpoint *e = swi_endpoint_named(base, role);
  if (e == NULL) return;
  sw_ready_mark(base, sw_role_index(role), SW_READY_ALL);
  wake_always(base, e);
}
