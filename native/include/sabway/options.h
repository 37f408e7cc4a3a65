/* Numbers out of a flat JSON object, such as a plugin's options. Enough for {"width":640,"rate":59.94}; a plugin with
 * richer options brings a JSON library of its choice. Text inside strings is skipped, nested values are not searched
 * apart. */
#ifndef SABWAY_OPTIONS_H
#define SABWAY_OPTIONS_H

#include <stdlib.h>
#include <string.h>

static inline const char *sabway__string_end(const char *quote) {
  const char *at = quote + 1;
  while (*at != '\0' && *at != '"') at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
  return at;
}

/* The number that `name` has in `json`, or `otherwise` when it is not there or not a number. */
static inline double sabway_option(const char *json, const char *name, double otherwise) {
  size_t length = strlen(name);
  for (const char *at = json; (at = strchr(at, '"')) != NULL;) {
    const char *end = sabway__string_end(at);
    if (*end == '\0') return otherwise;
    int same = (size_t)(end - at - 1) == length && memcmp(at + 1, name, length) == 0;
    at = end + 1;
    while (*at == ' ') at++;
    if (!same || *at != ':') continue;
    char *stop;
    double value = strtod(at + 1, &stop);
    return stop == at + 1 ? otherwise : value;
  }
  return otherwise;
}

#endif
