/* What the explorer's files share. */
#ifndef SABWAY_MODEL_INTERNAL_H
#define SABWAY_MODEL_INTERNAL_H

#include "explorer.h"

/* MESSAGES: as many as a choice among them has bits */
enum { LOCATIONS = 128, MESSAGES = 64, NONE = -1 };

enum kind { OP_LOAD, OP_STORE, OP_RMW, OP_CAS, OP_FENCE, OP_WAIT, OP_WAKE };

/* One access that a thread is about to make, and then has made. */
typedef struct op {
  enum kind kind;
  enum model_order order;
  enum model_change change;
  bool split;        /* MODEL_SPLIT */
  bool blind;        /* MODEL_BLIND: this fence */
  int location;      /* NONE for a fence */
  uint64_t value;    /* to store, to add, to wait for */
  uint64_t expected; /* by compare-exchange */
  uint64_t result;   /* what was read; for a wake, the threads woken as bits */
  bool done;         /* compare-exchange: it stored. wait: it does sleep */
  int read;          /* message read, or NONE */
  int wrote;         /* message written, or NONE */
  int behind;        /* the message that stands before it in modification order */
  const char *file;
  int line;
} op;

/* ---- memory.c ---- */
void memory_reset(enum model_mode mode);
/* A word of 4 or 8 bytes. Fails the run when a word of the other width lies there: which bytes of
 * it such an access sees is for the hardware to say, and the core does not rely on it. */
int memory_location(const void *word, int bytes);
uint64_t memory_get(const void *word, int bytes);
void memory_put(void *word, int bytes, uint64_t value);
uint64_t memory_changed(enum model_change change, uint64_t old, uint64_t value);
/* messages to read from or to write behind, as bits */
uint64_t memory_choices(int thread, const op *o);
void memory_execute(int thread, op *o, int choice);
void memory_settle(void);  /* put the final values where finish can see them */
void memory_restore(void); /* and everything back to what setup left */
/* false: a race */
bool memory_data(int thread, const void *word, bool write, const char *file, int line);
const char *memory_race(void);
void memory_undo(void *word, int bytes);

/* ---- hooks.c ---- */
void hooks_reset(void);
void hooks_mortal(uint32_t pid, int at); /* thread 0 dies before its access number `at` (from 1) */
void hooks_run(void);                    /* a run begins */
bool hooks_killed(void);                 /* has it died so, in any run since hooks_mortal? */

/* ---- coroutine.c ---- */
void coroutine_start(int thread, void (*body)(void)); /* up to its first access */
void coroutine_resume(int thread);
bool coroutine_finished(int thread);
void coroutine_yield(void);         /* back to the search, to be resumed */
_Noreturn void coroutine_end(void); /* back to the search, for good */
int coroutine_current(void);        /* NONE in the search itself */

/* ---- search.c ---- */
extern model_options model_active;
void model_access(op *o); /* from the hooks: schedule, execute */

#endif
