/* The robust mutex among liars: its words, and those of the endpoints, are whatever the script
 * makes of them. Each call ends, says one of the things that it may say, and rings endpoints
 * only. */
#include "hostile.h"
#include "sabway/mutex.h"

enum {
  OWN = 3,
  /* the word, again after each exchange, and each time whether its holder lives */
  STATE_LOADS = 256 * 20,
  /* each bit: twice whether the endpoint lives, then the bit and the ring */
  WAKE_LOADS = SW_ENDPOINTS * 32,
  LOADS = STATE_LOADS + WAKE_LOADS
};

typedef struct host {
  memory m;
  sw_mutex *mutex;
  uint32_t index[OWN];
} host;

static void expect(int status, const int *expected, int count) {
  int found = 0;
  for (int i = 0; i < count; i++) found |= status == expected[i];
  MUST(found);
}
#define EXPECT(status, ...)                                         \
  do {                                                              \
    const int expected[] = {__VA_ARGS__};                           \
    expect(status, expected, sizeof(expected) / sizeof(*expected)); \
  } while (0)

static void step(host *t) {
  void *base = t->m.base;
  uint32_t index = t->index[script_byte() % OWN], word;
  int status;
  switch (script_byte() % 12) {
    case 0:
      CALL(LOADS, status = sw_mutex_try_lock(base, t->mutex, index));
      EXPECT(status, SW_OK, SW_EBUSY, SW_EOWNERDEAD, SW_EPOISONED, SW_ESTATE);
      break;
    case 1:
      CALL(LOADS, status = sw_mutex_unlock(base, t->mutex, index));
      EXPECT(status, SW_OK, SW_EPOISONED, SW_ESTATE, SW_ECORRUPT);
      break;
    case 2:
      CALL(LOADS, status = sw_mutex_consistent(base, t->mutex, index));
      EXPECT(status, SW_OK, SW_ESTATE);
      break;
    case 3:
      CALL(4, sw_mutex_begin_wait(base, t->mutex, index));
      break;
    case 4:
      CALL(LOADS, sw_mutex_end_wait(base, t->mutex, index));
      break;
    case 5:
      CALL(LOADS, sw_mutex_request_handoff(base, t->mutex, index));
      break;
    case 6:
      word = script_edge(0x101);
      CALL(LOADS, sw_mutex_evict(base, t->mutex, word));
      break;
    case 7:
      CALL(2, word = sw_mutex_holder(t->mutex));
      MUST(word == 0 || sw_role_index(word) < SW_ENDPOINTS);
      break;
    case 8:
      CALL(2, status = sw_mutex_check(t->mutex));
      EXPECT(status, SW_OK, SW_ECORRUPT);
      break;
    case 9:
      CALL(2, sw_endpoint_arm(base, index, SW_SLEEP_FUTEX + script_byte() % 3));
      break;
    case 10:
      word = script_byte() % (sizeof(sw_mutex) / sizeof(uint32_t));
      ((uint32_t *)(void *)t->mutex)[word] = script_edge(script_byte() & 1 ? SW_MUTEX_INHERITED : 0x101);
      break;
    default:
      script_poke(&t->m, 0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  script_begin(data, size);
  host t = {.m = region_for_script()};
  t.mutex = (sw_mutex *)(void *)(t.m.base + SW_INSTANCES_AT);
  *t.mutex = (sw_mutex){0};
  for (uint32_t i = 0; i < OWN; i++) {
    t.index[i] = (uint32_t)sw_endpoint_claim(t.m.base, 7 + i / 2, 1, 0);
    MUST(t.index[i] == i);
  }
  while (!script_ended()) step(&t);
  return 0;
}
