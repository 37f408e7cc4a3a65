/* Doorbells, as the ring uses them. */
#ifndef SABWAY_CORE_DOORBELL_H
#define SABWAY_CORE_DOORBELL_H

#include "sabway/layout.h"

/* The slot word that stands beside the role in the ring says how its holder hears of the channel:
 * an idle one's slot is marked, whether the endpoint sleeps or not, and then the endpoint is rung
 * if it sleeps. The caller has passed sw_fence_handshake before it read role and slot word. */

/* Because of a message: holders with SW_SLOT_QUIET are not told, and a quiet sleeper
 * (SW_SLEEP_QUIET) sleeps on. */
void swi_doorbell_ring_for_message(void *base, uint32_t role, uint32_t slot_word);

/* Because of anything else. */
void swi_doorbell_ring_holder(void *base, uint32_t role, uint32_t slot_word);

/* The same, as sw_endpoint_wake_always. */
void swi_doorbell_wake_holder(void *base, uint32_t role, uint32_t slot_word);

/* sw_endpoint_ring for what that slot stands for. */
void swi_doorbell_ring_slot(void *base, uint32_t role, uint32_t slot);

#endif
