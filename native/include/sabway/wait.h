/* Waiting: spin for a while that adapts to what has paid off, then sleep. Pure calculation, for every host. */
#ifndef SABWAY_WAIT_H
#define SABWAY_WAIT_H

#include "endpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an endpoint does when it has nothing to do. */
enum sw_wait_policy {
  SW_WAIT_BALANCED = 0, /* spin for about 20 us, less when that has not paid off lately, then park */
  SW_WAIT_SPIN = 1,     /* never park: the lowest latency, at the cost of a processor */
  SW_WAIT_PARK = 2      /* park at once: the least processor time */
};

enum {
  SW_WAIT_SPIN_NS = 20000,     /* a balanced thread spins for at most this time */
  SW_WAIT_SHORT_NS = 200000,   /* a sleep shorter than this cost more than it saved */
  SW_WAIT_PATROL_MS = 500,     /* how often a sleeper looks again by itself when its waker may vanish */
  SW_WAIT_DEATH_NS = 100000000 /* how often a native thread looks whether the processes of its peers have ended */
};

/* What a thread remembers of its spins: zero at first. */
typedef struct sw_spinner {
  uint32_t forgo; /* yields that are left out in a row: see sw_wait_forgo */
  uint32_t left;  /* of them */
} sw_spinner;

/* The next time to spin, at most `most_ns`, after `window_ns` was not enough and a sleep of `slept_ns` followed (0: it
 * was enough). Any thread, wait-free. */
uint32_t sw_wait_spin(uint32_t window_ns, uint32_t most_ns, uint32_t slept_ns);

/* A spinning thread yields its processor once in SW_WAIT_SPIN_NS: the peer may be waiting for this very one. Where that
 * gave it to another program, so that it `took_ns` to come back, the next yields are left out: returns how many, more
 * each time in a row that is so (`last`: what the last call returned). Any thread, wait-free. */
uint32_t sw_wait_forgo(uint32_t last, uint32_t took_ns);

/* Milliseconds that the next sleep may last when wakers reach the sleeper by `reach` (see sw_endpoint_reach) and it has
 * slept `sleeps` times already without finding work; 0 is no bound. Any thread, wait-free. */
uint32_t sw_wait_bound(uint32_t reach, uint32_t sleeps);

#ifdef __cplusplus
}
#endif
#endif
