#include "prim/prim.h"
#include "sabway/error.h"
#include "sabway/mutex.h"
int sw_mutex_lock(void *base, sw_mutex *mutex, uint32_t endpoint, int64_t timeout_ns) {
  uint64_t end = sw_prim_now() + (uint64_t)timeout_ns;
  for (;;) {
    int status = sw_mutex_try_lock(base, mutex, endpoint);
    if (status != SW_EBUSY) return status;
    if (timeout_ns >= 0 && sw_prim_now() >= end) return SW_ETIMEDOUT;
    sw_prim_yield();
  }
}
