// One per JavaScript environment (main thread, worker thread, preload): its threadsafe function,
// through which native threads reach its event loop, and the regions that must be let go before the
// environment ends.
#ifndef SABWAY_NAPI_ENVIRONMENT_H
#define SABWAY_NAPI_ENVIRONMENT_H

#include <napi.h>

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "events.h"
#include "process/listener.h"
#include "sabway/error.h"

// What an environment has to release before it ends, because JavaScript may not do so.
class Releasable {
 public:
  virtual void Release() = 0;
  // Has the garbage collector found the JavaScript object, whose finalizer may not have run yet?
  virtual bool IsCollected() = 0;

 protected:
  ~Releasable() = default;
};

// What a worker thread, or the listener, has to say to JavaScript.
struct WorkerEvent {
  uint32_t worker;  // or the watch, for the kinds that are of one
  swi_event_kind kind;
  // log level, why it ended or failed, or the dead one's role word and, from bit 32 on, its roles
  int64_t number;
  std::string text;
};

class Environment;

// How an endpoint's rings reach the event loop: the number by which JavaScript knows it, and its
// place in the list of those that were rung. Belongs to the environment for good, because a ring
// may be on its way when the endpoint's owner lets it go: the next owner then has a turn for
// nothing.
struct Bell {
  Environment *environment;
  uint32_t number;
  std::atomic<bool> rung{false};  // in the list, or about to be
  Bell *next = nullptr;           // in the list
};

class Environment {
 public:
  static Environment *Of(Napi::Env env);
  static void Init(Napi::Env env, Napi::Object exports);

  // For a worker or a watch: unique in the process, so that a late event is never taken for
  // another's. Any thread.
  static uint32_t NextId();

  // Any thread. Wakes the event loop; rings that arrive before it runs are one. The environment
  // must be open: callers are registered with the loop registry or joined before it closes.
  void Ring(Bell *bell);
  void Post(WorkerEvent event);

  // The environment's own thread. Rings of a bell that is not in use are no longer told.
  bool HasDispatcher() const { return wake_ != nullptr; }
  Bell *TakeBell();
  void GiveBack(Bell *bell) { unused_.push_back(bell); }

  // The environment's own thread. Sleep while *doorbell is `ticket`, for at most that time; a ring
  // ends it.
  void Park(uint32_t *doorbell, uint32_t ticket, int64_t nanoseconds);

  // What the environment releases when it ends: the newest first, because a region may use memory
  // that was opened before it. Returns the number to remove it by. Once in a while this reclaims,
  // so that a long turn does not gather all that it drops.
  uint64_t Add(Releasable *added);
  void Remove(uint64_t number) { open_.erase(number); }

  // Release what the garbage collector has found, and whose finalizers the event loop has not run
  // yet. Returns how much that was. With `collect`, have V8 look for such first. The environment's
  // own thread.
  uint32_t Reclaim(bool collect);

  // Watch a region that processes share. The environment's own thread.
  int Watch(const sw_listener_watch &watch);
  void Unwatch(uint32_t id);

 private:
  explicit Environment(napi_env env) : env_(env) {}
  static void Dispatch(napi_env env, napi_value callback, void *context, void *data);
  static void Close(void *self);
  Napi::Value SetDispatcher(const Napi::CallbackInfo &info);
  uint32_t TakeRings();
  void Wake();
  napi_value TakeEvents(napi_env env);
  void StopListening();

  napi_env env_;
  napi_threadsafe_function wake_ = nullptr;
  std::atomic<bool> called_{false};  // and has not come yet
  // The bells that were rung, the last one first. Any thread pushes; the environment's takes all.
  std::atomic<Bell *> rung_{nullptr};
  Bell *taken_ = nullptr;  // of those, the first one first: the list had no room for them yet
  std::deque<Bell> bells_;
  std::vector<Bell *> unused_;
  Napi::ObjectReference list_;
  uint32_t *rings_ = nullptr;  // the list's words: is there something to take, then the numbers
  uint32_t room_ = 0;          // for numbers
  std::mutex lock_;
  std::vector<WorkerEvent> events_;
  // changed and followed under lock_: the region may be let go after it
  std::atomic<uint32_t *> parked_{nullptr};
  std::map<uint64_t, Releasable *> open_;
  uint64_t added_ = 0;               // in all
  sw_listener *listener_ = nullptr;  // while there are watches
  uint32_t watched_ = 0;
};

#endif
