/* How long to spin, and how long to sleep at most: the same for native threads and JavaScript. */
#include "sabway/wait.h"

uint32_t sw_wait_next_window(uint32_t window_ns, uint32_t most_ns, uint32_t slept_ns) {
  if (slept_ns < SW_WAIT_SHORT_NS) return window_ns > most_ns / 2 ? most_ns : window_ns * 2;
  uint32_t least = most_ns / 32;
  return window_ns / 2 < least ? least : window_ns / 2;
}

uint32_t sw_wait_skip_yields(uint32_t last, uint32_t took_ns) {
  enum { LONG_NS = 1000000, LEAST = 64, MOST = 4096 };
  if (took_ns < LONG_NS) return 0;
  return last < LEAST / 2 ? LEAST : last > MOST / 2 ? MOST : last * 2;
}

uint32_t sw_wait_limit_ms(uint32_t path, uint32_t sleeps) {
  if ((path & SW_REACH_NONE) != 0) return sleeps < 6 ? 1u << sleeps : 64;
  return (path & SW_REACH_FRAGILE) != 0 ? SW_WAIT_PATROL_MS : 0;
}
