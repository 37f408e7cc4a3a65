/* Broadcasts: a subscriber receives whole messages, in their order, and is told how many it has
 * missed; also when it is overtaken, and when publishers and subscribers come, go and die. */
#include "scenes_broadcast.h"

#include <string.h>

#include "sabway/object.h"

struct cast_world cast;

static uint8_t *base(void) { return model_region(); }
void cast_end(int thread) { cast.done |= 1u << thread; }
bool cast_has_ended(int thread) { return (cast.done & 1u << thread) != 0; }

/* ---- messages: their number, and words that it tells ---- */

int cast_send(int thread, uint32_t n) {
  uint32_t message[3] = {n, ~n, n * 0x01010101};
  int status = sw_broadcast_try_send(&cast.heap[thread], cast.at, cast.generation, n, message, cast.bytes);
  if (status == SW_EFULL) model_mark(FULL);
  return cast.sent[thread] = status;
}

int cast_receive_behind(int thread, uint32_t seen) {
  uint32_t found[3] = {0};
  sw_broadcast_message message;
  int status = sw_broadcast_try_receive(&cast.heap[thread], cast.at, cast.generation, found, sizeof(found), &message);
  cast.last[thread] = status;
  if (status != 1) return status;
  uint32_t n = found[0];
  model_check(message.length == cast.bytes && message.type == n);
  model_check(cast.bytes == CAST_SHORT || (found[1] == ~n && found[2] == n * 0x01010101));
  uint32_t count = cast.count[thread];
  model_check(count == 0 || n > cast.got[thread][count - 1]);
  if (seen != UINT32_MAX) model_check(message.missed == n - seen - 1 - count);
  cast.missed[thread] = message.missed;
  cast.got[thread][count] = n;
  cast.count[thread]++;
  return 1;
}
int cast_receive(int thread) { return cast_receive_behind(thread, 0); }

int cast_subscribe(int thread, uint32_t oldest) {
  return sw_broadcast_subscribe(&cast.heap[thread], cast.at, cast.generation, oldest);
}

/* ---- setup: thread 1 subscribes, and messages come ---- */

void cast_make(uint32_t policy, uint32_t bytes) {
  world_empty();
  world_mark();
  memset(&cast, 0, sizeof(cast));
  model_snapshot(&cast, sizeof(cast));
  model_check(sw_region_format_empty(base(), MODEL_REGION_PAGES, SW_HEAP_AT) == SW_OK);
  model_check(sw_heap_format(base(), SW_HEAP_AT, REGION_BYTES) == SW_OK);
  for (uint32_t i = 0; i < 3; i++) {
    model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
    model_check(sw_heap_open(&cast.heap[i], base(), REGION_BYTES, SW_HEAP_AT, i) == SW_OK);
    cast.heap[i].shares = 0; /* slabs have owners, as in a large heap */
  }
  cast.bytes = bytes;
  cast.at = sw_broadcast_new(&cast.heap[2], CAST_RING, policy, 0);
  model_check(sw_object_type(&cast.heap[2], cast.at, &cast.generation) == SW_TYPE_BROADCAST);
}
void cast_ready(uint32_t count) {
  for (uint32_t i = 1; i <= count; i++) model_check(cast_send(2, i) == SW_OK);
  /* finish writes, too */
  model_snapshot(base() + SW_HEAP_AT, REGION_BYTES - SW_HEAP_AT);
}
void cast_setup(uint32_t policy, uint32_t bytes, int subscriber, uint32_t count) {
  cast_make(policy, bytes);
  if (subscriber >= 0) model_check(cast_subscribe(subscriber, 0) == SW_OK);
  cast_ready(count);
}
static void setup_drop(void) { cast_setup(SW_BROADCAST_DROP_OLDEST, CAST_LONG, 1, 2); }
static void setup_drop_short(void) { cast_setup(SW_BROADCAST_DROP_OLDEST, CAST_SHORT, 1, 2); }
static void setup_drop_one(void) { cast_setup(SW_BROADCAST_DROP_OLDEST, CAST_SHORT, 1, 1); }
static void setup_latest(void) { cast_setup(SW_BROADCAST_LATEST_ONLY, CAST_SHORT, 1, 2); }
static void setup_block(void) { cast_setup(SW_BROADCAST_BLOCK, CAST_LONG, 1, 2); }
static void setup_block_one(void) { cast_setup(SW_BROADCAST_BLOCK, CAST_SHORT, 1, 1); }
static void setup_in_the_way(void) { cast_setup(SW_BROADCAST_BLOCK, CAST_LONG, 0, 2); }
static void setup_nobody(void) { cast_setup(SW_BROADCAST_DROP_OLDEST, CAST_SHORT, -1, 1); }

/* ---- finish ---- */

void cast_is_sound(void) { model_check(sw_broadcast_check(&cast.heap[2], cast.at, cast.generation) == SW_OK); }

/* Thread 1 receives the rest; `last` is the last one then. */
void cast_rest_up_to(uint32_t last) {
  cast_is_sound();
  while (cast.count[1] < 4 && cast_receive(1) == 1) continue;
  model_check(cast.last[1] == 0 || cast.last[1] == SW_ECLOSED);
  model_check(cast.count[1] != 0 && cast.got[1][cast.count[1] - 1] == last);
}

/* ---- one publishes, one receives ---- */

static void send_3_0(void) { cast_send(0, 3), cast_end(0); }
static void send_3_4_0(void) { model_check(cast_send(0, 3) == SW_OK && cast_send(0, 4) == SW_OK), cast_end(0); }
static void receive_1(void) { model_check(cast_receive(1) == 1), cast_end(1); }
static void receive_two_1(void) { model_check(cast_receive(1) == 1 && cast_receive(1) >= 0), cast_end(1); }
static void finish_up_to_3(void) {
  model_mark(cast.got[1][0] == 1 ? FIRST : cast.got[1][0] == 2 ? SECOND : BOTH);
  model_check(cast.sent[0] == SW_OK);
  cast_rest_up_to(3);
}
static void finish_up_to_4(void) {
  model_mark(cast.got[1][0] == 1 ? FIRST : cast.got[1][0] == 2 ? SECOND : BOTH);
  cast_rest_up_to(4);
}
/* Never is there none. */
static void one_was_there(void) {
  cast_is_sound();
  model_mark(cast.got[1][0] == 1 ? FIRST : cast.got[1][0] == 2 ? SECOND : BOTH);
}
static void receive_once_1(void) { model_check(cast_receive_behind(1, UINT32_MAX) == 1); }
static void send_4_2(void) { cast_send(2, 4); }
static void latest_is_3(void) {
  model_check(cast.got[1][0] >= 2);
  model_mark(cast.got[1][0] == 2 ? FIRST : BOTH);
  cast_rest_up_to(3);
}

/* None is missed: each is received, or there is no room for it. */
static void nothing_missed(void) {
  model_check(cast.sent[0] == SW_OK || cast.sent[0] == SW_EFULL);
  model_mark(cast.sent[0] == SW_OK ? FIRST : SECOND);
  cast_rest_up_to(cast.sent[0] == SW_OK ? 3 : 2);
  model_check(cast.missed[1] == 0);
}

/* ---- two publishers ---- */

static void send_2_0(void) { cast_send(0, 2), cast_end(0); }
static void send_3_2(void) { cast_send(2, 3), cast_end(2); }
static void receive_any_1(void) {
  while (cast.count[1] < 2 && cast_receive_behind(1, UINT32_MAX) == 1) continue;
}
static void both_in_turn(void) {
  cast_is_sound();
  uint32_t sum = 0, count = cast.count[1];
  for (uint32_t i = 0; i < count; i++) sum += cast.got[1][i];
  cast.count[1] = 0; /* in any order */
  memset(cast.got[1], 0, sizeof(cast.got[1]));
  while (cast_receive_behind(1, UINT32_MAX) == 1) {
    sum += cast.got[1][0], count++;
    cast.count[1] = 0;
  }
  model_check(cast.missed[1] == 0);
  uint32_t want = 1 + (cast.sent[0] == SW_OK ? 2u : 0) + (cast.sent[2] == SW_OK ? 3u : 0);
  model_check(sum == want);
  for (int i = 0; i < 3; i += 2)
    model_check(cast.sent[i] == SW_OK || cast.sent[i] == SW_EBUSY || cast.sent[i] == SW_EFULL);
  model_check(cast.sent[0] == SW_OK || cast.sent[2] == SW_OK);
  model_mark(cast.sent[0] == SW_OK && cast.sent[2] == SW_OK ? BOTH : FIRST);
}

/* ---- subscribers that come late ---- */

static void join_1(void) {
  cast.last[1] = cast_subscribe(1, 0);
  model_assume(cast.last[1] == SW_OK);
  cast_receive_behind(1, UINT32_MAX);
}
static void join_oldest_1(void) {
  cast.last[1] = cast_subscribe(1, 1);
  model_assume(cast.last[1] == SW_OK);
  model_check(cast_receive_behind(1, UINT32_MAX) == 1);
}
static void send_2_3_0(void) {
  cast.sent[2] = cast_send(0, 2);
  cast_send(0, 3);
}
/* From some message on it has all. */
static void joined(void) {
  cast_is_sound();
  while (cast.count[1] < 4 && cast_receive_behind(1, UINT32_MAX) == 1) continue;
  uint32_t count = cast.count[1];
  if (cast.sent[0] == SW_OK && count != 0) model_check(cast.got[1][count - 1] == 3);
  for (uint32_t i = 1; i < count; i++) model_check(cast.got[1][i] == cast.got[1][i - 1] + 1 || cast.sent[2] != SW_OK);
  model_mark(count == 0 ? REFUSED : cast.got[1][0] == 1 ? FIRST : SECOND);
}

/* ---- death ---- */

/* The message of the dead one is there or not, and publishing goes on. */
static void goes_on(void) {
  cast_is_sound();
  model_check(cast_send(2, 4) == SW_OK);
  uint32_t count = 0;
  while (cast.count[1] < 4 && cast_receive_behind(1, UINT32_MAX) == 1) continue;
  count = cast.count[1];
  model_check(count != 0 && cast.got[1][count - 1] == 4);
  bool there = false;
  for (uint32_t i = 0; i < count; i++) there |= cast.got[1][i] == 3;
  model_check(there || !cast_has_ended(0));
  model_mark(there ? FIRST : SECOND);
}
static void send_5_1(void) { cast_send(1, 5), cast_end(1); }
static void two_have_sent(void) {
  cast_is_sound();
  model_check(cast.sent[1] == SW_OK || cast.sent[1] == SW_EBUSY);
  bool there[6] = {false};
  while (cast_receive_behind(1, UINT32_MAX) == 1) {
    there[cast.got[1][0]] = true;
    cast.count[1] = 0;
  }
  model_check(there[5] == (cast.sent[1] == SW_OK));
  model_check(there[2] || !cast_has_ended(0) || cast.sent[0] == SW_EBUSY);
  model_mark(there[5] && there[2] ? BOTH : there[5] ? FIRST : SECOND);
}

/* One in the way receives and leaves, and dies on the way: there is room then. */
static void receive_and_leave_0(void) {
  model_check(cast_receive(0) == 1);
  model_check(sw_broadcast_unsubscribe(&cast.heap[0], cast.at, cast.generation) == SW_OK);
  cast_end(0);
}
static void send_4_1(void) { cast_send(1, 4), cast_end(1); }
static void there_is_room(void) {
  cast_is_sound();
  model_check(cast.sent[1] == SW_OK || cast.sent[1] == SW_EFULL);
  model_mark(cast.sent[1] == SW_OK ? FIRST : SECOND);
  model_check(cast_send(2, 6) == SW_OK && cast_send(2, 7) == SW_OK && cast_send(2, 8) == SW_OK);
  model_check(sw_broadcast_subscribers(&cast.heap[2], cast.at, cast.generation) == 0);
}
static void come_0(void) { cast_subscribe(0, 1), cast_end(0); }
static void comes_and_dies(void) {
  cast_is_sound();
  model_check(cast.sent[1] == SW_OK || cast.sent[1] == SW_EBUSY);
  model_check(!cast_has_ended(0) || sw_broadcast_subscribers(&cast.heap[2], cast.at, cast.generation) <= 2);
  model_mark(cast_has_ended(0) ? FIRST : SECOND);
}

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
                                           {.name = "broadcast: two publish over what one receives",
                                            .setup = setup_drop,
                                            .threads = {send_3_0, receive_once_1, send_4_2},
                                            .finish = one_was_there,
                                            .marks = FIRST | SECOND | BOTH},
                                           {.name = NULL}};
