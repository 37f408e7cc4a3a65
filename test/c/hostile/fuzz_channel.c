/* Endpoints and roles among liars: claiming, opening, sleeping, ringing, taking over. */
#include "hostile.h"
#include "sabway/ready.h"

enum { OWN = 4 };

typedef struct host {
  memory m;
  int index[OWN]; /* endpoints claimed; -1: none */
  sw_producer p;
  sw_consumer c;
  uint32_t sides[2]; /* that p and c were opened for */
  int open[2];
} host;

/* Each endpoint costs the claim word (twice), the start time (twice) and two races. */
enum { CLAIM_LOADS = SW_ENDPOINTS * 8 };

static uint32_t some_index(const host *t) {
  int index = t->index[script_byte() % OWN];
  return index < 0 ? 0 : (uint32_t)index;
}

static void claim(host *t) {
  int *slot = &t->index[script_byte() % OWN];
  CALL(CLAIM_LOADS, *slot = sw_endpoint_claim(t->m.base, script_word(), script_byte(), 0));
  MUST(*slot == SW_ECROWDED || (*slot >= 0 && *slot < SW_ENDPOINTS));
}

static int is_expected(int status) {
  return status == SW_OK || status == SW_ETAKEN || status == SW_ECLOSED || status == SW_ENOTREGION ||
         status == SW_ERANGE || status == SW_ECORRUPT;
}

static uint32_t some_offset(void) {
  return script_byte() < 192 ? SW_HEAP_AT : script_edge(SW_HEAP_AT) * (script_byte() & 1 ? 1 : SW_LINE);
}

/* A region that lies may pass another place for a channel: there is room for its control block, so
 * that is well. */
static void open_producer(host *t) {
  uint32_t offset = some_offset(), side = script_byte() % 3, index = some_index(t);
  sw_producer made;
  int status;
  CALL(OPEN_LOADS, status = sw_channel_open_producer(&made, t->m.base, t->m.size, offset, 0, side, index));
  MUST(is_expected(status));
  if (status != SW_OK || offset != SW_HEAP_AT) return;
  t->p = made;
  t->sides[0] = side;
  t->open[0] = 1;
}

static void open_consumer(host *t) {
  uint32_t offset = some_offset(), side = script_byte() % 3, index = some_index(t);
  sw_consumer made;
  int status;
  CALL(OPEN_LOADS, status = sw_channel_open_consumer(&made, t->m.base, t->m.size, offset, 0, side, index));
  MUST(is_expected(status));
  if (status != SW_OK || offset != SW_HEAP_AT) return;
  t->c = made;
  t->sides[1] = sw_other_side(side);
  t->open[1] = 1;
}

static void use_producer(host *t) {
  if (!t->open[0]) return;
  uint32_t length = script_length();
  uint8_t *room;
  CALL(4 + RING_LOADS, room = sw_producer_reserve(&t->p, length, 0));
  if (room != NULL) {
    check_room(&t->p, room, length);
    memset(room, 1, length);
    CALL(RING_LOADS, sw_producer_push(&t->p, length));
  }
  if (script_byte() % 8 == 0) CALL(4, sw_producer_leave(&t->p));
}

static void use_consumer(host *t) {
  if (!t->open[1]) return;
  sw_slice slice;
  int status;
  CALL(16 + RING_LOADS, status = sw_consumer_peek(&t->c, &slice));
  if (status == 1) check_slice(&t->c, &t->m, &slice);
  CALL(4 + RING_LOADS, sw_consumer_release(&t->c));
  if (script_byte() % 8 == 0) CALL(4, sw_consumer_leave(&t->c));
}

/* Ring, or look for what was marked. */
static void ring(const host *t, uint32_t role, uint32_t how) {
  enum { MOST = 70 };
  uint32_t slots[MOST], index, most, got;
  switch (how) {
    case 0:
      CALL(RING_LOADS, sw_endpoint_wake_always(t->m.base, role));
      return;
    case 1:
      CALL(RING_LOADS, sw_endpoint_ring(t->m.base, role));
      return;
    case 2:
      CALL(1 + 2 * RING_LOADS, sw_channel_ring_holders(t->m.base, t->m.size, some_offset(), script_byte() % 3));
      return;
    default:
      index = some_index(t);
      CALL(3, sw_ready_mark(t->m.base, index, script_edge(SW_READY_SLOTS)));
      CALL(1, MUST((uint32_t)sw_ready_some(t->m.base, index) <= 1));
      most = script_byte() % (MOST + 1);
      CALL(SW_READY_WORDS + 4, got = sw_ready_take(t->m.base, index, slots, most));
      MUST(got <= most);
      for (uint32_t i = 0; i < got; i++) MUST(slots[i] < SW_READY_SLOTS && (i == 0 || slots[i - 1] < slots[i]));
  }
}

static void step(host *t) {
  uint32_t index, role, word;
  switch (script_byte() % 15) {
    case 0:
      claim(t);
      break;
    case 1:
      sw_endpoint_release(t->m.base, some_index(t));
      break;
    case 2:
      index = some_index(t);
      CALL(1, role = sw_endpoint_role(t->m.base, index));
      MUST(sw_role_index(role) == index);
      break;
    case 3:
      role = script_edge(0x101);
      CALL(8, word = (uint32_t)sw_endpoint_role_alive(t->m.base, role));
      MUST(word <= 1 && (word == 0 || sw_role_index(role) < SW_ENDPOINTS));
      break;
    case 4:
      index = some_index(t);
      CALL(1, sw_endpoint_arm(t->m.base, index, SW_SLEEP_FUTEX + script_byte() % 3));
      CALL(1, sw_endpoint_is_armed(t->m.base, index));
      if (script_byte() & 1) sw_endpoint_disarm(t->m.base, index);
      break;
    case 5:
      role = script_edge(0x101);
      ring(t, role, script_byte() % 4);
      break;
    case 14:
      index = some_index(t);
      role = script_edge(0x101);
      sw_endpoint_set_skills(t->m.base, index, script_byte());
      CALL(4 * SW_ENDPOINTS, sw_relay_serve(t->m.base));
      CALL(3 * SW_ENDPOINTS + 8, sw_endpoint_wake_path(t->m.base, index, role, script_byte() % 4));
      break;
    case 6:
      open_producer(t);
      break;
    case 7:
      open_consumer(t);
      break;
    case 8:
      use_producer(t);
      break;
    case 9:
      use_consumer(t);
      break;
    case 10:
      index = some_index(t);
      CALL(4 + 4 * RING_LOADS, sw_channel_evict(t->m.base, t->m.size, some_offset(), index));
      break;
    case 11:
      CALL(4 * OTHER_CAPACITY, word = (uint32_t)sw_channel_check(t->m.base, t->m.size, some_offset()));
      break;
    case 12:
      CALL(8, sw_region_verify(t->m.base, (uint32_t)((t->m.size + SW_PAGE - 1) / SW_PAGE)));
      break;
    default:
      script_poke(&t->m, script_byte() & 1);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  script_begin(data, size);
  host t = {.m = region_for_script(), .index = {-1, -1, -1, -1}};
  while (!script_ended()) {
    step(&t);
    if (t.open[0]) check_producer(&t.p, &t.m, t.sides[0]);
    if (t.open[1]) check_consumer(&t.c, &t.m, t.sides[1]);
  }
  return 0;
}
