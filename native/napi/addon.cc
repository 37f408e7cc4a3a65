// The addon's door: marshals arguments and maps errors; what it does stands in the C library.
#include <napi.h>

#include "arguments.h"
#include "environment.h"
#include "prim/prim.h"
#include "region.h"
#include "sabway/crc32c.h"
#include "shared_memory.h"

namespace {

// () -> { pid, startLow, startHigh }: who an endpoint belongs to.
Napi::Value Identity(const Napi::CallbackInfo &info) {
  uint64_t start = sw_prim_process_start(sw_prim_pid());
  Napi::Object identity = Napi::Object::New(info.Env());
  identity.Set("pid", sw_prim_pid());
  identity.Set("startLow", static_cast<uint32_t>(start));
  identity.Set("startHigh", static_cast<uint32_t>(start >> 32));
  return identity;
}

Napi::Value Alive(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), sw_prim_process_alive(Word(info[0], "argument 0"), Word(info[1], "argument 1"),
                                                             Word(info[2], "argument 2")));
}

// (Uint8Array, crc) -> crc. The length of a wider array is in elements, so only bytes are taken.
Napi::Value Crc32c(const Napi::CallbackInfo &info) {
  auto [data, length] = BytesOf(info[0], "the data");
  return Napi::Number::New(info.Env(), sw_crc32c(Word(info[1], "argument 1"), data, length));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Environment::Create(env, exports);
  RegionBinding::Create(env, exports);
  SharedMemory::Create(env, exports);
  exports.Set("identity", Napi::Function::New(env, Identity));
  exports.Set("alive", Napi::Function::New(env, Alive));
  exports.Set("crc32c", Napi::Function::New(env, Crc32c));
  return exports;
}

}  // namespace

NODE_API_MODULE(sabway, Init)
