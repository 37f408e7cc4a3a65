/* A linked list of numbers, or of elements of several numbers, in the order of their insertion. */
#ifndef SABWAY_LAYOUT_LIST_H
#define SABWAY_LAYOUT_LIST_H

#include "vector.h"

/* The elements' type and size are those of a vector's. */
typedef struct sw_list {
  sw_object object;
  uint32_t head; /* offset of the first node, or zero */
  /* counts up behind each change by which a node cannot be reached any more, before it is freed */
  uint32_t version;
  uint32_t shape; /* bits 0-7: enum sw_component; 16-31: components of an element. Does not change. */
  uint32_t last;  /* the highest number that a node has got */
  uint32_t era;   /* counts how often all nodes have got new numbers, because there were no more */
  /* the first of the nodes that are being freed together; also of those that are about to */
  uint32_t garbage;
  /* These follow from the nodes; the next holder of the lock makes them anew behind a crash. */
  uint32_t tail;
  uint32_t count;
  uint32_t block; /* a block of the heap that is freed with the list, or zero */
  uint32_t unused;
} sw_list;

/* A block of the heap. Only `next` and `previous` change while it can be reached. */
typedef struct sw_node {
  uint32_t next; /* offset, or zero */
  uint32_t previous;
  uint32_t number; /* higher than that of each node before it; zero: it was taken out */
  uint32_t list;   /* offset of the list that it is in */
} sw_node;         /* the element follows */

/* Where a reader of a list is. Zeroes are its beginning. */
typedef struct sw_list_cursor {
  uint32_t node; /* the last one that was read */
  uint32_t number;
  uint32_t version; /* the list's at that moment */
  uint32_t era;
  uint32_t index; /* how many were read */
} sw_list_cursor;

/* What is read of a node; the element follows, and is filled up to a multiple of 8 bytes. */
typedef struct sw_list_entry {
  uint32_t node;
  uint32_t number;
} sw_list_entry;

#define SW_LIST_STRUCTS(X) X(sw_list) X(sw_node) X(sw_list_cursor) X(sw_list_entry)

#define SW_LIST_FIELDS(X)    \
  X(sw_list, head)           \
  X(sw_list, version)        \
  X(sw_list, shape)          \
  X(sw_list, last)           \
  X(sw_list, era)            \
  X(sw_list, garbage)        \
  X(sw_list, tail)           \
  X(sw_list, count)          \
  X(sw_list, block)          \
  X(sw_node, next)           \
  X(sw_node, previous)       \
  X(sw_node, number)         \
  X(sw_node, list)           \
  X(sw_list_cursor, node)    \
  X(sw_list_cursor, number)  \
  X(sw_list_cursor, version) \
  X(sw_list_cursor, era)     \
  X(sw_list_cursor, index)   \
  X(sw_list_entry, node)     \
  X(sw_list_entry, number)

#ifndef __cplusplus
_Static_assert(sizeof(sw_list) <= SW_OBJECT_BYTES, "a control block");
#endif

#endif
