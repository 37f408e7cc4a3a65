/* Ready sets: an owner that looks at an idle channel only when its slot was marked gets all that
 * was published for it. A lost mark is a lost wake-up: the owner sleeps for good. */
#include "sabway/ready.h"
#include "scenes.h"

enum { SMALL = 8, WHOLE = CAPACITY, OWNER = 1, SLOT = 2, NEAR = 3, FAR = 64 };

static void setup(void) { world_open(0); }

static void setup_full(void) {
  world_open(0);
  model_check(world_send(&world.producer[0], 1, WHOLE) == SW_OK);
}

/* Endpoint 1 consumes both rings, and endpoints 0 and 2 produce them. */
static void setup_two(void) {
  uint8_t *base = model_region();
  world_format();
  for (uint32_t i = 0; i < 3; i++) model_check(sw_endpoint_claim(base, i + 1, 10 * (i + 1), i + 1) == (int)i);
  for (uint32_t side = 0; side < 2; side++) {
    model_check(sw_channel_open_producer(&world.producer[side], base, REGION_BYTES, CHANNEL, 0, side, 2 * side) ==
                SW_OK);
    model_check(sw_channel_open_consumer(&world.consumer[side], base, REGION_BYTES, CHANNEL, 0, side, OWNER) == SW_OK);
  }
}

/* ---- an owner ---- */

/* Sleeps until something is marked, and takes up to `most` slots: how many, and `slots`. */
static uint32_t next_slots(uint32_t *slots, uint32_t most) {
  uint32_t ticket = sw_endpoint_arm(model_region(), OWNER, SW_SLEEP_FUTEX);
  if (!sw_ready_some(model_region(), OWNER)) {
    model_mark(SLEPT);
    model_wait(sw_endpoint_doorbell(model_region(), OWNER), ticket);
  }
  sw_endpoint_disarm(model_region(), OWNER);
  return sw_ready_take(model_region(), OWNER, slots, most);
}

static void receive_what_is_there(sw_consumer *c, uint32_t *received) {
  int got;
  while ((got = world_receive(c, *received + 1, SMALL)) == 1) ++*received;
  model_check(got == 0 || got == SW_ECLOSED);
}

/* Is idle in the slot until `count` messages have come. */
static void receive_idle(uint32_t slot, uint32_t count) {
  sw_consumer_set_slot(&world.consumer[1], slot);
  receive_what_is_there(&world.consumer[1], &world.received);
  while (world.received < count) {
    uint32_t slots[2], got = next_slots(slots, 2);
    for (uint32_t i = 0; i < got; i++) {
      model_check(slots[i] == slot);
      model_mark(FIRST);
      receive_what_is_there(&world.consumer[1], &world.received);
    }
  }
}
static void receive_1(void) { receive_idle(SLOT, 1); }
static void receive_2(void) { receive_idle(SLOT, 2); }

static void send_1(void) { model_check(world_send(&world.producer[0], 1, SMALL) == SW_OK); }
static void send_2(void) { world_send_all(&world.producer[0], 0, 2, SMALL); }

static void received_1(void) {
  model_check(world.received == 1);
  world_valid();
}
static void received_2(void) {
  model_check(world.received == 2);
  world_valid();
}

/* Idle, then looking by itself before each sleep, then idle in another slot. */
static void change_slots(void) {
  sw_consumer *c = &world.consumer[1];
  sw_consumer_set_slot(c, SLOT);
  receive_what_is_there(c, &world.received);
  sw_consumer_set_slot(c, 0);
  while (world.received < 1) world_receive_all(c, OWNER, 1, SMALL);
  sw_consumer_set_slot(c, FAR);
  receive_what_is_there(c, &world.received);
  while (world.received < 2) {
    uint32_t slots[2], got = next_slots(slots, 2);
    for (uint32_t i = 0; i < got; i++) {
      /* SLOT: marked before, or late */
      if (slots[i] == FAR) receive_what_is_there(c, &world.received);
    }
  }
}

/* ---- two channels ---- */

static void receive_both(uint32_t other, uint32_t most) {
  uint32_t got[2] = {0, 0};
  sw_consumer_set_slot(&world.consumer[1], SLOT);
  sw_consumer_set_slot(&world.consumer[0], other);
  receive_what_is_there(&world.consumer[1], &got[1]);
  receive_what_is_there(&world.consumer[0], &got[0]);
  while (got[0] + got[1] < 2) {
    uint32_t slots[2], count = next_slots(slots, most);
    if (count == 2) model_mark(BOTH);
    if (count == most && sw_ready_some(model_region(), OWNER)) model_mark(SECOND);
    for (uint32_t i = 0; i < count; i++) {
      uint32_t side = slots[i] == SLOT ? 1 : 0;
      model_check(slots[i] == SLOT || slots[i] == other);
      receive_what_is_there(&world.consumer[side], &got[side]);
    }
  }
}
static void receive_near(void) { receive_both(NEAR, 2); }
static void receive_far(void) { receive_both(FAR, 2); }
static void receive_near_1(void) { receive_both(NEAR, 1); }
static void receive_far_1(void) { receive_both(FAR, 1); }
static void send_other(void) { model_check(world_send(&world.producer[1], 1, SMALL) == SW_OK); }

/* ---- everything behind the endpoint ---- */

static void flag_and_ring(uint32_t i) {
  sw_store_release(&world.sent[i], 1);
  sw_fence_handshake();
  sw_endpoint_ring(model_region(), sw_endpoint_role(model_region(), OWNER));
}
static void flag_first(void) { flag_and_ring(0); }
static void flag_second(void) { flag_and_ring(2); }
static void see_flags(void) {
  for (uint32_t seen = 0; seen < 2;) {
    uint32_t slot;
    if (next_slots(&slot, 1) == 0) continue;
    model_check(slot == SW_READY_ALL);
    model_mark(FIRST);
    seen = sw_load_acquire(&world.sent[0]) + sw_load_acquire(&world.sent[2]);
  }
}

/* ---- taking while others mark ---- */

/* Each slot is marked behind a flag, which the taker of the slot looks at. A flag that the owner
 * has not seen is that of a slot that is still marked. */
static void mark(uint32_t flag, uint32_t slot) {
  sw_store_relaxed(&world.sent[flag], 1);
  sw_fence_handshake();
  sw_ready_mark(model_region(), OWNER, slot);
}
static void mark_slot(void) { mark(0, SLOT); }
static void mark_again(void) { mark(2, SLOT); }
static void mark_near(void) { mark(2, NEAR); }
static void mark_far(void) { mark(2, FAR); }

static void note(uint32_t slot) {
  model_check(slot == SLOT || slot == NEAR || slot == SLOT + 2 || slot == FAR);
  if (slot == SLOT) world.received |= sw_load_relaxed(&world.sent[0]) | (sw_load_relaxed(&world.sent[2]) << 1);
  else if (slot == NEAR && world.stop) world.received |= 4;
  else world.received |= sw_load_relaxed(&world.sent[2]) << 1;
}
static void take_twice(uint32_t most) {
  for (uint32_t tries = 0, slots[2]; tries < 2; tries++) {
    uint32_t got = sw_ready_take(model_region(), OWNER, slots, most);
    if (got == 2) model_mark(BOTH);
    if (got != 0) model_mark(FIRST);
    for (uint32_t i = 0; i < got; i++) note(slots[i]);
  }
}
static void take_2(void) { take_twice(2); }
static void take_1(void) { take_twice(1); }
static void none_lost(void) {
  for (uint32_t slot; sw_ready_take(model_region(), OWNER, &slot, 1) == 1;) note(slot);
  model_check(world.received == (world.stop ? 7 : 3));
}

/* Two slots of one word are marked already: what is put back gets in the way of nothing. */
static void setup_marked(void) {
  world_open(0);
  world.sent[0] = 1;
  world.stop = 1; /* NEAR has no flag */
  sw_ready_mark(model_region(), OWNER, SLOT);
  sw_ready_mark(model_region(), OWNER, NEAR);
}
static void take_one_of_two(void) {
  uint32_t slot;
  model_check(sw_ready_take(model_region(), OWNER, &slot, 1) == 1);
  model_mark(FIRST);
  note(slot);
}
static void mark_behind(void) { mark(2, SLOT + 2); }
static void mark_far_behind(void) { mark(2, FAR); }

/* A waker dies in the middle of a mark; the participant that notices it marks the slot again. */
static void setup_near(void) {
  world_open(0);
  sw_ready_mark(model_region(), OWNER, NEAR);
}
static void mark_after_death(void) {
  model_assume(!sw_endpoint_role_alive(model_region(), world.producer[0].role));
  mark(2, SLOT);
}
static void take_once(void) {
  uint32_t slots[2], got = sw_ready_take(model_region(), OWNER, slots, 2);
  for (uint32_t i = 0; i < got; i++) {
    if (slots[i] == SLOT) note(SLOT);
    model_mark(slots[i] == SLOT ? FIRST : SECOND);
  }
}
static void second_seen(void) {
  for (uint32_t slot; sw_ready_take(model_region(), OWNER, &slot, 1) == 1;) {
    if (slot == SLOT) note(slot);
  }
  model_check((world.received & 2) != 0);
}

/* ---- what is no message ---- */

static void close_sending(void) { sw_producer_close(&world.producer[0]); }
static void see_the_end(void) {
  sw_consumer *c = &world.consumer[1];
  sw_consumer_set_slot(c, SLOT | SW_SLOT_QUIET);
  for (uint32_t slots[2]; !sw_load_acquire(&world_ring(SW_RENDERER)->closed);)
    while (next_slots(slots, 2) == 0) {
    }
  model_mark(ENDED);
}
static void send_and_close(void) {
  send_1();
  close_sending();
}

/* The owner is a producer, idle until there is room. */
static void send_when_told(void) {
  sw_producer *p = &world.producer[0];
  while (world_send(p, 2, WHOLE) != SW_OK) {
    sw_producer_set_slot(p, SLOT);
    if (sw_producer_want_space(p, WHOLE)) continue;
    for (uint32_t told = 0; !told;) {
      uint32_t ticket = sw_endpoint_arm(model_region(), 0, SW_SLEEP_FUTEX), slot;
      if (!sw_ready_some(model_region(), 0)) {
        model_mark(SLEPT);
        model_wait(sw_endpoint_doorbell(model_region(), 0), ticket);
      }
      sw_endpoint_disarm(model_region(), 0);
      told = sw_ready_take(model_region(), 0, &slot, 1);
      model_check(told == 0 || slot == SLOT);
    }
  }
}
static void receive_whole(void) { world_receive_all(&world.consumer[1], OWNER, 1, WHOLE); }

/* An idle producer that waits for nothing hears of the end. */
static void close_receiving(void) { sw_consumer_close(&world.consumer[1]); }
static void hear_of_the_end(void) {
  sw_producer_set_slot(&world.producer[0], SLOT);
  while (!sw_load_acquire(&world_ring(SW_RENDERER)->closed)) {
    uint32_t ticket = sw_endpoint_arm(model_region(), 0, SW_SLEEP_FUTEX), slot;
    if (!sw_ready_some(model_region(), 0)) {
      model_mark(SLEPT);
      model_wait(sw_endpoint_doorbell(model_region(), 0), ticket);
    }
    sw_endpoint_disarm(model_region(), 0);
    while (sw_ready_take(model_region(), 0, &slot, 1) == 0) {
      ticket = sw_endpoint_arm(model_region(), 0, SW_SLEEP_FUTEX);
      if (!sw_ready_some(model_region(), 0)) model_wait(sw_endpoint_doorbell(model_region(), 0), ticket);
      sw_endpoint_disarm(model_region(), 0);
    }
  }
}

/* A role of the other side is taken while the owner is idle. */
static void setup_alone(void) {
  world_open(0);
  sw_producer_leave(&world.producer[0]);
}
static void take_role(void) {
  model_check(sw_channel_open_producer(&world.producer[0], model_region(), REGION_BYTES, CHANNEL, 0, SW_RENDERER, 0) ==
              SW_OK);
  sw_channel_ring_holders(model_region(), REGION_BYTES, CHANNEL, SW_NATIVE);
}
static void see_role(void) {
  sw_consumer_set_slot(&world.consumer[1], SLOT);
  for (uint32_t slots[2]; !sw_role_holder(sw_load_acquire(&world_ring(SW_RENDERER)->producer));)
    while (next_slots(slots, 2) == 0) {
    }
}

/* ---- deaths ---- */

/* The producer dies at any access; the participant that notices it evicts it. */
static void send_mortally(void) { send_1(); }
static void evict_the_dead(void) {
  model_assume(!sw_endpoint_role_alive(model_region(), world.producer[0].role));
  sw_channel_evict(model_region(), REGION_BYTES, CHANNEL, 0);
}
static void receive_until_gone(void) {
  sw_consumer_set_slot(&world.consumer[1], SLOT);
  for (;;) {
    uint32_t slots[2];
    bool gone = sw_role_lost(sw_load_acquire(&world_ring(SW_RENDERER)->producer)) != 0;
    receive_what_is_there(&world.consumer[1], &world.received);
    if (gone) break;
    while (next_slots(slots, 2) == 0) {
    }
  }
}
static void nothing_left(void) {
  model_check(world_ring(SW_RENDERER)->head == world.consumer[1].tail);
  world_valid();
}

/* The holder was replaced by endpoint 2, and stores its slot once more before it notices. */
static void setup_replaced(void) {
  world_open(0);
  uint8_t *base = model_region();
  model_check(sw_endpoint_claim(base, 3, 30, 3) == 2);
  sw_channel_evict(base, REGION_BYTES, CHANNEL, OWNER);
  world.consumer[0] = world.consumer[1]; /* the old holder's handle */
  model_check(sw_channel_open_consumer(&world.consumer[1], base, REGION_BYTES, CHANNEL, 0, SW_NATIVE, 2) == SW_OK);
}
static void store_late(void) { sw_consumer_set_slot(&world.consumer[0], SLOT | SW_SLOT_QUIET); }
static void store_late_active(void) { sw_consumer_set_slot(&world.consumer[0], 0); }
static void receive_as_successor(void) {
  sw_consumer_set_slot(&world.consumer[1], FAR);
  receive_what_is_there(&world.consumer[1], &world.received);
  while (world.received < 1) {
    uint32_t ticket = sw_endpoint_arm(model_region(), 2, SW_SLEEP_FUTEX), slot;
    if (!sw_ready_some(model_region(), 2)) {
      model_mark(SLEPT);
      model_wait(sw_endpoint_doorbell(model_region(), 2), ticket);
    }
    sw_endpoint_disarm(model_region(), 2);
    while (sw_ready_take(model_region(), 2, &slot, 1) == 1) {
      model_check(slot == FAR || slot == SW_READY_ALL);
      if (slot == SW_READY_ALL) model_mark(FIRST);
      receive_what_is_there(&world.consumer[1], &world.received);
    }
  }
}

/* The slot word is nonsense: the owner is told of everything. */
static void scribble(void) { sw_store_relaxed(&world_ring(SW_RENDERER)->consumer_slot, 0xffffffffu); }
static void receive_scribbled(void) {
  sw_consumer_set_slot(&world.consumer[1], SLOT);
  receive_what_is_there(&world.consumer[1], &world.received);
  while (world.received < 1) {
    uint32_t slots[2], got = next_slots(slots, 2);
    for (uint32_t i = 0; i < got; i++) {
      model_check(slots[i] == SLOT || slots[i] == SW_READY_ALL);
      model_mark(slots[i] == SLOT ? FIRST : SECOND);
      receive_what_is_there(&world.consumer[1], &world.received);
    }
  }
}

const model_scenario scenes_ready[] = {{.name = "ready: one idle channel, 1 message",
                                        .setup = setup,
                                        .threads = {send_1, receive_1},
                                        .finish = received_1,
                                        .sc = true,
                                        .marks = SLEPT | FIRST},
                                       {.name = "ready: one idle channel, 2 messages",
                                        .setup = setup,
                                        .threads = {send_2, receive_2},
                                        .finish = received_2,
                                        .sc = true,
                                        .large = true,
                                        .marks = SLEPT | FIRST},
                                       {.name = "ready: idle, not idle, idle elsewhere",
                                        .setup = setup,
                                        .threads = {send_2, change_slots},
                                        .finish = received_2,
                                        .sc = true,
                                        .large = true,
                                        .marks = SLEPT},
                                       {.name = "ready: take while two mark one word",
                                        .setup = setup,
                                        .threads = {mark_slot, take_2, mark_near},
                                        .finish = none_lost,
                                        .sc = true,
                                        .marks = FIRST | BOTH},
                                       {.name = "ready: take while two mark two words",
                                        .setup = setup,
                                        .threads = {mark_slot, take_2, mark_far},
                                        .finish = none_lost,
                                        .sc = true,
                                        .marks = FIRST | BOTH},
                                       {.name = "ready: take while two mark one slot",
                                        .setup = setup,
                                        .threads = {mark_slot, take_2, mark_again},
                                        .finish = none_lost,
                                        .sc = true,
                                        .marks = FIRST},
                                       {.name = "ready: take one by one while two mark one word",
                                        .setup = setup,
                                        .threads = {mark_slot, take_1, mark_near},
                                        .finish = none_lost,
                                        .sc = true,
                                        .marks = FIRST},
                                       {.name = "ready: take one by one while two mark two words",
                                        .setup = setup,
                                        .threads = {mark_slot, take_1, mark_far},
                                        .finish = none_lost,
                                        .sc = true,
                                        .marks = FIRST},
                                       {.name = "ready: put back while another marks the word",
                                        .setup = setup_marked,
                                        .threads = {take_one_of_two, mark_behind},
                                        .finish = none_lost,
                                        .sc = true,
                                        .marks = FIRST},
                                       {.name = "ready: put back while another marks another word",
                                        .setup = setup_marked,
                                        .threads = {take_one_of_two, mark_far_behind},
                                        .finish = none_lost,
                                        .sc = true,
                                        .marks = FIRST},
                                       {.name = "ready: half a mark of a dead waker",
                                        .setup = setup_near,
                                        .threads = {mark_slot, take_once, mark_after_death},
                                        .finish = second_seen,
                                        .sc = true,
                                        .mortal = 1,
                                        .marks = FIRST | SECOND},
                                       {.name = "ready: the end of an idle producer's stream",
                                        .setup = setup,
                                        .threads = {hear_of_the_end, close_receiving},
                                        .finish = world_valid,
                                        .sc = true,
                                        .marks = SLEPT},
                                       {.name = "ready: two idle channels in one word",
                                        .setup = setup_two,
                                        .threads = {send_1, receive_near, send_other},
                                        .finish = world_valid,
                                        .sc = true,
                                        .large = true,
                                        .huge = true,
                                        .marks = SLEPT | BOTH},
                                       {.name = "ready: two idle channels in two words",
                                        .setup = setup_two,
                                        .threads = {send_1, receive_far, send_other},
                                        .finish = world_valid,
                                        .sc = true,
                                        .large = true,
                                        .huge = true,
                                        .marks = SLEPT | BOTH},
                                       {.name = "ready: two idle channels in one word, taken one by one",
                                        .setup = setup_two,
                                        .threads = {send_1, receive_near_1, send_other},
                                        .finish = world_valid,
                                        .sc = true,
                                        .large = true,
                                        .huge = true,
                                        .marks = SLEPT | SECOND},
                                       {.name = "ready: two idle channels in two words, taken one by one",
                                        .setup = setup_two,
                                        .threads = {send_1, receive_far_1, send_other},
                                        .finish = world_valid,
                                        .sc = true,
                                        .large = true,
                                        .huge = true,
                                        .marks = SLEPT | SECOND},
                                       {.name = "ready: two mark one slot",
                                        .setup = setup_two,
                                        .threads = {flag_first, see_flags, flag_second},
                                        .sc = true,
                                        .large = true,
                                        .marks = SLEPT | FIRST},
                                       {.name = "ready: the end of a stream without messages",
                                        .setup = setup,
                                        .threads = {send_and_close, see_the_end},
                                        .sc = true,
                                        .marks = SLEPT | ENDED},
                                       {.name = "ready: room for an idle producer",
                                        .setup = setup_full,
                                        .threads = {send_when_told, receive_whole},
                                        .finish = world_valid,
                                        .sc = true,
                                        .marks = SLEPT},
                                       {.name = "ready: the other side comes",
                                        .setup = setup_alone,
                                        .threads = {take_role, see_role},
                                        .finish = world_valid,
                                        .sc = true,
                                        .marks = SLEPT},
                                       {.name = "ready: the waker dies, evicted by a third",
                                        .setup = setup,
                                        .threads = {send_mortally, receive_until_gone, evict_the_dead},
                                        .finish = nothing_left,
                                        .sc = true,
                                        .mortal = 1,
                                        .marks = SLEPT},
                                       {.name = "ready: the holder before stores its slot late",
                                        .setup = setup_replaced,
                                        .threads = {send_1, receive_as_successor, store_late},
                                        .finish = received_1,
                                        .sc = true,
                                        .marks = SLEPT | FIRST},
                                       {.name = "ready: the holder before is not idle, late",
                                        .setup = setup_replaced,
                                        .threads = {send_1, receive_as_successor, store_late_active},
                                        .finish = received_1,
                                        .sc = true,
                                        .marks = SLEPT | FIRST},
                                       {.name = "ready: a slot word of nonsense",
                                        .setup = setup,
                                        .threads = {send_1, receive_scribbled, scribble},
                                        .finish = received_1,
                                        .sc = true,
                                        .marks = SLEPT | FIRST | SECOND},
                                       {.name = NULL}};
