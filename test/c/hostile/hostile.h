/* A fuzzer's input as the peer of the core.
 *
 * One input is a script: its bytes choose calls and their arguments, and, between them, what each
 * word that the core reads from its peer turns out to be. A byte from 0 to 127 is the truth, so
 * that scripts get somewhere; where the script has ended everything is true. Half of the scripts
 * lie whenever one call reads the same word twice: a core that checks the first value and uses the
 * second does not survive that. */
#ifndef SABWAY_TEST_HOSTILE_H
#define SABWAY_TEST_HOSTILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sabway/channel.h"
#include "sabway/endpoint.h"
#include "sabway/region.h"

enum { CAPACITY = 4096, OTHER_CAPACITY = 8192 };

typedef struct memory {
  uint8_t *base;
  uint64_t size;
} memory;

/* What the fuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the script ---- */

void script_begin(const uint8_t *data, size_t size);
int script_ended(void);
uint8_t script_byte(void);
uint32_t script_word(void);
/* A number that is often at the edge of something. */
uint32_t script_edge(uint32_t near);
/* Some length for a message in a ring of CAPACITY. */
uint32_t script_length(void);

/* ---- calls ---- */

/* Every call of the core is made between these two. `limit`: the most words it may read, so that
 * none loops without end. */
void call_begin(uint32_t limit);
void call_end(void);
#define CALL(limit, call) \
  do {                    \
    call_begin(limit);    \
    call;                 \
    call_end();           \
  } while (0)

/* Outside of calls the words are what they are: for peers that behave. */

/* What opening a side of a channel may read: four tries to take the role, each of which asks about
 * its holder, and the ring's words. */
enum { OPEN_LOADS = 4 * 5 + 11 };

/* What ringing a holder may read: its role and slot word, the mark's three words, and three of the
 * endpoint. */
enum { RING_LOADS = 2 + 3 + 3 };

void must(int holds, const char *what, const char *file, int line);
#define MUST(condition) must((condition) ? 1 : 0, #condition, __FILE__, __LINE__)

/* ---- memory ---- */

/* A region of exactly the bytes it needs, formatted anew for each script; AddressSanitizer sees
 * each byte outside. */
memory region_for_script(void);
/* Only in this region may a sleeper be woken. */
void memory_in_use(memory m);
sw_ring *ring_of(const memory *m, uint32_t side);
/* A word of the region's shared structures or of the ring's data becomes another. */
void script_poke(const memory *m, uint32_t side);
/* Use every byte of a payload. */
void touch(const uint8_t *bytes, uint32_t length);

/* ---- what must hold whatever the peer does ---- */

/* Handles keep to the ring they were attached to, and that is inside the memory. */
void check_area(const memory *m, const uint8_t *data, uint32_t capacity);
void check_producer(const sw_producer *p, const memory *m, uint32_t side);
void check_consumer(const sw_consumer *c, const memory *m, uint32_t side);
void check_slice(const sw_consumer *c, const memory *m, const sw_slice *slice);
void check_room(const sw_producer *p, const uint8_t *room, uint32_t length);

#endif
