/* Pools: a cell has one holder, which sees what the last one wrote to its block; what a dead one
 * held comes back once; a participant that comes late, when the pool was freed and its block serves
 * the next, takes nothing of that; and one that waits is woken.
 *
 * Thread n is process n + 1, endpoint n. */
#include <string.h>

#include "base/peer.h"
#include "core/objects/burial.h"
#include "sabway/object.h"
#include "sabway/pool.h"
#include "sabway/role.h"
#include "scenes.h"

static struct {
  sw_heap heap[3];
  uint32_t at, generation;
  uint32_t next, next_generation; /* the pool that comes in the block of the first */
  sw_pool_item item[3];
  int status[3];
  uint32_t done;
} g;

static uint8_t *base(void) { return model_region(); }

static void make(uint32_t bytes, uint32_t most) {
  world_empty();
  world_mark();
  memset(&g, 0, sizeof(g));
  model_snapshot(&g, sizeof(g));
  model_check(sw_region_format_empty(base(), MODEL_REGION_PAGES, SW_HEAP_AT) == SW_OK);
  model_check(sw_heap_format(base(), SW_HEAP_AT, REGION_BYTES) == SW_OK);
  for (uint32_t i = 0; i < 3; i++) {
    model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
    model_check(sw_heap_open(&g.heap[i], base(), REGION_BYTES, SW_HEAP_AT, i) == SW_OK);
    g.heap[i].shares = 0; /* slabs have owners, as in a large heap */
  }
  g.at = sw_pool_new(&g.heap[2], bytes, bytes == 0 ? 0 : most, most, SW_POOL_GROWTH);
  model_check(g.at != 0 && sw_object_type(&g.heap[2], g.at, &g.generation) == SW_TYPE_POOL);
}
/* finish writes, too */
static void ready(void) { model_snapshot(base() + SW_HEAP_AT, REGION_BYTES - SW_HEAP_AT); }

static int acquire(int thread) {
  g.status[thread] = sw_pool_acquire(&g.heap[thread], g.at, g.generation, &g.item[thread]);
  return g.status[thread];
}
static int release(int thread, const sw_pool_item *item) {
  return sw_pool_release(&g.heap[thread], g.at, g.generation, item->index, item->life);
}
static int take(int thread, int from) {
  const sw_pool_item *item = &g.item[0];
  g.status[thread] =
      sw_pool_take(&g.heap[thread], g.at, g.generation, item->index, item->life, g.heap[from].role, &g.item[thread]);
  return g.status[thread];
}
static uint32_t *word_of(const sw_pool_item *item) { return (uint32_t *)(void *)(base() + item->block); }

static void setup_free(void) { make(0, 1), ready(); }
static void setup_held(void) {
  make(16, 1);
  model_check(acquire(0) == SW_OK);
  sw_store_relaxed(word_of(&g.item[0]), 100);
  ready();
}
static void setup_slot_held(void) {
  make(0, 1);
  model_check(acquire(0) == SW_OK);
  ready();
}
static void setup_two(void) { make(0, 2), ready(); }

static void idle(void) {}

/* ---- one holder ---- */

static void acquire_0(void) { acquire(0), g.done |= 1; }
static void acquire_1(void) { acquire(1), g.done |= 2; }

static void one_has_it(void) {
  int got = (g.status[0] == SW_OK && (g.done & 1) != 0) + (g.status[1] == SW_OK);
  for (int i = 0; i < 2; i++)
    model_check(g.status[i] == SW_OK || g.status[i] == SW_EPOOLEMPTY || g.status[i] == SW_EBUSY);
  sw_pool_stats stats;
  model_check(sw_pool_stats_of(&g.heap[2], g.at, g.generation, &stats) == SW_OK && got <= 1 && stats.held <= 1);
  model_check(sw_pool_check(&g.heap[2], g.at, g.generation) == SW_OK);
  model_mark(g.status[1] == SW_OK ? SECOND : FIRST);
}
static void two_have_two(void) {
  if (g.status[0] == SW_OK && g.status[1] == SW_OK) model_check(g.item[0].index != g.item[1].index);
  model_check((g.status[0] == SW_OK && g.status[1] == SW_OK) || g.status[0] == SW_EBUSY || g.status[1] == SW_EBUSY ||
              g.status[0] == SW_EPOOLEMPTY || g.status[1] == SW_EPOOLEMPTY);
  model_mark(g.status[0] == SW_OK && g.status[1] == SW_OK ? BOTH : REFUSED);
}

/* ---- what the last holder wrote ---- */

static void write_and_release(void) {
  sw_store_relaxed(word_of(&g.item[0]), 200);
  model_check(release(0, &g.item[0]) == SW_OK);
}
static void acquire_and_read(void) {
  if (acquire(1) != SW_OK) {
    model_check(g.status[1] == SW_EPOOLEMPTY || g.status[1] == SW_EBUSY);
    model_mark(FIRST);
    return;
  }
  model_mark(SECOND);
  model_check(sw_peer_load_relaxed(word_of(&g.item[1])) == 200);
}
static void released_once(void) {
  model_check(release(0, &g.item[0]) == SW_ERELEASED);
  model_check(sw_pool_check(&g.heap[2], g.at, g.generation) == SW_OK);
}

/* The second takes it from the first, the third from the second, without another word. */
static void write_and_take(void) {
  sw_store_relaxed(word_of(&g.item[0]), 300);
  model_check(take(1, 0) == SW_OK);
}
static void take_and_read(void) {
  if (take(2, 1) != SW_OK) {
    model_check(g.status[2] == SW_ENOTHELD);
    model_mark(FIRST);
    return;
  }
  model_mark(SECOND);
  model_check(sw_peer_load_relaxed(word_of(&g.item[2])) == 300);
}
static void one_took_it(void) {
  model_check(release(0, &g.item[0]) == SW_ENOTHELD);
  model_check(release(g.status[2] == SW_OK ? 2 : 1, &g.item[0]) == SW_OK);
}

static void take_1(void) { take(1, 0); }
static void take_2(void) { take(2, 0); }
static void one_of_two_took_it(void) {
  model_check((g.status[1] == SW_OK) + (g.status[2] == SW_OK) == 1);
  model_check(g.status[1] == SW_ENOTHELD || g.status[2] == SW_ENOTHELD);
}

/* ---- death ---- */

static void bury_0(void) { swi_pool_bury(base(), REGION_BYTES, g.at, &(swi_dead){g.heap[0].role, false}); }
static void setup_dead(void) {
  setup_slot_held();
  model_process(1, 10, 1, false);
}
static void comes_back_once(void) {
  sw_pool_stats stats;
  model_check(sw_pool_stats_of(&g.heap[2], g.at, g.generation, &stats) == SW_OK);
  model_check(stats.held == (g.status[1] == SW_OK));
  model_check(release(0, &g.item[0]) == SW_ERELEASED);
  model_mark(g.status[1] == SW_OK ? FIRST : SECOND);
}

/* ---- a freed pool ---- */

static void free_and_make(void) {
  model_check(sw_pool_free(&g.heap[0], g.at, g.generation) == SW_OK);
  g.next = sw_pool_new(&g.heap[0], 0, 0, 1, SW_POOL_GROWTH);
  model_check(g.next == g.at);
}
static void acquire_late(void) {
  acquire(1);
  model_check(g.status[1] == SW_OK || g.status[1] == SW_EFREED || g.status[1] == SW_EBUSY ||
              g.status[1] == SW_EPOOLEMPTY);
  model_mark(g.status[1] == SW_OK ? FIRST : SECOND);
}
static void the_next_is_untouched(void) {
  sw_pool_stats stats;
  model_check(sw_object_type(&g.heap[2], g.next, &g.next_generation) == SW_TYPE_POOL);
  model_check(sw_pool_stats_of(&g.heap[2], g.next, g.next_generation, &stats) == SW_OK && stats.held == 0);
  if (g.status[1] == SW_OK) model_check(release(1, &g.item[1]) == SW_EFREED);
}

/* ---- waiting ---- */

static void wait_for_it(int thread) {
  while (acquire(thread) != SW_OK) {
    model_check(sw_pool_begin_wait(&g.heap[thread], g.at, g.generation) == SW_OK);
    uint32_t ticket = sw_endpoint_arm(base(), (uint32_t)thread, SW_SLEEP_FUTEX);
    if (acquire(thread) == SW_OK) break;
    model_mark(SLEPT);
    model_wait(sw_endpoint_doorbell(base(), (uint32_t)thread), ticket);
  }
  sw_endpoint_disarm(base(), (uint32_t)thread);
  model_check(sw_pool_end_wait(&g.heap[thread], g.at, g.generation) == SW_OK);
}
static void wait_1(void) { wait_for_it(1); }
static void release_0(void) { model_check(release(0, &g.item[0]) == SW_OK); }
static void it_has_it(void) { model_check(release(1, &g.item[1]) == SW_OK); }

const model_scenario scenes_pool[] = {{.name = "pool: two acquire one cell, and one may die",
                                       .setup = setup_free,
                                       .threads = {acquire_0, acquire_1},
                                       .finish = one_has_it,
                                       .mortal = 1,
                                       .marks = FIRST | SECOND},
                                      {.name = "pool: two acquire two cells",
                                       .setup = setup_two,
                                       .threads = {acquire_0, acquire_1},
                                       .finish = two_have_two,
                                       .marks = BOTH},
                                      {.name = "pool: one writes and releases, one acquires and reads",
                                       .setup = setup_held,
                                       .threads = {write_and_release, acquire_and_read},
                                       .finish = released_once,
                                       .sc = true,
                                       .marks = FIRST | SECOND},
                                      {.name = "pool: a block goes from the first to the second to the third",
                                       .setup = setup_held,
                                       .threads = {idle, write_and_take, take_and_read},
                                       .finish = one_took_it,
                                       .marks = FIRST | SECOND},
                                      {.name = "pool: two take the same block",
                                       .setup = setup_slot_held,
                                       .threads = {idle, take_1, take_2},
                                       .finish = one_of_two_took_it},
                                      {.name = "pool: the holder is dead, one acquires, one buries it",
                                       .setup = setup_dead,
                                       .threads = {idle, acquire_1, bury_0},
                                       .finish = comes_back_once,
                                       .large = true,
                                       .marks = FIRST},
                                      {.name = "pool: one frees it and makes the next, one acquires late",
                                       .setup = setup_free,
                                       .threads = {free_and_make, acquire_late},
                                       .finish = the_next_is_untouched,
                                       .marks = FIRST | SECOND},
                                      {.name = "pool: one waits for the cell that another releases",
                                       .setup = setup_slot_held,
                                       .threads = {release_0, wait_1},
                                       .finish = it_has_it,
                                       .sc = true,
                                       .marks = SLEPT},
                                      {.name = NULL}};
