/* Queues of messages between peers, which game engines read and write by offsets. They lie in
 * memory of their own, in no region, and others made them before Sabway did: nothing here may
 * change. docs/guide/p2p.md has the tables and pictures.
 *
 *   both directions: | header, incoming | header, outgoing | slots, incoming | slots, outgoing |
 *   one direction:   | header | slots |
 *
 *   a slot:          | size | message ... |
 *   a message:       | from, 32 bytes | channel | length | data ... |               SW_P2P_PLAIN
 *                    | from, 32 bytes | channel | timestamp | length | data ... |   SW_P2P_TIMED
 *
 * All words are little-endian, and of 32 bits but for the timestamp, which has 64. */
#ifndef SABWAY_LAYOUT_P2P_H
#define SABWAY_LAYOUT_P2P_H

#include <stddef.h>
#include <stdint.h>

enum {
  /* sw_p2p_header.version */
  SW_P2P_PLAIN = 1,
  SW_P2P_TIMED = 2,

  SW_P2P_INCOMING = 0, /* from the network to the engine */
  SW_P2P_OUTGOING = 1,

  SW_P2P_FROM = 32,   /* bytes of an id */
  SW_P2P_SLOTS = 256, /* where options do not say */
  SW_P2P_SLOTS_MOST = 1 << 16,
  SW_P2P_SLOT_SMALL = 512,
  SW_P2P_SLOT_LARGE = 1024 /* where options do not say */
};

/* Of one direction. The indices are slots; both wrap to 0 behind the last one. */
typedef struct sw_p2p_header {
  uint32_t write_index;   /* the writer's: the slot that it fills next */
  uint32_t read_index;    /* the reader's: the slot that it reads next */
  uint32_t message_count; /* both change it */
  uint32_t version;
} sw_p2p_header;

typedef struct sw_p2p_slot {
  uint32_t size;      /* of the message; 0: there is none */
  uint8_t message[4]; /* to the end of the slot */
} sw_p2p_slot;

/* What stands before the data. */
typedef struct sw_p2p_plain {
  uint8_t from[SW_P2P_FROM]; /* an id in UTF-8, filled up with zeros */
  uint32_t channel;
  uint32_t length; /* of the data */
} sw_p2p_plain;

typedef struct sw_p2p_timed {
  uint8_t from[SW_P2P_FROM];
  uint32_t channel;
  uint32_t timestamp[2]; /* low, high: milliseconds since 1970 */
  uint32_t length;
} sw_p2p_timed;

#define SW_P2P_STRUCTS(X) X(sw_p2p_header) X(sw_p2p_slot) X(sw_p2p_plain) X(sw_p2p_timed)

#define SW_P2P_FIELDS(X)          \
  X(sw_p2p_header, write_index)   \
  X(sw_p2p_header, read_index)    \
  X(sw_p2p_header, message_count) \
  X(sw_p2p_header, version)       \
  X(sw_p2p_slot, size)            \
  X(sw_p2p_slot, message)         \
  X(sw_p2p_plain, from)           \
  X(sw_p2p_plain, channel)        \
  X(sw_p2p_plain, length)         \
  X(sw_p2p_timed, from)           \
  X(sw_p2p_timed, channel)        \
  X(sw_p2p_timed, timestamp)      \
  X(sw_p2p_timed, length)

#define SW_P2P_CONSTANTS(X) \
  X(SW_P2P_PLAIN)           \
  X(SW_P2P_TIMED)           \
  X(SW_P2P_INCOMING)        \
  X(SW_P2P_OUTGOING)        \
  X(SW_P2P_FROM)            \
  X(SW_P2P_SLOTS)           \
  X(SW_P2P_SLOTS_MOST)      \
  X(SW_P2P_SLOT_SMALL)      \
  X(SW_P2P_SLOT_LARGE)

#ifndef __cplusplus
_Static_assert(sizeof(sw_p2p_header) == 16, "as others have it");
_Static_assert(offsetof(sw_p2p_slot, message) == 4, "as others have it");
_Static_assert(sizeof(sw_p2p_plain) == 40 && offsetof(sw_p2p_plain, length) == 36, "as others have it");
_Static_assert(sizeof(sw_p2p_timed) == 48 && offsetof(sw_p2p_timed, length) == 44, "as others have it");
#endif

#endif
