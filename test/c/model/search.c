/* The walk over all runs: depth first, re-executing from the start (Godefroid, "Partial-Order
 * Methods for the Verification of Concurrent Systems", 1996), with dynamic partial order reduction
 * by source sets (Abdulla, Aronis, Jonsson, Sagonas, POPL 2014) and sleep sets.
 *
 * A step of a run is a thread's next access together with one of its choices: the message that it
 * reads, or the one that it writes behind (memory.c). What makes the reduction strong is how few
 * steps depend on each other here:
 *
 *   - A load that reads an old message commutes with a store to that location: only the store has
 *     to come first for the load to read it. So a pair (load, store) is reversed only when the load
 *     came first, and a thread that sleeps on the messages it has tried wakes for a new one only.
 *   - Two stores to one location commute, because a store can be ordered before one that ran
 *     earlier. A sleeping store that has tried the place behind m has also tried the place behind
 *     what others have since put there.
 *   - Two read-modify-writes conflict when they read the same message. Fences conflict with each
 *     other. Waiting and waking conflict with each other and with stores to the word.
 *   - In MODEL_SC, where a load reads the latest store only, conflicts are the usual ones.
 *
 * litmus.c compares the results with those of a search without any reduction, on known and on
 * random programs. */
#undef _FORTIFY_SOURCE /* see coroutine.c */

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { DEPTH = 600, SHOWN = 100, DEFAULT_BUDGET = 4000000 };

typedef struct event {
  op o;
  int thread;
  /* per thread: how many steps of the run happen before this one, or are it */
  int16_t past[MODEL_THREADS];
} event;

typedef struct node {
  int thread, choice;              /* what is being tried */
  unsigned todo, tried;            /* threads to try here, and those done with */
  uint64_t choices[MODEL_THREADS]; /* of every thread that can run; 0 for others */
  uint64_t asleep[MODEL_THREADS];  /* those of them that other runs cover */
} node;

static const model_scenario *scenario;
static model_result *result;
model_options model_active;

static node nodes[DEPTH];
static event events[DEPTH];
static int depth;   /* steps of this run so far */
static int planned; /* of them, how many repeat the last run */

static int thread_count;
/* the access that a thread is about to make; NULL when it has ended or sleeps */
static op *pending[MODEL_THREADS];
static int sleeping_on[MODEL_THREADS];
static int16_t past[MODEL_THREADS][MODEL_THREADS];
static uint64_t asleep[MODEL_THREADS];
static bool given_up;
static jmp_buf out_of_run; /* from a check that fails outside the threads */

/* ---- which steps conflict ---- */

static bool writes(const op *o) { return o->wrote != NONE; }
static bool reads(const op *o) { return o->read != NONE; }

/* Taken at another time, a compare-exchange that failed may succeed. */
static bool may_write(const op *o) { return o->kind == OP_STORE || o->kind == OP_RMW || o->kind == OP_CAS; }

static bool parks(const op *a, const op *b) {
  if (a->kind == OP_WAIT) return may_write(b) || b->kind == OP_WAKE;
  if (a->kind == OP_WAKE) return b->kind == OP_WAIT || b->kind == OP_WAKE;
  return b->kind == OP_WAIT && may_write(a);
}

/* Would the later step, taken before the earlier one, give the earlier one other choices? */
static bool reversible(const op *earlier, const op *later) {
  if (earlier->kind == OP_FENCE || later->kind == OP_FENCE) return earlier->kind == later->kind;
  if (earlier->location != later->location) return false;
  if (parks(earlier, later)) return true;
  if (model_active.mode == MODEL_SC && may_write(earlier) && (may_write(later) || reads(later))) return true;
  return reads(earlier) && may_write(later);
}

/* Do they not commute, whatever they choose? */
static bool conflicting(const op *earlier, const op *later) {
  if (earlier->kind == OP_FENCE || later->kind == OP_FENCE) return earlier->kind == later->kind;
  if (earlier->location != later->location) return false;
  if (parks(earlier, later)) return true;
  return model_active.mode == MODEL_SC && reversible(earlier, later);
}

/* Does the later one read what the earlier one wrote? */
static bool read_by(const op *earlier, const op *later) {
  return writes(earlier) && earlier->location == later->location && later->read == earlier->wrote;
}

/* What remains covered of a sleeping thread's choices once another thread has taken the step
 * `e`. */
static uint64_t still_asleep(uint64_t choices, const op *next, const op *e) {
  if (next->kind == OP_FENCE || e->kind == OP_FENCE) return next->kind == e->kind ? 0 : choices;
  if (next->location != e->location) return choices;
  if (next->kind == OP_WAIT) return writes(e) || e->kind == OP_WAKE ? 0 : choices;
  if (next->kind == OP_WAKE) return e->kind == OP_WAIT || e->kind == OP_WAKE ? 0 : choices;
  if (e->kind == OP_WAIT) return next->kind == OP_LOAD ? choices : 0;
  if (model_active.mode == MODEL_SC) return writes(e) || (next->kind != OP_LOAD && reads(e)) ? 0 : choices;
  if (!writes(e) || next->kind == OP_LOAD) return choices;
  uint64_t behind = UINT64_C(1) << e->behind;
  if (next->kind == OP_STORE) return (choices & behind) != 0 ? choices | UINT64_C(1) << e->wrote : choices;
  return e->kind == OP_STORE ? choices : choices & ~behind;
}

/* ---- races between steps: which threads must be tried where ---- */

static bool before(int earlier, int later) { return events[later].past[events[earlier].thread] > earlier; }

/* Steps `i` and `last` are to be tried the other way round: at node i some thread has to start that
 * can lead there. Those are the threads whose first step behind i needs nothing that comes behind
 * i. `last_past` is what `last` needs of the steps behind i. */
static void try_at(int i, int last, const int16_t *last_past) {
  unsigned starters = 0, seen = 0;
  for (int k = i + 1; k <= last; k++) {
    if (k < last && before(i, k)) continue;
    unsigned bit = 1u << events[k].thread;
    if ((seen & bit) != 0) continue;
    bool first = true;
    for (int j = i + 1; j < k && first; j++) {
      if (before(i, j)) continue;
      first = k == last ? last_past[events[j].thread] <= j : !before(j, k);
    }
    seen |= bit;
    if (first && nodes[i].choices[events[k].thread] != 0) starters |= bit;
  }
  if (((nodes[i].todo | nodes[i].tried) & starters) != 0) return;
  if (starters == 0) {
    for (int t = 0; t < thread_count; t++) {
      if (nodes[i].choices[t] != 0) nodes[i].todo |= 1u << t;
    }
  } else {
    nodes[i].todo |= starters & -starters;
  }
}

static void join_past(int16_t *into, const int16_t *from) {
  for (int t = 0; t < thread_count; t++) {
    if (from[t] > into[t]) into[t] = from[t];
  }
}

/* Going back from step `at`: which earlier ones does it come after, and with which must it also be
 * tried the other way round? Those it conflicts with and does not come after for another reason.
 * That it reads from some step is no such reason, because it can choose to read from another. */
static void note_order(int t, int at) {
  event *e = &events[at];
  bool known = model_active.everything;
  int16_t fixed[MODEL_THREADS];
  memcpy(fixed, past[t], sizeof(fixed));
  memcpy(e->past, past[t], sizeof(e->past));
  for (int i = at - 1; i >= 0; i--) {
    int f = events[i].thread;
    if (f == t) continue;
    if (!known && fixed[f] <= i && reversible(&events[i].o, &e->o)) try_at(i, at, e->past);
    if (conflicting(&events[i].o, &e->o)) join_past(fixed, events[i].past);
    else if (!read_by(&events[i].o, &e->o)) continue;
    join_past(e->past, events[i].past);
  }
  e->past[t] = (int16_t)(at + 1);
  memcpy(past[t], e->past, sizeof(e->past));
}

/* ---- one run ---- */

void model_access(op *o) {
  pending[coroutine_current()] = o;
  coroutine_yield();
}

static void note_end(int t) {
  if (coroutine_finished(t)) pending[t] = NULL;
}

static void wake_sleepers(int waker, op *o) {
  o->result = 0;
  for (int t = 0; t < thread_count; t++) {
    if (sleeping_on[t] == o->location) o->result |= 1u << t;
  }
  for (int t = 0; t < thread_count; t++) {
    if ((o->result & 1u << t) == 0) continue;
    sleeping_on[t] = NONE;
    join_past(past[t], past[waker]);
  }
}

static void step(int t, int choice) {
  op *o = pending[t];
  pending[t] = NULL;
  memory_execute(t, o, choice);
  if (o->kind == OP_WAIT && o->done) sleeping_on[t] = o->location;
  if (o->kind == OP_WAKE) o->result = 0;
  int at = depth++;
  events[at].o = *o;
  events[at].thread = t;
  if (at < planned - 1) memcpy(past[t], events[at].past, sizeof(past[t])); /* as in the last run */
  else note_order(t, at);
  for (int u = 0; u < thread_count; u++) {
    if (u == t || pending[u] == NULL) asleep[u] = 0;
    else if (asleep[u] != 0) asleep[u] = still_asleep(asleep[u], pending[u], o);
  }
  if (o->kind == OP_WAKE) wake_sleepers(t, o);
  uint64_t woken = o->kind == OP_WAKE ? o->result : 0;
  for (int u = 0; u < thread_count && !given_up; u++) {
    if ((u == t && sleeping_on[t] == NONE) || (woken & 1u << u) != 0) {
      coroutine_resume(u);
      note_end(u);
    }
  }
}

/* A new node: what can run, what sleeps, and which thread goes first. NONE when there is nothing to
 * try. */
static int open_node(node *n) {
  memset(n, 0, sizeof(*n));
  int first = NONE;
  for (int t = 0; t < thread_count; t++) {
    if (pending[t] == NULL) continue;
    n->choices[t] = memory_choices(t, pending[t]);
    n->asleep[t] = model_active.everything ? 0 : asleep[t];
    if ((n->choices[t] & ~n->asleep[t]) == 0) continue;
    if (first == NONE || (depth > 0 && events[depth - 1].thread == t)) first = t;
    if (model_active.everything) n->todo |= 1u << t;
  }
  if (first == NONE) return NONE;
  n->todo |= 1u << first;
  n->thread = first;
  n->choice = __builtin_ctzll(n->choices[first] & ~n->asleep[first]);
  return first;
}

static void fail(const char *what) {
  if (!result->failed) snprintf(result->why, sizeof(result->why), "%s", what);
  result->failed = true;
  given_up = true;
}

static void start_run(void) {
  memory_reset(model_active.mode);
  hooks_run();
  memset(past, 0, sizeof(past));
  memset(asleep, 0, sizeof(asleep));
  depth = 0;
  given_up = false;
  for (int t = 0; t < thread_count; t++) {
    sleeping_on[t] = NONE;
    pending[t] = NULL;
  }
  for (int t = 0; t < thread_count && !given_up; t++) {
    coroutine_start(t, scenario->threads[t]);
    note_end(t);
  }
}

static bool everyone_ended(void) {
  for (int t = 0; t < thread_count; t++) {
    if (!coroutine_finished(t)) return false;
  }
  return true;
}

static bool anyone_can_run(void) {
  for (int t = 0; t < thread_count; t++) {
    if (pending[t] != NULL) return true;
  }
  return false;
}

static void walk(void) {
  start_run();
  while (!given_up) {
    if (depth == DEPTH) {
      fail("the run does not end");
    } else if (depth >= planned && open_node(&nodes[depth]) == NONE) {
      break;
    } else {
      node *n = &nodes[depth];
      if (!model_active.everything) memcpy(asleep, n->asleep, sizeof(asleep));
      step(n->thread, n->choice);
      if (planned < depth) planned = depth;
    }
  }
}

static void run_once(void) {
  if (_setjmp(out_of_run) != 0) return;
  walk();
  planned = depth;
  if (given_up) {
    result->pruned++;
  } else if (everyone_ended() || (model_active.may_sleep && !anyone_can_run())) {
    result->runs++;
    memory_settle();
    if (scenario->finish != NULL) scenario->finish();
  } else if (anyone_can_run()) {
    result->pruned++; /* all of it is asleep */
  } else {
    result->runs++;
    fail("lost wake-up: a thread sleeps, and none is left to wake it");
  }
}

/* ---- all runs ---- */

/* Go to the next thing to try, from the last node up. */
static bool backtrack(void) {
  for (int at = planned - 1; at >= 0; at--) {
    node *n = &nodes[at];
    n->asleep[n->thread] |= UINT64_C(1) << n->choice;
    for (;;) {
      uint64_t rest = n->choices[n->thread] & ~n->asleep[n->thread];
      if (rest != 0) {
        n->choice = __builtin_ctzll(rest);
        planned = at + 1;
        return true;
      }
      n->tried |= 1u << n->thread;
      unsigned left = n->todo & ~n->tried;
      if (left == 0) break;
      n->thread = __builtin_ctz(left);
    }
  }
  return false;
}

static void print_run(void) {
  static const char *const kinds[] = {"load", "store", "rmw", "cas", "fence", "wait", "wake"};
  if (depth > SHOWN) printf("    ... %d steps\n", depth - SHOWN);
  for (int i = depth > SHOWN ? depth - SHOWN : 0; i < depth; i++) {
    const op *o = &events[i].o;
    const char *name = strrchr(o->file, '/');
    printf("    %*sthread %d  %-5s %s:%d", 4 * events[i].thread, "", events[i].thread, kinds[o->kind],
           name == NULL ? o->file : name + 1, o->line);
    if (o->read != NONE) printf("  reads %#llx (store %d)", (unsigned long long)o->result, o->read);
    if (o->wrote != NONE)
      printf("  writes %#llx (store %d behind %d)", (unsigned long long)o->value, o->wrote, o->behind);
    if (o->kind == OP_WAIT) printf(o->done ? "  sleeps" : "  goes on");
    printf("\n");
  }
}

static struct {
  void *memory, *copy;
  size_t bytes;
} snapshots[MODEL_SNAPSHOTS];
static int snapshot_count;

static uint64_t *outcomes;
static size_t outcome_count, outcome_room;

/* Every run in which thread 0 dies before its access number `at`, or lives. */
static void explore_all(int at) {
  for (int i = 0; i < snapshot_count; i++) free(snapshots[i].copy);
  snapshot_count = 0;
  planned = 0;
  hooks_mortal(scenario->mortal, at);
  if (scenario->setup != NULL) scenario->setup();
  for (int i = 0; i < snapshot_count; i++) memcpy(snapshots[i].copy, snapshots[i].memory, snapshots[i].bytes);
  uint64_t budget = scenario->budget != 0 ? scenario->budget : DEFAULT_BUDGET;
  result->exhausted = false;
  do {
    run_once();
    memory_restore();
    for (int i = 0; i < snapshot_count; i++) memcpy(snapshots[i].memory, snapshots[i].copy, snapshots[i].bytes);
    if (result->failed) {
      if (!model_active.quiet) print_run();
      return;
    }
    if (result->runs + result->pruned >= budget) return;
  } while (backtrack());
  result->exhausted = true;
}

void model_explore(const model_scenario *which, const model_options *options, model_result *out) {
  scenario = which;
  result = out;
  *out = (model_result){0};
  model_active = *options;
  for (thread_count = 0; thread_count < MODEL_THREADS && which->threads[thread_count] != NULL;) thread_count++;
  outcome_count = 0;
  hooks_reset();
  int at = 1;
  do explore_all(at++);
  while (out->exhausted && hooks_killed());
}

/* ---- for scenarios ---- */

void model_snapshot(void *memory, size_t bytes) {
  if (snapshot_count == MODEL_SNAPSHOTS) abort();
  snapshots[snapshot_count].memory = memory;
  snapshots[snapshot_count].bytes = bytes;
  snapshots[snapshot_count].copy = malloc(bytes);
  if (snapshots[snapshot_count++].copy == NULL) abort();
}

static _Noreturn void stop_run(void) {
  given_up = true;
  if (coroutine_current() == NONE) longjmp(out_of_run, 1);
  pending[coroutine_current()] = NULL;
  coroutine_end();
}

void model_fail(const char *what, const char *file, int line) {
  char text[200];
  const char *name = strrchr(file, '/');
  snprintf(text, sizeof(text), "%s (%s:%d)", what, name == NULL ? file : name + 1, line);
  fail(text);
  stop_run();
}

void model_assume(bool condition) {
  if (!condition) stop_run();
}

void model_mark(uint32_t bit) { result->marks |= bit; }

int model_self(void) { return coroutine_current(); }

void model_outcome(uint64_t outcome) {
  size_t at = 0;
  while (at < outcome_count && outcomes[at] < outcome) at++;
  if (at < outcome_count && outcomes[at] == outcome) return;
  if (outcome_count == outcome_room) {
    outcome_room = outcome_room == 0 ? 64 : 2 * outcome_room;
    outcomes = realloc(outcomes, outcome_room * sizeof(*outcomes));
    if (outcomes == NULL) abort();
  }
  memmove(&outcomes[at + 1], &outcomes[at], (outcome_count - at) * sizeof(*outcomes));
  outcomes[at] = outcome;
  outcome_count++;
}

size_t model_outcomes(const uint64_t **list) {
  *list = outcomes;
  return outcome_count;
}
