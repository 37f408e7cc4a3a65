// The addon's hold on one region: keeps its memory alive while native threads use it.
#ifndef SABWAY_NAPI_REGION_H
#define SABWAY_NAPI_REGION_H

#include <napi.h>

#include <set>

#include "environment.h"
#include "process/carrier.h"
#include "worker_set.h"

class SharedMemory;

class RegionBinding : public Napi::ObjectWrap<RegionBinding>, public Releasable {
 public:
  static void Init(Napi::Env env, Napi::Object exports);
  explicit RegionBinding(const Napi::CallbackInfo &info);
  ~RegionBinding() override { Release(); }

  // Stop the workers, forget the event loop, give endpoint and roles back. Idempotent; the
  // environment's own thread.
  void Release() override;
  bool IsCollected() override { return Value().IsEmpty(); }

 private:
  static void Failed(void *context, int status);

  static napi_value Ring(napi_env env, napi_callback_info info);
  Napi::Value Park(const Napi::CallbackInfo &info);
  Napi::Value Yield(const Napi::CallbackInfo &info);
  Napi::Value Listen(const Napi::CallbackInfo &info);
  Napi::Value Watch(const Napi::CallbackInfo &info);
  Napi::Value Unwatch(const Napi::CallbackInfo &info);
  Napi::Value Carry(const Napi::CallbackInfo &info);
  Napi::Value StartWorker(const Napi::CallbackInfo &info);
  Napi::Value StopWorker(const Napi::CallbackInfo &info);
  Napi::Value WorkerStats(const Napi::CallbackInfo &info);
  Napi::Value CopyIn(const Napi::CallbackInfo &info);
  Napi::Value Close(const Napi::CallbackInfo &info);

  void Weigh(int sign);
  // Add it to the listener's watches, with an id of its own.
  uint32_t Listened(sw_listener_watch watch);
  void ShowRing(napi_value binding);

  Environment *environment_;
  uint64_t number_ = 0;  // with the environment
  Napi::ObjectReference memory_;
  Napi::ObjectReference away_reference_;
  // what the carrier copies from and to, where the region is private
  SharedMemory *away_ = nullptr;
  sw_carrier *carrier_ = nullptr;
  uint8_t *base_ = nullptr;
  uint64_t size_ = 0;
  uint32_t endpoint_ = 0;
  Bell *bell_ = nullptr;  // of the endpoint, while this is open
  bool listening_ = false;
  uint32_t bell_id_ = 0;        // of the doorbell, with the listener; 0 when that does not hear it
  std::set<uint32_t> watches_;  // of channels, likewise
  uint32_t carried_for_ = 0;    // the watch that news of the carrier name
  bool open_ = false;
  WorkerSet workers_;
};

#endif
