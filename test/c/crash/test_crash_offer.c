/* Death at each shared access of the calls of unbuffered channels. A value is received once or
 * never; an offer of the survivor was taken as a whole or still waits; the channel goes on; and of
 * the heap one block at most is lost, or what the call was to make or free. */
#include <signal.h>

#include "../unit/heap/heap_helper.h"
#include "crash.h"
#include "sabway/object.h"
#include "sabway/offer.h"
#include "sabway/registry.h"

typedef enum { NOTHING, SEND, RECEIVE } side;

typedef struct offer_case {
  const char *name;
  void (*act)(void); /* the child */
  side waits;        /* what the survivor has offered before */
  uint32_t values;   /* that the child can send */
  uint32_t lost;     /* blocks at most, beside one */
} offer_case;

static region shared;
static sw_heap mine, other, of_child;
static sw_queue_handle q, q_other, child, child_second;
static sw_offer waiting;
static notes *told;
static uint32_t at, second;

enum { OF_CHILD = 100, OF_MINE = 200, OF_OTHER = 300 };

static uint32_t pack(sw_queue_handle *from, sw_heap *h, double number) {
  number += 0.5; /* with a block of its own */
  return sw_queue_pack(from, h, SW_MAP_NUMBER, &number, 8);
}
/* The number that the word has, which is the caller's; or -1. */
static int unpack(sw_queue_handle *to, sw_heap *h, uint32_t word) {
  double number;
  return sw_queue_unpack(to, h, word, &number, 8) == SW_MAP_NUMBER ? (int)number : -1;
}

/* ---- what the child does ---- */

static sw_offer own;

static void send(void) {
  uint32_t word = pack(&child, &of_child, OF_CHILD);
  MUST(word != 0);
  MUST(sw_offer_send(&own, &child, &of_child, 1, word) >= 0);
}
static void receive(void) {
  int done = sw_offer_receive(&own, &child, &of_child, 0);
  MUST(done >= 0);
  if (done == 1) MUST(unpack(&child, &of_child, own.value) == OF_MINE);
}
static void select_both(void) {
  MUST(sw_offer_receive(&own, &child_second, &of_child, 2) == 0);
  send();
}
static void send_and_withdraw(void) {
  uint32_t word = pack(&child, &of_child, OF_CHILD);
  MUST(word != 0 && sw_offer_send(&own, &child, &of_child, 1, word) == 0);
  MUST(sw_offer_withdraw(&own, &of_child) == 0);
  sw_queue_discard(&child, &of_child, word);
  for (uint32_t room = 0; room < 2; room++) sw_queue_end_wait(&child, &of_child, room);
}
static void try_both(void) {
  double number = OF_CHILD + 0.5;
  MUST(sw_queue_put(&child, &of_child, SW_MAP_NUMBER, &number, 8, 0) >= 0);
  MUST(sw_queue_take(&child, &of_child, &number, 8) >= 0);
}
static void close_it(void) { MUST(sw_queue_close(&child, &of_child) == SW_OK), told->sure = 1; }
static void free_it(void) { MUST(sw_queue_free(&child, &of_child) == SW_OK); }
static void make_another(void) { MUST(sw_queue_new(&of_child, &(sw_queue_options){.type = SW_TYPE_CHANNEL}) != 0); }

static const offer_case CASES[] = {
    {"send", send, NOTHING, 1, 0},
    {"send to one that waits", send, RECEIVE, 1, 0},
    {"receive", receive, NOTHING, 0, 0},
    {"receive from one that waits", receive, SEND, 0, 0},
    {"select", select_both, NOTHING, 1, 0},
    {"select, and one waits", select_both, RECEIVE, 1, 0},
    {"send, and withdraw it", send_and_withdraw, NOTHING, 1, 0},
    {"try both", try_both, NOTHING, 1, 0},
    {"try both, and one waits to send", try_both, SEND, 1, 0},
    {"try both, and one waits to receive", try_both, RECEIVE, 1, 0},
    {"close", close_it, SEND, 0, 0},
    {"free", free_it, RECEIVE, 0, 1},
    {"make another", make_another, NOTHING, 0, 2},
};

static void be_the_child(const offer_case *what, uint32_t k) {
  crash_join(&of_child, &shared, told);
  MUST(sw_queue_open(&child, &of_child, at, 0) == SW_OK);
  MUST(sw_queue_open(&child_second, &of_child, second, 0) == SW_OK);
  crash_arm(told, k);
  what->act();
  crash_disarm();
  _exit(0);
}

/* ---- what the survivor finds ---- */

static void offer_mine(const offer_case *what) {
  int done = 0;
  waiting = (sw_offer){0};
  if (what->waits == SEND) done = sw_offer_send(&waiting, &q, &mine, 5, pack(&q, &mine, OF_MINE));
  if (what->waits == RECEIVE) done = sw_offer_receive(&waiting, &q, &mine, 6);
  assert_int_equal(done, 0);
}

static int take_other(void) {
  double number;
  int type = sw_queue_take(&q_other, &other, &number, 8);
  return type == SW_MAP_NUMBER ? (int)number : type == 0 || type == SW_ECLOSED ? -1 : type;
}

/* Whatever the dead one has sent. */
static void drain(const offer_case *what, uint32_t k) {
  uint32_t seen = 0;
  int done = sw_offer_is_done(&waiting, &mine), mine_seen = 0;
  assert_true(done == 0 || done == 1);
  if (done == 1 && what->waits == RECEIVE) {
    assert_int_equal(waiting.which, 6);
    assert_int_equal(unpack(&q, &mine, waiting.value), OF_CHILD);
    seen++;
  }
  for (int value; (value = take_other()) != -1;) {
    if (value == OF_MINE) mine_seen++;
    else if (value == OF_CHILD) seen++;
    else fail_msg("%s, death %u: %d comes out", what->name, k, value);
  }
  if (seen > what->values) fail_msg("%s, death %u: received %u times", what->name, k, seen);
  bool closed = sw_queue_is_closed(&q, &mine) == 1;
  if (what->waits == SEND && !closed && mine_seen != (done == 0))
    fail_msg("%s, death %u: the survivor's value", what->name, k);
  if (what->waits == SEND && closed) assert_int_equal(done + mine_seen, 0);
  if (what->waits == SEND && mine_seen == 1) assert_int_equal(sw_offer_is_done(&waiting, &mine), 1);
  assert_int_equal(sw_offer_withdraw(&waiting, &mine), 0);
}

static void goes_on(void) {
  for (int i = 0; i < 3; i++) {
    sw_offer o = {0};
    double number = OF_OTHER + 0.5;
    assert_int_equal(sw_offer_receive(&o, &q, &mine, 0), 0);
    assert_int_equal(sw_queue_put(&q_other, &other, SW_MAP_NUMBER, &number, 8, 0), 1);
    assert_int_equal(sw_offer_is_done(&o, &mine), 1);
    assert_int_equal(unpack(&q, &mine, o.value), OF_OTHER);
    assert_int_equal(take_other(), -1);
  }
}

/* 1 when the child was killed. */
static int die_once(const offer_case *what, uint32_t k) {
  memset(told, 0, sizeof(*told));
  shared = heap_region(SMALL_REGION);
  heap_open(&mine, &shared);
  heap_open(&other, &shared);
  at = sw_queue_new(&mine, &(sw_queue_options){.type = SW_TYPE_CHANNEL});
  second = sw_queue_new(&mine, &(sw_queue_options){.type = SW_TYPE_CHANNEL});
  assert_int_equal(sw_queue_open(&q, &mine, at, 0), SW_OK);
  assert_int_equal(sw_queue_open(&q_other, &other, at, 0), SW_OK);
  uint64_t blocks = heap_stats(&mine).blocks;
  offer_mine(what);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) be_the_child(what, k);
  bool killed = crash_reap(pid);
  for (uint32_t i = 0; i < k % 3; i++) sw_region_evict_role(shared.base, shared.size, told->role);
  sw_queue_handle now;
  if (sw_queue_open(&now, &mine, at, 0) == SW_OK) {
    drain(what, k);
    if (told->sure) assert_int_equal(sw_queue_is_closed(&q, &mine), 1);
    if (sw_queue_is_closed(&q, &mine) == 0) goes_on();
    assert_int_equal(sw_queue_check(&q, &mine), SW_OK);
    uint64_t left = heap_stats(&mine).blocks;
    /* of one that was not buried, or that closed, a value still waits */
    if (left > blocks + what->lost + 1)
      fail_msg("%s, death %u: %u blocks lost", what->name, k, (uint32_t)(left - blocks));
    assert_int_equal(sw_queue_free(&q, &mine), SW_OK);
  }
  assert_int_equal(sw_heap_check(&mine), SW_OK);
  heap_region_free(&shared);
  return killed;
}

static void a_death_anywhere_receives_nothing_twice(void **state) {
  (void)state;
  told = crash_shared(sizeof(*told));
  uint32_t total = 0;
  for (size_t c = 0; c < sizeof(CASES) / sizeof(*CASES); c++) {
    uint32_t k = 1;
    /* buried once, twice, or found to be dead by the next call */
    bool long_one = CASES[c].act == free_it || CASES[c].act == make_another; /* all places alike */
    while (die_once(&CASES[c], k)) k += long_one && k > 100 ? 37 : 1;
    printf("%-40s %6u points\n", CASES[c].name, k - 1);
    fflush(stdout);
    total += k - 1;
  }
  printf("%u crash points, all survived\n", total);
}

TESTS(TEST(a_death_anywhere_receives_nothing_twice));
