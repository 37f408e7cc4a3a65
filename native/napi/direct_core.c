#include "napi/direct_core.h"

#include <stdio.h>
#include <stdlib.h>

#include "napi/core_handles.h"
#include "prim/prim.h"
#include "sabway/channel.h"
#include "sabway/endpoint.h"
#include "sabway/ready.h"
#include "sabway/region.h"
#include "sabway/registry.h"
#include "sabway/wait.h"

/* Freed when the owner is collected: an object that each of the functions holds, and which holds
 * the memory and `wake`. */
typedef struct core {
  swi_handles handles;
  sw_prim_waker waker;
  const sw_prim_waker **in_place; /* of the environment's thread */
  napi_env env;
  napi_ref owner; /* weak */
} core;

/* ---- what the core asks of its host ---- */

static int ask_javascript(core *c, uint32_t at, uint32_t how, uint32_t *woken) {
  napi_env env = c->env;
  napi_value owner = NULL, wake, given[2], answer;
  if (napi_get_reference_value(env, c->owner, &owner) != napi_ok || owner == NULL) return 0;
  if (napi_get_named_property(env, owner, "wake", &wake) != napi_ok) return 0;
  napi_create_uint32(env, at, &given[0]);
  napi_create_uint32(env, how, &given[1]);
  if (napi_call_function(env, owner, wake, 2, given, &answer) != napi_ok) return 0;
  return napi_get_value_uint32(env, answer, woken) == napi_ok;
}

/* JavaScript knows more ways to wake than this thread's native code: Atomics.notify, and the
 * channels of its own event loop. It cannot be called in a thread that is being terminated, or when
 * it has just thrown: then the native ways are left. */
static int wake(void *context, uint32_t *doorbell, uint32_t how) {
  core *c = context;
  uint32_t woken = 0;
  *c->in_place = NULL; /* what JavaScript calls meanwhile wakes by itself */
  bool asked = ask_javascript(c, (uint32_t)((uint8_t *)doorbell - c->handles.base), how, &woken) != 0;
  if (!asked) woken = (uint32_t)sw_prim_wake(doorbell, how);
  *c->in_place = &c->waker;
  return (int)woken;
}

/* ---- arguments: `given` by JavaScript, read into `a` ---- */

static napi_value refuse(napi_env env, int error, const char *function) {
  char text[256];
  (void)snprintf(text, sizeof(text), "%s: %s", sw_error_text(error), function);
  napi_throw_error(env, sw_error_code(error), text);
  return NULL;
}

/* As WebAssembly takes an i32, and an i64. */
#define READ_NUMBER(i) (napi_get_value_uint32(env, given[i], &word) == napi_ok && (a[i] = word, true))
#define READ_BIGINT(i) (napi_get_value_bigint_uint64(env, given[i], &a[i], &lossless) == napi_ok && lossless)

#define WORD(i)  ((uint32_t)a[i])
#define PLACE(i) ((void *)(c->handles.base + a[i]))

static bool fits(const core *c, uint64_t at, uint64_t bytes, uint64_t alignment) {
  return at % alignment == 0 && at <= c->handles.size && bytes <= c->handles.size - at;
}

static bool has_room_for_channel(const core *c, const uint64_t *a) {
  uint64_t bytes = sw_channel_bytes((uint32_t)a[1], (uint32_t)a[2]); /* 0: the core refuses it */
  return a[0] >= SW_HEAP_AT && fits(c, a[0], bytes, SW_LINE);
}

#define IS_BASE(i)              (a[i] == 0)
#define IS_SIZE(i)              (a[i] <= c->handles.size)
#define IS_PAGES(i)             (a[i] * SW_PAGE <= c->handles.size)
#define IS_ENDPOINT(i)          (a[i] < SW_ENDPOINTS)
#define IS_PLACE(i, type)       fits(c, a[i], sizeof(type), sizeof(uint64_t))
#define ARE_SLICES(i, count)    fits(c, a[i], a[count] * sizeof(sw_slice), sizeof(uint32_t))
#define ARE_WORDS(i, count)     fits(c, a[i], a[count] * sizeof(uint32_t), sizeof(uint32_t))
#define HAS_ROOM_FOR_CHANNEL(i) has_room_for_channel(c, &a[i])

/* ---- results ---- */

static uint32_t offset_or_zero(const core *c, const void *address) {
  return address == NULL ? 0 : (uint32_t)((const uint8_t *)address - c->handles.base);
}

static napi_value give_NUMBER(napi_env env, int64_t value) {
  napi_value result = NULL;
  napi_create_int32(env, (int32_t)value, &result);
  return result;
}

static napi_value give_BIGINT(napi_env env, int64_t value) {
  napi_value result = NULL;
  napi_create_bigint_int64(env, value, &result);
  return result;
}

static napi_value give_NOTHING(napi_env env, int64_t value) {
  (void)env, (void)value;
  return NULL;
}

/* ---- the functions: a plain one, one of a handle, and one that attaches a handle ---- */

#define RUN(value)          \
  *c->in_place = &c->waker; \
  int64_t result = (value); \
  *c->in_place = NULL;

#define PLAIN(name, value) RUN((int64_t)(value))

#define OF_HANDLE(name, kind, look_up, missing, value)      \
  swi_handle *handle = look_up(&c->handles, kind, WORD(0)); \
  if (handle == NULL) return refuse(env, missing, #name);   \
  RUN((int64_t)(value))                                     \
  swi_handle_show(&c->handles, handle);

#define PRODUCER(name, value)      OF_HANDLE(name, SWI_PRODUCER, swi_handle_find, SW_ESTATE, value)
#define CONSUMER(name, value)      OF_HANDLE(name, SWI_CONSUMER, swi_handle_find, SW_ESTATE, value)
#define OPEN_PRODUCER(name, value) OF_HANDLE(name, SWI_PRODUCER, swi_handle_make, SW_ERANGE, value)
#define OPEN_CONSUMER(name, value) OF_HANDLE(name, SWI_CONSUMER, swi_handle_make, SW_ERANGE, value)

#define CORE_CALL(kind, name, gives, count, read, bounds, value)         \
  static napi_value call_##name(napi_env env, napi_callback_info info) { \
    size_t arguments = (count);                                          \
    napi_value given[(count) + 1];                                       \
    uint64_t a[(count) + 1] = {0};                                       \
    uint32_t word = 0;                                                   \
    bool lossless = true;                                                \
    void *data = NULL;                                                   \
    napi_get_cb_info(env, info, &arguments, given, NULL, &data);         \
    core *c = data;                                                      \
    (void)word, (void)lossless, (void)given, (void)a;                    \
    if (!(read)) return refuse(env, SW_ETYPE, #name);                    \
    if (!(bounds)) return refuse(env, SW_ERANGE, #name);                 \
    kind(name, value) return give_##gives(env, result);                  \
  }
#include "core_calls.h"
#undef CORE_CALL

static const struct {
  const char *name;
  napi_callback call;
} FUNCTIONS[] = {
#define CORE_CALL(kind, name, gives, count, read, bounds, value) {#name, call_##name},
#include "core_calls.h"
#undef CORE_CALL
};

enum { COUNT = sizeof(FUNCTIONS) / sizeof(FUNCTIONS[0]) };

/* ---- making one ---- */

static void collected(napi_env env, void *data, void *hint) {
  core *c = data;
  (void)hint;
  napi_delete_reference(env, c->owner);
  swi_handles_free(&c->handles);
  free(c);
}

/* A property that JavaScript can neither see nor take away. */
static napi_status keep(napi_env env, napi_value object, const char *name, napi_value value) {
  napi_property_descriptor property = {.utf8name = name, .value = value, .attributes = napi_default};
  return napi_define_properties(env, object, 1, &property);
}

/* SW_OK, with the address and size of the region's bytes, or why they cannot be a region's. */
static int look_at(napi_env env, napi_value bytes, core *c) {
  napi_typedarray_type type = napi_float64_array;
  napi_value buffer = NULL;
  void *data = NULL;
  size_t length = 0;
  bool transferable = true;
  if (napi_get_typedarray_info(env, bytes, &type, &length, &data, &buffer, NULL) != napi_ok) return SW_ETYPE;
  /* the memory of an ArrayBuffer may be taken away */
  if (type != napi_uint8_array || napi_is_arraybuffer(env, buffer, &transferable) != napi_ok || transferable)
    return SW_ETYPE;
  if ((uintptr_t)data % sizeof(uint64_t) != 0) return SW_EINVAL;
  if (length < SW_HEAP_AT || length % SW_PAGE != 0 || length > (uint64_t)UINT32_MAX + 1) return SW_ENOTREGION;
  c->handles.base = data;
  c->handles.size = length;
  return SW_OK;
}

/* Each function holds the owner. */
static napi_status fill(napi_env env, napi_value functions, napi_value owner, core *c) {
  napi_status status = napi_ok;
  for (size_t i = 0; i < COUNT && status == napi_ok; i++) {
    napi_value function;
    status = napi_create_function(env, FUNCTIONS[i].name, NAPI_AUTO_LENGTH, FUNCTIONS[i].call, c, &function);
    if (status == napi_ok) status = keep(env, function, "owner", owner);
    if (status == napi_ok) status = napi_set_named_property(env, functions, FUNCTIONS[i].name, function);
  }
  return status;
}

napi_value swi_direct_core(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value given[2], owner, functions;
  napi_valuetype type = napi_undefined;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  napi_typeof(env, given[1], &type);
  if (type != napi_function) return refuse(env, SW_ETYPE, "expected (bytes, wake)");
  core *c = calloc(1, sizeof(*c));
  if (c == NULL) return refuse(env, SW_ENOMEM, "the native core");
  int status = look_at(env, given[0], c);
  if (status != SW_OK || napi_create_object(env, &owner) != napi_ok ||
      napi_wrap(env, owner, c, collected, NULL, &c->owner) != napi_ok) {
    free(c);
    return refuse(env, status != SW_OK ? status : SW_ENOMEM, "expected a Uint8Array over a region's shared memory");
  }
  /* From here on the owner's finalizer frees it. */
  c->env = env;
  c->waker.wake = wake;
  c->waker.context = c;
  c->in_place = sw_prim_waker_place();
  if (keep(env, owner, "bytes", given[0]) != napi_ok || keep(env, owner, "wake", given[1]) != napi_ok ||
      napi_create_object(env, &functions) != napi_ok || fill(env, functions, owner, c) != napi_ok) {
    return refuse(env, SW_ENOMEM, "the native core's functions");
  }
  return functions;
}
