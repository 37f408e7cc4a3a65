#include "spin.h"

#include "prim/prim.h"

enum { LOOKS_PER_CLOCK = 64 /* the clock costs more than a look */ };

static void yield(sw_spinner *s, uint64_t now) {
  if (s->left != 0) {
    s->left--;
    return;
  }
  sw_prim_yield();
  uint64_t took = sw_prim_now() - now;
  s->left = s->skip = sw_wait_skip_yields(s->skip, took > UINT32_MAX ? UINT32_MAX : (uint32_t)took);
}

int swi_spin(sw_spinner *s, int (*look)(void *), void *context, uint64_t until) {
  uint64_t due = 0;
  for (;;) {
    for (int i = 0; i < LOOKS_PER_CLOCK; i++) {
      if (look(context)) return 1;
      sw_prim_pause();
    }
    uint64_t now = sw_prim_now();
    if (now >= until) return 0;
    if (now < due) continue;
    due = now + SW_WAIT_SPIN_NS;
    yield(s, now);
  }
}
