// The environment's listener: the one thread that hears other processes for its event loop.
#include "environment.h"
#include "process/listener.h"

int Environment::Watch(const sw_listener_watch &watch) {
  if (listener_ == nullptr) {
    sw_listener_hooks hooks = {};
    hooks.context = this;
    hooks.rung = [](void *context, void *which) {
      static_cast<Environment *>(context)->Ring(static_cast<Bell *>(which));
    };
    hooks.died = [](void *context, uint32_t id, uint32_t roles, uint32_t role) {
      int64_t number = static_cast<int64_t>(roles) << 32 | role;
      static_cast<Environment *>(context)->Post({id, SWI_EVENT_PEER_DIED, number, ""});
    };
    int status = sw_listener_start(&listener_, &hooks);
    if (status != SW_OK) return status;
  }
  int status = sw_listener_add(listener_, &watch);
  if (status == SW_OK) watched_++;
  else if (watched_ == 0) StopListening();
  return status;
}

void Environment::Unwatch(uint32_t id) {
  sw_listener_remove(listener_, id);
  if (--watched_ == 0) StopListening();
}

void Environment::StopListening() {
  sw_listener_stop(listener_);
  listener_ = nullptr;
}
