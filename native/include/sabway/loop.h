/* Event loops of this process, as wakers reach them: a program with a loop of its own registers its
 * doorbells here. */
#ifndef SABWAY_LOOP_H
#define SABWAY_LOOP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `ring` is called from any thread, under a lock, when an endpoint that sleeps as SW_SLEEP_LOOP is
 * rung; it must only pass the news on. After sw_loop_unregister returned it is not called again.
 * Errors: SW_ENOMEM. */
int sw_loop_register(uint32_t *doorbell, void (*ring)(void *context), void *context);
void sw_loop_unregister(uint32_t *doorbell);

/* System calls that this thread has made to wake others. */
uint64_t sw_wake_calls(void);

#ifdef __cplusplus
}
#endif
#endif
