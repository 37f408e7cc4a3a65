#include "double_fetch.h"

#include "../unit/helper.h"
#include "hostile_hooks.h"

enum { MOST_LOADS = 4096 };
static const char *inside; /* the call, or NULL */
static const void *loads[MOST_LOADS];
static uint32_t load_count, unknown;
static repeat *reasons;
static size_t reason_count;
static const char *(*name_of)(const void *word);

static int same(const char *a, const char *b) { return strcmp(a, b) == 0; }

static const struct row {
  const char *type, *name;
  size_t offset;
} ROWS[] = {
#define ROW(type, field) {#type, #type "." #field, offsetof(type, field)},
    SW_LAYOUT_FIELDS(ROW)
#undef ROW
};

const char *field_of(const char *type, size_t offset) {
  const struct row *best = NULL;
  for (size_t i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++) {
    const struct row *row = &ROWS[i];
    if (same(row->type, type) && row->offset <= offset && (best == NULL || row->offset > best->offset)) best = row;
  }
  return best == NULL ? "?" : best->name;
}

/* Is the present call among these? */
static int is_listed(const char *calls) {
  size_t length = strlen(inside);
  for (const char *at = calls; at != NULL && (at = strstr(at, inside)) != NULL; at += length) {
    if ((at == calls || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0')) return 1;
  }
  return calls == NULL;
}

enum { MOST_REPORTS = 256 };
static struct { const char *call, *word; } reports[MOST_REPORTS];

/* Each once. */
static void report(const char *word) {
  for (uint32_t i = 0; i < unknown; i++)
    if (same(reports[i].call, inside) && same(reports[i].word, word)) return;
  if (unknown == MOST_REPORTS) return;
  reports[unknown].call = inside;
  reports[unknown++].word = word;
  print_error("%s reads %s twice\n", inside, word);
}

static void note_repeat(const void *word) {
  const char *name = name_of(word);
  for (size_t i = 0; i < reason_count; i++) {
    if (!is_listed(reasons[i].calls) || !same(reasons[i].word, name)) continue;
    reasons[i].count++;
    return;
  }
  report(name);
}

uint32_t swi_hostile_word(const void *word, uint32_t real) {
  if (inside == NULL) return real;
  int again = 0;
  for (uint32_t i = 0; i < load_count; i++) again |= loads[i] == word;
  if (again) note_repeat(word);
  else if (load_count < MOST_LOADS) loads[load_count++] = word;
  return real;
}

uint64_t swi_hostile_word64(const void *word, uint64_t real) {
  swi_hostile_word(word, 0);
  return real;
}

bool swi_hostile_race(const uint32_t *word, uint32_t *expected) {
  (void)word, (void)expected;
  return false;
}

bool swi_hostile_race64(const uint64_t *word, uint64_t *expected) {
  (void)word, (void)expected;
  return false;
}

void fetch_call(const char *name) {
  inside = name;
  load_count = 0;
}

void fetch_begin(repeat *known, size_t count, const char *(*namer)(const void *word)) {
  fetch_call(NULL);
  reasons = known;
  reason_count = count;
  name_of = namer;
  unknown = 0;
}

void fetch_end(void) {
  fetch_call(NULL);
  assert_int_equal(unknown, 0);
}

void fetch_need_all(const repeat *known, size_t count) {
  uint32_t idle = 0;
  for (const repeat *r = known; r < known + count; r++) {
    if (r->count == 0 && ++idle != 0) print_error("no call needs the reason for %s\n", r->word);
    else print_message("%-26s %s\n", r->word, r->why);
  }
  assert_int_equal(idle, 0);
}
