/* What the scenes of broadcasts share: a broadcast with three participants. Thread n is process
 * n + 1, endpoint n. The ring has room for two messages: they begin at its two halves, or, when
 * they are short, leave a pad behind the second. */
#ifndef SABWAY_MODEL_SCENES_BROADCAST_H
#define SABWAY_MODEL_SCENES_BROADCAST_H

#include "sabway/broadcast.h"
#include "scenes.h"

enum { CAST_SHORT = 4, CAST_LONG = 12, CAST_RING = 64 };

extern struct cast_world {
  sw_heap heap[3];
  uint32_t at, generation, bytes; /* bytes: of each message */
  uint32_t got[3][4], count[3];   /* by thread: the numbers of what it received */
  uint64_t missed[3];
  int sent[3], last[3]; /* statuses */
  uint32_t block;
  uint32_t done; /* bit n: thread n came to its end */
} cast;

/* In setup: all of it; or its two parts. `subscriber`: a thread, or -1; `count`: of messages that
 * are there then, numbered from 1. */
void cast_setup(uint32_t policy, uint32_t bytes, int subscriber, uint32_t count);
void cast_make(uint32_t policy, uint32_t bytes);
void cast_ready(uint32_t count);

/* Publish message number `n`: the status. */
int cast_send(int thread, uint32_t n);
/* Receive one: it is whole, is behind the last one, and those between them are counted. `seen`: the
 * last number that need not be counted, or UINT32_MAX where the numbers do not tell; cast_receive:
 * all. */
int cast_receive_behind(int thread, uint32_t seen);
int cast_receive(int thread);
int cast_subscribe(int thread, uint32_t oldest);

/* The thread comes to its end; it has. */
void cast_end(int thread);
bool cast_has_ended(int thread);

/* In finish: its words are right; and thread 1 receives the rest, up to that one. */
void cast_is_sound(void);
void cast_rest_up_to(uint32_t last);

#endif
