// What JavaScript hands to the addon, looked at before it is used. The library passes what is
// right; a preload script's binding, or a program that loads the addon by itself, may not, and an
// offset that was not looked at is a write to any place in the process.
#ifndef SABWAY_NAPI_ARGUMENTS_H
#define SABWAY_NAPI_ARGUMENTS_H

#include <napi.h>

#include <cstdint>
#include <string>

#include "error.h"

// A whole number from 0 to `most`. Node-API by itself takes 2^32 + 8 for 8, and -1 for 2^32 - 1.
inline uint32_t Whole(const Napi::Value &value, const char *name, uint32_t most = UINT32_MAX) {
  double given = 0;
  if (napi_get_value_double(value.Env(), value, &given) != napi_ok) {
    throw MakeError(value.Env(), SW_ETYPE, std::string(name) + " must be a number");
  }
  if (!(given >= 0 && given <= most) || given != static_cast<double>(static_cast<uint32_t>(given))) {
    throw MakeError(value.Env(), SW_ERANGE,
                    std::string(name) + " must be a whole number from 0 to " + std::to_string(most));
  }
  return static_cast<uint32_t>(given);
}

// 32 bits, as WebAssembly hands them over (signed) or as JavaScript has read them.
inline uint32_t Word(const Napi::Value &value, const char *name) {
  double given = 0;
  if (napi_get_value_double(value.Env(), value, &given) != napi_ok) {
    throw MakeError(value.Env(), SW_ETYPE, std::string(name) + " must be a number");
  }
  if (!(given >= INT32_MIN && given <= UINT32_MAX) || given != static_cast<double>(static_cast<int64_t>(given))) {
    throw MakeError(value.Env(), SW_ERANGE, std::string(name) + " must be a word of 32 bits");
  }
  return static_cast<uint32_t>(static_cast<int64_t>(given));
}

struct Bytes {
  uint8_t *data;
  size_t length;
};

// A Uint8Array (or Buffer). Its length is looked at now: memory that grows may have more later,
// never less.
inline Bytes BytesOf(const Napi::Value &value, const char *name) {
  napi_typedarray_type type = napi_float64_array;
  void *data = nullptr;
  size_t length = 0;
  napi_status status = napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr);
  if (status != napi_ok || type != napi_uint8_array) {
    throw MakeError(value.Env(), SW_ETYPE, std::string(name) + " must be a Uint8Array");
  }
  return {static_cast<uint8_t *>(data), length};
}

#endif
