/* The native worker as the survivor: it sleeps without an end of its own, so a wake that died with
 * its waker would be the end of it. Within its patrol (half a second) it finds by itself what it
 * was not told, and its stop never hangs. */
#include "crash.h"
#include "sabway/worker.h"

static sw_worker *start(const region *r, const char *handler, const char *json) {
  sw_worker *worker = NULL;
  const sw_worker_options options = {.base = r->base,
                                     .size = r->size,
                                     .channel = SW_HEAP_AT,
                                     .side = SW_NATIVE,
                                     .plugin = sw_handler_find(handler),
                                     .json = json};
  assert_int_equal(sw_worker_start(&worker, &options), SW_OK);
  EVENTUALLY(sw_endpoint_is_armed(r->base, 0));
  sleep_ms(2); /* and now it is in the kernel */
  return worker;
}

static void stop(sw_worker *worker) {
  uint64_t before = sw_prim_now();
  sw_worker_stop(worker);
  assert_true(sw_prim_now() - before < TOO_LATE_NS);
}

static void open_both(scene *s, uint32_t index) {
  MUST(sw_channel_open_producer(&s->p, s->r.base, s->r.size, SW_HEAP_AT, 0, SW_RENDERER, index) == SW_OK);
  MUST(sw_channel_open_consumer(&s->c, s->r.base, s->r.size, SW_HEAP_AT, 0, SW_RENDERER, index) == SW_OK);
}

/* The child's part, which dies at the k-th access: 1 when it did. */
static int die(scene *s, uint32_t k, void (*act)(scene *s)) {
  s->child = fork();
  assert_true(s->child >= 0);
  if (s->child == 0) {
    child_claims(s);
    open_both(s, s->notes->index);
    crash_arm(s->notes, k);
    act(s);
    _exit(0);
  }
  return crash_reap(s->child);
}

/* The next message from the worker: 1, or 0 when it takes too long. This end looks without
 * sleeping, so that it can be only the worker that sleeps too long. */
static uint64_t longest_wait;

static int next_message(scene *s, sw_slice *slice) {
  uint64_t begin = sw_prim_now(), took = 0;
  int got;
  while ((got = sw_consumer_peek(&s->c, slice)) == 0 && took < TOO_LATE_NS) {
    sleep_ms(1);
    took = sw_prim_now() - begin;
  }
  if (took > longest_wait) longest_wait = took;
  return got;
}

static void sends_one(scene *s) {
  MUST(put(&s->p, 0) == SW_OK);
  sw_producer_publish(&s->p);
}

static void echoes_go_on(scene *s) {
  sw_slice slice;
  uint32_t sent = s->ring->head / FRAME;
  for (uint32_t n = 0; n < 20; n++) {
    if (n >= sent) {
      assert_int_equal(put(&s->p, n), SW_OK);
      sw_producer_publish(&s->p);
    }
    assert_int_equal(next_message(s, &slice), 1);
    assert_true(is_message(s, &slice, n));
    sw_consumer_release(&s->c);
  }
}

/* More than the quarter of the ring that a worker waits for. */
static void releases_some(scene *s) {
  sw_slice slices[FRAMES / 4 + 2];
  MUST(sw_consumer_peek_batch(&s->c, slices, FRAMES / 4 + 2) == FRAMES / 4 + 2);
  sw_consumer_release(&s->c);
}

static void source_goes_on(scene *s) {
  sw_slice slice;
  uint32_t first = region_channel(&s->r)->rings[SW_NATIVE].tail / FRAME;
  for (uint32_t n = first; n < first + 5 * FRAMES; n++) {
    assert_int_equal(next_message(s, &slice), 1);
    assert_memory_equal(s->r.base + slice.offset, &n, 4);
    sw_consumer_release(&s->c);
  }
}

/* `evict`: the participant that notices the death takes the dead one's roles away, which wakes the
 * others at once. */
static void sweep(const char *name, const char *handler, const char *json, void (*act)(scene *s),
                  void (*goes_on)(scene *s), int evict) {
  scene s = {.notes = crash_shared(sizeof(notes))};
  uint32_t k = 1;
  longest_wait = 0;
  for (int died = 1; died; k++) {
    s.r = region_new_shared(CAPACITY, CAPACITY);
    s.ring = &region_channel(&s.r)->rings[SW_RENDERER];
    sw_worker *worker = start(&s.r, handler, json);
    died = die(&s, k, act);
    if (evict) sw_channel_evict(s.r.base, s.r.size, SW_HEAP_AT, s.notes->index);
    open_both(&s, reclaim(&s));
    goes_on(&s);
    stop(worker);
    assert_int_equal(sw_channel_check(s.r.base, s.r.size, SW_HEAP_AT), SW_OK);
    region_free_shared(&s.r);
  }
  if (evict) assert_true(longest_wait < 400000000);
  printf("%-40s points %u, all survived; the worker kept its peer waiting for %.1f ms at most\n", name, k - 2,
         (double)longest_wait / 1e6);
  munmap(s.notes, sizeof(notes));
}

static void its_producer_dies(void **state) {
  (void)state;
  sweep("producer towards a parked worker", "echo", NULL, sends_one, echoes_go_on, 0);
  sweep("the same, and its roles are evicted", "echo", NULL, sends_one, echoes_go_on, 1);
}

static void its_consumer_dies(void **state) {
  (void)state;
  sweep("consumer of a worker that waits for room", "source", "{\"size\":56}", releases_some, source_goes_on, 0);
  sweep("the same, and its roles are evicted", "source", "{\"size\":56}", releases_some, source_goes_on, 1);
}

static void rings(scene *s) { sw_endpoint_ring(s->r.base, sw_endpoint_role(s->r.base, 0)); }

static void no_more(scene *s) { (void)s; }

/* Only stopped, by a thread that finds no sleeper. */
static void its_waker_dies(void **state) {
  (void)state;
  sweep("waker of a worker that is then stopped", "echo", NULL, rings, no_more, 0);
}

TESTS(TEST(its_producer_dies), TEST(its_consumer_dies), TEST(its_waker_dies));
