/* Death at each shared access of the directory's, the registry's and burial's calls. The survivor
 * finds the directory and the registry as they were before or as they are after the call, and both
 * and the heap in order; at most one block of the heap is lost. */
#include <signal.h>

#include "../unit/heap/heap_helper.h"
#include "crash.h"
#include "sabway/directory.h"
#include "sabway/mutex.h"
#include "sabway/mutex_object.h"
#include "sabway/object.h"
#include "sabway/registry.h"

enum { OBJECTS = 300, HELD = 3 };

typedef struct object_case {
  const char *name;
  void (*prelude)(void);
  void (*act)(void);
  uint32_t least, most;  /* names there are afterwards */
  uint32_t fewest, many; /* registered objects */
  uint32_t more;         /* blocks that may be lost beside one: the registry grows */
} object_case;

static region shared;
static sw_heap mine, of_child; /* the survivor's handle; the one of the process that dies */
static notes *told;
static uint32_t *board; /* offsets of objects, shared */
static uint32_t dead_role;

static sw_directory *directory(void) { return (sw_directory *)(void *)(shared.base + SW_DIRECTORY_AT); }
static sw_mutex *mutex(uint32_t i) { return (sw_mutex *)(void *)(shared.base + board[i]); }

/* ---- what the child does ---- */

static uint32_t name_of(uint32_t i, char name[16]) { return (uint32_t)snprintf(name, 16, "name %u", i); }

static int add(sw_heap *h, uint32_t i) {
  char name[16];
  uint32_t length = name_of(i, name);
  sw_found given = {SW_KIND_MUTEX, board[0], 0}, found;
  return sw_directory_add(h, name, length, &given, &found);
}
static int find(sw_heap *h, uint32_t i) {
  char name[16];
  uint32_t length = name_of(i, name);
  sw_found found;
  int status = sw_directory_find(h, name, length, &found);
  if (status == 1 && (found.kind != SW_KIND_MUTEX || found.object != board[0])) return SW_ECORRUPT;
  return status;
}
static int drop(sw_heap *h, uint32_t i) {
  char name[16];
  uint32_t length = name_of(i, name);
  return sw_directory_remove(h, name, length, board[0]);
}

static void nothing(void) {}
static void names(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) MUST(add(&of_child, i) == 1);
}
static void three_names(void) { names(3); }
static void twelve_names(void) { names(12); }
static void deleted_names(void) {
  names(12);
  for (uint32_t i = 3; i < 12; i++) MUST(drop(&of_child, i) == 1);
}
static void add_name(void) { MUST(add(&of_child, OBJECTS) == 1); }
static void add_name_again(void) { MUST(add(&of_child, 1) == 0); }
static void find_name(void) { MUST(find(&of_child, 1) == 1); }
static void drop_name(void) { MUST(drop(&of_child, 2) == 1); }

static void mutexes(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) MUST(sw_registry_add(&of_child, board[i], SW_KIND_MUTEX, NULL) == SW_OK);
}
static void two_mutexes(void) { mutexes(2); }
static void full_block(void) { mutexes(SW_REGISTRY_SLOTS); }
static void add_object(void) { MUST(sw_registry_add(&of_child, board[OBJECTS - 1], SW_KIND_MUTEX, NULL) == SW_OK); }
static void remove_object(void) { MUST(sw_registry_remove(shared.base, shared.size, board[1], SW_KIND_MUTEX) == 1); }

/* A container's control block, and a mutex in a block of its own: what was made stays
 * registered. */
static uint32_t made;
static void make_object(void) { MUST((made = sw_object_new(&of_child, SW_TYPE_LIST)) != 0); }
static void free_object(void) {
  uint32_t generation;
  MUST(sw_object_type(&of_child, made, &generation) == SW_TYPE_LIST);
  MUST(sw_object_begin_free(&of_child, made, SW_TYPE_LIST, generation) == SW_OK);
  sw_object_end_free(&of_child, made);
}
static void make_and_free_object(void) {
  make_object();
  free_object();
}
static void make_mutex(void) { MUST((made = sw_mutex_new(&of_child)) != 0); }
static void free_mutex(void) { MUST(sw_mutex_free(&of_child, made) == SW_OK); }
static void make_and_free_mutex(void) {
  make_mutex();
  free_mutex();
}

/* A participant has died that holds mutexes and the directory's lock, and waits for one. */
static void mutexes_of_a_dead_one(void) { mutexes(HELD + 1); }
static void evict_dead(void) { sw_region_evict_role(shared.base, shared.size, dead_role); }
static void holds_and_dies(void) {
  int index = crash_claim(&shared);
  MUST(index >= 0);
  for (uint32_t i = 0; i < HELD; i++) MUST(sw_mutex_try_lock(shared.base, mutex(i), (uint32_t)index) == SW_OK);
  sw_mutex_begin_wait(shared.base, mutex(HELD), (uint32_t)index);
  MUST(sw_mutex_try_lock(shared.base, &directory()->lock, (uint32_t)index) == SW_OK);
  told->sure = sw_endpoint_role(shared.base, (uint32_t)index);
  _exit(0);
}

static const object_case CASES[] = {
    {"directory: add the first", nothing, add_name, 0, 1, 0, 0, 0},
    {"directory: add", three_names, add_name, 3, 4, 0, 0, 0},
    {"directory: add what is there", three_names, add_name_again, 3, 3, 0, 0, 0},
    {"directory: add, it grows", twelve_names, add_name, 12, 13, 0, 0, 0},
    {"directory: add, it is cleaned", deleted_names, add_name, 3, 4, 0, 0, 0},
    {"directory: find", three_names, find_name, 3, 3, 0, 0, 0},
    {"directory: remove", three_names, drop_name, 2, 3, 0, 0, 0},
    {"registry: add the first", nothing, add_object, 0, 0, 0, 1, 0},
    {"registry: add", two_mutexes, add_object, 0, 0, 2, 3, 0},
    {"registry: add, it grows", full_block, add_object, 0, 0, SW_REGISTRY_SLOTS, SW_REGISTRY_SLOTS + 1, 0},
    {"registry: remove", two_mutexes, remove_object, 0, 0, 1, 2, 0},
    {"object: make the first", nothing, make_object, 0, 0, 0, 1, 1},
    {"object: make another", make_object, make_object, 0, 0, 1, 2, 0},
    {"object: free", make_object, free_object, 0, 0, 1, 1, 0},
    {"object: make it again", make_and_free_object, make_object, 0, 0, 1, 1, 0},
    {"mutex: make the first", nothing, make_mutex, 0, 0, 0, 1, 1},
    {"mutex: free", make_mutex, free_mutex, 0, 0, 1, 1, 0},
    {"mutex: make it again", make_and_free_mutex, make_mutex, 0, 0, 1, 1, 0},
    {"burial", mutexes_of_a_dead_one, evict_dead, 0, 0, HELD + 1, HELD + 1, 0},
};

static void be_the_child(const object_case *what, uint32_t k) {
  crash_join(&of_child, &shared, told);
  what->prelude();
  crash_arm(told, k);
  what->act();
  crash_disarm();
  _exit(0);
}

/* ---- the survivor ---- */

static uint32_t count_names(void) {
  uint32_t cursor = 0, length, count = 0;
  uint8_t name[SW_NAME_MOST];
  sw_found found;
  int status;
  while ((status = sw_directory_next(&mine, &cursor, &found, name, &length)) == 1) count++;
  assert_int_equal(status, 0);
  return count;
}

/* How many objects are registered; *blocks: of the registry, and those that the objects have, which
 * are not on the board. */
static uint32_t count_registered(uint32_t *blocks) {
  sw_registry_cursor cursor = {0};
  uint32_t count = 0, entry;
  *blocks = 0;
  for (; (entry = sw_registry_next(shared.base, shared.size, &cursor)) != 0; count++) {
    uint32_t at = entry & ~(uint32_t)SW_KIND_MASK;
    bool on_board = false;
    for (uint32_t i = 0; i < OBJECTS; i++) on_board = on_board || board[i] == at;
    *blocks += !on_board;
  }
  for (uint32_t at = *(uint32_t *)(void *)(shared.base + SW_REGISTRY_AT); at != 0; (*blocks)++) {
    at = ((sw_registry_block *)(void *)(shared.base + at))->next;
  }
  return count;
}

/* As before the call, or as after it; and at most one block more than can be reached. */
static void look(const object_case *what, uint32_t k) {
  assert_int_equal(sw_directory_check(&mine), SW_OK);
  assert_int_equal(sw_heap_check(&mine), SW_OK);
  uint32_t names_now = count_names(), blocks, registered = count_registered(&blocks);
  if (names_now < what->least || names_now > what->most || registered < what->fewest || registered > what->many) {
    fail_msg("%s, death %u: %u names, %u objects", what->name, k, names_now, registered);
  }
  uint64_t reachable = OBJECTS + names_now + (directory()->table != 0) + blocks;
  uint64_t lost = heap_stats(&mine).blocks - reachable;
  if (lost > 1 + what->more) fail_msg("%s, death %u: %u blocks are lost", what->name, k, (uint32_t)lost);
}

/* Every call still works. */
static void go_on(void) {
  for (uint32_t i = 0; i < 60; i++) {
    int there = find(&mine, i);
    assert_true(there == 0 || there == 1);
    assert_int_equal(add(&mine, i), 1 - there);
    assert_int_equal(find(&mine, i), 1);
  }
  for (uint32_t i = 0; i < 60; i++) assert_int_equal(drop(&mine, i), 1);
  uint32_t own = sw_object_new(&mine, SW_TYPE_MAP), generation;
  assert_int_equal(sw_object_type(&mine, own, &generation), SW_TYPE_MAP);
  assert_int_equal(sw_object_begin_free(&mine, own, SW_TYPE_MAP, generation), SW_OK);
  sw_object_end_free(&mine, own);
  assert_int_equal(directory()->retired, 0);
  assert_int_equal(sw_directory_check(&mine), SW_OK);
  assert_int_equal(sw_registry_add(&mine, board[OBJECTS - 2], SW_KIND_MUTEX, NULL), SW_OK);
  assert_int_equal(sw_registry_remove(shared.base, shared.size, board[OBJECTS - 2], SW_KIND_MUTEX), 1);
  assert_int_equal(sw_heap_check(&mine), SW_OK);
}

/* What the dead one held is for the survivor, which is told; what it waited for is free. */
static void take_what_was_held(void) {
  for (uint32_t i = 0; i <= HELD; i++) {
    assert_int_equal(sw_mutex_holder(mutex(i)), 0);
    assert_int_equal(sw_mutex_try_lock(shared.base, mutex(i), mine.endpoint), i < HELD ? SW_EOWNERDEAD : SW_OK);
    if (i < HELD) assert_int_equal(sw_mutex_consistent(shared.base, mutex(i), mine.endpoint), SW_OK);
    assert_int_equal(sw_mutex_unlock(shared.base, mutex(i), mine.endpoint), SW_OK);
  }
}

static void let_another_die(void) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) holds_and_dies();
  assert_false(crash_reap(pid));
  dead_role = told->sure;
}

/* 1 when the child was killed. */
static int die_once(const object_case *what, uint32_t k) {
  memset(told, 0, sizeof(*told));
  shared = heap_region(SMALL_REGION);
  heap_open(&mine, &shared);
  for (uint32_t i = 0; i < OBJECTS; i++) {
    board[i] = heap_get(&mine, sizeof(sw_mutex));
    memset(mutex(i), 0, sizeof(sw_mutex));
  }
  int burial = what->act == evict_dead;
  /* the child claims the dead one's endpoint anew, so the role is of an earlier claim */
  if (burial) let_another_die();
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) be_the_child(what, k);
  bool killed = crash_reap(pid);
  if (burial) {
    sw_region_evict_role(shared.base, shared.size, dead_role);
    take_what_was_held();
  }
  look(what, k);
  sw_region_evict_role(shared.base, shared.size, told->role);
  sw_endpoint_release_role(shared.base, told->role);
  look(what, k);
  go_on();
  heap_region_free(&shared);
  return killed;
}

static void a_death_anywhere_leaves_before_or_after(void **state) {
  (void)state;
  told = crash_shared(sizeof(*told));
  board = crash_shared(4 * OBJECTS);
  uint32_t total = 0;
  for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
    uint32_t k = 1;
    while (die_once(&CASES[i], k)) k++;
    printf("%-40s %6u points\n", CASES[i].name, k - 1);
    fflush(stdout);
    total += k - 1;
  }
  printf("%u crash points, all survived\n", total);
}

TESTS(TEST(a_death_anywhere_leaves_before_or_after));
