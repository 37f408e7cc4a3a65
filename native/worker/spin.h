/* How native threads spin. */
#ifndef SABWAY_WORKER_SPIN_H
#define SABWAY_WORKER_SPIN_H

#include <stdint.h>

/* What a thread remembers of its spins: zero at first. */
typedef struct sw__spinner {
  uint32_t forgo; /* yields that are left out in a row: see sw_wait_forgo */
  uint32_t left;  /* of them */
} sw__spinner;

/* Look until `look` returns something other than 0: then 1; or 0 at the time `until` (of sw_prim_now). One thread. */
int sw__spin(sw__spinner *s, int (*look)(void *), void *context, uint64_t until);

#endif
