/* A producer whose consumer is a liar. */
#include "hostile.h"

enum { MOST = 20 };

typedef struct writer {
  memory m;
  sw_producer p;
  sw_consumer honest;
  uint8_t *room; /* of the open reservation */
  uint32_t length;
} writer;

static int is_expected(int status) {
  return status == SW_EFULL || status == SW_ETOOBIG || status == SW_ECLOSED || status == SW_ESTATE ||
         status == SW_EINVAL || status == SW_ECORRUPT;
}

static void attach(writer *t) {
  sw_producer made;
  int status;
  CALL(8, status = sw_producer_attach(&made, t->m.base, t->m.size, ring_of(&t->m, SW_RENDERER), script_byte()));
  MUST(status == SW_OK || status == SW_ECORRUPT);
  if (status != SW_OK) return;
  t->p = made;
  t->room = NULL;
}

static void reserve(writer *t) {
  uint32_t length = script_length(), lead = script_byte() % 10;
  int corrupt = t->p.status == SW_ECORRUPT;
  uint8_t *room;
  CALL(4 + RING_LOADS, room = sw_producer_reserve(&t->p, length, lead));
  MUST(room != NULL ? t->p.status == SW_OK : is_expected(t->p.status));
  MUST(!corrupt || (room == NULL && t->p.status == SW_ECORRUPT));
  MUST(t->room == NULL || room == NULL);
  if (room == NULL) return;
  MUST(lead < SW_ALIGN && (uint32_t)(room - t->p.data) % SW_ALIGN == lead);
  check_room(&t->p, room, length);
  memset(room, (int)length, length);
  t->room = room;
  t->length = length;
}

/* More than was reserved, or nothing reserved, is refused; a peer cannot make what fits be
 * refused. */
static void commit(writer *t, int publish) {
  uint32_t length = script_edge(t->length);
  int status;
  CALL(RING_LOADS, status = publish ? sw_producer_push(&t->p, length) : sw_producer_commit(&t->p, length));
  if (t->room == NULL) MUST(status == SW_ESTATE);
  else MUST(status == (length > t->length ? SW_ERANGE : SW_OK));
  if (status == SW_OK) t->room = NULL;
}

/* The offer is made of private copies: no peer can stretch it. */
static void append(writer *t) {
  uint32_t room = t->p.room, length = script_edge(room);
  int status;
  if (room != 0) {
    MUST(t->room == NULL && t->p.status != SW_ECORRUPT);
    check_room(&t->p, t->m.base + t->p.next, room);
    memset(t->m.base + t->p.next, (int)length, room);
  }
  CALL(2 + RING_LOADS, status = sw_producer_append(&t->p, length, 1));
  MUST(status == SW_ECLOSED ||
       (length > room ? status == SW_EFULL : status == SW_OK || (room == 0 && status == SW_EFULL)));
}

static void send(writer *t) {
  static const uint8_t BYTES[CAPACITY];
  uint32_t length = script_length();
  if (length > CAPACITY) length = CAPACITY;
  int status;
  CALL(4 + 2 * RING_LOADS, status = sw_producer_send(&t->p, BYTES, length));
  MUST(status == SW_OK || is_expected(status));
}

/* In wasm the table of slices is shared as well. */
static void append_batch(writer *t) {
  sw_slice slices[MOST];
  uint32_t room = t->p.room, head = t->p.head, count = script_byte() % (MOST + 1u), got;
  for (uint32_t i = 0; i < count; i++) slices[i] = (sw_slice){script_byte() % 10, script_length()};
  if (room != 0) memset(t->m.base + t->p.next, (int)count, room);
  CALL(2 * count + 2 + RING_LOADS, got = sw_producer_append_batch(&t->p, slices, count, script_byte() % 2));
  MUST(got <= count && ((room != 0 && t->room == NULL) || got == 0));
  MUST(t->p.head - head <= (room == 0 ? 0 : room + SW_FRAME_HEADER));
}

static void want_space(writer *t) {
  uint32_t length = script_length();
  int fits;
  if (length > t->p.capacity) length = t->p.capacity;
  CALL(8, fits = sw_producer_want_space(&t->p, length));
  MUST(fits == 0 || fits == 1);
  MUST(fits == 1 || t->p.status != SW_ECORRUPT); /* a sleeper on a broken ring would never wake */
}

static void drain(writer *t) {
  sw_slice slice;
  for (uint32_t i = script_byte() % 8; i > 0 && sw_consumer_peek(&t->honest, &slice) == 1; i--) {
    touch(t->m.base + slice.offset, slice.length);
  }
  sw_consumer_release(&t->honest);
}

static void step(writer *t) {
  int status;
  switch (script_byte() % 15) {
    case 0:
    case 1:
      reserve(t);
      break;
    case 2:
      commit(t, 0);
      break;
    case 3:
      commit(t, 1);
      break;
    case 4:
      status = sw_producer_abandon(&t->p);
      MUST(status == (t->room == NULL ? SW_ESTATE : SW_OK));
      t->room = NULL;
      break;
    case 5:
      CALL(RING_LOADS, sw_producer_publish(&t->p));
      break;
    case 6:
      send(t);
      break;
    case 7:
      append_batch(t);
      break;
    case 8:
      want_space(t);
      break;
    case 9:
      CALL(4, MUST(sw_producer_used(&t->p) <= t->p.capacity));
      break;
    case 10:
      append(t);
      break;
    case 11:
      script_poke(&t->m, SW_RENDERER);
      break;
    case 12:
      sw_producer_set_slot(&t->p, script_word());
      drain(t);
      break;
    case 13:
      drain(t);
      break;
    default:
      if (script_byte() % 4 == 0) CALL(2 + 2 * RING_LOADS, sw_producer_close(&t->p));
      else attach(t);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  script_begin(data, size);
  writer t = {.m = region_for_script()};
  sw_ring *ring = ring_of(&t.m, SW_RENDERER);
  ring->head = ring->tail = script_edge(0) & ~(uint32_t)(SW_ALIGN - 1);
  MUST(sw_producer_attach(&t.p, t.m.base, t.m.size, ring, 0) == SW_OK);
  MUST(sw_consumer_attach(&t.honest, t.m.base, t.m.size, ring, 0) == SW_OK);
  while (!script_ended()) {
    step(&t);
    check_producer(&t.p, &t.m, SW_RENDERER);
  }
  return 0;
}
