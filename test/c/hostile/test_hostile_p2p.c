/* Queues between peers, one side of which is hostile: each word becomes something else, or turns
 * out to be something else when it is read, above all when it is read a second time. Calls may
 * refuse and messages be anything; but each call ends, what it shows lies inside one slot, and none
 * reads or writes outside of the queue, around which lie pages without access. */
#include <sys/mman.h>

#include "../unit/helper.h"
#include "lying_peer.h"
#include "sabway/p2p.h"

enum { SLOTS = 7, PAGE = 65536 };

/* ---- the peer ---- */

lying_peer peer = {.most_loads = 100000};

uint32_t lie(uint32_t real) {
  uint32_t random = random_next(&peer.random);
  switch (random % 8) {
    case 0:
      return real + 1;
    case 1:
      return real ^ 1u << (random >> 8) % 32;
    case 2:
      return (random >> 8) % (2 * SLOTS);
    case 3:
      return 0;
    case 4:
      return UINT32_MAX;
    case 5: /* about a slot's size */
      return 460 + (random >> 8) % 60;
    case 6:
      return real - 1;
    default:
      return random_next(&peer.random);
  }
}

/* ---- a queue that ends at a wall, or begins at one ---- */

typedef struct walled {
  uint8_t *whole, *base;
  uint64_t bytes;
  sw_p2p_options options;
  sw_p2p_writer w[2];
  sw_p2p_reader r[2];
  uint32_t sides; /* directions */
} walled;

static void open_all(walled *t) {
  for (uint32_t i = 0; i < t->sides; i++) {
    sw_p2p_writer w;
    sw_p2p_reader r;
    /* one that cannot be opened has the handle of before */
    if (sw_p2p_open_writer(&w, t->base, t->bytes, &t->options, i) == SW_OK) t->w[i] = w;
    if (sw_p2p_open_reader(&r, t->base, t->bytes, &t->options, i) == SW_OK) t->r[i] = r;
  }
}

static void walled_open(walled *t, uint32_t form) {
  peer.lies = 0;
  peer.loads = 0;
  *t = (walled){.options = {.slots = SLOTS,
                            .slot_bytes = form & 1 ? 512 : 1024,
                            .version = form & 2 ? SW_P2P_TIMED : SW_P2P_PLAIN,
                            .single = form >> 2 & 1}};
  t->sides = 2 - t->options.single;
  t->bytes = sw_p2p_bytes(&t->options);
  t->whole = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_ptr_not_equal(t->whole, MAP_FAILED);
  assert_int_equal(mprotect(t->whole + PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
  t->base = t->whole + PAGE + (form & 8 ? PAGE - t->bytes : 0);
  assert_int_equal(sw_p2p_format(t->base, t->bytes, &t->options), SW_OK);
  open_all(t);
}

static void walled_close(walled *t) { munmap(t->whole, 3 * PAGE); }

/* ---- calls ---- */

static void expect_inside(const walled *t, const sw_p2p_reader *r, const sw_p2p_message *m) {
  uint64_t at = (uint64_t)(m->from - r->side.slots), slot = at / t->options.slot_bytes;
  assert_true(slot < SLOTS && at % t->options.slot_bytes == 4);
  assert_ptr_equal(m->data, m->from + r->side.head_bytes);
  assert_true((uint64_t)(m->data - r->side.slots) + m->length <= (slot + 1) * t->options.slot_bytes);
}

static void step(walled *t, uint64_t *random) {
  static uint8_t data[1100];
  uint32_t i = random_next(random) % t->sides, length = random_next(random) % 1100;
  sw_p2p_writer *w = &t->w[i];
  sw_p2p_reader *r = &t->r[i];
  sw_p2p_message m;
  uint8_t *room;
  peer.loads = 0;
  switch (random_next(random) % 8) {
    case 0:
      sw_p2p_writer_repair(w), sw_p2p_reader_repair(r);
      break;
    case 1:
      assert_true(sw_p2p_room(w) < SLOTS && sw_p2p_pending(r) <= SLOTS);
      break;
    case 2:
      room = sw_p2p_reserve(w, length);
      if (room != NULL) memset(room, 7, length);
      if (random_next(random) % 2 == 0) sw_p2p_commit(w, "abc", 3, 1, 2, random_next(random) % 1100);
      break;
    case 3:
    case 4:
      sw_p2p_write(w, "somewhere", 9, 5, 6, data, length);
      break;
    case 5:
      sw_p2p_check(t->base, t->bytes, &t->options, i);
      break;
    default:
      if (sw_p2p_peek(r, &m)) expect_inside(t, r, &m);
      if (random_next(random) % 4 != 0) sw_p2p_consume(r);
  }
  assert_true(w->side.index < SLOTS && r->side.index < SLOTS && w->used <= SLOTS && w->read < SLOTS);
}

/* ---- words that become something else ---- */

static const uint32_t VALUES[] = {0,   1,   2,   SLOTS - 1, SLOTS, SLOTS + 1, 39,         40,         48,
                                  507, 508, 509, 1020,      1021,  0xffff,    0x7fffffff, UINT32_MAX, 0x80000000};

static void every_word_can_be_anything(void **state) {
  (void)state;
  for (uint32_t form = 0; form < 16; form++) {
    for (size_t v = 0; v < sizeof(VALUES) / sizeof(*VALUES); v++) {
      for (uint32_t at = 0; at < 24; at++) {
        walled t;
        walled_open(&t, form);
        uint64_t random = at * 31 + v + 1;
        for (int i = 0; i < 20; i++) step(&t, &random);
        /* the headers, and the first words of some slot */
        uint32_t heads = 4 * t.sides, place = at < heads ? at : heads + (at - heads) % 12;
        uint32_t slot = random_next(&random) % (SLOTS * t.sides);
        if (at >= heads) place += slot * t.options.slot_bytes / 4;
        memcpy(t.base + 4 * place, &VALUES[v], 4);
        if (v % 2 == 0) open_all(&t);
        for (int i = 0; i < 60; i++) step(&t, &random);
        walled_close(&t);
      }
    }
  }
}

/* ---- words that are read as something else ---- */

static void every_read_can_be_a_lie(void **state) {
  (void)state;
  static const int RARE[] = {1000, 100, 20, 5};
  for (uint64_t seed = 1; seed <= 1600; seed++) {
    walled t;
    walled_open(&t, seed % 16);
    uint64_t random = seed;
    peer.random = seed;
    peer.lies = RARE[seed / 16 % 4];
    for (int i = 0; i < 200; i++) {
      step(&t, &random);
      if (i % 50 == 49) open_all(&t);
    }
    walled_close(&t);
  }
}

TESTS(TEST(every_word_can_be_anything), TEST(every_read_can_be_a_lie));
