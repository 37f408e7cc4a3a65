/* Ready sets: which slots are marked, in what order they come out, and what each ring marks. */
#include "../helper.h"

#include "sabway/mutex.h"
#include "sabway/ready.h"

enum { MOST = SW_READY_SLOTS };

static uint32_t taken[MOST];

static sw_ready *set_of(const region *r, uint32_t index) { return (sw_ready *)(void *)(r->base + SW_READY_AT) + index; }

/* Exactly these slots are marked. Takes them. */
#define assert_marked(r, index, ...) \
  assert_slots((r), (index), (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)
#define assert_unmarked(r, index) assert_slots((r), (index), NULL, 0)

static void assert_slots(const region *r, uint32_t index, const uint32_t *slots, size_t count) {
  assert_int_equal(sw_ready_take(r->base, index, taken, MOST), count);
  for (size_t i = 0; i < count; i++) assert_int_equal(taken[i], slots[i]);
  assert_int_equal(sw_ready_some(r->base, index), 0);
}

static void takes_what_was_marked(void **state) {
  (void)state;
  region r = region_new(SW_RING_MIN, SW_RING_MIN);
  assert_unmarked(&r, 3);
  const uint32_t slots[] = {4095, 0, 64, 63, 2, 64, 2048};
  for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) sw_ready_mark(r.base, 3, slots[i]);
  assert_int_equal(sw_ready_some(r.base, 3), 1);
  assert_marked(&r, 3, 0, 2, 63, 64, 2048, 4095);
  assert_unmarked(&r, 3);
  assert_unmarked(&r, 2);
  assert_unmarked(&r, 4);
  region_free(&r);
}

static void takes_every_slot(void **state) {
  (void)state;
  region r = region_new(SW_RING_MIN, SW_RING_MIN);
  for (uint32_t slot = 0; slot < MOST; slot++) sw_ready_mark(r.base, SW_ENDPOINTS - 1, slot);
  assert_int_equal(sw_ready_take(r.base, SW_ENDPOINTS - 1, taken, MOST), MOST);
  for (uint32_t slot = 0; slot < MOST; slot++) assert_int_equal(taken[slot], slot);
  assert_unmarked(&r, SW_ENDPOINTS - 1);
  /* the last set ends where the instances begin */
  for (uint32_t i = 0; i < SW_INSTANCE_BYTES; i++) assert_int_equal(r.base[SW_INSTANCES_AT + i], 0);
  region_free(&r);
}

static void leaves_what_does_not_fit(void **state) {
  (void)state;
  region r = region_new(SW_RING_MIN, SW_RING_MIN);
  const uint32_t slots[] = {5, 6, 7, 70, 700};
  for (size_t i = 0; i < 5; i++) sw_ready_mark(r.base, 0, slots[i]);
  assert_int_equal(sw_ready_take(r.base, 0, taken, 0), 0);
  assert_int_equal(sw_ready_some(r.base, 0), 1);
  for (uint32_t most = 1, at = 0; at < 5; at += most, most++) {
    uint32_t got = sw_ready_take(r.base, 0, taken, most);
    assert_int_equal(got, at + most > 5 ? 5 - at : most);
    for (uint32_t i = 0; i < got; i++) assert_int_equal(taken[i], slots[at + i]);
    assert_int_equal(sw_ready_some(r.base, 0), at + got < 5);
  }
  region_free(&r);
}

/* A slot that no set has stands for everything. */
static void bounds_the_slot(void **state) {
  (void)state;
  region r = region_new(SW_RING_MIN, SW_RING_MIN);
  const uint32_t slots[] = {SW_READY_SLOTS, SW_READY_SLOTS + 1, 0x80000000u, UINT32_MAX};
  for (size_t i = 0; i < 4; i++) {
    sw_ready_mark(r.base, 0, slots[i]);
    assert_marked(&r, 0, SW_READY_ALL);
  }
  region_free(&r);
}

/* What a waker that died in the middle has left. */
static void completes_half_a_mark(void **state) {
  (void)state;
  region r = region_new(SW_RING_MIN, SW_RING_MIN);
  set_of(&r, 0)->word[1] = 1u << 3;
  assert_int_equal(sw_ready_some(r.base, 0), 0);
  sw_ready_mark(r.base, 0, 67);
  assert_marked(&r, 0, 67);
  set_of(&r, 0)->some = 1u << 5; /* a bit for a word without any */
  assert_unmarked(&r, 0);
  region_free(&r);
}

/* A set that is full of marks stays as it is: no cache line is taken from the owner. */
static void marks_once(void **state) {
  (void)state;
  region r = region_new(SW_RING_MIN, SW_RING_MIN);
  sw_ready_mark(r.base, 0, 9);
  sw_ready before = *set_of(&r, 0);
  sw_ready_mark(r.base, 0, 9);
  assert_memory_equal(&before, set_of(&r, 0), sizeof(before));
  region_free(&r);
}

/* ---- what each ring marks ---- */

static void idle(pair *t, uint32_t slot) { sw_consumer_set_slot(&t->c, slot); }

/* Sleeps, is rung by `ring`, and wakes. */
static bool is_rung(pair *t, uint32_t index, int how, void (*ring)(pair *)) {
  sw_endpoint_arm(t->r.base, index, (uint32_t)how);
  ring(t);
  bool armed = sw_endpoint_is_armed(t->r.base, index) != 0;
  sw_endpoint_disarm(t->r.base, index);
  return !armed;
}

static void send(pair *t) { assert_int_equal(sw_producer_send(&t->p, "12345678", 8), SW_OK); }

static void message_marks_an_idle_consumer(void **state) {
  (void)state;
  pair t;
  pair_open(&t, SW_RING_MIN);
  assert_true(is_rung(&t, t.reader, SW_SLEEP_FUTEX, send));
  assert_unmarked(&t.r, t.reader); /* not idle */
  idle(&t, 7);
  send(&t); /* awake */
  assert_marked(&t.r, t.reader, 7);
  assert_true(is_rung(&t, t.reader, SW_SLEEP_FUTEX, send));
  assert_false(is_rung(&t, t.reader, SW_SLEEP_FUTEX | SW_SLEEP_QUIET, send));
  assert_marked(&t.r, t.reader, 7);
  idle(&t, 0);
  send(&t);
  assert_unmarked(&t.r, t.reader);
  assert_unmarked(&t.r, t.writer);
  pair_close(&t);
}

static void close_stream(pair *t) { sw_producer_close(&t->p); }

static void quiet_consumer_hears_of_the_end_only(void **state) {
  (void)state;
  const uint32_t slots[] = {0, 9};
  for (size_t i = 0; i < 2; i++) {
    pair t;
    pair_open(&t, SW_RING_MIN);
    idle(&t, slots[i] | SW_SLOT_QUIET);
    assert_false(is_rung(&t, t.reader, SW_SLEEP_FUTEX, send));
    assert_unmarked(&t.r, t.reader);
    assert_true(is_rung(&t, t.reader, SW_SLEEP_FUTEX, close_stream));
    if (slots[i] != 0) assert_marked(&t.r, t.reader, 9);
    assert_unmarked(&t.r, t.reader);
    pair_close(&t);
  }
}

static void release(pair *t) {
  sw_slice slice;
  while (sw_consumer_peek(&t->c, &slice) == 1) {
  }
  sw_consumer_release(&t->c);
}

static void stop_reading(pair *t) { sw_consumer_close(&t->c); }

static void producer_hears_of_room_and_the_end(void **state) {
  (void)state;
  pair t;
  pair_open(&t, SW_RING_MIN);
  while (sw_producer_send(&t.p, "12345678", 8) == SW_OK) {
  }
  sw_producer_set_slot(&t.p, 4095);
  assert_int_equal(sw_producer_want_space(&t.p, 1000), 0);
  assert_true(is_rung(&t, t.writer, SW_SLEEP_FUTEX, release));
  assert_marked(&t.r, t.writer, 4095);
  assert_true(is_rung(&t, t.writer, SW_SLEEP_FUTEX, stop_reading));
  assert_marked(&t.r, t.writer, 4095);
  pair_close(&t);
}

/* A slot word that another holder wrote, or nonsense, leads to a look at everything: no message
 * is lost. */
static void other_slot_words_mark_everything(void **state) {
  (void)state;
  pair t;
  pair_open(&t, SW_RING_MIN);
  const uint32_t words[] = {0,
                            7,
                            0xffffffffu,
                            sw_slot_word(t.p.role, 0),
                            sw_slot_word(t.p.role, 5),
                            sw_slot_word(t.c.role + 0x100, SW_SLOT_QUIET)};
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    t.ring->consumer_slot = words[i];
    assert_true(is_rung(&t, t.reader, SW_SLEEP_FUTEX, send));
    assert_marked(&t.r, t.reader, SW_READY_ALL);
  }
  pair_close(&t);
}

static void ring_native_side(pair *t) { sw_channel_ring_holders(t->r.base, t->r.size, SW_HEAP_AT, SW_NATIVE); }

static void take_begins_without_a_slot(void **state) {
  (void)state;
  pair t;
  pair_open(&t, SW_RING_MIN);
  idle(&t, 12 | SW_SLOT_QUIET);
  sw_producer_set_slot(&t.p, 13);
  sw_consumer_leave(&t.c);
  sw_producer_leave(&t.p);
  pair_attach(&t);
  assert_int_equal(t.ring->consumer_slot, sw_slot_word(t.c.role, 0));
  assert_int_equal(t.ring->producer_slot, sw_slot_word(t.p.role, 0));
  assert_true(is_rung(&t, t.reader, SW_SLEEP_FUTEX, send));
  assert_unmarked(&t.r, t.reader);
  pair_close(&t);
}

static void holders_are_rung_by_their_slots(void **state) {
  (void)state;
  pair t;
  pair_open(&t, SW_RING_MIN);
  sw_producer back;
  assert_int_equal(sw_channel_open_producer(&back, t.r.base, t.r.size, SW_HEAP_AT, 0, SW_NATIVE, t.reader), SW_OK);
  idle(&t, 20 | SW_SLOT_QUIET);
  sw_producer_set_slot(&back, 21);
  sw_producer_set_slot(&t.p, 22);
  assert_true(is_rung(&t, t.reader, SW_SLEEP_FUTEX | SW_SLEEP_QUIET, ring_native_side));
  assert_marked(&t.r, t.reader, 20, 21);
  assert_unmarked(&t.r, t.writer);
  sw_channel_ring_holders(t.r.base, t.r.size, SW_HEAP_AT, SW_RENDERER);
  assert_marked(&t.r, t.writer, 22);
  sw_channel_ring_holders(t.r.base, t.r.size, SW_HEAP_AT, 2);
  sw_channel_ring_holders(t.r.base, t.r.size, SW_HEAP_AT + 4, SW_NATIVE);
  assert_unmarked(&t.r, t.writer);
  assert_unmarked(&t.r, t.reader);
  pair_close(&t);
}

static void evict_writer(pair *t) { sw_channel_evict(t->r.base, t->r.size, SW_HEAP_AT, t->writer); }
static void evict_reader(pair *t) {
  sw_channel_evict_role(t->r.base, t->r.size, SW_HEAP_AT, sw_endpoint_role(t->r.base, t->reader));
}

static void eviction_marks_peers(void **state) {
  (void)state;
  pair t;
  pair_open(&t, SW_RING_MIN);
  idle(&t, 30);
  uint32_t rings = *sw_endpoint_doorbell(t.r.base, t.reader);
  evict_writer(&t);
  /* awake, and rung all the same */
  assert_int_equal(*sw_endpoint_doorbell(t.r.base, t.reader), rings + 1);
  assert_marked(&t.r, t.reader, 30);
  assert_unmarked(&t.r, t.writer);
  evict_reader(&t); /* it may live, and has no slot there any more */
  assert_marked(&t.r, t.reader, SW_READY_ALL);
  pair_close(&t);
}

static void others_mark_everything(void **state) {
  (void)state;
  pair t;
  pair_open(&t, SW_RING_MIN);
  sw_endpoint_ring(t.r.base, t.c.role); /* awake */
  assert_marked(&t.r, t.reader, SW_READY_ALL);
  sw_endpoint_wake_always(t.r.base, t.c.role);
  assert_marked(&t.r, t.reader, SW_READY_ALL);
  const uint32_t bad[] = {0, SW_ROLE_GONE, t.c.role | SW_ROLE_GONE, SW_ENDPOINTS + 1, UINT32_MAX};
  for (size_t i = 0; i < 5; i++) sw_endpoint_ring(t.r.base, bad[i]);
  for (size_t i = 0; i < 5; i++) sw_endpoint_wake_always(t.r.base, bad[i]);
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) assert_unmarked(&t.r, i);
  pair_close(&t);
}

static void mutexes_have_a_slot(void **state) {
  (void)state;
  pair t;
  pair_open(&t, SW_RING_MIN);
  sw_mutex mutex = {0};
  assert_int_equal(sw_mutex_try_lock(t.r.base, &mutex, t.writer), SW_OK);
  sw_mutex_begin_wait(t.r.base, &mutex, t.reader);
  assert_int_equal(sw_mutex_try_lock(t.r.base, &mutex, t.reader), SW_EBUSY);
  assert_int_equal(sw_mutex_unlock(t.r.base, &mutex, t.writer), SW_OK);
  assert_marked(&t.r, t.reader, SW_READY_MUTEXES);
  assert_unmarked(&t.r, t.writer);
  pair_close(&t);
}

/* ---- threads: no mark is lost ---- */

enum { MARKERS = 3, ROUNDS = 20000 };

static struct racing {
  region r;
  uint32_t sent[MARKERS][2]; /* two slots of each marker: one word shared by all, one of its own */
} racing;

static uint32_t slot_of(uint32_t marker, uint32_t which) { return which == 0 ? 2 + marker : 64 * (marker + 1); }

static void mark_again_and_again(void *argument) {
  uint32_t marker = (uint32_t)(uintptr_t)argument;
  for (uint32_t round = 1; round <= ROUNDS; round++) {
    uint32_t which = round % 2;
    sw_store_release(&racing.sent[marker][which], round);
    sw_fence_handshake();
    sw_ready_mark(racing.r.base, 0, slot_of(marker, which));
  }
}

static void races_lose_no_mark(void **state) {
  (void)state;
  racing.r = region_new(SW_RING_MIN, SW_RING_MIN);
  memset(racing.sent, 0, sizeof(racing.sent));
  sw_prim_thread threads[MARKERS];
  uint32_t seen[MARKERS][2] = {{0}};
  for (uint32_t i = 0; i < MARKERS; i++)
    assert_int_equal(sw_prim_thread_start(&threads[i], "marker", mark_again_and_again, (void *)(uintptr_t)i), SW_OK);
  for (bool done = false; !done;) {
    uint32_t slots[2];
    for (uint32_t got; (got = sw_ready_take(racing.r.base, 0, slots, 2)) != 0;) {
      for (uint32_t i = 0; i < got; i++) {
        uint32_t marker = slots[i] < 64 ? slots[i] - 2 : slots[i] / 64 - 1, which = slots[i] < 64 ? 0 : 1;
        assert_int_equal(slot_of(marker, which), slots[i]);
        seen[marker][which] = sw_load_acquire(&racing.sent[marker][which]);
      }
    }
    done = true;
    for (uint32_t i = 0; i < MARKERS; i++) done = done && seen[i][0] == ROUNDS && seen[i][1] == ROUNDS - 1;
  }
  for (uint32_t i = 0; i < MARKERS; i++) sw_prim_thread_join(&threads[i]);
  assert_unmarked(&racing.r, 0);
  region_free(&racing.r);
}

TESTS(TEST(takes_what_was_marked), TEST(takes_every_slot), TEST(leaves_what_does_not_fit), TEST(bounds_the_slot),
      TEST(completes_half_a_mark), TEST(marks_once), TEST(message_marks_an_idle_consumer),
      TEST(quiet_consumer_hears_of_the_end_only), TEST(producer_hears_of_room_and_the_end),
      TEST(other_slot_words_mark_everything), TEST(take_begins_without_a_slot), TEST(holders_are_rung_by_their_slots),
      TEST(eviction_marks_peers), TEST(others_mark_everything), TEST(mutexes_have_a_slot), TEST(races_lose_no_mark));
