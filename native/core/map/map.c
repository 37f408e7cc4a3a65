/* The map's calls: new, open, free, and the number of entries. See map.h. */
#include "core/map/map.h"

#include "sabway/object.h"

static uint64_t end_of(const sw_heap *h) { return h->begin + (uint64_t)h->count * SW_HEAP_PAGE; }

static sw_map *map_at(const sw_heap *h, uint32_t at) { return (sw_map *)(void *)(h->base + at); }

/* ---- handles ---- */

/* What a handle has of its heap. */
static void attach(sw_map_handle *m, sw_heap *h, uint32_t at) {
  *m = (sw_map_handle){.tag = SW_MAP_TAG, .heap = h, .base = h->base, .map = map_at(h, at), .at = at, .until = 1};
  m->begin = h->begin;
  m->end = (uint32_t)end_of(h);
  m->ordered = h->ordered;
}

static uint32_t slot_of(uint32_t endpoint) { return endpoint % 8 * 8 + endpoint / 8; }

/* What it has of the control block. */
static int read_block(sw_map_handle *m) {
  m->flags = sw_peer_load_relaxed(&m->map->flags);
  m->most = sw_peer_load_relaxed(&m->map->most);
  m->seed = sw_peer_load64_relaxed(&m->map->seed);
  m->slots = sw_peer_load_relaxed(&m->map->slots);
  if (m->slots % SW_HEAP_UNIT != 0 || !swi_map_inside(m, m->slots, sizeof(sw_map_slots))) return SW_ECORRUPT;
  m->count = &((sw_map_slots *)(void *)(m->base + m->slots))->count[slot_of(m->heap->endpoint)];
  return SW_OK;
}

int sw_map_open(sw_map_handle *m, sw_heap *h, uint32_t at, uint32_t generation) {
  uint32_t type = 0;
  if (generation == 0) {
    type = sw_object_type(h, at, &generation);
    if (type != 0 && type != SW_TYPE_MAP) return SW_EKIND;
  }
  int status = sw_object_check(h, at, SW_TYPE_MAP, generation);
  if (status != SW_OK) return status;
  attach(m, h, at);
  m->life = (uint64_t)generation << 32 | SW_TYPE_MAP;
  status = read_block(m);
  return status == SW_OK ? swi_table_refresh(m) : status;
}

/* ---- the number of entries ---- */

void swi_map_count(sw_map_handle *m, int32_t more) {
  uint64_t old = sw_peer_load64_relaxed(m->count);
  if (old >> 32 != m->slots) return; /* the map was freed meanwhile */
  sw_compare_exchange64_acq_rel(m->count, &old, swi_word_owned(m->slots, (uint32_t)old + (uint32_t)more));
}

uint32_t sw_map_size(const sw_map_handle *m) {
  const sw_map_slots *slots = (const sw_map_slots *)(const void *)(m->base + m->slots);
  uint32_t size = 0;
  for (uint32_t i = 0; i < SW_ENDPOINTS; i++) size += (uint32_t)sw_peer_load64_relaxed(&slots->count[i]);
  return (int32_t)size < 0 ? 0 : size;
}

/* ---- new ---- */

/* Buckets for so many entries. */
static uint32_t log2_for(uint32_t capacity) {
  uint32_t log2 = 4;
  while (log2 < SW_MAP_LOG2_MOST && ((uint64_t)3 << log2) / 4 < capacity) log2++;
  return log2;
}

static uint32_t new_slots(sw_heap *h) {
  uint32_t at = sw_heap_alloc_aligned(h, sizeof(sw_map_slots), 64);
  if (at == 0) return 0;
  uint64_t *words = (uint64_t *)(void *)(h->base + at);
  sw_fence_fill();
  for (uint32_t i = 0; i < sizeof(sw_map_slots) / 8; i++) swi_map_fill(&words[i], swi_word_owned(at, 0));
  return at;
}

uint32_t sw_map_new(sw_heap *h, const sw_map_options *options) {
  uint32_t log2 = log2_for(options->capacity);
  h->status = SW_EINVAL;
  if ((options->flags & ~(uint32_t)(SW_MAP_NUMERIC | SW_MAP_LRU | SW_MAP_TTL)) != 0) return 0;
  if ((options->flags & SW_MAP_LRU) != 0 && options->most == 0) return 0;
  uint32_t at = sw_object_new(h, SW_TYPE_MAP);
  if (at == 0) return 0;
  sw_map_handle m;
  uint32_t generation;
  sw_object_type(h, at, &generation);
  attach(&m, h, at);
  m.flags = options->flags;
  uint32_t slots = new_slots(h), table = slots == 0 ? 0 : swi_table_new(&m, log2, 0, true);
  if (table == 0) {
    int status = h->status;
    if (slots != 0) sw_heap_free(h, slots);
    sw_object_begin_free(h, at, SW_TYPE_MAP, generation);
    sw_object_end_free(h, at);
    h->status = status;
    return 0;
  }
  uint64_t ttl;
  __builtin_memcpy(&ttl, &options->ttl, 8);
  sw_store_relaxed(&m.map->slots, slots);
  sw_store_relaxed(&m.map->flags, options->flags);
  sw_store_relaxed(&m.map->most, options->most);
  sw_store_relaxed(&m.map->codec, options->codec);
  sw_store64_relaxed(&m.map->seed, options->seed);
  sw_store64_relaxed((uint64_t *)(void *)&m.map->ttl, ttl);
  uint64_t root = sw_peer_load64_relaxed(&m.map->object.root);
  sw_store64_release(&m.map->object.root, (root >> 32) << 32 | table);
  return at;
}

/* ---- free ---- */

static void free_entry(sw_map_handle *m, uint64_t pair) { sw_heap_free(m->heap, (uint32_t)pair); }

static void free_content(sw_map_handle *m, uint64_t word) {
  swi_content content;
  if (swi_content_of(m, word, &content) != SW_OK) return;
  for (uint32_t i = 0; i < content.count; i++) {
    /* a single entry is not looked at: its line is far away */
    free_entry(m, content.pairs == NULL ? content.single : swi_content_pair(m, &content, i));
  }
  if (content.block != 0) sw_heap_free(m->heap, content.block);
}

/* A frozen bucket: entries of a child that is not born are its own. */
static void free_frozen(sw_map_handle *m, uint64_t word, const swi_table *table, uint32_t index,
                        const swi_table *next) {
  swi_content content;
  if (swi_content_of(m, word, &content) != SW_OK) return;
  for (uint32_t side = 0; side < 2; side++) {
    uint64_t unborn = swi_word_unborn(next->at), *child = &next->bucket[index | side << table->log2];
    /* [K1] */
    if (!sw_compare_exchange64_acq_rel(child, &unborn, swi_word_dead(next->at))) continue;
    for (uint32_t i = 0; i < content.count; i++) {
      uint64_t pair = content.pairs != NULL ? swi_content_pair(m, &content, i) : content.single;
      uint32_t of = content.pairs != NULL ? (uint32_t)(pair >> 32) >> table->log2 & 1 : swi_word_print(word) & 1;
      if (of == side) free_entry(m, pair);
    }
  }
  if (content.block != 0) sw_heap_free(m->heap, content.block);
}

/* The table that this one grows to, or zero, and then there will be none. */
static bool next_of(sw_map_handle *m, const swi_table *table, swi_table *next) {
  uint64_t none = swi_word_owned(table->at, 0), *word = &swi_table_header(table->bucket)->next;
  /* [K5] */
  if (sw_compare_exchange64_acq_rel(word, &none, swi_word_owned(table->at, 1))) return false;
  return swi_table_open(m, (uint32_t)none, next) == SW_OK && next->log2 == table->log2 + 1;
}

/* Takes all entries out of a table, so that no exchange that comes late finds what it expects. */
static void empty(sw_map_handle *m, const swi_table *table, const swi_table *next) {
  for (uint32_t i = 0; i < 1u << table->log2; i++) {
    uint64_t word = sw_exchange64_acq_rel(&table->bucket[i], swi_word_dead(table->at)); /* [K1] */
    if (swi_word_version(word) == 0) continue;
    if (swi_word_frozen(word) && next != NULL) free_frozen(m, word, table, i, next);
    else free_content(m, word);
  }
}

int sw_map_free(sw_heap *h, uint32_t at, uint32_t generation) {
  if (generation == 0) sw_object_type(h, at, &generation);
  int status = sw_object_begin_free(h, at, SW_TYPE_MAP, generation);
  if (status != SW_OK) return status;
  sw_map_handle m;
  swi_table table, next;
  attach(&m, h, at);
  uint32_t newest = (uint32_t)sw_peer_load64_acquire(&m.map->object.root); /* [K5] */
  status = read_block(&m);
  if (status == SW_OK) status = swi_table_open(&m, newest, &table);
  for (int level = 0; status == SW_OK && level < SWI_MAP_LEVELS; level++) {
    newest = table.at;
    bool grows = next_of(&m, &table, &next);
    empty(&m, &table, grows ? &next : NULL);
    if (!grows) break;
    table = next;
  }
  for (int level = 0; status == SW_OK && newest != 0 && level < SWI_MAP_LEVELS; level++) {
    if (swi_table_open(&m, newest, &table) != SW_OK) break;
    newest = sw_peer_load_relaxed(&swi_table_header(table.bucket)->previous);
    sw_heap_free(h, table.at);
  }
  sw_heap_free(h, m.slots);
  sw_object_end_free(h, at);
  return SW_OK;
}
