/* A channel: two rings, one each way. */
#ifndef SABWAY_LAYOUT_CHANNEL_H
#define SABWAY_LAYOUT_CHANNEL_H

#include "ring.h"

enum { SW_CHANNEL_MAGIC = 0x4e484353 };

enum sw_side { SW_RENDERER = 0, SW_NATIVE = 1 };

typedef struct sw_channel {
  uint32_t magic;
  uint8_t unused[SW_LINE - 4];
  sw_ring rings[2]; /* indexed by the side that produces: SW_RENDERER is renderer-to-native */
} sw_channel;

#define SW_CHANNEL_STRUCTS(X) X(sw_channel)

#define SW_CHANNEL_FIELDS(X) \
  X(sw_channel, magic)       \
  X(sw_channel, rings)

#endif
