/* An addon whose memory JavaScript gets as a SharedArrayBuffer: what buffers.test.ts looks at. */
#include <node_api.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sabway/external.h"

enum { PAGE = 65536, MOST = 64 };

static atomic_uint finalized;

typedef struct memory {
  uint8_t *begin; /* as allocated */
  uint8_t *data;
  size_t bytes;
} memory;

static memory made[MOST];
static uint32_t count;

static void let_go(void *data, void *hint) {
  memory *m = hint;
  memset(data, 0xee, m->bytes); /* what is still used shows */
  free(m->begin);
  m->data = NULL;
  atomic_fetch_add(&finalized, 1);
}

static uint32_t number(napi_env env, napi_value value) {
  uint32_t word = 0;
  napi_get_value_uint32(env, value, &word);
  return word;
}

/* (bytes, skew) -> a SharedArrayBuffer of zeros, `skew` bytes behind a page */
static napi_value make(napi_env env, napi_callback_info info) {
  size_t given_count = 2;
  napi_value given[2], buffer = NULL;
  napi_get_cb_info(env, info, &given_count, given, NULL, NULL);
  if (count == MOST) return NULL;
  memory *m = &made[count++];
  m->bytes = number(env, given[0]);
  size_t all = (m->bytes + 2 * PAGE) / PAGE * PAGE;
  m->begin = aligned_alloc(PAGE, all);
  memset(m->begin, 0, all);
  m->data = m->begin + number(env, given[1]);
  if (sw_external_buffer(env, m->data, m->bytes, let_go, m, &buffer) == SW_OK) return buffer;
  free(m->begin);
  return NULL;
}

/* (which, byte) -> what native code finds there: -1 when it was let go */
static napi_value look(napi_env env, napi_callback_info info) {
  size_t given_count = 2;
  napi_value given[2], result;
  napi_get_cb_info(env, info, &given_count, given, NULL, NULL);
  const memory *m = &made[number(env, given[0]) % MOST];
  napi_create_int32(env, m->data == NULL ? -1 : m->data[number(env, given[1])], &result);
  return result;
}

static napi_value finalizers(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
  napi_create_uint32(env, atomic_load(&finalized), &result);
  return result;
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback callback;
  } FUNCTIONS[] = {{"make", make}, {"look", look}, {"finalizers", finalizers}};
  for (size_t i = 0; i < sizeof(FUNCTIONS) / sizeof(FUNCTIONS[0]); i++) {
    napi_value function;
    napi_create_function(env, FUNCTIONS[i].name, NAPI_AUTO_LENGTH, FUNCTIONS[i].callback, NULL, &function);
    napi_set_named_property(env, exports, FUNCTIONS[i].name, function);
  }
  return exports;
}
