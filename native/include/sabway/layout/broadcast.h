/* A broadcast: one ring of messages, which every subscriber reads at its own pace. */
#ifndef SABWAY_LAYOUT_BROADCAST_H
#define SABWAY_LAYOUT_BROADCAST_H

#include "object.h"

enum {
  SW_BROADCAST_MIN = 64,         /* bytes of a ring */
  SW_BROADCAST_MAX = 1 << 30,    /* bytes of a ring */
  SW_BROADCAST_FRAME = 16,       /* bytes before a message */
  SW_BROADCAST_PAD = 0xff,       /* a frame's type: what is left before the ring's end */
  SW_BROADCAST_CLOSED = 0x10000, /* in sw_broadcast.shape */
  SW_BROADCAST_LOG2_MASK = 0xff  /* in sw_broadcast.shape */
};

/* What happens to a message for which a subscriber has left no room. */
enum sw_broadcast_policy {
  SW_BROADCAST_BLOCK = 0,       /* it waits */
  SW_BROADCAST_DROP_OLDEST = 1, /* it takes the place of the oldest, which slow subscribers miss */
  SW_BROADCAST_LATEST_ONLY = 2  /* likewise; and a subscriber receives the newest one there is */
};

/* One of an endpoint's owner: only the owner writes it, but for a publisher that takes the role of
 * a dead one away. */
typedef struct sw_subscriber {
  uint32_t role; /* zero: does not subscribe */
  uint32_t unused;
  uint64_t cursor; /* position of the next message */
  uint64_t next;   /* the number that this message should have */
  uint64_t missed; /* messages that were overwritten before it received them */
  uint64_t unused1[4];
} sw_subscriber;

/* Positions count bytes and never wrap: the place in the ring is their rest. */
typedef struct sw_broadcast {
  sw_waitable waitable; /* waits[0]: for messages; waits[1]: for room */
  /* bits 0-7: log2 of the ring's bytes; bits 8-15: enum sw_broadcast_policy; bit 16:
   * SW_BROADCAST_CLOSED */
  uint32_t shape;
  uint32_t ring;   /* offset of the bytes */
  uint64_t head;   /* where the next message will be: what lies before it is published */
  uint64_t tail;   /* the oldest message that is whole: what lies before it may be overwritten */
  uint64_t latest; /* position of a recent message, where a search for the newest one begins */
  uint64_t number; /* of the next message */
  uint64_t gate;   /* no subscriber was behind this position when a publisher last looked */
  uint32_t codec;  /* how messages are written: for those that open it, and not the core's */
  uint32_t unused;
  uint64_t unused1[2];
  sw_subscriber subscriber[SW_ENDPOINTS];
} sw_broadcast;

/* Before each message; its bytes follow, up to a multiple of 8. */
typedef struct sw_broadcast_frame {
  uint32_t length; /* of the message; of a pad: of all of it */
  uint32_t type;   /* what the message is, as its sender says; or SW_BROADCAST_PAD */
  uint64_t number; /* counts the messages of a broadcast; a pad of 8 bytes has none */
} sw_broadcast_frame;

#define SW_BROADCAST_STRUCTS(X) X(sw_subscriber) X(sw_broadcast) X(sw_broadcast_frame)

#define SW_BROADCAST_FIELDS(X)  \
  X(sw_subscriber, role)        \
  X(sw_subscriber, cursor)      \
  X(sw_subscriber, next)        \
  X(sw_subscriber, missed)      \
  X(sw_broadcast, shape)        \
  X(sw_broadcast, ring)         \
  X(sw_broadcast, head)         \
  X(sw_broadcast, tail)         \
  X(sw_broadcast, latest)       \
  X(sw_broadcast, number)       \
  X(sw_broadcast, gate)         \
  X(sw_broadcast, codec)        \
  X(sw_broadcast, subscriber)   \
  X(sw_broadcast_frame, length) \
  X(sw_broadcast_frame, type)   \
  X(sw_broadcast_frame, number)

#ifndef __cplusplus
_Static_assert(sizeof(sw_subscriber) == 64, "a cache line of most processors");
_Static_assert(offsetof(sw_broadcast, subscriber) % SW_LINE == 0, "subscribers do not write into the publishers' line");
_Static_assert(sizeof(sw_broadcast) <= SW_CAST_BYTES, "a control block");
_Static_assert(sizeof(sw_broadcast_frame) == SW_BROADCAST_FRAME, "what precedes a message");
#endif

#endif
