/* The robust mutex: one holder at a time sees what the last one wrote, a waiter is woken, and the
 * death of any of them leaves the others a mutex. */
#include "sabway/mutex.h"
#include "scenes.h"

enum { HANDED = 512 };

static uint8_t *base(void) { return model_region(); }
static sw_mutex *mutex(void) { return (sw_mutex *)(void *)(base() + SW_INSTANCES_AT); }
/* Whether an unlock looks for waiters decides nothing. */
static uint64_t state(void) { return mutex()->state & ~((uint64_t)SW_MUTEX_WAITED << 32); }
/* What the mutex protects. */
static uint32_t *counter(void) { return (uint32_t *)(void *)(base() + SW_INSTANCES_AT + SW_LINE); }

/* Endpoint i is that of process i + 1. */
static void setup(void) {
  world_format();
  world_mark();
  for (uint32_t i = 0; i < 3; i++) model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
  for (uint32_t i = 0; i < 3; i++) world.sent[i] = sw_endpoint_role(base(), i);
}

static uint32_t role(uint32_t endpoint) { return world.sent[endpoint]; }

/* As a host waits; `ask` for a hand-off at once. */
static int wait_and_lock(uint32_t endpoint, bool ask) {
  int status = sw_mutex_try_lock(base(), mutex(), endpoint);
  if (status != SW_EBUSY) return status;
  for (;;) {
    if (ask) sw_mutex_request_handoff(base(), mutex(), endpoint);
    sw_mutex_begin_wait(base(), mutex(), endpoint);
    uint32_t ticket = sw_endpoint_arm(base(), endpoint, SW_SLEEP_FUTEX);
    status = sw_mutex_try_lock(base(), mutex(), endpoint);
    if (status != SW_EBUSY) break;
    model_mark(SLEPT);
    model_wait(sw_endpoint_doorbell(base(), endpoint), ticket);
    sw_endpoint_disarm(base(), endpoint);
  }
  sw_endpoint_disarm(base(), endpoint);
  sw_mutex_end_wait(base(), mutex(), endpoint);
  return status;
}

static void count(void) { model_data_write(counter(), model_data_read(counter()) + 1); }

static void count_and_unlock(uint32_t endpoint) {
  count();
  model_check(sw_mutex_unlock(base(), mutex(), endpoint) == SW_OK);
}

static void lock_and_count(uint32_t endpoint, bool ask) {
  world.status[endpoint] = wait_and_lock(endpoint, ask);
  model_check(world.status[endpoint] == SW_OK);
  count_and_unlock(endpoint);
}
static void count_0(void) { lock_and_count(0, false); }
static void count_1(void) { lock_and_count(1, false); }
static void count_2(void) { lock_and_count(2, false); }
static void ask_and_count_1(void) { lock_and_count(1, true); }

static void is_free(void) {
  model_check(sw_mutex_check(mutex()) == SW_OK);
  model_check(state() == 0);
  model_check(mutex()->waiters == 0);
}
static void counted_2(void) {
  is_free();
  model_check(*counter() == 2);
}
static void counted_3(void) {
  is_free();
  model_check(*counter() == 3);
}

/* Endpoint 0 holds it. */
static void setup_held(void) {
  setup();
  model_check(sw_mutex_try_lock(base(), mutex(), 0) == SW_OK);
}
static void unlock_0(void) { count_and_unlock(0); }

/* ---- a waiter that leaves ---- */

/* An endpoint sleeps until it has it, and keeps it: a scenario with less to walk. */
static int fall_asleep(uint32_t endpoint) {
  sw_mutex_begin_wait(base(), mutex(), endpoint);
  world.received = sw_endpoint_arm(base(), endpoint, SW_SLEEP_FUTEX);
  return sw_mutex_try_lock(base(), mutex(), endpoint);
}
static void sleep_on(uint32_t endpoint) {
  uint32_t ticket = world.received;
  do {
    model_wait(sw_endpoint_doorbell(base(), endpoint), ticket);
    sw_mutex_begin_wait(base(), mutex(), endpoint);
    ticket = sw_endpoint_arm(base(), endpoint, SW_SLEEP_FUTEX);
  } while (sw_mutex_try_lock(base(), mutex(), endpoint) == SW_EBUSY);
  count();
}
static void setup_asleep(void) {
  setup_held();
  model_check(fall_asleep(2) == SW_EBUSY);
}
static void sleep_1(void) { sleep_on(1); }
static void sleep_2(void) { sleep_on(2); }
/* The same, from the start. */
static void lock_and_keep_2(void) {
  if (fall_asleep(2) == SW_EBUSY) sleep_on(2);
  else count();
}
static void sleep_and_unlock_2(void) {
  sleep_on(2);
  model_check(sw_mutex_unlock(base(), mutex(), 2) == SW_OK);
}
static void counted_and_free(void) {
  model_check(sw_mutex_check(mutex()) == SW_OK);
  model_check(state() == 0);
  model_check(*counter() == 3);
}
/* A first sleep, which ends. */
static void sleep_once(uint32_t endpoint) {
  if (fall_asleep(endpoint) != SW_EBUSY) return;
  model_mark(SLEPT);
  model_wait(sw_endpoint_doorbell(base(), endpoint), world.received);
}
static void sleep_once_2(void) { sleep_once(2); }
/* Endpoint 1 is about to end its wait. */
static void setup_waiting(void) {
  setup_held();
  model_check(fall_asleep(1) == SW_EBUSY);
}
static void end_wait_1(void) { sw_mutex_end_wait(base(), mutex(), 1); }
static void locked_2(void) {
  model_check(sw_mutex_check(mutex()) == SW_OK);
  model_check(state() == role(2));
  model_check(mutex()->waiters == UINT64_C(1) << 2);
}

/* Time is up before it sleeps: a wake for it may be on its way. */
static void wait_shortly(uint32_t endpoint, bool ask) {
  if (ask) sw_mutex_request_handoff(base(), mutex(), endpoint);
  sw_mutex_begin_wait(base(), mutex(), endpoint);
  sw_endpoint_arm(base(), endpoint, SW_SLEEP_FUTEX);
  int status = sw_mutex_try_lock(base(), mutex(), endpoint);
  sw_endpoint_disarm(base(), endpoint);
  sw_mutex_end_wait(base(), mutex(), endpoint);
  model_check(status == SW_OK || status == SW_EBUSY);
  model_mark(status == SW_OK ? SECOND : REFUSED);
  if (status == SW_OK) count_and_unlock(endpoint);
}
static void wait_shortly_1(void) { wait_shortly(1, false); }
static void ask_shortly_1(void) { wait_shortly(1, true); }

/* ---- hand-off ---- */

/* Another has waited and left: an unlock looks for waiters before one has told it to. */
static void leave_waited(void) {
  model_check(fall_asleep(2) == SW_EBUSY);
  sw_endpoint_disarm(base(), 2);
  sw_mutex_end_wait(base(), mutex(), 2);
}
/* Endpoint 1 has asked for it. */
static void setup_asked(void) {
  setup_held();
  leave_waited();
  sw_mutex_request_handoff(base(), mutex(), 1);
  model_check(sw_mutex_holder(mutex()) == role(0) && state() >> 32 == role(1));
}
/* It gets it, so the one that only tries does not. */
static void unlock_and_try_0(void) {
  unlock_0();
  if (sw_mutex_try_lock(base(), mutex(), 0) != SW_OK) {
    model_mark(HANDED);
    return;
  }
  model_check(world.status[1] == SW_OK);
  count_and_unlock(0);
}
static void wait_1(void) {
  world.status[1] = SW_EBUSY;
  lock_and_count(1, false);
}
static void handed_over(void) {
  is_free();
  model_check(*counter() >= 2);
}

/* ---- death ---- */

/* Process 3 finds that process 1 has died. Before it knows, the run is of no interest. */
static void evict_0(void) {
  model_assume(!sw_endpoint_role_alive(base(), role(0)));
  sw_mutex_evict(base(), mutex(), role(0));
}
static void lock_and_mend(uint32_t endpoint) {
  int status = wait_and_lock(endpoint, false);
  model_check(status == SW_OK || status == SW_EOWNERDEAD);
  model_mark(status == SW_OK ? FIRST : SECOND);
  if (status == SW_EOWNERDEAD) model_check(sw_mutex_consistent(base(), mutex(), endpoint) == SW_OK);
  count_and_unlock(endpoint);
}
static void mend_1(void) { lock_and_mend(1); }
static void mend_2(void) { lock_and_mend(2); }

/* The dead one is a holder only where it may have been one. */
static void lock_and_die(void) { lock_and_count(0, false); }
static void unlock_and_die(void) { unlock_0(); }
static void wait_and_die(void) {
  lock_and_count(0, true);
  world.status[0] = SW_OK;
}

static void setup_held_by_1(void) {
  setup();
  model_check(sw_mutex_try_lock(base(), mutex(), 1) == SW_OK);
}
static void unlock_1(void) { count_and_unlock(1); }
/* And endpoint 0 sleeps, and has asked for it. It never had it, so the next one is not told of a
 * dead owner. */
static void setup_asked_by_0(void) {
  setup_held_by_1();
  sw_mutex_request_handoff(base(), mutex(), 0);
  model_check(fall_asleep(0) == SW_EBUSY);
  model_check(fall_asleep(2) == SW_EBUSY);
}
static void die(void) { model_die(1); }
/* Endpoint 2 holds it. Endpoints 0 and 1 sleep, and 0 is the first to be woken. */
static void setup_two_asleep(void) {
  setup();
  model_check(sw_mutex_try_lock(base(), mutex(), 2) == SW_OK);
  model_check(fall_asleep(0) == SW_EBUSY);
  model_check(fall_asleep(1) == SW_EBUSY);
}
static void unlock_2(void) { count_and_unlock(2); }
static void locked_1(void) {
  model_check(state() == role(1));
  model_check(*counter() == 2);
}
static void clean_2(void) {
  model_check(state() == role(2)); /* not inherited */
  model_check(*counter() == 2);
}
static void nothing_broken(void) { model_check(sw_mutex_check(mutex()) == SW_OK); }
static void left_free(void) {
  nothing_broken();
  model_check(state() == 0 || state() == SW_MUTEX_INHERITED);
}

/* Process 1 is dead, and held it; process 2 finds it, and dies of it; process 3 is the next, and
 * finds both. */
static void setup_dead(void) {
  setup_held();
  model_process(1, 10, 1, false);
}
static void evict_and_die(void) { sw_mutex_evict(base(), mutex(), role(0)); }
static void evict_both(void) {
  model_assume(!sw_endpoint_role_alive(base(), role(1)));
  sw_mutex_evict(base(), mutex(), role(0));
  sw_mutex_evict(base(), mutex(), role(1));
}

/* Two take it from a dead holder, and the first that gets it mends. */
static void steal(uint32_t endpoint) {
  int status = sw_mutex_try_lock(base(), mutex(), endpoint);
  world.status[endpoint] = status;
  if (status == SW_EBUSY) return;
  model_mark(status == SW_OK ? HANDED : endpoint == 1 ? FIRST : SECOND);
  if (status == SW_EOWNERDEAD) model_check(sw_mutex_consistent(base(), mutex(), endpoint) == SW_OK);
  count_and_unlock(endpoint);
}
static void steal_1(void) { steal(1); }
static void steal_2(void) { steal(2); }
static void one_inherits(void) {
  model_check((world.status[1] == SW_EOWNERDEAD) != (world.status[2] == SW_EOWNERDEAD));
  bool both = world.status[1] != SW_EBUSY && world.status[2] != SW_EBUSY;
  model_check(*counter() == (both ? 2u : 1u));
  is_free();
}

/* ---- poison ---- */

/* Endpoint 0 has it from process 4, which is dead. */
static void setup_inherited(void) {
  setup();
  model_check(sw_endpoint_claim(base(), 4, 40, 4) == 3);
  model_check(sw_mutex_try_lock(base(), mutex(), 3) == SW_OK);
  model_process(4, 40, 4, false);
  model_check(sw_mutex_try_lock(base(), mutex(), 0) == SW_EOWNERDEAD);
  leave_waited();
}
static void poison(void) { model_check(sw_mutex_unlock(base(), mutex(), 0) == SW_EPOISONED); }
static void wait_for_poison(uint32_t endpoint) { model_check(wait_and_lock(endpoint, false) == SW_EPOISONED); }
static void setup_inherited_and_asleep(void) {
  setup_inherited();
  for (uint32_t i = 1; i < 3; i++) model_check(fall_asleep(i) == SW_EBUSY);
}
static void sleep_until_poison(uint32_t endpoint) {
  model_wait(sw_endpoint_doorbell(base(), endpoint), world.received);
  sw_endpoint_arm(base(), endpoint, SW_SLEEP_FUTEX);
  model_check(sw_mutex_try_lock(base(), mutex(), endpoint) == SW_EPOISONED);
}
static void sleep_until_poison_1(void) { sleep_until_poison(1); }
static void sleep_until_poison_2(void) { sleep_until_poison(2); }
static void wait_for_poison_1(void) { wait_for_poison(1); }
static void poisoned(void) { model_check(sw_mutex_try_lock(base(), mutex(), 0) == SW_EPOISONED); }
/* Mended while another asks for a hand-off. */
static void mend_and_unlock_0(void) {
  model_check(sw_mutex_consistent(base(), mutex(), 0) == SW_OK);
  unlock_0();
}

/* ---- a bit that is not its owner's ---- */

/* Endpoint 1 is a dead one's, with its bit set, and is claimed anew by a thread that waits, too. */
static void setup_stale(void) {
  setup_held();
  model_check(fall_asleep(1) == SW_EBUSY);
  model_process(2, 20, 2, false);
}
static void counted_2_at_last(void) {
  model_check(state() == 0);
  model_check(*counter() == 2);
}
static void claim_and_count(void) {
  model_check(sw_endpoint_claim(base(), 3, 30, 3) == 1);
  sw_mutex_evict_endpoint(base(), mutex(), 1);
  lock_and_count(1, false);
}
/* The waker looks at the bit while it changes hands, and another has the mutex meanwhile. Of the
 * claim only the last step is left. */
static uint32_t *claim_word(void) { return &((sw_endpoint *)(void *)(base() + SW_HEADER_BYTES))[1].pid; }
static void setup_stale_and_free(void) {
  setup();
  sw_mutex_begin_wait(base(), mutex(), 1);
  *claim_word() |= 0x80000000;
}
static void end_wait_0(void) { sw_mutex_end_wait(base(), mutex(), 0); }
static void claim_and_sleep(void) {
  sw_store_release(claim_word(), 2);
  sleep_once(1);
}
/* A gravedigger that comes late: the endpoint changes hands while it clears the bit. */
static uint32_t *epoch(void) { return &((sw_endpoint *)(void *)(base() + SW_HEADER_BYTES))[1].epoch; }
static void setup_late(void) {
  setup();
  sw_mutex_begin_wait(base(), mutex(), 1);
}
static void setup_late_and_held(void) {
  setup_late();
  model_check(sw_mutex_try_lock(base(), mutex(), 2) == SW_OK);
}
static void evict_1(void) { sw_mutex_evict(base(), mutex(), role(1)); }
static void claim_anew_and_sleep(void) {
  sw_fetch_add_acq_rel(epoch(), 1);
  sleep_once(1);
}
static void claim_anew_and_unlock(void) {
  sw_fetch_add_acq_rel(epoch(), 1);
  if (sw_mutex_try_lock(base(), mutex(), 1) == SW_OK) count_and_unlock(1);
}
static void try_and_unlock_2(void) {
  if (sw_mutex_try_lock(base(), mutex(), 2) == SW_OK) count_and_unlock(2);
}

const model_scenario scenes_mutex[] = {{.name = "mutex: 2 threads",
                                        .setup = setup,
                                        .threads = {count_0, count_1},
                                        .finish = counted_2,
                                        .sc = true,
                                        .marks = SLEPT},
                                       {.name = "mutex: 3 threads",
                                        .setup = setup,
                                        .threads = {count_0, count_1, count_2},
                                        .finish = counted_3,
                                        .marks = SLEPT,
                                        .huge = true,
                                        .large = true,
                                        .budget = 100000000},
                                       {.name = "mutex: 3 threads, one asleep",
                                        .setup = setup_asleep,
                                        .threads = {unlock_0, count_1, sleep_and_unlock_2},
                                        .finish = counted_and_free,
                                        .sc = true,
                                        .marks = SLEPT,
                                        .huge = true,
                                        .large = true},
                                       {.name = "mutex: a waiter leaves",
                                        .setup = setup_asleep,
                                        .threads = {unlock_0, wait_shortly_1, sleep_2},
                                        .finish = locked_2,
                                        .sc = true,
                                        .marks = SECOND | REFUSED},
                                       {.name = "mutex: hand-off",
                                        .setup = setup_asked,
                                        .threads = {unlock_and_try_0, wait_1},
                                        .finish = handed_over,
                                        .sc = true,
                                        .marks = SLEPT | HANDED},
                                       {.name = "mutex: hand-off is asked for",
                                        .setup = setup_held,
                                        .threads = {unlock_0, ask_and_count_1},
                                        .finish = counted_2,
                                        .marks = SLEPT},
                                       {.name = "mutex: hand-off to one that leaves",
                                        .setup = setup_asleep,
                                        .threads = {unlock_0, ask_shortly_1, sleep_2},
                                        .finish = locked_2,
                                        .marks = SECOND | REFUSED},
                                       {.name = "mutex: dies",
                                        .setup = setup,
                                        .threads = {lock_and_die, mend_1, evict_0},
                                        .finish = left_free,
                                        .mortal = 1,
                                        .marks = SLEPT | FIRST | SECOND},
                                       {.name = "mutex: holder dies",
                                        .setup = setup_held,
                                        .threads = {unlock_and_die, mend_1, evict_0},
                                        .finish = left_free,
                                        .mortal = 1,
                                        .marks = SLEPT | FIRST | SECOND},
                                       {.name = "mutex: waiter dies",
                                        .setup = setup_held_by_1,
                                        .threads = {wait_and_die, unlock_1, evict_0},
                                        .finish = nothing_broken,
                                        .mortal = 1,
                                        .marks = SLEPT},
                                       {.name = "mutex: waiter with a request dies",
                                        .setup = setup_asked_by_0,
                                        .threads = {die, unlock_1, sleep_2, evict_0},
                                        .finish = clean_2},
                                       {.name = "mutex: gravedigger dies",
                                        .setup = setup_dead,
                                        .threads = {evict_and_die, mend_2, evict_both},
                                        .finish = left_free,
                                        .mortal = 2,
                                        .marks = SECOND},
                                       {.name = "mutex: two inherit",
                                        .setup = setup_dead,
                                        .threads = {steal_1, steal_2},
                                        .finish = one_inherits,
                                        .marks = FIRST | SECOND},
                                       {.name = "mutex: poison",
                                        .setup = setup_inherited_and_asleep,
                                        .threads = {poison, sleep_until_poison_1, sleep_until_poison_2},
                                        .finish = poisoned},
                                       {.name = "mutex: poison, one waiter",
                                        .setup = setup_inherited,
                                        .threads = {poison, wait_for_poison_1},
                                        .finish = poisoned,
                                        .marks = SLEPT},
                                       {.name = "mutex: mended",
                                        .setup = setup_inherited,
                                        .threads = {mend_and_unlock_0, ask_and_count_1},
                                        .finish = counted_2,
                                        .marks = SLEPT},
                                       {.name = "mutex: a stale bit is claimed anew",
                                        .setup = setup_stale,
                                        .threads = {unlock_0, claim_and_count},
                                        .finish = counted_2_at_last,
                                        .marks = SLEPT},
                                       {.name = "mutex: one leaves, one begins to wait",
                                        .setup = setup_waiting,
                                        .threads = {unlock_0, end_wait_1, lock_and_keep_2},
                                        .finish = locked_2,
                                        .sc = true},
                                       {.name = "mutex: a woken waiter dies",
                                        .setup = setup_two_asleep,
                                        .threads = {die, sleep_1, unlock_2, evict_0},
                                        .finish = locked_1,
                                        .sc = true},
                                       {.name = "mutex: a stale bit changes hands",
                                        .setup = setup_stale_and_free,
                                        .threads = {end_wait_0, claim_and_sleep, try_and_unlock_2},
                                        .marks = SLEPT},
                                       {.name = "mutex: a late gravedigger",
                                        .setup = setup_late_and_held,
                                        .threads = {evict_1, claim_anew_and_sleep, unlock_2},
                                        .marks = SLEPT},
                                       {.name = "mutex: a late gravedigger, and another waiter",
                                        .setup = setup_late,
                                        .threads = {evict_1, claim_anew_and_unlock, sleep_once_2}},
                                       {.name = NULL}};
