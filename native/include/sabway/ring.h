/* The ring: one producer, one consumer, frames of any length up to the whole ring.
 *
 * Each side works through a private handle that keeps its own index, the capacity and the base
 * address, and what it last saw of the other side's index; nothing the peer writes later can move
 * those. A value that cannot be right latches `status` to SW_ECORRUPT in the handle, and the handle
 * answers that from then on.
 *
 * Writing:  sw_producer_reserve -> fill the payload -> sw_producer_commit -> sw_producer_publish
 * Reading:  sw_consumer_peek (again and again) -> sw_consumer_release
 * Commits and peeks are private until published and released: a batch costs one of each.
 *
 * Each handle belongs to one thread at a time. All functions are wait-free, except that publishing
 * and releasing may make the one system call that wakes a sleeping peer. */
#ifndef SABWAY_RING_H
#define SABWAY_RING_H

#include "error.h"
#include "layout.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sw_producer {
  uint8_t *base;
  sw_ring *ring;
  uint8_t *data;
  uint32_t capacity;
  uint32_t head;      /* end of what is committed */
  uint32_t published; /* end of what the consumer can see */
  uint32_t tail_seen; /* the consumer's index when last read */
  uint32_t reserved;  /* payload bytes of the open reservation */
  uint32_t lead;      /* of the open reservation */
  uint32_t padding;   /* bytes that the open reservation had to skip to the ring's first byte */
  int32_t open;       /* a reservation is open */
  int32_t status;     /* why the last reserve gave nothing; SW_ECORRUPT stays */
  uint32_t role;
  /* where, from the base, the payload of the next frame starts if it has no lead */
  uint32_t next;
  /* payload bytes that are known to fit there, see sw_producer_append; 0 while nothing is known */
  uint32_t room;
  uint64_t messages; /* committed since the handle was made */
  uint64_t bytes;
} sw_producer;

typedef struct sw_consumer {
  uint8_t *base;
  sw_ring *ring;
  uint8_t *data;
  uint32_t capacity;
  uint32_t tail;       /* end of what is released */
  uint32_t cursor;     /* end of what is peeked */
  uint32_t head_seen;  /* the producer's index when last read */
  uint32_t handed_out; /* messages peeked and not yet released */
  uint32_t patience;   /* about nanoseconds, from a look that showed messages to the next one */
  uint32_t misses;     /* looks since then */
  int32_t status;
  uint32_t role;
  uint64_t messages; /* released since the handle was made */
  uint64_t bytes;
  uint64_t bytes_handed_out;
} sw_consumer;

/* Round a wanted capacity up to one that a ring can have; 0 when it is out of range. */
uint32_t sw_ring_capacity(uint32_t wanted);

/* Prepare the control block of a ring that no other participant uses. `roles` is what its role
 * words are: 0, or what a channel's generation makes of that. */
void sw_ring_format(sw_ring *ring, uint32_t capacity, uint32_t data, uint32_t roles);

/* Attach to a ring whose role the caller holds (see channel.h). `size` is the region's, in bytes.
 * Errors: SW_ECORRUPT when capacity, data or indices cannot be right. */
int sw_producer_attach(sw_producer *p, void *base, uint64_t size, sw_ring *ring, uint32_t role);
int sw_consumer_attach(sw_consumer *c, void *base, uint64_t size, sw_ring *ring, uint32_t role);

/* Room for a payload of `length` bytes that starts `lead` (0 to 7) bytes behind an 8-byte boundary,
 * or NULL with p->status: SW_EFULL (later; publish first what is committed), SW_ETOOBIG (never),
 * SW_ECLOSED, SW_ESTATE (a reservation is open), SW_EINVAL (lead), SW_ECORRUPT. A crash before
 * commit leaves a frame that was never published: the consumer does not see it. */
void *sw_producer_reserve(sw_producer *p, uint32_t length, uint32_t lead);

/* Commit the first `length` bytes of the open reservation. Errors: SW_ESTATE, SW_ERANGE (more than
 * was reserved). */
int sw_producer_commit(sw_producer *p, uint32_t length);

/* Forget the open reservation. Errors: SW_ESTATE. */
int sw_producer_abandon(sw_producer *p);

/* Let the consumer see all that is committed, and wake it if it sleeps and waits for messages
 * (SW_SLEEP_QUIET). */
void sw_producer_publish(sw_producer *p);

/* sw_producer_commit and sw_producer_publish in one call. */
int sw_producer_push(sw_producer *p, uint32_t length);

/* Commit `length` payload bytes that the caller has already written at p->next, and publish them,
 * or leave that to sw_producer_publish: one call for a small message in place of two. p->room bytes
 * may be written there. Errors, after which nothing was sent: SW_EFULL (`length` does not fit in
 * p->room, as while a reservation is open: there may be room all the same, and sw_producer_reserve
 * finds it or tells why not), SW_ECLOSED. A crash before it leaves bytes that are not looked at. */
int sw_producer_append(sw_producer *p, uint32_t length, int publish);

/* As sw_producer_append for `count` payloads, which the caller has written side by side: slices
 * hold each one's lead, 0 to 7, as `offset`, and its length. The first frame starts SW_FRAME_HEADER
 * in front of p->next, each further one where the frame before it ends: SW_FRAME_HEADER + lead +
 * length, rounded up to SW_ALIGN. Since the headers are written here, after the payloads, a payload
 * that is written in ascending order may run over into what is still free. Returns how many were
 * committed: those in front of the first that does not fit in p->room or has no such lead; none
 * when the channel is closed, for sw_producer_reserve to tell. The slices may be shared memory:
 * each word is read once. A crash before it leaves bytes that are not looked at. */
uint32_t sw_producer_append_batch(sw_producer *p, const sw_slice *slices, uint32_t count, int publish);

/* Copy one message in and publish it. Errors: those of sw_producer_reserve. */
int sw_producer_send(sw_producer *p, const void *payload, uint32_t length);

/* Is there room for a payload of `length` bytes, or for the padding that must come first? 1 as well
 * when waiting is no use: then sw_producer_reserve tells why. For spinning. */
int sw_producer_fits(sw_producer *p, uint32_t length);

/* Ask to be rung when a payload of `length` bytes (at least; a larger share of the ring saves
 * wakes) fits. Returns 1 when it fits already: then do not sleep. Call it after sw_endpoint_arm. */
int sw_producer_want_space(sw_producer *p, uint32_t length);

/* Say by which slot of its endpoint's ready set the holder hears of the channel: SW_READY_FIRST or
 * more when it is idle, so that its holder looks at it only when the slot was marked, and zero when
 * its holder looks at it before each sleep; and SW_SLOT_QUIET beside that when messages are not to
 * be told of. The holder looks once more behind it, at all that it would be told of. Wait-free. A
 * take of the role begins with zero. */
void sw_producer_set_slot(sw_producer *p, uint32_t slot);
void sw_consumer_set_slot(sw_consumer *c, uint32_t slot);

/* Is the role still this handle's? Not when the participant was evicted: it must not go on then,
 * beside its successor. The look is a hint, for once before each message or turn: what is being
 * written meanwhile may still land in the ring. */
int sw_producer_holds(const sw_producer *p);
int sw_consumer_holds(const sw_consumer *c);

/* Nothing more will be sent. The consumer still gets all that was published. Does nothing when the
 * role was lost: the stream is the successor's by then, and so is the other direction's in
 * sw_consumer_close. */
void sw_producer_close(sw_producer *p);

/* Bytes of the ring in use, frame headers included. Reads the consumer's index, and latches
 * SW_ECORRUPT in p->status when that cannot be right: then as last seen. */
uint32_t sw_producer_used(sw_producer *p);

/* The next message: 1 with *slice filled, 0 when there is none. Errors: SW_ECLOSED (none, and none
 * will come), SW_ECORRUPT. The payload stays in place, where a hostile peer may still change it,
 * until sw_consumer_release. */
int sw_consumer_peek(sw_consumer *c, sw_slice *slice);

/* Up to `count` messages in one call, and no more once a quarter of the ring has been handed out:
 * release before you go on, and the producer has room meanwhile. Returns how many, or the error of
 * sw_consumer_peek when there is none. */
int sw_consumer_peek_batch(sw_consumer *c, sw_slice *slices, uint32_t count);

/* Give all that was peeked back to the producer, and wake it if it waits for room. */
void sw_consumer_release(sw_consumer *c);

/* The same for the first `count` of the messages peeked and not yet released; the rest is
 * forgotten, and will be peeked again. Their frames are read once more: one that has changed since,
 * and cannot be right, latches SW_ECORRUPT, and ends what is released. */
void sw_consumer_release_first(sw_consumer *c, uint32_t count);

/* Forget what was peeked: it will be peeked again. */
void sw_consumer_rewind(sw_consumer *c);

/* Bytes of the ring in use, frame headers included. Reads the producer's index, and latches
 * SW_ECORRUPT in c->status when that cannot be right: then as last seen. */
uint32_t sw_consumer_used(sw_consumer *c);

/* Is there anything to peek, or the end of the stream? For spinning, and for the second look before
 * sleeping. It looks as sw_consumer_peek does: right after a look that found messages it first
 * waits up to about 1.5 us for more of them, and what it finds decides how long the next one waits
 * (c->patience). */
int sw_consumer_ready(sw_consumer *c);

/* Nothing more will be read. The producer's next reserve says SW_ECLOSED. */
void sw_consumer_close(sw_consumer *c);

/* Walk the published frames: 0, or SW_ECORRUPT when an index or a frame cannot be right. For tests
 * and debugging, while no participant uses the ring. */
int sw_ring_check(const void *base, uint64_t size, const sw_ring *ring);

#ifdef __cplusplus
}
#endif
#endif
