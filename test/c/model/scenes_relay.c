/* Relays: a native thread (participant 0) and a JavaScript thread without the addon (participant
 * 1), neither of which can wake the other from its kind of sleep, and the relays that pass rings on
 * (endpoints 2 and 3). */
#include "scenes.h"

enum { SMALL = 8, SKILLS = SW_WAKES_FUTEX | SW_WAKES_ATOMICS };

static uint32_t *doorbell(uint32_t endpoint) { return sw_endpoint_doorbell(model_region(), endpoint); }

static void add_endpoint(uint32_t index) {
  model_check(sw_endpoint_claim(model_region(), index + 1, 10 * (index + 1), index + 1) == (int)index);
}

static void setup_without_relay(void) {
  world_open(0);
  model_cannot_wake(0, SW_SLEEP_ATOMICS);
  model_cannot_wake(1, SW_SLEEP_FUTEX);
  add_endpoint(2);
}

static void setup(void) {
  setup_without_relay();
  sw_endpoint_set_skills(model_region(), 2, SKILLS | SW_RELAYS);
}

/* Endpoint 2 will cease to be a relay, by a thread that can only do what native code can. */
static void setup_two(void) {
  setup();
  model_cannot_wake(2, SW_SLEEP_ATOMICS);
  add_endpoint(3);
  sw_endpoint_set_skills(model_region(), 3, SKILLS | SW_RELAYS);
}

/* ---- the relays ---- */

static void relay(uint32_t endpoint) {
  while (!sw_load_acquire(&world.stop)) {
    uint32_t ticket = sw_endpoint_arm(model_region(), endpoint, SW_SLEEP_LOOP);
    model_check(sw_relay_serve(model_region()) == 0);
    if (!sw_load_acquire(&world.stop)) model_wait(doorbell(endpoint), ticket);
    sw_endpoint_disarm(model_region(), endpoint);
  }
}
static void relays(void) { relay(2); }

static void becomes_relay(void) {
  sw_endpoint_set_skills(model_region(), 2, SKILLS | SW_RELAYS);
  relay(2);
}

static void ceases_to_relay(void) {
  sw_endpoint_set_skills(model_region(), 2, 0);
  if (sw_relay_serve(model_region()) != 0) model_mark(FIRST);
}

/* It takes up a request, and dies before it has wiped it out: once before it wakes, once after. */
static void half_serves(bool wakes) {
  sw_endpoint *sleeper = (sw_endpoint *)(void *)(model_region() + SW_HEADER_BYTES) + 1;
  if (sw_load_acquire(&sleeper->request) == 0) return;
  model_mark(FIRST);
  if (wakes) model_wake(&sleeper->doorbell);
}
static void dies_before_it_wakes(void) {
  half_serves(false);
  ceases_to_relay();
}
static void dies_after_it_woke(void) {
  half_serves(true);
  ceases_to_relay();
}

/* The relay's part is done. */
static void end(void) {
  sw_store_release(&world.stop, 1);
  for (uint32_t endpoint = 2; endpoint < 4; endpoint++) {
    sw_fetch_add_acq_rel(doorbell(endpoint), 1);
    model_wake(doorbell(endpoint));
  }
}

/* ---- the participants ---- */

static void sleep_as(uint32_t how, uint32_t endpoint) {
  uint32_t ticket = sw_endpoint_arm(model_region(), endpoint, how);
  if (!sw_consumer_ready(&world.consumer[endpoint])) {
    model_mark(SLEPT);
    model_wait(doorbell(endpoint), ticket);
  }
  sw_endpoint_disarm(model_region(), endpoint);
}

static void send_1(void) { model_check(world_send(&world.producer[0], 1, SMALL) == SW_OK); }
static void receive_1(void) {
  while (world_receive(&world.consumer[1], 1, SMALL) == 0) sleep_as(SW_SLEEP_ATOMICS, 1);
  end();
}

/* The handshake alone, with a word in place of a ring, so that four threads can be walked. */
static void tell(uint32_t *word, uint32_t endpoint) {
  sw_store_release(word, 1);
  sw_fence_handshake();
  sw_endpoint_ring(model_region(), sw_endpoint_role(model_region(), endpoint));
}
static void heed(const uint32_t *word, uint32_t how, uint32_t endpoint) {
  while (!sw_load_acquire(word)) {
    uint32_t ticket = sw_endpoint_arm(model_region(), endpoint, how);
    if (!sw_load_acquire(word)) {
      model_mark(SLEPT);
      model_wait(doorbell(endpoint), ticket);
    }
    sw_endpoint_disarm(model_region(), endpoint);
  }
}
static void tells(void) { tell(&world.sent[0], 1); }
static void heeds(void) {
  heed(&world.sent[0], SW_SLEEP_ATOMICS, 1);
  end();
}

/* Asleep from the beginning. */
static void setup_asleep(void) {
  setup_two();
  sw_endpoint_arm(model_region(), 1, SW_SLEEP_ATOMICS);
}
static void rings(void) { sw_endpoint_ring(model_region(), sw_endpoint_role(model_region(), 1)); }
static void sleeps(void) {
  model_mark(SLEPT);
  model_wait(doorbell(1), 0);
}
/* Asleep, too: any waker that needs it rings it. */
static void serve_ring(uint32_t endpoint, uint32_t rings) {
  /* as [Q2] */
  while (sw_load_acquire(doorbell(endpoint)) == rings) model_wait(doorbell(endpoint), rings);
  model_check(sw_relay_serve(model_region()) == 0);
}
static void stands_by(void) { serve_ring(3, 0); }
static void relays_twice(void) {
  serve_ring(2, 0);
  serve_ring(2, 1);
}

/* Two sleepers that one relay wakes. */
static void setup_both_asleep(void) {
  setup();
  model_cannot_wake(1, SW_SLEEP_ATOMICS);
  for (uint32_t i = 0; i < 2; i++) sw_endpoint_arm(model_region(), i, SW_SLEEP_ATOMICS);
}
static void rings_back(void) { sw_endpoint_ring(model_region(), sw_endpoint_role(model_region(), 0)); }
static void serves_both(void) {
  for (uint32_t seen = 0; seen < 2;) {
    serve_ring(2, seen);
    seen = sw_load_acquire(doorbell(2));
  }
  model_check(sw_relay_serve(model_region()) == 0);
  model_mark(SLEPT);
}
static void both_served(void) {
  for (uint32_t i = 0; i < 2; i++) {
    const sw_endpoint *e = (const sw_endpoint *)(const void *)(model_region() + SW_HEADER_BYTES) + i;
    model_check(e->request == 0 && e->sleeping == SW_AWAKE);
  }
}

/* Two kinds of waiter. */
static void setup_question(void) {
  setup();
  sw_endpoint_arm(model_region(), 1, SW_SLEEP_ATOMICS);
}
static void asks(void) {
  rings();
  heed(&world.sent[1], SW_SLEEP_FUTEX, 0);
  end();
}
static void answers(void) {
  sleeps();
  tell(&world.sent[1], 0);
}

const model_scenario scenes_relay[] = {{.name = "relay: one message",
                                        .setup = setup,
                                        .threads = {send_1, receive_1, relays},
                                        .finish = world_valid,
                                        .sc = true,
                                        .large = true,
                                        .marks = SLEPT},
                                       {.name = "relay: question and answer, two kinds of waiter",
                                        .setup = setup_question,
                                        .threads = {asks, answers, relays_twice},
                                        .finish = world_valid,
                                        .sc = true,
                                        .large = true,
                                        .marks = SLEPT},
                                       {.name = "relay: two requests at once",
                                        .setup = setup_both_asleep,
                                        .threads = {rings, rings_back, serves_both},
                                        .finish = both_served,
                                        .sc = true,
                                        .marks = SLEPT},
                                       {.name = "relay: comes after the request",
                                        .setup = setup_without_relay,
                                        .threads = {tells, heeds, becomes_relay},
                                        .finish = world_valid,
                                        .sc = true,
                                        .large = true,
                                        .marks = SLEPT},
                                       {.name = "relay: ceases to be one, another takes over",
                                        .setup = setup_asleep,
                                        .threads = {rings, sleeps, ceases_to_relay, stands_by},
                                        .finish = world_valid,
                                        .sc = true,
                                        .marks = SLEPT | FIRST},
                                       {.name = "relay: dies before it wakes",
                                        .setup = setup_asleep,
                                        .threads = {rings, sleeps, dies_before_it_wakes, stands_by},
                                        .finish = world_valid,
                                        .sc = true,
                                        .marks = SLEPT | FIRST},
                                       {.name = "relay: dies after it woke",
                                        .setup = setup_asleep,
                                        .threads = {rings, sleeps, dies_after_it_woke, stands_by},
                                        .finish = world_valid,
                                        .sc = true,
                                        .marks = SLEPT | FIRST},
                                       {.name = NULL}};
