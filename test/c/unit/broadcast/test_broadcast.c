/* Broadcasts: each policy against what must be received, subscribers that come, go and die, what
 * the next holder of the lock finds out anew, and threads. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "../heap/heap_helper.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/peer.h"
#include "sabway/broadcast.h"
#include "sabway/mutex.h"

enum { HANDLES = 4, ROOM = 4096 };

typedef struct scene {
  region r;
  sw_heap h[HANDLES];
  uint32_t at, generation;
} scene;

static void open_scene(scene *c, uint32_t capacity, uint32_t policy) {
  c->r = heap_region(MIDDLE_REGION);
  for (int i = 0; i < HANDLES; i++) heap_open(&c->h[i], &c->r);
  c->at = sw_broadcast_new(&c->h[0], capacity, policy, 0);
  assert_int_not_equal(c->at, 0);
  assert_int_equal(sw_object_type(&c->h[0], c->at, &c->generation), SW_TYPE_BROADCAST);
}

static void close_scene(scene *c) {
  assert_int_equal(sw_broadcast_check(&c->h[0], c->at, c->generation), SW_OK);
  heap_region_free(&c->r);
}

static sw_broadcast *broadcast_of(const scene *c) { return (sw_broadcast *)(void *)(c->r.base + c->at); }

static int send(scene *c, int i, const void *from, uint32_t length) {
  return sw_broadcast_try_send(&c->h[i], c->at, c->generation, length % 255, from, length);
}
static int send_number(scene *c, int i, uint32_t number) { return send(c, i, &number, 4); }
static int subscribe(scene *c, int i) { return sw_broadcast_subscribe(&c->h[i], c->at, c->generation, 0); }
static int subscribe_oldest(scene *c, int i) { return sw_broadcast_subscribe(&c->h[i], c->at, c->generation, 1); }
static int unsubscribe(scene *c, int i) { return sw_broadcast_unsubscribe(&c->h[i], c->at, c->generation); }
static int subscribers(scene *c) { return sw_broadcast_subscribers(&c->h[0], c->at, c->generation); }

static int receive(scene *c, int i, void *to, uint32_t room, sw_broadcast_message *message) {
  return sw_broadcast_try_receive(&c->h[i], c->at, c->generation, to, room, message);
}

/* The next number, and how many were missed until then: 0 when there is none. */
static uint32_t next_number(scene *c, int i, uint64_t *missed) {
  uint32_t number = 0;
  sw_broadcast_message message;
  int status = receive(c, i, &number, 4, &message);
  assert_true(status == 0 || (status == 1 && message.length == 4 && message.type == 4));
  if (status == 1) *missed = message.missed;
  return status == 1 ? number : 0;
}
static void expect(scene *c, int i, uint32_t number, uint64_t missed) {
  uint64_t found = 0;
  assert_int_equal(next_number(c, i, &found), number);
  if (number != 0) assert_int_equal(found, missed);
}

static uint32_t next(uint32_t *seed) {
  *seed = *seed * 1664525 + 1013904223;
  return *seed >> 8;
}

/* ---- one thread ---- */

static void every_subscriber_receives_each_message(void **state) {
  (void)state;
  for (uint32_t policy = SW_BROADCAST_BLOCK; policy <= SW_BROADCAST_DROP_OLDEST; policy++) {
    scene c;
    open_scene(&c, 500, policy);
    assert_int_equal(sw_broadcast_longest(&c.h[0], c.at), 512 / 2 - 16);
    uint8_t sent[256], found[256 + 1];
    sw_broadcast_message message;
    for (int i = 1; i < HANDLES; i++) assert_int_equal(subscribe(&c, i), SW_OK);
    assert_int_equal(subscribers(&c), 3);
    for (uint32_t turn = 0; turn < 2000; turn++) {
      uint32_t length = turn * 7 % 241;
      for (uint32_t i = 0; i < length; i++) sent[i] = (uint8_t)(turn + i * 3);
      assert_int_equal(send(&c, (int)(turn % 2), sent, length), SW_OK);
      for (int i = 1; i < HANDLES; i++) {
        found[length] = 0xee;
        assert_int_equal(receive(&c, i, found, 256, &message), 1);
        assert_int_equal(message.length, length);
        assert_int_equal(message.type, length % 255);
        assert_int_equal(message.missed, 0);
        assert_memory_equal(found, sent, length);
        assert_int_equal(found[length], 0xee);
        assert_int_equal(receive(&c, i, found, 256, &message), 0);
      }
      if (turn % 100 == 0) assert_int_equal(sw_broadcast_check(&c.h[0], c.at, c.generation), SW_OK);
    }
    close_scene(&c);
  }
}

static void what_has_no_room_is_refused_while_a_subscriber_is_behind(void **state) {
  (void)state;
  scene c;
  open_scene(&c, 64, SW_BROADCAST_BLOCK);
  /* without a subscriber no message waits */
  for (uint32_t i = 1; i < 20; i++) assert_int_equal(send_number(&c, 0, i), SW_OK);
  assert_int_equal(subscribe(&c, 1), SW_OK);
  assert_int_equal(subscribe(&c, 2), SW_OK);
  uint32_t sent = 0, first = 0;
  while (send_number(&c, 0, 100 + sent) == SW_OK) sent++;
  assert_in_range(sent, 1, 2);
  assert_int_equal(send_number(&c, 0, 1), SW_EFULL);
  expect(&c, 1, 100, 0);
  assert_int_equal(send_number(&c, 0, 1), SW_EFULL); /* the other has not received it */
  expect(&c, 2, 100, 0);
  for (first = 101; first < 100 + sent; first++) {
    expect(&c, 1, first, 0);
    expect(&c, 2, first, 0);
  }
  assert_int_equal(send_number(&c, 0, 7), SW_OK);
  expect(&c, 1, 7, 0);
  /* one that leaves is waited for no more */
  while (send_number(&c, 0, 8) == SW_OK) expect(&c, 1, 8, 0);
  assert_int_equal(unsubscribe(&c, 2), SW_OK);
  assert_int_equal(unsubscribe(&c, 2), SW_ENOTSUBSCRIBED);
  assert_int_equal(send_number(&c, 0, 9), SW_OK);
  expect(&c, 1, 9, 0);
  close_scene(&c);
}

static void the_oldest_are_dropped_and_counted(void **state) {
  (void)state;
  scene c;
  open_scene(&c, 256, SW_BROADCAST_DROP_OLDEST);
  assert_int_equal(subscribe(&c, 1), SW_OK);
  for (uint32_t i = 1; i <= 100; i++) assert_int_equal(send_number(&c, 0, i), SW_OK);
  uint64_t missed = 0;
  uint32_t number = next_number(&c, 1, &missed);
  assert_in_range(number, 80, 100);
  assert_int_equal(missed, number - 1);
  for (uint32_t i = number + 1; i <= 100; i++) expect(&c, 1, i, missed);
  expect(&c, 1, 0, 0);
  close_scene(&c);
}

static void the_newest_is_received_and_the_others_are_counted(void **state) {
  (void)state;
  scene c;
  open_scene(&c, 256, SW_BROADCAST_LATEST_ONLY);
  assert_int_equal(subscribe(&c, 1), SW_OK);
  expect(&c, 1, 0, 0);
  for (uint32_t i = 1; i <= 5; i++) assert_int_equal(send_number(&c, 0, i), SW_OK);
  expect(&c, 1, 5, 4);
  expect(&c, 1, 0, 0);
  for (uint32_t i = 6; i <= 100; i++) assert_int_equal(send_number(&c, 0, i), SW_OK);
  expect(&c, 1, 100, 98);
  /* also where a publisher has died before it told where the newest is */
  broadcast_of(&c)->latest = 0;
  for (uint32_t i = 101; i <= 103; i++) assert_int_equal(send_number(&c, 0, i), SW_OK);
  broadcast_of(&c)->latest = broadcast_of(&c)->tail;
  expect(&c, 1, 103, 100);
  sw_broadcast_message message;
  assert_int_equal(send_number(&c, 0, 104), SW_OK);
  uint8_t small;
  assert_int_equal(receive(&c, 1, &small, 1, &message), SW_ERANGE);
  assert_int_equal(message.length, 4);
  expect(&c, 1, 104, 100);
  close_scene(&c);
}

static void one_that_joins_late_begins_with_the_next_or_the_oldest(void **state) {
  (void)state;
  scene c;
  open_scene(&c, 256, SW_BROADCAST_BLOCK);
  for (uint32_t i = 1; i <= 50; i++) assert_int_equal(send_number(&c, 0, i), SW_OK);
  assert_int_equal(subscribe(&c, 1), SW_OK);
  assert_int_equal(subscribe_oldest(&c, 2), SW_OK);
  assert_int_equal(subscribe(&c, 2), SW_OK); /* it subscribes already */
  assert_int_equal(send_number(&c, 0, 51), SW_EFULL);
  uint64_t missed = 7;
  uint32_t number = next_number(&c, 2, &missed);
  assert_in_range(number, 30, 50);
  assert_int_equal(missed, 0);
  assert_int_equal(send_number(&c, 0, 51), SW_OK);
  for (uint32_t i = number + 1; i <= 51; i++) expect(&c, 2, i, 0);
  expect(&c, 1, 51, 0);
  /* of an empty ring the oldest is the next */
  uint32_t at = sw_broadcast_new(&c.h[0], 256, SW_BROADCAST_BLOCK, 0), other = c.at, generation = c.generation;
  assert_int_equal(sw_object_type(&c.h[0], at, &c.generation), SW_TYPE_BROADCAST);
  c.at = at;
  assert_int_equal(subscribe_oldest(&c, 3), SW_OK);
  assert_int_equal(send_number(&c, 0, 1), SW_OK);
  expect(&c, 3, 1, 0);
  c.at = other, c.generation = generation;
  close_scene(&c);
}

static void a_closed_one_is_received_to_its_end(void **state) {
  (void)state;
  scene c;
  open_scene(&c, 256, SW_BROADCAST_BLOCK);
  assert_int_equal(subscribe(&c, 1), SW_OK);
  assert_int_equal(send_number(&c, 0, 1), SW_OK);
  assert_int_equal(sw_broadcast_is_closed(&c.h[1], c.at, c.generation), 0);
  assert_int_equal(sw_broadcast_close(&c.h[0], c.at, c.generation), SW_OK);
  assert_int_equal(sw_broadcast_close(&c.h[1], c.at, c.generation), SW_ECLOSED);
  assert_int_equal(sw_broadcast_is_closed(&c.h[1], c.at, c.generation), 1);
  assert_int_equal(send_number(&c, 0, 2), SW_ECLOSED);
  expect(&c, 1, 1, 0);
  sw_broadcast_message message;
  uint32_t number;
  assert_int_equal(receive(&c, 1, &number, 4, &message), SW_ECLOSED);
  assert_int_equal(subscribe_oldest(&c, 2), SW_OK);
  expect(&c, 2, 1, 0);
  assert_int_equal(receive(&c, 2, &number, 4, &message), SW_ECLOSED);
  close_scene(&c);
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  scene c;
  open_scene(&c, 64, SW_BROADCAST_BLOCK);
  uint8_t bytes[64] = {0};
  sw_broadcast_message message;
  assert_int_equal(send(&c, 0, bytes, 17), SW_ETOOBIG);
  assert_int_equal(send(&c, 0, bytes, 16), SW_OK);
  assert_int_equal(sw_broadcast_try_send(&c.h[0], c.at, c.generation, 255, bytes, 1), SW_EINVAL);
  assert_int_equal(receive(&c, 0, bytes, 64, &message), SW_ENOTSUBSCRIBED);
  assert_int_equal(sw_broadcast_is_subscribed(&c.h[0], c.at, c.generation), 0);
  assert_int_equal(sw_broadcast_new(&c.h[0], 64, 3, 0), 0);
  assert_int_equal(c.h[0].status, SW_EINVAL);
  assert_int_equal(sw_broadcast_new(&c.h[0], SW_BROADCAST_MAX + 1u, 0, 0), 0);
  assert_int_equal(c.h[0].status, SW_ERANGE);
  assert_int_equal(sw_broadcast_new(&c.h[0], SW_BROADCAST_MAX, 0, 0), 0);
  assert_int_equal(c.h[0].status, SW_EHEAPFULL);
  close_scene(&c);
}

static void a_freed_one_is_refused_and_its_block_serves_the_next(void **state) {
  (void)state;
  scene c;
  open_scene(&c, 256, SW_BROADCAST_BLOCK);
  uint64_t before = heap_stats(&c.h[0]).blocks;
  assert_int_equal(subscribe(&c, 1), SW_OK);
  uint32_t old = c.generation, number;
  sw_broadcast_message message;
  assert_int_equal(sw_broadcast_free(&c.h[0], c.at, old), SW_OK);
  assert_int_equal(heap_stats(&c.h[0]).blocks, before - 1); /* the ring */
  assert_int_equal(send_number(&c, 0, 1), SW_EFREED);
  assert_int_equal(receive(&c, 1, &number, 4, &message), SW_EFREED);
  assert_int_equal(subscribe(&c, 1), SW_EFREED);
  assert_int_equal(unsubscribe(&c, 1), SW_EFREED);
  assert_int_equal(subscribers(&c), SW_EFREED);
  assert_int_equal(sw_broadcast_free(&c.h[0], c.at, old), SW_EFREED);
  assert_int_equal(sw_broadcast_close(&c.h[0], c.at, old), SW_EFREED);
  assert_int_equal(sw_broadcast_begin_wait(&c.h[0], c.at, old, 0), SW_EFREED);
  uint32_t at = sw_broadcast_new(&c.h[0], 256, SW_BROADCAST_BLOCK, 0);
  assert_int_equal(at, c.at);
  assert_int_equal(sw_object_type(&c.h[0], at, &c.generation), SW_TYPE_BROADCAST);
  assert_int_equal(receive(&c, 1, &number, 4, &message), SW_ENOTSUBSCRIBED);
  assert_int_equal(send_number(&c, 0, 1), SW_OK);
  close_scene(&c);
}

/* ---- deaths ---- */

static void a_dead_subscriber_is_in_no_way(void **state) {
  (void)state;
  scene c;
  open_scene(&c, 64, SW_BROADCAST_BLOCK);
  assert_int_equal(subscribe(&c, 1), SW_OK);
  pid_t child = fork();
  if (child == 0) {
    sw_heap h;
    heap_open(&h, &c.r);
    _exit(sw_broadcast_subscribe(&h, c.at, c.generation, 0) != SW_OK);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(subscribers(&c), 1);
  for (uint32_t i = 1; i <= 20; i++) {
    assert_int_equal(send_number(&c, 0, i), SW_OK);
    expect(&c, 1, i, 0);
  }
  uint32_t left = 0;
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) left += broadcast_of(&c)->subscriber[i].role != 0;
  assert_int_equal(left, 1);
  close_scene(&c);
}

static void what_a_dead_publisher_has_not_told_is_found(void **state) {
  (void)state;
  scene c;
  open_scene(&c, 256, SW_BROADCAST_DROP_OLDEST);
  assert_int_equal(subscribe(&c, 1), SW_OK);
  for (uint32_t i = 1; i <= 30; i++) assert_int_equal(send_number(&c, 0, i), SW_OK);
  sw_broadcast *b = broadcast_of(&c);
  /* as behind the store of the head */
  uint64_t latest = b->latest;
  b->latest = b->tail;
  b->number--;
  assert_int_equal(sw_mutex_try_lock(c.r.base, &b->waitable.object.lock, c.h[2].endpoint), SW_OK);
  sw_mutex_evict(c.r.base, &b->waitable.object.lock, c.h[2].role);
  assert_int_equal(subscribe_oldest(&c, 3), SW_OK);
  assert_int_equal(b->latest, latest);
  assert_int_equal(b->number, 30);
  assert_int_equal(send_number(&c, 0, 31), SW_OK);
  close_scene(&c);
}

/* ---- hostile words ---- */

static void words_that_cannot_be_are_corrupt(void **state) {
  (void)state;
  uint32_t number;
  sw_broadcast_message message;
  for (int what = 0; what < 8; what++) {
    scene c;
    open_scene(&c, 256, SW_BROADCAST_DROP_OLDEST);
    assert_int_equal(subscribe(&c, 1), SW_OK);
    for (uint32_t i = 1; i <= 30; i++) assert_int_equal(send_number(&c, 0, i), SW_OK);
    sw_broadcast *b = broadcast_of(&c);
    sw_broadcast kept = *b;
    uint64_t *first = (uint64_t *)(void *)(c.r.base + b->ring + b->tail % 256), word = *first;
    if (what == 0) b->shape = 31;
    if (what == 1) b->ring = 8;
    if (what == 2) b->ring = UINT32_MAX - 15;
    if (what == 3) b->head += 4;
    if (what == 4) b->subscriber[c.h[1].endpoint].cursor = UINT64_MAX - 7;
    if (what == 5) *first = (uint64_t)4 << 32 | 200;
    if (what == 6) *first = UINT64_C(255) << 32 | 24;
    if (what == 7) *first = UINT64_C(256) << 32 | 4;
    assert_int_equal(receive(&c, 1, &number, 4, &message), SW_ECORRUPT);
    assert_int_equal(sw_broadcast_check(&c.h[0], c.at, c.generation), SW_ECORRUPT);
    *first = word;
    *b = kept;
    close_scene(&c);
  }
  /* a publisher gives up what it cannot read */
  scene c;
  open_scene(&c, 256, SW_BROADCAST_DROP_OLDEST);
  for (uint32_t i = 1; i <= 30; i++) assert_int_equal(send_number(&c, 0, i), SW_OK);
  memset(c.r.base + broadcast_of(&c)->ring, 0xee, 256);
  for (uint32_t i = 1; i <= 3; i++) assert_int_equal(send_number(&c, 0, i), SW_OK);
  close_scene(&c);
}

/* ---- threads ---- */

enum { THREADS = 2, TURNS = 20000 };

typedef struct worker {
  scene *c;
  uint32_t number;
  uint64_t missed;
  uint32_t begun; /* shared */
} worker;

/* Messages of words that tell sender and turn; lengths differ. */
static void *publish(void *argument) {
  worker *w = argument;
  sw_heap h;
  heap_open(&h, &w->c->r);
  uint32_t seed = w->number, words[40];
  for (uint32_t turn = 0; turn < TURNS; turn++) {
    uint32_t length = 4 * (1 + next(&seed) % 40);
    for (uint32_t i = 0; i < 40; i++) words[i] = w->number << 24 | turn;
    assert_int_equal(sw_broadcast_send(&h, w->c->at, w->c->generation, 1, words, length, -1), SW_OK);
  }
  sw_heap_close(&h);
  return NULL;
}

static void *consume(void *argument) {
  worker *w = argument;
  sw_heap h;
  heap_open(&h, &w->c->r);
  int status;
  while ((status = sw_broadcast_subscribe(&h, w->c->at, w->c->generation, 0)) == SW_EBUSY) continue;
  assert_int_equal(status, SW_OK);
  sw_store_release(&w->begun, 1);
  uint32_t words[40], expected[THREADS] = {0}, received = 0;
  sw_broadcast_message message = {0};
  for (;;) {
    status = sw_broadcast_receive(&h, w->c->at, w->c->generation, words, sizeof(words), &message, -1);
    if (status == SW_EBUSY) continue;
    if (status == SW_ECLOSED) break;
    assert_int_equal(status, 1);
    for (uint32_t i = 1; i < message.length / 4; i++) assert_int_equal(words[i], words[0]);
    uint32_t from = words[0] >> 24, turn = words[0] & 0xffffff;
    assert_true(from < THREADS && turn >= expected[from]);
    expected[from] = turn + 1;
    received++;
  }
  w->missed = message.missed;
  assert_true(received + w->missed <= THREADS * TURNS);
  bool blocks = (sw_load_relaxed(&broadcast_of(w->c)->shape) >> 8 & 0xff) == SW_BROADCAST_BLOCK;
  if (blocks) assert_int_equal(received, THREADS * TURNS);
  sw_heap_close(&h);
  return NULL;
}

static void each_thread_receives_in_order_and_nothing_torn(void **state) {
  (void)state;
  for (uint32_t policy = 0; policy <= SW_BROADCAST_LATEST_ONLY; policy++) {
    scene c;
    open_scene(&c, 4096, policy);
    worker to[THREADS] = {{0}}, from[THREADS];
    pthread_t readers[THREADS], writers[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
      to[i] = (worker){.c = &c, .number = i};
      from[i] = (worker){.c = &c, .number = i};
      assert_int_equal(pthread_create(&readers[i], NULL, consume, &to[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++)
      while (sw_load_acquire(&to[i].begun) == 0) usleep(100);
    for (uint32_t i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&writers[i], NULL, publish, &from[i]), 0);
    for (uint32_t i = 0; i < THREADS; i++) pthread_join(writers[i], NULL);
    assert_int_equal(sw_broadcast_close(&c.h[0], c.at, c.generation), SW_OK);
    for (uint32_t i = 0; i < THREADS; i++) {
      pthread_join(readers[i], NULL);
      if (policy == SW_BROADCAST_BLOCK) assert_int_equal(to[i].missed, 0);
    }
    close_scene(&c);
  }
}

static void a_wait_ends_with_its_time(void **state) {
  (void)state;
  scene c;
  open_scene(&c, 64, SW_BROADCAST_BLOCK);
  assert_int_equal(subscribe(&c, 1), SW_OK);
  uint32_t number = 1;
  sw_broadcast_message message;
  assert_int_equal(sw_broadcast_receive(&c.h[1], c.at, c.generation, &number, 4, &message, 1000000), SW_ETIMEDOUT);
  while (send_number(&c, 0, 1) == SW_OK) continue;
  assert_int_equal(sw_broadcast_send(&c.h[0], c.at, c.generation, 4, &number, 4, 1000000), SW_ETIMEDOUT);
  assert_int_equal(broadcast_of(&c)->waitable.waits[0] | broadcast_of(&c)->waitable.waits[1], 0);
  close_scene(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_subscriber_receives_each_message),
      cmocka_unit_test(what_has_no_room_is_refused_while_a_subscriber_is_behind),
      cmocka_unit_test(the_oldest_are_dropped_and_counted),
      cmocka_unit_test(the_newest_is_received_and_the_others_are_counted),
      cmocka_unit_test(one_that_joins_late_begins_with_the_next_or_the_oldest),
      cmocka_unit_test(a_closed_one_is_received_to_its_end),
      cmocka_unit_test(what_cannot_be_is_refused),
      cmocka_unit_test(a_freed_one_is_refused_and_its_block_serves_the_next),
      cmocka_unit_test(a_dead_subscriber_is_in_no_way),
      cmocka_unit_test(what_a_dead_publisher_has_not_told_is_found),
      cmocka_unit_test(words_that_cannot_be_are_corrupt),
      cmocka_unit_test(each_thread_receives_in_order_and_nothing_torn),
      cmocka_unit_test(a_wait_ends_with_its_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
