/* Roles: one holder at a time, and the next one goes on where the last one stopped, whether that
 * left or died. */
#include "scenes.h"

enum { SMALL = 8 };

static uint8_t *base(void) { return model_region(); }

/* Endpoints 0 and 1 are claimed; no participant holds a role in rings[0]. */
static void setup_free(void) {
  world_open(0u - 16);
  sw_producer_leave(&world.producer[0]);
  sw_consumer_leave(&world.consumer[1]);
}

static int open_as_producer(uint32_t endpoint) {
  int status =
      sw_channel_open_producer(&world.producer[endpoint], base(), REGION_BYTES, CHANNEL, 0, SW_RENDERER, endpoint);
  model_check(status == SW_OK || status == SW_ETAKEN);
  model_mark(status == SW_OK ? (uint32_t)FIRST << endpoint : REFUSED);
  world.status[endpoint] = status;
  return status;
}
static int open_as_consumer(uint32_t endpoint) {
  int status =
      sw_channel_open_consumer(&world.consumer[endpoint], base(), REGION_BYTES, CHANNEL, 0, SW_NATIVE, endpoint);
  model_check(status == SW_OK || status == SW_ETAKEN);
  model_mark(status == SW_OK ? (uint32_t)FIRST << endpoint : REFUSED);
  world.status[endpoint] = status;
  return status;
}

/* ---- two openers ---- */

static void produce(uint32_t endpoint) {
  if (open_as_producer(endpoint) == SW_OK) model_check(world_send(&world.producer[endpoint], 1, SMALL) == SW_OK);
}
static void produce_0(void) { produce(0); }
static void produce_1(void) { produce(1); }
static void consume(uint32_t endpoint) {
  if (open_as_consumer(endpoint) == SW_OK) world_receive(&world.consumer[endpoint], 1, SMALL);
}
static void consume_0(void) { consume(0); }
static void consume_1(void) { consume(1); }
static void one_won(void) {
  model_check((world.status[0] == SW_OK) != (world.status[1] == SW_OK));
  world_valid();
}

/* One of them has just claimed its endpoint: a thread that sees its role must find it alive. */
static void setup_one_endpoint(void) {
  setup_free();
  sw_endpoint_release(base(), 0);
}
static void claim_and_produce(void) {
  model_check(sw_endpoint_claim(base(), 1, 10, 1) == 0);
  produce(0);
}

/* ---- leave, then the next ---- */

static void produce_and_leave(uint32_t endpoint) {
  sw_producer *p = &world.producer[endpoint];
  if (open_as_producer(endpoint) != SW_OK) return;
  model_check(world_send(p, 1, 4) == SW_OK);
  /* Begun, and left behind: the next holder writes over it. */
  uint8_t *room = sw_producer_reserve(p, SMALL, 0);
  model_check(room != NULL);
  model_data_write(room, 99);
  sw_producer_abandon(p);
  sw_producer_leave(p);
}
static void produce_and_leave_0(void) { produce_and_leave(0); }
static void produce_and_leave_1(void) { produce_and_leave(1); }
static void messages_kept(void) {
  world_valid();
  uint32_t taken = (uint32_t)(world.status[0] == SW_OK) + (uint32_t)(world.status[1] == SW_OK);
  model_check(taken >= 1);
  model_check(world_ring(0)->head - world_ring(0)->tail == 16 * taken);
  if (taken == 2) model_mark(BOTH);
}

/* Two messages wait; each consumer takes one of them, if it gets the role. */
static void setup_two_messages(void) {
  world_open(0u - 8);
  for (uint32_t n = 1; n <= 2; n++) model_check(world_send(&world.producer[0], n, SMALL) == SW_OK);
  sw_consumer_leave(&world.consumer[1]);
}
static void consume_and_leave(uint32_t endpoint) {
  sw_slice slice;
  sw_consumer *c = &world.consumer[endpoint];
  if (open_as_consumer(endpoint) != SW_OK) return;
  if (sw_consumer_peek(c, &slice) == 1) world.sent[endpoint] = model_data_read(base() + slice.offset);
  sw_consumer_release(c);
  sw_consumer_leave(c);
}
static void consume_and_leave_0(void) { consume_and_leave(0); }
static void consume_and_leave_1(void) { consume_and_leave(1); }
static void none_twice(void) {
  if (world.status[0] == SW_OK && world.status[1] == SW_OK) {
    model_check(world.sent[0] + world.sent[1] == 3 && world.sent[0] != world.sent[1]);
    model_mark(BOTH);
  }
  world_valid();
}

/* The ring is full, and its producer is gone. The next one reads the consumer's index as it
 * attaches. */
static void setup_full(void) {
  world_open(0);
  model_check(world_send(&world.producer[0], 1, CAPACITY) == SW_OK);
  sw_producer_leave(&world.producer[0]);
}
static void receive_whole(void) { model_check(world_receive(&world.consumer[1], 1, CAPACITY) == 1); }
static void produce_over_it(void) {
  if (open_as_producer(0) == SW_OK && world_send(&world.producer[0], 2, CAPACITY) == SW_OK) model_mark(SECOND);
}

/* ---- death ---- */

static void produce_and_die(void) {
  sw_producer *p = &world.producer[0];
  model_check(world_send(p, 1, SMALL) == SW_OK);
  uint8_t *room = sw_producer_reserve(p, SMALL, 0); /* half written */
  model_check(room != NULL);
  model_data_write(room, 99);
  model_die(1);
}
static void produce_after_death(void) {
  if (open_as_producer(1) == SW_OK) model_check(world_send(&world.producer[1], 2, SMALL) == SW_OK);
}
static void receive_what_comes(void) {
  for (int tries = 0; tries < 2; tries++) {
    int got = world_receive(&world.consumer[1], world.received + 1, SMALL);
    model_check(got >= 0);
    if (got == 1) world.received++;
  }
}
static void consume_and_die(void) {
  model_check(world_receive(&world.consumer[1], 1, SMALL) == 1);
  model_die(2);
}
static void setup_consumer_dies(void) {
  world_open(0u - 8);
  for (uint32_t n = 1; n <= 2; n++) model_check(world_send(&world.producer[0], n, SMALL) == SW_OK);
}
static void consume_after_death(void) {
  if (open_as_consumer(0) == SW_OK) model_check(world_receive(&world.consumer[0], 2, SMALL) == 1);
}
static void setup_dying(void) { world_open(0u - 8); }

/* A dead holder is evicted while another takes the role over: the new holder stays, in whichever
 * order. */
static void setup_dead(void) {
  world_open(0);
  model_process(1, 10, 1, false);
}
static void evict(void) { sw_channel_evict(base(), REGION_BYTES, CHANNEL, 0); }
static void new_holder_stays(void) {
  model_check(world.status[1] == SW_OK);
  model_check(world_ring(0)->producer == world.producer[1].role);
}

const model_scenario scenes_roles[] = {{.name = "role: two openers, producer",
                                        .setup = setup_free,
                                        .threads = {produce_0, produce_1},
                                        .finish = one_won,
                                        .marks = FIRST | SECOND | REFUSED},
                                       {.name = "role: two openers, consumer",
                                        .setup = setup_free,
                                        .threads = {consume_0, consume_1},
                                        .finish = one_won,
                                        .marks = FIRST | SECOND | REFUSED},
                                       {.name = "role: two openers, one newly claimed",
                                        .setup = setup_one_endpoint,
                                        .threads = {claim_and_produce, produce_1},
                                        .finish = one_won,
                                        .marks = FIRST | SECOND | REFUSED},
                                       {.name = "role: the next producer writes over what was read",
                                        .setup = setup_full,
                                        .threads = {produce_over_it, receive_whole},
                                        .finish = world_valid,
                                        .marks = FIRST | SECOND | FULL},
                                       {.name = "role: producer leaves, the next goes on",
                                        .setup = setup_free,
                                        .threads = {produce_and_leave_0, produce_and_leave_1},
                                        .finish = messages_kept,
                                        .marks = FIRST | SECOND | REFUSED | BOTH},
                                       {.name = "role: consumer leaves, the next goes on",
                                        .setup = setup_two_messages,
                                        .threads = {consume_and_leave_0, consume_and_leave_1},
                                        .finish = none_twice,
                                        .marks = FIRST | SECOND | REFUSED | BOTH},
                                       {.name = "role: producer dies, the next goes on",
                                        .setup = setup_dying,
                                        .threads = {produce_and_die, produce_after_death, receive_what_comes},
                                        .finish = world_valid,
                                        .marks = SECOND | REFUSED},
                                       {.name = "role: consumer dies, the next goes on",
                                        .setup = setup_consumer_dies,
                                        .threads = {consume_after_death, consume_and_die},
                                        .finish = world_valid,
                                        .marks = FIRST | REFUSED},
                                       {.name = "role: eviction against take-over",
                                        .setup = setup_dead,
                                        .threads = {evict, produce_after_death},
                                        .finish = new_holder_stays,
                                        .marks = SECOND},
                                       {.name = NULL}};
