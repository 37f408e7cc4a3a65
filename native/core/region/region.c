/* Regions: making one, and finding out whether some memory is one.
 *
 *   header.magic    state
 *   0               not ready: every host refuses it
 *   SW_MAGIC        ready, for as long as the memory is there
 *
 * Making: flags and nonce, when processes share it (shared.c); the channel or the heap; layout
 * hash, pages, root and heap; the magic last [H1]. A crash on the way leaves memory that every host
 * refuses. After [H1] no honest participant writes to the header; but a hostile one may, at any
 * time: each word is read once, and what it leads to is checked against the size that the operating
 * system gives. header.root is the address of the channel that the region was carved for:
 * sw_region_channel is the only reader. */
#include "sabway/region.h"

#include "base/peer.h"
#include "sabway/channel.h"

static uint32_t mix(uint32_t hash, uint32_t value) { return (hash ^ value) * 16777619u; }

uint32_t sw_layout_hash(void) {
  uint32_t hash = 2166136261u;
#define SWI_STRUCT(type) hash = mix(hash, (uint32_t)sizeof(type));
#define SWI_FIELD(type, field) \
  hash = mix(mix(hash, (uint32_t)offsetof(type, field)), (uint32_t)sizeof(((type *)0)->field));
#define SWI_CONSTANT(name) hash = mix(hash, (uint32_t)(name));
  SW_LAYOUT_STRUCTS(SWI_STRUCT)
  SW_LAYOUT_FIELDS(SWI_FIELD)
  SW_LAYOUT_CONSTANTS(SWI_CONSTANT)
#undef SWI_STRUCT
#undef SWI_FIELD
#undef SWI_CONSTANT
  return hash;
}

uint64_t sw_region_bytes(uint32_t renderer_to_native, uint32_t native_to_renderer) {
  uint64_t channel = sw_channel_bytes(renderer_to_native, native_to_renderer);
  if (channel == 0) return 0;
  return (SW_HEAP_AT + channel + SW_PAGE - 1) / SW_PAGE * SW_PAGE;
}

static void write_header(void *base, uint32_t pages, uint32_t root, uint32_t heap) {
  sw_region_header *header = base;
  sw_store_relaxed(&header->layout_hash, sw_layout_hash());
  sw_store_relaxed(&header->pages, pages);
  sw_store_relaxed(&header->root, root);
  sw_store_relaxed(&header->heap, heap);
  sw_store_release(&header->magic, SW_MAGIC); /* [H1] pairs with the acquire in sw_region_verify */
}

int sw_region_format_empty(void *base, uint32_t pages, uint32_t heap) {
  if ((uint64_t)pages * SW_PAGE < SW_HEAP_AT) return SW_ERANGE;
  write_header(base, pages, heap == 0 ? SW_HEAP_AT : 0, heap);
  return SW_OK;
}

int sw_region_format(void *base, uint32_t pages, uint32_t renderer_to_native, uint32_t native_to_renderer) {
  uint64_t needed = sw_region_bytes(renderer_to_native, native_to_renderer);
  if (needed == 0 || (uint64_t)pages * SW_PAGE < needed) return SW_ERANGE;
  int status = sw_channel_format(base, SW_HEAP_AT, renderer_to_native, native_to_renderer);
  if (status == SW_OK) write_header(base, pages, SW_HEAP_AT, 0);
  return status;
}

int sw_region_verify(const void *base, uint32_t pages) {
  const sw_region_header *header = base;
  if ((uint64_t)pages * SW_PAGE < SW_HEAP_AT) return SW_ENOTREGION;
  if (sw_peer_load_acquire(&header->magic) != SW_MAGIC) return SW_ENOTREGION; /* pairs with [H1] */
  if (sw_peer_load_relaxed(&header->layout_hash) != sw_layout_hash()) return SW_ELAYOUT;
  if (sw_peer_load_relaxed(&header->pages) != pages) return SW_ENOTREGION;
  return SW_OK;
}

uint32_t sw_region_channel(const void *base, uint64_t size) {
  if (size < SW_HEAP_AT + sizeof(sw_channel)) return 0;
  uint32_t root = sw_peer_load_relaxed(&((const sw_region_header *)base)->root);
  if (root < SW_HEAP_AT || root % SW_LINE != 0 || root > size - sizeof(sw_channel)) return 0;
  return root;
}

uint32_t sw_region_heap(const void *base, uint64_t size) {
  if (size < SW_HEAP_AT) return 0;
  uint32_t heap = sw_peer_load_relaxed(&((const sw_region_header *)base)->heap);
  return heap == SW_HEAP_AT ? heap : 0;
}
