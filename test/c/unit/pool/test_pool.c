/* Pools: what is held by which participant, what comes back from the dead, growth and shrinking,
 * and threads and processes that each find what they hold unchanged. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "../heap/heap_helper.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/pool/cells.h"
#include "sabway/mutex.h"
#include "sabway/object.h"
#include "sabway/pool.h"
#include "sabway/registry.h"
#include "sabway/role.h"

enum { MOST = 300 };

typedef struct scene {
  heap_scene s;
  sw_heap other; /* another participant */
  uint32_t at, generation;
  sw_pool_item item[MOST];
} scene;

static void make(scene *c, uint32_t bytes, uint32_t initial, uint32_t most, uint32_t growth) {
  c->at = sw_pool_new(&c->s.h, bytes, initial, most, growth);
  assert_int_not_equal(c->at, 0);
  assert_int_equal(sw_object_type(&c->s.h, c->at, &c->generation), SW_TYPE_POOL);
}

static void open_pool(scene *c, uint32_t bytes, uint32_t initial, uint32_t most, uint32_t growth) {
  heap_scene_open(&c->s, MIDDLE_REGION);
  heap_open(&c->other, &c->s.r);
  make(c, bytes, initial, most, growth);
}

static int acquire(scene *c, sw_heap *h, sw_pool_item *item) { return sw_pool_acquire(h, c->at, c->generation, item); }
static int release(scene *c, sw_heap *h, sw_pool_item item) {
  return sw_pool_release(h, c->at, c->generation, item.index, item.life);
}
static void check(scene *c) { assert_int_equal(sw_pool_check(&c->s.h, c->at, c->generation), SW_OK); }
static sw_pool_stats stats_of(scene *c) {
  sw_pool_stats stats;
  assert_int_equal(sw_pool_stats_of(&c->s.h, c->at, c->generation, &stats), SW_OK);
  return stats;
}
static sw_pool *pool_of(const scene *c) { return (sw_pool *)(void *)(c->s.r.base + c->at); }

/* ---- one participant ---- */

static void each_cell_is_held_once(void **state) {
  (void)state;
  static const uint32_t SIZES[] = {1, 2, 63, 64, 65, 129, MOST};
  for (uint32_t bytes = 0; bytes <= 40; bytes += 40) {
    for (uint32_t k = 0; k < sizeof(SIZES) / sizeof(*SIZES); k++) {
      scene c;
      uint32_t most = SIZES[k];
      uint8_t seen[MOST] = {0};
      open_pool(&c, bytes, most / 2, most, 2 * SW_POOL_GROWTH);
      for (uint32_t i = 0; i < most; i++) {
        assert_int_equal(acquire(&c, i % 2 == 0 ? &c.s.h : &c.other, &c.item[i]), SW_OK);
        assert_in_range(c.item[i].index, 0, most - 1);
        assert_int_equal(seen[c.item[i].index]++, 0);
        assert_int_equal(c.item[i].block != 0, bytes != 0);
        if (bytes != 0) memset(c.s.r.base + c.item[i].block, (int)i, bytes);
      }
      sw_pool_item more;
      assert_int_equal(acquire(&c, &c.s.h, &more), SW_EPOOLEMPTY);
      check(&c);
      assert_int_equal(stats_of(&c).held, most);
      assert_int_equal(stats_of(&c).most, most);
      assert_int_equal(stats_of(&c).bytes, bytes);
      assert_int_equal(stats_of(&c).blocks, bytes == 0 ? 0 : most);
      for (uint32_t i = 0; i < most; i++) {
        for (uint32_t b = 0; b < bytes; b++) assert_int_equal(c.s.r.base[c.item[i].block + b], i % 256);
        assert_int_equal(release(&c, i % 2 == 0 ? &c.other : &c.s.h, c.item[i]), SW_ENOTHELD);
        assert_int_equal(release(&c, i % 2 == 0 ? &c.s.h : &c.other, c.item[i]), SW_OK);
        assert_int_equal(release(&c, i % 2 == 0 ? &c.s.h : &c.other, c.item[i]), SW_ERELEASED);
      }
      assert_int_equal(stats_of(&c).held, 0);
      /* the same cell, and a name from before is not its name */
      for (uint32_t i = 0; i < most; i++) assert_int_equal(acquire(&c, &c.s.h, &more), SW_OK);
      assert_int_equal(release(&c, &c.s.h, c.item[0]), SW_ERELEASED);
      check(&c);
      assert_int_equal(sw_pool_free(&c.s.h, c.at, c.generation), SW_OK);
      assert_int_equal(sw_heap_check(&c.s.h), SW_OK);
      /* the registry's, and the chunks, the first of which is the control block */
      assert_int_equal(heap_stats(&c.s.h).blocks, 1 + (most + SW_POOL_CELLS - 1) / SW_POOL_CELLS);
      heap_scene_close(&c.s);
    }
  }
}

static void names_that_cannot_be_are_refused(void **state) {
  (void)state;
  scene c;
  open_pool(&c, 16, 1, 70, SW_POOL_GROWTH);
  sw_pool_item item, got;
  assert_int_equal(acquire(&c, &c.s.h, &item), SW_OK);
  static const uint32_t INDICES[] = {70, 63, 64, 127, 1u << 20, UINT32_MAX};
  for (uint32_t i = 0; i < sizeof(INDICES) / sizeof(*INDICES); i++) {
    int status = sw_pool_release(&c.s.h, c.at, c.generation, INDICES[i], 0);
    assert_true(status == SW_ENOTHELD || status == SW_ERELEASED);
  }
  assert_int_equal(sw_pool_release(&c.s.h, c.at, c.generation, item.index, item.life + 1), SW_ERELEASED);
  assert_int_equal(sw_pool_take(&c.other, c.at, c.generation, item.index, item.life, 0, &got), SW_ENOTHELD);
  assert_int_equal(sw_pool_take(&c.other, c.at, c.generation, item.index, item.life, SW_POOL_CLOSED, &got),
                   SW_ENOTHELD);
  assert_int_equal(sw_pool_acquire(&c.s.h, c.at + 16, 77, &got), SW_EFREED);
  assert_int_equal(sw_pool_acquire(&c.s.h, 0, 1, &got), SW_EWILD);
  assert_int_equal(sw_pool_acquire(&c.s.h, c.at, c.generation + 1, &got), SW_EFREED);
  assert_int_equal(sw_pool_stats_of(&c.s.h, 8, 1, NULL), SW_EWILD);
  static const uint32_t SHAPES[][3] = {{0, 0, SW_POOL_GROWTH},
                                       {0, SW_POOL_MOST + 1, SW_POOL_GROWTH},
                                       {5, 4, SW_POOL_GROWTH},
                                       {0, 4, SW_POOL_GROWTH - 1}};
  for (uint32_t i = 0; i < sizeof(SHAPES) / sizeof(*SHAPES); i++) {
    assert_int_equal(sw_pool_new(&c.s.h, 16, SHAPES[i][0], SHAPES[i][1], SHAPES[i][2]), 0);
    assert_int_equal(c.s.h.status, SW_ERANGE);
  }
  heap_scene_close(&c.s);
}

static void it_grows_by_its_factor(void **state) {
  (void)state;
  static const struct {
    uint32_t growth, then[5];
  } ROWS[] = {{SW_POOL_GROWTH, {11, 12, 13, 14, 15}},
              {2 * SW_POOL_GROWTH, {20, 40, 80, 160, 300}},
              {SW_POOL_GROWTH * 3 / 2, {15, 22, 33, 49, 73}},
              {UINT32_MAX, {266, 300, 300, 300, 300}}};
  for (uint32_t row = 0; row < sizeof(ROWS) / sizeof(*ROWS); row++) {
    scene c;
    open_pool(&c, 16, 10, MOST, ROWS[row].growth);
    uint32_t held = 0;
    for (uint32_t step = 0; step < 5; step++) {
      for (uint32_t blocks = stats_of(&c).blocks; held < blocks; held++)
        assert_int_equal(acquire(&c, &c.s.h, &c.item[held]), SW_OK);
      if (held == MOST) break;
      assert_int_equal(acquire(&c, &c.s.h, &c.item[held++]), SW_OK);
      /* of one chunk at a time */
      uint32_t blocks = stats_of(&c).blocks, wanted = ROWS[row].then[step], end = (held - 1) / 64 * 64 + 64;
      assert_int_equal(blocks, wanted < end ? wanted : end);
      if (blocks != wanted) break;
    }
    check(&c);
    heap_scene_close(&c.s);
  }
}

static void it_shrinks_and_grows_again(void **state) {
  (void)state;
  scene c;
  open_pool(&c, 2000, 0, MOST, 2 * SW_POOL_GROWTH);
  uint64_t before = heap_stats(&c.s.h).used;
  for (uint32_t turn = 0; turn < 3; turn++) {
    for (uint32_t i = 0; i < MOST; i++) assert_int_equal(acquire(&c, &c.s.h, &c.item[i]), SW_OK);
    assert_int_equal(sw_pool_shrink(&c.other, c.at, c.generation, 0), 0); /* all are held */
    for (uint32_t i = 0; i < MOST; i += 2) assert_int_equal(release(&c, &c.s.h, c.item[i]), SW_OK);
    assert_int_equal(sw_pool_shrink(&c.other, c.at, c.generation, 200), 100);
    assert_int_equal(stats_of(&c).blocks, 200);
    assert_int_equal(sw_pool_shrink(&c.other, c.at, c.generation, 0), 50);
    assert_int_equal(stats_of(&c).blocks, MOST / 2);
    check(&c);
    for (uint32_t i = 1; i < MOST; i += 2) assert_int_equal(release(&c, &c.s.h, c.item[i]), SW_OK);
    assert_int_equal(sw_pool_shrink(&c.s.h, c.at, c.generation, 0), MOST / 2);
    /* the chunks stay */
    assert_in_range(heap_stats(&c.s.h).used, before, before + 8192);
  }
  heap_scene_close(&c.s);
}

static void a_full_heap_changes_nothing(void **state) {
  (void)state;
  scene c;
  heap_scene_open(&c.s, SMALL_REGION);
  heap_open(&c.other, &c.s.r);
  uint64_t blocks = heap_stats(&c.s.h).blocks;
  assert_int_equal(sw_pool_new(&c.s.h, 100000, 100, 100, SW_POOL_GROWTH), 0);
  assert_int_equal(c.s.h.status, SW_EHEAPFULL);
  /* what is used again: of the registry, and a control block */
  assert_int_equal(heap_stats(&c.s.h).blocks, blocks + 2);
  make(&c, 100000, 0, 200, 4 * SW_POOL_GROWTH);
  uint32_t held = 0;
  for (int status; (status = acquire(&c, &c.s.h, &c.item[held])) != SW_EHEAPFULL; held++)
    assert_int_equal(status, SW_OK);
  assert_in_range(held, 5, 25);
  check(&c);
  assert_int_equal(stats_of(&c).held, held);
  assert_int_equal(acquire(&c, &c.other, &c.item[held]), SW_EHEAPFULL);
  assert_int_equal(release(&c, &c.s.h, c.item[0]), SW_OK);
  assert_int_equal(acquire(&c, &c.other, &c.item[0]), SW_OK);
  heap_scene_close(&c.s);
}

static void a_freed_pool_is_refused_and_its_chunks_serve_the_next(void **state) {
  (void)state;
  scene c;
  open_pool(&c, 16, 1, 70, SW_POOL_GROWTH);
  scene old = c;
  for (uint32_t i = 0; i < 70; i++) assert_int_equal(acquire(&old, &c.s.h, &old.item[i]), SW_OK);
  assert_int_equal(sw_pool_free(&c.s.h, c.at, c.generation), SW_OK);
  assert_int_equal(acquire(&old, &c.s.h, &c.item[0]), SW_EFREED);
  assert_int_equal(release(&old, &c.s.h, old.item[0]), SW_EFREED);
  assert_int_equal(sw_pool_free(&c.s.h, old.at, old.generation), SW_EFREED);
  uint64_t blocks = heap_stats(&c.s.h).blocks;
  make(&c, 0, 0, 70, SW_POOL_GROWTH);
  for (uint32_t i = 0; i < 70; i++) assert_int_equal(acquire(&c, &c.s.h, &c.item[i]), SW_OK);
  assert_int_equal(heap_stats(&c.s.h).blocks, blocks);
  /* a name in the pool that was there before is none in this one */
  for (uint32_t i = 0; i < 70; i++) assert_int_equal(release(&c, &c.s.h, old.item[i]), SW_ERELEASED);
  check(&c);
  heap_scene_close(&c.s);
}

/* ---- several participants ---- */

static void a_cell_is_handed_on(void **state) {
  (void)state;
  scene c;
  sw_heap third;
  open_pool(&c, 64, 2, 2, SW_POOL_GROWTH);
  heap_open(&third, &c.s.r);
  sw_pool_item item, got, none;
  assert_int_equal(acquire(&c, &c.s.h, &item), SW_OK);
  memcpy(c.s.r.base + item.block, "from the first", 15);
  assert_int_equal(sw_pool_take(&c.other, c.at, c.generation, item.index, item.life, c.s.h.role, &got), SW_OK);
  assert_memory_equal(&got, &item, sizeof(item));
  assert_string_equal((char *)c.s.r.base + got.block, "from the first");
  /* what is handed on is not the first's any more, and a second taker comes too late */
  assert_int_equal(sw_pool_take(&third, c.at, c.generation, item.index, item.life, c.s.h.role, &none), SW_ENOTHELD);
  assert_int_equal(release(&c, &c.s.h, item), SW_ENOTHELD);
  assert_int_equal(release(&c, &c.other, item), SW_OK);
  assert_int_equal(sw_pool_take(&third, c.at, c.generation, item.index, item.life, c.other.role, &none), SW_ERELEASED);
  assert_int_equal(stats_of(&c).held, 0);
  heap_scene_close(&c.s);
}

static void participants_begin_at_cells_of_their_own(void **state) {
  (void)state;
  scene c;
  open_pool(&c, 0, 0, 64, SW_POOL_GROWTH);
  sw_pool_item item, again;
  assert_int_equal(acquire(&c, &c.s.h, &item), SW_OK);
  assert_int_equal(acquire(&c, &c.other, &again), SW_OK);
  assert_true(item.index / 8 != again.index / 8); /* not in one line of a cache */
  assert_int_equal(release(&c, &c.s.h, item), SW_OK);
  assert_int_equal(acquire(&c, &c.s.h, &again), SW_OK);
  assert_int_equal(again.index, item.index);
  assert_int_equal(again.life, item.life + 1);
  heap_scene_close(&c.s);
}

static void what_the_dead_held_comes_back(void **state) {
  (void)state;
  for (int how = 0; how < 3; how++) {
    scene c;
    open_pool(&c, 16, 100, 100, SW_POOL_GROWTH);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      sw_heap h;
      heap_open(&h, &c.s.r);
      for (uint32_t i = 0; i < 80; i++) {
        if (acquire(&c, &h, &c.item[i]) != SW_OK) _exit(1);
      }
      for (uint32_t i = 0; i < 5; i++) {
        if (release(&c, &h, c.item[i * 7]) != SW_OK) _exit(1);
      }
      raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(stats_of(&c).held, 75);
    uint32_t dead = sw_endpoint_role(c.s.r.base, 2);
    sw_pool_item mine;
    assert_int_equal(acquire(&c, &c.s.h, &mine), SW_OK);
    if (how == 0) {
      /* buried, twice: the second time changes nothing */
      for (int i = 0; i < 2; i++) sw_region_evict_role(c.s.r.base, c.s.r.size, dead);
      assert_int_equal(stats_of(&c).held, 1);
    } else if (how == 1) {
      /* by the next owner of the endpoint */
      assert_int_equal(region_claim(&c.s.r), 2);
      sw_region_evict(c.s.r.base, c.s.r.size, 2);
      assert_int_equal(stats_of(&c).held, 1);
    }
    /* or by the next participant that finds nothing else */
    for (uint32_t i = 1; i < 100; i++) assert_int_equal(acquire(&c, i % 2 ? &c.s.h : &c.other, &c.item[i]), SW_OK);
    assert_int_equal(acquire(&c, &c.s.h, &c.item[0]), SW_EPOOLEMPTY);
    check(&c);
    heap_scene_close(&c.s);
  }
}

static void what_a_dead_sender_offered_is_not_to_be_had(void **state) {
  (void)state;
  scene c;
  open_pool(&c, 16, 1, 1, SW_POOL_GROWTH);
  sw_pool_item item, got;
  assert_int_equal(acquire(&c, &c.other, &item), SW_OK);
  sw_region_evict_role(c.s.r.base, c.s.r.size, c.other.role);
  assert_int_equal(sw_pool_take(&c.s.h, c.at, c.generation, item.index, item.life, c.other.role, &got), SW_ERELEASED);
  assert_int_equal(release(&c, &c.other, item), SW_ERELEASED); /* it was taken for dead */
  heap_scene_close(&c.s);
}

static void hints_that_lie_cost_time_alone(void **state) {
  (void)state;
  static const uint64_t LIES[] = {0, UINT64_MAX, 0x5555555555555555u};
  for (uint32_t lie = 0; lie < 3; lie++) {
    scene c;
    open_pool(&c, 16, 30, 60, SW_POOL_GROWTH);
    uint8_t seen[60] = {0};
    for (uint32_t i = 0; i < 60; i++) {
      pool_of(&c)->free = LIES[lie];
      pool_of(&c)->recent = (uint32_t)LIES[lie];
      assert_int_equal(acquire(&c, &c.s.h, &c.item[i]), SW_OK);
      assert_int_equal(seen[c.item[i].index]++, 0);
      assert_int_not_equal(c.item[i].block, 0);
    }
    pool_of(&c)->free = LIES[lie];
    assert_int_equal(acquire(&c, &c.s.h, &c.item[0]), SW_EPOOLEMPTY);
    check(&c);
    heap_scene_close(&c.s);
  }
}

static void the_lock_of_a_dead_one_is_taken(void **state) {
  (void)state;
  scene c;
  open_pool(&c, 16, 1, 80, SW_POOL_GROWTH);
  sw_mutex *lock = &((sw_object *)(void *)(c.s.r.base + c.at))->lock;
  assert_int_equal(sw_mutex_try_lock(c.s.r.base, lock, c.other.endpoint), SW_OK);
  assert_int_equal(acquire(&c, &c.s.h, &c.item[0]), SW_OK); /* it needs no lock */
  assert_int_equal(acquire(&c, &c.s.h, &c.item[1]), SW_EBUSY);
  assert_int_equal(sw_pool_free(&c.s.h, c.at, c.generation), SW_EBUSY);
  sw_endpoint_release(c.s.r.base, c.other.endpoint);
  for (uint32_t i = 1; i < 80; i++) assert_int_equal(acquire(&c, &c.s.h, &c.item[i]), SW_OK);
  check(&c);
  heap_scene_close(&c.s);
}

static void words_that_cannot_be_are_corrupt(void **state) {
  (void)state;
  scene c;
  open_pool(&c, 16, 4, 64, SW_POOL_GROWTH);
  sw_pool *pool = pool_of(&c), good = *pool;
#define CORRUPT(change)                                                       \
  do {                                                                        \
    change;                                                                   \
    assert_int_equal(sw_pool_check(&c.s.h, c.at, c.generation), SW_ECORRUPT); \
    *pool = good;                                                             \
    check(&c);                                                                \
  } while (0)
  CORRUPT(pool->owner ^= 1);
  CORRUPT(pool->number = 1);
  CORRUPT(pool->cell[3] = SW_POOL_CLOSED);
  CORRUPT(pool->cell[3] = 100);
  CORRUPT(pool->block[3] = 16);
  CORRUPT(pool->block[3] = pool->block[2] + 8);
  CORRUPT(pool->bytes = 5000);
  CORRUPT(pool->bytes = 0);
  CORRUPT(pool->most = 0);
  CORRUPT(pool->growth = 0);
  CORRUPT(pool->chunks = 0);
  heap_scene_close(&c.s);
}

/* ---- threads ---- */

enum { THREADS = 4, TURNS = 20000, AT_ONCE = 5 };

typedef struct worker {
  scene *c;
  sw_heap h;
  uint32_t seed, empty;
  int status, torn;
} worker;

static void *work(void *argument) {
  worker *w = argument;
  sw_pool_item held[AT_ONCE];
  uint64_t random = w->seed + 1;
  uint32_t count = 0;
  for (uint32_t turn = 0; turn < TURNS && w->status == SW_OK && !w->torn; turn++) {
    if (count < AT_ONCE && random_next(&random) % 2 == 0) {
      int status = acquire(w->c, &w->h, &held[count]);
      if (status == SW_EPOOLEMPTY || status == SW_EBUSY) {
        w->empty++;
        continue;
      }
      w->status = status;
      uint32_t *word = (uint32_t *)(void *)(w->h.base + held[count].block);
      for (int i = 0; i < 4; i++) word[i] = w->seed + held[count].life;
      count++;
    } else if (count > 0) {
      sw_pool_item item = held[--count];
      const uint32_t *word = (const uint32_t *)(const void *)(w->h.base + item.block);
      for (int i = 0; i < 4; i++) w->torn |= word[i] != w->seed + item.life;
      w->status = release(w->c, &w->h, item);
    }
    if (turn % 1024 == 0) sw_pool_shrink(&w->h, w->c->at, w->c->generation, 4);
  }
  while (count > 0) release(w->c, &w->h, held[--count]);
  return NULL;
}

static void no_block_has_two_holders(void **state) {
  (void)state;
  for (uint32_t most = 12; most <= 70; most += 58) {
    scene c;
    open_pool(&c, 16, 2, most, 2 * SW_POOL_GROWTH);
    static worker workers[THREADS];
    pthread_t threads[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
      workers[i] = (worker){.c = &c, .seed = 1000000 * (i + 1)};
      heap_open(&workers[i].h, &c.s.r);
      assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (uint32_t i = 0; i < THREADS; i++) {
      assert_int_equal(workers[i].status, SW_OK);
      assert_false(workers[i].torn);
    }
    assert_int_equal(stats_of(&c).held, 0);
    check(&c);
    for (uint32_t i = 0; i < most; i++) assert_int_equal(acquire(&c, &c.s.h, &c.item[i]), SW_OK);
    assert_int_equal(acquire(&c, &c.s.h, &c.item[most]), SW_EPOOLEMPTY);
    heap_scene_close(&c.s);
  }
}

static void a_pool_of_many_chunks(void **state) {
  (void)state;
  enum { MANY = 64 * 1100 }; /* links of three levels */
  scene c;
  open_pool(&c, 0, 0, MANY, SW_POOL_GROWTH);
  uint8_t *seen = calloc(MANY, 1);
  for (uint32_t i = 0; i < MANY; i++) {
    sw_pool_item item;
    assert_int_equal(acquire(&c, &c.s.h, &item), SW_OK);
    assert_in_range(item.index, 0, MANY - 1);
    assert_int_equal(seen[item.index]++, 0);
    if (i % 1000 == 0) assert_int_equal(release(&c, &c.s.h, item), SW_OK), seen[item.index]--, i++;
  }
  free(seen);
  check(&c);
  assert_int_equal(sw_pool_free(&c.s.h, c.at, c.generation), SW_OK);
  assert_int_equal(sw_heap_check(&c.s.h), SW_OK);
  heap_scene_close(&c.s);
}

/* ---- waiting ---- */

static void *release_later(void *argument) {
  scene *c = argument;
  sleep_ms(30);
  release(c, &c->other, c->item[0]);
  return NULL;
}

static void a_thread_waits_for_a_cell(void **state) {
  (void)state;
  scene c;
  sw_pool_item item;
  pthread_t thread;
  open_pool(&c, 0, 0, 1, SW_POOL_GROWTH);
  assert_int_equal(acquire(&c, &c.other, &c.item[0]), SW_OK);
  assert_int_equal(sw_pool_acquire_wait(&c.s.h, c.at, c.generation, 0, &item), SW_ETIMEDOUT);
  assert_int_equal(sw_pool_acquire_wait(&c.s.h, c.at, c.generation, 2000000, &item), SW_ETIMEDOUT);
  assert_int_equal(pool_of(&c)->head.waits[0], 0);
  assert_int_equal(pthread_create(&thread, NULL, release_later, &c), 0);
  assert_int_equal(sw_pool_acquire_wait(&c.s.h, c.at, c.generation, -1, &item), SW_OK);
  pthread_join(thread, NULL);
  assert_int_equal(item.life, c.item[0].life + 1);
  assert_int_equal(pool_of(&c)->head.waits[0], 0);
  assert_int_equal(sw_pool_free(&c.s.h, c.at, c.generation), SW_OK);
  assert_int_equal(sw_pool_acquire_wait(&c.s.h, c.at, c.generation, -1, &item), SW_EFREED);
  assert_int_equal(sw_pool_begin_wait(&c.s.h, c.at, c.generation), SW_EFREED);
  assert_int_equal(sw_pool_end_wait(&c.s.h, c.at, c.generation), SW_EFREED);
  heap_scene_close(&c.s);
}

/* A waiter is rung by what gives a cell back, and a waiter that leaves passes the wake on. */
static void what_gives_back_rings(void **state) {
  (void)state;
  for (int how = 0; how < 3; how++) {
    scene c;
    open_pool(&c, 0, 0, 65, SW_POOL_GROWTH);
    for (uint32_t i = 0; i < 65; i++) assert_int_equal(acquire(&c, &c.other, &c.item[i]), SW_OK);
    assert_int_equal(sw_pool_begin_wait(&c.s.h, c.at, c.generation), SW_OK);
    uint32_t ticket = sw_endpoint_arm(c.s.r.base, c.s.h.endpoint, SW_SLEEP_FUTEX);
    if (how == 0) assert_int_equal(release(&c, &c.other, c.item[0]), SW_OK);
    if (how == 1) sw_region_evict_role(c.s.r.base, c.s.r.size, c.other.role);
    if (how == 2) {
      assert_int_equal(sw_pool_begin_wait(&c.other, c.at, c.generation), SW_OK);
      assert_int_equal(sw_pool_end_wait(&c.other, c.at, c.generation), SW_OK);
    }
    assert_int_not_equal(*sw_endpoint_doorbell(c.s.r.base, c.s.h.endpoint), ticket);
    heap_scene_close(&c.s);
  }
}

TESTS(TEST(each_cell_is_held_once), TEST(names_that_cannot_be_are_refused), TEST(it_grows_by_its_factor),
      TEST(it_shrinks_and_grows_again), TEST(a_full_heap_changes_nothing),
      TEST(a_freed_pool_is_refused_and_its_chunks_serve_the_next), TEST(a_cell_is_handed_on),
      TEST(participants_begin_at_cells_of_their_own), TEST(what_the_dead_held_comes_back),
      TEST(what_a_dead_sender_offered_is_not_to_be_had), TEST(hints_that_lie_cost_time_alone),
      TEST(the_lock_of_a_dead_one_is_taken), TEST(words_that_cannot_be_are_corrupt), TEST(no_block_has_two_holders),
      TEST(a_thread_waits_for_a_cell), TEST(what_gives_back_rings), TEST(a_pool_of_many_chunks));
