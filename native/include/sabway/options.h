/* Numbers out of a flat JSON object, such as a plugin's options. Enough for
 * {"width":640,"rate":59.94}; a plugin with richer options brings a JSON library of its choice.
 * Text inside strings is skipped, nested values are not searched apart. */
#ifndef SABWAY_OPTIONS_H
#define SABWAY_OPTIONS_H

#include <locale.h>
#include <stdlib.h>
#include <string.h>

static inline const char *swi_string_end(const char *quote) {
  const char *at = quote + 1;
  while (*at != '\0' && *at != '"') at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
  return at;
}

/* JSON's number, whatever decimal point the program's locale has. *end is where it stops, or `text`
 * when there is none. */
static inline double swi_number(const char *text, const char **end) {
  char copy[64];
  size_t length = strspn(text, "+-.0123456789eE");
  if (length >= sizeof(copy)) length = sizeof(copy) - 1;
  memcpy(copy, text, length);
  copy[length] = '\0';
  char *point = strchr(copy, '.');
  if (point != NULL) *point = localeconv()->decimal_point[0];
  char *stop;
  double value = strtod(copy, &stop);
  *end = text + (stop - copy);
  return value;
}

/* The number that `name` has in `json`, or `otherwise` when it is not there or not a number. */
static inline double sabway_option(const char *json, const char *name, double otherwise) {
  size_t length = strlen(name);
  for (const char *at = json; (at = strchr(at, '"')) != NULL;) {
    const char *end = swi_string_end(at);
    if (*end == '\0') return otherwise;
    int same = (size_t)(end - at - 1) == length && memcmp(at + 1, name, length) == 0;
    at = end + 1;
    while (*at == ' ') at++;
    if (!same || *at != ':') continue;
    const char *number = at + 1 + strspn(at + 1, " ");
    const char *stop;
    double value = swi_number(number, &stop);
    return stop == number ? otherwise : value;
  }
  return otherwise;
}

#endif
