/* Calls to the system that fail when told to.
 *
 * The linker's --wrap puts faults.c between the library and libc: every call is counted by its
 * kind, and the n-th one of the chosen kind, or all from the n-th on, fails as the real one can.
 * What was taken and not given back is counted, too. A new kind is a row in CMakeLists.txt, a
 * wrapper in faults.c, and a name here. */
#ifndef SABWAY_TEST_FAULTS_H
#define SABWAY_TEST_FAULTS_H

#include <stdint.h>

typedef enum fault_kind {
  FAULT_MEMORY, /* malloc, calloc, realloc, strdup: NULL */
  FAULT_THREAD, /* pthread_create: EAGAIN */
  FAULT_WAIT,   /* futex wait: EINTR at once */
  FAULT_WAKE,   /* futex wake: reaches no thread */
  FAULT_LOAD,   /* dlopen: NULL, and dlerror says why */
  FAULT_SYMBOL, /* dlsym: NULL */
  FAULT_OPEN,   /* fopen: EMFILE */
  FAULT_READ,   /* fread: nothing */
  FAULT_KINDS
} fault_kind;

typedef enum fault_mode { FAULT_ONCE, FAULT_FROM_THEN_ON } fault_mode;

/* What the process holds. */
typedef struct holdings {
  int64_t blocks; /* of memory, taken by the library */
  int64_t libraries;
  int64_t threads;
  int64_t files;
} holdings;

/* From now on the n-th call (the first is 1) of the kind fails. */
void faults_arm(fault_kind kind, uint32_t n, fault_mode mode);

/* No more. Returns how many calls failed. */
uint32_t faults_disarm(void);

holdings faults_holdings(void);

#endif
