#include "region_binding.h"

#include <algorithm>
#include <cstring>

#include "arguments.h"
#include "error.h"
#include "prim/prim.h"
#include "sabway/endpoint.h"
#include "sabway/loop.h"
#include "sabway/region.h"
#include "sabway/registry.h"
#include "shared_memory.h"
#include "util/self.h"

void RegionBinding::Init(Napi::Env env, Napi::Object exports) {
  exports.Set(
      "RegionBinding",
      DefineClass(env, "RegionBinding",
                  {InstanceMethod("park", &RegionBinding::Park), InstanceMethod("yield", &RegionBinding::Yield),
                   InstanceMethod("listen", &RegionBinding::Listen), InstanceMethod("watch", &RegionBinding::Watch),
                   InstanceMethod("unwatch", &RegionBinding::Unwatch), InstanceMethod("carry", &RegionBinding::Carry),
                   InstanceMethod("startWorker", &RegionBinding::StartWorker),
                   InstanceMethod("stopWorker", &RegionBinding::StopWorker),
                   InstanceMethod("workerStats", &RegionBinding::WorkerStats),
                   InstanceMethod("copyIn", &RegionBinding::CopyIn), InstanceMethod("close", &RegionBinding::Close)}));
}

// (bytes: Uint8Array over the whole region, index of an endpoint that the caller has claimed |
// undefined: take one, SharedMemory that a private region is a copy of | undefined). `endpoint` of
// it is the index, or the error of the claim; then it is closed. The claim is made here because a
// thread can be terminated between any two calls from JavaScript: then the environment gives back
// what it knows of.
RegionBinding::RegionBinding(const Napi::CallbackInfo &info) : Napi::ObjectWrap<RegionBinding>(info) {
  Napi::Env env = info.Env();
  environment_ = Environment::Of(env);
  // The address comes from a view: on Node 20 Node-API does not take the SharedArrayBuffer itself.
  auto [data, length] = BytesOf(info[0], "the region");
  bool claims = info[1].IsUndefined();
  if (!claims) endpoint_ = Whole(info[1], "endpoint", SW_ENDPOINTS - 1);
  if (length % SW_PAGE != 0 || reinterpret_cast<uintptr_t>(data) % sizeof(uint64_t) != 0) {
    throw MakeError(env, SW_ENOTREGION, "a region is whole pages of 64 KiB, 8-byte aligned");
  }
  int status = sw_region_verify(data, static_cast<uint32_t>(length / SW_PAGE));
  if (status != SW_OK) throw MakeError(env, status, "refused by the native core");
  memory_ = Napi::Persistent(info[0].As<Napi::Object>());
  if (info[2].IsObject()) {
    away_reference_ = Napi::Persistent(info[2].As<Napi::Object>());
    away_ = SharedMemory::Unwrap(info[2].As<Napi::Object>());
  }
  // From here on nothing throws, as the Node-API of a terminated context fails, and an object whose
  // constructor throws gives no endpoint back.
  int claimed = SW_OK;
  if (claims) {
    sw_owner self = swi_self();
    claimed = sw_endpoint_claim(data, self.pid, self.start_low, self.start_high);
    if (claimed >= 0) endpoint_ = static_cast<uint32_t>(claimed);
  }
  if (claimed >= 0) {
    base_ = data;
    size_ = length;
    open_ = true;
    bell_ = environment_->TakeBell();
    number_ = environment_->Add(this);
    Weigh(1);
  }
  napi_value shown;
  if (claims && napi_create_int32(env, claimed, &shown) == napi_ok)
    napi_set_named_property(env, info.This(), "endpoint", shown);
  ShowRing(info.This());
}

// The function is called with the binding's address, so it holds the binding: JavaScript may keep
// the one and drop the other.
void RegionBinding::ShowRing(napi_value binding) {
  Napi::Env env = Env();
  napi_value ring;
  napi_property_descriptor held = {"binding", nullptr, nullptr, nullptr, nullptr, binding, napi_default, nullptr};
  if (napi_create_function(env, "ring", NAPI_AUTO_LENGTH, Ring, this, &ring) == napi_ok &&
      napi_define_properties(env, ring, 1, &held) == napi_ok) {
    napi_set_named_property(env, binding, "ring", ring);
  }
}

void RegionBinding::Release() {
  if (!open_) return;
  open_ = false;
  workers_.StopAll();
  if (carrier_ != nullptr) sw_carrier_stop(carrier_);
  carrier_ = nullptr;
  for (uint32_t id : watches_) environment_->Unwatch(id);
  watches_.clear();
  if (bell_id_ != 0) environment_->Unwatch(bell_id_);
  bell_id_ = 0;
  if (listening_) sw_loop_unregister(sw_endpoint_doorbell(base_, endpoint_));
  sw_region_evict(base_, size_, endpoint_);
  sw_endpoint_set_skills(base_, endpoint_, 0);
  sw_endpoint_release(base_, endpoint_);
  // What was asked of this relay, and what another one has to do. Behind the release, because
  // nothing is to be done for this thread any more.
  sw_relay_serve(base_);
  environment_->GiveBack(bell_);
  environment_->Remove(number_);
  Weigh(-1);
  memory_.Reset();
  away_reference_.Reset();
}

// V8 does not count shared memory: untold, it would see no reason to look for regions that were
// dropped. A small one counts for more than its bytes, because V8 sets 10 GiB of addresses aside
// for each.
void RegionBinding::Weigh(int sign) {
  constexpr uint64_t kLeast = uint64_t{4} << 20;
  int64_t ignored, weight = static_cast<int64_t>(std::max(size_, kLeast));
  napi_adjust_external_memory(Env(), sign * weight, &ignored);
}

Napi::Value RegionBinding::Close(const Napi::CallbackInfo &info) {
  Release();
  return info.Env().Undefined();
}

// (doorbell offset, enum sw_sleep). Plain Node-API: every wake-up waits for this call, and it is
// seldom a warm one.
napi_value RegionBinding::Ring(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value given[2];
  void *data = nullptr;
  double at = -1, how = -1;  // what is no number stays so, and -1 is refused
  napi_get_cb_info(env, info, &count, given, nullptr, &data);
  napi_get_value_double(env, given[0], &at);
  napi_get_value_double(env, given[1], &how);
  auto *self = static_cast<RegionBinding *>(data);
  bool inside = self->open_ && at >= 0 && at <= static_cast<double>(self->size_ - 4);
  uint32_t offset = inside ? static_cast<uint32_t>(at) : 0;
  if (!inside || offset != at || offset % 4 != 0 || !(how >= 0 && how <= SW_SLEEP_ATOMICS)) {
    napi_throw_error(env, sw_error_code(SW_ERANGE), "a ring outside of an open region");
    return nullptr;
  }
  sw_prim_wake(reinterpret_cast<uint32_t *>(self->base_ + offset), static_cast<uint32_t>(how));
  return nullptr;
}

// (ticket, milliseconds): sleep on the own doorbell while it is `ticket`. Returns early when the
// environment is rung: it may be a relay, and the event loop of another thread.
Napi::Value RegionBinding::Park(const Napi::CallbackInfo &info) {
  if (!open_) throw MakeError(info.Env(), SW_ECLOSED, "");
  uint32_t *doorbell = sw_endpoint_doorbell(base_, endpoint_);
  uint32_t ticket = Word(info[0], "ticket");
  double milliseconds = info[1].IsNumber() ? info[1].As<Napi::Number>().DoubleValue() : -1;
  if (!(milliseconds >= 0))
    throw MakeError(info.Env(), SW_ERANGE, "milliseconds must be a number that is not negative");
  int64_t nanoseconds = milliseconds < 1e12 ? static_cast<int64_t>(milliseconds * 1e6) : -1;
  environment_->Park(doorbell, ticket, nanoseconds);
  return info.Env().Undefined();
}

Napi::Value RegionBinding::Yield(const Napi::CallbackInfo &info) {
  sw_prim_yield();
  return info.Env().Undefined();
}

// From now on the endpoint can sleep as SW_SLEEP_LOOP. -> the number that its rings will have
Napi::Value RegionBinding::Listen(const Napi::CallbackInfo &info) {
  if (!open_) throw MakeError(info.Env(), SW_ECLOSED, "");
  if (!environment_->HasDispatcher()) throw MakeError(info.Env(), SW_ESTATE, "setDispatcher comes first");
  if (!listening_) {
    auto ring = [](void *context) {
      auto *bell = static_cast<Bell *>(context);
      bell->environment->Ring(bell);
    };
    int status = sw_loop_register(sw_endpoint_doorbell(base_, endpoint_), ring, bell_);
    if (status != SW_OK) throw MakeError(info.Env(), status, "event loop");
    listening_ = true;
  }
  return Napi::Number::New(info.Env(), bell_->number);
}

uint32_t RegionBinding::Listened(sw_listener_watch watch) {
  watch.id = Environment::NextId();
  int status = environment_->Watch(watch);
  if (status != SW_OK) throw MakeError(Env(), status, "the listener's thread");
  return watch.id;
}

// (channel's offset | 0): from now on rings of other processes are heard, and the deaths of their
// participants in that channel. -> the watch id that news of deaths will name. With 0 rings only,
// which are heard until the region is let go.
Napi::Value RegionBinding::Watch(const Napi::CallbackInfo &info) {
  uint32_t channel = Whole(info[0], "channel");
  if (!open_) throw MakeError(info.Env(), SW_ECLOSED, "");
  if (!environment_->HasDispatcher()) throw MakeError(info.Env(), SW_ESTATE, "setDispatcher comes first");
  // of a private region, rings are for the carrier, and deaths are seen in the shared memory
  void *base = away_ != nullptr ? away_->base() : base_;
  if (base == nullptr) throw MakeError(info.Env(), SW_ECLOSED, "");
  if (bell_id_ == 0 && away_ == nullptr) bell_id_ = Listened({base_, size_, 0, endpoint_, 0, bell_});
  if (channel == 0) return Napi::Number::New(info.Env(), bell_id_);
  uint32_t id = Listened({base, size_, channel, SW_ENDPOINTS, 0, bell_});
  watches_.insert(id);
  return Napi::Number::New(info.Env(), id);
}

// (watch id of a channel): its deaths are told no more. A watch that is not there is over already.
Napi::Value RegionBinding::Unwatch(const Napi::CallbackInfo &info) {
  uint32_t id = Whole(info[0], "watch");
  if (watches_.erase(id) != 0) environment_->Unwatch(id);
  return info.Env().Undefined();
}

void RegionBinding::Failed(void *context, int status) {
  auto *self = static_cast<RegionBinding *>(context);
  self->environment_->Post({self->carried_for_, SWI_EVENT_CARRIER_FAILED, status, ""});
}

// (side): from now on messages of that side are carried to and from the shared memory. After
// `watch`.
Napi::Value RegionBinding::Carry(const Napi::CallbackInfo &info) {
  if (!open_ || away_ == nullptr || away_->base() == nullptr) throw MakeError(info.Env(), SW_ECLOSED, "");
  if (carrier_ != nullptr) return info.Env().Undefined();
  sw_carrier_options start = {};
  start.home = base_;
  start.away = away_->base();
  start.size = size_;
  start.side = Whole(info[0], "side", SW_NATIVE);
  start.hooks = {this, Failed};
  carried_for_ = watches_.empty() ? 0 : *watches_.begin();
  int status = sw_carrier_start(&carrier_, &start);
  if (status != SW_OK) throw MakeError(info.Env(), status, "while taking a side in memory that processes share");
  return info.Env().Undefined();
}

// (offset, Uint8Array, length | undefined): for large or misaligned payloads, which V8 copies
// slowly into shared memory.
Napi::Value RegionBinding::CopyIn(const Napi::CallbackInfo &info) {
  uint32_t offset = Whole(info[0], "offset");
  Bytes source = BytesOf(info[1], "the message");
  // The length that the caller has read: memory that grows may have more meanwhile.
  uint64_t length = info.Length() < 3 ? source.length : Whole(info[2], "length");
  if (!open_ || length > source.length || offset + length > size_) throw MakeError(info.Env(), SW_ERANGE, "copy");
  if (length != 0) memcpy(base_ + offset, source.data, static_cast<size_t>(length));
  return info.Env().Undefined();
}

// ({ channel, generation, side, builtin | plugin, json, wait }) -> worker id
Napi::Value RegionBinding::StartWorker(const Napi::CallbackInfo &info) {
  // of a private region the carrier has the other side
  void *base = away_ != nullptr ? away_->base() : base_;
  if (!open_ || base == nullptr) throw MakeError(info.Env(), SW_ECLOSED, "");
  Napi::Object options = info[0].As<Napi::Object>();
  sw_place place = {};
  place.base = base;
  place.size = size_;
  place.channel = Whole(options.Get("channel"), "channel");
  place.generation = Word(options.Get("generation"), "generation");
  return Napi::Number::New(info.Env(), workers_.Start(environment_, options, place));
}

Napi::Value RegionBinding::StopWorker(const Napi::CallbackInfo &info) {
  workers_.Stop(Whole(info[0], "worker"));
  return info.Env().Undefined();
}

Napi::Value RegionBinding::WorkerStats(const Napi::CallbackInfo &info) {
  return workers_.Stats(info.Env(), Whole(info[0], "worker"));
}
