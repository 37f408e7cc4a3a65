#include "hostile.h"

#include "hostile_hooks.h"
#include "prim/prim.h"

static const uint8_t *script;
static size_t script_size, script_at;
static int lies_twice; /* the second read of a word in one call is always a lie */

static const uint32_t EDGES[] = {0,          1,          4,          7,          8,          12,         16,
                                 63,         64,         255,        4088,       4096,       4097,       4104,
                                 8192,       65536,      0x100,      0x1ff,      0x201,      0x102,      0x1001,
                                 0x7ffffff8, 0x7fffffff, 0x80000000, 0x80000008, 0xfffff000, 0xffffeff8, 0xfffffff0,
                                 0xfffffff8, 0xffffffff, SW_HEAP_AT, SW_MAGIC};
enum { EDGE_COUNT = sizeof(EDGES) / sizeof(*EDGES) };

void must(int holds, const char *what, const char *file, int line) {
  if (holds) return;
  fprintf(stderr, "%s:%d: not %s\n", file, line, what);
  abort();
}

/* ---- the script ---- */

void script_begin(const uint8_t *data, size_t size) {
  script = data;
  script_size = size;
  script_at = 0;
  lies_twice = script_byte() & 1;
}

int script_ended(void) { return script_at >= script_size; }

uint8_t script_byte(void) { return script_at < script_size ? script[script_at++] : 0; }

uint32_t script_word(void) {
  uint32_t word = 0;
  for (int i = 0; i < 4; i++) word = word << 8 | script_byte();
  return word;
}

uint32_t script_edge(uint32_t near) {
  uint8_t how = script_byte();
  if (how < 64) return near + (uint32_t)script_byte() - 128;
  if (how < 128) return near + 8 * ((uint32_t)script_byte() - 128);
  if (how < 192) return EDGES[script_byte() % EDGE_COUNT];
  if (how < 224) return near + EDGES[script_byte() % EDGE_COUNT];
  return script_word();
}

uint32_t script_length(void) {
  uint8_t how = script_byte();
  if (how < 200) return how;
  if (how < 240) return CAPACITY / 64 * script_byte();
  return CAPACITY - 20u + script_byte();
}

/* ---- calls, and the words in them ---- */

enum { REMEMBERED = 64 };

static struct {
  int inside;
  uint32_t loads, limit;
  const void *seen[REMEMBERED];
} call;

void call_begin(uint32_t limit) {
  call.inside = 1;
  call.loads = 0;
  call.limit = limit;
}

void call_end(void) { call.inside = 0; }

/* Has this call read the word before? */
static int again(const void *word) {
  uint32_t known = call.loads < REMEMBERED ? call.loads : REMEMBERED;
  int found = 0;
  for (uint32_t i = 0; i < known; i++) found |= call.seen[i] == word;
  call.seen[call.loads++ % REMEMBERED] = word;
  MUST(call.loads <= call.limit);
  return found;
}

uint32_t swi_hostile_word(const void *word, uint32_t real) {
  if (!call.inside) return real;
  int second = again(word);
  if (script_ended()) return real;
  if (second && lies_twice) return script_edge(real ^ script_byte());
  uint8_t how = script_byte();
  return how < 128 ? real : script_edge(real);
}

/* One of its halves, or both, is what swi_hostile_word makes of it. */
uint64_t swi_hostile_word64(const void *word, uint64_t real) {
  if (!call.inside) return real;
  uint32_t low = swi_hostile_word(word, (uint32_t)real), high = (uint32_t)(real >> 32);
  if (low != (uint32_t)real || (!script_ended() && script_byte() >= 128)) high = script_edge(high);
  return (uint64_t)high << 32 | low;
}

bool swi_hostile_race(const uint32_t *word, uint32_t *expected) {
  if (!call.inside || script_byte() < 224) return false;
  *expected = swi_hostile_word(word, *word);
  return true;
}

bool swi_hostile_race64(const uint64_t *word, uint64_t *expected) {
  if (!call.inside || script_byte() < 224) return false;
  *expected = swi_hostile_word64(word, *word);
  return true;
}

/* ---- the operating system, which the fuzzer is as well ---- */

static memory region, in_use;

void memory_in_use(memory m) { in_use = m; }

int sw_prim_wake(uint32_t *doorbell, uint32_t how) {
  uint64_t at = (uint64_t)((uint8_t *)doorbell - in_use.base);
  MUST(at >= SW_HEADER_BYTES && at < SW_HEADER_BYTES + SW_ENDPOINTS * sizeof(sw_endpoint));
  MUST((at - SW_HEADER_BYTES) % sizeof(sw_endpoint) == offsetof(sw_endpoint, doorbell));
  if (how != SW_SLEEP_ATOMICS) return 1;
  call.limit += 4 * SW_ENDPOINTS; /* it may look for a relay */
  return 0;
}

int sw_prim_process_alive(uint32_t pid, uint32_t start_low, uint32_t start_high) {
  (void)start_low, (void)start_high;
  if (!call.inside || script_ended()) return pid != 0;
  return script_byte() & 1;
}

/* Gives nothing back: a script's next one finds the bytes as they were. */
uint64_t sw_prim_discard(void *from, uint64_t bytes) {
  (void)from, (void)bytes;
  return 0;
}

/* ---- memory ---- */

memory region_for_script(void) {
  uint64_t channel = sw_channel_bytes(CAPACITY, OTHER_CAPACITY);
  if (region.base == NULL) {
    void *at = NULL;
    region.size = SW_HEAP_AT + channel; /* the rest of its last page is not there */
    MUST(posix_memalign(&at, SW_PAGE, (size_t)region.size) == 0);
    region.base = at;
    memset(region.base, 0, (size_t)region.size);
  }
  memset(region.base, 0, SW_HEADER_BYTES + SW_ENDPOINTS * sizeof(sw_endpoint));
  memset(region.base + SW_HEAP_AT, 0, (size_t)channel);
  uint32_t pages = (uint32_t)((region.size + SW_PAGE - 1) / SW_PAGE);
  MUST(sw_region_format(region.base, pages, CAPACITY, OTHER_CAPACITY) == SW_OK);
  memory_in_use(region);
  return region;
}

sw_ring *ring_of(const memory *m, uint32_t side) {
  return &((sw_channel *)(void *)(m->base + SW_HEAP_AT))->rings[side];
}

static void poke(uint8_t *at) {
  uint32_t word;
  memcpy(&word, at, 4);
  word = script_edge(word);
  memcpy(at, &word, 4);
}

void script_poke(const memory *m, uint32_t side) {
  uint32_t where = script_byte();
  uint8_t *ring = (uint8_t *)ring_of(m, side);
  uint8_t *data = m->base + SW_HEAP_AT + sizeof(sw_channel);
  uint8_t *endpoints = m->base + SW_HEADER_BYTES;
  if (where < 64) poke(ring + where % 5 * 4); /* capacity, data, producer, consumer, closed */
  else if (where < 128) poke(ring + (1 + where % 3) * SW_LINE);
  else if (where < 192) poke(data + 8u * script_byte() + where % 2 * 4);
  else if (where < 240) poke(endpoints + where % 3 * sizeof(sw_endpoint) + (uint32_t)script_byte() % 3 * SW_LINE);
  else poke(m->base + SW_HEAP_AT);
}

static volatile uint8_t sum; /* so that the reads are made */

void touch(const uint8_t *bytes, uint32_t length) {
  uint8_t all = 0;
  for (uint32_t i = 0; i < length; i++) all = (uint8_t)(all + bytes[i]);
  sum = all;
}

/* ---- what must hold ---- */

static uint32_t capacity_of(uint32_t side) { return side == SW_RENDERER ? CAPACITY : OTHER_CAPACITY; }

void check_area(const memory *m, const uint8_t *data, uint32_t capacity) {
  MUST(capacity >= SW_RING_MIN && capacity <= SW_RING_MAX && (capacity & (capacity - 1)) == 0);
  uint64_t at = (uint64_t)(data - m->base);
  MUST(at >= SW_HEAP_AT && at % SW_LINE == 0 && at + capacity + SW_RING_SLACK <= m->size);
}

void check_producer(const sw_producer *p, const memory *m, uint32_t side) {
  MUST(p->base == m->base && p->ring == ring_of(m, side));
  check_area(m, p->data, p->capacity);
  MUST(p->capacity <= capacity_of(SW_NATIVE));
  MUST(p->head - p->tail_seen <= p->capacity);
  MUST(p->published - p->tail_seen <= p->head - p->tail_seen);
  MUST((p->head | p->published | p->tail_seen) % SW_ALIGN == 0);
}

void check_consumer(const sw_consumer *c, const memory *m, uint32_t side) {
  MUST(c->base == m->base && c->ring == ring_of(m, side));
  check_area(m, c->data, c->capacity);
  MUST(c->capacity <= capacity_of(SW_NATIVE));
  MUST(c->head_seen - c->tail <= c->capacity);
  MUST(c->cursor - c->tail <= c->head_seen - c->tail);
  MUST((c->head_seen | c->cursor | c->tail) % SW_ALIGN == 0);
}

void check_slice(const sw_consumer *c, const memory *m, const sw_slice *slice) {
  uint64_t data = (uint64_t)(c->data - m->base);
  MUST(slice->offset >= data + SW_FRAME_HEADER);
  MUST((uint64_t)slice->offset + slice->length <= data + c->capacity + SW_RING_SLACK);
  touch(m->base + slice->offset, slice->length);
}

void check_room(const sw_producer *p, const uint8_t *room, uint32_t length) {
  MUST(room >= p->data + SW_FRAME_HEADER);
  MUST((uint64_t)(room - p->data) + length <= (uint64_t)p->capacity + SW_RING_SLACK);
}
