/* The ring without sleeping: frames arrive whole, in order, once; a full ring is never
 * overwritten. */
#include "scenes.h"

enum { SMALL = 8, QUARTER = 1000, HALF = 2032, LARGE = 3000 };

static void setup(void) { world_open(0); }
/* The third message wraps, and the counters pass 2^32 on the way. */
static void setup_high(void) { world_open(0u - 2048); }
static void setup_high_large(void) { world_open(0u - 3008); }

static void send(uint32_t count, uint32_t length, int tries) {
  for (uint32_t n = 1; n <= count && tries > 0; tries--) {
    int status = world_send(&world.producer[0], n, length);
    model_check(status == SW_OK || status == SW_EFULL);
    if (status == SW_OK) n++;
  }
}

static void receive(uint32_t length, int tries) {
  for (; tries > 0; tries--) {
    int got = world_receive(&world.consumer[1], world.received + 1, length);
    model_check(got >= 0);
    if (got == 1) world.received++;
    if (world.received == 1) model_mark(FIRST);
    if (world.received > 1) model_mark(SECOND);
  }
}

static void send_small(void) { send(4, SMALL, 4); }
static void receive_small(void) { receive(SMALL, 4); }
static void send_half(void) { send(4, HALF, 4); }
static void receive_half(void) { receive(HALF, 3); }
static void send_appended(void) {
  for (uint32_t n = 1, tries = 4; n <= 3 && tries > 0; tries--) {
    int status = world_append(&world.producer[0], n, QUARTER);
    model_check(status == SW_OK || status == SW_EFULL);
    if (status == SW_OK) n++;
  }
}
static void receive_appended(void) { receive(QUARTER, 3); }
static void send_large(void) { send(3, LARGE, 4); }
static void receive_large(void) { receive(LARGE, 3); }

/* Several frames with one publication, and one release for all of them. */
static void send_batch(void) {
  sw_producer *p = &world.producer[0];
  for (uint32_t n = 1; n <= 3; n++) {
    uint8_t *room = sw_producer_reserve(p, SMALL, 0);
    model_check(room != NULL);
    model_data_write(room, n);
    model_check(sw_producer_commit(p, SMALL) == SW_OK);
  }
  sw_producer_publish(p);
  model_check(world_send(p, 4, SMALL) == SW_OK);
}
static void receive_batch(void) {
  sw_slice slices[4];
  uint32_t next = 1;
  for (int tries = 0; tries < 2; tries++) {
    int got = sw_consumer_peek_batch(&world.consumer[1], slices, 4);
    model_check(got == 0 || got == 1 || got == 3 || got == 4);
    for (int i = 0; i < got; i++) model_check(model_data_read(model_region() + slices[i].offset) == next++);
    if (got > 0) model_mark(FIRST);
    sw_consumer_release(&world.consumer[1]);
  }
}

const model_scenario scenes_ring[] = {{.name = "ring: 4 small messages",
                                       .setup = setup,
                                       .threads = {send_small, receive_small},
                                       .finish = world_valid,
                                       .marks = FIRST | SECOND},
                                      {.name = "ring: batch of 3, then 1",
                                       .setup = setup,
                                       .threads = {send_batch, receive_batch},
                                       .finish = world_valid,
                                       .marks = FIRST},
                                      {.name = "ring: appended where there is room, counters pass 2^32",
                                       .setup = setup_high,
                                       .threads = {send_appended, receive_appended},
                                       .finish = world_valid,
                                       .marks = FIRST | SECOND | APPENDED},
                                      {.name = "ring: full, no padding, counters pass 2^32",
                                       .setup = setup_high,
                                       .threads = {send_half, receive_half},
                                       .finish = world_valid,
                                       .marks = FIRST | SECOND | FULL | WRAPPED},
                                      {.name = "ring: full, padding",
                                       .setup = setup,
                                       .threads = {send_large, receive_large},
                                       .finish = world_valid,
                                       .marks = FIRST | SECOND | FULL | WRAPPED},
                                      {.name = "ring: full, padding, counters pass 2^32",
                                       .setup = setup_high_large,
                                       .threads = {send_large, receive_large},
                                       .finish = world_valid,
                                       .marks = FIRST | SECOND | FULL | WRAPPED},
                                      {.name = NULL}};
