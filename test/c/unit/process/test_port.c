/* Ports: how they wait, and where they find the channel. */
#include "process.h"

#include <pthread.h>
#include <sched.h>

#include "sabway/shared.h"

enum { RING = 4096 };

static uint32_t yields;

/* In place of the C library's: counts, and lets no other thread go first. */
int sched_yield(void) {
  yields++;
  return 0;
}

/* Two threads on one processor: the one that spins for the other's message has to let it run. */
static void spinning_yields(void **state) {
  (void)state;
  region r = region_new(RING, RING);
  sw_port port;
  assert_int_equal(sw_port_open(&port, r.base, r.size, SW_RENDERER), SW_OK);
  for (int i = 0; i < 10 && yields == 0; i++) {
    assert_int_equal(sw_port_wait(&port, SW_UNTIL_MESSAGE, 0, 1000000), 0);
  }
  assert_true(yields > 0);
  sw_port_close(&port, 0);
  region_free(&r);
}

/* With no time at all it looks once, and finds what is there. */
static void no_time(void **state) {
  (void)state;
  region r = region_new(RING, RING);
  sw_port renderer, native;
  assert_int_equal(sw_port_open(&renderer, r.base, r.size, SW_RENDERER), SW_OK);
  assert_int_equal(sw_port_open(&native, r.base, r.size, SW_NATIVE), SW_OK);
  assert_int_equal(sw_port_wait(&native, SW_UNTIL_MESSAGE, 0, 0), 0);
  assert_int_equal(sw_port_wait(&native, SW_UNTIL_ROOM, RING, 0), 1);
  assert_int_equal(sw_producer_send(&renderer.out, "x", 1), SW_OK);
  assert_int_equal(sw_port_wait(&native, SW_UNTIL_MESSAGE, 0, 0), 1);
  assert_int_equal(sw_port_wait(&native, SW_UNTIL_ROOM, RING, 0), 1);
  while (sw_producer_send(&renderer.out, "x", 1) == SW_OK) {
  }
  assert_int_equal(sw_port_wait(&renderer, SW_UNTIL_ROOM, 1, 0), 0);
  assert_int_equal(sw_port_wait(&renderer, SW_UNTIL_MESSAGE, 0, 0), 0);
  assert_int_equal(sw_port_wait(&renderer, SW_UNTIL_MESSAGE | SW_UNTIL_ROOM, 1, 0), 0);
  sw_consumer_rewind(&native.in);
  for (sw_slice slice; sw_consumer_peek(&native.in, &slice) == 1;) sw_consumer_release(&native.in);
  assert_int_equal(sw_port_wait(&renderer, SW_UNTIL_MESSAGE | SW_UNTIL_ROOM, 1, 0), 1);
  sw_port_close(&native, 1);
  /* the end of the stream is news, too */
  assert_int_equal(sw_port_wait(&renderer, SW_UNTIL_MESSAGE, 0, 0), 1);
  sw_port_close(&renderer, 1);
  region_free(&r);
}

/* A peer is there with either of its roles. */
static void half_a_peer(void **state) {
  (void)state;
  for (uint32_t side = 0; side < 2; side++) {
    region r = region_new(RING, RING);
    sw_port port;
    assert_int_equal(sw_port_open(&port, r.base, r.size, side), SW_OK);
    uint32_t other = region_claim(&r);
    sw_consumer c;
    sw_producer p;
    assert_false(sw_port_has_peer(&port));
    assert_int_equal(sw_channel_open_consumer(&c, r.base, r.size, SW_HEAP_AT, 0, sw_other_side(side), other), SW_OK);
    assert_true(sw_port_has_peer(&port));
    sw_consumer_leave(&c);
    assert_false(sw_port_has_peer(&port));
    assert_int_equal(sw_channel_open_producer(&p, r.base, r.size, SW_HEAP_AT, 0, sw_other_side(side), other), SW_OK);
    assert_true(sw_port_has_peer(&port));
    sw_producer_leave(&p);
    assert_false(sw_port_has_peer(&port));
    sw_port_close(&port, 0);
    region_free(&r);
  }
}

/* Before the ring's end the first thing that a large message needs is room for the padding up to
 * there. */
static void room_for_the_padding(void **state) {
  (void)state;
  region r = region_new(RING, RING);
  sw_port renderer, native;
  static const uint8_t bytes[RING];
  assert_int_equal(sw_port_open(&renderer, r.base, r.size, SW_RENDERER), SW_OK);
  assert_int_equal(sw_port_open(&native, r.base, r.size, SW_NATIVE), SW_OK);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(sw_producer_send(&renderer.out, bytes, RING / 4 - SW_FRAME_HEADER), SW_OK);
    if (i == 2) break;
    sw_slice slice;
    assert_int_equal(sw_consumer_peek(&native.in, &slice), 1);
    sw_consumer_release(&native.in);
  }
  /* A quarter is in use, and a quarter is left before the end. */
  assert_int_equal(sw_port_wait(&renderer, SW_UNTIL_ROOM, 3 * RING / 4 + 8, 0), 1);
  assert_int_equal(sw_producer_send(&renderer.out, bytes, 3 * RING / 4 + 8), SW_EFULL);
  assert_int_equal(sw_port_wait(&renderer, SW_UNTIL_ROOM, 3 * RING / 4 + 8, 0), 0);
  sw_port_close(&native, 0);
  sw_port_close(&renderer, 0);
  region_free(&r);
}

/* The channel is where the header says. */
static void channel_elsewhere(void **state) {
  (void)state;
  const uint32_t elsewhere = SW_HEAP_AT + 8 * SW_LINE;
  region r = region_new(2 * RING, RING);
  sw_region_header *header = (sw_region_header *)(void *)r.base;
  memset(r.base + SW_HEAP_AT, 0, sizeof(sw_channel));
  assert_int_equal(sw_channel_format(r.base, elsewhere, RING, RING), SW_OK);
  header->root = elsewhere;
  sw_port renderer, native;
  assert_int_equal(sw_port_open(&renderer, r.base, r.size, SW_RENDERER), SW_OK);
  assert_int_equal(sw_port_open(&native, r.base, r.size, SW_NATIVE), SW_OK);
  assert_true(sw_port_has_peer(&renderer));
  header->root = 0; /* read once: what is there later is not asked for */
  assert_true(sw_port_has_peer(&native));
  sw_port_close(&native, 0);
  assert_false(sw_port_has_peer(&renderer));
  sw_port_close(&renderer, 0);
  region_free(&r);
}

static void impossible_places(void **state) {
  (void)state;
  region r = region_new(RING, RING);
  sw_region_header *header = (sw_region_header *)(void *)r.base;
  const uint32_t last = (uint32_t)(r.size - sizeof(sw_channel));
  const uint32_t places[] = {
      0, 4, SW_LINE, SW_HEAP_AT - SW_LINE, SW_HEAP_AT + 4, SW_HEAP_AT + 64, last + SW_LINE, UINT32_MAX};
  assert_int_equal(sw_region_channel(r.base, r.size), SW_HEAP_AT);
  for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
    sw_port port;
    header->root = places[i];
    assert_int_equal(sw_region_channel(r.base, r.size), 0);
    assert_int_equal(sw_port_open(&port, r.base, r.size, SW_RENDERER), SW_ECORRUPT);
  }
  header->root = last;
  assert_int_equal(sw_region_channel(r.base, r.size), last);
  assert_int_equal(sw_region_channel(r.base, r.size - 1), 0);
  assert_int_equal(sw_region_channel(r.base, SW_HEAP_AT), 0);
  assert_int_equal(sw_region_channel(r.base, 0), 0);
  region_free(&r);
}

TESTS(TEST(spinning_yields), TEST(no_time), TEST(half_a_peer), TEST(room_for_the_padding), TEST(channel_elsewhere),
      TEST(impossible_places));
