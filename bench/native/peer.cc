// What heap.c compares with that only C++ has: boost::interprocess's managed_shared_memory.
#include <boost/interprocess/managed_shared_memory.hpp>
#include <cstdint>
#include <new>

using boost::interprocess::managed_shared_memory;

extern "C" {
void *boost_open(size_t bytes) {
  boost::interprocess::shared_memory_object::remove("sabway-bench");
  auto *segment = new (std::nothrow) managed_shared_memory(boost::interprocess::create_only, "sabway-bench", bytes);
  boost::interprocess::shared_memory_object::remove("sabway-bench");
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
