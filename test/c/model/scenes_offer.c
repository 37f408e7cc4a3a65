/* Unbuffered channels: two that match do not both wait, also when they take each other at once; an
 * offer is taken once, by another that waits, by a call that does not, or by none when it is
 * withdrawn; its value comes with what it leads to; a dead one is received once at most; closing
 * and freeing end those that wait. */
#include <stddef.h>
#include <string.h>

#include "sabway/object.h"
#include "sabway/offer.h"
#include "scenes_queue.h"

#define NEXT_ROOT (UINT64_C(2) << 32)

static struct {
  sw_queue_handle b[3]; /* another channel */
  sw_offer o[3];
  int done[3]; /* what the last call said */
  uint32_t armed[3];
  bool written[3]; /* what its value leads to */
  uint32_t got[3];
} w;

static uint8_t *base(void) { return model_region(); }

static void make(void) {
  queue_make((sw_queue_options){.type = SW_TYPE_CHANNEL});
  memset(&w, 0, sizeof(w));
}
static void ready(void) { model_snapshot(&w, sizeof(w)), queue_ready(); }
static void setup_empty(void) { make(), ready(); }

static uint32_t word_of(uint32_t value) { return value << 4 | SW_QUEUE_INTEGER; }

/* ---- steps ---- */

static void note(int t, int done) {
  w.done[t] = done;
  if (done != 1 || w.o[t].value == 0) return;
  g.taken[t][0] = w.o[t].value >> 4;
  model_check(queue_is_whole(g.taken[t][0]));
}
/* What the offer has come to, when all threads have ended. */
static void look(int t) {
  if (w.done[t] == 0) note(t, sw_offer_is_done(&w.o[t], &g.heap[t]));
}
/* Each participant sends the value of its number, in case 1, and receives in case 0. */
static void send(int t) {
  if (!w.written[t]) model_data_write(base() + g.data + (size_t)4 * (uint32_t)(t + 1), (uint32_t)t + 1);
  w.written[t] = true;
  note(t, sw_offer_send(&w.o[t], &g.q[t], &g.heap[t], 1, word_of((uint32_t)t + 1)));
  g.done |= 1u << t;
}
static void receive(int t) {
  note(t, sw_offer_receive(&w.o[t], &g.q[t], &g.heap[t], 0));
  g.done |= 1u << t;
}
static void idle_0(void) {}
static void send_0(void) { send(0); }
static void send_1(void) { send(1); }
static void send_2(void) { send(2); }
static void receive_0(void) { receive(0); }
static void receive_1(void) { receive(1); }
static void receive_2(void) { receive(2); }
static void select_0(void) {
  send(0);
  if (w.done[0] == 0) receive(0);
}
static void select_1(void) {
  receive(1);
  if (w.done[1] == 0) send(1);
}
/* The last look before a sleep, which ends when a ring has changed the doorbell: then, all others
 * being at rest, it looks again. */
static void arm(int t) { w.armed[t] = sw_endpoint_arm(base(), (uint32_t)t, SW_SLEEP_QUIET); }
static void wake(int t, void (*act)(void)) {
  look(t);
  if (w.done[t] == 0 && sw_load_relaxed(sw_endpoint_doorbell(base(), (uint32_t)t)) != w.armed[t]) act();
}
static void last_send_0(void) { arm(0), send(0); }
static void last_receive_1(void) { arm(1), receive(1); }
static void last_select_0(void) { arm(0), select_0(); }
static void last_select_1(void) { arm(1), select_1(); }
static void withdraw_0(void) { note(0, sw_offer_withdraw(&w.o[0], &g.heap[0])); }
static void take_1(void) { queue_take(1, 0); }
static void give_1(void) { g.status[1][0] = queue_put(1, 5, 0); }
static void close_1(void) { model_check(sw_queue_close(&g.q[1], &g.heap[1]) == SW_OK); }
static void take_and_bury_1(void) {
  queue_take(1, 0);
  queue_bury(1);
}
/* Of the next block there: a word that was the home of a card of endpoint 0. */
static uint32_t *used(uint32_t side) {
  uint32_t place = side * swi_offer_bytes() / 2;
  return (uint32_t *)(void *)(base() + g.q[2].rest + place + offsetof(sw_queue_place, home));
}
static void free_and_use_2(void) {
  uint32_t block = queue_block()->rings, bytes = (uint32_t)sw_heap_usable(&g.heap[2], block);
  model_check(sw_queue_free(&g.q[2], &g.heap[2]) == SW_OK);
  g.cell[1] = sw_heap_alloc(&g.heap[2], bytes);
  model_assume(g.cell[1] == block);
  for (uint32_t side = 0; side < 2; side++) sw_store_relaxed(used(side), 7);
}

static void close_late_1(void) { g.status[1][0] = sw_queue_close(&g.q[1], &g.heap[1]); }
/* As the next object in this block has it. */
static void free_and_make_2(void) {
  model_check(sw_queue_free(&g.q[2], &g.heap[2]) == SW_OK);
  sw_store64_release(&queue_block()->waitable.object.root, NEXT_ROOT);
}

/* ---- what is to come of it ---- */
static int sum(void) { return (w.done[0] == 1) + (w.done[1] == 1) + (w.done[2] == 1); }

static void two_have_met(void) {
  for (int t = 0; t < 3; t++) look(t);
  model_check(w.done[0] == 1 && w.done[1] == 1);
  model_check(w.o[0].which + w.o[1].which == 1);
  uint32_t to = w.o[0].which == 0 ? 0 : 1;
  model_check(g.taken[to][0] == 2 - to && g.taken[1 - to][0] == 0);
  model_check(sw_queue_check(&g.q[2], &g.heap[2]) == SW_OK);
  model_mark(to == 0 ? FIRST : SECOND);
}
static void a_send_and_a_receive_have_met(void) {
  wake(0, send_0), wake(1, receive_1);
  two_have_met();
}
static void two_selects_have_met(void) {
  wake(0, select_0), wake(1, select_1);
  two_have_met();
}
/* Of three, one is left. */
static void one_pair_has_met(void) {
  for (int t = 0; t < 3; t++) look(t);
  model_check(sum() == 2 && w.done[0] + w.done[1] + w.done[2] == 2);
  uint32_t other = w.done[1] == 1 ? 1 : 2;
  model_check(w.done[0] == 1);
  bool sends = w.o[0].which == 1;
  model_check(g.taken[0][0] == (sends ? 0 : other + 1) && g.taken[other][0] == (sends ? 1 : 0));
  /* and can be taken */
  uint32_t rest = 3 - other;
  if (sends) model_check(queue_put(2, 5, 0) == 1);
  else model_check(queue_rest() == rest + 1);
  look((int)rest);
  model_check(w.done[rest] == 1);
  model_mark(other == 1 ? FIRST : SECOND);
}
static void taken_or_withdrawn(void) {
  model_check((w.done[0] == 1) == (g.taken[1][0] == 1));
  model_check(queue_rest() == 0);
  model_mark(w.done[0] == 1 ? FIRST : SECOND);
}
static void given_or_withdrawn(void) {
  model_check((w.done[0] == 1) == (g.status[1][0] == 1));
  if (w.done[0] == 1) model_check(g.taken[0][0] == 5);
  model_mark(w.done[0] == 1 ? FIRST : SECOND);
}
static void closed_or_waits(void) {
  model_check(w.done[0] == 0 || w.done[0] == SW_ECLOSED);
  model_mark(w.done[0] == 0 ? FIRST : SECOND);
  if (w.done[0] == 0) send(0);
  model_check(w.done[0] == SW_ECLOSED && queue_rest() == 0);
}
static void dead_was_received_or_not(void) {
  swi_queue_bury(base(), REGION_BYTES, g.at, &(swi_dead){g.heap[0].role, false});
  model_check(g.taken[1][0] == 0 || g.taken[1][0] == 1);
  model_check(queue_rest() == 0); /* nor is it received now */
  model_mark(g.taken[1][0] == 1 ? FIRST : SECOND);
}
/* A survivor that waits is still there; one that is done has met the dead one. */
static void survivor_is_whole(void) {
  swi_queue_bury(base(), REGION_BYTES, g.at, &(swi_dead){g.heap[0].role, false});
  bool lived = (g.done & 1) != 0;
  look(1);
  model_check(w.done[1] == 1 || w.done[1] == 0);
  if (lived && w.done[0] != 0) model_check(w.done[1] == 1);
  if (w.done[1] == 1) {
    model_check(queue_rest() == 0 && sw_offer_is_done(&w.o[1], &g.heap[1]) == 0);
    model_mark(FIRST);
    return;
  }
  model_mark(SECOND);
  model_check(queue_put(2, 5, 0) == 1);
  look(1);
  model_check(w.done[1] == 1 && g.taken[1][0] == 5);
}
static void freed_once(void) {
  model_check(w.done[0] == 0 || w.done[0] == SW_EFREED);
  bool waits = w.o[0].home != 0;
  model_check(sw_offer_is_done(&w.o[0], &g.heap[0]) == (waits ? SW_EFREED : 0));
  for (uint32_t side = 0; side < 2; side++) model_check(*used(side) == 7);
  model_check(g.cell[1] != 0 && sw_heap_free(&g.heap[2], g.cell[1]) == SW_OK);
  model_mark(w.done[0] == 0 ? FIRST : SECOND);
}
static void next_is_open(void) {
  model_check(g.status[1][0] == SW_OK || g.status[1][0] == SW_EFREED);
  model_check(queue_block()->waitable.object.root == NEXT_ROOT);
  model_mark(g.status[1][0] == SW_OK ? FIRST : SECOND);
}

/* ---- waiting ---- */

static void send_waits(void) { make(), send(0), g.done = 0, w.done[0] = 0, ready(); }
static void receive_waits(void) { make(), receive(0), g.done = 0, ready(); }
static void select_waits(void) { make(), select_0(), g.done = 0, ready(); }

static void wait_until_done(int t, void (*act)(int t)) {
  for (act(t); w.done[t] == 0;) {
    uint32_t ticket = sw_endpoint_arm(base(), (uint32_t)t, SW_SLEEP_FUTEX);
    act(t);
    if (w.done[t] == 0) {
      model_mark(SLEPT);
      model_wait(sw_endpoint_doorbell(base(), (uint32_t)t), ticket);
    }
    sw_endpoint_disarm(base(), (uint32_t)t);
    if (w.done[t] == 0) act(t);
  }
}
/* It waits already, and only looks whether it was met. */
static void sleep_0(void) { wait_until_done(0, look); }
static void wait_to_receive_0(void) { wait_until_done(0, receive); }
static void wait_to_send_0(void) { wait_until_done(0, send); }
static void has_received(void) { model_check(w.done[0] == 1 && g.taken[0][0] == 2); }
static void has_seen_the_end(void) { model_check(w.done[0] == SW_ECLOSED); }

/* ---- two channels: a select to send waits in both, and misses in one what gives up there ---- */

static void send_to_both(int t) {
  send(t);
  if (w.done[t] == 0) note(t, sw_offer_send(&w.o[t], &w.b[t], &g.heap[t], 2, word_of((uint32_t)t + 1)));
}
static void two_channels(void) {
  make();
  sw_queue_options options = {.type = SW_TYPE_CHANNEL};
  uint32_t at = sw_queue_new(&g.heap[2], &options);
  for (int t = 0; t < 3; t++) model_check(sw_queue_open(&w.b[t], &g.heap[t], at, 0) == SW_OK);
  note(2, sw_offer_receive(&w.o[2], &w.b[2], &g.heap[2], 0));
  ready();
}
static void last_send_to_both_0(void) { arm(0), send_to_both(0); }
static void send_to_both_0(void) { send_to_both(0); }
static void withdraw_2(void) { w.done[2] = sw_offer_withdraw(&w.o[2], &g.heap[2]); }
/* A dead one's send is received, or its block is freed: by the burial's thread, or by another. */
static void send_of_a_block(void) {
  make();
  g.cell[0] = sw_heap_alloc(&g.heap[2], 64);
  note(0, sw_offer_send(&w.o[0], &g.q[0], &g.heap[0], 1, g.cell[0]));
  ready();
}
static void bury_and_look_1(void) {
  swi_queue_bury(base(), REGION_BYTES, g.at, &(swi_dead){g.heap[0].role, false});
  w.done[1] = swi_offer_take(&g.q[1], &g.heap[1], &w.got[1]);
}
static void look_2(void) { w.done[2] = swi_offer_take(&g.q[2], &g.heap[2], &w.got[2]); }
static void received_or_free(void) {
  uint32_t got = w.got[1] + w.got[2];
  model_check((w.done[1] == 1) + (w.done[2] == 1) == (got != 0) && (got == 0 || got == g.cell[0]));
  model_check(sw_heap_free(&g.heap[1], g.cell[0]) == (got == 0 ? SW_EDOUBLEFREE : SW_OK));
  model_mark(got == 0 ? FIRST : SECOND);
}
static void one_was_met(void) {
  wake(0, send_to_both_0), wake(1, receive_1);
  look(0), look(1);
  model_check(w.done[0] == 1 && w.done[1] == (w.done[2] == 1 ? 0 : 1));
  model_check(w.o[0].which == (w.done[2] == 1 ? 2 : 1));
  model_mark(w.done[2] == 1 ? FIRST : SECOND);
}

const model_scenario scenes_offer[] = {{.name = "offer: a select that waits, and another select",
                                        .setup = select_waits,
                                        .threads = {idle_0, select_1},
                                        .finish = two_have_met,
                                        .marks = SECOND},
                                       {.name = "offer: one waits to receive, two send",
                                        .setup = receive_waits,
                                        .threads = {idle_0, send_1, send_2},
                                        .finish = one_pair_has_met,
                                        .marks = FIRST | SECOND},
                                       {.name = "offer: one waits to send, two receive",
                                        .setup = send_waits,
                                        .threads = {idle_0, receive_1, receive_2},
                                        .finish = one_pair_has_met,
                                        .marks = FIRST | SECOND},
                                       {.name = "offer: a send is withdrawn, another takes it",
                                        .setup = send_waits,
                                        .threads = {withdraw_0, take_1},
                                        .finish = taken_or_withdrawn,
                                        .marks = FIRST | SECOND},
                                       {.name = "offer: a receive is withdrawn, another gives",
                                        .setup = receive_waits,
                                        .threads = {withdraw_0, give_1},
                                        .finish = given_or_withdrawn,
                                        .marks = FIRST | SECOND},
                                       {.name = "offer: one sends, one closes",
                                        .setup = setup_empty,
                                        .threads = {send_0, close_1},
                                        .finish = closed_or_waits,
                                        .marks = FIRST | SECOND},
                                       {.name = "offer: one sends and may die, one takes and buries it",
                                        .setup = setup_empty,
                                        .threads = {send_0, take_and_bury_1},
                                        .finish = dead_was_received_or_not,
                                        .mortal = 1,
                                        .marks = FIRST | SECOND},
                                       {.name = "offer: one waits to send, and it is closed",
                                        .setup = setup_empty,
                                        .threads = {wait_to_send_0, close_1},
                                        .finish = has_seen_the_end,
                                        .sc = true,
                                        .marks = SLEPT},
                                       {.name = "offer: one that waits sleeps, and is woken",
                                        .setup = receive_waits,
                                        .threads = {sleep_0, send_1},
                                        .finish = has_received,
                                        .sc = true,
                                        .marks = SLEPT},
                                       {.name = "offer: one waits to receive, and is woken",
                                        .setup = setup_empty,
                                        .threads = {wait_to_receive_0, send_1},
                                        .finish = has_received,
                                        .sc = true,
                                        .large = true,
                                        .marks = SLEPT},
                                       {.name = "offer: one sends, one receives",
                                        .setup = setup_empty,
                                        .threads = {last_send_0, last_receive_1},
                                        .finish = a_send_and_a_receive_have_met,
                                        .marks = SECOND},
                                       {.name = "offer: two select at once",
                                        .setup = setup_empty,
                                        .threads = {last_select_0, last_select_1},
                                        .finish = two_selects_have_met,
                                        .large = true,
                                        .marks = FIRST | SECOND},
                                       {.name = "offer: one sends and may die, one receives",
                                        .setup = setup_empty,
                                        .threads = {send_0, receive_1},
                                        .finish = survivor_is_whole,
                                        .mortal = 1,
                                        .large = true,
                                        .marks = FIRST | SECOND},
                                       {.name = "offer: one receives, one frees the channel",
                                        .setup = setup_empty,
                                        .threads = {receive_0, idle_0, free_and_use_2},
                                        .finish = freed_once,
                                        .marks = FIRST | SECOND},
                                       {.name = "offer: a select is met in one channel, busy in another",
                                        .setup = two_channels,
                                        .threads = {last_send_to_both_0, last_receive_1, withdraw_2},
                                        .finish = one_was_met,
                                        .sc = true,
                                        .huge = true,
                                        .marks = FIRST | SECOND},
                                       {.name = "offer: a dead one's send is buried, and looked at",
                                        .setup = send_of_a_block,
                                        .threads = {idle_0, bury_and_look_1, look_2},
                                        .finish = received_or_free,
                                        .marks = FIRST | SECOND},
                                       {.name = "offer: one closes late, in its place another channel is made",
                                        .setup = setup_empty,
                                        .threads = {idle_0, close_late_1, free_and_make_2},
                                        .finish = next_is_open,
                                        .marks = FIRST | SECOND},
                                       {.name = NULL}};
