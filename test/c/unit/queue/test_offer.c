/* Unbuffered channels: sends and receives that meet, selects on both sides, closing, giving up,
 * death, and threads that select. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include <pthread.h>

#include "../heap/heap_helper.h"
#include "sabway/object.h"
#include "sabway/offer.h"
#include "sabway/registry.h"

enum { CHANNELS = 3 };

typedef struct party {
  sw_heap h;
  sw_queue_handle q[CHANNELS];
  uint32_t endpoint;
} party;

typedef struct scene {
  region r;
  uint32_t at[CHANNELS];
  party p[3];
  uint64_t blocks; /* before the values */
} scene;

static void join(scene *c, party *p) {
  p->endpoint = region_claim(&c->r);
  assert_int_equal(sw_heap_open(&p->h, c->r.base, c->r.size, SW_HEAP_AT, p->endpoint), SW_OK);
  for (int i = 0; i < CHANNELS; i++) {
    if (c->at[i] == 0) c->at[i] = sw_queue_new(&p->h, &(sw_queue_options){.type = SW_TYPE_CHANNEL});
    assert_int_equal(sw_queue_open(&p->q[i], &p->h, c->at[i], 0), SW_OK);
  }
}

static void open_scene(scene *c) {
  *c = (scene){.r = heap_region(MIDDLE_REGION)};
  for (int i = 0; i < 3; i++) join(c, &c->p[i]);
  c->blocks = heap_stats(&c->p[0].h).blocks;
}

/* No value is left over. */
static void close_scene(scene *c) {
  party *p = &c->p[2];
  for (int i = 0; i < CHANNELS; i++) assert_int_equal(sw_queue_check(&p->q[i], &p->h), SW_OK);
  assert_int_equal(heap_stats(&p->h).blocks, c->blocks);
  for (int i = 0; i < CHANNELS; i++) assert_int_equal(sw_queue_free(&p->q[i], &p->h), SW_OK);
  assert_int_equal(heap_stats(&p->h).blocks, CHANNELS + 1); /* control blocks, and the registry's */
  heap_region_free(&c->r);
}

/* A value with a block of its own. */
static uint32_t value_of(party *p, double number) {
  uint32_t value = sw_queue_pack(&p->q[0], &p->h, SW_MAP_NUMBER, &number, 8);
  assert_true(value != 0 && value % SW_HEAP_UNIT == 0);
  return value;
}
static double number_of(party *p, uint32_t value) {
  double number = 0;
  assert_int_equal(sw_queue_unpack(&p->q[0], &p->h, value, &number, 8), SW_MAP_NUMBER);
  return number;
}

static int try_send(party *p, int i, double number) {
  return sw_queue_put(&p->q[i], &p->h, SW_MAP_NUMBER, &number, 8, 0);
}
static double try_receive(party *p, int i) {
  double number;
  int type = sw_queue_take(&p->q[i], &p->h, &number, 8);
  return type == SW_MAP_NUMBER ? number : -1000 + type;
}

static void a_try_needs_one_that_waits(void **state) {
  (void)state;
  scene c;
  open_scene(&c);
  party *a = &c.p[0], *b = &c.p[1];
  assert_int_equal(try_send(a, 0, 1.5), 0);
  assert_true(try_receive(b, 0) == -1000);
  assert_int_equal(sw_queue_has_news(&b->q[0], &b->h), 0);
  assert_int_equal(sw_queue_has_room(&b->q[0], &b->h, 0), 0);
  assert_int_equal(sw_queue_peek(&b->q[0], &b->h, NULL, 0), 0);
  sw_offer send = {0}, receive = {0};
  assert_int_equal(sw_offer_send(&send, &a->q[0], &a->h, 0, value_of(a, 2.5)), 0);
  assert_int_equal(sw_offer_send(&send, &a->q[0], &a->h, 0, 0), 0);
  assert_int_equal(sw_offer_is_done(&send, &a->h), 0);
  assert_int_equal(sw_queue_size(&b->q[0], &b->h), 0);
  assert_int_equal(sw_queue_has_news(&b->q[0], &b->h), 1);
  assert_true(try_receive(b, 0) == 2.5);
  assert_true(try_receive(b, 0) == -1000);
  assert_int_equal(sw_offer_is_done(&send, &a->h), 1);
  assert_int_equal(send.which, 0);
  assert_int_equal(sw_offer_is_done(&send, &a->h), 0);
  assert_int_equal(sw_offer_receive(&receive, &b->q[0], &b->h, 7), 0);
  assert_int_equal(sw_queue_has_room(&a->q[0], &a->h, 0), 1);
  assert_int_equal(try_send(a, 0, 3.5), 1);
  assert_int_equal(try_send(a, 0, 4.5), 0);
  assert_int_equal(sw_offer_receive(&receive, &b->q[0], &b->h, 7), 1);
  assert_int_equal(receive.which, 7);
  assert_true(number_of(b, receive.value) == 3.5);
  /* many at once is for rings */
  uint32_t words[2];
  assert_int_equal(sw_queue_take_many(&b->q[0], &b->h, words, 2), SW_EINVAL);
  assert_int_equal(sw_queue_put_many(&b->q[0], &b->h, words, 2), SW_EINVAL);
  close_scene(&c);
}

static void two_that_wait_meet_once(void **state) {
  (void)state;
  scene c;
  open_scene(&c);
  party *a = &c.p[0], *b = &c.p[1];
  for (int i = 0; i < 100; i++) {
    sw_offer send = {0}, receive = {0};
    uint32_t value = value_of(a, i + 0.5);
    if (i % 2 == 0) {
      assert_int_equal(sw_offer_send(&send, &a->q[0], &a->h, 1, value), 0);
      assert_int_equal(sw_offer_receive(&receive, &b->q[0], &b->h, 2), 1);
      assert_int_equal(sw_offer_withdraw(&send, &a->h), 1); /* too late */
    } else {
      assert_int_equal(sw_offer_receive(&receive, &b->q[0], &b->h, 2), 0);
      assert_int_equal(sw_offer_send(&send, &a->q[0], &a->h, 1, value), 1);
      assert_int_equal(sw_offer_is_done(&receive, &b->h), 1);
    }
    assert_int_equal(send.which, 1);
    assert_int_equal(receive.which, 2);
    assert_true(number_of(b, receive.value) == i + 0.5);
  }
  /* one that has given up is not there */
  sw_offer send = {0};
  uint32_t value = value_of(a, 1.5);
  assert_int_equal(sw_offer_send(&send, &a->q[0], &a->h, 0, value), 0);
  assert_int_equal(sw_offer_withdraw(&send, &a->h), 0);
  assert_int_equal(sw_offer_withdraw(&send, &a->h), 0);
  assert_true(try_receive(b, 0) == -1000);
  sw_queue_discard(&a->q[0], &a->h, value);
  assert_int_equal(sw_offer_send(&send, &a->q[0], &a->h, 1u << 29, value), SW_ERANGE);
  close_scene(&c);
}

static void a_select_does_one_case(void **state) {
  (void)state;
  scene c;
  open_scene(&c);
  party *a = &c.p[0], *b = &c.p[1], *d = &c.p[2];
  for (int i = 0; i < 60; i++) {
    /* send to 0 or receive from 1, and the same the other way round: never with itself */
    sw_offer x = {0}, y = {0};
    uint32_t mine = value_of(a, 1.5), yours = value_of(b, 2.5);
    assert_int_equal(sw_offer_send(&x, &a->q[0], &a->h, 0, mine), 0);
    assert_int_equal(sw_offer_receive(&x, &a->q[0], &a->h, 1), 0);
    assert_int_equal(sw_offer_receive(&x, &a->q[1], &a->h, 2), 0);
    int done = i % 2 == 0 ? sw_offer_receive(&y, &b->q[0], &b->h, 3) : sw_offer_send(&y, &b->q[1], &b->h, 4, yours);
    assert_int_equal(done, 1);
    assert_int_equal(y.which, i % 2 == 0 ? 3 : 4);
    /* the others of both are not there */
    assert_true(try_receive(d, 0) == -1000);
    assert_int_equal(try_send(d, 0, 9.5), 0);
    assert_int_equal(try_send(d, 1, 9.5), 0);
    assert_int_equal(sw_offer_receive(&x, &a->q[1], &a->h, 2), 1);
    assert_int_equal(x.which, i % 2 == 0 ? 0 : 2);
    assert_true(number_of(i % 2 == 0 ? b : a, i % 2 == 0 ? y.value : x.value) == (i % 2 == 0 ? 1.5 : 2.5));
    sw_queue_discard(&a->q[0], &a->h, i % 2 == 0 ? yours : mine);
  }
  close_scene(&c);
}

static void offers_of_one_endpoint_take_turns(void **state) {
  (void)state;
  scene c;
  open_scene(&c);
  party *a = &c.p[0], *b = &c.p[1];
  sw_offer first = {0}, second = {0};
  assert_int_equal(sw_offer_receive(&first, &a->q[0], &a->h, 0), 0);
  assert_int_equal(sw_offer_receive(&second, &a->q[0], &a->h, 0), 0);
  assert_true(first.home != 0 && second.home == 0);
  assert_int_equal(try_send(b, 0, 1.5), 1);
  assert_int_equal(try_send(b, 0, 2.5), 0);
  /* its home has what was not looked at yet */
  assert_int_equal(sw_offer_receive(&second, &a->q[0], &a->h, 0), 0);
  assert_int_equal(second.home, 0);
  assert_int_equal(sw_offer_is_done(&first, &a->h), 1);
  assert_true(number_of(a, first.value) == 1.5);
  assert_int_equal(sw_offer_receive(&second, &a->q[0], &a->h, 0), 0);
  assert_int_equal(try_send(b, 0, 2.5), 1);
  assert_int_equal(sw_offer_is_done(&second, &a->h), 1);
  assert_true(number_of(a, second.value) == 2.5);
  /* a thread may send to itself */
  assert_int_equal(sw_offer_receive(&first, &a->q[1], &a->h, 0), 0);
  assert_int_equal(try_send(a, 1, 3.5), 1);
  assert_int_equal(sw_offer_is_done(&first, &a->h), 1);
  assert_true(number_of(a, first.value) == 3.5);
  close_scene(&c);
}

static void closing_ends_those_that_wait(void **state) {
  (void)state;
  scene c;
  open_scene(&c);
  party *a = &c.p[0], *b = &c.p[1];
  sw_offer send = {0}, done = {0};
  uint32_t value = value_of(a, 1.5), other = value_of(a, 2.5);
  assert_int_equal(sw_offer_send(&done, &a->q[1], &a->h, 0, other), 0);
  assert_true(try_receive(b, 1) == 2.5);
  assert_int_equal(sw_offer_send(&send, &a->q[0], &a->h, 0, value), 0);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(sw_queue_is_closed(&b->q[i], &b->h), 0);
    assert_int_equal(sw_queue_close(&b->q[i], &b->h), SW_OK);
    assert_int_equal(sw_queue_close(&b->q[i], &b->h), SW_OK);
    assert_int_equal(sw_queue_is_closed(&a->q[i], &a->h), 1);
  }
  assert_int_equal(sw_offer_send(&send, &a->q[0], &a->h, 0, value), SW_ECLOSED);
  assert_int_equal(sw_offer_send(&done, &a->q[1], &a->h, 0, other), 1); /* before it was closed */
  assert_int_equal(try_send(a, 0, 1), SW_ECLOSED);
  assert_true(try_receive(b, 0) == -1000 + SW_ECLOSED);
  assert_int_equal(sw_offer_receive(&send, &b->q[0], &b->h, 0), SW_ECLOSED);
  assert_int_equal(sw_queue_has_news(&b->q[0], &b->h), 1);
  assert_int_equal(sw_queue_has_room(&b->q[0], &b->h, 0), SW_ECLOSED);
  assert_int_equal(sw_queue_peek(&b->q[0], &b->h, NULL, 0), SW_ECLOSED);
  sw_queue_discard(&a->q[0], &a->h, value);
  close_scene(&c);
}

static void those_that_wait_are_served_in_turn(void **state) {
  (void)state;
  scene c;
  open_scene(&c);
  sw_offer waits[2] = {{0}};
  int served[2] = {0};
  for (int i = 0; i < 100; i++) {
    for (int k = 0; k < 2; k++) assert_int_equal(sw_offer_receive(&waits[k], &c.p[k].q[0], &c.p[k].h, 0), 0);
    assert_int_equal(try_send(&c.p[2], 0, i + 0.5), 1);
    for (int k = 0; k < 2; k++) {
      if (sw_offer_is_done(&waits[k], &c.p[k].h) != 1) continue;
      served[k]++;
      assert_true(number_of(&c.p[k], waits[k].value) == i + 0.5);
    }
  }
  assert_int_equal(served[0], 50);
  assert_int_equal(served[1], 50);
  close_scene(&c);
}

/* The owner of p[0]'s endpoint ends, and the endpoint is another's. */
static void replace(scene *c) {
  party *a = &c->p[0];
  uint32_t before = a->endpoint;
  sw_region_evict_role(c->r.base, c->r.size, a->h.role);
  sw_endpoint_release_role(c->r.base, a->h.role);
  *a = (party){0};
  join(c, a);
  assert_int_equal(a->endpoint, before);
  sw_region_evict(c->r.base, c->r.size, a->endpoint);
}

static void the_dead_leave_nothing(void **state) {
  (void)state;
  scene c;
  open_scene(&c);
  party *a = &c.p[0], *b = &c.p[1];
  sw_offer send = {0}, receive = {0};
  assert_int_equal(sw_offer_send(&send, &a->q[0], &a->h, 0, value_of(a, 1.5)), 0);
  assert_int_equal(sw_offer_receive(&receive, &a->q[1], &a->h, 0), 0);
  sw_region_evict_role(c.r.base, c.r.size, a->h.role);
  sw_endpoint_release_role(c.r.base, a->h.role);
  assert_true(try_receive(b, 0) == -1000); /* which frees its value */
  assert_int_equal(try_send(b, 1, 2.5), 0);
  assert_int_equal(heap_stats(&b->h).blocks, c.blocks);
  *a = (party){0};
  join(&c, a);
  sw_region_evict(c.r.base, c.r.size, a->endpoint);
  /* one that was given a value before it died, and one whose value no call has freed */
  send = receive = (sw_offer){0};
  assert_int_equal(sw_offer_send(&send, &a->q[0], &a->h, 0, value_of(a, 3.5)), 0);
  assert_int_equal(sw_offer_receive(&receive, &a->q[1], &a->h, 0), 0);
  assert_int_equal(try_send(b, 1, 4.5), 1);
  replace(&c);
  assert_int_equal(heap_stats(&b->h).blocks, c.blocks + 2);
  send = receive = (sw_offer){0};
  assert_int_equal(sw_offer_send(&send, &a->q[0], &a->h, 0, value_of(a, 5.5)), 0);
  assert_int_equal(sw_offer_receive(&receive, &a->q[1], &a->h, 0), 0);
  assert_int_equal(heap_stats(&b->h).blocks, c.blocks + 1);
  assert_true(try_receive(b, 0) == 5.5);
  assert_int_equal(sw_offer_withdraw(&receive, &a->h), 0);
  assert_int_equal(sw_offer_is_done(&send, &a->h), 1);
  close_scene(&c);
}

static void a_late_call_finds_it_freed(void **state) {
  (void)state;
  scene c;
  open_scene(&c);
  party *a = &c.p[0], *b = &c.p[1], *d = &c.p[2];
  sw_offer select = {0}, sends = {0};
  uint32_t value = value_of(a, 1.5);
  assert_int_equal(sw_offer_receive(&select, &b->q[0], &b->h, 0), 0);
  assert_int_equal(sw_offer_receive(&select, &b->q[1], &b->h, 1), 0);
  assert_int_equal(sw_offer_send(&sends, &a->q[0], &a->h, 0, value), 1);
  assert_int_equal(sw_offer_receive(&sends, &a->q[0], &a->h, 0), 0);
  /* with a value that was not looked at, and one that waits */
  assert_int_equal(sw_queue_free(&d->q[0], &d->h), SW_OK);
  assert_int_equal(sw_offer_is_done(&select, &b->h), SW_EFREED);
  assert_int_equal(sw_offer_is_done(&select, &b->h), 0);
  assert_int_equal(sw_offer_receive(&sends, &a->q[0], &a->h, 0), SW_EFREED);
  assert_int_equal(sw_offer_receive(&sends, &a->q[0], &a->h, 0), SW_EFREED);
  assert_int_equal(try_send(d, 1, 2.5), 0);
  c.at[0] = sw_queue_new(&d->h, &(sw_queue_options){.type = SW_TYPE_CHANNEL});
  for (int i = 0; i < 3; i++) assert_int_equal(sw_queue_open(&c.p[i].q[0], &c.p[i].h, c.at[0], 0), SW_OK);
  assert_true(try_receive(d, 0) == -1000);
  close_scene(&c);
}

/* ---- threads ---- */

enum { THREADS = 4, EACH = 3000 };

typedef struct worker {
  scene *c;
  uint32_t *working; /* how many threads are */
  uint32_t number;
  uint64_t sent, received;
} worker;

/* 1: a case was done; 0: the others have ended. */
static int send_or_receive(worker *w, party *p, sw_offer *o, uint32_t value) {
  for (uint32_t turn = w->number;; turn++) {
    for (uint32_t i = 0; i < 2 * CHANNELS; i++) {
      uint32_t which = (i + turn) % (2 * CHANNELS);
      sw_queue_handle *q = &p->q[which / 2];
      int done = which % 2 == 0 ? sw_offer_send(o, q, &p->h, which, value) : sw_offer_receive(o, q, &p->h, which);
      if (done == 1) return 1;
      if (done != 0 && done != SW_EBUSY) fail_msg("%d", done);
    }
    if (__atomic_load_n(w->working, __ATOMIC_ACQUIRE) == 1) return sw_offer_withdraw(o, &p->h);
    sched_yield();
  }
}

static void *work(void *context) {
  worker *w = context;
  party p = {0};
  join(w->c, &p);
  for (uint32_t i = 0; i < EACH; i++) {
    sw_offer o = {0};
    double number = w->number * 1e6 + i + 0.5;
    uint32_t value = sw_queue_pack(&p.q[0], &p.h, SW_MAP_NUMBER, &number, 8);
    int done = send_or_receive(w, &p, &o, value);
    if (done == 1 && o.which % 2 == 0) {
      w->sent += (uint64_t)number;
      continue;
    }
    if (done == 1) w->received += (uint64_t)number_of(&p, o.value);
    sw_queue_discard(&p.q[0], &p.h, value);
    if (done == 0) break;
  }
  __atomic_fetch_sub(w->working, 1, __ATOMIC_ACQ_REL);
  return NULL;
}

static void threads_that_select_lose_and_double_nothing(void **state) {
  (void)state;
  scene c;
  open_scene(&c);
  worker workers[THREADS];
  pthread_t threads[THREADS];
  uint32_t working = THREADS;
  for (uint32_t i = 0; i < THREADS; i++) {
    workers[i] = (worker){.c = &c, .working = &working, .number = i};
    assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
  }
  uint64_t sent = 0, received = 0;
  for (uint32_t i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    sent += workers[i].sent;
    received += workers[i].received;
  }
  assert_true(sent != 0);
  assert_int_equal(sent, received);
  for (int i = 0; i < CHANNELS; i++) assert_int_equal(sw_queue_check(&c.p[0].q[i], &c.p[0].h), SW_OK);
  assert_int_equal(heap_stats(&c.p[0].h).blocks, c.blocks);
  heap_region_free(&c.r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_try_needs_one_that_waits),
      cmocka_unit_test(two_that_wait_meet_once),
      cmocka_unit_test(a_select_does_one_case),
      cmocka_unit_test(offers_of_one_endpoint_take_turns),
      cmocka_unit_test(closing_ends_those_that_wait),
      cmocka_unit_test(those_that_wait_are_served_in_turn),
      cmocka_unit_test(the_dead_leave_nothing),
      cmocka_unit_test(a_late_call_finds_it_freed),
      cmocka_unit_test(threads_that_select_lose_and_double_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
