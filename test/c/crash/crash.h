/* Killing a process at every shared access of an operation, and what its survivor must find.
 *
 * One *case* is an operation in a *setting*. It is run again and again on a fresh region: a child
 * prepares, says so, and starts the operation; the k-th shared access in it is a SIGKILL. k counts
 * up until the operation gets through. The parent is the survivor. It sleeps on its doorbell
 * meanwhile, in slices of PATROL_NS: after each it asks whether the peer still exists. So it knows
 * of the death within PATROL_NS, or at once when the dying child still rang. */
#ifndef SABWAY_TEST_CRASH_H
#define SABWAY_TEST_CRASH_H

#include "../unit/process/process.h"
#include "sabway/heap.h"

enum {
  CAPACITY = 4096,
  FRAME = 64, /* what each message takes in the ring */
  FRAMES = CAPACITY / FRAME,
  PATROL_NS = 5000000,
  /* a loaded machine is slow to schedule; a lost sleeper would never wake */
  TOO_LATE_NS = 2000000000
};

/* What the child tells its survivor: shared, and outside the region. */
typedef struct notes {
  uint32_t ready;  /* the child is prepared */
  uint32_t parked; /* the survivor sleeps: go */
  uint32_t points; /* shared accesses of the operation */
  uint32_t kill_at;
  uint32_t index, role; /* the child's endpoint */
  uint32_t sure;        /* messages that are certainly sent (or, by a consumer, released) */
  uint32_t possible;    /* and with those that the operation sends */
  uint32_t some;        /* any number between them is right, not only either of them */
  uint64_t died_at;
} notes;

/* Where the ring's counters stand, and what is in it, when the operation begins. */
typedef struct setting {
  const char *name;
  uint32_t position; /* of both counters at first */
  uint32_t fill;     /* messages sent before */
  int full;          /* not even one more fits, and the survivor has read none */
} setting;

typedef struct scene {
  const setting *at;
  region r;
  sw_ring *ring; /* from renderer to native */
  notes *notes;
  uint32_t own;  /* the survivor's endpoint */
  uint32_t sent; /* messages that the survivor sent or received so far */
  sw_producer p; /* whichever of them the survivor or the child has */
  sw_consumer c;
  pid_t child;
  uint32_t dead; /* an endpoint or role of a participant that died long ago */
  int woken;     /* a ring ended the survivor's sleep */
} scene;

typedef struct crash_case {
  const char *name;
  void (*before)(scene *s);  /* survivor, before there is a child */
  void (*prelude)(scene *s); /* child */
  void (*park)(scene *s);    /* survivor, once the child is prepared: look for work a last time */
  void (*act)(scene *s);     /* child, and its death */
  void (*after)(scene *s);   /* survivor: the child is dead and reaped */
} crash_case;

/* Run a case for every k, print its row of the table, and count it. */
void crash_sweep(const crash_case *what, const setting *at);
/* Print the sum of all rows. Returns what main returns. */
void crash_summary(void);

/* In the child, where cmocka's asserts do not work. */
#define MUST(condition) crash_must((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
void crash_must(int holds, const char *condition, const char *file, int line);
/* What the crash flavour calls first; and the k-th time from now on is the last. */
void swi_crash_point(void);
void crash_arm(notes *n, uint32_t k);
void crash_disarm(void);

/* In the child: an endpoint of the region, or why there is none. */
int crash_claim(const region *r);
/* In the child: take part in the region's heap, and tell its role. */
void crash_join(sw_heap *h, const region *r, notes *n);

/* Wait for the end of the child: was it killed? It has got through otherwise, without a failure. */
bool crash_reap(pid_t child);

/* Shared memory beside the region, zeroed. */
void *crash_shared(size_t bytes);

/* Message number n: its length tells it from its neighbours, its bytes from all others. Each takes
 * FRAME. */
static inline uint32_t length_of(uint32_t n) { return FRAME - 15 + n % 8; }

/* Reserve, fill and commit message n: 0, or why not. */
int put(sw_producer *p, uint32_t n);
int is_message(const scene *s, const sw_slice *slice, uint32_t n);

/* ---- what cases are made of ---- */

void child_claims(scene *s);
/* A participant that has held an endpoint of this region, and is gone; runs `with` before. */
void somebody_dies(scene *s, void (*with)(const region *r));
/* The survivor takes over the dead child's endpoint, and with it the producer's (the consumer's)
 * role. */
uint32_t reclaim(scene *s);

#endif
