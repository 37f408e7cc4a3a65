/* A ring: its control block, its roles, and the frames in its data area. */
#ifndef SABWAY_LAYOUT_RING_H
#define SABWAY_LAYOUT_RING_H

#include "region.h"

enum {
  SW_ALIGN = 8, /* frames and payloads start at multiples of this */
  SW_RING_MIN = 4096,
  SW_RING_MAX = 512 * 1024 * 1024,
  /* room behind the last byte, so that a message as long as the ring fits with its header */
  SW_RING_SLACK = 64,
  SW_FRAME_HEADER = 8
};

enum sw_frame_type { SW_FRAME_DATA = 1, SW_FRAME_PAD = 2 };

/* A role word (its format is in sabway/role.h): zero while the role was never held; then the
 * endpoint that holds it, and the epoch of its claim; SW_ROLE_GONE alone when the holder left in
 * order; the holder with SW_ROLE_GONE when it was evicted. In the last two cases, and when the
 * holder's process is dead, the role can be taken. SW_ROLE_ENDED when the holder left behind
 * closing its direction: then it cannot. In a channel of a heap a role that was never held has the
 * channel's generation in bits 8-31. */
enum { SW_ROLE_GONE = 0x80, SW_ROLE_ENDED = 0x180 };

/* Bits of sw_ring.closed. */
enum { SW_CLOSED_BY_PRODUCER = 1, SW_CLOSED_BY_CONSUMER = 2 };

/* What one message costs beside its payload. length counts this header and the payload: negative
 * while the frame is being written, positive once it is committed. The payload starts `lead` (0 to
 * 7) bytes behind the header. */
typedef struct sw_frame {
  int32_t length;
  uint32_t info; /* enum sw_frame_type in bits 0-7, lead in bits 8-10 */
} sw_frame;

/* Control block of one single-producer single-consumer ring. head and tail count bytes, never stop,
 * and wrap at 2^32. producer and consumer are role words, see SW_ROLE_GONE. */
typedef struct sw_ring {
  uint32_t capacity; /* a power of two, SW_RING_MIN to SW_RING_MAX */
  uint32_t data;     /* offset of the first byte of the data area: capacity + SW_RING_SLACK bytes */
  uint32_t producer;
  uint32_t consumer;
  uint32_t closed;
  /* slot words: how the holder of each role hears of the channel; written by that holder */
  uint32_t consumer_slot;
  uint32_t producer_slot;
  uint8_t unused0[SW_LINE - 28];
  uint32_t head; /* written by the producer */
  uint8_t unused1[SW_LINE - 4];
  uint32_t tail; /* written by the consumer */
  uint8_t unused2[SW_LINE - 4];
  uint32_t want_space; /* free bytes the producer sleeps for, zero when it does not */
  uint8_t unused3[SW_LINE - 4];
} sw_ring;

#define SW_RING_STRUCTS(X) X(sw_frame) X(sw_ring)

#define SW_RING_FIELDS(X)   \
  X(sw_frame, length)       \
  X(sw_frame, info)         \
  X(sw_ring, capacity)      \
  X(sw_ring, data)          \
  X(sw_ring, producer)      \
  X(sw_ring, consumer)      \
  X(sw_ring, closed)        \
  X(sw_ring, consumer_slot) \
  X(sw_ring, producer_slot) \
  X(sw_ring, head)          \
  X(sw_ring, tail)          \
  X(sw_ring, want_space)

#ifndef __cplusplus
_Static_assert(sizeof(sw_ring) == 4 * SW_LINE, "each hot word of a ring has its own lines");
_Static_assert(sizeof(sw_frame) == SW_FRAME_HEADER, "payloads stay aligned");
#endif

#endif
