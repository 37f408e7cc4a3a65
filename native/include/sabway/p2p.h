/* Queues of messages between peers, for game engines that read and write them by offsets: see
 * layout/p2p.h. JavaScript moves messages between them and the network; an engine, native or
 * compiled to WebAssembly, links this file's functions and calls them on its own memory.
 *
 *   sw_p2p_options options = {0};                           256 slots of 1024 bytes in each way
 *   sw_p2p_reader incoming;
 *   sw_p2p_writer outgoing;
 *   sw_p2p_open_reader(&incoming, memory, bytes, &options, SW_P2P_INCOMING);
 *   sw_p2p_open_writer(&outgoing, memory, bytes, &options, SW_P2P_OUTGOING);
 *
 *   sw_p2p_message message;                                 each frame
 *   while (sw_p2p_peek(&incoming, &message)) {
 *     ... message.data, message.length ...
 *     sw_p2p_consume(&incoming);
 *   }
 *   sw_p2p_write(&outgoing, "me", 2, 0, now, data, length); SW_EFULL: later, or never
 *
 * A direction has one writer and one reader, which may be in different threads and processes, and
 * any of which may be another's program that knows the offsets and no atomic operation. Nothing
 * waits. A message that is written stays as it is until it is read: a full queue refuses.
 *
 * The other side may write anything anywhere at any time: no call reads or writes outside of the
 * memory, ends late, or gives a message that is not inside one slot.
 *
 * A handle is private to one thread. */
#ifndef SABWAY_P2P_H
#define SABWAY_P2P_H

#include "error.h"
#include "layout/p2p.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zeros are the usual choice. */
typedef struct sw_p2p_options {
  uint32_t slots;      /* of a direction: 2 to SW_P2P_SLOTS_MOST; 0: SW_P2P_SLOTS */
  uint32_t slot_bytes; /* SW_P2P_SLOT_SMALL, SW_P2P_SLOT_LARGE; 0: the latter */
  /* SW_P2P_PLAIN, SW_P2P_TIMED; 0: the former, and when a side is opened, that of the memory */
  uint32_t version;
  uint32_t single; /* 1: one direction, which is SW_P2P_INCOMING */
} sw_p2p_options;

/* What a side knows of its direction. Its own index is here: what stands in the memory is for the
 * other side. */
typedef struct sw_p2p_side {
  sw_p2p_header *header;
  uint8_t *slots;
  uint32_t count, slot_bytes; /* of the slots */
  uint32_t head_bytes;        /* what stands before the data of a message */
  uint32_t timed;
  uint32_t index;
  int32_t drift;     /* how wrong the count was at the last look */
  uint32_t bad;      /* indices that cannot be right, which were passed over */
  uint32_t repaired; /* counts that were put right */
} sw_p2p_side;

typedef struct sw_p2p_writer {
  sw_p2p_side side;
  uint32_t read;     /* the reader's index, as last believed */
  uint32_t used;     /* slots that it has not read, at most */
  uint32_t reserved; /* 1 + the bytes that were reserved; 0: none */
  uint32_t refused;  /* messages that there was no room for */
} sw_p2p_writer;

typedef struct sw_p2p_reader {
  sw_p2p_side side;
  uint32_t write;   /* the writer's index, as last seen */
  uint32_t looked;  /* 1: at a message, which is to be consumed */
  uint32_t skipped; /* messages of wrong sizes */
} sw_p2p_reader;

/* A message where it lies. The writer may be hostile: copy what is to be read twice. */
typedef struct sw_p2p_message {
  const uint8_t *from; /* SW_P2P_FROM bytes */
  const uint8_t *data;
  uint32_t length; /* of the data */
  uint32_t channel;
  uint64_t timestamp; /* SW_P2P_TIMED; else 0 */
} sw_p2p_message;

/* Bytes of a queue: 0 for options that are not possible. */
uint64_t sw_p2p_bytes(const sw_p2p_options *options);

/* The most bytes of data in a message: 0 for options that are not possible. */
uint32_t sw_p2p_most(const sw_p2p_options *options);

/* Make an empty queue of the first sw_p2p_bytes bytes at `base`, a multiple of 4. No side may have
 * it open. A crash inside leaves a queue that is to be formatted again. Errors: SW_ERANGE: options
 * that are not possible; SW_EINVAL: the base; SW_ESIZE: too few bytes. */
int sw_p2p_format(void *base, uint64_t bytes, const sw_p2p_options *options);

/* Become the writer (the reader) of a direction, where none is, or the last one has died: go on
 * behind what it has done for certain. The version in the memory must be that of the options; a
 * zero there is taken for it, as others' programs may not write one. Puts the count right. Errors:
 * as sw_p2p_format; SW_ELAYOUT: another version; SW_ECORRUPT: an index is behind the last slot:
 * format the queue again. */
int sw_p2p_open_writer(sw_p2p_writer *w, void *base, uint64_t bytes, const sw_p2p_options *options, uint32_t direction);
int sw_p2p_open_reader(sw_p2p_reader *r, void *base, uint64_t bytes, const sw_p2p_options *options, uint32_t direction);

/* Write a message: an id of at most SW_P2P_FROM bytes, and data. Wait-free. A crash inside writes
 * it or does not, and leaves a count that the next call of either side puts right. Errors:
 * SW_EFULL; SW_ETOOBIG: more than sw_p2p_most; SW_EINVAL: the id is too long. */
int sw_p2p_write(sw_p2p_writer *w, const void *from, uint32_t from_length, uint32_t channel, uint64_t timestamp,
                 const void *data, uint32_t length);

/* The same in two steps. Room for `length` bytes of data, which are the caller's to fill: NULL when
 * the queue is full, or when they are more than sw_p2p_most. What is not committed is forgotten. */
uint8_t *sw_p2p_reserve(sw_p2p_writer *w, uint32_t length);

/* The message with the first `length` bytes of that. Errors: SW_ESTATE: nothing was reserved;
 * SW_ETOOBIG: more than was reserved; SW_EINVAL: the id is too long. */
int sw_p2p_commit(sw_p2p_writer *w, const void *from, uint32_t from_length, uint32_t channel, uint64_t timestamp,
                  uint32_t length);

/* How many messages there is room for, at least. Wait-free. */
uint32_t sw_p2p_room(sw_p2p_writer *w);

/* Look at the first message: 1, or 0 when there is none. Those of wrong sizes are passed over, and
 * counted in r->skipped. Looking again shows the same one. Ends behind one round of slots. */
int sw_p2p_peek(sw_p2p_reader *r, sw_p2p_message *message);

/* The writer may use the slot of the message that sw_p2p_peek has shown. Without one: nothing.
 * Wait-free. A crash inside consumes it or does not. */
void sw_p2p_consume(sw_p2p_reader *r);

/* How many messages are there, at least. Wait-free. */
uint32_t sw_p2p_pending(sw_p2p_reader *r);

/* Look at the count, which others' programs go by, and put it right when it was wrong in the same
 * way before: a side that calls it now and then, such as once a frame, does so for messages that
 * are stuck because a program wrote an old count back. Writing and consuming do it, too. Wait-free.
 * Returns 1 when it has put it right. */
int sw_p2p_writer_repair(sw_p2p_writer *w);
int sw_p2p_reader_repair(sw_p2p_reader *r);

/* Are the words of a direction such as Sabway writes, at a moment when no side is in a call?
 * Errors: as sw_p2p_open_writer; SW_ECORRUPT. */
int sw_p2p_check(void *base, uint64_t bytes, const sw_p2p_options *options, uint32_t direction);

#ifdef __cplusplus
}
#endif
#endif
