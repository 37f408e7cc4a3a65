/* The slots of queues between peers.
 *
 * The two indices decide: each has one writer, and moves when a slot has been filled, or read. The
 * count, which both sides change, follows them:
 *
 *   write                                      read
 *     read_index: is there a free slot? [I4]     write_index: is there a filled one? [I2]
 *     fill the slot at write_index               look at the slot at read_index
 *     write_index + 1                   [I1]     its size := 0; read_index + 1          [I3]
 *     count + 1                                  count - 1                              [I5]
 *
 * Others' programs look at the count alone, read it, and write it back later: what the other side
 * has added meanwhile is lost. So no decision here rests on the count where another can be had. A
 * writer leaves one slot free, so that indices which are the same mean an empty queue. Others'
 * writers fill it, too: then the queue is full when the count is at least half of the slots, and
 * the last slot before the index has a size. A reader leaves no sizes in the slots that it has
 * read, so that a wrong count makes no message of an old slot, nor of one that is being filled.
 *
 * An own index is private once a side is open: what stands in the memory is for the other one. The
 * other's is loaded once, and believed where it can be right: a reader passes over an index behind
 * the last slot, and a writer also one that says that the reader has read what was not written. A
 * reader takes any other at its word, and finds no more there than slots, whose sizes it checks.
 *
 * The count is put right by a side that finds it wrong by the same number twice, with the other
 * index unchanged around the look: it is wrong for a moment while the other side is between its
 * index and its count. One that is put right in such a moment is wrong behind it, and put right
 * again.
 *
 * Ordering edges:
 *   [I1] the store of write_index, pairs with
 *   [I2] the reader's load: the slot is filled.
 *   [I3] the store of read_index, pairs with
 *   [I4] the writer's load: the slot has been read.
 *   [I5] the subtraction from the count, pairs with
 *   [I6] the writer's look at it where others had filled all slots: they have been read.
 *
 * What a crash leaves:
 *   of a writer before [I1]   a slot that is in part filled, and is filled again
 *   of a reader before [I3]   a message that is there still; or a slot without a size, which the
 *                             next reader passes over
 *   behind [I1], [I3]         a count that is wrong by one, and is put right */
#include "sabway/p2p.h"

#include "base/peer.h"

/* The words of a message before its data; the last of them is the length. */
enum {
  ID_WORDS = SW_P2P_FROM / 4,
  CHANNEL = offsetof(sw_p2p_timed, channel) / 4,
  TIMESTAMP = offsetof(sw_p2p_timed, timestamp) / 4
};

/* ---- options ---- */

typedef struct shape {
  uint32_t slots, slot_bytes, version, single, head_bytes;
} shape;

static uint32_t or_usual(uint32_t value, uint32_t usual) { return value == 0 ? usual : value; }

static uint32_t head_of(uint32_t version) {
  return version == SW_P2P_TIMED ? sizeof(sw_p2p_timed) : sizeof(sw_p2p_plain);
}

static bool shape_of(shape *s, const sw_p2p_options *o) {
  s->slots = or_usual(o->slots, SW_P2P_SLOTS);
  s->slot_bytes = or_usual(o->slot_bytes, SW_P2P_SLOT_LARGE);
  s->version = or_usual(o->version, SW_P2P_PLAIN);
  s->single = o->single;
  s->head_bytes = head_of(s->version);
  return s->slots >= 2 && s->slots <= SW_P2P_SLOTS_MOST &&
         (s->slot_bytes == SW_P2P_SLOT_SMALL || s->slot_bytes == SW_P2P_SLOT_LARGE) &&
         (s->version == SW_P2P_PLAIN || s->version == SW_P2P_TIMED) && s->single <= 1;
}

static uint64_t bytes_of(const shape *s) {
  return (uint64_t)(2 - s->single) * (sizeof(sw_p2p_header) + (uint64_t)s->slots * s->slot_bytes);
}

static uint32_t most_of(uint32_t slot_bytes, uint32_t head_bytes) {
  return slot_bytes - (uint32_t)offsetof(sw_p2p_slot, message) - head_bytes;
}

uint64_t sw_p2p_bytes(const sw_p2p_options *options) {
  shape s;
  return shape_of(&s, options) ? bytes_of(&s) : 0;
}

uint32_t sw_p2p_most(const sw_p2p_options *options) {
  shape s;
  return shape_of(&s, options) ? most_of(s.slot_bytes, s.head_bytes) : 0;
}

static int check_place(shape *s, const void *base, uint64_t bytes, const sw_p2p_options *options) {
  if (!shape_of(s, options)) return SW_ERANGE;
  if (base == NULL || (uintptr_t)base % 4 != 0) return SW_EINVAL;
  return bytes < bytes_of(s) ? SW_ESIZE : SW_OK;
}

static sw_p2p_header *header_at(void *base, uint32_t direction) { return (sw_p2p_header *)base + direction; }

int sw_p2p_format(void *base, uint64_t bytes, const sw_p2p_options *options) {
  shape s;
  int status = check_place(&s, base, bytes, options);
  if (status != SW_OK) return status;
  __builtin_memset(base, 0, (size_t)bytes_of(&s));
  for (uint32_t i = 0; i < 2 - s.single; i++) sw_store_relaxed(&header_at(base, i)->version, s.version);
  return SW_OK;
}

/* ---- a side ---- */

static uint32_t next_of(const sw_p2p_side *s, uint32_t index) { return index + 1 == s->count ? 0 : index + 1; }

/* How many slots lie from one index to the other. */
static uint32_t distance(const sw_p2p_side *s, uint32_t from, uint32_t to) {
  return to >= from ? to - from : to + s->count - from;
}

static sw_p2p_slot *slot_at(const sw_p2p_side *s, uint32_t index) {
  return (sw_p2p_slot *)(void *)(s->slots + (size_t)index * s->slot_bytes);
}

/* Are the slots all filled, where both indices are `index` and the count is that? The slot before
 * is the last that is filled; a writer may be at the one at the index. */
static bool is_full(const sw_p2p_side *s, uint32_t index, uint32_t count) {
  uint32_t last = (index == 0 ? s->count : index) - 1;
  return (int32_t)count >= (int32_t)(s->count / 2) && sw_peer_load_relaxed(&slot_at(s, last)->size) != 0;
}

/* Both indices are those of the memory: no side has the direction open. */
static int open_side(sw_p2p_side *side, void *base, uint64_t bytes, const sw_p2p_options *options, uint32_t direction,
                     uint32_t *write, uint32_t *read) {
  shape s;
  int status = check_place(&s, base, bytes, options);
  if (status != SW_OK) return status;
  if (direction > 1 - s.single) return SW_ERANGE;
  sw_p2p_header *header = header_at(base, direction);
  uint32_t version = sw_peer_load_relaxed(&header->version);
  if (options->version == 0 && version == SW_P2P_TIMED) {
    s.version = version;
    s.head_bytes = head_of(version);
  }
  if (version != 0 && version != s.version) return SW_ELAYOUT;
  size_t before = (2 - s.single) * sizeof(sw_p2p_header) + (size_t)direction * s.slots * s.slot_bytes;
  *side = (sw_p2p_side){.header = header,
                        .slots = (uint8_t *)base + before,
                        .count = s.slots,
                        .slot_bytes = s.slot_bytes,
                        .head_bytes = s.head_bytes,
                        .timed = s.version == SW_P2P_TIMED};
  *write = sw_peer_load_relaxed(&header->write_index);
  *read = sw_peer_load_relaxed(&header->read_index);
  return *write < s.slots && *read < s.slots ? SW_OK : SW_ECORRUPT;
}

/* How many slots are in use: by the indices, and the count where those are the same. */
static uint32_t used_of(const sw_p2p_side *s, uint32_t write, uint32_t read, uint32_t count) {
  if (write != read) return distance(s, read, write);
  return is_full(s, read, count) ? s->count : 0;
}

/* Of a count that was `count` while `used` was right: 1 when it was put right. */
static int put_right(sw_p2p_side *s, uint32_t count, uint32_t used) {
  int32_t drift = (int32_t)(count - used);
  bool again = drift == s->drift;
  s->drift = drift;
  if (drift == 0 || !again) return 0;
  s->drift = 0;
  if (!sw_compare_exchange_acq_rel(&s->header->message_count, &count, used)) return 0;
  s->repaired++;
  return 1;
}

/* ---- writing ---- */

static void believe_reader(sw_p2p_writer *w) {
  sw_p2p_side *s = &w->side;
  uint32_t read = sw_peer_load_acquire(&s->header->read_index); /* [I4] */
  uint32_t gone = read < s->count ? distance(s, w->read, read) : UINT32_MAX;
  if (gone == 0 && w->used == s->count) {
    int32_t count = (int32_t)sw_peer_load_acquire(&s->header->message_count); /* [I6] */
    if (count < (int32_t)(s->count / 2)) gone = s->count;
  }
  if (gone > w->used) {
    s->bad++;
    return;
  }
  w->read = read;
  w->used -= gone;
}

int sw_p2p_writer_repair(sw_p2p_writer *w) {
  sw_p2p_header *header = w->side.header;
  believe_reader(w);
  uint32_t used = w->used, bad = w->side.bad;
  uint32_t count = sw_peer_load_acquire(&header->message_count);
  believe_reader(w);
  return used == w->used && bad == w->side.bad ? put_right(&w->side, count, used) : 0;
}

int sw_p2p_open_writer(sw_p2p_writer *w, void *base, uint64_t bytes, const sw_p2p_options *options,
                       uint32_t direction) {
  uint32_t write, read;
  *w = (sw_p2p_writer){0};
  int status = open_side(&w->side, base, bytes, options, direction, &write, &read);
  if (status != SW_OK) return status;
  w->side.index = write;
  w->read = read;
  w->used = used_of(&w->side, write, read, sw_peer_load_relaxed(&w->side.header->message_count));
  if (!sw_p2p_writer_repair(w)) sw_p2p_writer_repair(w);
  return SW_OK;
}

uint32_t sw_p2p_room(sw_p2p_writer *w) {
  believe_reader(w);
  uint32_t most = w->side.count - 1;
  return w->used >= most ? 0 : most - w->used;
}

uint8_t *sw_p2p_reserve(sw_p2p_writer *w, uint32_t length) {
  sw_p2p_side *s = &w->side;
  w->reserved = 0;
  if (length > most_of(s->slot_bytes, s->head_bytes)) return NULL;
  if (sw_p2p_room(w) == 0) {
    w->refused++;
    sw_p2p_writer_repair(w);
    return NULL;
  }
  w->reserved = length + 1;
  return slot_at(s, s->index)->message + s->head_bytes;
}

static void write_head(sw_p2p_side *s, const void *from, uint32_t from_length, uint32_t channel, uint64_t timestamp,
                       uint32_t length) {
  sw_p2p_slot *slot = slot_at(s, s->index);
  uint32_t id[ID_WORDS] = {0}, *word = (uint32_t *)(void *)slot->message;
  __builtin_memcpy(id, from, from_length);
  for (uint32_t i = 0; i < ID_WORDS; i++) sw_data_store(&word[i], id[i]);
  sw_data_store(&word[CHANNEL], channel);
  if (s->timed) {
    sw_data_store(&word[TIMESTAMP], (uint32_t)timestamp);
    sw_data_store(&word[TIMESTAMP + 1], (uint32_t)(timestamp >> 32));
  }
  sw_data_store(&word[s->head_bytes / 4 - 1], length);
  sw_store_relaxed(&slot->size, s->head_bytes + length); /* is_full looks at it, too */
}

int sw_p2p_commit(sw_p2p_writer *w, const void *from, uint32_t from_length, uint32_t channel, uint64_t timestamp,
                  uint32_t length) {
  sw_p2p_side *s = &w->side;
  if (from_length > SW_P2P_FROM) return SW_EINVAL;
  if (w->reserved == 0) return SW_ESTATE;
  if (length >= w->reserved) return SW_ETOOBIG;
  w->reserved = 0;
  write_head(s, from, from_length, channel, timestamp, length);
  s->index = next_of(s, s->index);
  sw_store_release(&s->header->write_index, s->index); /* [I1] */
  uint32_t before = w->used++;
  if (sw_fetch_add_acq_rel(&s->header->message_count, 1) != before) sw_p2p_writer_repair(w);
  return SW_OK;
}

int sw_p2p_write(sw_p2p_writer *w, const void *from, uint32_t from_length, uint32_t channel, uint64_t timestamp,
                 const void *data, uint32_t length) {
  if (from_length > SW_P2P_FROM) return SW_EINVAL;
  if (length > most_of(w->side.slot_bytes, w->side.head_bytes)) return SW_ETOOBIG;
  uint8_t *room = sw_p2p_reserve(w, length);
  if (room == NULL) return SW_EFULL;
  if (length != 0) __builtin_memcpy(room, data, length);
  return sw_p2p_commit(w, from, from_length, channel, timestamp, length);
}

/* ---- reading ---- */

/* How many messages there are to read, at least. */
static uint32_t look(sw_p2p_reader *r) {
  sw_p2p_side *s = &r->side;
  uint32_t write = sw_peer_load_acquire(&s->header->write_index); /* [I2] */
  if (write >= s->count) {
    s->bad++;
    return 0;
  }
  r->write = write;
  if (write != s->index) return distance(s, s->index, write);
  return is_full(s, write, sw_peer_load_relaxed(&s->header->message_count)) ? s->count : 0;
}

int sw_p2p_reader_repair(sw_p2p_reader *r) {
  sw_p2p_side *s = &r->side;
  uint32_t before = sw_peer_load_acquire(&s->header->write_index);
  uint32_t count = sw_peer_load_acquire(&s->header->message_count);
  uint32_t after = sw_peer_load_relaxed(&s->header->write_index);
  if (before != after || after >= s->count) return 0;
  return put_right(s, count, used_of(s, after, s->index, count));
}

int sw_p2p_open_reader(sw_p2p_reader *r, void *base, uint64_t bytes, const sw_p2p_options *options,
                       uint32_t direction) {
  uint32_t write, read;
  *r = (sw_p2p_reader){0};
  int status = open_side(&r->side, base, bytes, options, direction, &write, &read);
  if (status != SW_OK) return status;
  r->side.index = read;
  if (!sw_p2p_reader_repair(r)) sw_p2p_reader_repair(r);
  return SW_OK;
}

uint32_t sw_p2p_pending(sw_p2p_reader *r) { return look(r); }

/* Is what lies in the slot a message? Each word is read once. */
static bool is_message(const sw_p2p_side *s, sw_p2p_message *m) {
  sw_p2p_slot *slot = slot_at(s, s->index);
  const uint32_t *word = (const uint32_t *)(const void *)slot->message;
  uint32_t size = sw_peer_load_relaxed(&slot->size);
  if (size < s->head_bytes || size > s->slot_bytes - offsetof(sw_p2p_slot, message)) return false;
  m->from = slot->message;
  m->data = slot->message + s->head_bytes;
  m->channel = sw_peer_data_load(&word[CHANNEL]);
  m->timestamp = 0;
  if (s->timed) {
    m->timestamp = sw_peer_data_load(&word[TIMESTAMP]);
    m->timestamp |= (uint64_t)sw_peer_data_load(&word[TIMESTAMP + 1]) << 32;
  }
  m->length = sw_peer_data_load(&word[s->head_bytes / 4 - 1]);
  return m->length <= size - s->head_bytes;
}

static void release(sw_p2p_reader *r) {
  sw_p2p_side *s = &r->side;
  uint32_t used = distance(s, s->index, r->write);
  if (used == 0) used = s->count;
  r->looked = 0;
  sw_store_relaxed(&slot_at(s, s->index)->size, 0);
  s->index = next_of(s, s->index);
  sw_store_release(&s->header->read_index, s->index);                           /* [I3] */
  uint32_t count = sw_fetch_add_acq_rel(&s->header->message_count, UINT32_MAX); /* [I5] */
  if (count != used) sw_p2p_reader_repair(r);
}

int sw_p2p_peek(sw_p2p_reader *r, sw_p2p_message *message) {
  for (uint32_t i = 0; i < r->side.count; i++) {
    if (look(r) == 0) {
      sw_p2p_reader_repair(r);
      return 0;
    }
    r->looked = is_message(&r->side, message);
    if (r->looked) return 1;
    r->skipped++;
    release(r);
  }
  return 0;
}

void sw_p2p_consume(sw_p2p_reader *r) {
  if (r->looked) release(r);
}

/* ---- for tools ---- */

int sw_p2p_check(void *base, uint64_t bytes, const sw_p2p_options *options, uint32_t direction) {
  sw_p2p_side s;
  uint32_t write, read;
  int status = open_side(&s, base, bytes, options, direction, &write, &read);
  if (status != SW_OK) return status;
  uint32_t count = sw_peer_load_relaxed(&s.header->message_count), used = used_of(&s, write, read, count);
  if (count != used) return SW_ECORRUPT;
  for (s.index = read; used != 0; used--, s.index = next_of(&s, s.index)) {
    sw_p2p_message message;
    if (!is_message(&s, &message)) return SW_ECORRUPT;
  }
  return SW_OK;
}
