/* Strings: a reader sees a text that was there, whole, also when blocks are used again at once; of
 * two that compare one wins; and the end of a string is its end for writers that come late.
 *
 * Thread n is process n + 1, endpoint n. Each has a slab of the blocks' size. Texts are of three
 * words, and all their letters are the same. */
#include <string.h>

#include "sabway/mutex.h"
#include "sabway/string.h"
#include "scenes.h"

enum { LETTERS = 14, BLOCK = 4 + LETTERS };

static struct {
  sw_heap heap[3];
  uint32_t at, generation, version;
  uint64_t blocks; /* before the run */
  int status[3];
} g;

static uint8_t *base(void) { return model_region(); }

static uint64_t blocks(void) {
  sw_heap_stats stats;
  sw_heap_stats_of(&g.heap[2], &stats);
  return stats.blocks;
}

static void setup(void) {
  world_empty();
  memset(&g, 0, sizeof(g));
  model_snapshot(&g, sizeof(g));
  model_check(sw_region_format_empty(base(), MODEL_REGION_PAGES, SW_HEAP_AT) == SW_OK);
  model_check(sw_heap_format(base(), SW_HEAP_AT, REGION_BYTES) == SW_OK);
  for (uint32_t i = 0; i < 3; i++) {
    model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
    model_check(sw_heap_open(&g.heap[i], base(), REGION_BYTES, SW_HEAP_AT, i) == SW_OK);
    g.heap[i].shares = 0; /* slabs have owners, as in a large heap */
    uint32_t block = sw_heap_alloc(&g.heap[i], BLOCK);
    model_check(block != 0 && sw_heap_free(&g.heap[i], block) == SW_OK);
  }
  g.at = sw_string_new(&g.heap[0]);
  model_check(g.at != 0 && sw_object_type(&g.heap[0], g.at, &g.generation) == SW_TYPE_STRING);
  model_check(sw_string_set(&g.heap[0], g.at, g.generation, "aaaaaaaaaaaaaa", LETTERS) == SW_OK);
  sw_string_content content;
  char text[LETTERS];
  model_check(sw_string_get(&g.heap[0], g.at, g.generation, text, LETTERS, &content) == SW_OK);
  g.version = content.version;
  g.blocks = blocks();
  model_snapshot(base() + SW_HEAP_AT, REGION_BYTES - SW_HEAP_AT); /* finish writes, too */
}

/* The letter of a whole text: 0 for none. */
static char read(int thread) {
  sw_string_content content;
  char text[LETTERS] = {0};
  int status = sw_string_get(&g.heap[thread], g.at, g.generation, text, LETTERS, &content);
  if (status != SW_OK) {
    model_check(status == SW_EFREED || status == SW_EBUSY);
    return 0;
  }
  model_check(content.length == 0 || content.length == LETTERS);
  for (uint32_t i = 1; i < content.length; i++) model_check(text[i] == text[0]);
  return content.length == 0 ? 0 : text[0];
}

static void set(int thread, char letter) {
  char text[LETTERS];
  memset(text, letter, LETTERS);
  g.status[thread] = sw_string_set(&g.heap[thread], g.at, g.generation, text, LETTERS);
  model_check(g.status[thread] == SW_OK || g.status[thread] == SW_EFREED);
}

/* The second text is in the block of the first. */
static void set_b_and_c(void) { set(0, 'b'), set(0, 'c'); }
static void set_d(void) { set(1, 'd'); }

/* One sees what the other has seen, or a later text. */
static void read_twice(void) {
  char first = read(1), second = read(1);
  model_check(first >= 'a' && first <= 'c' && second >= first && second <= 'c');
  model_mark(first == 'a' ? FIRST : first == 'b' ? SECOND : BOTH);
}
static void read_once(void) {
  char letter = read(2);
  model_check(letter >= 'a' && letter <= 'd');
  model_mark(letter == 'a' ? FIRST : SECOND);
}

/* A death loses a block: of the new text, or of the old one. */
static void whole_and_all_but_one(void) {
  char letter = read(2);
  model_check(letter >= 'a' && letter <= 'd');
  model_check(sw_string_check(&g.heap[2], g.at, g.generation) == SW_OK);
  model_check(blocks() >= g.blocks && blocks() <= g.blocks + 1);
}
static void whole_and_all(void) {
  whole_and_all_but_one();
  model_check(blocks() == g.blocks);
}

static void compare(int thread) {
  char text[LETTERS];
  memset(text, 'b' + thread, LETTERS);
  g.status[thread] = sw_string_compare_set(&g.heap[thread], g.at, g.generation, g.version, text, LETTERS);
}
static void compare_0(void) { compare(0); }
static void compare_1(void) { compare(1); }
static void one_won(void) {
  model_check(g.status[0] + g.status[1] == 1 && (g.status[0] == 1 || g.status[1] == 1));
  model_check(read(2) == (g.status[0] == 1 ? 'b' : 'c'));
  model_mark(g.status[0] == 1 ? FIRST : SECOND);
  whole_and_all();
}

/* The next object has the same control block, and what was meant for the first one does not get
 * there. */
static void free_and_make(void) {
  model_check(sw_string_free(&g.heap[0], g.at, g.generation) == SW_OK);
  model_check(sw_string_new(&g.heap[0]) == g.at);
}
static void next_one_is_empty(void) {
  uint32_t generation;
  model_check(sw_object_type(&g.heap[2], g.at, &generation) == SW_TYPE_STRING);
  model_check(generation != g.generation);
  g.generation = generation;
  model_check(read(2) == 0);
  model_mark(g.status[1] == SW_OK ? FIRST : SECOND);
  model_check(blocks() == g.blocks - 1);
}
static void read_until_it_is_freed(void) {
  char letter = read(1);
  model_check(letter == 0 || letter == 'a');
  model_mark(letter == 0 ? REFUSED : BOTH);
}

/* A reader that has locked the writers out reads undisturbed. */
static void setup_locked(void) {
  setup();
  model_check(sw_string_begin_read(&g.heap[1], g.at, g.generation) == SW_OK);
}
static void read_and_let_in(void) {
  model_check(read(1) == 'a');
  sw_string_end_read(&g.heap[1], g.at);
}
static void set_when_let_in(void) {
  char text[LETTERS];
  memset(text, 'b', LETTERS);
  g.status[0] = sw_string_set(&g.heap[0], g.at, g.generation, text, LETTERS);
  model_check(g.status[0] == SW_OK || g.status[0] == SW_EBUSY);
  model_mark(g.status[0] == SW_OK ? FIRST : REFUSED);
}
static void set_or_not(void) {
  model_check(read(2) == (g.status[0] == SW_OK ? 'b' : 'a'));
  whole_and_all();
}

const model_scenario scenes_string[] = {{.name = "string: one sets twice, and may die; one reads",
                                         .setup = setup,
                                         .threads = {set_b_and_c, read_twice},
                                         .finish = whole_and_all_but_one,
                                         .mortal = 1,
                                         .marks = FIRST | SECOND | BOTH},
                                        {.name = "string: two set, one reads",
                                         .setup = setup,
                                         .threads = {set_b_and_c, set_d, read_once},
                                         .finish = whole_and_all,
                                         .large = true,
                                         .sc = true,
                                         .marks = FIRST | SECOND},
                                        {.name = "string: two compare",
                                         .setup = setup,
                                         .threads = {compare_0, compare_1},
                                         .finish = one_won,
                                         .marks = FIRST | SECOND},
                                        {.name = "string: one frees and makes the next, one sets",
                                         .setup = setup,
                                         .threads = {free_and_make, set_d},
                                         .finish = next_one_is_empty,
                                         .marks = FIRST | SECOND},
                                        {.name = "string: one frees and makes the next, one reads",
                                         .setup = setup,
                                         .threads = {free_and_make, read_until_it_is_freed},
                                         .marks = REFUSED | BOTH},
                                        {.name = "string: a reader lets a writer in",
                                         .setup = setup_locked,
                                         .threads = {set_when_let_in, read_and_let_in},
                                         .finish = set_or_not,
                                         .marks = FIRST | REFUSED},
                                        {.name = NULL}};
