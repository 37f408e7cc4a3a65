/* What map.c asks of the map that it measures: Sabway's, or one of map.cc. */
#ifndef BENCH_MAP_H
#define BENCH_MAP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where a thread is in the keys, which it takes one after the other, again and again. */
typedef struct map_walk {
  const uint64_t *keys;
  uint32_t entries, next;
  uint32_t thread;
  uint32_t numbers;
} map_walk;

static inline uint64_t map_key(map_walk *walk) {
  uint64_t key = walk->keys[walk->next];
  walk->next = walk->next + 1 == walk->entries ? 0 : walk->next + 1;
  return key;
}

void map_fail(const char *what);
void map_open(const uint64_t *keys, uint32_t count);
/* So many values are read. Returns their sum. */
uint64_t map_get(map_walk *walk, unsigned long count);
void map_put(map_walk *walk, uint64_t value);

#ifdef __cplusplus
}
#endif
#endif
