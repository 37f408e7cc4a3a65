/* Queues with priorities: levels come by their urgency, and none is forgotten; and any priority,
 * under the lock, also when its holder has died. */
#include <string.h>

#include "scenes_queue.h"

static void kill_0(void) { model_process(1, 10, 1, false); }
static void idle(void) {}

/* ---- levels ---- */

static void setup_levels(void) {
  queue_make((sw_queue_options){.type = SW_TYPE_PRIORITY_QUEUE, .capacity = 1, .levels = 2});
  queue_ready();
}
static void setup_level_there(void) {
  queue_make((sw_queue_options){.type = SW_TYPE_PRIORITY_QUEUE, .capacity = 3, .levels = 2});
  model_check(queue_put(2, 3, 1) == 1);
  queue_ready();
}
static void put_high_0(void) {
  g.status[0][0] = queue_put(0, 1, 1);
  g.done |= 1;
}
static void put_low_1(void) { g.status[1][0] = queue_put(1, 2, 0); }
static void take_two_levels_1(void) {
  queue_take(1, 0);
  queue_take(1, 1);
}
static void marks_are_right(void) {
  for (uint32_t level = 0; level < 2; level++) {
    swi_ncq ring = swi_queue_level(&g.q[2], &g.heap[2], level);
    if ((g.done & 1) != 0 && swi_ncq_size(&ring) != 0) model_check((queue_block()->present >> level & 1) == 1);
  }
}
static void levels_have_all(void) {
  marks_are_right();
  uint32_t rest = queue_rest();
  queue_each_once(2, rest);
  model_check(queue_count(1, rest) == 1 || ((g.done & 1) == 0 && queue_count(1, rest) == 0));
  model_mark(rest == 12 ? FIRST : rest == 2 ? SECOND : BOTH);
}
/* A dead one's mark is set by burial. */
static void setup_mark_is_lost(void) {
  setup_level_there();
  queue_block()->present = 0;
  kill_0();
  queue_ready();
}
static void bury_and_put_0(void) {
  model_check(queue_bury(1));
  g.status[1][0] = queue_put(1, 2, 0);
  g.done |= 1;
}
static void urgent_comes_first(void) { model_check(g.taken[2][0] == 3 && queue_rest() == 2); }
static void take_2(void) { queue_take(2, 0); }
/* Two: the one that empties the level takes the first of them by itself. */
static void put_below_0(void) {
  g.status[0][0] = queue_put(0, 1, 0);
  g.status[0][1] = queue_put(0, 2, 0);
  g.done |= 1;
}
static void level_below_has_it(void) {
  marks_are_right();
  uint32_t rest = queue_rest();
  queue_each_once(123, rest);
  model_check(g.taken[1][0] == 3);
  model_mark(g.taken[1][1] == 1 ? FIRST : SECOND);
}
static void level_has_all(void) {
  marks_are_right();
  uint32_t rest = queue_rest();
  queue_each_once(13, rest);
  model_mark(g.taken[1][1] == 1 ? FIRST : SECOND);
}

/* ---- any priority ---- */

static void make_sorted(void) {
  queue_make((sw_queue_options){.type = SW_TYPE_PRIORITY_QUEUE, .capacity = 4, .flags = SW_QUEUE_SORTED});
}
static void setup_sorted(void) {
  make_sorted();
  model_check(queue_put(2, 3, 3) == 1 && queue_put(2, 4, 2) == 1);
  queue_ready();
}
static void put_first_0(void) { g.status[0][0] = queue_put(0, 1, 9), g.done |= 1; }
static void put_last_1(void) { g.status[1][0] = queue_put(1, 2, 1); }
static void take_sorted_0(void) { queue_take(0, 0), g.done |= 1; }
static void take_sorted_1(void) { queue_take(1, 0); }
static void close_sorted_0(void) { g.status[0][0] = sw_queue_close(&g.q[0], &g.heap[0]), g.done |= 1; }

/* One that finds the lock held tries again: no run of that is of interest here. */
static void setup_sorted_empty(void) { make_sorted(), queue_ready(); }
static void put_surely_0(void) { model_assume(queue_put(0, 1, 9) == 1); }
static void close_surely_0(void) { model_assume(sw_queue_close(&g.q[0], &g.heap[0]) == SW_OK); }
static void wait_surely_1(void) {
  queue_take_or_wait(1);
  model_assume(g.status[1][0] != SW_EBUSY);
}
static void sorted_has_waited(void) { model_check(g.taken[1][0] == 1); }
static void sorted_has_ended(void) { model_check(g.status[1][0] == SW_ECLOSED); }

static bool was_busy(int thread) { return g.status[thread][0] == SW_EBUSY; }

/* Is it 1342, or without some of them? */
static bool by_urgency(uint32_t rest) {
  static const uint32_t place[] = {0, 1, 4, 2, 3};
  for (; rest >= 10; rest /= 10)
    if (place[rest % 10] <= place[rest / 10 % 10]) return false;
  return true;
}
static void sorted_puts(void) {
  uint32_t rest = queue_rest();
  model_check(by_urgency(rest));
  model_check(queue_count(1, rest) == (g.status[0][0] == 1) || (g.done & 1) == 0);
  model_check(queue_count(2, rest) == (g.status[1][0] == 1) && (g.status[1][0] == 1 || was_busy(1)));
  model_mark(g.status[1][0] == 1 ? SECOND : REFUSED);
}
static void sorted_put_and_taken(void) {
  uint32_t rest = queue_rest();
  model_check(queue_count(3, rest) == 1 && queue_count(4, rest) == 1);
  model_check(queue_count(1, rest) == 1 || ((g.done & 1) == 0 && queue_count(1, rest) == 0) || was_busy(0));
  model_mark(g.taken[1][0] == 1 ? FIRST : g.taken[1][0] == 3 ? SECOND : REFUSED);
}
static void sorted_takes(void) {
  uint32_t rest = queue_rest();
  model_check(queue_count(4, rest) == 1 || (g.done & 1) == 0);
  if ((g.done & 1) != 0) model_check(queue_count(3, rest) == 1);
  model_check(queue_count(3, rest) <= 1 && queue_count(4, rest) <= 1);
  model_check(queue_count(3, rest) + queue_count(4, rest) >= 1 && rest != 43);
  model_mark(g.taken[1][0] == 3 ? FIRST : g.taken[1][0] == 4 ? SECOND : REFUSED);
}
static void sorted_closed(void) {
  uint32_t rest = queue_rest();
  bool closed = sw_queue_is_closed(&g.q[2], &g.heap[2]) == 1;
  model_check(queue_count(2, rest) == (g.status[1][0] == 1));
  model_check(closed || was_busy(0));
  model_mark(g.status[1][0] == SW_ECLOSED ? FIRST : SECOND);
}

const model_scenario scenes_priority[] = {{.name = "queue: levels: one puts, and may die; another puts below it",
                                           .setup = setup_levels,
                                           .threads = {put_high_0, put_low_1},
                                           .finish = levels_have_all,
                                           .mortal = 1,
                                           .marks = FIRST | SECOND},
                                          {.name = "queue: levels: one puts, one takes the last",
                                           .setup = setup_level_there,
                                           .threads = {put_high_0, take_two_levels_1},
                                           .finish = level_has_all,
                                           .marks = FIRST | SECOND},
                                          {.name = "queue: levels: one puts two below, one empties the level above",
                                           .setup = setup_level_there,
                                           .threads = {put_below_0, take_two_levels_1},
                                           .finish = level_below_has_it,
                                           .marks = FIRST | SECOND},
                                          {.name = "queue: levels: one buries and puts below, one takes",
                                           .setup = setup_mark_is_lost,
                                           .threads = {idle, bury_and_put_0, take_2},
                                           .finish = urgent_comes_first},
                                          {.name = "queue: sorted: two put, and one may die",
                                           .setup = setup_sorted,
                                           .threads = {put_first_0, put_last_1},
                                           .finish = sorted_puts,
                                           .mortal = 1,
                                           .marks = SECOND | REFUSED},
                                          {.name = "queue: sorted: one puts, and may die; one takes",
                                           .setup = setup_sorted,
                                           .threads = {put_first_0, take_sorted_1},
                                           .finish = sorted_put_and_taken,
                                           .mortal = 1,
                                           .marks = FIRST | SECOND | REFUSED},
                                          {.name = "queue: sorted: two take, and one may die",
                                           .setup = setup_sorted,
                                           .threads = {take_sorted_0, take_sorted_1},
                                           .finish = sorted_takes,
                                           .mortal = 1,
                                           .marks = FIRST | SECOND | REFUSED},
                                          {.name = "queue: sorted: one closes, one puts",
                                           .setup = setup_sorted,
                                           .threads = {close_sorted_0, put_last_1},
                                           .finish = sorted_closed,
                                           .marks = FIRST | SECOND},
                                          {.name = "queue: sorted: one waits for the value that another puts",
                                           .setup = setup_sorted_empty,
                                           .threads = {put_surely_0, wait_surely_1},
                                           .finish = sorted_has_waited,
                                           .sc = true,
                                           .marks = SLEPT},
                                          {.name = "queue: sorted: one waits for the end",
                                           .setup = setup_sorted_empty,
                                           .threads = {close_surely_0, wait_surely_1},
                                           .finish = sorted_has_ended,
                                           .sc = true,
                                           .marks = SLEPT},
                                          {.name = NULL}};
