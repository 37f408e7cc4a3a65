#include "environment.h"

#include "error.h"
#include "region.h"

Environment *Environment::Of(Napi::Env env) { return env.GetInstanceData<Environment>(); }

void Environment::Create(Napi::Env env, Napi::Object exports) {
  auto *made = new Environment(env);
  env.SetInstanceData<Environment>(made);
  napi_add_env_cleanup_hook(env, Close, made);
  exports.Set("setDispatcher",
              Napi::Function::New(env, [made](const Napi::CallbackInfo &info) { return made->SetDispatcher(info); }));
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
  napi_status status = napi_create_threadsafe_function(env, info[0], nullptr, Napi::String::New(env, "sabway"), 0, 1,
                                                       nullptr, nullptr, this, Dispatch, &wake_);
  if (status != napi_ok) throw MakeError(env, SW_ESYSTEM, "no threadsafe function");
  napi_unref_threadsafe_function(env, wake_);
  // Hooks run last in, first out: ours, now behind the function's own, still finds it alive.
  napi_remove_env_cleanup_hook(env, Close, this);
  napi_add_env_cleanup_hook(env, Close, this);
  return env.Undefined();
}

void Environment::Close(void *self) {
  auto *environment = static_cast<Environment *>(self);
  while (!environment->regions_.empty()) (*environment->regions_.begin())->Release();
  if (environment->wake_ != nullptr) napi_release_threadsafe_function(environment->wake_, napi_tsfn_abort);
  environment->wake_ = nullptr;
}

void Environment::Ring() {
  if (!rung_.exchange(true, std::memory_order_acq_rel))
    napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
}

void Environment::Post(WorkerEvent event) {
  {
    std::lock_guard<std::mutex> guard(lock_);
    events_.push_back(std::move(event));
  }
  Ring();
}

Napi::Value Environment::TakeEvents(Napi::Env env) {
  std::vector<WorkerEvent> taken;
  {
    std::lock_guard<std::mutex> guard(lock_);
    taken.swap(events_);
  }
  if (taken.empty()) return env.Undefined();
  Napi::Array list = Napi::Array::New(env, taken.size());
  for (uint32_t i = 0; i < taken.size(); i++) {
    Napi::Object one = Napi::Object::New(env);
    one.Set("worker", taken[i].worker);
    one.Set("kind", static_cast<int>(taken[i].kind));
    one.Set("number", taken[i].number);
    one.Set("text", taken[i].text);
    list.Set(i, one);
  }
  return list;
}

void Environment::Dispatch(napi_env env, napi_value callback, void *context, void *) {
  if (env == nullptr || callback == nullptr) return;
  auto *self = static_cast<Environment *>(context);
  self->rung_.store(false, std::memory_order_release);  // before looking: a ring from now on comes again
  Napi::Env here(env);
  napi_value argument = self->TakeEvents(here);
  napi_value ignored;
  // A pending exception is left for Node, which turns it into an uncaughtException.
  napi_call_function(env, here.Undefined(), callback, 1, &argument, &ignored);
}
