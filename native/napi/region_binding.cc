#include "region_binding.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "arguments.h"
#include "environment.h"
#include "error.h"
#include "prim/prim.h"
#include "sabway/endpoint.h"
#include "sabway/region.h"
#include "shared_memory.h"

namespace {

// Of workers and seats. Unique in the process, so that a late event can never be taken for
// another's.
std::atomic<uint32_t> next_worker{1};

// What a worker that would not start should be told beside the error's own text.
std::string WhyNotStarted(int status) {
  if (status == SW_ETAKEN) return "a native worker needs the other side for itself; detach the channel that holds it";
  if (status == SW_ECLOSED) return "the side has ended its stream for good; make a new channel";
  if (status == SW_ECROWDED) return "the native worker is one thread too many; clean up channels no longer used";
  if (status == SW_ESYSTEM) return "the native worker's thread could not be started";
  return "while starting the native worker";
}

}  // namespace

void RegionBinding::Create(Napi::Env env, Napi::Object exports) {
  exports.Set(
      "RegionBinding",
      DefineClass(
          env, "RegionBinding",
          {InstanceMethod("park", &RegionBinding::Park), InstanceMethod("yield", &RegionBinding::Yield),
           InstanceMethod("listen", &RegionBinding::Listen), InstanceMethod("watch", &RegionBinding::Watch),
           InstanceMethod("carry", &RegionBinding::Carry), InstanceMethod("startWorker", &RegionBinding::StartWorker),
           InstanceMethod("stopWorker", &RegionBinding::StopWorker),
           InstanceMethod("workerStats", &RegionBinding::WorkerStats), InstanceMethod("copyIn", &RegionBinding::CopyIn),
           InstanceMethod("close", &RegionBinding::Close)}));
}

// (bytes: Uint8Array over the whole region, endpoint index that the caller claimed, channel offset,
// SharedMemory that a private region is a copy of | undefined)
RegionBinding::RegionBinding(const Napi::CallbackInfo &info) : Napi::ObjectWrap<RegionBinding>(info) {
  Napi::Env env = info.Env();
  environment_ = Environment::Of(env);
  // The address comes from a view: on Node 20 Node-API does not take the SharedArrayBuffer itself.
  auto [data, length] = BytesOf(info[0], "the region");
  endpoint_ = Whole(info[1], "endpoint", SW_ENDPOINTS - 1);
  channel_ = Whole(info[2], "channel");
  if (length % SW_PAGE != 0 || reinterpret_cast<uintptr_t>(data) % SW_LINE != 0) {
    throw MakeError(env, SW_ENOTREGION, "a region is a whole WebAssembly.Memory");
  }
  int status = sw_region_verify(data, static_cast<uint32_t>(length / SW_PAGE));
  if (status != SW_OK) throw MakeError(env, status, "refused by the native core");
  memory_ = Napi::Persistent(info[0].As<Napi::Object>());
  if (info[3].IsObject()) {
    away_reference_ = Napi::Persistent(info[3].As<Napi::Object>());
    away_ = SharedMemory::Unwrap(info[3].As<Napi::Object>());
  }
  base_ = data;
  size_ = length;
  open_ = true;
  environment_->Add(this);
  Weigh(1);
  napi_value ring;
  if (napi_create_function(env, "ring", NAPI_AUTO_LENGTH, Ring, this, &ring) == napi_ok) {
    napi_set_named_property(env, info.This(), "ring", ring);
  }
}

void RegionBinding::Release() {
  if (!open_) return;
  open_ = false;
  for (auto &entry : workers_) Stop(&entry.second);
  workers_.clear();
  if (carrier_ != nullptr) sw_carrier_stop(carrier_);
  carrier_ = nullptr;
  if (seat_ != 0) environment_->Unwatch(seat_);
  if (listening_) sw_loop_unregister(sw_endpoint_doorbell(base_, endpoint_));
  sw_channel_evict(base_, size_, channel_, endpoint_);
  sw_endpoint_able(base_, endpoint_, 0);
  sw_endpoint_serve(base_);  // what was asked of this relay, and what another one has to do
  sw_endpoint_release(base_, endpoint_);
  environment_->Remove(this);
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

// From now on the endpoint can sleep as SW_SLEEP_LOOP.
Napi::Value RegionBinding::Listen(const Napi::CallbackInfo &info) {
  if (!open_) throw MakeError(info.Env(), SW_ECLOSED, "");
  if (listening_) return info.Env().Undefined();
  auto ring = [](void *context) { static_cast<Environment *>(context)->Ring(); };
  int status = sw_loop_register(sw_endpoint_doorbell(base_, endpoint_), ring, environment_);
  if (status != SW_OK) throw MakeError(info.Env(), status, "event loop");
  listening_ = true;
  return info.Env().Undefined();
}

// From now on rings of other processes are heard, and their deaths. -> the seat that news of deaths
// will name
Napi::Value RegionBinding::Watch(const Napi::CallbackInfo &info) {
  if (!open_) throw MakeError(info.Env(), SW_ECLOSED, "");
  if (seat_ == 0) {
    uint32_t id = next_worker.fetch_add(1);
    sw_listener_seat seat = {base_, size_, channel_, endpoint_, id};
    // deaths are seen there; rings there go to the carrier, so any doorbell will do
    if (away_ != nullptr) {
      seat.base = away_->base();
      seat.endpoint = SW_ENDPOINTS - 1;
    }
    int status = environment_->Watch(seat);
    if (status != SW_OK) throw MakeError(info.Env(), status, "the listener's thread");
    seat_ = id;
  }
  return Napi::Number::New(info.Env(), seat_);
}

void RegionBinding::Failed(void *context, int status) {
  auto *self = static_cast<RegionBinding *>(context);
  self->environment_->Post({self->seat_, WorkerEvent::kFailed, status, ""});
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

void RegionBinding::Log(void *context, int level, const char *text) {
  auto *running = static_cast<Running *>(context);
  if (running->opening) running->words += (running->words.empty() ? "" : "; ") + std::string(text);
  running->environment->Post({running->id, WorkerEvent::kLog, level, text});
}

void RegionBinding::Exited(void *context, int status) {
  auto *running = static_cast<Running *>(context);
  running->environment->Post({running->id, WorkerEvent::kExited, status, ""});
}

int RegionBinding::Start(Running *running, Napi::Object options, std::string *why) {
  const sabway_plugin_v1 *plugin = nullptr;
  // Looked at before a plugin is loaded, because each of these may throw.
  std::string json = options.Get("json").As<Napi::String>();
  uint32_t side = Whole(options.Get("side"), "side", SW_NATIVE);
  uint32_t wait = Whole(options.Get("wait"), "wait", SW_WAIT_PARK);
  void *base = away_ != nullptr ? away_->base() : base_;  // at home the carrier has the other side
  if (base == nullptr) return SW_ECLOSED;
  if (options.Get("plugin").IsString()) {
    char reason[512] = "";
    std::string path = options.Get("plugin").As<Napi::String>();
    int status = sw_plugin_load(path.c_str(), &running->library, &plugin, reason, sizeof(reason));
    if (status != SW_OK) {
      // the system's words name the file
      *why = status == SW_ENOPLUGIN ? reason : path + ": " + reason;
      return status;
    }
  } else {
    std::string name = options.Get("builtin").As<Napi::String>();
    plugin = sw_handler_find(name.c_str());
    if (plugin == nullptr) {
      *why = "no built-in handler is called '" + name + "'; there are 'echo', 'sink' and 'source'";
      return SW_EINVAL;
    }
  }
  sw_worker_options start = {};
  start.base = base;
  start.size = size_;
  start.channel = channel_;
  start.side = side;
  start.plugin = plugin;
  start.json = json.c_str();
  start.wait = static_cast<sw_wait_policy>(wait);
  start.hooks = {running, Log, Exited};
  int status = sw_worker_start(&running->worker, &start);
  if (status == SW_EOPEN) *why = std::string(plugin->name) + (running->words.empty() ? "" : ": " + running->words);
  if (status != SW_OK && running->library != nullptr) sw_plugin_unload(running->library);
  return status;
}

// ({ side, builtin | plugin, json, wait: enum sw_wait_policy }) -> worker id
Napi::Value RegionBinding::StartWorker(const Napi::CallbackInfo &info) {
  if (!open_) throw MakeError(info.Env(), SW_ECLOSED, "");
  uint32_t id = next_worker.fetch_add(1);
  Running &running = workers_[id];
  running.id = id;
  running.environment = environment_;
  std::string why;
  int status;
  try {
    status = Start(&running, info[0].As<Napi::Object>(), &why);
  } catch (...) {
    workers_.erase(id);
    throw;
  }
  if (status != SW_OK) {
    workers_.erase(id);
    throw MakeError(info.Env(), status, why.empty() ? WhyNotStarted(status) : why);
  }
  running.opening = false;
  return Napi::Number::New(info.Env(), id);
}

void RegionBinding::Stop(Running *running) {
  sw_worker_stop(running->worker);
  if (running->library != nullptr) sw_plugin_unload(running->library);
  environment_->Post({running->id, WorkerEvent::kJoined, SW_OK, ""});
}

Napi::Value RegionBinding::StopWorker(const Napi::CallbackInfo &info) {
  auto found = workers_.find(Whole(info[0], "worker"));
  if (found != workers_.end()) {
    Stop(&found->second);
    workers_.erase(found);
  }
  return info.Env().Undefined();
}

Napi::Value RegionBinding::WorkerStats(const Napi::CallbackInfo &info) {
  auto found = workers_.find(Whole(info[0], "worker"));
  if (found == workers_.end()) return info.Env().Undefined();
  sw_worker_stats stats;
  sw_worker_stats_read(found->second.worker, &stats);
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("received", static_cast<double>(stats.received));
  result.Set("receivedBytes", static_cast<double>(stats.received_bytes));
  result.Set("sent", static_cast<double>(stats.sent));
  result.Set("sentBytes", static_cast<double>(stats.sent_bytes));
  result.Set("parks", static_cast<double>(stats.parks));
  result.Set("wakes", static_cast<double>(stats.wakes));
  result.Set("reach", static_cast<double>(stats.reach));
  result.Set("crc", static_cast<double>(stats.crc));
  return result;
}
