#define NAME  "where-in-place"
#define FLAGS SABWAY_IN_PLACE

#include "where.h"
