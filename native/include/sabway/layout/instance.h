/* The block of one wasm instance: its stack, its handles, and what it hands over in bulk. */
#ifndef SABWAY_LAYOUT_INSTANCE_H
#define SABWAY_LAYOUT_INSTANCE_H

#include "region.h"

enum {
  SW_STACK_BYTES = 6144,
  SW_BATCH = 512 /* frames that one wasm call hands over at most */
};

/* One message as a batch hands it over. */
typedef struct sw_slice {
  /* of the payload, from the region's first byte; the wanted lead when a batch is reserved */
  uint32_t offset;
  uint32_t length; /* payload bytes */
} sw_slice;

/* Private to one wasm instance: its shadow stack, and what it hands to and takes from JavaScript in
 * bulk. */
typedef struct sw_instance {
  uint8_t stack[SW_STACK_BYTES];
  uint8_t producer[256]; /* sw_producer, as wasm32 lays it out */
  uint8_t consumer[256]; /* sw_consumer, likewise */
  uint8_t heap[768];     /* sw_heap, likewise */
  /* offset of a block of the heap with handles for more channels, which leads to the next one;
   * zero: none. Kept by JavaScript alone, for the endpoint's next owner, too */
  uint32_t arena;
  uint8_t unused[12];
  uint8_t scratch[752]; /* what a call of the heap or the directory takes and gives */
  sw_slice outgoing[SW_BATCH];
  sw_slice incoming[SW_BATCH];
} sw_instance;

#define SW_INSTANCE_STRUCTS(X) X(sw_slice) X(sw_instance)

#define SW_INSTANCE_FIELDS(X) \
  X(sw_slice, offset)         \
  X(sw_slice, length)         \
  X(sw_instance, stack)       \
  X(sw_instance, producer)    \
  X(sw_instance, consumer)    \
  X(sw_instance, heap)        \
  X(sw_instance, arena)       \
  X(sw_instance, scratch)     \
  X(sw_instance, outgoing)    \
  X(sw_instance, incoming)

#ifndef __cplusplus
_Static_assert(sizeof(sw_instance) == SW_INSTANCE_BYTES, "an instance fills its block");
_Static_assert(offsetof(sw_instance, producer) % 16 == 0, "the stack grows down from an aligned address");
#endif

#endif
