/* What the map's tests share: a map in a region, and numbers as keys and values. */
#ifndef SABWAY_TEST_MAP_HELPER_H
#define SABWAY_TEST_MAP_HELPER_H

#include "../heap/heap_helper.h"
#include "core/map/map.h"
#include "sabway/map.h"
#include "sabway/object.h"

typedef struct map_scene {
  heap_scene heap;
  uint32_t at;
  sw_map_handle m;
} map_scene;

HELPER void map_scene_open(map_scene *s, uint64_t size, sw_map_options options) {
  heap_scene_open(&s->heap, size);
  options.seed = 0x5eed;
  s->at = sw_map_new(&s->heap.h, &options);
  if (s->at == 0) fail_msg("sw_map_new: %d", s->heap.h.status);
  assert_int_equal(sw_map_open(&s->m, &s->heap.h, s->at, 0), SW_OK);
}

HELPER void map_scene_close(map_scene *s) { heap_scene_close(&s->heap); }

HELPER int map_put(sw_map_handle *m, double key, double value) { return sw_map_put_number(m, key, value); }

/* NaN: there is none. */
HELPER double map_get(sw_map_handle *m, double key) {
  double value = sw_map_get_number(m, key), again;
  int status = sw_map_get(m, SW_MAP_NUMBER, &key, 8, &again, 8);
  if (value == value) {
    assert_int_equal(status, SW_MAP_NUMBER);
    assert_true(again == value);
  } else {
    assert_int_equal(status, m->status);
    assert_int_equal(status, 0);
  }
  return value;
}

HELPER int map_delete(sw_map_handle *m, double key) { return sw_map_delete(m, SW_MAP_NUMBER, &key, 8); }

HELPER int map_text(sw_map_handle *m, const char *key, const char *value, uint32_t mode) {
  return sw_map_put(m, SW_MAP_STRING, key, (uint32_t)strlen(key), SW_MAP_STRING, value, (uint32_t)strlen(value), mode);
}

HELPER void map_expect_text(sw_map_handle *m, const char *key, const char *value) {
  char out[256] = {0};
  int status = sw_map_get(m, SW_MAP_STRING, key, (uint32_t)strlen(key), out, sizeof(out));
  assert_int_equal(status, value == NULL ? 0 : SW_MAP_STRING);
  if (value != NULL) assert_string_equal(out, value);
}

/* Frees the map: then the heap has as many blocks as it had before the map was made. */
HELPER void map_free_all(map_scene *s, uint64_t before) {
  sw_map_close(&s->m);
  assert_int_equal(sw_map_free(&s->heap.h, s->at, 0), SW_OK);
  assert_int_equal(heap_stats(&s->heap.h).blocks, before);
}

#endif
