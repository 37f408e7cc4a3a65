/* Each row of SW_LAYOUT_FIELDS in turn becomes something else, wherever it stands, after both sides
 * have attached. The bounds that native code goes by are private copies: none of them moves, and
 * what a peer has no say in makes no difference at all. */
#include "../unit/helper.h"
#include "sabway/mutex.h"
#include "sabway/registry.h"

enum { CAPACITY = 4096, SENT = 6 };

static const uint32_t VALUES[] = {0,          1,          7,       8,      12,         255,        4095,     4096,
                                  4104,       8192,       65536,   0x101,  0x102,      0x7fffffff, SW_MAGIC, SW_HEAP_AT,
                                  0x80000000, 0xfffff000, 0u - 16, 0u - 8, 0xdeadbeef, UINT32_MAX};
enum { VALUE_COUNT = sizeof(VALUES) / sizeof(*VALUES) };

typedef struct row {
  const char *type, *field;
  size_t offset, size;
} row;

static const row ROWS[] = {
#define ROW(type, field) {#type, #field, offsetof(type, field), sizeof(((type *)0)->field)},
    SW_LAYOUT_FIELDS(ROW)
#undef ROW
};

/* Words through which one side does speak to the other. */
static const char *const SPOKEN[] = {"sw_frame.length", "sw_frame.info", "sw_ring.closed",
                                     "sw_ring.head",    "sw_ring.tail",  "sw_channel.rings"};

static int is_spoken(const row *at) {
  char name[64];
  snprintf(name, sizeof(name), "%s.%s", at->type, at->field);
  for (size_t i = 0; i < sizeof(SPOKEN) / sizeof(*SPOKEN); i++) {
    if (strcmp(SPOKEN[i], name) == 0) return 1;
  }
  return 0;
}

/* No instance has this block. */
static sw_mutex *mutex_of(const pair *t) { return (sw_mutex *)(void *)(t->r.base + SW_HEAP_AT - SW_INSTANCE_BYTES); }

/* The structures of this region, and how many there are of each. It has no heap: what stands in one
 * is for test_hostile_heap.c, test_hostile_containers.c and test_hostile_map.c. */
static const struct {
  const char *type;
  uint32_t count;
} HERE[] = {{"sw_region_header", 1}, {"sw_endpoint", 2}, {"sw_ring", 2},  {"sw_channel", 1},
            {"sw_frame", 1},         {"sw_ready", 2},    {"sw_mutex", 1}, {"sw_directory", 1},
            {"sw_registry", 1},      {"sw_instance", 1}, {"sw_slice", 2}};

static uint32_t count_of(const char *type) {
  for (size_t i = 0; i < sizeof(HERE) / sizeof(*HERE); i++) {
    if (strcmp(HERE[i].type, type) == 0) return HERE[i].count;
  }
  return 0;
}

static uint8_t *place_of(const pair *t, const char *type, uint32_t i) {
  uint32_t endpoint = i == 0 ? t->writer : t->reader;
  sw_channel *channel = region_channel(&t->r);
  if (strcmp(type, "sw_region_header") == 0) return t->r.base;
  if (strcmp(type, "sw_endpoint") == 0) return t->r.base + SW_HEADER_BYTES + endpoint * sizeof(sw_endpoint);
  if (strcmp(type, "sw_ring") == 0) return (uint8_t *)&channel->rings[i];
  if (strcmp(type, "sw_channel") == 0) return (uint8_t *)channel;
  if (strcmp(type, "sw_frame") == 0) return t->c.data + (t->c.cursor & (CAPACITY - 1));
  if (strcmp(type, "sw_ready") == 0) return t->r.base + SW_READY_AT + endpoint * sizeof(sw_ready);
  if (strcmp(type, "sw_mutex") == 0) return (uint8_t *)mutex_of(t);
  if (strcmp(type, "sw_directory") == 0) return t->r.base + SW_DIRECTORY_AT;
  if (strcmp(type, "sw_registry") == 0) return t->r.base + SW_REGISTRY_AT;
  uint8_t *instance = t->r.base + SW_INSTANCES_AT + t->writer * SW_INSTANCE_BYTES;
  return i == 0 ? instance : instance + offsetof(sw_instance, incoming);
}

static void overwrite(uint8_t *at, size_t size, uint32_t value) {
  for (size_t i = 0; i + 4 <= size; i += 4) memcpy(at + i, &value, 4);
}

static void prepare(pair *t) {
  pair_open(t, CAPACITY);
  pair_advance(t, 3096);
  for (uint32_t i = 0; i < SENT; i++) assert_int_equal(pair_send(t, 200 + i, i), SW_OK);
  sw_consumer_set_slot(&t->c, 5);
  sw_producer_set_slot(&t->p, 4095);
  sw_endpoint_arm(t->r.base, t->reader, SW_SLEEP_FUTEX);
  sw_endpoint_arm(t->r.base, t->writer, SW_SLEEP_FUTEX);
}

static volatile uint8_t touched;

/* Whatever stands in the mutex: it can be locked at last, or says why not. */
static void use_mutex(pair *t) {
  void *base = t->r.base;
  sw_mutex *m = mutex_of(t);
  sw_mutex_begin_wait(base, m, t->writer);
  sw_mutex_request_handoff(base, m, t->reader);
  int status = sw_mutex_lock(base, m, t->reader, 1);
  if (status == SW_EOWNERDEAD) assert_int_equal(sw_mutex_consistent(base, m, t->reader), SW_OK);
  if (status == SW_OK || status == SW_EOWNERDEAD) assert_int_equal(sw_mutex_unlock(base, m, t->reader), SW_OK);
  else assert_true(status == SW_ETIMEDOUT || status == SW_EPOISONED || status == SW_ESTATE);
  sw_mutex_end_wait(base, m, t->writer);
  sw_mutex_end_wait(base, m, t->reader);
  sw_mutex_evict(base, m, sw_endpoint_role(base, t->reader));
  sw_region_evict_role(base, t->r.size, 7 << 8 | 3);
  assert_int_not_equal(sw_mutex_holder(m), sw_endpoint_role(base, t->reader));
}

/* Read and write for several rounds of the ring. Returns the first error, or SW_OK when each
 * message was right. */
static int use(pair *t) {
  uint32_t next = 0, sent = SENT;
  sw_slice slice;
  for (int i = 0; i < 60; i++) {
    int status = sw_consumer_peek(&t->c, &slice);
    if (status < 0) return status;
    if (status == 1) {
      assert_true(slice.offset >= (uint32_t)(t->c.data - t->r.base));
      assert_true(slice.offset + (uint64_t)slice.length <=
                  (uint64_t)(t->c.data - t->r.base) + CAPACITY + SW_RING_SLACK);
      for (uint32_t b = 0; b < slice.length; b++) touched = t->r.base[slice.offset + b];
      if (slice.length != 200 + next || !pattern_holds(t->r.base + slice.offset, slice.length, next)) return SW_EINVAL;
      next++;
    } else if (next != sent) {
      return SW_ESTATE;
    }
    sw_consumer_release(&t->c);
    status = pair_send(t, 200 + sent, sent);
    if (status == SW_OK) sent++;
    else if (status != SW_EFULL) return status;
    sw_producer_want_space(&t->p, 100);
  }
  return SW_OK;
}

static void one(const row *what, uint32_t place, uint32_t value) {
  pair t;
  prepare(&t);
  sw_producer p = t.p;
  sw_consumer c = t.c;
  overwrite(place_of(&t, what->type, place) + what->offset, what->size, value);
  int status = use(&t);
  use_mutex(&t);
  assert_ptr_equal(t.p.base, p.base);
  assert_ptr_equal(t.p.ring, p.ring);
  assert_ptr_equal(t.p.data, p.data);
  assert_ptr_equal(t.c.base, c.base);
  assert_ptr_equal(t.c.ring, c.ring);
  assert_ptr_equal(t.c.data, c.data);
  assert_int_equal(t.p.capacity, CAPACITY);
  assert_int_equal(t.c.capacity, CAPACITY);
  if (status != SW_OK && !is_spoken(what)) fail_msg("%s.%s = %#x: %d", what->type, what->field, value, status);
  if (status == SW_ECORRUPT) assert_true(t.p.status == SW_ECORRUPT || t.c.status == SW_ECORRUPT);
  sw_channel_check(t.r.base, t.r.size, SW_HEAP_AT);
  sw_region_verify(t.r.base, t.r.pages);
  pair_close(&t);
}

static void each_field_in_turn(void **state) {
  (void)state;
  uint32_t fields = 0;
  for (size_t r = 0; r < sizeof(ROWS) / sizeof(*ROWS); r++) {
    uint32_t count = count_of(ROWS[r].type);
    for (uint32_t place = 0; place < count; place++) {
      for (int v = 0; v < VALUE_COUNT; v++) one(&ROWS[r], place, VALUES[v]);
    }
    fields += count != 0;
  }
  print_message("%u fields, %d values each\n", fields, VALUE_COUNT);
  assert_true(fields >= 55);
}

/* Memory of every length: refused before a byte outside is touched, or used within it. */
static void every_truncated_length(void **state) {
  (void)state;
  region good = region_new(CAPACITY, CAPACITY);
  uint64_t needed = SW_HEAP_AT + sw_channel_bytes(CAPACITY, CAPACITY);
  for (uint64_t size = 0; size <= needed; size += size < SW_HEAP_AT - 4096 && size > 4096 ? 4093 : 1) {
    uint8_t *base = NULL;
    assert_int_equal(posix_memalign((void **)&base, SW_LINE, size == 0 ? 1 : (size_t)size), 0);
    if (size > SW_HEAP_AT) {
      memset(base, 0, SW_INSTANCES_AT);
      memcpy(base + SW_HEAP_AT, good.base + SW_HEAP_AT, (size_t)(size - SW_HEAP_AT));
    }
    sw_producer p;
    sw_consumer c;
    int status = sw_channel_open_producer(&p, base, size, SW_HEAP_AT, 0, SW_NATIVE, 0);
    if (size < SW_HEAP_AT + sizeof(sw_channel)) assert_int_equal(status, SW_ERANGE);
    else assert_true(status == SW_OK || status == SW_ECORRUPT);
    if (status == SW_OK) {
      /* the longest that a ring can be asked for */
      uint8_t *room = sw_producer_reserve(&p, CAPACITY, 7);
      assert_true(room + CAPACITY <= base + size);
      memset(room, 1, CAPACITY);
    }
    int other = sw_channel_open_consumer(&c, base, size, SW_HEAP_AT, 0, SW_NATIVE, 0);
    if (size == needed) assert_int_equal(status | other, SW_OK);
    free(base);
  }
  region_free(&good);
}

static void header_of_another_build(void **state) {
  (void)state;
  region r = region_new(CAPACITY, CAPACITY);
  sw_region_header *header = (sw_region_header *)(void *)r.base;
  for (int bit = 0; bit < 32; bit++) {
    header->layout_hash ^= 1u << bit;
    assert_int_equal(sw_region_verify(r.base, r.pages), SW_ELAYOUT);
    header->layout_hash ^= 1u << bit;
    header->magic ^= 1u << bit;
    assert_int_equal(sw_region_verify(r.base, r.pages), SW_ENOTREGION);
    header->magic ^= 1u << bit;
  }
  for (uint32_t pages = 0; pages < r.pages; pages++) {
    assert_int_equal(sw_region_verify(r.base, pages), SW_ENOTREGION);
  }
  assert_int_equal(sw_region_verify(r.base, r.pages), SW_OK);
  region_free(&r);
}

TESTS(TEST(each_field_in_turn), TEST(every_truncated_length), TEST(header_of_another_build));
