#include "base/peer.h"
#include "sabway/endpoint.h"
#include "sabway/error.h"
#include "sabway/mutex.h"
int sw_mutex_try_lock(void *base, sw_mutex *mutex, uint32_t endpoint) {
  uint32_t role = sw_endpoint_role(base, endpoint), owner = 0;
  if (sw_compare_exchange_acq_rel(&mutex->owner, &owner, role)) return SW_OK;
  if (owner == SW_MUTEX_POISONED) return SW_EPOISONED;
  if ((owner & ~0x80u) == role) return SW_ESTATE;
  if (sw_endpoint_role_alive(base, owner & ~0x80u)) return SW_EBUSY;
  if (sw_compare_exchange_acq_rel(&mutex->owner, &owner, role | SW_MUTEX_INHERITED)) return SW_EOWNERDEAD;
  return SW_EBUSY;
}
int sw_mutex_unlock(void *base, sw_mutex *mutex, uint32_t endpoint) {
  uint32_t role = sw_endpoint_role(base, endpoint), owner = role;
  if (sw_compare_exchange_acq_rel(&mutex->owner, &owner, 0)) return SW_OK;
  if (owner == (role | SW_MUTEX_INHERITED)) {
    sw_compare_exchange_acq_rel(&mutex->owner, &owner, SW_MUTEX_POISONED);
    return SW_EPOISONED;
  }
  return SW_ESTATE;
}
int sw_mutex_consistent(void *base, sw_mutex *mutex, uint32_t endpoint) {
  uint32_t role = sw_endpoint_role(base, endpoint), owner = role | SW_MUTEX_INHERITED;
  return sw_compare_exchange_acq_rel(&mutex->owner, &owner, role) ? SW_OK : SW_ESTATE;
}
void sw_mutex_evict(void *base, sw_mutex *mutex, uint32_t role) {
  (void)base;
  sw_compare_exchange_acq_rel(&mutex->owner, &role, 0);
}
