/* Channels: where one is, and which participant holds which of its four roles.
 *
 * A role word (format: role.h) is in one of these states. Only compare-exchanges change it, so each
 * change is one step:
 *
 *   word                     state         next
 *   0                        never held    take -> held
 *   holder                   held          leave -> left; evict -> lost
 *                                          holder dead: take -> held by another
 *   SW_ROLE_GONE             left          take -> held
 *   holder | SW_ROLE_GONE    lost          take -> held
 *
 * Opening: find the channel, take the role [C1], attach to the ring, refuse a stream that this side
 * has ended. Any failure behind [C1] gives the role back. Leaving: store the role's end [C2]; the
 * ring's indices stay, so the next holder goes on where this one stopped.
 *   [C1] the role's compare-exchange pairs with [C2] in give_back: the last holder's index is seen.
 *   [F8] fence pairs with [F3] and [F7] in ring.c: change a role, then look for the slot of the
 *        other side's holder; store the slot, then look at the roles.
 *
 * What a crash leaves:
 *   of a holder   a role whose holder is dead, which the next participant takes. What it
 *                 published is kept; frames that were not published are never seen; messages that
 *                 were peeked and not released are peeked again
 *   in evict      some roles taken and some not: another participant that notices the death evicts
 *                 the rest
 *   after close   a stream that has ended for good, with a role whose holder is dead */
#include "sabway/channel.h"

#include "base/peer.h"
#include "core/region/doorbell.h"
#include "core/region/endpoint.h"
#include "sabway/endpoint.h"

static uint32_t align_line(uint32_t offset) { return (offset + SW_LINE - 1) & ~(uint32_t)(SW_LINE - 1); }

uint64_t sw_channel_bytes(uint32_t renderer_to_native, uint32_t native_to_renderer) {
  uint32_t first = sw_ring_capacity(renderer_to_native);
  uint32_t second = sw_ring_capacity(native_to_renderer);
  if (first == 0 || second == 0) return 0;
  return (uint64_t)sizeof(sw_channel) + align_line(first + SW_RING_SLACK) + align_line(second + SW_RING_SLACK);
}

int sw_channel_format(void *base, uint32_t offset, uint32_t renderer_to_native, uint32_t native_to_renderer) {
  uint32_t first = sw_ring_capacity(renderer_to_native);
  uint32_t second = sw_ring_capacity(native_to_renderer);
  if (first == 0 || second == 0) return SW_ERANGE;
  sw_channel *channel = (sw_channel *)((uint8_t *)base + offset);
  uint32_t data = offset + (uint32_t)sizeof(sw_channel);
  sw_ring_format(&channel->rings[SW_RENDERER], first, data);
  sw_ring_format(&channel->rings[SW_NATIVE], second, data + align_line(first + SW_RING_SLACK));
  sw_store_release(&channel->magic, SW_CHANNEL_MAGIC);
  return SW_OK;
}

static int find(const void *base, uint64_t size, uint32_t offset, uint32_t side, sw_channel **channel) {
  if (offset < SW_HEAP_AT || offset % SW_LINE != 0 || (uint64_t)offset + sizeof(sw_channel) > size) return SW_ERANGE;
  if (side != SW_RENDERER && side != SW_NATIVE) return SW_ERANGE;
  *channel = (sw_channel *)((uint8_t *)base + offset); /* constness is for the caller to keep */
  return sw_peer_load_acquire(&(*channel)->magic) == SW_CHANNEL_MAGIC ? SW_OK : SW_ENOTREGION;
}

/* Put `role` into the word unless a living participant is there. A dead holder may be evicted
 * meanwhile, which is a reason to try again. The tries are bounded: a peer that goes on changing
 * the word is hostile. */
static int take(void *base, uint32_t *word, uint32_t *slot, uint32_t role) {
  uint32_t holder = sw_peer_load_acquire(word); /* pairs with [C2] */
  for (int tries = 0; tries < 4; tries++) {
    if (holder == role || sw_endpoint_role_alive(base, holder)) return SW_ETAKEN;
    if (!sw_compare_exchange_acq_rel(word, &holder, role)) continue; /* [C1] */
    sw_store_relaxed(slot, sw_slot_word(role, 0));
    return SW_OK;
  }
  return SW_ETAKEN;
}

/* Only while the word still names `role`: a holder that was taken for dead may come back late.
 * `state` is what the word becomes. */
static void give_back(uint32_t *word, uint32_t role, uint32_t state) {
  sw_compare_exchange_acq_rel(word, &role, state); /* [C2] */
}

/* A side that has ended its stream cannot be taken anew: the other side was told that no more
 * comes. The look is behind [C1], and the last holder closed before it left, so the end is seen. */
static int refuse_closed(const sw_ring *ring, uint32_t by) {
  return (sw_peer_load_relaxed(&ring->closed) & by) != 0 ? SW_ECLOSED : SW_OK;
}

int sw_channel_open_producer(sw_producer *p, void *base, uint64_t size, uint32_t offset, uint32_t side,
                             uint32_t index) {
  sw_channel *channel;
  int status = find(base, size, offset, side, &channel);
  if (status != SW_OK) return status;
  sw_ring *ring = &channel->rings[sw_ring_from(side)];
  uint32_t role = sw_endpoint_role(base, index);
  status = take(base, &ring->producer, &ring->producer_slot, role);
  if (status != SW_OK) return status;
  status = sw_producer_attach(p, base, size, ring, role);
  if (status == SW_OK) status = refuse_closed(ring, SW_CLOSED_BY_PRODUCER);
  if (status != SW_OK) give_back(&ring->producer, role, SW_ROLE_GONE);
  return status;
}

int sw_channel_open_consumer(sw_consumer *c, void *base, uint64_t size, uint32_t offset, uint32_t side,
                             uint32_t index) {
  sw_channel *channel;
  int status = find(base, size, offset, side, &channel);
  if (status != SW_OK) return status;
  sw_ring *ring = &channel->rings[sw_ring_towards(side)];
  uint32_t role = sw_endpoint_role(base, index);
  status = take(base, &ring->consumer, &ring->consumer_slot, role);
  if (status != SW_OK) return status;
  status = sw_consumer_attach(c, base, size, ring, role);
  if (status == SW_OK) status = refuse_closed(ring, SW_CLOSED_BY_CONSUMER);
  if (status != SW_OK) give_back(&ring->consumer, role, SW_ROLE_GONE);
  return status;
}

void sw_producer_leave(sw_producer *p) { give_back(&p->ring->producer, p->role, SW_ROLE_GONE); }

void sw_consumer_leave(sw_consumer *c) { give_back(&c->ring->consumer, c->role, SW_ROLE_GONE); }

static void evict(void *base, uint64_t size, uint32_t offset, uint32_t role) {
  sw_channel *channel;
  if (find(base, size, offset, SW_RENDERER, &channel) != SW_OK) return;
  for (int i = 0; i < 2; i++) {
    give_back(&channel->rings[i].producer, role, role | SW_ROLE_GONE);
    give_back(&channel->rings[i].consumer, role, role | SW_ROLE_GONE);
  }
  sw_fence_handshake(); /* [F8] */
  for (int i = 0; i < 2; i++) {
    sw_ring *ring = &channel->rings[i];
    swi_doorbell_wake_holder(base, sw_peer_load_relaxed(&ring->producer), sw_peer_load_relaxed(&ring->producer_slot));
    swi_doorbell_wake_holder(base, sw_peer_load_relaxed(&ring->consumer), sw_peer_load_relaxed(&ring->consumer_slot));
  }
}

void sw_channel_ring_holders(void *base, uint64_t size, uint32_t offset, uint32_t side) {
  sw_channel *channel;
  if (find(base, size, offset, side, &channel) != SW_OK) return;
  sw_ring *from = &channel->rings[sw_ring_from(side)], *towards = &channel->rings[sw_ring_towards(side)];
  sw_fence_handshake(); /* [F8] */
  swi_doorbell_ring_holder(base, sw_peer_load_relaxed(&towards->consumer),
                           sw_peer_load_relaxed(&towards->consumer_slot));
  swi_doorbell_ring_holder(base, sw_peer_load_relaxed(&from->producer), sw_peer_load_relaxed(&from->producer_slot));
}

void sw_channel_evict(void *base, uint64_t size, uint32_t offset, uint32_t index) {
  evict(base, size, offset, sw_endpoint_role(base, index));
}

void sw_channel_evict_role(void *base, uint64_t size, uint32_t offset, uint32_t role) {
  if (swi_endpoint_named(base, role) == NULL) return;
  evict(base, size, offset, role);
  sw_endpoint_wake_always(base, role); /* in case it lives: it may be asleep */
}

uint32_t sw_channel_role(const void *base, uint64_t size, uint32_t offset, uint32_t number) {
  sw_channel *channel;
  if (number >= SW_ROLES || find(base, size, offset, SW_RENDERER, &channel) != SW_OK) return 0;
  sw_ring *ring = &channel->rings[sw_role_ring(number)];
  return sw_peer_load_acquire(sw_role_is_producer(number) ? &ring->producer : &ring->consumer);
}

int sw_channel_check(const void *base, uint64_t size, uint32_t offset) {
  sw_channel *channel;
  if (find(base, size, offset, SW_RENDERER, &channel) != SW_OK) return SW_ECORRUPT;
  for (int i = 0; i < 2; i++) {
    const sw_ring *ring = &channel->rings[i];
    if (!sw_role_is_possible(sw_peer_load_relaxed(&ring->producer))) return SW_ECORRUPT;
    if (!sw_role_is_possible(sw_peer_load_relaxed(&ring->consumer))) return SW_ECORRUPT;
    if (sw_ring_check(base, size, ring) != SW_OK) return SW_ECORRUPT;
  }
  return SW_OK;
}
