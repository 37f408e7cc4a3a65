/* The layout as data: what the compiler made of layout.h and error.h, for build.mjs to turn into TypeScript. Compiled
 * by the compiler that compiles the wasm core, so the two cannot disagree. */
#include "sabway/ring.h"
#include "sabway/wait.h"

typedef struct row {
  const char *kind; /* size, field, constant, error, private: as in `export const` below */
  const char *owner;
  const char *name; /* for an error its sentence */
  int32_t value;
} row;

static const row ROWS[] = {
#define SW__STRUCT(type)                    {"size", #type, "", sizeof(type)},
#define SW__FIELD(type, field)              {"field", #type, #field, offsetof(type, field)},
#define SW__CONSTANT(constant)              {"constant", #constant, "", constant},
#define SW__ERROR(name, number, code, text) {"error", code, text, number},
    SW_LAYOUT_STRUCTS(SW__STRUCT) SW_LAYOUT_FIELDS(SW__FIELD) SW_LAYOUT_CONSTANTS(SW__CONSTANT)
        SW_ERROR_TABLE(SW__ERROR)
    /* Not stored in the region. */
    SW__CONSTANT(SW_REACH_RELAY) SW__CONSTANT(SW_REACH_NONE) SW__CONSTANT(SW_WAIT_BALANCED) SW__CONSTANT(SW_WAIT_SPIN)
        SW__CONSTANT(SW_WAIT_PARK) SW__CONSTANT(SW_WAIT_SPIN_NS)
    /* Handles are private to an instance, so they are no part of the layout hash; JavaScript reads their counters. */
    SW__FIELD(sw_producer, status) SW__FIELD(sw_producer, next) SW__FIELD(sw_producer, room)
        SW__FIELD(sw_producer, messages) SW__FIELD(sw_producer, bytes) SW__FIELD(sw_producer, capacity)
            SW__FIELD(sw_consumer, status) SW__FIELD(sw_consumer, messages) SW__FIELD(sw_consumer, bytes)
                SW__FIELD(sw_consumer, capacity)};

_Static_assert(sizeof(sw_producer) <= sizeof(((sw_instance *)0)->producer),
               "the handle fits its place in the instance");
_Static_assert(sizeof(sw_consumer) <= sizeof(((sw_instance *)0)->consumer),
               "the handle fits its place in the instance");

__attribute__((export_name("row_count"))) int row_count(void) { return sizeof(ROWS) / sizeof(ROWS[0]); }
__attribute__((export_name("row_at"))) const row *row_at(int i) { return &ROWS[i]; }
