/* Broadcasts.
 *
 * `head` decides what is published, `tail` what may be overwritten; both only grow, and only the
 * holder of the lock writes them. A subscriber's entry is its own.
 *
 *   publish   SW_BROADCAST_BLOCK: no living subscriber has its cursor before what is overwritten
 *             tail := behind the messages that are overwritten   [B1] [B5]
 *             the frame                                          [B1]
 *             head := behind it                                  [B2]
 *             latest, number
 *   receive   cursor < head: copy the message there              [B2]
 *             tail <= cursor: the copy is whole                  [B1]
 *             cursor := behind it                                [B3]
 *   subscribe under the lock: cursor := head or tail, then role
 *   leave     role := 0, by an exchange; or by a publisher that finds it dead and in the way
 *   close     CLOSED, under the lock: behind the last head       [B4]
 *
 * A subscriber whose cursor is before `tail` was lapped. It goes on with the oldest message that is
 * whole, and when that is overwritten while it copies, too, with a recent one. The numbers of the
 * messages tell how many it has missed.
 *
 * Ordering edges:
 *   [B1] the stores of a frame release the store of `tail`, and pair with the acquire loads by
 *        which a message is copied: a copy that has anything of a later message is followed by a
 *        look at a `tail` that is behind the earlier one.
 *   [B2] the release store of `head`, pairs with the acquire load of it by a subscriber: it sees
 *        the whole message.
 *   [B3] the release store of a cursor, pairs with the acquire load of it by a publisher: what is
 *        overwritten then has been copied.
 *   [B4] the release store of CLOSED, pairs with the acquire load of it by a subscriber, which
 *        looks at `head` behind that: what was published before the close comes before its end.
 *   [B5] the release store of `tail`, pairs with the acquire load of it by a subscriber: one that
 *        finds `tail` at the head that it knows sees a later head by another look, if there is one.
 *
 * What a crash leaves:
 *   of a publisher   before [B2] a message that was never there, though the oldest may have been
 *                    given up for it; behind it `latest` and `number` of earlier messages, which
 *                    the next holder of the lock finds by looking at all that are there
 *   of a subscriber  its entry, which names a claim that is over
 *
 * A wait that begins while the broadcast is freed may set its bit in the next one of the block. It
 * is taken back when the wait ends; all that wait are rung, so none is missed meanwhile. */
#include "sabway/broadcast.h"

#include "base/peer.h"
#include "core/objects/lock.h"
#include "core/region/endpoint.h"
#include "core/region/waits.h"
#include "sabway/endpoint.h"
#include "sabway/mutex.h"
#include "sabway/role.h"

enum {
  TRIES = 16, /* of a subscriber that is lapped again and again */
  PATIENT = 2 /* of those, with the oldest message */
};

/* What one call knows of a broadcast: copies of what does not change, within bounds. */
typedef struct view {
  sw_broadcast *b;
  uint8_t *ring;
  uint32_t capacity;
  uint32_t policy;
} view;

/* A frame, as it is read once. */
typedef struct frame {
  uint32_t length, type, bytes;
} frame;

static sw_broadcast *broadcast_at(const sw_heap *h, uint32_t at) { return (sw_broadcast *)(void *)(h->base + at); }

/* What is at `at` as a broadcast: false, when a hostile peer has changed what it is. */
static bool see(const sw_heap *h, uint32_t at, view *v) {
  v->b = broadcast_at(h, at);
  uint32_t shape = sw_peer_load_relaxed(&v->b->shape), ring = sw_peer_load_relaxed(&v->b->ring);
  uint32_t log2 = shape & SW_BROADCAST_LOG2_MASK;
  v->policy = shape >> 8 & 0xff;
  if (log2 < 6 || log2 > 30 || v->policy > SW_BROADCAST_LATEST_ONLY) return false;
  v->capacity = (uint32_t)1 << log2;
  v->ring = h->base + ring;
  uint64_t end = h->begin + (uint64_t)h->count * SW_HEAP_PAGE;
  return ring >= h->begin && ring % SW_HEAP_UNIT == 0 && (uint64_t)ring + v->capacity <= end;
}

/* Errors: SW_ECORRUPT; as sw_object_check. */
static int look(const sw_heap *h, uint32_t at, uint32_t generation, view *v) {
  int status = sw_object_check(h, at, SW_TYPE_BROADCAST, generation);
  if (status != SW_OK) return status;
  return see(h, at, v) ? SW_OK : SW_ECORRUPT;
}

static sw_subscriber *own_entry(const sw_heap *h, const sw_broadcast *b) {
  return (sw_subscriber *)&b->subscriber[h->endpoint % SW_ENDPOINTS];
}

static bool subscribes(const sw_heap *h, const sw_broadcast *b) {
  return sw_peer_load_relaxed(&own_entry(h, b)->role) == sw_endpoint_role(h->base, h->endpoint);
}

/* ---- frames ---- */

static uint32_t longest(uint32_t capacity) { return capacity / 2 - SW_BROADCAST_FRAME; }

static uint32_t bytes_of(uint32_t length) { return SW_BROADCAST_FRAME + ((length + 7) & ~(uint32_t)7); }

static uint64_t *word_at(const view *v, uint64_t position) {
  return (uint64_t *)(void *)(v->ring + (position & (v->capacity - 1)));
}

static uint64_t number_at(const view *v, uint64_t position) {
  return sw_peer_load64_acquire(word_at(v, position) + 1); /* [B1] */
}

/* Read the frame at `position`, before `head`: false, when it cannot be right, or is overwritten at
 * this moment. */
static bool read_frame(const view *v, uint64_t position, uint64_t head, frame *f) {
  uint32_t to_end = v->capacity - (uint32_t)(position & (v->capacity - 1));
  uint64_t word = sw_peer_load64_acquire(word_at(v, position)); /* [B1] */
  f->length = (uint32_t)word;
  f->type = (uint32_t)(word >> 32);
  if (f->type == SW_BROADCAST_PAD) {
    f->bytes = f->length;
    return f->length == to_end && f->bytes < head - position; /* a message follows */
  }
  if (f->type > SW_BROADCAST_PAD || f->length > longest(v->capacity)) return false;
  f->bytes = bytes_of(f->length);
  return f->bytes <= to_end && f->bytes <= head - position;
}

/* The words between `tail` and `head` are those of a ring. */
static bool are_sound(const view *v, uint64_t tail, uint64_t head) {
  return tail <= head && head - tail <= v->capacity && ((tail | head) & 7) == 0;
}

static void fill(const view *v, uint64_t position, const uint8_t *from, uint32_t length) {
  uint64_t *to = word_at(v, position), word;
  for (; length >= 8; length -= 8, from += 8) {
    __builtin_memcpy(&word, from, 8);
    sw_fill64(to++, word); /* [B1] */
  }
  if (length == 0) return;
  word = 0;
  __builtin_memcpy(&word, from, length);
  sw_fill64(to, word); /* [B1] */
}

static void copy(const view *v, uint64_t position, uint8_t *to, uint32_t length) {
  const uint64_t *from = word_at(v, position);
  uint64_t word;
  for (; length >= 8; length -= 8, to += 8, from++) {
    word = sw_peer_load64_acquire(from); /* [B1] */
    __builtin_memcpy(to, &word, 8);
  }
  if (length == 0) return;
  word = sw_peer_load64_acquire(from); /* [B1] */
  __builtin_memcpy(to, &word, length);
}

/* ---- the lock ---- */

/* Find number and place of the last message anew, when a publisher has died. */
static void mend(const view *v) {
  uint64_t head = sw_peer_load64_relaxed(&v->b->head), tail = sw_peer_load64_relaxed(&v->b->tail);
  if (!are_sound(v, tail, head)) return; /* the next publisher says so */
  for (frame f; tail < head; tail += f.bytes) {
    if (!read_frame(v, tail, head, &f)) return;
    if (f.type == SW_BROADCAST_PAD) continue;
    sw_store64_relaxed(&v->b->latest, tail);
    sw_store64_relaxed(&v->b->number, number_at(v, tail) + 1);
  }
}

static void unlock(const sw_heap *h, const view *v) {
  sw_mutex_unlock(h->base, &v->b->waitable.object.lock, h->endpoint);
}

/* Lock, and see the broadcast. On an error it is not locked. */
static int enter(const sw_heap *h, uint32_t at, uint32_t generation, view *v) {
  bool at_once = swi_object_lock(h, at, SW_TYPE_BROADCAST, generation) != NULL;
  int locked = at_once ? SW_OK : swi_object_lock_slowly(h, at, SW_TYPE_BROADCAST, generation);
  if (locked != SW_OK && locked != SW_EOWNERDEAD) return locked;
  int status = see(h, at, v) ? SW_OK : SW_ECORRUPT;
  if (locked == SW_EOWNERDEAD) {
    if (status == SW_OK) mend(v);
    sw_mutex_consistent(h->base, &broadcast_at(h, at)->waitable.object.lock, h->endpoint);
  }
  if (status != SW_OK) unlock(h, v);
  return status;
}

static bool is_closed(const sw_broadcast *b) {
  return (sw_peer_load_acquire(&b->shape) & SW_BROADCAST_CLOSED) != 0; /* [B4] */
}

static void wake(const sw_heap *h, const sw_broadcast *b, uint32_t what) {
  swi_waits_ring_all(h->base, &b->waitable.waits[what]);
}

/* ---- making ---- */

uint32_t sw_broadcast_new(sw_heap *h, uint32_t capacity, uint32_t policy, uint32_t codec) {
  uint32_t log2 = 6;
  h->status = policy > SW_BROADCAST_LATEST_ONLY ? SW_EINVAL : SW_ERANGE;
  if (policy > SW_BROADCAST_LATEST_ONLY || capacity > SW_BROADCAST_MAX) return 0;
  while ((uint32_t)1 << log2 < capacity) log2++;
  uint32_t ring = sw_heap_alloc(h, (uint32_t)1 << log2);
  if (ring == 0) return 0;
  uint32_t at = sw_object_new(h, SW_TYPE_BROADCAST);
  if (at == 0) {
    int status = h->status;
    sw_heap_free(h, ring);
    h->status = status;
    return 0;
  }
  sw_store_relaxed(&broadcast_at(h, at)->codec, codec);
  sw_store_relaxed(&broadcast_at(h, at)->ring, ring);
  sw_store_relaxed(&broadcast_at(h, at)->shape, log2 | policy << 8);
  return at;
}

uint32_t sw_broadcast_longest(const sw_heap *h, uint32_t at) {
  view v;
  return see(h, at, &v) ? longest(v.capacity) : 0;
}

/* ---- publishing ---- */

/* May what lies a ring's bytes before `end` be overwritten? For the holder of the lock. */
static int make_room(const sw_heap *h, const view *v, uint64_t tail, uint64_t head, uint64_t end) {
  uint64_t gate = sw_peer_load64_relaxed(&v->b->gate);
  if (gate <= head && end - gate <= v->capacity) return SW_OK;
  gate = head;
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) {
    sw_subscriber *s = &v->b->subscriber[i];
    uint32_t role = sw_peer_load_relaxed(&s->role);
    if (role == 0) continue;
    uint64_t cursor = sw_peer_load64_acquire(&s->cursor); /* [B3] */
    if (cursor < tail || cursor > head) continue;         /* taken for dead once; or nonsense */
    if (end - cursor > v->capacity && !sw_endpoint_role_alive(h->base, role)) {
      sw_compare_exchange_acq_rel(&s->role, &role, 0);
      continue;
    }
    if (cursor < gate) gate = cursor;
  }
  sw_store64_relaxed(&v->b->gate, gate);
  return end - gate <= v->capacity ? SW_OK : SW_EFULL;
}

/* Give up the oldest messages, as many as have to be. */
static void move_tail(const sw_heap *h, const view *v, uint64_t tail, uint64_t head, uint64_t end) {
  if (end - tail <= v->capacity) return;
  while (end - tail > v->capacity) {
    frame f;
    /* a hostile peer has written it: all are given up */
    tail = read_frame(v, tail, head, &f) ? tail + f.bytes : head;
  }
  sw_store64_release(&v->b->tail, tail); /* [B5] */
  sw_fence_fill_unless(h->ordered);
}

static int publish(const sw_heap *h, const view *v, uint32_t type, const void *from, uint32_t length) {
  uint64_t head = sw_peer_load64_relaxed(&v->b->head), tail = sw_peer_load64_relaxed(&v->b->tail);
  if (is_closed(v->b)) return SW_ECLOSED;
  if (length > longest(v->capacity)) return SW_ETOOBIG;
  if (!are_sound(v, tail, head)) return SW_ECORRUPT;
  uint32_t bytes = bytes_of(length), to_end = v->capacity - (uint32_t)(head & (v->capacity - 1));
  uint64_t place = bytes > to_end ? head + to_end : head, end = place + bytes;
  if (v->policy == SW_BROADCAST_BLOCK) {
    int status = make_room(h, v, tail, head, end);
    if (status != SW_OK) return status;
  }
  move_tail(h, v, tail, head, end);
  uint64_t number = sw_peer_load64_relaxed(&v->b->number);
  uint64_t pad = (uint64_t)SW_BROADCAST_PAD << 32 | to_end, *words = word_at(v, place);
  if (place != head) sw_fill64(word_at(v, head), pad); /* [B1] */
  sw_fill64(words, (uint64_t)type << 32 | length);     /* [B1] */
  sw_fill64(words + 1, number);                        /* [B1] */
  fill(v, place + SW_BROADCAST_FRAME, from, length);
  sw_store64_release(&v->b->head, end); /* [B2] */
  sw_store64_relaxed(&v->b->latest, place);
  sw_store64_relaxed(&v->b->number, number + 1);
  return SW_OK;
}

int sw_broadcast_try_send(sw_heap *h, uint32_t at, uint32_t generation, uint32_t type, const void *from,
                          uint32_t length) {
  view v;
  if (type >= SW_BROADCAST_PAD) return SW_EINVAL;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  status = publish(h, &v, type, from, length);
  unlock(h, &v);
  if (status == SW_OK) wake(h, v.b, SW_BROADCAST_MESSAGES);
  return status;
}

/* ---- subscribing ---- */

int sw_broadcast_subscribe(sw_heap *h, uint32_t at, uint32_t generation, uint32_t oldest) {
  view v;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  uint64_t head = sw_peer_load64_relaxed(&v.b->head), tail = sw_peer_load64_relaxed(&v.b->tail);
  if (!are_sound(&v, tail, head)) status = SW_ECORRUPT;
  if (status == SW_OK && !subscribes(h, v.b)) {
    sw_subscriber *s = own_entry(h, v.b);
    uint64_t cursor = oldest != 0 ? tail : head, next = sw_peer_load64_relaxed(&v.b->number);
    frame f;
    if (cursor < head && read_frame(&v, cursor, head, &f)) {
      next = number_at(&v, f.type == SW_BROADCAST_PAD ? cursor + f.bytes : cursor);
      if (cursor < sw_peer_load64_relaxed(&v.b->gate)) sw_store64_relaxed(&v.b->gate, cursor);
    }
    sw_store64_relaxed(&s->cursor, cursor);
    sw_store64_relaxed(&s->next, next);
    sw_store64_relaxed(&s->missed, 0);
    sw_store_release(&s->role, sw_endpoint_role(h->base, h->endpoint)); /* seen under the lock */
  }
  unlock(h, &v);
  return status;
}

int sw_broadcast_unsubscribe(sw_heap *h, uint32_t at, uint32_t generation) {
  int status = sw_object_check(h, at, SW_TYPE_BROADCAST, generation);
  if (status != SW_OK) return status;
  sw_broadcast *b = broadcast_at(h, at);
  uint32_t role = sw_endpoint_role(h->base, h->endpoint);
  if (!sw_compare_exchange_acq_rel(&own_entry(h, b)->role, &role, 0)) return SW_ENOTSUBSCRIBED;
  wake(h, b, SW_BROADCAST_ROOM);
  return SW_OK;
}

int sw_broadcast_is_subscribed(const sw_heap *h, uint32_t at, uint32_t generation) {
  return swi_object_at(h, at, SW_TYPE_BROADCAST, generation) != NULL && subscribes(h, broadcast_at(h, at));
}

int sw_broadcast_subscribers(const sw_heap *h, uint32_t at, uint32_t generation) {
  int count = sw_object_check(h, at, SW_TYPE_BROADCAST, generation);
  if (count != SW_OK) return count;
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) {
    uint32_t role = sw_peer_load_relaxed(&broadcast_at(h, at)->subscriber[i].role);
    if (role != 0 && sw_endpoint_role_alive(h->base, role)) count++;
  }
  return count;
}

/* ---- receiving ---- */

/* Where the subscriber goes on that was lapped. */
static uint64_t catch_up(const view *v, uint64_t tail, uint64_t head, uint32_t tries) {
  uint64_t latest = sw_peer_load64_relaxed(&v->b->latest);
  return tries >= PATIENT && latest > tail && latest < head && latest % 8 == 0 ? latest : tail;
}

/* The newest message behind `position`, before `head`: false as read_frame. */
static bool find_newest(const view *v, uint64_t *position, uint64_t head, frame *f) {
  uint64_t latest = sw_peer_load64_relaxed(&v->b->latest);
  if (latest > *position && latest < head && latest % 8 == 0) *position = latest;
  for (;;) {
    if (!read_frame(v, *position, head, f)) return false;
    if (*position + f->bytes == head) return true;
    *position += f->bytes;
  }
}

/* The next message behind `position`, likewise. */
static bool find_next(const view *v, uint64_t *position, uint64_t head, frame *f) {
  if (!read_frame(v, *position, head, f)) return false;
  if (f->type != SW_BROADCAST_PAD) return true;
  *position += f->bytes;
  return read_frame(v, *position, head, f) && f->type != SW_BROADCAST_PAD;
}

/* One try: 1, or 0 when there is none; SW_EAGAIN: it was overwritten meanwhile. */
enum { SW_EAGAIN = 2 };
static int receive(const sw_heap *h, const view *v, uint32_t tries, uint8_t *to, uint32_t room,
                   sw_broadcast_message *message) {
  sw_subscriber *s = own_entry(h, v->b);
  bool closed = is_closed(v->b);
  uint64_t head = sw_peer_load64_acquire(&v->b->head); /* [B2] */
  uint64_t tail = sw_peer_load64_acquire(&v->b->tail); /* [B5] */
  uint64_t position = sw_peer_load64_relaxed(&s->cursor);
  if (tail >= head && sw_peer_load64_relaxed(&v->b->head) != head) return SW_EAGAIN;
  if (position > head || ((position | head | tail) & 7) != 0) return SW_ECORRUPT;
  if (position < tail) position = catch_up(v, tail, head, tries);
  if (head - position > v->capacity) return SW_EAGAIN;
  if (position == head) return closed ? SW_ECLOSED : 0;
  frame f;
  bool found =
      v->policy == SW_BROADCAST_LATEST_ONLY ? find_newest(v, &position, head, &f) : find_next(v, &position, head, &f);
  uint64_t number = found ? number_at(v, position) : 0;
  bool fits = found && f.length <= room;
  if (fits) copy(v, position + SW_BROADCAST_FRAME, to, f.length);
  if (sw_peer_load64_relaxed(&v->b->tail) > position) return SW_EAGAIN; /* [B1] */
  if (!found) return SW_ECORRUPT;
  uint64_t next = sw_peer_load64_relaxed(&s->next), missed = sw_peer_load64_relaxed(&s->missed);
  message->length = f.length;
  message->type = f.type;
  message->missed = missed += number > next ? number - next : 0;
  if (!fits) return SW_ERANGE;
  sw_store64_relaxed(&s->missed, missed);
  sw_store64_relaxed(&s->next, number + 1);
  sw_store64_release(&s->cursor, position + f.bytes); /* [B3] */
  return 1;
}

int sw_broadcast_try_receive(sw_heap *h, uint32_t at, uint32_t generation, void *to, uint32_t room,
                             sw_broadcast_message *message) {
  view v;
  int status = look(h, at, generation, &v);
  if (status != SW_OK) return status;
  if (!subscribes(h, v.b)) return SW_ENOTSUBSCRIBED;
  status = SW_EAGAIN;
  for (uint32_t tries = 0; status == SW_EAGAIN && tries < TRIES; tries++)
    status = receive(h, &v, tries, to, room, message);
  /* one that was freed had no such message; what is in its place now is another's */
  int there = sw_object_check(h, at, SW_TYPE_BROADCAST, generation);
  if (there != SW_OK) return there;
  if (status == 1 && v.policy == SW_BROADCAST_BLOCK)
    wake(h, v.b, SW_BROADCAST_ROOM); /* all: it may do for a later one with a shorter message */
  return status == SW_EAGAIN ? SW_EBUSY : status;
}

/* ---- waiting ---- */

int sw_broadcast_begin_wait(sw_heap *h, uint32_t at, uint32_t generation, uint32_t what) {
  int status = sw_object_check(h, at, SW_TYPE_BROADCAST, generation);
  if (status == SW_OK) swi_waits_begin(&broadcast_at(h, at)->waitable.waits[what & 1], h->endpoint);
  return status;
}

int sw_broadcast_end_wait(sw_heap *h, uint32_t at, uint32_t generation, uint32_t what) {
  int status = sw_object_check(h, at, SW_TYPE_BROADCAST, generation);
  if (status == SW_EFREED) swi_object_end_stray_wait(h, at, SW_TYPE_BROADCAST, what);
  if (status != SW_OK) return status;
  swi_waits_end(&broadcast_at(h, at)->waitable.waits[what & 1], h->endpoint); /* all were rung */
  return SW_OK;
}

/* ---- the end ---- */

int sw_broadcast_close(sw_heap *h, uint32_t at, uint32_t generation) {
  view v;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  uint32_t shape = sw_peer_load_relaxed(&v.b->shape);
  if ((shape & SW_BROADCAST_CLOSED) != 0) status = SW_ECLOSED;
  else sw_store_release(&v.b->shape, shape | SW_BROADCAST_CLOSED); /* [B4] */
  unlock(h, &v);
  for (uint32_t what = 0; what < 2; what++) wake(h, v.b, what);
  return status;
}

int sw_broadcast_is_closed(const sw_heap *h, uint32_t at, uint32_t generation) {
  int status = sw_object_check(h, at, SW_TYPE_BROADCAST, generation);
  return status == SW_OK ? is_closed(broadcast_at(h, at)) : status;
}

int sw_broadcast_free(sw_heap *h, uint32_t at, uint32_t generation) {
  view v;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  status = sw_object_begin_free(h, at, SW_TYPE_BROADCAST, generation);
  if (status != SW_OK) {
    unlock(h, &v);
    return status;
  }
  sw_heap_free(h, (uint32_t)(v.ring - h->base));
  unlock(h, &v);
  for (uint32_t what = 0; what < 2; what++) wake(h, v.b, what);
  sw_object_end_free(h, at);
  return SW_OK;
}

/* Are the messages whole, and their numbers in order? */
static bool are_whole(const view *v, uint64_t tail, uint64_t head) {
  if (!are_sound(v, tail, head)) return false;
  uint64_t number = sw_peer_load64_relaxed(&v->b->number), before = 0, count = 0;
  for (frame f; tail < head; tail += f.bytes) {
    if (!read_frame(v, tail, head, &f)) return false;
    if (f.type == SW_BROADCAST_PAD) continue;
    uint64_t found = number_at(v, tail);
    if (count++ != 0 && found != before + 1) return false;
    before = found;
  }
  return count == 0 || before + 1 == number;
}

int sw_broadcast_check(sw_heap *h, uint32_t at, uint32_t generation) {
  view v;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  uint64_t head = sw_peer_load64_relaxed(&v.b->head), tail = sw_peer_load64_relaxed(&v.b->tail);
  bool whole = are_whole(&v, tail, head) && sw_heap_usable(h, (uint32_t)(v.ring - h->base)) >= v.capacity;
  for (uint32_t i = 0; i < SW_ENDPOINTS && whole; i++) {
    sw_subscriber *s = &v.b->subscriber[i];
    uint32_t role = sw_peer_load_relaxed(&s->role);
    whole = sw_role_is_possible(role) && (role == 0 || sw_peer_load64_relaxed(&s->cursor) <= head);
  }
  unlock(h, &v);
  return whole ? SW_OK : SW_ECORRUPT;
}
