/* How native threads spin. */
#ifndef SABWAY_WORKER_SPIN_H
#define SABWAY_WORKER_SPIN_H

#include "sabway/wait.h"

/* Look until `look` returns something other than 0: then 1; or 0 at the time `until` (of
 * sw_prim_now). One thread. */
int swi_spin(sw_spinner *s, int (*look)(void *), void *context, uint64_t until);

#endif
