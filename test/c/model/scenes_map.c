/* The map: readers see what was there at some moment of the call, one exchange decides a change,
 * growth loses and invents nothing, and a death leaves the map whole.
 *
 * The heap is the last 64 KiB of the region. Thread n is process n + 1, endpoint n, and has a
 * handle of its own. The table has one bucket, or it grows to two. */
#include <string.h>

#include "core/map/map.h"
#include "scenes.h"

enum { THREADS = 3, BEFORE = 100, NOTHING = -1, MARKS = 4096 };

static struct {
  sw_heap heap[THREADS];
  sw_map_handle map[THREADS];
  uint32_t at;
  double key[2]; /* of the two children: hash bit 0 is its index */
  int got[THREADS];
  uint32_t puts[THREADS]; /* that have returned */
  uint32_t ended;         /* bit n: thread n ran to its end */
} s;

static uint8_t *base(void) { return model_region(); }

/* ---- setup ---- */

/* A table of one bucket in place of the one that the map was made with. */
static void setup_flags(uint32_t flags) {
  world_empty();
  memset(&s, 0, sizeof(s));
  model_snapshot(&s, sizeof(s));
  model_check(sw_region_format_empty(base(), MODEL_REGION_PAGES, SW_HEAP_AT) == SW_OK);
  model_check(sw_heap_format(base(), SW_HEAP_AT, REGION_BYTES) == SW_OK);
  for (uint32_t i = 0; i < THREADS; i++) {
    model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
    model_check(sw_heap_open(&s.heap[i], base(), REGION_BYTES, SW_HEAP_AT, i) == SW_OK);
    s.heap[i].shares = 0; /* slabs have owners, as in a large heap */
  }
  s.at = sw_map_new(&s.heap[0], &(sw_map_options){.flags = flags, .most = 1});
  model_check(s.at != 0 && sw_map_open(&s.map[0], &s.heap[0], s.at, 0) == SW_OK);
  uint32_t table = swi_table_new(&s.map[0], 0, 0, true);
  s.map[0].map->object.root = (s.map[0].map->object.root >> 32) << 32 | table;
  for (uint32_t i = 0; i < THREADS; i++) {
    model_check(sw_map_open(&s.map[i], &s.heap[i], s.at, 0) == SW_OK);
    s.map[i].until = 1000; /* it does not count, so it does not grow */
  }
  for (uint32_t found = 0, key = 1; found != 3; key++) {
    uint32_t side = swi_key_number(&s.map[0], key).hash & 1;
    if ((found >> side & 1) == 0) s.key[side] = key;
    found |= 1u << side;
  }
}

static void put_first(uint32_t side) { model_check(sw_map_put_number(&s.map[0], s.key[side], BEFORE + side) == 1); }

/* Each handle has a block of 16 bytes and one of 32, so that the heap's words are not in the way.
 * */
static void settle(void) {
  sw_map_close(&s.map[0]);
  for (uint32_t i = 0; i < THREADS; i++) {
    for (uint32_t k = 0; k < 2; k++) {
      s.map[i].spare[k] = sw_heap_alloc(&s.heap[0], 16 * (k + 1));
      model_check(s.map[i].spare[k] != 0);
    }
  }
}

static void setup_empty(void) {
  setup_flags(0);
  settle();
}

static void setup_one(void) {
  setup_flags(SW_MAP_F64);
  put_first(0);
  settle();
}

static void setup_two(void) {
  setup_flags(SW_MAP_F64);
  put_first(0);
  put_first(1);
  settle();
}

/* The table grows: its bucket is as it was, and its children are unborn. */
static void grow(void) {
  sw_map_table *table = (void *)(base() + s.map[0].table);
  uint32_t next = swi_table_new(&s.map[0], 1, s.map[0].table, false);
  table->next = swi_word_owned(s.map[0].table, next);
}

static void setup_one_grows(void) {
  setup_one();
  grow();
}

static void setup_two_grow(void) {
  setup_two();
  grow();
}

static void setup_empty_grows(void) {
  setup_empty();
  grow();
}

static void put_text(int thread, double value) {
  int status = sw_map_put(&s.map[thread], SW_MAP_STRING, "k", 1, SW_MAP_NUMBER, &value, 8, SW_MAP_SET);
  model_check(status == 1 || status == 2);
}

static void setup_text(void) {
  setup_flags(0);
  put_text(0, BEFORE);
  settle();
}

/* ---- threads ---- */

static int put(int thread, uint32_t side, int value) {
  int status = sw_map_put_number(&s.map[thread], s.key[side], value);
  model_check(status == 1 || status == 2);
  s.puts[thread] = (uint32_t)value;
  return status;
}

static void writer_0(void) { model_mark(put(0, 0, 1) == 2 ? FIRST : SECOND), s.ended |= 1; }
static void writer_1(void) { put(1, 0, 2), s.ended |= 2; }
/* The second change is filled into the block that the first has taken away. */
static void writer_again(void) {
  put(0, 0, 1);
  s.map[0].until = 1000;
  put(0, 0, 2);
  s.ended |= 1;
}
static void writer_of_the_other(void) { put(1, 1, 11), s.ended |= 2; }

static int read_side(int thread, uint32_t side) {
  double value = sw_map_get_number(&s.map[thread], s.key[side]);
  if (value == value) return (int)value;
  model_check(s.map[thread].status == 0);
  return NOTHING;
}

static void reader(void) { s.got[2] = read_side(2, 0), s.ended |= 4; }
/* What is read later was not there before. */
static int rank(int value) { return value == BEFORE ? 0 : value; }
static void reader_twice(void) {
  int before = read_side(2, 0);
  s.got[2] = read_side(2, 0);
  model_check(rank(before) <= rank(s.got[2]));
}
static void reader_of_any_type(void) {
  double before, value;
  model_check(sw_map_get(&s.map[2], SW_MAP_NUMBER, &s.key[0], 8, &before, 8) == SW_MAP_NUMBER);
  model_check(sw_map_get(&s.map[2], SW_MAP_NUMBER, &s.key[0], 8, &value, 8) == SW_MAP_NUMBER);
  s.got[2] = (int)value;
  model_check(rank((int)before) <= rank(s.got[2]));
}
/* As the calls for numbers, which have a way of their own. */
static void put_any(int thread, uint32_t side, double value) {
  const double *key = &s.key[side];
  int status = sw_map_put(&s.map[thread], SW_MAP_NUMBER, key, 8, SW_MAP_NUMBER, &value, 8, SW_MAP_SET);
  model_check(status == 1 || status == 2);
}
static void writer_of_any_type(void) {
  put_any(0, 0, 1);
  s.map[0].until = 1000;
  put_any(0, 0, 2);
}
static void adder_of_any_type(void) { put_any(1, 1, 11); }

static void writer_of_a_text(void) {
  put_text(0, 1);
  put_text(0, 2);
}
static void reader_of_a_text(void) {
  double before, value;
  model_check(sw_map_get(&s.map[2], SW_MAP_STRING, "k", 1, &before, 8) == SW_MAP_NUMBER);
  model_check(sw_map_get(&s.map[2], SW_MAP_STRING, "k", 1, &value, 8) == SW_MAP_NUMBER);
  s.got[2] = (int)value;
  model_check(rank((int)before) <= rank(s.got[2]));
}

static void reader_of_the_other(void) { s.got[2] = read_side(2, 1), s.ended |= 4; }

static void mover(void) {
  swi_table table = swi_table_first(&s.map[1]), next;
  model_check(swi_table_next(&s.map[1], &table, &next) == 1);
  model_check(swi_table_move(&s.map[1], &table, 0, &next) == SW_OK);
  s.ended |= 2;
}

static void mover_0(void) {
  swi_table table = swi_table_first(&s.map[0]), next;
  model_check(swi_table_next(&s.map[0], &table, &next) == 1);
  model_check(swi_table_move(&s.map[0], &table, 0, &next) == SW_OK);
  s.ended |= 1;
}

static void deletes(void) {
  int status = sw_map_delete(&s.map[0], SW_MAP_NUMBER, &s.key[0], 8);
  model_check(status == 1);
  s.ended |= 1;
}

static void inserts(int thread) {
  double value = thread + 1;
  int status = sw_map_put(&s.map[thread], SW_MAP_NUMBER, &s.key[0], 8, SW_MAP_NUMBER, &value, 8, SW_MAP_INSERT);
  model_check(status == 0 || status == 1);
  s.puts[thread] = (uint32_t)status;
  model_mark(status == 1 ? (thread == 0 ? FIRST : SECOND) : REFUSED);
}
static void inserts_0(void) { inserts(0); }
static void inserts_1(void) { inserts(1); }

static void adds_0(void) { sw_map_add_number(&s.map[0], s.key[0], 1); }
static void adds_1(void) { sw_map_add_number(&s.map[1], s.key[0], 2); }

/* Each begins to grow, if the other has not, and moves the bucket. */
static void begins_to_grow(int thread) {
  swi_table_grow(&s.map[thread]);
  put(thread, (uint32_t)thread, thread + 1);
}
static void grower_0(void) { begins_to_grow(0); }
static void grower_1(void) { begins_to_grow(1); }

static void helper_0(void) { swi_table_help(&s.map[0]); }
static void helper_1(void) { swi_table_help(&s.map[1]); }

static void moves_meanwhile(void) {
  swi_table table = swi_table_first(&s.map[1]), next;
  int status = swi_table_next(&s.map[1], &table, &next);
  if (status == 1) status = swi_table_move(&s.map[1], &table, 0, &next);
  model_check(status == SW_OK || status == SW_EFREED);
  model_mark(status == SW_OK ? FIRST : REFUSED);
}

static void frees(void) {
  model_check(sw_map_free(&s.heap[0], s.at, 0) == SW_OK);
  s.ended |= 1;
}

static void writes_meanwhile(void) {
  int status = sw_map_put_number(&s.map[1], s.key[0], 2);
  model_check(status == 2 || status == SW_EFREED);
  model_mark(status == 2 ? FIRST : REFUSED);
}

static void adds_meanwhile(void) {
  int status = sw_map_put_number(&s.map[1], s.key[1], 11);
  model_check(status == 1 || status == SW_EFREED);
  model_mark(status == 1 ? FIRST : REFUSED);
}

static void reads_meanwhile(void) {
  double value = sw_map_get_number(&s.map[2], s.key[0]);
  model_check(value == BEFORE || (value != value && s.map[2].status == SW_EFREED));
  model_mark(value == BEFORE ? SECOND : REFUSED);
}

/* ---- finish ---- */

static int last(uint32_t side) {
  model_check(sw_map_check(&s.map[2]) == SW_OK);
  return read_side(2, side);
}

/* No block of the map is free, and none is there that the map does not lead to, but `lost`. */
static void blocks_add_up(uint32_t lost) {
  /* the control block, and the registry's */
  uint32_t out[SW_MAP_BUCKET_MOST + 3], kept = 0, owned = 2;
  sw_map_block_cursor cursor = {0, 0, 0};
  for (uint32_t t = 0; t < THREADS; t++) {
    for (uint32_t i = 0; i < SW_MAP_SPARES; i++) kept += s.map[t].spare[i] != 0;
  }
  uint32_t marks[MARKS] = {0};
  model_check(sw_heap_marks_bytes(&s.heap[2]) <= sizeof(marks));
  for (int count; (count = sw_map_blocks(&s.heap[2], s.at, &cursor, out, SW_MAP_BUCKET_MOST + 3)) > 0;) {
    for (int i = 0; i < count; i++) {
      int fresh = sw_heap_mark(&s.heap[2], marks, out[i]);
      /* of a bucket that is on its way the entries may be told twice, and be free the one time */
      model_check(fresh >= 0 || (lost != 0 && fresh == SW_EDOUBLEFREE));
      owned += fresh == 1;
    }
  }
  sw_heap_stats stats;
  sw_heap_stats_of(&s.heap[2], &stats);
  uint32_t first = 1; /* the table that the map was made with */
  model_check(stats.blocks >= owned + first + kept && stats.blocks <= owned + first + kept + lost);
}

static void written_by_one(void) {
  int value = last(0);
  model_check(value == 1 || value == 2);
  model_check(s.got[2] == BEFORE || s.got[2] == 1 || s.got[2] == 2);
  model_mark(s.got[2] == BEFORE ? FIRST : s.got[2] == 1 ? SECOND : BOTH);
  blocks_add_up(0);
}

static void written_in_turn(void) {
  model_check(last(0) == 2);
  model_check(s.got[2] == BEFORE || s.got[2] == 1 || s.got[2] == 2);
  model_mark(s.got[2] == BEFORE ? FIRST : s.got[2] == 1 ? SECOND : BOTH);
  blocks_add_up(0);
}

/* The key's neighbour is as it was, whatever happens to the key. */
static void other_is_there(void) {
  model_check(s.got[2] == BEFORE + 1 && last(1) == BEFORE + 1);
  blocks_add_up(0);
}

static void inserted_once(void) {
  model_check(s.puts[0] + s.puts[1] == 1);
  model_check(last(0) == (s.puts[0] == 1 ? 1 : 2));
  blocks_add_up(0);
}

static void both_added(void) {
  model_check(last(0) == BEFORE + 3);
  blocks_add_up(0);
}

static void deleted_or_written(void) {
  int value = last(0);
  model_check(value == NOTHING || value == 2);
  model_check(s.got[2] == BEFORE || s.got[2] == NOTHING || s.got[2] == 2);
  model_mark(value == NOTHING ? FIRST : SECOND);
  model_check(sw_map_size(&s.map[2]) == (value == 2));
  blocks_add_up(0);
}

/* Thread 0 may have died anywhere: its change is there or not. */
static void done_or_not(void) {
  int value = last(0);
  model_check(value == BEFORE || value == 1);
  if ((s.ended & 1) != 0) model_check(value == 1);
  else model_mark(value == 1 ? SECOND : FIRST);
  blocks_add_up((s.ended & 1) != 0 ? 0 : 6);
}

static void whole_behind_a_death(void) {
  model_check(last(1) == 11);
  done_or_not();
}

static void read_behind_a_death(void) {
  model_check(s.got[2] == BEFORE || s.got[2] == 1);
  done_or_not();
}

static void written_behind_a_death(void) {
  model_check(last(0) == BEFORE && last(1) == 11);
  if ((s.ended & 1) == 0) model_mark(FIRST);
  blocks_add_up((s.ended & 1) != 0 ? 0 : 3);
}

static void moved_behind_a_death(void) {
  model_check(s.got[2] == BEFORE);
  written_behind_a_death();
}

/* What a child gets whose parent has nothing for it. */
static void other_is_added(void) {
  model_check(last(1) == 11 && (s.got[2] == NOTHING || s.got[2] == 11));
  model_mark(s.got[2] == 11 ? SECOND : FIRST);
  blocks_add_up(0);
}
static void other_is_added_to_one(void) {
  model_check(last(0) == BEFORE);
  other_is_added();
}

static void both_are_put(void) {
  model_check(last(0) == 2 && last(1) == 11 && sw_map_size(&s.map[2]) == 2);
  model_check(s.got[2] == BEFORE || s.got[2] == 1 || s.got[2] == 2);
  blocks_add_up(0);
}

static void text_is_put(void) {
  double value;
  model_check(sw_map_get(&s.map[1], SW_MAP_STRING, "k", 1, &value, 8) == SW_MAP_NUMBER && value == 2);
  model_mark(s.got[2] == BEFORE ? FIRST : s.got[2] == 1 ? SECOND : BOTH);
  blocks_add_up(0);
}

static void moved_once(void) {
  model_check(last(0) == BEFORE && last(1) == BEFORE + 1);
  blocks_add_up(0);
}

static void written_while_it_moves(void) {
  model_check(last(0) == 1);
  model_check(s.got[2] == BEFORE || s.got[2] == 1);
  model_mark(s.got[2] == BEFORE ? FIRST : SECOND);
  blocks_add_up(0);
}

static void written_twice_while_it_moves(void) {
  model_check(last(0) == 2 && read_side(2, 1) == NOTHING);
  model_check(s.got[2] == NOTHING);
  blocks_add_up(0);
}

static void grown_once(void) {
  model_check(last(0) == 1 && last(1) == 2);
  swi_table_help(&s.map[2]);
  model_check(swi_table_refresh(&s.map[2]) == SW_OK && s.map[2].log2 == 1);
  blocks_add_up(0);
}

static void finished_once(void) {
  model_check(last(0) == BEFORE && last(1) == BEFORE + 1);
  model_check(s.got[2] == BEFORE);
  model_check(swi_table_refresh(&s.map[2]) == SW_OK && s.map[2].log2 == 1);
  blocks_add_up(0);
}

static void all_is_free(void) {
  uint32_t kept = 0;
  for (uint32_t t = 0; t < THREADS; t++) {
    for (uint32_t i = 0; i < SW_MAP_SPARES; i++) kept += s.map[t].spare[i] != 0;
  }
  sw_heap_stats stats;
  sw_heap_stats_of(&s.heap[2], &stats);
  model_check(stats.blocks == 3 + kept); /* the control block, the registry's, the first table */
  model_check(sw_heap_check(&s.heap[2]) == SW_OK);
}

const model_scenario scenes_map[] = {
    {.name = "map: two writers of one key, reader",
     .setup = setup_one,
     .threads = {writer_0, writer_1, reader},
     .finish = written_by_one,
     .sc = true,
     .marks = FIRST | SECOND | BOTH},
    {.name = "map: a writer fills at once what it has replaced, reader",
     .setup = setup_one,
     .threads = {writer_again, reader_twice},
     .finish = written_in_turn,
     .sc = true,
     .marks = FIRST | SECOND | BOTH},
    {.name = "map: the same, and a reader of values of any type",
     .setup = setup_one,
     .threads = {writer_again, reader_of_any_type},
     .finish = written_in_turn,
     .marks = FIRST | SECOND | BOTH},
    {.name = "map: the other key of the bucket is read meanwhile",
     .setup = setup_two,
     .threads = {writer_again, reader_of_the_other},
     .finish = other_is_there},
    {.name = "map: two insert one key",
     .setup = setup_empty,
     .threads = {inserts_0, inserts_1},
     .finish = inserted_once,
     .marks = FIRST | SECOND | REFUSED},
    {.name = "map: two add", .setup = setup_one, .threads = {adds_0, adds_1}, .finish = both_added},
    {.name = "map: deleted and written, reader",
     .setup = setup_one,
     .threads = {deletes, writer_1, reader},
     .finish = deleted_or_written,
     .marks = FIRST | SECOND},
    {.name = "map growth: two move the bucket",
     .setup = setup_two_grow,
     .threads = {mover_0, mover},
     .finish = moved_once},
    {.name = "map growth: a writer, a mover, reader",
     .setup = setup_one_grows,
     .threads = {writer_0, mover, reader},
     .finish = written_while_it_moves,
     .sc = true,
     .marks = FIRST | SECOND},
    {.name = "map growth: written twice, a slow mover, reader of the other child",
     .setup = setup_one_grows,
     .threads = {writer_again, mover, reader_of_the_other},
     .finish = written_twice_while_it_moves},
    {.name = "map: a writer dies anywhere, another",
     .setup = setup_two,
     .threads = {writer_0, writer_of_the_other},
     .mortal = 1,
     .finish = whole_behind_a_death,
     .marks = FIRST | SECOND},
    {.name = "map growth: a mover dies anywhere, a writer",
     .setup = setup_two_grow,
     .threads = {mover_0, writer_of_the_other},
     .mortal = 1,
     .finish = written_behind_a_death,
     .marks = FIRST},
    {.name = "map growth: a writer dies anywhere, reader",
     .setup = setup_two_grow,
     .threads = {writer_0, reader},
     .mortal = 1,
     .finish = read_behind_a_death,
     .marks = FIRST | SECOND},
    {.name = "map growth: a mover dies anywhere, a writer, reader",
     .setup = setup_two_grow,
     .threads = {mover_0, writer_of_the_other, reader},
     .mortal = 1,
     .finish = moved_behind_a_death,
     .marks = FIRST,
     .large = true},
    {.name = "map growth: two begin it", .setup = setup_empty, .threads = {grower_0, grower_1}, .finish = grown_once},
    {.name = "map growth: two finish it, reader",
     .setup = setup_two_grow,
     .threads = {helper_0, helper_1, reader},
     .finish = finished_once},
    {.name = "map growth: freed while the bucket is moved",
     .setup = setup_two_grow,
     .threads = {frees, moves_meanwhile},
     .finish = all_is_free,
     .marks = FIRST | REFUSED},
    {.name = "map: freed while it is written",
     .setup = setup_one,
     .threads = {frees, writes_meanwhile},
     .finish = all_is_free,
     .marks = FIRST | REFUSED},
    {.name = "map: freed while it is read",
     .setup = setup_one,
     .threads = {frees, reads_meanwhile},
     .finish = all_is_free,
     .marks = SECOND | REFUSED},
    {.name = "map: a writer and an adder of values of any type, reader",
     .setup = setup_one,
     .threads = {writer_of_any_type, adder_of_any_type, reader_of_any_type},
     .finish = both_are_put},
    {.name = "map: a text is written twice, reader",
     .setup = setup_text,
     .threads = {writer_of_a_text, reader_of_a_text},
     .finish = text_is_put,
     .marks = FIRST | SECOND | BOTH},
    {.name = "map growth: the child that gets nothing is written, a slow mover, reader",
     .setup = setup_one_grows,
     .threads = {mover_0, writer_of_the_other, reader_of_the_other},
     .finish = other_is_added_to_one,
     .sc = true,
     .marks = FIRST | SECOND},
    {.name = "map growth: a child of an empty bucket is written, a slow mover, reader",
     .setup = setup_empty_grows,
     .threads = {mover_0, writer_of_the_other, reader_of_the_other},
     .finish = other_is_added,
     .sc = true,
     .marks = FIRST | SECOND},
    {.name = "map growth: a mover dies anywhere, a writer of the child that gets nothing",
     .setup = setup_one_grows,
     .threads = {mover_0, writer_of_the_other},
     .mortal = 1,
     .finish = written_behind_a_death,
     .marks = FIRST},
    {.name = "map growth: freed while an unborn child is written",
     .setup = setup_one_grows,
     .threads = {frees, adds_meanwhile},
     .finish = all_is_free,
     .marks = FIRST | REFUSED},
    {.name = NULL}};
