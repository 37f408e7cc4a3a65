/* Random programs: the search with partial order reduction must end in the same outcomes as the
 * search without. */
#include <stdio.h>
#include <string.h>

#include "litmus.h"

enum { STEPS = 4, KINDS = 12 };

typedef struct instruction {
  uint8_t kind, variable, value;
} instruction;

static struct {
  int length;
  instruction code[STEPS];
} programs[MODEL_THREADS];

static uint32_t state;

static uint32_t below(uint32_t n) { /* xorshift (Marsaglia 2003) */
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % n;
}

/* Whether the program's variables have 64 bits, their values in the high half. */
static bool wide;

static uint32_t perform_wide(const instruction *i, uint64_t *word) {
  uint64_t expected = LITMUS_HIGH(i->value), value = expected;
  switch (i->kind) {
    case 0:
      return LITMUS_VALUE(sw_load64_relaxed(word));
    case 1:
      return LITMUS_VALUE(sw_load64_acquire(word));
    case 2:
      return sw_store64_relaxed(word, value), 0;
    case 3:
      return sw_store64_release(word, value), 0;
    case 4:
      return LITMUS_VALUE(sw_fetch_add64_acq_rel(word, value));
    case 5:
      return LITMUS_VALUE(model_rmw64(word, MODEL_EXCHANGE, value, MODEL_RELAXED, __FILE__, __LINE__));
    case 6:
      return sw_compare_exchange64_acq_rel(word, &expected, LITMUS_HIGH(3)) ? 9 : LITMUS_VALUE(expected);
    case 7:
      return sw_fence_handshake(), 0;
    case 8:
      return LITMUS_VALUE(sw_fetch_or64_acq_rel(word, value));
    default:
      return LITMUS_VALUE(sw_fetch_and64_acq_rel(word, value));
  }
}

static uint32_t perform(const instruction *i, uint32_t *word) {
  uint32_t expected = i->value;
  switch (i->kind) {
    case 0:
      return sw_load_relaxed(word);
    case 1:
      return sw_load_acquire(word);
    case 2:
      return sw_store_relaxed(word, i->value), 0;
    case 3:
      return sw_store_release(word, i->value), 0;
    case 4:
      return sw_fetch_add_acq_rel(word, i->value);
    case 5:
      return model_rmw(word, MODEL_EXCHANGE, i->value, MODEL_RELAXED, __FILE__, __LINE__);
    case 6:
      return sw_compare_exchange_acq_rel(word, &expected, 3) ? 9 : expected;
    case 7:
      return sw_fence_handshake(), 0;
    case 8:
      return sw_fetch_or_acq_rel(word, i->value);
    case 9:
      return sw_fetch_and_acq_rel(word, i->value);
    case 10:
      return model_wait(word, 0), 7;
    default:
      return (uint32_t)model_wake(word);
  }
}

static void body(void) {
  int self = model_self();
  for (int i = 0; i < programs[self].length; i++) {
    const instruction *now = &programs[self].code[i];
    uint32_t got = wide ? perform_wide(now, litmus_wide(now->variable)) : perform(now, litmus_variable(now->variable));
    litmus.r[self * STEPS + i] = 100 + got;
  }
}

/* Registers and final values, hashed (FNV-1a, 64 bits). */
static void finish(void) {
  uint64_t hash = 14695981039346656037u;
  for (int i = 0; i < LITMUS_REGISTERS; i++) hash = (hash ^ litmus.r[i]) * 1099511628211u;
  for (int i = 0; i < LITMUS_VARIABLES; i++) {
    hash = (hash ^ *litmus_variable(i)) * 1099511628211u;
    hash = (hash ^ LITMUS_VALUE(*litmus_wide(i))) * 1099511628211u;
  }
  model_outcome(hash);
}

static void setup(void) { model_snapshot(&litmus, sizeof(litmus)); }

static int invent(void) {
  int threads = 2 + (int)below(2);
  int variables = 1 + (int)below(LITMUS_VARIABLES);
  bool parks = below(4) == 0;
  wide = !parks && below(2) == 0;
  for (int t = 0; t < threads; t++) {
    programs[t].length = 1 + (int)below(threads == 2 ? STEPS : 3);
    for (int i = 0; i < programs[t].length; i++) {
      programs[t].code[i].kind = (uint8_t)below(parks ? KINDS : KINDS - 2);
      programs[t].code[i].variable = (uint8_t)below((uint32_t)variables);
      programs[t].code[i].value = (uint8_t)(1 + below(2));
    }
  }
  return threads;
}

static void print(int threads) {
  static const char *const names[KINDS] = {"load", "load acquire", "store", "store release", "add",  "exchange",
                                           "cas",  "fence",        "or",    "and",           "wait", "wake"};
  for (int t = 0; t < threads; t++) {
    printf("  thread %d:", t);
    for (int i = 0; i < programs[t].length; i++) {
      const instruction *now = &programs[t].code[i];
      printf("  %s %c %u;", names[now->kind], "xyz"[now->variable], now -> value);
    }
    printf("\n");
  }
}

int litmus_random(unsigned count, uint32_t seed) {
  static uint64_t expected[65536];
  unsigned long long reduced = 0, all = 0;
  unsigned compared = 0;
  state = seed;
  for (unsigned n = 0; n < count; n++) {
    int threads = invent();
    model_scenario scenario = {.name = "random", .setup = setup, .finish = finish, .budget = 30000};
    for (int t = 0; t < threads; t++) scenario.threads[t] = body;
    model_options options = {
        .mode = n % 4 == 3 ? MODEL_SC : MODEL_WEAK, .everything = true, .quiet = true, .may_sleep = true};
    model_result result;
    model_explore(&scenario, &options, &result);
    if (!result.exhausted) continue; /* too large to compare */
    all += result.runs;
    const uint64_t *seen;
    size_t size = model_outcomes(&seen);
    if (size > sizeof(expected) / sizeof(expected[0])) continue;
    memcpy(expected, seen, size * sizeof(*seen));
    options.everything = false;
    model_explore(&scenario, &options, &result);
    reduced += result.runs + result.pruned;
    compared++;
    if (model_outcomes(&seen) == size && memcmp(expected, seen, size * sizeof(*seen)) == 0) continue;
    printf("FAILED  random program %u: %zu outcomes with reduction, %zu without\n", n, model_outcomes(&seen), size);
    print(threads);
    return 1;
  }
  printf("%u random programs: the same outcomes from %llu runs with reduction and from %llu without\n", compared,
         reduced, all);
  return 0;
}
