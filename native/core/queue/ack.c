/* Queues whose values stay the queue's until they are acknowledged.
 *
 * A value is in a cell, and the rings have the cells' names: index and generation.
 *
 *   state of a cell          means                            next
 *   0                        free                             put -> offered
 *   producer | OFFERED       is being put into a ring         its producer -> in a ring
 *                                                             take -> held
 *                                                             producer dead: in a ring, or free
 *   OFFERED                  in a ring                        take -> held                    [D1]
 *   consumer                 held                             ack -> free, the generation
 *                                                             after the next                  [D2]
 *                                                             nack, or consumer dead: its next
 *                                                             generation is put into the ring of
 *                                                             those that come again, then
 *                                                             -> in a ring, next generation
 *
 * The exchange of the state is what takes, acknowledges and gives back; the rings only say in which
 * order to look. A name whose generation is not the cell's, or whose cell is not in a ring, is
 * passed over by the call that finds it at the head. One name is told before its cell has that
 * generation: of a cell that its holder has lost, or given back, and not come to exchange. Then the
 * finder does that. When the holder has acknowledged it all the same, that name stays in the ring:
 * so a cell that becomes free passes over the next generation.
 *
 * Ordering edges:
 *   [D1] the exchange that takes a cell, pairs with [P1] in ncq.h by the name in the ring: the
 *        value of the cell is seen.
 *   [D2] the exchange that frees a cell, pairs with the load of the state by the put that gets it.
 *   [D3] the exchange that gives a cell back, pairs with the load of the state by a waiter that
 *        looks for the dead: its take behind that finds the name in the ring.
 *
 * What a crash leaves: cells that name a dead participant. Burial gives them back, or a waiter that
 * looks now and then whether their holders live. */
#include "base/peer.h"
#include "core/objects/burial.h"
#include "core/queue/queue.h"
#include "sabway/endpoint.h"

static uint64_t state_of(uint32_t generation, uint32_t role) { return (uint64_t)generation << 32 | role; }
static uint32_t generation_of(uint64_t state) { return (uint32_t)(state >> 32); }

static uint32_t name_of(uint32_t index, uint32_t generation) { return index << 16 | (generation & 0xffff); }
static bool is_named(uint32_t name, uint32_t generation) { return ((generation ^ name) & 0xffff) == 0; }

static sw_queue_cell *cells_of(const sw_queue_handle *q, const sw_heap *h) {
  return (sw_queue_cell *)(void *)(h->base + q->rest);
}

/* The cell of a name that a peer may have written, or NULL. */
static sw_queue_cell *cell_of(const sw_queue_handle *q, const sw_heap *h, uint32_t name) {
  return name >> 16 < q->capacity ? &cells_of(q, h)[name >> 16] : NULL;
}

static bool is_in_ring(uint64_t state) { return ((uint32_t)state & SW_CELL_OFFERED) != 0; }

/* ---- putting ---- */

/* A free cell, which is the caller's now: its index, or UINT32_MAX. */
static uint32_t find_free(const sw_queue_handle *q, const sw_heap *h, uint64_t *state) {
  sw_queue_cell *cells = cells_of(q, h);
  swi_ncq main = swi_queue_level(q, h, 0);
  /* cells are freed about in the order in which they were put */
  uint32_t begin = (uint32_t)sw_peer_load64_relaxed(&main.ring->tail) % q->capacity;
  for (uint32_t i = 0; i < q->capacity; i++) {
    uint32_t index = (begin + i) % q->capacity;
    *state = sw_peer_load64_acquire(&cells[index].state); /* [D2] */
    if ((uint32_t)*state != 0) continue;
    uint64_t next = state_of(generation_of(*state), h->role | SW_CELL_OFFERED);
    if (!sw_compare_exchange64_acq_rel(&cells[index].state, state, next)) continue;
    *state = next;
    return index;
  }
  return UINT32_MAX;
}

bool swi_ack_has_free(const sw_queue_handle *q, const sw_heap *h) {
  const sw_queue_cell *cells = cells_of(q, h);
  swi_ncq main = swi_queue_level(q, h, 0);
  uint32_t begin = (uint32_t)sw_peer_load64_relaxed(&main.ring->tail) % q->capacity;
  for (uint32_t i = 0; i < q->capacity; i++) {
    uint32_t index = begin + i < q->capacity ? begin + i : begin + i - q->capacity;
    if ((uint32_t)sw_peer_load64_relaxed(&cells[index].state) == 0) return true;
  }
  return false;
}

bool swi_ack_has_any(const sw_queue_handle *q, const sw_heap *h) {
  const sw_queue_cell *cells = cells_of(q, h);
  for (uint32_t i = 0; i < q->capacity; i++)
    if ((uint32_t)sw_peer_load64_acquire(&cells[i].state) != 0) return true;
  return false;
}

/* The names at the head that lead to no cell any more are passed over: a look at a full ring. */
static int find_cell(const sw_queue_handle *q, const sw_heap *h, const swi_ncq *ring, uint64_t *at,
                     sw_queue_cell **cell, uint64_t *state);

int swi_ack_put(const sw_queue_handle *q, const sw_heap *h, uint32_t value) {
  swi_ncq main = swi_queue_level(q, h, 0);
  uint64_t t, seen, state;
  int status = swi_ncq_find_tail(&main, &t, &seen);
  if (status != 1) return status;
  uint32_t index = find_free(q, h, &state);
  if (index == UINT32_MAX) return 0;
  sw_queue_cell *cell = &cells_of(q, h)[index];
  sw_store_relaxed(&cell->value, value);
  sw_store_relaxed(&cell->deliveries, 0);
  status = swi_ncq_put(&main, name_of(index, generation_of(state)));
  if (status == 0) { /* a name at the head is in its way that no taker has passed over */
    sw_queue_cell *first;
    uint64_t at, of_first;
    find_cell(q, h, &main, &at, &first, &of_first);
    status = swi_ncq_put(&main, name_of(index, generation_of(state)));
  }
  uint64_t next = state_of(generation_of(state), status == 1 ? SW_CELL_OFFERED : 0);
  /* it fails where a consumer was faster */
  sw_compare_exchange64_acq_rel(&cell->state, &state, next);
  if (status != 1) {
    /* consumers that found the ring closed have waited for what becomes of this cell */
    swi_waits_ring_all(h->base, &swi_queue_of(q, h)->waitable.waits[SWI_WAIT_VALUE]);
  }
  return status;
}

/* ---- taking ---- */

/* The first cell of a ring that is there: 1, 0, or SW_ECLOSED. */
static int find_cell(const sw_queue_handle *q, const sw_heap *h, const swi_ncq *ring, uint64_t *at,
                     sw_queue_cell **cell, uint64_t *state) {
  for (swi_ncq_patience p = {0};;) {
    uint64_t seen;
    int status = swi_ncq_find_head(ring, at, &seen);
    if (status != 1) return status;
    uint32_t name = (uint32_t)seen;
    bool lost = false;
    *cell = cell_of(q, h, name);
    if (*cell != NULL) {
      *state = sw_peer_load64_acquire(&(*cell)->state); /* [D1] */
      uint32_t generation = generation_of(*state);
      if (is_named(name, generation) && is_in_ring(*state)) return 1;
      lost = is_named(name, generation + 1) && (uint32_t)*state != 0 && !is_in_ring(*state);
    }
    /* whichever exchange succeeds, the next look finds it in the ring */
    if (lost)
      sw_compare_exchange64_acq_rel(&(*cell)->state, state, state_of(generation_of(*state) + 1, SW_CELL_OFFERED));
    else swi_ncq_move_head(ring, *at, 1);
    status = swi_ncq_again(&p, *at);
    if (status != SW_OK) return status;
  }
}

static int take_from(sw_queue_handle *q, const sw_heap *h, const swi_ncq *ring, uint32_t *value) {
  for (swi_ncq_patience p = {0};;) {
    sw_queue_cell *cell;
    uint64_t at, state;
    int status = find_cell(q, h, ring, &at, &cell, &state);
    if (status != 1) return status;
    uint32_t generation = generation_of(state);
    /* [D1] */
    if (sw_compare_exchange64_acq_rel(&cell->state, &state, state_of(generation, h->role))) {
      *value = sw_peer_load_relaxed(&cell->value);
      sw_store_relaxed(&cell->deliveries, sw_peer_load_relaxed(&cell->deliveries) + 1);
      q->cell = name_of((uint32_t)(cell - cells_of(q, h)), generation);
      swi_ncq_move_head(ring, at, 1);
      return 1;
    }
    status = swi_ncq_again(&p, at);
    if (status != SW_OK) return status;
  }
}

int swi_ack_take(sw_queue_handle *q, const sw_heap *h, uint32_t *value) {
  swi_ncq again = swi_queue_again(q, h), main = swi_queue_level(q, h, 0);
  int status = take_from(q, h, &again, value);
  if (status != 0) return status;
  status = take_from(q, h, &main, value);
  /* what others hold may come again */
  if (status != SW_ECLOSED || !swi_ack_has_any(q, h)) return status;
  status = take_from(q, h, &again, value);
  return status;
}

/* The first cell of both rings: 1, 0, or SW_ECLOSED. */
static int find_first(const sw_queue_handle *q, const sw_heap *h, sw_queue_cell **cell, uint64_t *state) {
  swi_ncq again = swi_queue_again(q, h), main = swi_queue_level(q, h, 0);
  uint64_t at;
  int status = find_cell(q, h, &again, &at, cell, state);
  if (status == 0) status = find_cell(q, h, &main, &at, cell, state);
  return status == SW_ECLOSED && swi_ack_has_any(q, h) ? 0 : status;
}

bool swi_ack_has_news(const sw_queue_handle *q, const sw_heap *h) {
  sw_queue_cell *cell;
  uint64_t state;
  return find_first(q, h, &cell, &state) != 0;
}

int swi_ack_peek(sw_queue_handle *q, sw_heap *h, void *to, uint32_t room) {
  for (int tries = 0; tries < SWI_NCQ_STUCK; tries++) {
    sw_queue_cell *cell;
    uint64_t state;
    int status = find_first(q, h, &cell, &state);
    if (status != 1) return status;
    int type = swi_item_peek(q, h, sw_peer_load_relaxed(&cell->value), to, room);
    sw_fence_handshake(); /* what was copied was read before this look */
    uint64_t now = sw_peer_load64_acquire(&cell->state);
    if (generation_of(now) == generation_of(state) && is_in_ring(now)) return type;
  }
  return SW_EBUSY;
}

/* Copy a value that stays the queue's. One that is longer than `room` is led to by q->held. */
int swi_ack_unpack(sw_queue_handle *q, sw_heap *h, uint32_t value, void *to, uint32_t room) {
  int type = swi_item_peek(q, h, value, to, room);
  q->held = 0;
  if (type != SW_ERANGE || value % SW_HEAP_UNIT != 0) return type;
  type = swi_item_look(q, h, value);
  if (type > 0) q->held = value;
  return type;
}

/* ---- acknowledging ---- */

/* The state by which the caller holds the cell; false: it does not. */
static bool is_held(const sw_queue_handle *q, const sw_heap *h, uint32_t name, sw_queue_cell **cell, uint64_t *state) {
  *cell = cell_of(q, h, name);
  if (*cell == NULL) return false;
  *state = sw_peer_load64_acquire(&(*cell)->state);
  return (uint32_t)*state == h->role && is_named(name, generation_of(*state));
}

int sw_queue_ack(sw_queue_handle *q, sw_heap *h, uint32_t name) {
  sw_queue_cell *cell;
  uint64_t state;
  if (!swi_queue_is_there(q, h)) return swi_queue_why(q, h);
  if ((q->flags & SW_QUEUE_ACK) == 0 || !is_held(q, h, name, &cell, &state)) return 0;
  uint32_t value = sw_peer_load_relaxed(&cell->value);
  uint64_t next = state_of(generation_of(state) + 2, 0); /* see above */
  /* [D2] */
  if (!sw_compare_exchange64_acq_rel(&cell->state, &state, next)) return 0;
  swi_queue_ring(q, h, SWI_WAIT_ROOM);
  /* behind the fence of that: a look that finds the block used again finds the state changed */
  swi_item_drop(q, h, value);
  /* the last one: those that wait for values learn that it is closed */
  uint64_t *waits = &swi_queue_of(q, h)->waitable.waits[SWI_WAIT_VALUE];
  if (sw_peer_load64_relaxed(waits) != 0 && sw_queue_is_closed(q, h)) swi_waits_ring_all(h->base, waits);
  return 1;
}

/* Is the name in that ring? Up to a slot that is free: takers may move the head meanwhile, and a
 * size that they have made smaller would leave out the last ones. */
static bool has_name(const swi_ncq *ring, uint32_t name) {
  uint64_t head = sw_peer_load64_acquire(&ring->ring->head);
  for (uint32_t i = 0; i < (uint32_t)1 << ring->order; i++) {
    uint64_t seen = sw_peer_load64_acquire(swi_ncq_slot(ring, head + i));
    uint32_t ahead = (uint32_t)(seen >> 32) - swi_ncq_cycle(ring, head + i);
    if (ahead == UINT32_MAX) return false;
    if (ahead == 0 && (uint32_t)seen == name) return true;
  }
  return false;
}

/* Deliver what is held in that state again. */
static bool give_again(const sw_queue_handle *q, const sw_heap *h, uint32_t index, uint64_t state) {
  swi_ncq again = swi_queue_again(q, h);
  uint32_t generation = generation_of(state) + 1, name = name_of(index, generation);
  if (!has_name(&again, name) && swi_ncq_put(&again, name) != 1) return false;
  /* [D3] */
  return sw_compare_exchange64_acq_rel(&cells_of(q, h)[index].state, &state, state_of(generation, SW_CELL_OFFERED));
}

int sw_queue_nack(sw_queue_handle *q, sw_heap *h, uint32_t name) {
  sw_queue_cell *cell;
  uint64_t state;
  if (!swi_queue_is_there(q, h)) return swi_queue_why(q, h);
  if ((q->flags & SW_QUEUE_ACK) == 0 || !is_held(q, h, name, &cell, &state)) return 0;
  give_again(q, h, name >> 16, state);
  swi_queue_ring(q, h, SWI_WAIT_VALUE);
  return 1;
}

uint32_t sw_queue_deliveries(const sw_queue_handle *q, const sw_heap *h, uint32_t name) {
  const sw_queue_cell *cell = (q->flags & SW_QUEUE_ACK) != 0 ? cell_of(q, h, name) : NULL;
  return cell == NULL ? 0 : sw_peer_load_relaxed(&cell->deliveries);
}

uint32_t swi_ack_value(const sw_queue_handle *q, const sw_heap *h, uint32_t index) {
  const sw_queue_cell *cell = &cells_of(q, h)[index];
  return (uint32_t)sw_peer_load64_acquire(&cell->state) == 0 ? 0 : sw_peer_load_relaxed(&cell->value);
}

void swi_ack_clear(const sw_queue_handle *q, sw_heap *h) {
  sw_queue_cell *cells = cells_of(q, h);
  swi_ncq main = swi_queue_level(q, h, 0);
  swi_ncq_put(&main, SWI_NCQ_END);
  for (uint32_t i = 0; i < q->capacity; i++) {
    uint64_t state = sw_peer_load64_acquire(&cells[i].state);
    uint32_t owner = (uint32_t)state & ~(uint32_t)SW_CELL_OFFERED, value = sw_peer_load_relaxed(&cells[i].value);
    /* a producer whose call has begun before keeps its value */
    if ((uint32_t)state == 0 || (owner != 0 && is_in_ring(state))) continue;
    if (!sw_compare_exchange64_acq_rel(&cells[i].state, &state, state_of(generation_of(state) + 2, 0))) continue;
    if (value == 0 || value % SW_HEAP_UNIT != 0) continue;
    sw_fence_handshake(); /* for a look at the first value, as the fence of swi_queue_ring */
    sw_heap_free(h, value);
  }
}

/* ---- death ---- */

void swi_ack_evict(const sw_queue_handle *q, const sw_heap *h, uint32_t role, bool all_claims) {
  sw_queue_cell *cells = cells_of(q, h);
  swi_ncq main = swi_queue_level(q, h, 0);
  swi_dead dead = {role, all_claims};
  /* the oldest about first, as find_free has it */
  uint32_t begin = (uint32_t)sw_peer_load64_relaxed(&main.ring->tail) % q->capacity;
  for (uint32_t k = 0; k < q->capacity; k++) {
    uint32_t i = (begin + k) % q->capacity;
    uint64_t state = sw_peer_load64_acquire(&cells[i].state);
    uint32_t owner = (uint32_t)state & ~(uint32_t)SW_CELL_OFFERED, generation = generation_of(state);
    if (owner == 0 || !swi_is_dead(&dead, owner)) continue;
    if (!is_in_ring(state)) {
      give_again(q, h, i, state);
      continue;
    }
    /* it has come to the ring or not: the dead one does nothing any more */
    bool has_come = has_name(&main, name_of(i, generation));
    uint64_t next = has_come ? state_of(generation, SW_CELL_OFFERED) : state_of(generation + 2, 0);
    sw_compare_exchange64_acq_rel(&cells[i].state, &state, next);
  }
}

bool swi_ack_evict_dead(const sw_queue_handle *q, const sw_heap *h) {
  const sw_queue_cell *cells = cells_of(q, h);
  uint64_t alive = 0; /* of the endpoints' present owners */
  bool found = false;
  for (uint32_t i = 0; i < q->capacity; i++) {
    uint64_t state = sw_peer_load64_acquire(&cells[i].state); /* [D3] */
    uint32_t role = (uint32_t)state & ~(uint32_t)SW_CELL_OFFERED;
    if (role == 0 || role == h->role) continue;
    uint32_t index = sw_role_index(role);
    bool is_present = index < SW_ENDPOINTS && sw_endpoint_role(h->base, index) == role;
    if (is_present && (alive >> index & 1) != 0) continue;
    if (sw_endpoint_role_alive(h->base, role)) {
      alive |= (uint64_t)1 << index;
      continue;
    }
    swi_ack_evict(q, h, role, false);
    found = true;
  }
  return found;
}
