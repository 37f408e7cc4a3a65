/* Queues with acknowledgement: a value is delivered until one living participant has acknowledged
 * it, and none takes what another has. */
#include <string.h>

#include "scenes_queue.h"

static uint8_t *base(void) { return model_region(); }

/* ---- acknowledging ---- */

static void make(uint32_t capacity) {
  queue_make((sw_queue_options){.type = SW_TYPE_QUEUE, .capacity = capacity, .flags = SW_QUEUE_ACK});
}
static void setup_empty(void) { make(1), queue_ready(); }
static void setup_three_cells(void) { make(3), queue_ready(); }
static void setup_one(void) {
  make(1);
  model_check(queue_put(2, 3, 0) == 1);
  queue_ready();
}
static void setup_two(void) {
  make(2);
  model_check(queue_put(2, 3, 0) == 1 && queue_put(2, 4, 0) == 1);
  queue_ready();
}
/* Thread 0 holds the first value. */
static void hold(void) {
  model_check(queue_take(0, 0) == 3);
  g.taken[0][0] = 0;
  model_snapshot(&g, sizeof(g));
  queue_ready();
}
static void setup_held(void) { make(1), model_check(queue_put(2, 3, 0) == 1), hold(); }
static void setup_held_and_one(void) {
  make(2);
  model_check(queue_put(2, 3, 0) == 1 && queue_put(2, 4, 0) == 1);
  hold();
}
static void setup_held_and_closed(void) {
  make(1);
  model_check(queue_put(2, 3, 0) == 1 && sw_queue_close(&g.q[2], &g.heap[2]) == SW_OK);
  hold();
}
static void kill_0(void) { model_process(1, 10, 1, false); }
static void setup_dead_holds(void) { setup_held(), kill_0(); }
static void setup_dead_holds_one_of_two(void) { setup_held_and_one(), kill_0(); }

static sw_queue_cell *cell(uint32_t index) { return (sw_queue_cell *)(void *)(base() + g.q[2].rest) + index; }

/* A producer has died between the ring and its cell; value 5 lies before its value 6, and it has
 * put that or not. */
static void dead_producer(bool in_ring) {
  make(2);
  model_check(queue_put(2, 5, 0) == 1 && queue_put(0, 6, 0) == 1);
  swi_ncq ring = swi_queue_level(&g.q[2], &g.heap[2], 0);
  for (uint32_t i = 0; i < 2; i++) {
    if (cell(i)->value == (6 << 4 | SW_QUEUE_INTEGER)) cell(i)->state |= g.heap[0].role;
  }
  if (!in_ring) {
    ring.ring->tail--;
    uint64_t *slot = swi_ncq_slot(&ring, ring.ring->tail);
    *slot = swi_ncq_word(swi_ncq_cycle(&ring, ring.ring->tail) - 1, 0);
  }
  kill_0();
  queue_ready();
}
static void setup_dead_has_put(void) { dead_producer(true); }
static void setup_dead_has_not_put(void) { dead_producer(false); }

static void put_one(int thread, uint32_t value) {
  g.status[thread][0] = queue_put(thread, value, 0);
  g.done |= 1u << thread;
}
static void put_0(void) { put_one(0, 1); }
static void put_1(void) { put_one(1, 2); }

static void ack(int thread) {
  int acked = sw_queue_ack(&g.q[thread], &g.heap[thread], g.q[thread].cell);
  model_check(acked == 0 || acked == 1);
  g.status[thread][1] = acked;
}
static void take_and_ack(int thread) {
  if (queue_take(thread, 0) != 0) ack(thread);
  g.done |= 1u << thread;
}
static void take_and_ack_0(void) { take_and_ack(0); }
static void take_and_ack_1(void) { take_and_ack(1); }
static void ack_0(void) { ack(0), g.done |= 1; }
static void nack_0(void) {
  g.status[0][1] = sw_queue_nack(&g.q[0], &g.heap[0], g.q[0].cell);
  g.done |= 1;
}

/* In finish: all that any of them holds comes again. */
static void bury_all(void) {
  for (uint32_t i = 0; i < 3; i++) swi_queue_bury(base(), REGION_BYTES, g.at, &(swi_dead){g.heap[i].role, false});
}
/* How often that value is acknowledged or left. */
static uint32_t there(uint32_t value, uint32_t rest) {
  uint32_t count = 0;
  for (; rest != 0; rest /= 10) count += rest % 10 == value;
  for (uint32_t i = 0; i < 3; i++) count += g.taken[i][0] == value && g.status[i][1] == 1;
  return count;
}
static uint32_t rest_of_all(void) {
  bury_all();
  uint32_t rest = queue_rest();
  for (uint32_t i = 0; i < g.q[2].capacity; i++) model_check((uint32_t)cell(i)->state == 0);
  return rest;
}

static void both_are_put(void) {
  uint32_t rest = rest_of_all();
  model_check(g.status[0][0] == 1 && g.status[1][0] == 1 && (rest == 12 || rest == 21));
  model_mark(rest == 12 ? FIRST : SECOND);
}
static void put_and_taken(void) {
  uint32_t rest = rest_of_all();
  model_check(g.status[0][0] == 1 && there(1, rest) == 1);
  model_mark(g.taken[1][0] == 1 ? FIRST : SECOND);
}
static void one_has_it(void) {
  model_check((g.taken[0][0] == 3) + (g.taken[1][0] == 3) == 1);
  model_check(there(3, rest_of_all()) == 1);
  model_mark(g.taken[0][0] == 3 ? FIRST : SECOND);
}
static void each_has_one(void) {
  model_check(g.taken[0][0] != g.taken[1][0] || g.taken[0][0] == 0);
  uint32_t rest = rest_of_all();
  model_check(there(3, rest) == 1 && there(4, rest) == 1 && rest != 43);
  model_mark(g.taken[0][0] == 3 ? FIRST : SECOND);
}
/* The cell is free behind the ack, and not before; and nothing is left of what was in it. */
static void place_is_free_behind_it(void) {
  if (g.status[1][0] == 1) {
    double number;
    model_check(sw_queue_take(&g.q[2], &g.heap[2], &number, 8) == SW_MAP_NUMBER && number == 2);
    model_check(sw_queue_deliveries(&g.q[2], &g.heap[2], g.q[2].cell) == 1);
  }
  uint32_t rest = rest_of_all();
  model_check(g.status[0][1] == 1 && rest == (g.status[1][0] == 1 ? 2u : 0u));
  model_mark(g.status[1][0] == 1 ? FIRST : SECOND);
}

/* ---- death ---- */

static void bury_and_take_1(void) {
  queue_bury(1);
  take_and_ack(1);
}
static void bury_2(void) { model_check(queue_bury(2)); }
static void look_2(void) { sw_queue_evict_dead(&g.q[2], &g.heap[2]); }
static void look_and_take_1(void) {
  sw_queue_evict_dead(&g.q[1], &g.heap[1]);
  take_and_ack(1);
}
/* It may be taken for dead too early: it only loses what it has. */
static void evict_1(void) { swi_queue_bury(base(), REGION_BYTES, g.at, &(swi_dead){g.heap[0].role, false}); }
static void evict_and_put_1(void) {
  evict_1();
  if (queue_put(1, 2, 0) == 1) g.done |= 16;
}
static void take_and_ack_2(void) { take_and_ack(2); }

/* None of the living has it twice: one that has acknowledged it was the last. */
static void delivered_until_acked(void) {
  uint32_t rest = rest_of_all();
  uint32_t count = there(3, rest);
  model_check(count == 1 || (count == 0 && (g.done & 1) == 0) || (count == 2 && (g.done & 1) == 0));
  if (g.taken[1][0] == 3) model_check(rest == 0);
  model_mark(g.taken[1][0] == 3 ? FIRST : SECOND);
}
static void put_or_not(void) {
  uint32_t rest = rest_of_all();
  model_check(there(1, rest) == 1 || ((g.done & 1) == 0 && there(1, rest) == 0));
  model_check(sw_queue_has_room(&g.q[2], &g.heap[2], 0) == 1);
  model_mark(there(1, rest) == 1 ? FIRST : SECOND);
}
static void comes_again_once(void) {
  uint32_t rest = rest_of_all();
  model_check(there(3, rest) == 1);
  model_mark(g.taken[1][0] == 3 ? FIRST : SECOND);
}
/* The look is before the take: so what the dead one held comes. */
static void looked_for(void) {
  model_check(g.taken[1][0] == 3 && rest_of_all() == 0);
  model_mark(FIRST);
}
/* The next value is put into the cell that is free, and comes whole. */
static void next_comes_whole(void) {
  evict_1();
  uint32_t rest = queue_rest();
  model_check(queue_put(2, 7, 0) == 1 && queue_rest() == 7);
  model_check(there(5, rest) == 1 && there(6, rest) <= 1);
  model_mark(there(6, rest) == 1 ? FIRST : SECOND);
}
/* The cell that was the dead one's may be used at once, while another takes. */
static void idle(void) {}
static void bury_and_put_2(void) {
  model_check(queue_bury(2));
  g.status[2][0] = queue_put(2, 7, 0);
}
static void take_two_1(void) {
  take_and_ack(1);
  g.taken[0][0] = g.taken[1][0], g.status[0][1] = g.status[1][1];
  g.taken[1][0] = 0, g.status[1][1] = 0;
  take_and_ack(1);
}
static void all_come_whole(void) {
  uint32_t rest = rest_of_all();
  model_check(there(5, rest) == 1 && there(7, rest) == (g.status[2][0] == 1) && there(6, rest) <= 1);
  model_mark(g.taken[1][0] == 6 ? FIRST : SECOND);
}
/* A look finds what is first at the moment, whole, also when its cell is used again. */
static void take_ack_and_put_0(void) {
  take_and_ack(0);
  put_one(0, 1);
}
static void peek_1(void) {
  double number = 0;
  int type = sw_queue_peek(&g.q[1], &g.heap[1], &number, 8);
  model_check(type == SW_MAP_NUMBER || type == 0);
  if (type != 0) model_check(queue_is_whole((uint32_t)number));
  model_mark(type == 0 ? REFUSED : number == 3 ? FIRST : SECOND);
}
static void one_is_left(void) { model_check(rest_of_all() == 1 && g.status[0][1] == 1); }

/* The first one's block is freed under its eyes. */
static void setup_block_and_one(void) {
  uint8_t bytes[20] = {7};
  make(2);
  model_check(sw_queue_put(&g.q[0], &g.heap[0], SW_MAP_BYTES, bytes, sizeof(bytes), 0) == 1);
  model_check(queue_put(2, 4, 0) == 1);
  queue_ready();
}
static void take_and_ack_block_0(void) {
  uint8_t bytes[20];
  model_check(sw_queue_take(&g.q[0], &g.heap[0], bytes, sizeof(bytes)) == SW_MAP_BYTES);
  model_check(sw_queue_ack(&g.q[0], &g.heap[0], g.q[0].cell) == 1);
}
static void peek_any_1(void) {
  uint8_t bytes[20];
  int type = sw_queue_peek(&g.q[1], &g.heap[1], bytes, sizeof(bytes));
  model_check(type == SW_MAP_NUMBER || type == SW_MAP_BYTES);
  model_mark(type == SW_MAP_NUMBER ? FIRST : SECOND);
}
static void one_left(void) { model_check(queue_rest() == 4); }

/* ---- freeing ---- */

static void setup_block_held(void) {
  uint8_t bytes[20] = {7};
  make(1);
  model_check(sw_queue_put(&g.q[0], &g.heap[0], SW_MAP_BYTES, bytes, sizeof(bytes), 0) == 1);
  model_check(sw_queue_take(&g.q[1], &g.heap[1], bytes, sizeof(bytes)) == SW_MAP_BYTES);
  model_snapshot(&g, sizeof(g));
  queue_ready();
}
static void free_and_use_0(void) {
  model_check(sw_queue_free(&g.q[0], &g.heap[0]) == SW_OK);
  g.cell[0] = sw_heap_alloc(&g.heap[0], 28);
}
/* It is in the ring, and not held. */
static void setup_block_there(void) {
  uint8_t bytes[20] = {7};
  make(1);
  model_check(sw_queue_put(&g.q[0], &g.heap[0], SW_MAP_BYTES, bytes, sizeof(bytes), 0) == 1);
  queue_ready();
}
static void peek_late_1(void) {
  uint8_t bytes[20];
  int type = sw_queue_peek(&g.q[1], &g.heap[1], bytes, sizeof(bytes));
  model_check(type == SW_MAP_BYTES || type == SW_EFREED || type == SW_ECLOSED || type == 0);
  model_mark(type == SW_MAP_BYTES ? FIRST : SECOND);
}
static void ack_late_1(void) {
  g.status[1][0] = sw_queue_ack(&g.q[1], &g.heap[1], g.q[1].cell);
  model_check(g.status[1][0] == 1 || g.status[1][0] == 0 || g.status[1][0] == SW_EFREED);
  model_mark(g.status[1][0] == 1 ? FIRST : SECOND);
}
static void freed_once(void) {
  model_check(g.cell[0] != 0 && sw_heap_usable(&g.heap[2], g.cell[0]) >= 28);
  model_check(sw_heap_free(&g.heap[2], g.cell[0]) == SW_OK);
}
static void two_come_again(void) {
  uint32_t rest = rest_of_all();
  model_check(there(3, rest) == 1 && there(4, rest) == 1);
  model_mark(g.taken[1][0] == 3 ? FIRST : SECOND);
}
static void acked_or_again(void) {
  uint32_t rest = rest_of_all();
  model_check(rest == (g.status[0][1] == 1 ? 0u : 3u));
  model_mark(rest == 0 ? FIRST : SECOND);
}
static void acked_and_used(void) {
  uint32_t rest = rest_of_all();
  model_check((g.status[0][1] == 1) + there(3, rest) == 1);
  model_check(there(2, rest) == (g.done >> 4 & 1));
  model_mark(g.status[0][1] == 1 ? FIRST : SECOND);
}
static void given_back(void) {
  uint32_t rest = rest_of_all();
  model_check(there(3, rest) == 1);
  model_check(g.status[0][1] == 1 || (g.done & 1) == 0);
  model_mark(g.taken[1][0] == 3 ? FIRST : SECOND);
}

/* ---- waiting for what is held ---- */

static void wait_1(void) { queue_take_or_wait(1); }
static void has_seen_the_end(void) { model_check(g.status[1][0] == SW_ECLOSED); }
static void has_it_again(void) { model_check(g.taken[1][0] == 3); }
static void close_and_wait_1(void) {
  model_check(sw_queue_close(&g.q[1], &g.heap[1]) == SW_OK);
  queue_take_or_wait(1);
}
static void knows_the_end(void) {
  model_check(g.status[0][0] == 1 ? g.taken[1][0] == 1 : g.status[1][0] == SW_ECLOSED);
  model_mark(g.status[0][0] == 1 ? FIRST : SECOND);
}

const model_scenario scenes_ack[] = {{.name = "queue: ack: two put",
                                      .setup = setup_three_cells,
                                      .threads = {put_0, put_1},
                                      .finish = both_are_put,
                                      .marks = FIRST | SECOND},
                                     {.name = "queue: ack: one puts, one takes and acknowledges",
                                      .setup = setup_empty,
                                      .threads = {put_0, take_and_ack_1},
                                      .finish = put_and_taken,
                                      .marks = FIRST | SECOND},
                                     {.name = "queue: ack: two take one",
                                      .setup = setup_one,
                                      .threads = {take_and_ack_0, take_and_ack_1},
                                      .finish = one_has_it,
                                      .marks = FIRST | SECOND},
                                     {.name = "queue: ack: two take two",
                                      .setup = setup_two,
                                      .threads = {take_and_ack_0, take_and_ack_1},
                                      .finish = each_has_one,
                                      .marks = FIRST | SECOND},
                                     {.name = "queue: ack: one acknowledges, one puts into the place",
                                      .setup = setup_one,
                                      .threads = {take_and_ack_0, put_1},
                                      .finish = place_is_free_behind_it,
                                      .marks = FIRST | SECOND},
                                     {.name = "queue: ack: one puts, and may die; it is buried",
                                      .setup = setup_empty,
                                      .threads = {put_0, bury_and_take_1},
                                      .finish = put_or_not,
                                      .mortal = 1,
                                      .marks = FIRST | SECOND},
                                     {.name = "queue: ack: one takes and acknowledges, and may die; it is buried",
                                      .setup = setup_one,
                                      .threads = {take_and_ack_0, bury_and_take_1},
                                      .finish = delivered_until_acked,
                                      .mortal = 1,
                                      .marks = FIRST | SECOND},
                                     {.name = "queue: ack: one gives back, and may die; one takes",
                                      .setup = setup_held,
                                      .threads = {nack_0, take_and_ack_1},
                                      .finish = given_back,
                                      .mortal = 1,
                                      .marks = FIRST | SECOND},
                                     {.name = "queue: ack: a dead one is buried twice, one takes",
                                      .setup = setup_dead_holds,
                                      .threads = {bury_2, take_and_ack_1, bury_2},
                                      .finish = comes_again_once,
                                      .marks = FIRST | SECOND},
                                     {.name = "queue: ack: two look for the dead, one takes",
                                      .setup = setup_dead_holds,
                                      .threads = {idle, look_and_take_1, look_2},
                                      .finish = looked_for,
                                      .marks = FIRST},
                                     {.name = "queue: ack: a dead one is buried, two values",
                                      .setup = setup_dead_holds_one_of_two,
                                      .threads = {bury_2, take_and_ack_1},
                                      .finish = two_come_again,
                                      .marks = FIRST | SECOND},
                                     {.name = "queue: ack: one acknowledges what another gives away",
                                      .setup = setup_held,
                                      .threads = {ack_0, evict_1},
                                      .finish = acked_or_again,
                                      .marks = FIRST | SECOND},
                                     {.name = "queue: ack: one acknowledges what is given away and used again",
                                      .setup = setup_held,
                                      .threads = {ack_0, evict_and_put_1, take_and_ack_2},
                                      .finish = acked_and_used,
                                      .marks = FIRST | SECOND},
                                     {.name = "queue: ack: a producer died behind the ring, one buries, one takes",
                                      .setup = setup_dead_has_put,
                                      .threads = {bury_2, take_and_ack_1},
                                      .finish = next_comes_whole,
                                      .marks = FIRST},
                                     {.name = "queue: ack: a producer died before the ring, one buries, one takes",
                                      .setup = setup_dead_has_not_put,
                                      .threads = {bury_2, take_and_ack_1},
                                      .finish = next_comes_whole,
                                      .marks = SECOND},
                                     {.name = "queue: ack: a producer died behind the ring, its cell is used",
                                      .setup = setup_dead_has_put,
                                      .threads = {idle, take_two_1, bury_and_put_2},
                                      .finish = all_come_whole,
                                      .marks = FIRST},
                                     {.name = "queue: ack: a producer died before the ring, its cell is used",
                                      .setup = setup_dead_has_not_put,
                                      .threads = {idle, take_two_1, bury_and_put_2},
                                      .finish = all_come_whole,
                                      .marks = SECOND},
                                     {.name = "queue: ack: one uses a cell again, one looks at the first",
                                      .setup = setup_one,
                                      .threads = {take_ack_and_put_0, peek_1},
                                      .finish = one_is_left,
                                      .marks = FIRST | SECOND | REFUSED},
                                     {.name = "queue: ack: one acknowledges a block, one looks at the first",
                                      .setup = setup_block_and_one,
                                      .threads = {take_and_ack_block_0, peek_any_1},
                                      .finish = one_left,
                                      .marks = FIRST | SECOND},
                                     {.name = "queue: ack: one frees the queue, one acknowledges late",
                                      .setup = setup_block_held,
                                      .threads = {free_and_use_0, ack_late_1},
                                      .finish = freed_once,
                                      .marks = FIRST | SECOND},
                                     {.name = "queue: ack: one frees the queue, one looks late",
                                      .setup = setup_block_there,
                                      .threads = {free_and_use_0, peek_late_1},
                                      .finish = freed_once,
                                      .marks = FIRST | SECOND},
                                     {.name = "queue: ack: one waits for what another gives back",
                                      .setup = setup_held,
                                      .threads = {nack_0, wait_1},
                                      .finish = has_it_again,
                                      .sc = true,
                                      .marks = SLEPT},
                                     {.name = "queue: ack: one waits for what is acknowledged at the end",
                                      .setup = setup_held_and_closed,
                                      .threads = {ack_0, wait_1},
                                      .finish = has_seen_the_end,
                                      .sc = true,
                                      .marks = SLEPT},
                                     {.name = "queue: ack: one puts, one closes and waits",
                                      .setup = setup_empty,
                                      .threads = {put_0, close_and_wait_1},
                                      .finish = knows_the_end,
                                      .marks = SLEPT | FIRST | SECOND},
                                     {.name = NULL}};
