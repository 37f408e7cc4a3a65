/* Closing, from either side, against sending, receiving and sleeping: all that was published before
 * the end of the stream is received before it, and a sleeper learns of the end. */
#include "scenes.h"

enum { SMALL = 8, WHOLE = CAPACITY };

static void setup(void) { world_open(0); }

static void setup_full(void) {
  world_open(0);
  model_check(world_send(&world.producer[0], 1, WHOLE) == SW_OK);
}

static void send_and_close(void) {
  world_send_all(&world.producer[0], 0, 2, SMALL);
  sw_producer_close(&world.producer[0]);
}
static void only_close(void) { sw_producer_close(&world.producer[0]); }
static void receive_to_the_end(void) { world_receive_all(&world.consumer[1], 1, 3, SMALL); }
static void all_received(void) {
  model_check(world.received == 2);
  world_valid();
}
static void none_received(void) { model_check(world.received == 0); }

/* Looks a few times, never sleeps: so no fence helps to order the end behind the messages. */
static void look_for_the_end(void) {
  for (int tries = 0; tries < 3; tries++) {
    int got = world_receive(&world.consumer[1], world.received + 1, SMALL);
    if (got == 1) world.received++;
    if (got != SW_ECLOSED) continue;
    model_check(world.received == 2);
    model_mark(ENDED);
    return;
  }
}

static void close_reading(void) { sw_consumer_close(&world.consumer[1]); }
static void send_until_closed(void) {
  for (uint32_t n = 1; n <= 2; n++) {
    int status = world_send(&world.producer[0], n, SMALL);
    model_check(status == SW_OK || status == SW_ECLOSED);
    model_mark(status == SW_OK ? FIRST : REFUSED);
  }
}
static void want_room_until_closed(void) {
  while ((world.status[0] = world_send(&world.producer[0], 2, WHOLE)) == SW_EFULL)
    world_park_for_space(&world.producer[0], 0, WHOLE);
  if (world.status[0] == SW_ECLOSED) model_mark(ENDED);
  else model_mark(FIRST);
}
static void receive_and_close(void) {
  model_check(world_receive(&world.consumer[1], 1, WHOLE) == 1);
  sw_consumer_close(&world.consumer[1]);
}

static void closed_twice(void) {
  model_check(world_ring(SW_RENDERER)->closed == (SW_CLOSED_BY_PRODUCER | SW_CLOSED_BY_CONSUMER));
}

const model_scenario scenes_close[] = {
    {.name = "close: 2 messages, then the end, consumer looks",
     .setup = setup,
     .threads = {send_and_close, look_for_the_end},
     .finish = world_valid,
     .marks = ENDED},
    {.name = "close: 2 messages, then the end, consumer sleeps",
     .setup = setup,
     .threads = {send_and_close, receive_to_the_end},
     .finish = all_received,
     .sc = true,
     .huge = true,
     .large = true,
     .marks = SLEPT | ENDED},
    {.name = "close: by the producer, consumer sleeps",
     .setup = setup,
     .threads = {only_close, receive_to_the_end},
     .finish = none_received,
     .sc = true,
     .marks = SLEPT | ENDED},
    {.name = "close: by the consumer, producer sends",
     .setup = setup,
     .threads = {send_until_closed, close_reading},
     .finish = world_valid,
     .marks = FIRST | REFUSED},
    {.name = "close: by the consumer, producer sleeps",
     .setup = setup_full,
     .threads = {want_room_until_closed, close_reading},
     .sc = true,
     .marks = SLEPT | ENDED},
    {.name = "close: by the consumer after a release",
     .setup = setup_full,
     .threads = {want_room_until_closed, receive_and_close},
     .finish = world_valid,
     .sc = true,
     .marks = SLEPT | ENDED | FIRST},
    {.name = "close: by both at once", .setup = setup, .threads = {only_close, close_reading}, .finish = closed_twice},
    {.name = NULL}};
