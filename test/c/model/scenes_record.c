/* Records: a change under the lock is seen as a whole or not at all, by snapshots and by the next
 * holder, whatever dies in the middle of it.
 *
 * Thread n is process n + 1, endpoint n. Process 4 makes the record; its two fields of 64 bits are
 * the same between two changes. A third word, of 32 bits, has a field of one byte and its
 * neighbours. */
#include "sabway/record.h"

#include <string.h>

#include "base/peer.h"
#include "scenes.h"

enum { TYPE = SW_TYPE_RECORD, FIELD_A = 0, FIELD_B = 8, BYTE = 16, ROOM = 3 };

static struct {
  sw_heap heap[MODEL_THREADS];
  uint32_t at, generation;
  uint64_t seen[2];
} c;

static uint8_t *base(void) { return model_region(); }
static sw_record *record(void) { return (sw_record *)(void *)(base() + c.at); }
static uint64_t *fields(void) { return (uint64_t *)(void *)(base() + record()->data); }

static void setup(void) {
  world_empty();
  memset(&c, 0, sizeof(c));
  model_snapshot(&c, sizeof(c));
  model_snapshot(base() + SW_HEAP_AT, REGION_BYTES - SW_HEAP_AT);
  model_check(sw_region_format_empty(base(), MODEL_REGION_PAGES, SW_HEAP_AT) == SW_OK);
  model_check(sw_heap_format(base(), SW_HEAP_AT, REGION_BYTES) == SW_OK);
  for (uint32_t i = 0; i < MODEL_THREADS; i++) {
    model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
    model_check(sw_heap_open(&c.heap[i], base(), REGION_BYTES, SW_HEAP_AT, i) == SW_OK);
  }
  sw_record_plan plan = {.shape = {1, 2}, .rows = 1, .bytes = 24, .room = ROOM};
  c.at = sw_record_new(&c.heap[3], TYPE, &plan);
  model_check(c.at != 0 && sw_object_type(&c.heap[3], c.at, &c.generation) == TYPE);
}

static int lock(int thread) { return sw_record_try_lock(&c.heap[thread], c.at, TYPE, c.generation); }

static void write_both(int thread, uint32_t value) {
  model_check(sw_record_write64(&c.heap[thread], c.at, FIELD_A, value, 0) == SW_OK);
  model_check(sw_record_write64(&c.heap[thread], c.at, FIELD_B, value, 0) == SW_OK);
}

/* ---- changes ---- */

static void change(int thread, uint32_t value) {
  int status = lock(thread);
  model_check(status == SW_OK || status == SW_EBUSY);
  if (status != SW_OK) return;
  write_both(thread, value);
  model_check(sw_record_unlock(&c.heap[thread], c.at) == SW_OK);
}
static void change_0(void) { change(0, 1); }
static void change_2(void) { change(2, 2); }

/* The change is taken back. */
static void change_and_undo_0(void) {
  model_check(lock(0) == SW_OK);
  write_both(0, 1);
  model_check(sw_record_undo(&c.heap[0], c.at) == SW_OK);
  model_check(sw_record_unlock(&c.heap[0], c.at) == SW_OK);
}

static void at_rest(void) {
  model_check(sw_record_check(&c.heap[3], c.at) == SW_OK);
  model_check(record()->undo == 0 && record()->version % 2 == 0);
  model_check(record()->object.lock.state == 0);
  model_check(fields()[0] == fields()[1]);
}
static void taken_back(void) {
  at_rest();
  model_check(fields()[0] == 0);
}

/* ---- snapshots ---- */

static int see(int thread) {
  static sw_piece BOTH_FIELDS = {FIELD_A, 16};
  return sw_record_snapshot(&c.heap[thread], c.at, TYPE, c.generation, &BOTH_FIELDS, 1, c.seen);
}

static void snapshot_1(void) {
  int status = see(1);
  model_check(status == SW_OK || status == SW_EBUSY);
  if (status == SW_EBUSY) {
    model_mark(REFUSED);
    return;
  }
  model_check(c.seen[0] == c.seen[1]);
  model_mark(c.seen[0] == 0 ? FIRST : SECOND);
}

/* What is seen behind a change whose end was seen: a snapshot is no older than what was known. */
static void snapshots_1(void) {
  if (see(1) != SW_OK) return;
  uint64_t before = c.seen[0];
  if (see(1) != SW_OK) return;
  model_check(c.seen[0] == c.seen[1]);
  model_check(before == 0 || c.seen[0] != 0);
  model_mark(before == 0 && c.seen[0] != 0 ? BOTH : FIRST);
}

/* ---- death ---- */

/* All that the dead one has begun is over. */
static void lock_behind_a_dead_one(void) {
  model_assume(!sw_endpoint_role_alive(base(), c.heap[0].role));
  model_check(lock(1) == SW_OK);
  model_check(see(1) == SW_OK && c.seen[0] == c.seen[1]); /* its own lock is no obstacle */
  model_mark(c.seen[0] == 0 ? FIRST : SECOND);
  write_both(1, 3);
  model_check(sw_record_unlock(&c.heap[1], c.at) == SW_OK);
}
static void all_is_made(void) {
  at_rest();
  model_check(fields()[0] == 3);
}

/* Process 4 has died in the middle of a change; one that undoes it dies of that, anywhere. */
static void setup_half_done(void) {
  setup();
  model_check(lock(3) == SW_OK);
  write_both(3, 7);
  model_check(sw_record_write64(&c.heap[3], c.at, FIELD_A, 8, 0) == SW_OK);
  model_process(4, 40, 4, false);
}
static void lock_and_unlock_0(void) {
  model_check(lock(0) == SW_OK);
  model_check(sw_record_unlock(&c.heap[0], c.at) == SW_OK);
}
static void lock_behind_two(void) {
  model_assume(!sw_endpoint_role_alive(base(), c.heap[0].role));
  model_check(lock(1) == SW_OK);
  model_check(sw_record_unlock(&c.heap[1], c.at) == SW_OK);
  model_mark(FIRST);
}
/* A snapshot finds the change half done, or undoes it. */
static void snapshot_behind_a_dead_one(void) {
  int status = see(1);
  if (status == SW_EBUSY) return;
  model_check(status == SW_OK && c.seen[0] == 0 && c.seen[1] == 0);
  model_mark(FIRST);
}
/* It may come when the other one undoes it. */
static void lock_or_not_0(void) {
  int status = lock(0);
  model_check(status == SW_OK || status == SW_EBUSY);
  model_mark(status == SW_OK ? SECOND : REFUSED);
  if (status == SW_OK) model_check(sw_record_unlock(&c.heap[0], c.at) == SW_OK);
}
static void snapshot_and_die_0(void) {
  static sw_piece BOTH_FIELDS = {FIELD_A, 16};
  uint64_t seen[2];
  model_check(sw_record_snapshot(&c.heap[0], c.at, TYPE, c.generation, &BOTH_FIELDS, 1, seen) == SW_OK);
}

/* ---- a field that shares its word ---- */

static uint32_t *word(void) { return (uint32_t *)(void *)(base() + record()->data + BYTE); }
static void change_byte(void) {
  model_check(lock(0) == SW_OK);
  model_check(sw_record_write32(&c.heap[0], c.at, BYTE, 1, 0x55) == SW_OK);
  model_check(sw_record_write32(&c.heap[0], c.at, BYTE + 4, 4, 7) == SW_OK);
  model_check(sw_record_unlock(&c.heap[0], c.at) == SW_OK);
}
static void change_neighbour(void) { sw_fetch_or_acq_rel(word(), 0xaa00); }
static void both_are_there(void) { model_check(*word() == 0xaa55); }

const model_scenario scenes_record[] = {
    {.name = "record: a change, and a snapshot",
     .setup = setup,
     .threads = {change_0, snapshot_1},
     .finish = at_rest,
     .sc = true,
     .marks = FIRST | SECOND | REFUSED},
    {.name = "record: a change, and two snapshots",
     .setup = setup,
     .threads = {change_0, snapshots_1},
     .finish = at_rest,

     .marks = FIRST | BOTH},
    {.name = "record: a change that is taken back, and a snapshot",
     .setup = setup,
     .threads = {change_and_undo_0, snapshot_1},
     .finish = taken_back,

     .marks = FIRST | REFUSED},
    {.name = "record: two changes, and a snapshot",
     .setup = setup,
     .threads = {change_0, snapshot_1, change_2},
     .finish = at_rest,

     .marks = FIRST | SECOND | REFUSED},
    {.name = "record: two changes", .setup = setup, .threads = {change_0, change_2}, .finish = at_rest, .sc = true},
    {.name = "record: one dies in a change",
     .setup = setup,
     .threads = {change_0, lock_behind_a_dead_one},
     .finish = all_is_made,
     .mortal = 1,
     .marks = FIRST | SECOND},
    {.name = "record: one dies in a change, and a snapshot",
     .setup = setup,
     .threads = {change_0, snapshot_1},
     .mortal = 1,

     .marks = FIRST | SECOND | REFUSED},
    {.name = "record: one dies in undoing what a dead one has begun",
     .setup = setup_half_done,
     .threads = {lock_and_unlock_0, lock_behind_two},
     .finish = taken_back,
     .mortal = 1,
     .marks = FIRST},
    {.name = "record: one dies in a snapshot behind a dead one",
     .setup = setup_half_done,
     .threads = {snapshot_and_die_0, lock_behind_two},
     .finish = taken_back,
     .mortal = 1,
     .marks = FIRST},
    {.name = "record: a lock and a snapshot behind a dead one",
     .setup = setup_half_done,
     .threads = {lock_or_not_0, snapshot_behind_a_dead_one},
     .finish = taken_back,
     .marks = FIRST | SECOND | REFUSED},
    {.name = "record: a byte of a word, and its neighbour",
     .setup = setup,
     .threads = {change_byte, change_neighbour},
     .finish = both_are_there,
     .sc = true},
    {.name = NULL}};
