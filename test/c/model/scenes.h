/* The scenarios over the real core, and what they share. */
#ifndef SABWAY_MODEL_SCENES_H
#define SABWAY_MODEL_SCENES_H

#include "explorer.h"
#include "sabway/channel.h"
#include "sabway/endpoint.h"
#include "sabway/region.h"

/* Every scenario; ended by one without a name. */
extern const model_scenario scenes_ring[], scenes_park[], scenes_relay[], scenes_close[], scenes_roles[],
    scenes_claim[], scenes_attach[], scenes_mutex[], scenes_heap[], scenes_burial[], scenes_registry[],
    scenes_channel[], scenes_ready[], scenes_object[], scenes_string[], scenes_vector[], scenes_list[], scenes_map[],
    scenes_record[], scenes_waits[], scenes_sync[], scenes_pool[], scenes_queue[], scenes_ack[], scenes_single[],
    scenes_priority[], scenes_offer[], scenes_broadcast[], scenes_broadcast_end[], scenes_p2p[];
extern const model_scenario *const scenes_all[]; /* ended by NULL */
/* How many of the lists, the first, are of what the structures stand on. */
enum { SCENES_FOUNDATION = 14 };

/* Marks: what some run has to reach, or the scenario proves nothing. */
enum {
  SLEPT = 1,   /* a thread was about to park */
  FULL = 2,    /* a producer found no room */
  WRAPPED = 4, /* a frame was put at the ring's first byte */
  FIRST = 8,   /* the first contender won, or got through */
  SECOND = 16,
  BOTH = 32,
  REFUSED = 64,
  APPENDED = 256, /* a message was sent by sw_producer_append */
  ENDED = 128     /* saw the end of the stream, or a closed ring */
};

/* One world for all scenarios: two participants (processes 1 and 2, endpoints 0 and 1), one channel
 * with the smallest rings. Participant 0 is the renderer: it produces rings[0]. */
enum { CHANNEL = SW_HEAP_AT, CAPACITY = SW_RING_MIN, REGION_BYTES = MODEL_REGION_PAGES * SW_PAGE };

extern struct world {
  sw_producer producer[2]; /* by participant */
  sw_consumer consumer[2];
  uint32_t sent[MODEL_THREADS], received; /* messages so far */
  int status[MODEL_THREADS];
  uint32_t stop;
} world;

sw_ring *world_ring(int producer_side);

/* In setup: an empty region, a formatted one, and one with both endpoints claimed and the rings'
 * counters at `at`, the renderer producing for the native side's consumer. */
void world_empty(void);
void world_format(void);
void world_open(uint32_t at);

/* In setup: every endpoint has the marks that rings of native threads make, and which no native
 * owner takes. Their fences hide no other, then. */
void world_mark(void);

/* Send message number `n` (from 1) of `length` bytes: SW_OK, or why not. Only its first and last
 * word are touched. */
int world_send(sw_producer *p, uint32_t n, uint32_t length);

/* The same, by sw_producer_append where it knows room. */
int world_append(sw_producer *p, uint32_t n, uint32_t length);

/* Receive one message and check that it is number `n` of `length` bytes: 1, 0, or an error. */
int world_receive(sw_consumer *c, uint32_t n, uint32_t length);

/* As the native worker does: announce sleep, look once more, sleep. */
void world_park_for_message(sw_consumer *c, uint32_t endpoint);
void world_park_for_space(sw_producer *p, uint32_t endpoint, uint32_t length);

/* Send or receive `count` messages, numbered from 1, sleeping in between. They stop early at the
 * end of the stream. */
void world_send_all(sw_producer *p, uint32_t endpoint, uint32_t count, uint32_t length);
void world_receive_all(sw_consumer *c, uint32_t endpoint, uint32_t count, uint32_t length);

/* In finish: what is left in the rings can be walked. */
void world_valid(void);

#endif
