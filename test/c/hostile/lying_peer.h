/* A peer that changes words between the core's reads of them, and all the sooner those that were
 * read a moment ago. It is behind the hostile flavour (hostile_hooks.h); what is a clever lie about
 * a structure's words its test knows. */
#ifndef SABWAY_LYING_PEER_H
#define SABWAY_LYING_PEER_H

#include <stdint.h>

typedef struct lying_peer {
  uint64_t random;
  int lies;            /* 0: it does not; else one word in so many */
  uint64_t loads;      /* of this call, which a test sets to 0 before each */
  uint64_t most_loads; /* a call with more of them does not end */
} lying_peer;

/* Defined by the test, with its most_loads. */
extern lying_peer peer;

/* Defined by the test: what the peer makes of a word. */
uint32_t lie(uint32_t real);

#endif
