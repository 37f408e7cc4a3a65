/* Locks and signals, step by step: what each call leaves, and what the death of a participant does
 * to the others. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "../heap/heap_helper.h"

#include "sabway/mutex.h"
#include "sabway/registry.h"
#include "sabway/sync.h"

enum { PARTIES = 4 };

static heap_scene s;
static sw_heap h[PARTIES]; /* of endpoints of this process */
static uint32_t at, generation, type;

static int begin(void **state) {
  (void)state;
  heap_scene_open(&s, SMALL_REGION);
  h[0] = s.h;
  for (uint32_t i = 1; i < PARTIES; i++) {
    uint32_t endpoint = region_claim(&s.r);
    assert_int_equal(sw_heap_open(&h[i], s.r.base, s.r.size, sw_region_heap(s.r.base, s.r.size), endpoint), SW_OK);
  }
  return 0;
}
static int end(void **state) {
  (void)state;
  if (at != 0) assert_int_equal(sw_sync_check(&h[0], at, type, generation), SW_OK);
  at = 0;
  heap_scene_close(&s);
  return 0;
}

static void make(uint32_t of, uint32_t limit, uint32_t initial, uint32_t options) {
  type = of;
  at = sw_sync_new(&h[0], type, limit, initial, options);
  assert_int_not_equal(at, 0);
  assert_int_equal(sw_object_type(&h[0], at, &generation), type);
}

/* As before a sleep; whether it has been rung since. */
static void fall_asleep(uint32_t i, uint32_t which) {
  assert_int_equal(sw_sync_begin_wait(&h[i], at, type, generation, which), SW_OK);
  sw_endpoint_arm(s.r.base, h[i].endpoint, SW_SLEEP_FUTEX);
}
static int sleeps(uint32_t i) { return sw_endpoint_is_armed(s.r.base, h[i].endpoint); }
static void wake(uint32_t i, uint32_t which) {
  sw_endpoint_disarm(s.r.base, h[i].endpoint);
  assert_int_equal(sw_sync_end_wait(&h[i], at, type, generation, which), SW_OK);
}
/* It ends without a word, and another notices. */
static void dies(uint32_t i) {
  uint32_t role = sw_endpoint_role(s.r.base, h[i].endpoint);
  sw_region_evict_role(s.r.base, s.r.size, role);
  assert_int_equal(sw_endpoint_release_role(s.r.base, role), 1);
}
/* It ends, and no participant has noticed but by its role. */
static void vanishes(uint32_t i) { sw_endpoint_release(s.r.base, h[i].endpoint); }

static void are_made_with_what_they_allow(void **state) {
  (void)state;
  static const uint32_t bad[][4] = {{SW_TYPE_MAP, 0, 0, 0},       {16, 0, 0, 0},
                                    {SW_TYPE_EVENT, 1, 0, 0},     {SW_TYPE_EVENT, 0, 2, 0},
                                    {SW_TYPE_EVENT, 0, 0, 2},     {SW_TYPE_SEMAPHORE, 0, 0, 0},
                                    {SW_TYPE_SEMAPHORE, 2, 3, 0}, {SW_TYPE_BARRIER, 65, 0, 0},
                                    {SW_TYPE_BARRIER, 0, 0, 0},   {SW_TYPE_ONCE, 0, 0, 1}};
  for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    assert_int_equal(sw_sync_new(&h[0], bad[i][0], bad[i][1], bad[i][2], bad[i][3]), 0);
    assert_true(h[0].status == SW_EINVAL || h[0].status == SW_ERANGE);
  }
  for (uint32_t t = SW_TYPE_EVENT; t <= SW_TYPE_SPIN_LOCK; t++) {
    make(t, t == SW_TYPE_SEMAPHORE || t == SW_TYPE_BARRIER ? 2 : 0, 0, 0);
    assert_int_equal(sw_sync_check(&h[1], at, t, generation), SW_OK);
    assert_int_equal(sw_sync_check(&h[1], at, t, generation + 1), SW_EFREED);
    assert_int_equal(sw_sync_begin_wait(&h[1], at, t == 8 ? 9 : 8, generation, 0), SW_EKIND);
    fall_asleep(1, 1);
    assert_int_equal(sw_sync_free(&h[0], at, t, generation), SW_OK);
    assert_false(sleeps(1));
    assert_int_equal(sw_sync_free(&h[0], at, t, generation), SW_EFREED);
    assert_int_equal(sw_sync_end_wait(&h[1], at, t, generation, 1), SW_EFREED);
  }
  at = 0;
}

/* ---- events ---- */

static void an_event_lets_all_go_on(void **state) {
  (void)state;
  make(SW_TYPE_EVENT, 0, 0, 0);
  assert_int_equal(sw_event_try(&h[1], at, generation), SW_EBUSY);
  fall_asleep(1, 0);
  fall_asleep(2, 0);
  assert_int_equal(sw_event_set(&h[0], at, generation), SW_OK);
  assert_true(!sleeps(1) && !sleeps(2));
  for (uint32_t i = 0; i < 3; i++) assert_int_equal(sw_event_try(&h[i], at, generation), SW_OK);
  assert_int_equal(sw_event_reset(&h[0], at, generation), SW_OK);
  assert_int_equal(sw_event_try(&h[1], at, generation), SW_EBUSY);
  assert_int_equal(sw_event_wait(&h[1], at, generation, 1000), SW_ETIMEDOUT);
}

static void an_automatic_event_lets_one_go_on(void **state) {
  (void)state;
  make(SW_TYPE_EVENT, 0, 1, SW_SYNC_AUTO);
  assert_int_equal(sw_event_wait(&h[1], at, generation, -1), SW_OK);
  assert_int_equal(sw_event_try(&h[1], at, generation), SW_EBUSY);
  fall_asleep(1, 0);
  fall_asleep(2, 0);
  sw_event_set(&h[0], at, generation);
  assert_true(!sleeps(1) && sleeps(2));
  /* it leaves without it, and passes on that it was rung */
  wake(1, 0);
  assert_false(sleeps(2));
  assert_int_equal(sw_event_try(&h[2], at, generation), SW_OK);
}

/* ---- semaphores ---- */

static void a_semaphore_has_so_many_permits(void **state) {
  (void)state;
  make(SW_TYPE_SEMAPHORE, 3, 2, 0);
  int first = sw_semaphore_try_acquire(&h[0], at, generation), second = sw_semaphore_acquire(&h[0], at, generation, -1);
  assert_true(first >= 0 && second >= 0 && first != second);
  assert_int_equal(sw_semaphore_try_acquire(&h[1], at, generation), SW_EBUSY);
  assert_int_equal(sw_semaphore_acquire(&h[1], at, generation, 1000), SW_ETIMEDOUT);
  fall_asleep(1, 0);
  fall_asleep(2, 0);
  assert_int_equal(sw_semaphore_release(&h[1], at, generation, (uint32_t)first), SW_ESTATE);
  assert_int_equal(sw_semaphore_release(&h[0], at, generation, 3), SW_ERANGE);
  assert_int_equal(sw_semaphore_release(&h[0], at, generation, (uint32_t)first), SW_OK);
  assert_int_equal(sw_semaphore_release(&h[0], at, generation, (uint32_t)first), SW_ESTATE);
  assert_true(!sleeps(1) && sleeps(2));
  assert_int_equal(sw_semaphore_post(&h[0], at, generation), SW_OK);
  assert_int_equal(sw_semaphore_available(&h[0], at, generation), 2);
  /* rung twice, it takes one, and passes on the other */
  assert_true(sw_semaphore_try_acquire(&h[1], at, generation) >= 0);
  wake(1, 0);
  assert_false(sleeps(2));
  assert_int_equal(sw_semaphore_post(&h[0], at, generation), SW_ERANGE);
  assert_int_equal(sw_semaphore_consume(&h[0], at, generation, (uint32_t)second), SW_OK);
  assert_int_equal(sw_semaphore_available(&h[0], at, generation), 1);
}

static void permits_of_the_dead_come_back(void **state) {
  (void)state;
  make(SW_TYPE_SEMAPHORE, 2, 2, 0);
  assert_true(sw_semaphore_try_acquire(&h[1], at, generation) >= 0);
  assert_true(sw_semaphore_try_acquire(&h[2], at, generation) >= 0);
  fall_asleep(3, 0);
  dies(1);
  assert_false(sleeps(3));
  assert_int_equal(sw_semaphore_available(&h[0], at, generation), 1);
  assert_true(sw_semaphore_try_acquire(&h[3], at, generation) >= 0);
  vanishes(2); /* no burial: the next one finds it dead */
  assert_true(sw_semaphore_try_acquire(&h[3], at, generation) >= 0);
  assert_int_equal(sw_semaphore_try_acquire(&h[3], at, generation), SW_EBUSY);
}

static void more_permits_are_counted(void **state) {
  (void)state;
  make(SW_TYPE_SEMAPHORE, 100, 65, 0);
  for (uint32_t i = 0; i < 65; i++)
    assert_int_equal(sw_semaphore_try_acquire(&h[1], at, generation), SW_PERMIT_COUNTED);
  assert_int_equal(sw_semaphore_try_acquire(&h[1], at, generation), SW_EBUSY);
  assert_int_equal(sw_semaphore_release(&h[2], at, generation, 1), SW_ERANGE);
  for (uint32_t i = 0; i < 100; i++)
    assert_int_equal(sw_semaphore_release(&h[2], at, generation, SW_PERMIT_COUNTED), SW_OK);
  assert_int_equal(sw_semaphore_release(&h[2], at, generation, SW_PERMIT_COUNTED), SW_ESTATE);
  assert_int_equal(sw_semaphore_post(&h[2], at, generation), SW_ERANGE);
  assert_int_equal(sw_semaphore_available(&h[0], at, generation), 100);
}

/* ---- conditions ---- */

static void enlist(uint32_t i) {
  assert_int_equal(sw_condition_enlist(&h[i], at, generation), SW_OK);
  sw_endpoint_arm(s.r.base, h[i].endpoint, SW_SLEEP_FUTEX);
}
static int notified(uint32_t i) { return sw_condition_try(&h[i], at, generation) == SW_OK; }

static void a_notification_is_for_one(void **state) {
  (void)state;
  make(SW_TYPE_CONDITION, 0, 0, 0);
  assert_int_equal(sw_condition_notify(&h[0], at, generation, 0), 0);
  for (uint32_t i = 1; i < 4; i++) enlist(i);
  assert_false(notified(1));
  assert_int_equal(sw_condition_notify(&h[0], at, generation, 0), 1);
  assert_int_equal(sw_condition_notify(&h[0], at, generation, 0), 1);
  assert_true(!sleeps(1) && !sleeps(2) && sleeps(3));
  assert_true(notified(1) && !notified(1) && notified(2) && !notified(3));
  for (uint32_t i = 1; i < 3; i++) assert_int_equal(sw_condition_leave(&h[i], at, generation), SW_OK);
  enlist(1);
  assert_int_equal(sw_condition_notify(&h[0], at, generation, 1), 2);
  assert_true(notified(1) && notified(3));
}

static void a_notification_is_passed_on(void **state) {
  (void)state;
  make(SW_TYPE_CONDITION, 0, 0, 0);
  for (uint32_t i = 1; i < 4; i++) enlist(i);
  sw_condition_notify(&h[0], at, generation, 0);
  sw_condition_leave(&h[1], at, generation); /* its time is up */
  assert_true(!sleeps(2));
  dies(2);
  assert_true(notified(3));
}

static void a_condition_lets_its_mutex_go(void **state) {
  (void)state;
  make(SW_TYPE_CONDITION, 0, 0, 0);
  sw_mutex *mutex = (sw_mutex *)(void *)(s.r.base + SW_INSTANCES_AT);
  mutex->state = mutex->waiters = 0;
  assert_int_equal(sw_condition_wait(&h[1], at, generation, mutex, 1000), SW_ESTATE);
  assert_int_equal(sw_mutex_try_lock(s.r.base, mutex, h[1].endpoint), SW_OK);
  assert_int_equal(sw_condition_wait(&h[1], at, generation, mutex, 1000), SW_ETIMEDOUT);
  assert_int_equal(sw_mutex_unlock(s.r.base, mutex, h[1].endpoint), SW_OK);
}

/* ---- readers and writers ---- */

static int read_(uint32_t i) { return sw_rwlock_try_read(&h[i], at, generation); }
static int end_read(uint32_t i) { return sw_rwlock_end_read(&h[i], at, generation); }
static int write_(uint32_t i) { return sw_rwlock_try_write(&h[i], at, generation, 0); }
static int claim(uint32_t i) { return sw_rwlock_try_write(&h[i], at, generation, 1); }
static int end_write(uint32_t i) { return sw_rwlock_end_write(&h[i], at, generation); }

static void readers_share_and_writers_do_not(void **state) {
  (void)state;
  make(SW_TYPE_RWLOCK, 0, 0, 0);
  assert_int_equal(read_(0), SW_OK);
  assert_int_equal(read_(1), SW_OK);
  assert_int_equal(read_(1), SW_ESTATE);
  assert_int_equal(write_(1), SW_ESTATE);
  assert_int_equal(write_(2), SW_EBUSY);
  assert_int_equal(end_read(0), SW_OK);
  assert_int_equal(end_read(0), SW_ESTATE);
  assert_int_equal(end_read(1), SW_OK);
  assert_int_equal(write_(2), SW_OK);
  assert_int_equal(write_(2), SW_ESTATE);
  assert_int_equal(read_(2), SW_ESTATE);
  assert_int_equal(read_(0), SW_EBUSY);
  assert_int_equal(write_(0), SW_EBUSY);
  assert_int_equal(end_write(0), SW_ESTATE);
  fall_asleep(0, 1);
  fall_asleep(1, 0);
  assert_int_equal(claim(1), SW_EBUSY); /* its second look tells the holder */
  assert_int_equal(end_write(2), SW_OK);
  assert_true(!sleeps(0) && !sleeps(1));
  assert_int_equal(sw_rwlock_read(&h[0], at, generation, -1), SW_OK);
  assert_int_equal(sw_rwlock_write(&h[1], at, generation, 1000), SW_ETIMEDOUT);
  assert_int_equal(end_read(0), SW_OK);
  assert_int_equal(sw_rwlock_write(&h[1], at, generation, -1), SW_OK);
  assert_int_equal(sw_rwlock_read(&h[0], at, generation, 1000), SW_ETIMEDOUT);
  assert_int_equal(end_write(1), SW_OK);
}

static void a_writer_that_waits_holds_off_readers(void **state) {
  (void)state;
  make(SW_TYPE_RWLOCK, 0, 0, 0);
  assert_int_equal(read_(0), SW_OK);
  assert_int_equal(claim(1), SW_EBUSY);
  assert_int_equal(read_(2), SW_EBUSY);
  fall_asleep(1, 0);
  fall_asleep(2, 1);
  assert_int_equal(claim(1), SW_EBUSY);
  assert_int_equal(end_read(0), SW_OK);
  assert_true(!sleeps(1) && sleeps(2));
  assert_int_equal(claim(1), SW_OK);
  wake(1, 0);
  assert_int_equal(end_write(1), SW_OK);
  assert_int_equal(read_(2), SW_OK);
  /* it gives up */
  assert_int_equal(claim(1), SW_EBUSY);
  fall_asleep(0, 1);
  fall_asleep(1, 0);
  wake(1, 0);
  assert_false(sleeps(0));
  assert_int_equal(read_(0), SW_OK);
}

static void readers_that_die_are_in_no_writers_way(void **state) {
  (void)state;
  make(SW_TYPE_RWLOCK, 0, 0, 0);
  assert_int_equal(read_(1), SW_OK);
  assert_int_equal(read_(2), SW_OK);
  assert_int_equal(claim(3), SW_EBUSY);
  fall_asleep(3, 0);
  dies(1);
  assert_false(sleeps(3));
  assert_int_equal(claim(3), SW_EBUSY);
  vanishes(2);
  assert_int_equal(claim(3), SW_OK);
  assert_int_equal(end_write(3), SW_OK);
}

static void a_writer_that_only_waited_breaks_nothing(void **state) {
  (void)state;
  make(SW_TYPE_RWLOCK, 0, 0, 0);
  assert_int_equal(read_(0), SW_OK);
  assert_int_equal(claim(1), SW_EBUSY);
  vanishes(1);
  assert_int_equal(read_(2), SW_OK);
  assert_int_equal(end_read(0), SW_OK);
  assert_int_equal(end_read(2), SW_OK);
  assert_int_equal(write_(3), SW_OK);
  assert_int_equal(end_write(3), SW_OK);
}

static void a_writer_that_dies_leaves_it_to_be_mended(void **state) {
  (void)state;
  make(SW_TYPE_RWLOCK, 0, 0, 0);
  assert_int_equal(write_(1), SW_OK);
  fall_asleep(2, 1);
  dies(1);
  assert_false(sleeps(2));
  assert_int_equal(read_(2), SW_EOWNERDEAD);
  assert_int_equal(sw_rwlock_consistent(&h[3], at, generation), SW_ESTATE);
  assert_int_equal(write_(3), SW_EOWNERDEAD);
  assert_int_equal(read_(2), SW_EBUSY);
  assert_int_equal(sw_rwlock_consistent(&h[3], at, generation), SW_OK);
  assert_int_equal(end_write(3), SW_OK);
  assert_int_equal(read_(2), SW_OK);
  assert_int_equal(end_read(2), SW_OK);
  /* and one that is not mended is poisoned */
  assert_int_equal(write_(3), SW_OK);
  vanishes(3);
  assert_int_equal(write_(2), SW_EOWNERDEAD);
  assert_int_equal(end_write(2), SW_EPOISONED);
  assert_int_equal(write_(0), SW_EPOISONED);
  assert_int_equal(read_(0), SW_EPOISONED);
}

static void a_writer_that_gives_up_leaves_it_broken(void **state) {
  (void)state;
  make(SW_TYPE_RWLOCK, 0, 0, 0);
  assert_int_equal(write_(1), SW_OK);
  dies(1);
  /* the next writer comes to have the claim, and leaves, because a reader is said to be there */
  sw_sync *o = (sw_sync *)(void *)(s.r.base + at);
  o->member[h[2].endpoint] = h[2].role;
  assert_int_equal(claim(3), SW_EBUSY);
  fall_asleep(3, 0);
  wake(3, 0);
  assert_int_equal(end_read(2), SW_OK);
  assert_int_equal(read_(2), SW_EOWNERDEAD);
  assert_int_equal(write_(3), SW_EOWNERDEAD);
  assert_int_equal(sw_rwlock_consistent(&h[3], at, generation), SW_OK);
  assert_int_equal(end_write(3), SW_OK);
}

/* ---- barriers ---- */

static uint32_t ticket[PARTIES];
static int arrive(uint32_t i) { return sw_barrier_arrive(&h[i], at, generation, &ticket[i]); }
static int passes(uint32_t i) { return sw_barrier_try(&h[i], at, generation, ticket[i]); }

static void a_barrier_is_used_again_and_again(void **state) {
  (void)state;
  make(SW_TYPE_BARRIER, 3, 0, 0);
  for (uint32_t round = 0; round < 5; round++) {
    assert_int_equal(arrive(round % 3), 0);
    assert_int_equal(arrive(round % 3), SW_ESTATE);
    assert_int_equal(passes(round % 3), SW_EBUSY);
    fall_asleep(round % 3, 0);
    assert_int_equal(arrive((round + 1) % 3), 0);
    assert_true(sleeps(round % 3));
    assert_int_equal(arrive((round + 2) % 3), 1);
    assert_false(sleeps(round % 3));
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(passes(i), SW_OK);
  }
  assert_int_equal(sw_barrier_join(&h[3], at, generation), SW_ECROWDED);
  assert_int_equal(arrive(3), SW_ECROWDED);
  assert_int_equal(sw_barrier_wait(&h[0], at, generation, 1000), SW_ETIMEDOUT);
  assert_int_equal(arrive(1), 0);
  assert_int_equal(arrive(2), 0); /* the first has taken its arrival back */
  assert_int_equal(sw_barrier_wait(&h[0], at, generation, -1), 1);
  assert_int_equal(sw_barrier_withdraw(&h[1], at, generation, ticket[1]), 1);
  /* one that leaves makes the party smaller */
  assert_int_equal(arrive(1), 0);
  assert_int_equal(arrive(2), 0);
  assert_int_equal(sw_barrier_leave(&h[3], at, generation), SW_ESTATE);
  assert_int_equal(sw_barrier_leave(&h[0], at, generation), SW_OK);
  assert_int_equal(passes(1), SW_OK);
  assert_int_equal(sw_barrier_join(&h[3], at, generation), SW_ECROWDED);
}

static void a_member_that_dies_breaks_the_barrier(void **state) {
  (void)state;
  make(SW_TYPE_BARRIER, 3, 0, 0);
  for (uint32_t i = 0; i < 3; i++) assert_int_equal(sw_barrier_join(&h[i], at, generation), SW_OK);
  assert_int_equal(arrive(0), 0);
  fall_asleep(0, 0);
  dies(1);
  assert_false(sleeps(0));
  fall_asleep(0, 0); /* it looks before it sleeps */
  assert_int_equal(passes(0), SW_EBROKEN);
  assert_int_equal(arrive(2), SW_EBROKEN);
  uint32_t old = ticket[0];
  assert_int_equal(sw_barrier_reset(&h[2], at, generation), SW_OK);
  assert_int_equal(arrive(0), 0);
  assert_int_equal(arrive(2), 0);
  assert_int_equal(sw_barrier_try(&h[0], at, generation, old), SW_EBROKEN);
  assert_int_equal(arrive(3), 1); /* in the place of the dead one */
  assert_int_equal(passes(0), SW_OK);
  /* one that has arrived, and dies, has done its part */
  assert_int_equal(arrive(3), 0);
  vanishes(3);
  fall_asleep(3, 0);
  assert_int_equal(arrive(0), 0);
  assert_int_equal(arrive(2), 1);
}

static void a_member_that_dies_may_leave_the_party(void **state) {
  (void)state;
  make(SW_TYPE_BARRIER, 3, 0, SW_SYNC_LEAVE);
  for (uint32_t i = 0; i < 3; i++) assert_int_equal(sw_barrier_join(&h[i], at, generation), SW_OK);
  assert_int_equal(arrive(0), 0);
  assert_int_equal(arrive(2), 0);
  dies(1);
  fall_asleep(0, 0);
  assert_int_equal(passes(0), SW_OK);
  assert_int_equal(passes(2), SW_OK);
  assert_int_equal(arrive(0), 0);
  assert_int_equal(arrive(2), 1);
}

/* ---- wait groups ---- */

static int done(uint32_t i) { return sw_group_done(&h[i], at, generation); }
static int all_done(uint32_t i) { return sw_group_try(&h[i], at, generation); }

static void a_group_waits_for_all_parts(void **state) {
  (void)state;
  make(SW_TYPE_WAIT_GROUP, 0, 0, 0);
  assert_int_equal(all_done(0), SW_OK);
  assert_int_equal(done(0), SW_ESTATE);
  assert_int_equal(sw_group_claim(&h[1], at, generation), SW_EBUSY);
  assert_int_equal(sw_group_add(&h[0], at, generation, 3), SW_OK);
  assert_int_equal(sw_group_claim(&h[1], at, generation), SW_OK);
  assert_int_equal(sw_group_left(&h[0], at, generation), 3);
  fall_asleep(0, 0);
  assert_int_equal(done(1), SW_OK);
  assert_int_equal(done(2), SW_OK);
  assert_true(sleeps(0));
  assert_int_equal(sw_group_wait(&h[2], at, generation, 1000), SW_ETIMEDOUT);
  assert_int_equal(done(2), SW_OK);
  assert_false(sleeps(0));
  assert_int_equal(sw_group_wait(&h[2], at, generation, -1), SW_OK);
  /* more than have words */
  assert_int_equal(sw_group_add(&h[0], at, generation, 100), SW_OK);
  assert_int_equal(sw_group_left(&h[0], at, generation), 100);
  for (uint32_t i = 0; i < 100; i++) {
    assert_int_equal(all_done(0), SW_EBUSY);
    assert_int_equal(done(3), SW_OK);
  }
  assert_int_equal(all_done(0), SW_OK);
  assert_int_equal(sw_group_add(&h[0], at, generation, UINT32_MAX), SW_ERANGE);
}

static void a_claimer_that_dies_breaks_the_group(void **state) {
  (void)state;
  make(SW_TYPE_WAIT_GROUP, 0, 0, 0);
  sw_group_add(&h[0], at, generation, 2);
  sw_group_claim(&h[1], at, generation);
  sw_group_claim(&h[2], at, generation);
  fall_asleep(0, 0);
  dies(1);
  assert_false(sleeps(0));
  assert_int_equal(all_done(0), SW_EBROKEN);
  assert_int_equal(sw_group_mend(&h[0], at, generation), SW_OK);
  assert_int_equal(all_done(0), SW_EBUSY);
  vanishes(2);
  fall_asleep(0, 0);
  assert_int_equal(all_done(0), SW_EBROKEN);
}

static void a_claimer_that_dies_may_have_left(void **state) {
  (void)state;
  make(SW_TYPE_WAIT_GROUP, 0, 0, SW_SYNC_LEAVE);
  sw_group_add(&h[0], at, generation, 2);
  sw_group_claim(&h[1], at, generation);
  sw_group_claim(&h[2], at, generation);
  dies(1);
  assert_int_equal(all_done(0), SW_EBUSY);
  vanishes(2);
  fall_asleep(0, 0);
  assert_int_equal(all_done(0), SW_OK);
}

/* ---- once ---- */

static int once(uint32_t i) { return sw_once_begin(&h[i], at, generation); }

static void once_is_done_by_one(void **state) {
  (void)state;
  make(SW_TYPE_ONCE, 0, 0, 0);
  assert_int_equal(sw_once_end(&h[0], at, generation, 1), SW_ESTATE);
  assert_int_equal(once(0), SW_OK);
  assert_int_equal(once(0), SW_ESTATE);
  assert_int_equal(once(1), SW_EBUSY);
  assert_int_equal(sw_once_wait(&h[1], at, generation, 1000), SW_ETIMEDOUT);
  fall_asleep(1, 0);
  assert_int_equal(sw_once_end(&h[0], at, generation, 0), SW_OK); /* it has failed */
  assert_false(sleeps(1));
  assert_int_equal(once(1), SW_OK);
  vanishes(1);
  assert_int_equal(once(2), SW_EOWNERDEAD);
  assert_int_equal(sw_once_end(&h[2], at, generation, 1), SW_OK);
  assert_int_equal(sw_once_wait(&h[0], at, generation, -1), 1);
}

/* ---- spin locks ---- */

static void a_spin_lock_has_one_holder(void **state) {
  (void)state;
  make(SW_TYPE_SPIN_LOCK, 0, 0, 0);
  assert_int_equal(sw_spin_lock(&h[0], at, generation, -1), SW_OK);
  assert_int_equal(sw_spin_try_lock(&h[0], at, generation, 0), SW_ESTATE);
  assert_int_equal(sw_spin_try_lock(&h[1], at, generation, 1), SW_EBUSY);
  assert_int_equal(sw_spin_lock(&h[1], at, generation, 1000), SW_ETIMEDOUT);
  assert_int_equal(sw_spin_unlock(&h[1], at, generation), SW_ESTATE);
  assert_int_equal(sw_spin_unlock(&h[0], at, generation), SW_OK);
  assert_int_equal(sw_spin_try_lock(&h[1], at, generation, 0), SW_OK);
  vanishes(1);
  assert_int_equal(sw_spin_try_lock(&h[2], at, generation, 0), SW_EBUSY);
  assert_int_equal(sw_spin_lock(&h[2], at, generation, -1), SW_EOWNERDEAD);
}

/* It was about to begin its wait when the event was freed: its bit is in the next one there. */
static void a_wait_for_a_freed_one_leaves_nothing_in_the_next(void **state) {
  (void)state;
  make(SW_TYPE_EVENT, 0, 0, SW_SYNC_AUTO);
  uint32_t old = at, old_generation = generation;
  assert_int_equal(sw_sync_free(&h[0], at, type, generation), SW_OK);
  make(SW_TYPE_EVENT, 0, 0, SW_SYNC_AUTO);
  assert_int_equal(at, old);
  sw_sync *event = (sw_sync *)(void *)(s.r.base + at);
  event->head.waits[0] = UINT64_C(1) << h[1].endpoint;
  fall_asleep(2, 0);
  assert_int_equal(sw_sync_begin_wait(&h[1], old, type, old_generation, 0), SW_EFREED);
  assert_int_equal(sw_sync_end_wait(&h[1], old, type, old_generation, 0), SW_EFREED);
  assert_true(event->head.waits[0] == UINT64_C(1) << h[2].endpoint);
  assert_false(sleeps(2)); /* rung, perhaps for nothing */
  /* where there is no object there is no bit to take back */
  uint32_t block = sw_heap_alloc(&h[0], SW_SYNC_BYTES);
  memset(s.r.base + block, 0xff, SW_SYNC_BYTES);
  sw_sync_end_wait(&h[1], block, type, old_generation, 0);
  for (uint32_t i = 0; i < SW_SYNC_BYTES; i++) assert_int_equal(s.r.base[block + i], 0xff);
  wake(2, 0);
}

#define SYNC(name) cmocka_unit_test_setup_teardown(name, begin, end)
TESTS(SYNC(a_wait_for_a_freed_one_leaves_nothing_in_the_next), SYNC(are_made_with_what_they_allow),
      SYNC(an_event_lets_all_go_on), SYNC(an_automatic_event_lets_one_go_on), SYNC(a_semaphore_has_so_many_permits),
      SYNC(permits_of_the_dead_come_back), SYNC(more_permits_are_counted), SYNC(a_notification_is_for_one),
      SYNC(a_notification_is_passed_on), SYNC(a_condition_lets_its_mutex_go), SYNC(readers_share_and_writers_do_not),
      SYNC(a_writer_that_waits_holds_off_readers), SYNC(readers_that_die_are_in_no_writers_way),
      SYNC(a_writer_that_only_waited_breaks_nothing), SYNC(a_writer_that_dies_leaves_it_to_be_mended),
      SYNC(a_writer_that_gives_up_leaves_it_broken), SYNC(a_barrier_is_used_again_and_again),
      SYNC(a_member_that_dies_breaks_the_barrier), SYNC(a_member_that_dies_may_leave_the_party),
      SYNC(a_group_waits_for_all_parts), SYNC(a_claimer_that_dies_breaks_the_group),
      SYNC(a_claimer_that_dies_may_have_left), SYNC(once_is_done_by_one), SYNC(a_spin_lock_has_one_holder));
