// What queue.c is compiled with for BOOST, XENIUM, VYUKOV, ATOMIC and TBB: queues of 64-bit
// integers.
#include "queue.h"

#include <cstdint>

#if defined(BOOST)
#include <boost/lockfree/queue.hpp>
static boost::lockfree::queue<uint64_t, boost::lockfree::capacity<CAPACITY>> *queue;
void queue_open(void) { queue = new boost::lockfree::queue<uint64_t, boost::lockfree::capacity<CAPACITY>>; }
static bool put(uint64_t value) { return queue->push(value); }
static bool take(uint64_t &value) { return queue->pop(value); }

#elif defined(XENIUM)
#include <xenium/nikolaev_bounded_queue.hpp>
static xenium::nikolaev_bounded_queue<uint64_t> *queue;
void queue_open(void) { queue = new xenium::nikolaev_bounded_queue<uint64_t>(CAPACITY); }
static bool put(uint64_t value) { return queue->try_push(value); }
static bool take(uint64_t &value) { return queue->try_pop(value); }

#elif defined(VYUKOV)
#include <xenium/vyukov_bounded_queue.hpp>
static xenium::vyukov_bounded_queue<uint64_t> *queue;
void queue_open(void) { queue = new xenium::vyukov_bounded_queue<uint64_t>(CAPACITY); }
static bool put(uint64_t value) { return queue->try_push(value); }
static bool take(uint64_t &value) { return queue->try_pop(value); }

#elif defined(ATOMIC)
#include <atomic_queue/atomic_queue.h>
// its element for "none" is a value that is not put
using Queue = atomic_queue::AtomicQueue<uint64_t, CAPACITY, UINT64_MAX>;
static Queue *queue;
void queue_open(void) { queue = new Queue; }
static bool put(uint64_t value) { return queue->try_push(value); }
static bool take(uint64_t &value) { return queue->try_pop(value); }

#elif defined(TBB)
#include <tbb/concurrent_priority_queue.h>
struct Later {
  bool operator()(uint64_t a, uint64_t b) const { return a % LEVELS_MOST < b % LEVELS_MOST; }
};
// has no bound; queue.c puts no more than there is room for in the others
static tbb::concurrent_priority_queue<uint64_t, Later> *queue;
void queue_open(void) { queue = new tbb::concurrent_priority_queue<uint64_t, Later>; }
static bool put(uint64_t value) {
  queue->push(value);
  return true;
}
static bool take(uint64_t &value) { return queue->try_pop(value); }
#endif

int queue_put(int, uint32_t value) { return put(value); }
int queue_take(int, uint32_t *value) {
  uint64_t taken;
  if (!take(taken)) return 0;
  *value = static_cast<uint32_t>(taken);
  return 1;
}
