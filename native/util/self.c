#include "self.h"

#include "prim/prim.h"

sw_owner swi_self(void) {
  uint32_t pid = sw_prim_pid();
  uint64_t start = sw_prim_process_start(pid);
  return (sw_owner){.pid = pid, .start_low = (uint32_t)start, .start_high = (uint32_t)(start >> 32)};
}
