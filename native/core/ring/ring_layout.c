/* The ring's bytes: making a ring, attaching to one, and walking its frames. */
#include "base/peer.h"
#include "core/ring/frame.h"
#include "sabway/ring.h"

uint32_t sw_ring_capacity(uint32_t wanted) {
  if (wanted < SW_RING_MIN || wanted > SW_RING_MAX) return 0;
  uint32_t capacity = SW_RING_MIN;
  while (capacity < wanted) capacity *= 2;
  return capacity;
}

void sw_ring_format(sw_ring *ring, uint32_t capacity, uint32_t data, uint32_t roles) {
  sw_store_relaxed(&ring->capacity, capacity);
  sw_store_relaxed(&ring->data, data);
  sw_store_relaxed(&ring->closed, 0);
  sw_store_relaxed(&ring->consumer_slot, 0);
  sw_store_relaxed(&ring->producer_slot, 0);
  sw_store_relaxed(&ring->head, 0);
  sw_store_relaxed(&ring->tail, 0);
  sw_store_relaxed(&ring->want_space, 0);
  /* [C4] last, where a channel was before: a participant that takes a role sees the rest */
  sw_store_release(&ring->producer, roles);
  sw_store_release(&ring->consumer, roles);
}

/* Are a ring's fixed words possible inside a region of `size` bytes? Fills private copies. */
static int read_bounds(const sw_ring *ring, uint64_t size, uint32_t *capacity, uint32_t *data) {
  *capacity = sw_peer_load_relaxed(&ring->capacity);
  *data = sw_peer_load_relaxed(&ring->data);
  if (*capacity == 0 || sw_ring_capacity(*capacity) != *capacity) return SW_ECORRUPT;
  if (*data < SW_HEAP_AT || *data % SW_LINE != 0) return SW_ECORRUPT;
  if ((uint64_t)*data + *capacity + SW_RING_SLACK > size) return SW_ECORRUPT;
  return SW_OK;
}

int sw_producer_attach(sw_producer *p, void *base, uint64_t size, sw_ring *ring, uint32_t role) {
  uint32_t capacity, data;
  if (read_bounds(ring, size, &capacity, &data) != SW_OK) return SW_ECORRUPT;
  uint32_t head = sw_peer_load_acquire(&ring->head);
  uint32_t tail = sw_peer_load_acquire(&ring->tail);
  if (head - tail > capacity || (head | tail) % SW_ALIGN != 0) return SW_ECORRUPT;
  *p = (sw_producer){.base = base,
                     .ring = ring,
                     .data = (uint8_t *)base + data,
                     .capacity = capacity,
                     .head = head,
                     .published = head,
                     .tail_seen = tail,
                     .role = role};
  return SW_OK;
}

int sw_consumer_attach(sw_consumer *c, void *base, uint64_t size, sw_ring *ring, uint32_t role) {
  uint32_t capacity, data;
  if (read_bounds(ring, size, &capacity, &data) != SW_OK) return SW_ECORRUPT;
  uint32_t tail = sw_peer_load_acquire(&ring->tail);
  uint32_t head = sw_peer_load_acquire(&ring->head);
  if (head - tail > capacity || (head | tail) % SW_ALIGN != 0) return SW_ECORRUPT;
  *c = (sw_consumer){.base = base,
                     .ring = ring,
                     .data = (uint8_t *)base + data,
                     .capacity = capacity,
                     .tail = tail,
                     .cursor = tail,
                     .head_seen = tail,
                     .role = role};
  return SW_OK;
}

int sw_ring_check(const void *base, uint64_t size, const sw_ring *ring) {
  uint32_t capacity, data;
  if (read_bounds(ring, size, &capacity, &data) != SW_OK) return SW_ECORRUPT;
  uint32_t head = sw_peer_load_acquire(&ring->head);
  uint32_t tail = sw_peer_load_acquire(&ring->tail);
  if (head - tail > capacity || (head | tail) % SW_ALIGN != 0) return SW_ECORRUPT;
  while (tail != head) {
    swi_frame_view frame;
    if (!swi_frame_read((const uint8_t *)base + data, capacity, tail, head - tail, &frame)) return SW_ECORRUPT;
    tail += frame.bytes;
  }
  return SW_OK;
}
