/* Channels in a heap: one that both sides are done with is freed once, whichever of them frees, and
 * whatever dies; one that a participant has taken a role of stays; and no participant is told that
 * a channel is closed which another leaves for it to free.
 *
 * Thread n is process n + 1, endpoint n. The bytes of the rings stand for themselves: a small block
 * is freed in their place. */
#include <string.h>

#include "base/peer.h"
#include "core/channel/life.h"
#include "sabway/heap_channel.h"
#include "sabway/registry.h"
#include "scenes.h"

static struct {
  sw_heap heap[MODEL_THREADS];
  uint32_t at, block;
  int freed[MODEL_THREADS]; /* what sw_channel_free has returned; SW_ESTATE before */
} c;

static uint8_t *base(void) { return model_region(); }
static sw_channel *header(void) { return swi_channel_at(base(), REGION_BYTES, c.at); }

static int open_producer(uint32_t side, uint32_t thread, uint32_t generation) {
  return sw_channel_open_producer(&world.producer[side], base(), REGION_BYTES, c.at, generation, side, thread);
}
static int open_consumer(uint32_t side, uint32_t thread, uint32_t generation) {
  return sw_channel_open_consumer(&world.consumer[side], base(), REGION_BYTES, c.at, generation, side, thread);
}

/* The side is closed; its producer is not left yet. */
static void close_side(uint32_t side, uint32_t thread) {
  model_check(open_producer(side, thread, 1) == SW_OK);
  model_check(open_consumer(side, thread, 1) == SW_OK);
  sw_producer_close(&world.producer[side]);
  sw_consumer_close(&world.consumer[side]);
  sw_consumer_leave(&world.consumer[side]);
}

static void setup(void) {
  world_empty();
  memset(&c, 0, sizeof(c));
  model_snapshot(&c, sizeof(c));
  model_snapshot(base() + SW_HEAP_AT, REGION_BYTES - SW_HEAP_AT);
  model_check(sw_region_format_empty(base(), MODEL_REGION_PAGES, SW_HEAP_AT) == SW_OK);
  model_check(sw_heap_format(base(), SW_HEAP_AT, REGION_BYTES) == SW_OK);
  for (uint32_t i = 0; i < MODEL_THREADS; i++) {
    model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
    model_check(sw_heap_open(&c.heap[i], base(), REGION_BYTES, SW_HEAP_AT, i) == SW_OK);
    c.heap[i].shares = 0; /* slabs have owners, as in a large heap */
    c.freed[i] = SW_ESTATE;
  }
  c.at = sw_channel_new(&c.heap[3], CAPACITY, CAPACITY);
  c.block = sw_heap_alloc(&c.heap[3], SW_HEAP_SMALL);
  model_check(c.at != 0 && c.block != 0);
  sw_store_relaxed(&header()->data, c.block);
}

/* Both sides are closed, and are left by threads 0 and 1. */
static void setup_closed(void) {
  setup();
  close_side(SW_RENDERER, 0);
  close_side(SW_NATIVE, 1);
}
/* The renderer's side is done. The native one's holder, process 4, is dead. */
static void setup_dead(void) {
  setup();
  close_side(SW_RENDERER, 0);
  sw_producer_leave(&world.producer[SW_RENDERER]);
  model_check(open_producer(SW_NATIVE, 3, 1) == SW_OK);
  model_check(open_consumer(SW_NATIVE, 3, 1) == SW_OK);
  model_process(4, 40, 4, false);
}

static void free_by(uint32_t thread) {
  c.freed[thread] = sw_channel_free(&c.heap[thread], c.at, 1, 0);
  model_check(c.freed[thread] == 1 || c.freed[thread] == 0 || c.freed[thread] == SW_ECLOSED);
  model_mark(thread == 0 ? FIRST : SECOND);
  if (c.freed[thread] != 1) return;
  model_data_write(base() + c.block, 2); /* as the block's next owner does */
  model_data_write(base() + c.block + 8, 2);
}
static void free_0(void) { free_by(0); }
static void free_1(void) { free_by(1); }

static void leave_0(void) {
  /* what a holder does with the rings is over when they are freed */
  model_data_write(base() + c.block, 1);
  sw_producer_leave(&world.producer[SW_RENDERER]);
  free_by(0);
}
static void leave_1(void) {
  model_data_write(base() + c.block + 8, 1);
  sw_producer_leave(&world.producer[SW_NATIVE]);
  free_by(1);
}

/* Take the dead one's side over, and be done with it. */
static void attach_2(void) {
  int status = open_producer(SW_NATIVE, 2, 1);
  if (status == SW_ECLOSED) {
    model_mark(REFUSED);
    return;
  }
  model_check(status == SW_OK);
  model_data_write(base() + c.block, 1);
  model_mark(BOTH);
  sw_producer_close(&world.producer[SW_NATIVE]);
  model_check(open_consumer(SW_NATIVE, 2, 1) == SW_OK);
  sw_consumer_close(&world.consumer[SW_NATIVE]);
  sw_consumer_leave(&world.consumer[SW_NATIVE]);
  sw_producer_leave(&world.producer[SW_NATIVE]);
  free_by(2);
}
/* The same, up to the look whether it is closed. */
static void attach_only(void) {
  int status = open_producer(SW_NATIVE, 2, 1);
  model_check(status == SW_OK || status == SW_ECLOSED);
  world.status[2] = status;
  model_mark(status == SW_OK ? BOTH : REFUSED);
}

/* A participant that comes with the place of an earlier channel. */
static void attach_stale(void) {
  int status = open_producer(SW_NATIVE, 2, 1);
  world.status[2] = status;
  model_check(status == SW_OK || status == SW_ECLOSED);
  model_mark(status == SW_OK ? BOTH : REFUSED);
}
static void free_and_make(void) {
  free_by(0);
  if (c.freed[0] != 1) return;
  uint32_t next = sw_channel_new(&c.heap[0], CAPACITY, CAPACITY);
  model_check(next == c.at && sw_channel_generation(base(), REGION_BYTES, next) == 2);
  model_check(open_producer(SW_NATIVE, 0, 2) == SW_OK);
}

/* One that knows the next channel's place takes a role as soon as it is there, and sees the rest.
 * */
static void make_only(void) {
  free_by(0);
  uint32_t next = sw_channel_new(&c.heap[0], CAPACITY * 2, CAPACITY);
  model_check(next == c.at);
}
static void attach_next(void) {
  int producer = open_producer(SW_RENDERER, 2, 2), consumer = open_consumer(SW_NATIVE, 2, 2);
  if (producer == SW_OK) model_check(world.producer[SW_RENDERER].capacity == 2 * CAPACITY);
  if (consumer == SW_OK) model_check(world.consumer[SW_NATIVE].capacity == 2 * CAPACITY);
  model_mark(producer == SW_OK ? BOTH : REFUSED);
}

static uint32_t is_free(void) {
  return sw_registry_retire(&c.heap[3], c.at, SW_KIND_FREE_CHANNEL, SW_KIND_FREE_CHANNEL, 0) == 1;
}
static int count_freed(void) { return (c.freed[0] == 1) + (c.freed[1] == 1) + (c.freed[2] == 1); }
static bool block_is_free(void) {
  bool none = sw_heap_usable(&c.heap[3], c.block) == 0;
  model_check(!none || c.heap[3].status == SW_EDOUBLEFREE);
  return none;
}

static void freed_once(void) {
  model_check(count_freed() == 1 && is_free() && block_is_free());
  model_check(sw_channel_generation(base(), REGION_BYTES, c.at) == 0);
}
static void freed_or_held(void) {
  bool held = world.status[2] == SW_OK;
  model_check(count_freed() == (held ? 0 : 1) && is_free() == !held && block_is_free() == !held);
  model_check(sw_channel_generation(base(), REGION_BYTES, c.at) == (held ? 1 : 0));
}
static void next_is_held(void) {
  if (world.status[2] == SW_OK) {
    model_check(c.freed[0] == 0);
    return;
  }
  model_check(c.freed[0] == 1 && sw_channel_generation(base(), REGION_BYTES, c.at) == 2);
  model_check(header()->rings[SW_NATIVE].producer == sw_endpoint_role(base(), 0));
}
/* The survivor finds the rest: at most the block is lost, or the header. */
static void reclaimed(void) {
  uint32_t was_free = is_free();
  uint32_t found = sw_channel_reclaim(&c.heap[2]);
  model_check(sw_channel_generation(base(), REGION_BYTES, c.at) == 0);
  model_check(count_freed() + (int)found <= 2);
  if (was_free) return;
  model_mark(ENDED);
  model_check(found == 1 ? is_free() : swi_life_state(header()->life) == SW_ROLE_GONE);
}

const model_scenario scenes_channel[] = {{.name = "channel: both sides leave and free",
                                          .setup = setup_closed,
                                          .threads = {leave_0, leave_1},
                                          .finish = freed_once,
                                          .sc = true,
                                          .marks = FIRST | SECOND},
                                         {.name = "channel: two free a dead one's",
                                          .setup = setup_dead,
                                          .threads = {free_0, free_1},
                                          .finish = freed_once,
                                          .sc = true,
                                          .marks = FIRST | SECOND},
                                         {.name = "channel: one frees a dead one's, one takes it over",
                                          .setup = setup_dead,
                                          .threads = {free_0, attach_only},
                                          .finish = freed_or_held,
                                          .sc = true,
                                          .marks = FIRST | BOTH | REFUSED},
                                         {.name = "channel: one frees, one takes over and frees",
                                          .setup = setup_dead,
                                          .threads = {free_0, attach_2},
                                          .finish = freed_once,
                                          .marks = FIRST | BOTH | REFUSED},
                                         {.name = "channel: two free, one takes over",
                                          .setup = setup_dead,
                                          .threads = {free_0, free_1, attach_only},
                                          .finish = freed_or_held,
                                          .large = true,
                                          .marks = FIRST | SECOND | BOTH | REFUSED},
                                         {.name = "channel: it is made anew, one comes with its old place",
                                          .setup = setup_dead,
                                          .threads = {free_and_make, attach_stale},
                                          .finish = next_is_held,
                                          .large = true,
                                          .marks = FIRST | BOTH | REFUSED},
                                         {.name = "channel: it is made anew, one waits for that",
                                          .setup = setup_dead,
                                          .threads = {make_only, attach_next},
                                          .marks = FIRST | BOTH | REFUSED},
                                         {.name = "channel: two free, and one dies anywhere",
                                          .setup = setup_dead,
                                          .threads = {free_0, free_1},
                                          .finish = reclaimed,
                                          .mortal = 1,
                                          .large = true,
                                          .marks = FIRST | SECOND | ENDED},
                                         {.name = NULL}};
