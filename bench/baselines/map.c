/* A map from integers of 64 bits to such: Sabway's, or one of map.cc that it is measured against,
 * by what this is compiled with. A program that is told on its standard input what to do, a line
 * each: "get <n>", values are read in one thread; "mixed <n>", two threads read nine times and then
 * replace a value; "numbers <n>" and "mixed-numbers <n>", the same with the integers as numbers,
 * which only Sabway's map tells apart. Keys come in an order that no cache foresees. It answers
 * with the seconds that those took: of its own processor time where it is one thread. */
#define _GNU_SOURCE
#include "map.h"

#include <pthread.h>
#include <string.h>

#include "program.h"

enum { ENTRIES = 100000, TEN = 10 };

void map_fail(const char *what) { fail(what); }

#if !defined(CUCKOO) && !defined(TBB) && !defined(XENIUM)

#include "sabway/map.h"

enum { PAGES = 4096 };

static sw_heap heaps[2];
/* Of each thread: the map of integers, and the one of numbers. */
static sw_map_handle maps[2][2];

static int put(sw_map_handle *map, uint64_t key, uint64_t value) {
  return sw_map_put(map, SW_MAP_BIGINT, &key, 8, SW_MAP_BIGINT, &value, 8, SW_MAP_SET);
}

void map_open(const uint64_t *keys, uint32_t count) {
  uint32_t at[2] = {0};
  open_heaps(PAGES, heaps, 2);
  for (int thread = 0; thread < 2; thread++) {
    for (int i = 0; i < 2; i++) {
      if (thread == 0) at[i] = sw_map_new(&heaps[thread], &(sw_map_options){.seed = 0x5eed});
      if (at[i] == 0 || sw_map_open(&maps[thread][i], &heaps[thread], at[i], 0) != SW_OK) fail("no map");
    }
  }
  for (uint32_t i = 0; i < count; i++) {
    if (put(&maps[0][0], keys[i], i) != 1) fail("an integer was not added");
  }
  for (uint32_t i = 0; i < count; i++) {
    if (sw_map_put_number(&maps[0][1], (double)keys[i], i) != 1) fail("a number was not added");
  }
}

static uint64_t get_integers(map_walk *walk, unsigned long count) {
  sw_map_handle *map = &maps[walk->thread][0];
  uint64_t sum = 0, value;
  for (; count != 0; count--) {
    uint64_t key = map_key(walk);
    if (sw_map_get(map, SW_MAP_BIGINT, &key, 8, &value, 8) != SW_MAP_BIGINT) fail("an integer is missing");
    sum += value;
  }
  return sum;
}

static uint64_t get_numbers(map_walk *walk, unsigned long count) {
  sw_map_handle *map = &maps[walk->thread][1];
  double sum = 0;
  for (; count != 0; count--) {
    double value = sw_map_get_number(map, (double)map_key(walk));
    if (value != value) fail("a number is missing");
    sum += value;
  }
  return (uint64_t)sum;
}

uint64_t map_get(map_walk *walk, unsigned long count) {
  return walk->numbers ? get_numbers(walk, count) : get_integers(walk, count);
}

void map_put(map_walk *walk, uint64_t value) {
  sw_map_handle *map = &maps[walk->thread][walk->numbers];
  uint64_t key = map_key(walk);
  int status = walk->numbers ? sw_map_put_number(map, (double)key, (double)value) : put(map, key, value);
  if (status != 2) fail("a value was not replaced");
}

#endif

static volatile uint64_t sink;
static uint64_t keys[ENTRIES];
static map_walk walks[2];
static unsigned long share;
static pthread_barrier_t begin_both;

/* A number of 52 bits for each, so that it is one as a double, too. */
static uint64_t scramble(uint64_t i) {
  i = (i + 1) * 0x9e3779b97f4a7c15u;
  i = (i ^ i >> 30) * 0xbf58476d1ce4e5b9u;
  i = (i ^ i >> 27) * 0x94d049bb133111ebu;
  return (i ^ i >> 31) >> 12;
}

/* Entries were added in one order, and are read in another. */
static void shuffle(void) {
  uint32_t random = 1;
  for (uint32_t i = ENTRIES - 1; i > 0; i--) {
    random = random * 1664525 + 1013904223;
    uint32_t other = random % (i + 1);
    uint64_t key = keys[i];
    keys[i] = keys[other];
    keys[other] = key;
  }
}

static void *read_and_replace(void *argument) {
  map_walk *walk = argument;
  uint64_t sum = 0;
  pthread_barrier_wait(&begin_both);
  for (unsigned long done = 0; done < share; done += TEN) {
    sum += map_get(walk, TEN - 1);
    map_put(walk, done);
  }
  sink = sum;
  return NULL;
}

static double get(unsigned long count) {
  double begin = now(CLOCK_PROCESS_CPUTIME_ID);
  sink = map_get(&walks[0], count);
  return now(CLOCK_PROCESS_CPUTIME_ID) - begin;
}

static double mixed(unsigned long count) {
  pthread_t other;
  share = count / 2;
  pthread_barrier_init(&begin_both, NULL, 2);
  if (pthread_create(&other, NULL, read_and_replace, &walks[1]) != 0) fail("no thread");
  double begin = now(CLOCK_MONOTONIC);
  read_and_replace(&walks[0]);
  pthread_join(other, NULL);
  return now(CLOCK_MONOTONIC) - begin;
}

int main(void) {
  char what[16];
  unsigned long count;
  for (uint32_t i = 0; i < ENTRIES; i++) keys[i] = scramble(i);
  map_open(keys, ENTRIES);
  shuffle();
  for (uint32_t i = 0; i < 2; i++) walks[i] = (map_walk){keys, ENTRIES, ENTRIES / 2 * i, i, 0};
  mixed(0); /* with one thread that has ever been started, the C library takes shortcuts */
  while (scanf("%15s %lu", what, &count) == 2) {
    walks[0].numbers = walks[1].numbers = strstr(what, "numbers") != NULL;
    printf("%.9f\n", strncmp(what, "mixed", 5) == 0 ? mixed(count) : get(count));
    fflush(stdout);
  }
  return 0;
}
