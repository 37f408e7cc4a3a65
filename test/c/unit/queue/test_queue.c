/* Queues: what each kind gives out, what a full and a closed one says, what becomes of values whose
 * consumer died, and threads. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "../heap/heap_helper.h"

#include <pthread.h>

#include "sabway/object.h"
#include "sabway/queue.h"
#include "sabway/registry.h"

typedef struct scene {
  heap_scene s;
  sw_queue_handle q;
} scene;

static void open_queue(scene *c, sw_queue_options options) {
  heap_scene_open(&c->s, MIDDLE_REGION);
  uint32_t at = sw_queue_new(&c->s.h, &options);
  if (at == 0) fail_msg("sw_queue_new: %d", c->s.h.status);
  assert_int_equal(sw_queue_open(&c->q, &c->s.h, at, 0), SW_OK);
}

static void close_scene(scene *c) {
  assert_int_equal(sw_queue_check(&c->q, &c->s.h), SW_OK);
  assert_int_equal(sw_queue_free(&c->q, &c->s.h), SW_OK);
  assert_int_equal(heap_stats(&c->s.h).blocks, 2); /* the control block, and one of the registry */
  heap_scene_close(&c->s);
}

static int put_number(scene *c, double number, double priority) {
  return sw_queue_put(&c->q, &c->s.h, SW_MAP_NUMBER, &number, 8, priority);
}

/* The number that comes out, or -1000 minus what the call returned. */
static double take_number(scene *c) {
  double number = 0;
  int type = sw_queue_take(&c->q, &c->s.h, &number, 8);
  if (type != SW_MAP_NUMBER) return -1000 + type;
  assert_int_equal(c->q.length, 8);
  return number;
}

static const sw_queue_options KINDS[] = {
    {.type = SW_TYPE_QUEUE, .capacity = 5},
    {.type = SW_TYPE_SINGLE_QUEUE, .capacity = 5},
    {.type = SW_TYPE_RING_QUEUE, .capacity = 5},
    {.type = SW_TYPE_QUEUE, .capacity = 5, .flags = SW_QUEUE_ACK},
    {.type = SW_TYPE_PRIORITY_QUEUE, .capacity = 5, .levels = 1},
    {.type = SW_TYPE_PRIORITY_QUEUE, .capacity = 5, .flags = SW_QUEUE_SORTED},
};

static void each_kind(void (*test)(scene *c)) {
  for (size_t i = 0; i < sizeof(KINDS) / sizeof(KINDS[0]); i++) {
    scene c;
    open_queue(&c, KINDS[i]);
    test(&c);
    close_scene(&c);
  }
}

static double taken(scene *c) {
  double number = take_number(c);
  bool none = number == -1000 || number == -1000 + SW_ECLOSED;
  if ((c->q.flags & SW_QUEUE_ACK) != 0 && !none) assert_int_equal(sw_queue_ack(&c->q, &c->s.h, c->q.cell), 1);
  return number;
}

static void in_order(scene *c) {
  double next = 0, first = 0;
  for (uint32_t turn = 0; turn < 300; turn++) {
    uint32_t count = turn % 6;
    for (uint32_t i = 0; i < count; i++) {
      assert_int_equal(sw_queue_size(&c->q, &c->s.h), i);
      assert_int_equal(put_number(c, next++, 0), 1);
    }
    assert_int_equal(sw_queue_has_room(&c->q, &c->s.h, 0), count < 5);
    assert_int_equal(put_number(c, -1, 0), count < 5);
    for (uint32_t i = 0; i < count; i++) {
      double seen = -1;
      assert_int_equal(sw_queue_peek(&c->q, &c->s.h, &seen, 8), SW_MAP_NUMBER);
      assert_true(seen == first);
      assert_true(taken(c) == first++);
    }
    if (count < 5) assert_true(taken(c) == -1);
    assert_true(taken(c) == -1000);
    assert_int_equal(sw_queue_has_news(&c->q, &c->s.h), 0);
  }
}

static void values_come_out_in_their_order(void **state) {
  (void)state;
  each_kind(in_order);
}

static void close_it(scene *c) {
  assert_int_equal(put_number(c, 1, 0), 1);
  assert_int_equal(put_number(c, 2.5, 0), 1);
  assert_int_equal(sw_queue_is_closed(&c->q, &c->s.h), 0);
  assert_int_equal(sw_queue_close(&c->q, &c->s.h), SW_OK);
  assert_int_equal(sw_queue_close(&c->q, &c->s.h), SW_OK);
  assert_int_equal(sw_queue_is_closed(&c->q, &c->s.h), 1);
  assert_int_equal(put_number(c, 3, 0), SW_ECLOSED);
  assert_int_equal(sw_queue_has_room(&c->q, &c->s.h, 0), SW_ECLOSED);
  assert_true(taken(c) == 1);
  assert_true(taken(c) == 2.5);
  assert_true(taken(c) == -1000 + SW_ECLOSED);
  assert_int_equal(sw_queue_has_news(&c->q, &c->s.h), 1);
  assert_int_equal(sw_queue_peek(&c->q, &c->s.h, NULL, 0), SW_ECLOSED);
}

static void a_closed_queue_is_drained_first(void **state) {
  (void)state;
  each_kind(close_it);
}

static void close_full(scene *c) {
  for (int i = 0; i < 5; i++) assert_int_equal(put_number(c, i, 0), 1);
  assert_int_equal(put_number(c, 5, 0), 0);
  assert_int_equal(sw_queue_close(&c->q, &c->s.h), SW_OK);
  for (int i = 0; i < 5; i++) assert_true(taken(c) == i);
  assert_true(taken(c) == -1000 + SW_ECLOSED);
}

static void a_full_queue_has_room_for_its_end(void **state) {
  (void)state;
  each_kind(close_full);
}

static void any_bytes(scene *c) {
  static uint8_t bytes[200000], found[200000];
  uint32_t lengths[] = {0, 1, 7, 8, 16, 100, 1000, 4096, 5000, 70000, 200000};
  for (uint32_t i = 0; i < sizeof(bytes); i++) bytes[i] = (uint8_t)(i * 7 + i / 251);
  for (uint32_t round = 0; round < 3; round++) {
    for (uint32_t i = 0; i < sizeof(lengths) / 4; i++) {
      uint32_t length = lengths[i], room = round == 0 ? sizeof(found) : round == 1 ? 64 : 0;
      assert_int_equal(sw_queue_put(&c->q, &c->s.h, SW_MAP_BYTES, bytes, length, 0), 1);
      memset(found, 0xee, sizeof(found));
      assert_int_equal(sw_queue_take(&c->q, &c->s.h, found, room), SW_MAP_BYTES);
      assert_int_equal(c->q.length, length);
      assert_int_equal(c->q.held != 0, length > room);
      const uint8_t *place = c->q.held != 0 ? c->s.r.base + c->q.held + sizeof(sw_queue_item) : found;
      assert_memory_equal(place, bytes, length);
      sw_queue_done(&c->q, &c->s.h);
      assert_int_equal(c->q.held, 0);
      if ((c->q.flags & SW_QUEUE_ACK) != 0) assert_int_equal(sw_queue_ack(&c->q, &c->s.h, c->q.cell), 1);
    }
  }
}

static void values_of_any_length_come_out_whole(void **state) {
  (void)state;
  each_kind(any_bytes);
}

static void small_values(scene *c) {
  uint64_t blocks = heap_stats(&c->s.h).blocks;
  for (uint32_t type = SW_MAP_NULL; type <= SW_MAP_TRUE; type++) {
    assert_int_equal(sw_queue_put(&c->q, &c->s.h, type, NULL, 0, 0), 1);
    assert_int_equal(sw_queue_take(&c->q, &c->s.h, NULL, 0), type);
    if ((c->q.flags & SW_QUEUE_ACK) != 0) assert_int_equal(sw_queue_ack(&c->q, &c->s.h, c->q.cell), 1);
  }
  double integers[] = {0, 1, -1, (1 << 27) - 1, -(1 << 27)};
  for (size_t i = 0; i < sizeof(integers) / sizeof(double); i++) {
    assert_int_equal(put_number(c, integers[i], 0), 1);
    assert_int_equal(heap_stats(&c->s.h).blocks, blocks);
    assert_true(taken(c) == integers[i]);
  }
  double others[] = {1 << 27, -(1 << 27) - 1, 0.5, -0.0, 1e300};
  for (size_t i = 0; i < sizeof(others) / sizeof(double); i++) {
    assert_int_equal(put_number(c, others[i], 0), 1);
    assert_int_equal(heap_stats(&c->s.h).blocks, blocks + 1);
    double found = taken(c);
    assert_memory_equal(&found, &others[i], 8);
    assert_int_equal(heap_stats(&c->s.h).blocks, blocks);
  }
}

static void small_values_take_no_block(void **state) {
  (void)state;
  each_kind(small_values);
}

static void large_blocks_are_used_again(void **state) {
  (void)state;
  scene c;
  open_queue(&c, KINDS[0]);
  static uint8_t bytes[8192], found[8192];
  for (int i = 0; i < 20; i++) {
    assert_int_equal(sw_queue_put(&c.q, &c.s.h, SW_MAP_BYTES, bytes, sizeof(bytes), 0), 1);
    assert_int_equal(sw_queue_take(&c.q, &c.s.h, found, sizeof(found)), SW_MAP_BYTES);
    assert_int_equal(heap_stats(&c.s.h).blocks, 4); /* one is spare */
  }
  close_scene(&c);
}

static void many_are_put_and_taken_at_once(void **state) {
  (void)state;
  for (int kind = 0; kind < 3; kind++) {
    scene c;
    open_queue(&c, KINDS[kind]);
    uint32_t values[8], found[8];
    for (uint32_t turn = 0; turn < 50; turn++) {
      for (uint32_t i = 0; i < 8; i++) {
        double number = turn + i + 0.5;
        values[i] = sw_queue_pack(&c.q, &c.s.h, SW_MAP_NUMBER, &number, 8);
        assert_int_not_equal(values[i], 0);
      }
      assert_int_equal(sw_queue_put_many(&c.q, &c.s.h, values, 8), 5);
      for (uint32_t i = 5; i < 8; i++) {
        double number;
        assert_int_equal(sw_queue_unpack(&c.q, &c.s.h, values[i], &number, 8), SW_MAP_NUMBER);
      }
      assert_int_equal(sw_queue_take_many(&c.q, &c.s.h, found, 3), 3);
      assert_int_equal(sw_queue_take_many(&c.q, &c.s.h, found + 3, 8), 2);
      for (uint32_t i = 0; i < 5; i++) {
        double number;
        assert_int_equal(sw_queue_unpack(&c.q, &c.s.h, found[i], &number, 8), SW_MAP_NUMBER);
        assert_true(number == turn + i + 0.5);
      }
      assert_int_equal(sw_queue_take_many(&c.q, &c.s.h, found, 8), 0);
    }
    close_scene(&c);
  }
}

/* ---- priorities ---- */

static void levels_come_by_urgency(void **state) {
  (void)state;
  scene c;
  open_queue(&c, (sw_queue_options){.type = SW_TYPE_PRIORITY_QUEUE, .capacity = 4, .levels = 64});
  double levels[] = {3, 63, 0, 3, 17, 63, 0};
  for (int i = 0; i < 7; i++) assert_int_equal(put_number(&c, i, levels[i]), 1);
  assert_int_equal(sw_queue_size(&c.q, &c.s.h), 7);
  assert_int_equal(put_number(&c, 9, 64), SW_ERANGE);
  assert_int_equal(put_number(&c, 9, -1), SW_ERANGE);
  int order[] = {1, 5, 4, 0, 3, 2, 6};
  for (int i = 0; i < 7; i++) assert_true(take_number(&c) == order[i]);
  assert_true(take_number(&c) == -1000);
  /* a bit that was lost with a participant */
  assert_int_equal(put_number(&c, 1, 5), 1);
  ((sw_queue *)(void *)(c.s.r.base + c.q.at))->present = 0;
  assert_true(take_number(&c) == 1);
  close_scene(&c);
}

static void any_priority_is_stable(void **state) {
  (void)state;
  scene c;
  open_queue(&c, (sw_queue_options){.type = SW_TYPE_PRIORITY_QUEUE, .capacity = 500, .flags = SW_QUEUE_SORTED});
  double keys[] = {-1e308, -2.5, -0.0, 0, 1e-300, 7, 1e308};
  uint32_t seed = 1, counts[7] = {0};
  for (uint32_t i = 0; i < 500; i++) {
    seed = seed * 1664525 + 1013904223;
    uint32_t key = (seed >> 8) % 7;
    assert_int_equal(put_number(&c, (key == 3 ? 2 : key) * 1000 + counts[key == 3 ? 2 : key]++, keys[key]), 1);
  }
  assert_int_equal(put_number(&c, 1, 1), 0);
  for (int key = 6; key >= 0; key--)
    for (uint32_t i = 0; i < counts[key]; i++) assert_true(take_number(&c) == (uint32_t)key * 1000 + i);
  assert_true(take_number(&c) == -1000);
  close_scene(&c);
}

/* ---- death ---- */

static sw_heap other_participant(scene *c, sw_queue_handle *q) {
  sw_heap h;
  heap_open(&h, &c->s.r);
  assert_int_equal(sw_queue_open(q, &h, c->q.at, 0), SW_OK);
  return h;
}

static void one_that_waits_gives_back_what_the_dead_have(void **state) {
  (void)state;
  scene c;
  open_queue(&c, KINDS[3]);
  assert_int_equal(sw_queue_evict_dead(&c.q, &c.s.h), 0);
  for (int i = 0; i < 4; i++) assert_int_equal(put_number(&c, i, 0), 1);
  sw_queue_handle q[2];
  sw_heap h[2];
  double number;
  for (int i = 0; i < 2; i++) {
    h[i] = other_participant(&c, &q[i]);
    assert_int_equal(sw_queue_take(&q[i], &h[i], &number, 8), SW_MAP_NUMBER);
  }
  assert_true(take_number(&c) == 2);
  assert_int_equal(sw_queue_evict_dead(&c.q, &c.s.h), 0); /* all of them live */
  sw_endpoint_release(c.s.r.base, h[0].endpoint);
  assert_int_equal(sw_queue_evict_dead(&c.q, &c.s.h), 1);
  assert_int_equal(sw_queue_evict_dead(&c.q, &c.s.h), 0);
  assert_int_equal(sw_queue_ack(&q[0], &h[0], q[0].cell), 0);
  assert_int_equal(sw_queue_ack(&q[1], &h[1], q[1].cell), 1);
  assert_int_equal(sw_queue_ack(&c.q, &c.s.h, c.q.cell), 1);
  assert_true(taken(&c) == 0);
  assert_true(taken(&c) == 3);
  close_scene(&c);
}

static void what_a_dead_consumer_held_comes_again(void **state) {
  (void)state;
  scene c;
  open_queue(&c, KINDS[3]);
  for (int i = 0; i < 5; i++) assert_int_equal(put_number(&c, i, 0), 1);
  sw_queue_handle q;
  sw_heap h = other_participant(&c, &q);
  double number;
  for (int i = 0; i < 2; i++) assert_int_equal(sw_queue_take(&q, &h, &number, 8), SW_MAP_NUMBER);
  assert_int_equal(sw_queue_deliveries(&q, &h, q.cell), 1);
  assert_int_equal(put_number(&c, 5, 0), 0); /* what is held takes room */
  assert_true(take_number(&c) == 2);
  assert_int_equal(sw_queue_close(&c.q, &c.s.h), SW_OK);
  sw_region_evict_role(c.s.r.base, c.s.r.size, h.role);
  sw_region_evict_role(c.s.r.base, c.s.r.size, h.role);
  assert_int_equal(sw_queue_ack(&q, &h, q.cell), 0); /* it has lost it */
  assert_int_equal(sw_queue_ack(&c.q, &c.s.h, c.q.cell), 1);
  assert_int_equal(sw_queue_ack(&c.q, &c.s.h, c.q.cell), 0);
  assert_true(take_number(&c) == 0);
  assert_int_equal(sw_queue_deliveries(&c.q, &c.s.h, c.q.cell), 2);
  assert_int_equal(sw_queue_ack(&c.q, &c.s.h, c.q.cell), 1);
  assert_true(taken(&c) == 1);
  assert_true(taken(&c) == 3);
  assert_true(take_number(&c) == 4);
  uint32_t last = c.q.cell;
  assert_true(take_number(&c) == -1000); /* it may come again */
  assert_int_equal(sw_queue_nack(&c.q, &c.s.h, last), 1);
  assert_int_equal(sw_queue_nack(&c.q, &c.s.h, last), 0);
  assert_true(taken(&c) == 4);
  assert_true(take_number(&c) == -1000 + SW_ECLOSED);
  close_scene(&c);
}

static void a_side_is_one_participant_until_it_ends(void **state) {
  (void)state;
  scene c;
  open_queue(&c, KINDS[1]);
  sw_queue_handle q;
  sw_heap h = other_participant(&c, &q);
  double number = 1;
  assert_int_equal(put_number(&c, 1, 0), 1);
  assert_int_equal(sw_queue_put(&q, &h, SW_MAP_NUMBER, &number, 8, 0), SW_ETAKEN);
  assert_int_equal(sw_queue_take(&q, &h, &number, 8), SW_MAP_NUMBER);
  assert_true(take_number(&c) == -1000 + SW_ETAKEN);
  sw_region_evict_role(c.s.r.base, c.s.r.size, h.role);
  assert_true(take_number(&c) == -1000);
  sw_queue_close_handle(&c.q, &c.s.h);
  assert_int_equal(sw_queue_put(&q, &h, SW_MAP_NUMBER, &number, 8, 0), 1);
  assert_int_equal(sw_queue_open(&c.q, &c.s.h, q.at, 0), SW_OK);
  close_scene(&c);
}

static void the_next_holder_ends_a_move(void **state) {
  (void)state;
  scene c;
  open_queue(&c, KINDS[5]);
  sw_queue_handle q;
  sw_heap h = other_participant(&c, &q);
  for (int i = 0; i < 3; i++) assert_int_equal(put_number(&c, i, i), 1);
  sw_queue_sorted *sorted = (sw_queue_sorted *)(void *)(c.s.r.base + c.q.rest);
  sw_queue_entry *entries = (sw_queue_entry *)(void *)(sorted + 1);
  /* a taker has died whose hole is the first place: what was there was in its hand */
  sorted->item = entries[2];
  sorted->state = (uint64_t)2 << 32 | 1;
  ((sw_queue *)(void *)(c.s.r.base + c.q.at))->waitable.object.lock.state = h.role;
  assert_int_equal(put_number(&c, 9, -1), SW_EBUSY);
  assert_int_equal(sw_endpoint_release_role(c.s.r.base, h.role), 1);
  assert_true(take_number(&c) == 1);
  assert_true(take_number(&c) == 0);
  assert_true(take_number(&c) == -1000);
  close_scene(&c);
}

/* ---- refused ---- */

static void what_is_no_queue_is_refused(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  const struct {
    sw_queue_options options;
    int status;
  } wrong[] = {
      {{.type = SW_TYPE_QUEUE}, SW_ERANGE},
      {{.type = SW_TYPE_MAP, .capacity = 1}, SW_EINVAL},
      {{.type = SW_TYPE_QUEUE, .capacity = SW_QUEUE_MOST + 1}, SW_ERANGE},
      {{.type = SW_TYPE_QUEUE, .capacity = SW_QUEUE_CELLS_MOST + 1, .flags = SW_QUEUE_ACK}, SW_ERANGE},
      {{.type = SW_TYPE_SINGLE_QUEUE, .capacity = 1, .flags = SW_QUEUE_ACK}, SW_EINVAL},
      {{.type = SW_TYPE_QUEUE, .capacity = 1, .flags = SW_QUEUE_SORTED}, SW_EINVAL},
      {{.type = SW_TYPE_PRIORITY_QUEUE, .capacity = 1}, SW_ERANGE},
      {{.type = SW_TYPE_PRIORITY_QUEUE, .capacity = 1, .levels = 65}, SW_ERANGE},
      {{.type = SW_TYPE_QUEUE, .capacity = 1, .levels = 1}, SW_ERANGE},
      {{.type = SW_TYPE_QUEUE, .capacity = SW_QUEUE_MOST}, SW_EHEAPFULL},
  };
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    assert_int_equal(sw_queue_new(&s.h, &wrong[i].options), 0);
    assert_int_equal(s.h.status, wrong[i].status);
  }
  sw_queue_handle q;
  uint32_t at = sw_queue_new(&s.h, &(sw_queue_options){.type = SW_TYPE_QUEUE, .capacity = 1}), generation;
  sw_object_type(&s.h, at, &generation);
  assert_int_equal(sw_queue_open(&q, &s.h, at, generation + 1), SW_EFREED);
  assert_int_equal(sw_queue_open(&q, &s.h, 8, 0), SW_EWILD);
  assert_int_equal(sw_queue_open(&q, &s.h, at, generation), SW_OK);
  sw_queue_handle late = q;
  assert_int_equal(sw_queue_free(&q, &s.h), SW_OK);
  assert_int_equal(sw_queue_put(&late, &s.h, SW_MAP_NULL, NULL, 0, 0), SW_EFREED);
  assert_int_equal(sw_queue_take(&late, &s.h, NULL, 0), SW_EFREED);
  assert_int_equal(sw_queue_evict_dead(&late, &s.h), SW_EFREED);
  assert_int_equal(sw_queue_free(&late, &s.h), SW_EFREED);
  heap_scene_close(&s);
}

/* ---- threads ---- */

enum { THREADS = 2, EACH = 20000 };

typedef struct party {
  scene *c;
  uint32_t number;
  uint32_t next[THREADS]; /* by producer */
  uint64_t count;
} party;

static void *produce(void *context) {
  party *p = context;
  sw_queue_handle q;
  sw_heap h = other_participant(p->c, &q);
  for (uint32_t i = 0; i < EACH;) {
    /* every third one has a block */
    double number = p->number * 1e6 + i + (i % 3 == 0 ? 0.5 : 0);
    int put = sw_queue_put(&q, &h, SW_MAP_NUMBER, &number, 8, 0);
    if (put == 1) i++;
    else if (put != 0 && put != SW_EBUSY) fail_msg("put: %d", put);
    else sched_yield();
  }
  return NULL;
}

static void *consume(void *context) {
  party *p = context;
  sw_queue_handle q;
  sw_heap h = other_participant(p->c, &q);
  for (;;) {
    double number;
    int type = sw_queue_take(&q, &h, &number, 8);
    if (type == SW_ECLOSED) return NULL;
    if (type != SW_MAP_NUMBER) {
      if (type != 0 && type != SW_EBUSY) fail_msg("take: %d", type);
      sched_yield();
      continue;
    }
    if ((q.flags & SW_QUEUE_ACK) != 0) assert_int_equal(sw_queue_ack(&q, &h, q.cell), 1);
    uint32_t producer = (uint32_t)(number / 1e6), i = (uint32_t)(number - producer * 1e6);
    assert_true(producer < THREADS && i >= p->next[producer] && i < EACH);
    p->next[producer] = i + 1;
    p->count += i;
  }
}

static void threads_lose_and_double_nothing(void **state) {
  (void)state;
  for (size_t kind = 0; kind < sizeof(KINDS) / sizeof(KINDS[0]); kind++) {
    scene c;
    sw_queue_options options = KINDS[kind];
    options.capacity = 37;
    open_queue(&c, options);
    uint32_t count = options.type == SW_TYPE_SINGLE_QUEUE ? 1 : THREADS;
    party producers[THREADS], consumers[THREADS];
    pthread_t producing[THREADS], consuming[THREADS];
    for (uint32_t i = 0; i < count; i++) {
      producers[i] = (party){.c = &c, .number = i};
      consumers[i] = (party){.c = &c, .number = i};
      assert_int_equal(pthread_create(&consuming[i], NULL, consume, &consumers[i]), 0);
      assert_int_equal(pthread_create(&producing[i], NULL, produce, &producers[i]), 0);
    }
    for (uint32_t i = 0; i < count; i++) pthread_join(producing[i], NULL);
    assert_int_equal(sw_queue_close(&c.q, &c.s.h), SW_OK);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
      pthread_join(consuming[i], NULL);
      sum += consumers[i].count;
    }
    assert_int_equal(sum, (uint64_t)count * EACH * (EACH - 1) / 2);
    assert_int_equal(sw_queue_check(&c.q, &c.s.h), SW_OK);
    heap_scene_close(&c.s);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_come_out_in_their_order),
      cmocka_unit_test(a_closed_queue_is_drained_first),
      cmocka_unit_test(a_full_queue_has_room_for_its_end),
      cmocka_unit_test(values_of_any_length_come_out_whole),
      cmocka_unit_test(small_values_take_no_block),
      cmocka_unit_test(large_blocks_are_used_again),
      cmocka_unit_test(many_are_put_and_taken_at_once),
      cmocka_unit_test(levels_come_by_urgency),
      cmocka_unit_test(any_priority_is_stable),
      cmocka_unit_test(what_a_dead_consumer_held_comes_again),
      cmocka_unit_test(one_that_waits_gives_back_what_the_dead_have),
      cmocka_unit_test(a_side_is_one_participant_until_it_ends),
      cmocka_unit_test(the_next_holder_ends_a_move),
      cmocka_unit_test(what_is_no_queue_is_refused),
      cmocka_unit_test(threads_lose_and_double_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
