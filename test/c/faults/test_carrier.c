/* The carrier: what one side sends at home arrives away, and the other way round, in order,
 * whatever the sizes; ends and garbage go along. */
#include "unit/helper.h"

#include <pthread.h>

#include "process/carrier.h"
#include "sabway/shared.h"

enum { RING = 4096 };

/* The carrier looks again by itself after 100 ms, in case the waker has died. Not here: a ring that
 * is lost hangs, and ctest ends it. */
void __real_sw_prim_futex_wait_any(uint32_t *const *words, const uint32_t *expected, uint32_t count, int64_t timeout);
void __wrap_sw_prim_futex_wait_any(uint32_t *const *words, const uint32_t *expected, uint32_t count, int64_t timeout);
void __wrap_sw_prim_futex_wait_any(uint32_t *const *words, const uint32_t *expected, uint32_t count, int64_t timeout) {
  (void)timeout;
  __real_sw_prim_futex_wait_any(words, expected, count, -1);
}

typedef struct trip {
  region home, away;
  sw_port near, far; /* JavaScript's side at home, and the peer's away */
  sw_carrier *carrier;
  uint32_t failures; /* by the carrier's thread */
  int status;
} trip;

static void on_failed(void *context, int status) {
  trip *t = context;
  t->status = status;
  sw_fetch_add_acq_rel(&t->failures, 1);
}

static int start(trip *t, uint32_t side) {
  sw_carrier_options options = {t->home.base, t->away.base, t->home.size, side, {t, on_failed}};
  return sw_carrier_start(&t->carrier, &options);
}

static void trip_open(trip *t, uint32_t side) {
  *t = (trip){.home = region_new(RING, RING), .away = region_new(RING, RING)};
  assert_int_equal(sw_port_open(&t->near, t->home.base, t->home.size, side), SW_OK);
  assert_int_equal(sw_port_open(&t->far, t->away.base, t->away.size, sw_other_side(side)), SW_OK);
  assert_int_equal(start(t, side), SW_OK);
}

static void trip_close(trip *t) {
  if (t->carrier != NULL) sw_carrier_stop(t->carrier);
  region_free(&t->home);
  region_free(&t->away);
}

static void send(sw_port *port, uint32_t length, uint32_t seed) {
  uint8_t bytes[RING];
  pattern_fill(bytes, length, seed);
  int status;
  while ((status = sw_producer_send(&port->out, bytes, length)) == SW_EFULL) {
    assert_int_equal(sw_port_wait(port, SW_UNTIL_ROOM, length, -1), 1);
  }
  assert_int_equal(status, SW_OK);
}

static void expect(sw_port *port, uint32_t length, uint32_t seed) {
  sw_slice slice;
  int status;
  while ((status = sw_consumer_peek(&port->in, &slice)) == 0) {
    assert_int_equal(sw_port_wait(port, SW_UNTIL_MESSAGE, 0, -1), 1);
  }
  assert_int_equal(status, 1);
  assert_int_equal(slice.length, length);
  assert_true(pattern_holds((uint8_t *)port->at.base + slice.offset, length, seed));
  sw_consumer_release(&port->in);
}

static void expect_end(sw_port *port) {
  sw_slice slice;
  int status;
  while ((status = sw_consumer_peek(&port->in, &slice)) == 0) {
    assert_int_equal(sw_port_wait(port, SW_UNTIL_MESSAGE, 0, -1), 1);
  }
  assert_int_equal(status, SW_ECLOSED);
}

static uint32_t length_of(uint32_t i) { return i % 50 == 49 ? RING : i * 37 % 700; }

/* For both sides that JavaScript may have. */
static void both_ways(void **state) {
  (void)state;
  for (uint32_t side = 0; side < 2; side++) {
    trip t;
    trip_open(&t, side);
    for (uint32_t i = 0; i < 500; i++) {
      send(&t.near, length_of(i), i);
      expect(&t.far, length_of(i), i);
      send(&t.far, length_of(i + 7), i);
      expect(&t.near, length_of(i + 7), i);
    }
    trip_close(&t);
  }
}

/* Each message is sent while the carrier sleeps, from one side and from the other. */
static void asleep(void **state) {
  (void)state;
  trip t;
  trip_open(&t, SW_RENDERER);
  for (uint32_t i = 0; i < 60; i++) {
    sleep_ms(2);
    sw_port *from = i % 2 == 0 ? &t.near : &t.far, *to = i % 2 == 0 ? &t.far : &t.near;
    send(from, 100, i);
    expect(to, 100, i);
  }
  trip_close(&t);
}

/* Send until nothing moves any more: both rings are full. Returns how many fitted. */
static uint32_t fill(trip *t, uint32_t length) {
  uint8_t bytes[RING];
  uint32_t sent = 0;
  for (uint32_t idle = 0; idle < 20;) {
    pattern_fill(bytes, length, sent);
    if (sw_producer_send(&t->near.out, bytes, length) == SW_OK) {
      sent++;
      idle = 0;
    } else {
      idle++;
      sleep_ms(1);
    }
  }
  return sent;
}

/* More than both rings hold waits for room, is not lost, and does not keep the other direction
 * waiting. */
static void full(void **state) {
  (void)state;
  trip t;
  trip_open(&t, SW_NATIVE);
  for (uint32_t round = 0; round < 5; round++) {
    uint32_t sent = fill(&t, 1000);
    assert_in_range(sent, 6, 9); /* four in each ring, or one fewer at its end */
    send(&t.far, 10, round);
    expect(&t.near, 10, round);
    for (uint32_t i = 0; i < sent; i++) expect(&t.far, 1000, i);
    assert_int_equal(sw_port_wait(&t.far, SW_UNTIL_MESSAGE, 0, 1000000), 0);
  }
  trip_close(&t);
}

/* What was sent before the carrier is stopped arrives; its sides are free then. */
static void stopped(void **state) {
  (void)state;
  trip t;
  trip_open(&t, SW_RENDERER);
  for (uint32_t i = 0; i < 6; i++) send(&t.near, 500, i);
  sw_carrier_stop(t.carrier);
  t.carrier = NULL;
  for (uint32_t i = 0; i < 6; i++) expect(&t.far, 500, i);
  assert_false(sw_port_has_peer(&t.far));
  assert_false(sw_port_has_peer(&t.near));
  sw_slice slice;
  assert_int_equal(sw_consumer_peek(&t.far.in, &slice), 0); /* not the end: another may go on */
  assert_int_equal(start(&t, SW_RENDERER), SW_OK);
  send(&t.near, 20, 1);
  expect(&t.far, 20, 1);
  trip_close(&t);
}

/* The end of a stream goes along behind its last message, in either direction, and ends that
 * direction only. */
static void ends(void **state) {
  (void)state;
  for (int outward = 0; outward < 2; outward++) {
    trip t;
    trip_open(&t, SW_RENDERER);
    sw_port *from = outward ? &t.near : &t.far, *to = outward ? &t.far : &t.near;
    for (uint32_t i = 0; i < 10; i++) send(from, 100, i);
    sw_producer_close(&from->out);
    for (uint32_t i = 0; i < 10; i++) expect(to, 100, i);
    expect_end(to);
    send(to, 30, 5);
    expect(from, 30, 5);
    sw_consumer_close(&from->in); /* no more is read here: the sender is told */
    EVENTUALLY(sw_producer_send(&to->out, "x", 1) == SW_ECLOSED);
    assert_int_equal(sw_load_acquire(&t.failures), 0);
    trip_close(&t);
  }
}

/* An end, and what came before it, that are not carried yet when the carrier is stopped. */
static void end_at_the_stop(void **state) {
  (void)state;
  trip t;
  trip_open(&t, SW_RENDERER);
  for (uint32_t i = 0; i < 6; i++) send(&t.near, 500, i);
  sw_port_close(&t.near, 1);
  sw_carrier_stop(t.carrier);
  t.carrier = NULL;
  for (uint32_t i = 0; i < 6; i++) expect(&t.far, 500, i);
  expect_end(&t.far);
  assert_int_equal(sw_producer_send(&t.far.out, "x", 1), SW_ECLOSED);
  trip_close(&t);
}

/* No peer makes room: the carrier gives up after a second. */
static void stopped_without_a_reader(void **state) {
  (void)state;
  trip t;
  trip_open(&t, SW_RENDERER);
  sw_port_close(&t.far, 0);
  assert_true(fill(&t, 1000) > 4);
  trip_close(&t);
}

static void *stop(void *passed) {
  trip *t = passed;
  sw_carrier_stop(t->carrier);
  t->carrier = NULL;
  return NULL;
}

/* The reader is slow: what was sent before the stop still arrives, although there is no room for it
 * yet. */
static void stopped_before_there_is_room(void **state) {
  (void)state;
  trip t;
  trip_open(&t, SW_RENDERER);
  uint32_t sent = fill(&t, 1000);
  pthread_t stopping;
  assert_int_equal(pthread_create(&stopping, NULL, stop, &t), 0);
  sleep_ms(20);
  for (uint32_t i = 0; i < sent; i++) expect(&t.far, 1000, i);
  assert_int_equal(pthread_join(stopping, NULL), 0);
  trip_close(&t);
}

/* A peer that is there already looks which participant has come. */
static void announced(void **state) {
  (void)state;
  trip t = {.home = region_new(RING, RING), .away = region_new(RING, RING)};
  assert_int_equal(sw_port_open(&t.far, t.away.base, t.away.size, SW_NATIVE), SW_OK);
  uint32_t ticket = sw_endpoint_arm(t.away.base, t.far.endpoint, SW_SLEEP_FUTEX);
  assert_int_equal(start(&t, SW_RENDERER), SW_OK);
  assert_int_not_equal(sw_load_acquire(sw_endpoint_doorbell(t.away.base, t.far.endpoint)), ticket);
  sw_endpoint_disarm(t.away.base, t.far.endpoint);
  trip_close(&t);
}

/* Garbage from the peer ends that direction, is reported once, and at home shows as the end. */
static void garbage(void **state) {
  (void)state;
  trip t;
  trip_open(&t, SW_RENDERER);
  send(&t.far, 10, 1);
  expect(&t.near, 10, 1);
  sw_ring *ring = t.far.out.ring;
  sw_store_release(&ring->head, t.far.out.head + 4);
  sw_endpoint_ring(t.away.base, sw_load_relaxed(&ring->consumer));
  expect_end(&t.near);
  assert_int_equal(sw_load_acquire(&t.failures), 1);
  assert_int_equal(t.status, SW_ECORRUPT);
  send(&t.near, 10, 2);
  expect(&t.far, 10, 2);
  sleep_ms(5);
  assert_int_equal(sw_load_acquire(&t.failures), 1);
  trip_close(&t);
}

/* A side that is taken refuses the carrier, which then holds neither. */
static void taken(void **state) {
  (void)state;
  for (int away = 0; away < 2; away++) {
    trip t = {.home = region_new(RING, RING), .away = region_new(RING, RING)};
    region *r = away ? &t.away : &t.home;
    sw_port other;
    assert_int_equal(sw_port_open(&other, r->base, r->size, away ? SW_RENDERER : SW_NATIVE), SW_OK);
    assert_int_equal(start(&t, SW_RENDERER), SW_ETAKEN);
    sw_port_close(&other, 0);
    /* an endpoint that is not given back would be missed soon */
    for (int i = 0; i < 2 * SW_ENDPOINTS; i++) {
      assert_int_equal(start(&t, SW_RENDERER), SW_OK);
      sw_carrier_stop(t.carrier);
    }
    t.carrier = NULL;
    trip_close(&t);
  }
}

static void mirror(void **state) {
  (void)state;
  region from = region_new(RING, 4 * RING), to = region_new(4 * RING, RING);
  assert_int_equal(from.size, to.size);
  memset(to.base, 0, SW_HEAP_AT + sizeof(sw_channel));
  assert_int_equal(sw_carrier_mirror(to.base, from.base, from.size), SW_OK);
  assert_int_equal(sw_region_verify(to.base, to.pages), SW_OK);
  assert_int_equal(sw_channel_check(to.base, to.size, SW_HEAP_AT), SW_OK);
  assert_int_equal(region_channel(&to)->rings[SW_RENDERER].capacity, RING);
  assert_int_equal(region_channel(&to)->rings[SW_NATIVE].capacity, 4 * RING);

  memset(to.base, 0, SW_HEAP_AT + sizeof(sw_channel));
  region_channel(&from)->magic = 0; /* no channel yet */
  assert_int_equal(sw_carrier_mirror(to.base, from.base, from.size), SW_OK);
  assert_int_equal(sw_region_verify(to.base, to.pages), SW_OK);
  assert_int_equal(region_channel(&to)->magic, 0);

  region_channel(&from)->magic = SW_CHANNEL_MAGIC;
  const uint32_t wrong[] = {SW_RING_MAX, UINT32_MAX};
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    memset(to.base, 0, SW_HEAP_AT + sizeof(sw_channel));
    region_channel(&from)->rings[SW_NATIVE].capacity = wrong[i];
    assert_int_equal(sw_carrier_mirror(to.base, from.base, from.size), SW_ECORRUPT);
  }
  ((sw_region_header *)(void *)from.base)->magic = 1;
  assert_int_equal(sw_carrier_mirror(to.base, from.base, from.size), SW_ENOTREGION);
  region_free(&from);
  region_free(&to);
}

TESTS(TEST(both_ways), TEST(asleep), TEST(full), TEST(stopped), TEST(ends), TEST(end_at_the_stop),
      TEST(stopped_without_a_reader), TEST(stopped_before_there_is_room), TEST(announced), TEST(garbage), TEST(taken),
      TEST(mirror));
