/* Shared by litmus.c and random.c. */
#ifndef SABWAY_MODEL_LITMUS_H
#define SABWAY_MODEL_LITMUS_H

#include "explorer.h"

enum { LITMUS_REGISTERS = 16, LITMUS_VARIABLES = 3 };

extern struct litmus { uint32_t r[LITMUS_REGISTERS]; } litmus;

uint32_t *litmus_variable(int number);
/* Words of 64 bits. What is stored there has its meaning in the high half, so that an operation on
 * half of the word is noticed. */
uint64_t *litmus_wide(int number);
#define LITMUS_HIGH(value) ((uint64_t)(value) << 32)
#define LITMUS_VALUE(word) ((uint32_t)((word) >> 32))

/* Compare the search with and without reduction on `programs` random programs: 0, or 1 with the
 * first difference printed. */
int litmus_random(unsigned programs, uint32_t seed);

#endif
