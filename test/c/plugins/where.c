#define NAME  "where"
#define FLAGS 0

#include "where.h"
