/* What the scenes of queues share: a queue with three participants. Thread n is process n + 1,
 * endpoint n. Values are small integers, and beside each is a word that its producer writes and its
 * consumer reads: a data race when the queue does not order them. */
#ifndef SABWAY_MODEL_SCENES_QUEUE_H
#define SABWAY_MODEL_SCENES_QUEUE_H

#include "core/objects/burial.h"
#include "core/queue/queue.h"
#include "scenes.h"

extern struct queue_world {
  sw_heap heap[3];
  sw_queue_handle q[3];
  uint32_t at, data;
  uint32_t taken[3][2], cell[3]; /* by thread: what it took */
  int status[3][2];
  uint32_t done; /* bit n: thread n came to its end */
} g;

/* In setup. */
void queue_make(sw_queue_options options);
void queue_ready(void); /* behind all that setup does */
sw_queue *queue_block(void);

/* Put that value: the status. */
int queue_put(int thread, uint32_t value, double priority);
/* Take one, as number `i` of the thread's: the value, or 0; its status is in g.status. */
uint32_t queue_take(int thread, uint32_t i);

/* Is what that value leads to there? */
bool queue_is_whole(uint32_t value);

/* Take thread 0 out, if it is dead. Whether it was. */
bool queue_bury(int thread);

/* In finish, or a part of it: what is left, in its order, as digits. */
uint32_t queue_rest(void);
/* And with what was taken, each value of those digits is there once. */
void queue_each_once(uint32_t digits, uint32_t rest);
/* How often it is there. */
uint32_t queue_count(uint32_t value, uint32_t rest);

/* Wait until it takes one, or the queue is closed. */
void queue_take_or_wait(int thread);

/* Steps of thread n, and what is to come of them: of the queues of any number of participants, and
 * of one each. */
void queue_put_0(void);
void queue_put_1(void);
void queue_take_0(void);
void queue_take_1(void);
void queue_close_1(void);
void queue_put_two_0(void);
void queue_take_two_1(void);
void queue_take_to_the_end_2(void);
void queue_in_order(void);
void queue_drained(void);
void queue_dead_has_taken_or_not(void);

#endif
