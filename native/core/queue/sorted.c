/* Any priority: a heap of four branches under the queue's lock.
 *
 * Each entry is not before its parent, in the order of keys, and of the same key in that in which
 * they came. What changes the heap moves a hole: the entry that is on its way is in the journal,
 * and the hole is the place among the others that it belongs into. So at each moment the places but
 * for the hole, and the journal, have every entry once:
 *
 *   put    journal := the entry; one store: count + 1, hole := the last place               [S1]
 *          parents go down into the hole, as long as they come later
 *          hole := the journal; hole := none
 *   take   journal := the last entry; one store: count - 1, hole := the first place         [S1]
 *          the first child goes up into the hole, as long as it comes earlier
 *          hole := the journal; hole := none
 *
 * What a crash leaves: the hole, in which the next holder of the lock puts the journal; and then
 * brings all into order. A move whose hole was not stored yet is done once more.
 *
 * Ordering edges: the lock's. [S1] is only that a participant which dies has made its stores in
 * their order. */
#include "core/queue/queue.h"
#include "sabway/mutex.h"

enum { BRANCHES = 4 };

typedef struct view {
  sw_queue *queue;
  sw_queue_sorted *sorted;
  sw_queue_entry *entries;
  uint32_t capacity;
} view;

static view view_of(const sw_queue_handle *q, const sw_heap *h) {
  sw_queue_sorted *sorted = (sw_queue_sorted *)(void *)(h->base + q->rest);
  return (view){swi_queue_of(q, h), sorted, (sw_queue_entry *)(void *)(sorted + 1), q->capacity};
}

static uint64_t state_of(uint32_t count, uint32_t hole) { return (uint64_t)count << 32 | hole; }

/* A hostile peer may have written any number. */
static uint32_t count_of(const view *v) {
  uint32_t count = (uint32_t)(sw_peer_load64_relaxed(&v->sorted->state) >> 32);
  return count < v->capacity ? count : v->capacity;
}

static void set_state(const view *v, uint32_t count, uint32_t hole) {
  sw_fill64(&v->sorted->state, state_of(count, hole)); /* [S1] */
}

/* ---- entries ---- */

typedef struct entry {
  uint64_t key, seq;
  uint32_t value;
} entry;

static entry read_entry(const sw_queue_entry *from) {
  return (entry){sw_peer_load64_relaxed(&from->key), sw_peer_load64_relaxed(&from->seq),
                 sw_peer_load_relaxed(&from->value)};
}

static void write_entry(sw_queue_entry *to, entry e) {
  sw_fill64(&to->key, e.key); /* [S1] */
  sw_fill64(&to->seq, e.seq);
  sw_fill(&to->value, e.value);
}

static bool is_before(entry a, entry b) { return a.key != b.key ? a.key > b.key : a.seq < b.seq; }

/* The order of numbers as that of integers. */
static uint64_t key_of(double priority) {
  uint64_t bits;
  priority += 0.0; /* -0 is 0 */
  __builtin_memcpy(&bits, &priority, 8);
  return bits >> 63 != 0 ? ~bits : bits | UINT64_C(1) << 63;
}

/* ---- sifting ---- */

static uint32_t sift_up(const view *v, uint32_t hole, uint32_t count, entry moving) {
  while (hole != 0) {
    uint32_t parent = (hole - 1) / BRANCHES;
    entry above = read_entry(&v->entries[parent]);
    if (!is_before(moving, above)) break;
    write_entry(&v->entries[hole], above);
    hole = parent;
    set_state(v, count, hole + 1);
  }
  return hole;
}

static uint32_t sift_down(const view *v, uint32_t hole, uint32_t count, entry moving) {
  for (;;) {
    uint32_t first = hole * BRANCHES + 1, best = hole;
    entry earliest = moving;
    for (uint32_t i = first; i < first + BRANCHES && i < count; i++) {
      entry child = read_entry(&v->entries[i]);
      if (!is_before(child, earliest)) continue;
      earliest = child;
      best = i;
    }
    if (best == hole) return hole;
    write_entry(&v->entries[hole], earliest);
    hole = best;
    set_state(v, count, hole + 1);
  }
}

/* The journal's entry is in its place. */
static void settle(const view *v, uint32_t hole, uint32_t count, entry moving) {
  write_entry(&v->entries[hole], moving);
  set_state(v, count, 0);
}

static void begin(const view *v, entry moving, uint32_t count, uint32_t hole) {
  write_entry(&v->sorted->item, moving);
  set_state(v, count, hole + 1);
}

/* ---- the lock ---- */

/* What a holder that died has left. Moves of one entry each, with the journal. */
static void mend(const view *v) {
  uint32_t count = count_of(v), hole = (uint32_t)sw_peer_load64_relaxed(&v->sorted->state);
  if (hole == 0) return;
  hole = hole - 1 < count ? hole - 1 : 0;
  if (count != 0) {
    entry moving = read_entry(&v->sorted->item);
    hole = sift_up(v, hole, count, moving);
    hole = sift_down(v, hole, count, moving);
    settle(v, hole, count, moving);
  }
  set_state(v, count, 0);
}

/* Lock. On an error it is not locked. */
static int enter(const sw_queue_handle *q, const sw_heap *h, view *v) {
  uint32_t type = (uint32_t)q->life, generation = (uint32_t)(q->life >> 32);
  int locked = SW_OK;
  if (swi_object_lock(h, q->at, type, generation) == NULL) locked = swi_object_lock_slowly(h, q->at, type, generation);
  if (locked != SW_OK && locked != SW_EOWNERDEAD) return locked;
  *v = view_of(q, h);
  if (locked == SW_OK) return SW_OK;
  mend(v);
  sw_mutex_consistent(h->base, &v->queue->waitable.object.lock, h->endpoint);
  return SW_OK;
}

static void leave(const sw_heap *h, const view *v) {
  if (!swi_object_unlock(h, &v->queue->waitable.object))
    sw_mutex_unlock(h->base, &v->queue->waitable.object.lock, h->endpoint);
}

/* ---- the calls ---- */

int swi_sorted_put(const sw_queue_handle *q, sw_heap *h, uint32_t value, double priority) {
  view v;
  int status = enter(q, h, &v);
  if (status != SW_OK) return status;
  uint32_t count = count_of(&v);
  if (sw_peer_load_relaxed(&v.queue->closed) != 0) status = SW_ECLOSED;
  else if (count < v.capacity) {
    uint64_t seq = sw_peer_load64_relaxed(&v.sorted->seq);
    entry moving = {key_of(priority), seq, value};
    sw_fill64(&v.sorted->seq, seq + 1);
    begin(&v, moving, count + 1, count);
    settle(&v, sift_up(&v, count, count + 1, moving), count + 1, moving);
    status = 1;
  }
  leave(h, &v);
  return status;
}

int swi_sorted_take(const sw_queue_handle *q, sw_heap *h, uint32_t *value) {
  view v;
  int status = enter(q, h, &v);
  if (status != SW_OK) return status;
  uint32_t count = count_of(&v);
  if (count != 0) {
    *value = read_entry(&v.entries[0]).value;
    entry moving = read_entry(&v.entries[count - 1]);
    if (count == 1) {
      set_state(&v, 0, 0);
    } else {
      begin(&v, moving, count - 1, 0);
      settle(&v, sift_down(&v, 0, count - 1, moving), count - 1, moving);
    }
    status = 1;
  } else if (sw_peer_load_relaxed(&v.queue->closed) != 0) {
    status = SW_ECLOSED;
  }
  leave(h, &v);
  return status;
}

int swi_sorted_peek(sw_queue_handle *q, sw_heap *h, void *to, uint32_t room) {
  view v;
  int status = enter(q, h, &v);
  if (status != SW_OK) return status;
  if (count_of(&v) != 0) status = swi_item_peek(q, h, read_entry(&v.entries[0]).value, to, room);
  else if (sw_peer_load_relaxed(&v.queue->closed) != 0) status = SW_ECLOSED;
  leave(h, &v);
  return status;
}

int swi_sorted_close(const sw_queue_handle *q, sw_heap *h) {
  view v;
  int status = enter(q, h, &v);
  if (status != SW_OK) return status;
  sw_store_release(&v.queue->closed, 1);
  leave(h, &v);
  return SW_OK;
}

int swi_sorted_begin_free(const sw_queue_handle *q, sw_heap *h) {
  view v;
  int status = enter(q, h, &v);
  if (status != SW_OK) return status;
  status = sw_object_begin_free(h, q->at, (uint32_t)q->life, (uint32_t)(q->life >> 32));
  for (uint32_t i = 0; status == SW_OK && i < count_of(&v); i++) {
    uint32_t value = read_entry(&v.entries[i]).value;
    if (value != 0 && value % SW_HEAP_UNIT == 0) sw_heap_free(h, value);
  }
  leave(h, &v);
  return status;
}

uint32_t swi_sorted_size(const sw_queue_handle *q, const sw_heap *h) {
  view v = view_of(q, h);
  return count_of(&v);
}

uint32_t swi_sorted_value(const sw_queue_handle *q, const sw_heap *h, uint32_t index) {
  view v = view_of(q, h);
  uint32_t hole = (uint32_t)sw_peer_load64_relaxed(&v.sorted->state);
  if (index >= count_of(&v)) return 0;
  return hole == index + 1 ? sw_peer_load_relaxed(&v.sorted->item.value) : read_entry(&v.entries[index]).value;
}

int swi_sorted_check(const sw_queue_handle *q, sw_heap *h) {
  view v;
  int status = enter(q, h, &v);
  if (status != SW_OK) return status;
  uint64_t state = sw_peer_load64_relaxed(&v.sorted->state);
  if (state >> 32 > v.capacity || (uint32_t)state != 0) status = SW_ECORRUPT;
  for (uint32_t i = 1; i < count_of(&v); i++) {
    if (is_before(read_entry(&v.entries[i]), read_entry(&v.entries[(i - 1) / BRANCHES]))) status = SW_ECORRUPT;
  }
  leave(h, &v);
  return status;
}
