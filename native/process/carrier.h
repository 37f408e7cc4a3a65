/* Where shared memory cannot be mapped over a WebAssembly.Memory: JavaScript has a private region
 * ("home") with the same channel as the shared one ("away"), and one thread carries messages
 * between the two, both ways. */
#ifndef SABWAY_CARRIER_H
#define SABWAY_CARRIER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sw_carrier sw_carrier;

/* Called on the carrier's thread. */
typedef struct sw_carrier_hooks {
  void *context;
  /* One direction has ended, because the other side left values that cannot be right. */
  void (*failed)(void *context, int status);
} sw_carrier_hooks;

typedef struct sw_carrier_options {
  void *home;
  void *away;
  uint64_t size; /* of each */
  uint32_t side; /* JavaScript's: the carrier takes it away, and the other one at home */
  sw_carrier_hooks hooks;
} sw_carrier_options;

/* Make `to`, zeroed but for what sw_shared_create has written, a region with the same channel as
 * `from` (or without one, as long as that has none). Both have `size` bytes. Errors: SW_ENOTREGION,
 * SW_ELAYOUT, SW_ECORRUPT. */
int sw_carrier_mirror(void *to, const void *from, uint64_t size);

/* Start carrying. The memory must stay mapped until sw_carrier_stop returns. A process that dies
 * takes with it what was at home only. Errors: those of sw_port_open, SW_ENOMEM, SW_ESYSTEM. */
int sw_carrier_start(sw_carrier **carrier, const sw_carrier_options *options);

/* Carry what JavaScript has sent, for a second at most while a peer is there to make room; then
 * join the thread, give the sides back and free. No hook is called after this returned. Any thread,
 * once. */
void sw_carrier_stop(sw_carrier *carrier);

#ifdef __cplusplus
}
#endif
#endif
