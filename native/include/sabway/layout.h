/* The bytes every participant agrees on: one file per structure, each with its tables.
 *
 * A region is one piece of shared memory. Nothing in it is a pointer: a place is a 32-bit offset
 * from its first byte. All words are little-endian and aligned. Those that JavaScript reaches, with
 * Atomics, have 32 bits; those of 64 bits only the core does. layout/region.h has the map.
 *
 * The tables below go into the layout hash, row by row, and become the TypeScript constants: a new
 * structure's tables are added at their ends. */
#ifndef SABWAY_LAYOUT_H
#define SABWAY_LAYOUT_H

#include "layout/broadcast.h"
#include "layout/channel.h"
#include "layout/directory.h"
#include "layout/endpoint.h"
#include "layout/heap.h"
#include "layout/instance.h"
#include "layout/list.h"
#include "layout/map.h"
#include "layout/mutex.h"
#include "layout/object.h"
#include "layout/queue.h"
#include "layout/ready.h"
#include "layout/record.h"
#include "layout/region.h"
#include "layout/registry.h"
#include "layout/ring.h"
#include "layout/string.h"
#include "layout/vector.h"

#define SW_LAYOUT_STRUCTS(X) \
  SW_REGION_STRUCTS(X)       \
  SW_ENDPOINT_STRUCTS(X)     \
  SW_RING_STRUCTS(X)         \
  SW_CHANNEL_STRUCTS(X)      \
  SW_INSTANCE_STRUCTS(X)     \
  SW_MUTEX_STRUCTS(X)        \
  SW_REGISTRY_STRUCTS(X)     \
  SW_DIRECTORY_STRUCTS(X)    \
  SW_HEAP_STRUCTS(X)         \
  SW_READY_STRUCTS(X)        \
  SW_OBJECT_STRUCTS(X)       \
  SW_STRING_STRUCTS(X)       \
  SW_VECTOR_STRUCTS(X)       \
  SW_LIST_STRUCTS(X)         \
  SW_MAP_STRUCTS(X)          \
  SW_RECORD_STRUCTS(X)       \
  SW_QUEUE_STRUCTS(X)        \
  SW_BROADCAST_STRUCTS(X)

#define SW_LAYOUT_FIELDS(X) \
  SW_REGION_FIELDS(X)       \
  SW_ENDPOINT_FIELDS(X)     \
  SW_RING_FIELDS(X)         \
  SW_CHANNEL_FIELDS(X)      \
  SW_INSTANCE_FIELDS(X)     \
  SW_MUTEX_FIELDS(X)        \
  SW_REGISTRY_FIELDS(X)     \
  SW_DIRECTORY_FIELDS(X)    \
  SW_HEAP_FIELDS(X)         \
  SW_READY_FIELDS(X)        \
  SW_OBJECT_FIELDS(X)       \
  SW_STRING_FIELDS(X)       \
  SW_VECTOR_FIELDS(X)       \
  SW_LIST_FIELDS(X)         \
  SW_MAP_FIELDS(X)          \
  SW_RECORD_FIELDS(X)       \
  SW_QUEUE_FIELDS(X)        \
  SW_BROADCAST_FIELDS(X)

/* The order is part of the hash: new ones go to the end. */
#define SW_LAYOUT_CONSTANTS(X) \
  X(SW_MAGIC)                  \
  X(SW_CHANNEL_MAGIC)          \
  X(SW_PAGE)                   \
  X(SW_ENDPOINTS)              \
  X(SW_INSTANCE_BYTES)         \
  X(SW_STACK_BYTES)            \
  X(SW_BATCH)                  \
  X(SW_INSTANCES_AT)           \
  X(SW_HEAP_AT)                \
  X(SW_RING_MIN)               \
  X(SW_RING_MAX)               \
  X(SW_RING_SLACK)             \
  X(SW_ALIGN)                  \
  X(SW_FRAME_HEADER)           \
  X(SW_AWAKE)                  \
  X(SW_SLEEP_FUTEX)            \
  X(SW_SLEEP_LOOP)             \
  X(SW_SLEEP_ATOMICS)          \
  X(SW_SLEEP_QUIET)            \
  X(SW_WAKES_FUTEX)            \
  X(SW_WAKES_ATOMICS)          \
  X(SW_RELAYS)                 \
  X(SW_STAYS)                  \
  X(SW_LOCKED)                 \
  X(SW_WATCHES)                \
  X(SW_YIELDED)                \
  X(SW_RENDERER)               \
  X(SW_NATIVE)                 \
  X(SW_FRAME_DATA)             \
  X(SW_FRAME_PAD)              \
  X(SW_REGION_PROCESSES)       \
  X(SW_ROLE_GONE)              \
  X(SW_CLOSED_BY_PRODUCER)     \
  X(SW_CLOSED_BY_CONSUMER)     \
  X(SW_MUTEX_INHERITED)        \
  X(SW_MUTEX_POISONED)         \
  X(SW_MUTEX_WAITED)           \
  X(SW_KIND_MEMORY)            \
  X(SW_KIND_MUTEX)             \
  X(SW_KIND_CHANNEL)           \
  X(SW_KIND_FREE_MUTEX)        \
  X(SW_KIND_MASK)              \
  X(SW_REGISTRY_AT)            \
  X(SW_DIRECTORY_AT)           \
  X(SW_NAME_MOST)              \
  X(SW_LINE)                   \
  X(SW_HEAP_MAGIC)             \
  X(SW_HEAP_PAGE)              \
  X(SW_HEAP_UNIT)              \
  X(SW_HEAP_SMALL)             \
  X(SW_HEAP_CLASSES)           \
  X(SW_HEAP_GIVEN)             \
  X(SW_HEAP_FANOUT)            \
  X(SW_SLAB_WORDS)             \
  X(SW_READY_AT)               \
  X(SW_READY_SLOTS)            \
  X(SW_READY_ALL)              \
  X(SW_READY_MUTEXES)          \
  X(SW_READY_FIRST)            \
  X(SW_SLOT_QUIET)             \
  X(SW_SLOT_ROLE_AT)           \
  X(SW_KIND_FREE_CHANNEL)      \
  X(SW_ROLE_ENDED)             \
  X(SW_CHANNEL_UNSHARED)       \
  X(SW_KIND_OBJECT)            \
  X(SW_KIND_FREE_OBJECT)       \
  X(SW_OBJECT_BYTES)           \
  X(SW_OBJECT_DYING)           \
  X(SW_TYPE_MAP)               \
  X(SW_TYPE_VECTOR)            \
  X(SW_TYPE_LIST)              \
  X(SW_TYPE_STRING)            \
  X(SW_TYPE_RECORD)            \
  X(SW_TYPE_RECORDS)           \
  X(SW_TYPE_POINTER_LIST)      \
  X(SW_VECTOR_SEGMENTS)        \
  X(SW_VECTOR_WIDEST)          \
  X(SW_VECTOR_MOST)            \
  X(SW_COMPONENT_U8)           \
  X(SW_COMPONENT_I8)           \
  X(SW_COMPONENT_U16)          \
  X(SW_COMPONENT_I16)          \
  X(SW_COMPONENT_U32)          \
  X(SW_COMPONENT_I32)          \
  X(SW_COMPONENT_F32)          \
  X(SW_COMPONENT_F64)          \
  X(SW_COMPONENT_U64)          \
  X(SW_COMPONENT_I64)          \
  X(SW_COMPONENT_U8_CLAMPED)   \
  X(SW_COMPONENT_F16)          \
  X(SW_MAP_NUMBER)             \
  X(SW_MAP_BIGINT)             \
  X(SW_MAP_STRING)             \
  X(SW_MAP_BYTES)              \
  X(SW_MAP_NULL)               \
  X(SW_MAP_FALSE)              \
  X(SW_MAP_TRUE)               \
  X(SW_MAP_CODED)              \
  X(SW_MAP_U32)                \
  X(SW_MAP_F64)                \
  X(SW_MAP_I64)                \
  X(SW_MAP_NUMERIC)            \
  X(SW_MAP_LRU)                \
  X(SW_MAP_TTL)                \
  X(SW_MAP_EXPIRES)            \
  X(SW_MAP_BUCKET_MOST)        \
  X(SW_MAP_LOG2_MOST)          \
  X(SW_MAP_KEY_MOST)           \
  X(SW_RECORD_ALIVE)           \
  X(SW_UNDO_TEXT)              \
  X(SW_KIND_SYNC)              \
  X(SW_KIND_QUEUE)             \
  X(SW_KIND_CAST)              \
  X(SW_KIND_POOL)              \
  X(SW_SYNC_BYTES)             \
  X(SW_QUEUE_BYTES)            \
  X(SW_CAST_BYTES)             \
  X(SW_POOL_BYTES)             \
  X(SW_TYPE_QUEUE)             \
  X(SW_TYPE_SINGLE_QUEUE)      \
  X(SW_TYPE_PRIORITY_QUEUE)    \
  X(SW_TYPE_RING_QUEUE)        \
  X(SW_QUEUE_ACK)              \
  X(SW_QUEUE_SORTED)           \
  X(SW_QUEUE_INTEGER)          \
  X(SW_QUEUE_LEVELS)           \
  X(SW_QUEUE_MOST)             \
  X(SW_QUEUE_CELLS_MOST)       \
  X(SW_QUEUE_SPARES)           \
  X(SW_CELL_OFFERED)           \
  X(SW_TYPE_BROADCAST)         \
  X(SW_BROADCAST_MIN)          \
  X(SW_BROADCAST_MAX)          \
  X(SW_BROADCAST_FRAME)        \
  X(SW_BROADCAST_BLOCK)        \
  X(SW_BROADCAST_DROP_OLDEST)  \
  X(SW_BROADCAST_LATEST_ONLY)  \
  X(SW_TYPE_CHANNEL)

#endif
