/* The control block of a container: one of a fixed size for all of them, whose head says what it is
 * now. */
#ifndef SABWAY_LAYOUT_OBJECT_H
#define SABWAY_LAYOUT_OBJECT_H

#include "mutex.h"

enum {
  SW_OBJECT_BYTES = 128, /* of a control block */
  /* Beside the type in sw_object.life: a participant frees what the object owns. */
  SW_OBJECT_DYING = 0x80
};

/* What a control block is. New ones go to the end. */
enum sw_type {
  SW_TYPE_MAP = 1,
  SW_TYPE_VECTOR = 2,
  SW_TYPE_LIST = 3,
  SW_TYPE_STRING = 4,
  SW_TYPE_RECORD = 5,
  SW_TYPE_RECORDS = 6,
  SW_TYPE_POINTER_LIST = 7,
  SW_TYPE_POOL = 26
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

#define SW_OBJECT_STRUCTS(X) X(sw_object)

#define SW_OBJECT_FIELDS(X) \
  X(sw_object, lock)        \
  X(sw_object, life)        \
  X(sw_object, root)        \
  X(sw_object, place)

#ifndef __cplusplus
_Static_assert(sizeof(sw_object) == 40, "the words of the types follow");
#endif

#endif
