/* Attaching to memory that any process may have filled, of any size: the header, the root, a
 * channel, its rings. */
#include "hostile.h"

/* What a script may decide for itself; the rest is as a good creator leaves it. */
enum { OWN_HEADER = 1, OWN_HASH = 2, OWN_CHANNEL = 4, OWN_SIZE = 8, OWN_ROOT = 16, OWN_PAGES = 32 };

static memory allocate(uint64_t size) {
  memory m = {.base = NULL, .size = size};
  void *at = NULL;
  MUST(posix_memalign(&at, SW_PAGE, size == 0 ? 1 : (size_t)size) == 0);
  m.base = at;
  return m;
}

/* As much of the good region as there is room for. */
static void fill(const memory *m, const memory *good) {
  uint64_t front = SW_HEADER_BYTES + SW_ENDPOINTS * sizeof(sw_endpoint);
  memcpy(m->base, good->base, (size_t)(m->size < front ? m->size : front));
  if (m->size > SW_HEAP_AT) memcpy(m->base + SW_HEAP_AT, good->base + SW_HEAP_AT, (size_t)(m->size - SW_HEAP_AT));
}

static void scribble(uint8_t *at, uint64_t room, uint32_t words) {
  for (uint32_t i = 0; i < words && 4 * (i + 1) <= room; i++) {
    uint32_t word;
    memcpy(&word, at + (size_t)i * 4, 4);
    word = script_edge(word);
    memcpy(at + (size_t)i * 4, &word, 4);
  }
}

static void spoil(const memory *m, uint8_t what) {
  sw_region_header *header = (sw_region_header *)(void *)m->base;
  if (what & OWN_HEADER) scribble(m->base, m->size, 5);
  if (m->size < sizeof(*header)) return;
  if (what & OWN_HASH) header->layout_hash = script_word();
  if (what & OWN_ROOT) header->root = script_edge(SW_HEAP_AT);
  if (!(what & OWN_CHANNEL) || m->size < SW_HEAP_AT) return;
  uint32_t at = SW_LINE * (script_byte() % (sizeof(sw_channel) / SW_LINE));
  if (m->size > SW_HEAP_AT + at) scribble(m->base + SW_HEAP_AT + at, m->size - SW_HEAP_AT - at, 5);
}

static void use(const memory *m, uint32_t offset, uint32_t side, uint32_t index) {
  sw_producer p;
  sw_consumer c;
  sw_slice slice;
  int status;
  CALL(OPEN_LOADS, status = sw_channel_open_producer(&p, m->base, m->size, offset, 0, side, index));
  if (status == SW_OK) {
    check_area(m, p.data, p.capacity);
    uint32_t length = script_length();
    uint8_t *room;
    CALL(8, room = sw_producer_reserve(&p, length, 0));
    if (room != NULL) {
      check_room(&p, room, length);
      MUST((uint64_t)(room - m->base) + length <= m->size);
      memset(room, 0, length);
      CALL(8, sw_producer_push(&p, length));
    }
  }
  CALL(OPEN_LOADS, status = sw_channel_open_consumer(&c, m->base, m->size, offset, 0, side, index));
  if (status != SW_OK) return;
  check_area(m, c.data, c.capacity);
  for (int i = 0; i < 4; i++) {
    CALL(16, status = sw_consumer_peek(&c, &slice));
    if (status == 1) check_slice(&c, m, &slice);
  }
  CALL(8, sw_consumer_release(&c));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  script_begin(data, size);
  memory good = region_for_script();
  uint8_t what = script_byte();
  uint64_t bytes = good.size;
  if (what & OWN_SIZE) bytes = (script_byte() & 1 ? script_edge((uint32_t)good.size) : script_word()) % (good.size + 1);
  memory m = allocate(bytes);
  memory_in_use(m);
  fill(&m, &good);
  spoil(&m, what);
  /* The one length that a host knows is what the system told it, in whole pages; the rest of the
   * last one is guarded here, so a channel must not reach into it. */
  uint32_t pages = (uint32_t)(what & OWN_PAGES ? m.size / SW_PAGE : (m.size + SW_PAGE - 1) / SW_PAGE);
  int status = SW_OK;
  CALL(4, status = m.size < SW_HEADER_BYTES ? SW_ENOTREGION : sw_region_verify(m.base, pages));
  MUST(status == SW_OK || status == SW_ENOTREGION || status == SW_ELAYOUT);
  uint32_t root = m.size < SW_HEADER_BYTES ? SW_HEAP_AT : ((sw_region_header *)(void *)m.base)->root;
  if (m.size >= SW_HEADER_BYTES) {
    uint32_t at;
    CALL(1, at = sw_region_channel(m.base, m.size));
    MUST(at == 0 || (at >= SW_HEAP_AT && at % SW_LINE == 0 && at + sizeof(sw_channel) <= m.size));
  }
  if (status == SW_OK) {
    CALL(2 * OTHER_CAPACITY + 64, sw_channel_check(m.base, m.size, root));
    use(&m, root, script_byte() & 1, script_byte() % SW_ENDPOINTS);
  } else if (m.size < root + sizeof(sw_channel)) {
    /* Refused before a byte is touched. */
    sw_producer p;
    CALL(0, status = sw_channel_open_producer(&p, m.base, m.size, root, 0, SW_RENDERER, 0));
    MUST(status == SW_ERANGE);
  }
  free(m.base);
  return 0;
}
