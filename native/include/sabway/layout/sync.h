/* Locks and signals. All of them have one shape, and use of it what they need. */
#ifndef SABWAY_LAYOUT_SYNC_H
#define SABWAY_LAYOUT_SYNC_H

#include "object.h"

enum {
  /* sw_sync.options */
  SW_SYNC_AUTO = 1, /* of an event: the first waiter that it lets go on resets it */
  /* of a barrier or wait group: a member that ends has left, and breaks nothing */
  SW_SYNC_LEAVE = 2,
  /* sw_sync.member: a permit that is not there yet */
  SW_PERMIT_ABSENT = -1,
  /* the permit of a semaphore whose permits are only counted */
  SW_PERMIT_COUNTED = 64,
  /* of a barrier: a place in the party that is given up */
  SW_BARRIER_LEFT = -1,
  /* of a wait group: a part that no participant has claimed, and one whose claimer has ended */
  SW_PART_OPEN = -1,
  SW_PART_BROKEN = -2,
  /* sw_sync.state of a lock that readers and writers share: poisoned; and of once: done */
  SW_RWLOCK_POISONED = 0xff,
  SW_ONCE_DONE = -1,
  /* Beside a role in sw_sync.member: a condition's waiter was notified; a member of a barrier has
   * arrived for the odd generation that is, or was last. */
  SW_SYNC_FLAG = 0x80
};

typedef struct sw_sync {
  /* waits[0]: of all, but of an rwlock the writer that waits for readers, and waits[1] its readers
   * */
  sw_waitable head;
  /* event: 1 or 0; semaphore: permits, when they are counted; rwlock: the writer's role; barrier:
   * generation << 1 | broken; wait group: parts that are counted; once: the role that runs it;
   * spin lock: its holder's role */
  uint32_t state;
  uint32_t limit; /* of permits, or parties */
  uint32_t options;
  /* rwlock: the role that writes; barrier: 1 + the generation that was broken last */
  uint32_t more;
  uint32_t unused[14];
  /* semaphore: permits; condition, rwlock: by endpoint, the waiter, or reader; barrier: places;
   * wait
   * group: parts. Role words, but for the constants above */
  uint32_t member[SW_ENDPOINTS];
} sw_sync;

#define SW_SYNC_STRUCTS(X) X(sw_sync)

#define SW_SYNC_FIELDS(X) \
  X(sw_sync, state)       \
  X(sw_sync, limit)       \
  X(sw_sync, options)     \
  X(sw_sync, more)        \
  X(sw_sync, member)

#ifndef __cplusplus
_Static_assert(sizeof(sw_sync) == SW_SYNC_BYTES, "a control block");
#endif

#endif
