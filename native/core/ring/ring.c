#include "sabway/ring.h"

#include "base/burn.h"
#include "base/peer.h"
#include "core/region/doorbell.h"
#include "core/ring/frame.h"
#include "sabway/role.h"

/* Ordering edges: an access, the one that it pairs with, and what the pair is for. Everything else
 * in a handle is private.
 *   [R1] head store-release  [A1] head load-acquire    frames are complete before they are seen
 *   [R2] tail store-release  [A2] tail load-acquire    payloads are read before they are
 *                                                      overwritten
 *   [R3] closed fetch-or     [A3] closed load-acquire  what was published before the close is seen
 *                                                      after it
 *   [F2] fence               [F1] in doorbell.c        publish, then look whether the consumer
 *                                                      sleeps
 *   [F3] fence               [F4] fence                want room, then look; make room, then look
 *                                                      whether it is wanted
 *   [F2] fence               [F7] fence                publish, then look for the slot; store the
 *                                                      slot, then look for messages
 *   [W1] want exchange       [F1] in doorbell.c        the want that it takes may be newer than the
 *                                                      one that was seen, because the producer has
 *                                                      armed again since. The exchange then shows
 *                                                      the producer armed; a plain store would wipe
 *                                                      the want out, and the producer would sleep
 *                                                      on. */

/* ---- producer ---- */

static uint32_t bytes_free(const sw_producer *p) { return p->capacity - (p->head - p->tail_seen); }

/* Look at the consumer's index again. It may only move forward, and not past what was published. */
static bool refresh_tail(sw_producer *p) {
  uint32_t tail = sw_peer_load_acquire(&p->ring->tail); /* [A2] */
  if (p->published - tail > p->published - p->tail_seen || tail % SW_ALIGN != 0) {
    p->status = SW_ECORRUPT;
    p->room = 0;
    return false;
  }
  p->tail_seen = tail;
  return true;
}

static bool has_room(sw_producer *p, uint32_t needed) {
  if (bytes_free(p) >= needed) return true;
  if (!refresh_tail(p)) return false;
  if (bytes_free(p) >= needed) return true;
  p->status = SW_EFULL;
  return false;
}

static uint8_t *frame_at(const sw_producer *p, uint32_t position) { return p->data + (position & (p->capacity - 1)); }

static void write_header(uint8_t *frame, int32_t length, uint32_t info) {
  sw_data_store(frame + offsetof(sw_frame, length), (uint32_t)length);
  sw_data_store(frame + offsetof(sw_frame, info), info);
}

/* Pad up to the ring's end, so that the next frame starts at its first byte. When the frame then
 * finds no room, the padding is published on its own, because the consumer has to release it before
 * there can be room. Padding behind frames that are committed but not published stays with those:
 * the caller decides when they are seen. */
static bool wrap(sw_producer *p, uint32_t to_end, uint32_t frame_bytes) {
  if (!has_room(p, to_end)) return false;
  bool alone = p->published == p->head;
  write_header(frame_at(p, p->head), (int32_t)to_end, swi_info(SW_FRAME_PAD, 0));
  p->head += to_end;
  if (has_room(p, frame_bytes)) {
    p->padding = to_end;
    return true;
  }
  if (alone) sw_producer_publish(p);
  return false;
}

/* What sw_producer_append may use: up to the ring's end, as far as the consumer was last seen. */
static void update_append_window(sw_producer *p) {
  uint32_t start = p->head & (p->capacity - 1);
  uint32_t to_end = p->capacity - start;
  uint32_t room = to_end < bytes_free(p) ? to_end : bytes_free(p);
  p->next = (uint32_t)(p->data - p->base) + start + SW_FRAME_HEADER;
  p->room = room < SW_FRAME_HEADER || p->status == SW_ECORRUPT ? 0 : room - SW_FRAME_HEADER;
}

void *sw_producer_reserve(sw_producer *p, uint32_t length, uint32_t lead) {
  p->room = 0;
  if (p->status == SW_ECORRUPT) return NULL;
  p->status = SW_OK;
  if (p->open) p->status = SW_ESTATE;
  else if (length > p->capacity) p->status = SW_ETOOBIG;
  else if (lead >= SW_ALIGN) p->status = SW_EINVAL;
  else if (sw_peer_load_relaxed(&p->ring->closed) != 0) p->status = SW_ECLOSED;
  if (p->status != SW_OK) return NULL;

  p->padding = 0;
  uint32_t frame_bytes = swi_frame_bytes(p->capacity, lead, length);
  uint32_t to_end = p->capacity - (p->head & (p->capacity - 1));
  bool fitting = frame_bytes > to_end ? wrap(p, to_end, frame_bytes) : has_room(p, frame_bytes);
  if (!fitting) return NULL;

  uint8_t *frame = frame_at(p, p->head);
  write_header(frame, -(int32_t)(SW_FRAME_HEADER + length), swi_info(SW_FRAME_DATA, lead));
  p->reserved = length;
  p->lead = lead;
  p->open = 1;
  return frame + SW_FRAME_HEADER + lead;
}

int sw_producer_commit(sw_producer *p, uint32_t length) {
  if (!p->open) return SW_ESTATE;
  if (length > p->reserved) return SW_ERANGE;
  sw_data_store(frame_at(p, p->head) + offsetof(sw_frame, length), SW_FRAME_HEADER + length);
  p->head += swi_frame_bytes(p->capacity, p->lead, length);
  p->open = 0;
  p->messages++;
  p->bytes += length;
  update_append_window(p);
  return SW_OK;
}

int sw_producer_abandon(sw_producer *p) {
  if (!p->open) return SW_ESTATE;
  /* else its bytes are lost until the next wrap */
  if (p->published != p->head) p->head -= p->padding;
  p->open = 0;
  return SW_OK;
}

void sw_producer_publish(sw_producer *p) {
  if (p->published == p->head) return;
  p->published = p->head;
  sw_store_release(&p->ring->head, p->head); /* [R1] */
  sw_fence_handshake();                      /* [F2] */
  swi_doorbell_ring_for_message(p->base, sw_peer_load_relaxed(&p->ring->consumer),
                                sw_peer_load_relaxed(&p->ring->consumer_slot));
}

int sw_producer_push(sw_producer *p, uint32_t length) {
  int status = sw_producer_commit(p, length);
  if (status == SW_OK) sw_producer_publish(p);
  return status;
}

int sw_producer_append(sw_producer *p, uint32_t length, int publish) {
  if (p->room == 0 || length > p->room) return SW_EFULL;
  if (sw_peer_load_relaxed(&p->ring->closed) != 0) return SW_ECLOSED;
  write_header(frame_at(p, p->head), (int32_t)(SW_FRAME_HEADER + length), swi_info(SW_FRAME_DATA, 0));
  p->head += swi_frame_bytes(p->capacity, 0, length);
  p->messages++;
  p->bytes += length;
  if (publish) sw_producer_publish(p);
  update_append_window(p);
  return SW_OK;
}

uint32_t sw_producer_append_batch(sw_producer *p, const sw_slice *slices, uint32_t count, int publish) {
  if (p->room == 0 || sw_peer_load_relaxed(&p->ring->closed) != 0) return 0;
  uint8_t *frame = frame_at(p, p->head);
  uint32_t room = p->room + SW_FRAME_HEADER;
  uint32_t used = 0, done = 0;
  uint64_t bytes = 0;
  for (; done < count; done++) {
    uint32_t length = sw_peer_data_load(&slices[done].length);
    uint32_t lead = sw_peer_data_load(&slices[done].offset);
    if (length > room || lead >= SW_ALIGN) break;
    uint32_t frame_bytes = swi_frame_bytes(p->capacity, lead, length);
    if (frame_bytes > room - used) break;
    write_header(frame + used, (int32_t)(SW_FRAME_HEADER + length), swi_info(SW_FRAME_DATA, lead));
    used += frame_bytes;
    bytes += length;
  }
  p->bytes += bytes;
  p->head += used;
  p->messages += done;
  if (publish) sw_producer_publish(p);
  update_append_window(p);
  return done;
}

int sw_producer_send(sw_producer *p, const void *payload, uint32_t length) {
  void *room = sw_producer_reserve(p, length, 0);
  if (room == NULL) return p->status;
  if (length != 0) __builtin_memcpy(room, payload, length);
  return sw_producer_push(p, length);
}

/* Free bytes that a message needs next: a frame that does not fit before the ring's end needs
 * padding up to the end first. */
static uint32_t needed_next(const sw_producer *p, uint32_t length) {
  uint32_t to_end = p->capacity - (p->head & (p->capacity - 1));
  uint32_t frame_bytes = swi_frame_bytes(p->capacity, 0, length);
  return frame_bytes < to_end ? frame_bytes : to_end;
}

/* True, too, when waiting is no use: sw_producer_reserve tells why. */
static bool fits(sw_producer *p, uint32_t needed) {
  if (p->status == SW_ECORRUPT || !refresh_tail(p)) return true;
  return bytes_free(p) >= needed || sw_peer_load_relaxed(&p->ring->closed) != 0;
}

int sw_producer_fits(sw_producer *p, uint32_t length) { return fits(p, needed_next(p, length)); }

int sw_producer_want_space(sw_producer *p, uint32_t length) {
  if (p->status == SW_ECORRUPT) return 1;
  uint32_t needed = needed_next(p, length);
  sw_store_relaxed(&p->ring->want_space, needed);
  sw_fence_handshake(); /* [F3] */
  if (!fits(p, needed)) return 0;
  sw_store_relaxed(&p->ring->want_space, 0);
  return 1;
}

void sw_producer_close(sw_producer *p) {
  if (!sw_producer_holds(p)) return;
  sw_producer_publish(p);
  sw_fetch_or_acq_rel(&p->ring->closed, SW_CLOSED_BY_PRODUCER); /* [R3] */
  sw_fence_handshake();                                         /* [F2] */
  swi_doorbell_ring_holder(p->base, sw_peer_load_relaxed(&p->ring->consumer),
                           sw_peer_load_relaxed(&p->ring->consumer_slot));
}

void sw_producer_set_slot(sw_producer *p, uint32_t slot) {
  sw_store_relaxed(&p->ring->producer_slot, sw_slot_word(p->role, slot));
  sw_fence_handshake(); /* [F3] */
}

int sw_producer_holds(const sw_producer *p) { return sw_peer_load_relaxed(&p->ring->producer) == p->role; }

uint32_t sw_producer_used(sw_producer *p) {
  if (p->status != SW_ECORRUPT) refresh_tail(p);
  return p->head - p->tail_seen;
}

/* ---- consumer ---- */

static int corrupt(sw_consumer *c) {
  c->status = SW_ECORRUPT;
  return SW_ECORRUPT;
}

/* Each look at the producer's index takes its cache line away, and the next publish has to fetch it
 * back. So a consumer that keeps up waits a moment after a look that showed few bytes, and longer
 * while the next looks show more soon: it then finds more at a time. The answer to a message that
 * was just received cannot come within that moment, so a round trip takes no longer. */
enum {
  FEW_BYTES = 32 * SW_LINE,
  FEW_LOOKS = 4,
  PATIENCE_LEAST = 150, /* about ns */
  PATIENCE_MOST = 1500, /* about ns */
};

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

static void learn_patience(sw_consumer *c, uint32_t found) {
  if (found == 0) {
    c->misses++;
    return;
  }
  if (found > FEW_BYTES) c->patience /= 2;
  else if (c->misses > FEW_LOOKS || c->patience < PATIENCE_LEAST) c->patience = PATIENCE_LEAST;
  else c->patience = least(c->patience * 2, PATIENCE_MOST);
  c->misses = 0;
}

/* Look at the producer's index again. It may only move forward, and not past a full ring. */
static int refresh_head(sw_consumer *c) {
  uint32_t head = sw_peer_load_acquire(&c->ring->head); /* [A1] */
  if (head - c->tail > c->capacity || head - c->tail < c->head_seen - c->tail || head % SW_ALIGN != 0)
    return corrupt(c);
  c->head_seen = head;
  return SW_OK;
}

/* 1 when a frame is there, 0 when not, SW_ECLOSED, SW_ECORRUPT. */
static int available(sw_consumer *c) {
  if (c->status == SW_ECORRUPT) return SW_ECORRUPT;
  if (c->cursor != c->head_seen) return 1;
  /* bounded: in wasm this handle is in shared memory */
  if (c->misses == 0) sw_burn(least(c->patience, PATIENCE_MOST));
  /* [A3] before the head: what was published first is seen */
  uint32_t closed = sw_peer_load_acquire(&c->ring->closed);
  if (refresh_head(c) != SW_OK) return SW_ECORRUPT;
  learn_patience(c, c->head_seen - c->cursor);
  if (c->cursor != c->head_seen) return 1;
  return closed != 0 ? SW_ECLOSED : 0;
}

/* Take the messages between the cursor and `end`, up to `count`, and no more once their payloads
 * have reached `most` bytes; padding on the way is skipped. `slices` may be NULL: then they are
 * only counted. A frame that cannot be right ends the walk and latches the status. */
static uint32_t walk(sw_consumer *c, uint32_t end, uint32_t count, uint32_t most, sw_slice *slices) {
  uint32_t cursor = c->cursor, got = 0, bytes = 0;
  while (got < count && cursor != end && bytes < most) {
    swi_frame_view frame;
    if (!swi_frame_read(c->data, c->capacity, cursor, end - cursor, &frame)) {
      c->status = SW_ECORRUPT;
      break;
    }
    if (frame.type == SW_FRAME_DATA) {
      uint32_t start = cursor & (c->capacity - 1);
      if (slices != NULL) {
        slices[got].offset = (uint32_t)(c->data - c->base) + start + SW_FRAME_HEADER + frame.lead;
        slices[got].length = frame.length;
      }
      bytes += frame.length;
      got++;
    }
    cursor += frame.bytes;
  }
  c->cursor = cursor;
  c->handed_out += got;
  c->bytes_handed_out += bytes;
  return got;
}

int sw_consumer_peek_batch(sw_consumer *c, sw_slice *slices, uint32_t count) {
  if (count == 0) return 0;
  int state;
  while ((state = available(c)) == 1) {
    uint32_t got = walk(c, c->head_seen, count, c->capacity / 4, slices);
    if (got != 0) return (int)got; /* no further look: these messages must not wait for others */
  }
  /* padding alone: the producer may be waiting for it */
  if (c->handed_out == 0) sw_consumer_release(c);
  return state;
}

int sw_consumer_peek(sw_consumer *c, sw_slice *slice) { return sw_consumer_peek_batch(c, slice, 1); }

static void ring_producer(const sw_consumer *c) {
  swi_doorbell_ring_holder(c->base, sw_peer_load_relaxed(&c->ring->producer),
                           sw_peer_load_relaxed(&c->ring->producer_slot));
}

void sw_consumer_release(sw_consumer *c) {
  if (c->cursor == c->tail) return;
  c->tail = c->cursor;
  c->messages += c->handed_out;
  c->bytes += c->bytes_handed_out;
  c->handed_out = 0;
  c->bytes_handed_out = 0;
  sw_store_release(&c->ring->tail, c->tail); /* [R2] */
  sw_fence_handshake();                      /* [F4] */
  uint32_t wanted = sw_peer_load_relaxed(&c->ring->want_space);
  if (wanted == 0) return;
  /* Messages that were published since the last look take room, too: without them a slow consumer
   * would ring too early each time. */
  uint32_t used = sw_peer_load_relaxed(&c->ring->head) - c->tail;
  /* the next peek reports an impossible index */
  if (used <= c->capacity && c->capacity - used < wanted) return;
  sw_exchange_acq_rel(&c->ring->want_space, 0); /* [W1] */
  ring_producer(c);
}

void sw_consumer_release_first(sw_consumer *c, uint32_t count) {
  uint32_t end = c->cursor;
  if (count < c->handed_out) {
    sw_consumer_rewind(c);
    walk(c, end, count, UINT32_MAX, NULL);
  }
  sw_consumer_release(c);
}

uint32_t sw_consumer_used(sw_consumer *c) {
  if (c->status != SW_ECORRUPT) refresh_head(c);
  return c->head_seen - c->tail;
}

void sw_consumer_rewind(sw_consumer *c) {
  c->cursor = c->tail;
  c->handed_out = 0;
  c->bytes_handed_out = 0;
}

int sw_consumer_ready(sw_consumer *c) { return available(c) != 0; }

void sw_consumer_set_slot(sw_consumer *c, uint32_t slot) {
  sw_store_relaxed(&c->ring->consumer_slot, sw_slot_word(c->role, slot));
  sw_fence_handshake(); /* [F7] */
}

int sw_consumer_holds(const sw_consumer *c) { return sw_peer_load_relaxed(&c->ring->consumer) == c->role; }

void sw_consumer_close(sw_consumer *c) {
  if (!sw_consumer_holds(c)) return;
  sw_fetch_or_acq_rel(&c->ring->closed, SW_CLOSED_BY_CONSUMER); /* [R3] */
  sw_fence_handshake();                                         /* [F4] */
  ring_producer(c);
}
