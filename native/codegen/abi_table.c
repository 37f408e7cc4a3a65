/* The layout as data: what the compiler made of layout.h, error.h and events.h, for build.mjs to
 * turn into TypeScript. Compiled by the compiler that compiles the wasm core, so the two cannot
 * disagree. */
#include "napi/events.h"
#include "sabway/broadcast.h"
#include "sabway/directory.h"
#include "sabway/heap.h"
#include "sabway/heap_channel.h"
#include "sabway/layout/p2p.h"
#include "sabway/map.h"
#include "sabway/offer.h"
#include "sabway/pool.h"
#include "sabway/queue.h"
#include "sabway/ring.h"
#include "sabway/wait.h"

typedef struct row {
  const char *kind; /* size, field, constant, error, private: as in `export const` below */
  const char *owner;
  const char *name; /* for an error its sentence */
  int32_t value;
} row;

static const row ROWS[] = {
#define SWI_STRUCT(type)                    {"size", #type, "", sizeof(type)},
#define SWI_FIELD(type, field)              {"field", #type, #field, offsetof(type, field)},
#define SWI_CONSTANT(constant)              {"constant", #constant, "", constant},
#define SWI_ERROR(name, number, code, text) {"error", code, text, number},
    // clang-format off
    SW_LAYOUT_STRUCTS(SWI_STRUCT)
    SW_LAYOUT_FIELDS(SWI_FIELD)
    SW_LAYOUT_CONSTANTS(SWI_CONSTANT)
    SW_ERROR_TABLE(SWI_ERROR)
    /* Not stored in the region. */
    SWI_CONSTANT(SW_REACH_RELAY)
    SWI_CONSTANT(SW_REACH_NONE)
    SWI_CONSTANT(SW_WAIT_BALANCED)
    SWI_CONSTANT(SW_WAIT_SPIN)
    SWI_CONSTANT(SW_WAIT_PARK)
    SWI_CONSTANT(SW_WAIT_SPIN_NS)
    SWI_CONSTANT(SW_WAIT_PATROL_MS)
    SWI_EVENT_KINDS(SWI_CONSTANT)
    /* Handles are private to an instance, so they are no part of the layout hash; JavaScript reads
     * their counters. */
    SWI_FIELD(sw_producer, status)
    SWI_FIELD(sw_producer, next)
    SWI_FIELD(sw_producer, room)
    SWI_FIELD(sw_producer, messages)
    SWI_FIELD(sw_producer, bytes)
    SWI_FIELD(sw_producer, capacity)
    SWI_FIELD(sw_producer, role)
    SWI_FIELD(sw_consumer, status)
    SWI_FIELD(sw_consumer, messages)
    SWI_FIELD(sw_consumer, bytes)
    SWI_FIELD(sw_consumer, capacity)
    SWI_FIELD(sw_consumer, role)
    SWI_FIELD(sw_heap, status)
    SWI_FIELD(sw_found, kind)
    SWI_FIELD(sw_found, object)
    SWI_FIELD(sw_found, generation)
    SWI_FIELD(sw_heap_block, at)
    SWI_FIELD(sw_heap_block, bytes)
    SWI_FIELD(sw_heap_block, owner)
    SWI_STRUCT(sw_heap_block)
    SWI_STRUCT(sw_heap_cursor)
    SWI_STRUCT(sw_heap)
    SWI_FIELD(sw_heap, role)
    SWI_FIELD(sw_heap, begin)
    SWI_FIELD(sw_heap, count)
    SWI_FIELD(sw_heap, ordered)
    SWI_STRUCT(sw_heap_stats)
    SWI_FIELD(sw_heap_stats, total)
    SWI_FIELD(sw_heap_stats, used)
    SWI_FIELD(sw_heap_stats, free)
    SWI_FIELD(sw_heap_stats, largest)
    SWI_FIELD(sw_heap_stats, blocks)
    SWI_FIELD(sw_heap_stats, pages_bytes)
    SWI_FIELD(sw_heap_stats, high_water)
    SWI_FIELD(sw_heap_stats, by_owner)
    SWI_CONSTANT(SW_BROADCAST_MESSAGES)
    SWI_CONSTANT(SW_BROADCAST_ROOM)
    SWI_STRUCT(sw_broadcast_message)
    SWI_FIELD(sw_broadcast_message, length)
    SWI_FIELD(sw_broadcast_message, type)
    SWI_FIELD(sw_broadcast_message, missed)
    SWI_CONSTANT(SW_MAP_TAG)
    SWI_CONSTANT(SW_MAP_SPARES)
    SWI_CONSTANT(SW_MAP_SET)
    SWI_CONSTANT(SW_MAP_INSERT)
    SWI_CONSTANT(SW_MAP_REPLACE)
    SWI_STRUCT(sw_map_handle)
    SWI_FIELD(sw_map_handle, tag)
    SWI_FIELD(sw_map_handle, spare)
    SWI_FIELD(sw_map_handle, status)
    SWI_FIELD(sw_map_handle, length)
    SWI_FIELD(sw_map_handle, now)
    SWI_FIELD(sw_map_handle, expires)
    SWI_STRUCT(sw_map_options)
    SWI_FIELD(sw_map_options, flags)
    SWI_FIELD(sw_map_options, capacity)
    SWI_FIELD(sw_map_options, most)
    SWI_FIELD(sw_map_options, codec)
    SWI_FIELD(sw_map_options, seed)
    SWI_FIELD(sw_map_options, ttl)
    SWI_STRUCT(sw_map_cursor)
    SWI_STRUCT(sw_map_block_cursor)
    SWI_STRUCT(sw_pool_item)
    SWI_FIELD(sw_pool_item, index)
    SWI_FIELD(sw_pool_item, life)
    SWI_FIELD(sw_pool_item, block)
    SWI_STRUCT(sw_pool_stats)
    SWI_FIELD(sw_pool_stats, bytes)
    SWI_FIELD(sw_pool_stats, most)
    SWI_FIELD(sw_pool_stats, blocks)
    SWI_FIELD(sw_pool_stats, held)
    SWI_STRUCT(sw_queue_handle)
    SWI_FIELD(sw_queue_handle, length)
    SWI_FIELD(sw_queue_handle, held)
    SWI_FIELD(sw_queue_handle, cell)
    SWI_STRUCT(sw_queue_options)
    SWI_STRUCT(sw_offer)
    SWI_FIELD(sw_offer, which)
    SWI_FIELD(sw_offer, value)
    SWI_FIELD(sw_offer, home)
    /* In memory of their own, so they are no part of the layout hash. */
    SW_P2P_STRUCTS(SWI_STRUCT)
    SW_P2P_FIELDS(SWI_FIELD)
    SW_P2P_CONSTANTS(SWI_CONSTANT)
    // clang-format on
};

_Static_assert(sizeof(sw_producer) <= sizeof(((sw_instance *)0)->producer),
               "the handle fits its place in the instance");
_Static_assert(sizeof(sw_consumer) <= sizeof(((sw_instance *)0)->consumer),
               "the handle fits its place in the instance");

_Static_assert(sizeof(sw_heap) <= sizeof(((sw_instance *)0)->heap), "the handle fits its place in the instance");
_Static_assert(sizeof(sw_heap_stats) <= sizeof(((sw_instance *)0)->scratch), "what a call gives fits the scratch");

_Static_assert(sizeof(sw_queue_handle) <= 112, "lib/queues/attachment.ts has its places behind the handle");
_Static_assert(sizeof(sw_map_handle) <= 144, "lib/map/attachment.ts has its places behind the handle");

__attribute__((export_name("row_count"))) int row_count(void) { return sizeof(ROWS) / sizeof(ROWS[0]); }
__attribute__((export_name("row_at"))) const row *row_at(int i) { return &ROWS[i]; }
