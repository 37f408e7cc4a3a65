/* Death at each shared access of the calls of records. The survivor finds the fields as they were
 * before the change or as they are behind it, the lock to be had, and the heap in order; at most
 * the two blocks of one record are lost. */
#include <signal.h>

#include "../unit/heap/heap_helper.h"
#include "crash.h"
#include "sabway/object.h"
#include "sabway/record.h"
#include "sabway/registry.h"
#include "sabway/string.h"

enum { TYPE = SW_TYPE_RECORD, BYTES = 40, ROOM = 8, OLD = 0x11, NEW = 0x22 };

/* The text is the first field, the numbers are behind it. */
enum { TEXT = 0, NUMBERS = 8 };

/* What there may be afterwards. */
enum outcome { OLD_ONLY = 1, NEW_ONLY = 2, EITHER = 3 };

typedef struct record_case {
  const char *name;
  void (*prelude)(void); /* the child, before it may die */
  void (*act)(void);
  enum outcome outcome;
  uint32_t lost; /* blocks at most */
} record_case;

static region shared;
static sw_heap mine, of_child;
static notes *told;
static uint32_t at, generation;
/* The text that is there, and two for the child: shared. */
static uint32_t *board;
static const sw_record_plan PLAN = {
    .shape = {1, 2}, .rows = 1, .bytes = BYTES, .room = ROOM, .texts = 1, .text_row = BYTES, .text_step = 8};

static sw_record *record(void) { return (sw_record *)(void *)(shared.base + at); }

/* ---- the child ---- */

static void write_all(sw_heap *h) {
  MUST(sw_record_write32(h, at, NUMBERS, 4, NEW) == SW_OK);
  MUST(sw_record_write32(h, at, NUMBERS + 5, 1, NEW) == SW_OK);
  MUST(sw_record_write_text(h, at, TEXT, board[1]) == SW_OK);
  MUST(sw_record_write32(h, at, NUMBERS + 6, 2, NEW) == SW_OK);
  MUST(sw_record_write64(h, at, NUMBERS + 8, NEW, NEW) == SW_OK);
  MUST(sw_record_write_text(h, at, TEXT, board[2]) == SW_OK);
  MUST(sw_record_write32(h, at, NUMBERS, 4, NEW) == SW_OK);
}

static int lock(sw_heap *h) { return sw_record_try_lock(h, at, TYPE, generation); }
static int see(sw_heap *h, uint64_t all[BYTES / 8]) {
  sw_piece piece = {0, BYTES};
  return sw_record_snapshot(h, at, TYPE, generation, &piece, 1, all);
}

static void nothing(void) {}
static void hold(void) { MUST(lock(&of_child) == SW_OK); }
static void hold_and_write(void) {
  hold();
  write_all(&of_child);
}
/* Another participant has died in the middle of a change. */
static void behind_a_dead_one(void) { MUST(told->sure != 0); }

static void take_the_lock(void) { MUST(lock(&of_child) == SW_OK); }
static void write_fields(void) { write_all(&of_child); }
static void unlock(void) { MUST(sw_record_unlock(&of_child, at) == SW_OK); }
static void commit(void) { MUST(sw_record_commit(&of_child, at) == SW_OK); }
static void undo(void) { MUST(sw_record_undo(&of_child, at) == SW_OK); }
static void change(void) {
  hold_and_write();
  unlock();
}
static void look(void) {
  uint64_t all[BYTES / 8];
  MUST(see(&of_child, all) == SW_OK);
}
static void make_and_free(void) {
  uint32_t other = sw_record_new(&of_child, TYPE, &PLAN), of = 0;
  MUST(other != 0 && sw_object_type(&of_child, other, &of) == TYPE);
  MUST(sw_record_free(&of_child, other, TYPE, of) == SW_OK);
}

static const record_case CASES[] = {
    {"lock", nothing, take_the_lock, OLD_ONLY, 0},
    {"lock behind a dead one", behind_a_dead_one, take_the_lock, OLD_ONLY, 0},
    {"write", hold, write_fields, OLD_ONLY, 0},
    {"unlock", hold_and_write, unlock, EITHER, 0},
    {"commit", hold_and_write, commit, EITHER, 0},
    {"undo", hold_and_write, undo, OLD_ONLY, 0},
    {"a whole change", nothing, change, EITHER, 0},
    {"snapshot", nothing, look, OLD_ONLY, 0},
    {"snapshot behind a dead one", behind_a_dead_one, look, OLD_ONLY, 0},
    {"new, free", nothing, make_and_free, OLD_ONLY, 2},
};

static void be_the_child(const record_case *what, uint32_t k) {
  crash_join(&of_child, &shared, told);
  what->prelude();
  crash_arm(told, k);
  what->act();
  crash_disarm();
  _exit(0);
}

static void begin_and_die(void) {
  int index = crash_claim(&shared);
  MUST(index >= 0);
  MUST(sw_heap_open(&of_child, shared.base, shared.size, SW_HEAP_AT, (uint32_t)index) == SW_OK);
  hold_and_write();
  told->sure = 1;
  _exit(0);
}

/* ---- the survivor ---- */

static uint32_t field(uint32_t offset, uint32_t width) {
  uint64_t value = 0;
  memcpy(&value, shared.base + record()->data + NUMBERS + offset, width);
  return (uint32_t)value;
}

/* All fields are old, or all of them new. */
static void whole(const record_case *what, uint32_t k) {
  uint32_t text;
  memcpy(&text, shared.base + record()->data + TEXT, 4);
  uint32_t value = field(0, 4);
  int known = (value == OLD && (what->outcome & OLD_ONLY) != 0) || (value == NEW && (what->outcome & NEW_ONLY) != 0);
  if (!known || field(5, 1) != value || field(6, 2) != value || field(8, 4) != value || field(12, 4) != value ||
      field(4, 1) != OLD || field(16, 4) != OLD || text != board[value == OLD ? 0 : 2] ||
      sw_heap_usable(&mine, text) == 0)
    fail_msg("%s, death %u: %x %x %x %x %x", what->name, k, value, field(5, 1), field(6, 2), field(8, 4), field(12, 4));
}

static void survive(const record_case *what, uint32_t k, int by_snapshot) {
  uint64_t all[BYTES / 8];
  assert_int_equal(sw_record_check(&mine, at), SW_OK);
  if (by_snapshot) {
    assert_int_equal(see(&mine, all), SW_OK);
    assert_memory_equal(all, shared.base + record()->data, BYTES);
    whole(what, k);
  }
  assert_int_equal(lock(&mine), SW_OK);
  whole(what, k);
  /* what a snapshot has shown stays */
  if (by_snapshot) assert_memory_equal(all, shared.base + record()->data, BYTES);
  assert_int_equal(record()->undo, 0);
  assert_int_equal(record()->version % 2, 0);
  assert_int_equal(sw_record_unlock(&mine, at), SW_OK);
  assert_int_equal(see(&mine, all), SW_OK);
  assert_int_equal(sw_record_check(&mine, at), SW_OK);
  assert_int_equal(sw_heap_check(&mine), SW_OK);
}

static pid_t fork_one(void) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  return pid;
}

static void make_record(void) {
  at = sw_record_new(&mine, TYPE, &PLAN);
  assert_int_not_equal(at, 0);
  assert_int_equal(sw_object_type(&mine, at, &generation), TYPE);
  for (int i = 0; i < 3; i++) board[i] = sw_string_alloc(&mine, 20 + 100 * (uint32_t)i);
  assert_int_equal(sw_record_set_text(&mine, at, TYPE, generation, TEXT, board[0]), SW_OK);
  uint8_t *fields = shared.base + record()->data + NUMBERS;
  uint32_t old = OLD;
  uint16_t half = OLD;
  memcpy(fields, &old, 4);
  fields[4] = fields[5] = OLD;
  memcpy(fields + 6, &half, 2);
  for (uint32_t i = 8; i < 20; i += 4) memcpy(fields + i, &old, 4);
}

/* 1 when the child was killed. */
static int die_once(const record_case *what, uint32_t k, int by_snapshot) {
  memset(told, 0, sizeof(*told));
  shared = heap_region(SMALL_REGION);
  heap_open(&mine, &shared);
  make_record();
  if (what->prelude == behind_a_dead_one) {
    pid_t dead = fork_one();
    if (dead == 0) begin_and_die();
    assert_false(crash_reap(dead));
  }
  /* the registry's first block, which the first record has made, is there for all */
  uint64_t blocks = heap_stats(&mine).blocks;
  pid_t pid = fork_one();
  if (pid == 0) be_the_child(what, k);
  bool killed = crash_reap(pid);
  survive(what, k, by_snapshot);
  sw_region_evict_role(shared.base, shared.size, told->role);
  sw_endpoint_release_role(shared.base, told->role);
  survive(what, k, by_snapshot);
  /* fewer, where the child's texts were freed */
  int64_t lost = (int64_t)(heap_stats(&mine).blocks - blocks);
  if (lost > (int64_t)what->lost) fail_msg("%s, death %u: %d blocks are lost", what->name, k, (int)lost);
  assert_int_equal(sw_record_free(&mine, at, TYPE, generation), SW_OK);
  heap_region_free(&shared);
  return killed;
}

static void a_death_anywhere_leaves_all_of_a_change_or_nothing(void **state) {
  (void)state;
  told = crash_shared(sizeof(*told));
  board = crash_shared(3 * sizeof(*board));
  uint32_t total = 0;
  for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
    uint32_t k = 1;
    while (die_once(&CASES[i], k, 0) + die_once(&CASES[i], k, 1) == 2) k++;
    printf("%-40s %6u points\n", CASES[i].name, k - 1);
    fflush(stdout);
    total += k - 1;
  }
  printf("%u crash points, all survived\n", total);
}

TESTS(TEST(a_death_anywhere_leaves_all_of_a_change_or_nothing));
