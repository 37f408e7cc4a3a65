/* Event loops: which one is called when a doorbell rings. */
#include "sabway/loop.h"

#include "../helper.h"

static void counts(void *context) {
  uint32_t *count = context;
  sw_fetch_add_acq_rel(count, 1);
}

static void rung_once_for_each_sleep(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  uint32_t index = region_claim(&r);
  uint32_t role = sw_endpoint_role(r.base, index), count = 0;
  uint32_t *doorbell = sw_endpoint_doorbell(r.base, index);
  assert_int_equal(sw_loop_register(doorbell, counts, &count), SW_OK);
  sw_endpoint_ring(r.base, role);
  assert_int_equal(count, 0);
  for (uint32_t i = 1; i <= 3; i++) {
    sw_endpoint_arm(r.base, index, SW_SLEEP_LOOP);
    sw_endpoint_ring(r.base, role);
    sw_endpoint_ring(r.base, role);
    assert_int_equal(count, i);
  }
  /* asleep in another way: not the loop's business */
  sw_endpoint_arm(r.base, index, SW_SLEEP_FUTEX);
  sw_endpoint_ring(r.base, role);
  assert_int_equal(count, 3);
  sw_loop_unregister(doorbell);
  sw_endpoint_arm(r.base, index, SW_SLEEP_LOOP);
  sw_endpoint_ring(r.base, role);
  assert_int_equal(count, 3);
  sw_loop_unregister(doorbell); /* nothing there: nothing happens */
  region_free(&r);
}

/* Many regions, many endpoints: each rings its own. */
static void many_doorbells(void **state) {
  (void)state;
  enum { REGIONS = 12, EACH = 40 };
  region r[REGIONS];
  static uint32_t counted[REGIONS][EACH];
  for (int i = 0; i < REGIONS; i++) {
    r[i] = region_new(4096, 4096);
    for (uint32_t e = 0; e < EACH; e++) {
      assert_int_equal(region_claim(&r[i]), e);
      assert_int_equal(sw_loop_register(sw_endpoint_doorbell(r[i].base, e), counts, &counted[i][e]), SW_OK);
    }
  }
  for (int i = 0; i < REGIONS; i++) {
    for (uint32_t e = 0; e < EACH; e++) {
      sw_endpoint_arm(r[i].base, e, SW_SLEEP_LOOP);
      if (e % 3 == 0) sw_loop_unregister(sw_endpoint_doorbell(r[i].base, e));
      sw_endpoint_ring(r[i].base, sw_endpoint_role(r[i].base, e));
    }
  }
  for (int i = 0; i < REGIONS; i++) {
    for (uint32_t e = 0; e < EACH; e++) {
      assert_int_equal(counted[i][e], e % 3 != 0);
      sw_loop_unregister(sw_endpoint_doorbell(r[i].base, e));
    }
    region_free(&r[i]);
  }
}

/* ---- a message from another thread wakes the loop, and never after it was unregistered ---- */

typedef struct life {
  pair t;
  uint32_t called;
  uint32_t over;
  uint32_t late;
  uint32_t stop;
} life;

static void notes(void *context) {
  life *l = context;
  sw_fetch_add_acq_rel(&l->called, 1);
  if (sw_load_acquire(&l->over)) sw_fetch_add_acq_rel(&l->late, 1);
}

static void keeps_sending(void *argument) {
  life *l = argument;
  while (!sw_load_acquire(&l->stop)) sw_producer_send(&l->t.p, "x", 1);
}

static void from_another_thread(void **state) {
  (void)state;
  life l = {0};
  pair_open(&l.t, 4096);
  uint32_t *doorbell = sw_endpoint_doorbell(l.t.r.base, l.t.reader);
  sw_prim_thread thread;
  assert_int_equal(sw_prim_thread_start(&thread, "sends", keeps_sending, &l), SW_OK);
  for (uint32_t i = 0; i < 300; i++) {
    sw_store_release(&l.over, 0);
    uint32_t before = sw_load_acquire(&l.called);
    assert_int_equal(sw_loop_register(doorbell, notes, &l), SW_OK);
    sw_slice slice;
    while (sw_consumer_peek(&l.t.c, &slice) == 1) {
    }
    sw_consumer_release(&l.t.c);
    sw_endpoint_arm(l.t.r.base, l.t.reader, SW_SLEEP_LOOP);
    if (!sw_consumer_ready(&l.t.c)) EVENTUALLY(sw_load_acquire(&l.called) != before);
    sw_loop_unregister(doorbell);
    sw_store_release(&l.over, 1);
  }
  sw_store_release(&l.stop, 1);
  assert_int_equal(sw_prim_thread_join(&thread), SW_OK);
  assert_int_equal(l.late, 0);
  pair_close(&l.t);
}

TESTS(TEST(rung_once_for_each_sleep), TEST(many_doorbells), TEST(from_another_thread));
