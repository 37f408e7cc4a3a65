/* Death at each shared access of the calls of a broadcast. The survivor, a subscriber, receives
 * what was there before the call, and what the call was to publish or not; it can publish and
 * receive as before; and of the heap one block at most is lost, or what the call was to free. */
#include <signal.h>

#include "../unit/heap/heap_helper.h"
#include "crash.h"
#include "sabway/broadcast.h"
#include "sabway/registry.h"

static region shared;
static sw_heap mine, of_child;
static notes *told;
static uint32_t at, generation, policy;

static int send(sw_heap *h, uint32_t number) { return sw_broadcast_try_send(h, at, generation, 1, &number, 4); }

/* The next number; 0: there is none; 1000000: it is closed. */
static uint32_t next(sw_heap *h) {
  uint32_t number = 0;
  sw_broadcast_message message;
  int status = sw_broadcast_try_receive(h, at, generation, &number, 4, &message);
  MUST(status == 1 || status == 0 || status == SW_ECLOSED);
  return status == SW_ECLOSED ? 1000000 : status == 1 ? number : 0;
}

/* ---- what the child does ---- */

static void publish(void) { MUST(send(&of_child, 100) == SW_OK); }
static void publish_three(void) {
  for (uint32_t i = 0; i < 3; i++) MUST(send(&of_child, 100 + i) == SW_OK);
}
static void subscribe(void) { MUST(sw_broadcast_subscribe(&of_child, at, generation, 1) == SW_OK); }
static void come_and_go(void) {
  subscribe();
  MUST(next(&of_child) != 0);
  MUST(sw_broadcast_unsubscribe(&of_child, at, generation) == SW_OK);
}
static void receive_and_publish(void) {
  subscribe();
  while (next(&of_child) != 0) continue;
  publish();
}
static void receive_two(void) {
  subscribe();
  MUST(next(&of_child) != 0);
  next(&of_child);
}
static void ask(void) {
  MUST(sw_broadcast_subscribers(&of_child, at, generation) == 1);
  MUST(sw_broadcast_is_subscribed(&of_child, at, generation) == 0);
  MUST(sw_broadcast_check(&of_child, at, generation) == SW_OK);
}
static void end(void) { MUST(sw_broadcast_close(&of_child, at, generation) == SW_OK); }
static void wait_in_vain(void) {
  MUST(sw_broadcast_begin_wait(&of_child, at, generation, SW_BROADCAST_MESSAGES) == SW_OK);
  MUST(sw_broadcast_end_wait(&of_child, at, generation, SW_BROADCAST_MESSAGES) == SW_OK);
  MUST(sw_broadcast_begin_wait(&of_child, at, generation, SW_BROADCAST_ROOM) == SW_OK);
  MUST(sw_broadcast_end_wait(&of_child, at, generation, SW_BROADCAST_ROOM) == SW_OK);
}
static void free_it(void) { MUST(sw_broadcast_free(&of_child, at, generation) == SW_OK); }

typedef struct broadcast_case {
  const char *name;
  void (*act)(void);
  uint32_t sends; /* messages of the child */
  bool closes, frees;
} broadcast_case;

static const broadcast_case CASES[] = {
    {"publish", publish, 1, false, false},
    {"publish, and wrap", publish_three, 3, false, false},
    {"subscribe", subscribe, 0, false, false},
    {"come and go", come_and_go, 0, false, false},
    {"receive", receive_two, 0, false, false},
    {"ask", ask, 0, false, false},
    {"receive and publish", receive_and_publish, 1, false, false},
    {"close", end, 0, true, false},
    {"wait", wait_in_vain, 0, false, false},
    {"free", free_it, 0, false, true},
};

static void be_the_child(const broadcast_case *what, uint32_t k) {
  crash_join(&of_child, &shared, told);
  crash_arm(told, k);
  what->act();
  crash_disarm();
  _exit(0);
}

/* What the survivor finds: how many of the child's messages are there. */
static uint32_t look(const broadcast_case *what, bool died) {
  uint32_t found = 0;
  for (uint32_t number; (number = next(&mine)) != 0 && number != 1000000;) {
    if (number < 100) continue;
    /* in their order */
    if (policy != SW_BROADCAST_LATEST_ONLY) assert_int_equal(number, 100 + found);
    assert_true(number >= 100 + found);
    found = number - 99;
  }
  assert_true(found <= what->sends);
  int status = send(&mine, 7);
  assert_true(status == SW_OK || (what->closes && status == SW_ECLOSED));
  if (status == SW_OK) {
    /* also one that died as a subscriber is waited for no more */
    for (uint32_t i = 8; i < 30; i++) {
      assert_int_equal(next(&mine), i - 1);
      assert_int_equal(send(&mine, i), SW_OK);
    }
  }
  assert_int_equal(sw_broadcast_check(&mine, at, generation), SW_OK);
  assert_int_equal(sw_broadcast_subscribers(&mine, at, generation), 1);
  if (!died) assert_int_equal(found, what->sends);
  return found;
}

/* 1 when the child was killed. */
static int die_once(const broadcast_case *what, uint32_t k, uint32_t buried) {
  memset(told, 0, sizeof(*told));
  shared = heap_region(SMALL_REGION);
  heap_open(&mine, &shared);
  at = sw_broadcast_new(&mine, 128, policy, 0);
  assert_int_equal(sw_object_type(&mine, at, &generation), SW_TYPE_BROADCAST);
  assert_int_equal(sw_broadcast_subscribe(&mine, at, generation, 0), SW_OK);
  assert_int_equal(send(&mine, 1), SW_OK);
  assert_int_equal(send(&mine, 2), SW_OK);
  uint64_t blocks = heap_stats(&mine).blocks;
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) be_the_child(what, k);
  bool died = crash_reap(pid);
  for (uint32_t i = 0; i < buried; i++) sw_region_evict_role(shared.base, shared.size, told->role);
  bool freed = sw_object_check(&mine, at, SW_TYPE_BROADCAST, generation) == SW_EFREED;
  assert_true(!freed || what->frees);
  if (!freed) {
    look(what, died);
    assert_int_equal(sw_broadcast_free(&mine, at, generation), SW_OK);
  }
  uint64_t now = heap_stats(&mine).blocks;
  assert_in_range(now, blocks - 1, blocks); /* the control block is kept, the ring may be lost */
  if (!died || !what->frees) assert_int_equal(now, blocks - 1);
  assert_int_equal(sw_heap_check(&mine), SW_OK);
  heap_region_free(&shared);
  return died;
}

static void a_death_anywhere_leaves_it_whole(void **state) {
  (void)state;
  told = crash_shared(sizeof(*told));
  uint32_t total = 0;
  for (policy = SW_BROADCAST_BLOCK; policy <= SW_BROADCAST_LATEST_ONLY; policy++) {
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
      if (policy == SW_BROADCAST_BLOCK && CASES[i].sends == 3) continue; /* they have no room */
      uint32_t deaths = 0;
      /* buried once, or twice; or found to be dead by the next call alone */
      while (die_once(&CASES[i], deaths + 1, deaths % 3)) deaths++;
      assert_true(deaths > 0);
      printf("policy %u: %-20s %4u points\n", policy, CASES[i].name, deaths);
      total += deaths;
    }
  }
  printf("%u crash points, all survived\n", total);
}

TESTS(TEST(a_death_anywhere_leaves_it_whole));
