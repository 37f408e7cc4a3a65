/* Queues of one producer and one consumer: values in their order, once, and so from a participant
 * to its successor, whether it has died or gone. */
#include "scenes_queue.h"

static uint8_t *base(void) { return model_region(); }
static void idle(void) {}

static void make(uint32_t capacity) {
  queue_make((sw_queue_options){.type = SW_TYPE_SINGLE_QUEUE, .capacity = capacity});
}

static void setup_single(void) { make(1), queue_ready(); }
static void setup_single_claimed(void) {
  make(1);
  model_check(queue_put(0, 5, 0) == 1 && queue_take(1, 0) == 5);
  g.taken[1][0] = 0;
  model_snapshot(&g, sizeof(g));
  queue_ready();
}
/* A dead producer's place is free at once, its successor's values come behind its own. */
static void bury_and_put_1(void) {
  queue_bury(1);
  g.status[1][0] = queue_put(1, 2, 0);
}
static void successor_has_put(void) {
  uint32_t rest = queue_rest();
  model_check(rest != 21 && (g.status[0][0] == 1 || g.status[0][0] == SW_ETAKEN || (g.done & 1) == 0));
  model_check(queue_count(1, rest) == (g.status[0][0] == 1) || ((g.done & 1) == 0 && queue_count(1, rest) <= 1));
  model_check(queue_count(2, rest) == (g.status[1][0] == 1) && (rest != 0 || (g.done & 1) == 0));
  model_mark(g.status[1][0] != 1 ? REFUSED : rest == 12 ? BOTH : SECOND);
}
/* One that buries it late takes no place from the successor. */
static void bury_2(void) { model_check(queue_bury(2)); }
static void setup_single_dead(void) {
  make(3);
  model_check(queue_put(0, 1, 0) == 1);
  model_process(1, 10, 1, false);
  queue_ready();
}
static void successor_stays(void) {
  model_check(g.status[1][0] == 1 && queue_block()->producer == g.heap[1].role);
  model_check(queue_rest() == 12);
}
/* A place that is given back. */
static void take_and_give_back_0(void) {
  queue_take(0, 0);
  sw_queue_close_handle(&g.q[0], &g.heap[0]);
  g.done |= 1;
}
static void one_after_the_other(void) {
  uint32_t rest = queue_rest();
  queue_each_once(34, rest);
  model_check(g.taken[1][0] != 3 || g.status[0][0] == SW_ETAKEN);
  model_mark(g.taken[0][0] == 3 && g.taken[1][0] == 4 ? BOTH : g.taken[0][0] == 3 ? FIRST : SECOND);
}
static void put_and_give_back_0(void) {
  queue_put_0();
  sw_queue_close_handle(&g.q[0], &g.heap[0]);
}
static void setup_single_two_there(void) {
  make(3);
  model_check(queue_put(2, 3, 0) == 1 && queue_put(2, 4, 0) == 1);
  queue_ready();
}
static void setup_single_three(void) { make(3), queue_ready(); }
static void bury_and_take_1(void) {
  queue_bury(1);
  queue_take(1, 0);
}
static void successor_has_taken(void) {
  swi_queue_bury(base(), REGION_BYTES, g.at, &(swi_dead){g.heap[0].role, false});
  swi_queue_bury(base(), REGION_BYTES, g.at, &(swi_dead){g.heap[1].role, false});
  queue_dead_has_taken_or_not();
}

/* One frees it, and uses the block of the value, which the consumer takes late: one of the two gets
 * it. */
static void setup_single_block_there(void) {
  uint8_t bytes[20] = {7};
  make(2);
  model_check(sw_queue_put(&g.q[0], &g.heap[0], SW_MAP_BYTES, bytes, sizeof(bytes), 0) == 1);
  queue_ready();
}
static void free_and_use_0(void) {
  model_check(sw_queue_free(&g.q[0], &g.heap[0]) == SW_OK);
  g.cell[0] = sw_heap_alloc(&g.heap[0], 28);
}
static void take_block_late_1(void) {
  uint8_t bytes[20];
  int type = sw_queue_take(&g.q[1], &g.heap[1], bytes, sizeof(bytes));
  model_check(type == SW_MAP_BYTES || type == SW_EFREED || type == SW_ECLOSED);
  model_mark(type == SW_MAP_BYTES ? FIRST : SECOND);
}
static void freed_once(void) {
  model_check(g.cell[0] != 0 && sw_heap_usable(&g.heap[2], g.cell[0]) >= 28);
  model_check(sw_heap_free(&g.heap[2], g.cell[0]) == SW_OK);
}

const model_scenario scenes_single[] = {{.name = "queue: single: around two slots",
                                         .setup = setup_single,
                                         .threads = {queue_put_two_0, queue_take_two_1},
                                         .finish = queue_in_order,
                                         .marks = FIRST | BOTH | REFUSED | FULL},
                                        {.name = "queue: single: the places are known",
                                         .setup = setup_single_claimed,
                                         .threads = {queue_put_two_0, queue_take_two_1},
                                         .finish = queue_in_order,
                                         .marks = FIRST | BOTH | REFUSED | FULL},
                                        {.name = "queue: single: the producer may die, and has a successor",
                                         .setup = setup_single_three,
                                         .threads = {queue_put_0, bury_and_put_1},
                                         .finish = successor_has_put,
                                         .mortal = 1,
                                         .marks = REFUSED | BOTH | SECOND},
                                        {.name = "queue: single: the consumer may die, and has a successor",
                                         .setup = setup_single_two_there,
                                         .threads = {queue_take_0, bury_and_take_1},
                                         .finish = successor_has_taken,
                                         .mortal = 1,
                                         .marks = FIRST | SECOND},
                                        {.name = "queue: single: a dead producer is buried twice",
                                         .setup = setup_single_dead,
                                         .threads = {idle, bury_and_put_1, bury_2},
                                         .finish = successor_stays},
                                        {.name = "queue: single: one takes and gives its place back, one takes",
                                         .setup = setup_single_two_there,
                                         .threads = {take_and_give_back_0, queue_take_1},
                                         .finish = one_after_the_other,
                                         .marks = FIRST | SECOND | BOTH},
                                        {.name = "queue: single: one puts and gives its place back, one puts",
                                         .setup = setup_single_three,
                                         .threads = {put_and_give_back_0, queue_put_1},
                                         .finish = successor_has_put,
                                         .marks = REFUSED | BOTH | SECOND},
                                        {.name = "queue: single: one puts, one closes, one takes to the end",
                                         .setup = setup_single_three,
                                         .threads = {queue_put_0, queue_close_1, queue_take_to_the_end_2},
                                         .finish = queue_drained,
                                         .marks = FIRST | REFUSED | ENDED},
                                        {.name = "queue: single: one frees it and uses the block, one takes late",
                                         .setup = setup_single_block_there,
                                         .threads = {free_and_use_0, take_block_late_1},
                                         .finish = freed_once,
                                         .marks = FIRST | SECOND},
                                        {.name = NULL}};
