/* Which words does one call of the heap, or of what is in it, read twice? See test_double_fetch.c.
 * The scenes are such that a word has one meaning: there is one object of each type. */
#include "../unit/heap/heap_helper.h"
#include "double_fetch.h"
#include "sabway/directory.h"
#include "sabway/list.h"
#include "sabway/map.h"
#include "sabway/mutex.h"
#include "sabway/mutex_object.h"
#include "sabway/object.h"
#include "sabway/record.h"
#include "sabway/registry.h"
#include "sabway/string.h"
#include "sabway/vector.h"

/* Calls that get blocks of the heap: they may look at many slabs and pages before one has room. */
#define ALLOCATE                                                                          \
  "sw_heap_alloc sw_heap_alloc_aligned sw_heap_realloc sw_registry_add sw_object_new "    \
  "sw_mutex_new sw_directory_add sw_string_new sw_string_alloc sw_string_set "            \
  "sw_string_compare_set sw_vector_new sw_vector_push sw_vector_begin_push sw_list_new "  \
  "sw_list_insert sw_list_set sw_map_new sw_map_put sw_map_put_number sw_map_add_number " \
  "sw_map_delete sw_map_replace_if sw_record_new"
/* Those that give several back, or one whose pages join others. */
#define FREE                                                                          \
  "sw_heap_free sw_heap_trim sw_vector_free sw_list_clear sw_list_free sw_map_clear " \
  "sw_map_free sw_record_free"
/* Those that ask how long several blocks are. */
#define MEASURE "sw_vector_check sw_list_check"
/* Those that change a map. */
#define CHANGE_MAP "sw_map_put sw_map_put_number sw_map_add_number sw_map_replace_if sw_map_delete"
#define WALK_MAP   "sw_map_next sw_map_check sw_map_clear sw_map_free"
#define READ_MAP   "sw_map_get sw_map_get_number"
#define NEW        "sw_object_new sw_mutex_new sw_string_new sw_vector_new sw_list_new sw_map_new sw_record_new"

static repeat KNOWN[] = {
    /* the heap */
    {ALLOCATE " " FREE " " MEASURE, "page map",
     "each look bounds its own value by the heap; a head changes by a compare-exchange on what was seen", 0},
    {ALLOCATE " sw_heap_trim", "sw_heap_control.high", "how many pages to look at: bounded by their number", 0},
    {ALLOCATE " sw_heap_trim", "sw_heap_control.given",
     "compared with zero, then taken by an exchange, and what was taken is bounded", 0},
    {ALLOCATE " sw_heap_trim", "sw_heap_control.given_more", "a sign, not a number", 0},
    {ALLOCATE " sw_heap_trim", "sw_heap_control.pages_used", "a count, which is told and not used", 0},
    {ALLOCATE " sw_heap_trim", "sw_heap_control.pages_most", "a count, which is told and not used", 0},
    {ALLOCATE " " FREE, "search tree", "a hint: the page map decides; what contradicts it is made anew once", 0},
    {ALLOCATE " sw_heap_trim sw_heap_free", "sw_slab.owner",
     "the compare-exchange on the first value decides; then it is compared with the caller's role", 0},
    {"sw_heap_alloc sw_heap_alloc_aligned", "sw_slab.next",
     "the page that it leads to is bounded, and must be a slab of this owner and class", 0},
    {ALLOCATE " " FREE " " MEASURE, "sw_slab.used",
     "one bit of it is taken or asked for at a time; its block is bounded by the page", 0},
    {ALLOCATE " " FREE " " MEASURE, "sw_slab.freed", "likewise; the bits that were seen are cleared", 0},
    {ALLOCATE " " FREE " sw_directory_find sw_directory_next sw_directory_remove sw_record_set_text",
     "sw_endpoint.epoch", "is a role of this claim? Each answer stands alone", 0},
    /* the registry and the directory */
    {NEW " sw_registry_add", "sw_registry_block.slot",
     "the compare-exchange on the first value decides; the hinted block is walked twice", 0},
    {NEW, "sw_registry_block.next", "a look for a retired object, then a walk: bounded by itself", 0},
    {NEW, "sw_registry.first", "as above", 0},
    {"sw_directory_add", "new block", "vacant slots are looked for, at most as often as there are slots", 0},
    {"sw_directory_add", "sw_directory_table.slot", "searched again behind growth: each offset is bounded by itself",
     0},
    {"sw_directory_add", "sw_directory_table.used", "a hint when to grow; then counted up", 0},
    {"sw_directory_add", "sw_directory_entry.length", "searched again behind growth: each is bounded by itself", 0},
    {"sw_directory_add", "sw_directory_entry.hash", "searched again behind growth: compared, not used", 0},
    {"sw_directory_add", "sw_directory.retired", "freed before growth and behind it: the heap refuses what is no block",
     0},
    {"sw_directory_add", "sw_directory.table", "becomes `retired`, or is compared with that", 0},
    /* containers: strings, vectors and lists */
    {NULL, "sw_object.life", "is it this object still? Compared with what the caller knows, and not used", 0},
    {"sw_string_get", "sw_object.root", "the same behind the copy, or the copy counts for nothing", 0},
    {"sw_string_get", "sw_text", "its length is read once; the first letters are in the same word", 0},
    {"sw_vector_push sw_vector_set", "sw_vector.shape", "the quick way gave up: seen anew, and bounded anew", 0},
    {"sw_vector_push sw_vector_set", "sw_vector.table", "as above", 0},
    {"sw_vector_push sw_vector_get", "sw_vector.length", "as above; each place is bounded by the heap", 0},
    {"sw_vector_push sw_vector_begin_push sw_vector_delete", "sw_vector_table.segment",
     "is it there? Then, for each element: where? The place is bounded by the heap", 0},
    {"sw_vector_get sw_vector_set sw_vector_delete", "sw_vector.version",
     "the same behind the copy, or it is made again; or counted up", 0},
    {"sw_list_insert", "sw_list.last", "the highest number, compared and counted up: it leads nowhere", 0},
    {"sw_list_check sw_list_delete_index", "sw_list.head", "each walk bounds it by the heap", 0},
    {"sw_list_check sw_list_delete_index sw_list_read", "sw_node.next",
     "each step bounds it by the heap, and a walk has at most so many", 0},
    {"sw_list_delete_index", "sw_list.count", "which way is shorter; then counted down: it leads nowhere", 0},
    {"sw_list_read", "sw_list.version", "the same behind each node, or what was read of it counts for nothing", 0},
    {"sw_list_read", "sw_list.era", "as above", 0},
    {"sw_list_read", "sw_node.number", "compared, and told", 0},
    /* maps */
    {CHANGE_MAP " " READ_MAP " " WALK_MAP, "bucket",
     "the same behind what it led to, or that counts for nothing; changes by a compare-exchange on what was seen", 0},
    {CHANGE_MAP " " READ_MAP " " WALK_MAP, "entry",
     "each look reads its lengths once, and bounds them; the rest is compared or copied", 0},
    {CHANGE_MAP " " WALK_MAP, "sw_object.root", "each look at a table bounds it by the heap", 0},
    {CHANGE_MAP " " WALK_MAP, "sw_map_table.next", "as above", 0},
    {CHANGE_MAP " " WALK_MAP, "sw_map_table.log2", "as above: how many buckets there are goes with each look", 0},
    {CHANGE_MAP " " WALK_MAP, "sw_map_table.marks", "as above", 0},
    {CHANGE_MAP, "marks", "a hint, changed by a compare-exchange on what was seen", 0},
    {CHANGE_MAP, "sw_map_slots.hand", "where to look next: bounded by the number of buckets", 0},
    {CHANGE_MAP " " WALK_MAP, "sw_map_slots.count", "a count, which is told and changed", 0},
    {"sw_map_new", "new block", "filled by the caller, which alone knows of it", 0},
    /* records */
    {"sw_record_free sw_record_open sw_record_set_text", "sw_record.plan", "each look bounds it by the heap", 0},
    {"sw_record_free sw_record_set_text", "sw_record.data", "as above", 0},
    {"sw_record_set_text sw_record_snapshot", "sw_record.version",
     "the same behind the copy, or it is made again; or counted up", 0},
    {"sw_record_set_text", "sw_record.undo", "how many entries: each look bounds it by the log", 0},
    {"sw_record_set_text sw_record_write32 sw_record_write_text", "field",
     "noted as it was, then changed; a text's word leads to what the heap frees, or refuses", 0},
    {"sw_record_set_text", "sw_mutex.state", "locked and unlocked: read once for each", 0},
    {"sw_record_new", "new block", "filled by the caller, which alone knows of it", 0},
};

/* ---- what a word is ---- */

static heap_scene scene;
static const sw_heap *heap = &scene.h;
static uint8_t *base;

enum { STRING, VECTOR, LIST, MAP, RECORD, KINDS };
static const char *const CONTROL[KINDS] = {"sw_string", "sw_vector", "sw_list", "sw_map", "sw_record"};
/* Of the objects: offset, or zero. */
static uint32_t objects[KINDS], generations[KINDS];

static int is_in(size_t at, size_t from, size_t bytes) { return at >= from && at - from < bytes; }

/* Of a control block. */
static const char *name_in_object(int kind, size_t offset) {
  if (offset < sizeof(sw_mutex)) return field_of("sw_mutex", offset);
  return offset < sizeof(sw_object) ? field_of("sw_object", offset) : field_of(CONTROL[kind], offset);
}

static const void *place(uint32_t at) { return base + at; }

static const char *name_in_directory(size_t at) {
  const sw_directory *directory = place(SW_DIRECTORY_AT);
  if (directory->table == 0) return NULL;
  const sw_directory_table *table = place(directory->table);
  if (is_in(at, directory->table, sizeof(*table) + table->slots * 4u)) {
    size_t offset = at - directory->table;
    return offset < sizeof(*table) ? field_of("sw_directory_table", offset) : "sw_directory_table.slot";
  }
  for (uint32_t i = 0; i < table->slots; i++) {
    uint32_t entry = table->slot[i];
    if (entry > SW_SLOT_DELETED && is_in(at, entry, sizeof(sw_directory_entry)))
      return field_of("sw_directory_entry", at - entry);
  }
  return NULL;
}

static const char *name_in_string(size_t at) {
  uint32_t text = (uint32_t)((const sw_object *)place(objects[STRING]))->root;
  return text != 0 && is_in(at, text, sizeof(sw_text)) ? "sw_text" : NULL;
}

static const char *name_in_vector(size_t at) {
  uint32_t table = ((const sw_vector *)place(objects[VECTOR]))->table;
  return is_in(at, table, sizeof(sw_vector_table)) ? "sw_vector_table.segment" : NULL;
}

static const char *name_in_map(size_t at) {
  const sw_map *map = place(objects[MAP]);
  uint32_t table = (uint32_t)map->object.root;
  if (is_in(at, map->slots, sizeof(sw_map_slots))) return field_of("sw_map_slots", at - map->slots);
  for (int i = 0; i < 2 && table > 1; i++) { /* the next one, too, while the map grows */
    const sw_map_table *t = place(table);
    if (is_in(at, table, sizeof(*t))) return field_of("sw_map_table", at - table);
    if (is_in(at, table, sizeof(*t) + ((size_t)8 << t->log2))) return "bucket";
    if (t->marks != 0 && is_in(at, t->marks, ((size_t)1 << t->log2) / 4 + 4)) return "marks";
    table = (uint32_t)t->next;
  }
  return NULL;
}

static const char *name_in_record(size_t at) {
  const sw_record *record = place(objects[RECORD]);
  if (is_in(at, record->data, record->plan.bytes)) return "field";
  size_t log = record->data + record->plan.bytes;
  return is_in(at, log, sizeof(sw_undo) * record->plan.room) ? field_of("sw_undo", (at - log) % sizeof(sw_undo)) : NULL;
}

/* Of a block which belongs to no structure above. */
static const char *name_in_block(size_t at) {
  if (objects[LIST] != 0) {
    for (uint32_t node = ((const sw_list *)place(objects[LIST]))->head; node != 0;) {
      const sw_node *n = place(node);
      if (is_in(at, node, sizeof(*n))) return field_of("sw_node", at - node);
      node = n->next;
    }
  }
  return objects[MAP] != 0 ? "entry" : "new block";
}

static const char *name_in_pages(size_t at) {
  const sw_registry *registry = place(SW_REGISTRY_AT);
  for (int kind = 0; kind < KINDS; kind++)
    if (objects[kind] != 0 && is_in(at, objects[kind], SW_OBJECT_BYTES))
      return name_in_object(kind, at - objects[kind]);
  for (uint32_t block = registry->first; block != 0; block = ((const sw_registry_block *)place(block))->next)
    if (is_in(at, block, sizeof(sw_registry_block)))
      return at == block ? "sw_registry_block.next" : "sw_registry_block.slot";
  const char *name = name_in_directory(at);
  if (name == NULL && objects[STRING] != 0) name = name_in_string(at);
  if (name == NULL && objects[VECTOR] != 0) name = name_in_vector(at);
  if (name == NULL && objects[MAP] != 0) name = name_in_map(at);
  if (name == NULL && objects[RECORD] != 0) name = name_in_record(at);
  return name == NULL ? name_in_block(at) : name;
}

/* "struct.field" of an address. */
static const char *name_of(const void *word) {
  if ((const uint8_t *)word < base || (const uint8_t *)word >= base + scene.r.size) return "the caller's";
  size_t at = (size_t)((const uint8_t *)word - base), control = SW_HEAP_AT;
  if (is_in(at, sw_heap_lock_at(heap), sizeof(sw_mutex))) return field_of("sw_mutex", at - sw_heap_lock_at(heap));
  if (is_in(at, SW_DIRECTORY_AT, sizeof(sw_mutex))) return field_of("sw_mutex", at - SW_DIRECTORY_AT);
  if (is_in(at, SW_DIRECTORY_AT, SW_REGISTRY_AT - SW_DIRECTORY_AT))
    return field_of("sw_directory", at - SW_DIRECTORY_AT);
  if (is_in(at, SW_REGISTRY_AT, SW_HEADER_BYTES - SW_REGISTRY_AT)) return field_of("sw_registry", at - SW_REGISTRY_AT);
  if (at < SW_INSTANCES_AT) return field_of("sw_endpoint", (at - SW_HEADER_BYTES) % sizeof(sw_endpoint));
  if (is_in(at, control, sizeof(sw_heap_control))) return field_of("sw_heap_control", at - control);
  if (word < (const void *)heap->tree[0]) return "page map";
  if (word < (const void *)heap->slabs) return "search tree";
  if (at < heap->begin)
    return field_of("sw_slab", (size_t)((const uint8_t *)word - (const uint8_t *)heap->slabs) % sizeof(sw_slab));
  return name_in_pages(at);
}

static void open_scene(uint64_t size) {
  memset(objects, 0, sizeof(objects));
  heap_scene_open(&scene, size);
  base = scene.r.base;
  fetch_begin(KNOWN, sizeof(KNOWN) / sizeof(*KNOWN), name_of);
}

static void close_scene(void) {
  fetch_end();
  heap_scene_close(&scene);
}

/* ---- the heap ---- */

enum { BLOCKS = 64 };

static void use_heap(sw_heap *h, uint32_t *blocks, uint64_t *random) {
  uint32_t *block = &blocks[random_next(random) % BLOCKS];
  uint32_t bytes = 1 + random_next(random) % (random_next(random) % 4 == 0 ? 40000 : 600);
  sw_heap_stats stats;
  switch (random_next(random) % 16) {
    case 0:
      CALL(sw_heap_usable, h, *block);
      break;
    case 1:
      CALL(sw_heap_stats_of, h, &stats);
      break;
    case 2:
      if (random_next(random) % 8 == 0) CALL(sw_heap_trim, h);
      break;
    case 3:
    case 4:
      if (*block != 0) {
        uint32_t moved = CALL(sw_heap_realloc, h, *block, bytes);
        if (moved != 0) *block = moved;
      }
      break;
    case 5:
      if (*block == 0) *block = CALL(sw_heap_alloc_aligned, h, bytes, 64u << random_next(random) % 10);
      break;
    default:
      if (*block == 0) *block = CALL(sw_heap_alloc, h, bytes);
      else {
        CALL(sw_heap_free, h, *block);
        *block = 0;
      }
  }
  fetch_call(NULL);
}

/* Two participants, in heaps whose slabs have owners, and in those whose slabs have none. */
static void no_word_of_the_heap_is_read_twice(void **state) {
  (void)state;
  static const uint64_t SIZES[] = {SMALL_REGION, MIDDLE_REGION};
  uint64_t random = 11;
  for (int size = 0; size < 2; size++) {
    open_scene(SIZES[size]);
    sw_heap other;
    uint32_t blocks[BLOCKS] = {0};
    heap_open(&other, &scene.r);
    for (int i = 0; i < 30000; i++) use_heap(random_next(&random) % 4 == 0 ? &other : &scene.h, blocks, &random);
    close_scene();
  }
}

/* ---- the directory and the registry ---- */

static void use_names(sw_heap *h, uint64_t *random) {
  uint32_t number = random_next(random) % 200, cursor = number, length;
  uint8_t name[SW_NAME_MOST] = {(uint8_t)number, 1};
  sw_found given = {SW_KIND_MEMORY, 16 * number, 0}, found;
  switch (random_next(random) % 8) {
    case 0:
      CALL(sw_directory_find, h, name, 2, &found);
      break;
    case 1:
    case 2:
      CALL(sw_directory_remove, h, name, 2, 16 * number);
      break;
    case 3:
      CALL(sw_directory_next, h, &cursor, &found, name, &length);
      break;
    default:
      CALL(sw_directory_add, h, name, 2, &given, &found);
  }
  fetch_call(NULL);
}

static void use_registry(sw_heap *h, uint64_t *random) {
  uint32_t object = h->begin + random_next(random) % 500 * 16;
  sw_registry_cursor cursor = {0};
  uint32_t generation;
  switch (random_next(random) % 12) {
    case 5:
      CALL(sw_object_new, h, SW_TYPE_LIST);
      break;
    case 6:
      CALL(sw_object_check, h, object, SW_TYPE_LIST, 1);
      CALL(sw_object_type, h, object, &generation);
      break;
    case 7:
      CALL(sw_object_begin_free, h, object, SW_TYPE_LIST, 1);
      break;
    case 8:
      CALL(sw_object_end_free, h, object);
      break;
    case 9:
      CALL(sw_mutex_new, h);
      break;
    case 10:
      CALL(sw_mutex_free, h, object);
      break;
    case 0:
      CALL(sw_registry_remove, h->base, scene.r.size, object, SW_KIND_MEMORY);
      break;
    case 1:
      for (int i = 0; i < 3; i++) CALL(sw_registry_next, h->base, scene.r.size, &cursor);
      break;
    default:
      CALL(sw_registry_add, h, object, SW_KIND_MEMORY, NULL);
  }
  fetch_call(NULL);
}

static void no_word_of_names_is_read_twice(void **state) {
  (void)state;
  uint64_t random = 7;
  open_scene(SMALL_REGION);
  for (int i = 0; i < 20000; i++) {
    use_names(&scene.h, &random);
    if (i % 16 == 0) use_registry(&scene.h, &random);
  }
  close_scene();
}

/* ---- containers ---- */

static const sw_record_plan PLAN = {
    .shape = {1, 2}, .rows = 1, .bytes = 64, .room = 6, .texts = 2, .text_row = 64, .text_step = 8};

static void make(int kind, uint64_t *random) {
  static const uint8_t SHAPES[][2] = {
      {SW_COMPONENT_U32, 1}, {SW_COMPONENT_F64, 1}, {SW_COMPONENT_U8, 3}, {SW_COMPONENT_U32, 3}};
  const uint8_t *shape = SHAPES[random_next(random) % 4];
  sw_map_options options = {.flags = random_next(random) % 2 ? SW_MAP_LRU : 0, .most = 40, .seed = 5};
  sw_heap *h = &scene.h;
  objects[kind] = 0;
  uint32_t at = kind == STRING   ? CALL(sw_string_new, h)
                : kind == VECTOR ? CALL(sw_vector_new, h, shape[0], shape[1], 1 + random_next(random) % 4)
                : kind == LIST   ? CALL(sw_list_new, h, shape[0], shape[1])
                : kind == MAP    ? CALL(sw_map_new, h, &options)
                                 : CALL(sw_record_new, h, SW_TYPE_RECORD, &PLAN);
  assert_int_not_equal(at, 0);
  fetch_call(NULL);
  objects[kind] = at;
  sw_object_type(h, at, &generations[kind]);
}

static void use_string(sw_heap *h, uint64_t *random) {
  uint32_t at = objects[STRING], generation = generations[STRING], length = random_next(random) % 300, block;
  char text[300] = {0};
  sw_string_content content;
  switch (random_next(random) % 9) {
    case 0:
      CALL(sw_string_check, h, at, generation);
      break;
    case 1:
    case 2:
      CALL(sw_string_get, h, at, generation, text, sizeof(text), &content);
      break;
    case 3:
      CALL(sw_string_compare_set, h, at, generation, (uint32_t)(((const sw_object *)place(at))->root >> 32), text,
           length);
      break;
    case 4:
    case 5:
      block = CALL(sw_string_alloc, h, length);
      if (block != 0 && CALL(sw_string_replace, h, at, generation, block) != SW_OK) CALL(sw_heap_free, h, block);
      break;
    case 6:
      if (CALL(sw_string_begin_read, h, at, generation) == SW_OK) CALL(sw_string_end_read, h, at);
      break;
    default:
      CALL(sw_string_set, h, at, generation, text, length);
  }
}

static void use_vector(sw_heap *h, uint64_t *random) {
  uint32_t at = objects[VECTOR], generation = generations[VECTOR], index = random_next(random) % 40;
  uint8_t element[64] = {1};
  switch (random_next(random) % 14) {
    case 0:
      CALL(sw_vector_check, h, at, generation);
      break;
    case 1:
    case 2:
      CALL(sw_vector_pop, h, at, generation, element);
      break;
    case 3:
    case 4:
      CALL(sw_vector_get, h, at, generation, index, element);
      break;
    case 5:
    case 6:
      CALL(sw_vector_set, h, at, generation, index, element);
      break;
    case 7:
      CALL(sw_vector_delete, h, at, generation, index);
      break;
    case 8:
      if (random_next(random) % 8 == 0) CALL(sw_vector_clear, h, at, generation);
      break;
    case 9:
      if (CALL(sw_vector_begin_push, h, at, generation, 5) == SW_OK) CALL(sw_vector_end_push, h, at, 5);
      break;
    case 10:
      CALL(sw_vector_locate, h, at, generation, index);
      break;
    default:
      CALL(sw_vector_push, h, at, generation, element);
  }
}

static void use_list(sw_heap *h, uint64_t *random) {
  static sw_list_cursor cursor;
  static sw_list_entry entry;
  uint32_t at = objects[LIST], generation = generations[LIST], node = entry.node;
  uint64_t room[64] = {0};
  switch (random_next(random) % 12) {
    case 0:
      CALL(sw_list_check, h, at, generation);
      break;
    case 1:
      CALL(sw_list_delete, h, at, generation, entry.node, entry.number);
      break;
    case 2:
      CALL(sw_list_delete_index, h, at, generation, random_next(random) % 8, room);
      break;
    case 3:
      CALL(sw_list_set, h, at, generation, &node, entry.number, room);
      break;
    case 4:
      if (random_next(random) % 8 == 0) CALL(sw_list_clear, h, at, generation);
      break;
    case 5:
    case 6:
    case 7:
      if (random_next(random) % 3 == 0) cursor = (sw_list_cursor){0};
      if (CALL(sw_list_read, h, at, generation, &cursor, room, sizeof(room)) > 0) memcpy(&entry, room, sizeof(entry));
      break;
    default:
      CALL(sw_list_insert, h, at, generation, room);
  }
}

static void use_map(sw_map_handle *m, uint64_t *random) {
  double number = random_next(random) % 60, value = 1;
  uint8_t key[40] = {(uint8_t)number}, bytes[80] = {0};
  static uint64_t out[1024];
  sw_map_cursor cursor = {0};
  uint32_t length = random_next(random) % 40;
  switch (random_next(random) % 16) {
    case 0:
      CALL(sw_map_check, m);
      break;
    case 1:
    case 2:
      CALL(sw_map_get, m, SW_MAP_BYTES, key, length, out, sizeof(out));
      break;
    case 3:
      CALL(sw_map_get_number, m, number);
      break;
    case 4:
    case 5:
      CALL(sw_map_delete, m, SW_MAP_BYTES, key, length);
      CALL(sw_map_delete, m, SW_MAP_NUMBER, &number, 8);
      break;
    case 6:
      CALL(sw_map_replace_if, m, SW_MAP_BYTES, key, length, SW_MAP_BYTES, bytes, length, SW_MAP_NUMBER, &value, 8);
      break;
    case 7:
      CALL(sw_map_add_number, m, number, 1);
      break;
    case 8:
      while (CALL(sw_map_next, m, &cursor, out, sizeof(out)) > 0) continue;
      break;
    case 9:
      if (random_next(random) % 16 == 0) CALL(sw_map_clear, m);
      break;
    case 10:
      CALL(sw_map_size, m);
      break;
    case 11:
    case 12:
      CALL(sw_map_put_number, m, number, value);
      break;
    default:
      CALL(sw_map_put, m, SW_MAP_BYTES, key, length, SW_MAP_BYTES, bytes, length, SW_MAP_SET);
  }
}

static void use_record(sw_heap *h, uint64_t *random) {
  uint32_t at = objects[RECORD], generation = generations[RECORD], text;
  sw_piece pieces[2] = {{0, 16}, {24, 40}};
  uint64_t into[8];
  switch (random_next(random) % 12) {
    case 0:
      CALL(sw_record_check, h, at);
      break;
    case 1:
      CALL(sw_record_open, h, at, SW_TYPE_RECORD, generation, &PLAN);
      break;
    case 2:
    case 3:
      CALL(sw_record_snapshot, h, at, SW_TYPE_RECORD, generation, pieces, 2, into);
      break;
    case 4:
      text = CALL(sw_string_alloc, h, 20);
      if (CALL(sw_record_set_text, h, at, SW_TYPE_RECORD, generation, 0, text) != SW_OK) CALL(sw_heap_free, h, text);
      break;
    default:
      if (CALL(sw_record_try_lock, h, at, SW_TYPE_RECORD, generation) != SW_OK) break;
      for (uint32_t i = random_next(random) % 9; i != 0; i--) {
        uint32_t offset = 16 + random_next(random) % 6 * 8;
        CALL(sw_record_write32, h, at, offset, 1u << i % 3, i);
        CALL(sw_record_write64, h, at, offset, i, i);
        text = CALL(sw_string_alloc, h, 20);
        if (CALL(sw_record_write_text, h, at, 8, text) != SW_OK) CALL(sw_heap_free, h, text);
        if (i == 5) CALL(sw_record_undo, h, at);
        if (i == 7) CALL(sw_record_commit, h, at);
      }
      CALL(sw_record_unlock, h, at);
  }
}

static void free_object(int kind, sw_heap *h) {
  uint32_t at = objects[kind], generation = generations[kind];
  if (kind == STRING) CALL(sw_string_free, h, at, generation);
  else if (kind == VECTOR) CALL(sw_vector_free, h, at, generation);
  else if (kind == LIST) CALL(sw_list_free, h, at, generation);
  else if (kind == MAP) CALL(sw_map_free, h, at, generation);
  else CALL(sw_record_free, h, at, SW_TYPE_RECORD, generation);
  fetch_call(NULL);
}

/* Two participants, one object of the type, which is freed and made anew now and then. */
static void use_container(int kind) {
  uint64_t random = 13;
  sw_heap other;
  sw_map_handle map;
  open_scene(SMALL_REGION);
  heap_open(&other, &scene.r);
  for (int i = 0; i < 40000; i++) {
    if (i % 1000 == 0) {
      if (i != 0 && kind == MAP) CALL(sw_map_close, &map);
      if (i != 0) free_object(kind, &scene.h);
      make(kind, &random);
      if (kind == MAP) CALL(sw_map_open, &map, &scene.h, objects[kind], generations[kind]);
    }
    sw_heap *h = random_next(&random) % 4 == 0 ? &other : &scene.h;
    if (kind == STRING) use_string(h, &random);
    else if (kind == VECTOR) use_vector(h, &random);
    else if (kind == LIST) use_list(h, &random);
    else if (kind == MAP) use_map(&map, &random);
    else use_record(h, &random);
    fetch_call(NULL);
  }
  close_scene();
}

static void no_word_of_a_string_is_read_twice(void **state) {
  (void)state;
  use_container(STRING);
}

static void no_word_of_a_vector_is_read_twice(void **state) {
  (void)state;
  use_container(VECTOR);
}

static void no_word_of_a_list_is_read_twice(void **state) {
  (void)state;
  use_container(LIST);
}

static void no_word_of_a_map_is_read_twice(void **state) {
  (void)state;
  use_container(MAP);
}

static void no_word_of_a_record_is_read_twice(void **state) {
  (void)state;
  use_container(RECORD);
}

/* Behind all others. */
static void each_reason_is_needed(void **state) {
  (void)state;
  fetch_need_all(KNOWN, sizeof(KNOWN) / sizeof(*KNOWN));
}

TESTS(TEST(no_word_of_the_heap_is_read_twice), TEST(no_word_of_names_is_read_twice),
      TEST(no_word_of_a_string_is_read_twice), TEST(no_word_of_a_vector_is_read_twice),
      TEST(no_word_of_a_list_is_read_twice), TEST(no_word_of_a_map_is_read_twice),
      TEST(no_word_of_a_record_is_read_twice), TEST(each_reason_is_needed));
