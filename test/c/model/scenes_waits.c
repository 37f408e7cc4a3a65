/* Waits words: what is published is taken, whichever waiter leaves or dies, and none sleeps
 * beside it.
 *
 * Things are counted by one word. Endpoint i is that of process i + 1. */
#include "core/region/waits.h"
#include "scenes.h"

static uint8_t *base(void) { return model_region(); }
static uint64_t *waits(void) { return (uint64_t *)(void *)(base() + SW_INSTANCES_AT); }
static uint32_t *things(void) { return (uint32_t *)(void *)(base() + SW_INSTANCES_AT + SW_LINE); }

static void setup(void) {
  world_format();
  world_mark();
  for (uint32_t i = 0; i < 3; i++) model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
  for (uint32_t i = 0; i < 3; i++) world.sent[i] = sw_endpoint_role(base(), i);
}

/* ---- what waits and wakes ---- */

static bool take(void) {
  uint32_t there = sw_load_relaxed(things());
  while (there != 0) {
    if (sw_compare_exchange_acq_rel(things(), &there, there - 1)) return true;
  }
  return false;
}

static void put(uint32_t endpoint) {
  sw_fetch_add_acq_rel(things(), 1);
  swi_waits_ring_one(base(), waits(), endpoint);
}

static void leave(uint32_t endpoint) {
  sw_endpoint_disarm(base(), endpoint);
  swi_waits_end(waits(), endpoint);
  if (sw_load_relaxed(things()) != 0) swi_waits_ring_one(base(), waits(), endpoint);
}

/* Armed, and it has looked in vain. */
static void fall_asleep(uint32_t endpoint) {
  swi_waits_begin(waits(), endpoint);
  world.sent[MODEL_THREADS - 1] = sw_endpoint_arm(base(), endpoint, SW_SLEEP_FUTEX);
}

static void wait_for_one(uint32_t endpoint) {
  if (take()) return;
  for (;;) {
    swi_waits_begin(waits(), endpoint);
    uint32_t ticket = sw_endpoint_arm(base(), endpoint, SW_SLEEP_FUTEX);
    if (take()) break;
    model_mark(SLEPT);
    model_wait(sw_endpoint_doorbell(base(), endpoint), ticket);
    sw_endpoint_disarm(base(), endpoint);
    if (take()) break;
  }
  leave(endpoint);
}
static void wait_1(void) { wait_for_one(1); }
static void put_0(void) { put(0); }
static void put_two_0(void) {
  put(0);
  put(0);
}

/* Its time is up before it sleeps: a ring for it may be on its way. */
static void wait_shortly_1(void) {
  swi_waits_begin(waits(), 1);
  sw_endpoint_arm(base(), 1, SW_SLEEP_FUTEX);
  bool taken = take();
  model_mark(taken ? FIRST : REFUSED);
  world.status[1] = taken;
  leave(1);
}

/* Of two things one is left where this one took none. */
static void left_shortly(void) {
  model_check(*things() == 1 - (uint32_t)world.status[1]);
  model_check(*waits() == 0);
}
static void all_taken(void) {
  model_check(*things() == 0);
  model_check(*waits() == 0);
}

/* ---- asleep already ---- */

static void setup_2_asleep(void) {
  setup();
  fall_asleep(2);
}
static void sleep_2(void) {
  uint32_t ticket = world.sent[MODEL_THREADS - 1];
  for (;;) {
    model_wait(sw_endpoint_doorbell(base(), 2), ticket);
    sw_endpoint_disarm(base(), 2);
    if (take()) break;
    swi_waits_begin(waits(), 2);
    ticket = sw_endpoint_arm(base(), 2, SW_SLEEP_FUTEX);
    if (take()) break;
  }
  leave(2);
}
/* Endpoint 1 was rung, or is about to be, and its time is up. */
static void setup_both_asleep(void) {
  setup_2_asleep();
  swi_waits_begin(waits(), 1);
  sw_endpoint_arm(base(), 1, SW_SLEEP_FUTEX);
}
static void leave_1(void) { leave(1); }
static void taken_by_2(void) {
  model_check(*things() == 0);
  model_check(*waits() == 0);
}

/* ---- death ---- */

/* Endpoint 0 is the first to be rung, and dies. */
static void setup_0_waits(void) {
  setup_2_asleep();
  swi_waits_begin(waits(), 0);
  sw_endpoint_arm(base(), 0, SW_SLEEP_FUTEX);
}
static void die(void) { model_die(1); }
static void put_1(void) { put(1); }
static void bury_0(void) {
  model_assume(!sw_endpoint_role_alive(base(), world.sent[0]));
  swi_waits_bury(base(), waits(), 0, false);
}
/* Thread 0 is a waker that dies anywhere: what it has published is found. */
static void put_and_die(void) { put(0); }
static void setup_published(void) { setup_2_asleep(); }
static void bury_and_put(void) {
  bury_0();
  put(1);
}
static void taken_once_at_least(void) { model_check(*things() <= 1); }
static void nothing_left(void) { model_check(*things() == 0); }

/* A waiter that dies anywhere, also with what it took. */
static void wait_and_die(void) { wait_for_one(0); }
static void put_two_and_bury(void) {
  put(1);
  put(1);
  bury_0();
}

/* The endpoint of a dead waiter is claimed anew. */
static void claim_and_wait(void) {
  sw_endpoint_release(base(), 0);
  model_check(sw_endpoint_claim(base(), 4, 40, 4) == 0);
  swi_waits_bury(base(), waits(), 0, true);
  wait_for_one(0);
}

/* ---- several change the word at once ---- */

static void setup_0_and_1_wait(void) {
  setup();
  for (uint32_t i = 0; i < 2; i++) swi_waits_begin(waits(), i);
}
static void bury_all_of_0(void) { swi_waits_bury(base(), waits(), 0, true); }
static void end_1(void) { swi_waits_end(waits(), 1); }
static void begin_2(void) { swi_waits_begin(waits(), 2); }
static void only_2_waits(void) { model_check(*waits() == 1u << 2); }

const model_scenario scenes_waits[] = {{.name = "waits: one begins, one ends, one is buried",
                                        .setup = setup_0_and_1_wait,
                                        .threads = {bury_all_of_0, end_1, begin_2},
                                        .finish = only_2_waits,
                                        .sc = true},
                                       {.name = "waits: a waiter and a waker",
                                        .setup = setup,
                                        .threads = {put_0, wait_1},
                                        .finish = all_taken,
                                        .sc = true,
                                        .marks = SLEPT},
                                       {.name = "waits: two waiters and a waker",
                                        .setup = setup_2_asleep,
                                        .threads = {put_two_0, wait_1, sleep_2},
                                        .finish = all_taken,
                                        .sc = true,
                                        .huge = true,
                                        .large = true,
                                        .budget = 100000000,
                                        .marks = SLEPT},
                                       {.name = "waits: one of two leaves",
                                        .setup = setup_both_asleep,
                                        .threads = {put_0, leave_1, sleep_2},
                                        .finish = taken_by_2,
                                        .sc = true},
                                       {.name = "waits: one of two has time for one look",
                                        .setup = setup_2_asleep,
                                        .threads = {put_two_0, wait_shortly_1, sleep_2},
                                        .finish = left_shortly,
                                        .sc = true,
                                        .huge = true,
                                        .large = true,
                                        .marks = FIRST | REFUSED},
                                       {.name = "waits: the waiter that was rung dies",
                                        .setup = setup_0_waits,
                                        .threads = {die, put_1, sleep_2, bury_0},
                                        .finish = nothing_left,
                                        .sc = true},
                                       {.name = "waits: the waker dies anywhere",
                                        .setup = setup_published,
                                        .threads = {put_and_die, sleep_2, bury_and_put},
                                        .finish = taken_once_at_least,
                                        .mortal = 1},
                                       {.name = "waits: a waiter dies anywhere",
                                        .setup = setup_2_asleep,
                                        .threads = {wait_and_die, put_two_and_bury, sleep_2},
                                        .finish = taken_once_at_least,
                                        .large = true,
                                        .mortal = 1,
                                        .marks = SLEPT},
                                       {.name = "waits: a dead waiter's endpoint is claimed anew",
                                        .setup = setup_0_waits,
                                        .threads = {claim_and_wait, put_1, sleep_2, put_1},
                                        .finish = nothing_left,
                                        .large = true,
                                        .huge = true},
                                       {.name = NULL}};
