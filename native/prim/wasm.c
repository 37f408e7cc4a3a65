/* WebAssembly as an operating system: what it cannot do itself, its JavaScript host does. Offsets
 * are addresses. */
#include "prim.h"

__attribute__((import_module("env"), import_name("wake"))) int swi_host_wake(uint32_t doorbell, uint32_t how);
__attribute__((import_module("env"), import_name("alive"))) int swi_host_alive(uint32_t pid, uint32_t low,
                                                                               uint32_t high);

int sw_prim_wake(uint32_t *doorbell, uint32_t how) { return swi_host_wake((uint32_t)(uintptr_t)doorbell, how); }

int sw_prim_process_alive(uint32_t pid, uint32_t start_low, uint32_t start_high) {
  return swi_host_alive(pid, start_low, start_high);
}

/* Only a native thread can give memory of a WebAssembly.Memory back: JavaScript has no call for
 * that. */
uint64_t sw_prim_discard(void *from, uint64_t bytes) {
  (void)from, (void)bytes;
  return 0;
}
