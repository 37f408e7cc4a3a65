/* Shared by litmus.c and random.c. */
#ifndef SABWAY_MODEL_LITMUS_H
#define SABWAY_MODEL_LITMUS_H

#include "explorer.h"

enum { LITMUS_REGISTERS = 16, LITMUS_VARIABLES = 3 };

extern struct litmus { uint32_t r[LITMUS_REGISTERS]; } litmus;

uint32_t *litmus_variable(int number);

/* Compare the search with and without reduction on `programs` random programs: 0, or 1 with the
 * first difference printed. */
int litmus_random(unsigned programs, uint32_t seed);

#endif
