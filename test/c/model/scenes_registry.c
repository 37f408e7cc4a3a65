/* The registry of objects, and the channel that a region with a heap gets: what is found by a walk
 * was written before.
 *
 * Thread n is process n + 1, endpoint n. Each has a slab of the blocks' size, so it allocates one
 * without a lock. */
#include <string.h>

#include "base/peer.h"
#include "sabway/heap.h"
#include "sabway/registry.h"
#include "scenes.h"

enum { WALL = 3 /* the slot behind those that are used: a walk ends there */ };

static struct {
  sw_heap heap[3];
  uint32_t object[3];
} g;

static uint8_t *base(void) { return model_region(); }
static sw_registry *registry(void) { return (sw_registry *)(void *)(base() + SW_REGISTRY_AT); }
static sw_registry_block *block(uint32_t at) { return (sw_registry_block *)(void *)(base() + at); }
static uint32_t *word_of(uint32_t object) { return (uint32_t *)(void *)(base() + object); }

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
    uint32_t first = sw_heap_alloc(&g.heap[i], sizeof(sw_registry_block));
    g.object[i] = sw_heap_alloc(&g.heap[i], sizeof(sw_registry_block));
    model_check(first != 0 && g.object[i] != 0 && sw_heap_free(&g.heap[i], first) == SW_OK);
  }
  model_snapshot(base() + SW_HEAP_AT, REGION_BYTES - SW_HEAP_AT); /* blocks are cleared in a run */
}

/* A block that has three slots, the first taken by an object of thread 2. */
static void setup_block(void) {
  setup();
  model_check(sw_registry_add(&g.heap[2], g.object[2], SW_KIND_MUTEX, NULL) == SW_OK);
  for (uint32_t i = WALL; i < SW_REGISTRY_SLOTS; i++) block(registry()->first)->slot[i] = g.object[2] | SW_KIND_CHANNEL;
}

static void add(uint32_t thread) {
  model_data_write(word_of(g.object[thread]), thread + 1);
  model_check(sw_registry_add(&g.heap[thread], g.object[thread], SW_KIND_MUTEX, NULL) == SW_OK);
}
static void add_0(void) { add(0); }
static void add_1(void) { add(1); }

/* The objects that one walk finds are whole, each of them once. */
static void walk(void) {
  sw_registry_cursor cursor = {0};
  uint32_t seen[3] = {0, 0, 0}, entry;
  while ((entry = sw_registry_next(base(), REGION_BYTES, &cursor)) != 0 && (entry & SW_KIND_MASK) == SW_KIND_MUTEX) {
    uint32_t object = entry & ~(uint32_t)SW_KIND_MASK, thread = object == g.object[0]   ? 0
                                                                : object == g.object[1] ? 1
                                                                                        : 2;
    model_check(object == g.object[thread]);
    if (thread != 2) model_check(model_data_read(word_of(object)) == thread + 1);
    model_check(seen[thread]++ == 0);
    model_mark(thread == 0 ? FIRST : thread == 1 ? SECOND : ENDED);
  }
}
/* Its first object only: behind that a walk looks at all slots, so one that finds no block is of no
 * interest, too. */
static void walk_to_first(void) {
  model_assume(sw_peer_load_relaxed(&registry()->first) != 0);
  sw_registry_cursor cursor = {0};
  uint32_t entry = sw_registry_next(base(), REGION_BYTES, &cursor);
  uint32_t thread = entry == (g.object[0] | SW_KIND_MUTEX) ? 0 : 1;
  model_check(entry == (g.object[thread] | SW_KIND_MUTEX));
  model_check(model_data_read(word_of(g.object[thread])) == thread + 1);
  model_mark(thread == 0 ? FIRST : SECOND);
}

static uint32_t count(uint32_t object) {
  uint32_t found = 0;
  for (uint32_t at = registry()->first; at != 0; at = block(at)->next) {
    for (uint32_t i = 0; i < SW_REGISTRY_SLOTS; i++) found += block(at)->slot[i] == (object | SW_KIND_MUTEX);
  }
  return found;
}
static void both_are_there(void) { model_check(count(g.object[0]) == 1 && count(g.object[1]) == 1); }
/* The loser has given its block back. */
static void one_block(void) {
  both_are_there();
  model_check(block(registry()->first)->next == 0);
  sw_heap_stats stats;
  sw_heap_stats_of(&g.heap[2], &stats);
  model_check(stats.blocks == 3 + 1);
}

static void remove_2(void) { model_check(sw_registry_remove(base(), REGION_BYTES, g.object[2], SW_KIND_MUTEX) == 1); }
static void removed(void) {
  model_check(count(g.object[2]) == 0);
  model_check(count(g.object[0]) == 1);
}
/* It was added twice, so each of two can remove it. */
static void setup_twice(void) {
  setup_block();
  model_check(sw_registry_add(&g.heap[2], g.object[2], SW_KIND_MUTEX, NULL) == SW_OK);
}
static void none_is_left(void) { model_check(count(g.object[2]) == 0); }

const model_scenario scenes_registry[] = {
    {.name = "registry: two add, one walks",
     .setup = setup_block,
     .threads = {add_0, add_1, walk},
     .finish = both_are_there,
     .sc = true,
     .marks = FIRST | SECOND | ENDED},
    {.name = "registry: two add the first block, one walks",
     .setup = setup,
     .threads = {add_0, add_1, walk_to_first},
     .finish = one_block,
     .marks = FIRST | SECOND},
    {.name = "registry: one removes, one adds, one walks",
     .setup = setup_block,
     .threads = {add_0, remove_2, walk},
     .finish = removed,
     .marks = FIRST | ENDED},
    {.name = "registry: two remove", .setup = setup_twice, .threads = {remove_2, remove_2}, .finish = none_is_left},
    {.name = NULL}};
