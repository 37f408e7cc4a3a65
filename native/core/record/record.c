/* Records: fields, a lock, and an undo log.
 *
 * Only the holder of the lock writes `version`, `undo` and the log:
 *
 *   version   undo   state                      next
 *   even      0      at rest                    write -> begun
 *   odd       0      begun: nothing is changed  write -> changing
 *                                               unlock, undo, recovery -> at rest
 *   odd       n      changing: n fields are     write -> changing, n + 1
 *                    not what they were         unlock: undo := 0 -> made
 *                                               undo, recovery: the fields, then undo := 0 -> made
 *   odd       0      made: as begun             unlock, undo, recovery -> at rest
 *
 *   a write                                     a snapshot
 *     version + 1, at the first one               version, even             [U6]
 *     the entry: where, how wide, what it was     the fields                [U3]
 *     undo + 1                     [U2]           version, the same: they belong together
 *     the field                    [U3]           else again
 *
 *   unlock
 *     undo := 0                    [U5]  from here on all changes are made
 *     version + 1                  [U6]
 *
 * A snapshot that sees a field of a change sees the odd version of it, too, by [U3], so its second
 * look at `version` tells. A snapshot that finds `version` odd tries for the lock: of a living
 * holder it is SW_EBUSY, and what a dead one has left is undone.
 *
 * A field is noted once for each change: what it was first counts. So the log of a record with as
 * much room as it has fields is never full. Undoing goes from the last entry to the first, and may
 * be done again from the beginning by another participant when one dies in it.
 *
 * A text is a field of 64 bits that leads to a block, which is never changed, only replaced, and by
 * the lock's holder alone. The block of before a change is freed when the change is made, and the
 * one of the change when it is undone. Each replacement counts the text's version up, also an
 * undoing one: a reader without the lock looks at the word, reads the text, and looks once more.
 *
 * A field of one or two bytes is written by a compare-exchange of the word that it is in, since
 * other participants may write its neighbours at any time.
 *
 * Ordering edges:
 *   [U2] the store of `undo`: a crash never leaves an entry that counts and is not complete.
 *   [U3] the store of a field, and the load by a snapshot: see above. Behind [U2] also in the
 *        order in which a crash leaves the words.
 *   [U5] the store of `undo`: no crash leaves it zero with a field that is to follow.
 *   [U6] the store of `version`, and the load by a snapshot: it sees what was changed.
 *
 * What a crash leaves:
 *   in sw_record_new      two blocks that no participant knows of
 *   in making a change    texts that were replaced, which are lost
 *   of a holder           its change whole, or to be undone: the next holder, or the next snapshot,
 *                         gets the lock with SW_EOWNERDEAD and does that
 *   in the undoing        the same once more
 *   in sw_record_free     a control block that is no object any more, and what was not freed yet
 *
 * Hostile participants write here, too: each word is read once and bounded by the heap before use,
 * and every walk has an end. They can make any field anything, and the lock poisoned. */
#include "sabway/record.h"

#include <stddef.h>

#include "base/peer.h"
#include "sabway/endpoint.h"
#include "sabway/mutex.h"

enum {
  SEARCHED = 256,     /* entries of the log in which a field is looked for */
  WRITES = 4096,      /* tries for a field that shares its word with others */
  SNAPSHOTS = 64,     /* tries before the lock is tried for */
  MOST_ROOM = 1 << 20 /* of a log */
};

/* Fields of one record, in bytes. */
#define MOST_BYTES 0xf0000000

/* The record as it was read once. */
typedef struct view {
  sw_record *record;
  uint8_t *fields;
  sw_undo *log;
  uint32_t bytes;
  uint32_t room;
} view;

static uint64_t end_of(const sw_heap *h) { return h->begin + (uint64_t)h->count * SW_HEAP_PAGE; }

/* Are `bytes` from `at` on among the heap's pages? */
static bool is_inside(const sw_heap *h, uint32_t at, uint64_t bytes) {
  uint64_t end = end_of(h);
  return at >= h->begin && at % SW_HEAP_UNIT == 0 && bytes <= end && at <= end - bytes;
}

static uint64_t data_bytes(uint32_t bytes, uint32_t room) { return ((uint64_t)bytes + 15) / 16 * 16 + room * 16ull; }

/* What is at `at`, whatever that is. Errors: SW_EWILD; SW_ECORRUPT: its words lead out of the
 * heap. */
static int look(const sw_heap *h, uint32_t at, view *v) {
  if (!is_inside(h, at, sizeof(sw_record))) return SW_EWILD;
  v->record = (sw_record *)(void *)(h->base + at);
  uint32_t data = sw_peer_load_relaxed(&v->record->data);
  v->bytes = sw_peer_load_relaxed(&v->record->plan.bytes);
  v->room = sw_peer_load_relaxed(&v->record->plan.room);
  if (v->bytes == 0 || v->bytes % 8 != 0 || v->bytes > MOST_BYTES || v->room > MOST_ROOM ||
      !is_inside(h, data, data_bytes(v->bytes, v->room)))
    return SW_ECORRUPT;
  v->fields = h->base + data;
  v->log = (sw_undo *)(void *)(v->fields + (v->bytes + 15) / 16 * 16);
  return SW_OK;
}

static sw_mutex *lock_of(const view *v) { return &v->record->object.lock; }

/* ---- fields ---- */

/* Is there a field of that width? */
static bool has_field(const view *v, uint32_t offset, uint32_t width) {
  bool possible = width == 1 || width == 2 || width == 4 || width == 8;
  return possible && offset % width == 0 && offset < v->bytes;
}

static uint32_t *word_at(const view *v, uint32_t offset) { return (uint32_t *)(void *)(v->fields + (offset & ~3u)); }
static uint64_t *wide_at(const view *v, uint32_t offset) { return (uint64_t *)(void *)(v->fields + (offset & ~7u)); }

/* Of a field that is less than a word, in its word. */
static uint32_t shift_of(uint32_t offset) { return (offset & 3) * 8; }
static uint32_t mask_of(uint32_t width) { return width == 4 ? UINT32_MAX : (1u << width * 8) - 1; }

static uint64_t read_field(const view *v, uint32_t offset, uint32_t width) {
  if (width == 8) return sw_peer_load64_relaxed(wide_at(v, offset));
  return sw_peer_load_relaxed(word_at(v, offset)) >> shift_of(offset) & mask_of(width);
}

static int write_field(const view *v, uint32_t offset, uint32_t width, uint64_t value) {
  if (width == 8) {
    sw_store64_release(wide_at(v, offset), value); /* [U3] */
    return SW_OK;
  }
  uint32_t *word = word_at(v, offset), mask = mask_of(width) << shift_of(offset);
  uint32_t bits = (uint32_t)value << shift_of(offset) & mask;
  if (width == 4) {
    sw_store_release(word, bits); /* [U3] */
    return SW_OK;
  }
  uint32_t seen = sw_peer_load_relaxed(word);
  for (int tries = 0; tries < WRITES; tries++) {
    if (sw_compare_exchange_acq_rel(word, &seen, (seen & ~mask) | bits)) return SW_OK; /* [U3] */
  }
  return SW_EBUSY;
}

/* ---- texts ---- */

/* A text word: its version, which counts the replacements, and the offset of a sw_text, or zero. */
static uint32_t text_of(uint64_t word) { return (uint32_t)word; }

/* Put the text there, in the place of `was`. */
static void put_text(const view *v, uint32_t offset, uint64_t was, uint32_t text) {
  sw_store64_release(wide_at(v, offset), ((was >> 32) + 1) << 32 | text); /* [U3] */
}

static void free_text(sw_heap *h, uint64_t word) {
  /* what a hostile peer wrote may be no block */
  if (text_of(word) != 0) sw_heap_free(h, text_of(word));
}

/* The text of before the change is there again, also when it is taken back a second time. */
static void take_text_back(sw_heap *h, const view *v, uint32_t offset, uint64_t old) {
  uint64_t now = sw_peer_load64_relaxed(wide_at(v, offset));
  if (text_of(now) == text_of(old)) return;
  put_text(v, offset, now, text_of(old));
  free_text(h, now);
}

/* All texts of a record that is freed. */
static void free_texts(sw_heap *h, const view *v) {
  const sw_record_plan *plan = &v->record->plan;
  uint64_t rows = sw_peer_load_relaxed(&plan->rows), texts = sw_peer_load_relaxed(&plan->texts);
  uint64_t row = sw_peer_load_relaxed(&plan->text_row), step = sw_peer_load_relaxed(&plan->text_step);
  uint64_t left = v->bytes / 8;
  for (uint64_t text = 0; text < texts && left > 0; text++) {
    for (uint64_t i = 0; i < rows && left > 0; i++) {
      uint64_t offset = text * step + i * row;
      left--; /* a place that is none counts, too, or a plan with 2^32 of them would take minutes */
      if (offset % 8 != 0 || offset >= v->bytes) break;
      free_text(h, sw_peer_load64_relaxed(wide_at(v, (uint32_t)offset)));
    }
    if (rows == 0) break;
  }
}

/* ---- the log ---- */

static uint32_t entries(const view *v) { return sw_peer_load_relaxed(&v->record->undo); }

/* `version` becomes even or odd. */
static void set_changing(const view *v, uint32_t changing) {
  uint32_t version = sw_peer_load_relaxed(&v->record->version);
  if ((version & 1) != changing) sw_store_release(&v->record->version, version + 1); /* [U6] */
}

/* The field is in the log, with what it was before this change. */
static bool is_noted(const view *v, uint32_t count, uint32_t offset, uint32_t width) {
  uint32_t first = count > SEARCHED ? count - SEARCHED : 0;
  for (uint32_t i = count; i > first; i--) {
    const sw_undo *entry = &v->log[i - 1];
    if (sw_peer_load_relaxed(&entry->at) == offset && sw_peer_load_relaxed(&entry->width) == width) return true;
  }
  return false;
}

/* 1 when the change has noted it before. */
static int note(const view *v, uint32_t offset, uint32_t width) {
  uint32_t count = entries(v);
  if (count > v->room) return SW_ECORRUPT;
  set_changing(v, 1);
  if (is_noted(v, count, offset, width)) return 1;
  if (count == v->room) return SW_EUNDO;
  sw_undo *entry = &v->log[count];
  sw_store_relaxed(&entry->at, offset);
  sw_store_relaxed(&entry->width, width);
  sw_store64_relaxed(&entry->old, read_field(v, offset, width & ~(uint32_t)SW_UNDO_TEXT));
  sw_store_release(&v->record->undo, count + 1); /* [U2] */
  return SW_OK;
}

/* The holder's fields become what they were. */
static int take_back(sw_heap *h, const view *v) {
  uint32_t count = entries(v);
  if (count > v->room) return SW_ECORRUPT;
  for (uint32_t i = count; i > 0; i--) {
    const sw_undo *entry = &v->log[i - 1];
    uint32_t offset = sw_peer_load_relaxed(&entry->at), width = sw_peer_load_relaxed(&entry->width);
    uint64_t old = sw_peer_load64_relaxed(&entry->old);
    bool is_text = width == (8 | SW_UNDO_TEXT);
    if (!has_field(v, offset, is_text ? 8 : width)) return SW_ECORRUPT;
    int status = SW_OK;
    if (is_text) take_text_back(h, v, offset, old);
    else status = write_field(v, offset, width, old);
    if (status != SW_OK) return status;
  }
  if (count != 0) sw_store_release(&v->record->undo, 0); /* [U5] */
  set_changing(v, 0);
  return SW_OK;
}

/* ---- the lock ---- */

static bool is_holder(const sw_heap *h, const view *v) { return sw_mutex_holder(lock_of(v)) == h->role; }

static int give_back(const sw_heap *h, const view *v) { return sw_mutex_unlock(h->base, lock_of(v), h->endpoint); }

/* The caller has the lock, of what `status` says. On an error it is given back: poisoned when it
 * was inherited. */
static int locked(sw_heap *h, const view *v, int status, bool inherited) {
  if (status == SW_OK && inherited) status = take_back(h, v);
  /* of one that is freed nothing is left that could be broken */
  if (inherited && (status == SW_OK || status == SW_EFREED)) sw_mutex_consistent(h->base, lock_of(v), h->endpoint);
  if (status != SW_OK) give_back(h, v);
  return status;
}

int sw_record_locked(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation, uint32_t inherited) {
  view v;
  int status = sw_object_check(h, at, type, generation), led = look(h, at, &v);
  if (led == SW_EWILD) return led;
  /* one that is freed leads nowhere, and is not corrupt by that */
  return locked(h, &v, status == SW_OK ? led : status, inherited != 0);
}

static int try_lock(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation, view *v) {
  int status = sw_object_check(h, at, type, generation);
  if (status != SW_OK) return status;
  status = look(h, at, v);
  if (status != SW_OK) return status;
  status = sw_mutex_try_lock(h->base, lock_of(v), h->endpoint);
  if (status != SW_OK && status != SW_EOWNERDEAD) return status;
  return locked(h, v, sw_object_check(h, at, type, generation), status == SW_EOWNERDEAD);
}

int sw_record_try_lock(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation) {
  view v;
  return try_lock(h, at, type, generation, &v);
}

/* ---- changes ---- */

/* The record that the caller has locked. */
static int held(const sw_heap *h, uint32_t at, view *v) {
  int status = look(h, at, v);
  if (status != SW_OK) return status;
  return is_holder(h, v) ? SW_OK : SW_ESTATE;
}

static int change(sw_heap *h, uint32_t at, uint32_t offset, uint32_t width, uint64_t value) {
  view v;
  int status = held(h, at, &v);
  if (status != SW_OK) return status;
  if (!has_field(&v, offset, width)) return SW_ERANGE;
  status = note(&v, offset, width);
  return status < 0 ? status : write_field(&v, offset, width, value);
}

int sw_record_write32(sw_heap *h, uint32_t at, uint32_t offset, uint32_t width, uint32_t value) {
  return width > 4 ? SW_ERANGE : change(h, at, offset, width, value);
}

int sw_record_write64(sw_heap *h, uint32_t at, uint32_t offset, uint32_t low, uint32_t high) {
  return change(h, at, offset, 8, (uint64_t)high << 32 | low);
}

int sw_record_undo(sw_heap *h, uint32_t at) {
  view v;
  int status = held(h, at, &v);
  return status == SW_OK ? take_back(h, &v) : status;
}

int sw_record_write_text(sw_heap *h, uint32_t at, uint32_t offset, uint32_t text) {
  view v;
  int status = held(h, at, &v);
  if (status != SW_OK) return status;
  if (!has_field(&v, offset, 8)) return SW_ERANGE;
  int noted = note(&v, offset, 8 | SW_UNDO_TEXT);
  if (noted < 0) return noted;
  uint64_t was = sw_peer_load64_relaxed(wide_at(&v, offset));
  put_text(&v, offset, was, text);
  /* the change's own; the one of before is kept until it is made */
  if (noted == 1) free_text(h, was);
  return SW_OK;
}

/* What the change has replaced is not needed any more. A crash leaks it. */
static void make(sw_heap *h, const view *v) {
  uint32_t count = entries(v);
  if (count != 0) sw_store_release(&v->record->undo, 0); /* [U5] */
  set_changing(v, 0);
  for (uint32_t i = 0; i < count && i < v->room; i++) {
    const sw_undo *entry = &v->log[i];
    if (sw_peer_load_relaxed(&entry->width) == (8 | SW_UNDO_TEXT)) free_text(h, sw_peer_load64_relaxed(&entry->old));
  }
}

int sw_record_commit(sw_heap *h, uint32_t at) {
  view v;
  int status = held(h, at, &v);
  if (status == SW_OK) make(h, &v);
  return status;
}

int sw_record_unlock(sw_heap *h, uint32_t at) {
  view v;
  int status = held(h, at, &v);
  if (status != SW_OK) return status;
  make(h, &v);
  return give_back(h, &v);
}

int sw_record_set_text(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation, uint32_t offset, uint32_t text) {
  int status = sw_record_try_lock(h, at, type, generation);
  if (status != SW_OK) return status;
  status = sw_record_write_text(h, at, offset, text);
  if (status != SW_OK) sw_record_undo(h, at);
  int unlocked = sw_record_unlock(h, at);
  return status == SW_OK ? unlocked : status;
}

/* ---- snapshots ---- */

/* The caller's pieces, which may lie in the region, too, are read once each time. */
static int copy_pieces(const view *v, const sw_piece *pieces, uint32_t count, uint64_t *into) {
  for (uint32_t i = 0; i < count; i++) {
    uint32_t at = sw_peer_load_relaxed(&pieces[i].at), bytes = sw_peer_load_relaxed(&pieces[i].bytes);
    if (at > v->bytes || bytes > v->bytes - at) return SW_ERANGE;
    const uint64_t *from = wide_at(v, at), *end = wide_at(v, at + bytes + 7);
    for (; from < end; from++) *into++ = sw_peer_load64_acquire(from); /* [U3] */
  }
  return SW_OK;
}

int sw_record_snapshot(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation, const sw_piece *pieces,
                       uint32_t count, void *into) {
  view v;
  int status = sw_object_check(h, at, type, generation);
  if (status == SW_OK) status = look(h, at, &v);
  if (status != SW_OK) return status;
  for (int tries = 0; tries < SNAPSHOTS; tries++) {
    uint32_t version = sw_peer_load_acquire(&v.record->version); /* [U6] */
    if ((version & 1) != 0) break;
    status = copy_pieces(&v, pieces, count, into);
    if (status != SW_OK || sw_peer_load_relaxed(&v.record->version) == version) return status;
  }
  status = try_lock(h, at, type, generation, &v);
  bool own = status == SW_ESTATE; /* the caller is the one that changes it */
  if (status != SW_OK && !own) return status;
  status = copy_pieces(&v, pieces, count, into);
  if (own) return status;
  int given = give_back(h, &v);
  return status == SW_OK ? given : status;
}

/* ---- making and freeing ---- */

uint32_t sw_record_new(sw_heap *h, uint32_t type, const sw_record_plan *plan) {
  sw_record_plan own; /* read once: the plan may lie in the region, too */
  uint32_t *to = (uint32_t *)(void *)&own;
  const uint32_t *from = (const uint32_t *)(const void *)plan;
  for (uint32_t i = 0; i < sizeof(own) / 4; i++) to[i] = sw_peer_load_relaxed(&from[i]);
  if (own.bytes == 0 || own.bytes % 8 != 0 || own.bytes > MOST_BYTES || own.room > MOST_ROOM ||
      data_bytes(own.bytes, own.room) > UINT32_MAX) {
    h->status = SW_ERANGE;
    return 0;
  }
  uint32_t bytes = (uint32_t)data_bytes(own.bytes, own.room);
  uint32_t data = sw_heap_alloc_aligned(h, bytes, SW_LINE);
  if (data == 0) return 0;
  __builtin_memset(h->base + data, 0, bytes); /* no other participant knows of it */
  uint32_t at = sw_object_new(h, type), generation;
  if (at == 0) {
    int status = h->status;
    sw_heap_free(h, data);
    h->status = status;
    return 0;
  }
  sw_record *record = (sw_record *)(void *)(h->base + at);
  uint32_t *words = (uint32_t *)(void *)&record->plan;
  for (uint32_t i = 0; i < sizeof(own) / 4; i++) sw_store_relaxed(&words[i], to[i]);
  sw_store_relaxed(&record->data, data);
  sw_object_type(h, at, &generation);
  sw_store_relaxed(&record->alive, SW_RECORD_ALIVE ^ generation);
  return at;
}

int sw_record_open(const sw_heap *h, uint32_t at, uint32_t type, uint32_t generation, const sw_record_plan *plan) {
  int status = sw_object_check(h, at, type, generation);
  if (status != SW_OK) return status;
  const sw_record *record = (const sw_record *)(const void *)(h->base + at);
  const uint32_t *there = (const uint32_t *)(const void *)&record->plan;
  const uint32_t *wanted = (const uint32_t *)(const void *)plan;
  for (uint32_t i = 0; i < sizeof(*plan) / 4; i++) {
    if (sw_peer_load_relaxed(&there[i]) != wanted[i]) return SW_EKIND;
  }
  view v;
  return look(h, at, &v);
}

int sw_record_free(sw_heap *h, uint32_t at, uint32_t type, uint32_t generation) {
  view v;
  int status = try_lock(h, at, type, generation, &v);
  /* what is poisoned, or leads nowhere, can be freed all the same */
  bool broken = status == SW_EPOISONED || status == SW_ECORRUPT;
  if (status != SW_OK && !broken) return status;
  int begun = sw_object_begin_free(h, at, type, generation);
  if (begun == SW_OK && look(h, at, &v) == SW_OK) {
    sw_store_relaxed(&v.record->alive, 0);
    sw_store_relaxed(&v.record->data, 0);
    free_texts(h, &v);
    sw_heap_free(h, (uint32_t)(v.fields - h->base)); /* or it was no block: then it leaks */
  }
  if (!broken) give_back(h, &v);
  if (begun == SW_OK) sw_object_end_free(h, at);
  return begun;
}

int sw_record_check(const sw_heap *h, uint32_t at) {
  view v;
  int status = look(h, at, &v);
  if (status != SW_OK) return SW_ECORRUPT;
  uint32_t count = entries(&v), version = sw_peer_load_relaxed(&v.record->version);
  if (count > v.room || (count != 0 && (version & 1) == 0)) return SW_ECORRUPT;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t offset = sw_peer_load_relaxed(&v.log[i].at), width = sw_peer_load_relaxed(&v.log[i].width);
    if (!has_field(&v, offset, width == (8 | SW_UNDO_TEXT) ? 8 : width)) return SW_ECORRUPT;
  }
  return sw_mutex_check(lock_of(&v));
}
