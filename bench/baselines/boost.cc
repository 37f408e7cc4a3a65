// What heap.c is compiled with for BOOST: managed_shared_memory of boost::interprocess.
#include <boost/interprocess/managed_shared_memory.hpp>
#include <cstdint>
#include <new>

using boost::interprocess::managed_shared_memory;

static const char *const name = "sabway-bench";

extern "C" {
void *boost_open(size_t bytes) {
  boost::interprocess::shared_memory_object::remove(name);
  auto *segment = new (std::nothrow) managed_shared_memory(boost::interprocess::create_only, name, bytes);
  boost::interprocess::shared_memory_object::remove(name);
  return segment;
}
uint64_t boost_alloc(void *segment, uint32_t bytes) {
  auto *memory = static_cast<managed_shared_memory *>(segment);
  return static_cast<uint64_t>(memory->get_handle_from_address(memory->allocate(bytes)));
}
void boost_free(void *segment, uint64_t at) {
  auto *memory = static_cast<managed_shared_memory *>(segment);
  memory->deallocate(memory->get_address_from_handle(static_cast<managed_shared_memory::handle_t>(at)));
}
}
