#include "scenes.h"

#include <string.h>

#include "sabway/ready.h"

const model_scenario *const scenes_all[] = {
    scenes_ring, scenes_park, scenes_relay, scenes_close, scenes_roles, scenes_claim, scenes_attach, scenes_mutex,
    scenes_heap, scenes_burial, scenes_registry, scenes_channel, scenes_ready, scenes_waits,
    /* SCENES_FOUNDATION of them so far */
    scenes_object, scenes_string, scenes_vector, scenes_list, scenes_map, scenes_record, scenes_sync, scenes_pool,
    scenes_queue, scenes_ack, scenes_single, scenes_priority, scenes_offer, scenes_broadcast, scenes_broadcast_end,
    scenes_p2p, NULL};

struct world world;

static uint8_t *base(void) { return model_region(); }

void world_mark(void) {
  for (uint32_t i = 0; i < MODEL_THREADS; i++) {
    sw_ready_mark(base(), i, SW_READY_ALL);
    sw_ready_mark(base(), i, SW_READY_MUTEXES);
  }
}

sw_ring *world_ring(int producer_side) { return &((sw_channel *)(void *)(base() + CHANNEL))->rings[producer_side]; }

void world_empty(void) {
  memset(base(), 0, REGION_BYTES);
  memset(&world, 0, sizeof(world));
  model_snapshot(&world, sizeof(world));
  for (int thread = 0; thread < MODEL_THREADS; thread++) model_cannot_wake(thread, SW_AWAKE);
  for (uint32_t pid = 1; pid <= MODEL_PIDS; pid++) model_process(pid, 10 * pid, pid, true);
}

void world_format(void) {
  world_empty();
  model_check(sw_region_format(base(), MODEL_REGION_PAGES, CAPACITY, CAPACITY) == SW_OK);
}

void world_open(uint32_t at) {
  world_format();
  world_ring(SW_RENDERER)->head = world_ring(SW_RENDERER)->tail = at;
  for (uint32_t i = 0; i < 2; i++) model_check(sw_endpoint_claim(base(), i + 1, 10 * (i + 1), i + 1) == (int)i);
  for (uint32_t i = 0; i < 2; i++) {
    model_check(sw_channel_open_producer(&world.producer[i], base(), REGION_BYTES, CHANNEL, 0, i, i) == SW_OK);
    model_check(sw_channel_open_consumer(&world.consumer[i], base(), REGION_BYTES, CHANNEL, 0, i, i) == SW_OK);
  }
}

int world_send(sw_producer *p, uint32_t n, uint32_t length) {
  uint8_t *room = sw_producer_reserve(p, length, 0);
  if (room == NULL) {
    if (p->status == SW_EFULL) model_mark(FULL);
    return p->status;
  }
  if (room == p->data + SW_FRAME_HEADER && n > 1) model_mark(WRAPPED);
  model_data_write(room, n);
  if (length > 4) model_data_write(room + length - 4, ~n);
  return sw_producer_push(p, length);
}

int world_append(sw_producer *p, uint32_t n, uint32_t length) {
  if (length > p->room) return world_send(p, n, length);
  uint8_t *room = base() + p->next;
  model_data_write(room, n);
  if (length > 4) model_data_write(room + length - 4, ~n);
  if (sw_producer_append(p, length, 1) != SW_OK) return SW_ECLOSED;
  model_mark(APPENDED);
  return SW_OK;
}

int world_receive(sw_consumer *c, uint32_t n, uint32_t length) {
  sw_slice slice;
  int got = sw_consumer_peek(c, &slice);
  if (got != 1) return got;
  model_check(slice.length == length);
  model_check(model_data_read(base() + slice.offset) == n);
  if (length > 4) model_check(model_data_read(base() + slice.offset + length - 4) == ~n);
  sw_consumer_release(c);
  return 1;
}

void world_park_for_message(sw_consumer *c, uint32_t endpoint) {
  uint32_t ticket = sw_endpoint_arm(base(), endpoint, SW_SLEEP_FUTEX);
  if (!sw_consumer_ready(c)) {
    model_mark(SLEPT);
    model_wait(sw_endpoint_doorbell(base(), endpoint), ticket);
  }
  sw_endpoint_disarm(base(), endpoint);
}

void world_park_for_space(sw_producer *p, uint32_t endpoint, uint32_t length) {
  uint32_t ticket = sw_endpoint_arm(base(), endpoint, SW_SLEEP_FUTEX);
  if (!sw_producer_want_space(p, length)) {
    model_mark(SLEPT);
    model_wait(sw_endpoint_doorbell(base(), endpoint), ticket);
  }
  sw_endpoint_disarm(base(), endpoint);
}

void world_send_all(sw_producer *p, uint32_t endpoint, uint32_t count, uint32_t length) {
  for (uint32_t n = 1; n <= count;) {
    int status = world_send(p, n, length);
    if (status == SW_OK) {
      n++;
    } else if (status == SW_EFULL) {
      world_park_for_space(p, endpoint, length);
    } else {
      model_check(status == SW_ECLOSED);
      model_mark(ENDED);
      return;
    }
  }
}

void world_receive_all(sw_consumer *c, uint32_t endpoint, uint32_t count, uint32_t length) {
  while (world.received < count) {
    int got = world_receive(c, world.received + 1, length);
    if (got == 1) {
      world.received++;
    } else if (got == 0) {
      world_park_for_message(c, endpoint);
    } else {
      model_check(got == SW_ECLOSED);
      model_mark(ENDED);
      return;
    }
  }
}

void world_valid(void) { model_check(sw_channel_check(base(), REGION_BYTES, CHANNEL) == SW_OK); }
