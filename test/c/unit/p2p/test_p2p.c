/* Queues between peers: what is written is read; a full queue refuses; sides that are like others'
 * programs lose nothing of ours; wrong sizes, counts and indices are passed over and counted. */
#include <pthread.h>
#include <sched.h>

#include "../helper.h"
#include "sabway/p2p.h"

enum { SLOTS = 5, MEMORY = 2 * (16 + SLOTS * 1024) };

typedef struct queue {
  uint32_t *memory;
  sw_p2p_options options;
  sw_p2p_header *header;
  sw_p2p_writer w;
  sw_p2p_reader r;
} queue;

static void queue_reopen(queue *q) {
  assert_int_equal(sw_p2p_open_writer(&q->w, q->memory, MEMORY, &q->options, SW_P2P_INCOMING), SW_OK);
  assert_int_equal(sw_p2p_open_reader(&q->r, q->memory, MEMORY, &q->options, SW_P2P_INCOMING), SW_OK);
}

/* Freed memory behind the queue is found by AddressSanitizer. */
static void queue_open(queue *q) {
  *q = (queue){.options = {.slots = SLOTS}};
  assert_int_equal(sw_p2p_bytes(&q->options), MEMORY);
  q->memory = malloc(MEMORY);
  assert_non_null(q->memory);
  assert_int_equal(sw_p2p_format(q->memory, MEMORY, &q->options), SW_OK);
  q->header = (sw_p2p_header *)(void *)q->memory;
  queue_reopen(q);
}

static void queue_close(queue *q) { free(q->memory); }

static int put(queue *q, uint32_t n) { return sw_p2p_write(&q->w, "peer", 4, n, 0, &n, sizeof(n)); }

/* The next message is number n. */
static void expect(queue *q, uint32_t n) {
  sw_p2p_message m;
  assert_int_equal(sw_p2p_peek(&q->r, &m), 1);
  assert_int_equal(m.channel, n);
  assert_int_equal(m.length, sizeof(n));
  assert_memory_equal(m.data, &n, sizeof(n));
  sw_p2p_consume(&q->r);
}

static void expect_none(queue *q) {
  sw_p2p_message m;
  assert_int_equal(sw_p2p_peek(&q->r, &m), 0);
  assert_int_equal(sw_p2p_pending(&q->r), 0);
}

static uint32_t *slot(queue *q, uint32_t index) { return q->memory + (2 * 16 + index * 1024) / 4; }

/* ---- sides as others write them: they know the offsets, and no more ---- */

static int others_write(queue *q, uint32_t n) {
  sw_p2p_header *h = q->header;
  uint32_t index = h->write_index, count = h->message_count;
  if (count >= SLOTS) return 0;
  uint32_t *to = slot(q, index);
  to[0] = 40 + sizeof(n);
  memset(to + 1, 0, 32);
  to[9] = n;
  to[10] = sizeof(n);
  to[11] = n;
  h->write_index = (index + 1) % SLOTS;
  h->message_count = count + 1;
  return 1;
}

/* The number of the message, or 0. */
static uint32_t others_read(queue *q) {
  sw_p2p_header *h = q->header;
  if (h->message_count == 0) return 0;
  uint32_t index = h->read_index, size = slot(q, index)[0];
  if (size == 0 || size > 1020) return 0;
  uint32_t n = slot(q, index)[9];
  h->read_index = (index + 1) % SLOTS;
  h->message_count -= 1;
  return n;
}

/* ---- options ---- */

static void sizes_follow_the_options(void **state) {
  (void)state;
  sw_p2p_options usual = {0}, timed = {.slots = 2, .slot_bytes = 512, .version = SW_P2P_TIMED, .single = 1};
  assert_int_equal(sw_p2p_bytes(&usual), 2 * (16 + 256 * 1024));
  assert_int_equal(sw_p2p_most(&usual), 1024 - 4 - 40);
  assert_int_equal(sw_p2p_bytes(&timed), 16 + 2 * 512);
  assert_int_equal(sw_p2p_most(&timed), 512 - 4 - 48);
}

static void impossible_options_are_refused(void **state) {
  (void)state;
  static const sw_p2p_options WRONG[] = {{.slots = 1},        {.slots = SW_P2P_SLOTS_MOST + 1},
                                         {.slot_bytes = 500}, {.slot_bytes = 2048},
                                         {.version = 3},      {.single = 2}};
  static uint32_t memory[MEMORY / 4];
  for (size_t i = 0; i < sizeof(WRONG) / sizeof(*WRONG); i++) {
    assert_int_equal(sw_p2p_bytes(&WRONG[i]), 0);
    assert_int_equal(sw_p2p_most(&WRONG[i]), 0);
    assert_int_equal(sw_p2p_format(memory, MEMORY, &WRONG[i]), SW_ERANGE);
  }
}

static void a_place_that_cannot_be_is_refused(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  sw_p2p_options single = {.slots = SLOTS, .single = 1};
  assert_int_equal(sw_p2p_format(q.memory, MEMORY - 1, &q.options), SW_ESIZE);
  assert_int_equal(sw_p2p_format((uint8_t *)q.memory + 2, MEMORY, &q.options), SW_EINVAL);
  assert_int_equal(sw_p2p_format(NULL, MEMORY, &q.options), SW_EINVAL);
  assert_int_equal(sw_p2p_open_reader(&q.r, q.memory, MEMORY, &q.options, 2), SW_ERANGE);
  assert_int_equal(sw_p2p_open_reader(&q.r, q.memory, MEMORY, &single, SW_P2P_OUTGOING), SW_ERANGE);
  q.options.version = SW_P2P_TIMED;
  assert_int_equal(sw_p2p_open_writer(&q.w, q.memory, MEMORY, &q.options, 0), SW_ELAYOUT);
  q.header->version = 0; /* written by a program that knows none */
  assert_int_equal(sw_p2p_open_writer(&q.w, q.memory, MEMORY, &q.options, 0), SW_OK);
  q.header->read_index = SLOTS;
  assert_int_equal(sw_p2p_open_writer(&q.w, q.memory, MEMORY, &q.options, 0), SW_ECORRUPT);
  queue_close(&q);
}

/* ---- writing and reading ---- */

static void messages_arrive_in_order(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  uint32_t written = 0, seen = 0;
  for (uint32_t round = 0; round < 40; round++) {
    for (uint32_t i = 0; i <= round % (SLOTS - 1); i++) assert_int_equal(put(&q, ++written), SW_OK);
    assert_int_equal(sw_p2p_pending(&q.r), written - seen);
    assert_int_equal(q.header->message_count, written - seen);
    while (seen < written) expect(&q, ++seen);
    expect_none(&q);
    assert_int_equal(sw_p2p_check(q.memory, MEMORY, &q.options, SW_P2P_INCOMING), SW_OK);
  }
  queue_close(&q);
}

static void a_full_queue_refuses(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  uint32_t n = 0;
  while (put(&q, n + 1) == SW_OK) n++;
  assert_int_equal(n, SLOTS - 1);
  assert_int_equal(put(&q, 99), SW_EFULL);
  assert_int_equal(q.w.refused, 2);
  assert_int_equal(sw_p2p_room(&q.w), 0);
  for (uint32_t i = 1; i <= n; i++) expect(&q, i);
  expect_none(&q);
  assert_int_equal(sw_p2p_room(&q.w), SLOTS - 1);
  queue_close(&q);
}

static void a_message_is_as_long_as_a_slot_or_too_long(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  static uint8_t data[1000];
  uint32_t most = sw_p2p_most(&q.options);
  for (uint32_t i = 0; i < most; i++) data[i] = pattern_byte(1, i);
  assert_int_equal(sw_p2p_write(&q.w, "", 0, 0, 0, data, most + 1), SW_ETOOBIG);
  assert_int_equal(sw_p2p_write(&q.w, data, SW_P2P_FROM + 1, 0, 0, data, 1), SW_EINVAL);
  assert_int_equal(sw_p2p_write(&q.w, data, SW_P2P_FROM, 0, 0, data, most), SW_OK);
  sw_p2p_message m;
  assert_int_equal(sw_p2p_peek(&q.r, &m), 1);
  assert_int_equal(m.length, most);
  assert_memory_equal(m.data, data, most);
  assert_memory_equal(m.from, data, SW_P2P_FROM);
  queue_close(&q);
}

static void a_message_is_filled_in_place(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  assert_int_equal(sw_p2p_commit(&q.w, "a", 1, 0, 0, 0), SW_ESTATE);
  assert_null(sw_p2p_reserve(&q.w, sw_p2p_most(&q.options) + 1));
  uint8_t *room = sw_p2p_reserve(&q.w, 8);
  assert_non_null(room);
  memcpy(room, "12345678", 8);
  assert_int_equal(sw_p2p_commit(&q.w, "a", 1, 3, 0, 9), SW_ETOOBIG);
  assert_int_equal(sw_p2p_commit(&q.w, room, SW_P2P_FROM + 1, 3, 0, 5), SW_EINVAL);
  expect_none(&q);
  assert_int_equal(sw_p2p_commit(&q.w, "a", 1, 3, 0, 5), SW_OK);
  assert_int_equal(sw_p2p_commit(&q.w, "a", 1, 3, 0, 5), SW_ESTATE);
  sw_p2p_message m;
  assert_int_equal(sw_p2p_peek(&q.r, &m), 1);
  assert_int_equal(m.length, 5);
  assert_memory_equal(m.data, "12345", 5);
  assert_int_equal(sw_p2p_peek(&q.r, &m), 1); /* the same */
  sw_p2p_consume(&q.r);
  sw_p2p_consume(&q.r); /* nothing was looked at */
  assert_int_equal(q.header->read_index, 1);
  queue_close(&q);
}

static void a_timestamp_has_64_bits(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  q.options.version = SW_P2P_TIMED;
  assert_int_equal(sw_p2p_format(q.memory, MEMORY, &q.options), SW_OK);
  queue_reopen(&q);
  assert_int_equal(sw_p2p_write(&q.w, "a", 1, 3, 0x123456789abcdef0, "xy", 2), SW_OK);
  sw_p2p_message m;
  assert_int_equal(sw_p2p_peek(&q.r, &m), 1);
  assert_true(m.timestamp == 0x123456789abcdef0);
  assert_memory_equal(m.data, "xy", 2);
  q.options.version = 0; /* as the memory has it */
  queue_reopen(&q);
  assert_int_equal(sw_p2p_peek(&q.r, &m), 1);
  assert_true(m.timestamp == 0x123456789abcdef0);
  assert_memory_equal(m.data, "xy", 2);
  q.header->version = 3;
  assert_int_equal(sw_p2p_open_reader(&q.r, q.memory, MEMORY, &q.options, 0), SW_ELAYOUT);
  queue_close(&q);
}

/* ---- others' sides ---- */

static void others_read_what_is_written(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  uint32_t written = 0, seen = 0;
  for (int round = 0; round < 20; round++) {
    while (put(&q, written + 1) == SW_OK) written++;
    while (seen < written) assert_int_equal(others_read(&q), ++seen);
    assert_int_equal(others_read(&q), 0);
  }
  assert_int_equal(q.w.side.repaired, 0);
  queue_close(&q);
}

static void others_fill_every_slot(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  uint32_t written = 0, seen = 0;
  for (int round = 0; round < 20; round++) {
    while (others_write(&q, written + 1)) written++;
    assert_int_equal(written - seen, SLOTS);
    assert_int_equal(sw_p2p_pending(&q.r), SLOTS);
    while (seen < written) expect(&q, ++seen);
    expect_none(&q);
  }
  queue_close(&q);
}

static void one_that_others_have_filled_is_continued(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  for (uint32_t n = 1; n <= SLOTS; n++) assert_int_equal(others_write(&q, n), 1);
  queue_reopen(&q);
  assert_int_equal(sw_p2p_room(&q.w), 0);
  assert_int_equal(put(&q, 99), SW_EFULL);
  for (uint32_t n = 1; n <= SLOTS; n++) assert_int_equal(others_read(&q), n);
  assert_int_equal(sw_p2p_room(&q.w), SLOTS - 1); /* the index is the same again */
  assert_int_equal(put(&q, 6), SW_OK);
  expect(&q, 6);
  queue_close(&q);
}

/* A reader that writes back a count that it read before. */
static void a_count_that_is_too_low_is_put_right(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  for (uint32_t n = 1; n <= 2; n++) put(&q, n);
  q.header->message_count = 0;
  assert_int_equal(others_read(&q), 0);
  assert_int_equal(sw_p2p_writer_repair(&q.w), 0); /* it may be wrong for a moment */
  assert_int_equal(sw_p2p_writer_repair(&q.w), 1);
  assert_int_equal(sw_p2p_writer_repair(&q.w), 0);
  assert_int_equal(q.w.side.repaired, 1);
  assert_int_equal(q.header->message_count, 2);
  assert_int_equal(others_read(&q), 1);
  /* so it is by those that write */
  q.header->message_count = 0;
  put(&q, 3);
  put(&q, 4);
  assert_int_equal(q.header->message_count, 3);
  for (uint32_t n = 2; n <= 4; n++) assert_int_equal(others_read(&q), n);
  queue_close(&q);
}

static void no_old_message_comes_of_a_count_that_is_too_high(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  uint32_t n = 0;
  for (; n < 2 * SLOTS; n++) {
    others_write(&q, n + 1);
    expect(&q, n + 1);
  }
  q.header->message_count = SLOTS;
  assert_int_equal(others_write(&q, 99), 0); /* it takes the queue for full */
  expect_none(&q);
  expect_none(&q);
  assert_int_equal(q.r.side.repaired, 1);
  assert_int_equal(q.header->message_count, 0);
  others_write(&q, n + 1);
  q.header->message_count = SLOTS - 1;
  expect(&q, n + 1);
  expect_none(&q);
  queue_close(&q);
}

static void an_old_count_makes_a_writer_overwrite_nothing(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  for (uint32_t count = 0; count < 2 * SLOTS; count++) {
    while (put(&q, 7) == SW_OK) {
    }
    q.header->message_count = count;
    for (int i = 0; i < 3; i++) assert_int_equal(put(&q, 99), SW_EFULL);
    for (int i = 0; i < SLOTS - 1; i++) expect(&q, 7);
    expect_none(&q);
  }
  queue_close(&q);
}

static void what_a_death_leaves_in_the_count_is_put_right_when_opened(void **state) {
  (void)state;
  for (uint32_t count = 0; count < 4; count++) {
    queue q;
    queue_open(&q);
    for (uint32_t n = 1; n <= 2; n++) put(&q, n);
    q.header->message_count = count;
    queue_reopen(&q);
    assert_int_equal(q.header->message_count, 2);
    expect(&q, 1);
    expect(&q, 2);
    queue_close(&q);
  }
}

/* ---- what cannot be right ---- */

static void wrong_sizes_are_skipped_and_counted(void **state) {
  (void)state;
  static const uint32_t SIZES[] = {0, 1, 39, 1021, UINT32_MAX, 0x80000000};
  queue q;
  queue_open(&q);
  for (uint32_t i = 0; i < sizeof(SIZES) / sizeof(*SIZES); i++) {
    uint32_t at = q.header->write_index;
    put(&q, 1);
    put(&q, 2);
    slot(&q, at)[0] = SIZES[i];
    expect(&q, 2);
    assert_int_equal(q.r.skipped, 2 * i + 1);
    at = q.header->write_index;
    put(&q, 1);
    put(&q, 2);
    slot(&q, at)[10] = 5; /* longer than the message */
    expect(&q, 2);
    expect_none(&q);
    assert_int_equal(q.r.skipped, 2 * i + 2);
  }
  queue_close(&q);
}

static void data_may_be_shorter_than_the_message(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  put(&q, 1);
  slot(&q, 0)[0] = 1020;
  expect(&q, 1);
  assert_int_equal(q.r.skipped, 0);
  queue_close(&q);
}

static void impossible_indices_are_passed_over(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  put(&q, 1);
  put(&q, 2);
  uint32_t write = q.header->write_index, read = q.header->read_index;
  for (uint32_t wrong = SLOTS; wrong != 0; wrong = wrong << 3) {
    q.header->write_index = wrong;
    expect_none(&q);
    q.header->write_index = write;
    q.header->read_index = wrong;
    assert_int_equal(sw_p2p_room(&q.w), SLOTS - 3);
  }
  q.header->read_index = 3; /* what was not written cannot have been read */
  assert_int_equal(sw_p2p_room(&q.w), SLOTS - 3);
  assert_true(q.w.side.bad > 0 && q.r.side.bad > 0);
  q.header->read_index = read;
  expect(&q, 1);
  expect(&q, 2);
  assert_int_equal(sw_p2p_room(&q.w), SLOTS - 1);
  queue_close(&q);
}

static void a_wrong_writers_index_shows_no_more_than_slots(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  put(&q, 1);
  q.header->write_index = SLOTS - 1;
  expect(&q, 1);
  expect_none(&q);
  assert_int_equal(q.r.skipped, SLOTS - 2);
  queue_close(&q);
}

/* ---- threads ---- */

enum { MANY = 100000 };

static void *write_many(void *argument) {
  queue *q = argument;
  for (uint32_t n = 1; n <= MANY;) {
    if (put(q, n) == SW_OK) n++;
    else sched_yield();
  }
  return NULL;
}

static void threads_lose_nothing(void **state) {
  (void)state;
  queue q;
  queue_open(&q);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, write_many, &q), 0);
  uint32_t wrong = 0;
  for (uint32_t n = 1; n <= MANY;) {
    sw_p2p_message m;
    if (!sw_p2p_peek(&q.r, &m)) {
      sched_yield();
      continue;
    }
    uint32_t number;
    memcpy(&number, m.data, sizeof(number));
    wrong += m.channel != n || m.length != sizeof(n) || number != n;
    sw_p2p_consume(&q.r);
    n++;
  }
  pthread_join(thread, NULL);
  assert_int_equal(wrong, 0);
  expect_none(&q);
  expect_none(&q); /* the second look puts the count right */
  assert_int_equal(q.header->message_count, 0);
  assert_int_equal(q.r.skipped + q.r.side.bad + q.w.side.bad, 0);
  queue_close(&q);
}

TESTS(TEST(sizes_follow_the_options), TEST(impossible_options_are_refused), TEST(a_place_that_cannot_be_is_refused),
      TEST(messages_arrive_in_order), TEST(a_full_queue_refuses), TEST(a_message_is_as_long_as_a_slot_or_too_long),
      TEST(a_message_is_filled_in_place), TEST(a_timestamp_has_64_bits), TEST(others_read_what_is_written),
      TEST(others_fill_every_slot), TEST(one_that_others_have_filled_is_continued),
      TEST(a_count_that_is_too_low_is_put_right), TEST(no_old_message_comes_of_a_count_that_is_too_high),
      TEST(an_old_count_makes_a_writer_overwrite_nothing),
      TEST(what_a_death_leaves_in_the_count_is_put_right_when_opened), TEST(wrong_sizes_are_skipped_and_counted),
      TEST(data_may_be_shorter_than_the_message), TEST(impossible_indices_are_passed_over),
      TEST(a_wrong_writers_index_shows_no_more_than_slots), TEST(threads_lose_nothing));
