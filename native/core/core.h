/* What core files share among themselves. */
#ifndef SABWAY_CORE_H
#define SABWAY_CORE_H

#include "sabway/layout.h"

#ifndef NULL
#define NULL ((void *)0)
#endif

/* Where a frame stands, for both sides: computed, never stored. */

/* Ring bytes that a payload takes. A payload that fills the whole ring is charged the ring; its header's room is the
 * slack. */
static inline uint32_t sw__span(uint32_t capacity, uint32_t lead, uint32_t length) {
  uint32_t span = (SW_FRAME_HEADER + lead + length + (SW_ALIGN - 1)) & ~(uint32_t)(SW_ALIGN - 1);
  return span < capacity ? span : capacity;
}

static inline uint32_t sw__info(uint32_t type, uint32_t lead) { return type | lead << 8; }
static inline uint32_t sw__type(uint32_t info) { return info & 0xff; }
static inline uint32_t sw__lead(uint32_t info) { return info >> 8; }

/* What one frame turned out to be. */
typedef struct sw__frame_view {
  uint32_t type;
  uint32_t span;
  uint32_t lead;
  uint32_t length;
} sw__frame_view;

/* Read the frame at `position` once and bound it by `available` published bytes: 1, or 0 when it cannot be right. */
int sw__frame_read(const uint8_t *data, uint32_t capacity, uint32_t position, uint32_t available, sw__frame_view *view);

/* Are a ring's fixed words possible inside a region of `size` bytes? Fills private copies. */
int sw__ring_bounds(const sw_ring *ring, uint64_t size, uint32_t *capacity, uint32_t *data);

#endif
