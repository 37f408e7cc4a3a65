/* Queues: making them, putting and taking values, closing, waiting and freeing. The files beside
 * this one have the parts: ncq.h the ring, item.c values and their blocks, ack.c values that are
 * acknowledged, sorted.c any priority, offer.c channels without a ring.
 *
 * A queue of one producer and one consumer has the same ring. Its producer moves the tail, and its
 * consumer the head, by an exchange [P3], too, although each is alone: any participant may close
 * the ring, and free the queue. Then a producer that comes late fills no slot of another queue, and
 * a store would write to what has the block by then; and of a value that a late consumer and the
 * participant that frees the queue have both seen, one gets it.
 *
 * Levels are a ring each. `present` has a bit for each that may have values: set behind a put, and
 * cleared by a take that finds the ring empty, which looks once more then. A take that finds
 * nothing by the bits looks at all rings: a bit that was lost with a participant that died costs
 * its values their precedence until then, and nothing else.
 *
 * Wakes. A put rings one participant that waits for a value, a take one that waits for room; each
 * that has waited rings the next, where there is still something [F8]. Closing rings all.
 *
 * A call that has begun when the queue is freed, and goes on when its memory is another's:
 * exchanges of slots, head and tail fail by the cycle, which no ring had there before; a role that
 * it has got in the block's next queue it gives back (that queue's own producer may be told once,
 * meanwhile, that the place is taken); a mark in `present` is a hint; a waits bit it takes back
 * when the wait ends, and rings the next: so nothing is worse than a wake-up for nothing.
 *
 * Ordering edges:
 *   [P3] the exchanges of head and tail by the only consumer and producer, pair with the acquire
 *        loads in ncq.h.
 *   [P4] the fence between a put and its look at `present`, pairs with the one between clearing a
 *        bit there and the second look at the ring: the put sees the bit clear, and sets it, or the
 *        take sees the value. */
#include "core/queue/queue.h"

#include "core/objects/burial.h"
#include "sabway/endpoint.h"

static uint64_t end_of(const sw_heap *h) { return h->begin + (uint64_t)h->count * SW_HEAP_PAGE; }

int swi_queue_why(const sw_queue_handle *q, const sw_heap *h) {
  int status = sw_object_check(h, q->at, (uint32_t)q->life, (uint32_t)(q->life >> 32));
  return status == SW_OK ? SW_EBUSY : status;
}

/* ---- where everything is ---- */

/* The parts of the block of rings, behind q->rings. Returns its bytes. */
static uint64_t arrange(sw_queue_handle *q) {
  bool ack = (q->flags & SW_QUEUE_ACK) != 0, sorted = (q->flags & SW_QUEUE_SORTED) != 0;
  uint64_t at = q->rings + (uint64_t)swi_ncq_bytes(SWI_SPARES_ORDER);
  q->order = swi_ncq_order(q->capacity + (ack ? 1 : 0));
  q->stride = swi_ncq_bytes(q->order);
  q->again_order = ack ? swi_ncq_order(2 * q->capacity + SW_ENDPOINTS) : 0;
  q->again = (uint32_t)at;
  if (ack) at += swi_ncq_bytes(q->again_order);
  at = (at + SW_LINE - 1) & ~(uint64_t)(SW_LINE - 1);
  q->stride = (q->stride + SW_LINE - 1) & ~(uint32_t)(SW_LINE - 1);
  q->first = (uint32_t)at;
  at += (uint64_t)q->levels * q->stride;
  q->rest = (uint32_t)at;
  if (ack) at += (uint64_t)q->capacity * sizeof(sw_queue_cell);
  if (swi_queue_is_unbuffered(q)) at += swi_offer_bytes();
  if (sorted) at += sizeof(sw_queue_sorted) + (uint64_t)q->capacity * sizeof(sw_queue_entry);
  return at - q->rings;
}

static int check_shape(uint32_t type, uint32_t flags, uint32_t capacity, uint32_t levels) {
  bool ack = flags == SW_QUEUE_ACK, sorted = flags == SW_QUEUE_SORTED;
  if (type < SW_TYPE_QUEUE || type > SW_TYPE_CHANNEL) return SW_EINVAL;
  if ((flags != 0 && !ack && !sorted) || (ack && type != SW_TYPE_QUEUE)) return SW_EINVAL;
  if (sorted && type != SW_TYPE_PRIORITY_QUEUE) return SW_EINVAL;
  if (type == SW_TYPE_CHANNEL && capacity == 0 && flags == 0 && levels == 0) return SW_OK;
  uint32_t most = ack ? SW_QUEUE_CELLS_MOST : SW_QUEUE_MOST;
  bool many = type == SW_TYPE_PRIORITY_QUEUE && !sorted;
  if (capacity - 1 >= most || (many ? levels - 1 >= SW_QUEUE_LEVELS : levels != 0)) return SW_ERANGE;
  return SW_OK;
}

/* Rings, of a queue that is not said to have levels. */
static uint32_t level_count(const sw_queue_handle *q) {
  return (q->flags & SW_QUEUE_SORTED) != 0 || swi_queue_is_unbuffered(q) ? 0 : 1;
}

/* What the control block says, within bounds. */
static int see(sw_queue_handle *q, const sw_heap *h) {
  const sw_queue *queue = swi_queue_of(q, h);
  uint32_t type = (uint32_t)q->life;
  q->rings = sw_peer_load_relaxed(&queue->rings);
  q->flags = sw_peer_load_relaxed(&queue->flags);
  q->capacity = sw_peer_load_relaxed(&queue->capacity);
  q->levels = sw_peer_load_relaxed(&queue->levels);
  if (check_shape(type, q->flags, q->capacity, q->levels) != SW_OK) return SW_ECORRUPT;
  if (q->levels == 0) q->levels = level_count(q);
  if (q->rings < h->begin || q->rings % SW_HEAP_UNIT != 0) return SW_ECORRUPT;
  return q->rings + arrange(q) <= end_of(h) ? SW_OK : SW_ECORRUPT;
}

/* ---- making ---- */

/* A first cycle that no ring had in this memory: of the block and how often it was a queue. */
static uint32_t first_cycle(uint32_t at, uint64_t root) {
  uint64_t mixed = ((uint64_t)at << 28 ^ root >> 32) * UINT64_C(0x9e3779b97f4a7c15);
  return (uint32_t)(mixed >> 32);
}

static void format(const sw_queue_handle *q, const sw_heap *h, uint32_t cycle) {
  swi_ncq spares = swi_queue_spares(q, h);
  swi_ncq_format(&spares, cycle);
  for (uint32_t i = 0; i < q->levels; i++) {
    swi_ncq ring = swi_queue_level(q, h, i);
    swi_ncq_format(&ring, cycle);
  }
  if ((q->flags & SW_QUEUE_ACK) != 0) {
    swi_ncq again = swi_queue_again(q, h);
    sw_queue_cell *cells = (sw_queue_cell *)(void *)(h->base + q->rest);
    swi_ncq_format(&again, cycle);
    for (uint32_t i = 0; i < q->capacity; i++) sw_store64_relaxed(&cells[i].state, (uint64_t)cycle << 32);
  }
  if (swi_queue_is_unbuffered(q)) swi_offer_format(q, h, cycle);
  if ((q->flags & SW_QUEUE_SORTED) != 0) {
    sw_queue_sorted *sorted = (sw_queue_sorted *)(void *)(h->base + q->rest);
    sw_store64_relaxed(&sorted->seq, 0);
    sw_store64_relaxed(&sorted->state, 0);
  }
}

uint32_t sw_queue_new(sw_heap *h, const sw_queue_options *options) {
  sw_queue_handle q = {.flags = options->flags, .capacity = options->capacity, .levels = options->levels};
  h->status = check_shape(options->type, q.flags, q.capacity, q.levels);
  if (h->status != SW_OK) return 0;
  if (q.levels == 0) q.levels = level_count(&q);
  uint64_t bytes = arrange(&q);
  h->status = SW_EHEAPFULL;
  if (bytes > UINT32_MAX) return 0;
  q.rings = sw_heap_alloc_aligned(h, (uint32_t)bytes, SW_LINE);
  if (q.rings == 0) return 0;
  q.at = sw_object_new(h, options->type);
  if (q.at == 0) {
    int status = h->status;
    sw_heap_free(h, q.rings);
    h->status = status;
    return 0;
  }
  arrange(&q);
  sw_queue *queue = swi_queue_of(&q, h);
  uint32_t cycle = first_cycle(q.at, sw_peer_load64_relaxed(&queue->waitable.object.root));
  format(&q, h, cycle);
  sw_store_relaxed(&queue->flags, options->flags);
  sw_store_relaxed(&queue->capacity, options->capacity);
  sw_store_relaxed(&queue->levels, options->levels);
  sw_store_relaxed(&queue->codec, options->codec);
  sw_store_relaxed(&queue->cycle, cycle);
  sw_store_release(&queue->rings, q.rings);
  return q.at;
}

int sw_queue_open(sw_queue_handle *q, sw_heap *h, uint32_t at, uint32_t generation) {
  uint32_t found = 0, type = sw_object_type(h, at, &found);
  if (type != 0 && (type < SW_TYPE_QUEUE || type > SW_TYPE_CHANNEL)) return SW_EKIND;
  if (type == 0 && found != 0) return SW_EFREED;
  if (generation == 0) generation = found;
  int status = sw_object_check(h, at, type == 0 ? (uint32_t)SW_TYPE_QUEUE : type, generation);
  if (status != SW_OK) return status;
  *q = (sw_queue_handle){.at = at, .life = (uint64_t)generation << 32 | type};
  return see(q, h);
}

static void give_role(sw_heap *h, uint32_t *role) {
  uint32_t own = h->role;
  if (sw_peer_load_relaxed(role) == own) sw_compare_exchange_acq_rel(role, &own, 0);
}

void sw_queue_close_handle(sw_queue_handle *q, sw_heap *h) {
  if (q->life == 0) return;
  if (q->held != 0 && swi_queue_is_there(q, h)) sw_queue_done(q, h);
  if (swi_queue_is_there(q, h) && swi_queue_is_single(q)) {
    give_role(h, &swi_queue_of(q, h)->producer);
    give_role(h, &swi_queue_of(q, h)->consumer);
  }
  q->life = 0;
}

/* ---- one producer, one consumer ---- */

/* The block may have become another queue, behind the caller's look: that one's role is given back
 * at once. */
static int claim(const sw_queue_handle *q, sw_heap *h, uint32_t *role) {
  uint32_t seen = sw_peer_load_acquire(role);
  for (int tries = 0; tries < SWI_NCQ_STUCK && seen != h->role; tries++) {
    if (seen != 0 && sw_endpoint_role_alive(h->base, seen)) return SW_ETAKEN;
    if (!sw_compare_exchange_acq_rel(role, &seen, h->role)) continue;
    if (swi_queue_is_there(q, h)) return SW_OK;
    give_role(h, role);
    return swi_queue_why(q, h);
  }
  return seen == h->role ? SW_OK : SW_ETAKEN;
}

static int put_single(sw_queue_handle *q, sw_heap *h, uint32_t value) {
  sw_queue *queue = swi_queue_of(q, h);
  swi_ncq ring = swi_queue_level(q, h, 0);
  uint64_t t = sw_peer_load64_relaxed(&ring.ring->tail);
  uint64_t seen = sw_peer_load64_relaxed(swi_ncq_slot(&ring, t));
  if (sw_peer_load_relaxed(&queue->producer) != h->role) {
    int status = claim(q, h, &queue->producer);
    if (status != SW_OK) return status;
    seen = 0; /* the last producer may have filled it */
  }
  if ((uint32_t)(seen >> 32) != swi_ncq_cycle(&ring, t) - 1) {
    int status = swi_ncq_find_tail(&ring, &t, &seen);
    if (status != 1) return status;
  }
  if (swi_ncq_is_full(&ring, t, &q->head_seen)) return 0;
  uint64_t word = swi_ncq_word(swi_ncq_cycle(&ring, t), value);
  if (!sw_compare_exchange64_acq_rel(swi_ncq_slot(&ring, t), &seen, word)) /* [P1] */
    return (uint32_t)seen == SWI_NCQ_END ? SW_ECLOSED : SW_EBUSY;
  sw_compare_exchange64_acq_rel(&ring.ring->tail, &t, t + 1); /* [P3] */
  return 1;
}

static int take_single(const sw_queue_handle *q, sw_heap *h, uint32_t *value) {
  sw_queue *queue = swi_queue_of(q, h);
  if (sw_peer_load_relaxed(&queue->consumer) != h->role) {
    int status = claim(q, h, &queue->consumer);
    if (status != SW_OK) return status;
  }
  swi_ncq ring = swi_queue_level(q, h, 0);
  uint64_t head, seen;
  int status = swi_ncq_find_head(&ring, &head, &seen);
  if (status != 1) return status;
  *value = (uint32_t)seen;
  if (sw_compare_exchange64_acq_rel(&ring.ring->head, &head, head + 1)) return 1; /* [P3] */
  return swi_queue_why(q, h); /* the participant that frees the queue has taken it */
}

/* ---- levels ---- */

static int put_level(const sw_queue_handle *q, const sw_heap *h, uint32_t value, double priority) {
  if (!(priority >= 0 && priority < q->levels)) return SW_ERANGE;
  uint32_t level = (uint32_t)priority;
  swi_ncq ring = swi_queue_level(q, h, level);
  int status = swi_ncq_put(&ring, value);
  if (status != 1) return status;
  uint64_t *present = &swi_queue_of(q, h)->present, bit = UINT64_C(1) << level;
  sw_fence_behind_exchange(); /* [P4] */
  if ((sw_peer_load64_relaxed(present) & bit) == 0) sw_fetch_or64_acq_rel(present, bit);
  return 1;
}

static int take_marked(const sw_queue_handle *q, const sw_heap *h, uint32_t *value) {
  uint64_t *present = &swi_queue_of(q, h)->present;
  uint64_t marks = sw_peer_load64_acquire(present);
  while (marks != 0) {
    uint32_t level = 63 - (uint32_t)__builtin_clzll(marks);
    uint64_t bit = UINT64_C(1) << level;
    marks &= ~bit;
    if (level >= q->levels) continue;
    swi_ncq ring = swi_queue_level(q, h, level);
    int status = swi_ncq_take(&ring, value);
    if (status == 0 || status == SW_ECLOSED) {
      sw_fetch_and64_acq_rel(present, ~bit);
      sw_fence_behind_exchange(); /* [P4] */
      status = swi_ncq_take(&ring, value);
      if (status == 1) sw_fetch_or64_acq_rel(present, bit);
    }
    if (status != 0 && status != SW_ECLOSED) return status;
  }
  return 0;
}

/* From the first level: 1, 0, or SW_ECLOSED when all are. */
static int take_level(const sw_queue_handle *q, const sw_heap *h, uint32_t *value) {
  int status = take_marked(q, h, value);
  uint32_t closed = 0;
  for (uint32_t level = q->levels; status == 0 && level-- > 0;) {
    swi_ncq ring = swi_queue_level(q, h, level);
    status = swi_ncq_take(&ring, value);
    if (status != SW_ECLOSED) continue;
    closed++;
    status = 0;
  }
  return status == 0 && closed == q->levels ? SW_ECLOSED : status;
}

/* ---- putting and taking ---- */

int swi_queue_put_word(sw_queue_handle *q, sw_heap *h, uint32_t value, double priority) {
  int status;
  if (swi_queue_is_unbuffered(q)) return swi_offer_give(q, h, value);
  if (q->flags == SW_QUEUE_SORTED) {
    status = swi_sorted_put(q, h, value, priority);
  } else if (q->flags == SW_QUEUE_ACK) {
    status = swi_ack_put(q, h, value);
  } else if (swi_queue_is_single(q)) {
    status = put_single(q, h, value);
  } else if ((uint32_t)q->life == SW_TYPE_PRIORITY_QUEUE) {
    status = put_level(q, h, value, priority);
  } else {
    swi_ncq ring = swi_queue_level(q, h, 0);
    status = swi_ncq_put_behind(&ring, value, &q->head_seen);
  }
  if (status == 1) swi_queue_ring(q, h, SWI_WAIT_VALUE);
  return status;
}

static int take_word(sw_queue_handle *q, sw_heap *h, uint32_t *value) {
  if (q->flags == SW_QUEUE_SORTED) return swi_sorted_take(q, h, value);
  if (q->flags == SW_QUEUE_ACK) return swi_ack_take(q, h, value);
  if (swi_queue_is_single(q)) return take_single(q, h, value);
  if ((uint32_t)q->life == SW_TYPE_PRIORITY_QUEUE) return take_level(q, h, value);
  swi_ncq ring = swi_queue_level(q, h, 0);
  return swi_ncq_take(&ring, value);
}

int sw_queue_take(sw_queue_handle *q, sw_heap *h, void *to, uint32_t room) {
  uint32_t value = 0;
  if (!swi_queue_is_there(q, h)) return swi_queue_why(q, h);
  bool unbuffered = swi_queue_is_unbuffered(q);
  int status = unbuffered ? swi_offer_take(q, h, &value) : take_word(q, h, &value);
  if (status != 1) return status;
  if (unbuffered) return sw_queue_unpack(q, h, value, to, room);
  if ((q->flags & SW_QUEUE_ACK) != 0) return swi_ack_unpack(q, h, value, to, room);
  swi_queue_ring(q, h, SWI_WAIT_ROOM);
  return sw_queue_unpack(q, h, value, to, room);
}

int sw_queue_has_room(sw_queue_handle *q, sw_heap *h, double priority) {
  if (!swi_queue_is_there(q, h)) return swi_queue_why(q, h);
  if (swi_queue_is_unbuffered(q)) return swi_offer_waits(q, h, SWI_WAIT_VALUE);
  if (q->flags == SW_QUEUE_SORTED) {
    if (priority != priority) return SW_ERANGE;
    if (sw_peer_load_acquire(&swi_queue_of(q, h)->closed) != 0) return SW_ECLOSED;
    return swi_sorted_size(q, h) < q->capacity;
  }
  bool many = (uint32_t)q->life == SW_TYPE_PRIORITY_QUEUE;
  if (many && !(priority >= 0 && priority < q->levels)) return SW_ERANGE;
  swi_ncq ring = swi_queue_level(q, h, many ? (uint32_t)priority : 0);
  uint64_t t, seen;
  int status = swi_ncq_find_tail(&ring, &t, &seen);
  if (status != 1) return status;
  if (q->flags == SW_QUEUE_ACK) return swi_ack_has_free(q, h);
  uint64_t none = t - q->capacity; /* the handle knows no level's head: look at it */
  return !swi_ncq_is_full(&ring, t, many ? &none : &q->head_seen);
}

int sw_queue_has_news(const sw_queue_handle *q, const sw_heap *h) {
  if (!swi_queue_is_there(q, h)) return 1;
  if (swi_queue_is_unbuffered(q)) return swi_offer_waits(q, h, SWI_WAIT_ROOM) != 0;
  if (q->flags == SW_QUEUE_SORTED)
    return swi_sorted_size(q, h) != 0 || sw_peer_load_acquire(&swi_queue_of(q, h)->closed) != 0;
  if (q->flags == SW_QUEUE_ACK) return swi_ack_has_news(q, h);
  uint32_t closed = 0;
  for (uint32_t level = 0; level < q->levels; level++) {
    swi_ncq ring = swi_queue_level(q, h, level);
    uint64_t head, seen;
    int status = swi_ncq_find_head(&ring, &head, &seen);
    if (status != 0 && status != SW_ECLOSED) return 1;
    closed += status == SW_ECLOSED ? 1 : 0;
  }
  return closed == q->levels;
}

/* ---- many at once ---- */

static bool is_plain(const sw_queue_handle *q) {
  return q->flags == 0 && (uint32_t)q->life != SW_TYPE_PRIORITY_QUEUE && !swi_queue_is_unbuffered(q);
}

int sw_queue_put_many(sw_queue_handle *q, sw_heap *h, const uint32_t *values, uint32_t count) {
  if (!swi_queue_is_there(q, h)) return swi_queue_why(q, h);
  if (!is_plain(q)) return SW_EINVAL;
  uint32_t done = 0;
  int status = 1;
  for (; done < count && status == 1; done += status == 1) {
    swi_ncq ring = swi_queue_level(q, h, 0);
    status = swi_queue_is_single(q) ? put_single(q, h, values[done])
                                    : swi_ncq_put_behind(&ring, values[done], &q->head_seen);
  }
  if (done != 0) swi_queue_ring(q, h, SWI_WAIT_VALUE);
  return done != 0 || status == 1 ? (int)done : status;
}

/* The values at the head: how many, up to `most`. */
static uint32_t read_run(const swi_ncq *ring, uint64_t head, uint32_t *values, uint32_t most) {
  uint32_t count = 0;
  for (; count < most; count++) {
    uint64_t seen = sw_peer_load64_acquire(swi_ncq_slot(ring, head + count)); /* [P1] */
    bool filled = (uint32_t)(seen >> 32) == swi_ncq_cycle(ring, head + count);
    if (!filled || (uint32_t)seen == SWI_NCQ_END) break;
    values[count] = (uint32_t)seen;
  }
  return count;
}

int sw_queue_take_many(sw_queue_handle *q, sw_heap *h, uint32_t *values, uint32_t most) {
  if (!swi_queue_is_there(q, h)) return swi_queue_why(q, h);
  if (!is_plain(q)) return SW_EINVAL;
  if (swi_queue_is_single(q) && sw_peer_load_relaxed(&swi_queue_of(q, h)->consumer) != h->role) {
    int status = claim(q, h, &swi_queue_of(q, h)->consumer);
    if (status != SW_OK) return status;
  }
  swi_ncq ring = swi_queue_level(q, h, 0);
  for (swi_ncq_patience p = {0};;) {
    uint64_t head, seen;
    int status = swi_ncq_find_head(&ring, &head, &seen);
    if (status != 1 || most == 0) return status == 1 ? 0 : status;
    uint32_t count = read_run(&ring, head, values, most < q->capacity ? most : q->capacity);
    if (count != 0 && swi_ncq_move_head(&ring, head, count)) {
      swi_queue_ring(q, h, SWI_WAIT_ROOM);
      return (int)count;
    }
    status = swi_ncq_again(&p, head);
    if (status != SW_OK) return status;
  }
}

/* ---- closing ---- */

int sw_queue_close(sw_queue_handle *q, sw_heap *h) {
  if (!swi_queue_is_there(q, h)) return swi_queue_why(q, h);
  int status = q->flags == SW_QUEUE_SORTED  ? swi_sorted_close(q, h)
               : swi_queue_is_unbuffered(q) ? swi_offer_close(q, h)
                                            : SW_OK;
  for (uint32_t level = 0; level < q->levels && status == SW_OK; level++) {
    swi_ncq ring = swi_queue_level(q, h, level);
    status = swi_ncq_put(&ring, SWI_NCQ_END);
    if (status == 1 || status == SW_ECLOSED) status = SW_OK;
  }
  for (uint32_t i = 0; i < 2; i++) swi_waits_ring_all(h->base, &swi_queue_of(q, h)->waitable.waits[i]);
  return status;
}

int sw_queue_is_closed(const sw_queue_handle *q, const sw_heap *h) {
  if (!swi_queue_is_there(q, h)) return 1;
  if (swi_queue_is_unbuffered(q)) return swi_offer_is_closed(q, h);
  if (q->flags == SW_QUEUE_SORTED) return sw_peer_load_acquire(&swi_queue_of(q, h)->closed) != 0;
  for (uint32_t level = 0; level < q->levels; level++) {
    swi_ncq ring = swi_queue_level(q, h, level);
    uint64_t t, seen;
    if (swi_ncq_find_tail(&ring, &t, &seen) != SW_ECLOSED) return 0;
  }
  return 1;
}

/* ---- waiting ---- */

void sw_queue_begin_wait(sw_queue_handle *q, sw_heap *h, uint32_t room) {
  swi_waits_begin(&swi_queue_of(q, h)->waitable.waits[room % 2], h->endpoint);
}

void sw_queue_end_wait(sw_queue_handle *q, sw_heap *h, uint32_t room) {
  uint64_t *waits = &swi_queue_of(q, h)->waitable.waits[room % 2];
  swi_waits_end(waits, h->endpoint); /* [F8] */
  /* a participant in an unbuffered channel is rung for what was done for it */
  if (sw_peer_load64_relaxed(waits) == 0 || swi_queue_is_unbuffered(q)) return;
  bool more = room == 0 && sw_queue_has_news(q, h) != 0;
  /* of levels: any of them may be what another waits for */
  for (uint32_t level = 0; level < (q->levels == 0 ? 1 : q->levels) && room != 0 && !more; level++)
    more = sw_queue_has_room(q, h, level) != 0;
  if (more) swi_waits_ring_one(h->base, waits, h->endpoint);
}

/* ---- death ---- */

int sw_queue_evict_dead(sw_queue_handle *q, sw_heap *h) {
  if (!swi_queue_is_there(q, h)) return swi_queue_why(q, h);
  if ((q->flags & SW_QUEUE_ACK) == 0 || !swi_ack_evict_dead(q, h)) return 0;
  for (uint32_t i = 0; i < 2; i++) swi_waits_ring_all(h->base, &swi_queue_of(q, h)->waitable.waits[i]);
  return 1;
}

void swi_queue_bury(void *base, uint64_t size, uint32_t at, const swi_dead *dead) {
  sw_queue *queue = (sw_queue *)(void *)((uint8_t *)base + at);
  uint64_t life = sw_peer_load64_acquire(&queue->waitable.object.life);
  uint32_t type = (uint32_t)life;
  if (type < SW_TYPE_QUEUE || type > SW_TYPE_CHANNEL) return;
  uint32_t *roles[2] = {&queue->producer, &queue->consumer};
  for (uint32_t i = 0; i < 2; i++) {
    uint32_t role = sw_peer_load_relaxed(roles[i]);
    if (role != 0 && swi_is_dead(dead, role)) sw_compare_exchange_acq_rel(roles[i], &role, 0);
  }
  /* a bit that was lost with it is set again */
  if (type == SW_TYPE_PRIORITY_QUEUE) sw_fetch_or64_acq_rel(&queue->present, UINT64_MAX);
  bool unbuffered = type == SW_TYPE_CHANNEL && sw_peer_load_relaxed(&queue->capacity) == 0;
  if (sw_peer_load_relaxed(&queue->flags) != SW_QUEUE_ACK && !unbuffered) return;
  sw_heap h = {.base = base, .begin = SW_HEAP_AT, .count = (uint32_t)((size - SW_HEAP_AT) / SW_HEAP_PAGE)};
  sw_queue_handle q = {.at = at, .life = life};
  if (see(&q, &h) != SW_OK) return;
  if (swi_queue_is_unbuffered(&q)) swi_offer_bury(&q, &h, dead);
  else if (q.flags == SW_QUEUE_ACK) swi_ack_evict(&q, &h, dead->role, dead->all_claims);
}
