/* Frames: how long one is, and how one is read. Inline, because every message passes here twice. */
#ifndef SABWAY_FRAME_H
#define SABWAY_FRAME_H

#include <stddef.h>

#include "base/peer.h"
#include "sabway/layout.h"

/* Ring bytes that a frame takes. A payload as long as the ring takes the ring: its header is in the
 * slack behind the last byte. */
static inline uint32_t swi_frame_bytes(uint32_t capacity, uint32_t lead, uint32_t length) {
  uint32_t bytes = (SW_FRAME_HEADER + lead + length + (SW_ALIGN - 1)) & ~(uint32_t)(SW_ALIGN - 1);
  return bytes < capacity ? bytes : capacity;
}

static inline uint32_t swi_info(uint32_t type, uint32_t lead) { return type | lead << 8; }
static inline uint32_t swi_type(uint32_t info) { return info & 0xff; }
static inline uint32_t swi_lead(uint32_t info) { return info >> 8; }

/* What one frame turned out to be. */
typedef struct swi_frame_view {
  uint32_t type;
  uint32_t bytes; /* of the ring that the frame takes */
  uint32_t lead;
  uint32_t length;
} swi_frame_view;

/* Read the frame at `position` once and bound it by `available` published bytes: 1, or 0 when it
 * cannot be right. */
static inline int swi_frame_read(const uint8_t *data, uint32_t capacity, uint32_t position, uint32_t available,
                                 swi_frame_view *view) {
  uint32_t start = position & (capacity - 1);
  uint32_t to_end = capacity - start;
  uint32_t length = sw_peer_data_load(data + start + offsetof(sw_frame, length));
  uint32_t info = sw_peer_data_load(data + start + offsetof(sw_frame, info));
  view->type = swi_type(info);
  view->lead = swi_lead(info);
  if (view->type == SW_FRAME_PAD) {
    view->bytes = length;
    return length == to_end && length <= available;
  }
  if (view->type != SW_FRAME_DATA || view->lead >= SW_ALIGN) return 0;
  if (length < SW_FRAME_HEADER || length - SW_FRAME_HEADER > capacity)
    return 0; /* negative lengths too: not committed */
  view->length = length - SW_FRAME_HEADER;
  view->bytes = swi_frame_bytes(capacity, view->lead, view->length);
  return view->bytes <= to_end && view->bytes <= available;
}

#endif
