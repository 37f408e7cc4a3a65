// The addon's exports: they marshal arguments and map errors; the C library does the work.
#include <napi.h>

#include <cstring>

#include "arguments.h"
#include "direct_core.h"
#include "environment.h"
#include "error.h"
#include "prim/prim.h"
#include "region_binding.h"
#include "sabway/crc32c.h"
#include "shared_memory.h"
#include "util/self.h"

namespace {

// () -> { pid, startLow, startHigh }: the process that an endpoint of this thread belongs to.
Napi::Value Identity(const Napi::CallbackInfo &info) {
  sw_owner self = swi_self();
  Napi::Object identity = Napi::Object::New(info.Env());
  identity.Set("pid", self.pid);
  identity.Set("startLow", self.start_low);
  identity.Set("startHigh", self.start_high);
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

// (Uint8Array) -> where its first byte is that is not zero, -1 where all are.
Napi::Value FirstSet(const Napi::CallbackInfo &info) {
  auto [data, length] = BytesOf(info[0], "the data");
  size_t at = 0;
  for (uint64_t eight = 0; at + sizeof(eight) <= length && eight == 0; at += eight == 0 ? sizeof(eight) : 0)
    memcpy(&eight, data + at, sizeof(eight));
  while (at < length && data[at] == 0) at++;
  return Napi::Number::New(info.Env(), at == length ? -1 : static_cast<double>(at));
}

// What a weak reference holds: it is given back when the object that JavaScript has of it is
// collected.
struct Weak {
  napi_ref reference = nullptr;
};

// Plain Node-API: the dispatcher asks in each of its turns.
napi_value Deref(napi_env env, napi_callback_info info) {
  void *data = nullptr;
  napi_value value = nullptr, undefined = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  napi_get_reference_value(env, static_cast<Weak *>(data)->reference, &value);
  if (value == nullptr) napi_get_undefined(env, &undefined);
  return value != nullptr ? value : undefined;
}

// (object) -> () => object | undefined: a reference that does not keep the object, not even until
// the running job ends, which is what WeakRef must do.
napi_value Weakly(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value object = nullptr, deref = nullptr;
  napi_get_cb_info(env, info, &count, &object, nullptr, nullptr);
  auto *weak = new Weak;
  if (napi_create_reference(env, object, 0, &weak->reference) != napi_ok ||
      napi_create_function(env, "deref", NAPI_AUTO_LENGTH, Deref, weak, &deref) != napi_ok) {
    if (weak->reference != nullptr) napi_delete_reference(env, weak->reference);
    delete weak;
    napi_throw_error(env, sw_error_code(SW_ESYSTEM), "no weak reference");
    return nullptr;
  }
  auto finalize = [](napi_env of, void *data, void *) {
    auto *done = static_cast<Weak *>(data);
    napi_delete_reference(of, done->reference);
    delete done;
  };
  napi_add_finalizer(env, deref, weak, finalize, nullptr, nullptr);
  return deref;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Environment::Init(env, exports);
  RegionBinding::Init(env, exports);
  SharedMemory::Init(env, exports);
  napi_value weakly;
  if (napi_create_function(env, "weakly", NAPI_AUTO_LENGTH, Weakly, nullptr, &weakly) == napi_ok)
    exports.Set("weakly", weakly);
  napi_value core;
  if (napi_create_function(env, "directCore", NAPI_AUTO_LENGTH, swi_direct_core, nullptr, &core) == napi_ok)
    exports.Set("directCore", core);
  exports.Set("identity", Napi::Function::New(env, Identity));
  exports.Set("alive", Napi::Function::New(env, Alive));
  exports.Set("firstSet", Napi::Function::New(env, FirstSet));
  exports.Set("crc32c", Napi::Function::New(env, Crc32c));
  return exports;
}

}  // namespace

NODE_API_MODULE(sabway, Init)
