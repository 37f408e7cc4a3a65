/* Channels in a heap: see core/channel/life.h for the states of one.
 *
 * Making: the block of the rings, then a header: one that was freed, which the registry's exchange
 * gives to this caller alone, or a new one, which is registered; then the words. The role words
 * differ from those of each earlier generation, so an exchange that was prepared for one of those
 * fails.
 *
 * Freeing: the freer puts its role into `life`, looks at the four roles [O1], and takes the channel
 * apart, or lets it be open again. Another freer puts its own role there, and looks, too: then the
 * first one's last exchange fails. So each look that counts is of the last freer, and it is behind
 * all that the others had seen. A participant that takes a role looks at `life` behind that, and
 * takes the freer's role out:
 *
 *   freer                              opener
 *     life := own role                   role word := own role
 *     fence                  [O1]        fence                            [C3]
 *     look at the role words             look at life: a freer's role -> open
 *     life: own role -> taken apart
 *
 * Either the freer sees the role, or the opener sees the freer or that the channel is closed. When
 * both see each other, one of the two exchanges of `life` succeeds.
 *
 *   [O1] pairs with [C3] in channel.c, and with itself: two sides that are done at once do not both
 *        miss the other.
 *   [O2] the acquire of a role word pairs with [C2]: what its last holder did with the rings is
 *        over before their block is freed.
 *
 * What a crash leaves:
 *   in sw_channel_new            a block, or a header that is registered and closed
 *   of a freer that looks        its role in `life`: the next freer replaces it, and openers take
 *                                it out
 *   of one that takes apart      its role: the next freer goes on. A block that it had in hand is
 *                                lost; between the last two steps the header is */
#include "sabway/heap_channel.h"

#include "base/peer.h"
#include "core/channel/life.h"
#include "sabway/endpoint.h"
#include "sabway/registry.h"

static uint64_t size_of(const sw_heap *heap) { return heap->begin + (uint64_t)heap->count * SW_HEAP_PAGE; }

/* ---- making ---- */

/* A block for the rings' bytes, or 0 with heap->status. */
static uint32_t allocate_rings(sw_heap *heap, uint64_t bytes) {
  uint32_t data = sw_heap_alloc_aligned(heap, (uint32_t)bytes, SW_LINE);
  if (data != 0 || heap->status != SW_EHEAPFULL || sw_channel_reclaim(heap) == 0) return data;
  return sw_heap_alloc_aligned(heap, (uint32_t)bytes, SW_LINE);
}

/* A header that no other participant has: 0 with heap->status. */
static uint32_t new_header(sw_heap *heap) {
  uint32_t at = sw_heap_alloc_aligned(heap, (uint32_t)sizeof(sw_channel), SW_LINE);
  if (at == 0) return 0;
  sw_channel *channel = (sw_channel *)(void *)(heap->base + at);
  __builtin_memset(channel, 0, sizeof(*channel));
  sw_store64_relaxed(&channel->life, swi_life_of(0, SW_ROLE_GONE));
  uint32_t place = 0;
  int status = sw_registry_add(heap, at, SW_KIND_CHANNEL, &place);
  sw_store_relaxed(&channel->place, place);
  if (status == SW_OK) return at;
  sw_heap_free(heap, at);
  heap->status = status;
  return 0;
}

/* One that was freed: 0 when there is none. */
static uint32_t freed_header(sw_heap *heap) { return sw_registry_reuse(heap, SW_KIND_FREE_CHANNEL, SW_KIND_CHANNEL); }

static uint32_t take_header(sw_heap *heap) {
  uint32_t at = freed_header(heap);
  if (at == 0) {
    at = new_header(heap);
    int status = heap->status;
    if (at != 0) return at;
    if (status == SW_EHEAPFULL && sw_channel_reclaim(heap) != 0) at = freed_header(heap);
    heap->status = status;
    if (at == 0) return 0;
  }
  if (swi_channel_at(heap->base, size_of(heap), at) != NULL) return at;
  heap->status = SW_ECORRUPT;
  return 0;
}

uint32_t sw_channel_new(sw_heap *heap, uint32_t renderer_to_native, uint32_t native_to_renderer) {
  uint32_t first = sw_ring_capacity(renderer_to_native), second = sw_ring_capacity(native_to_renderer);
  if (first == 0 || second == 0) {
    heap->status = SW_ERANGE;
    return 0;
  }
  uint32_t data = allocate_rings(heap, sw_channel_bytes(first, second) - sizeof(sw_channel));
  if (data == 0) return 0;
  uint32_t at = take_header(heap);
  if (at == 0) {
    int status = heap->status;
    sw_heap_free(heap, data);
    heap->status = status;
    return 0;
  }
  sw_channel *channel = swi_channel_at(heap->base, size_of(heap), at);
  uint32_t generation = swi_life_generation(sw_peer_load64_relaxed(&channel->life)) + 1;
  sw_store_relaxed(&channel->data, data);
  swi_channel_write(channel, generation == 0 ? 1 : generation, first, second, data);
  return at;
}

/* ---- is a side done? ---- */

/* What has become of a role. */
enum fate { HELD, LEFT, NEVER, LOST, ENDED };

static enum fate fate_of(const void *base, const uint32_t *word) {
  uint32_t role = sw_peer_load_acquire(word); /* [O2] */
  uint32_t last = sw_role_holder(role) | sw_role_lost(role);
  if (last != 0) return sw_endpoint_role_alive(base, last) ? HELD : LOST;
  if (role == SW_ROLE_ENDED) return ENDED;
  return (role & SW_ROLE_GONE) != 0 ? LEFT : NEVER;
}

static bool is_done(const void *base, const sw_channel *channel, uint32_t side, uint32_t flags) {
  enum fate sends = fate_of(base, &channel->rings[sw_ring_from(side)].producer);
  enum fate reads = fate_of(base, &channel->rings[sw_ring_towards(side)].consumer);
  if (sends == HELD || reads == HELD) return false;
  if ((flags & SW_CHANNEL_UNSHARED) != 0) return true;
  /* the one that it held is lost, so no participant is left to take the other */
  if ((sends == LOST && reads == NEVER) || (sends == NEVER && reads == LOST)) return true;
  return (sends == LOST || sends == ENDED) && (reads == LOST || reads == ENDED);
}

static bool are_done(const void *base, const sw_channel *channel, uint32_t flags) {
  return is_done(base, channel, SW_RENDERER, flags) && is_done(base, channel, SW_NATIVE, flags);
}

/* ---- freeing ---- */

/* The channel is the caller's, whose role `life` names as the one that takes it apart. */
static void take_apart(sw_heap *heap, sw_channel *channel, uint32_t at, uint64_t life) {
  /* taken out before it is freed: the next freer must not free it once more */
  uint32_t data = sw_exchange_acq_rel(&channel->data, 0);
  if (data != 0) sw_heap_free(heap, data);
  uint64_t over = swi_life_of(swi_life_generation(life), SW_ROLE_GONE);
  if (!sw_compare_exchange64_acq_rel(&channel->life, &life, over)) return; /* taken for dead */
  uint32_t place = sw_peer_load_relaxed(&channel->place);
  sw_registry_retire(heap, at, SW_KIND_CHANNEL, SW_KIND_FREE_CHANNEL, place);
}

/* Put `mine` into the channel's life, in place of whatever freer is there. SW_OK; SW_ECLOSED: it is
 * free, or another takes it apart. `seen` is what was there. */
static int begin(const void *base, sw_channel *channel, uint32_t generation, uint32_t role, uint64_t *seen) {
  *seen = sw_peer_load64_acquire(&channel->life);
  for (int tries = 0; tries < SW_ENDPOINTS; tries++) {
    uint32_t state = swi_life_state(*seen), apart = sw_role_lost(state);
    if (swi_life_generation(*seen) != generation) return SW_ECLOSED;
    if (state != 0 && sw_role_holder(state) == 0 && (apart == 0 || sw_endpoint_role_alive(base, apart)))
      return SW_ECLOSED;
    uint64_t mine = swi_life_of(generation, apart == 0 ? role : role | SW_ROLE_GONE);
    if (sw_compare_exchange64_acq_rel(&channel->life, seen, mine)) return SW_OK;
  }
  return SW_ECORRUPT; /* a peer does not stop writing to it */
}

int sw_channel_free(sw_heap *heap, uint32_t channel, uint32_t generation, uint32_t flags) {
  sw_channel *header = swi_channel_at(heap->base, size_of(heap), channel);
  if (header == NULL) return SW_ERANGE;
  if (sw_peer_load_acquire(&header->magic) != SW_CHANNEL_MAGIC) return SW_ENOTREGION;
  uint64_t seen, looking = swi_life_of(generation, heap->role);
  uint64_t mine = swi_life_of(generation, heap->role | SW_ROLE_GONE);
  int status = begin(heap->base, header, generation, heap->role, &seen);
  if (status != SW_OK) return status;
  if (sw_role_lost(swi_life_state(seen)) == 0) { /* else a dead one was taking it apart */
    sw_fence_handshake();                        /* [O1] */
    if (!are_done(heap->base, header, flags)) {
      sw_compare_exchange64_acq_rel(&header->life, &looking, swi_life_of(generation, 0));
      return 0;
    }
    if (!sw_compare_exchange64_acq_rel(&header->life, &looking, mine)) return 0;
  }
  take_apart(heap, header, channel, mine);
  return 1;
}

uint32_t sw_channel_reclaim(sw_heap *heap) {
  uint32_t freed = 0;
  sw_registry_cursor cursor = {0};
  uint64_t size = size_of(heap);
  for (uint32_t entry; (entry = sw_registry_next(heap->base, size, &cursor)) != 0;) {
    uint32_t at = entry & ~(uint32_t)SW_KIND_MASK;
    sw_channel *channel = (entry & SW_KIND_MASK) == SW_KIND_CHANNEL ? swi_channel_at(heap->base, size, at) : NULL;
    if (channel == NULL) continue;
    uint64_t life = sw_peer_load64_relaxed(&channel->life);
    bool apart = sw_role_lost(swi_life_state(life)) != 0;
    if (!apart && (!swi_life_is_open(life) || !are_done(heap->base, channel, 0))) continue;
    if (sw_channel_free(heap, at, swi_life_generation(life), 0) == 1) freed++;
  }
  return freed;
}
