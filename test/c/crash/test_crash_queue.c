/* Death at each shared access of the calls of queues. The survivor buries the dead one and takes
 * what is there: every value that was put comes out once, in its order, but for what the dead one
 * had in its hand, which comes again where values are acknowledged; and of the heap one block at
 * most is lost, or what the call was to make or free. */
#include <signal.h>

#include "../unit/heap/heap_helper.h"
#include "crash.h"
#include "sabway/object.h"
#include "sabway/queue.h"
#include "sabway/registry.h"

enum { FILL = 4, ROOM_FOR = 7, VALUES = 12, LARGE = 2000 };

typedef struct kind {
  const char *name;
  sw_queue_options options;
} kind;

static const kind KINDS[] = {
    {"queue", {.type = SW_TYPE_QUEUE, .capacity = ROOM_FOR}},
    {"single", {.type = SW_TYPE_SINGLE_QUEUE, .capacity = ROOM_FOR}},
    {"ack", {.type = SW_TYPE_QUEUE, .capacity = ROOM_FOR, .flags = SW_QUEUE_ACK}},
    {"levels", {.type = SW_TYPE_PRIORITY_QUEUE, .capacity = ROOM_FOR, .levels = 2}},
    {"sorted", {.type = SW_TYPE_PRIORITY_QUEUE, .capacity = ROOM_FOR, .flags = SW_QUEUE_SORTED}},
};

typedef struct queue_case {
  const char *name;
  void (*act)(void); /* the child */
  uint32_t puts;     /* values FILL and so on */
  uint32_t takes;    /* of the first values, without acknowledgement */
  uint32_t acks;     /* it acknowledges the first */
  int plain;         /* not with levels, flags */
  uint32_t lost;     /* blocks at most, beside one */
} queue_case;

static region shared;
static sw_heap mine, of_child;
static sw_queue_handle q, child;
static const sw_queue_options *options;
static notes *told;
static uint32_t at;

/* ---- values: numbers, in the word or in a block, and large ones ---- */

static uint32_t bytes_of(uint32_t value) { return value % 3 == 2 ? LARGE : 8; }

static int put_value(sw_queue_handle *to, sw_heap *h, uint32_t value) {
  uint8_t bytes[LARGE] = {0};
  double number = value % 3 == 1 ? value + 0.5 : value;
  memcpy(bytes, &number, 8);
  return sw_queue_put(to, h, value % 3 == 2 ? SW_MAP_BYTES : SW_MAP_NUMBER, bytes, bytes_of(value), 0);
}

/* The value that comes out, or -1 where there is none. */
static int take_value(sw_queue_handle *from, sw_heap *h) {
  uint8_t bytes[LARGE];
  double number;
  int type = sw_queue_take(from, h, bytes, LARGE);
  if (type == 0 || type == SW_ECLOSED) return -1;
  if (type < 0) return type;
  memcpy(&number, bytes, 8);
  return from->length == bytes_of((uint32_t)number) ? (int)number : -2;
}

/* ---- what the child does ---- */

static void put_small(void) { MUST(put_value(&child, &of_child, 6) == 1), told->sure = 1; }
static void put_block(void) { MUST(put_value(&child, &of_child, 4) == 1), told->sure = 1; }
static void put_large(void) { MUST(put_value(&child, &of_child, 5) == 1), told->sure = 1; }
static void put_reserved(void) {
  uint32_t block = sw_queue_reserve(&child, &of_child, LARGE);
  MUST(block != 0);
  double number = 5;
  memcpy(shared.base + block + sizeof(sw_queue_item), &number, 8);
  MUST(sw_queue_put_block(&child, &of_child, block, SW_MAP_BYTES, LARGE, 0) == 1);
  told->sure = 1;
}
static void put_many(void) {
  uint32_t words[3];
  for (uint32_t i = 0; i < 3; i++) {
    double number = 4.5 + 1.5 * i;
    words[i] = sw_queue_pack(&child, &of_child, SW_MAP_NUMBER, &number, 8);
    MUST(words[i] != 0);
  }
  MUST(sw_queue_put_many(&child, &of_child, words, 3) == 3);
}
static void take_one(void) { MUST(take_value(&child, &of_child) == 0); }
static void take_three(void) {
  for (int i = 0; i < 3; i++) MUST(take_value(&child, &of_child) == i);
}
static void take_held(void) {
  uint8_t bytes[8];
  for (int i = 0; i < 3; i++) MUST(sw_queue_take(&child, &of_child, bytes, 8) > 0);
  MUST(child.held != 0);
  sw_queue_done(&child, &of_child);
}
static void take_many(void) {
  uint8_t bytes[LARGE];
  uint32_t words[3];
  MUST(sw_queue_take_many(&child, &of_child, words, 3) == 3);
  for (int i = 0; i < 3; i++) MUST(sw_queue_unpack(&child, &of_child, words[i], bytes, LARGE) > 0);
}
static void peek(void) {
  uint8_t bytes[LARGE];
  MUST(sw_queue_peek(&child, &of_child, bytes, LARGE) == SW_MAP_NUMBER);
}
static void look(void) {
  MUST(sw_queue_size(&child, &of_child) == FILL && sw_queue_is_closed(&child, &of_child) == 0);
  MUST(sw_queue_has_news(&child, &of_child) == 1 && sw_queue_has_room(&child, &of_child, 0) == 1);
}
static void take_and_ack(void) {
  MUST(take_value(&child, &of_child) == 0);
  MUST(sw_queue_deliveries(&child, &of_child, child.cell) == 1);
  MUST(sw_queue_ack(&child, &of_child, child.cell) == 1);
}
static void take_and_nack(void) {
  MUST(take_value(&child, &of_child) == 0);
  MUST(sw_queue_nack(&child, &of_child, child.cell) == 1);
}
static void close_it(void) { MUST(sw_queue_close(&child, &of_child) == SW_OK), told->sure = 1; }
static void wait_for(void) {
  for (uint32_t room = 0; room < 2; room++) {
    sw_queue_begin_wait(&child, &of_child, room);
    sw_queue_end_wait(&child, &of_child, room);
  }
}
static void put_and_leave(void) {
  put_small();
  sw_queue_close_handle(&child, &of_child);
}
static void free_it(void) { MUST(sw_queue_free(&child, &of_child) == SW_OK); }
static void make_another(void) { MUST(sw_queue_new(&of_child, options) != 0); }

static const queue_case CASES[] = {
    {"put", put_small, 1, 0, 0, 0, 0},
    {"put, into a block", put_block, 1, 0, 0, 0, 0},
    {"put, into a large block", put_large, 1, 0, 0, 0, 0},
    {"put what was reserved", put_reserved, 1, 0, 0, 0, 0},
    {"put many", put_many, 3, 0, 0, 1, 1},
    {"take", take_one, 0, 1, 0, 0, 0},
    {"take three", take_three, 0, 3, 0, 0, 0},
    {"take, and hold the block", take_held, 0, 3, 0, 0, 0},
    {"take many", take_many, 0, 3, 0, 1, 1},
    {"peek", peek, 0, 0, 0, 0, 0},
    {"look", look, 0, 0, 0, 0, 0},
    {"take and acknowledge", take_and_ack, 0, 1, 1, 0, 0},
    {"take and give back", take_and_nack, 0, 0, 1, 0, 0},
    {"close", close_it, 0, 0, 0, 0, 0},
    {"wait", wait_for, 0, 0, 0, 0, 0},
    {"put and leave", put_and_leave, 1, 0, 0, 0, 0},
    {"free", free_it, 0, FILL, 0, 0, FILL + 1},
    {"make another", make_another, 0, 0, 0, 0, 1},
};

static void be_the_child(const queue_case *what, uint32_t k) {
  crash_join(&of_child, &shared, told);
  crash_arm(told, k);
  MUST(sw_queue_open(&child, &of_child, at, 0) == SW_OK);
  what->act();
  crash_disarm();
  _exit(0);
}

/* ---- what the survivor finds ---- */

/* Blocks that nothing leads to. */
static uint32_t lost_blocks(void) {
  void *marks = calloc(1, (size_t)sw_heap_marks_bytes(&mine));
  uint32_t block, lost = 0;
  for (uint32_t i = 0; (block = sw_queue_block(&q, &mine, i)) != 0; i++) sw_heap_mark(&mine, marks, block);
  sw_heap_cursor walk = {0, 0};
  sw_heap_block found;
  while (sw_heap_walk(&mine, &walk, &found) == 1) lost += sw_heap_mark(&mine, marks, found.at) == 1;
  free(marks);
  return lost - 2; /* the control block, and the registry's */
}

static int take_and_keep_nothing(void) {
  int value = take_value(&q, &mine);
  if (value >= 0 && (q.flags & SW_QUEUE_ACK) != 0) assert_int_equal(sw_queue_ack(&q, &mine, q.cell), 1);
  return value;
}

/* `missing`: how many of the first ones may be gone, in their order. */
static void drain(const queue_case *what, uint32_t k) {
  uint32_t seen[VALUES] = {0}, missing = 0, ack = q.flags & SW_QUEUE_ACK;
  int last = -1;
  for (int value; (value = take_and_keep_nothing()) != -1; last = value) {
    if (value < 0 || value >= VALUES) fail_msg("%s, death %u: %d comes out", what->name, k, value);
    seen[value]++;
    if (value <= last) fail_msg("%s, death %u: %d behind %d", what->name, k, value, last);
  }
  for (uint32_t i = 0; i < FILL; i++) {
    missing += seen[i] == 0;
    if (seen[i] == 0 && i >= what->takes) fail_msg("%s, death %u: %u is lost", what->name, k, i);
  }
  if (missing > (ack != 0 ? what->acks : what->takes)) fail_msg("%s, death %u: %u lost", what->name, k, missing);
  uint32_t put = 0;
  for (uint32_t i = FILL; i < VALUES; i++) put += seen[i];
  if (put > what->puts || (what->puts == 1 && put < told->sure))
    fail_msg("%s, death %u: %u of the dead one's values", what->name, k, put);
}

static void goes_on(const queue_case *what) {
  if (what->act == close_it) { /* of some levels, perhaps */
    assert_int_equal(sw_queue_close(&q, &mine), SW_OK);
    assert_int_equal(sw_queue_is_closed(&q, &mine), 1);
    return;
  }
  for (uint32_t round = 0; round < 3; round++) {
    for (uint32_t i = 0; i < ROOM_FOR; i++) assert_int_equal(put_value(&q, &mine, i), 1);
    assert_int_equal(put_value(&q, &mine, 0), 0);
    for (int i = 0; i < ROOM_FOR; i++) assert_int_equal(take_and_keep_nothing(), i);
    assert_int_equal(take_and_keep_nothing(), -1);
  }
}

/* 1 when the child was killed. */
static int die_once(const queue_case *what, uint32_t k, int buried) {
  memset(told, 0, sizeof(*told));
  shared = heap_region(SMALL_REGION);
  heap_open(&mine, &shared);
  at = sw_queue_new(&mine, options);
  assert_int_equal(sw_queue_open(&q, &mine, at, 0), SW_OK);
  /* one large block is spare, and the rings go round */
  for (uint32_t i = 0; i < 6; i++) {
    assert_int_equal(put_value(&q, &mine, i), 1);
    assert_int_equal(take_and_keep_nothing(), i);
  }
  for (uint32_t i = 0; i < FILL; i++) assert_int_equal(put_value(&q, &mine, i), 1);
  sw_queue_close_handle(&q, &mine);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) be_the_child(what, k);
  bool killed = crash_reap(pid);
  for (int i = 0; i < buried; i++) sw_region_evict_role(shared.base, shared.size, told->role);
  int opened = sw_queue_open(&q, &mine, at, 0);
  if (what->act != free_it || opened == SW_OK) {
    assert_int_equal(opened, SW_OK);
    uint32_t lost = lost_blocks(), right = what->act == make_another && !killed ? 2 : what->lost;
    if (lost > right + (killed ? 1 : 0)) fail_msg("%s, death %u: %u blocks lost", what->name, k, lost);
    drain(what, k);
    if (what->act == close_it && told->sure) assert_int_equal(sw_queue_is_closed(&q, &mine), 1);
    goes_on(what);
    assert_int_equal(sw_queue_check(&q, &mine), SW_OK);
    assert_int_equal(sw_queue_free(&q, &mine), SW_OK);
    assert_true(heap_stats(&mine).blocks <= 2 + lost);
  }
  assert_int_equal(sw_heap_check(&mine), SW_OK);
  heap_region_free(&shared);
  return killed;
}

static void a_death_anywhere_loses_no_value(void **state) {
  (void)state;
  told = crash_shared(sizeof(*told));
  uint32_t total = 0;
  for (size_t i = 0; i < sizeof(KINDS) / sizeof(*KINDS); i++) {
    options = &KINDS[i].options;
    for (size_t c = 0; c < sizeof(CASES) / sizeof(*CASES); c++) {
      int plain = options->flags == 0 && options->levels == 0, ack = options->flags == SW_QUEUE_ACK;
      if ((CASES[c].plain && !plain) || (CASES[c].acks != 0 && !ack)) continue;
      uint32_t k = 1;
      /* buried once, or twice; or found to be dead by the next call alone, where that is enough */
      while (die_once(&CASES[c], k, (int)(ack ? 1 + k % 2 : k % 3)))
        k += CASES[c].act == make_another && k > 60 ? 11 : 1; /* slots, which no other knows yet */
      printf("%s: %-*s %6u points\n", KINDS[i].name, 38 - (int)strlen(KINDS[i].name), CASES[c].name, k - 1);
      fflush(stdout);
      total += k - 1;
    }
  }
  printf("%u crash points, all survived\n", total);
}

TESTS(TEST(a_death_anywhere_loses_no_value));
