#include "sabway/channel.h"

#include "base/peer.h"
#include "core/core.h"
#include "sabway/endpoint.h"

/* [C1] the role's compare-exchange pairs with [C2] in leave: the last holder's index is seen by the next one. */

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

static int find(void *base, uint64_t size, uint32_t offset, uint32_t side, sw_channel **channel) {
  if (offset < SW_HEAP_AT || offset % SW_LINE != 0 || (uint64_t)offset + sizeof(sw_channel) > size) return SW_ERANGE;
  if (side != SW_RENDERER && side != SW_NATIVE) return SW_ERANGE;
  *channel = (sw_channel *)((uint8_t *)base + offset);
  return sw_peer_load_acquire(&(*channel)->magic) == SW_CHANNEL_MAGIC ? SW_OK : SW_ENOTREGION;
}

/* Put `role` into the word unless a living participant is there. A dead one's may be taken away meanwhile, which is no
 * reason to give up; whoever does that more than a few times is no honest peer. */
static int take(void *base, uint32_t *word, uint32_t role) {
  uint32_t holder = sw_peer_load_acquire(word); /* pairs with [C2] */
  for (int tries = 0; tries < 4; tries++) {
    if (holder == role || sw_endpoint_role_alive(base, holder)) return SW_ETAKEN;
    if (sw_compare_exchange_acq_rel(word, &holder, role)) return SW_OK; /* [C1] */
  }
  return SW_ETAKEN;
}

/* Only while it is still ours: a host that was taken for dead may come back late. `state` is what the word says
 * then. */
static void give_back(uint32_t *word, uint32_t role, uint32_t state) {
  sw_compare_exchange_acq_rel(word, &role, state); /* [C2] */
}

/* A side that has ended its stream cannot be taken anew: the other side was told that no more comes. It is asked while
 * the role is held, and the role's last holder closed before it left: [C1] orders the two. */
static int refuse_closed(const sw_ring *ring, uint32_t by) {
  return (sw_peer_load_relaxed(&ring->closed) & by) != 0 ? SW_ECLOSED : SW_OK;
}

int sw_channel_open_producer(sw_producer *p, void *base, uint64_t size, uint32_t offset, uint32_t side,
                             uint32_t index) {
  sw_channel *channel;
  int status = find(base, size, offset, side, &channel);
  if (status != SW_OK) return status;
  sw_ring *ring = &channel->rings[side];
  uint32_t role = sw_endpoint_role(base, index);
  status = take(base, &ring->producer, role);
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
  sw_ring *ring = &channel->rings[1 - side];
  uint32_t role = sw_endpoint_role(base, index);
  status = take(base, &ring->consumer, role);
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
    sw_endpoint_alarm(base, sw_peer_load_relaxed(&channel->rings[i].producer));
    sw_endpoint_alarm(base, sw_peer_load_relaxed(&channel->rings[i].consumer));
  }
}

void sw_channel_evict(void *base, uint64_t size, uint32_t offset, uint32_t index) {
  evict(base, size, offset, sw_endpoint_role(base, index));
}

void sw_channel_evict_role(void *base, uint64_t size, uint32_t offset, uint32_t role) {
  if (swi_endpoint_named(base, role) == NULL) return;
  evict(base, size, offset, role);
  sw_endpoint_alarm(base, role); /* it may live: then it sleeps until its next look */
}

uint32_t sw_channel_role(const void *base, uint64_t size, uint32_t offset, uint32_t which) {
  sw_channel *channel;
  if (which >= SW_ROLES || find((void *)base, size, offset, SW_RENDERER, &channel) != SW_OK) return 0;
  sw_ring *ring = &channel->rings[which % 2];
  return sw_peer_load_acquire(which < 2 ? &ring->producer : &ring->consumer);
}

static bool role_can_be(uint32_t role) { return (role & 0xff & ~(uint32_t)SW_ROLE_GONE) <= SW_ENDPOINTS; }

int sw_channel_check(const void *base, uint64_t size, uint32_t offset) {
  sw_channel *channel;
  if (find((void *)base, size, offset, SW_RENDERER, &channel) != SW_OK) return SW_ECORRUPT;
  for (int i = 0; i < 2; i++) {
    const sw_ring *ring = &channel->rings[i];
    if (!role_can_be(sw_peer_load_relaxed(&ring->producer))) return SW_ECORRUPT;
    if (!role_can_be(sw_peer_load_relaxed(&ring->consumer))) return SW_ECORRUPT;
    if (sw_ring_check(base, size, ring) != SW_OK) return SW_ECORRUPT;
  }
  return SW_OK;
}
