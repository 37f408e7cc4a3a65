/* Lists: a reader sees whole elements, in order, each once, also when nodes are used again at once;
 * and a list whose holder died anywhere is in order for the next one.
 *
 * Thread n is process n + 1, endpoint n. Each has a slab of the nodes' size. */
#include <string.h>

#include "sabway/list.h"
#include "sabway/mutex.h"
#include "scenes.h"

enum { NODE = 32 };

static struct {
  sw_heap heap[3];
  uint32_t at, generation;
  uint32_t node, number, second; /* nodes of the first two elements, and the number of the first */
  uint64_t blocks;
  uint32_t done;
  int status[3];
} g;

static uint8_t *base(void) { return model_region(); }

static uint64_t blocks(void) {
  sw_heap_stats stats;
  sw_heap_stats_of(&g.heap[2], &stats);
  return stats.blocks;
}

/* A list of that many elements: 1, 2 and so on, twice each. */
static void setup(uint32_t length) {
  world_empty();
  memset(&g, 0, sizeof(g));
  model_snapshot(&g, sizeof(g));
  model_check(sw_region_format_empty(base(), MODEL_REGION_PAGES, SW_HEAP_AT) == SW_OK);
  model_check(sw_heap_format(base(), SW_HEAP_AT, REGION_BYTES) == SW_OK);
  for (uint32_t i = 0; i < 3; i++) {
    model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
    model_check(sw_heap_open(&g.heap[i], base(), REGION_BYTES, SW_HEAP_AT, i) == SW_OK);
    g.heap[i].shares = 0; /* slabs have owners, as in a large heap */
    uint32_t block = sw_heap_alloc(&g.heap[i], NODE);
    model_check(block != 0 && sw_heap_free(&g.heap[i], block) == SW_OK);
  }
  g.at = sw_list_new(&g.heap[0], SW_COMPONENT_U32, 2);
  model_check(g.at != 0 && sw_object_type(&g.heap[0], g.at, &g.generation) == SW_TYPE_LIST);
  for (uint32_t i = 1; i <= length; i++) {
    uint32_t element[2] = {i, i};
    model_check(sw_list_insert(&g.heap[0], g.at, g.generation, element) == SW_OK);
  }
  sw_list_cursor cursor = {0};
  uint32_t entry[4];
  if (length != 0) {
    model_check(sw_list_read(&g.heap[0], g.at, g.generation, &cursor, entry, sizeof(entry)) == 1);
    g.node = entry[0];
    g.number = entry[1];
    g.second = ((sw_node *)(void *)(base() + g.node))->next;
  }
  g.blocks = blocks();
  model_snapshot(base() + SW_HEAP_AT, REGION_BYTES - SW_HEAP_AT); /* finish writes, too */
}
static void setup_one(void) { setup(1); }
static void setup_two(void) { setup(2); }
static void setup_three(void) { setup(3); }

static void insert(int thread, uint32_t value) {
  uint32_t element[2] = {value, value};
  g.status[thread] = sw_list_insert(&g.heap[thread], g.at, g.generation, element);
  model_check(g.status[thread] == SW_OK || g.status[thread] == SW_EBUSY);
}

/* The next element, whole: 0 at the end. */
static uint32_t next(int thread, sw_list_cursor *cursor) {
  uint32_t entry[4];
  int nodes = sw_list_read(&g.heap[thread], g.at, g.generation, cursor, entry, sizeof(entry));
  model_check(nodes == 0 || nodes == 1 || nodes == SW_EBUSY);
  if (nodes == SW_EBUSY) model_assume(false);
  if (nodes == 0) return 0;
  model_check(entry[2] == entry[3]);
  return entry[2];
}

/* What is in the list, as digits. In finish. */
static uint32_t content(void) {
  model_check(sw_list_check(&g.heap[2], g.at, g.generation) == SW_OK);
  sw_list_cursor cursor = {0};
  uint32_t all = 0, value;
  while ((value = next(2, &cursor)) != 0) all = 10 * all + value;
  return all;
}

/* ---- inserting ---- */

static void insert_0(void) { insert(0, 8), g.done |= 1; }
static void insert_1(void) { insert(1, 9); }

static void read_all(void) {
  sw_list_cursor cursor = {0};
  uint32_t first = next(1, &cursor), second = next(1, &cursor);
  model_check(first == 1 && (second == 0 || second == 8));
  model_mark(second == 0 ? FIRST : SECOND);
}
/* With room for both. */
static void read_at_once(void) {
  sw_list_cursor cursor = {0};
  uint32_t entry[8];
  int nodes = sw_list_read(&g.heap[1], g.at, g.generation, &cursor, entry, sizeof(entry));
  model_check(nodes == 1 || nodes == 2);
  model_check(entry[2] == 1 && entry[3] == 1);
  if (nodes == 2) model_check(entry[6] == 8 && entry[7] == 8 && entry[5] > entry[1]);
  model_mark(nodes == 1 ? FIRST : SECOND);
}
static void inserted_or_not(void) {
  uint32_t all = content();
  model_check(all == 18 || (all == 1 && (g.done & 1) == 0));
  model_check(blocks() - g.blocks <= 1 && (all != 18 || blocks() == g.blocks + 1));
  model_mark(all == 18 ? BOTH : REFUSED);
}

static void both_or_busy(void) {
  uint32_t all = content();
  if (g.status[0] == SW_OK && g.status[1] == SW_OK) model_check(all == 189 || all == 198);
  else model_check(all == (g.status[0] == SW_OK ? 18u : 19u));
  model_mark(all > 100 ? BOTH : FIRST);
}

/* ---- taking out, and using the node again ---- */

static void delete_and_insert(void) {
  g.status[0] = sw_list_delete(&g.heap[0], g.at, g.generation, g.node, g.number);
  model_check(g.status[0] == 1 || g.status[0] == SW_EBUSY);
  if (g.status[0] == 1) insert(0, 8);
  g.done |= g.status[0] == SW_OK;
}
static void read_others(void) {
  sw_list_cursor cursor = {0};
  uint32_t first = next(1, &cursor), second = next(1, &cursor);
  if (first == 1) model_check(second == 2);
  else model_check(first == 2 && (second == 0 || second == 8));
  model_mark(first == 1 ? FIRST : second == 0 ? SECOND : BOTH);
}
static void read_other(void) {
  sw_list_cursor cursor = {0};
  uint32_t first = next(1, &cursor);
  model_check(first == 1 || first == 2);
  model_mark(first == 1 ? FIRST : SECOND);
}
static void in_order(void) {
  uint32_t all = content();
  model_check(all == 28 || (all == 2 && (g.done & 1) == 0) || (all == 12 && (g.done & 1) == 0));
  model_check(blocks() <= g.blocks + 1);
  if ((g.done & 1) != 0) model_check(blocks() == g.blocks);
}

static void delete_it(int thread) {
  g.status[thread] = sw_list_delete(&g.heap[thread], g.at, g.generation, g.node, g.number);
  model_check(g.status[thread] == 0 || g.status[thread] == 1 || g.status[thread] == SW_EBUSY);
}
static void delete_0(void) { delete_it(0); }
static void delete_1(void) { delete_it(1); }
static void one_has_deleted(void) {
  model_check((g.status[0] == 1) + (g.status[1] == 1) == 1);
  model_check(content() == 2 && blocks() == g.blocks - 1);
  model_mark(g.status[0] == 1 ? FIRST : SECOND);
}

/* ---- setting ---- */

static void set_first(void) {
  uint32_t element[2] = {8, 8}, node = g.node;
  int status = sw_list_set(&g.heap[0], g.at, g.generation, &node, g.number, element);
  model_check(status == 1);
  g.done |= 1;
}
static void read_set(void) {
  sw_list_cursor cursor = {0};
  uint32_t first = next(1, &cursor), second = next(1, &cursor);
  model_check((first == 1 || first == 8) && second == 2);
  model_mark(first == 1 ? FIRST : SECOND);
}
static void set_or_not(void) {
  uint32_t all = content();
  model_check(all == 82 || (all == 12 && (g.done & 1) == 0));
  model_check(blocks() <= g.blocks + 1);
}

/* The new node of the second element has the place of the first one's. */
static void set_two(void) {
  uint32_t node = g.node, number = g.number, element[2] = {8, 8};
  model_check(sw_list_set(&g.heap[0], g.at, g.generation, &node, number, element) == 1);
  node = g.second;
  element[0] = element[1] = 9;
  model_check(sw_list_set(&g.heap[0], g.at, g.generation, &node, number + 1, element) == 1);
}
static void read_set_two(void) {
  sw_list_cursor cursor = {0};
  uint32_t first = next(1, &cursor), second = next(1, &cursor);
  model_check((first == 1 || first == 8) && (second == 2 || second == 9));
  model_mark(first == 8 ? FIRST : second == 2 ? SECOND : BOTH);
}
static void two_are_set(void) { model_check(content() == 893 && blocks() == g.blocks); }

/* ---- new numbers ---- */

static void setup_last_number(void) {
  setup(0);
  sw_list *list = (sw_list *)(void *)(base() + g.at);
  list->last = UINT32_MAX - 1;
  uint32_t element[2] = {1, 1};
  model_check(sw_list_insert(&g.heap[0], g.at, g.generation, element) == SW_OK);
  model_check(list->last == UINT32_MAX);
  g.blocks = blocks();
  model_snapshot(base() + SW_HEAP_AT, REGION_BYTES - SW_HEAP_AT);
}

/* ---- clearing ---- */

static void clear_it(void) {
  model_check(sw_list_clear(&g.heap[0], g.at, g.generation) == SW_OK);
  g.done |= 1;
}
static void read_cleared(void) {
  sw_list_cursor cursor = {0};
  uint32_t first = next(1, &cursor), second = next(1, &cursor);
  model_check(first == 0 ? second == 0 : first == 1 && (second == 2 || second == 0));
  model_mark(first == 0 ? FIRST : second == 0 ? SECOND : BOTH);
}
static void all_or_none(void) {
  uint32_t all = content();
  model_check(all == 0 || (all == 12 && (g.done & 1) == 0));
  uint64_t gone = all == 0 ? 2 : 0;
  model_check(blocks() >= g.blocks - gone && blocks() <= g.blocks - gone + 1);
  if ((g.done & 1) != 0) model_check(blocks() == g.blocks - 2);
}

const model_scenario scenes_list[] = {{.name = "list: one inserts, and may die; one reads",
                                       .setup = setup_one,
                                       .threads = {insert_0, read_all},
                                       .finish = inserted_or_not,
                                       .mortal = 1,
                                       .marks = FIRST | SECOND | BOTH | REFUSED},
                                      {.name = "list: one inserts, one reads all at once",
                                       .setup = setup_one,
                                       .threads = {insert_0, read_at_once},
                                       .finish = inserted_or_not,
                                       .marks = FIRST | SECOND},
                                      {.name = "list: one gives new numbers, and may die; one reads",
                                       .setup = setup_last_number,
                                       .threads = {insert_0, read_all},
                                       .finish = inserted_or_not,
                                       .mortal = 1,
                                       .marks = FIRST | SECOND},
                                      {.name = "list: two insert",
                                       .setup = setup_one,
                                       .threads = {insert_0, insert_1},
                                       .finish = both_or_busy,
                                       .sc = true,
                                       .marks = BOTH},
                                      {.name = "list: one deletes and inserts, and may die; one reads",
                                       .setup = setup_two,
                                       .threads = {delete_and_insert, read_others},
                                       .finish = in_order,
                                       .mortal = 1,
                                       .marks = FIRST | SECOND | BOTH},
                                      {.name = "list: one deletes and inserts, one reads",
                                       .setup = setup_two,
                                       .threads = {delete_and_insert, read_other},
                                       .finish = in_order,
                                       .marks = FIRST | SECOND},
                                      {.name = "list: two delete the same",
                                       .setup = setup_two,
                                       .threads = {delete_0, delete_1},
                                       .finish = one_has_deleted,
                                       .marks = FIRST | SECOND},
                                      {.name = "list: one replaces, and may die; one reads",
                                       .setup = setup_two,
                                       .threads = {set_first, read_set},
                                       .finish = set_or_not,
                                       .mortal = 1,
                                       .marks = FIRST | SECOND},
                                      {.name = "list: one replaces two, one reads",
                                       .setup = setup_three,
                                       .threads = {set_two, read_set_two},
                                       .finish = two_are_set,
                                       .marks = FIRST | SECOND | BOTH},
                                      {.name = "list: one clears, and may die; one reads",
                                       .setup = setup_two,
                                       .threads = {clear_it, read_cleared},
                                       .finish = all_or_none,
                                       .mortal = 1,
                                       .marks = FIRST | SECOND | BOTH},
                                      {.name = NULL}};
