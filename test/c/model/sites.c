#define _POSIX_C_SOURCE 200809L /* strtok_r */

#include "sites.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 512 };

/* Labels that comments mention, and whether a site has them. */
static struct {
  char name[8];
  bool found;
} labels[LABELS];
static int label_count;

static bool note_label(const char *name, bool at_site) {
  int i = 0;
  while (i < label_count && strcmp(labels[i].name, name) != 0) i++;
  if (i == LABELS) return false;
  if (i == label_count) snprintf(labels[label_count++].name, sizeof(labels[0].name), "%s", name);
  labels[i].found |= at_site;
  return true;
}

/* A label is a capital and a digit in brackets. */
static const char *next_label(const char *text) {
  for (const char *at = strchr(text, '['); at != NULL; at = strchr(at + 1, '[')) {
    if (isupper((unsigned char)at[1]) && isdigit((unsigned char)at[2]) && at[3] == ']') return at;
  }
  return NULL;
}

/* The atomic operation that a line calls, or NULL. */
static const char *operation(const char *text) {
  static const char *const names[] = {
      "load_acquire(", "load64_acquire(",     "store_release(",      "store64_release(",          "sw_exchange",
      "sw_fetch_",     "sw_compare_exchange", "sw_fence_handshake(", "sw_fence_behind_exchange(", "sw_fill64(",
      "sw_fill("};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    const char *at = strstr(text, names[i]);
    if (at != NULL) return at;
  }
  return NULL;
}

/* A definition starts in the first column: the name before its first parenthesis. */
static void note_function(const char *text, char *function, size_t room) {
  const char *end = strchr(text, '(');
  if (!isalpha((unsigned char)text[0]) || end == NULL) return;
  const char *start = end;
  while (start > text && (isalnum((unsigned char)start[-1]) || start[-1] == '_')) start--;
  snprintf(function, room, "%.*s", (int)(end - start), start);
}

static void add_labels(site *s, const char *text) {
  for (const char *at = next_label(text); at != NULL; at = next_label(at + 1)) {
    if (strlen(s->labels) + 6 >= sizeof(s->labels)) return;
    if (s->labels[0] != '\0') strcat(s->labels, " ");
    strncat(s->labels, at, 4);
  }
}

/* The labels with which a comment begins that ends right above the line: those of the operation
 * below it. */
static void note_above(const char *text, char *above, size_t room) {
  while (*text == ' ') text++;
  bool begins = strncmp(text, "/*", 2) == 0;
  if (!begins && text[0] != '*') above[0] = '\0';
  if (!begins) return;
  const char *end = text + 3;
  while (next_label(end) == end) end += end[4] == ' ' ? 5 : 4;
  snprintf(above, room, "%.*s", (int)(end - text), text);
}

static bool add_site(site *s, const char *file, int line, const char *text, const char *above) {
  const char *call = operation(text);
  const char *comment = strstr(text, "/*");
  if (call == NULL || (comment != NULL && call > comment)) call = NULL;
  for (const char *at = next_label(text); at != NULL; at = next_label(at + 1)) {
    char name[8];
    snprintf(name, sizeof(name), "%.4s", at);
    if (!note_label(name, call != NULL)) return false;
  }
  if (call == NULL) return false;
  for (const char *at = next_label(above); at != NULL; at = next_label(at + 1)) {
    char name[8];
    snprintf(name, sizeof(name), "%.4s", at);
    if (!note_label(name, true)) return false;
  }
  *s = (site){.line = line};
  snprintf(s->file, sizeof(s->file), "%s", file);
  while (*text == ' ') text++;
  size_t length = comment != NULL && comment > text ? (size_t)(comment - text) : strlen(text);
  while (length > 0 && isspace((unsigned char)text[length - 1])) length--;
  snprintf(s->text, sizeof(s->text), "%.*s", (int)length, text);
  add_labels(s, above);
  add_labels(s, text);
  bool is_fence = strncmp(call, "sw_fence", 8) == 0;
  s->mutable_as[MODEL_WEAKEN] = true;
  s->mutable_as[MODEL_BLIND] = is_fence;
  s->mutable_as[MODEL_SPLIT] =
      !is_fence && strncmp(call, "sw_", 3) == 0 && strncmp(call, "sw_load", 7) != 0 && strncmp(call, "sw_fill", 7) != 0;
  return true;
}

static int read_file(const char *root, const char *path, site *sites, int count) {
  char name[2 * LINE], text[LINE];
  snprintf(name, sizeof(name), "%.500s/native/%.500s", root, path);
  FILE *file = fopen(name, "r");
  if (file == NULL) {
    printf("cannot read %s\n", name);
    return -1;
  }
  char function[sizeof(sites->function)] = "", above[24] = "";
  for (int line = 1; fgets(text, sizeof(text), file) != NULL; line++) {
    if (count == SITES) {
      printf("more than %d sites: raise SITES\n", SITES);
      count = -1;
      break;
    }
    note_function(text, function, sizeof(function));
    bool is_site = add_site(&sites[count], strrchr(path, '/') + 1, line, text, above);
    note_above(text, above, sizeof(above));
    if (is_site) memcpy(sites[count++].function, function, sizeof(function));
  }
  fclose(file);
  return count;
}

/* Whose functions are part of others. */
static const char *const HEADERS[] = {"core/pool/cells.h", "core/queue/ncq.h", "core/queue/queue.h",
                                      "core/region/waits.h", "core/sync/sync.h"};

static bool is_foundation(const char *path) {
  static const char *const folders[] = {"core/region/", "core/ring/", "core/channel/"};
  for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
    if (strncmp(path, folders[i], strlen(folders[i])) == 0) return true;
  }
  return false;
}

int sites_read(const char *root, site *sites) {
  char name[2 * LINE], path[LINE];
  snprintf(name, sizeof(name), "%.500s/native/sources.txt", root);
  FILE *list = fopen(name, "r");
  if (list == NULL) {
    printf("cannot read %s\n", name);
    return -1;
  }
  int count = 0;
  while (count >= 0 && fgets(path, sizeof(path), list) != NULL) {
    path[strcspn(path, "\r\n")] = '\0';
    if (strncmp(path, "core/", 5) != 0) continue;
    int begin = count;
    count = read_file(root, path, sites, count);
    for (int i = begin; i < count; i++) sites[i].foundation = is_foundation(path);
  }
  fclose(list);
  for (size_t i = 0; i < sizeof(HEADERS) / sizeof(*HEADERS) && count >= 0; i++)
    count = read_file(root, HEADERS[i], sites, count);
  for (int i = 0; i < label_count && count >= 0; i++) {
    if (labels[i].found) continue;
    printf("the comments name the ordering edge %s, but no atomic operation has it on its line or right above it\n",
           labels[i].name);
    count = -1;
  }
  return count;
}
