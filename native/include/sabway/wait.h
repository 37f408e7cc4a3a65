/* Waiting: spin for a while that adapts to what has paid off, then sleep. Pure calculation, for
 * every host. */
#ifndef SABWAY_WAIT_H
#define SABWAY_WAIT_H

#include "endpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an endpoint does when it has nothing to do. */
enum sw_wait_policy {
  /* spin for about 20 us, less when that has not paid off lately, then park */
  SW_WAIT_BALANCED = 0,
  SW_WAIT_SPIN = 1, /* never park: the lowest latency, at the cost of a processor */
  SW_WAIT_PARK = 2  /* park at once: the least processor time */
};

enum {
  SW_WAIT_SPIN_NS = 20000,   /* a balanced thread spins for at most this time */
  SW_WAIT_SHORT_NS = 200000, /* a sleep shorter than this cost more than it saved */
  /* how often a sleeper looks again by itself when its waker may vanish */
  SW_WAIT_PATROL_MS = 500,
  /* how often a native thread looks whether the processes of its peers have ended */
  SW_WAIT_DEATH_NS = 100000000
};

/* What a thread remembers of its spins: zero at first. */
typedef struct sw_spinner {
  uint32_t skip; /* how many yields to leave out in a row: see sw_wait_skip_yields */
  uint32_t left; /* of those, the ones that are still to come */
} sw_spinner;

/* How long to spin next time, at most `most_ns`. `window_ns` is how long the last spin was allowed
 * to take, `slept_ns` how long the sleep was that followed it: 0 when work came while it spun. Any
 * thread, wait-free. */
uint32_t sw_wait_next_window(uint32_t window_ns, uint32_t most_ns, uint32_t slept_ns);

/* A spinning thread yields its processor once in SW_WAIT_SPIN_NS, because its peer may be waiting
 * for that processor. A yield that took long has given it to another program. Returns how many of
 * the next yields to skip after one that took `took_ns`: more each time in a row that it took long
 * (`last` is what the last call returned). Any thread, wait-free. */
uint32_t sw_wait_skip_yields(uint32_t last, uint32_t took_ns);

/* How many milliseconds the next sleep may last: 0 is no limit. `path` is how wakers reach the
 * sleeper (see sw_endpoint_wake_path), `sleeps` how many times it has slept already without finding
 * work. Any thread, wait-free. */
uint32_t sw_wait_limit_ms(uint32_t path, uint32_t sleeps);

#ifdef __cplusplus
}
#endif
#endif
