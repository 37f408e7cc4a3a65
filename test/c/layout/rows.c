/* The layout as one array of constants, in the order in which sw_layout_hash mixes them:
 * layout-dump.sh reads them out of what the compiler makes of this for each target. */
#include "sabway/layout.h"

#define STRUCT(type)       (uint32_t)sizeof(type),
#define FIELD(type, field) (uint32_t) offsetof(type, field), (uint32_t)sizeof(((type *)0)->field),
#define CONSTANT(name)     (uint32_t)(name),

const uint32_t sw_rows[] = {SW_LAYOUT_STRUCTS(STRUCT) SW_LAYOUT_FIELDS(FIELD) SW_LAYOUT_CONSTANTS(CONSTANT)};
