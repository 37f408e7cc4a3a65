/* Which words one call of the core reads twice. Built into tests of the core in the hostile
 * flavour: each word that it reads of a peer comes by here. */
#ifndef SABWAY_TEST_DOUBLE_FETCH_H
#define SABWAY_TEST_DOUBLE_FETCH_H

#include <stddef.h>
#include <stdint.h>

/* A repeat that is safe, and why. */
typedef struct repeat {
  const char *calls; /* their names, with a space between two; NULL: any */
  const char *word;
  const char *why;
  uint32_t count;
} repeat;

/* From now on calls are looked at. `name_of` says what a word is, such as "sw_ring.head". */
void fetch_begin(repeat *known, size_t count, const char *(*name_of)(const void *word));
/* No call has read a word twice without a reason. */
void fetch_end(void);
/* Each reason has been needed by some call: one that has not may excuse the next mistake. */
void fetch_need_all(const repeat *known, size_t count);

/* The present call; NULL: none, and what is read does not count. */
void fetch_call(const char *name);
#define CALL(name, ...) (fetch_call(#name), name(__VA_ARGS__))

/* The field of the struct `type` at that offset, or the array that it is in: "type.field". */
const char *field_of(const char *type, size_t offset);

#endif
