/* Weak memory by views, after Kang et al., "A Promising Semantics for Relaxed-Memory Concurrency"
 * (POPL 2017), without promises; release sequences as in C++20 (read-modify-writes only).
 *
 * A location is the list of all stores made to it, its messages, in modification order. A view is
 * the set of stores one is aware of: for each location, the newest one. A load reads any message
 * not older than the thread's view of the location; a store goes behind any message not older than
 * that, so it may be ordered before stores that came first in the run; a read-modify-write goes
 * directly behind the message that it read, and nothing gets between the two any more. Messages
 * carry a view: that of the thread when the store is a release, else that of its last fence. An
 * acquire load joins it. A sequentially consistent fence exchanges views with one global view.
 *
 * Views also carry vector clocks, which are not exchanged at fences: they are happens-before, by
 * which data races are found. Data words (frame headers, payloads) have no messages: as long as
 * there is no race, a read has one possible value, which is the one in memory. */
#include <stdio.h>
#include <string.h>

#include "internal.h"

typedef struct view {
  uint8_t newest[LOCATIONS]; /* message number; messages are numbered in the order of the run */
  uint16_t clock[MODEL_THREADS];
} view;

typedef struct message {
  uint64_t value;
  bool followed; /* a read-modify-write stands directly behind it */
  view carries;
} message;

typedef struct location {
  void *word;
  int bytes;
  int messages;
  uint8_t order[MESSAGES]; /* message numbers in modification order */
  uint8_t place[MESSAGES]; /* message number -> index in order */
  message message[MESSAGES];
} location;

typedef struct thread {
  view now;    /* what its loads and stores respect */
  view loaded; /* what an acquire fence would make it aware of */
  view fenced; /* what its relaxed stores carry */
  view before; /* the view that a MODEL_BLIND fence found */
  bool blind;
} thread;

static location locations[LOCATIONS];
static int location_count;
static thread threads[MODEL_THREADS];
static view fence_view;
static enum model_mode mode;

/* ---- locations ---- */

enum { SLOTS = 512 };
static struct {
  const void *word;
  int location;
} slots[SLOTS];

uint64_t memory_get(const void *word, int bytes) {
  return bytes == sizeof(uint32_t) ? *(const uint32_t *)word : *(const uint64_t *)word;
}

void memory_put(void *word, int bytes, uint64_t value) {
  if (bytes == sizeof(uint32_t)) *(uint32_t *)word = (uint32_t)value;
  else *(uint64_t *)word = value;
}

static bool overlaps(const location *l, const void *word, int bytes) {
  uintptr_t a = (uintptr_t)l->word, b = (uintptr_t)word;
  return a < b + (uintptr_t)bytes && b < a + (uintptr_t)l->bytes;
}

static _Noreturn void refuse_width(void) {
  model_fail("one word is accessed with 32 bits and with 64", __FILE__, __LINE__);
}

int memory_location(const void *word, int bytes) {
  size_t at = ((uintptr_t)word >> 2) * 2654435761u % SLOTS;
  while (slots[at].word != NULL && slots[at].word != word) at = (at + 1) % SLOTS;
  if (slots[at].word == word) {
    if (locations[slots[at].location].bytes != bytes) refuse_width();
    return slots[at].location;
  }
  if ((uintptr_t)word % (uintptr_t)bytes != 0) model_fail("a word is not aligned", __FILE__, __LINE__);
  for (int l = 0; l < location_count; l++) {
    if (overlaps(&locations[l], word, bytes)) refuse_width();
  }
  if (location_count == LOCATIONS) model_fail("too many locations for the model", __FILE__, __LINE__);
  location *l = &locations[location_count];
  l->word = (void *)(uintptr_t)word;
  l->bytes = bytes;
  l->messages = 1;
  l->order[0] = 0;
  l->place[0] = 0;
  l->message[0] = (message){.value = memory_get(word, bytes)};
  slots[at].word = word;
  slots[at].location = location_count;
  return location_count++;
}

static int newest(const location *l) { return l->order[l->messages - 1]; }

/* ---- views ---- */

static void see(view *v, int l, int number) {
  const uint8_t *place = locations[l].place;
  if (place[number] > place[v->newest[l]]) v->newest[l] = (uint8_t)number;
}

static void join_messages(view *into, const view *from) {
  for (int l = 0; l < location_count; l++) {
    if (into->newest[l] != from->newest[l]) see(into, l, from->newest[l]);
  }
}

static void join(view *into, const view *from) {
  join_messages(into, from);
  for (int t = 0; t < MODEL_THREADS; t++) {
    if (from->clock[t] > into->clock[t]) into->clock[t] = from->clock[t];
  }
}

static bool orders(const op *o, enum model_order what) { return mode == MODEL_SC || (o->order & what) != 0; }

/* ---- what an access may do ---- */

static bool replaces(const op *o, const message *m) { return o->kind == OP_RMW || m->value == o->expected; }

uint64_t memory_choices(int t, const op *o) {
  if (o->location == NONE || o->kind == OP_WAIT || o->kind == OP_WAKE) return 1;
  const location *l = &locations[o->location];
  if (mode == MODEL_SC) return UINT64_C(1) << newest(l);
  if (o->kind == OP_LOAD && threads[t].blind) return UINT64_C(1) << threads[t].before.newest[o->location];
  uint64_t choices = 0;
  for (int i = l->place[threads[t].now.newest[o->location]]; i < l->messages; i++) {
    const message *m = &l->message[l->order[i]];
    bool writes = o->kind == OP_STORE || (o->kind != OP_LOAD && replaces(o, m) && !o->split);
    if (!(writes && m->followed)) choices |= UINT64_C(1) << l->order[i];
  }
  return choices;
}

static void read_message(int t, op *o, int number) {
  thread *self = &threads[t];
  const message *m = &locations[o->location].message[number];
  o->read = number;
  o->result = m->value;
  see(&self->now, o->location, number);
  see(&self->loaded, o->location, number);
  join(&self->loaded, &m->carries);
  if (orders(o, MODEL_ACQUIRE)) join(&self->now, &m->carries);
}

static void write_message(int t, op *o, int behind, uint64_t value) {
  thread *self = &threads[t];
  location *l = &locations[o->location];
  int number = l->messages++;
  if (number == MESSAGES) model_fail("too many stores for the model", __FILE__, __LINE__);
  int place = l->place[behind] + 1;
  memmove(&l->order[place + 1], &l->order[place], (size_t)(number - place));
  l->order[place] = (uint8_t)number;
  for (int i = place; i <= number; i++) l->place[l->order[i]] = (uint8_t)i;
  message *m = &l->message[number];
  m->value = value;
  m->followed = false;
  see(&self->now, o->location, number);
  see(&self->loaded, o->location, number);
  m->carries = orders(o, MODEL_RELEASE) ? self->now : self->fenced;
  see(&m->carries, o->location, number);
  o->wrote = number;
  o->behind = behind;
  if (o->kind == OP_STORE) return;
  join(&m->carries, &l->message[behind].carries); /* it continues the release sequence */
  if (!o->split) l->message[behind].followed = true;
}

uint64_t memory_changed(enum model_change change, uint64_t old, uint64_t value) {
  switch (change) {
    case MODEL_ADD:
      return old + value;
    case MODEL_OR:
      return old | value;
    case MODEL_AND:
      return old & value;
    default:
      return value;
  }
}

/* What a read-modify-write stores, in the word's width. */
static uint64_t changed(const op *o) {
  uint64_t value = o->kind == OP_RMW ? memory_changed(o->change, o->result, o->value) : o->value;
  return locations[o->location].bytes == sizeof(uint32_t) ? (uint32_t)value : value;
}

static void fence(int t, const op *o) {
  thread *self = &threads[t];
  self->before = self->now;
  join(&self->now, &self->loaded);
  join_messages(&self->now, &fence_view);
  join_messages(&fence_view, &self->now);
  self->loaded = self->now;
  self->fenced = self->now;
  self->blind = o->blind;
}

void memory_execute(int t, op *o, int choice) {
  o->read = o->wrote = o->behind = NONE;
  o->done = false;
  if (o->kind != OP_LOAD) threads[t].blind = false;
  if (o->kind == OP_FENCE) {
    fence(t, o);
  } else if (o->kind == OP_STORE) {
    write_message(t, o, choice, o->value);
  } else if (o->kind == OP_WAIT) {
    /* The kernel reads the newest value of the word, and orders nothing else. */
    read_message(t, o, newest(&locations[o->location]));
    o->done = o->result == o->value;
  } else if (o->kind != OP_WAKE) {
    bool replace = o->kind != OP_LOAD && replaces(o, &locations[o->location].message[choice]);
    read_message(t, o, choice);
    if (replace) write_message(t, o, choice, changed(o));
    o->done = replace;
  }
  threads[t].now.clock[t]++;
  threads[t].loaded.clock[t]++;
}

/* ---- data words ---- */

enum { WORDS = 1024, UNDO = 1024 };

static struct {
  const void *word;
  uint16_t wrote[MODEL_THREADS], read[MODEL_THREADS]; /* the thread's clock then; 0 for never */
  int wrote_line[MODEL_THREADS], read_line[MODEL_THREADS];
  unsigned run;
} words[WORDS];
static unsigned run;
static char race[160];

const char *memory_race(void) { return race; }

static bool conflict(int t, const uint16_t *clocks, const int *lines, const char *verb, bool write, const char *file,
                     int line) {
  for (int u = 0; u < MODEL_THREADS; u++) {
    if (u == t || clocks[u] == 0 || clocks[u] <= threads[t].now.clock[u]) continue;
    const char *name = strrchr(file, '/');
    snprintf(race, sizeof(race), "data race: thread %d %s at %s:%d what thread %d %s at line %d", t,
             write ? "writes" : "reads", name == NULL ? file : name + 1, line, u, verb, lines[u]);
    return true;
  }
  return false;
}

bool memory_data(int t, const void *word, bool write, const char *file, int line) {
  size_t at = ((uintptr_t)word >> 2) * 2654435761u % WORDS;
  while (words[at].run == run && words[at].word != word) at = (at + 1) % WORDS;
  if (words[at].run != run) {
    memset(&words[at], 0, sizeof(words[at]));
    words[at].run = run;
    words[at].word = word;
  }
  if (conflict(t, words[at].wrote, words[at].wrote_line, "wrote", write, file, line)) return false;
  if (write && conflict(t, words[at].read, words[at].read_line, "read", write, file, line)) return false;
  /* An access belongs to the clock value that the thread's next release will hand over. */
  (write ? words[at].wrote : words[at].read)[t] = threads[t].now.clock[t];
  (write ? words[at].wrote_line : words[at].read_line)[t] = line;
  return true;
}

/* ---- from run to run ---- */

static struct {
  void *word;
  int bytes;
  uint64_t value;
} undo[UNDO];
static int undo_count;

void memory_undo(void *word, int bytes) {
  if (undo_count == UNDO) model_fail("too many data stores for the model", __FILE__, __LINE__);
  undo[undo_count].word = word;
  undo[undo_count].bytes = bytes;
  undo[undo_count++].value = memory_get(word, bytes);
}

void memory_settle(void) {
  for (int l = 0; l < location_count; l++) {
    memory_undo(locations[l].word, locations[l].bytes);
    memory_put(locations[l].word, locations[l].bytes, locations[l].message[newest(&locations[l])].value);
  }
}

void memory_restore(void) {
  while (undo_count > 0) {
    undo_count--;
    memory_put(undo[undo_count].word, undo[undo_count].bytes, undo[undo_count].value);
  }
}

void memory_reset(enum model_mode wanted) {
  mode = wanted;
  location_count = 0;
  memset(slots, 0, sizeof(slots));
  memset(threads, 0, sizeof(threads));
  memset(&fence_view, 0, sizeof(fence_view));
  for (int t = 0; t < MODEL_THREADS; t++) threads[t].now.clock[t] = threads[t].loaded.clock[t] = 1;
  run++;
}
