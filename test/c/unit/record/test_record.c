/* Records, step by step: what is made, changed, taken back, seen and refused. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "sabway/record.h"

#include <pthread.h>
#include <sched.h>

#include "../heap/heap_helper.h"
#include "sabway/mutex.h"
#include "sabway/object.h"
#include "sabway/registry.h"
#include "sabway/string.h"

enum { TYPE = SW_TYPE_RECORD, BYTES = 40, ROOM = 4 };

static heap_scene s;
static sw_heap other; /* of the same process */
static uint32_t at, generation;

static const sw_record_plan PLAN = {.shape = {11, 22}, .rows = 1, .bytes = BYTES, .room = ROOM};

static int begin(void **state) {
  (void)state;
  heap_scene_open(&s, SMALL_REGION);
  heap_open(&other, &s.r);
  at = sw_record_new(&s.h, TYPE, &PLAN);
  assert_int_not_equal(at, 0);
  assert_int_equal(sw_object_type(&s.h, at, &generation), TYPE);
  return 0;
}

static int end(void **state) {
  (void)state;
  assert_int_equal(sw_heap_check(&s.h), SW_OK);
  heap_scene_close(&s);
  return 0;
}

static sw_record *record(void) { return (sw_record *)(void *)(s.r.base + at); }
static uint8_t *fields(void) { return s.r.base + record()->data; }
static uint32_t word(uint32_t offset) {
  uint32_t value;
  memcpy(&value, fields() + offset, 4);
  return value;
}
static int lock(sw_heap *h) { return sw_record_try_lock(h, at, TYPE, generation); }
static int write32(uint32_t offset, uint32_t width, uint32_t value) {
  return sw_record_write32(&s.h, at, offset, width, value);
}
static int write64(uint32_t offset, uint32_t low, uint32_t high) {
  return sw_record_write64(&s.h, at, offset, low, high);
}
static int see(sw_heap *h, uint64_t all[BYTES / 8]) {
  static const sw_piece ALL = {0, BYTES};
  return sw_record_snapshot(h, at, TYPE, generation, &ALL, 1, all);
}

static void a_record_is_zero_at_first(void **state) {
  (void)state;
  assert_int_equal(record()->data % SW_LINE, 0);
  for (uint32_t i = 0; i < BYTES; i++) assert_int_equal(fields()[i], 0);
  assert_int_equal(record()->alive, SW_RECORD_ALIVE ^ generation);
  assert_int_equal(sw_record_check(&s.h, at), SW_OK);
  assert_int_equal(sw_record_open(&s.h, at, TYPE, generation, &PLAN), SW_OK);
}

static void a_record_is_told_from_others(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(PLAN) / 4; i++) {
    sw_record_plan plan = PLAN;
    ((uint32_t *)(void *)&plan)[i]++;
    assert_int_equal(sw_record_open(&s.h, at, TYPE, generation, &plan), SW_EKIND);
  }
  assert_int_equal(sw_record_open(&s.h, at, SW_TYPE_RECORDS, generation, &PLAN), SW_EKIND);
  assert_int_equal(sw_record_open(&s.h, at, TYPE, generation + 1, &PLAN), SW_EFREED);
  assert_int_equal(sw_record_open(&s.h, at + 16, TYPE, generation, &PLAN), SW_EFREED);
  assert_int_equal(sw_record_open(&s.h, 8, TYPE, generation, &PLAN), SW_EWILD);
}

static void a_plan_that_cannot_be_is_refused(void **state) {
  (void)state;
  static const struct {
    uint32_t bytes, room;
  } BAD[] = {
      {0, 1},          {4, 1},
      {12, 1},         {0xf0000008, 0},
      {0xfffffff8, 0}, {8, (1 << 20) + 1},
      {8, UINT32_MAX}, {0xf0000000, 1 << 20},
  };
  for (size_t i = 0; i < sizeof(BAD) / sizeof(*BAD); i++) {
    sw_record_plan plan = PLAN;
    plan.bytes = BAD[i].bytes;
    plan.room = BAD[i].room;
    assert_int_equal(sw_record_new(&s.h, TYPE, &plan), 0);
    assert_true(s.h.status == SW_ERANGE || s.h.status == SW_EHEAPFULL);
  }
  sw_record_plan large = PLAN;
  large.bytes = SMALL_REGION;
  assert_int_equal(sw_record_new(&s.h, TYPE, &large), 0);
  assert_int_equal(s.h.status, SW_EHEAPFULL);
}

static void a_change_of_each_width_is_made(void **state) {
  (void)state;
  memset(fields(), 0xee, BYTES);
  assert_int_equal(lock(&s.h), SW_OK);
  assert_int_equal(write32(1, 1, 0x11), SW_OK);
  assert_int_equal(write32(6, 2, 0x2233), SW_OK);
  assert_int_equal(write32(8, 4, 0x44556677), SW_OK);
  assert_int_equal(write64(16, 0x8899aabb, 0xccddeeff), SW_OK);
  assert_int_equal(record()->undo, 4);
  assert_int_equal(record()->version % 2, 1);
  assert_int_equal(sw_record_check(&s.h, at), SW_OK);
  assert_int_equal(sw_record_unlock(&s.h, at), SW_OK);
  static const uint8_t WANTED[24] = {0xee, 0x11, 0xee, 0xee, 0xee, 0xee, 0x33, 0x22, 0x77, 0x66, 0x55, 0x44,
                                     0xee, 0xee, 0xee, 0xee, 0xbb, 0xaa, 0x99, 0x88, 0xff, 0xee, 0xdd, 0xcc};
  assert_memory_equal(fields(), WANTED, 24);
  for (uint32_t i = 24; i < BYTES; i++) assert_int_equal(fields()[i], 0xee);
  assert_int_equal(record()->undo, 0);
  assert_int_equal(record()->version, 2);
  assert_int_equal(sw_mutex_holder(&record()->object.lock), 0);
}

/* Also what has been written twice; and only that: a neighbour that another writes meanwhile
 * stays. */
static void a_change_is_taken_back(void **state) {
  (void)state;
  memset(fields(), 0xee, BYTES);
  assert_int_equal(lock(&s.h), SW_OK);
  for (uint32_t i = 0; i < 3; i++) {
    assert_int_equal(write32(1, 1, i), SW_OK);
    assert_int_equal(write32(6, 2, i), SW_OK);
    assert_int_equal(write32(8, 4, i), SW_OK);
    assert_int_equal(write64(16, i, i), SW_OK);
  }
  assert_int_equal(record()->undo, 4); /* each once */
  fields()[0] = 1;
  fields()[12] = 2;
  assert_int_equal(sw_record_undo(&s.h, at), SW_OK);
  for (uint32_t i = 0; i < BYTES; i++) assert_int_equal(fields()[i], i == 0 ? 1 : i == 12 ? 2 : 0xee);
  assert_int_equal(record()->undo, 0);
  assert_int_equal(record()->version, 2);
  assert_int_equal(sw_mutex_holder(&record()->object.lock), s.h.role);
  assert_int_equal(write32(0, 4, 5), SW_OK);
  assert_int_equal(sw_record_unlock(&s.h, at), SW_OK);
  assert_int_equal(word(0), 5);
}

/* What is made is not taken back, and what comes behind it is. */
static void a_commit_is_the_end_of_a_change(void **state) {
  (void)state;
  assert_int_equal(lock(&s.h), SW_OK);
  assert_int_equal(write32(0, 4, 1), SW_OK);
  assert_int_equal(sw_record_commit(&s.h, at), SW_OK);
  assert_int_equal(record()->version, 2);
  assert_int_equal(write32(0, 4, 2), SW_OK);
  assert_int_equal(sw_record_undo(&s.h, at), SW_OK);
  assert_int_equal(word(0), 1);
  assert_int_equal(sw_record_unlock(&s.h, at), SW_OK);
  assert_int_equal(record()->version, 4);
}

static void a_full_log_refuses_the_next_field(void **state) {
  (void)state;
  assert_int_equal(lock(&s.h), SW_OK);
  for (uint32_t i = 0; i < ROOM; i++) assert_int_equal(write32(4 * i, 4, i + 1), SW_OK);
  assert_int_equal(write32(32, 4, 9), SW_EUNDO);
  assert_int_equal(word(32), 0);
  assert_int_equal(write32(0, 4, 7), SW_OK);    /* it is in the log */
  assert_int_equal(write32(0, 2, 8), SW_EUNDO); /* as another field it is not */
  assert_int_equal(sw_record_undo(&s.h, at), SW_OK);
  for (uint32_t i = 0; i < ROOM; i++) assert_int_equal(word(4 * i), 0);
  assert_int_equal(write32(32, 4, 9), SW_OK);
  assert_int_equal(sw_record_unlock(&s.h, at), SW_OK);
  assert_int_equal(word(32), 9);
}

static void only_the_holder_changes_fields_that_there_are(void **state) {
  (void)state;
  assert_int_equal(write32(0, 4, 1), SW_ESTATE);
  assert_int_equal(sw_record_undo(&s.h, at), SW_ESTATE);
  assert_int_equal(sw_record_commit(&s.h, at), SW_ESTATE);
  assert_int_equal(sw_record_unlock(&s.h, at), SW_ESTATE);
  assert_int_equal(lock(&other), SW_OK);
  assert_int_equal(lock(&other), SW_ESTATE);
  assert_int_equal(lock(&s.h), SW_EBUSY);
  assert_int_equal(write32(0, 4, 1), SW_ESTATE);
  assert_int_equal(sw_record_unlock(&s.h, at), SW_ESTATE);
  assert_int_equal(sw_record_unlock(&other, at), SW_OK);
  assert_int_equal(lock(&s.h), SW_OK);
  static const struct {
    uint32_t offset, width;
  } BAD[] = {{BYTES, 1}, {BYTES, 4}, {2, 4}, {1, 2}, {0, 3}, {0, 0}, {0, 8}, {UINT32_MAX, 1}, {UINT32_MAX - 3, 4}};
  for (size_t i = 0; i < sizeof(BAD) / sizeof(*BAD); i++) {
    assert_int_equal(write32(BAD[i].offset, BAD[i].width, 1), SW_ERANGE);
  }
  assert_int_equal(write64(BYTES, 1, 1), SW_ERANGE);
  assert_int_equal(write64(4, 1, 1), SW_ERANGE);
  assert_int_equal(write64(BYTES - 8, 1, 1), SW_OK);
  assert_int_equal(sw_record_unlock(&s.h, at), SW_OK);
}

static void a_snapshot_is_of_no_change_under_way(void **state) {
  (void)state;
  uint64_t all[BYTES / 8];
  fields()[3] = 9;
  assert_int_equal(see(&other, all), SW_OK);
  assert_int_equal(all[0], 0x09000000);
  assert_int_equal(lock(&s.h), SW_OK);
  assert_int_equal(see(&other, all), SW_OK); /* nothing is changed yet */
  assert_int_equal(write32(0, 4, 1), SW_OK);
  assert_int_equal(see(&other, all), SW_EBUSY);
  assert_int_equal(see(&s.h, all), SW_OK); /* its own */
  assert_int_equal(all[0], 1);
  assert_int_equal(sw_record_unlock(&s.h, at), SW_OK);
  assert_int_equal(see(&other, all), SW_OK);
  assert_int_equal(all[0], 1);
}

static void a_snapshot_has_the_pieces_that_are_asked_for(void **state) {
  (void)state;
  for (uint32_t i = 0; i < BYTES; i++) fields()[i] = (uint8_t)i;
  uint8_t seen[64];
  memset(seen, 0xee, sizeof(seen));
  /* the words of 8 bytes that each is in, also when it is in two */
  static const sw_piece PIECES[] = {{32, 8}, {3, 1}, {6, 4}, {8, 0}, {BYTES, 0}};
  assert_int_equal(sw_record_snapshot(&s.h, at, TYPE, generation, PIECES, 5, seen), SW_OK);
  for (uint32_t i = 0; i < 8; i++) assert_int_equal(seen[i], 32 + i);
  for (uint32_t i = 0; i < 8; i++) assert_int_equal(seen[8 + i], i);
  for (uint32_t i = 0; i < 16; i++) assert_int_equal(seen[16 + i], i);
  for (uint32_t i = 32; i < 64; i++) assert_int_equal(seen[i], 0xee);
  static const sw_piece BAD[] = {{0, BYTES + 1}, {BYTES, 1}, {BYTES + 8, 0}, {UINT32_MAX, 1}, {8, UINT32_MAX}};
  for (size_t i = 0; i < sizeof(BAD) / sizeof(*BAD); i++) {
    assert_int_equal(sw_record_snapshot(&s.h, at, TYPE, generation, &BAD[i], 1, seen), SW_ERANGE);
  }
}

/* Endpoint claims that end while they hold the lock. */
static void die(sw_heap *h) { sw_endpoint_release(s.r.base, h->endpoint); }

static void the_next_holder_takes_back_what_a_dead_one_began(void **state) {
  (void)state;
  memset(fields(), 0xee, BYTES);
  for (int evicted = 0; evicted < 2; evicted++) {
    sw_heap mortal;
    heap_open(&mortal, &s.r);
    assert_int_equal(lock(&mortal), SW_OK);
    assert_int_equal(sw_record_write32(&mortal, at, 0, 4, 1), SW_OK);
    assert_int_equal(sw_record_write32(&mortal, at, 5, 1, 1), SW_OK);
    uint32_t role = mortal.role;
    if (evicted) sw_region_evict_role(s.r.base, s.r.size, role);
    die(&mortal);
    assert_int_equal(lock(&s.h), SW_OK);
    for (uint32_t i = 0; i < BYTES; i++) assert_int_equal(fields()[i], 0xee);
    assert_int_equal(record()->undo, 0);
    assert_int_equal(record()->version % 2, 0);
    assert_int_equal(sw_record_unlock(&s.h, at), SW_OK);
    assert_int_equal(lock(&other), SW_OK); /* not inherited any more */
    assert_int_equal(sw_record_unlock(&other, at), SW_OK);
  }
}

static void a_snapshot_takes_back_what_a_dead_one_began(void **state) {
  (void)state;
  sw_heap mortal;
  uint64_t all[BYTES / 8];
  heap_open(&mortal, &s.r);
  assert_int_equal(lock(&mortal), SW_OK);
  assert_int_equal(sw_record_write32(&mortal, at, 0, 4, 1), SW_OK);
  die(&mortal);
  assert_int_equal(see(&s.h, all), SW_OK);
  assert_int_equal(all[0], 0);
  assert_int_equal(sw_mutex_holder(&record()->object.lock), 0);
}

/* A host that waits for the lock as for any mutex has it, and says how. */
static void a_host_that_waits_says_how_it_got_the_lock(void **state) {
  (void)state;
  sw_heap mortal;
  heap_open(&mortal, &s.r);
  assert_int_equal(lock(&mortal), SW_OK);
  assert_int_equal(sw_record_write32(&mortal, at, 0, 4, 1), SW_OK);
  die(&mortal);
  sw_mutex *mutex = &record()->object.lock;
  assert_int_equal(sw_mutex_try_lock(s.r.base, mutex, s.h.endpoint), SW_EOWNERDEAD);
  assert_int_equal(sw_record_locked(&s.h, at, TYPE, generation, 1), SW_OK);
  assert_int_equal(word(0), 0);
  assert_int_equal(sw_record_unlock(&s.h, at), SW_OK);
  assert_int_equal(sw_mutex_try_lock(s.r.base, mutex, s.h.endpoint), SW_OK);
  assert_int_equal(sw_record_locked(&s.h, at, TYPE, generation, 0), SW_OK);
  assert_int_equal(sw_record_unlock(&s.h, at), SW_OK);
  assert_int_equal(sw_mutex_try_lock(s.r.base, mutex, s.h.endpoint), SW_OK);
  assert_int_equal(sw_record_locked(&s.h, at, TYPE, generation + 1, 0), SW_EFREED);
  assert_int_equal(sw_mutex_holder(mutex), 0); /* it was given back */
}

static void a_log_that_was_destroyed_poisons_the_lock(void **state) {
  (void)state;
  sw_heap mortal;
  uint64_t all[BYTES / 8];
  heap_open(&mortal, &s.r);
  assert_int_equal(lock(&mortal), SW_OK);
  assert_int_equal(sw_record_write32(&mortal, at, 0, 4, 1), SW_OK);
  ((sw_undo *)(void *)(fields() + (BYTES + 15) / 16 * 16))->width = 5;
  assert_int_equal(sw_record_check(&s.h, at), SW_ECORRUPT);
  die(&mortal);
  assert_int_equal(lock(&s.h), SW_ECORRUPT);
  assert_int_equal(lock(&s.h), SW_EPOISONED);
  assert_int_equal(see(&s.h, all), SW_EPOISONED);
  assert_int_equal(sw_record_free(&s.h, at, TYPE, generation), SW_OK);
}

static void a_freed_record_is_none(void **state) {
  (void)state;
  uint64_t all[BYTES / 8], blocks = heap_stats(&s.h).blocks;
  assert_int_equal(lock(&other), SW_OK);
  assert_int_equal(sw_record_free(&s.h, at, TYPE, generation), SW_EBUSY);
  assert_int_equal(sw_record_free(&other, at, TYPE, generation), SW_ESTATE);
  assert_int_equal(sw_record_unlock(&other, at), SW_OK);
  assert_int_equal(sw_record_free(&s.h, at, TYPE, generation + 1), SW_EFREED);
  assert_int_equal(sw_record_free(&s.h, at, SW_TYPE_RECORDS, generation), SW_EKIND);
  assert_int_equal(sw_record_free(&s.h, at, TYPE, generation), SW_OK);
  assert_int_equal(heap_stats(&s.h).blocks, blocks - 1); /* the control block is one for good */
  assert_int_equal(record()->alive, 0);
  assert_int_equal(sw_record_free(&s.h, at, TYPE, generation), SW_EFREED);
  assert_int_equal(lock(&s.h), SW_EFREED);
  assert_int_equal(see(&s.h, all), SW_EFREED);
  assert_int_not_equal(write32(0, 4, 1), SW_OK);
  /* the next one has the control block, and is another */
  sw_record_plan next = PLAN;
  next.bytes = 8;
  assert_int_equal(sw_record_new(&s.h, TYPE, &next), at);
  assert_int_equal(lock(&s.h), SW_EFREED);
  assert_int_equal(record()->alive, SW_RECORD_ALIVE ^ (generation + 1));
  assert_int_equal(sw_record_try_lock(&s.h, at, TYPE, generation + 1), SW_OK);
  assert_int_equal(sw_record_unlock(&s.h, at), SW_OK);
}

/* What a dead holder has is freed, too. */
static void a_dead_ones_record_is_freed(void **state) {
  (void)state;
  sw_heap mortal;
  heap_open(&mortal, &s.r);
  assert_int_equal(lock(&mortal), SW_OK);
  assert_int_equal(sw_record_write32(&mortal, at, 0, 4, 1), SW_OK);
  die(&mortal);
  assert_int_equal(sw_record_free(&s.h, at, TYPE, generation), SW_OK);
}

/* ---- texts ---- */

enum { TEXT = 0, OTHER_TEXT = 8 };

/* A record with two texts, in place of the first one. */
static void with_texts(void) {
  assert_int_equal(sw_record_free(&s.h, at, TYPE, generation), SW_OK);
  sw_record_plan plan = PLAN;
  plan.texts = 2;
  plan.text_row = BYTES;
  plan.text_step = 8;
  at = sw_record_new(&s.h, TYPE, &plan);
  assert_int_equal(sw_object_type(&s.h, at, &generation), TYPE);
}
static uint32_t text(void) {
  uint32_t block = sw_string_alloc(&s.h, 20);
  assert_int_not_equal(block, 0);
  return block;
}
static uint64_t blocks(void) { return heap_stats(&s.h).blocks; }
static int set_text(sw_heap *h, uint32_t offset, uint32_t block) {
  return sw_record_set_text(h, at, TYPE, generation, offset, block);
}

static void a_text_is_replaced_and_freed(void **state) {
  (void)state;
  with_texts();
  uint64_t before = blocks();
  uint32_t first = text(), second = text();
  assert_int_equal(set_text(&s.h, TEXT, first), SW_OK);
  assert_int_equal(word(TEXT), first);
  assert_int_equal(word(TEXT + 4), 1);
  assert_int_equal(set_text(&other, TEXT, second), SW_OK);
  assert_int_equal(word(TEXT), second);
  assert_int_equal(word(TEXT + 4), 2);
  assert_int_equal(blocks(), before + 1);
  assert_int_equal(set_text(&s.h, TEXT, 0), SW_OK);
  assert_int_equal(blocks(), before);
  assert_int_equal(word(TEXT + 4), 3);
  assert_int_equal(lock(&other), SW_OK);
  assert_int_equal(set_text(&s.h, TEXT, 0), SW_EBUSY);
  assert_int_equal(set_text(&other, TEXT, 0), SW_ESTATE);
  assert_int_equal(sw_record_write_text(&s.h, at, TEXT, 0), SW_ESTATE);
  assert_int_equal(sw_record_write_text(&other, at, BYTES, 0), SW_ERANGE);
  assert_int_equal(sw_record_write_text(&other, at, TEXT + 4, 0), SW_ERANGE);
  assert_int_equal(sw_record_unlock(&other, at), SW_OK);
  assert_int_equal(set_text(&s.h, TEXT, text()), SW_OK);
  assert_int_equal(set_text(&s.h, OTHER_TEXT, text()), SW_OK);
  assert_int_equal(sw_record_free(&s.h, at, TYPE, generation), SW_OK);
  assert_int_equal(blocks(), before - 1);
}

/* The first text is there again, and those of the change are freed. */
static void a_text_is_taken_back(void **state) {
  (void)state;
  with_texts();
  uint32_t first = text();
  assert_int_equal(set_text(&s.h, TEXT, first), SW_OK);
  uint64_t before = blocks();
  for (int dies = 0; dies < 2; dies++) {
    sw_heap mortal;
    heap_open(&mortal, &s.r);
    sw_heap *h = dies ? &mortal : &s.h;
    assert_int_equal(lock(h), SW_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(sw_record_write_text(h, at, TEXT, text()), SW_OK);
    assert_int_equal(sw_record_write_text(h, at, OTHER_TEXT, text()), SW_OK);
    assert_int_equal(sw_record_write64(h, at, 16, 1, 1), SW_OK);
    assert_int_equal(record()->undo, 3);
    assert_int_equal(blocks(), before + 2);
    assert_int_equal(sw_record_check(&s.h, at), SW_OK);
    uint32_t version = word(TEXT + 4);
    if (dies) die(&mortal);
    else assert_int_equal(sw_record_undo(&s.h, at), SW_OK);
    if (dies) assert_int_equal(lock(&s.h), SW_OK);
    assert_int_equal(word(TEXT), first);
    assert_int_equal(word(TEXT + 4), version + 1); /* a late reader is not taken in */
    assert_int_equal(word(OTHER_TEXT), 0);
    assert_int_equal(word(16), 0);
    assert_int_equal(blocks(), before);
    assert_int_equal(sw_record_unlock(&s.h, at), SW_OK);
  }
  /* and a change that is made frees the ones of before */
  assert_int_equal(lock(&s.h), SW_OK);
  for (int i = 0; i < 3; i++) assert_int_equal(sw_record_write_text(&s.h, at, TEXT, text()), SW_OK);
  assert_int_equal(sw_record_unlock(&s.h, at), SW_OK);
  assert_int_equal(blocks(), before);
  assert_int_equal(sw_heap_usable(&s.h, word(TEXT)) != 0, 1);
}

static void a_full_log_refuses_a_text(void **state) {
  (void)state;
  with_texts();
  assert_int_equal(lock(&s.h), SW_OK);
  for (uint32_t i = 0; i < ROOM; i++) assert_int_equal(write32(16 + 4 * i, 4, 1), SW_OK);
  uint32_t block = text();
  assert_int_equal(sw_record_write_text(&s.h, at, TEXT, block), SW_EUNDO);
  assert_int_equal(word(TEXT), 0);
  assert_int_equal(sw_record_undo(&s.h, at), SW_OK);
  assert_int_equal(sw_record_write_text(&s.h, at, TEXT, block), SW_OK);
  assert_int_equal(sw_record_unlock(&s.h, at), SW_OK);
}

/* ---- threads ---- */

enum { CHANGES = 20000 };

typedef struct counter {
  sw_heap heap;
  uint32_t made, taken_back, seen, wrong;
  pthread_t thread;
} counter;

/* Both words of the record are the same between two changes; a part of them is taken back. */
static void *count(void *context) {
  counter *c = context;
  uint64_t all[BYTES / 8];
  for (uint32_t i = 0; i < CHANGES;) {
    if (sw_record_snapshot(&c->heap, at, TYPE, generation, &(sw_piece){0, BYTES}, 1, all) == SW_OK) {
      c->seen++;
      if ((uint32_t)all[0] != (uint32_t)(all[0] >> 32) || all[1] != (uint32_t)all[0]) c->wrong++;
    }
    if (sw_record_try_lock(&c->heap, at, TYPE, generation) != SW_OK) {
      sched_yield();
      continue;
    }
    uint32_t value = sw_load_relaxed((uint32_t *)(void *)fields()) + 1;
    sw_record_write32(&c->heap, at, 0, 4, value);
    sw_record_write32(&c->heap, at, 4, 4, value);
    sw_record_write64(&c->heap, at, 8, value, 0);
    if (i % 3 == 0) {
      sw_record_undo(&c->heap, at);
      c->taken_back++;
    } else {
      c->made++;
    }
    if (sw_record_unlock(&c->heap, at) != SW_OK) c->wrong++;
    i++;
  }
  return NULL;
}

static void threads_make_whole_changes(void **state) {
  (void)state;
  counter counters[4];
  memset(counters, 0, sizeof(counters));
  for (int i = 0; i < 4; i++) heap_open(&counters[i].heap, &s.r);
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&counters[i].thread, NULL, count, &counters[i]), 0);
  uint32_t made = 0, seen = 0;
  for (int i = 0; i < 4; i++) {
    pthread_join(counters[i].thread, NULL);
    assert_int_equal(counters[i].wrong, 0);
    made += counters[i].made;
    seen += counters[i].seen;
  }
  assert_int_equal(word(0), made);
  assert_true(seen > 0);
  assert_int_equal(sw_record_check(&s.h, at), SW_OK);
}

/* Replaces both texts by ones with the same letters; a third of the changes are taken back. */
static void *rename_it(void *context) {
  counter *c = context;
  for (uint32_t i = 0; i < CHANGES / 8;) {
    if (sw_record_try_lock(&c->heap, at, TYPE, generation) != SW_OK) {
      sched_yield();
      continue;
    }
    uint32_t letter = 'a' + i % 26;
    for (uint32_t offset = TEXT; offset <= OTHER_TEXT; offset += OTHER_TEXT - TEXT) {
      uint32_t block = 0;
      while (block == 0) block = sw_string_alloc(&c->heap, 1 + letter);
      memset(s.r.base + block + offsetof(sw_text, bytes), (int)letter, 1 + letter);
      if (sw_record_write_text(&c->heap, at, offset, block) != SW_OK) c->wrong++;
    }
    uint32_t first = sw_load_relaxed((uint32_t *)(void *)(fields() + TEXT));
    uint32_t second = sw_load_relaxed((uint32_t *)(void *)(fields() + OTHER_TEXT));
    if (s.r.base[first + offsetof(sw_text, bytes)] != s.r.base[second + offsetof(sw_text, bytes)]) c->wrong++;
    if (i % 3 == 0) sw_record_undo(&c->heap, at);
    if (sw_record_unlock(&c->heap, at) != SW_OK) c->wrong++;
    i++;
  }
  return NULL;
}

static void threads_replace_texts_and_lose_none(void **state) {
  (void)state;
  with_texts();
  uint64_t before = blocks();
  counter counters[4];
  memset(counters, 0, sizeof(counters));
  for (int i = 0; i < 4; i++) heap_open(&counters[i].heap, &s.r);
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&counters[i].thread, NULL, rename_it, &counters[i]), 0);
  for (int i = 0; i < 4; i++) {
    pthread_join(counters[i].thread, NULL);
    assert_int_equal(counters[i].wrong, 0);
  }
  assert_int_equal(blocks(), before + 2);
  assert_int_equal(sw_record_check(&s.h, at), SW_OK);
}

#define RECORD_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
TESTS(RECORD_TEST(a_record_is_zero_at_first), RECORD_TEST(a_record_is_told_from_others),
      RECORD_TEST(a_plan_that_cannot_be_is_refused), RECORD_TEST(a_change_of_each_width_is_made),
      RECORD_TEST(a_change_is_taken_back), RECORD_TEST(a_commit_is_the_end_of_a_change),
      RECORD_TEST(a_full_log_refuses_the_next_field), RECORD_TEST(only_the_holder_changes_fields_that_there_are),
      RECORD_TEST(a_snapshot_is_of_no_change_under_way), RECORD_TEST(a_snapshot_has_the_pieces_that_are_asked_for),
      RECORD_TEST(the_next_holder_takes_back_what_a_dead_one_began),
      RECORD_TEST(a_snapshot_takes_back_what_a_dead_one_began), RECORD_TEST(a_host_that_waits_says_how_it_got_the_lock),
      RECORD_TEST(a_log_that_was_destroyed_poisons_the_lock), RECORD_TEST(a_freed_record_is_none),
      RECORD_TEST(a_dead_ones_record_is_freed), RECORD_TEST(a_text_is_replaced_and_freed),
      RECORD_TEST(a_text_is_taken_back), RECORD_TEST(a_full_log_refuses_a_text),
      RECORD_TEST(threads_make_whole_changes), RECORD_TEST(threads_replace_texts_and_lose_none));
