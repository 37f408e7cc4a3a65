/* The worker thread with plugins from files. */
#include "../worker_helper.h"

static void copies_and_answers(void **state) {
  (void)state;
  peer o;
  assert_int_equal(peer_plugin(&o, "reverse", NULL, 65536, 4096), SW_OK);
  for (uint32_t round = 0; round < 30; round++) {
    /* more than the ring back holds: asked again */
    for (uint32_t i = 0; i < 40; i++) peer_send(&o, i * 31, i);
    for (uint32_t i = 0; i < 40; i++) {
      sw_slice slice;
      assert_int_equal(peer_next(&o, &slice), 1);
      assert_int_equal(slice.length, i * 31);
      for (uint32_t at = 0; at < slice.length; at++) {
        assert_int_equal(o.r.base[slice.offset + at], pattern_byte(i, slice.length - 1 - at));
      }
      sw_consumer_release(&o.c);
    }
  }
  peer_close(&o);
}

static void delivered_again(void **state) {
  (void)state;
  peer o;
  assert_int_equal(peer_plugin(&o, "again", NULL, 65536, 4096), SW_OK);
  for (uint32_t from = 0; from < 500; from += 100) {
    for (uint32_t i = from; i < from + 100; i++) peer_send(&o, i, i);
    for (uint32_t i = from; i < from + 100; i++) peer_expect(&o, i, i);
  }
  EVENTUALLY(peer_stats(&o).received == 500); /* each counts once */
  peer_close(&o);
}

static void in_place_or_copied(void **state) {
  (void)state;
  for (int in_place = 0; in_place < 2; in_place++) {
    peer o;
    assert_int_equal(peer_plugin(&o, in_place ? "where-in-place" : "where", NULL, 65536, 4096), SW_OK);
    for (uint32_t i = 0; i < 20; i++) {
      peer_send(&o, i * 2000, i);
      sw_slice slice;
      assert_int_equal(peer_next(&o, &slice), 1);
      uint64_t address;
      assert_int_equal(slice.length, sizeof(address));
      memcpy(&address, o.r.base + slice.offset, sizeof(address));
      uint64_t base = (uintptr_t)o.r.base;
      assert_int_equal(address >= base && address < base + o.r.size, in_place);
      sw_consumer_release(&o.c);
    }
    peer_close(&o);
  }
}

static void logs(void **state) {
  (void)state;
  peer o;
  assert_int_equal(peer_plugin(&o, "logger", "{\"a\":1}", 4096, 4096), SW_OK);
  assert_int_equal(sw_producer_send(&o.p, "hello", 5), SW_OK);
  assert_int_equal(sw_producer_send(&o.p, NULL, 0), SW_OK);
  peer_expect_log(&o, "0:{\"a\":1}\n1:5 bytes: hello\n1:0 bytes: \n2:empty\n");
  sw_worker_stop(o.worker);
  o.worker = NULL;
  peer_expect_log(&o, "0:{\"a\":1}\n1:5 bytes: hello\n1:0 bytes: \n2:empty\n3:closed\n");
  peer_close(&o);
}

static void no_options_are_an_empty_object(void **state) {
  (void)state;
  peer o;
  assert_int_equal(peer_plugin(&o, "logger", NULL, 4096, 4096), SW_OK);
  peer_expect_log(&o, "0:{}\n");
  peer_close(&o);
}

static void no_hooks(void **state) {
  (void)state;
  peer o;
  peer_open(&o, 4096, 4096);
  const sabway_plugin_v1 *plugin;
  char why[256];
  assert_int_equal(plugin_load("logger", &o.library, &plugin, why, sizeof(why)), SW_OK);
  sw_worker_options options = {
      .base = o.r.base, .size = o.r.size, .channel = SW_HEAP_AT, .side = SW_NATIVE, .plugin = plugin};
  assert_int_equal(sw_worker_start(&o.worker, &options), SW_OK);
  sw_producer_close(&o.p);
  sw_slice slice;
  assert_int_equal(peer_next(&o, &slice), SW_ECLOSED);
  peer_close(&o);
}

static void fails_to_open(void **state) {
  (void)state;
  peer o;
  assert_int_equal(peer_plugin(&o, "open-fails", NULL, 4096, 4096), SW_EOPEN);
  assert_string_equal(o.log, "3:no camera on port 7\n");
  assert_int_equal(o.exited, 0);
  assert_int_equal(region_channel(&o.r)->rings[SW_NATIVE].producer, SW_ROLE_GONE);
  /* nothing is left of the first try */
  assert_int_equal(peer_start(&o, sw_handler_find("echo"), NULL), SW_OK);
  peer_send(&o, 10, 1);
  peer_expect(&o, 10, 1);
  peer_close(&o);
}

static void fails_while_it_runs(void **state) {
  (void)state;
  peer o;
  assert_int_equal(peer_plugin(&o, "on-fails", NULL, 4096, 4096), SW_OK);
  peer_send(&o, 10, 1);
  peer_expect_end(&o, SW_EPLUGIN);
  peer_close(&o);
}

static void stops_itself(void **state) {
  (void)state;
  peer o;
  assert_int_equal(peer_plugin(&o, "stopper", NULL, 4096, 4096), SW_OK);
  const char *words[] = {"go", "on", "stop", "too late"};
  for (int i = 0; i < 4; i++) sw_producer_send(&o.p, words[i], (uint32_t)strlen(words[i]));
  for (int i = 0; i < 3; i++) {
    sw_slice slice;
    assert_int_equal(peer_next(&o, &slice), 1);
    assert_memory_equal(o.r.base + slice.offset, words[i], slice.length);
    sw_consumer_release(&o.c);
  }
  peer_expect_end(&o, SW_OK);
  peer_close(&o);
}

/* It waits for room towards us, but must still hear what we say. */
static void hears_while_it_waits_for_room(void **state) {
  (void)state;
  for (int i = 0; i < 100; i++) {
    peer o;
    assert_int_equal(peer_plugin(&o, "firehose", NULL, 4096, 4096), SW_OK);
    if (i % 2 == 0) EVENTUALLY(sw_endpoint_is_armed(o.r.base, o.index + 1));
    else EVENTUALLY(peer_stats(&o).sent == 4); /* full, and not asleep yet */
    peer_send(&o, 1, 0);
    EVENTUALLY(sw_load_acquire(&o.exited));
    assert_int_equal(o.status, SW_OK);
    peer_close(&o);
  }
}

static void called_in_time(void **state) {
  (void)state;
  peer o;
  assert_int_equal(peer_plugin(&o, "ticker", "{\"interval\":4}", 4096, 4096), SW_OK);
  uint64_t last = 0;
  for (int i = 0; i < 10; i++) {
    sw_slice slice;
    assert_int_equal(peer_next(&o, &slice), 1);
    uint64_t at;
    memcpy(&at, o.r.base + slice.offset, sizeof(at));
    assert_true(at > last && at <= sw_prim_now());
    last = at;
    sw_consumer_release(&o.c);
  }
  assert_true(peer_stats(&o).parks > 0);
  peer_close(&o);
}

TESTS(TEST(copies_and_answers), TEST(delivered_again), TEST(in_place_or_copied), TEST(logs),
      TEST(no_options_are_an_empty_object), TEST(no_hooks), TEST(fails_to_open), TEST(fails_while_it_runs),
      TEST(stops_itself), TEST(hears_while_it_waits_for_room), TEST(called_in_time));
