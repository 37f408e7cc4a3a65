#include "environment.h"

#include "base/atomics.h"
#include "error.h"
#include "prim/prim.h"

uint32_t Environment::NextId() {
  static std::atomic<uint32_t> next{1};
  return next.fetch_add(1);
}

Environment *Environment::Of(Napi::Env env) { return env.GetInstanceData<Environment>(); }

void Environment::Init(Napi::Env env, Napi::Object exports) {
  auto *made = new Environment(env);
  env.SetInstanceData<Environment>(made);
  napi_add_env_cleanup_hook(env, Close, made);
  exports.Set("setDispatcher",
              Napi::Function::New(env, [made](const Napi::CallbackInfo &info) { return made->SetDispatcher(info); }));
  exports.Set("takeRings", Napi::Function::New(env, [made](const Napi::CallbackInfo &info) {
                return Napi::Number::New(info.Env(), made->TakeRings());
              }));
  exports.Set("reclaim", Napi::Function::New(env, [made](const Napi::CallbackInfo &info) {
                return Napi::Number::New(info.Env(), made->Reclaim(info[0].ToBoolean()));
              }));
  exports.Set("ref", Napi::Function::New(env, [made](const Napi::CallbackInfo &info) {
                napi_ref_threadsafe_function(info.Env(), made->wake_);
              }));
  exports.Set("unref", Napi::Function::New(env, [made](const Napi::CallbackInfo &info) {
                napi_unref_threadsafe_function(info.Env(), made->wake_);
              }));
}

Napi::Value Environment::SetDispatcher(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (wake_ != nullptr) throw MakeError(env, SW_ESTATE, "this environment has a dispatcher");
  void *words = nullptr;
  size_t length = 0;
  napi_typedarray_type type = napi_uint8_array;
  if (napi_get_typedarray_info(env, info[1], &type, &length, &words, nullptr, nullptr) != napi_ok ||
      type != napi_int32_array || length < 2) {
    throw MakeError(env, SW_ETYPE, "the list of rings must be an Int32Array with room for a number");
  }
  napi_status status = napi_create_threadsafe_function(env, info[0], nullptr, Napi::String::New(env, "sabway"), 0, 1,
                                                       nullptr, nullptr, this, Dispatch, &wake_);
  if (status != napi_ok) throw MakeError(env, SW_ESYSTEM, "no threadsafe function");
  napi_unref_threadsafe_function(env, wake_);
  list_ = Napi::Persistent(info[1].As<Napi::Object>());
  rings_ = static_cast<uint32_t *>(words);
  room_ = static_cast<uint32_t>(length) - 1;
  // Hooks run last in, first out: ours, now behind the function's own, still finds it alive.
  napi_remove_env_cleanup_hook(env, Close, this);
  napi_add_env_cleanup_hook(env, Close, this);
  return env.Undefined();
}

void Environment::Close(void *self) {
  auto *environment = static_cast<Environment *>(self);
  while (!environment->open_.empty()) environment->open_.rbegin()->second->Release();
  if (environment->wake_ != nullptr) napi_release_threadsafe_function(environment->wake_, napi_tsfn_abort);
  environment->wake_ = nullptr;
}

uint64_t Environment::Add(Releasable *added) {
  constexpr uint64_t kOften = 16;
  uint64_t number = ++added_;
  open_[number] = added;
  if (number % kOften == 0) Reclaim(false);
  return number;
}

uint32_t Environment::Reclaim(bool collect) {
  if (collect) {
    // More than any heap may have: V8 collects before it returns.
    int64_t ignored, much = int64_t{1} << 50;
    napi_adjust_external_memory(env_, much, &ignored);
    napi_adjust_external_memory(env_, -much, &ignored);
  }
  uint32_t found = 0;
  std::map<uint64_t, Releasable *> all = open_;  // a release removes its entry
  for (auto entry = all.rbegin(); entry != all.rend(); ++entry) {
    if (!entry->second->IsCollected()) continue;
    entry->second->Release();
    found++;
  }
  return found;
}

Bell *Environment::TakeBell() {
  if (unused_.empty()) {
    Bell &made = bells_.emplace_back();
    made.environment = this;
    made.number = static_cast<uint32_t>(bells_.size() - 1);
    return &made;
  }
  Bell *bell = unused_.back();
  unused_.pop_back();
  return bell;
}

// A bell is in the list at most once, so a push cannot find the same head with another rest behind
// it; and only TakeRings takes bells out, all at once.
void Environment::Ring(Bell *bell) {
  if (!bell->rung.exchange(true, std::memory_order_acq_rel)) {
    Bell *head = rung_.load(std::memory_order_relaxed);
    do bell->next = head;
    while (!rung_.compare_exchange_weak(head, bell, std::memory_order_release, std::memory_order_relaxed));
    sw_store_release(rings_, 1);
  }
  Wake();
}

// Puts numbers of bells that were rung into the list. Returns how many; with a full list there may
// be more.
uint32_t Environment::TakeRings() {
  if (rings_ == nullptr) return 0;
  if (listener_ != nullptr) sw_listener_settle(listener_);
  sw_exchange_acq_rel(rings_, 0);  // before taking: a ring from now on says so again
  Bell *bell = rung_.exchange(nullptr, std::memory_order_acquire);
  Bell *first = nullptr;
  while (bell != nullptr) {  // the first ring first
    Bell *next = bell->next;
    bell->next = first;
    first = bell;
    bell = next;
  }
  Bell **end = &taken_;
  while (*end != nullptr) end = &(*end)->next;
  *end = first;
  uint32_t count = 0;
  while (taken_ != nullptr && count < room_) {
    bell = taken_;
    taken_ = bell->next;
    rings_[++count] = bell->number;
    // Last: from now on the bell may be in the list anew. An exchange, because what a ring that
    // found it in the list was for is to be seen behind this.
    bell->rung.exchange(false, std::memory_order_acq_rel);
  }
  return count;
}

void Environment::Wake() {
  if (!called_.exchange(true, std::memory_order_acq_rel))
    napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
  if (parked_.load(std::memory_order_acquire) == nullptr) return;
  std::lock_guard<std::mutex> guard(lock_);
  uint32_t *doorbell = parked_.load(std::memory_order_relaxed);
  if (doorbell == nullptr) return;
  sw_fetch_add_acq_rel(doorbell, 1);
  sw_prim_futex_wake(doorbell);
}

void Environment::Park(uint32_t *doorbell, uint32_t ticket, int64_t nanoseconds) {
  parked_.store(doorbell, std::memory_order_release);
  sw_prim_futex_wait(doorbell, ticket, nanoseconds);
  std::lock_guard<std::mutex> guard(lock_);
  parked_.store(nullptr, std::memory_order_relaxed);
}

void Environment::Post(WorkerEvent event) {
  {
    std::lock_guard<std::mutex> guard(lock_);
    events_.push_back(std::move(event));
  }
  Wake();
}

// Plain Node-API from here on: in an environment that is being terminated every call fails, and C++
// exceptions would end the process.
napi_value Environment::TakeEvents(napi_env env) {
  std::vector<WorkerEvent> taken;
  {
    std::lock_guard<std::mutex> guard(lock_);
    taken.swap(events_);
  }
  napi_value list = nullptr;
  napi_get_undefined(env, &list);
  if (taken.empty()) return list;
  napi_create_array_with_length(env, taken.size(), &list);
  for (uint32_t i = 0; i < taken.size(); i++) {
    napi_value one, worker, kind, number, text;
    napi_create_object(env, &one);
    napi_create_uint32(env, taken[i].worker, &worker);
    napi_create_int32(env, taken[i].kind, &kind);
    napi_create_int64(env, taken[i].number, &number);
    if (napi_create_string_utf8(env, taken[i].text.data(), taken[i].text.size(), &text) != napi_ok) continue;
    napi_set_named_property(env, one, "worker", worker);
    napi_set_named_property(env, one, "kind", kind);
    napi_set_named_property(env, one, "number", number);
    napi_set_named_property(env, one, "text", text);
    napi_set_element(env, list, i, one);
  }
  return list;
}

void Environment::Dispatch(napi_env env, napi_value callback, void *context, void *) {
  if (env == nullptr || callback == nullptr) return;
  auto *self = static_cast<Environment *>(context);
  // before looking: a ring from now on comes again
  self->called_.exchange(false, std::memory_order_acq_rel);
  napi_value arguments[2] = {self->TakeEvents(env), nullptr}, undefined, ignored, error;
  napi_create_uint32(env, self->TakeRings(), &arguments[1]);
  napi_get_undefined(env, &undefined);
  if (napi_call_function(env, undefined, callback, 2, arguments, &ignored) != napi_pending_exception) return;
  // What a callback threw: left pending, Node would only warn of it (DEP0168).
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}
