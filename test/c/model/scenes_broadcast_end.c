/* Broadcasts that are closed or freed, and waiting: one that waits is woken, by what it waits for
 * or by what makes it vain, and by the burial of the subscriber that is in the way. */
#include "base/peer.h"
#include "core/objects/burial.h"
#include "core/region/waits.h"
#include "sabway/object.h"
#include "scenes_broadcast.h"

static uint8_t *base(void) { return model_region(); }

static void setup_drop(void) { cast_setup(SW_BROADCAST_DROP_OLDEST, CAST_LONG, 1, 2); }
static void setup_drop_one(void) { cast_setup(SW_BROADCAST_DROP_OLDEST, CAST_SHORT, 1, 1); }
static void setup_drop_none(void) { cast_setup(SW_BROADCAST_DROP_OLDEST, CAST_SHORT, 1, 0); }
static void setup_in_the_way(void) { cast_setup(SW_BROADCAST_BLOCK, CAST_LONG, 0, 2); }
static void send_2_0(void) { cast_send(0, 2); }
static void send_5_1(void) { cast_send(1, 5); }

/* ---- the end ---- */

static int close_by(int thread) { return sw_broadcast_close(&cast.heap[thread], cast.at, cast.generation); }
static void send_2_and_close_0(void) { model_check(cast_send(0, 2) == SW_OK && close_by(0) == SW_OK), cast_end(0); }
static void close_0(void) {
  int status = close_by(0);
  model_assume(status != SW_EBUSY);
  model_check(status == SW_OK);
}
static void die_closing_0(void) { cast.last[0] = close_by(0), cast_end(0); }
static void receive_to_the_end_1(void) {
  for (int i = 0; i < 3 && cast_receive(1) == 1; i++) continue;
  if (cast.last[1] == SW_ECLOSED) model_mark(ENDED), cast_end(1);
}
static void close_2(void) { model_assume(close_by(2) == SW_OK); }
static void last_before_the_end(void) {
  if (cast_has_ended(1)) model_check(cast.count[1] == (cast.sent[0] == SW_OK ? 2u : 1u));
  cast_rest_up_to(cast.sent[0] == SW_OK ? 2 : 1);
  model_mark(cast.sent[0] == SW_OK ? FIRST : REFUSED);
}
static void all_before_the_end(void) {
  if (cast_has_ended(1)) model_check(cast.count[1] == 2);
  cast_rest_up_to(2);
  model_check(cast.last[1] == SW_ECLOSED && sw_broadcast_is_closed(&cast.heap[2], cast.at, cast.generation) == 1);
  model_check(cast_send(2, 3) == SW_ECLOSED && close_by(2) == SW_ECLOSED);
}
static void closed_or_not(void) {
  cast_is_sound();
  bool closed = sw_broadcast_is_closed(&cast.heap[2], cast.at, cast.generation) == 1;
  model_check(closed || !cast_has_ended(0) || cast.last[0] == SW_EBUSY);
  model_check(cast_send(2, 3) == (closed ? SW_ECLOSED : SW_OK));
  model_mark(closed ? FIRST : SECOND);
}

/* The ring is another's block at once. */
static void free_and_use_0(void) {
  uint32_t ring = ((sw_broadcast *)(void *)(base() + cast.at))->ring;
  int status = sw_broadcast_free(&cast.heap[0], cast.at, cast.generation);
  model_assume(status != SW_EBUSY);
  model_check(status == SW_OK);
  cast.block = sw_heap_alloc(&cast.heap[0], CAST_RING);
  if (cast.block != ring) return;
  for (uint32_t i = 0; i < 4; i++) sw_fill64((uint64_t *)(void *)(base() + ring + 8 * (size_t)i), 0x4000000040);
}
static void receive_late_1(void) {
  int status = cast_receive(1);
  model_check(status == 1 || status == SW_EFREED);
  model_mark(status == 1 ? FIRST : SECOND);
}
static void send_late_1(void) {
  int status = cast_send(1, 3);
  model_check(status == SW_OK || status == SW_EFREED || status == SW_EBUSY);
  model_mark(status == SW_OK ? FIRST : SECOND);
}
static void is_freed(void) {
  model_check(cast.block != 0 && sw_heap_usable(&cast.heap[2], cast.block) >= CAST_RING);
  model_check(sw_heap_free(&cast.heap[2], cast.block) == SW_OK);
  model_check(sw_object_check(&cast.heap[2], cast.at, SW_TYPE_BROADCAST, cast.generation) == SW_EFREED);
}

/* ---- waiting ---- */

/* Try, and sleep until something is rung: SW_OK is what a send gives, and 0 a receive in vain. */
static bool in_vain(uint32_t what) {
  int status = what == SW_BROADCAST_ROOM ? cast_send(1, 3) : cast_receive(1);
  model_assume(status != SW_EBUSY);
  cast.last[1] = status;
  return status == (what == SW_BROADCAST_ROOM ? SW_EFULL : 0);
}
static void wait_for(uint32_t what) {
  if (!in_vain(what)) return;
  sw_broadcast_begin_wait(&cast.heap[1], cast.at, cast.generation, what);
  for (bool waits = true; waits;) {
    uint32_t ticket = sw_endpoint_arm(base(), 1, SW_SLEEP_FUTEX);
    waits = in_vain(what);
    if (waits) {
      model_mark(SLEPT);
      model_wait(sw_endpoint_doorbell(base(), 1), ticket);
    }
    sw_endpoint_disarm(base(), 1);
  }
  sw_broadcast_end_wait(&cast.heap[1], cast.at, cast.generation, what);
}
static void wait_for_message_1(void) { wait_for(SW_BROADCAST_MESSAGES); }
static void wait_for_room_1(void) { wait_for(SW_BROADCAST_ROOM); }
static void send_1_0(void) { model_check(cast_send(0, 1) == SW_OK); }
static void receive_0(void) { model_check(cast_receive(0) == 1); }
static void leave_0(void) { model_check(sw_broadcast_unsubscribe(&cast.heap[0], cast.at, cast.generation) == SW_OK); }
static void free_0(void) {
  int status = sw_broadcast_free(&cast.heap[0], cast.at, cast.generation);
  model_assume(status != SW_EBUSY);
  model_check(status == SW_OK);
}
/* Two sleep from setup on, for room: what is received does for the second one's message, and not
 * for that of the first, which goes on to sleep. */
static int send_bytes(int thread, uint32_t n, uint32_t bytes) {
  uint32_t message[3] = {n, ~n, n * 0x01010101};
  return sw_broadcast_try_send(&cast.heap[thread], cast.at, cast.generation, n, message, bytes);
}
static void setup_two_wait(void) {
  cast_make(SW_BROADCAST_BLOCK, CAST_SHORT);
  model_check(cast_subscribe(0, 0) == SW_OK);
  model_check(send_bytes(2, 1, CAST_SHORT) == SW_OK && send_bytes(2, 2, CAST_LONG) == SW_OK);
  for (uint32_t i = 1; i < 3; i++) {
    model_check(sw_broadcast_begin_wait(&cast.heap[i], cast.at, cast.generation, SW_BROADCAST_ROOM) == SW_OK);
    world.sent[i] = sw_endpoint_arm(base(), i, SW_SLEEP_FUTEX);
  }
  model_check(send_bytes(1, 3, CAST_LONG) == SW_EFULL && send_bytes(2, 4, CAST_SHORT) == SW_EFULL);
  model_snapshot(&world, sizeof(world));
  cast_ready(0);
}
static int send_after_sleep(int thread, uint32_t bytes) {
  model_wait(sw_endpoint_doorbell(base(), (uint32_t)thread), world.sent[thread]);
  sw_endpoint_disarm(base(), (uint32_t)thread);
  sw_endpoint_arm(base(), (uint32_t)thread, SW_SLEEP_FUTEX);
  return send_bytes(thread, 3, bytes);
}
static void long_1(void) {
  int status = send_after_sleep(1, CAST_LONG);
  model_check(status == SW_EFULL || status == SW_EBUSY);
}
static void short_2(void) { cast.sent[2] = send_after_sleep(2, CAST_SHORT); }
static void short_has_room(void) { model_check(cast.sent[2] == SW_OK || cast.sent[2] == SW_EBUSY); }

/* Its thread has ended, and its process goes on. What burial does for each broadcast: the directory
 * is too large for the model. */
static void bury_0(void) {
  uint32_t role = cast.heap[0].role;
  sw_broadcast *b = (sw_broadcast *)(void *)(base() + cast.at);
  swi_broadcast_bury(base(), REGION_BYTES, cast.at, &(swi_dead){role, false});
  for (uint32_t i = 0; i < 2; i++) swi_waits_bury(base(), &b->waitable.waits[i], 0, false);
  sw_endpoint_release_role(base(), role);
}
/* Thread 0 buries a claim of its endpoint that is over, and the next owner subscribes. */
static void setup_claimed_again(void) {
  cast_make(SW_BROADCAST_BLOCK, CAST_SHORT);
  model_check(cast_subscribe(0, 0) == SW_OK);
  cast.block = cast.heap[0].role;
  sw_endpoint_release_role(base(), cast.block);
  model_check(sw_endpoint_claim(base(), 1, 10, 1) == 0);
  model_check(sw_heap_open(&cast.heap[0], base(), REGION_BYTES, SW_HEAP_AT, 0) == SW_OK);
  cast_ready(1);
}
static void bury_earlier_0(void) { swi_broadcast_bury(base(), REGION_BYTES, cast.at, &(swi_dead){cast.block, false}); }
static void subscribe_1(void) { model_check(cast_subscribe(0, 0) == SW_OK); }
static void next_one_subscribes(void) {
  cast_is_sound();
  model_check(sw_broadcast_is_subscribed(&cast.heap[0], cast.at, cast.generation) == 1);
}
static void has_received(void) { model_check(cast.last[1] == 1 && cast.got[1][0] == 1); }
static void has_sent(void) { model_check(cast.last[1] == SW_OK); }
static void told_of_the_end(void) { model_check(cast.last[1] == SW_ECLOSED); }
static void told_that_it_is_gone(void) { model_check(cast.last[1] == SW_EFREED); }

const model_scenario scenes_broadcast_end[] = {
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
    {.name = "broadcast: one publishes, one closes, one receives to the end",
     .setup = setup_drop_one,
     .threads = {send_2_0, receive_to_the_end_1, close_2},
     .finish = last_before_the_end,
     .marks = FIRST | REFUSED | ENDED},
    {.name = "broadcast: an earlier claim is buried, the next one subscribes",
     .setup = setup_claimed_again,
     .threads = {bury_earlier_0, subscribe_1},
     .finish = next_one_subscribes},
    {.name = "broadcast: two wait for room, and one has it",
     .setup = setup_two_wait,
     .threads = {receive_0, long_1, short_2},
     .finish = short_has_room,
     .sc = true},
    {.name = NULL}};
