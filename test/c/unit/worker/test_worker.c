/* The worker thread with its built-in handlers: starting, working, sleeping, stopping, ending. */
#include "../worker_helper.h"
#include "sabway/crc32c.h"

static void built_in_names(void **state) {
  (void)state;
  assert_string_equal(sw_handler_find("echo")->name, "echo");
  assert_string_equal(sw_handler_find("sink")->name, "sink");
  assert_string_equal(sw_handler_find("source")->name, "source");
  assert_null(sw_handler_find("ech"));
  assert_null(sw_handler_find(""));
}

static void echo(void **state) {
  (void)state;
  peer o;
  peer_handler(&o, "echo", NULL, 4096, 4096);
  for (uint32_t i = 0; i < 2000; i++) {
    peer_send(&o, i * 37 % 4097, i);
    peer_expect(&o, i * 37 % 4097, i);
  }
  EVENTUALLY(peer_stats(&o).sent == 2000);
  sw_worker_stats stats = peer_stats(&o);
  assert_int_equal(stats.received, 2000);
  assert_int_equal(stats.received_bytes, o.p.bytes);
  assert_int_equal(stats.sent_bytes, o.p.bytes);
  assert_int_equal(o.exited, 0);
  peer_close(&o);
}

/* The ring back is smaller and drained late, so the worker has to hold messages and try again;
 * 0-byte ones too. */
static void echo_that_waits_for_room(void **state) {
  (void)state;
  for (uint32_t largest = 0; largest <= 1500; largest += 500) {
    peer o;
    peer_handler(&o, "echo", NULL, 65536, 4096);
    for (uint32_t round = 0; round < 20; round++) {
      uint32_t count = 65536 / (largest + 16) / 2;
      uint64_t parks = peer_stats(&o).parks;
      for (uint32_t i = 0; i < count; i++) peer_send(&o, largest == 0 ? 0 : i * 7 % largest, i);
      EVENTUALLY(peer_stats(&o).parks > parks);
      for (uint32_t i = 0; i < count; i++) peer_expect(&o, largest == 0 ? 0 : i * 7 % largest, i);
    }
    peer_close(&o);
  }
}

/* Waiting for room is sleeping, whatever the length of what waits. */
static void full_is_no_busy_loop(void **state) {
  (void)state;
  for (uint32_t length = 0; length < 24; length++) {
    peer o;
    peer_handler(&o, "echo", NULL, 65536, 4096);
    while (sw_producer_used(&o.p) < 32768) peer_send(&o, length, 1);
    EVENTUALLY(sw_endpoint_is_armed(o.r.base, o.index + 1));
    peer_close(&o);
  }
}

static void sink(void **state) {
  (void)state;
  peer o;
  peer_handler(&o, "sink", "{}", 65536, 4096);
  uint32_t crc = 0;
  uint8_t bytes[3000];
  for (uint32_t i = 0; i < 5000; i++) {
    uint32_t length = i * 13 % 3000;
    pattern_fill(bytes, length, i);
    crc = sw_crc32c(crc, bytes, length);
    peer_send(&o, length, i);
  }
  EVENTUALLY(peer_stats(&o).received == 5000);
  assert_int_equal(peer_stats(&o).crc, crc);
  assert_int_equal(peer_stats(&o).received_bytes, o.p.bytes);
  assert_int_equal(peer_stats(&o).sent, 0);
  peer_close(&o);
}

static void expect_from_source(peer *o, uint32_t size, uint32_t n) {
  sw_slice slice;
  assert_int_equal(peer_next(o, &slice), 1);
  assert_int_equal(slice.length, size);
  const uint8_t *bytes = o->r.base + slice.offset;
  if (size >= 4) assert_memory_equal(bytes, &n, 4);
  for (uint32_t i = size >= 4 ? 4 : 0; i < size; i++) assert_int_equal(bytes[i], (n + i) & 0xff);
  sw_consumer_release(&o->c);
}

static void source(void **state) {
  (void)state;
  const uint32_t sizes[] = {0, 3, 64, 1000, 4096};
  for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
    peer o;
    char json[64];
    snprintf(json, sizeof(json), "{\"size\":%u,\"count\":600}", sizes[s]);
    peer_handler(&o, "source", json, 4096, 4096);
    for (uint32_t n = 0; n < 600; n++) expect_from_source(&o, sizes[s], n);
    EVENTUALLY(sw_endpoint_is_armed(o.r.base, o.index + 1)); /* that was all: it sleeps now */
    sw_slice slice;
    assert_int_equal(sw_consumer_peek(&o.c, &slice), 0);
    assert_int_equal(peer_stats(&o).sent, 600);
    peer_close(&o);
  }
}

static void source_in_time(void **state) {
  (void)state;
  peer o;
  uint64_t before = sw_prim_now();
  peer_handler(&o, "source", "{\"size\":16,\"rate\":500,\"count\":26}", 4096, 4096);
  for (uint32_t n = 0; n < 26; n++) expect_from_source(&o, 16, n);
  uint64_t took = sw_prim_now() - before;
  assert_true(took >= 25 * 2000000ull); /* the first one is due at once */
  assert_true(peer_stats(&o).parks > 0);
  peer_close(&o);
}

static void source_refuses(void **state) {
  (void)state;
  const char *bad[] = {"{\"size\":-1}", "{\"rate\":-1}", "{\"count\":-1}", "{\"size\":1e12}", "{\"count\":1e12}"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
    peer o;
    peer_open(&o, 4096, 4096);
    assert_int_equal(peer_start(&o, sw_handler_find("source"), bad[i]), SW_EOPEN);
    assert_non_null(strstr(o.log, "3:source: size is"));
    assert_null(o.worker);
    peer_close(&o);
  }
}

static void source_at_the_edge(void **state) {
  (void)state;
  peer o;
  /* one now, the next one never */
  peer_handler(&o, "source", "{\"size\":8,\"rate\":1e-300}", 4096, 4096);
  expect_from_source(&o, 8, 0);
  EVENTUALLY(sw_endpoint_is_armed(o.r.base, o.index + 1));
  peer_close(&o);
  peer_handler(&o, "source", "{\"size\":5000}", 4096, 4096); /* does not fit the ring */
  peer_expect_end(&o, SW_OK);
  assert_non_null(strstr(o.log, "larger than the ring"));
  peer_close(&o);
}

static void stop_while_parked(void **state) {
  (void)state;
  for (int i = 0; i < 20; i++) {
    peer o;
    peer_handler(&o, "echo", NULL, 4096, 4096);
    if (i % 2 == 0) EVENTUALLY(sw_endpoint_is_armed(o.r.base, o.index + 1));
    sw_worker_stop(o.worker);
    o.worker = NULL;
    assert_int_equal(o.exited, 0); /* it was asked */
    assert_int_equal(region_channel(&o.r)->rings[SW_NATIVE].producer, SW_ROLE_GONE);
    assert_int_equal(region_channel(&o.r)->rings[SW_RENDERER].consumer, SW_ROLE_GONE);
    assert_int_equal(region_channel(&o.r)->rings[SW_NATIVE].closed, 0);
    /* the side is free again */
    assert_int_equal(peer_start(&o, sw_handler_find("echo"), NULL), SW_OK);
    peer_send(&o, 100, 7);
    peer_expect(&o, 100, 7);
    peer_close(&o);
  }
}

static void stop_while_full(void **state) {
  (void)state;
  peer o;
  peer_handler(&o, "source", "{\"size\":100}", 4096, 4096);
  EVENTUALLY(sw_endpoint_is_armed(o.r.base, o.index + 1));
  sw_worker_stop(o.worker);
  o.worker = NULL;
  /* what was sent is kept */
  for (uint32_t n = 0; n < 4096 / 112; n++) expect_from_source(&o, 100, n);
  peer_close(&o);
}

static void close_ends_the_worker(void **state) {
  (void)state;
  peer o;
  peer_handler(&o, "echo", NULL, 65536, 65536);
  for (uint32_t i = 0; i < 300; i++) peer_send(&o, 100, i);
  sw_producer_close(&o.p);
  for (uint32_t i = 0; i < 300; i++) peer_expect(&o, 100, i);
  peer_expect_end(&o, SW_ECLOSED);
  assert_int_equal(region_channel(&o.r)->rings[SW_RENDERER].closed, SW_CLOSED_BY_PRODUCER | SW_CLOSED_BY_CONSUMER);
  peer_close(&o);
}

/* The consumer has closed: that is the end, not a failure of the plugin. */
static void consumer_close_ends_the_worker(void **state) {
  (void)state;
  const char *handlers[] = {"source", "echo"};
  for (int i = 0; i < 2; i++) {
    peer o;
    peer_handler(&o, handlers[i], "{\"size\":100}", 65536, 4096);
    for (uint32_t n = 0; n < 100; n++) peer_send(&o, 100, n);
    EVENTUALLY(sw_endpoint_is_armed(o.r.base, o.index + 1)); /* full */
    sw_consumer_close(&o.c);
    EVENTUALLY(sw_load_acquire(&o.exited));
    assert_int_equal(o.status, SW_ECLOSED);
    assert_int_equal(sw_producer_send(&o.p, "x", 1), SW_ECLOSED);
    peer_close(&o);
  }
}

static void corruption_ends_the_worker(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    peer o;
    peer_handler(&o, "echo", NULL, 4096, 4096);
    EVENTUALLY(sw_endpoint_is_armed(o.r.base, o.index + 1));
    uint32_t *word =
        i == 0 ? &region_channel(&o.r)->rings[SW_RENDERER].head : &region_channel(&o.r)->rings[SW_NATIVE].tail;
    sw_store_release(word, 12);
    if (i == 1) {
      for (uint32_t n = 0; n < 2; n++) peer_send(&o, 4000, n); /* makes it look at the tail */
    }
    sw_fence_handshake();
    sw_endpoint_ring(o.r.base, sw_endpoint_role(o.r.base, o.index + 1));
    EVENTUALLY(sw_load_acquire(&o.exited));
    assert_int_equal(o.status, SW_ECORRUPT);
    peer_close(&o);
  }
}

static void cannot_start(void **state) {
  (void)state;
  peer o;
  peer_handler(&o, "echo", NULL, 4096, 4096);
  sw_worker *first = o.worker;
  assert_int_equal(peer_start(&o, sw_handler_find("sink"), NULL), SW_ETAKEN);
  assert_ptr_equal(o.worker, first);
  uint32_t taken[SW_ENDPOINTS];
  uint32_t free = SW_ENDPOINTS - 2; /* a start that failed keeps no endpoint */
  for (uint32_t i = 0; i < free; i++) taken[i] = region_claim(&o.r);
  assert_int_equal(peer_start(&o, sw_handler_find("sink"), NULL), SW_ECROWDED);
  sw_endpoint_release(o.r.base, taken[0]);
  sw_worker_stop(first);
  o.worker = NULL;
  region_channel(&o.r)->magic = 0;
  assert_int_equal(peer_start(&o, sw_handler_find("sink"), NULL), SW_ENOTREGION);
  peer_close(&o);
}

TESTS(TEST(built_in_names), TEST(echo), TEST(echo_that_waits_for_room), TEST(full_is_no_busy_loop), TEST(sink),
      TEST(source), TEST(source_in_time), TEST(source_refuses), TEST(source_at_the_edge), TEST(stop_while_parked),
      TEST(stop_while_full), TEST(close_ends_the_worker), TEST(consumer_close_ends_the_worker),
      TEST(corruption_ends_the_worker), TEST(cannot_start));
