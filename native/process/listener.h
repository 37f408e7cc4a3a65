/* One thread that sleeps for an event loop: on the doorbells of the regions that the loop shares
 * with other processes, whose rings reach no further than a futex, and on the lives of those
 * processes. */
#ifndef SABWAY_LISTENER_H
#define SABWAY_LISTENER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sw_listener sw_listener;

/* Called on the listener's thread. */
typedef struct sw_listener_hooks {
  void *context;
  /* The endpoint of the watch that has this `bell`. */
  void (*rung)(void *context, void *bell);
  /* The participant `role` of another process, which held roles of the channel of the watch `id`,
   * has ended without leaving them. Bit n of `roles` is for sw_channel_role's n. Once for each
   * death. */
  void (*died)(void *context, uint32_t id, uint32_t roles, uint32_t role);
} sw_listener_hooks;

/* An endpoint whose doorbell to sleep on, and the channel whose peers to watch. */
typedef struct sw_listener_watch {
  void *base;
  uint64_t size;
  uint32_t channel;  /* offset */
  uint32_t endpoint; /* SW_ENDPOINTS: no doorbell, only the peers */
  uint32_t id;       /* of the watch: `died` names it */
  void *bell;        /* `rung` names it */
} sw_listener_watch;

/* Start the thread. Errors: SW_ENOMEM, SW_ESYSTEM. */
int sw_listener_start(sw_listener **listener, const sw_listener_hooks *hooks);

/* Join it and free. No hook is called after this returned. */
void sw_listener_stop(sw_listener *listener);

/* Watch one more, or one less. These, and sw_listener_stop, are for one thread: the loop's own.
 * Each blocks until the listener's thread is paused, so it must not be called from a hook. After
 * sw_listener_remove the region's memory is not looked at any more. Errors: SW_ENOMEM. */
int sw_listener_add(sw_listener *listener, const sw_listener_watch *watch);
void sw_listener_remove(sw_listener *listener, uint32_t id);

/* To be called now and then while doorbells ring: those that ring often are put where a ring costs
 * least. Nothing, unless there are such. For the same thread, and blocks as those do. */
void sw_listener_settle(sw_listener *listener);

#ifdef __cplusplus
}
#endif
#endif
