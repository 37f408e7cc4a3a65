// What map.c is compiled with for CUCKOO, TBB or XENIUM. Each map is as it comes: with its own
// hash, and room that it makes as it is filled.
#include "map.h"

#include <utility>

#if defined(CUCKOO)

#include <libcuckoo/cuckoohash_map.hh>

struct peer {
  libcuckoo::cuckoohash_map<uint64_t, uint64_t> all;

  bool get(uint64_t key, uint64_t &value) const { return all.find(key, value); }
  bool add(uint64_t key, uint64_t value) { return all.insert(key, value); }
  bool put(uint64_t key, uint64_t value) { return all.update(key, value); }
};

#elif defined(TBB)

#include <tbb/concurrent_hash_map.h>

struct peer {
  using map = tbb::concurrent_hash_map<uint64_t, uint64_t>;
  map all;

  bool get(uint64_t key, uint64_t &value) const {
    map::const_accessor found;
    if (!all.find(found, key)) return false;
    value = found->second;
    return true;
  }
  bool add(uint64_t key, uint64_t value) { return all.insert(std::make_pair(key, value)); }
  bool put(uint64_t key, uint64_t value) {
    map::accessor found;
    if (!all.find(found, key)) return false;
    found->second = value;
    return true;
  }
};

#elif defined(XENIUM)

#include <xenium/reclamation/generic_epoch_based.hpp>
#include <xenium/vyukov_hash_map.hpp>

// It has no call that replaces a value: the entry is erased and added, and meanwhile the other
// thread may look for it.
struct peer {
  using map = xenium::vyukov_hash_map<uint64_t, uint64_t, xenium::policy::reclaimer<xenium::reclamation::debra<> > >;
  map all;

  bool get(uint64_t key, uint64_t &value) const {
    map::accessor found;
    if (all.try_get_value(key, found)) value = *found;
    return true;
  }
  bool add(uint64_t key, uint64_t value) { return all.emplace(key, value); }
  bool put(uint64_t key, uint64_t value) {
    all.erase(key);
    all.emplace(key, value);
    return true;
  }
};

#endif

static peer *map;

extern "C" {
void map_open(const uint64_t *keys, uint32_t count) {
  map = new peer;
  for (uint32_t i = 0; i < count; i++) {
    if (!map->add(keys[i], i)) map_fail("an entry was not added");
  }
}
uint64_t map_get(map_walk *walk, unsigned long count) {
  uint64_t sum = 0, value = 0;
  for (; count != 0; count--) {
    if (!map->get(map_key(walk), value)) map_fail("an entry is missing");
    sum += value;
  }
  return sum;
}
void map_put(map_walk *walk, uint64_t value) {
  if (!map->put(map_key(walk), value)) map_fail("a value was not replaced");
}
}
