/* Is the explorer right? Small programs whose allowed outcomes are known: all of them must be seen
 * and no other. The names are those of the literature (Alglave, Maranget, Tautschnig, "Herding
 * Cats", TOPLAS 2014; C11 outcomes after Lahav et al., "Repairing Sequential Consistency in
 * C/C++11", PLDI 2017).
 *
 * Then random programs, each walked with and without partial order reduction: the outcomes must be
 * the same.
 *
 * Load buffering (r1 = r2 = 1 below) is the one behaviour of C11 that is out of scope: see
 * explorer.h. */
#include <stdio.h>
#include <string.h>

#include "explorer.h"
#include "litmus.h"

/* An outcome is written with one digit for each register in use, then one for the final value of
 * each variable that the test looks at. */
static void collect(int registers, int variables) {
  uint64_t outcome = 0;
  for (int i = 0; i < registers; i++) outcome = outcome * 10 + litmus.r[i];
  for (int i = 0; i < variables; i++) outcome = outcome * 10 + *litmus_variable(i);
  model_outcome(outcome);
}

struct litmus litmus;
static uint32_t variables[LITMUS_VARIABLES];

uint32_t *litmus_variable(int number) { return &variables[number]; }

static uint64_t wides[LITMUS_VARIABLES];

uint64_t *litmus_wide(int number) { return &wides[number]; }

static void setup(void) { model_snapshot(&litmus, sizeof(litmus)); }

#define X litmus_variable(0)
#define Y litmus_variable(1)
#define W litmus_wide(0)
#define R litmus.r

static void two(void) { collect(2, 0); }
static void four(void) { collect(4, 0); }
static void only_x(void) { collect(0, 1); }

/* ---- message passing ---- */
static void mp_write(void) {
  sw_store_relaxed(X, 1);
  sw_store_release(Y, 1);
}
static void mp_write_relaxed(void) {
  sw_store_relaxed(X, 1);
  sw_store_relaxed(Y, 1);
}
static void mp_write_fence(void) {
  sw_store_relaxed(X, 1);
  sw_fence_handshake();
  sw_store_relaxed(Y, 1);
}
static void mp_read(void) {
  R[0] = sw_load_acquire(Y);
  R[1] = sw_load_relaxed(X);
}
static void mp_read_relaxed(void) {
  R[0] = sw_load_relaxed(Y);
  R[1] = sw_load_relaxed(X);
}
static void mp_read_fence(void) {
  R[0] = sw_load_relaxed(Y);
  sw_fence_handshake();
  R[1] = sw_load_relaxed(X);
}

/* ---- store buffering ---- */
static void sb_0(void) {
  sw_store_release(X, 1);
  R[0] = sw_load_acquire(Y);
}
static void sb_1(void) {
  sw_store_release(Y, 1);
  R[1] = sw_load_acquire(X);
}
static void sb_0_fence(void) {
  sw_store_relaxed(X, 1);
  sw_fence_handshake();
  R[0] = sw_load_relaxed(Y);
}
static void sb_1_fence(void) {
  sw_store_relaxed(Y, 1);
  sw_fence_handshake();
  R[1] = sw_load_relaxed(X);
}
/* A read-modify-write is not a fence (ARMv8.1 has such): only fences stop store buffering. */
static void sb_0_rmw(void) {
  sw_exchange_acq_rel(X, 1);
  R[0] = sw_load_acquire(Y);
}
static void sb_1_rmw(void) {
  sw_exchange_acq_rel(Y, 1);
  R[1] = sw_load_acquire(X);
}

/* ---- load buffering ---- */
static void lb_0(void) {
  R[0] = sw_load_relaxed(X);
  sw_store_relaxed(Y, 1);
}
static void lb_1(void) {
  R[1] = sw_load_relaxed(Y);
  sw_store_relaxed(X, 1);
}

/* ---- independent reads of independent writes ---- */
static void write_x(void) { sw_store_release(X, 1); }
static void write_y(void) { sw_store_release(Y, 1); }
static void iriw_xy(void) {
  R[0] = sw_load_acquire(X);
  R[1] = sw_load_acquire(Y);
}
static void iriw_yx(void) {
  R[2] = sw_load_acquire(Y);
  R[3] = sw_load_acquire(X);
}
static void iriw_xy_fence(void) {
  R[0] = sw_load_relaxed(X);
  sw_fence_handshake();
  R[1] = sw_load_relaxed(Y);
}
static void iriw_yx_fence(void) {
  R[2] = sw_load_relaxed(Y);
  sw_fence_handshake();
  R[3] = sw_load_relaxed(X);
}

/* ---- write to read causality ---- */
static void wrc_middle(void) {
  R[0] = sw_load_relaxed(X);
  sw_store_release(Y, 1);
}
static void wrc_last(void) {
  R[1] = sw_load_acquire(Y);
  R[2] = sw_load_relaxed(X);
}
static void three(void) { collect(3, 0); }

/* ---- coherence: one location has one order ---- */
static void co_store_1(void) { sw_store_relaxed(X, 1); }
static void co_store_2(void) { sw_store_relaxed(X, 2); }
static void co_store_1_2(void) {
  sw_store_relaxed(X, 1);
  sw_store_relaxed(X, 2);
}
static void co_read_read(void) {
  R[0] = sw_load_relaxed(X);
  R[1] = sw_load_relaxed(X);
}
static void co_read_write(void) {
  R[0] = sw_load_relaxed(X);
  sw_store_relaxed(X, 1);
}
static void co_write_read(void) {
  sw_store_relaxed(X, 1);
  R[0] = sw_load_relaxed(X);
}
static void one_and_x(void) { collect(1, 1); }

/* ---- release sequences: x, then y released, changed by another thread, acquired by a third
 * ---- */
static void rs_store(void) { sw_store_relaxed(Y, 5); }
/* The middle thread does not synchronise: its read-modify-write is relaxed, and still hands the
 * release on. */
static void rs_rmw_relaxed(void) { R[2] = model_rmw(Y, MODEL_ADD, 4, MODEL_RELAXED, __FILE__, __LINE__); }

/* ---- two writes each, in opposite orders ---- */
static void w22_0(void) {
  sw_store_relaxed(X, 1);
  sw_store_relaxed(Y, 2);
}
static void w22_1(void) {
  sw_store_relaxed(Y, 1);
  sw_store_relaxed(X, 2);
}
static void w22_0_release(void) {
  sw_store_relaxed(X, 1);
  sw_store_release(Y, 2);
}
static void w22_0_fence(void) {
  sw_store_relaxed(X, 1);
  sw_fence_handshake();
  sw_store_relaxed(Y, 2);
}
static void w22_1_fence(void) {
  sw_store_relaxed(Y, 1);
  sw_fence_handshake();
  sw_store_relaxed(X, 2);
}
static void x_and_y(void) { collect(0, 2); }

/* ---- atomicity ---- */
static void add_0(void) { R[0] = sw_fetch_add_acq_rel(X, 1); }
static void add_1(void) { R[1] = sw_fetch_add_acq_rel(X, 1); }
static void two_and_x(void) { collect(2, 1); }
static void cas_0(void) {
  uint32_t expected = 0;
  R[0] = sw_compare_exchange_acq_rel(X, &expected, 1);
}
static void cas_1(void) {
  uint32_t expected = 0;
  R[1] = sw_compare_exchange_acq_rel(X, &expected, 2);
}

/* ---- parking ---- */
static void park(void) {
  if (sw_load_relaxed(X) == 0) model_wait(Y, 0);
  R[0] = 1;
}
static void park_once(void) { model_wait(Y, 0); }
static void unpark(void) {
  sw_store_relaxed(X, 1);
  sw_exchange_acq_rel(Y, 1);
  model_wake(Y);
}
static void unpark_unseen(void) {
  sw_store_relaxed(X, 1);
  model_wake(Y);
}
static void one(void) { collect(1, 0); }

/* ---- data ---- */
static void *data(void) { return model_region(); }
static void data_write(void) {
  model_data_write(data(), 7);
  sw_store_release(Y, 1);
}
static void data_write_relaxed(void) {
  model_data_write(data(), 7);
  sw_store_relaxed(Y, 1);
}
static void data_read(void) {
  if (sw_load_acquire(Y) == 1) R[0] = model_data_read(data());
}
static void data_read_relaxed(void) {
  if (sw_load_relaxed(Y) == 1) R[0] = model_data_read(data());
}
static void data_over(void) {
  if (sw_load_relaxed(Y) == 1) model_data_write(data(), 8);
}

/* ---- words of 64 bits ---- */

/* Lines of operations, for the mutants below. */
static int line_release, line_acquire, line_rmw;
#define AT(line, call) ((line) = __LINE__, (call))

static void wide_write(void) {
  sw_store_relaxed(X, 1);
  AT(line_release, sw_store64_release(W, LITMUS_HIGH(1)));
}
static void wide_write_relaxed(void) {
  sw_store_relaxed(X, 1);
  sw_store64_relaxed(W, LITMUS_HIGH(1));
}
static void wide_read(void) {
  R[0] = LITMUS_VALUE(AT(line_acquire, sw_load64_acquire(W)));
  R[1] = sw_load_relaxed(X);
}
static void wide_read_relaxed(void) {
  R[0] = LITMUS_VALUE(sw_load64_relaxed(W));
  R[1] = sw_load_relaxed(X);
}
static void wide_rmw_relaxed(void) {
  R[2] = LITMUS_VALUE(model_rmw64(W, MODEL_ADD, LITMUS_HIGH(4), MODEL_RELAXED, __FILE__, __LINE__));
}

static void wide_finish(void) { model_outcome(R[0] * 100 + R[1] * 10 + LITMUS_VALUE(*W)); }
static void wide_add_0(void) { R[0] = LITMUS_VALUE(AT(line_rmw, sw_fetch_add64_acq_rel(W, LITMUS_HIGH(1)))); }
static void wide_add_1(void) { R[1] = LITMUS_VALUE(sw_fetch_add64_acq_rel(W, LITMUS_HIGH(1))); }
static void wide_exchange_0(void) { R[0] = LITMUS_VALUE(AT(line_rmw, sw_exchange64_acq_rel(W, LITMUS_HIGH(1)))); }
static void wide_exchange_1(void) { R[1] = LITMUS_VALUE(sw_exchange64_acq_rel(W, LITMUS_HIGH(2))); }
static void wide_set(void) { R[0] = LITMUS_VALUE(AT(line_rmw, sw_fetch_or64_acq_rel(W, LITMUS_HIGH(1)))); }
static void wide_clear(void) { R[1] = LITMUS_VALUE(sw_fetch_and64_acq_rel(W, ~LITMUS_HIGH(1))); }
static void set(void) { R[0] = AT(line_rmw, sw_fetch_or_acq_rel(X, 1)); }
static void clear(void) { R[1] = sw_fetch_and_acq_rel(X, ~1u); }
static void wide_cas_0(void) {
  uint64_t expected = 0;
  R[0] = AT(line_rmw, sw_compare_exchange64_acq_rel(W, &expected, LITMUS_HIGH(1)));
}
static void wide_cas_1(void) {
  uint64_t expected = 0;
  R[1] = sw_compare_exchange64_acq_rel(W, &expected, LITMUS_HIGH(2));
}

/* Message passing by read-modify-writes: the first is the release, the second the acquire. */
static void wide_mp_set(void) {
  sw_store_relaxed(X, 1);
  AT(line_release, sw_fetch_or64_acq_rel(W, LITMUS_HIGH(1)));
}
static void wide_mp_clear(void) {
  R[0] = LITMUS_VALUE(AT(line_acquire, sw_fetch_and64_acq_rel(W, LITMUS_HIGH(1))));
  R[1] = sw_load_relaxed(X);
}
static void wide_mp_add(void) {
  sw_store_relaxed(X, 1);
  AT(line_release, sw_fetch_add64_acq_rel(W, LITMUS_HIGH(1)));
}
static void wide_mp_exchange(void) {
  R[0] = LITMUS_VALUE(AT(line_acquire, sw_exchange64_acq_rel(W, LITMUS_HIGH(1))));
  R[1] = sw_load_relaxed(X);
}
static void wide_mp_cas(void) {
  uint64_t expected = 0;
  sw_store_relaxed(X, 1);
  AT(line_release, sw_compare_exchange64_acq_rel(W, &expected, LITMUS_HIGH(1)));
}
/* A compare-exchange that fails acquires, too. */
static void wide_mp_fail(void) {
  uint64_t expected = LITMUS_HIGH(7);
  AT(line_acquire, sw_compare_exchange64_acq_rel(W, &expected, 0));
  R[0] = LITMUS_VALUE(expected);
  R[1] = sw_load_relaxed(X);
}

/* One word in two widths. */
static void narrow_low(void) { sw_store_relaxed((uint32_t *)W, 1); }
static void narrow_high(void) { sw_load_relaxed((uint32_t *)W + 1); }

typedef struct test {
  const char *name;
  void (*threads[MODEL_THREADS])(void);
  void (*finish)(void);
  uint64_t allowed[17]; /* every outcome; up to the first UINT64_MAX */
  uint64_t sc[17];      /* under MODEL_SC; empty: not tried */
  const char *fails;    /* or: what is found */
} test;

#define END UINT64_MAX
#define NOT_SC \
  { END }
#define LOST  "lost wake-up"
#define RACE  "data race"
#define WIDTH "one word is accessed with 32 bits and with 64"

static const test tests[] = {
    {"MP release/acquire", {mp_write, mp_read}, two, {0, 1, 11, END}, {0, 1, 11, END}, NULL},
    {"MP relaxed", {mp_write_relaxed, mp_read_relaxed}, two, {0, 1, 10, 11, END}, {0, 1, 11, END}, NULL},
    {"MP release/relaxed", {mp_write, mp_read_relaxed}, two, {0, 1, 10, 11, END}, NOT_SC, NULL},
    {"MP relaxed/acquire", {mp_write_relaxed, mp_read}, two, {0, 1, 10, 11, END}, NOT_SC, NULL},
    {"MP fences", {mp_write_fence, mp_read_fence}, two, {0, 1, 11, END}, NOT_SC, NULL},
    {"MP release/fence", {mp_write, mp_read_fence}, two, {0, 1, 11, END}, NOT_SC, NULL},
    {"SB release/acquire", {sb_0, sb_1}, two, {0, 1, 10, 11, END}, {1, 10, 11, END}, NULL},
    {"SB fences", {sb_0_fence, sb_1_fence}, two, {1, 10, 11, END}, NOT_SC, NULL},
    {"SB one fence", {sb_0_fence, sb_1}, two, {0, 1, 10, 11, END}, NOT_SC, NULL},
    {"SB read-modify-write", {sb_0_rmw, sb_1_rmw}, two, {0, 1, 10, 11, END}, {1, 10, 11, END}, NULL},
    {"LB (11 is out of scope)", {lb_0, lb_1}, two, {0, 1, 10, END}, {0, 1, 10, END}, NULL},
    {"IRIW acquire",
     {write_x, write_y, iriw_xy, iriw_yx},
     four,
     {0, 1, 10, 11, 100, 101, 110, 111, 1000, 1001, 1010, 1011, 1100, 1101, 1110, 1111, END},
     NOT_SC,
     NULL},
    {"IRIW fences",
     {write_x, write_y, iriw_xy_fence, iriw_yx_fence},
     four,
     {0, 1, 10, 11, 100, 101, 110, 111, 1000, 1001, 1011, 1100, 1101, 1110, 1111, END},
     NOT_SC,
     NULL},
    {"WRC", {co_store_1, wrc_middle, wrc_last}, three, {0, 1, 10, 11, 100, 101, 111, END}, NOT_SC, NULL},
    {"CoRR", {co_store_1_2, co_read_read}, two, {0, 1, 2, 11, 12, 22, END}, {0, 1, 2, 11, 12, 22, END}, NULL},
    {"CoWW", {co_store_1_2}, only_x, {2, END}, {2, END}, NULL},
    {"CoRW", {co_read_write, co_store_2}, one_and_x, {1, 2, 21, END}, {1, 2, 21, END}, NULL},
    {"CoWR", {co_write_read, co_store_2}, one_and_x, {11, 12, 22, END}, {11, 12, 22, END}, NULL},
    {"release sequence, read-modify-write",
     {mp_write, rs_rmw_relaxed, mp_read},
     three,
     {0, 1, 10, 11, 110, 111, 400, 410, 511, END},
     NOT_SC,
     NULL},
    {"release sequence, broken by a store", {mp_write, rs_store, mp_read}, two, {0, 1, 11, 50, 51, END}, NOT_SC, NULL},
    {"2+2W relaxed", {w22_0, w22_1}, x_and_y, {11, 12, 21, 22, END}, {12, 21, 22, END}, NULL},
    {"2+2W one release", {w22_0_release, w22_1}, x_and_y, {11, 12, 21, 22, END}, NOT_SC, NULL},
    {"2+2W fences", {w22_0_fence, w22_1_fence}, x_and_y, {12, 21, 22, END}, NOT_SC, NULL},
    {"two adds", {add_0, add_1}, two_and_x, {12, 102, END}, {12, 102, END}, NULL},
    {"two compare-exchanges", {cas_0, cas_1}, two_and_x, {12, 101, END}, {12, 101, END}, NULL},
    {"park, ring changes the word", {park, unpark}, one, {1, END}, {1, END}, NULL},
    {"park, ring does not change the word", {park, unpark_unseen}, one, {END}, {END}, LOST},
    {"park for good", {park_once, co_store_1}, one, {END}, {END}, LOST},
    {"data, release/acquire", {data_write, data_read}, one, {0, 7, END}, {0, 7, END}, NULL},
    {"data, relaxed/acquire", {data_write_relaxed, data_read}, one, {END}, NOT_SC, RACE},
    {"data, release/relaxed", {data_write, data_read_relaxed}, one, {END}, NOT_SC, RACE},
    {"data, two writers", {data_write, data_over}, one, {END}, NOT_SC, RACE},
    {"bits, set and clear", {set, clear}, two_and_x, {1, 10, END}, {1, 10, END}, NULL},
    {"64: MP release/acquire", {wide_write, wide_read}, two, {0, 1, 11, END}, {0, 1, 11, END}, NULL},
    {"64: MP relaxed", {wide_write_relaxed, wide_read_relaxed}, two, {0, 1, 10, 11, END}, {0, 1, 11, END}, NULL},
    {"64: release sequence",
     {wide_write, wide_rmw_relaxed, wide_read},
     three,
     {0, 1, 10, 11, 110, 111, 400, 410, 511, END},
     NOT_SC,
     NULL},
    {"64: MP or/and", {wide_mp_set, wide_mp_clear}, two, {0, 1, 11, END}, {0, 1, 11, END}, NULL},
    {"64: MP add/exchange", {wide_mp_add, wide_mp_exchange}, two, {0, 1, 11, END}, {0, 1, 11, END}, NULL},
    {"64: MP compare-exchange", {wide_mp_cas, wide_mp_fail}, two, {0, 1, 11, END}, {0, 1, 11, END}, NULL},
    {"64: two adds", {wide_add_0, wide_add_1}, wide_finish, {12, 102, END}, {12, 102, END}, NULL},
    {"64: two exchanges", {wide_exchange_0, wide_exchange_1}, wide_finish, {12, 201, END}, {12, 201, END}, NULL},
    {"64: bits, set and clear", {wide_set, wide_clear}, wide_finish, {1, 10, END}, {1, 10, END}, NULL},
    {"64: two compare-exchanges", {wide_cas_0, wide_cas_1}, wide_finish, {12, 101, END}, {12, 101, END}, NULL},
    {"mixed widths, low half", {narrow_low, wide_read}, two, {END}, {END}, WIDTH},
    {"mixed widths, high half", {wide_write, narrow_high}, two, {END}, {END}, WIDTH},
};

/* One order or one atomicity taken away: each of them must be seen to matter. */
#define WEAKENED(name, writer, reader)                                                                       \
  {{name ": relaxed, not release", {writer, reader}, two, {0, 1, 10, 11, END}, NOT_SC, NULL},                \
   MODEL_WEAKEN,                                                                                             \
   &line_release},                                                                                           \
  {                                                                                                          \
    {name ": relaxed, not acquire", {writer, reader}, two, {0, 1, 10, 11, END}, NOT_SC, NULL}, MODEL_WEAKEN, \
        &line_acquire                                                                                        \
  }
#define SPLIT(name, first, second, finish, ...) \
  { {name ": not atomic", {first, second}, finish, __VA_ARGS__, NOT_SC, NULL}, MODEL_SPLIT, &line_rmw }

static const struct {
  test test;
  enum model_mutation mutation;
  const int *line;
} mutants[] = {
    WEAKENED("64: MP", wide_write, wide_read),
    WEAKENED("64: MP or/and", wide_mp_set, wide_mp_clear),
    WEAKENED("64: MP add/exchange", wide_mp_add, wide_mp_exchange),
    WEAKENED("64: MP compare-exchange", wide_mp_cas, wide_mp_fail),
    SPLIT("bits, set and clear", set, clear, two_and_x, {0, 1, 10, END}),
    SPLIT("64: two adds", wide_add_0, wide_add_1, wide_finish, {1, 12, 102, END}),
    SPLIT("64: two exchanges", wide_exchange_0, wide_exchange_1, wide_finish, {1, 2, 12, 201, END}),
    SPLIT("64: bits, set and clear", wide_set, wide_clear, wide_finish, {0, 1, 10, END}),
    SPLIT("64: two compare-exchanges", wide_cas_0, wide_cas_1, wide_finish, {12, 101, 111, 112, END}),
};

static int complain(const test *t, const char *what) {
  printf("FAILED  %s: %s\n", t->name, what);
  return 1;
}

static int compare(const test *t, const uint64_t *wanted) {
  const uint64_t *seen;
  size_t count = model_outcomes(&seen), i = 0;
  char text[80];
  for (; wanted[i] != END || i < count; i++) {
    if (i < count && wanted[i] == seen[i]) continue;
    bool missing = i == count || (wanted[i] != END && wanted[i] < seen[i]);
    snprintf(text, sizeof(text), "outcome %llu is %s", (unsigned long long)(missing ? wanted[i] : seen[i]),
             missing ? "allowed, but was not seen" : "forbidden, but was seen");
    return complain(t, text);
  }
  return 0;
}

static int run(const test *t, enum model_mode mode, bool everything, const model_mutant *mutant) {
  model_scenario scenario = {.name = t->name, .setup = setup, .finish = t->finish};
  memcpy(scenario.threads, t->threads, sizeof(scenario.threads));
  model_options options = {.mode = mode, .everything = everything, .quiet = true};
  if (mutant != NULL) options.mutant = *mutant;
  model_result result;
  model_explore(&scenario, &options, &result);
  const uint64_t *seen;
  printf("%-38s %-5s %-13s %6llu runs %5zu outcomes\n", t->name, mode == MODEL_SC ? "sc" : "weak",
         everything ? "unreduced" : "", (unsigned long long)result.runs, model_outcomes(&seen));
  if (t->fails != NULL)
    return result.failed && strncmp(result.why, t->fails, strlen(t->fails)) == 0 ? 0 : complain(t, "nothing was found");
  if (result.failed) return complain(t, result.why);
  if (!result.exhausted) return complain(t, "not exhausted");
  return compare(t, mode == MODEL_SC ? t->sc : t->allowed);
}

int main(void) {
  int failed = 0;
  for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
    failed |= run(&tests[i], MODEL_WEAK, false, NULL);
    failed |= run(&tests[i], MODEL_WEAK, true, NULL);
    if (tests[i].sc[0] == END && tests[i].fails == NULL) continue;
    if (tests[i].fails != NULL && strcmp(tests[i].fails, RACE) == 0) continue;
    failed |= run(&tests[i], MODEL_SC, false, NULL);
    failed |= run(&tests[i], MODEL_SC, true, NULL);
  }
  for (size_t i = 0; i < sizeof(mutants) / sizeof(mutants[0]); i++) {
    const test *t = &mutants[i].test;
    model_scenario unchanged = {.name = t->name, .setup = setup, .finish = t->finish};
    memcpy(unchanged.threads, t->threads, sizeof(unchanged.threads));
    model_result result;
    /* to fill the lines */
    model_explore(&unchanged, &(model_options){.mode = MODEL_WEAK}, &result);
    model_mutant mutant = {mutants[i].mutation, "litmus.c", *mutants[i].line};
    failed |= run(t, MODEL_WEAK, false, &mutant);
    failed |= run(t, MODEL_WEAK, true, &mutant);
  }
  failed |= litmus_random(1500, 1);
  printf(failed ? "FAILED\n" : "all as expected\n");
  return failed;
}
