/* Locks and signals: what one wrote before it lets another go on is seen by that; one at a time is
 * inside; none sleeps beside what it waits for; and the death of one, anywhere, is an answer.
 *
 * Thread n is process n + 1, endpoint n, with a heap of its own. */
#include <string.h>

#include "base/peer.h"
#include "core/objects/burial.h"
#include "core/region/waits.h"
#include "sabway/mutex.h"
#include "sabway/registry.h"
#include "sabway/sync.h"
#include "scenes.h"

static struct {
  sw_heap heap[3];
  uint32_t at, generation, type;
  uint32_t ticket[3];
  int status[3];
  uint32_t got[3];
} g;

static uint8_t *base(void) { return model_region(); }
static sw_sync *object(void) { return (sw_sync *)(void *)(base() + g.at); }
/* What the lock protects, or the signal is about. */
static uint32_t *data(void) { return (uint32_t *)(void *)(base() + SW_INSTANCES_AT + SW_LINE); }

static void setup(uint32_t type, uint32_t limit, uint32_t initial, uint32_t options) {
  world_empty();
  world_mark();
  memset(&g, 0, sizeof(g));
  model_snapshot(&g, sizeof(g));
  model_check(sw_region_format_empty(base(), MODEL_REGION_PAGES, SW_HEAP_AT) == SW_OK);
  model_check(sw_heap_format(base(), SW_HEAP_AT, REGION_BYTES) == SW_OK);
  for (uint32_t i = 0; i < 3; i++) {
    model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
    model_check(sw_heap_open(&g.heap[i], base(), REGION_BYTES, SW_HEAP_AT, i) == SW_OK);
  }
  g.type = type;
  g.at = sw_sync_new(&g.heap[2], type, limit, initial, options);
  model_check(g.at != 0 && sw_object_type(&g.heap[2], g.at, &g.generation) == type);
  model_snapshot(base() + SW_HEAP_AT, REGION_BYTES - SW_HEAP_AT);
}

/* As a host waits. */
static int wait_for(uint32_t i, uint32_t which, int (*attempt)(uint32_t)) {
  int status = attempt(i);
  if (status != SW_EBUSY) return status;
  for (;;) {
    sw_sync_begin_wait(&g.heap[i], g.at, g.type, g.generation, which);
    uint32_t ticket = sw_endpoint_arm(base(), i, SW_SLEEP_FUTEX);
    status = attempt(i);
    if (status != SW_EBUSY) break;
    model_mark(SLEPT);
    model_wait(sw_endpoint_doorbell(base(), i), ticket);
    sw_endpoint_disarm(base(), i);
  }
  sw_endpoint_disarm(base(), i);
  sw_sync_end_wait(&g.heap[i], g.at, g.type, g.generation, which);
  return status;
}

static void count(void) { model_data_write(data(), model_data_read(data()) + 1); }
static void bury_0(void) {
  model_assume(!sw_endpoint_role_alive(base(), g.heap[0].role));
  /* as burial.c does, of this object alone */
  sw_mutex_evict(base(), &object()->head.object.lock, g.heap[0].role);
  swi_sync_bury(base(), REGION_BYTES, g.at, &(swi_dead){g.heap[0].role, false});
  for (uint32_t i = 0; i < 2; i++) swi_waits_bury(base(), &object()->head.waits[i], 0, false);
}
static void counted_2(void) {
  model_check(*data() == 2);
  model_check(sw_sync_check(&g.heap[0], g.at, g.type, g.generation) == SW_OK);
}

static void no_check(void) {}

/* Thread 0 claims its endpoint only now: others that meet its role must not take it for a dead
 * one's. */
static void come(void) {
  model_check(sw_endpoint_claim(base(), 1, 10, 1) == 0);
  model_check(sw_heap_open(&g.heap[0], base(), REGION_BYTES, SW_HEAP_AT, 0) == SW_OK);
}
static void setup_without_0(uint32_t type, uint32_t limit, uint32_t initial) {
  setup(type, limit, initial, 0);
  sw_endpoint_release(base(), 0);
}

/* ---- events ---- */

static int try_event(uint32_t i) { return sw_event_try(&g.heap[i], g.at, g.generation); }
static void setup_event(void) { setup(SW_TYPE_EVENT, 0, 0, 0); }
static void setup_auto(void) { setup(SW_TYPE_EVENT, 0, 0, SW_SYNC_AUTO); }
static void set_0(void) {
  count();
  model_check(sw_event_set(&g.heap[0], g.at, g.generation) == SW_OK);
}
static void wait_event(uint32_t i) {
  model_check(wait_for(i, 0, try_event) == SW_OK);
  model_check(model_data_read(data()) == 1);
}
static void wait_event_1(void) { wait_event(1); }
static void was_set(void) { model_check(object()->state == 1 || g.type == SW_TYPE_EVENT); }

/* What two announce is seen by the one that resets the event and then looks, although the first of
 * them is seen through the other's exchange alone. */
static void announce(uint32_t i) {
  sw_store_relaxed(data() + 1 + i, 1);
  model_check(sw_event_set(&g.heap[i], g.at, g.generation) == SW_OK);
}
static void announce_0(void) { announce(0); }
static void announce_1(void) { announce(1); }
static void await_both_2(void) {
  for (;;) {
    model_check(sw_event_reset(&g.heap[2], g.at, g.generation) == SW_OK);
    if (sw_load_relaxed(data() + 1) + sw_load_relaxed(data() + 2) == 2) break;
    model_check(wait_for(2, 0, try_event) == SW_OK);
  }
}

/* ---- semaphores ---- */

static int try_acquire(uint32_t i) { return sw_semaphore_try_acquire(&g.heap[i], g.at, g.generation); }
static void setup_permit(void) { setup(SW_TYPE_SEMAPHORE, 1, 1, 0); }
static void setup_counted(void) { setup(SW_TYPE_SEMAPHORE, 65, 1, 0); }
static void setup_no_permit(void) { setup(SW_TYPE_SEMAPHORE, 2, 0, 0); }
static void with_permit(uint32_t i) {
  int permit = wait_for(i, 0, try_acquire);
  model_check(permit >= 0);
  count();
  model_check(sw_semaphore_release(&g.heap[i], g.at, g.generation, (uint32_t)permit) == SW_OK);
}
static void permit_0(void) { with_permit(0); }
static void permit_1(void) { with_permit(1); }
static void post_0(void) {
  count();
  model_check(sw_semaphore_post(&g.heap[0], g.at, g.generation) == SW_OK);
}
static void consume_1(void) {
  int permit = wait_for(1, 0, try_acquire);
  model_check(permit >= 0 && model_data_read(data()) == 1);
  model_check(sw_semaphore_consume(&g.heap[1], g.at, g.generation, (uint32_t)permit) == SW_OK);
}
/* 0 has one, and dies. */
static void setup_held_by_0(void) {
  setup_permit();
  model_check(try_acquire(0) == 0);
}
static void count_and_die_0(void) {
  count();
  model_die(1);
}
static void permit_at_once(uint32_t i) {
  int permit = try_acquire(i);
  if (permit < 0) return;
  count();
  g.got[i] = 1;
}
static void permit_at_once_1(void) { permit_at_once(1); }
static void permit_at_once_2(void) { permit_at_once(2); }
static void its_next_holder_has_it(void) {
  model_check(g.got[1] + g.got[2] <= 1 && *data() == 1 + g.got[1] + g.got[2]);
  for (uint32_t i = 1; i < 3; i++) {
    if (g.got[i]) model_check(sw_semaphore_release(&g.heap[i], g.at, g.generation, 0) == SW_OK);
  }
}
static void post_(uint32_t i) { model_check(sw_semaphore_post(&g.heap[i], g.at, g.generation) == SW_OK); }
static void post_only_0(void) { post_(0); }
static void post_only_1(void) { post_(1); }
static void two_are_free(void) { model_check(sw_semaphore_available(&g.heap[0], g.at, g.generation) == 2); }
static void all_free(void) {
  counted_2();
  model_check(sw_semaphore_available(&g.heap[0], g.at, g.generation) == 1);
}
static void one_is_free(void) { model_check(sw_semaphore_available(&g.heap[0], g.at, g.generation) == 1); }

/* ---- spin locks, once ---- */

static void setup_spin(void) { setup(SW_TYPE_SPIN_LOCK, 0, 0, 0); }
static void spin(uint32_t i) {
  g.status[i] = sw_spin_try_lock(&g.heap[i], g.at, g.generation, 1);
  if (g.status[i] == SW_EBUSY) return;
  count();
  g.got[i] = 1;
  model_check(sw_spin_unlock(&g.heap[i], g.at, g.generation) == SW_OK);
}
static void spin_0(void) { spin(0); }
static void spin_1(void) { spin(1); }
static void spin_2(void) { spin(2); }
static void counted_those(void) { model_check(*data() == g.got[0] + g.got[1] + g.got[2]); }

static int try_once(uint32_t i) { return sw_once_begin(&g.heap[i], g.at, g.generation); }
static void setup_once(void) { setup(SW_TYPE_ONCE, 0, 0, 0); }
static void once(uint32_t i) {
  int status = wait_for(i, 0, try_once);
  model_check(status == SW_OK || status == 1 || status == SW_EOWNERDEAD);
  if (status != 1) {
    if (status == SW_OK) count();
    else model_data_write(data(), 1);
    model_check(sw_once_end(&g.heap[i], g.at, g.generation, 1) == SW_OK);
  }
  model_check(model_data_read(data()) == 1);
}
static void once_0(void) { once(0); }
static void once_1(void) { once(1); }
static void done_once(void) { model_check(*data() == 1); }

/* ---- readers and writers ---- */

static int try_read(uint32_t i) { return sw_rwlock_try_read(&g.heap[i], g.at, g.generation); }
static int try_write(uint32_t i) { return sw_rwlock_try_write(&g.heap[i], g.at, g.generation, 1); }
static void setup_rwlock(void) { setup(SW_TYPE_RWLOCK, 0, 0, 0); }
static void write_(uint32_t i) {
  int status = wait_for(i, 0, try_write);
  model_check(status == SW_OK || status == SW_EOWNERDEAD);
  if (status == SW_EOWNERDEAD) model_check(sw_rwlock_consistent(&g.heap[i], g.at, g.generation) == SW_OK);
  count();
  model_check(sw_rwlock_end_write(&g.heap[i], g.at, g.generation) == SW_OK);
}
static void read_(uint32_t i) {
  int status = wait_for(i, 1, try_read);
  model_check(status == SW_OK || status == SW_EOWNERDEAD);
  if (status != SW_OK) return;
  g.got[i] = model_data_read(data());
  model_check(sw_rwlock_end_read(&g.heap[i], g.at, g.generation) == SW_OK);
}
static void write_0(void) { write_(0); }
static void write_1(void) { write_(1); }
static void read_1(void) { read_(1); }
static void written(void) {
  model_check(object()->state == 0 && object()->more == 0);
  model_check(sw_mutex_holder(&object()->head.object.lock) == 0);
}
static void setup_read_by_0(void) {
  setup_rwlock();
  model_check(sw_rwlock_try_read(&g.heap[0], g.at, g.generation) == SW_OK);
}
static void end_read_0(void) {
  model_data_read(data());
  model_check(sw_rwlock_end_read(&g.heap[0], g.at, g.generation) == SW_OK);
}
static void setup_written_by_0(void) {
  setup_rwlock();
  model_check(sw_rwlock_try_write(&g.heap[0], g.at, g.generation, 0) == SW_OK);
}
static void end_write_0(void) {
  count();
  model_check(sw_rwlock_end_write(&g.heap[0], g.at, g.generation) == SW_OK);
}

/* ---- conditions ---- */

static int try_condition(uint32_t i) { return sw_condition_try(&g.heap[i], g.at, g.generation); }
static void setup_condition(void) {
  setup(SW_TYPE_CONDITION, 0, 0, 0);
  for (uint32_t i = 1; i < 3; i++) model_check(sw_condition_enlist(&g.heap[i], g.at, g.generation) == SW_OK);
}
static void notify_0(void) {
  count();
  sw_condition_notify(&g.heap[0], g.at, g.generation, 0);
}
static void sleep_1(void) {
  model_check(wait_for(1, 0, try_condition) == SW_OK);
  model_check(model_data_read(data()) >= 1);
}
/* Its time is up: what it was notified of is passed on. */
static void leave_1(void) { sw_condition_leave(&g.heap[1], g.at, g.generation); }
static void sleep_2(void) { model_check(wait_for(2, 0, try_condition) == SW_OK); }
static void setup_first_is_0(void) {
  setup(SW_TYPE_CONDITION, 0, 0, 0);
  model_check(sw_condition_enlist(&g.heap[0], g.at, g.generation) == SW_OK);
  model_check(sw_condition_enlist(&g.heap[2], g.at, g.generation) == SW_OK);
}
static void die_0(void) { model_die(1); }
/* It wants to be told, once more or still, as it is notified. */
static void enlist_and_sleep_1(void) {
  model_check(sw_condition_enlist(&g.heap[1], g.at, g.generation) == SW_OK);
  model_check(wait_for(1, 0, try_condition) == SW_OK);
}
static void notify_1(void) { sw_condition_notify(&g.heap[1], g.at, g.generation, 0); }
static void notify_1_and_bury(void) {
  notify_1();
  bury_0();
}

/* ---- barriers and groups ---- */

static int try_barrier(uint32_t i) { return sw_barrier_try(&g.heap[i], g.at, g.generation, g.ticket[i]); }
static void setup_barrier(void) { setup(SW_TYPE_BARRIER, 2, 0, 0); }
static void meet(uint32_t i) {
  model_data_write(data() + 1 + i, 1);
  int status = sw_barrier_arrive(&g.heap[i], g.at, g.generation, &g.ticket[i]);
  model_assume(status != SW_EBUSY); /* and tried again, for as long as the other has the lock */
  if (status == 0) status = wait_for(i, 0, try_barrier);
  if (status == SW_EBROKEN) return;
  model_check(model_data_read(data() + 1 + (1 - i)) == 1);
}
static void meet_0(void) { meet(0); }
static void meet_1(void) { meet(1); }
static void setup_joined(void) {
  setup_barrier();
  for (uint32_t i = 0; i < 2; i++) model_check(sw_barrier_join(&g.heap[i], g.at, g.generation) == SW_OK);
}

static int try_group(uint32_t i) { return sw_group_try(&g.heap[i], g.at, g.generation); }
static void setup_group(void) {
  setup(SW_TYPE_WAIT_GROUP, 0, 0, 0);
  model_check(sw_group_add(&g.heap[2], g.at, g.generation, 2) == SW_OK);
  for (uint32_t i = 0; i < 2; i++) model_check(sw_group_claim(&g.heap[i], g.at, g.generation) == SW_OK);
}
static void part(uint32_t i) {
  model_data_write(data() + 1 + i, 1);
  model_check(sw_group_done(&g.heap[i], g.at, g.generation) == SW_OK);
}
static void part_0(void) { part(0); }
static void part_1(void) { part(1); }
static void wait_group_2(void) {
  g.status[2] = wait_for(2, 0, try_group);
  if (g.status[2] != SW_OK) return;
  for (uint32_t i = 0; i < 2; i++) model_check(model_data_read(data() + 1 + i) == 1);
}
static void is_over(void) { model_check(g.status[2] == SW_OK); }
static void is_answered(void) { model_check(g.status[2] == SW_OK || g.status[2] == SW_EBROKEN); }
static void setup_one_part(void) {
  setup(SW_TYPE_WAIT_GROUP, 0, 0, 0);
  model_check(sw_group_add(&g.heap[2], g.at, g.generation, 1) == SW_OK);
  model_check(sw_group_claim(&g.heap[0], g.at, g.generation) == SW_OK);
  data()[2] = 1;
}

/* 2 sleeps already: the one that ends the last part rings it. */
static void setup_parts(uint32_t members, uint32_t counted) {
  setup(SW_TYPE_WAIT_GROUP, 0, 0, 0);
  model_check(sw_group_add(&g.heap[2], g.at, g.generation, members) == SW_OK);
  object()->state = counted;
  model_check(sw_sync_begin_wait(&g.heap[2], g.at, g.type, g.generation, 0) == SW_OK);
  g.ticket[2] = sw_endpoint_arm(base(), 2, SW_SLEEP_FUTEX);
}
static void setup_open_parts(void) { setup_parts(2, 0); }
static void setup_claimed_parts(void) {
  setup_parts(2, 0);
  for (uint32_t i = 0; i < 2; i++) model_check(sw_group_claim(&g.heap[i], g.at, g.generation) == SW_OK);
}
static void setup_counted_parts(void) { setup_parts(0, 2); }
static void be_woken_2(void) { model_wait(sw_endpoint_doorbell(base(), 2), g.ticket[2]); }
static void none_is_left(void) { model_check(sw_group_left(&g.heap[2], g.at, g.generation) == 0); }
static void setup_counted_part(void) {
  setup(SW_TYPE_WAIT_GROUP, 0, 0, 0);
  object()->state = 1;
}
static void look_once_2(void) {
  if (try_group(2) == SW_OK) model_check(model_data_read(data() + 1) == 1);
}

/* 0 has arrived, and waits for 1. */
static void setup_arrived(void) {
  setup_joined();
  model_check(sw_barrier_arrive(&g.heap[0], g.at, g.generation, &g.ticket[0]) == 0);
}
static void look_at_barrier_0(void) {
  int status = try_barrier(0);
  model_check(status == SW_EBUSY || status == SW_EBROKEN);
}
static void reset_1(void) { model_check(sw_barrier_reset(&g.heap[1], g.at, g.generation) == SW_OK); }

/* ---- of one that has just come ---- */

static void setup_new_permit(void) { setup_without_0(SW_TYPE_SEMAPHORE, 1, 1); }
static void come_and_hold_0(void) {
  come();
  model_assume(try_acquire(0) == 0);
  g.got[0] = 1;
}
static void acquire_beside_0(void) { g.got[1] = try_acquire(1) == 0; }
static void one_has_it(void) { model_check(g.got[0] + g.got[1] == 1); }
static void setup_new_spin(void) { setup_without_0(SW_TYPE_SPIN_LOCK, 0, 0); }
static void come_and_spin_0(void) {
  come();
  g.got[0] = sw_spin_try_lock(&g.heap[0], g.at, g.generation, 1) == SW_OK;
}
static void spin_beside_0(void) {
  int status = sw_spin_try_lock(&g.heap[1], g.at, g.generation, 1);
  g.got[1] = status == SW_OK || status == SW_EOWNERDEAD;
}
static void setup_new_rwlock(void) { setup_without_0(SW_TYPE_RWLOCK, 0, 0); }
static void come_and_write_0(void) {
  come();
  g.got[0] = sw_rwlock_try_write(&g.heap[0], g.at, g.generation, 0) == SW_OK;
}
static void read_beside_0(void) {
  int status = try_read(1);
  model_check(status == SW_OK || status == SW_EBUSY);
  g.got[1] = status == SW_OK;
}
static void one_at_most_has_it(void) { model_check(g.got[0] + g.got[1] <= 1); }
static void setup_new_part(void) {
  setup_without_0(SW_TYPE_WAIT_GROUP, 0, 0);
  model_check(sw_group_add(&g.heap[2], g.at, g.generation, 1) == SW_OK);
  model_check(sw_sync_begin_wait(&g.heap[1], g.at, g.type, g.generation, 0) == SW_OK);
}
static void come_and_claim_0(void) {
  come();
  model_check(sw_group_claim(&g.heap[0], g.at, g.generation) == SW_OK);
}
static void look_at_group_1(void) { model_check(try_group(1) == SW_EBUSY); }

#define SCENE(title, begins, ends, ...) \
  { .name = "sync: " title, .setup = begins, .finish = ends, .threads = {__VA_ARGS__}, .sc = true }
#define DEATH(title, begins, ends, ...) \
  { .name = "sync: " title, .setup = begins, .finish = ends, .threads = {__VA_ARGS__}, .mortal = 1, .large = true }

const model_scenario scenes_sync[] = {
    SCENE("an event", setup_event, was_set, set_0, wait_event_1),
    SCENE("an automatic event", setup_auto, was_set, set_0, wait_event_1),
    SCENE("a permit", setup_permit, all_free, permit_0, permit_1),
    SCENE("a counted permit", setup_counted, all_free, permit_0, permit_1),
    SCENE("a permit is posted", setup_no_permit, no_check, post_0, consume_1),
    DEATH("a holder of a permit dies", setup_permit, one_is_free, permit_0, permit_1, bury_0),
    SCENE("a spin lock", setup_spin, counted_those, spin_0, spin_1, spin_2),
    SCENE("once", setup_once, done_once, once_0, once_1),
    DEATH("the one that does it once dies", setup_once, done_once, once_0, once_1, bury_0),
    SCENE("a reader and a writer", setup_rwlock, written, write_0, read_1),
    SCENE("two writers", setup_rwlock, counted_2, write_0, write_1),
    SCENE("a reader ends, a writer waits", setup_read_by_0, written, end_read_0, write_1),
    SCENE("a writer ends, a reader waits", setup_written_by_0, written, end_write_0, read_1),
    DEATH("a reader dies", setup_read_by_0, written, end_read_0, write_1, bury_0),
    DEATH("a writer dies", setup_written_by_0, no_check, end_write_0, read_1, bury_0),
    {.name = "sync: a writer dies, another waits",
     .setup = setup_written_by_0,
     .finish = written,
     .threads = {end_write_0, write_1, bury_0},
     .mortal = 1,
     .sc = true,
     .huge = true},
    SCENE("a condition", setup_condition, no_check, notify_0, sleep_1),
    SCENE("a notified waiter leaves", setup_condition, no_check, notify_0, leave_1, sleep_2),
    {.name = "sync: a notified waiter dies",
     .setup = setup_first_is_0,
     .finish = no_check,
     .threads = {die_0, notify_1_and_bury, sleep_2}},
    SCENE("a barrier", setup_barrier, no_check, meet_0, meet_1),
    DEATH("a member of a barrier dies", setup_joined, no_check, meet_0, meet_1, bury_0),
    {.name = "sync: a wait group",
     .setup = setup_group,
     .finish = is_over,
     .threads = {part_0, part_1, wait_group_2},
     .sc = true,
     .huge = true},
    DEATH("a claimer dies", setup_one_part, is_answered, part_0, bury_0, wait_group_2),
    SCENE("an event is set by two, and reset", setup_event, no_check, announce_0, announce_1, await_both_2),
    SCENE("a permit of a dead one, for two", setup_held_by_0, its_next_holder_has_it, count_and_die_0, permit_at_once_1,
          permit_at_once_2),
    SCENE("a permit of a dead one, and burial", setup_held_by_0, its_next_holder_has_it, count_and_die_0, bury_0,
          permit_at_once_2),
    SCENE("a waiter enlists again as it is notified", setup_condition, no_check, notify_0, enlist_and_sleep_1),
    SCENE("a barrier is reset", setup_arrived, no_check, look_at_barrier_0, reset_1),
    SCENE("open parts, one sleeps", setup_open_parts, none_is_left, part_0, part_1, be_woken_2),
    SCENE("claimed parts, one sleeps", setup_claimed_parts, none_is_left, part_0, part_1, be_woken_2),
    SCENE("counted parts, one sleeps", setup_counted_parts, none_is_left, part_0, part_1, be_woken_2),
    SCENE("a counted part, one looks", setup_counted_part, none_is_left, part_0, look_once_2),
    SCENE("a part, one looks", setup_one_part, none_is_left, part_0, look_once_2),
    SCENE("two permits are posted", setup_no_permit, two_are_free, post_only_0, post_only_1),
    SCENE("a permit of one that has just come", setup_new_permit, one_has_it, come_and_hold_0, acquire_beside_0),
    SCENE("a spin lock of one that has just come", setup_new_spin, one_has_it, come_and_spin_0, spin_beside_0),
    SCENE("a writer that has just come", setup_new_rwlock, one_at_most_has_it, come_and_write_0, read_beside_0),
    SCENE("a claimer that has just come", setup_new_part, no_check, come_and_claim_0, look_at_group_1),
    {.name = NULL}};
