#include "shared_memory.h"

#include <cstdlib>
#include <string>

#include "arguments.h"
#include "error.h"
#include "process/carrier.h"

void SharedMemory::Init(Napi::Env env, Napi::Object exports) {
  exports.Set(
      "SharedMemory",
      DefineClass(env, "SharedMemory",
                  {InstanceMethod("size", &SharedMemory::Size), InstanceMethod("overlay", &SharedMemory::Overlay),
                   InstanceMethod("mirror", &SharedMemory::Mirror), InstanceMethod("hasPeer", &SharedMemory::HasPeer),
                   InstanceMethod("deadPeer", &SharedMemory::DeadPeer), InstanceMethod("token", &SharedMemory::Token),
                   InstanceMethod("close", &SharedMemory::Close)}));
}

namespace {

// What the C side would take for the end of a string makes it one that it refuses.
std::string Text(const Napi::Value &value) {
  std::string text = value.As<Napi::String>();
  return text.find('\0') == std::string::npos ? text : "";
}

}  // namespace

// (token) opens; (size, name | undefined) creates.
SharedMemory::SharedMemory(const Napi::CallbackInfo &info) : Napi::ObjectWrap<SharedMemory>(info) {
  environment_ = Environment::Of(info.Env());
  shared_.handle = -1;
  int status;
  if (info[0].IsString()) {
    std::string token = Text(info[0]);
    status = sw_shared_open(&shared_, token.c_str());
  } else if (info[0].IsNumber()) {
    std::string name = info[1].IsString() ? Text(info[1]) : "";
    uint64_t size = static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value());
    status = sw_shared_create(&shared_, size, info[1].IsString() ? name.c_str() : nullptr);
  } else {
    throw MakeError(info.Env(), SW_ETYPE, "expected (token) or (size, name)");
  }
  if (status != SW_OK) throw MakeError(info.Env(), status, shared_.why);
  number_ = environment_->Add(this);
}

void SharedMemory::Release() {
  if (environment_ != nullptr) environment_->Remove(number_);
  environment_ = nullptr;  // it may end before this object does
  sw_shared_close(&shared_);
}

Napi::Value SharedMemory::Size(const Napi::CallbackInfo &info) {
  return Napi::Number::New(info.Env(), static_cast<double>(shared_.size));
}

namespace {

// Is the view over all of the buffer of a shared WebAssembly.Memory? Such a buffer is frozen, which
// by the standard of the JavaScript interface it must be, and its pages are a mapping of their own,
// which V8 unmaps as one. A plain SharedArrayBuffer, which may be an allocator's memory, is not
// frozen.
bool IsWholeMemory(Napi::TypedArray view, size_t length) {
  Napi::Env env = view.Env();
  Napi::Value buffer = view.Get("buffer");
  if (buffer.IsArrayBuffer() || !buffer.IsObject()) return false;
  Napi::Value whole = buffer.As<Napi::Object>().Get("byteLength");
  Napi::Value frozen = env.Global().Get("Object").As<Napi::Object>().Get("isFrozen");
  if (!whole.IsNumber() || whole.As<Napi::Number>().DoubleValue() != static_cast<double>(length)) return false;
  return frozen.IsFunction() && frozen.As<Napi::Function>().Call({buffer}).ToBoolean();
}

}  // namespace

// (Uint8Array over the whole of a shared WebAssembly.Memory)
Napi::Value SharedMemory::Overlay(const Napi::CallbackInfo &info) {
  void *data = nullptr;
  size_t length = 0;
  if (shared_.handle < 0) throw MakeError(info.Env(), SW_ECLOSED, "the shared memory was let go");
  if (!info[0].IsTypedArray()) throw MakeError(info.Env(), SW_ETYPE, "expected a Uint8Array");
  napi_get_typedarray_info(info.Env(), info[0], nullptr, &length, &data, nullptr, nullptr);
  const char *overlay = std::getenv("SABWAY_OVERLAY");  // for tests: what other systems do
  if (overlay != nullptr && std::string(overlay) == "never")
    throw MakeError(info.Env(), SW_ENOSYS, "SABWAY_OVERLAY=never");
  bool vouched = IsWholeMemory(info[0].As<Napi::TypedArray>(), length);
  int status = vouched ? sw_shared_overlay_vouched(&shared_, data, length) : sw_shared_overlay(&shared_, data, length);
  if (status != SW_OK) throw MakeError(info.Env(), status, shared_.why);
  return info.Env().Undefined();
}

// (Uint8Array of a private region of the same size, is the shared memory to become what that is?),
// or the other way round
Napi::Value SharedMemory::Mirror(const Napi::CallbackInfo &info) {
  void *data = nullptr;
  size_t length = 0;
  if (shared_.handle < 0) throw MakeError(info.Env(), SW_ECLOSED, "the shared memory was let go");
  napi_get_typedarray_info(info.Env(), info[0], nullptr, &length, &data, nullptr, nullptr);
  if (length != shared_.size) throw MakeError(info.Env(), SW_ESIZE, "a private region of another size");
  int status = shared_.base == nullptr ? sw_shared_map(&shared_) : SW_OK;
  if (status != SW_OK) throw MakeError(info.Env(), status, shared_.why);
  status = info[1].As<Napi::Boolean>().Value() ? sw_carrier_mirror(shared_.base, data, length)
                                               : sw_carrier_mirror(data, shared_.base, length);
  if (status != SW_OK) throw MakeError(info.Env(), status, "while making a private region");
  return info.Env().Undefined();
}

// The side of mapped memory that the first argument names.
sw_place SharedMemory::Place(const Napi::CallbackInfo &info) const {
  sw_place place = {};
  place.base = shared_.base;
  place.size = shared_.size;
  if (place.base != nullptr) place.channel = sw_region_channel(place.base, place.size);
  place.side = Whole(info[0], "side", SW_NATIVE);
  return place;
}

// (side) -> is there a living participant on the other one?
Napi::Value SharedMemory::HasPeer(const Napi::CallbackInfo &info) {
  sw_place place = Place(info);
  bool has = place.base != nullptr && sw_endpoint_role_alive(place.base, sw_side_peer(&place)) != 0;
  return Napi::Boolean::New(info.Env(), has);
}

// (side) -> the role word of a participant that ended without leaving the other one, or 0
Napi::Value SharedMemory::DeadPeer(const Napi::CallbackInfo &info) {
  sw_place place = Place(info);
  return Napi::Number::New(info.Env(), place.base == nullptr ? 0 : sw_side_dead_peer(&place));
}

Napi::Value SharedMemory::Token(const Napi::CallbackInfo &info) {
  char token[SW_TOKEN_BYTES];
  if (shared_.handle < 0) throw MakeError(info.Env(), SW_ECLOSED, "a token names memory that is open");
  sw_shared_token(&shared_, token);
  return Napi::String::New(info.Env(), token);
}

Napi::Value SharedMemory::Close(const Napi::CallbackInfo &info) {
  Release();
  return info.Env().Undefined();
}
