/* The root directory: names of objects in the region's heap. */
#ifndef SABWAY_LAYOUT_DIRECTORY_H
#define SABWAY_LAYOUT_DIRECTORY_H

#include "registry.h"

enum {
  SW_DIRECTORY_AT = 2048, /* its offset, behind the words of the region's header */
  SW_NAME_MOST = 255      /* of the longest name */
};

typedef struct sw_directory {
  sw_mutex lock;
  uint32_t table;   /* offset of a sw_directory_table; zero before the first name */
  uint32_t retired; /* a table that has been replaced and is to be freed; zero: none */
} sw_directory;

/* An open hash table: a slot is the offset of an entry, zero, or SW_SLOT_DELETED. */
enum { SW_SLOT_DELETED = 1 };
typedef struct sw_directory_table {
  uint32_t slots; /* a power of two */
  uint32_t used;  /* those that are not zero */
  uint32_t slot[];
} sw_directory_table;

/* Written before its offset is stored in a slot, and not changed after that. */
typedef struct sw_directory_entry {
  uint32_t kind;       /* enum sw_kind */
  uint32_t object;     /* offset */
  uint32_t hash;       /* of the name */
  uint32_t length;     /* of the name, in bytes */
  uint32_t generation; /* of the object, where its kind has one: else it was freed meanwhile */
  uint8_t name[];
} sw_directory_entry;

#define SW_DIRECTORY_STRUCTS(X) X(sw_directory) X(sw_directory_table) X(sw_directory_entry)

#define SW_DIRECTORY_FIELDS(X)  \
  X(sw_directory, lock)         \
  X(sw_directory, table)        \
  X(sw_directory, retired)      \
  X(sw_directory_table, slots)  \
  X(sw_directory_table, used)   \
  X(sw_directory_entry, kind)   \
  X(sw_directory_entry, object) \
  X(sw_directory_entry, hash)   \
  X(sw_directory_entry, length) \
  X(sw_directory_entry, generation)

#ifndef __cplusplus
_Static_assert(SW_DIRECTORY_AT + sizeof(sw_directory) <= SW_REGISTRY_AT, "the registry follows the directory");
#endif

#endif
