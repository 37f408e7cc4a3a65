/* Attaching while the creator is still writing: refused, or everything is there. */
#include "scenes.h"

static uint8_t *base(void) { return model_region(); }

static void create(void) { model_check(sw_region_format(base(), MODEL_REGION_PAGES, CAPACITY, CAPACITY) == SW_OK); }

static void attach(void) {
  int status = sw_region_verify(base(), MODEL_REGION_PAGES);
  if (status == SW_ENOTREGION) {
    model_mark(REFUSED);
    return;
  }
  model_check(status == SW_OK);
  model_check(sw_endpoint_claim(base(), 1, 10, 1) == 0);
  model_check(sw_channel_open_producer(&world.producer[0], base(), REGION_BYTES, CHANNEL, 0, SW_RENDERER, 0) == SW_OK);
  model_check(world_send(&world.producer[0], 1, 8) == SW_OK);
  model_mark(FIRST);
}

/* With the magic there and the size not, a region that is not ready could not be told from one that
 * is. */
static void attach_knowing(void) {
  const sw_region_header *header = (const void *)base();
  if (sw_load_acquire(&header->magic) != SW_MAGIC) return;
  model_check(sw_region_verify(base(), MODEL_REGION_PAGES) == SW_OK);
  model_check(sw_load_relaxed(&header->root) == CHANNEL);
  model_mark(FIRST);
}

/* A channel has a magic of its own: objects will be made in regions that others use already. */
static void attach_to_channel(void) {
  uint32_t owner = 1;
  sw_store_relaxed(&((sw_endpoint *)(void *)(base() + SW_HEADER_BYTES))->pid, owner);
  int status = sw_channel_open_consumer(&world.consumer[1], base(), REGION_BYTES, CHANNEL, 0, SW_NATIVE, 0);
  model_check(status == SW_OK || status == SW_ENOTREGION);
  model_mark(status == SW_OK ? FIRST : REFUSED);
}
static void create_channel(void) { model_check(sw_channel_format(base(), CHANNEL, CAPACITY, CAPACITY) == SW_OK); }

const model_scenario scenes_attach[] = {{.name = "attach: while the region is formatted",
                                         .setup = world_empty,
                                         .threads = {create, attach},
                                         .finish = world_valid,
                                         .marks = FIRST | REFUSED},
                                        {.name = "attach: header",
                                         .setup = world_empty,
                                         .threads = {create, attach_knowing},
                                         .finish = world_valid,
                                         .marks = FIRST},
                                        {.name = "attach: while the channel is formatted",
                                         .setup = world_empty,
                                         .threads = {create_channel, attach_to_channel},
                                         .finish = world_valid,
                                         .marks = FIRST | REFUSED},
                                        {.name = NULL}};
