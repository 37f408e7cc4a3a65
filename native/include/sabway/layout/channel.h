/* A channel: two rings, one each way. */
#ifndef SABWAY_LAYOUT_CHANNEL_H
#define SABWAY_LAYOUT_CHANNEL_H

#include "ring.h"

enum { SW_CHANNEL_MAGIC = 0x4e484353 };

enum sw_side { SW_RENDERER = 0, SW_NATIVE = 1 };

/* For sw_channel_free: no other participant can have the channel's place. Then a side that is held
 * by none is done. */
enum { SW_CHANNEL_UNSHARED = 1 };

typedef struct sw_channel {
  uint32_t magic;
  uint32_t data; /* offset of the block of the heap that both rings' bytes are in; zero: none */
  /* bits 32-63: its generation, zero in a region that was carved for it; bits 0-31: zero while
   * it is open, see core/channel/life.h */
  uint64_t life;
  uint32_t place; /* in the registry: see sw_registry_add */
  uint8_t unused[SW_LINE - 20];
  sw_ring rings[2]; /* indexed by the side that produces: SW_RENDERER is renderer-to-native */
} sw_channel;

#define SW_CHANNEL_STRUCTS(X) X(sw_channel)

#define SW_CHANNEL_FIELDS(X) \
  X(sw_channel, magic)       \
  X(sw_channel, data)        \
  X(sw_channel, life)        \
  X(sw_channel, place)       \
  X(sw_channel, rings)

#endif
