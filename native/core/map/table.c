/* Tables of buckets: the way to a bucket, and growth. See map.h. */
#include "core/map/map.h"

static const sw_map_table *table_at(const sw_map_handle *m, uint32_t at) {
  return (const sw_map_table *)(const void *)(m->base + at);
}

/* The word of a bucket, before everything that it leads to, and before a look at the map's life. */
static uint64_t load(const uint64_t *bucket) { return sw_peer_load64_acquire(bucket); /* [K2] */ }

static bool exchange(uint64_t *word, uint64_t *expected, uint64_t value) {
  return sw_compare_exchange64_acq_rel(word, expected, value); /* [K1] */
}

static bool is_alive(const sw_map_handle *m) { return sw_peer_load64_acquire(&m->map->object.life) == m->life; }

int swi_table_open(const sw_map_handle *m, uint32_t at, swi_table *table) {
  if (at % SW_HEAP_UNIT != 0 || !swi_map_inside(m, at, sizeof(sw_map_table))) return SW_ECORRUPT;
  uint32_t log2 = sw_peer_load_relaxed(&table_at(m, at)->log2);
  if (log2 > SW_MAP_LOG2_MOST) return SW_ECORRUPT;
  if (!swi_map_inside(m, at, sizeof(sw_map_table) + ((uint64_t)8 << log2))) return SW_ECORRUPT;
  *table = (swi_table){at, log2, swi_map_word(m, at + (uint32_t)sizeof(sw_map_table))};
  return SW_OK;
}

int swi_table_next(const sw_map_handle *m, const swi_table *table, swi_table *next) {
  uint64_t word = sw_peer_load64_acquire(&swi_table_header(table->bucket)->next); /* [K5] */
  uint32_t at = (uint32_t)word;
  if (word >> 32 != table->at || at == 1) return is_alive(m) && at != 1 ? SW_ECORRUPT : SW_EFREED;
  if (at == 0) return 0;
  int status = swi_table_open(m, at, next);
  if (status != SW_OK) return is_alive(m) ? status : SW_EFREED;
  return next->log2 == table->log2 + 1 ? 1 : SW_ECORRUPT;
}

int swi_table_refresh(sw_map_handle *m) {
  swi_table table;
  uint64_t root = sw_peer_load64_acquire(&m->map->object.root); /* [K5] */
  if (!is_alive(m)) return SW_EFREED;
  int status = swi_table_open(m, (uint32_t)root, &table);
  if (status != SW_OK) return status;
  m->table = table.at;
  m->log2 = table.log2;
  m->mask = (1u << table.log2) - 1;
  m->bucket = table.bucket;
  uint32_t marks = (m->flags & SW_MAP_LRU) != 0 ? sw_peer_load_relaxed(&table_at(m, table.at)->marks) : 0;
  m->marks = marks % 8 == 0 && swi_map_inside(m, marks, ((uint64_t)m->mask / 16 + 1) * 8) ? marks : 0;
  return SW_OK;
}

/* ---- the way to a bucket ---- */

int swi_table_find(sw_map_handle *m, uint32_t hash, bool change, swi_spot *spot) {
  swi_table table = swi_table_first(m), next;
  for (uint32_t level = 0; level < SWI_MAP_LEVELS; level++) {
    uint32_t index = hash & ((1u << table.log2) - 1);
    uint64_t *bucket = &table.bucket[index];
    uint64_t word = load(bucket);
    if (!is_alive(m)) return SW_EFREED;
    *spot = (swi_spot){table, bucket, word, bucket, word};
    /* unborn without a parent that has its entries: there are none */
    if (!swi_word_frozen(word) || word == swi_word_unborn(table.at)) return SW_OK;
    if (word == swi_word_dead(table.at)) return SW_EFREED;
    int status = swi_table_next(m, &table, &next);
    if (status != 1) return status == 0 ? SW_ECORRUPT : status;
    if (swi_word_version(word) != 0) {
      uint64_t *child = &next.bucket[hash & ((1u << next.log2) - 1)];
      uint64_t unborn = swi_word_unborn(next.at);
      if (load(child) == unborn && !change) {
        spot->look = child;
        spot->seen = unborn;
        return SW_OK;
      }
      if (change) status = swi_table_move(m, &table, index, &next);
      if (status < 0) return status;
    } else if (word != swi_word_forwarded(table.at)) {
      return SW_ECORRUPT;
    }
    if (level == 0 && table.at == m->table && swi_word_version(word) == 0) swi_table_refresh(m);
    table = next;
  }
  return SW_ECORRUPT;
}

/* ---- moving ---- */

/* What the child on that side is born with, of the frozen word of its parent. 1; an error of the
 * heap; 0: the entries are not there any more, and the child is born. */
static int inherit(sw_map_handle *m, const swi_table *table, uint64_t word, uint32_t side, swi_made *made) {
  swi_content content;
  *made = (swi_made){0, 0, 0, 0};
  if (swi_content_of(m, word, &content) != SW_OK) return 0;
  if (content.pairs == NULL) {
    uint32_t hash = (uint32_t)(swi_content_pair(m, &content, 0) >> 32);
    made->content = swi_word_of(hash >> (table->log2 + 1), 1, content.single);
    return 1;
  }
  return swi_content_split(m, &content, table->log2, side, made);
}

/* Freezes the bucket, whose word is then in *word; an empty one becomes forwarded at once: 1. */
static int freeze(const swi_table *table, uint64_t *bucket, uint64_t *word) {
  for (int tries = 0; tries < SWI_MAP_TRIES; tries++) {
    bool unborn = *word == swi_word_unborn(table->at);
    if (swi_word_frozen(*word) && !unborn) return 0;
    uint64_t next = unborn || swi_word_count(*word) == 0 ? swi_word_forwarded(table->at) : *word | SWI_MAP_FROZEN;
    if (!exchange(bucket, word, next)) continue;
    *word = next;
    return next == swi_word_forwarded(table->at);
  }
  return SW_EBUSY;
}

/* Does the word itself say that the child on that side gets nothing? */
static bool gives_none(uint64_t word, uint32_t side) {
  uint32_t count = swi_word_count(word);
  return count == 0 || (count == 1 && (swi_word_print(word) & 1) != side);
}

int swi_table_move(sw_map_handle *m, const swi_table *table, uint32_t index, const swi_table *next) {
  uint64_t *bucket = &table->bucket[index];
  uint64_t word = load(bucket);
  int ended = freeze(table, bucket, &word);
  if (ended != 0) return ended == 1 ? SW_OK : ended;
  if (word == swi_word_forwarded(table->at)) return SW_OK;
  if (swi_word_version(word) == 0) return is_alive(m) ? SW_ECORRUPT : SW_EFREED;
  for (uint32_t side = 0; side < 2; side++) {
    if (gives_none(word, side)) continue;
    uint64_t *child = &next->bucket[index | side << table->log2];
    uint64_t unborn = swi_word_unborn(next->at);
    if (load(child) != unborn) continue;
    swi_made made;
    int status = inherit(m, table, word, side, &made);
    if (status < 0) return status;
    if (status == 1 && exchange(child, &unborn, swi_word_next(0, made.content))) {
      if ((m->flags & SW_MAP_LRU) != 0)
        swi_map_mark_child(m, &(swi_spot){*table, bucket, 0, NULL, 0}, &(swi_spot){*next, child, 0, NULL, 0});
      continue;
    }
    if (made.block != 0) swi_map_give(m, made.block, made.bytes);
    if (load(child) == swi_word_unborn(next->at)) return is_alive(m) ? SW_ECORRUPT : SW_EFREED;
  }
  uint64_t frozen = word;
  if (!exchange(bucket, &frozen, swi_word_forwarded(table->at))) return SW_OK;
  swi_content content;
  if (swi_word_count(word) > 1 && swi_content_of(m, word, &content) == SW_OK)
    swi_map_give(m, content.block, content.bytes);
  return SW_OK;
}

/* All are moved: the root is the next table. */
static void finish(sw_map_handle *m, const swi_table *table, const swi_table *next) {
  uint64_t root = sw_peer_load64_relaxed(&m->map->object.root);
  if ((uint32_t)root == table->at && is_alive(m)) /* [K5] */
    sw_compare_exchange64_acq_rel(&m->map->object.root, &root, ((root >> 32) + 1) << 32 | next->at);
  swi_table_refresh(m);
}

/* The entries that the buckets lead to will be read between locked instructions, each of which
 * waits for the read before it: so the processor is to fetch them at once. Of no effect
 * otherwise. */
static void fetch(const sw_map_handle *m, const swi_table *table, uint32_t index, uint32_t end) {
#ifndef SW_FLAVOUR_MODEL
  for (; index < end; index++) {
    uint64_t word = sw_peer_load64_relaxed(&table->bucket[index]);
    uint32_t at = swi_word_offset(word);
    if (swi_word_count(word) == 1 && swi_map_inside(m, at, 8)) (void)sw_peer_load64_relaxed(swi_map_look(m, at));
  }
#else
  (void)m, (void)table, (void)index, (void)end;
#endif
}

void swi_table_move_some(sw_map_handle *m) {
  swi_table table = swi_table_first(m), next;
  if (swi_table_next(m, &table, &next) != 1) return;
  uint64_t *moved = &swi_table_header(table.bucket)->moved;
  uint64_t word = sw_peer_load64_relaxed(moved);
  uint32_t index = (uint32_t)word, buckets = m->mask + 1;
  if (word >> 32 != table.at) return;
  uint32_t end = index < buckets && buckets - index > SWI_MAP_CHUNK ? index + SWI_MAP_CHUNK : buckets;
  fetch(m, &table, index, end);
  for (; index < end; index++) {
    if (swi_table_move(m, &table, index, &next) != SW_OK) return;
  }
  /* release: when the last bucket is counted, all are forwarded */
  /* [K5] */
  if (end != (uint32_t)word) sw_compare_exchange64_acq_rel(moved, &word, swi_word_owned(table.at, end));
  if (end == buckets) finish(m, &table, &next);
}

/* ---- growth ---- */

uint32_t swi_table_new(sw_map_handle *m, uint32_t log2, uint32_t previous, bool born) {
  uint32_t buckets = 1u << log2, bytes = (uint32_t)sizeof(sw_map_table) + buckets * 8;
  uint32_t marks = (m->flags & SW_MAP_LRU) != 0 ? (buckets + 15) / 16 : 0;
  uint32_t at = sw_heap_alloc(m->heap, bytes + marks * 8);
  if (at == 0) return 0;
  sw_map_table *table = (sw_map_table *)(void *)(m->base + at);
  sw_fence_fill();
  swi_map_fill(&table->next, swi_word_owned(at, 0));
  swi_map_fill(&table->moved, swi_word_owned(at, 0));
  sw_store_relaxed(&table->log2, log2);
  sw_store_relaxed(&table->previous, previous);
  sw_store_relaxed(&table->marks, marks == 0 ? 0 : at + bytes);
  uint64_t *words = swi_map_word(m, at + (uint32_t)sizeof(sw_map_table));
  uint64_t word = born ? swi_word_next(0, 0) : swi_word_unborn(at);
  for (uint32_t i = 0; i < buckets; i++) swi_map_fill(&words[i], word);
  for (uint32_t i = 0; i < marks; i++) swi_map_fill(&words[buckets + i], swi_word_owned(at, 0));
  return at;
}

void swi_table_grow(sw_map_handle *m) {
  swi_table table = swi_table_first(m), next;
  if (table.log2 == SW_MAP_LOG2_MOST || swi_table_next(m, &table, &next) != 0) return;
  uint32_t at = swi_table_new(m, table.log2 + 1, table.at, false);
  if (at == 0) return; /* buckets may have more entries */
  uint64_t none = swi_word_owned(table.at, 0), *word = &swi_table_header(table.bucket)->next;
  /* [K5] */
  bool first = is_alive(m) && sw_compare_exchange64_acq_rel(word, &none, swi_word_owned(table.at, at));
  if (!first) sw_heap_free(m->heap, at);
}

/* Growth begins at three entries for four buckets. */
void swi_table_consider(sw_map_handle *m, uint32_t crowd) {
  bool crowded = crowd >= SW_MAP_CROWD;
  if (--m->until != 0 && !crowded) return;
  swi_table_refresh(m);
  uint32_t size = sw_map_size(m), buckets = m->mask + 1, most = buckets / 4 * 3 + (buckets < 4);
  if (size >= most || (crowded && size >= most / 2)) swi_table_grow(m);
  /* others add entries, too */
  m->until = size < most ? (most - size) / 8 + 1 : buckets / 8 + 1;
}
