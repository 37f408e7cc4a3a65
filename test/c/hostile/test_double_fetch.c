/* Which words does one call of the core read twice? A peer can change a word between two reads, so
 * each of the few cases needs a reason, which stands in the table below. A new one fails the test
 * until it is mended or explained. */
#include "../unit/helper.h"
#include "double_fetch.h"
#include "sabway/mutex.h"
#include "sabway/ready.h"

static repeat KNOWN[] = {
    {"sw_producer_reserve", "sw_ring.tail",
     "room for the padding, then for the frame: the new value is bounded by itself", 0},
    {"sw_producer_send", "sw_ring.tail", "as sw_producer_reserve", 0},
    {"sw_consumer_peek", "sw_ring.head", "looks again behind padding: the new value is bounded by itself", 0},
    {"sw_consumer_peek", "sw_ring.closed", "a sign, not a number", 0},
    {"sw_consumer_peek_batch", "sw_ring.head", "as sw_consumer_peek", 0},
    {"sw_consumer_peek_batch", "sw_ring.closed", "a sign, not a number", 0},
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
    {NULL, "sw_endpoint.doorbell", "counted up for each ring; what it was only names the ring", 0},
    {NULL, "sw_endpoint.skills", "a hint: which endpoint to ring", 0},
    {NULL, "sw_endpoint.pid", "looked at anew by the next walk, and compared with zero only", 0},
    {NULL, "sw_endpoint.epoch", "as above", 0},
    {NULL, "sw_ready.word", "a bit is set in it unless it was seen; what is taken is one value", 0},
    {NULL, "sw_ready.some", "as above", 0},
};

static uint8_t *base;
static size_t region_size;

static const char *name_in_set(size_t at) {
  size_t offset = (at - SW_READY_AT) % sizeof(sw_ready);
  return field_of("sw_ready", offset < offsetof(sw_ready, word) ? offset : offsetof(sw_ready, word));
}

/* "struct.field" of an address. */
static const char *name_of(const void *word) {
  size_t at = (size_t)((const uint8_t *)word - base);
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
  fetch_call(NULL);
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
  fetch_call(NULL);
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
    fetch_call(NULL);
    return;
  }
  CALL(sw_endpoint_release, r->base, h->other);
  h->other = (uint32_t)CALL(sw_endpoint_claim, r->base, sw_prim_pid(), 0, 0);
  CALL(sw_channel_evict, r->base, r->size, SW_HEAP_AT, h->other);
  CALL(sw_channel_check, r->base, r->size, SW_HEAP_AT);
  CALL(sw_region_verify, r->base, r->pages);
  fetch_call(NULL);
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
  fetch_call(NULL);
}

static void reopen(host *h) {
  pair *t = &h->t;
  CALL(sw_producer_leave, &t->p);
  CALL(sw_consumer_leave, &t->c);
  CALL(sw_channel_open_producer, &t->p, t->r.base, t->r.size, SW_HEAP_AT, 0, SW_RENDERER, t->writer);
  CALL(sw_channel_open_consumer, &t->c, t->r.base, t->r.size, SW_HEAP_AT, 0, SW_NATIVE, t->reader);
  fetch_call(NULL);
}

static void no_word_is_read_twice(void **state) {
  (void)state;
  host h = {.random = 5};
  pair_open(&h.t, 4096);
  base = h.t.r.base;
  region_size = (size_t)h.t.r.size;
  h.other = region_claim(&h.t.r);
  fetch_begin(KNOWN, sizeof(KNOWN) / sizeof(*KNOWN), name_of);
  for (int i = 0; i < 200000; i++) {
    use_producer(&h);
    use_consumer(&h);
    if (i % 3 == 0) use_endpoints(&h);
    use_mutex(&h);
    if (i % 100 == 0) reopen(&h);
  }
  CALL(sw_producer_close, &h.t.p);
  CALL(sw_consumer_close, &h.t.c);
  fetch_call(NULL);
  fetch_end();
  fetch_need_all(KNOWN, sizeof(KNOWN) / sizeof(*KNOWN));
  pair_close(&h.t);
}

TESTS(TEST(no_word_is_read_twice));
