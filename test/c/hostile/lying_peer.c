#include "lying_peer.h"

#include "../unit/helper.h"
#include "hostile_hooks.h"

enum { REMEMBERED = 512 };

static const void *seen[REMEMBERED];

static bool lies_now(const void *word) {
  if (++peer.loads > peer.most_loads) fail_msg("a call does not end");
  if (peer.lies == 0) return false;
  const void **place = &seen[(uintptr_t)word / 4 % REMEMBERED];
  bool again = *place == word;
  *place = word;
  return random_next(&peer.random) % (uint32_t)(again ? 8 : peer.lies) == 0;
}

uint32_t swi_hostile_word(const void *word, uint32_t real) { return lies_now(word) ? lie(real) : real; }

uint64_t swi_hostile_word64(const void *word, uint64_t real) {
  if (!lies_now(word)) return real;
  uint32_t low = lie((uint32_t)real);
  /* one half may be as it was */
  return random_next(&peer.random) % 2 == 0 ? (real >> 32) << 32 | low
                                            : (uint64_t)lie((uint32_t)(real >> 32)) << 32 | low;
}

bool swi_hostile_race(const uint32_t *word, uint32_t *expected) {
  if (!lies_now(word)) return false;
  *expected = lie(*expected);
  return true;
}

bool swi_hostile_race64(const uint64_t *word, uint64_t *expected) {
  if (!lies_now(word)) return false;
  *expected = lie((uint32_t)*expected);
  return true;
}
