/* The heap and what stands in it among liars: names, mutexes, strings, vectors, lists, maps and
 * records. The words that a call reads, and between calls those of the heap, of control blocks and
 * of anything in the pages, are whatever the script makes of them. Each call ends, reads and writes
 * nothing outside of the region, and what it hands out lies in the heap's pages. */
#include "hostile.h"
#include "sabway/directory.h"
#include "sabway/heap_channel.h"
#include "sabway/list.h"
#include "sabway/map.h"
#include "sabway/mutex.h"
#include "sabway/mutex_object.h"
#include "sabway/object.h"
#include "sabway/record.h"
#include "sabway/registry.h"
#include "sabway/string.h"
#include "sabway/vector.h"

enum {
  HEAP_BYTES = 2 * SW_PAGE,
  HANDLES = 2,

  ROOM = 512,
  /* Walks are bounded by the blocks that there can be, and are made again a few dozen times. */
  LOADS = 20000000
};

enum kind { STRING, VECTOR, LIST, MAP, RECORD, MUTEX, KINDS };

typedef struct host {
  memory m;
  sw_heap heaps[HANDLES];
  sw_map_handle map;
  sw_list_cursor cursor;
  uint32_t at[KINDS], generation[KINDS], block;
  uint32_t node, number;
} host;

/* What calls take and give: they must keep to its size, which AddressSanitizer sees. */
static uint64_t buffer[ROOM / 8];

static memory heap_for_script(void) {
  static memory region;
  if (region.base == NULL) {
    void *at = NULL;
    region.size = SW_HEAP_AT + HEAP_BYTES;
    MUST(posix_memalign(&at, SW_PAGE, (size_t)region.size) == 0);
    region.base = at;
  }
  memset(region.base, 0, SW_INSTANCES_AT);
  memset(region.base + SW_HEAP_AT, 0, HEAP_BYTES);
  MUST(sw_heap_format(region.base, SW_HEAP_AT, region.size) == SW_OK);
  MUST(sw_region_format_empty(region.base, (uint32_t)(region.size / SW_PAGE), SW_HEAP_AT) == SW_OK);
  memory_in_use(region);
  return region;
}

/* A block that a call handed out, or zero. */
static void check_block(const sw_heap *h, uint32_t at, uint32_t bytes) {
  if (at == 0) MUST(h->status < 0);
  else
    MUST(at >= h->begin && at % SW_HEAP_UNIT == 0 &&
         at + (uint64_t)bytes <= h->begin + (uint64_t)h->count * SW_HEAP_PAGE);
}

static const sw_record_plan PLAN = {
    .shape = {1, 2}, .rows = 1, .bytes = 64, .room = 4, .texts = 2, .text_row = 64, .text_step = 8};

/* What there is before the peer begins. */
static void furnish(host *t) {
  sw_heap *h = &t->heaps[0];
  const sw_map_options options = {.flags = SW_MAP_LRU | SW_MAP_TTL, .most = 6, .seed = 1, .ttl = 5};
  t->at[STRING] = sw_string_new(h);
  t->at[VECTOR] = sw_vector_new(h, SW_COMPONENT_U32, 3, 1);
  t->at[LIST] = sw_list_new(h, SW_COMPONENT_F64, 1);
  t->at[MAP] = sw_map_new(h, &options);
  t->at[RECORD] = sw_record_new(h, SW_TYPE_RECORD, &PLAN);
  t->at[MUTEX] = sw_mutex_new(h);
  t->block = sw_heap_alloc(h, 100);
  for (int kind = 0; kind < MUTEX; kind++) sw_object_type(h, t->at[kind], &t->generation[kind]);
  MUST(sw_map_open(&t->map, h, t->at[MAP], 0) == SW_OK);
}

static void make(host *t, sw_heap *h, enum kind kind) {
  static const uint8_t TYPES[] = {SW_COMPONENT_U8, SW_COMPONENT_U16, SW_COMPONENT_U32, SW_COMPONENT_F64};
  uint32_t type = TYPES[script_byte() % 4], components = 1 + script_byte() % 3, at = 0;
  sw_map_options options = {.flags = script_byte() % 16, .most = 1 + script_byte() % 8, .seed = 1, .ttl = 5};
  if (kind == STRING) CALL(LOADS, at = sw_string_new(h));
  if (kind == VECTOR) CALL(LOADS, at = sw_vector_new(h, type, components, script_byte() % 8));
  if (kind == LIST) CALL(LOADS, at = sw_list_new(h, type, components));
  if (kind == MAP) CALL(LOADS, at = sw_map_new(h, &options));
  if (kind == RECORD) CALL(LOADS, at = sw_record_new(h, SW_TYPE_RECORD, &PLAN));
  if (kind == MUTEX) CALL(LOADS, at = sw_mutex_new(h));
  check_block(h, at, kind == MUTEX ? sizeof(sw_mutex_object) : SW_OBJECT_BYTES);
  if (at == 0) return;
  t->at[kind] = at;
  if (kind != MUTEX) sw_object_type(h, at, &t->generation[kind]); /* what a peer tells it by */
  if (kind != MAP) return;
  sw_map_handle map;
  int status;
  CALL(LOADS, status = sw_map_open(&map, h, at, t->generation[MAP]));
  if (status == SW_OK) t->map = map; /* the blocks that the other one keeps are lost */
}

/* ---- the heap ---- */

static void use_heap(host *t, sw_heap *h) {
  uint32_t bytes = script_byte() < 200 ? 1u + script_byte() : script_edge(SW_HEAP_SMALL), at = 0;
  sw_heap_stats stats;
  sw_heap_cursor cursor = {0, 0};
  sw_heap_block block;
  switch (script_byte() % 9) {
    case 0:
    case 1:
      CALL(LOADS, at = sw_heap_alloc(h, bytes));
      check_block(h, at, bytes);
      if (at != 0) t->block = at;
      break;
    case 2:
      CALL(LOADS, at = sw_heap_alloc_aligned(h, bytes, 1u << script_byte() % 16));
      check_block(h, at, bytes);
      break;
    case 3:
      CALL(LOADS, at = sw_heap_realloc(h, t->block, bytes));
      check_block(h, at, bytes);
      if (at != 0) t->block = at;
      break;
    case 4:
      CALL(LOADS, at = sw_heap_usable(h, script_edge(t->block)));
      break;
    case 5:
      CALL(LOADS, sw_heap_free(h, script_byte() < 128 ? t->block : script_edge(t->block)));
      break;
    case 6:
      CALL(LOADS, sw_heap_stats_of(h, &stats));
      CALL(LOADS, sw_heap_trim(h));
      break;
    case 7:
      CALL(LOADS, sw_heap_check(h));
      break;
    default:
      for (int i = 0, more = 1; i < 4 && more; i++) CALL(LOADS, more = sw_heap_walk(h, &cursor, &block));
  }
}

static void use_names(host *t, sw_heap *h) {
  uint8_t name[SW_NAME_MOST] = {script_byte() % 8};
  enum kind kind = script_byte() % KINDS;
  sw_found given = {kind == MUTEX ? SW_KIND_MUTEX : SW_KIND_OBJECT, t->at[kind], t->generation[kind]}, found;
  uint32_t length = 1 + script_byte() % 40, cursor = script_edge(0);
  switch (script_byte() % 6) {
    case 0:
    case 1:
      CALL(LOADS, sw_directory_add(h, name, length, &given, &found));
      break;
    case 2:
      CALL(LOADS, sw_directory_find(h, name, length, &found));
      break;
    case 3:
      CALL(LOADS, sw_directory_remove(h, name, length, 0));
      break;
    case 4:
      length = 0;
      CALL(LOADS, sw_directory_next(h, &cursor, &found, name, &length));
      MUST(length <= SW_NAME_MOST);
      break;
    default:
      CALL(LOADS, sw_directory_check(h));
  }
}

static void use_mutex(host *t, sw_heap *h) {
  sw_mutex *mutex = (sw_mutex *)(void *)(t->m.base + t->at[MUTEX]);
  if (t->at[MUTEX] == 0) return;
  switch (script_byte() % 4) {
    case 0:
      CALL(LOADS, sw_mutex_try_lock(t->m.base, mutex, h->endpoint));
      break;
    case 1:
      CALL(LOADS, sw_mutex_unlock(t->m.base, mutex, h->endpoint));
      break;
    case 2:
      CALL(LOADS, sw_mutex_free(h, script_byte() < 128 ? t->at[MUTEX] : script_edge(t->at[MUTEX])));
      break;
    default:
      CALL(LOADS, sw_region_evict_role(t->m.base, t->m.size, script_edge(h->role)));
  }
}

/* ---- containers ---- */

static void use_string(host *t, sw_heap *h) {
  uint32_t at = t->at[STRING], generation = t->generation[STRING], length = script_byte() * 2u, block = 0;
  int status;
  sw_string_content content;
  switch (script_byte() % 7) {
    case 0:
    case 1:
      CALL(LOADS, status = sw_string_get(h, at, generation, buffer, ROOM, &content));
      MUST(status != SW_OK || content.length <= ROOM);
      break;
    case 2:
      CALL(LOADS, sw_string_compare_set(h, at, generation, script_byte() % 4, buffer, length));
      break;
    case 3:
      CALL(LOADS, block = sw_string_alloc(h, length));
      check_block(h, block, length + 4);
      CALL(LOADS, sw_string_replace(h, at, generation, script_byte() < 192 ? block : script_edge(block)));
      break;
    case 4:
      CALL(LOADS, status = sw_string_begin_read(h, at, generation));
      if (status == SW_OK) CALL(LOADS, sw_string_end_read(h, at));
      break;
    case 5:
      CALL(LOADS, sw_string_check(h, at, generation));
      break;
    default:
      CALL(LOADS, sw_string_set(h, at, generation, buffer, length));
  }
}

static void use_vector(host *t, sw_heap *h) {
  uint32_t at = t->at[VECTOR], generation = t->generation[VECTOR], index = script_edge(0);
  int status;
  switch (script_byte() % 10) {
    case 0:
      CALL(LOADS, sw_vector_pop(h, at, generation, buffer));
      break;
    case 1:
      CALL(LOADS, sw_vector_get(h, at, generation, index, buffer));
      break;
    case 2:
      CALL(LOADS, sw_vector_set(h, at, generation, index, buffer));
      break;
    case 3:
      CALL(LOADS, sw_vector_delete(h, at, generation, index));
      break;
    case 4:
      CALL(LOADS, sw_vector_check(h, at, generation));
      break;
    case 5:
      CALL(LOADS, status = sw_vector_begin_push(h, at, generation, script_byte()));
      if (status == SW_OK) CALL(LOADS, sw_vector_end_push(h, at, script_byte()));
      break;
    case 6:
      CALL(LOADS, index = sw_vector_locate(h, at, generation, index));
      if (index != 0) MUST(index >= h->begin && index < h->begin + (uint64_t)h->count * SW_HEAP_PAGE);
      break;
    case 7:
      CALL(LOADS, sw_vector_clear(h, at, generation));
      break;
    default:
      CALL(LOADS, sw_vector_push(h, at, generation, buffer));
  }
}

static void use_list(host *t, sw_heap *h) {
  uint32_t at = t->at[LIST], generation = t->generation[LIST], room = script_byte() * 2u;
  int status;
  switch (script_byte() % 8) {
    case 0:
      CALL(LOADS, sw_list_delete(h, at, generation, t->node, t->number));
      break;
    case 1:
      CALL(LOADS, sw_list_delete_index(h, at, generation, script_byte() % 8, buffer));
      break;
    case 2:
      CALL(LOADS, sw_list_set(h, at, generation, &t->node, t->number, buffer));
      break;
    case 3:
      CALL(LOADS, sw_list_check(h, at, generation));
      break;
    case 4:
      CALL(LOADS, sw_list_clear(h, at, generation));
      break;
    case 5:
      if (script_byte() < 128) t->cursor = (sw_list_cursor){0};
      CALL(LOADS, status = sw_list_read(h, at, generation, &t->cursor, buffer, room));
      MUST(status < 0 || (uint32_t)status * sizeof(sw_list_entry) <= room);
      if (status > 0) {
        t->node = (uint32_t)buffer[0];
        t->number = (uint32_t)(buffer[0] >> 32);
      }
      break;
    default:
      CALL(LOADS, sw_list_insert(h, at, generation, buffer));
  }
}

static void use_map(host *t) {
  static uint32_t blocks[SW_MAP_BUCKET_MOST + 3];
  sw_map_handle *m = &t->map;
  double number = script_byte() % 8;
  uint8_t key[8] = {script_byte() % 8};
  uint32_t type = script_byte() % 2 ? SW_MAP_NUMBER : SW_MAP_STRING, room = script_byte() * 2u;
  const void *at = type == SW_MAP_NUMBER ? (const void *)&number : (const void *)key;
  sw_map_cursor cursor = {0};
  sw_map_block_cursor walk = {0};
  int status;
  m->now += script_byte() % 4;
  switch (script_byte() % 12) {
    case 0:
      CALL(LOADS, status = sw_map_get(m, type, at, 8, buffer, room));
      MUST(status <= 0 || m->length <= room);
      break;
    case 1:
      CALL(LOADS, sw_map_get_number(m, number));
      break;
    case 2:
      CALL(LOADS, sw_map_delete(m, type, at, 8));
      break;
    case 3:
      CALL(LOADS, sw_map_add(m, type, at, 8, 1));
      break;
    case 4:
      CALL(LOADS, sw_map_replace_if(m, type, at, 8, SW_MAP_NUMBER, &number, 8, script_byte() % 9, buffer, 8));
      break;
    case 5:
      for (status = 1; status > 0 && script_byte() < 200;) {
        CALL(LOADS, status = sw_map_next(m, &cursor, buffer, ROOM));
        MUST(status <= ROOM);
      }
      break;
    case 6:
      CALL(LOADS, sw_map_check(m));
      break;
    case 7:
      CALL(LOADS, script_byte() < 128 ? sw_map_prune(m) : sw_map_clear(m));
      break;
    case 8:
      CALL(LOADS, status = sw_map_blocks(m->heap, t->at[MAP], &walk, blocks, SW_MAP_BUCKET_MOST + 3));
      MUST(status <= SW_MAP_BUCKET_MOST + 3);
      break;
    case 9:
      /* until it grows */
      for (int i = 0; i < 24; i++) CALL(LOADS, sw_map_put_number(m, 100 + i, i));
      break;
    default:
      CALL(LOADS, sw_map_put(m, type, at, 8, SW_MAP_BYTES, buffer, room, script_byte() % 3));
  }
}

static void use_record(host *t, sw_heap *h) {
  uint32_t at = t->at[RECORD], generation = t->generation[RECORD], text = 0;
  const sw_piece pieces[] = {{script_byte(), script_byte()}, {8, 16}};
  switch (script_byte() % 9) {
    case 0:
      CALL(LOADS, sw_record_try_lock(h, at, SW_TYPE_RECORD, generation));
      break;
    case 1:
      CALL(LOADS, sw_record_write32(h, at, script_byte(), 1u << script_byte() % 4, script_word()));
      break;
    case 2:
      CALL(LOADS, sw_record_write64(h, at, script_byte(), 1, 2));
      break;
    case 3:
      CALL(LOADS, text = sw_string_alloc(h, 20));
      if (script_byte() < 128) CALL(LOADS, sw_record_write_text(h, at, script_byte() % 4 * 8, text));
      else CALL(LOADS, sw_record_set_text(h, at, SW_TYPE_RECORD, generation, script_byte() % 4 * 8, text));
      break;
    case 4:
      CALL(LOADS, sw_record_undo(h, at));
      break;
    case 5:
      CALL(LOADS, sw_record_unlock(h, at));
      break;
    case 6:
      /* no lies: what it reads of the pieces is the caller's, and decides how much it writes */
      sw_record_snapshot(h, at, SW_TYPE_RECORD, generation, pieces, 2, buffer);
      break;
    case 7:
      CALL(LOADS, sw_record_open(h, at, SW_TYPE_RECORD, generation, &PLAN));
      break;
    default:
      CALL(LOADS, sw_record_check(h, at));
  }
}

static void free_object(host *t, sw_heap *h) {
  if (script_byte() % 2) CALL(LOADS, sw_string_free(h, t->at[STRING], t->generation[STRING]));
  else if (script_byte() % 2) CALL(LOADS, sw_vector_free(h, t->at[VECTOR], t->generation[VECTOR]));
  else if (script_byte() % 2) CALL(LOADS, sw_list_free(h, t->at[LIST], t->generation[LIST]));
  else if (script_byte() % 2) CALL(LOADS, sw_map_free(h, t->at[MAP], t->generation[MAP]));
  else CALL(LOADS, sw_record_free(h, t->at[RECORD], SW_TYPE_RECORD, t->generation[RECORD]));
}

/* ---- the peer, between calls ---- */

static void poke(host *t) {
  const sw_heap *h = &t->heaps[0];
  uint32_t tables = h->begin - SW_HEAP_AT, where = script_byte(), at;
  uint32_t object = t->at[script_byte() % KINDS];
  /* the heap's control block, the page map, any of its tables; objects; names; anything */
  if (where < 40) at = SW_HEAP_AT + script_byte() % 48u * 4;
  else if (where < 80) at = SW_HEAP_AT + (uint32_t)sizeof(sw_heap_control) + script_byte() * 4u;
  else if (where < 110) at = SW_HEAP_AT + (script_word() % tables & ~3u);
  else if (where < 200) at = object + script_byte() % 32u * 4;
  else if (where < 220) at = SW_DIRECTORY_AT + script_byte() % 16u * 4;
  else at = h->begin + (script_word() % (h->count * SW_HEAP_PAGE) & ~3u);
  uint32_t *word = (uint32_t *)(void *)(t->m.base + at);
  *word = script_edge(script_byte() < 64 ? object : *word);
}

static void step(host *t) {
  sw_heap *h = &t->heaps[script_byte() % HANDLES];
  switch (script_byte() % 13) {
    case 0:
      make(t, h, script_byte() % KINDS);
      break;
    case 1:
    case 2:
      use_heap(t, h);
      break;
    case 3:
      use_names(t, h);
      break;
    case 4:
      use_mutex(t, h);
      break;
    case 5:
      use_string(t, h);
      break;
    case 6:
      use_vector(t, h);
      break;
    case 7:
      use_list(t, h);
      break;
    case 8:
    case 9:
      use_map(t);
      break;
    case 10:
      use_record(t, h);
      break;
    case 11:
      if (script_byte() < 64) free_object(t, h);
      else if (script_byte() < 16) CALL(LOADS, sw_channel_reclaim(h));
      break;
    default:
      poke(t);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  script_begin(data, size);
  host t = {.m = heap_for_script()};
  for (uint32_t i = 0; i < HANDLES; i++) {
    MUST(sw_endpoint_claim(t.m.base, 7 + i, 1, 0) == (int)i);
    MUST(sw_heap_open(&t.heaps[i], t.m.base, t.m.size, SW_HEAP_AT, i) == SW_OK);
  }
  furnish(&t);
  while (!script_ended()) step(&t);
  return 0;
}
