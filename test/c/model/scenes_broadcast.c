/* Broadcasts: a subscriber receives whole messages, in their order, and is told how many it has
 * missed; also when it is overtaken, when publishers and subscribers come, go and die, and when the
 * broadcast is closed or freed; and one that waits is woken.
 *
 * Thread n is process n + 1, endpoint n. The ring has room for two messages: they begin at its two
 * halves, or, when they are short, leave a pad behind the second. */
#include <string.h>

#include "base/peer.h"
#include "core/objects/burial.h"
#include "core/region/waits.h"
#include "sabway/broadcast.h"
#include "sabway/object.h"
#include "scenes.h"

enum { SHORT = 4, LONG = 12, RING = 64 };

static struct {
  sw_heap heap[3];
  uint32_t at, generation, bytes;
  uint32_t got[3][4], count[3]; /* by thread: the numbers of what it received */
  uint64_t missed[3];
  int sent[3], last[3]; /* statuses */
  uint32_t block;
  uint32_t done; /* bit n: thread n came to its end */
} c;

static uint8_t *base(void) { return model_region(); }
static void end(int thread) { c.done |= 1u << thread; }
static bool has_ended(int thread) { return (c.done & 1u << thread) != 0; }

/* ---- messages: their number, and words that it tells ---- */

static int send(int thread, uint32_t n) {
  uint32_t message[3] = {n, ~n, n * 0x01010101};
  int status = sw_broadcast_try_send(&c.heap[thread], c.at, c.generation, n, message, c.bytes);
  if (status == SW_EFULL) model_mark(FULL);
  return c.sent[thread] = status;
}

/* Each is whole, is behind the last one, and those between them are counted. `seen`: the number of
 * the last message that it need not count. */
static int receive_behind(int thread, uint32_t seen) {
  uint32_t found[3] = {0};
  sw_broadcast_message message;
  int status = sw_broadcast_try_receive(&c.heap[thread], c.at, c.generation, found, sizeof(found), &message);
  c.last[thread] = status;
  if (status != 1) return status;
  uint32_t n = found[0];
  model_check(message.length == c.bytes && message.type == n);
  model_check(c.bytes == SHORT || (found[1] == ~n && found[2] == n * 0x01010101));
  uint32_t count = c.count[thread];
  model_check(count == 0 || n > c.got[thread][count - 1]);
  if (seen != UINT32_MAX) model_check(message.missed == n - seen - 1 - count);
  c.missed[thread] = message.missed;
  c.got[thread][count] = n;
  c.count[thread]++;
  return 1;
}
static int receive(int thread) { return receive_behind(thread, 0); }

static int subscribe(int thread, uint32_t oldest) {
  return sw_broadcast_subscribe(&c.heap[thread], c.at, c.generation, oldest);
}

/* ---- setup: thread 1 subscribes, and messages come ---- */

static void make(uint32_t policy, uint32_t bytes) {
  world_empty();
  world_mark();
  memset(&c, 0, sizeof(c));
  model_snapshot(&c, sizeof(c));
  model_check(sw_region_format_empty(base(), MODEL_REGION_PAGES, SW_HEAP_AT) == SW_OK);
  model_check(sw_heap_format(base(), SW_HEAP_AT, REGION_BYTES) == SW_OK);
  for (uint32_t i = 0; i < 3; i++) {
    model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
    model_check(sw_heap_open(&c.heap[i], base(), REGION_BYTES, SW_HEAP_AT, i) == SW_OK);
    c.heap[i].shares = 0; /* slabs have owners, as in a large heap */
  }
  c.bytes = bytes;
  c.at = sw_broadcast_new(&c.heap[2], RING, policy, 0);
  model_check(sw_object_type(&c.heap[2], c.at, &c.generation) == SW_TYPE_BROADCAST);
}
static void ready(uint32_t count) {
  for (uint32_t i = 1; i <= count; i++) model_check(send(2, i) == SW_OK);
  /* finish writes, too */
  model_snapshot(base() + SW_HEAP_AT, REGION_BYTES - SW_HEAP_AT);
}
static void setup(uint32_t policy, uint32_t bytes, int subscriber, uint32_t count) {
  make(policy, bytes);
  if (subscriber >= 0) model_check(subscribe(subscriber, 0) == SW_OK);
  ready(count);
}
static void setup_drop(void) { setup(SW_BROADCAST_DROP_OLDEST, LONG, 1, 2); }
static void setup_drop_short(void) { setup(SW_BROADCAST_DROP_OLDEST, SHORT, 1, 2); }
static void setup_drop_one(void) { setup(SW_BROADCAST_DROP_OLDEST, SHORT, 1, 1); }
static void setup_drop_none(void) { setup(SW_BROADCAST_DROP_OLDEST, SHORT, 1, 0); }
static void setup_latest(void) { setup(SW_BROADCAST_LATEST_ONLY, SHORT, 1, 2); }
static void setup_block(void) { setup(SW_BROADCAST_BLOCK, LONG, 1, 2); }
static void setup_block_one(void) { setup(SW_BROADCAST_BLOCK, SHORT, 1, 1); }
static void setup_in_the_way(void) { setup(SW_BROADCAST_BLOCK, LONG, 0, 2); }
static void setup_nobody(void) { setup(SW_BROADCAST_DROP_OLDEST, SHORT, -1, 1); }

/* ---- finish ---- */

static void is_sound(void) { model_check(sw_broadcast_check(&c.heap[2], c.at, c.generation) == SW_OK); }

/* Thread 1 receives the rest; `last` is the last one then. */
static void rest_up_to(uint32_t last) {
  is_sound();
  while (c.count[1] < 4 && receive(1) == 1) continue;
  model_check(c.last[1] == 0 || c.last[1] == SW_ECLOSED);
  model_check(c.count[1] != 0 && c.got[1][c.count[1] - 1] == last);
}

/* ---- one publishes, one receives ---- */

static void send_3_0(void) { send(0, 3), end(0); }
static void send_3_4_0(void) { model_check(send(0, 3) == SW_OK && send(0, 4) == SW_OK), end(0); }
static void receive_1(void) { model_check(receive(1) == 1), end(1); }
static void receive_two_1(void) { model_check(receive(1) == 1 && receive(1) >= 0), end(1); }
static void finish_up_to_3(void) {
  model_mark(c.got[1][0] == 1 ? FIRST : c.got[1][0] == 2 ? SECOND : BOTH);
  model_check(c.sent[0] == SW_OK);
  rest_up_to(3);
}
static void finish_up_to_4(void) {
  model_mark(c.got[1][0] == 1 ? FIRST : c.got[1][0] == 2 ? SECOND : BOTH);
  rest_up_to(4);
}
static void latest_is_3(void) {
  model_check(c.got[1][0] >= 2);
  model_mark(c.got[1][0] == 2 ? FIRST : BOTH);
  rest_up_to(3);
}

/* None is missed: each is received, or there is no room for it. */
static void nothing_missed(void) {
  model_check(c.sent[0] == SW_OK || c.sent[0] == SW_EFULL);
  model_mark(c.sent[0] == SW_OK ? FIRST : SECOND);
  rest_up_to(c.sent[0] == SW_OK ? 3 : 2);
  model_check(c.missed[1] == 0);
}

/* ---- two publishers ---- */

static void send_2_0(void) { send(0, 2), end(0); }
static void send_3_2(void) { send(2, 3), end(2); }
static void receive_any_1(void) {
  while (c.count[1] < 2 && receive_behind(1, UINT32_MAX) == 1) continue;
}
static void both_in_turn(void) {
  is_sound();
  uint32_t sum = 0, count = c.count[1];
  for (uint32_t i = 0; i < count; i++) sum += c.got[1][i];
  c.count[1] = 0; /* in any order */
  memset(c.got[1], 0, sizeof(c.got[1]));
  while (receive_behind(1, UINT32_MAX) == 1) {
    sum += c.got[1][0], count++;
    c.count[1] = 0;
  }
  model_check(c.missed[1] == 0);
  uint32_t want = 1 + (c.sent[0] == SW_OK ? 2u : 0) + (c.sent[2] == SW_OK ? 3u : 0);
  model_check(sum == want);
  for (int i = 0; i < 3; i += 2) model_check(c.sent[i] == SW_OK || c.sent[i] == SW_EBUSY || c.sent[i] == SW_EFULL);
  model_check(c.sent[0] == SW_OK || c.sent[2] == SW_OK);
  model_mark(c.sent[0] == SW_OK && c.sent[2] == SW_OK ? BOTH : FIRST);
}

/* ---- subscribers that come late ---- */

static void join_1(void) {
  c.last[1] = subscribe(1, 0);
  model_assume(c.last[1] == SW_OK);
  receive_behind(1, UINT32_MAX);
}
static void join_oldest_1(void) {
  c.last[1] = subscribe(1, 1);
  model_assume(c.last[1] == SW_OK);
  model_check(receive_behind(1, UINT32_MAX) == 1);
}
static void send_2_3_0(void) {
  c.sent[2] = send(0, 2);
  send(0, 3);
}
/* From some message on it has all. */
static void joined(void) {
  is_sound();
  while (c.count[1] < 4 && receive_behind(1, UINT32_MAX) == 1) continue;
  uint32_t count = c.count[1];
  if (c.sent[0] == SW_OK && count != 0) model_check(c.got[1][count - 1] == 3);
  for (uint32_t i = 1; i < count; i++) model_check(c.got[1][i] == c.got[1][i - 1] + 1 || c.sent[2] != SW_OK);
  model_mark(count == 0 ? REFUSED : c.got[1][0] == 1 ? FIRST : SECOND);
}

/* ---- death ---- */

/* The message of the dead one is there or not, and publishing goes on. */
static void goes_on(void) {
  is_sound();
  model_check(send(2, 4) == SW_OK);
  uint32_t count = 0;
  while (c.count[1] < 4 && receive_behind(1, UINT32_MAX) == 1) continue;
  count = c.count[1];
  model_check(count != 0 && c.got[1][count - 1] == 4);
  bool there = false;
  for (uint32_t i = 0; i < count; i++) there |= c.got[1][i] == 3;
  model_check(there || !has_ended(0));
  model_mark(there ? FIRST : SECOND);
}
static void send_5_1(void) { send(1, 5), end(1); }
static void two_have_sent(void) {
  is_sound();
  model_check(c.sent[1] == SW_OK || c.sent[1] == SW_EBUSY);
  bool there[6] = {false};
  while (receive_behind(1, UINT32_MAX) == 1) {
    there[c.got[1][0]] = true;
    c.count[1] = 0;
  }
  model_check(there[5] == (c.sent[1] == SW_OK));
  model_check(there[2] || !has_ended(0) || c.sent[0] == SW_EBUSY);
  model_mark(there[5] && there[2] ? BOTH : there[5] ? FIRST : SECOND);
}

/* One in the way receives and leaves, and dies on the way: there is room then. */
static void receive_and_leave_0(void) {
  model_check(receive(0) == 1);
  model_check(sw_broadcast_unsubscribe(&c.heap[0], c.at, c.generation) == SW_OK);
  end(0);
}
static void send_4_1(void) { send(1, 4), end(1); }
static void there_is_room(void) {
  is_sound();
  model_check(c.sent[1] == SW_OK || c.sent[1] == SW_EFULL);
  model_mark(c.sent[1] == SW_OK ? FIRST : SECOND);
  model_check(send(2, 6) == SW_OK && send(2, 7) == SW_OK && send(2, 8) == SW_OK);
  model_check(sw_broadcast_subscribers(&c.heap[2], c.at, c.generation) == 0);
}
static void come_0(void) { subscribe(0, 1), end(0); }
static void comes_and_dies(void) {
  is_sound();
  model_check(c.sent[1] == SW_OK || c.sent[1] == SW_EBUSY);
  model_check(!has_ended(0) || sw_broadcast_subscribers(&c.heap[2], c.at, c.generation) <= 2);
  model_mark(has_ended(0) ? FIRST : SECOND);
}

/* ---- the end ---- */

static int close_by(int thread) { return sw_broadcast_close(&c.heap[thread], c.at, c.generation); }
static void send_2_and_close_0(void) { model_check(send(0, 2) == SW_OK && close_by(0) == SW_OK), end(0); }
static void close_0(void) {
  int status = close_by(0);
  model_assume(status != SW_EBUSY);
  model_check(status == SW_OK);
}
static void die_closing_0(void) { c.last[0] = close_by(0), end(0); }
static void receive_to_the_end_1(void) {
  for (int i = 0; i < 3 && receive(1) == 1; i++) continue;
  if (c.last[1] == SW_ECLOSED) model_mark(ENDED), end(1);
}
static void all_before_the_end(void) {
  if (has_ended(1)) model_check(c.count[1] == 2);
  rest_up_to(2);
  model_check(c.last[1] == SW_ECLOSED && sw_broadcast_is_closed(&c.heap[2], c.at, c.generation) == 1);
  model_check(send(2, 3) == SW_ECLOSED && close_by(2) == SW_ECLOSED);
}
static void closed_or_not(void) {
  is_sound();
  bool closed = sw_broadcast_is_closed(&c.heap[2], c.at, c.generation) == 1;
  model_check(closed || !has_ended(0) || c.last[0] == SW_EBUSY);
  model_check(send(2, 3) == (closed ? SW_ECLOSED : SW_OK));
  model_mark(closed ? FIRST : SECOND);
}

/* The ring is another's block at once. */
static void free_and_use_0(void) {
  uint32_t ring = ((sw_broadcast *)(void *)(base() + c.at))->ring;
  int status = sw_broadcast_free(&c.heap[0], c.at, c.generation);
  model_assume(status != SW_EBUSY);
  model_check(status == SW_OK);
  c.block = sw_heap_alloc(&c.heap[0], RING);
  if (c.block != ring) return;
  for (uint32_t i = 0; i < 4; i++) sw_fill64((uint64_t *)(void *)(base() + ring + 8 * (size_t)i), 0x4000000040);
}
static void receive_late_1(void) {
  int status = receive(1);
  model_check(status == 1 || status == SW_EFREED);
  model_mark(status == 1 ? FIRST : SECOND);
}
static void send_late_1(void) {
  int status = send(1, 3);
  model_check(status == SW_OK || status == SW_EFREED || status == SW_EBUSY);
  model_mark(status == SW_OK ? FIRST : SECOND);
}
static void is_freed(void) {
  model_check(c.block != 0 && sw_heap_usable(&c.heap[2], c.block) >= RING);
  model_check(sw_heap_free(&c.heap[2], c.block) == SW_OK);
  model_check(sw_object_check(&c.heap[2], c.at, SW_TYPE_BROADCAST, c.generation) == SW_EFREED);
}

/* ---- waiting ---- */

/* Try, and sleep until something is rung: SW_OK is what a send gives, and 0 a receive in vain. */
static bool in_vain(uint32_t what) {
  int status = what == SW_BROADCAST_ROOM ? send(1, 3) : receive(1);
  model_assume(status != SW_EBUSY);
  c.last[1] = status;
  return status == (what == SW_BROADCAST_ROOM ? SW_EFULL : 0);
}
static void wait_for(uint32_t what) {
  if (!in_vain(what)) return;
  sw_broadcast_begin_wait(&c.heap[1], c.at, c.generation, what);
  for (bool waits = true; waits;) {
    uint32_t ticket = sw_endpoint_arm(base(), 1, SW_SLEEP_FUTEX);
    waits = in_vain(what);
    if (waits) {
      model_mark(SLEPT);
      model_wait(sw_endpoint_doorbell(base(), 1), ticket);
    }
    sw_endpoint_disarm(base(), 1);
  }
  sw_broadcast_end_wait(&c.heap[1], c.at, c.generation, what);
}
static void wait_for_message_1(void) { wait_for(SW_BROADCAST_MESSAGES); }
static void wait_for_room_1(void) { wait_for(SW_BROADCAST_ROOM); }
static void send_1_0(void) { model_check(send(0, 1) == SW_OK); }
static void receive_0(void) { model_check(receive(0) == 1); }
static void leave_0(void) { model_check(sw_broadcast_unsubscribe(&c.heap[0], c.at, c.generation) == SW_OK); }
static void free_0(void) {
  int status = sw_broadcast_free(&c.heap[0], c.at, c.generation);
  model_assume(status != SW_EBUSY);
  model_check(status == SW_OK);
}
/* Its thread has ended, and its process goes on. What burial does for each broadcast: the directory
 * is too large for the model. */
static void bury_0(void) {
  uint32_t role = c.heap[0].role;
  sw_broadcast *b = (sw_broadcast *)(void *)(base() + c.at);
  swi_broadcast_bury(base(), REGION_BYTES, c.at, &(swi_dead){role, false});
  for (uint32_t i = 0; i < 2; i++) swi_waits_bury(base(), &b->waitable.waits[i], 0, false);
  sw_endpoint_release_role(base(), role);
}
static void has_received(void) { model_check(c.last[1] == 1 && c.got[1][0] == 1); }
static void has_sent(void) { model_check(c.last[1] == SW_OK); }
static void told_of_the_end(void) { model_check(c.last[1] == SW_ECLOSED); }
static void told_that_it_is_gone(void) { model_check(c.last[1] == SW_EFREED); }

const model_scenario scenes_broadcast[] = {{.name = "broadcast: one publishes over what one receives",
                                            .setup = setup_drop,
                                            .threads = {send_3_0, receive_1},
                                            .finish = finish_up_to_3,
                                            .marks = FIRST | SECOND},
                                           {.name = "broadcast: one publishes twice over what one receives",
                                            .setup = setup_drop,
                                            .threads = {send_3_4_0, receive_1},
                                            .finish = finish_up_to_4,
                                            .marks = FIRST | SECOND | BOTH},
                                           {.name = "broadcast: one publishes around a pad, one receives two",
                                            .setup = setup_drop_short,
                                            .threads = {send_3_0, receive_two_1},
                                            .finish = finish_up_to_3,
                                            .marks = FIRST | SECOND},
                                           {.name = "broadcast: one publishes, one receives the latest",
                                            .setup = setup_latest,
                                            .threads = {send_3_0, receive_two_1},
                                            .finish = latest_is_3,
                                            .marks = FIRST | BOTH},
                                           {.name = "broadcast: one publishes where one has received",
                                            .setup = setup_block,
                                            .threads = {send_3_0, receive_1},
                                            .finish = nothing_missed,
                                            .marks = FIRST | SECOND | FULL},
                                           {.name = "broadcast: two publish",
                                            .setup = setup_block_one,
                                            .threads = {send_2_0, receive_any_1, send_3_2},
                                            .finish = both_in_turn,
                                            .marks = FIRST | BOTH},
                                           {.name = "broadcast: one publishes two, one comes",
                                            .setup = setup_nobody,
                                            .threads = {send_2_3_0, join_1},
                                            .finish = joined,
                                            .marks = SECOND | REFUSED},
                                           {.name = "broadcast: one publishes two, one comes for all",
                                            .setup = setup_nobody,
                                            .threads = {send_2_3_0, join_oldest_1},
                                            .finish = joined,
                                            .marks = FIRST | SECOND},
                                           {.name = "broadcast: one publishes, and may die; one receives",
                                            .setup = setup_drop,
                                            .threads = {send_3_0, receive_1},
                                            .finish = goes_on,
                                            .mortal = 1,
                                            .marks = FIRST | SECOND},
                                           {.name = "broadcast: two publish, and one may die",
                                            .setup = setup_drop_one,
                                            .threads = {send_2_0, send_5_1},
                                            .finish = two_have_sent,
                                            .mortal = 1,
                                            .marks = FIRST | SECOND | BOTH},
                                           {.name = "broadcast: one in the way leaves or dies, one publishes",
                                            .setup = setup_in_the_way,
                                            .threads = {receive_and_leave_0, send_4_1},
                                            .finish = there_is_room,
                                            .mortal = 1,
                                            .marks = FIRST | SECOND},
                                           {.name = "broadcast: one comes and dies, one publishes",
                                            .setup = setup_block_one,
                                            .threads = {come_0, send_5_1},
                                            .finish = comes_and_dies,
                                            .mortal = 1,
                                            .marks = FIRST | SECOND},
                                           {.name = "broadcast: one publishes and closes, one receives to the end",
                                            .setup = setup_drop_one,
                                            .threads = {send_2_and_close_0, receive_to_the_end_1},
                                            .finish = all_before_the_end,
                                            .marks = ENDED},
                                           {.name = "broadcast: one closes, and may die; one publishes",
                                            .setup = setup_drop_one,
                                            .threads = {die_closing_0, send_5_1},
                                            .finish = closed_or_not,
                                            .mortal = 1,
                                            .marks = FIRST | SECOND},
                                           {.name = "broadcast: one frees it and uses the ring, one receives late",
                                            .setup = setup_drop,
                                            .threads = {free_and_use_0, receive_late_1},
                                            .finish = is_freed,
                                            .marks = FIRST | SECOND},
                                           {.name = "broadcast: one frees it and uses the ring, one publishes late",
                                            .setup = setup_drop,
                                            .threads = {free_and_use_0, send_late_1},
                                            .finish = is_freed,
                                            .marks = FIRST | SECOND},
                                           {.name = "broadcast: one waits for the message that another publishes",
                                            .setup = setup_drop_none,
                                            .threads = {send_1_0, wait_for_message_1},
                                            .finish = has_received,
                                            .sc = true,
                                            .marks = SLEPT},
                                           {.name = "broadcast: one waits for a message, and it is closed",
                                            .setup = setup_drop_none,
                                            .threads = {close_0, wait_for_message_1},
                                            .finish = told_of_the_end,
                                            .sc = true,
                                            .marks = SLEPT},
                                           {.name = "broadcast: one waits for a message, and it is freed",
                                            .setup = setup_drop_none,
                                            .threads = {free_0, wait_for_message_1},
                                            .finish = told_that_it_is_gone,
                                            .sc = true,
                                            .marks = SLEPT},
                                           {.name = "broadcast: one waits for room, and one receives",
                                            .setup = setup_in_the_way,
                                            .threads = {receive_0, wait_for_room_1},
                                            .finish = has_sent,
                                            .sc = true,
                                            .marks = SLEPT},
                                           {.name = "broadcast: one waits for room, and one leaves",
                                            .setup = setup_in_the_way,
                                            .threads = {leave_0, wait_for_room_1},
                                            .finish = has_sent,
                                            .sc = true,
                                            .marks = SLEPT},
                                           {.name = "broadcast: one waits for room, and it is closed",
                                            .setup = setup_in_the_way,
                                            .threads = {close_0, wait_for_room_1},
                                            .finish = told_of_the_end,
                                            .sc = true,
                                            .marks = SLEPT},
                                           {.name = "broadcast: one waits for room, and one in the way is buried",
                                            .setup = setup_in_the_way,
                                            .threads = {bury_0, wait_for_room_1},
                                            .finish = has_sent,
                                            .sc = true,
                                            .marks = SLEPT},
                                           {.name = NULL}};
