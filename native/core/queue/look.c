/* Queues: looking at them, the blocks that they own, and freeing them. See queue.c. */
#include "core/queue/queue.h"

/* ---- looking ---- */

/* The first value of the level, which stays there: as sw_queue_peek. */
static int peek_level(sw_queue_handle *q, sw_heap *h, uint32_t level, void *to, uint32_t room) {
  swi_ncq ring = swi_queue_level(q, h, level);
  for (swi_ncq_patience p = {0};;) {
    uint64_t head, seen;
    int status = swi_ncq_find_head(&ring, &head, &seen);
    if (status != 1) return status;
    int type = swi_item_peek(q, h, (uint32_t)seen, to, room);
    sw_fence_handshake(); /* what was copied was read before this look */
    if (sw_peer_load64_acquire(&ring.ring->head) == head) return type;
    status = swi_ncq_again(&p, head);
    if (status != SW_OK) return status;
  }
}

int sw_queue_peek(sw_queue_handle *q, sw_heap *h, void *to, uint32_t room) {
  if (!swi_queue_is_there(q, h)) return swi_queue_why(q, h);
  if (swi_queue_is_unbuffered(q)) return swi_offer_is_closed(q, h) ? SW_ECLOSED : 0;
  if (q->flags == SW_QUEUE_SORTED) return swi_sorted_peek(q, h, to, room);
  if (q->flags == SW_QUEUE_ACK) return swi_ack_peek(q, h, to, room);
  int status = 0;
  uint32_t closed = 0;
  for (uint32_t level = q->levels; status == 0 && level-- > 0;) {
    status = peek_level(q, h, level, to, room);
    if (status != SW_ECLOSED) continue;
    closed++;
    status = 0;
  }
  return status == 0 && closed == q->levels ? SW_ECLOSED : status;
}

uint32_t sw_queue_size(const sw_queue_handle *q, const sw_heap *h) {
  if (!swi_queue_is_there(q, h)) return 0;
  if (q->flags == SW_QUEUE_SORTED) return swi_sorted_size(q, h);
  uint32_t size = 0;
  for (uint32_t level = 0; level < q->levels; level++) {
    swi_ncq ring = swi_queue_level(q, h, level);
    size += swi_ncq_size(&ring);
  }
  if (q->flags != SW_QUEUE_ACK) return size;
  swi_ncq again = swi_queue_again(q, h);
  size += swi_ncq_size(&again);
  return size < q->capacity ? size : q->capacity;
}

/* ---- freeing ---- */

uint32_t sw_queue_block(const sw_queue_handle *q, const sw_heap *h, uint32_t index) {
  uint32_t value = 0;
  if (index == 0) return q->rings;
  index--;
  swi_ncq spares = swi_queue_spares(q, h);
  if (index < SW_QUEUE_SPARES) {
    uint64_t head = sw_peer_load64_acquire(&spares.ring->head);
    uint64_t seen = sw_peer_load64_acquire(swi_ncq_slot(&spares, head + index));
    return (uint32_t)(seen >> 32) == swi_ncq_cycle(&spares, head + index) ? (uint32_t)seen : q->rings;
  }
  index -= SW_QUEUE_SPARES;
  if (swi_queue_is_unbuffered(q)) {
    if (index >= 2 * swi_offer_bytes() / sizeof(sw_queue_place)) return 0;
    value = swi_offer_value(q, h, index);
    return value != 0 && value % SW_HEAP_UNIT == 0 ? value : q->rings;
  }
  if (index >= q->capacity * (q->levels == 0 ? 1 : q->levels)) return 0;
  if (q->flags == SW_QUEUE_ACK) {
    value = swi_ack_value(q, h, index);
  } else if (q->flags == SW_QUEUE_SORTED) {
    value = swi_sorted_value(q, h, index);
  } else {
    swi_ncq ring = swi_queue_level(q, h, index / q->capacity);
    uint64_t at = sw_peer_load64_acquire(&ring.ring->head) + index % q->capacity;
    uint64_t seen = sw_peer_load64_acquire(swi_ncq_slot(&ring, at));
    bool there = (uint32_t)(seen >> 32) == swi_ncq_cycle(&ring, at) && (uint32_t)seen != SWI_NCQ_END;
    value = there ? (uint32_t)seen : 0;
  }
  return value != 0 && value % SW_HEAP_UNIT == 0 ? value : q->rings;
}

/* No value comes into the ring any more, and the one that takes a value frees it: it may be a
 * participant whose call has begun before. */
static void end_ring(sw_heap *h, const swi_ncq *ring) {
  uint32_t value;
  swi_ncq_put(ring, SWI_NCQ_END);
  for (uint32_t i = 0; i < (uint32_t)1 << ring->order && swi_ncq_take(ring, &value) == 1; i++) {
    if (value == 0 || value % SW_HEAP_UNIT != 0) continue;
    sw_fence_handshake(); /* for a look at the first value, as the fence of swi_queue_ring */
    sw_heap_free(h, value);
  }
}

int sw_queue_free(sw_queue_handle *q, sw_heap *h) {
  uint32_t type = (uint32_t)q->life, generation = (uint32_t)(q->life >> 32);
  int status =
      q->flags == SW_QUEUE_SORTED ? swi_sorted_begin_free(q, h) : sw_object_begin_free(h, q->at, type, generation);
  if (status != SW_OK) return status;
  q->held = 0;
  if (q->flags == SW_QUEUE_ACK) swi_ack_clear(q, h);
  for (uint32_t level = 0; level < q->levels && q->flags == 0; level++) {
    swi_ncq ring = swi_queue_level(q, h, level);
    end_ring(h, &ring);
  }
  bool ended = !swi_queue_is_unbuffered(q) || swi_offer_clear(q, h);
  swi_ncq spares = swi_queue_spares(q, h);
  end_ring(h, &spares);
  for (uint32_t i = 0; i < 2; i++) swi_waits_ring_all(h->base, &swi_queue_of(q, h)->waitable.waits[i]);
  sw_object_end_free(h, q->at);
  if (ended) sw_heap_free(h, q->rings);
  q->life = 0;
  return SW_OK;
}

/* ---- for tools ---- */

static int check_ring(const swi_ncq *ring) {
  uint64_t head = sw_peer_load64_acquire(&ring->ring->head), tail = sw_peer_load64_acquire(&ring->ring->tail);
  int64_t size = (int64_t)(tail - head);
  if (size < -1 || size > (int64_t)ring->capacity) return SW_ECORRUPT;
  for (uint32_t i = 0; i < (uint32_t)1 << ring->order; i++) {
    uint64_t seen = sw_peer_load64_acquire(swi_ncq_slot(ring, head + i));
    uint32_t ahead = (uint32_t)(seen >> 32) - swi_ncq_cycle(ring, head + i);
    bool filled = (int64_t)i < size, at_tail = (int64_t)i == size || (size < 0 && i == 0);
    if (ahead != 0 && ahead != UINT32_MAX) return SW_ECORRUPT;
    if (!at_tail && (ahead == 0) != filled) return SW_ECORRUPT;
  }
  return SW_OK;
}

int sw_queue_check(sw_queue_handle *q, sw_heap *h) {
  if (!swi_queue_is_there(q, h)) return swi_queue_why(q, h);
  swi_ncq spares = swi_queue_spares(q, h);
  int status = check_ring(&spares);
  for (uint32_t level = 0; level < q->levels && status == SW_OK; level++) {
    swi_ncq ring = swi_queue_level(q, h, level);
    status = check_ring(&ring);
  }
  if (swi_queue_is_unbuffered(q) && status == SW_OK) status = swi_offer_check(q, h);
  if (q->flags == SW_QUEUE_SORTED && status == SW_OK) status = swi_sorted_check(q, h);
  for (uint32_t i = 0; status == SW_OK; i++) {
    uint32_t block = sw_queue_block(q, h, i);
    if (block == 0) break;
    if (sw_heap_usable(h, block) == 0) status = SW_ECORRUPT;
  }
  return status;
}
