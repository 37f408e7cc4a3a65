/* One of several participants that change the same objects at once, most of which are JavaScript:
 * see test/js/containers/mixed.test.ts, and test/js/workers/containers.ts, which does the same.
 *
 *   mixed <token> <number of this participant>
 *
 * Goes on until its input ends, and prints what it has done, as JSON. */
#include <inttypes.h>
#include <poll.h>
#include <sabway/directory.h>
#include <sabway/endpoint.h>
#include <sabway/list.h>
#include <sabway/map.h>
#include <sabway/record.h>
#include <sabway/registry.h>
#include <sabway/shared.h>
#include <sabway/string.h>
#include <sabway/vector.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST = 400, BLOCKS = 16, CHANGES = 20000 /* JavaScript counts up to 65,535 in one field */ };

static sw_shared shared = {.handle = -1};
static sw_heap heap;
static uint32_t number, inserted, state;

static void fail(const char *what, int status) {
  fprintf(stderr, "%s: %s (%s)\n", what, sw_error_text(status), sw_error_code(status));
  exit(1);
}

static int64_t must(const char *what, int64_t status) {
  if (status < 0) fail(what, (int)status);
  return status;
}

static void hold(int condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "participant %" PRIu32 ": %s\n", number, what);
  exit(1);
}

static uint32_t random_below(uint32_t below) {
  state = state * 1664525 + 1013904223;
  return (state >> 8) % below;
}

/* Call it again for as long as another participant holds the lock. */
#define TRY(call)                                       \
  ({                                                    \
    int tried;                                          \
    while ((tried = (call)) == SW_EBUSY) sched_yield(); \
    (int)must(#call, tried);                            \
  })

typedef struct object {
  uint32_t at, generation;
} object;

static object find(const char *name, uint32_t type) {
  sw_found found;
  int there = TRY(sw_directory_find(&heap, name, (uint32_t)strlen(name), &found));
  hold(there == 1 && found.kind == SW_KIND_OBJECT, name);
  must(name, sw_object_check(&heap, found.object, type, found.generation));
  return (object){found.object, found.generation};
}

/* ---- a text whose letters are all the same ---- */

static void fill_text(char *text, uint32_t *length, uint32_t turn) {
  *length = 1 + turn % 60 * (turn % 6);
  memset(text, (int)(0x60 + number), *length);
}

static uint32_t use_string(object string, uint32_t turn) {
  char text[16 * LONGEST];
  uint32_t length;
  sw_string_content content;
  if (turn % 2 == 0) {
    fill_text(text, &length, turn);
    TRY(sw_string_set(&heap, string.at, string.generation, text, length));
    return 0;
  }
  TRY(sw_string_get(&heap, string.at, string.generation, text, sizeof(text), &content));
  for (uint32_t i = 1; i < content.length; i++) hold(text[i] == text[0], "a torn text");
  fill_text(text, &length, turn);
  return (uint32_t)TRY(sw_string_compare_set(&heap, string.at, string.generation, content.version, text, length));
}

/* ---- vectors ---- */

typedef struct done {
  uint32_t pushed, popped, added, set, counted, changed;
} done;

static void use_vector(object vector, done *d) {
  int32_t value = (int32_t)number;
  uint32_t length = sw_vector_length(&heap, vector.at), what = random_below(8);
  if (what < 4) {
    if (length >= 100000) return;
    TRY(sw_vector_push(&heap, vector.at, vector.generation, &value));
    d->pushed++;
  } else if (what < 6) {
    if (length > 8) d->popped += (uint32_t)TRY(sw_vector_pop(&heap, vector.at, vector.generation, &value));
  } else if (what < 7) {
    uint32_t first = sw_vector_locate(&heap, vector.at, vector.generation, 0);
    hold(first != 0, "the first element");
    __atomic_fetch_add((uint32_t *)(void *)(heap.base + first), 1, __ATOMIC_SEQ_CST);
    d->added++;
  } else if (TRY(sw_vector_get(&heap, vector.at, vector.generation, 1 + random_below(100), &value)) == 1) {
    hold(value >= 1 && value <= 8, "an element that was not pushed");
  }
}

static void use_wide(object wide, uint32_t turn) {
  float element[3] = {(float)turn, (float)turn, (float)turn};
  uint32_t what = random_below(4);
  if (what == 0 && sw_vector_length(&heap, wide.at) < 1000)
    TRY(sw_vector_push(&heap, wide.at, wide.generation, element));
  else if (what == 1) TRY(sw_vector_pop(&heap, wide.at, wide.generation, element));
  else if (what == 2) TRY(sw_vector_set(&heap, wide.at, wide.generation, random_below(3), element));
  else TRY(sw_vector_get(&heap, wide.at, wide.generation, random_below(5), element));
  hold(element[0] == element[1] && element[1] == element[2], "a torn element");
}

/* ---- a list of participants and numbers ---- */

typedef struct listed {
  sw_list_entry entry;
  int32_t from, number;
} listed;

static void use_list(object list) {
  uint32_t what = random_below(4);
  if (what < 2) {
    uint32_t count = ((const sw_list *)(const void *)(heap.base + list.at))->count;
    if (count < 1000)
      TRY(sw_list_insert(&heap, list.at, list.generation, (int32_t[]){(int32_t)number, (int32_t)++inserted}));
    return;
  }
  if (what == 2) {
    TRY(sw_list_delete_index(&heap, list.at, list.generation, random_below(4), NULL));
    return;
  }
  sw_list_cursor cursor = {0};
  listed read[16];
  int32_t last[9] = {0};
  for (int turns = 0; turns < 4; turns++) {
    int got = TRY(sw_list_read(&heap, list.at, list.generation, &cursor, read, sizeof(read)));
    if (got == 0) return;
    for (int i = 0; i < got; i++) {
      hold(read[i].from >= 1 && read[i].from <= 8 && read[i].number > last[read[i].from],
           "an element out of its order");
      last[read[i].from] = read[i].number;
      if (random_below(4) == 0)
        TRY(sw_list_delete(&heap, list.at, list.generation, read[i].entry.node, read[i].entry.number));
    }
  }
}

/* ---- a record: see test/js/support/records.ts, whose fields lie like this ---- */

typedef struct counter {
  double b, sum;
  int32_t a;
  uint32_t hits;
  uint16_t c[3], unused;
} counter;

static void write32(object record, uint32_t at, uint32_t width, uint32_t value) {
  TRY(sw_record_write32(&heap, record.at, at, width, value));
}

static void use_record(object record) {
  counter now;
  const sw_piece whole = {0, sizeof(now)};
  TRY(sw_record_try_lock(&heap, record.at, SW_TYPE_RECORD, record.generation));
  const sw_record *control = (const void *)(heap.base + record.at);
  memcpy(&now, heap.base + control->data, sizeof(now));
  now.a++;
  now.b++;
  write32(record, offsetof(counter, a), 4, (uint32_t)now.a);
  uint32_t halves[2];
  memcpy(halves, &now.b, sizeof(halves));
  TRY(sw_record_write64(&heap, record.at, offsetof(counter, b), halves[0], halves[1]));
  for (uint32_t i = 0; i < 3; i++) write32(record, offsetof(counter, c) + 2 * i, 2, (uint16_t)(now.c[i] + 1));
  if (random_below(4) == 0) { /* once more, in vain, and anew */
    TRY(sw_record_undo(&heap, record.at));
    must("unlock", sw_record_unlock(&heap, record.at));
    use_record(record);
    return;
  }
  must("unlock", sw_record_unlock(&heap, record.at));
  TRY(sw_record_snapshot(&heap, record.at, SW_TYPE_RECORD, record.generation, &whole, 1, &now));
  hold(now.b == now.a && now.c[0] == (uint16_t)now.a && now.c[2] == now.c[0], "a snapshot with half of a change");
}

/* ---- the heap itself ---- */

static void use_heap(uint32_t *blocks, uint32_t turn) {
  uint32_t *block = &blocks[turn % BLOCKS];
  if (*block != 0) {
    const uint8_t *bytes = heap.base + *block;
    hold(bytes[0] == 0xa0 + number && bytes[1] == bytes[0], "another participant has written into this one's block");
    must("free", sw_heap_free(&heap, *block));
  }
  while ((*block = sw_heap_alloc(&heap, 2 + random_below(3000))) == 0)
    must("alloc", heap.status == SW_EBUSY ? 0 : heap.status);
  memset(heap.base + *block, (int)(0xa0 + number), 2);
}

static int is_told_to_end(void) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  return poll(&input, 1, 0) != 0;
}

static void run(void) {
  object string = find("string", SW_TYPE_STRING), vector = find("vector", SW_TYPE_VECTOR);
  object wide = find("wide", SW_TYPE_VECTOR), list = find("list", SW_TYPE_LIST);
  object record = find("record", SW_TYPE_RECORD), map = find("map", SW_TYPE_MAP);
  sw_map_handle handle;
  uint32_t blocks[BLOCKS] = {0};
  done d = {0};
  must("open the map", sw_map_open(&handle, &heap, map.at, map.generation));
  printf("begun\n");
  fflush(stdout);
  for (uint32_t turn = 0; turn % 256 != 255 || !is_told_to_end(); turn++) {
    d.set += use_string(string, turn);
    use_vector(vector, &d);
    use_wide(wide, turn);
    use_list(list);
    if (turn % 16 == 0 && d.changed < CHANGES) {
      use_record(record);
      d.changed++;
    }
    use_heap(blocks, turn);
    /* an error is a NaN */
    while (!(sw_map_add_number(&handle, turn % 10, 1) >= 1)) must("add", handle.status == SW_EBUSY ? 0 : handle.status);
    d.counted++;
  }
  sw_map_close(&handle);
  for (int i = 0; i < BLOCKS; i++)
    if (blocks[i] != 0) must("free", sw_heap_free(&heap, blocks[i]));
  printf("{\"pushed\":%u,\"popped\":%u,\"added\":%u,\"set\":%u,\"counted\":%u,\"changed\":%u}\n", d.pushed, d.popped,
         d.added, d.set, d.counted, d.changed);
}

int main(int count, char **arguments) {
  if (count < 3) return 2;
  number = state = (uint32_t)strtoul(arguments[2], NULL, 10);
  must("open", sw_shared_open(&shared, arguments[1]));
  must("map", sw_shared_map(&shared));
  must("verify", sw_region_verify(shared.base, (uint32_t)(shared.size / SW_PAGE)));
  uint32_t endpoint = (uint32_t)must("claim", sw_endpoint_claim(shared.base, (uint32_t)getpid(), 0, 0));
  sw_region_evict(shared.base, shared.size, endpoint);
  sw_endpoint_set_skills(shared.base, endpoint, SW_WAKES_FUTEX);
  uint32_t at = sw_region_heap(shared.base, shared.size);
  must("heap", sw_heap_open(&heap, shared.base, shared.size, at, endpoint));
  run();
  sw_heap_close(&heap);
  sw_region_evict(shared.base, shared.size, endpoint);
  sw_endpoint_release(shared.base, endpoint);
  sw_shared_close(&shared);
  return 0;
}
