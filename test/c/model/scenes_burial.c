/* Burial: a participant is dead, holds a mutex or has waited for one, and is buried by several at
 * once, by one that dies of it, or only by the next owner of its endpoint. The others get the
 * mutex, and are told of the death when the dead one held it.
 *
 * Thread n is process n + 2, endpoint n + 1. Endpoint 0 is that of the dead one, process 1. The
 * mutexes are the two that are in every region with a heap. */
#include "sabway/heap.h"
#include "sabway/mutex.h"
#include "sabway/registry.h"
#include "scenes.h"

static uint8_t *base(void) { return model_region(); }
static sw_mutex *lock(void) { return &((sw_directory *)(void *)(base() + SW_DIRECTORY_AT))->lock; }
static uint32_t role(uint32_t endpoint) { return world.sent[endpoint]; }

static int fall_asleep(uint32_t endpoint) {
  sw_mutex_begin_wait(base(), lock(), endpoint);
  world.received = sw_endpoint_arm(base(), endpoint, SW_SLEEP_FUTEX);
  return sw_mutex_try_lock(base(), lock(), endpoint);
}

/* Only the directory's lock is used, and the heap's is an empty one. */
static void setup(uint32_t endpoints) {
  world_empty();
  world_mark();
  model_check(sw_region_format_empty(base(), MODEL_REGION_PAGES, SW_HEAP_AT) == SW_OK);
  for (uint32_t i = 0; i < endpoints; i++) model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
  for (uint32_t i = 0; i < endpoints; i++) world.sent[i] = sw_endpoint_role(base(), i);
}

static void dies(void) { model_process(1, 10, 1, false); }

/* Endpoint 2 sleeps on what the dead one holds. */
static void setup_holder(void) {
  setup(4);
  model_check(sw_mutex_try_lock(base(), lock(), 0) == SW_OK);
  model_check(fall_asleep(2) == SW_EBUSY);
  dies();
}
/* Endpoint 3 holds it; the dead one, the next to be woken, and endpoint 2 sleep on it. */
static void setup_waiter(void) {
  setup(4);
  model_check(sw_mutex_try_lock(base(), lock(), 3) == SW_OK);
  model_check(fall_asleep(0) == SW_EBUSY);
  model_check(fall_asleep(2) == SW_EBUSY);
  dies();
}
/* The same, and the endpoint of process 2 is not claimed yet: it gets the dead one's. */
static void setup_claim(void) {
  setup_waiter();
  sw_endpoint_release(base(), 1);
  /* of the lowest free places, the dead one's is the first */
}
static void setup_claim_of_holder(void) {
  setup_holder();
  sw_endpoint_release(base(), 1);
}

static void sleep_2(void) {
  uint32_t ticket = world.received;
  do {
    model_wait(sw_endpoint_doorbell(base(), 2), ticket);
    sw_mutex_begin_wait(base(), lock(), 2);
    ticket = sw_endpoint_arm(base(), 2, SW_SLEEP_FUTEX);
    world.status[2] = sw_mutex_try_lock(base(), lock(), 2);
  } while (world.status[2] == SW_EBUSY);
}

static void bury(void) {
  sw_region_evict_role(base(), REGION_BYTES, role(0));
  model_mark(sw_endpoint_release_role(base(), role(0)) == 1 ? FIRST : SECOND);
}

static void unlock_3(void) { model_check(sw_mutex_unlock(base(), lock(), 3) == SW_OK); }

static void claim_anew(void) {
  model_check(sw_endpoint_claim(base(), 2, 20, 2) == 0);
  sw_region_evict(base(), REGION_BYTES, 0);
  model_mark(BOTH);
}

/* Whatever the claim has become: its owner is dead, too. */
static void bury_claim(void) {
  model_assume(!sw_endpoint_role_alive(base(), role(0) + (1u << 8)));
  sw_region_evict_role(base(), REGION_BYTES, role(0));
  sw_region_evict_role(base(), REGION_BYTES, role(0) + (1u << 8));
}

static void told(void) {
  model_check(world.status[2] == SW_EOWNERDEAD);
  model_check(sw_mutex_holder(lock()) == role(2));
}
static void locked(void) {
  model_check(world.status[2] == SW_OK);
  model_check(sw_mutex_holder(lock()) == role(2));
}
/* No bit of the dead one is there when the next owner has come to wait for nothing. */
static void locked_without_bit(void) {
  locked();
  model_check((lock()->waiters & 1) == 0);
}
static void told_without_bit(void) {
  told();
  model_check((lock()->waiters & 1) == 0);
}

const model_scenario scenes_burial[] = {{.name = "burial: of a holder, by two at once",
                                         .setup = setup_holder,
                                         .threads = {bury, bury, sleep_2},
                                         .finish = told,
                                         .large = true,
                                         .marks = FIRST | SECOND},
                                        {.name = "burial: of a holder, by two, and one dies anywhere",
                                         .setup = setup_holder,
                                         .threads = {bury, bury, sleep_2},
                                         .finish = told,
                                         .mortal = 2,
                                         .large = true,
                                         .huge = true,
                                         .marks = FIRST | SECOND},
                                        {.name = "burial: of a waiter, while the mutex is unlocked",
                                         .setup = setup_waiter,
                                         .threads = {bury, unlock_3, sleep_2},
                                         .finish = locked},
                                        {.name = "burial: a dead holder's endpoint is claimed anew",
                                         .setup = setup_claim_of_holder,
                                         .threads = {claim_anew, sleep_2},
                                         .finish = told_without_bit},
                                        {.name = "burial: a dead waiter's endpoint is claimed anew",
                                         .setup = setup_claim,
                                         .threads = {claim_anew, unlock_3, sleep_2},
                                         .finish = locked_without_bit,
                                         .sc = true,
                                         .marks = BOTH},
                                        {.name = "burial: a dead waiter's endpoint is claimed anew, and buried late",
                                         .setup = setup_claim,
                                         .threads = {claim_anew, unlock_3, sleep_2, bury},
                                         .finish = locked_without_bit,
                                         .large = true,
                                         .huge = true,
                                         .marks = BOTH | SECOND},
                                        {.name = "burial: the next owner of a dead waiter's endpoint dies anywhere",
                                         .setup = setup_claim,
                                         .threads = {claim_anew, unlock_3, sleep_2, bury_claim},
                                         .finish = locked,
                                         .mortal = 2,
                                         .large = true,
                                         .huge = true},
                                        {.name = NULL}};
