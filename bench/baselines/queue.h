/* What queue.c needs of a bounded queue of other libraries: see queue.cc. */
#ifndef BENCH_QUEUE_H
#define BENCH_QUEUE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  CAPACITY = 1024,
  LEVELS_MOST = 8, /* priorities */
  THREADS_MOST = 8
};

void queue_open(void);
/* 1, or 0 when there is no room. */
int queue_put(int thread, uint32_t value);
/* 1, or 0 when there is none. */
int queue_take(int thread, uint32_t *value);

#ifdef __cplusplus
}
#endif
#endif
