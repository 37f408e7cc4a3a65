/* Burial, as the families of control blocks take part in it. Each has a function here, which
 * burial.c calls for each of its blocks, and which is defined in the family's folder:
 *
 *   void swi_<family>_bury(void *base, uint64_t size, uint32_t at, const swi_dead *dead);
 *
 * The whole block is inside the region. Its lock has been evicted already, and its waits words are
 * rung behind it, all of them. Any participant may call it, any number of times, for a block that
 * is free or has become the next object by then: so a step exchanges a word that names the dead
 * claim, and nothing else. */
#ifndef SABWAY_CORE_BURIAL_H
#define SABWAY_CORE_BURIAL_H

#include <stdbool.h>

#include "sabway/layout.h"
#include "sabway/role.h"

/* The participant that is taken out: one claim of its endpoint, or all of them, which is for the
 * endpoint's owner alone, when it joins or leaves. */
typedef struct swi_dead {
  uint32_t role;
  bool all_claims;
} swi_dead;

static inline bool swi_is_dead(const swi_dead *dead, uint32_t role) {
  return dead->all_claims ? sw_role_index(role) == sw_role_index(dead->role) : role == dead->role;
}

void swi_sync_bury(void *base, uint64_t size, uint32_t at, const swi_dead *dead);
void swi_pool_bury(void *base, uint64_t size, uint32_t at, const swi_dead *dead);
void swi_queue_bury(void *base, uint64_t size, uint32_t at, const swi_dead *dead);
void swi_broadcast_bury(void *base, uint64_t size, uint32_t at, const swi_dead *dead);

#endif
