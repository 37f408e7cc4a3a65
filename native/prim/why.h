/* How the functions of prim.h that have a `why` fill it. */
#ifndef SABWAY_PRIM_WHY_H
#define SABWAY_PRIM_WHY_H

#include <stdarg.h>
#include <stdio.h>

#include "prim.h"

/* Puts the reason into `why`, and returns `error`. */
__attribute__((format(printf, 3, 4))) static inline int swi_refuse(int error, char *why, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(why, SW_PRIM_WHY, format, arguments);
  va_end(arguments);
  return error;
}

#endif
