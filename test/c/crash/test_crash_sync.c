/* Death at each shared access of the calls of locks and signals. The survivor, with burial or
 * without, gets what the dead one held, or the documented answer, and can go on; of the heap one
 * block at most is lost. */
#include <signal.h>

#include "../unit/heap/heap_helper.h"
#include "crash.h"
#include "sabway/mutex_object.h"
#include "sabway/object.h"
#include "sabway/registry.h"
#include "sabway/sync.h"

enum { PERMITS = 3, COUNTED = 70, TRIES = 100 };

typedef struct sync_case {
  const char *name;
  uint32_t type, limit, initial, options;
  void (*before)(void);  /* the survivor, before there is a child */
  void (*prelude)(void); /* the child */
  void (*act)(void);     /* the child, and its death */
} sync_case;

static region shared;
static sw_heap mine, of_child;
static notes *told;
static const sync_case *what;
static uint32_t at, generation, permit, ticket;
static sw_mutex *mutex; /* of conditions */

/* ---- what the child does ---- */

static void nothing(void) {}
/* As a host waits whose time is up at once. */
static void in_vain(uint32_t which, int (*attempt)(void)) {
  MUST(sw_sync_begin_wait(&of_child, at, what->type, generation, which) == SW_OK);
  sw_endpoint_arm(shared.base, of_child.endpoint, SW_SLEEP_FUTEX);
  MUST(attempt() == SW_EBUSY);
  sw_endpoint_disarm(shared.base, of_child.endpoint);
  MUST(sw_sync_end_wait(&of_child, at, what->type, generation, which) == SW_OK);
}
static void make(void) { MUST(sw_sync_new(&of_child, what->type, what->limit, what->initial, what->options) != 0); }
static void free_it(void) { MUST(sw_sync_free(&of_child, at, what->type, generation) == SW_OK); }

static void set(void) { MUST(sw_event_set(&of_child, at, generation) == SW_OK); }
static void reset(void) { MUST(sw_event_reset(&of_child, at, generation) == SW_OK); }
static void take_event(void) { MUST(sw_event_wait(&of_child, at, generation, -1) == SW_OK); }
static int try_wait_event(void) { return sw_event_try(&of_child, at, generation); }
static void wait_event(void) { in_vain(0, try_wait_event); }

static void acquire(void) {
  int got = sw_semaphore_acquire(&of_child, at, generation, -1);
  MUST(got >= 0);
  permit = (uint32_t)got;
}
static void release(void) { MUST(sw_semaphore_release(&of_child, at, generation, permit) == SW_OK); }
static void acquire_and_release(void) {
  acquire();
  release();
}
static void consume(void) { MUST(sw_semaphore_consume(&of_child, at, generation, permit) == SW_OK); }
static void post(void) { MUST(sw_semaphore_post(&of_child, at, generation) == SW_OK); }
static int try_acquire_in_vain(void) { return sw_semaphore_try_acquire(&of_child, at, generation); }
static void acquire_in_vain(void) { in_vain(0, try_acquire_in_vain); }

static void lock_mutex(void) { MUST(sw_mutex_lock(shared.base, mutex, of_child.endpoint, -1) == SW_OK); }
static int try_condition(void) { return sw_condition_try(&of_child, at, generation); }
static void wait_condition(void) {
  MUST(sw_condition_enlist(&of_child, at, generation) == SW_OK);
  MUST(sw_mutex_unlock(shared.base, mutex, of_child.endpoint) == SW_OK);
  in_vain(0, try_condition);
  MUST(sw_condition_leave(&of_child, at, generation) == SW_OK);
  lock_mutex();
}
static void enlist(void) { MUST(sw_condition_enlist(&of_child, at, generation) == SW_OK); }
static void enlist_notified(void) {
  enlist();
  MUST(sw_condition_notify(&of_child, at, generation, 1) == 2);
}
static void take_notification(void) { MUST(sw_condition_try(&of_child, at, generation) == SW_OK); }
static void leave_condition(void) { MUST(sw_condition_leave(&of_child, at, generation) == SW_OK); }
static void notify(void) { MUST(sw_condition_notify(&of_child, at, generation, 0) == 1); }

static void read_(void) { MUST(sw_rwlock_read(&of_child, at, generation, -1) == SW_OK); }
static void end_read(void) { MUST(sw_rwlock_end_read(&of_child, at, generation) == SW_OK); }
static void write_(void) { MUST(sw_rwlock_write(&of_child, at, generation, -1) == SW_OK); }
static void end_write(void) { MUST(sw_rwlock_end_write(&of_child, at, generation) == SW_OK); }
static int try_read_in_vain(void) { return sw_rwlock_try_read(&of_child, at, generation); }
static void read_in_vain(void) { in_vain(1, try_read_in_vain); }
static int try_write_in_vain(void) { return sw_rwlock_try_write(&of_child, at, generation, 1); }
static void write_in_vain(void) { in_vain(0, try_write_in_vain); }

static void join(void) { MUST(sw_barrier_join(&of_child, at, generation) == SW_OK); }
static void leave_barrier(void) { MUST(sw_barrier_leave(&of_child, at, generation) == SW_OK); }
static void arrive(void) { MUST(sw_barrier_arrive(&of_child, at, generation, &ticket) >= 0); }
static void withdraw(void) { MUST(sw_barrier_withdraw(&of_child, at, generation, ticket) == SW_OK); }
static void reset_barrier(void) { MUST(sw_barrier_reset(&of_child, at, generation) == SW_OK); }
static int try_barrier(void) { return sw_barrier_try(&of_child, at, generation, ticket); }
static void meet_in_vain(void) {
  arrive();
  in_vain(0, try_barrier);
  withdraw();
}

static void add(void) { MUST(sw_group_add(&of_child, at, generation, 3) == SW_OK); }
static void claim(void) { MUST(sw_group_claim(&of_child, at, generation) == SW_OK); }
static void done(void) { MUST(sw_group_done(&of_child, at, generation) == SW_OK); }
static int try_wait_group(void) { return sw_group_try(&of_child, at, generation); }
static void wait_group(void) { in_vain(0, try_wait_group); }
static void mend(void) { MUST(sw_group_mend(&of_child, at, generation) == SW_OK); }

static void begin_once(void) { MUST(sw_once_begin(&of_child, at, generation) == SW_OK); }
static void end_once(void) { MUST(sw_once_end(&of_child, at, generation, 1) == SW_OK); }
static void fail_once(void) { MUST(sw_once_end(&of_child, at, generation, 0) == SW_OK); }
static int try_wait_once(void) { return sw_once_begin(&of_child, at, generation); }
static void wait_once(void) { in_vain(0, try_wait_once); }

static void lock_spin(void) { MUST(sw_spin_lock(&of_child, at, generation, -1) == SW_OK); }
static void unlock_spin(void) { MUST(sw_spin_unlock(&of_child, at, generation) == SW_OK); }
static void spin_in_vain(void) { MUST(sw_spin_try_lock(&of_child, at, generation, 1) == SW_EBUSY); }

/* ---- what the survivor has done before ---- */

static void hold_all(void) {
  for (int i = 0; i < PERMITS; i++) assert_true(sw_semaphore_try_acquire(&mine, at, generation) >= 0);
}
static void wait_too(void) { assert_int_equal(sw_sync_begin_wait(&mine, at, what->type, generation, 0), SW_OK); }
static void enlist_mine(void) { assert_int_equal(sw_condition_enlist(&mine, at, generation), SW_OK); }
static void read_mine(void) { assert_int_equal(sw_rwlock_try_read(&mine, at, generation), SW_OK); }
static void write_mine(void) { assert_int_equal(sw_rwlock_try_write(&mine, at, generation, 0), SW_OK); }
static void join_mine(void) { assert_int_equal(sw_barrier_join(&mine, at, generation), SW_OK); }
static void arrive_mine(void) { assert_int_equal(sw_barrier_arrive(&mine, at, generation, &ticket), 0); }
static void add_mine(void) { assert_int_equal(sw_group_add(&mine, at, generation, 2), SW_OK); }
static void begin_mine(void) { assert_int_equal(sw_once_begin(&mine, at, generation), SW_OK); }
static void lock_mine(void) { assert_int_equal(sw_spin_try_lock(&mine, at, generation, 0), SW_OK); }

static const sync_case CASES[] = {
    {"event: make", SW_TYPE_EVENT, 0, 1, SW_SYNC_AUTO, nothing, nothing, make},
    {"event: free", SW_TYPE_EVENT, 0, 0, 0, wait_too, nothing, free_it},
    {"event: set", SW_TYPE_EVENT, 0, 0, 0, wait_too, nothing, set},
    {"event: set, automatic", SW_TYPE_EVENT, 0, 0, SW_SYNC_AUTO, wait_too, nothing, set},
    {"event: reset", SW_TYPE_EVENT, 0, 1, 0, nothing, nothing, reset},
    {"event: take", SW_TYPE_EVENT, 0, 1, SW_SYNC_AUTO, nothing, nothing, take_event},
    {"event: wait", SW_TYPE_EVENT, 0, 0, 0, nothing, nothing, wait_event},
    {"semaphore: make", SW_TYPE_SEMAPHORE, PERMITS, 1, 0, nothing, nothing, make},
    {"semaphore: acquire and release", SW_TYPE_SEMAPHORE, PERMITS, 3, 0, wait_too, nothing, acquire_and_release},
    {"semaphore: acquire, counted", SW_TYPE_SEMAPHORE, COUNTED, 3, 0, nothing, nothing, acquire},
    {"semaphore: release, counted", SW_TYPE_SEMAPHORE, COUNTED, 3, 0, wait_too, acquire, release},
    {"semaphore: consume", SW_TYPE_SEMAPHORE, PERMITS, 3, 0, nothing, acquire, consume},
    {"semaphore: post", SW_TYPE_SEMAPHORE, PERMITS, 1, 0, wait_too, nothing, post},
    {"semaphore: wait", SW_TYPE_SEMAPHORE, PERMITS, 3, 0, hold_all, nothing, acquire_in_vain},
    {"condition: wait", SW_TYPE_CONDITION, 0, 0, 0, nothing, lock_mutex, wait_condition},
    {"condition: try", SW_TYPE_CONDITION, 0, 0, 0, enlist_mine, enlist_notified, take_notification},
    {"condition: leave, notified", SW_TYPE_CONDITION, 0, 0, 0, enlist_mine, enlist_notified, leave_condition},
    {"condition: enlist", SW_TYPE_CONDITION, 0, 0, 0, enlist_mine, nothing, enlist},
    {"condition: notify", SW_TYPE_CONDITION, 0, 0, 0, enlist_mine, nothing, notify},
    {"rwlock: read", SW_TYPE_RWLOCK, 0, 0, 0, nothing, nothing, read_},
    {"rwlock: end read", SW_TYPE_RWLOCK, 0, 0, 0, wait_too, read_, end_read},
    {"rwlock: write", SW_TYPE_RWLOCK, 0, 0, 0, nothing, nothing, write_},
    {"rwlock: end write", SW_TYPE_RWLOCK, 0, 0, 0, wait_too, write_, end_write},
    {"rwlock: wait to read", SW_TYPE_RWLOCK, 0, 0, 0, write_mine, nothing, read_in_vain},
    {"rwlock: wait to write, for a writer", SW_TYPE_RWLOCK, 0, 0, 0, write_mine, nothing, write_in_vain},
    {"rwlock: wait to write, for a reader", SW_TYPE_RWLOCK, 0, 0, 0, read_mine, nothing, write_in_vain},
    {"barrier: join", SW_TYPE_BARRIER, 2, 0, 0, join_mine, nothing, join},
    {"barrier: leave", SW_TYPE_BARRIER, 2, 0, 0, arrive_mine, join, leave_barrier},
    {"barrier: arrive first", SW_TYPE_BARRIER, 2, 0, 0, join_mine, nothing, arrive},
    {"barrier: arrive last", SW_TYPE_BARRIER, 2, 0, 0, arrive_mine, nothing, arrive},
    {"barrier: arrive last, and leave", SW_TYPE_BARRIER, 2, 0, SW_SYNC_LEAVE, arrive_mine, nothing, arrive},
    {"barrier: withdraw", SW_TYPE_BARRIER, 2, 0, 0, join_mine, arrive, withdraw},
    {"barrier: reset", SW_TYPE_BARRIER, 2, 0, 0, arrive_mine, nothing, reset_barrier},
    {"barrier: wait", SW_TYPE_BARRIER, 2, 0, 0, join_mine, nothing, meet_in_vain},
    {"group: add", SW_TYPE_WAIT_GROUP, 0, 0, 0, nothing, nothing, add},
    {"group: claim", SW_TYPE_WAIT_GROUP, 0, 0, 0, add_mine, nothing, claim},
    {"group: claim, and leave", SW_TYPE_WAIT_GROUP, 0, 0, SW_SYNC_LEAVE, add_mine, nothing, claim},
    {"group: done", SW_TYPE_WAIT_GROUP, 0, 0, 0, add_mine, claim, done},
    {"group: wait", SW_TYPE_WAIT_GROUP, 0, 0, 0, add_mine, claim, wait_group},
    {"group: mend", SW_TYPE_WAIT_GROUP, 0, 0, 0, add_mine, claim, mend},
    {"once: begin", SW_TYPE_ONCE, 0, 0, 0, nothing, nothing, begin_once},
    {"once: end", SW_TYPE_ONCE, 0, 0, 0, nothing, begin_once, end_once},
    {"once: end, failed", SW_TYPE_ONCE, 0, 0, 0, nothing, begin_once, fail_once},
    {"once: wait", SW_TYPE_ONCE, 0, 0, 0, begin_mine, nothing, wait_once},
    {"spin lock: lock", SW_TYPE_SPIN_LOCK, 0, 0, 0, nothing, nothing, lock_spin},
    {"spin lock: unlock", SW_TYPE_SPIN_LOCK, 0, 0, 0, nothing, lock_spin, unlock_spin},
    {"spin lock: wait", SW_TYPE_SPIN_LOCK, 0, 0, 0, lock_mine, nothing, spin_in_vain},
};

/* ---- how the survivor goes on ---- */

static void go_on_event(void) {
  assert_int_equal(sw_event_set(&mine, at, generation), SW_OK);
  assert_int_equal(sw_event_try(&mine, at, generation), SW_OK);
  assert_int_equal(sw_event_reset(&mine, at, generation), SW_OK);
  assert_int_equal(sw_event_try(&mine, at, generation), SW_EBUSY);
}

/* Every permit, once: those of the dead one, too, unless they are counted. */
static void go_on_semaphore(int killed) {
  int least = (int)what->initial, most = least, got = 0;
  if (what->act == consume) least -= 1;
  if (what->act == post) most += 1;
  if (what->act == acquire) least -= 1; /* counted: the one is lost */
  if (what->act == release) least -= killed;
  uint32_t held[COUNTED] = {0};
  if (what->before == hold_all) {
    for (uint32_t i = 0; i < PERMITS; i++) assert_int_equal(sw_semaphore_release(&mine, at, generation, i), SW_OK);
  }
  for (int next; (next = sw_semaphore_try_acquire(&mine, at, generation)) >= 0; got++) {
    assert_in_range(got, 0, most - 1);
    held[got] = (uint32_t)next;
    for (int i = 0; what->limit == PERMITS && i < got; i++) assert_int_not_equal(held[i], held[got]);
  }
  assert_in_range(got, least, most);
  for (int i = 0; i < got; i++) assert_int_equal(sw_semaphore_release(&mine, at, generation, held[i]), SW_OK);
}

static void go_on_condition(void) {
  int status = sw_mutex_lock(shared.base, mutex, mine.endpoint, -1);
  assert_true(status == SW_OK || status == SW_EOWNERDEAD);
  if (status == SW_EOWNERDEAD) sw_mutex_consistent(shared.base, mutex, mine.endpoint);
  assert_int_equal(sw_condition_leave(&mine, at, generation), SW_OK);
  assert_int_equal(sw_condition_enlist(&mine, at, generation), SW_OK);
  assert_int_equal(sw_condition_try(&mine, at, generation), SW_EBUSY);
  assert_int_equal(sw_condition_notify(&mine, at, generation, 0), 1); /* not the dead one */
  assert_int_equal(sw_condition_try(&mine, at, generation), SW_OK);
  assert_int_equal(sw_condition_leave(&mine, at, generation), SW_OK);
  assert_int_equal(sw_mutex_unlock(shared.base, mutex, mine.endpoint), SW_OK);
}

static void go_on_rwlock(void) {
  if (what->before == read_mine) assert_int_equal(sw_rwlock_end_read(&mine, at, generation), SW_OK);
  if (what->before == write_mine) assert_int_equal(sw_rwlock_end_write(&mine, at, generation), SW_OK);
  int status = sw_rwlock_try_read(&mine, at, generation);
  assert_true(status == SW_OK || status == SW_EOWNERDEAD);
  if (status == SW_OK) assert_int_equal(sw_rwlock_end_read(&mine, at, generation), SW_OK);
  int writing = sw_rwlock_write(&mine, at, generation, -1);
  assert_true(writing == SW_OK || writing == SW_EOWNERDEAD);
  /* readers and the next writer are told the same, or the dead one was on its way out */
  if (status == SW_EOWNERDEAD) assert_int_equal(writing, SW_EOWNERDEAD);
  if (writing == SW_EOWNERDEAD) assert_int_equal(sw_rwlock_consistent(&mine, at, generation), SW_OK);
  assert_int_equal(sw_rwlock_end_write(&mine, at, generation), SW_OK);
  assert_int_equal(sw_rwlock_try_read(&mine, at, generation), SW_OK);
  assert_int_equal(sw_rwlock_end_read(&mine, at, generation), SW_OK);
}

/* It waits, as a member that has arrived, and gets an answer unless the dead one never was one. */
static void go_on_barrier(void) {
  uint32_t own = ticket;
  int status = SW_EBUSY;
  if (what->before == arrive_mine) {
    status = 0;
  } else {
    for (int i = 0; i < TRIES && status == SW_EBUSY; i++) status = sw_barrier_arrive(&mine, at, generation, &own);
    assert_true(status == 0 || status == 1 || status == SW_EBROKEN);
  }
  if (status == 0) {
    assert_int_equal(sw_sync_begin_wait(&mine, at, SW_TYPE_BARRIER, generation, 0), SW_OK);
    status = sw_barrier_try(&mine, at, generation, own);
    assert_true(status == SW_OK || status == SW_EBUSY || status == SW_EBROKEN);
    assert_int_equal(sw_sync_end_wait(&mine, at, SW_TYPE_BARRIER, generation, 0), SW_OK);
  }
  assert_int_equal(sw_barrier_reset(&mine, at, generation), SW_OK);
  status = sw_barrier_arrive(&mine, at, generation, &own);
  /* with SW_SYNC_LEAVE, and for one that left, the party is this one alone */
  assert_true(status == 0 || (status == 1 && (what->options == SW_SYNC_LEAVE || what->act == leave_barrier)));
  assert_int_equal(sw_barrier_withdraw(&mine, at, generation, own), status);
}

static void go_on_group(void) {
  for (int i = 0; i < 3 && sw_group_done(&mine, at, generation) == SW_OK; i++) {
  }
  assert_int_equal(sw_sync_begin_wait(&mine, at, SW_TYPE_WAIT_GROUP, generation, 0), SW_OK);
  int status = sw_group_try(&mine, at, generation);
  assert_true(status == SW_OK || (status == SW_EBROKEN && what->options == 0));
  if (status == SW_EBROKEN) assert_int_equal(sw_group_mend(&mine, at, generation), SW_OK);
  assert_int_equal(sw_group_try(&mine, at, generation), SW_OK);
  assert_int_equal(sw_group_left(&mine, at, generation), 0);
  assert_int_equal(sw_sync_end_wait(&mine, at, SW_TYPE_WAIT_GROUP, generation, 0), SW_OK);
}

static void go_on_once(void) {
  int status = what->before == begin_mine ? SW_OK : sw_once_begin(&mine, at, generation);
  assert_true(status == SW_OK || status == SW_EOWNERDEAD || (status == 1 && what->act == end_once));
  if (status != 1) assert_int_equal(sw_once_end(&mine, at, generation, 1), SW_OK);
  assert_int_equal(sw_once_begin(&mine, at, generation), 1);
}

static void go_on_spin(void) {
  int status = what->before == lock_mine ? SW_OK : sw_spin_try_lock(&mine, at, generation, 1);
  assert_true(status == SW_OK || status == SW_EOWNERDEAD);
  assert_int_equal(sw_spin_unlock(&mine, at, generation), SW_OK);
}

static void go_on(int killed) {
  switch (what->type) {
    case SW_TYPE_EVENT:
      go_on_event();
      break;
    case SW_TYPE_SEMAPHORE:
      go_on_semaphore(killed);
      break;
    case SW_TYPE_CONDITION:
      go_on_condition();
      break;
    case SW_TYPE_RWLOCK:
      go_on_rwlock();
      break;
    case SW_TYPE_BARRIER:
      go_on_barrier();
      break;
    case SW_TYPE_WAIT_GROUP:
      go_on_group();
      break;
    case SW_TYPE_ONCE:
      go_on_once();
      break;
    default:
      go_on_spin();
  }
  assert_int_equal(sw_sync_check(&mine, at, what->type, generation), SW_OK);
  assert_int_equal(sw_sync_free(&mine, at, what->type, generation), SW_OK);
}

/* ---- one death ---- */

static void be_the_child(uint32_t k) {
  crash_join(&of_child, &shared, told);
  what->prelude();
  crash_arm(told, k);
  what->act();
  crash_disarm();
  _exit(0);
}

/* 1 when the child was killed. */
static int die_once(uint32_t k, int buried) {
  memset(told, 0, sizeof(*told));
  shared = heap_region(SMALL_REGION);
  heap_open(&mine, &shared);
  uint32_t lock_at = sw_mutex_new(&mine);
  assert_int_not_equal(lock_at, 0);
  mutex = &((sw_mutex_object *)(void *)(shared.base + lock_at))->mutex;
  uint64_t before = heap_stats(&mine).blocks;
  at = sw_sync_new(&mine, what->type, what->limit, what->initial, what->options);
  assert_int_equal(sw_object_type(&mine, at, &generation), what->type);
  what->before();
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) be_the_child(k);
  bool killed = crash_reap(pid);
  if (buried) sw_region_evict_role(shared.base, shared.size, told->role);
  uint32_t now = 0;
  int is_there = sw_object_type(&mine, at, &now) == what->type && now == generation;
  assert_true(is_there || what->act == free_it);
  if (is_there) go_on(killed);
  assert_int_equal(sw_heap_check(&mine), SW_OK);
  /* the block of the freed one, which serves the next; one that was made */
  uint64_t blocks = heap_stats(&mine).blocks, right = before + 1 + (what->act == make);
  if (blocks > right + (uint64_t)killed)
    fail_msg("%s, death %u: %u blocks, at most %u are right", what->name, k, (uint32_t)blocks, (uint32_t)right);
  heap_region_free(&shared);
  return killed;
}

static void a_death_anywhere_is_an_answer(void **state) {
  (void)state;
  told = crash_shared(sizeof(*told));
  uint32_t total = 0;
  for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
    what = &CASES[i];
    uint32_t points = 0;
    for (int buried = 0; buried < 2; buried++) {
      uint32_t k = 1;
      while (die_once(k, buried)) k++;
      points += k - 1;
    }
    printf("%-40s %6u points\n", what->name, points);
    fflush(stdout);
    total += points;
  }
  printf("%u crash points, all survived\n", total);
}

TESTS(TEST(a_death_anywhere_is_an_answer));
