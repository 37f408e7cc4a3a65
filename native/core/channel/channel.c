/* Channels: where one is, and which participant holds which of its four roles.
 *
 * A role word (format: role.h) is in one of these states. Only compare-exchanges change it, so each
 * change is one step:
 *
 *   word                     state         next
 *   0, or the generation     never held    take -> held
 *   holder                   held          leave -> left, ended; evict -> lost
 *                                          holder dead: take -> held by another
 *   SW_ROLE_GONE             left          take -> held
 *   holder | SW_ROLE_GONE    lost          take -> held
 *   SW_ROLE_ENDED            ended         none
 *
 * Opening: find the channel, take the role [C1] unless this side has ended the stream, make sure
 * that the channel is not being freed [C3], attach to the ring. Any failure behind [C1] gives the
 * role back. Leaving: store the role's end [C2]; the ring's indices stay, so the next holder goes
 * on where this one stopped.
 *   [C1] the role's compare-exchange pairs with [C2] in give_back: the last holder's index is seen.
 *   [F8] fence pairs with [F3] and [F7] in ring.c: change a role, then look for the slot of the
 *        other side's holder; store the slot, then look at the roles.
 *   [C3] the fence between the exchange and the look at the channel's life pairs with [O1] in
 *        objects/heap_channel.c: either the freer sees the role, or this sees the freer.
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
#include "core/channel/life.h"
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

void swi_channel_write(sw_channel *channel, uint32_t generation, uint32_t first, uint32_t second, uint32_t data) {
  uint32_t never = swi_life_no_role(generation);
  sw_ring_format(&channel->rings[SW_RENDERER], first, data, never);
  sw_ring_format(&channel->rings[SW_NATIVE], second, data + align_line(first + SW_RING_SLACK), never);
  sw_store64_release(&channel->life, swi_life_of(generation, 0));
  sw_store_release(&channel->magic, SW_CHANNEL_MAGIC);
}

int sw_channel_format(void *base, uint32_t offset, uint32_t renderer_to_native, uint32_t native_to_renderer) {
  uint32_t first = sw_ring_capacity(renderer_to_native);
  uint32_t second = sw_ring_capacity(native_to_renderer);
  if (first == 0 || second == 0) return SW_ERANGE;
  sw_channel *channel = (sw_channel *)((uint8_t *)base + offset);
  swi_channel_write(channel, 0, first, second, offset + (uint32_t)sizeof(sw_channel));
  return SW_OK;
}

static int find(const void *base, uint64_t size, uint32_t offset, uint32_t side, sw_channel **channel) {
  *channel = swi_channel_at(base, size, offset);
  if (*channel == NULL || (side != SW_RENDERER && side != SW_NATIVE)) return SW_ERANGE;
  return sw_peer_load_acquire(&(*channel)->magic) == SW_CHANNEL_MAGIC ? SW_OK : SW_ENOTREGION;
}

/* Of a ring: the role that a participant takes. */
typedef struct place {
  sw_channel *channel;
  uint32_t generation; /* that the caller wants; zero: any */
  sw_ring *ring;
  uint32_t *word;
  uint32_t *slot;
  uint32_t closes; /* the bit by which its holder closes the ring */
} place;

/* Has its holder, or one before, said that there is no more? */
static bool is_ended(const place *p, uint32_t word) {
  return word == SW_ROLE_ENDED || (sw_peer_load_relaxed(&p->ring->closed) & p->closes) != 0;
}

/* Put `role` into the word unless a living participant is there. A dead holder may be evicted
 * meanwhile, which is a reason to try again. The tries are bounded: a peer that goes on changing
 * the word is hostile. What is found before the exchange is so at the exchange: a word of another
 * generation, or of a role that has ended, is another word. */
static int take(void *base, const place *p, uint32_t role) {
  uint32_t holder = sw_peer_load_acquire(p->word); /* pairs with [C2], [C4] */
  for (int tries = 0; tries < 4; tries++) {
    if (!swi_life_is_of(sw_peer_load64_relaxed(&p->channel->life), p->generation)) return SW_ECLOSED;
    if (holder == role || sw_endpoint_role_alive(base, holder)) return SW_ETAKEN;
    if (is_ended(p, holder)) return SW_ECLOSED;
    if (sw_compare_exchange_acq_rel(p->word, &holder, role)) return SW_OK; /* [C1] */
  }
  return SW_ETAKEN;
}

/* The role is taken: is it one of a channel that stays? One that a freer is looking at stays. */
static int admit(const place *p) {
  sw_fence_handshake(); /* [C3] */
  uint64_t life = sw_peer_load64_acquire(&p->channel->life);
  for (int tries = 0; tries < SW_ENDPOINTS; tries++) {
    if (!swi_life_is_of(life, p->generation)) return SW_ECLOSED;
    if (swi_life_state(life) == 0) return SW_OK;
    uint64_t open = swi_life_of(swi_life_generation(life), 0);
    if (sw_compare_exchange64_acq_rel(&p->channel->life, &life, open)) return SW_OK;
  }
  return SW_ECORRUPT;
}

/* Only while the word still names `role`: a holder that was taken for dead may come back late.
 * `state` is what the word becomes. */
static void give_back(uint32_t *word, uint32_t role, uint32_t state) {
  sw_compare_exchange_acq_rel(word, &role, state); /* [C2] */
}

int sw_channel_open_producer(sw_producer *p, void *base, uint64_t size, uint32_t offset, uint32_t generation,
                             uint32_t side, uint32_t index) {
  sw_channel *channel;
  int status = find(base, size, offset, side, &channel);
  if (status != SW_OK) return status;
  sw_ring *ring = &channel->rings[sw_ring_from(side)];
  place at = {channel, generation, ring, &ring->producer, &ring->producer_slot, SW_CLOSED_BY_PRODUCER};
  uint32_t role = sw_endpoint_role(base, index);
  status = take(base, &at, role);
  if (status != SW_OK) return status;
  status = admit(&at);
  if (status == SW_OK) sw_store_relaxed(at.slot, sw_slot_word(role, 0));
  if (status == SW_OK) status = sw_producer_attach(p, base, size, ring, role);
  if (status != SW_OK) give_back(&ring->producer, role, SW_ROLE_GONE);
  return status;
}

int sw_channel_open_consumer(sw_consumer *c, void *base, uint64_t size, uint32_t offset, uint32_t generation,
                             uint32_t side, uint32_t index) {
  sw_channel *channel;
  int status = find(base, size, offset, side, &channel);
  if (status != SW_OK) return status;
  sw_ring *ring = &channel->rings[sw_ring_towards(side)];
  place at = {channel, generation, ring, &ring->consumer, &ring->consumer_slot, SW_CLOSED_BY_CONSUMER};
  uint32_t role = sw_endpoint_role(base, index);
  status = take(base, &at, role);
  if (status != SW_OK) return status;
  status = admit(&at);
  if (status == SW_OK) sw_store_relaxed(at.slot, sw_slot_word(role, 0));
  if (status == SW_OK) status = sw_consumer_attach(c, base, size, ring, role);
  if (status != SW_OK) give_back(&ring->consumer, role, SW_ROLE_GONE);
  return status;
}

/* What a role becomes that its holder gives back. */
static uint32_t left(const sw_ring *ring, uint32_t closes) {
  return (sw_peer_load_relaxed(&ring->closed) & closes) != 0 ? SW_ROLE_ENDED : SW_ROLE_GONE;
}

void sw_producer_leave(sw_producer *p) { give_back(&p->ring->producer, p->role, left(p->ring, SW_CLOSED_BY_PRODUCER)); }

void sw_consumer_leave(sw_consumer *c) { give_back(&c->ring->consumer, c->role, left(c->ring, SW_CLOSED_BY_CONSUMER)); }

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

uint32_t sw_channel_generation(const void *base, uint64_t size, uint32_t offset) {
  sw_channel *channel;
  if (find(base, size, offset, SW_RENDERER, &channel) != SW_OK) return 0;
  uint64_t life = sw_peer_load64_relaxed(&channel->life);
  return swi_life_is_open(life) ? swi_life_generation(life) : 0;
}

int sw_channel_check(const void *base, uint64_t size, uint32_t offset) {
  sw_channel *channel;
  if (find(base, size, offset, SW_RENDERER, &channel) != SW_OK) return SW_ECORRUPT;
  if (!swi_life_is_open(sw_peer_load64_relaxed(&channel->life))) return SW_ECLOSED;
  for (int i = 0; i < 2; i++) {
    const sw_ring *ring = &channel->rings[i];
    if (!sw_role_is_possible(sw_peer_load_relaxed(&ring->producer))) return SW_ECORRUPT;
    if (!sw_role_is_possible(sw_peer_load_relaxed(&ring->consumer))) return SW_ECORRUPT;
    if (sw_ring_check(base, size, ring) != SW_OK) return SW_ECORRUPT;
  }
  return SW_OK;
}
