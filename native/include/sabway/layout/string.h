/* A text that several participants read and replace. */
#ifndef SABWAY_LAYOUT_STRING_H
#define SABWAY_LAYOUT_STRING_H

#include "object.h"

/* The low half of sw_object.root is the offset of its sw_text, or zero: it is empty. */
typedef struct sw_string {
  sw_object object;
} sw_string;

/* A block of the heap. What is in it does not change while it can be reached. */
typedef struct sw_text {
  uint32_t length; /* in bytes, never zero */
  /* UTF-8; half a surrogate pair of JavaScript is three bytes of its own */
  uint8_t bytes[4];
} sw_text;

#define SW_STRING_STRUCTS(X) X(sw_string) X(sw_text)

#define SW_STRING_FIELDS(X) \
  X(sw_string, object)      \
  X(sw_text, length)        \
  X(sw_text, bytes)

#ifndef __cplusplus
_Static_assert(sizeof(sw_string) <= SW_OBJECT_BYTES, "a control block");
#endif

#endif
