/* Unbuffered channels: offers, and how two of them meet.
 *
 * Each endpoint has two places in a channel, one for each side. A call that waits has an offer: a
 * state in one of its places, its home, and a card in a place of each of its channels that says
 * where the state is. So the cases of a select have one state, and one word decides which is done.
 *
 *   state of an offer     means                      next
 *   FREE, ticket          there is none, or it has   its owner offers -> WAITING, a new ticket [U2]
 *                         ended
 *   WAITING, ticket       can be taken               another takes it -> DONE                  [U3]
 *                                                    its owner takes another -> TAKING         [U3]
 *                                                    its owner gives up -> FREE
 *                                                    its owner dead: burial -> LEFT
 *   TAKING, ticket        its owner takes another    its owner has -> FREE, has not -> WAITING [U4]
 *                                                    its owner dead: burial -> FREE
 *   DONE, case, value     was taken                  its owner sees it -> FREE
 *                                                    its owner dead: its next one -> REST
 *   LEFT, ticket          of a dead one              the endpoint's next offer, or free -> FREE
 *   REST, value           likewise                   likewise
 *
 * An offer that waits looks for others before it sleeps:
 *
 *   own card, own state := WAITING, own bit of the waits word      [U1][U2]
 *   fence                                                          [U5]
 *   for each bit of the other side: its card, and the state that this leads to
 *     WAITING, with the ticket of the card:
 *       own state: WAITING -> TAKING; if that fails, the own one was taken: done
 *       its state: WAITING -> DONE with case and value: both are done
 *       if that fails, own state: TAKING -> WAITING, ring the own endpoint, and again from the
 *       fence
 *
 * No two that match sleep: that which waits again last has seen the other WAITING, behind the
 * fence; or TAKING, and then that one will be WAITING later, which contradicts it, or has taken a
 * third. One that was TAKING was passed over in its other channels too, so it rings itself, and
 * its next calls look there. Nothing waits for a state that is TAKING, so no participant waits for
 * another.
 *
 * Two that take each other fail both. Then the one whose home is behind yields: from then on it
 * takes nothing of that endpoint whose home is before its own, but rings it; and the one in front
 * tries again. So an offer is TAKING in vain once for each endpoint in front of it, and for those
 * behind it as often as they are TAKING: looks end, also when all stop between the same steps.
 *
 * Tickets have the offset of the channel and a number in it, so no two are alike in a region: a
 * late exchange fails, also in memory that is a channel's no more. A card stays where it is when
 * its offer ends, and says nothing then, so there is nothing to unlink. A card changes only while
 * no state has its ticket; meanwhile the ticket has HELD, and the memory is not freed.
 *
 * Ordering edges:
 *   [U1] the release store of a card's ticket, pairs with the acquire load of it by another: the
 *        rest of the card is seen; and by one that frees the channel: the card is not written any
 *        more.
 *   [U2] the exchange to WAITING, pairs with [U3]: what the value of a sender leads to is seen
 *        by its receiver.
 *   [U3] the exchange that takes an offer, pairs with the acquire load of the state by its owner:
 *        what the value that it was given leads to is seen.
 *   [U4] the exchange from TAKING back to WAITING, as [U2].
 *   [U5] the fence between the own state and the look at those of others, on both sides; behind
 *        an exchange that has failed it is that of the ring.
 *   [U6] the exchange of a card's ticket by one that frees the channel, pairs with the acquire
 *        load before a card is written: the channel is seen to be gone.
 *
 * What a crash leaves: a state of a dead participant, WAITING and so as good as one that lives
 * until burial or a look that finds it dead; the block of a value of one that died while TAKING or
 * before it offered, which is lost; an offer that is DONE and whose owner was not rung, which
 * burial rings. */
#include "sabway/offer.h"
#include "core/objects/burial.h"
#include "core/queue/queue.h"
#include "core/region/endpoint.h"
#include "sabway/endpoint.h"

enum {
  STATE = 7,       /* bits of the state */
  COUNT_BITS = 33, /* of the number in a ticket */
  TICKET_BITS = 61,
  WHICH_BITS = 29,
#ifdef SW_FLAVOUR_MODEL
  ENDPOINTS = 4, /* all that a scene has */
  INSIST = 2,
#else
  ENDPOINTS = SW_ENDPOINTS,
  INSIST = 64, /* tries to take one that is TAKING: it yields, and a sleep costs more */
#endif
  PLACES = 2 * ENDPOINTS,
  ROUNDS = 1 << 12 /* looks, before others must be hostile */
};

/* In the place of a ticket, which is no card's then: its owner writes the card; or it has none. */
#define HELD (UINT64_C(1) << 63)
#define VOID (UINT64_C(1) << 62)

static bool is_ticket(uint64_t ticket) { return ticket >> TICKET_BITS == 0; }

static uint64_t state_of(uint64_t ticket, uint32_t state) { return ticket << 3 | state; }
static uint64_t done_state(uint32_t which, uint32_t value) {
  return (uint64_t)which << 35 | (uint64_t)value << 3 | SW_OFFER_DONE;
}
static uint32_t value_in(uint64_t state) { return (uint32_t)(state >> 3); }

static sw_queue_place *place_of(const sw_queue_handle *q, const sw_heap *h, uint32_t side, uint32_t endpoint) {
  return (sw_queue_place *)(void *)(h->base + q->rest) + side * ENDPOINTS + endpoint % ENDPOINTS;
}

/* The state that a card leads to, or NULL: a peer may have written it. */
static uint64_t *home_of(const sw_heap *h, uint32_t home) {
  uint64_t end = h->begin + (uint64_t)h->count * SW_HEAP_PAGE;
  if (home < h->begin || home % 8 != 0 || home + (uint64_t)sizeof(sw_queue_place) > end) return NULL;
  return (uint64_t *)(void *)(h->base + home);
}

static bool change(uint64_t *word, uint64_t from, uint64_t to) {
  return sw_compare_exchange64_acq_rel(word, &from, to); /* [U3][U4][U6] */
}

static bool has_block(uint32_t value) { return value != 0 && value % SW_HEAP_UNIT == 0; }

uint32_t swi_offer_bytes(void) { return PLACES * (uint32_t)sizeof(sw_queue_place); }

static uint64_t ticket_of(const sw_queue_handle *q, uint64_t number) {
  return (uint64_t)(q->at / SW_HEAP_UNIT) << COUNT_BITS | (number & ((UINT64_C(1) << COUNT_BITS) - 1));
}

static uint64_t next_ticket(const sw_queue_handle *q, const sw_heap *h) {
  return ticket_of(q, sw_fetch_add64_acq_rel(&swi_queue_of(q, h)->offers, 1));
}

void swi_offer_format(const sw_queue_handle *q, const sw_heap *h, uint32_t number) {
  for (uint32_t i = 0; i < PLACES; i++) {
    sw_queue_place *place = place_of(q, h, 0, 0) + i;
    uint64_t ticket = ticket_of(q, (uint64_t)number + i);
    sw_store64_relaxed(&place->state, state_of(ticket, SW_OFFER_FREE));
    sw_store64_relaxed(&place->ticket, ticket | VOID);
    sw_store_relaxed(&place->home, 0);
    sw_store_relaxed(&place->role, 0);
  }
  sw_store64_relaxed(&swi_queue_of(q, h)->offers, (uint64_t)number + PLACES);
}

/* ---- what the dead have left ---- */

/* The card's value, which no participant has: its owner died, and was not received from. */
static void drop_left(const sw_queue_handle *q, sw_heap *h, sw_queue_place *place) {
  uint64_t ticket = sw_peer_load64_acquire(&place->ticket); /* [U1] */
  uint64_t *state = home_of(h, sw_peer_load_relaxed(&place->home));
  uint32_t value = sw_peer_load_relaxed(&place->value);
  if (!is_ticket(ticket) || state == NULL) return;
  if (sw_peer_load64_relaxed(state) != state_of(ticket, SW_OFFER_LEFT)) return;
  if (change(&place->ticket, ticket, ticket | VOID)) swi_item_drop(q, h, value);
}

/* The state is the own endpoint's, and becomes free when no offer has it: whether it has. */
static bool is_free(const sw_queue_handle *q, sw_heap *h, sw_queue_place *place) {
  uint64_t seen = sw_peer_load64_relaxed(&place->state);
  uint32_t state = (uint32_t)seen & STATE;
  if (state == SW_OFFER_FREE) return true;
  if (state != SW_OFFER_LEFT && state != SW_OFFER_REST) return false;
  if (!change(&place->state, seen, state_of(next_ticket(q, h), SW_OFFER_FREE))) return false;
  if (state == SW_OFFER_REST) swi_item_drop(q, h, value_in(seen));
  return true;
}

/* ---- one offer takes another ---- */

/* What stands in a place, as one look has seen it: it waits. */
typedef struct card {
  uint64_t ticket;
  uint64_t *state;
  uint32_t home, which, value, role;
} card;

static bool find(const sw_heap *h, const sw_queue_place *place, card *c) {
  c->ticket = sw_peer_load64_acquire(&place->ticket); /* [U1] */
  if (!is_ticket(c->ticket)) return false;
  c->home = sw_peer_load_relaxed(&place->home);
  c->which = sw_peer_load_relaxed(&place->which);
  c->value = sw_peer_load_relaxed(&place->value);
  c->role = sw_peer_load_relaxed(&place->role);
  c->state = home_of(h, c->home);
  if (c->state == NULL || c->which >> WHICH_BITS != 0) return false;
  if (sw_peer_load64_relaxed(c->state) != state_of(c->ticket, SW_OFFER_WAITING)) return false;
  return c->role == h->role || swi_endpoint_lives(h->base, h->endpoint, c->role);
}

enum { MISSED, YIELDED, MET, TAKEN };

/* Is the offer in a place behind the card's? */
static bool is_behind(const sw_offer *o, const card *c) { return o != NULL && o->home > c->home; }

/* Take what the card is of. MISSED: it is there no more, or takes another; YIELDED: it takes
 * another, and comes before the own offer; TAKEN: the own offer is, meanwhile. */
static int meet(sw_offer *o, const sw_heap *h, const card *c, uint32_t value) {
  uint64_t waiting = state_of(c->ticket, SW_OFFER_WAITING), next = done_state(c->which, value);
  if (o == NULL || o->home == 0) return change(c->state, waiting, next) ? MET : MISSED; /* [U3] */
  uint64_t *own = (uint64_t *)(void *)(h->base + o->home);
  if (!change(own, state_of(o->ticket, SW_OFFER_WAITING), state_of(o->ticket, SW_OFFER_TAKING))) return TAKEN;
  uint64_t taking = state_of(c->ticket, SW_OFFER_TAKING), seen = taking;
  bool met = false;
  for (uint32_t tries = 0; tries < INSIST && !met && seen == taking; tries++) {
    seen = waiting;
    met = sw_compare_exchange64_acq_rel(c->state, &seen, next); /* [U3] */
    if (is_behind(o, c)) break;
  }
  change(own, state_of(o->ticket, SW_OFFER_TAKING), /* [U4] */
         state_of(o->ticket, met ? SW_OFFER_FREE : SW_OFFER_WAITING));
  if (!met) {
    swi_waits_ring_role(h->base, h->role); /* [U5] by its fence */
    return is_behind(o, c) && seen == taking ? YIELDED : MISSED;
  }
  o->home = 0;
  return MET;
}

/* Look for one of the other side, and take it: 1 with *got, which is zero of a receiver; 0: none
 * waits, or the own offer was taken. */
static int look(sw_offer *o, const sw_queue_handle *q, sw_heap *h, uint32_t side, uint32_t value, uint32_t *got) {
  sw_queue *queue = swi_queue_of(q, h);
  uint32_t other = 1 - side;
  for (uint32_t rounds = 0; rounds < ROUNDS; rounds++) {
    uint64_t waits = sw_peer_load64_relaxed(&queue->waitable.waits[other]);
    uint32_t turn = sw_peer_load_relaxed(&queue->turns[other]);
    int met = MET;
    for (uint32_t i = 0; i < ENDPOINTS && waits != 0 && met == MET; i++) {
      uint32_t endpoint = (turn + i) % ENDPOINTS;
      if ((waits >> endpoint & 1) == 0) continue;
      sw_queue_place *place = place_of(q, h, other, endpoint);
      card c;
      if (!find(h, place, &c)) {
        if (other == SWI_WAIT_ROOM) drop_left(q, h, place);
        continue;
      }
      /* a select with both */
      if (o != NULL && o->home == c.home && o->ticket == c.ticket) continue;
      if (is_behind(o, &c) && (o->yielded >> endpoint & 1) != 0) {
        swi_waits_ring_role(h->base, c.role);
        continue;
      }
      met = meet(o, h, &c, value);
      if (met == YIELDED && o != NULL) o->yielded |= UINT64_C(1) << endpoint;
      if (met != MET) break;
      *got = other == SWI_WAIT_ROOM ? c.value : 0;
      sw_store_relaxed(&queue->turns[other], endpoint + 1);
      swi_waits_ring_role(h->base, c.role);
      return 1;
    }
    if (met == MET || met == TAKEN) return 0;
  }
  return SW_EBUSY;
}

/* ---- calls that do not wait ---- */

static bool is_closed(const sw_queue_handle *q, const sw_heap *h) {
  return ((uint32_t)sw_peer_load64_relaxed(&swi_queue_of(q, h)->waitable.object.root) & SW_QUEUE_CLOSED) != 0;
}

int swi_offer_give(const sw_queue_handle *q, sw_heap *h, uint32_t value) {
  uint32_t got;
  return is_closed(q, h) ? SW_ECLOSED : look(NULL, q, h, SWI_WAIT_ROOM, value, &got);
}

int swi_offer_take(const sw_queue_handle *q, sw_heap *h, uint32_t *value) {
  return is_closed(q, h) ? SW_ECLOSED : look(NULL, q, h, SWI_WAIT_VALUE, 0, value);
}

int swi_offer_waits(const sw_queue_handle *q, const sw_heap *h, uint32_t side) {
  if (is_closed(q, h)) return SW_ECLOSED;
  uint64_t waits = sw_peer_load64_relaxed(&swi_queue_of(q, h)->waitable.waits[side]);
  card c;
  for (; waits != 0; waits &= waits - 1)
    if (find(h, place_of(q, h, side, (uint32_t)__builtin_ctzll(waits)), &c)) return 1;
  return 0;
}

/* ---- calls that wait ---- */

static int settle(sw_offer *o, sw_heap *h, bool withdraw) {
  if (o->home == 0) return 0;
  uint64_t *state = (uint64_t *)(void *)(h->base + o->home);
  const sw_queue *queue = (const sw_queue *)(const void *)(h->base + o->at);
  uint64_t ended = state_of(o->ticket, SW_OFFER_FREE), seen = state_of(o->ticket, SW_OFFER_WAITING);
  bool freed = sw_peer_load64_relaxed(&queue->waitable.object.life) != o->life;
  int status = SW_EFREED;
  if (!freed && withdraw && sw_compare_exchange64_acq_rel(state, &seen, ended)) {
    status = 0;
  } else if (!freed) {
    uint64_t now = sw_peer_load64_acquire(state); /* [U3] */
    if (now == state_of(o->ticket, SW_OFFER_WAITING) && !withdraw) return 0;
    if ((now & STATE) == SW_OFFER_DONE && change(state, now, ended)) {
      o->which = (uint32_t)(now >> 35);
      o->value = value_in(now);
      status = 1;
    } else if (sw_peer_load64_relaxed(&queue->waitable.object.life) == o->life) {
      status = SW_ECORRUPT; /* and not freed meanwhile */
    }
  }
  o->home = 0;
  return status;
}

int sw_offer_is_done(sw_offer *o, sw_heap *h) { return settle(o, h, false); }

int sw_offer_withdraw(sw_offer *o, sw_heap *h) { return settle(o, h, true); }

/* Why the call ends, unless a case was done before that. */
static int give_up(sw_offer *o, sw_heap *h, int why) {
  int done = sw_offer_withdraw(o, h);
  return done == 1 ? 1 : why;
}

/* Does another offer of this endpoint stand there? */
static bool is_taken(const sw_heap *h, const sw_queue_place *place, uint64_t ticket) {
  const uint64_t *state = is_ticket(ticket) ? home_of(h, sw_peer_load_relaxed(&place->home)) : NULL;
  return state != NULL && sw_peer_load64_relaxed(state) == state_of(ticket, SW_OFFER_WAITING);
}

/* Be found here: unless another offer of this endpoint is, or the channel is gone. */
static void post(sw_offer *o, const sw_queue_handle *q, sw_heap *h, uint32_t side, uint32_t which, uint32_t value) {
  sw_queue_place *place = place_of(q, h, side, h->endpoint);
  bool first = o->home == 0;
  if (!first && sw_peer_load64_relaxed(&place->ticket) == o->ticket) return;
  drop_left(q, h, place);
  uint64_t seen = sw_peer_load64_acquire(&place->ticket); /* [U6] */
  if (is_taken(h, place, seen) || !swi_queue_is_there(q, h)) return;
  if (first && !is_free(q, h, place)) return;
  uint64_t ticket = first ? next_ticket(q, h) : o->ticket;
  uint64_t free_state = sw_peer_load64_relaxed(&place->state);
  if (!change(&place->ticket, seen, ticket | HELD)) return;
  sw_store_relaxed(&place->home, first ? (uint32_t)((uint8_t *)place - h->base) : o->home);
  sw_store_relaxed(&place->which, which);
  sw_store_relaxed(&place->value, value);
  sw_store_relaxed(&place->role, h->role);
  sw_store64_release(&place->ticket, ticket); /* [U1] */
  swi_waits_begin(&swi_queue_of(q, h)->waitable.waits[side], h->endpoint);
  /* [U2] */
  if (!first || !change(&place->state, free_state, state_of(ticket, SW_OFFER_WAITING))) return;
  *o = (sw_offer){.ticket = ticket, .life = q->life, .at = q->at};
  o->home = (uint32_t)((uint8_t *)place - h->base);
}

static int offer(sw_offer *o, sw_queue_handle *q, sw_heap *h, uint32_t side, uint32_t which, uint32_t value) {
  int status = settle(o, h, false);
  if (status != 0) return status;
  if (!swi_queue_is_there(q, h)) return give_up(o, h, swi_queue_why(q, h));
  if (!swi_queue_is_unbuffered(q)) return give_up(o, h, SW_EINVAL);
  if (which >> WHICH_BITS != 0) return give_up(o, h, SW_ERANGE);
  if (is_closed(q, h)) return give_up(o, h, SW_ECLOSED);
  uint32_t got = 0;
  bool waits = o->home != 0; /* otherwise: an exchange with one that waits needs no card */
  status = waits ? 0 : look(NULL, q, h, side, value, &got);
  if (status == 0) {
    post(o, q, h, side, which, value);
    sw_fence_handshake(); /* [U5] */
    if (is_closed(q, h)) return give_up(o, h, SW_ECLOSED);
    status = look(o, q, h, side, value, &got);
  }
  if (status == 0) return settle(o, h, false);
  if (status != 1) return give_up(o, h, status);
  o->which = which;
  o->value = got;
  return 1;
}

int sw_offer_send(sw_offer *o, sw_queue_handle *q, sw_heap *h, uint32_t which, uint32_t value) {
  return offer(o, q, h, SWI_WAIT_ROOM, which, value);
}

int sw_offer_receive(sw_offer *o, sw_queue_handle *q, sw_heap *h, uint32_t which) {
  return offer(o, q, h, SWI_WAIT_VALUE, which, 0);
}

void sw_queue_discard(const sw_queue_handle *q, sw_heap *h, uint32_t value) {
  if (!has_block(value)) return;
  if (swi_queue_is_there(q, h)) swi_item_drop(q, h, value);
  else sw_heap_free(h, value);
}

/* ---- the end ---- */

/* By the word whose exchange fails in the next object. */
int swi_offer_close(const sw_queue_handle *q, const sw_heap *h) {
  uint64_t *root = &swi_queue_of(q, h)->waitable.object.root;
  uint64_t seen = sw_peer_load64_acquire(root); /* [J2] */
  if (!swi_queue_is_there(q, h)) return swi_queue_why(q, h);
  if (((uint32_t)seen & SW_QUEUE_CLOSED) == 0) sw_compare_exchange64_acq_rel(root, &seen, seen | SW_QUEUE_CLOSED);
  return SW_OK;
}

bool swi_offer_is_closed(const sw_queue_handle *q, const sw_heap *h) { return is_closed(q, h); }

/* Of a place of a queue that is dying: no call changes it any more, or it is being changed now. */
static bool end_place(const sw_queue_handle *q, sw_heap *h, sw_queue_place *place, uint32_t endpoint) {
  drop_left(q, h, place);
  uint64_t ticket = sw_peer_load64_relaxed(&place->ticket);
  /* another one also where there was no card: a late call that has seen that finds it changed */
  if ((ticket & HELD) == 0) change(&place->ticket, ticket, next_ticket(q, h) | VOID); /* [U6] */
  uint64_t seen = sw_peer_load64_relaxed(&place->state);
  uint32_t state = (uint32_t)seen & STATE;
  if (state != SW_OFFER_FREE && change(&place->state, seen, state_of(next_ticket(q, h), SW_OFFER_FREE))) {
    bool has_value = state == SW_OFFER_DONE || state == SW_OFFER_REST;
    if (has_value && has_block(value_in(seen))) sw_heap_free(h, value_in(seen));
  }
  bool held = (sw_peer_load64_acquire(&place->ticket) & HELD) != 0; /* [U1] */
  return !held || endpoint == h->endpoint ||
         !swi_endpoint_lives(h->base, h->endpoint, sw_endpoint_role(h->base, endpoint));
}

bool swi_offer_clear(const sw_queue_handle *q, sw_heap *h) {
  bool ended = true;
  for (uint32_t i = 0; i < PLACES; i++)
    if (!end_place(q, h, place_of(q, h, 0, 0) + i, i % ENDPOINTS)) ended = false;
  return ended;
}

/* Of two for each place: the value of a send that waits, and what a receive was given. */
uint32_t swi_offer_value(const sw_queue_handle *q, const sw_heap *h, uint32_t index) {
  if (index >= 2 * PLACES) return 0;
  const sw_queue_place *place = place_of(q, h, 0, 0) + index / 2;
  if (index % 2 == 1) {
    uint64_t seen = sw_peer_load64_relaxed(&place->state);
    uint32_t state = (uint32_t)seen & STATE;
    return state == SW_OFFER_DONE || state == SW_OFFER_REST ? value_in(seen) : 0;
  }
  uint64_t ticket = sw_peer_load64_relaxed(&place->ticket);
  const uint64_t *home = home_of(h, sw_peer_load_relaxed(&place->home));
  uint64_t seen = !is_ticket(ticket) || home == NULL ? 0 : sw_peer_load64_relaxed(home);
  uint32_t state = (uint32_t)seen & STATE;
  bool there = seen >> 3 == ticket && (state == SW_OFFER_WAITING || state == SW_OFFER_LEFT);
  return there ? sw_peer_load_relaxed(&place->value) : 0;
}

int swi_offer_check(const sw_queue_handle *q, const sw_heap *h) {
  for (uint32_t i = 0; i < PLACES; i++) {
    const sw_queue_place *place = place_of(q, h, 0, 0) + i;
    uint64_t state = sw_peer_load64_relaxed(&place->state) & STATE;
    bool has_home = home_of(h, sw_peer_load_relaxed(&place->home)) != NULL;
    bool has_card = is_ticket(sw_peer_load64_relaxed(&place->ticket));
    if (state > SW_OFFER_REST || (has_card && !has_home)) return SW_ECORRUPT;
  }
  return SW_OK;
}

/* ---- death ---- */

/* A late caller finds the cards of the next owner, with its role, or no state with the ticket. What
 * the dead one was given is for its next owner to find: only that knows that no other looks. */
void swi_offer_bury(const sw_queue_handle *q, const sw_heap *h, const swi_dead *dead) {
  for (uint32_t side = 0; side < 2; side++) {
    sw_queue_place *place = place_of(q, h, side, sw_role_index(dead->role));
    uint64_t ticket = sw_peer_load64_acquire(&place->ticket); /* [U1] */
    uint64_t *state = home_of(h, sw_peer_load_relaxed(&place->home));
    if (is_ticket(ticket) && state != NULL && swi_is_dead(dead, sw_peer_load_relaxed(&place->role))) {
      if (!change(state, state_of(ticket, SW_OFFER_WAITING), state_of(ticket, SW_OFFER_LEFT)))
        change(state, state_of(ticket, SW_OFFER_TAKING), state_of(ticket, SW_OFFER_FREE));
    }
    uint64_t seen = sw_peer_load64_relaxed(&place->state);
    if (dead->all_claims && (seen & STATE) == SW_OFFER_DONE)
      change(&place->state, seen, state_of(value_in(seen), SW_OFFER_REST));
  }
}
