/* What the core calls in place of atomic operations and of the operating system. Outside a run (in
 * setup and finish) they act on memory directly. */
#include <string.h>

#include "internal.h"
#include "prim/prim.h"
#include "sabway/layout.h"

static _Alignas(SW_LINE) uint8_t region[MODEL_REGION_PAGES * SW_PAGE];

uint8_t *model_region(void) { return region; }

static bool in_setup(void) { return coroutine_current() == NONE; }

/* ---- which line of the core this is ---- */

enum { LINES = 2048 };
static struct {
  const char *file; /* a string constant of the caller */
  int line;
} covered[LINES];

static const char *name_of(const char *file) {
  const char *slash = strrchr(file, '/');
  return slash == NULL ? file : slash + 1;
}

static void cover(const char *file, int line) {
  size_t at = ((uintptr_t)file + (size_t)line * 31) % LINES;
  while (covered[at].file != NULL && (covered[at].file != file || covered[at].line != line)) at = (at + 1) % LINES;
  covered[at].file = file;
  covered[at].line = line;
}

bool model_covered(const char *file, int line) {
  for (int i = 0; i < LINES; i++) {
    if (covered[i].file != NULL && covered[i].line == line && strcmp(name_of(covered[i].file), file) == 0) return true;
  }
  return false;
}

void hooks_reset(void) { memset(covered, 0, sizeof(covered)); }

static bool hit(const char *file, int line, enum model_mutation mutation) {
  const model_mutant *m = &model_active.mutant;
  return m->mutation == mutation && m->line == line && strcmp(name_of(file), m->file) == 0;
}

/* ---- death ---- */

static struct {
  uint32_t pid;
  int at, accesses;
  bool killed;
} mortal;

void hooks_mortal(uint32_t pid, int at) {
  mortal.pid = pid;
  mortal.at = at;
  mortal.killed = false;
}

void hooks_run(void) { mortal.accesses = 0; }

bool hooks_killed(void) { return mortal.killed; }

static void live_on(void) {
  if (mortal.pid == 0 || coroutine_current() != 0 || ++mortal.accesses != mortal.at) return;
  mortal.killed = true;
  model_die(mortal.pid);
  coroutine_end();
}

/* ---- words ---- */

static op access_to(enum kind kind, const void *word, int bytes, enum model_order order, const char *file, int line) {
  live_on();
  cover(file, line);
  if (hit(file, line, MODEL_WEAKEN)) order = MODEL_RELAXED;
  return (op){.kind = kind,
              .order = order,
              .split = hit(file, line, MODEL_SPLIT),
              .location = word == NULL ? NONE : memory_location(word, bytes),
              .file = file,
              .line = line};
}

static uint64_t load(const void *word, int bytes, enum model_order order, const char *file, int line) {
  if (in_setup()) return memory_get(word, bytes);
  op o = access_to(OP_LOAD, word, bytes, order, file, line);
  model_access(&o);
  return o.result;
}

static void store(void *word, int bytes, uint64_t value, enum model_order order, const char *file, int line) {
  if (in_setup()) {
    memory_put(word, bytes, value);
    return;
  }
  op o = access_to(OP_STORE, word, bytes, order, file, line);
  o.value = value;
  model_access(&o);
}

static uint64_t rmw(void *word, int bytes, enum model_change change, uint64_t value, enum model_order order,
                    const char *file, int line) {
  if (in_setup()) {
    uint64_t old = memory_get(word, bytes);
    memory_put(word, bytes, memory_changed(change, old, value));
    return old;
  }
  op o = access_to(OP_RMW, word, bytes, order, file, line);
  o.change = change;
  o.value = value;
  model_access(&o);
  return o.result;
}

/* Returns what it read; *done: it stored. */
static uint64_t cas(void *word, int bytes, uint64_t expected, uint64_t value, enum model_order order, bool *done,
                    const char *file, int line) {
  if (in_setup()) {
    uint64_t old = memory_get(word, bytes);
    *done = old == expected;
    if (*done) memory_put(word, bytes, value);
    return old;
  }
  op o = access_to(OP_CAS, word, bytes, order, file, line);
  o.expected = expected;
  o.value = value;
  model_access(&o);
  *done = o.done;
  return o.result;
}

uint32_t model_load(const uint32_t *word, enum model_order order, const char *file, int line) {
  return (uint32_t)load(word, sizeof(*word), order, file, line);
}

uint64_t model_load64(const uint64_t *word, enum model_order order, const char *file, int line) {
  return load(word, sizeof(*word), order, file, line);
}

void model_store(uint32_t *word, uint32_t value, enum model_order order, const char *file, int line) {
  store(word, sizeof(*word), value, order, file, line);
}

void model_store64(uint64_t *word, uint64_t value, enum model_order order, const char *file, int line) {
  store(word, sizeof(*word), value, order, file, line);
}

uint32_t model_rmw(uint32_t *word, enum model_change change, uint32_t value, enum model_order order, const char *file,
                   int line) {
  return (uint32_t)rmw(word, sizeof(*word), change, value, order, file, line);
}

uint64_t model_rmw64(uint64_t *word, enum model_change change, uint64_t value, enum model_order order, const char *file,
                     int line) {
  return rmw(word, sizeof(*word), change, value, order, file, line);
}

bool model_cas(uint32_t *word, uint32_t *expected, uint32_t value, enum model_order order, const char *file, int line) {
  bool done;
  *expected = (uint32_t)cas(word, sizeof(*word), *expected, value, order, &done, file, line);
  return done;
}

bool model_cas64(uint64_t *word, uint64_t *expected, uint64_t value, enum model_order order, const char *file,
                 int line) {
  bool done;
  *expected = cas(word, sizeof(*word), *expected, value, order, &done, file, line);
  return done;
}

void model_fence(const char *file, int line) {
  if (in_setup()) return;
  cover(file, line);
  if (model_active.mode == MODEL_SC || hit(file, line, MODEL_WEAKEN)) return;
  op o = access_to(OP_FENCE, NULL, 0, MODEL_RELAXED, file, line);
  o.blind = hit(file, line, MODEL_BLIND);
  model_access(&o);
}

void model_wait(uint32_t *word, uint32_t expected) {
  op o = access_to(OP_WAIT, word, sizeof(*word), MODEL_RELAXED, __FILE__, __LINE__);
  o.value = expected;
  model_access(&o);
}

int model_wake(uint32_t *word) {
  if (in_setup()) return 0;
  op o = access_to(OP_WAKE, word, sizeof(*word), MODEL_RELAXED, __FILE__, __LINE__);
  model_access(&o);
  return __builtin_popcountll(o.result);
}

/* ---- data ---- */

static bool in_region(const void *word) {
  uintptr_t offset = (uintptr_t)word - (uintptr_t)region;
  return offset < sizeof(region);
}

void model_data_store(void *word, uint32_t value, const char *file, int line) {
  if (!in_setup() && in_region(word)) {
    if (!memory_data(coroutine_current(), word, true, file, line)) model_fail(memory_race(), file, line);
    memory_undo(word, sizeof(value));
  }
  *(uint32_t *)word = value;
}

uint32_t model_data_load(const void *word, const char *file, int line) {
  if (!in_setup() && in_region(word) && !memory_data(coroutine_current(), word, false, file, line))
    model_fail(memory_race(), file, line);
  return *(const uint32_t *)word;
}

/* ---- the operating system ---- */

static struct { uint32_t alive, start_low, start_high; } processes[MODEL_PIDS + 1];

void model_process(uint32_t pid, uint32_t start_low, uint32_t start_high, bool alive) {
  processes[pid].alive = alive;
  processes[pid].start_low = start_low;
  processes[pid].start_high = start_high;
}

/* The system orders what a process did before its death before all that a process does that learns
 * of the death. */
void model_die(uint32_t pid) { model_store(&processes[pid].alive, 0, MODEL_RELEASE, __FILE__, __LINE__); }

int sw_prim_process_alive(uint32_t pid, uint32_t start_low, uint32_t start_high) {
  if (pid == 0 || pid > MODEL_PIDS) return 0;
  if (model_load(&processes[pid].alive, MODEL_ACQUIRE, __FILE__, __LINE__) == 0) return 0;
  if ((start_low | start_high) == 0) return 1;
  return start_low == processes[pid].start_low && start_high == processes[pid].start_high;
}

static uint32_t unable[MODEL_THREADS];

void model_cannot_wake(int thread, uint32_t how) { unable[thread] = how; }

/* Every waker reaches an event loop; a relay is one here. */
int sw_prim_wake(uint32_t *doorbell, uint32_t how) {
  if (!in_setup() && unable[coroutine_current()] == how) return 0;
  model_wake(doorbell);
  return 1;
}
