/* The native core, called the way JavaScript calls the wasm core: same names, same arguments, every
 * pointer an offset into the region. So one script can run on either, or change from one to the
 * other between two calls.
 *
 * The handles lie in the region as wasm32 lays them out: each call takes its handle out, runs the
 * core on it, and puts it back. On one thread the two hosts must therefore leave the same bytes,
 * handles included. */
#include <node_api.h>

#include "prim/prim.h"
#include "sabway/channel.h"
#include "sabway/endpoint.h"
#include "sabway/region.h"
#include "sabway/registry.h"
#include "sabway/wait.h"

/* sw_producer and sw_consumer, as wasm32 lays them out. */
typedef struct wasm_producer {
  uint32_t base, ring, data, capacity, head, published, tail_seen, reserved, lead, padding;
  int32_t open, status;
  uint32_t role, next, room, unused;
  uint64_t messages, bytes;
} wasm_producer;

typedef struct wasm_consumer {
  uint32_t base, ring, data, capacity, tail, cursor, head_seen, handed_out, patience, misses;
  int32_t status;
  uint32_t role;
  uint64_t messages, bytes, bytes_handed_out;
} wasm_consumer;

typedef struct bound {
  uint8_t *base;
  napi_ref memory;
} bound;

/* ---- what the core asks of its host ---- */

enum { WAKES = 64 };

static uint8_t *running; /* the region that the core works on now: tests run on one thread */
static uint32_t wakes[WAKES][2];
static uint32_t wake_count;

int sw_prim_wake(uint32_t *doorbell, uint32_t how) {
  if (wake_count == WAKES) return 1;
  wakes[wake_count][0] = (uint32_t)((uint8_t *)doorbell - running);
  wakes[wake_count++][1] = how;
  return 1;
}

/* ---- handles ---- */

static uint32_t offset_of(const bound *b, const void *address) {
  return (uint32_t)((const uint8_t *)address - b->base);
}

static sw_producer producer_out(const bound *b, uint64_t at) {
  const wasm_producer *w = (const void *)(b->base + at);
  return (sw_producer){.base = b->base + w->base,
                       .ring = (sw_ring *)(void *)(b->base + w->ring),
                       .data = b->base + w->data,
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

static void producer_back(const bound *b, uint64_t at, const sw_producer *p) {
  wasm_producer *w = (void *)(b->base + at);
  *w = (wasm_producer){.base = offset_of(b, p->base),
                       .ring = offset_of(b, p->ring),
                       .data = offset_of(b, p->data),
                       .capacity = p->capacity,
                       .head = p->head,
                       .published = p->published,
                       .tail_seen = p->tail_seen,
                       .reserved = p->reserved,
                       .lead = p->lead,
                       .padding = p->padding,
                       .open = p->open,
                       .status = p->status,
                       .role = p->role,
                       .next = p->next,
                       .room = p->room,
                       .unused = w->unused,
                       .messages = p->messages,
                       .bytes = p->bytes};
}

static sw_consumer consumer_out(const bound *b, uint64_t at) {
  const wasm_consumer *w = (const void *)(b->base + at);
  return (sw_consumer){.base = b->base + w->base,
                       .ring = (sw_ring *)(void *)(b->base + w->ring),
                       .data = b->base + w->data,
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

static void consumer_back(const bound *b, uint64_t at, const sw_consumer *c) {
  wasm_consumer *w = (void *)(b->base + at);
  *w = (wasm_consumer){.base = offset_of(b, c->base),
                       .ring = offset_of(b, c->ring),
                       .data = offset_of(b, c->data),
                       .capacity = c->capacity,
                       .tail = c->tail,
                       .cursor = c->cursor,
                       .head_seen = c->head_seen,
                       .handed_out = c->handed_out,
                       .patience = c->patience,
                       .misses = c->misses,
                       .status = c->status,
                       .role = c->role,
                       .messages = c->messages,
                       .bytes = c->bytes,
                       .bytes_handed_out = c->bytes_handed_out};
}

/* ---- the table: what codegen/exports.txt lists. a: the arguments, as JavaScript gave them ---- */

#define WORD(i)  ((uint32_t)a[i])
#define PLACE(i) ((void *)(b->base + WORD(i)))

static uint32_t offset_or_zero(const bound *b, const void *address) {
  return address == NULL ? 0 : offset_of(b, address);
}

/* A plain function, and those of a handle, which is their first argument. */
#define PLAIN(value) return (int64_t)(value)
#define PRODUCER(value)                       \
  sw_producer handle = producer_out(b, a[0]); \
  int64_t result = (int64_t)(value);          \
  producer_back(b, a[0], &handle);            \
  return result
#define CONSUMER(value)                       \
  sw_consumer handle = consumer_out(b, a[0]); \
  int64_t result = (int64_t)(value);          \
  consumer_back(b, a[0], &handle);            \
  return result

#define CORE_CALL(kind, name, gives, value)               \
  static int64_t do_##name(bound *b, const uint64_t *a) { \
    (void)b, (void)a;                                     \
    kind(value);                                          \
  }
#include "core_calls.h"
#undef CORE_CALL

typedef enum gives { NOTHING, NUMBER, BIGINT } gives;

static const struct {
  const char *name;
  int64_t (*run)(bound *b, const uint64_t *a);
  gives gives;
} ROWS_TABLE[] = {
#define CORE_CALL(kind, name, gives, value) {#name, do_##name, gives},
#include "core_calls.h"
};

enum { COUNT = sizeof(ROWS_TABLE) / sizeof(ROWS_TABLE[0]), ARGUMENTS = 6 };

/* ---- Node-API ---- */

/* One function of one region: which, and where. */
typedef struct call {
  bound *region;
  size_t row;
} call;

static uint64_t argument(napi_env env, napi_value value) {
  uint64_t big = 0;
  bool lossless;
  int64_t number = 0;
  if (napi_get_value_bigint_uint64(env, value, &big, &lossless) == napi_ok) return big;
  napi_get_value_int64(env, value, &number);
  return (uint32_t)number; /* as wasm takes an i32 */
}

static napi_value run(napi_env env, napi_callback_info info) {
  size_t count = ARGUMENTS;
  napi_value given[ARGUMENTS], result = NULL;
  void *data;
  napi_get_cb_info(env, info, &count, given, NULL, &data);
  const call *c = data;
  uint64_t a[ARGUMENTS] = {0};
  for (size_t i = 0; i < count && i < ARGUMENTS; i++) a[i] = argument(env, given[i]);
  running = c->region->base;
  int64_t value = ROWS_TABLE[c->row].run(c->region, a);
  if (ROWS_TABLE[c->row].gives == NUMBER) napi_create_int32(env, (int32_t)value, &result);
  if (ROWS_TABLE[c->row].gives == BIGINT) napi_create_bigint_int64(env, value, &result);
  return result;
}

/* (Uint8Array over a region) -> the core on it. Regions of tests are few, and stay for the life of
 * the process. */
static napi_value core_on(napi_env env, napi_callback_info info) {
  static bound regions[256];
  static call calls[256][COUNT];
  static uint32_t made;
  size_t count = 1;
  napi_value view, core;
  void *data;
  napi_get_cb_info(env, info, &count, &view, NULL, NULL);
  if (made == 256 || napi_get_typedarray_info(env, view, NULL, NULL, &data, NULL, NULL) != napi_ok) {
    napi_throw_error(env, NULL, "expected a Uint8Array, 256 times at most");
    return NULL;
  }
  bound *region = &regions[made];
  region->base = data;
  napi_create_reference(env, view, 1, &region->memory);
  napi_create_object(env, &core);
  for (size_t row = 0; row < COUNT; row++) {
    napi_value function;
    calls[made][row] = (call){region, row};
    napi_create_function(env, ROWS_TABLE[row].name, NAPI_AUTO_LENGTH, run, &calls[made][row], &function);
    napi_set_named_property(env, core, ROWS_TABLE[row].name, function);
  }
  made++;
  return core;
}

/* () -> [doorbell, how, ...]: the sleepers woken since the last call. */
static napi_value take_wakes(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value list, word;
  napi_create_array(env, &list);
  for (uint32_t i = 0; i < 2 * wake_count; i++) {
    napi_create_uint32(env, wakes[i / 2][i % 2], &word);
    napi_set_element(env, list, i, word);
  }
  wake_count = 0;
  return list;
}

/* (pid, startLow, startHigh) -> is it there? What the wasm core asks its host. */
static napi_value alive(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value given[3], result;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  uint32_t pid = (uint32_t)argument(env, given[0]), low = (uint32_t)argument(env, given[1]);
  napi_create_int32(env, sw_prim_process_alive(pid, low, (uint32_t)argument(env, given[2])), &result);
  return result;
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback callback;
  } FUNCTIONS[] = {{"coreOn", core_on}, {"takeWakes", take_wakes}, {"alive", alive}};
  for (size_t i = 0; i < sizeof(FUNCTIONS) / sizeof(FUNCTIONS[0]); i++) {
    napi_value function;
    napi_create_function(env, FUNCTIONS[i].name, NAPI_AUTO_LENGTH, FUNCTIONS[i].callback, NULL, &function);
    napi_set_named_property(env, exports, FUNCTIONS[i].name, function);
  }
  return exports;
}
