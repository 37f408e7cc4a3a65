/* A hash map: buckets of one word each, and entries that never change.
 *
 *   sw_map.object.root --> sw_map_table --> bucket --> an entry
 *                                           bucket --> a block of hashes and entries --> entries
 *
 * A bucket's word:
 *
 *   bits 40-63   version: counts the changes of this bucket; zero of a word that is no content
 *   bits 32-39   fingerprint, of one entry: the bits of its hash above those that found the bucket
 *   bit  31      frozen: the content is on its way to the next table, and changes no more
 *   bits 28-30   how many entries; 7: the block says how many
 *   bits 0-27    offset / 16 of the entry, or of the block where there are several; without a
 *                version: of the table itself
 *
 * Every word of a table that participants exchange contains the table's own offset or a version,
 * so an exchange that was prepared before the map was freed fails in what is there later. */
#ifndef SABWAY_LAYOUT_MAP_H
#define SABWAY_LAYOUT_MAP_H

#include "object.h"
#include "region.h"

/* What a key or a value is. Keys are the first four. New ones go to the end. */
enum sw_map_type {
  SW_MAP_NUMBER = 1, /* 8 bytes: a double. Of keys, -0 is 0, and there is one NaN */
  SW_MAP_BIGINT = 2, /* an integer in two's complement: the least multiple of 8 bytes */
  SW_MAP_STRING = 3, /* UTF-8 that may have surrogates without a partner (WTF-8) */
  SW_MAP_BYTES = 4,
  SW_MAP_NULL = 5, /* these have no bytes */
  SW_MAP_FALSE = 6,
  SW_MAP_TRUE = 7,
  SW_MAP_CODED = 8, /* what a codec of the program has made of a value */
  SW_MAP_VIEW = 9   /* a word that says which array or DataView it is, and its bytes */
};

enum {
  /* sw_map.flags */
  SW_MAP_U32 = 1, /* all values are numbers: integers of 32 bits without a sign */
  SW_MAP_F64 = 2, /* all values are numbers */
  SW_MAP_I64 = 3, /* all values are integers of 64 bits with a sign */
  SW_MAP_NUMERIC = 3,
  SW_MAP_LRU = 4, /* beyond sw_map.most, an entry that was not used for long makes room */
  SW_MAP_TTL = 8, /* entries may expire */

  /* sw_map_entry.shape: bits 0-3 the key's type, bits 4-7 the value's */
  SW_MAP_EXPIRES = 256, /* a double stands before the key: when it expires */

  SW_MAP_CROWD = 7,          /* a bucket's number of entries, where the block has it */
  SW_MAP_BUCKET_MOST = 1023, /* entries of a bucket */
  SW_MAP_LOG2_MOST = 27,     /* of the number of buckets */
  SW_MAP_KEY_MOST = 1 << 24  /* bytes of a key */
};

/* The control block. */
typedef struct sw_map {
  sw_object object; /* its root: the offset of the table */
  uint32_t slots;   /* offset of sw_map_slots */
  uint32_t flags;
  uint32_t most;  /* entries, with SW_MAP_LRU */
  uint32_t codec; /* JavaScript's: which codec its values are coded by */
  uint64_t seed;  /* of the hashes */
  double ttl;     /* milliseconds until an entry expires, where the caller says nothing else */
  uint8_t unused[SW_OBJECT_BYTES - sizeof(sw_object) - 32];
} sw_map;

/* Half of each word is the offset of this block. */
typedef struct sw_map_slots {
  /* entries that the endpoint has added, without those that it has removed. Neighbours are in
   * different lines: endpoint e has count[e % 8 * 8 + e / 8] */
  uint64_t count[SW_ENDPOINTS];
  uint64_t hand; /* where the next look for what can be evicted or has expired begins */
  uint64_t unused[7];
} sw_map_slots;

typedef struct sw_map_table {
  /* bits 32-63: this table's offset; bits 0-31: the next table's; zero: there is none; one: there
   * will be none, because the map is being freed */
  uint64_t next;
  uint64_t moved;    /* bits 32-63: likewise; bits 0-31: buckets before this one are forwarded */
  uint32_t log2;     /* of the number of buckets */
  uint32_t previous; /* the table that this one has replaced, which stays until the map is freed */
  uint32_t marks;    /* offset of two bits a bucket, 16 buckets a word: used of late; or zero */
  uint32_t unused[9];
} sw_map_table; /* the buckets follow */

/* Never changes while a bucket leads to it. The key and the value follow, each of whole words with
 * zeros behind the last byte. */
typedef struct sw_map_entry {
  uint64_t shape;   /* bits 32-63: the key's hash */
  uint64_t lengths; /* bits 32-63: bytes of the value; bits 0-31: of the key */
} sw_map_entry;

#define SW_MAP_STRUCTS(X) X(sw_map) X(sw_map_slots) X(sw_map_table) X(sw_map_entry)

#define SW_MAP_FIELDS(X)    \
  X(sw_map, slots)          \
  X(sw_map, flags)          \
  X(sw_map, most)           \
  X(sw_map, codec)          \
  X(sw_map, seed)           \
  X(sw_map, ttl)            \
  X(sw_map_slots, count)    \
  X(sw_map_slots, hand)     \
  X(sw_map_table, next)     \
  X(sw_map_table, moved)    \
  X(sw_map_table, log2)     \
  X(sw_map_table, previous) \
  X(sw_map_table, marks)    \
  X(sw_map_entry, shape)    \
  X(sw_map_entry, lengths)

#ifndef __cplusplus
_Static_assert(sizeof(sw_map) == SW_OBJECT_BYTES, "a map's control block is one of all");
_Static_assert(sizeof(sw_map_table) == 64, "buckets begin at a cache line");
#endif

#endif
