// Memory that processes share, as JavaScript holds it open: sw_shared, and no more.
#ifndef SABWAY_NAPI_SHARED_MEMORY_H
#define SABWAY_NAPI_SHARED_MEMORY_H

#include <napi.h>

#include "environment.h"
#include "sabway/shared.h"

class SharedMemory : public Napi::ObjectWrap<SharedMemory>, public Releasable {
 public:
  static void Init(Napi::Env env, Napi::Object exports);
  explicit SharedMemory(const Napi::CallbackInfo &info);
  ~SharedMemory() override { Release(); }

  // Unmap and close. Idempotent; the environment's own thread.
  void Release() override;
  bool IsCollected() override { return Value().IsEmpty(); }

  // Mapped by Mirror; NULL until then, and once it is closed.
  void *base() const { return shared_.base; }

 private:
  Napi::Value Size(const Napi::CallbackInfo &info);
  Napi::Value Overlay(const Napi::CallbackInfo &info);
  Napi::Value Mirror(const Napi::CallbackInfo &info);
  Napi::Value HasPeer(const Napi::CallbackInfo &info);
  Napi::Value DeadPeer(const Napi::CallbackInfo &info);
  sw_place Place(const Napi::CallbackInfo &info) const;
  Napi::Value Token(const Napi::CallbackInfo &info);
  Napi::Value Close(const Napi::CallbackInfo &info);

  Environment *environment_;
  uint64_t number_ = 0;  // with the environment
  sw_shared shared_ = {};
};

#endif
