/* Channels: which participant may take which role, and which gets it next. */
#define _GNU_SOURCE
#include "../process/process.h"
#include "sabway/registry.h"

static int open_producer(sw_producer *p, const region *r, uint32_t side, uint32_t index) {
  return sw_channel_open_producer(p, r->base, r->size, SW_HEAP_AT, 0, side, index);
}

static int open_consumer(sw_consumer *c, const region *r, uint32_t side, uint32_t index) {
  return sw_channel_open_consumer(c, r->base, r->size, SW_HEAP_AT, 0, side, index);
}

static void bytes(void **state) {
  (void)state;
  assert_int_equal(sw_channel_bytes(0, 4096), 0);
  assert_int_equal(sw_channel_bytes(4096, UINT32_MAX), 0);
  assert_int_equal(sw_channel_bytes(4096, 4096) % SW_LINE, 0);
  region r = region_new(4096, 4096);
  assert_int_equal(sw_channel_format(r.base, SW_HEAP_AT, 0, 4096), SW_ERANGE);
  assert_int_equal(sw_channel_format(r.base, SW_HEAP_AT, 4096, 0), SW_ERANGE);
  region_free(&r);
}

static void both_ways(void **state) {
  (void)state;
  region r = region_new(8192, 4096);
  sw_producer p[2];
  sw_consumer c[2];
  for (uint32_t side = 0; side < 2; side++) {
    uint32_t index = region_claim(&r);
    assert_int_equal(open_producer(&p[side], &r, side, index), SW_OK);
    assert_int_equal(open_consumer(&c[side], &r, side, index), SW_OK);
  }
  assert_int_equal(p[SW_RENDERER].capacity, 8192);
  assert_int_equal(c[SW_NATIVE].capacity, 8192);
  assert_int_equal(p[SW_NATIVE].capacity, 4096);
  for (uint32_t side = 0; side < 2; side++) {
    assert_int_equal(sw_producer_send(&p[side], side == SW_RENDERER ? "to native" : "to script", 9), SW_OK);
    sw_slice slice;
    assert_int_equal(sw_consumer_peek(&c[side], &slice), 0);
    assert_int_equal(sw_consumer_peek(&c[sw_other_side(side)], &slice), 1);
    assert_memory_equal(r.base + slice.offset, side == SW_RENDERER ? "to native" : "to script", 9);
    sw_consumer_release(&c[sw_other_side(side)]);
  }
  assert_int_equal(sw_channel_check(r.base, r.size, SW_HEAP_AT), SW_OK);
  region_free(&r);
}

static void taken(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  sw_producer p, other;
  sw_consumer c, another;
  uint32_t first = region_claim(&r), second = region_claim(&r);
  assert_int_equal(open_producer(&p, &r, SW_RENDERER, first), SW_OK);
  assert_int_equal(open_consumer(&c, &r, SW_RENDERER, first), SW_OK);
  assert_int_equal(open_producer(&other, &r, SW_RENDERER, second), SW_ETAKEN);
  assert_int_equal(open_consumer(&another, &r, SW_RENDERER, second), SW_ETAKEN);
  /* not twice by the same one either */
  assert_int_equal(open_producer(&other, &r, SW_RENDERER, first), SW_ETAKEN);
  /* the other side is free */
  assert_int_equal(open_producer(&other, &r, SW_NATIVE, second), SW_OK);
  sw_producer_leave(&p);
  uint32_t left = region_channel(&r)->rings[SW_RENDERER].producer;
  /* in order: it names neither a holder nor one that was lost */
  assert_int_equal(left, SW_ROLE_GONE);
  assert_int_equal(sw_role_holder(left) | sw_role_lost(left), 0);
  assert_int_equal(sw_channel_check(r.base, r.size, SW_HEAP_AT), SW_OK);
  assert_int_equal(open_producer(&p, &r, SW_RENDERER, second), SW_OK);
  /* roles are given back one by one */
  assert_int_equal(open_consumer(&another, &r, SW_RENDERER, second), SW_ETAKEN);
  sw_consumer_leave(&c);
  assert_int_equal(open_consumer(&another, &r, SW_RENDERER, second), SW_OK);
  region_free(&r);
}

/* A side that has ended its stream stays ended; the other role of that side, and the other side, do
 * not. */
static void closed(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  sw_producer p;
  sw_consumer c;
  uint32_t first = region_claim(&r), second = region_claim(&r);
  assert_int_equal(open_producer(&p, &r, SW_RENDERER, first), SW_OK);
  sw_producer_close(&p);
  sw_producer_leave(&p);
  assert_int_equal(open_producer(&p, &r, SW_RENDERER, second), SW_ECLOSED);
  assert_int_equal(region_channel(&r)->rings[SW_RENDERER].producer, SW_ROLE_ENDED);
  assert_int_equal(open_consumer(&c, &r, SW_RENDERER, second), SW_OK);
  sw_consumer_close(&c);
  sw_consumer_leave(&c);
  assert_int_equal(open_consumer(&c, &r, SW_RENDERER, first), SW_ECLOSED);
  assert_int_equal(open_consumer(&c, &r, SW_NATIVE, first), SW_OK);
  assert_int_equal(open_producer(&p, &r, SW_NATIVE, first), SW_OK);
  region_free(&r);
}

/* A holder that was taken for dead and comes back late must not take the role from its successor.
 * */
static void late_leave(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  sw_producer late, next;
  uint32_t first = region_claim(&r), second = region_claim(&r);
  assert_int_equal(open_producer(&late, &r, SW_RENDERER, first), SW_OK);
  sw_endpoint_release(r.base, first);
  assert_int_equal(open_producer(&next, &r, SW_RENDERER, second), SW_OK);
  sw_producer_leave(&late);
  assert_int_equal(region_channel(&r)->rings[SW_RENDERER].producer, sw_endpoint_role(r.base, second));
  region_free(&r);
}

static void evicted(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  sw_producer p, other;
  sw_consumer c;
  uint32_t first = region_claim(&r), second = region_claim(&r);
  assert_int_equal(open_producer(&p, &r, SW_RENDERER, first), SW_OK);
  assert_int_equal(open_consumer(&c, &r, SW_RENDERER, first), SW_OK);
  assert_int_equal(open_producer(&other, &r, SW_NATIVE, second), SW_OK);
  sw_channel_evict(r.base, r.size, 0, first); /* no channel there: nothing happens */
  assert_int_not_equal(region_channel(&r)->rings[SW_RENDERER].producer, 0);
  sw_channel_evict(r.base, r.size, SW_HEAP_AT, first);
  uint32_t lost = sw_endpoint_role(r.base, first); /* the words still name it */
  assert_int_equal(region_channel(&r)->rings[SW_RENDERER].producer, lost | SW_ROLE_GONE);
  assert_int_equal(region_channel(&r)->rings[SW_NATIVE].consumer, lost | SW_ROLE_GONE);
  assert_int_equal(sw_role_lost(region_channel(&r)->rings[SW_RENDERER].producer), lost);
  assert_int_equal(sw_role_holder(region_channel(&r)->rings[SW_RENDERER].producer), 0);
  assert_int_equal(sw_endpoint_role_alive(r.base, lost | SW_ROLE_GONE), 0);
  assert_int_equal(sw_channel_check(r.base, r.size, SW_HEAP_AT), SW_OK);
  assert_int_equal(region_channel(&r)->rings[SW_NATIVE].producer, sw_endpoint_role(r.base, second));
  assert_int_equal(open_producer(&p, &r, SW_RENDERER, second), SW_OK);
  region_free(&r);
}

/* What a participant does for its own end wakes the others, and never itself: its thread may be
 * torn down at that moment. */
static void one_that_leaves_wakes_the_others(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  sw_producer p, other;
  uint32_t leaver = region_claim(&r), stays = region_claim(&r);
  assert_int_equal(open_producer(&p, &r, SW_RENDERER, leaver), SW_OK);
  assert_int_equal(open_producer(&other, &r, SW_NATIVE, stays), SW_OK);
  uint32_t own = *sw_endpoint_doorbell(r.base, leaver), theirs = *sw_endpoint_doorbell(r.base, stays);
  sw_region_evict(r.base, r.size, leaver);
  assert_false(sw_producer_holds(&p));
  assert_int_equal(*sw_endpoint_doorbell(r.base, leaver), own);
  assert_int_not_equal(*sw_endpoint_doorbell(r.base, stays), theirs);
  region_free(&r);
}

/* By its name, as those do that have seen a participant's end, or that replace one that lives: also
 * when the endpoint has its next owner, which must lose nothing. */
static void evicted_by_role(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  sw_producer p, next;
  sw_consumer c;
  uint32_t index = region_claim(&r), role = sw_endpoint_role(r.base, index);
  assert_int_equal(open_producer(&p, &r, SW_RENDERER, index), SW_OK);
  assert_int_equal(open_consumer(&c, &r, SW_RENDERER, index), SW_OK);
  assert_true(sw_producer_holds(&p) && sw_consumer_holds(&c));
  const uint32_t unowned[] = {0, SW_ENDPOINTS + 1, role | SW_ROLE_GONE};
  for (size_t i = 0; i < sizeof(unowned) / sizeof(*unowned); i++) {
    sw_channel_evict_role(r.base, r.size, SW_HEAP_AT, unowned[i]);
    assert_int_equal(sw_endpoint_release_role(r.base, unowned[i]), 0);
  }
  assert_true(sw_producer_holds(&p) && sw_consumer_holds(&c));
  sw_endpoint_arm(r.base, index, SW_SLEEP_FUTEX);
  uint32_t rings = *sw_endpoint_doorbell(r.base, index);
  sw_channel_evict_role(r.base, r.size, SW_HEAP_AT, role);
  assert_int_not_equal(*sw_endpoint_doorbell(r.base, index), rings); /* it may live, and sleep */
  assert_false(sw_producer_holds(&p) || sw_consumer_holds(&c));
  assert_int_equal(sw_role_lost(region_channel(&r)->rings[SW_RENDERER].producer), role);
  assert_int_equal(sw_endpoint_release_role(r.base, role), 1);
  assert_int_equal(sw_endpoint_release_role(r.base, role), 0);
  assert_int_equal(region_claim(&r), index);
  assert_int_equal(open_producer(&next, &r, SW_RENDERER, index), SW_OK);
  sw_channel_evict_role(r.base, r.size, SW_HEAP_AT, role);
  assert_int_equal(sw_endpoint_release_role(r.base, role), 0);
  assert_true(sw_producer_holds(&next));
  sw_producer_close(&p); /* one that comes late ends nothing of its successor's */
  sw_consumer_close(&c);
  sw_producer_leave(&p);
  assert_true(sw_producer_holds(&next));
  assert_int_equal(region_channel(&r)->rings[SW_RENDERER].closed | region_channel(&r)->rings[SW_NATIVE].closed, 0);
  region_free(&r);
}

static void sends_and_dies(const region *r) {
  sw_producer p;
  if (open_producer(&p, r, SW_RENDERER, region_claim(r)) != SW_OK) _exit(1);
  for (uint32_t i = 0; i < 3; i++) {
    if (sw_producer_send(&p, &i, 4) != SW_OK) _exit(1);
  }
  if (sw_producer_reserve(&p, 100, 0) == NULL) _exit(1); /* in the middle of a message */
}

static void a_dead_holder(void **state) {
  (void)state;
  region r = region_new_shared(4096, 4096);
  pid_t child = run_child(sends_and_dies, &r);
  sw_producer p;
  sw_consumer c;
  uint32_t index = region_claim(&r);
  assert_int_equal(open_producer(&p, &r, SW_RENDERER, index), SW_OK);
  assert_int_equal(open_consumer(&c, &r, SW_NATIVE, index), SW_OK);
  uint32_t fourth = 3;
  assert_int_equal(sw_producer_send(&p, &fourth, 4), SW_OK);
  for (uint32_t i = 0; i < 4; i++) {
    sw_slice slice;
    assert_int_equal(sw_consumer_peek(&c, &slice), 1);
    assert_memory_equal(r.base + slice.offset, &i, 4);
  }
  reap(child);
  region_free_shared(&r);
}

static void not_a_channel(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  uint32_t index = region_claim(&r);
  sw_producer p;
  sw_consumer c;
  const uint32_t bad[] = {
      0, SW_HEAP_AT - SW_LINE, SW_HEAP_AT + 8, (uint32_t)r.size, (uint32_t)r.size - SW_LINE, 0u - SW_LINE};
  for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
    assert_int_equal(sw_channel_open_producer(&p, r.base, r.size, bad[i], 0, SW_RENDERER, index), SW_ERANGE);
    assert_int_equal(sw_channel_open_consumer(&c, r.base, r.size, bad[i], 0, SW_RENDERER, index), SW_ERANGE);
    assert_int_equal(sw_channel_check(r.base, r.size, bad[i]), SW_ECORRUPT);
  }
  assert_int_equal(open_producer(&p, &r, 2, index), SW_ERANGE);
  assert_int_equal(open_consumer(&c, &r, UINT32_MAX, index), SW_ERANGE);
  assert_int_equal(sw_channel_open_producer(&p, r.base, r.size, SW_HEAP_AT + SW_LINE, 0, SW_RENDERER, index),
                   SW_ENOTREGION);
  region_channel(&r)->magic++;
  assert_int_equal(open_producer(&p, &r, SW_RENDERER, index), SW_ENOTREGION);
  assert_int_equal(open_consumer(&c, &r, SW_RENDERER, index), SW_ENOTREGION);
  region_free(&r);
}

/* A corrupt ring is refused, and the role stays free. */
static void corrupt(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  uint32_t index = region_claim(&r);
  sw_ring *rings = region_channel(&r)->rings;
  sw_producer p;
  sw_consumer c;
  rings[SW_RENDERER].capacity++;
  rings[SW_NATIVE].head = 4;
  assert_int_equal(open_producer(&p, &r, SW_RENDERER, index), SW_ECORRUPT);
  assert_int_equal(open_consumer(&c, &r, SW_RENDERER, index), SW_ECORRUPT);
  assert_int_equal(rings[SW_RENDERER].producer, SW_ROLE_GONE);
  assert_int_equal(rings[SW_NATIVE].consumer, SW_ROLE_GONE);
  rings[SW_RENDERER].capacity--;
  rings[SW_NATIVE].head = 0;
  rings[SW_NATIVE].consumer = 0xff; /* an endpoint that there is not */
  assert_int_equal(sw_channel_check(r.base, r.size, SW_HEAP_AT), SW_ECORRUPT);
  assert_int_equal(open_consumer(&c, &r, SW_RENDERER, index), SW_OK);
  region_free(&r);
}

TESTS(TEST(bytes), TEST(both_ways), TEST(taken), TEST(closed), TEST(late_leave), TEST(evicted), TEST(evicted_by_role),
      TEST(one_that_leaves_wakes_the_others), TEST(a_dead_holder), TEST(not_a_channel), TEST(corrupt));
