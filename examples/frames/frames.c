/* A camera that needs no camera: renders numbered, check-summed frames (frame.h) on Sabway's worker
 * thread, straight into the ring towards JavaScript, and is steered by control messages the other
 * way.
 *
 * Every control message is answered by one acknowledgement through the same ring as the frames, in
 * order with them: what comes behind it is rendered as it says. No frame number is ever left out:
 * while the ring is full, nothing is rendered.
 *
 * Options: { width, height, rate }. */
#include <stdlib.h>

#include "frame.h"
#include "sabway/error.h"
#include "sabway/options.h"
#include "sabway/plugin.h"

#define CONTROL_MAGIC 0x31435753u /* "SWC1" */
#define ACK_MAGIC     0x31415753u /* "SWA1" */

enum { START = 1, RATE = 2, SIZE = 3, STOP = 4 };

/* The status of an acknowledgement. */
enum {
  DONE = 0,
  BAD_COMMAND = -1,     /* unknown, or not as long as a control message */
  BAD_VALUE = -2,       /* a rate or a size that is out of range */
  FRAME_TOO_LARGE = -3, /* a frame of that size would not fit into the ring */
  OUT_OF_MEMORY = -4,
  WRONG_STATE = -5 /* start while running, or stop before start */
};

typedef struct control {
  uint32_t magic;
  uint32_t seq;
  uint32_t command;
  uint32_t width;
  uint32_t height;
  uint32_t unused;
  double rate; /* frames per second; 0: as fast as they are taken */
} control;

typedef struct ack {
  uint32_t magic;
  uint32_t seq;
  uint32_t command;
  int32_t status;
  uint64_t next; /* the number of the frame that comes next: all before it were sent */
} ack;

static_assert(sizeof(control) == 32 && sizeof(ack) == 24, "layout.mjs counts on it");

typedef struct camera {
  sabway_host *host;
  uint32_t largest; /* bytes of a message */
  uint8_t *strip;
  uint32_t width;
  uint32_t height;
  double interval; /* ns; 0: as fast as they are taken */
  uint64_t due;    /* when the next frame is */
  uint64_t number;
  int running;
} camera;

/* ---- frames ---- */

/* The largest message that the ring takes: the host says only which are too large, and capacities
 * are powers of two. */
static uint32_t ring_capacity(sabway_host *host) {
  uint32_t bytes = 4096;
  for (;; bytes *= 2) {
    void *room;
    int status = host->reserve(host, bytes * 2, &room);
    if (status == SW_OK) host->abandon(host);
    if (status != SW_OK && status != SW_EFULL) return bytes;
  }
}

static int set_size(camera *c, uint32_t width, uint32_t height) {
  if (width == 0 || width > FRAME_SIDE_MAX || height == 0 || height > FRAME_SIDE_MAX) return BAD_VALUE;
  if (frame_bytes(width, height) > c->largest) return FRAME_TOO_LARGE;
  uint8_t *strip = malloc(((size_t)width + FRAME_PERIOD) * FRAME_PIXEL);
  if (strip == NULL) return OUT_OF_MEMORY;
  frame_fill_strip(strip, width);
  free(c->strip);
  c->strip = strip;
  c->width = width;
  c->height = height;
  return DONE;
}

static int set_rate(camera *c, double rate) {
  if (!(rate >= 0 && rate <= 1e6)) return BAD_VALUE; /* also what is not a number */
  if (rate != 0 && rate < 1e-3) return BAD_VALUE;
  c->interval = rate == 0 ? 0 : 1e9 / rate;
  c->due = c->host->now(c->host);
  return DONE;
}

/* One frame, rendered in place. The time is set last: what is measured from it is the way, not the
 * work. */
static int send_frame(camera *c) {
  void *room;
  uint32_t bytes = (uint32_t)frame_bytes(c->width, c->height);
  int status = c->host->reserve(c->host, bytes, &room);
  if (status != SW_OK) return status;
  frame_header *header = frame_render(room, c->number, c->width, c->height, c->strip);
  header->time = c->host->now(c->host);
  c->number++;
  return c->host->commit(c->host, bytes);
}

/* One frame for each call, so that control messages are looked at between any two. */
static uint64_t on_tick(void *state, uint64_t now) {
  camera *c = state;
  if (!c->running) return SABWAY_NEVER;
  if (c->due > now) return c->due;
  int status = send_frame(c);
  if (status == SW_EFULL) return SABWAY_NEVER; /* the host calls again when there is room */
  if (status != SW_OK) {
    c->host->log(c->host, SABWAY_LOG_ERROR, "the ring takes no more");
    c->host->stop(c->host);
    return SABWAY_NEVER;
  }
  c->due += (uint64_t)c->interval;
  /* late (the ring was full): go on from here, with no burst to catch up */
  if (c->due < now) c->due = now;
  return c->due;
}

/* ---- control messages ---- */

static int obey(camera *c, const control *order) {
  switch (order->command) {
    case START:
      if (c->running) return WRONG_STATE;
      c->due = c->host->now(c->host);
      c->running = 1;
      return DONE;
    case RATE:
      return set_rate(c, order->rate);
    case SIZE:
      return set_size(c, order->width, order->height);
    case STOP:
      if (!c->running) return WRONG_STATE;
      c->running = 0;
      c->host->stop(c->host);
      return DONE;
    default:
      return BAD_COMMAND;
  }
}

/* Room for the answer first: an order that cannot be acknowledged now is delivered again, not
 * carried out twice. */
static int on_message(void *state, const void *bytes, uint32_t length) {
  camera *c = state;
  control order = {0};
  ack *answer;
  int status = c->host->reserve(c->host, sizeof(*answer), (void **)&answer);
  if (status != SW_OK) return status == SW_EFULL ? SABWAY_RETRY : status;
  memcpy(&order, bytes, length < sizeof(order) ? length : sizeof(order));
  *answer = (ack){.magic = ACK_MAGIC, .seq = order.seq, .command = order.command, .status = BAD_COMMAND};
  if (length == sizeof(order) && order.magic == CONTROL_MAGIC) answer->status = obey(c, &order);
  answer->next = c->number;
  return c->host->commit(c->host, sizeof(*answer));
}

/* ---- life ---- */

static void close_camera(void *state) {
  camera *c = state;
  free(c->strip);
  free(c);
}

static int open_camera(sabway_host *host, const char *options, void **state) {
  double width = sabway_option(options, "width", 1920);
  double height = sabway_option(options, "height", 1080);
  camera *c = calloc(1, sizeof(*c));
  if (c == NULL) return OUT_OF_MEMORY;
  c->host = host;
  c->largest = ring_capacity(host);
  int status = BAD_VALUE;
  if (width >= 1 && width <= FRAME_SIDE_MAX && height >= 1 && height <= FRAME_SIDE_MAX) {
    status = set_size(c, (uint32_t)width, (uint32_t)height);
  }
  if (status == DONE) status = set_rate(c, sabway_option(options, "rate", 0));
  if (status != DONE) {
    host->log(host, SABWAY_LOG_ERROR,
              status == FRAME_TOO_LARGE ? "the ring is too small for a frame"
                                        : "width and height are 1 to 16384, rate 0 or 0.001 to 1000000");
    close_camera(c);
    return status;
  }
  *state = c;
  return SABWAY_OK;
}

SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin = {.abi = SABWAY_PLUGIN_ABI,
                                                      .name = "frames",
                                                      .open = open_camera,
                                                      .on_message = on_message,
                                                      .on_tick = on_tick,
                                                      .close = close_camera};
