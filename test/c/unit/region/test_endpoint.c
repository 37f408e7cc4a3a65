/* Endpoints: claiming, releasing, and taking over from the dead. */
#define _GNU_SOURCE
#include <pthread.h>

#include "../process/process.h"
#include "sabway/wait.h"

static sw_endpoint *endpoint(const region *r, uint32_t index) {
  return (sw_endpoint *)(void *)(r->base + SW_HEADER_BYTES) + index;
}

static uint64_t own_start(void) { return sw_prim_process_start(sw_prim_pid()); }

static int claim_as(const region *r, uint32_t pid, uint64_t start) {
  return sw_endpoint_claim(r->base, pid, (uint32_t)start, (uint32_t)(start >> 32));
}

static void all_of_them(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) assert_int_equal(region_claim(&r), i);
  assert_int_equal(claim_as(&r, sw_prim_pid(), own_start()), SW_ECROWDED);
  sw_endpoint_release(r.base, 17);
  assert_int_equal(region_claim(&r), 17);
  assert_int_equal(claim_as(&r, sw_prim_pid(), 0), SW_ECROWDED);
  region_free(&r);
}

static void a_claim_is_complete(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  uint32_t index = region_claim(&r);
  uint64_t start = own_start();
  assert_int_not_equal(start, 0);
  assert_int_equal(endpoint(&r, index)->pid, sw_prim_pid());
  assert_int_equal(endpoint(&r, index)->start_low, (uint32_t)start);
  assert_int_equal(endpoint(&r, index)->start_high, (uint32_t)(start >> 32));
  assert_int_equal(endpoint(&r, index)->sleeping, SW_AWAKE);
  sw_endpoint_release(r.base, index);
  assert_int_equal(endpoint(&r, index)->pid, 0);
  region_free(&r);
}

static void roles_end_with_the_claim(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  uint32_t index = region_claim(&r);
  uint32_t role = sw_endpoint_role(r.base, index);
  assert_int_equal(role & 0xff, index + 1);
  assert_true(sw_endpoint_role_alive(r.base, role));
  sw_endpoint_release(r.base, index);
  assert_false(sw_endpoint_role_alive(r.base, role));
  assert_int_equal(region_claim(&r), index);
  assert_false(sw_endpoint_role_alive(r.base, role));
  assert_int_not_equal(sw_endpoint_role(r.base, index), role);
  assert_true(sw_endpoint_role_alive(r.base, sw_endpoint_role(r.base, index)));
  region_free(&r);
}

static void nonsense_roles(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  uint32_t role = sw_endpoint_role(r.base, region_claim(&r));
  const uint32_t bad[] = {0, 0xff, SW_ENDPOINTS + 1, UINT32_MAX, role ^ 0x80000000, role ^ 0x100, role + 1};
  for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
    assert_false(sw_endpoint_role_alive(r.base, bad[i]));
    sw_endpoint_ring(r.base, bad[i]);
  }
  region_free(&r);
}

static void the_epoch_wraps(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  endpoint(&r, 0)->epoch = UINT32_MAX;
  uint32_t index = region_claim(&r);
  assert_true(sw_endpoint_role_alive(r.base, sw_endpoint_role(r.base, index)));
  sw_endpoint_release(r.base, index);
  endpoint(&r, 0)->epoch = 0x00ffffff; /* the role has 24 bits of it */
  index = region_claim(&r);
  assert_true(sw_endpoint_role_alive(r.base, sw_endpoint_role(r.base, index)));
  region_free(&r);
}

static void arm_and_ring(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  uint32_t index = region_claim(&r);
  uint32_t role = sw_endpoint_role(r.base, index);
  uint32_t *doorbell = sw_endpoint_doorbell(r.base, index);
  uint32_t before = *doorbell;
  sw_endpoint_ring(r.base, role); /* awake: costs nothing, changes nothing */
  assert_int_equal(*doorbell, before);
  uint32_t ticket = sw_endpoint_arm(r.base, index, SW_SLEEP_FUTEX);
  assert_int_equal(ticket, before);
  assert_true(sw_endpoint_is_armed(r.base, index));
  sw_endpoint_ring(r.base, role);
  assert_false(sw_endpoint_is_armed(r.base, index));
  assert_int_equal(*doorbell, before + 1);
  sw_prim_futex_wait(doorbell, ticket, -1); /* returns at once */
  sw_endpoint_ring(r.base, role);           /* one sleep, one ring */
  assert_int_equal(*doorbell, before + 1);
  sw_endpoint_arm(r.base, index, SW_SLEEP_ATOMICS);
  sw_endpoint_disarm(r.base, index);
  assert_false(sw_endpoint_is_armed(r.base, index));
  region_free(&r);
}

/* A quiet sleeper is rung for all but messages; once, as any other. */
static void quiet_sleep(void **state) {
  (void)state;
  pair t;
  pair_open(&t, 4096);
  uint32_t *reader = sw_endpoint_doorbell(t.r.base, t.reader), *writer = sw_endpoint_doorbell(t.r.base, t.writer);
  uint32_t before = sw_endpoint_arm(t.r.base, t.reader, SW_SLEEP_FUTEX | SW_SLEEP_QUIET);
  for (uint32_t n = 0; n < 3; n++) assert_int_equal(pair_send(&t, 8, n), SW_OK);
  assert_int_equal(*reader, before);
  assert_true(sw_endpoint_is_armed(t.r.base, t.reader));
  sw_endpoint_ring(t.r.base, sw_endpoint_role(t.r.base, t.reader)); /* a peer has come */
  assert_int_equal(*reader, before + 1);
  assert_false(sw_endpoint_is_armed(t.r.base, t.reader));

  sw_endpoint_arm(t.r.base, t.reader, SW_SLEEP_FUTEX | SW_SLEEP_QUIET);
  sw_endpoint_arm(t.r.base, t.reader, SW_SLEEP_FUTEX); /* messages concern it from now on */
  assert_int_equal(pair_send(&t, 8, 3), SW_OK);
  assert_int_equal(*reader, before + 2);

  /* A writer waits for room, and takes no messages. */
  assert_int_equal(pair_send(&t, 4096 - 4 * 16 - SW_FRAME_HEADER, 4), SW_OK);
  uint32_t full = sw_endpoint_arm(t.r.base, t.writer, SW_SLEEP_FUTEX | SW_SLEEP_QUIET);
  assert_false(sw_producer_want_space(&t.p, 8));
  sw_slice slices[5];
  assert_int_equal(sw_consumer_peek_batch(&t.c, slices, 5), 5);
  sw_consumer_release(&t.c);
  assert_int_equal(*writer, full + 1);

  uint32_t last = sw_endpoint_arm(t.r.base, t.reader, SW_SLEEP_FUTEX | SW_SLEEP_QUIET);
  assert_int_equal(pair_send(&t, 8, 5), SW_OK);
  sw_producer_close(&t.p);
  assert_int_equal(*reader, last + 1);
  pair_close(&t);
}

/* The same pid with another start time is another process. */
static void a_reused_pid(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  int first = claim_as(&r, sw_prim_pid(), own_start() + 1);
  uint32_t role = sw_endpoint_role(r.base, (uint32_t)first);
  assert_false(sw_endpoint_role_alive(r.base, role));
  assert_int_equal(claim_as(&r, sw_prim_pid(), own_start()), first);
  assert_false(sw_endpoint_role_alive(r.base, role));
  int second = claim_as(&r, sw_prim_pid(), own_start() + (1ull << 32));
  assert_int_equal(claim_as(&r, sw_prim_pid(), own_start()), second);
  int third = claim_as(&r, sw_prim_pid(), 0); /* unknown: any process with that pid counts */
  assert_true(sw_endpoint_role_alive(r.base, sw_endpoint_role(r.base, (uint32_t)third)));
  region_free(&r);
}

static void claims_two(const region *r) {
  if (claim_as(r, sw_prim_pid(), own_start()) != 0) _exit(1);
  if (claim_as(r, sw_prim_pid(), 0) != 1) _exit(1);
  sw_endpoint_arm(r->base, 0, SW_SLEEP_FUTEX);
}

static void a_dead_process(void **state) {
  (void)state;
  region r = region_new_shared(4096, 4096);
  pid_t child = run_child(claims_two, &r);
  for (int reaped = 0; reaped < 2; reaped++) { /* dead is dead, whether its parent knows or not */
    for (uint32_t i = 0; i < 2; i++) {
      assert_int_equal(endpoint(&r, i)->pid, child);
      assert_false(sw_endpoint_role_alive(r.base, sw_endpoint_role(r.base, i)));
    }
    if (!reaped) reap(child);
  }
  uint32_t role = sw_endpoint_role(r.base, 0);
  assert_int_equal(region_claim(&r), 0);
  assert_int_equal(region_claim(&r), 1);
  assert_int_equal(region_claim(&r), 2);
  assert_int_not_equal(sw_endpoint_role(r.base, 0), role);
  assert_false(sw_endpoint_is_armed(r.base, 0));
  region_free_shared(&r);
}

static void ends_at_once(const region *r) { (void)r; }

/* A process that dies while it claims must not keep the endpoint. */
static void dead_while_claiming(void **state) {
  (void)state;
  region r = region_new_shared(4096, 4096);
  pid_t child = run_child(ends_at_once, &r);
  reap(child);
  endpoint(&r, 0)->pid = (uint32_t)child | 0x80000000;
  endpoint(&r, 1)->pid = sw_prim_pid() | 0x80000000; /* alive, and busy claiming */
  endpoint(&r, 1)->start_low = 1;
  assert_false(sw_endpoint_role_alive(r.base, sw_endpoint_role(r.base, 1)));
  assert_int_equal(region_claim(&r), 0);
  assert_int_equal(region_claim(&r), 2);
  region_free_shared(&r);
}

/* ---- several claim what a dead process left, at once ---- */

enum { LEFT = 8, ROUNDS = 300, THREADS = 2 };

static struct {
  region r;
  pthread_barrier_t start, end;
  int claimed[THREADS][LEFT / THREADS];
} race;

static void claims_in_a_race(void *argument) {
  int *claimed = argument;
  uint64_t start = own_start();
  for (int round = 0; round < ROUNDS; round++) {
    pthread_barrier_wait(&race.start);
    for (int i = 0; i < LEFT / THREADS; i++) claimed[i] = claim_as(&race.r, sw_prim_pid(), start);
    pthread_barrier_wait(&race.end);
  }
}

static void no_two_get_the_same(void **state) {
  (void)state;
  race.r = region_new(4096, 4096);
  pid_t dead = run_child(ends_at_once, &race.r);
  reap(dead);
  pthread_barrier_init(&race.start, NULL, THREADS + 1);
  pthread_barrier_init(&race.end, NULL, THREADS + 1);
  sw_prim_thread threads[THREADS];
  for (int i = 0; i < THREADS; i++) {
    assert_int_equal(sw_prim_thread_start(&threads[i], "claims", claims_in_a_race, race.claimed[i]), SW_OK);
  }
  int twice = 0;
  for (int round = 0; round < ROUNDS; round++) {
    for (uint32_t i = 0; i < LEFT; i++) {
      endpoint(&race.r, i)->pid = (uint32_t)dead;
      endpoint(&race.r, i)->start_low = 1;
    }
    pthread_barrier_wait(&race.start);
    pthread_barrier_wait(&race.end);
    uint32_t seen = 0;
    for (int i = 0; i < LEFT; i++) {
      int index = race.claimed[i / (LEFT / THREADS)][i % (LEFT / THREADS)];
      if (index < 0 || index >= LEFT || (seen >> index & 1) != 0) twice++;
      else seen |= 1u << index;
    }
  }
  for (int i = 0; i < THREADS; i++) sw_prim_thread_join(&threads[i]);
  assert_int_equal(twice, 0);
  region_free(&race.r);
}

/* What sleeping taught about spinning. */
static void spinning_adapts(void **state) {
  (void)state;
  enum { MOST = 20000, LEAST = MOST / 32, LONG = SW_WAIT_SHORT_NS };
  assert_int_equal(sw_wait_next_window(MOST, MOST, 0), MOST);  /* it paid off */
  assert_int_equal(sw_wait_next_window(1000, MOST, 0), 2000);  /* and may last longer */
  assert_int_equal(sw_wait_next_window(1000, MOST, 1), 2000);  /* as after a short sleep */
  assert_int_equal(sw_wait_next_window(15000, MOST, 1), MOST); /* up to the most */
  assert_int_equal(sw_wait_next_window(MOST, MOST, 1), MOST);
  assert_int_equal(sw_wait_next_window(10000, MOST, LONG), 5000); /* a long sleep */
  assert_int_equal(sw_wait_next_window(LEAST + 1, MOST, LONG), LEAST);
}

/* A processor that was long in coming back is not given away again soon. */
static void yields_are_left_out_where_they_cost(void **state) {
  (void)state;
  enum { QUICK = 999999, LONG = 1000000 };
  assert_int_equal(sw_wait_skip_yields(0, QUICK), 0);
  assert_int_equal(sw_wait_skip_yields(4096, QUICK), 0);
  uint32_t skip = 0, wanted[] = {64, 128, 256, 512, 1024, 2048, 4096, 4096};
  for (uint32_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
    skip = sw_wait_skip_yields(skip, LONG);
    assert_int_equal(skip, wanted[i]);
  }
  assert_int_equal(sw_wait_skip_yields(UINT32_MAX, UINT32_MAX), 4096);
}

static void sleeps_are_bounded(void **state) {
  (void)state;
  assert_int_equal(sw_wait_limit_ms(SW_REACH_DIRECT, 0), 0);
  assert_int_equal(sw_wait_limit_ms(SW_REACH_RELAY, 9), 0);
  assert_int_equal(sw_wait_limit_ms(SW_REACH_RELAY | SW_REACH_FRAGILE, 9), SW_WAIT_PATROL_MS);
  for (uint32_t i = 0; i < 6; i++) assert_int_equal(sw_wait_limit_ms(SW_REACH_NONE, i), 1u << i);
  assert_int_equal(sw_wait_limit_ms(SW_REACH_NONE, 1000), 64);
}

/* The wake path between each two kinds of participants. */
static void reach_follows_skills(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  uint32_t native = region_claim(&r), plain = region_claim(&r), relay = region_claim(&r);
  uint32_t by_native = sw_endpoint_role(r.base, native), by_plain = sw_endpoint_role(r.base, plain);
  assert_int_equal(sw_endpoint_wake_path(r.base, plain, by_native, SW_SLEEP_ATOMICS),
                   SW_REACH_FRAGILE); /* not told yet */
  sw_endpoint_set_skills(r.base, native, SW_WAKES_FUTEX);
  sw_endpoint_set_skills(r.base, plain, SW_WAKES_ATOMICS);
  assert_int_equal(sw_endpoint_wake_path(r.base, plain, by_native, SW_SLEEP_ATOMICS), SW_REACH_NONE | SW_REACH_FRAGILE);
  assert_int_equal(sw_endpoint_wake_path(r.base, native, by_plain, SW_SLEEP_FUTEX), SW_REACH_NONE | SW_REACH_FRAGILE);
  sw_endpoint_set_skills(r.base, relay, SW_WAKES_FUTEX | SW_WAKES_ATOMICS | SW_RELAYS);
  assert_int_equal(sw_endpoint_wake_path(r.base, native, by_plain, SW_SLEEP_FUTEX), SW_REACH_RELAY | SW_REACH_FRAGILE);
  sw_endpoint_set_skills(r.base, relay, SW_WAKES_FUTEX | SW_WAKES_ATOMICS | SW_RELAYS | SW_STAYS);
  assert_int_equal(sw_endpoint_wake_path(r.base, native, by_plain, SW_SLEEP_FUTEX), SW_REACH_RELAY);
  uint32_t by_relay = sw_endpoint_role(r.base, relay);
  assert_int_equal(sw_endpoint_wake_path(r.base, native, by_relay, SW_SLEEP_FUTEX), SW_REACH_DIRECT);
  endpoint(&r, relay)->pid++; /* another process */
  assert_int_equal(sw_endpoint_wake_path(r.base, native, by_relay, SW_SLEEP_FUTEX), SW_REACH_FRAGILE);
  region_free(&r);
}

/* What was asked for an endpoint is dropped when that is given back: no relay wakes anything
 * there. */
static void relays_leave_the_departed_alone(void **state) {
  (void)state;
  region r = region_new(4096, 4096);
  uint32_t stays = region_claim(&r), gone = region_claim(&r);
  endpoint(&r, stays)->request = endpoint(&r, gone)->request = 1;
  sw_endpoint_release(r.base, gone);
  assert_int_equal(endpoint(&r, gone)->request, 0);
  assert_int_equal(sw_relay_serve(r.base), 1); /* native code cannot wake what sleeps in V8 */
  assert_int_equal(endpoint(&r, stays)->request, 1);
  region_free(&r);
}

TESTS(TEST(spinning_adapts), TEST(relays_leave_the_departed_alone), TEST(yields_are_left_out_where_they_cost),
      TEST(sleeps_are_bounded), TEST(reach_follows_skills), TEST(all_of_them), TEST(a_claim_is_complete),
      TEST(roles_end_with_the_claim), TEST(nonsense_roles), TEST(the_epoch_wraps), TEST(arm_and_ring),
      TEST(quiet_sleep), TEST(a_reused_pid), TEST(a_dead_process), TEST(dead_while_claiming),
      TEST(no_two_get_the_same));
