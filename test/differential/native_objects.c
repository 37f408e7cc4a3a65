/* The objects (native/core/heap and what stands on it) as native code, called as JavaScript calls
 * them as WebAssembly. Their handles lie in the region as wasm32 lays them out, as those of the
 * rings do in native_core.c: each call takes them out, and puts them back. */
#include "native_objects.h"

#include <stdlib.h>

#include "prim/prim.h"
#include "sabway/broadcast.h"
#include "sabway/crc32c.h"
#include "sabway/directory.h"
#include "sabway/endpoint.h"
#include "sabway/heap_channel.h"
#include "sabway/list.h"
#include "sabway/map.h"
#include "sabway/mutex.h"
#include "sabway/mutex_object.h"
#include "sabway/offer.h"
#include "sabway/pool.h"
#include "sabway/queue.h"
#include "sabway/record.h"
#include "sabway/registry.h"
#include "sabway/string.h"
#include "sabway/sync.h"
#include "sabway/vector.h"

typedef struct wasm_heap {
  uint32_t base;
  int32_t status;
  uint32_t role, endpoint, begin, count, pages, control, map, slabs, tree[SW_HEAP_LEVELS], levels, shares, held,
      ordered;
  uint64_t alive;
  uint32_t look, retired_at, looked_at;
  sw_heap_class classes[SW_HEAP_CLASSES];
} wasm_heap;

typedef struct wasm_map {
  uint32_t tag, spare[SW_MAP_SPARES];
  int32_t status;
  uint32_t length, flags;
  uint64_t life, seed;
  double now, expires;
  uint32_t heap, base, map, bucket, count, at, table, mask, log2, marks, begin, end, slots, most, ordered, until;
} wasm_map;

_Static_assert(sizeof(wasm_heap) == 664 && sizeof(wasm_map) == 128, "lib/generated/sw_heap.ts, sw_map_handle.ts");

enum { WAKES_MOST = 1024 };

typedef struct objects {
  uint8_t *base;
  sw_prim_waker waker;
  const sw_prim_waker **in_place;
  uint32_t wakes[2 * WAKES_MOST], woken;
  /* the handles of the present call, and where they lie; zero: it has none */
  uint32_t heap_at, map_at;
  sw_heap heap;
  sw_map_handle map;
} objects;

static int note_wake(void *context, uint32_t *doorbell, uint32_t how) {
  objects *o = context;
  if (o->woken == WAKES_MOST) return 1;
  o->wakes[2 * o->woken] = (uint32_t)((uint8_t *)doorbell - o->base);
  o->wakes[2 * o->woken++ + 1] = how;
  return 1;
}

/* ---- handles ---- */

static void *place(const objects *o, uint32_t at) { return at == 0 ? NULL : o->base + at; }

static uint32_t offset_of(const objects *o, const void *address) {
  return address == NULL ? 0 : (uint32_t)((const uint8_t *)address - o->base);
}

static sw_heap *load_heap(objects *o, uint32_t at) {
  const wasm_heap *w = place(o, at);
  sw_heap *h = &o->heap;
  o->heap_at = at;
  *h = (sw_heap){.base = o->base + w->base,
                 .status = w->status,
                 .role = w->role,
                 .endpoint = w->endpoint,
                 .begin = w->begin,
                 .count = w->count,
                 .pages = w->pages,
                 .control = place(o, w->control),
                 .map = place(o, w->map),
                 .slabs = place(o, w->slabs),
                 .levels = w->levels,
                 .shares = w->shares,
                 .held = w->held,
                 .ordered = w->ordered,
                 .alive = w->alive,
                 .look = w->look,
                 .retired_at = w->retired_at,
                 .looked_at = w->looked_at};
  for (int i = 0; i < SW_HEAP_LEVELS; i++) h->tree[i] = place(o, w->tree[i]);
  for (int i = 0; i < SW_HEAP_CLASSES; i++) h->classes[i] = w->classes[i];
  return h;
}

static void show_heap(const objects *o) {
  wasm_heap *w = place(o, o->heap_at);
  const sw_heap *h = &o->heap;
  w->base = offset_of(o, h->base);
  w->status = h->status;
  w->role = h->role;
  w->endpoint = h->endpoint;
  w->begin = h->begin;
  w->count = h->count;
  w->pages = h->pages;
  w->control = offset_of(o, h->control);
  w->map = offset_of(o, h->map);
  w->slabs = offset_of(o, h->slabs);
  w->levels = h->levels;
  w->shares = h->shares;
  w->held = h->held;
  w->ordered = h->ordered;
  w->alive = h->alive;
  w->look = h->look;
  w->retired_at = h->retired_at;
  w->looked_at = h->looked_at;
  for (int i = 0; i < SW_HEAP_LEVELS; i++) w->tree[i] = offset_of(o, h->tree[i]);
  for (int i = 0; i < SW_HEAP_CLASSES; i++) w->classes[i] = h->classes[i];
}

static sw_map_handle *load_map(objects *o, uint32_t at) {
  const wasm_map *w = place(o, at);
  o->map_at = at;
  if (w->heap != 0) (void)load_heap(o, w->heap);
  o->map = (sw_map_handle){.tag = w->tag,
                           .status = w->status,
                           .length = w->length,
                           .flags = w->flags,
                           .life = w->life,
                           .seed = w->seed,
                           .now = w->now,
                           .expires = w->expires,
                           .heap = w->heap == 0 ? NULL : &o->heap,
                           .base = o->base + w->base,
                           .map = place(o, w->map),
                           .bucket = place(o, w->bucket),
                           .count = place(o, w->count),
                           .at = w->at,
                           .table = w->table,
                           .mask = w->mask,
                           .log2 = w->log2,
                           .marks = w->marks,
                           .begin = w->begin,
                           .end = w->end,
                           .slots = w->slots,
                           .most = w->most,
                           .ordered = w->ordered,
                           .until = w->until};
  for (int i = 0; i < SW_MAP_SPARES; i++) o->map.spare[i] = w->spare[i];
  return &o->map;
}

static void show_map(const objects *o) {
  wasm_map *w = place(o, o->map_at);
  const sw_map_handle *m = &o->map;
  w->tag = m->tag;
  w->status = m->status;
  w->length = m->length;
  w->flags = m->flags;
  w->life = m->life;
  w->seed = m->seed;
  w->now = m->now;
  w->expires = m->expires;
  w->heap = m->heap == NULL ? 0 : o->heap_at;
  w->base = offset_of(o, m->base);
  w->map = offset_of(o, m->map);
  w->bucket = offset_of(o, m->bucket);
  w->count = offset_of(o, m->count);
  w->at = m->at;
  w->table = m->table;
  w->mask = m->mask;
  w->log2 = m->log2;
  w->marks = m->marks;
  w->begin = m->begin;
  w->end = m->end;
  w->slots = m->slots;
  w->most = m->most;
  w->ordered = m->ordered;
  w->until = m->until;
  for (int i = 0; i < SW_MAP_SPARES; i++) w->spare[i] = m->spare[i];
}

/* ---- the functions ---- */

#define READ_NUMBER(i) (napi_get_value_uint32(env, given[i], &word) == napi_ok && (a[i] = word, true))
#define READ_BIGINT(i) (napi_get_value_bigint_uint64(env, given[i], &a[i], &lossless) == napi_ok)
#define READ_DOUBLE(i) (napi_get_value_double(env, given[i], &d[i]) == napi_ok)
#define WORD(i)        ((uint32_t)a[i])
#define BASE(i)        ((void *)(o->base + a[i]))
#define PLACE(i)       place(o, WORD(i))
#define HEAP(i)        load_heap(o, WORD(i))
#define MAP(i)         load_map(o, WORD(i))

#define give_NUMBER(value)  napi_create_int32(env, (int32_t)(value), &result)
#define give_BIGINT(value)  napi_create_bigint_uint64(env, value, &result)
#define give_DOUBLE(value)  napi_create_double(env, value, &result)
#define give_NOTHING(value) (value)

#define OBJECT_CALL(name, gives, count, read, value)                     \
  static napi_value call_##name(napi_env env, napi_callback_info info) { \
    size_t arguments = (count);                                          \
    napi_value given[count], result = NULL;                              \
    uint64_t a[count] = {0};                                             \
    double d[count] = {0};                                               \
    uint32_t word = 0;                                                   \
    bool lossless = true;                                                \
    void *data = NULL;                                                   \
    napi_get_cb_info(env, info, &arguments, given, NULL, &data);         \
    objects *o = data;                                                   \
    (void)lossless, (void)d;                                             \
    if (!(read)) {                                                       \
      napi_throw_type_error(env, NULL, #name);                           \
      return NULL;                                                       \
    }                                                                    \
    o->heap_at = 0;                                                      \
    o->map_at = 0;                                                       \
    *o->in_place = &o->waker;                                            \
    give_##gives(value);                                                 \
    *o->in_place = NULL;                                                 \
    if (o->map_at != 0) show_map(o);                                     \
    if (o->heap_at != 0) show_heap(o);                                   \
    return result;                                                       \
  }
#include "object_calls.h"
#undef OBJECT_CALL

static const struct {
  const char *name;
  napi_callback call;
} FUNCTIONS[] = {
#define OBJECT_CALL(name, gives, count, read, value) {#name, call_##name},
#include "object_calls.h"
#undef OBJECT_CALL
};

/* () -> [doorbell, how, ...] since the last call */
static napi_value take_wakes(napi_env env, napi_callback_info info) {
  void *data = NULL;
  napi_value list, word;
  napi_get_cb_info(env, info, NULL, NULL, NULL, &data);
  objects *o = data;
  napi_create_array(env, &list);
  for (uint32_t i = 0; i < 2 * o->woken; i++) {
    napi_create_uint32(env, o->wakes[i], &word);
    napi_set_element(env, list, i, word);
  }
  o->woken = 0;
  return list;
}

static void add(napi_env env, napi_value to, const char *name, napi_callback call, objects *o) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, call, o, &function);
  napi_set_named_property(env, to, name, function);
}

/* (bytes) -> the functions, and takeWakes. The bytes stay for as long as the process does, and so
 * does what is allocated here. */
napi_value native_objects(napi_env env, napi_callback_info info) {
  size_t count = 1, length = 0;
  napi_value given[1], functions;
  void *bytes = NULL;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  napi_get_typedarray_info(env, given[0], NULL, &length, &bytes, NULL, NULL);
  objects *o = calloc(1, sizeof(*o));
  if (o == NULL || bytes == NULL) {
    free(o);
    napi_throw_type_error(env, NULL, "expected (bytes)");
    return NULL;
  }
  o->base = bytes;
  o->waker = (sw_prim_waker){.wake = note_wake, .context = o};
  o->in_place = sw_prim_waker_place();
  napi_create_object(env, &functions);
  for (size_t i = 0; i < sizeof(FUNCTIONS) / sizeof(FUNCTIONS[0]); i++)
    add(env, functions, FUNCTIONS[i].name, FUNCTIONS[i].call, o);
  add(env, functions, "takeWakes", take_wakes, o);
  return functions;
}
