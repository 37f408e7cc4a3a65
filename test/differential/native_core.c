/* The native core, called as JavaScript calls it in the addon, but for its handles: here those in
 * the region count, as wasm32 lays them out. Each call takes its handle out, runs the core on it,
 * and puts it back. So one script can change from one core to the other between two calls, and on
 * one thread the two must leave the same bytes, handles included. */
#include <node_api.h>

#include "napi/core_handles.h"
#include "napi/direct_core.h"
#include "native_objects.h"
#include "prim/prim.h"

static void load_producer(uint8_t *base, const swi_wasm_producer *w, sw_producer *p) {
  *p = (sw_producer){.base = base + w->base,
                     .ring = w->ring == 0 ? NULL : (sw_ring *)(void *)(base + w->ring),
                     .data = base + w->data,
                     .capacity = w->capacity,
                     .head = w->head,
                     .published = w->published,
                     .tail_seen = w->tail_seen,
                     .reserved = w->reserved,
                     .lead = w->lead,
                     .padding = w->padding,
                     .open = w->open,
                     .status = w->status,
                     .role = w->role,
                     .next = w->next,
                     .room = w->room,
                     .messages = w->messages,
                     .bytes = w->bytes};
}

static void load_consumer(uint8_t *base, const swi_wasm_consumer *w, sw_consumer *c) {
  *c = (sw_consumer){.base = base + w->base,
                     .ring = w->ring == 0 ? NULL : (sw_ring *)(void *)(base + w->ring),
                     .data = base + w->data,
                     .capacity = w->capacity,
                     .tail = w->tail,
                     .cursor = w->cursor,
                     .head_seen = w->head_seen,
                     .handed_out = w->handed_out,
                     .patience = w->patience,
                     .misses = w->misses,
                     .status = w->status,
                     .role = w->role,
                     .messages = w->messages,
                     .bytes = w->bytes,
                     .bytes_handed_out = w->bytes_handed_out};
}

void swi_handle_load(const swi_handles *handles, swi_handle *handle) {
  const void *shown = handles->base + handle->at;
  if (handle->kind == SWI_PRODUCER) load_producer(handles->base, shown, &handle->as.producer);
  else load_consumer(handles->base, shown, &handle->as.consumer);
}

static uint32_t word_of(napi_env env, napi_value value) {
  uint32_t word = 0;
  napi_get_value_uint32(env, value, &word);
  return word;
}

/* (pid, startLow, startHigh) -> is it there? What the wasm core asks its host. */
static napi_value alive(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value given[3], result;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  uint32_t pid = word_of(env, given[0]), low = word_of(env, given[1]);
  napi_create_int32(env, sw_prim_process_alive(pid, low, word_of(env, given[2])), &result);
  return result;
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback callback;
  } FUNCTIONS[] = {{"directCore", swi_direct_core}, {"nativeObjects", native_objects}, {"alive", alive}};
  for (size_t i = 0; i < sizeof(FUNCTIONS) / sizeof(FUNCTIONS[0]); i++) {
    napi_value function;
    napi_create_function(env, FUNCTIONS[i].name, NAPI_AUTO_LENGTH, FUNCTIONS[i].callback, NULL, &function);
    napi_set_named_property(env, exports, FUNCTIONS[i].name, function);
  }
  return exports;
}
