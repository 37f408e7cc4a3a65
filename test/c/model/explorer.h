/* A stateless explorer for the core: runs a few threads over all their interleavings and over all
 * that weak memory may show them, and reports the first run in which something goes wrong.
 *
 * What it finds: data races on frame headers and payloads, deadlocks (a lost wake-up is one),
 * failed checks, runs that do not end. How: search.c walks the choices, memory.c says which there
 * are.
 *
 * Out of scope: load buffering (a load never reads a store that comes later in the run; the core
 * has no pair of accesses that would need it, and data races, which would be its effect on
 * payloads, are found by happens-before instead), timeouts of parks (they never expire: a sleeper
 * that is not woken hangs, and that is reported), compilers. */
#ifndef SABWAY_MODEL_EXPLORER_H
#define SABWAY_MODEL_EXPLORER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model_hooks.h"

enum { MODEL_THREADS = 4, MODEL_SNAPSHOTS = 4 };

/* Why the handshake (publish, fence, look whether armed; arm, fence, look for work) needs no fence
 * in WebAssembly: there every atomic is sequentially consistent, so the four accesses have one
 * total order that agrees with each thread's own. Each side's store comes before its look, hence
 * whichever store is second comes before only its own look, and that look sees the other store.
 * MODEL_SC walks exactly that.
 *
 * One side native and the other one WebAssembly is not walked. It holds by RC11's rule for
 * sequential consistency (Lahav et al., PLDI 2017), which orders fences and accesses together: if
 * both looks missed, then the wasm store is before the wasm look, that before the native fence (it
 * misses a store that precedes the fence), and the fence before the wasm store (a load behind the
 * fence misses it): a cycle, which is forbidden. */
enum model_mode {
  MODEL_WEAK, /* the C11 orders as written, and fences */
  MODEL_SC    /* WebAssembly: every atomic is sequentially consistent, and the fence is nothing */
};

/* What a mutant does to the accesses of one source line. */
enum model_mutation {
  MODEL_NONE,
  MODEL_WEAKEN, /* acquire and release become relaxed; a fence is not there */
  MODEL_SPLIT,  /* a read-modify-write is not atomic: another one may read the same value */
  /* what is loaded behind this fence is only what was known before: the second look is not taken */
  MODEL_BLIND
};

typedef struct model_mutant {
  enum model_mutation mutation;
  char file[32]; /* name without folders */
  int line;
} model_mutant;

typedef struct model_scenario {
  const char *name;
  /* once; its stores go to memory and are seen by every thread */
  void (*setup)(void);
  void (*threads[MODEL_THREADS])(void); /* up to the first NULL */
  /* after each complete run: memory then holds the final values */
  void (*finish)(void);
  bool sc;    /* worth running as MODEL_SC too */
  bool large; /* takes seconds: not run for every mutant */
  /* takes minutes with weak memory: only as MODEL_SC, unless named */
  bool huge;
  /* model_mark bits that must have been seen: the scenario is not vacuous */
  uint32_t marks;
  uint64_t budget; /* runs at most; 0 for the default */
  /* thread 0 dies before each of its accesses in turn, as the process of this pid; 0: it lives */
  uint32_t mortal;
} model_scenario;

typedef struct model_options {
  enum model_mode mode;
  bool everything; /* no partial order reduction: to check the reduction against */
  model_mutant mutant;
  bool quiet;     /* do not print the failing run */
  bool may_sleep; /* a run in which a thread sleeps for good is an outcome, not a failure */
} model_options;

typedef struct model_result {
  uint64_t runs;   /* complete ones */
  uint64_t pruned; /* given up because another run covers them, or by model_assume */
  bool exhausted;
  bool failed;
  uint32_t marks;
  char why[256];
} model_result;

void model_explore(const model_scenario *scenario, const model_options *options, model_result *result);

/* Was this line executed in the last model_explore? */
bool model_covered(const char *file, int line);

/* ---- for scenarios ---- */

/* Memory that every run starts with in the state that setup left: handles, counters. Call it in
 * setup. */
void model_snapshot(void *memory, size_t bytes);

/* Memory for a region: data words in it are checked for races. The scenarios clear and format
 * it. */
enum { MODEL_REGION_PAGES = 18 };
uint8_t *model_region(void);

/* Payload words, checked for races. */
#define model_data_write(word, value) model_data_store((word), (value), __FILE__, __LINE__)
#define model_data_read(word)         model_data_load((word), __FILE__, __LINE__)

/* Sleep while *word is `expected`, and wake all threads that do. Waking a thread that never comes
 * is a deadlock, and reported. */
void model_wait(uint32_t *word, uint32_t expected);
int model_wake(uint32_t *word);

/* The run is wrong. */
#define model_check(condition) ((condition) ? (void)0 : model_fail(#condition, __FILE__, __LINE__))
_Noreturn void model_fail(const char *what, const char *file, int line);

/* The run is of no interest. */
void model_assume(bool condition);

/* The run got here (a bit of model_scenario.marks). */
void model_mark(uint32_t bit);

/* Number of the running thread. */
int model_self(void);

/* Processes: a process dies when its thread calls model_die (as its last act).
 * sw_prim_process_alive then says so, to the threads that learn of it. pids are 1 to MODEL_PIDS,
 * with a start time. */
enum { MODEL_PIDS = 4 };
void model_process(uint32_t pid, uint32_t start_low, uint32_t start_high, bool alive);
void model_die(uint32_t pid);

/* In setup: `thread` has no means to wake those that sleep as `how`; SW_AWAKE: it has all. */
void model_cannot_wake(int thread, uint32_t how);

/* Collect what complete runs end with: called from finish. */
void model_outcome(uint64_t outcome);
size_t model_outcomes(const uint64_t **list); /* sorted; of the last model_explore */

#endif
