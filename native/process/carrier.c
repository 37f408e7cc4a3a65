#include "carrier.h"

#include <stdlib.h>
#include <string.h>

#include "base/atomics.h"
#include "base/peer.h"
#include "prim/prim.h"
#include "sabway/shared.h"
#include "threads/spin.h"

enum {
  AT_ONCE = 64, /* messages of one direction before the other has its turn */
  LINGER_NS = 1000000000
};

/* One direction. */
typedef struct lane {
  sw_consumer *from;
  sw_producer *to;
  uint32_t wanted;  /* the next message found no room: its length, at least 1 */
  int ended;        /* no more comes */
  int reading_over; /* no more is read */
} lane;

struct sw_carrier {
  sw_port home, away;
  lane out, in;
  sw_carrier_hooks hooks;
  sw_spinner spinner;
  uint32_t stop; /* shared: the thread is asked to end */
  sw_prim_thread thread;
};

/* ---- making the second region ---- */

int sw_carrier_mirror(void *to, const void *from, uint64_t size) {
  uint32_t pages = (uint32_t)(size / SW_PAGE);
  int status = sw_region_verify(from, pages);
  if (status != SW_OK) return status;
  uint32_t at = sw_region_channel(from, size);
  const sw_channel *channel = (const sw_channel *)((const uint8_t *)from + at);
  if (at == 0 || sw_peer_load_acquire(&channel->magic) != SW_CHANNEL_MAGIC) return sw_region_format_empty(to, pages, 0);
  uint32_t first = sw_peer_load_relaxed(&channel->rings[SW_RENDERER].capacity);
  uint32_t second = sw_peer_load_relaxed(&channel->rings[SW_NATIVE].capacity);
  return sw_region_format(to, pages, first, second) == SW_OK ? SW_OK : SW_ECORRUPT;
}

/* ---- carrying ---- */

static int is_closed(const sw_ring *ring, uint32_t by) { return (sw_peer_load_acquire(&ring->closed) & by) != 0; }

static void end(lane *l) {
  if (!l->ended) sw_producer_close(l->to);
  l->ended = 1;
}

static void stop_reading(lane *l) {
  if (!l->reading_over) sw_consumer_close(l->from);
  l->reading_over = 1;
}

static int reader_is_gone(const lane *l) { return !l->reading_over && is_closed(l->to->ring, SW_CLOSED_BY_CONSUMER); }

/* The next message: 1, 0 when there is none or no room for it, or why there will be none. */
static int carry_one(lane *l) {
  sw_slice message;
  int status = sw_consumer_peek(l->from, &message);
  if (status != 1) return status;
  void *room = sw_producer_reserve(l->to, message.length, 0);
  if (room == NULL) {
    sw_consumer_rewind(l->from);
    if (l->to->status == SW_ECLOSED) return 0; /* reader_is_gone sees it, too */
    l->wanted = message.length != 0 ? message.length : 1;
    /* both rings have one capacity: nothing is too large */
    return l->to->status == SW_EFULL ? 0 : SW_ECORRUPT;
  }
  memcpy(room, l->from->base + message.offset, message.length);
  sw_producer_commit(l->to, message.length);
  sw_consumer_release(l->from);
  return 1;
}

/* Moves up to AT_ONCE messages, and returns how many. */
static int carry(sw_carrier *c, lane *l) {
  int moved = 0, status = 1;
  l->wanted = 0;
  if (reader_is_gone(l)) stop_reading(l);
  if (l->ended || l->reading_over) return 0;
  if (!sw_producer_holds(l->to) || !sw_consumer_holds(l->from)) status = SW_EREPLACED;
  while (status == 1 && moved < AT_ONCE && (status = carry_one(l)) == 1) moved++;
  sw_producer_publish(l->to);
  if (status >= 0) return moved;
  if (status != SW_ECLOSED) {
    c->hooks.failed(c->hooks.context, status); /* before JavaScript sees the end of it */
    stop_reading(l);
  }
  end(l);
  return moved;
}

/* ---- waiting ---- */

/* Not while one message waits for room. */
static int takes_messages(const lane *l) { return !l->ended && !l->reading_over && l->wanted == 0; }

static int has_message(const lane *l) { return reader_is_gone(l) || (takes_messages(l) && sw_consumer_ready(l->from)); }

/* Of the endpoint that receives what this lane carries. */
static uint32_t arm(const sw_port *p, const lane *l) {
  return sw_endpoint_arm(p->at.base, p->endpoint, SW_SLEEP_FUTEX | (takes_messages(l) ? 0 : SW_SLEEP_QUIET));
}

static int has_work(void *carrier) {
  const sw_carrier *c = carrier;
  return has_message(&c->out) || has_message(&c->in) || sw_load_acquire(&c->stop);
}

/* A quarter of the ring at least, so that a slow consumer does not cost one wake for each
 * message. */
static int has_room(const lane *l) {
  if (l->wanted == 0 || l->ended || l->reading_over) return 0;
  uint32_t quarter = l->to->capacity / 4;
  return sw_producer_want_space(l->to, l->wanted > quarter ? l->wanted : quarter);
}

/* On both doorbells. */
static void sleep_once(sw_carrier *c) {
  sw_port *home = &c->home, *away = &c->away;
  uint32_t *bells[] = {sw_endpoint_doorbell(home->at.base, home->endpoint),
                       sw_endpoint_doorbell(away->at.base, away->endpoint)};
  uint32_t tickets[] = {arm(home, &c->out), arm(away, &c->in)};
  int room_out = has_room(&c->out); /* both, because each announces what its lane waits for */
  int room_in = has_room(&c->in);
  if (!room_out && !room_in && !has_work(c)) sw_prim_futex_wait_any(bells, tickets, 2, SW_WAIT_DEATH_NS);
  sw_endpoint_disarm(home->at.base, home->endpoint);
  sw_endpoint_disarm(away->at.base, away->endpoint);
}

/* ---- the thread ---- */

/* What JavaScript has sent before it stopped the carrier, and the ends of both streams. */
static void finish(sw_carrier *c) {
  lane *out = &c->out;
  uint64_t due = sw_prim_now() + LINGER_NS, now;
  for (;;) {
    while (carry(c, out) != 0 && out->wanted == 0) {
    }
    if (out->wanted == 0) break;
    if ((now = sw_prim_now()) >= due || !sw_port_has_peer(&c->away)) break;
    if (sw_port_wait(&c->away, SW_UNTIL_ROOM, out->wanted, (int64_t)(due - now)) != 1) break;
  }
  if (is_closed(out->from->ring, SW_CLOSED_BY_PRODUCER)) end(out);
  if (reader_is_gone(&c->in)) stop_reading(&c->in);
}

static void run(void *argument) {
  sw_carrier *c = argument;
  while (!sw_load_acquire(&c->stop)) {
    int moved = carry(c, &c->out);
    moved += carry(c, &c->in);
    if (moved == 0 && !swi_spin(&c->spinner, has_work, c, sw_prim_now() + SW_WAIT_SPIN_NS)) sleep_once(c);
  }
  finish(c);
}

/* ---- life ---- */

static int take_sides(sw_carrier *c, const sw_carrier_options *o) {
  int status = sw_port_open(&c->away, o->away, o->size, o->side);
  if (status != SW_OK) return status;
  status = sw_port_open(&c->home, o->home, o->size, sw_other_side(o->side));
  if (status != SW_OK) sw_port_close(&c->away, 0);
  return status;
}

static void leave_sides(sw_carrier *c) {
  sw_port_close(&c->home, 0);
  sw_port_close(&c->away, 0);
}

int sw_carrier_start(sw_carrier **carrier, const sw_carrier_options *options) {
  sw_carrier *c = calloc(1, sizeof(*c));
  if (c == NULL) return SW_ENOMEM;
  c->hooks = options->hooks;
  int status = take_sides(c, options);
  if (status == SW_OK) {
    c->out = (lane){.from = &c->home.in, .to = &c->away.out};
    c->in = (lane){.from = &c->away.in, .to = &c->home.out};
    sw_endpoint_set_skills(c->home.at.base, c->home.endpoint, SW_WAKES_FUTEX);
    sw_endpoint_set_skills(c->away.at.base, c->away.endpoint, SW_WAKES_FUTEX);
    status = sw_prim_thread_start(&c->thread, "sabway-carrier", run, c);
    if (status != SW_OK) leave_sides(c);
  }
  if (status == SW_OK) {
    /* the peer looks which participant has come */
    const sw_place *at = &c->away.at;
    sw_channel_ring_holders(at->base, at->size, at->channel, sw_other_side(at->side));
    *carrier = c;
  } else {
    free(c);
  }
  return status;
}

void sw_carrier_stop(sw_carrier *c) {
  uint32_t *doorbell = sw_endpoint_doorbell(c->home.at.base, c->home.endpoint);
  sw_store_release(&c->stop, 1);
  /* a ticket from before this does not sleep, one from after it sees `stop` */
  sw_fetch_add_acq_rel(doorbell, 1);
  sw_prim_futex_wake(doorbell);
  sw_prim_thread_join(&c->thread);
  leave_sides(c);
  free(c);
}
