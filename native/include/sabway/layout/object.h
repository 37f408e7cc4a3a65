/* Control blocks: one of a fixed size for all objects of a family, whose head says what it is now.
 * */
#ifndef SABWAY_LAYOUT_OBJECT_H
#define SABWAY_LAYOUT_OBJECT_H

#include "mutex.h"

enum {
  SW_OBJECT_BYTES = 128, /* of a control block of the containers: the smallest */
  /* of the other families */
  SW_SYNC_BYTES = 384,
  SW_QUEUE_BYTES = 384,
  SW_CAST_BYTES = 4224, /* an entry for each endpoint */
  SW_POOL_BYTES = 1024,
  /* Beside the type in sw_object.life: a participant frees what the object owns. */
  SW_OBJECT_DYING = 0x80
};

/* What a control block is. Each family has numbers of its own: the containers 1 to 7, locks and
 * signals 8 to 15, queues 16 to 20, broadcast and channels 21 to 25, pools 26 to 30. A block is one
 * of its family for good. */
enum sw_type {
  SW_TYPE_MAP = 1,
  SW_TYPE_VECTOR = 2,
  SW_TYPE_LIST = 3,
  SW_TYPE_STRING = 4,
  SW_TYPE_RECORD = 5,
  SW_TYPE_RECORDS = 6,
  SW_TYPE_POINTER_LIST = 7,
  SW_TYPE_SYNC_FIRST = 8,
  SW_TYPE_EVENT = 8,
  SW_TYPE_SEMAPHORE = 9,
  SW_TYPE_CONDITION = 10,
  SW_TYPE_RWLOCK = 11,
  SW_TYPE_BARRIER = 12,
  SW_TYPE_WAIT_GROUP = 13,
  SW_TYPE_ONCE = 14,
  SW_TYPE_SPIN_LOCK = 15,
  SW_TYPE_QUEUE_FIRST = 16,
  SW_TYPE_CAST_FIRST = 21,
  SW_TYPE_BROADCAST = 21,
  SW_TYPE_POOL_FIRST = 26,
  SW_TYPE_POOL = 26,
  SW_TYPE_POOL_CHUNK = 27,
  SW_TYPE_END = 31
};

/* The head. What stands behind it is the type's. */
typedef struct sw_object {
  sw_mutex lock; /* of those that change the object, where its type needs one */
  /* bits 32-63: its generation, which counts the objects that were here and is never zero;
   * bits 0-31: enum sw_type, perhaps with SW_OBJECT_DYING; zero: free */
  uint64_t life;
  /* The only word of the block that a type may compare-exchange: bits 0-31 are the type's, bits
   * 32-63 a version, which never goes down while the block is there. So an exchange that was
   * prepared for an object that is gone fails in the next one. */
  uint64_t root;
  uint32_t place; /* of the object in the registry: see sw_registry_add */
  uint32_t unused;
} sw_object;

/* The head of a control block of every family but the containers. Each word is a set of waiters, as
 * core/region/waits.h has it, which burial wakes; what for is the type's. */
typedef struct sw_waitable {
  sw_object object;
  uint64_t waits[2];
} sw_waitable;

#define SW_OBJECT_STRUCTS(X) X(sw_object) X(sw_waitable)

#define SW_OBJECT_FIELDS(X) \
  X(sw_object, lock)        \
  X(sw_object, life)        \
  X(sw_object, root)        \
  X(sw_object, place)       \
  X(sw_waitable, waits)

#ifndef __cplusplus
_Static_assert(sizeof(sw_object) == 40, "the words of the types follow");
_Static_assert(sizeof(sw_waitable) == 56, "the words of the types follow");
#endif

#endif
