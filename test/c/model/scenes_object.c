/* Control blocks of containers: freed once, used again by one, and told from the next object there
 * by those that come late.
 *
 * Thread n is process n + 1, endpoint n, with a heap of its own. One object is there
 * at first, and the block of one that was freed: the look for a free block ends there. */
#include <string.h>

#include "base/peer.h"
#include "sabway/object.h"
#include "scenes.h"

enum { WORD = 7 /* what the first object leaves in its block */ };

static struct {
  sw_heap heap[3];
  uint32_t at, generation;
  uint32_t made[3];
  int freed[3];
} g;

static uint8_t *base(void) { return model_region(); }
static sw_object *object(void) { return (sw_object *)(void *)(base() + g.at); }
static uint64_t *word(void) { return (uint64_t *)(void *)(object() + 1); }

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
    uint32_t first = sw_heap_alloc(&g.heap[i], SW_OBJECT_BYTES), second = sw_heap_alloc(&g.heap[i], SW_OBJECT_BYTES);
    model_check(first != 0 && second != 0 && sw_heap_free(&g.heap[i], first) == SW_OK);
  }
  g.at = sw_object_new(&g.heap[2], SW_TYPE_MAP);
  model_check(g.at != 0 && sw_object_type(&g.heap[2], g.at, &g.generation) == SW_TYPE_MAP);
  sw_store64_relaxed(word(), WORD);
  uint32_t spare = sw_object_new(&g.heap[2], SW_TYPE_MAP), generation;
  model_check(sw_object_type(&g.heap[2], spare, &generation) == SW_TYPE_MAP);
  model_check(sw_object_begin_free(&g.heap[2], spare, SW_TYPE_MAP, generation) == SW_OK);
  sw_object_end_free(&g.heap[2], spare);
  model_snapshot(base() + SW_HEAP_AT, REGION_BYTES - SW_HEAP_AT); /* blocks are cleared in a run */
}

static void free_by(uint32_t thread) {
  g.freed[thread] = sw_object_begin_free(&g.heap[thread], g.at, SW_TYPE_MAP, g.generation);
  if (g.freed[thread] == SW_OK) sw_object_end_free(&g.heap[thread], g.at);
}
static void free_0(void) { free_by(0); }
static void free_1(void) { free_by(1); }
static void make_by(uint32_t thread) { g.made[thread] = sw_object_new(&g.heap[thread], SW_TYPE_LIST); }
static void make_1(void) { make_by(1); }
static void free_and_make(void) {
  free_by(0);
  make_by(0);
}

static void freed_once(void) {
  model_check((g.freed[0] == SW_OK) + (g.freed[1] == SW_OK) == 1);
  model_check((g.freed[0] == SW_EFREED) + (g.freed[1] == SW_EFREED) == 1);
  model_check(sw_object_check(&g.heap[2], g.at, SW_TYPE_MAP, g.generation) == SW_EFREED);
  model_check(sw_object_new(&g.heap[0], SW_TYPE_LIST) != sw_object_new(&g.heap[1], SW_TYPE_LIST));
}

/* The old object is there or was freed, and never another; the next one is new. */
static void look_for_both(void) {
  int old = sw_object_check(&g.heap[1], g.at, SW_TYPE_MAP, g.generation);
  model_check(old == SW_OK || old == SW_EFREED);
  int next = sw_object_check(&g.heap[1], g.at, SW_TYPE_LIST, g.generation + 1);
  model_check(next == SW_OK || next == SW_EFREED);
  if (next == SW_OK) model_check(sw_peer_load64_relaxed(word()) == 0);
  model_mark(next == SW_OK ? SECOND : old == SW_OK ? FIRST : ENDED);
}

/* An exchange that was prepared for the old object. */
static void exchange_late(void) {
  uint64_t root = sw_peer_load64_acquire(&object()->root);
  model_assume(sw_object_check(&g.heap[1], g.at, SW_TYPE_MAP, g.generation) == SW_OK);
  bool done = sw_compare_exchange64_acq_rel(&object()->root, &root, (root | 16) + ((uint64_t)1 << 32));
  model_mark(done ? FIRST : SECOND);
}
static void root_is_new(void) {
  model_check(g.made[0] == g.at);
  model_check((uint32_t)object()->root == 0);
}

/* Whichever blocks they got, each is of one. */
static void each_has_its_own(void) {
  model_check(g.made[1] != 0 && g.made[0] != g.made[1]);
  model_mark(g.made[1] == g.at ? SECOND : FIRST);
}

const model_scenario scenes_object[] = {
    {.name = "object: two free it", .setup = setup, .threads = {free_0, free_1}, .finish = freed_once, .sc = true},
    {.name = "object: one frees it and makes the next, one comes late",
     .setup = setup,
     .threads = {free_and_make, look_for_both},
     .marks = FIRST | SECOND | ENDED},
    {.name = "object: one frees it and makes the next, one exchanges late",
     .setup = setup,
     .threads = {free_and_make, exchange_late},
     .finish = root_is_new,
     .marks = FIRST | SECOND},
    {.name = "object: one frees it and makes the next, another makes one",
     .setup = setup,
     .threads = {free_and_make, make_1},
     .finish = each_has_its_own,
     .marks = FIRST | SECOND},
    {.name = "object: the same, and one dies anywhere",
     .setup = setup,
     .threads = {free_and_make, make_1},
     .finish = each_has_its_own,
     .marks = FIRST | SECOND,
     .mortal = 1},
    {.name = NULL}};
