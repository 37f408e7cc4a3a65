/* Waiting by arithmetic, where a clock costs more than the wait. */
#ifndef SABWAY_BURN_H
#define SABWAY_BURN_H

#include <stdint.h>

/* Burns about a nanosecond a step: a chain of multiplications, which takes every processor three or
 * four cycles each, as native code and in WebAssembly. Unrolled, because V8 looks in every round of
 * a loop whether it is to stop. */
static inline void sw_burn(uint32_t steps) {
  uint32_t chain = 1;
#ifdef __clang__
#pragma clang loop unroll_count(8)
#endif
  for (; steps != 0; steps--) {
    chain *= 3;
    __asm__ volatile("" : "+r"(chain));
  }
  volatile uint32_t used = chain; /* or V8 leaves the chain out */
  (void)used;
}

#endif
