/* Which words does one call of the core read twice? A peer can change a word between two reads, so
 * each of the few cases needs a reason, which stands in the table below. A new one fails the test
 * until it is mended or explained. */
#include "../unit/heap/heap_helper.h"
#include "hostile_hooks.h"
#include "sabway/directory.h"
#include "sabway/mutex.h"
#include "sabway/mutex_object.h"
#include "sabway/object.h"
#include "sabway/ready.h"
#include "sabway/registry.h"

typedef struct repeat {
  const char *call, *word; /* NULL: any call */
  const char *why;
  uint32_t count;
} repeat;

static repeat KNOWN[] = {
    {"sw_producer_reserve", "sw_ring.tail",
     "room for the padding, then for the frame: the new value is bounded by itself", 0},
    {"sw_producer_send", "sw_ring.tail", "as sw_producer_reserve", 0},
    {"sw_consumer_peek", "sw_ring.head", "looks again behind padding: the new value is bounded by itself", 0},
    {"sw_consumer_peek", "sw_ring.closed", "a sign, not a number", 0},
    {"sw_consumer_peek_batch", "sw_ring.head", "as sw_consumer_peek", 0},
    {"sw_consumer_peek_batch", "sw_ring.closed", "a sign, not a number", 0},
    {"sw_endpoint_claim", "sw_endpoint.pid", "the compare-exchange on the first value decides", 0},
    {"sw_endpoint_claim", "sw_endpoint.start_low", "the compare-exchange on the first value decides", 0},
    {NULL, "sw_mutex.state", "read once; then a hint is set in it, whatever it is", 0},
    {NULL, "sw_mutex.waiters", "a hint at first; then looked at once, and bits of it are set or cleared", 0},
    {"sw_channel_open_producer", "sw_channel.life", "before the role is taken, and behind: each answer stands alone",
     0},
    {"sw_channel_open_consumer", "sw_channel.life", "before the role is taken, and behind: each answer stands alone",
     0},
    {NULL, "sw_endpoint.start_low", "whether an owner lives, asked again: each answer stands alone", 0},
    {NULL, "sw_endpoint.start_high", "as above", 0},
    {NULL, "sw_ring.want_space", "seen, then taken; what is taken is not used", 0},
    {NULL, "sw_endpoint.sleeping", "the compare-exchange on the first value decides", 0},
    {NULL, "sw_endpoint.doorbell", "counted up for each ring; what it was only names the ring", 0},
    {NULL, "sw_endpoint.request", "the compare-exchange on the first value decides", 0},
    {NULL, "sw_endpoint.skills", "a hint: which endpoint to ring", 0},
    {NULL, "sw_endpoint.pid", "looked at anew by the next walk, and compared with zero only", 0},
    {NULL, "sw_endpoint.epoch", "as above", 0},
    {NULL, "sw_ready.word", "a bit is set in it unless it was seen; what is taken is one value", 0},
    {NULL, "sw_ready.some", "as above", 0},
    {NULL, "sw_registry_block.slot",
     "the compare-exchange on the first value decides; the hinted block is walked twice", 0},
    {"sw_registry_add", "sw_registry_block.next", "read again when another has appended: bounded by itself", 0},
    {"sw_registry_add", "sw_registry.first", "as above", 0},
    {"sw_object_new", "sw_registry_block.next", "a look for a retired object, then a walk: bounded by itself", 0},
    {"sw_object_new", "sw_registry.first", "as above", 0},
    {"sw_mutex_new", "sw_registry_block.next", "as above", 0},
    {"sw_mutex_new", "sw_registry.first", "as above", 0},
    {NULL, "page map", "the heap's: each value is bounded by itself, see test_hostile_heap.c", 0},
    {NULL, "sw_heap_control", "as above", 0},
    {NULL, "sw_slab", "as above", 0},
    {"sw_directory_add", "new table", "vacant slots are looked for, at most as often as there are slots", 0},
    {"sw_directory_add", "sw_directory_table.slot", "searched again behind growth: each offset is bounded by itself",
     0},
    {"sw_directory_add", "sw_directory_table.used", "a hint when to grow; then counted up", 0},
    {"sw_directory_add", "sw_directory_entry.length", "searched again behind growth: each is bounded by itself", 0},
    {"sw_directory_add", "sw_directory_entry.hash", "searched again behind growth: compared, not used", 0},
    {"sw_directory_add", "sw_directory.retired", "freed before growth and behind it: the heap refuses what is no block",
     0},
    {"sw_directory_add", "sw_directory.table", "becomes `retired`, or is compared with that", 0},
};

/* ---- what a call reads ---- */

enum { MOST_LOADS = 4096 };
static const char *inside; /* the call, or NULL */
static const void *loads[MOST_LOADS];
static uint32_t load_count, unknown;
static uint8_t *base;
static size_t region_size;

static int same(const char *a, const char *b) { return strcmp(a, b) == 0; }

static const struct row {
  const char *type, *name;
  size_t offset;
} ROWS[] = {
#define ROW(type, field) {#type, #type "." #field, offsetof(type, field)},
    SW_LAYOUT_FIELDS(ROW)
#undef ROW
};

static const char *field_of(const char *type, size_t offset) {
  for (size_t i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++) {
    if (same(ROWS[i].type, type) && ROWS[i].offset == offset) return ROWS[i].name;
  }
  return "?";
}

static const char *name_in_set(size_t at) {
  size_t offset = (at - SW_READY_AT) % sizeof(sw_ready);
  return field_of("sw_ready", offset < offsetof(sw_ready, word) ? offset : offsetof(sw_ready, word));
}

static const sw_heap *heap; /* of a region that has one */

/* "struct.field" of an address in such a region. */
static const char *name_in_heap(size_t at) {
  const sw_directory *directory = (const void *)(base + SW_DIRECTORY_AT);
  const sw_registry *registry = (const void *)(base + SW_REGISTRY_AT);
  size_t lock = sw_heap_lock_at(heap);
  if (at >= lock && at < lock + sizeof(sw_mutex)) return field_of("sw_mutex", at - lock);
  if (at >= SW_DIRECTORY_AT && at < SW_DIRECTORY_AT + sizeof(sw_mutex))
    return field_of("sw_mutex", at - SW_DIRECTORY_AT);
  if (at >= SW_DIRECTORY_AT && at < SW_REGISTRY_AT) return field_of("sw_directory", at - SW_DIRECTORY_AT);
  if (at >= SW_REGISTRY_AT && at < SW_HEADER_BYTES) return field_of("sw_registry", at - SW_REGISTRY_AT);
  if (at >= SW_READY_AT && at < SW_INSTANCES_AT) return name_in_set(at);
  if (at < SW_INSTANCES_AT) return field_of("sw_endpoint", (at - SW_HEADER_BYTES) % sizeof(sw_endpoint));
  if (at < (size_t)((uint8_t *)heap->map - base)) return "sw_heap_control";
  if (at < (size_t)((uint8_t *)heap->slabs - base)) return "page map";
  if (at < heap->begin) return "sw_slab";
  for (uint32_t block = registry->first; block != 0;
       block = ((const sw_registry_block *)(const void *)(base + block))->next) {
    if (at >= block && at < block + sizeof(sw_registry_block))
      return at == block ? "sw_registry_block.next" : "sw_registry_block.slot";
  }
  const sw_directory_table *table = (const void *)(base + directory->table);
  if (at >= directory->table && at < directory->table + sizeof(*table) + table->slots * 4u) {
    size_t offset = at - directory->table;
    return offset < sizeof(*table) ? field_of("sw_directory_table", offset) : "sw_directory_table.slot";
  }
  for (uint32_t i = 0; i < table->slots; i++) {
    if (at - table->slot[i] < sizeof(sw_directory_entry)) return field_of("sw_directory_entry", at - table->slot[i]);
  }
  return "new table"; /* which growth fills */
}

/* "struct.field" of an address. */
static const char *name_of(const void *word) {
  size_t at = (size_t)((const uint8_t *)word - base);
  if (heap != NULL && at < region_size) return name_in_heap(at);
  const char *type = "sw_frame";
  size_t offset = at % SW_FRAME_HEADER;
  if (at > region_size) { /* the caller's */
    type = "sw_slice";
  } else if (at < SW_HEADER_BYTES) {
    type = "sw_region_header";
    offset = at;
  } else if (at < SW_READY_AT) {
    type = "sw_endpoint";
    offset = (at - SW_HEADER_BYTES) % sizeof(sw_endpoint);
  } else if (at < SW_INSTANCES_AT) {
    return name_in_set(at);
  } else if (at < SW_HEAP_AT) {
    type = "sw_mutex";
    offset = at - SW_INSTANCES_AT;
  } else if (at < SW_HEAP_AT + offsetof(sw_channel, rings)) {
    type = "sw_channel";
    offset = at - SW_HEAP_AT;
  } else if (at < SW_HEAP_AT + sizeof(sw_channel)) {
    type = "sw_ring";
    offset = (at - SW_HEAP_AT - offsetof(sw_channel, rings)) % sizeof(sw_ring);
  }
  return field_of(type, offset);
}

static void note_repeat(const void *word) {
  const char *name = name_of(word);
  for (size_t i = 0; i < sizeof(KNOWN) / sizeof(*KNOWN); i++) {
    if ((KNOWN[i].call != NULL && !same(KNOWN[i].call, inside)) || !same(KNOWN[i].word, name)) continue;
    KNOWN[i].count++;
    return;
  }
  if (unknown++ < 10) print_error("%s reads %s twice\n", inside, name);
}

uint32_t swi_hostile_word(const void *word, uint32_t real) {
  if (inside == NULL) return real;
  int again = 0;
  for (uint32_t i = 0; i < load_count; i++) again |= loads[i] == word;
  if (again) note_repeat(word);
  else if (load_count < MOST_LOADS) loads[load_count++] = word;
  return real;
}

uint64_t swi_hostile_word64(const void *word, uint64_t real) {
  swi_hostile_word(word, 0);
  return real;
}

bool swi_hostile_race(const uint32_t *word, uint32_t *expected) {
  (void)word, (void)expected;
  return false;
}

bool swi_hostile_race64(const uint64_t *word, uint64_t *expected) {
  (void)word, (void)expected;
  return false;
}

#define CALL(name, ...) (inside = #name, load_count = 0, name(__VA_ARGS__))

/* ---- everything the core can do ---- */

typedef struct host {
  pair t;
  uint64_t random;
  uint32_t other; /* an endpoint that comes and goes */
} host;

static void use_producer(host *h) {
  sw_producer *p = &h->t.p;
  sw_slice slices[8] = {{0, 300}, {1, 200}, {2, 100}, {3, 50}, {4, 4000}, {5, 1}, {6, 0}, {7, 77}};
  uint8_t bytes[600];
  memset(bytes, 1, sizeof(bytes));
  switch (random_next(&h->random) % 7) {
    case 0:
      CALL(sw_producer_send, p, bytes, random_next(&h->random) % sizeof(bytes));
      break;
    case 1:
      if (CALL(sw_producer_reserve, p, random_next(&h->random) % 4096, 3) == NULL) break;
      if (random_next(&h->random) % 4 == 0) CALL(sw_producer_abandon, p);
      else CALL(sw_producer_commit, p, 0);
      break;
    case 2:
      CALL(sw_producer_append_batch, p, slices, 8, 1);
      break;
    case 3:
      CALL(sw_producer_publish, p);
      break;
    case 4:
      CALL(sw_producer_want_space, p, random_next(&h->random) % 4096);
      break;
    case 5:
      CALL(sw_producer_set_slot, p, random_next(&h->random) % (2 * SW_READY_SLOTS));
      break;
    default:
      CALL(sw_producer_used, p);
  }
  inside = NULL;
}

static void use_consumer(host *h) {
  sw_consumer *c = &h->t.c;
  sw_slice slices[16];
  switch (random_next(&h->random) % 7) {
    case 0:
      CALL(sw_consumer_peek, c, slices);
      break;
    case 1:
      CALL(sw_consumer_peek_batch, c, slices, 16);
      break;
    case 2:
      CALL(sw_consumer_release, c);
      break;
    case 3:
      CALL(sw_consumer_ready, c);
      break;
    case 4:
      CALL(sw_consumer_release_first, c, random_next(&h->random) % 8);
      break;
    case 5:
      CALL(sw_consumer_set_slot, c, random_next(&h->random) % (2 * SW_READY_SLOTS));
      break;
    default:
      CALL(sw_consumer_rewind, c);
  }
  inside = NULL;
}

static void use_endpoints(host *h) {
  region *r = &h->t.r;
  uint32_t sleeper = random_next(&h->random) % 2 ? h->t.writer : h->t.reader;
  uint32_t role = CALL(sw_endpoint_role, r->base, sleeper);
  CALL(sw_endpoint_arm, r->base, sleeper, SW_SLEEP_FUTEX);
  CALL(sw_endpoint_is_armed, r->base, sleeper);
  CALL(sw_endpoint_role_alive, r->base, role);
  if (random_next(&h->random) % 2) CALL(sw_endpoint_ring, r->base, role);
  CALL(sw_endpoint_wake_always, r->base, role);
  CALL(sw_channel_ring_holders, r->base, r->size, SW_HEAP_AT, random_next(&h->random) % 2);
  CALL(sw_ready_mark, r->base, sleeper, random_next(&h->random) % SW_READY_SLOTS);
  if (CALL(sw_ready_some, r->base, sleeper)) {
    uint32_t slots[3];
    CALL(sw_ready_take, r->base, sleeper, slots, 3);
  }
  CALL(sw_endpoint_set_skills, r->base, sleeper, SW_WAKES_FUTEX | SW_RELAYS);
  CALL(sw_relay_serve, r->base);
  CALL(sw_endpoint_wake_path, r->base, sleeper, role, SW_SLEEP_FUTEX);
  if (random_next(&h->random) % 8) {
    inside = NULL;
    return;
  }
  CALL(sw_endpoint_release, r->base, h->other);
  h->other = (uint32_t)CALL(sw_endpoint_claim, r->base, sw_prim_pid(), 0, 0);
  CALL(sw_channel_evict, r->base, r->size, SW_HEAP_AT, h->other);
  CALL(sw_channel_check, r->base, r->size, SW_HEAP_AT);
  CALL(sw_region_verify, r->base, r->pages);
  inside = NULL;
}

static void use_mutex(host *h) {
  void *at = h->t.r.base;
  sw_mutex *m = (sw_mutex *)(void *)(h->t.r.base + SW_INSTANCES_AT);
  uint32_t index = random_next(&h->random) % 2 ? h->t.writer : h->t.reader;
  switch (random_next(&h->random) % 8) {
    case 0:
      CALL(sw_mutex_try_lock, at, m, index);
      break;
    case 1:
      CALL(sw_mutex_unlock, at, m, index);
      break;
    case 2:
      CALL(sw_mutex_consistent, at, m, index);
      break;
    case 3:
      CALL(sw_mutex_begin_wait, at, m, index);
      CALL(sw_endpoint_arm, at, index, SW_SLEEP_FUTEX);
      break;
    case 4:
      CALL(sw_mutex_end_wait, at, m, index);
      break;
    case 5:
      CALL(sw_mutex_request_handoff, at, m, index);
      break;
    case 6:
      CALL(sw_mutex_evict_endpoint, at, m, index);
      break;
    default:
      CALL(sw_mutex_evict, at, m, sw_endpoint_role(at, h->other));
      CALL(sw_mutex_holder, m);
      CALL(sw_mutex_check, m);
  }
  inside = NULL;
}

static void reopen(host *h) {
  pair *t = &h->t;
  CALL(sw_producer_leave, &t->p);
  CALL(sw_consumer_leave, &t->c);
  CALL(sw_channel_open_producer, &t->p, t->r.base, t->r.size, SW_HEAP_AT, 0, SW_RENDERER, t->writer);
  CALL(sw_channel_open_consumer, &t->c, t->r.base, t->r.size, SW_HEAP_AT, 0, SW_NATIVE, t->reader);
  inside = NULL;
}

static void no_word_is_read_twice(void **state) {
  (void)state;
  host h = {.random = 5};
  pair_open(&h.t, 4096);
  base = h.t.r.base;
  region_size = (size_t)h.t.r.size;
  h.other = region_claim(&h.t.r);
  for (int i = 0; i < 200000; i++) {
    use_producer(&h);
    use_consumer(&h);
    if (i % 3 == 0) use_endpoints(&h);
    use_mutex(&h);
    if (i % 100 == 0) reopen(&h);
  }
  CALL(sw_producer_close, &h.t.p);
  CALL(sw_consumer_close, &h.t.c);
  inside = NULL;
  for (size_t i = 0; i < sizeof(KNOWN) / sizeof(*KNOWN); i++) {
    if (KNOWN[i].count != 0)
      print_message("%-26s %-21s %s\n", KNOWN[i].call == NULL ? "any" : KNOWN[i].call, KNOWN[i].word, KNOWN[i].why);
  }
  assert_int_equal(unknown, 0);
  pair_close(&h.t);
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
  inside = NULL;
}

static void use_registry(sw_heap *h, uint64_t *random) {
  uint32_t object = h->begin + random_next(random) % 500 * 16;
  uint64_t cursor = random_next(random) % 600;
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
      CALL(sw_registry_remove, h->base, region_size, object, SW_KIND_MEMORY);
      break;
    case 1:
      CALL(sw_registry_next, h->base, region_size, &cursor);
      break;
    default:
      CALL(sw_registry_add, h, object, SW_KIND_MEMORY, NULL);
  }
  inside = NULL;
}

static void no_word_of_objects_is_read_twice(void **state) {
  (void)state;
  heap_scene s;
  uint64_t random = 7;
  heap_scene_open(&s, SMALL_REGION);
  base = s.r.base;
  region_size = (size_t)s.r.size;
  heap = &s.h;
  unknown = 0;
  for (int i = 0; i < 20000; i++) {
    use_names(&s.h, &random);
    if (i % 16 == 0) use_registry(&s.h, &random);
  }
  for (size_t i = 0; i < sizeof(KNOWN) / sizeof(*KNOWN); i++) {
    if (KNOWN[i].count != 0)
      print_message("%-26s %-21s %s\n", KNOWN[i].call == NULL ? "any" : KNOWN[i].call, KNOWN[i].word, KNOWN[i].why);
  }
  assert_int_equal(unknown, 0);
  heap = NULL;
  heap_scene_close(&s);
}

TESTS(TEST(no_word_is_read_twice), TEST(no_word_of_objects_is_read_twice));
