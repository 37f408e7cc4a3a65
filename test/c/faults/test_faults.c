/* What the library asks of the system fails, at the first call, at the second, and so on until a
 * run needs no more calls than that: every run ends with success or the error that tells what was
 * missing, holds nothing afterwards, and leaves the channel to the next one. */
#include "sabway/loop.h"
#include "unit/worker_helper.h"

#include <time.h>

#include "faults.h"

enum { ROOM = 16384, MESSAGES = 2, RUNS_AT_MOST = 200 };

typedef int (*scenario)(peer *o);

/* ---- scenarios: a status, and everything given back ---- */

static void nap(void) { nanosleep(&(struct timespec){0, 200000}, NULL); }

/* Without sleeping on a doorbell, whose wake may be the one that fails. */
static int next_message(peer *o, sw_slice *slice) {
  for (int i = 0; i < 50000; i++) {
    int status = sw_consumer_peek(&o->c, slice);
    if (status != 0) return status;
    nap();
  }
  fail_msg("no message came");
  return 0;
}

/* The worker has closed the channel: why? */
static int why_closed(peer *o) {
  for (int i = 0; i < 50000 && !sw_load_acquire(&o->exited); i++) nap();
  assert_true(sw_load_acquire(&o->exited));
  return o->status;
}

static int talk(peer *o, int sends) {
  for (uint32_t i = 0; i < MESSAGES; i++) {
    uint32_t length = 100 + i * 5000;
    if (sends) {
      void *room = sw_producer_reserve(&o->p, length, 0);
      if (room == NULL) return o->p.status == SW_ECLOSED ? why_closed(o) : o->p.status;
      memset(room, (int)i + 1, length);
      sw_producer_push(&o->p, length);
    }
    sw_slice slice;
    int status = next_message(o, &slice);
    if (status == SW_ECLOSED) return why_closed(o);
    if (status < 0) return status;
    if (sends) {
      assert_int_equal(slice.length, length);
      assert_int_equal(o->r.base[slice.offset], i + 1);
      assert_int_equal(o->r.base[slice.offset + length - 1], i + 1);
    }
    sw_consumer_release(&o->c);
  }
  return SW_OK;
}

static int serve(peer *o, const sabway_plugin_v1 *plugin, const char *json, int sends) {
  sw_store_relaxed(&o->exited, 0);
  int status = peer_start(o, plugin, json);
  if (status != SW_OK) return status;
  status = talk(o, sends);
  sw_worker_stop(o->worker);
  o->worker = NULL;
  return status;
}

static int echo(peer *o) { return serve(o, sw_handler_find("echo"), "{}", 1); }

static int source(peer *o) { return serve(o, sw_handler_find("source"), "{\"size\":1000,\"count\":2}", 0); }

/* reverse gets its messages as private copies. */
static int plugin(peer *o) {
  void *library;
  const sabway_plugin_v1 *loaded;
  char why[256] = "";
  int status = plugin_load("reverse", &library, &loaded, why, sizeof(why));
  if (status != SW_OK) {
    assert_true(strlen(why) > 10);
    return status;
  }
  status = serve(o, loaded, "{}", 1);
  sw_plugin_unload(library);
  return status;
}

static void count_ring(void *context) { ++*(int *)context; }

/* An event loop that sleeps and is rung. */
static int loop(peer *o) {
  int rung = 0;
  int status = sw_loop_register(sw_endpoint_doorbell(o->r.base, o->index), count_ring, &rung);
  if (status != SW_OK) return status;
  sw_endpoint_arm(o->r.base, o->index, SW_SLEEP_LOOP);
  sw_endpoint_ring(o->r.base, sw_endpoint_role(o->r.base, o->index));
  assert_int_equal(rung, 1);
  sw_loop_unregister(sw_endpoint_doorbell(o->r.base, o->index));
  return SW_OK;
}

/* No process is taken for dead because the system would not tell. */
static int identity(peer *o) {
  uint32_t pid = sw_prim_pid();
  uint64_t start = sw_prim_process_start(pid);
  assert_true(sw_prim_process_alive(pid, (uint32_t)start, (uint32_t)(start >> 32)));
  int index = sw_endpoint_claim(o->r.base, pid, (uint32_t)start, (uint32_t)(start >> 32));
  if (index < 0) return index;
  assert_int_not_equal(index, o->index);
  assert_true(sw_endpoint_role_alive(o->r.base, sw_endpoint_role(o->r.base, (uint32_t)index)));
  assert_true(sw_endpoint_role_alive(o->r.base, sw_endpoint_role(o->r.base, o->index)));
  sw_endpoint_release(o->r.base, (uint32_t)index);
  return SW_OK;
}

/* ---- every n ---- */

static const struct {
  const char *name;
  int errors[2]; /* what a fault of this kind may become, beside success */
} KINDS[FAULT_KINDS] = {
    [FAULT_MEMORY] = {"memory", {SW_ENOMEM, SW_EOPEN}},
    [FAULT_THREAD] = {"thread", {SW_ESYSTEM}},
    [FAULT_WAIT] = {"futex wait", {0}},
    [FAULT_WAKE] = {"futex wake", {0}},
    [FAULT_LOAD] = {"dlopen", {SW_ENOPLUGIN}},
    [FAULT_SYMBOL] = {"dlsym", {SW_ESYMBOL}},
    [FAULT_OPEN] = {"fopen", {0}},
    [FAULT_READ] = {"fread", {0}},
};

static void assert_held(holdings before) {
  /* joined, and gone soon */
  for (int i = 0; i < 5000 && faults_holdings().threads != before.threads; i++) nap();
  holdings after = faults_holdings();
  assert_int_equal(after.blocks, before.blocks);
  assert_int_equal(after.libraries, before.libraries);
  assert_int_equal(after.threads, before.threads);
  assert_int_equal(after.files, before.files);
}

/* One run with one fault. Returns whether anything failed. */
static uint32_t run_with(scenario run, fault_kind kind, uint32_t n, fault_mode mode) {
  peer o;
  peer_open(&o, ROOM, ROOM);
  holdings before = faults_holdings();
  faults_arm(kind, n, mode);
  int status = run(&o);
  uint32_t fired = faults_disarm();
  int closed = sw_load_acquire(&o.exited) != 0;
  if (status != SW_OK && (fired == 0 || (status != KINDS[kind].errors[0] && status != KINDS[kind].errors[1]))) {
    fail_msg("%s %u: %s", KINDS[kind].name, n, sw_error_code(status));
  }
  assert_held(before);
  assert_int_equal(sw_channel_check(o.r.base, o.r.size, SW_HEAP_AT), SW_OK);
  if (!closed) {
    assert_int_equal(run(&o), SW_OK);
    assert_held(before);
  }
  peer_close(&o);
  return fired;
}

/* What libc and the sanitizers make for the first thread or library, they keep. */
static void warm_up(scenario run) {
  peer o;
  peer_open(&o, ROOM, ROOM);
  assert_int_equal(run(&o), SW_OK);
  peer_close(&o);
}

static void sweep(const char *name, scenario run) {
  warm_up(run);
  for (fault_kind kind = 0; kind < FAULT_KINDS; kind++) {
    uint32_t n = 1;
    while (run_with(run, kind, n, FAULT_ONCE) != 0) {
      assert_true(++n < RUNS_AT_MOST);
    }
    if (n == 1) continue;
    printf("%s: %s fails at call 1 to %u\n", name, KINDS[kind].name, n - 1);
    /* Each lost wake costs a sleeper the time until it looks by itself: once is enough of that. */
    for (uint32_t from = 1; run_with(run, kind, from, FAULT_FROM_THEN_ON) != 0 && kind != FAULT_WAKE; from++) {
      assert_true(from < RUNS_AT_MOST);
    }
  }
}

static void test_builtin_worker(void **unused) {
  (void)unused;
  sweep("echo", echo);
}

static void test_worker_that_allocates(void **unused) {
  (void)unused;
  sweep("source", source);
}

static void test_plugin(void **unused) {
  (void)unused;
  sweep("plugin", plugin);
}

static void test_event_loop(void **unused) {
  (void)unused;
  sweep("loop", loop);
}

static void test_identity(void **unused) {
  (void)unused;
  sweep("identity", identity);
}

TESTS(TEST(test_builtin_worker), TEST(test_worker_that_allocates), TEST(test_plugin), TEST(test_event_loop),
      TEST(test_identity));
