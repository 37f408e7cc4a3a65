/* Locks and signals among hostile peers: each word of the control block becomes something else, or
 * turns out to be something else when it is read, above all when it is read a second time. Calls
 * may fail and tell anything; but each call ends, and none reads or writes outside of the heap's
 * pages. */
#include "../unit/heap/heap_helper.h"
#include "lying_peer.h"
#include "sabway/mutex.h"
#include "sabway/object.h"
#include "sabway/registry.h"
#include "sabway/sync.h"

enum { REGION = 19 * SW_PAGE };

/* ---- the peer ---- */

lying_peer peer = {.most_loads = 100000};

static uint64_t rounds;

uint32_t lie(uint32_t real) {
  uint32_t random = random_next(&peer.random);
  switch (random % 7) {
    case 0:
      return real + 1;
    case 1:
      return real ^ 1u << (random >> 8) % 32;
    case 2:
      return random >> 8 & 127;
    case 3:
      return 0;
    case 4:
      return UINT32_MAX - (random >> 8) % 4;
    case 5:
      return real ^ (uint32_t)SW_SYNC_FLAG;
    default:
      return random_next(&peer.random);
  }
}

/* ---- one of each type, with walls around the region ---- */

static const struct {
  uint32_t type, limit, initial, options;
} KINDS[] = {
    {SW_TYPE_EVENT, 0, 1, 0},      {SW_TYPE_EVENT, 0, 0, SW_SYNC_AUTO},
    {SW_TYPE_SEMAPHORE, 3, 2, 0},  {SW_TYPE_SEMAPHORE, 100, 2, 0},
    {SW_TYPE_CONDITION, 0, 0, 0},  {SW_TYPE_RWLOCK, 0, 0, 0},
    {SW_TYPE_BARRIER, 2, 0, 0},    {SW_TYPE_BARRIER, 64, 0, SW_SYNC_LEAVE},
    {SW_TYPE_WAIT_GROUP, 0, 0, 0}, {SW_TYPE_WAIT_GROUP, 0, 0, SW_SYNC_LEAVE},
    {SW_TYPE_ONCE, 0, 0, 0},       {SW_TYPE_SPIN_LOCK, 0, 0, 0},
};
enum { KIND_COUNT = sizeof(KINDS) / sizeof(*KINDS) };

typedef struct walled {
  uint8_t *whole;
  region r;
  sw_heap h, other;
  uint32_t kind, type, at, generation, ticket;
  int permit;
} walled;

static void make(walled *w) {
  w->type = KINDS[w->kind].type;
  uint32_t at = sw_sync_new(&w->h, w->type, KINDS[w->kind].limit, KINDS[w->kind].initial, KINDS[w->kind].options);
  if (at != 0) w->at = at;
  sw_object_type(&w->h, w->at, &w->generation);
}

static void walled_open(walled *w, uint32_t kind) {
  memset(w, 0, sizeof(*w));
  peer.lies = 0;
  peer.loads = 0;
  w->whole = mmap(NULL, REGION + 2 * SW_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_ptr_not_equal(w->whole, MAP_FAILED);
  w->r = (region){.base = w->whole + SW_PAGE, .size = REGION, .pages = REGION / SW_PAGE};
  assert_int_equal(mprotect(w->r.base, REGION, PROT_READ | PROT_WRITE), 0);
  assert_int_equal(sw_region_format_empty(w->r.base, w->r.pages, SW_HEAP_AT), SW_OK);
  assert_int_equal(sw_heap_format(w->r.base, SW_HEAP_AT, w->r.size), SW_OK);
  heap_open(&w->h, &w->r);
  heap_open(&w->other, &w->r);
  w->kind = kind;
  make(w);
  assert_int_not_equal(w->at, 0);
}

static void walled_close(walled *w) {
  munmap(w->whole, REGION + 2 * SW_PAGE);
  rounds++;
}

/* A status, or a number that the call may tell. */
static void must_be_told(int status) { assert_true(status > -100); }

static void call_of_type(walled *w, sw_heap *h, uint32_t random) {
  uint32_t at = w->at, generation = w->generation, way = random >> 4 & 7;
  int status = SW_OK;
  switch (w->type) {
    case SW_TYPE_EVENT:
      status = way < 3   ? sw_event_set(h, at, generation)
               : way < 5 ? sw_event_reset(h, at, generation)
                         : sw_event_try(h, at, generation);
      break;
    case SW_TYPE_SEMAPHORE:
      if (way < 3) w->permit = status = sw_semaphore_try_acquire(h, at, generation);
      else if (way < 5) status = sw_semaphore_release(h, at, generation, (uint32_t)w->permit);
      else if (way == 5) status = sw_semaphore_consume(h, at, generation, random >> 8 & 127);
      else if (way == 6) status = sw_semaphore_post(h, at, generation);
      else status = sw_semaphore_available(h, at, generation);
      break;
    case SW_TYPE_CONDITION:
      if (way < 3) status = sw_condition_enlist(h, at, generation);
      else if (way < 5) status = sw_condition_try(h, at, generation);
      else if (way == 5) status = sw_condition_leave(h, at, generation);
      else status = sw_condition_notify(h, at, generation, way & 1);
      break;
    case SW_TYPE_RWLOCK:
      if (way < 2) status = sw_rwlock_try_read(h, at, generation);
      else if (way == 2) status = sw_rwlock_end_read(h, at, generation);
      else if (way < 5) status = sw_rwlock_try_write(h, at, generation, way & 1);
      else if (way == 5) status = sw_rwlock_consistent(h, at, generation);
      else status = sw_rwlock_end_write(h, at, generation);
      break;
    case SW_TYPE_BARRIER:
      if (way < 2) status = sw_barrier_arrive(h, at, generation, &w->ticket);
      else if (way == 2) status = sw_barrier_join(h, at, generation);
      else if (way == 3) status = sw_barrier_leave(h, at, generation);
      else if (way < 6) status = sw_barrier_try(h, at, generation, w->ticket);
      else if (way == 6) status = sw_barrier_withdraw(h, at, generation, w->ticket);
      else status = sw_barrier_reset(h, at, generation);
      break;
    case SW_TYPE_WAIT_GROUP:
      if (way == 0) status = sw_group_add(h, at, generation, random >> 8 & 127);
      else if (way == 1) status = sw_group_claim(h, at, generation);
      else if (way < 4) status = sw_group_done(h, at, generation);
      else if (way < 6) status = sw_group_try(h, at, generation);
      else if (way == 6) status = sw_group_mend(h, at, generation);
      else status = sw_group_left(h, at, generation);
      break;
    case SW_TYPE_ONCE:
      status = way < 5 ? sw_once_begin(h, at, generation) : sw_once_end(h, at, generation, way & 1);
      break;
    default:
      status = way < 5 ? sw_spin_try_lock(h, at, generation, way & 1) : sw_spin_unlock(h, at, generation);
  }
  must_be_told(status);
}

static void step(walled *w, uint64_t *random) {
  uint32_t next = random_next(random);
  sw_heap *h = next % 3 == 0 ? &w->other : &w->h;
  peer.loads = 0;
  switch (next >> 16 & 15) {
    case 0:
      sw_sync_check(h, w->at, w->type, w->generation);
      break;
    case 1:
    case 2:
      sw_sync_begin_wait(h, w->at, w->type, w->generation, next >> 24 & 1);
      break;
    case 3:
    case 4:
      sw_sync_end_wait(h, w->at, w->type, w->generation, next >> 24 & 1);
      break;
    case 5:
      if ((next >> 24) % 8 != 0) break;
      /* one dies with what it has, perhaps */
      sw_endpoint_release(w->r.base, w->other.endpoint);
      sw_heap_open(&w->other, w->r.base, w->r.size, SW_HEAP_AT, region_claim(&w->r));
      break;
    case 6:
      sw_region_evict_role(w->r.base, w->r.size, w->other.role);
      break;
    case 7:
      if ((next >> 24) % 8 != 0) break;
      if (sw_sync_free(h, w->at, w->type, w->generation) == SW_OK) make(w);
      break;
    default:
      call_of_type(w, h, next >> 20);
  }
}

/* ---- words that become something else ---- */

static const uint32_t VALUES[] = {0,
                                  1,
                                  2,
                                  3,
                                  5,
                                  63,
                                  64,
                                  65,
                                  0x100,
                                  0x101,
                                  0x183,
                                  0x8000,
                                  0x80000101,
                                  REGION,
                                  0x7fffffff,
                                  0x80000000,
                                  0xfffffff0,
                                  UINT32_MAX - 2,
                                  UINT32_MAX - 1,
                                  UINT32_MAX};

static void with_word(uint32_t kind, size_t offset, uint32_t value, uint64_t seed) {
  walled w;
  peer.random = seed;
  walled_open(&w, kind);
  uint64_t random = seed;
  for (int i = 0; i < 40; i++) step(&w, &random);
  memcpy(w.r.base + w.at + offset, &value, 4);
  for (int i = 0; i < 60; i++) step(&w, &random);
  walled_close(&w);
}

static void every_word_can_be_anything(void **state) {
  (void)state;
  rounds = 0;
  for (uint32_t kind = 0; kind < KIND_COUNT; kind++) {
    for (size_t v = 0; v < sizeof(VALUES) / sizeof(*VALUES); v++) {
      for (size_t offset = 0; offset < SW_SYNC_BYTES; offset += 4)
        with_word(kind, offset, VALUES[v], 100 * offset + v + 1);
    }
  }
  print_message("%u rounds\n", (uint32_t)rounds);
}

static void all_words_at_once(void **state) {
  (void)state;
  rounds = 0;
  for (uint64_t seed = 1; seed <= 3000; seed++) {
    walled w;
    peer.random = seed * 0x9e3779b97f4a7c15;
    walled_open(&w, (uint32_t)seed % KIND_COUNT);
    uint64_t random = seed;
    sw_sync *o = (sw_sync *)(void *)(w.r.base + w.at);
    for (int i = 0; i < 80; i++) {
      /* all but what tells which object it is, by turns */
      if (i % 8 == 7) {
        uint32_t *word = &o->state;
        uint32_t *end = (uint32_t *)(void *)(w.r.base + w.at + SW_SYNC_BYTES);
        for (; word < end; word++) *word = lie(*word);
      }
      step(&w, &random);
    }
    walled_close(&w);
  }
  print_message("%u rounds\n", (uint32_t)rounds);
}

static void every_read_can_be_a_lie(void **state) {
  (void)state;
  static const int RARE[] = {1000, 100, 20, 5};
  rounds = 0;
  for (uint64_t seed = 1; seed <= 6000; seed++) {
    walled w;
    peer.random = seed * 0x9e3779b97f4a7c15;
    walled_open(&w, (uint32_t)seed % KIND_COUNT);
    uint64_t random = seed;
    for (int i = 0; i < 30; i++) step(&w, &random);
    peer.lies = RARE[seed / KIND_COUNT % 4];
    for (int i = 0; i < 80; i++) step(&w, &random);
    walled_close(&w);
  }
  print_message("%u rounds\n", (uint32_t)rounds);
}

TESTS(TEST(every_word_can_be_anything), TEST(all_words_at_once), TEST(every_read_can_be_a_lie));
