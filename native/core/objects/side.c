#include "sabway/side.h"

#include "sabway/registry.h"

int sw_side_open(sw_producer *out, sw_consumer *in, const sw_place *place, const sw_owner *owner, uint32_t skills) {
  int index = sw_endpoint_claim(place->base, owner->pid, owner->start_low, owner->start_high);
  if (index < 0) return index;
  uint32_t endpoint = (uint32_t)index;
  sw_region_evict(place->base, place->size, endpoint); /* what an earlier owner has left */
  sw_endpoint_set_skills(place->base, endpoint, skills);
  /* Before a role is taken: one that is given back says that its holder has left, and a side that
   * has ended in the one direction and died in the other would not be done any more. */
  uint32_t reads = sw_channel_role(place->base, place->size, place->channel, sw_role_consumer(place->side));
  int status = reads == SW_ROLE_ENDED ? SW_ECLOSED : SW_OK;
  if (status == SW_OK)
    status = sw_channel_open_producer(out, place->base, place->size, place->channel, place->generation, place->side,
                                      endpoint);
  if (status == SW_OK) {
    status = sw_channel_open_consumer(in, place->base, place->size, place->channel, place->generation, place->side,
                                      endpoint);
    if (status != SW_OK) sw_producer_leave(out);
  }
  if (status == SW_OK) {
    sw_channel_ring_holders(place->base, place->size, place->channel, sw_other_side(place->side));
    return index;
  }
  sw_endpoint_release(place->base, endpoint);
  return status;
}

int sw_side_holds(const sw_producer *out, const sw_consumer *in) {
  return sw_producer_holds(out) && sw_consumer_holds(in);
}

void sw_side_leave(sw_producer *out, sw_consumer *in, const sw_place *place, uint32_t endpoint) {
  sw_producer_leave(out);
  sw_consumer_leave(in);
  sw_region_evict(place->base, place->size, endpoint);
  sw_endpoint_release(place->base, endpoint);
}

static void peer_words(const sw_place *place, uint32_t words[2]) {
  uint32_t peer = sw_other_side(place->side);
  words[0] = sw_channel_role(place->base, place->size, place->channel, sw_role_consumer(peer));
  words[1] = sw_channel_role(place->base, place->size, place->channel, sw_role_producer(peer));
}

uint32_t sw_side_peer(const sw_place *place) {
  uint32_t words[2];
  peer_words(place, words);
  uint32_t consumer = sw_role_holder(words[0]);
  return consumer != 0 ? consumer : sw_role_holder(words[1]);
}

uint32_t sw_side_dead_peer(const sw_place *place) {
  uint32_t words[2], dead = 0;
  peer_words(place, words);
  for (int i = 0; i < 2; i++) {
    uint32_t holder = sw_role_holder(words[i]), lost = sw_role_lost(words[i]);
    if (holder != 0 && sw_endpoint_role_alive(place->base, holder)) return 0;
    if (dead == 0) dead = holder != 0 ? holder : lost;
  }
  return dead;
}
