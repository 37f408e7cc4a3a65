/* Queues between peers: messages arrive whole, in order, once; the count is right in the end. */
#include "sabway/p2p.h"
#include "scenes.h"

enum { LENGTH = 4 };

static struct {
  sw_p2p_options options;
  sw_p2p_writer w;
  sw_p2p_reader r;
  uint32_t written, seen;
} q;

static sw_p2p_header *header(void) { return (sw_p2p_header *)(void *)model_region(); }

static void open_both(void) {
  model_check(sw_p2p_open_writer(&q.w, model_region(), REGION_BYTES, &q.options, SW_P2P_INCOMING) == SW_OK);
  model_check(sw_p2p_open_reader(&q.r, model_region(), REGION_BYTES, &q.options, SW_P2P_INCOMING) == SW_OK);
}

static void make(uint32_t slots) {
  world_empty();
  q.options = (sw_p2p_options){.slots = slots, .slot_bytes = SW_P2P_SLOT_SMALL, .single = 1};
  q.written = q.seen = 0;
  model_snapshot(&q, sizeof(q));
  model_check(sw_p2p_format(model_region(), REGION_BYTES, &q.options) == SW_OK);
  open_both();
}

static bool put(void) {
  uint8_t *room = sw_p2p_reserve(&q.w, LENGTH);
  if (room == NULL) {
    model_mark(FULL);
    return false;
  }
  model_data_write(room, ++q.written);
  model_check(sw_p2p_commit(&q.w, "a", 1, 7, 0, LENGTH) == SW_OK);
  return true;
}

static bool take(void) {
  sw_p2p_message m;
  if (!sw_p2p_peek(&q.r, &m)) return false;
  model_check(m.channel == 7 && m.length == LENGTH);
  model_check(model_data_read(m.data) == ++q.seen);
  sw_p2p_consume(&q.r);
  model_mark(q.seen == 1 ? FIRST : SECOND);
  return true;
}

static void setup_two(void) { make(2); }
static void setup_four(void) {
  make(4);
  put();
}
/* Another's writer has filled all slots. */
static void setup_filled(void) {
  make(2);
  put();
  q.w.used = 0;
  put();
  header()->message_count = 2;
  open_both();
  model_check(q.w.used == 2);
}
/* Another's reader has written an old count back, which was seen once. */
static void setup_wrong_count(void) {
  make(4);
  put();
  put();
  header()->message_count = 0;
  model_check(!sw_p2p_writer_repair(&q.w));
}

static void put_three(void) {
  for (int tries = 0; tries < 3; tries++) put();
}
static void put_one(void) { put(); }
static void put_behind_others(void) {
  if (put()) model_mark(BOTH);
}
static void take_three(void) {
  for (int tries = 0; tries < 3; tries++) take();
}
static void take_two(void) {
  take();
  take();
}
static void take_one(void) { model_check(take()); }
static void repair(void) {
  if (sw_p2p_writer_repair(&q.w)) model_mark(APPENDED);
}

static uint32_t count_of_all(void) { return q.written - q.seen; }

/* What is left is whole, and arrives. */
static void the_rest_arrives(void) {
  sw_p2p_message m;
  while (count_of_all() != 0) {
    model_check(sw_p2p_peek(&q.r, &m));
    q.seen++;
    sw_p2p_consume(&q.r);
  }
  model_check(!sw_p2p_peek(&q.r, &m));
  model_check(q.r.skipped == 0 && q.r.side.bad == 0 && q.w.side.bad == 0);
}
static void the_count_is_right(void) {
  model_check(header()->message_count == count_of_all());
  the_rest_arrives();
}
static void the_count_is_right_or_as_before(void) {
  uint32_t count = header()->message_count;
  model_check(count == count_of_all() || count + 2 == count_of_all());
}

const model_scenario scenes_p2p[] = {{.name = "p2p: a slot is written again",
                                      .setup = setup_two,
                                      .threads = {put_three, take_three},
                                      .finish = the_rest_arrives,
                                      .marks = FULL | FIRST | SECOND},
                                     {.name = "p2p: written and read at once",
                                      .setup = setup_four,
                                      .threads = {put_one, take_one},
                                      .finish = the_count_is_right,
                                      .sc = true,
                                      .marks = FIRST},
                                     {.name = "p2p: all slots were filled by others",
                                      .setup = setup_filled,
                                      .threads = {put_behind_others, take_two},
                                      .finish = the_rest_arrives,
                                      .marks = FULL | FIRST | SECOND | BOTH},
                                     {.name = "p2p: the count is put right while a message is read",
                                      .setup = setup_wrong_count,
                                      .threads = {repair, take_one},
                                      .finish = the_count_is_right_or_as_before,
                                      .marks = FIRST | APPENDED},
                                     {.name = NULL}};
