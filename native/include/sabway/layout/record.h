/* Records: objects with fields of fixed types, and arrays of them, in two blocks of the heap.
 *
 *   control block   sw_record
 *   data            the fields, and behind them the undo log: sw_undo, `room` of them
 *
 * What the fields are is known to those that use them; `shape` tells two kinds of records apart. */
#ifndef SABWAY_LAYOUT_RECORD_H
#define SABWAY_LAYOUT_RECORD_H

#include "object.h"

enum {
  /* Of sw_record.alive: such a word is there by chance in no other type's control block. */
  SW_RECORD_ALIVE = 0x52ec0a1e,
  SW_UNDO_TEXT = 0x80 /* beside the width: the field leads to a sw_text (layout/string.h) */
};

/* A field that has been changed, and what it was: enough to change it back. */
typedef struct sw_undo {
  uint32_t at;    /* offset in the fields */
  uint32_t width; /* in bytes: 1, 2, 4 or 8; and SW_UNDO_TEXT */
  uint64_t old;
} sw_undo;

/* What a record is to be. */
typedef struct sw_record_plan {
  uint32_t shape[2]; /* a hash of the names and types of its fields */
  uint32_t rows;     /* of an array; 1 */
  uint32_t layout;   /* of an array, as its users number them */
  uint32_t bytes;    /* of the fields: a multiple of 8 */
  uint32_t room;     /* entries of the undo log */
  /* Where the text words are: `texts` of each row, at row * text_row + text * text_step. */
  uint32_t texts;
  uint32_t text_row;
  uint32_t text_step;
} sw_record_plan;

typedef struct sw_record {
  sw_object object;    /* its root is not used */
  uint32_t data;       /* offset of the fields */
  uint32_t version;    /* odd: the holder of the lock is changing fields */
  uint32_t undo;       /* entries in the log: zero when no change is under way */
  sw_record_plan plan; /* does not change */
  uint32_t unused[9];
  /* SW_RECORD_ALIVE ^ generation until it is freed: JavaScript looks at it each time */
  uint32_t alive;
} sw_record;

/* A part of the fields. */
typedef struct sw_piece {
  uint32_t at, bytes;
} sw_piece;

#define SW_RECORD_STRUCTS(X) X(sw_undo) X(sw_record_plan) X(sw_record) X(sw_piece)

#define SW_RECORD_FIELDS(X)    \
  X(sw_undo, at)               \
  X(sw_undo, width)            \
  X(sw_undo, old)              \
  X(sw_record_plan, shape)     \
  X(sw_record_plan, rows)      \
  X(sw_record_plan, layout)    \
  X(sw_record_plan, bytes)     \
  X(sw_record_plan, room)      \
  X(sw_record_plan, texts)     \
  X(sw_record_plan, text_row)  \
  X(sw_record_plan, text_step) \
  X(sw_record, data)           \
  X(sw_record, version)        \
  X(sw_record, undo)           \
  X(sw_record, plan)           \
  X(sw_record, alive)          \
  X(sw_piece, at)              \
  X(sw_piece, bytes)

#ifndef __cplusplus
_Static_assert(sizeof(sw_record) == SW_OBJECT_BYTES, "a record fills its control block");
_Static_assert(sizeof(sw_undo) == 16, "entries of the log are aligned as the fields before them");
#endif

#endif
