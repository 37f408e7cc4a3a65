/* Walks over all entries, while others change the map: each bucket of the table that is the root's
 * when the walk begins, and in its place, where that has grown, its children, theirs, and so on, by
 * the lower bits of their numbers. An entry's hash says for good which of those buckets it is in.
 * See map.h. */
#include "core/map/map.h"

/* ---- from bucket to bucket ---- */

typedef struct walk {
  uint32_t base;  /* log2 of the table that the walk began with */
  uint32_t index; /* of the bucket, in a table of at least that size */
  uint32_t log2;  /* of the table that has its entries now */
} walk;

/* Sees the entries of the walk's bucket. Errors: SW_EFREED, SW_ECORRUPT, and of a change others. */
static int see(sw_map_handle *m, walk *w, bool change, swi_spot *spot) {
  int status = swi_table_find(m, w->index, change, spot);
  if (status != SW_OK) return status;
  bool is_parent = swi_word_frozen(spot->word) && swi_word_version(spot->word) != 0;
  w->log2 = spot->table.log2 + (is_parent ? 1 : 0);
  return w->log2 < w->base ? SW_ECORRUPT : SW_OK;
}

/* Does the pair belong to the bucket that the walk is at? Of a frozen one it may be its sibling's.
 * */
static bool is_here(const walk *w, uint64_t pair) {
  return (((uint32_t)(pair >> 32) ^ w->index) & ((1u << w->log2) - 1)) == 0;
}

/* Goes on to the next bucket. False: that was the last. */
static bool step(walk *w) {
  uint32_t log2 = w->log2;
  while (log2 > w->base && (w->index >> (log2 - 1) & 1) != 0) w->index &= ~(1u << --log2);
  if (log2 > w->base) w->index |= 1u << (log2 - 1);
  else if (++w->index >= 1u << w->base) return false;
  return true;
}

static int begin(sw_map_handle *m, walk *w) {
  int status = swi_table_refresh(m);
  *w = (walk){m->log2, 0, m->log2};
  return status;
}

/* ---- entries ---- */

/* Copies an entry, if it is one: how many bytes; 0: it has expired; or SW_ECORRUPT. Of one that has
 * more than `room` bytes nothing is copied. */
static int64_t copy_entry(const sw_map_handle *m, uint32_t at, uint8_t *out, uint64_t room) {
  if (at % SW_HEAP_UNIT != 0 || !swi_map_inside(m, at, sizeof(sw_map_entry))) return SW_ECORRUPT;
  const uint64_t *entry = swi_map_look(m, at);
  swi_found found = {.at = at, .shape = swi_map_part(entry)};
  uint64_t lengths = swi_map_part(entry + 1), bytes = swi_entry_bytes(found.shape, lengths);
  if (!swi_map_inside(m, at, bytes)) return SW_ECORRUPT;
  if (swi_entry_expired(m, &found)) return 0;
  if (bytes > room) return (int64_t)bytes;
  __builtin_memcpy(out, &found.shape, 8);
  __builtin_memcpy(out + 8, &lengths, 8);
  for (uint64_t done = 16; done < bytes; done += 8) {
    uint64_t word = swi_map_part(entry + done / 8);
    __builtin_memcpy(out + done, &word, 8);
  }
  return (int64_t)bytes;
}

/* All entries of a bucket: how many bytes, of which what fits is copied; or an error. */
static int64_t copy_bucket(sw_map_handle *m, walk *w, uint8_t *out, uint64_t room) {
  for (int tries = 0; tries < SWI_MAP_TRIES; tries++) {
    swi_spot spot;
    swi_content content;
    int64_t bytes = 0;
    int status = see(m, w, false, &spot);
    if (status != SW_OK) return status;
    status = swi_content_of(m, spot.word, &content);
    for (uint32_t i = 0; status == SW_OK && i < content.count; i++) {
      uint64_t pair = swi_content_pair(m, &content, i);
      if (!is_here(w, pair)) continue;
      uint64_t left = (uint64_t)bytes < room ? room - (uint64_t)bytes : 0;
      int64_t more = copy_entry(m, (uint32_t)pair, out + bytes, left);
      if (more < 0) status = (int)more;
      else bytes += more;
    }
    if (swi_spot_holds(&spot)) return status == SW_OK ? bytes : status;
  }
  return SW_EBUSY;
}

int sw_map_next(sw_map_handle *m, sw_map_cursor *cursor, void *out, uint32_t room) {
  walk w = {cursor->base, cursor->index, cursor->log2};
  uint64_t done = 0;
  if (cursor->over > 1) return 0;
  if (cursor->over == 0) { /* the beginning */
    int status = begin(m, &w);
    if (status != SW_OK) return status;
  }
  if (w.base > m->log2) return SW_EINVAL;
  for (bool more = true; more;) {
    int64_t bytes = copy_bucket(m, &w, (uint8_t *)out + done, room - done);
    if (bytes < 0) return (int)bytes;
    if ((uint64_t)bytes > room - done && done == 0) {
      m->length = bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
      return SW_ERANGE;
    }
    if ((uint64_t)bytes > room - done) break;
    done += (uint64_t)bytes;
    more = step(&w);
    cursor->over = more ? 1 : 2;
    cursor->base = w.base;
    cursor->index = w.index;
    cursor->log2 = w.log2;
  }
  return (int)done;
}

/* ---- all of them ---- */

/* Takes everything out of a bucket at once. */
static int clear_bucket(sw_map_handle *m, walk *w) {
  for (int tries = 0; tries < SWI_MAP_TRIES; tries++) {
    swi_spot spot;
    swi_content content;
    int status = see(m, w, true, &spot);
    if (status != SW_OK) return status;
    uint64_t word = spot.word;
    status = swi_content_of(m, word, &content);
    if (status != SW_OK && swi_spot_holds(&spot)) return status;
    if (status == SW_OK && content.count == 0) return SW_OK;
    if (status != SW_OK || !swi_map_empty(&spot)) continue;
    for (uint32_t i = 0; i < content.count; i++) sw_heap_free(m->heap, (uint32_t)swi_content_pair(m, &content, i));
    if (content.block != 0) sw_heap_free(m->heap, content.block);
    swi_map_count(m, -(int32_t)content.count);
    return SW_OK;
  }
  return SW_EBUSY;
}

int sw_map_clear(sw_map_handle *m) {
  walk w;
  int status = begin(m, &w);
  while (status == SW_OK) {
    status = clear_bucket(m, &w);
    if (status == SW_OK && !step(&w)) break;
  }
  return status;
}

int sw_map_prune(sw_map_handle *m) {
  walk w;
  int dropped = 0, status = begin(m, &w);
  while (status == SW_OK) {
    swi_spot spot;
    dropped += swi_map_drop_expired(m, w.index);
    status = see(m, &w, false, &spot);
    if (status == SW_OK && !step(&w)) break;
  }
  return status == SW_OK ? dropped : status;
}

/* ---- checks ---- */

/* Is the entry one, with the hash of its key? */
static bool is_right(const sw_map_handle *m, uint64_t pair) {
  uint32_t at = (uint32_t)pair;
  if (at % SW_HEAP_UNIT != 0 || !swi_map_inside(m, at, sizeof(sw_map_entry))) return false;
  const uint64_t *entry = swi_map_look(m, at);
  uint64_t shape = swi_map_part(entry), lengths = swi_map_part(entry + 1);
  if (!swi_map_inside(m, at, swi_entry_bytes(shape, lengths)) || swi_entry_hash(shape) != pair >> 32) return false;
  swi_key key;
  const uint64_t *bytes = entry + 2 + swi_entry_time(shape) / 8;
  if (swi_key_of(m, shape & 15, bytes, (uint32_t)lengths, &key) != SW_OK) return false;
  return key.hash == swi_entry_hash(shape);
}

int sw_map_check(sw_map_handle *m) {
  walk w;
  uint32_t entries = 0;
  int status = begin(m, &w);
  while (status == SW_OK) {
    swi_spot spot;
    swi_content content;
    status = see(m, &w, false, &spot);
    if (status == SW_OK) status = swi_content_of(m, spot.word, &content);
    for (uint32_t i = 0; status == SW_OK && i < content.count; i++) {
      uint64_t pair = swi_content_pair(m, &content, i);
      uint32_t log2 = spot.table.log2, print = (uint32_t)(pair >> 32) >> log2 & 255;
      bool belongs = (((uint32_t)(pair >> 32) ^ w.index) & ((1u << log2) - 1)) == 0;
      if (!belongs || !is_right(m, pair)) status = SW_ECORRUPT;
      if (content.pairs == NULL && print != swi_word_print(spot.word)) status = SW_ECORRUPT;
      entries += is_here(&w, pair);
    }
    if (status == SW_OK && !step(&w)) break;
  }
  if (status != SW_OK) return status;
  int32_t more = (int32_t)(entries - sw_map_size(m));
  if (more != 0) swi_map_count(m, more);
  return SW_OK;
}

/* ---- blocks ---- */

int sw_map_blocks(sw_heap *h, uint32_t at, sw_map_block_cursor *cursor, uint32_t *out, uint32_t room) {
  sw_map_handle m;
  swi_table table, next;
  uint32_t count = 0, most = SW_MAP_BUCKET_MOST + 1;
  if (room < most + 2) return SW_ERANGE;
  if (cursor->over > 1) return 0;
  int status = sw_map_open(&m, h, at, 0);
  if (status != SW_OK) return status;
  if (cursor->over == 0) {
    table = swi_table_first(&m);
    *cursor = (sw_map_block_cursor){swi_table_next(&m, &table, &next) == 1 ? next.at : table.at, 0, 1};
    out[count++] = m.slots;
  }
  for (;;) {
    if (swi_table_open(&m, cursor->table, &table) != SW_OK) break;
    if (cursor->index == 0) out[count++] = table.at;
    for (; cursor->index < 1u << table.log2; cursor->index++) {
      swi_content content;
      if (room - count < most) return (int)count;
      uint64_t word = sw_peer_load64_relaxed(&table.bucket[cursor->index]);
      if (swi_word_version(word) == 0 || swi_content_of(&m, word, &content) != SW_OK) continue;
      if (content.block != 0) out[count++] = content.block;
      for (uint32_t i = 0; i < content.count; i++) out[count++] = (uint32_t)swi_content_pair(&m, &content, i);
    }
    cursor->index = 0;
    cursor->table = sw_peer_load_relaxed(&swi_table_header(table.bucket)->previous);
    if (cursor->table == 0 || swi_table_open(&m, cursor->table, &next) != SW_OK || next.log2 >= table.log2) break;
  }
  cursor->over = 2;
  return (int)count;
}
