/* For addons: memory that native code owns, as a SharedArrayBuffer, over which JavaScript can make
 * a region (Region.over) or a channel ({ buffer }). Header only, on top of Node-API.
 *
 *   napi_value buffer;
 *   int status = sw_external_buffer(env, frames, sizeof(frames), let_go, NULL, &buffer);
 *   if (status != SW_OK) return NULL;   // an exception is pending
 *
 * The function behind it is in few runtimes, so it is looked up when it is called. Where there is
 * none, or where the runtime keeps all memory of JavaScript in a cage of its own, as Electron does,
 * have JavaScript make the buffer (new SharedArrayBuffer) and ask for its address:
 * napi_get_typedarray_info, of a Uint8Array over it. */
#ifndef SABWAY_EXTERNAL_H
#define SABWAY_EXTERNAL_H

#include <node_api.h>
#include <stdint.h>

#include "error.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

typedef napi_status (*swi_create_external)(napi_env env, void *data, size_t bytes,
                                           void (*finalize)(void *data, void *hint), void *hint, napi_value *result);

/* Node's function; NULL where the runtime has none. */
static inline swi_create_external swi_external_function(void) {
  const char *symbol = "node_api_create_external_sharedarraybuffer";
#ifdef _WIN32
  return (swi_create_external)(void *)GetProcAddress(GetModuleHandleW(NULL), symbol);
#else
  void *program = dlopen(NULL, RTLD_LAZY);
  void *found = program == NULL ? NULL : dlsym(program, symbol);
  if (program != NULL) dlclose(program);
  swi_create_external function;
  *(void **)&function = found; /* as POSIX has it: C knows no cast from an object to a function */
  return function;
#endif
}

static inline int swi_external_refuse(napi_env env, int error, const char *text) {
  napi_throw_error(env, sw_error_code(error), text);
  return error;
}

/* A SharedArrayBuffer over `bytes` bytes at `data`, 8-byte aligned. They must stay until `finalize`
 * is called: once, in any thread, when neither JavaScript nor a region has the memory any more.
 * `finalize` may be NULL. A region takes whole pages of 64 KiB, all of them zeros at first. An
 * error is pending as an exception, too, and `finalize` is not called then. The environment's
 * thread. Errors: SW_ENOSYS, SW_EINVAL, SW_ENOMEM. */
static inline int sw_external_buffer(napi_env env, void *data, size_t bytes, void (*finalize)(void *data, void *hint),
                                     void *hint, napi_value *buffer) {
  swi_create_external create = swi_external_function();
  if (create == NULL) {
    return swi_external_refuse(env, SW_ENOSYS,
                               "this system or JavaScript scope has no way to do that: this runtime has no "
                               "node_api_create_external_sharedarraybuffer, as Node 24.16 and 26.1 and newer ones "
                               "have; make the SharedArrayBuffer in JavaScript, and pass it to native code");
  }
  if (data == NULL || (uintptr_t)data % sizeof(uint64_t) != 0) {
    return swi_external_refuse(env, SW_EINVAL,
                               "an argument has a value that is not allowed here: the address of the memory must be a "
                               "multiple of 8; allocate it with aligned_alloc, or map it");
  }
  switch (create(env, data, bytes, finalize, hint, buffer)) {
    case napi_ok:
      return SW_OK;
    case napi_no_external_buffers_allowed:
      return swi_external_refuse(env, SW_ENOSYS,
                                 "this system or JavaScript scope has no way to do that: this runtime allows no memory "
                                 "but its own; make the SharedArrayBuffer in JavaScript, and pass it to native code");
    default:
      return swi_external_refuse(env, SW_ENOMEM, "out of memory: the runtime made no SharedArrayBuffer of this memory");
  }
}

#endif
