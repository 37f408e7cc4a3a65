/* Queues of any number of producers and consumers, and of one each: values come out once and in
 * their order, with what they lead to, also when a participant dies; a closed queue is drained; one
 * that waits is woken; and of a queue that is freed, no value is freed twice. */
#include "scenes_queue.h"

#include <string.h>

#include "sabway/object.h"

struct queue_world g;

static uint8_t *base(void) { return model_region(); }
static uint8_t *word_of(uint32_t value) { return base() + g.data + (size_t)4 * value; }
sw_queue *queue_block(void) { return (sw_queue *)(void *)(base() + g.at); }

void queue_make(sw_queue_options options) {
  world_empty();
  world_mark();
  memset(&g, 0, sizeof(g));
  model_snapshot(&g, sizeof(g));
  model_check(sw_region_format_empty(base(), MODEL_REGION_PAGES, SW_HEAP_AT) == SW_OK);
  model_check(sw_heap_format(base(), SW_HEAP_AT, REGION_BYTES) == SW_OK);
  for (uint32_t i = 0; i < 3; i++) {
    model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
    model_check(sw_heap_open(&g.heap[i], base(), REGION_BYTES, SW_HEAP_AT, i) == SW_OK);
    g.heap[i].shares = 0; /* slabs have owners, as in a large heap */
  }
  g.data = sw_heap_alloc(&g.heap[2], 64);
  g.at = sw_queue_new(&g.heap[2], &options);
  model_check(g.data != 0 && g.at != 0);
  for (uint32_t i = 0; i < 3; i++) model_check(sw_queue_open(&g.q[i], &g.heap[i], g.at, 0) == SW_OK);
}

/* finish writes, too */
void queue_ready(void) { model_snapshot(base() + SW_HEAP_AT, REGION_BYTES - SW_HEAP_AT); }

int queue_put(int thread, uint32_t value, double priority) {
  model_data_write(word_of(value), value);
  int put = swi_queue_put_word(&g.q[thread], &g.heap[thread], value << 4 | SW_QUEUE_INTEGER, priority);
  if (put == 0) model_mark(FULL);
  return put;
}

uint32_t queue_take(int thread, uint32_t i) {
  double number = 0;
  int status = sw_queue_take(&g.q[thread], &g.heap[thread], &number, 8);
  g.status[thread][i] = status;
  if (status != SW_MAP_NUMBER) return 0;
  model_check(queue_is_whole((uint32_t)number));
  g.taken[thread][i] = (uint32_t)number;
  g.cell[thread] = g.q[thread].cell;
  return (uint32_t)number;
}

bool queue_is_whole(uint32_t value) { return model_data_read(word_of(value)) == value; }

bool queue_bury(int thread) {
  (void)thread;
  if (sw_endpoint_role_alive(base(), g.heap[0].role)) return false;
  swi_queue_bury(base(), REGION_BYTES, g.at, &(swi_dead){g.heap[0].role, false});
  return true;
}

uint32_t queue_rest(void) {
  uint32_t rest = 0;
  queue_block()->producer = queue_block()->consumer = 0; /* it has another consumer now */
  double number;
  int type;
  while ((type = sw_queue_take(&g.q[2], &g.heap[2], &number, 8)) == SW_MAP_NUMBER) {
    rest = 10 * rest + (uint32_t)number;
    if ((g.q[2].flags & SW_QUEUE_ACK) != 0) model_check(sw_queue_ack(&g.q[2], &g.heap[2], g.q[2].cell) == 1);
  }
  model_check(type == 0 || type == SW_ECLOSED);
  model_check(sw_queue_check(&g.q[2], &g.heap[2]) == SW_OK);
  return rest;
}

uint32_t queue_count(uint32_t value, uint32_t rest) {
  uint32_t count = 0;
  for (; rest != 0; rest /= 10) count += rest % 10 == value;
  for (uint32_t i = 0; i < 6; i++) count += g.taken[i / 2][i % 2] == value;
  return count;
}

void queue_each_once(uint32_t digits, uint32_t rest) {
  for (; digits != 0; digits /= 10) model_check(queue_count(digits % 10, rest) == 1);
}

static void make(uint32_t type, uint32_t capacity) {
  queue_make((sw_queue_options){.type = type, .capacity = capacity});
}
static void setup_two_slots(void) { make(SW_TYPE_QUEUE, 1), queue_ready(); }
static void setup_four_slots(void) { make(SW_TYPE_QUEUE, 3), queue_ready(); }
static void setup_one_there(void) {
  make(SW_TYPE_QUEUE, 1);
  model_check(queue_put(2, 3, 0) == 1);
  queue_ready();
}
static void setup_two_there(void) {
  make(SW_TYPE_QUEUE, 2);
  model_check(queue_put(2, 3, 0) == 1 && queue_put(2, 4, 0) == 1);
  queue_ready();
}

static void setup_block_there(void) {
  uint8_t bytes[20] = {7};
  make(SW_TYPE_QUEUE, 2);
  model_check(sw_queue_put(&g.q[0], &g.heap[0], SW_MAP_BYTES, bytes, sizeof(bytes), 0) == 1);
  queue_ready();
}

/* ---- putting and taking ---- */

static void put_one(int thread, uint32_t value) {
  g.status[thread][0] = queue_put(thread, value, 0);
  g.done |= 1u << thread;
}
void queue_put_0(void) { put_one(0, 1); }
void queue_put_1(void) { put_one(1, 2); }
void queue_take_1(void) { queue_take(1, 0), g.done |= 2; }
static void take_2(void) { queue_take(2, 0), g.done |= 4; }
void queue_take_0(void) { queue_take(0, 0), g.done |= 1; }

static void both_once(void) {
  model_check(g.status[0][0] == 1 && g.status[1][0] == 1);
  queue_each_once(12, queue_rest());
  model_mark(g.taken[2][0] == 1 ? FIRST : g.taken[2][0] == 2 ? SECOND : REFUSED);
}

/* Two values of one producer, through a ring of two slots, and so all around it. */
void queue_put_two_0(void) {
  g.status[0][0] = queue_put(0, 1, 0);
  g.status[0][1] = queue_put(0, 2, 0);
  g.done |= 1;
}
void queue_take_two_1(void) {
  queue_take(1, 0);
  queue_take(1, 1);
}
void queue_in_order(void) {
  uint32_t rest = queue_rest();
  model_check(g.status[0][0] == 1);
  queue_each_once(g.status[0][1] == 1 ? 12 : 1, rest);
  if (g.status[0][1] != 1) model_check(queue_count(2, rest) == 0);
  if (g.taken[1][0] == 2 || rest == 21) model_fail("out of order", __FILE__, __LINE__);
  model_mark(g.taken[1][1] == 2 ? BOTH : g.taken[1][0] + g.taken[1][1] == 1 ? FIRST : REFUSED);
}

/* Two producers for one place. */
static void one_has_room(void) {
  uint32_t rest = queue_rest();
  model_check((g.status[0][0] == 1) + (g.status[1][0] == 1) == 1);
  queue_each_once(g.status[0][0] == 1 ? 1 : 2, rest);
  model_check(rest == (g.status[0][0] == 1 ? 1u : 2u));
  model_mark(rest == 1 ? FIRST : SECOND);
}
/* And one that makes the place. */
static void three_at_most_once(void) {
  uint32_t rest = queue_rest();
  queue_each_once(3, rest);
  for (uint32_t i = 0; i < 2; i++) model_check(queue_count(i + 1, rest) == (g.status[i][0] == 1));
  model_check(g.status[0][0] != 1 || g.status[1][0] != 1 || g.taken[2][0] == 3);
  model_mark(g.status[0][0] == 1 || g.status[1][0] == 1 ? FIRST : SECOND);
}

static void one_has_taken(void) {
  model_check((g.taken[0][0] == 3) + (g.taken[1][0] == 3) == 1 && queue_rest() == 0);
  model_mark(g.taken[0][0] == 3 ? FIRST : SECOND);
}
static void take_many_0(void) {
  uint32_t words[2];
  int count = sw_queue_take_many(&g.q[0], &g.heap[0], words, 2);
  model_check(count >= 0);
  for (int i = 0; i < count; i++) g.taken[0][i] = words[i] >> 4;
  g.done |= 1;
}
static void take_many_and_read_1(void) {
  uint32_t words[2];
  int count = sw_queue_take_many(&g.q[1], &g.heap[1], words, 2);
  model_check(count >= 0);
  for (int i = 0; i < count; i++) {
    g.taken[1][i] = words[i] >> 4;
    model_check(queue_is_whole(words[i] >> 4));
  }
}
static void both_are_taken(void) {
  queue_each_once(34, queue_rest());
  model_check(g.taken[0][0] != 4 || g.taken[1][0] == 3);
  model_mark(g.taken[0][1] == 4 ? BOTH : FIRST);
}
static void peek_1(void) {
  double number = 0;
  int type = sw_queue_peek(&g.q[1], &g.heap[1], &number, 8);
  model_check(type == SW_MAP_NUMBER && (number == 3 || number == 4));
  model_mark(number == 3 ? FIRST : SECOND);
}
/* One value is always there. */
static void look_1(void) {
  uint32_t size = sw_queue_size(&g.q[1], &g.heap[1]);
  model_check(size <= 2);
  model_check(sw_queue_has_news(&g.q[1], &g.heap[1]) == 1);
}
static void put_third_0(void) {
  queue_take(0, 0);
  model_check(g.taken[0][0] == 3 && queue_put(0, 1, 0) == 1);
}
/* The first one's block is freed under its eyes. */
static void take_block_0(void) {
  uint8_t bytes[20];
  model_check(sw_queue_take(&g.q[0], &g.heap[0], bytes, sizeof(bytes)) == SW_MAP_BYTES);
}
static void setup_block_and_one(void) {
  setup_block_there();
  model_check(queue_put(2, 4, 0) == 1);
  queue_ready();
}
static void peek_any_1(void) {
  uint8_t bytes[20];
  int type = sw_queue_peek(&g.q[1], &g.heap[1], bytes, sizeof(bytes));
  model_check(type == SW_MAP_NUMBER || type == SW_MAP_BYTES);
  model_mark(type == SW_MAP_NUMBER ? FIRST : SECOND);
}
static void one_left(void) { model_check(queue_rest() == 4); }
static void two_left(void) { model_check(queue_rest() == 41); }

/* ---- death ---- */

static void dead_has_put_or_not(void) {
  uint32_t rest = queue_rest();
  model_check(g.status[1][0] == 1);
  queue_each_once(2, rest);
  model_check(queue_count(1, rest) == 1 || ((g.done & 1) == 0 && queue_count(1, rest) == 0));
  model_mark(queue_count(1, rest) == 1 ? FIRST : SECOND);
}
/* The dead one has lost what it took, and no more. */
void queue_dead_has_taken_or_not(void) {
  uint32_t rest = queue_rest();
  if ((g.done & 1) != 0) queue_each_once(34, rest);
  else model_check(queue_count(3, rest) + queue_count(4, rest) >= 1 && rest != 43);
  model_check(queue_count(3, rest) <= 1 && queue_count(4, rest) <= 1);
  model_mark(queue_count(3, rest) == 1 ? FIRST : SECOND);
}
/* The place of the dead one is used at once: capacity 1. */
static void bury_take_and_put_1(void) {
  model_assume(queue_bury(1));
  queue_take(1, 0);
  model_check(queue_put(1, 2, 0) == 1);
}
static void dead_leaves_a_place(void) {
  uint32_t rest = queue_rest();
  model_check(rest == 2 && (g.taken[1][0] == 0 || g.taken[1][0] == 1));
  model_mark(g.taken[1][0] == 1 ? FIRST : SECOND);
}

/* ---- closing ---- */

void queue_close_1(void) { model_check(sw_queue_close(&g.q[1], &g.heap[1]) == SW_OK), g.done |= 2; }
static void close_0(void) { model_check(sw_queue_close(&g.q[0], &g.heap[0]) == SW_OK), g.done |= 1; }
/* What it finds closed has nothing behind it. */
void queue_take_to_the_end_2(void) {
  queue_take(2, 0);
  if (g.status[2][0] == SW_MAP_NUMBER) queue_take(2, 1);
  for (int i = 0; i < 2; i++)
    if (g.status[2][i] == SW_ECLOSED) model_mark(ENDED), g.done |= 8;
}
void queue_drained(void) {
  uint32_t rest = queue_rest();
  model_check(g.status[0][0] == 1 || g.status[0][0] == SW_ECLOSED);
  model_check(queue_count(1, rest) == (g.status[0][0] == 1));
  if ((g.done & 8) != 0) model_check(rest == 0);
  model_check(sw_queue_is_closed(&g.q[2], &g.heap[2]) == 1);
  model_check(queue_put(2, 5, 0) == SW_ECLOSED && queue_take(2, 0) == 0 && g.status[2][0] == SW_ECLOSED);
  model_mark(g.status[0][0] == 1 ? FIRST : REFUSED);
}
static void full_is_drained(void) {
  uint32_t rest = queue_rest();
  queue_each_once(3, rest);
  if ((g.done & 8) != 0) model_check(rest == 0);
  model_check(sw_queue_is_closed(&g.q[2], &g.heap[2]) == 1);
  model_mark(FIRST);
}
static void closed_or_not(void) {
  uint32_t rest = queue_rest();
  bool closed = sw_queue_is_closed(&g.q[2], &g.heap[2]) == 1;
  model_check(queue_count(2, rest) == (g.status[1][0] == 1));
  model_check(closed || ((g.done & 1) == 0 && g.status[1][0] == 1));
  model_mark(closed ? FIRST : SECOND);
}

/* ---- a queue that was freed ---- */

static void free_and_use_0(void) {
  model_check(sw_queue_free(&g.q[0], &g.heap[0]) == SW_OK);
  g.cell[0] = sw_heap_alloc(&g.heap[0], 28);
}
static void take_block_late_1(void) {
  uint8_t bytes[20];
  g.status[1][0] = sw_queue_take(&g.q[1], &g.heap[1], bytes, sizeof(bytes));
  model_check(g.status[1][0] == SW_MAP_BYTES || g.status[1][0] == SW_EFREED || g.status[1][0] == SW_ECLOSED);
  model_mark(g.status[1][0] == SW_MAP_BYTES ? FIRST : SECOND);
}
static void peek_late_1(void) {
  uint8_t bytes[20];
  int type = sw_queue_peek(&g.q[1], &g.heap[1], bytes, sizeof(bytes));
  model_check(type == SW_MAP_BYTES || type == SW_EFREED || type == SW_ECLOSED);
  model_mark(type == SW_MAP_BYTES ? FIRST : SECOND);
}
static void freed_once(void) {
  model_check(g.cell[0] != 0 && sw_heap_usable(&g.heap[2], g.cell[0]) >= 28);
  model_check(sw_heap_free(&g.heap[2], g.cell[0]) == SW_OK);
}

/* ---- waiting ---- */

void queue_take_or_wait(int thread) {
  sw_queue_handle *q = &g.q[thread];
  bool waits = false;
  while (queue_take(thread, 0) == 0 && g.status[thread][0] == 0) {
    sw_queue_begin_wait(q, &g.heap[thread], 0);
    waits = true;
    uint32_t ticket = sw_endpoint_arm(base(), (uint32_t)thread, SW_SLEEP_FUTEX);
    if (sw_queue_has_news(q, &g.heap[thread]) == 0) {
      model_mark(SLEPT);
      model_wait(sw_endpoint_doorbell(base(), (uint32_t)thread), ticket);
    }
    sw_endpoint_disarm(base(), (uint32_t)thread);
  }
  if (waits) sw_queue_end_wait(q, &g.heap[thread], 0);
  g.done |= 1u << thread;
}
static void wait_1(void) { queue_take_or_wait(1); }
static void wait_for_room_1(void) {
  bool waits = false;
  while ((g.status[1][0] = queue_put(1, 2, 0)) == 0) {
    sw_queue_begin_wait(&g.q[1], &g.heap[1], 1);
    waits = true;
    uint32_t ticket = sw_endpoint_arm(base(), 1, SW_SLEEP_FUTEX);
    if (sw_queue_has_room(&g.q[1], &g.heap[1], 0) == 0) {
      model_mark(SLEPT);
      model_wait(sw_endpoint_doorbell(base(), 1), ticket);
    }
    sw_endpoint_disarm(base(), 1);
  }
  if (waits) sw_queue_end_wait(&g.q[1], &g.heap[1], 1);
}
static void has_waited(void) { model_check(g.taken[1][0] == 1 && queue_rest() == 0); }
static void has_seen_the_end(void) { model_check(g.status[1][0] == SW_ECLOSED); }
static void has_got_room(void) { model_check(g.status[1][0] == 1 && g.taken[0][0] == 3 && queue_rest() == 2); }
static void close_has_told(void) { model_check(g.status[1][0] == SW_ECLOSED && queue_rest() == 3); }

/* Both sleep already when the two values come. */
static void sleep_from_setup(int thread) {
  sw_queue_begin_wait(&g.q[thread], &g.heap[thread], 0);
  world.sent[thread] = sw_endpoint_arm(base(), (uint32_t)thread, SW_SLEEP_FUTEX);
}
static void sleep_2(void) {
  model_wait(sw_endpoint_doorbell(base(), 2), world.sent[2]);
  sw_endpoint_disarm(base(), 2);
  queue_take_or_wait(2);
  sw_queue_end_wait(&g.q[2], &g.heap[2], 0);
}
static void setup_both_sleep(void) {
  make(SW_TYPE_QUEUE, 3);
  sleep_from_setup(1);
  sleep_from_setup(2);
  model_snapshot(&world, sizeof(world));
  queue_ready();
}
/* One of them is rung and finds that its time is up: then the other is. */
static void give_up_1(void) {
  sw_endpoint_disarm(base(), 1);
  sw_queue_end_wait(&g.q[1], &g.heap[1], 0);
}
static void other_has_it(void) { model_check(g.taken[2][0] == 1); }

const model_scenario scenes_queue[] = {{.name = "queue: two put into one place",
                                        .setup = setup_two_slots,
                                        .threads = {queue_put_0, queue_put_1},
                                        .finish = one_has_room,
                                        .marks = FIRST | SECOND | FULL},
                                       {.name = "queue: two put, one takes",
                                        .setup = setup_four_slots,
                                        .threads = {queue_put_0, queue_put_1, take_2},
                                        .finish = both_once,
                                        .marks = FIRST | SECOND | REFUSED},
                                       {.name = "queue: one puts two around two slots, one takes",
                                        .setup = setup_two_slots,
                                        .threads = {queue_put_two_0, queue_take_two_1},
                                        .finish = queue_in_order,
                                        .marks = FIRST | BOTH | REFUSED | FULL},
                                       {.name = "queue: two put into the place that one makes",
                                        .setup = setup_one_there,
                                        .threads = {queue_put_0, queue_put_1, take_2},
                                        .finish = three_at_most_once,
                                        .marks = FIRST | SECOND},
                                       {.name = "queue: two take one",
                                        .setup = setup_one_there,
                                        .threads = {queue_take_0, queue_take_1},
                                        .finish = one_has_taken,
                                        .marks = FIRST | SECOND},
                                       {.name = "queue: one takes many, one takes one",
                                        .setup = setup_two_there,
                                        .threads = {take_many_0, queue_take_1},
                                        .finish = both_are_taken,
                                        .marks = FIRST | BOTH},
                                       {.name = "queue: one puts two, one takes many",
                                        .setup = setup_four_slots,
                                        .threads = {queue_put_two_0, take_many_and_read_1},
                                        .finish = queue_in_order,
                                        .marks = FIRST | BOTH | REFUSED},
                                       {.name = "queue: one takes and puts, one looks at the first",
                                        .setup = setup_two_there,
                                        .threads = {put_third_0, peek_1},
                                        .finish = two_left,
                                        .marks = FIRST | SECOND},
                                       {.name = "queue: one takes a block, one looks at the first",
                                        .setup = setup_block_and_one,
                                        .threads = {take_block_0, peek_any_1},
                                        .finish = one_left,
                                        .marks = FIRST | SECOND},
                                       {.name = "queue: one takes and puts, one looks at all",
                                        .setup = setup_two_there,
                                        .threads = {put_third_0, look_1},
                                        .finish = two_left},
                                       {.name = "queue: two put, and one may die",
                                        .setup = setup_four_slots,
                                        .threads = {queue_put_0, queue_put_1},
                                        .finish = dead_has_put_or_not,
                                        .mortal = 1,
                                        .marks = FIRST | SECOND},
                                       {.name = "queue: two take, and one may die",
                                        .setup = setup_two_there,
                                        .threads = {queue_take_0, queue_take_1},
                                        .finish = queue_dead_has_taken_or_not,
                                        .mortal = 1,
                                        .marks = FIRST | SECOND},
                                       {.name = "queue: one puts and dies, another buries it and uses the place",
                                        .setup = setup_two_slots,
                                        .threads = {queue_put_0, bury_take_and_put_1},
                                        .finish = dead_leaves_a_place,
                                        .mortal = 1,
                                        .marks = FIRST | SECOND},
                                       {.name = "queue: one puts, one closes, one takes to the end",
                                        .setup = setup_four_slots,
                                        .threads = {queue_put_0, queue_close_1, queue_take_to_the_end_2},
                                        .finish = queue_drained,
                                        .marks = FIRST | REFUSED | ENDED},
                                       {.name = "queue: one closes, and may die; one puts",
                                        .setup = setup_four_slots,
                                        .threads = {close_0, queue_put_1},
                                        .finish = closed_or_not,
                                        .mortal = 1,
                                        .marks = FIRST | SECOND},
                                       {.name = "queue: a full one is closed, one takes to the end",
                                        .setup = setup_one_there,
                                        .threads = {queue_take_0, queue_close_1, queue_take_to_the_end_2},
                                        .finish = full_is_drained,
                                        .marks = FIRST | ENDED},
                                       {.name = "queue: one frees it and uses the block of a value, one takes late",
                                        .setup = setup_block_there,
                                        .threads = {free_and_use_0, take_block_late_1},
                                        .finish = freed_once,
                                        .marks = FIRST | SECOND},
                                       {.name = "queue: one frees it and uses the block of a value, one looks late",
                                        .setup = setup_block_there,
                                        .threads = {free_and_use_0, peek_late_1},
                                        .finish = freed_once,
                                        .marks = FIRST | SECOND},
                                       {.name = "queue: one waits for the value that another puts",
                                        .setup = setup_two_slots,
                                        .threads = {queue_put_0, wait_1},
                                        .finish = has_waited,
                                        .sc = true,
                                        .marks = SLEPT},
                                       {.name = "queue: one waits for the end",
                                        .setup = setup_two_slots,
                                        .threads = {close_0, wait_1},
                                        .finish = has_seen_the_end,
                                        .sc = true,
                                        .marks = SLEPT},
                                       {.name = "queue: one waits for room",
                                        .setup = setup_one_there,
                                        .threads = {queue_take_0, wait_for_room_1},
                                        .finish = has_got_room,
                                        .sc = true,
                                        .marks = SLEPT},
                                       {.name = "queue: one waits for room, and it is closed",
                                        .setup = setup_one_there,
                                        .threads = {close_0, wait_for_room_1},
                                        .finish = close_has_told,
                                        .sc = true,
                                        .marks = SLEPT},
                                       {.name = "queue: one that is rung gives up, the other has it",
                                        .setup = setup_both_sleep,
                                        .threads = {queue_put_0, give_up_1, sleep_2},
                                        .finish = other_has_it,
                                        .sc = true,
                                        .large = true},
                                       {.name = NULL}};
