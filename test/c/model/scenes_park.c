/* Sleeping: a thread that parks is woken. A lost wake-up ends a run with a thread asleep, which the
 * explorer reports. */
#include "scenes.h"

enum { SMALL = 8, LARGE = 3000, WHOLE = CAPACITY };

static void setup(void) {
  world_open(0);
  world_mark();
}
static void setup_high(void) { world_open(0u - 3008); }

/* One message is in the ring already, so that the producer finds it full at once. */
static void setup_full(void) {
  world_open(0);
  model_check(world_send(&world.producer[0], 1, WHOLE) == SW_OK);
}

static void send_2(void) { world_send_all(&world.producer[0], 0, 2, SMALL); }
static void receive_2(void) { world_receive_all(&world.consumer[1], 1, 2, SMALL); }
static void send_3(void) { world_send_all(&world.producer[0], 0, 3, SMALL); }
static void receive_3(void) { world_receive_all(&world.consumer[1], 1, 3, SMALL); }
static void send_2_large(void) { world_send_all(&world.producer[0], 0, 2, LARGE); }
static void receive_2_large(void) { world_receive_all(&world.consumer[1], 1, 2, LARGE); }

static void send_whole(uint32_t last) {
  for (uint32_t n = 2; n <= last;) {
    if (world_send(&world.producer[0], n, WHOLE) == SW_OK) n++;
    else world_park_for_space(&world.producer[0], 0, WHOLE);
  }
}
static void send_1_whole(void) { send_whole(2); }
static void send_2_whole(void) { send_whole(3); }
static void receive_1_whole(void) { model_check(world_receive(&world.consumer[1], ++world.received, WHOLE) == 1); }
static void receive_2_whole(void) { world_receive_all(&world.consumer[1], 1, 2, WHOLE); }

static void received_2(void) {
  model_check(world.received == 2);
  world_valid();
}
static void received_3(void) {
  model_check(world.received == 3);
  world_valid();
}

/* There and back: one endpoint is woken for messages of one ring while its owner produces the
 * other. */
static void ask(void) {
  model_check(world_send(&world.producer[0], 1, SMALL) == SW_OK);
  int got;
  while ((got = world_receive(&world.consumer[0], 1, SMALL)) == 0) world_park_for_message(&world.consumer[0], 0);
  model_check(got == 1);
}
static void answer(void) {
  world_receive_all(&world.consumer[1], 1, 1, SMALL);
  model_check(world_send(&world.producer[1], 1, SMALL) == SW_OK);
}

/* The native worker's end: a flag, the fence, the ring; the worker looks at the flag before it
 * sleeps. */
static void stop(void) {
  sw_store_release(&world.stop, 1);
  sw_fence_handshake();
  sw_endpoint_ring(model_region(), sw_endpoint_role(model_region(), 1));
}
static void work_until_stopped(void) {
  while (!sw_load_acquire(&world.stop)) {
    int got = world_receive(&world.consumer[1], world.received + 1, SMALL);
    model_check(got >= 0);
    if (got == 1) {
      world.received++;
      continue;
    }
    uint32_t ticket = sw_endpoint_arm(model_region(), 1, SW_SLEEP_FUTEX);
    if (!sw_consumer_ready(&world.consumer[1]) && !sw_load_acquire(&world.stop)) {
      model_mark(SLEPT);
      model_wait(sw_endpoint_doorbell(model_region(), 1), ticket);
    }
    sw_endpoint_disarm(model_region(), 1);
  }
}
/* sw_endpoint_wake_always needs no fence: it does not depend on whether the owner seems to sleep.
 * */
static void stop_by_waking_always(void) {
  sw_store_release(&world.stop, 1);
  sw_endpoint_wake_always(model_region(), sw_endpoint_role(model_region(), 1));
}
static void send_1(void) { model_check(world_send(&world.producer[0], 1, SMALL) == SW_OK); }

/* A waker dies before it has woken: the sleeper is still armed, for the next waker. */
static void half_ring(void) {
  sw_endpoint *sleeper = (sw_endpoint *)(void *)(model_region() + SW_HEADER_BYTES) + 1;
  if (sw_load_relaxed(&sleeper->sleeping) == SW_AWAKE) return;
  sw_fetch_add_acq_rel(&sleeper->doorbell, 1);
  model_mark(FIRST);
}

/* Where no other waker rings, the participant that finds the dead one evicts it, which wakes its
 * peers; a sleeper asks about its peer before it sleeps. */
static void take_and_die(void) {
  half_ring();
  model_die(1);
}
static void evict_the_dead(void) {
  model_assume(!sw_endpoint_role_alive(model_region(), world.producer[0].role));
  sw_channel_evict(model_region(), REGION_BYTES, CHANNEL, 0);
}
static void sleep_while_peer_lives(void) {
  uint32_t ticket = sw_endpoint_arm(model_region(), 1, SW_SLEEP_FUTEX);
  uint32_t peer = sw_load_acquire(&world_ring(SW_RENDERER)->producer);
  if (!sw_consumer_ready(&world.consumer[1]) && sw_endpoint_role_alive(model_region(), peer)) {
    model_mark(SLEPT);
    model_wait(sw_endpoint_doorbell(model_region(), 1), ticket);
  }
  sw_endpoint_disarm(model_region(), 1);
}

/* A watcher becomes a receiver. The first sleep is quiet and short: it ends by itself, as an event
 * loop's does. */
static void watch_then_receive(void) {
  sw_endpoint_arm(model_region(), 1, SW_SLEEP_FUTEX | SW_SLEEP_QUIET);
  receive_2();
}

/* A quiet sleep ends with the stream. */
static void send_and_close(void) {
  send_1();
  sw_producer_close(&world.producer[0]);
}
static void watch_until_closed(void) {
  uint32_t *closed = &world_ring(SW_RENDERER)->closed;
  while ((sw_load_acquire(closed) & SW_CLOSED_BY_PRODUCER) == 0) {
    uint32_t ticket = sw_endpoint_arm(model_region(), 1, SW_SLEEP_FUTEX | SW_SLEEP_QUIET);
    if ((sw_load_acquire(closed) & SW_CLOSED_BY_PRODUCER) == 0) {
      model_mark(SLEPT);
      model_wait(sw_endpoint_doorbell(model_region(), 1), ticket);
    }
    sw_endpoint_disarm(model_region(), 1);
  }
}

const model_scenario scenes_park[] = {{.name = "park: consumer, 2 messages",
                                       .setup = setup,
                                       .threads = {send_2, receive_2},
                                       .finish = received_2,
                                       .sc = true,
                                       .marks = SLEPT},
                                      {.name = "park: consumer, 3 messages",
                                       .setup = setup,
                                       .threads = {send_3, receive_3},
                                       .finish = received_3,
                                       .sc = true,
                                       .large = true,
                                       .huge = true,
                                       .marks = SLEPT},
                                      {.name = "park: producer wants room once",
                                       .setup = setup_full,
                                       .threads = {send_1_whole, receive_1_whole},
                                       .finish = world_valid,
                                       .sc = true,
                                       .marks = SLEPT | FULL},
                                      {.name = "park: producer wants room twice",
                                       .setup = setup_full,
                                       .threads = {send_2_whole, receive_2_whole},
                                       .finish = received_2,
                                       .sc = true,
                                       .marks = SLEPT | FULL},
                                      {.name = "park: both, padding, counters pass 2^32",
                                       .setup = setup_high,
                                       .threads = {send_2_large, receive_2_large},
                                       .finish = received_2,
                                       .sc = true,
                                       .marks = SLEPT},
                                      {.name = "park: question and answer",
                                       .setup = setup,
                                       .threads = {ask, answer},
                                       .finish = world_valid,
                                       .sc = true,
                                       .marks = SLEPT},
                                      {.name = "park: worker stopped",
                                       .setup = setup,
                                       .threads = {stop, work_until_stopped},
                                       .finish = world_valid,
                                       .sc = true,
                                       .marks = SLEPT},
                                      {.name = "park: worker stopped while a message comes",
                                       .setup = setup,
                                       .threads = {stop, work_until_stopped, send_1},
                                       .finish = world_valid,
                                       .sc = true,
                                       .marks = SLEPT},
                                      {.name = "park: worker always woken while a message comes",
                                       .setup = setup,
                                       .threads = {stop_by_waking_always, work_until_stopped, send_1},
                                       .finish = world_valid,
                                       .sc = true,
                                       .marks = SLEPT},
                                      {.name = "park: waker dies, the next one rings",
                                       .setup = setup,
                                       .threads = {half_ring, work_until_stopped, stop},
                                       .finish = world_valid,
                                       .sc = true,
                                       .marks = SLEPT | FIRST},
                                      {.name = "park: waker dies, evicted by a third",
                                       .setup = setup,
                                       .threads = {take_and_die, sleep_while_peer_lives, evict_the_dead},
                                       .finish = world_valid,
                                       .sc = true,
                                       .marks = SLEPT | FIRST},
                                      {.name = "park: a watcher becomes a receiver",
                                       .setup = setup,
                                       .threads = {send_2, watch_then_receive},
                                       .finish = received_2,
                                       .sc = true,
                                       .marks = SLEPT},
                                      {.name = "park: a watcher, a message and the end",
                                       .setup = setup,
                                       .threads = {send_and_close, watch_until_closed},
                                       .finish = world_valid,
                                       .sc = true,
                                       .marks = SLEPT},
                                      {.name = NULL}};
