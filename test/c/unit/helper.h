/* What the tests share: a region of exactly the right size, both ends of a ring, threads and time.
 *
 * cmocka's asserts jump out of the test, so they work on the main thread only: other threads leave
 * their findings in variables. */
#ifndef SABWAY_TEST_HELPER_H
#define SABWAY_TEST_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/atomics.h"
#include "prim/prim.h"
#include "sabway/channel.h"
#include "sabway/endpoint.h"
#include "sabway/region.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define TEST_ASAN 1
#endif
#ifdef TEST_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define TESTS(...)                                    \
  int main(void) {                                    \
    const struct CMUnitTest tests[] = {__VA_ARGS__};  \
    return cmocka_run_group_tests(tests, NULL, NULL); \
  }                                                   \
  _Static_assert(1, "so that TESTS(...); may have its ;")
#define TEST(name) cmocka_unit_test(name)

/* The analyser of some compilers warns of helpers that one test does not use. */
#define HELPER __attribute__((unused)) static

typedef struct region {
  uint8_t *base;
  uint64_t size;
  uint32_t pages;
} region;

/* What lies behind the channel in its last page belongs to no object. */
HELPER void region_guard(const region *r, uint64_t used) {
  (void)r, (void)used;
#ifdef TEST_ASAN
  ASAN_POISON_MEMORY_REGION(r->base + used, r->size - used);
#endif
}

HELPER region region_new(uint32_t renderer_to_native, uint32_t native_to_renderer) {
  region r = {.size = sw_region_bytes(renderer_to_native, native_to_renderer)};
  assert_true(r.size != 0 && r.size % SW_PAGE == 0);
  r.pages = (uint32_t)(r.size / SW_PAGE);
  r.base = aligned_alloc(SW_PAGE, (size_t)r.size);
  assert_non_null(r.base);
  memset(r.base, 0, (size_t)r.size);
  assert_int_equal(sw_region_format(r.base, r.pages, renderer_to_native, native_to_renderer), SW_OK);
  region_guard(&r, SW_HEAP_AT + sw_channel_bytes(renderer_to_native, native_to_renderer));
  return r;
}

HELPER void region_free(region *r) {
#ifdef TEST_ASAN
  ASAN_UNPOISON_MEMORY_REGION(r->base, r->size);
#endif
  free(r->base);
  r->base = NULL;
}

HELPER sw_channel *region_channel(const region *r) { return (sw_channel *)(void *)(r->base + SW_HEAP_AT); }

/* An endpoint for this process. */
HELPER uint32_t region_claim(const region *r) {
  uint32_t pid = sw_prim_pid();
  uint64_t start = sw_prim_process_start(pid);
  int index = sw_endpoint_claim(r->base, pid, (uint32_t)start, (uint32_t)(start >> 32));
  assert_in_range(index, 0, SW_ENDPOINTS - 1);
  return (uint32_t)index;
}

/* Both ends of the ring from renderer to native. */
typedef struct pair {
  region r;
  sw_ring *ring;
  uint32_t writer, reader; /* endpoints */
  sw_producer p;
  sw_consumer c;
} pair;

HELPER void pair_attach(pair *t) {
  assert_int_equal(sw_channel_open_producer(&t->p, t->r.base, t->r.size, SW_HEAP_AT, 0, SW_RENDERER, t->writer), SW_OK);
  assert_int_equal(sw_channel_open_consumer(&t->c, t->r.base, t->r.size, SW_HEAP_AT, 0, SW_NATIVE, t->reader), SW_OK);
}

/* The counters of the ring start at `position`. */
HELPER void pair_open_at(pair *t, uint32_t capacity, uint32_t position) {
  t->r = region_new(capacity, SW_RING_MIN);
  t->ring = &region_channel(&t->r)->rings[SW_RENDERER];
  t->ring->head = t->ring->tail = position;
  t->writer = region_claim(&t->r);
  t->reader = region_claim(&t->r);
  pair_attach(t);
}

HELPER void pair_open(pair *t, uint32_t capacity) { pair_open_at(t, capacity, 0); }

HELPER void pair_close(pair *t) { region_free(&t->r); }

/* Payloads that tell which message, which length and which byte. */
HELPER uint8_t pattern_byte(uint32_t seed, uint32_t i) { return (uint8_t)(seed * 31u + i * 7u + (i >> 8)); }

HELPER void pattern_fill(void *to, uint32_t length, uint32_t seed) {
  for (uint32_t i = 0; i < length; i++) ((uint8_t *)to)[i] = pattern_byte(seed, i);
}

/* Payloads where sw_producer_append_batch takes them to be, as far as p->room goes. Returns how
 * many. */
HELPER uint32_t pattern_fill_batch(const sw_producer *p, const sw_slice *slices, uint32_t count, uint32_t seed) {
  uint32_t at = p->next, done = 0;
  int64_t room = p->room == 0 ? -1 : (int64_t)p->room;
  for (; done < count && (int64_t)slices[done].offset + slices[done].length <= room; done++) {
    uint32_t end = SW_FRAME_HEADER + slices[done].offset + slices[done].length;
    pattern_fill(p->base + at + slices[done].offset, slices[done].length, seed + done);
    at += (end + SW_ALIGN - 1) / SW_ALIGN * SW_ALIGN;
    room -= (end + SW_ALIGN - 1) / SW_ALIGN * SW_ALIGN;
  }
  return done;
}

HELPER int pattern_holds(const void *from, uint32_t length, uint32_t seed) {
  for (uint32_t i = 0; i < length; i++) {
    if (((const uint8_t *)from)[i] != pattern_byte(seed, i)) return 0;
  }
  return 1;
}

/* Send one patterned message, or say why not. */
HELPER int pair_send(pair *t, uint32_t length, uint32_t seed) {
  void *room = sw_producer_reserve(&t->p, length, 0);
  if (room == NULL) return t->p.status;
  pattern_fill(room, length, seed);
  return sw_producer_push(&t->p, length);
}

/* Expect one patterned message, and leave it unreleased. */
HELPER void pair_expect(pair *t, uint32_t length, uint32_t seed) {
  sw_slice slice;
  assert_int_equal(sw_consumer_peek(&t->c, &slice), 1);
  assert_int_equal(slice.length, length);
  assert_true(pattern_holds(t->r.base + slice.offset, length, seed));
}

HELPER void pair_expect_none(pair *t) {
  sw_slice slice;
  assert_int_equal(sw_consumer_peek(&t->c, &slice), 0);
}

/* Move both counters on by `bytes` (a multiple of 8, at most the capacity). */
HELPER void pair_advance(pair *t, uint32_t bytes) {
  assert_int_equal(pair_send(t, bytes - SW_FRAME_HEADER, 0), SW_OK);
  pair_expect(t, bytes - SW_FRAME_HEADER, 0);
  sw_consumer_release(&t->c);
}

/* Small numbers out of a fixed seed. */
HELPER uint32_t random_next(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return (uint32_t)(*state >> 16);
}

HELPER void sleep_ms(uint32_t ms) {
  uint32_t unrung = 0;
  uint64_t until = sw_prim_now() + ms * 1000000ull;
  for (uint64_t now; (now = sw_prim_now()) < until;) sw_prim_futex_wait(&unrung, 0, (int64_t)(until - now));
}

/* Wait for a condition, ten seconds at most. */
#define EVENTUALLY(condition)                                       \
  do {                                                              \
    for (int i_ = 0; i_ < 10000 && !(condition); i_++) sleep_ms(1); \
    assert_true(condition);                                         \
  } while (0)

#endif
