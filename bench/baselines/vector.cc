// What vector.c is compiled with for TBB: oneTBB's concurrent_vector.
#include <tbb/concurrent_vector.h>
#include <cstdint>

static tbb::concurrent_vector<uint32_t> *vector;

extern "C" {
void vector_new(void) { vector = new tbb::concurrent_vector<uint32_t>; }
void vector_push(int, uint32_t from, uint32_t to) {
  for (; from != to; from++) vector->push_back(from);
}
uint32_t vector_length(void) { return static_cast<uint32_t>(vector->size()); }
void vector_free(void) { delete vector; }
}
