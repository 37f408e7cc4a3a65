/* Death at each shared access of the calls of queues between peers. What was written for certain is
 * read, each message once and in order; of the call that died there is all or nothing. The next
 * side finds a count that is right. */
#include <signal.h>

#include "crash.h"
#include "sabway/p2p.h"

enum { SLOTS = 4, BYTES = 16 + SLOTS * 512 };

typedef struct p2p_case {
  const char *name;
  void (*act)(void);  /* the child */
  uint32_t fill;      /* messages that are there before */
  uint32_t writes;    /* messages that it writes, at most */
  uint32_t reads;     /* and reads */
  int32_t count_from; /* the count is wrong by that before */
} p2p_case;

static const sw_p2p_options OPTIONS = {.slots = SLOTS, .slot_bytes = 512, .single = 1};
static uint32_t *memory;
static notes *told;
static sw_p2p_writer w;
static sw_p2p_reader r;
static uint32_t written;

static void must_open(void) {
  assert_int_equal(sw_p2p_open_writer(&w, memory, BYTES, &OPTIONS, SW_P2P_INCOMING), SW_OK);
  assert_int_equal(sw_p2p_open_reader(&r, memory, BYTES, &OPTIONS, SW_P2P_INCOMING), SW_OK);
}

static int put_next(void) {
  uint32_t n = written + 1;
  int status = sw_p2p_write(&w, "peer", 4, n, 0, &n, sizeof(n));
  if (status == SW_OK) written = n;
  return status;
}

/* The number of the next message; 0: there is none. */
static uint32_t take(void) {
  sw_p2p_message m;
  uint32_t n = 0;
  if (!sw_p2p_peek(&r, &m)) return 0;
  memcpy(&n, m.data, sizeof(n));
  sw_p2p_consume(&r);
  return m.channel == n && m.length == sizeof(n) ? n : UINT32_MAX;
}

/* ---- what the child does ---- */

static void write_one(void) { MUST(put_next() == SW_OK); }
static void write_full(void) { MUST(put_next() == SW_EFULL); }
static void read_one(void) { MUST(take() != 0); }
static void read_none(void) { MUST(take() == 0); }
static void open_again(void) {
  MUST(sw_p2p_open_writer(&w, memory, BYTES, &OPTIONS, SW_P2P_INCOMING) == SW_OK);
  MUST(sw_p2p_open_reader(&r, memory, BYTES, &OPTIONS, SW_P2P_INCOMING) == SW_OK);
}
static void repair(void) {
  for (int i = 0; i < 3; i++) sw_p2p_writer_repair(&w), sw_p2p_reader_repair(&r);
}

static const p2p_case CASES[] = {
    {"p2p: write to an empty queue", write_one, 0, 1, 0, 0},
    {"p2p: write the last", write_one, SLOTS - 2, 1, 0, 0},
    {"p2p: write to a full queue", write_full, SLOTS - 1, 0, 0, 0},
    {"p2p: read one", read_one, 2, 0, 1, 0},
    {"p2p: read the last", read_one, 1, 0, 1, 0},
    {"p2p: read of a full queue", read_one, SLOTS - 1, 0, 1, 0},
    {"p2p: read of an empty queue", read_none, 0, 0, 0, 2},
    {"p2p: open", open_again, 2, 0, 0, -2},
    {"p2p: put the count right", repair, 2, 0, 0, 1},
};

/* ---- */

static void survive(const p2p_case *what, int died) {
  must_open();
  uint32_t seen = 0, n;
  while ((n = take()) != 0) {
    if (seen == 0) assert_in_range(n, SLOTS + 1, SLOTS + 1 + what->reads);
    else assert_int_equal(n, seen + 1);
    seen = n;
  }
  uint32_t sure = SLOTS + what->fill;
  if (seen == 0) assert_true(what->fill <= what->reads);
  else assert_in_range(seen, sure, sure + what->writes);
  if (!died && what->writes != 0) assert_int_equal(seen, sure + what->writes);
  take();
  assert_int_equal(memory[2], 0);
  assert_int_equal(sw_p2p_check(memory, BYTES, &OPTIONS, SW_P2P_INCOMING), SW_OK);
  assert_in_range(r.skipped, 0, what->reads);
  /* and it goes on */
  written = 100;
  for (uint32_t i = 0; i < SLOTS - 1; i++) assert_int_equal(put_next(), SW_OK);
  assert_int_equal(put_next(), SW_EFULL);
  for (uint32_t i = 1; i < SLOTS; i++) assert_int_equal(take(), 100 + i);
  assert_int_equal(take(), 0);
}

/* 1 when the child was killed. `position`: where the indices are. */
static int die_once(const p2p_case *what, uint32_t position, uint32_t k) {
  memset(told, 0, sizeof(*told));
  assert_int_equal(sw_p2p_format(memory, BYTES, &OPTIONS), SW_OK);
  must_open();
  written = SLOTS - position;
  for (uint32_t i = 0; i < position; i++) assert_int_equal(put_next(), SW_OK), assert_int_not_equal(take(), 0);
  written = SLOTS;
  for (uint32_t i = 0; i < what->fill; i++) assert_int_equal(put_next(), SW_OK);
  memory[2] += (uint32_t)what->count_from;
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    crash_arm(told, k);
    what->act();
    crash_disarm();
    _exit(0);
  }
  bool killed = crash_reap(pid);
  survive(what, killed);
  return killed;
}

static void a_death_anywhere_loses_no_message(void **state) {
  (void)state;
  told = crash_shared(sizeof(*told));
  memory = crash_shared(BYTES);
  uint32_t total = 0;
  for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
    uint32_t points = 0;
    for (uint32_t position = 0; position < SLOTS; position++) {
      uint32_t k = 1;
      while (die_once(&CASES[i], position, k)) k++;
      points += k - 1;
    }
    printf("%-40s %6u points\n", CASES[i].name, points);
    total += points;
  }
  printf("%u crash points, all survived\n", total);
}

TESTS(TEST(a_death_anywhere_loses_no_message));
