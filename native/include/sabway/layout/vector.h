/* An array of numbers that grows, and whose elements never move because of that. */
#ifndef SABWAY_LAYOUT_VECTOR_H
#define SABWAY_LAYOUT_VECTOR_H

#include "object.h"

enum {
  SW_VECTOR_SEGMENTS = 32,
  SW_VECTOR_WIDEST = 512,     /* bytes of an element */
  SW_VECTOR_MOST = 0x7fffffff /* elements */
};

/* What the components of an element are: the numbers of JavaScript's typed arrays. Bits 4-7: log2 of
 * their bytes. */
enum sw_component {
  SW_COMPONENT_U8 = 0x00,
  SW_COMPONENT_I8 = 0x01,
  SW_COMPONENT_U8_CLAMPED = 0x02,
  SW_COMPONENT_U16 = 0x10,
  SW_COMPONENT_I16 = 0x11,
  SW_COMPONENT_F16 = 0x12,
  SW_COMPONENT_U32 = 0x20,
  SW_COMPONENT_I32 = 0x21,
  SW_COMPONENT_F32 = 0x22,
  SW_COMPONENT_U64 = 0x30,
  SW_COMPONENT_I64 = 0x31,
  SW_COMPONENT_F64 = 0x32
};

typedef struct sw_vector {
  sw_object object;
  uint32_t length;  /* of elements that are there */
  uint32_t version; /* odd: elements are being moved, or one of several components written */
  /* these three do not change */
  uint32_t shape; /* bits 0-7: enum sw_component; 8-15: log2 of segment 0's elements; 16-31: components of an element */
  uint32_t table; /* offset of its sw_vector_table */
  /* What the holder of the lock is about, so that the next one can end it: 0, or 1 + the next
   * element to be moved; or SW_VECTOR_WRITING. */
  uint32_t moving;
  uint32_t until; /* the length that there will be; the index of the element that is written */
} sw_vector;

enum { SW_VECTOR_WRITING = -1 };

/* Segment 0 follows, and before it room for one element where that has several components. Segment k
 * has room for all the elements of those before it. */
typedef struct sw_vector_table {
  uint32_t segment[SW_VECTOR_SEGMENTS]; /* offsets; zero: not there yet */
} sw_vector_table;

#define SW_VECTOR_STRUCTS(X) X(sw_vector) X(sw_vector_table)

#define SW_VECTOR_FIELDS(X) \
  X(sw_vector, length)      \
  X(sw_vector, version)     \
  X(sw_vector, shape)       \
  X(sw_vector, table)       \
  X(sw_vector, moving)      \
  X(sw_vector, until)       \
  X(sw_vector_table, segment)

#ifndef __cplusplus
_Static_assert(sizeof(sw_vector) <= SW_OBJECT_BYTES, "a control block");
#endif

#endif
