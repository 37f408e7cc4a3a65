/* A consumer whose producer is a liar. */
#include "hostile.h"

enum { MOST = 40 };

typedef struct reader {
  memory m;
  sw_producer honest;
  sw_consumer c;
  int attached;
} reader;

/* The most that a peek of one message may read. It looks again behind padding, of which a liar can
 * have two pieces in a ring; each look reads two words, and a frame's head. Behind padding alone it
 * gives the room back, as sw_consumer_release does. */
enum { PEEK_LOADS = 3 * (2 + 1) + 2 + RING_LOADS };

static void attach(reader *t) {
  sw_consumer made;
  int status;
  CALL(8, status = sw_consumer_attach(&made, t->m.base, t->m.size, ring_of(&t->m, SW_RENDERER), script_byte()));
  MUST(status == SW_OK || status == SW_ECORRUPT);
  if (status != SW_OK) return;
  t->c = made;
  t->attached = 1;
}

static void send(reader *t) {
  uint32_t length = script_length();
  uint8_t *room = sw_producer_reserve(&t->honest, length, script_byte() % SW_ALIGN);
  if (room == NULL) return;
  check_room(&t->honest, room, length);
  memset(room, (int)length, length);
  sw_producer_push(&t->honest, length);
}

static void peek(reader *t) {
  sw_slice slice;
  int corrupt = t->c.status == SW_ECORRUPT, status;
  CALL(PEEK_LOADS, status = sw_consumer_peek(&t->c, &slice));
  MUST(status == 1 || status == 0 || status == SW_ECLOSED || status == SW_ECORRUPT);
  MUST(!corrupt || status == SW_ECORRUPT);
  MUST((status == SW_ECORRUPT) == (t->c.status == SW_ECORRUPT));
  if (status == 1) check_slice(&t->c, &t->m, &slice);
}

static void peek_batch(reader *t) {
  sw_slice slices[MOST];
  uint32_t count = script_byte() % (MOST + 1u);
  int corrupt = t->c.status == SW_ECORRUPT, status;
  CALL(PEEK_LOADS * (count + 1), status = sw_consumer_peek_batch(&t->c, slices, count));
  MUST(status <= (int)count && (!corrupt || status <= 0));
  MUST(status >= 0 || status == SW_ECLOSED || status == SW_ECORRUPT);
  for (int i = 0; i < status; i++) check_slice(&t->c, &t->m, &slices[i]);
}

static void step(reader *t) {
  int ready, status;
  switch (script_byte() % 13) {
    case 0:
    case 1:
      send(t);
      break;
    case 2:
    case 3:
      peek(t);
      break;
    case 4:
    case 5:
      peek_batch(t);
      break;
    case 6:
      if (script_byte() & 1) CALL(4 + RING_LOADS, sw_consumer_release(&t->c));
      else CALL(CAPACITY, sw_consumer_release_first(&t->c, script_byte() % 8));
      break;
    case 7:
      if (script_byte() & 1) sw_consumer_set_slot(&t->c, script_word());
      sw_consumer_rewind(&t->c);
      break;
    case 8:
      CALL(8, ready = sw_consumer_ready(&t->c));
      MUST(ready == 1 || (ready == 0 && t->c.status != SW_ECORRUPT));
      break;
    case 9:
      script_poke(&t->m, SW_RENDERER);
      break;
    case 10:
      CALL(2 * CAPACITY, status = sw_ring_check(t->m.base, t->m.size, ring_of(&t->m, SW_RENDERER)));
      MUST(status == SW_OK || status == SW_ECORRUPT);
      break;
    case 11:
      CALL(2, MUST(sw_consumer_used(&t->c) <= t->c.capacity));
      break;
    default:
      if (script_byte() % 4 == 0) CALL(2 + RING_LOADS, sw_consumer_close(&t->c));
      else attach(t);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  script_begin(data, size);
  reader t = {.m = region_for_script()};
  sw_ring *ring = ring_of(&t.m, SW_RENDERER);
  ring->head = ring->tail = script_edge(0) & ~(uint32_t)(SW_ALIGN - 1);
  MUST(sw_producer_attach(&t.honest, t.m.base, t.m.size, ring, 0) == SW_OK);
  MUST(sw_consumer_attach(&t.c, t.m.base, t.m.size, ring, 0) == SW_OK);
  while (!script_ended()) {
    step(&t);
    check_consumer(&t.c, &t.m, SW_RENDERER);
  }
  return 0;
}
