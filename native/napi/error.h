// Errors of the core as JavaScript exceptions: code, number and a message that teaches.
#ifndef SABWAY_NAPI_ERROR_H
#define SABWAY_NAPI_ERROR_H

#include <napi.h>

#include <string>

#include "sabway/error.h"

inline Napi::Error MakeError(Napi::Env env, int number, const std::string &detail) {
  std::string message = std::string(sw_error_text(number)) + (detail.empty() ? "" : ": " + detail);
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, sw_error_code(number)));
  error.Set("errno", Napi::Number::New(env, number));
  return error;
}

#endif
