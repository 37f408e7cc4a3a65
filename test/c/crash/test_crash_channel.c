/* Death at each shared access of making, naming and freeing a channel in a heap, and of taking a
 * dead one's side. The survivor finds the heap and the registry in order, and takes back what the
 * dead one left: at most one header and one block of rings are lost, and where the registry grew a
 * block of that. */
#include <signal.h>

#include "../unit/heap/heap_helper.h"
#include "core/channel/life.h"
#include "crash.h"
#include "sabway/heap_channel.h"
#include "sabway/registry.h"

typedef struct channel_case {
  const char *name;
  void (*prelude)(void);
  void (*act)(void);
} channel_case;

static region shared;
static sw_heap mine, of_child; /* the survivor's handle; the one of the process that dies */
static notes *told;
static uint32_t *at; /* of the channel, shared */
static sw_producer out;
static sw_consumer in;

static void take_side(uint32_t side, uint32_t index) {
  MUST(sw_channel_open_producer(&out, shared.base, shared.size, *at, 1, side, index) == SW_OK);
  MUST(sw_channel_open_consumer(&in, shared.base, shared.size, *at, 1, side, index) == SW_OK);
}
static void close_side(uint32_t side, uint32_t index) {
  take_side(side, index);
  sw_producer_close(&out);
  sw_consumer_close(&in);
  sw_producer_leave(&out);
  sw_consumer_leave(&in);
}

static void nothing(void) {}
static void make(void) { MUST((*at = sw_channel_new(&of_child, CAPACITY, CAPACITY)) != 0); }
static void made_and_freed(void) {
  make();
  MUST(sw_channel_free(&of_child, *at, 1, SW_CHANNEL_UNSHARED) == 1);
}
static void both_are_done(void) {
  make();
  close_side(SW_RENDERER, of_child.endpoint);
  close_side(SW_NATIVE, of_child.endpoint);
}
static void one_is_done(void) {
  make();
  close_side(SW_RENDERER, of_child.endpoint);
}
static void free_it(void) { MUST(sw_channel_free(&of_child, *at, 1, 0) == 1); }
static void free_in_use(void) { MUST(sw_channel_free(&of_child, *at, 1, 0) == 0); }
static void free_what_is_found(void) { MUST(sw_channel_reclaim(&of_child) == 1); }
static void be_done(void) { close_side(SW_NATIVE, of_child.endpoint); }

static const channel_case CASES[] = {
    {"channel: new", nothing, make},
    {"channel: new of a header", made_and_freed, make},
    {"channel: free", both_are_done, free_it},
    {"channel: free, in use", one_is_done, free_in_use},
    {"channel: reclaim", both_are_done, free_what_is_found},
    {"channel: the other side opens, closes, leaves", one_is_done, be_done},
};

static void be_the_child(const channel_case *what, uint32_t k) {
  crash_join(&of_child, &shared, told);
  what->prelude();
  crash_arm(told, k);
  what->act();
  crash_disarm();
  _exit(0);
}

/* The blocks that can be reached: those of the registry, and each open channel's two. */
static void count(uint32_t *open, uint32_t *free_headers, uint32_t *lost_headers) {
  sw_registry_cursor cursor = {0};
  *open = *free_headers = *lost_headers = 0;
  for (uint32_t entry; (entry = sw_registry_next(shared.base, shared.size, &cursor)) != 0;) {
    uint32_t kind = entry & SW_KIND_MASK, header = entry & ~(uint32_t)SW_KIND_MASK;
    assert_true(kind == SW_KIND_CHANNEL || kind == SW_KIND_FREE_CHANNEL);
    if (kind == SW_KIND_FREE_CHANNEL) ++*free_headers;
    else if (sw_channel_generation(shared.base, shared.size, header) != 0) ++*open;
    else ++*lost_headers;
  }
}

static void look(const channel_case *what, uint32_t k) {
  uint32_t open, free_headers, lost_headers;
  sw_channel_reclaim(&mine);
  assert_int_equal(sw_heap_check(&mine), SW_OK);
  count(&open, &free_headers, &lost_headers);
  uint32_t headers = open + free_headers + lost_headers;
  uint32_t reachable = open + headers + (headers != 0);
  uint32_t most = what->prelude == nothing ? 3 : 2; /* the first channel makes the registry grow */
  uint64_t lost = heap_stats(&mine).blocks - reachable;
  if (lost_headers > 1 || lost > most) {
    fail_msg("%s, death %u: %u headers and %u other blocks are lost", what->name, k, lost_headers, (uint32_t)lost);
  }
}

/* A channel that the dead one has left half done is the survivor's to be done with: no state is
 * left in which it can be neither opened nor freed. */
static void go_on(void) {
  uint32_t generation = *at == 0 ? 0 : sw_channel_generation(shared.base, shared.size, *at);
  if (generation != 0) {
    uint32_t index = region_claim(&shared);
    for (uint32_t side = 0; side < 2; side++) {
      int status = sw_channel_open_producer(&out, shared.base, shared.size, *at, generation, side, index);
      assert_true(status == SW_OK || status == SW_ECLOSED);
      if (status == SW_OK) sw_producer_close(&out);
      if (status == SW_OK) sw_producer_leave(&out);
      status = sw_channel_open_consumer(&in, shared.base, shared.size, *at, generation, side, index);
      assert_true(status == SW_OK || status == SW_ECLOSED);
      if (status == SW_OK) sw_consumer_close(&in);
      if (status == SW_OK) sw_consumer_leave(&in);
    }
    assert_int_equal(sw_channel_free(&mine, *at, generation, 0), 1);
  }
  for (uint32_t i = 0; i < 20; i++) {
    uint32_t next = sw_channel_new(&mine, CAPACITY, CAPACITY);
    assert_int_not_equal(next, 0);
    generation = sw_channel_generation(shared.base, shared.size, next);
    assert_int_equal(sw_channel_free(&mine, next, generation, SW_CHANNEL_UNSHARED), 1);
  }
  assert_int_equal(sw_heap_check(&mine), SW_OK);
}

/* 1 when the child was killed. */
static int die_once(const channel_case *what, uint32_t k) {
  memset(told, 0, sizeof(*told));
  *at = 0;
  shared = heap_region(SMALL_REGION);
  heap_open(&mine, &shared);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) be_the_child(what, k);
  bool killed = crash_reap(pid);
  sw_region_evict_role(shared.base, shared.size, told->role);
  sw_endpoint_release_role(shared.base, told->role);
  look(what, k);
  go_on();
  look(what, k);
  heap_region_free(&shared);
  return killed;
}

static void a_death_anywhere_loses_one_channel_at_most(void **state) {
  (void)state;
  told = crash_shared(sizeof(*told));
  at = crash_shared(sizeof(*at));
  uint32_t total = 0;
  for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
    uint32_t k = 1;
    while (die_once(&CASES[i], k)) k++;
    printf("%-48s %6u points\n", CASES[i].name, k - 1);
    fflush(stdout);
    total += k - 1;
  }
  printf("%u crash points, all survived\n", total);
}

TESTS(TEST(a_death_anywhere_loses_one_channel_at_most));
