// One per JavaScript environment (main thread, worker thread, preload): its threadsafe function,
// through which native threads reach its event loop, and the regions that must be let go before the
// environment ends.
#ifndef SABWAY_NAPI_ENVIRONMENT_H
#define SABWAY_NAPI_ENVIRONMENT_H

#include <napi.h>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "process/listener.h"
#include "sabway/error.h"

class RegionBinding;
class SharedMemory;

// What a worker thread, or the listener, has to say to JavaScript.
struct WorkerEvent {
  // kJoined is the last of each worker; kPeerDied and kFailed are of a seat
  enum Kind { kLog, kExited, kJoined, kPeerDied, kFailed };
  uint32_t worker;
  Kind kind;
  // log level, why it ended or failed, or the dead one's role word and, from bit 32 on, its roles
  int64_t number;
  std::string text;
};

class Environment {
 public:
  static Environment *Of(Napi::Env env);
  static void Create(Napi::Env env, Napi::Object exports);

  // Any thread. Wakes the event loop; rings that arrive before it runs are one. The environment
  // must be open: callers are registered with the loop registry or joined before it closes.
  void Ring();
  void Post(WorkerEvent event);

  // The environment's own thread. Sleep while *doorbell is `ticket`, for at most that time; a ring
  // ends it.
  void Park(uint32_t *doorbell, uint32_t ticket, int64_t nanoseconds);

  // Of a new region. Once in a while it lets go of what was dropped, so that a long turn does not
  // gather it all.
  void Add(RegionBinding *region);
  void Remove(RegionBinding *region) { regions_.erase(region); }
  void Add(SharedMemory *memory) { memories_.insert(memory); }
  void Remove(SharedMemory *memory) { memories_.erase(memory); }

  // Let go of what the garbage collector has found, and whose finalizers the event loop has not run
  // yet. Returns how much that was. With `collect`, have V8 look for such first. The environment's
  // own thread.
  uint32_t Reclaim(bool collect);

  // Have a seat in a region that processes share listened to. The environment's own thread.
  int Watch(const sw_listener_seat &seat);
  void Unwatch(uint32_t id);

 private:
  explicit Environment(napi_env env) : env_(env) {}
  static void Dispatch(napi_env env, napi_value callback, void *context, void *data);
  static void Close(void *self);
  Napi::Value SetDispatcher(const Napi::CallbackInfo &info);
  napi_value TakeEvents(napi_env env);
  void StopListening();

  napi_env env_;
  napi_threadsafe_function wake_ = nullptr;
  std::atomic<bool> rung_{false};
  std::mutex lock_;
  std::vector<WorkerEvent> events_;
  // changed and followed under lock_: the region may be let go after it
  std::atomic<uint32_t *> parked_{nullptr};
  std::set<RegionBinding *> regions_;
  std::set<SharedMemory *> memories_;
  uint32_t added_ = 0;               // regions, in all
  sw_listener *listener_ = nullptr;  // while there are seats to listen to
  uint32_t watched_ = 0;
};

#endif
