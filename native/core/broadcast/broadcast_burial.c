/* Burial of a participant in a broadcast: it subscribes no more, so that publishers, which are rung
 * behind this, have its room. They do not find out themselves: a participant that ends while its
 * process goes on lives for them until its endpoint is released, and then nothing rings.
 *
 * A publisher has left the lock, which is evicted before this, and its message whole or not there
 * at all: see broadcast.c. */
#include "core/objects/burial.h"

#include "base/peer.h"

void swi_broadcast_bury(void *base, uint64_t size, uint32_t at, const swi_dead *dead) {
  (void)size;
  sw_broadcast *b = (sw_broadcast *)(void *)((uint8_t *)base + at);
  uint32_t *word = &b->subscriber[sw_role_index(dead->role) % SW_ENDPOINTS].role, role = sw_peer_load_relaxed(word);
  if (role != 0 && swi_is_dead(dead, role)) sw_compare_exchange_acq_rel(word, &role, 0);
}
