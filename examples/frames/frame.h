/* A frame as it lies in a message: a header of 64 bytes, then the pixels, RGBA, row by row. The
 * header's size keeps the pixels 8-aligned and on a cache line of their own. frames.c and the
 * threadsafe-function baseline of the benchmark both render with this file, so that a comparison
 * moves the same frames. layout.mjs is its counterpart in JavaScript. */
#ifndef FRAMES_FRAME_H
#define FRAMES_FRAME_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "sabway/crc32c.h"

#define FRAME_MAGIC 0x31465753u /* "SWF1" */

enum {
  FRAME_HEADER = 64,
  FRAME_PIXEL = 4,
  FRAME_SIDE_MAX = 16384,
  /* pixels after which the gradient repeats, and frames after which the picture does */
  FRAME_PERIOD = 256
};

typedef struct frame_header {
  uint32_t magic;
  uint32_t width;
  uint32_t height;
  uint32_t crc;    /* CRC-32C of the pixels */
  uint64_t number; /* 0, 1, 2 ... without a gap */
  uint64_t time;   /* monotonic nanoseconds at which the frame was complete */
  uint8_t unused[32];
} frame_header;

static_assert(sizeof(frame_header) == FRAME_HEADER, "layout.mjs counts on it");

static inline uint64_t frame_bytes(uint32_t width, uint32_t height) {
  return FRAME_HEADER + (uint64_t)width * height * FRAME_PIXEL;
}

/* Every row of every frame is a piece of this strip of width + FRAME_PERIOD pixels. */
static inline void frame_fill_strip(uint8_t *strip, uint32_t width) {
  for (uint32_t x = 0; x < width + FRAME_PERIOD; x++) {
    uint8_t pixel[FRAME_PIXEL] = {(uint8_t)x, (uint8_t)(2 * x), (uint8_t)(255 - x), 255};
    memcpy(strip + (size_t)x * FRAME_PIXEL, pixel, FRAME_PIXEL);
  }
}

/* Render frame `number` into frame_bytes(width, height) bytes: a gradient that runs one pixel
 * further in each row and in each frame. One memcpy per row, so that the pipe is what is measured,
 * not the picture; the check sum is taken while the row is still in the nearest cache. The caller
 * sets `time` last, when it sends. */
static inline frame_header *frame_render(void *message, uint64_t number, uint32_t width, uint32_t height,
                                         const uint8_t *strip) {
  frame_header *header = message;
  uint8_t *row = (uint8_t *)message + FRAME_HEADER;
  size_t row_bytes = (size_t)width * FRAME_PIXEL;
  uint32_t crc = 0;
  for (uint32_t y = 0; y < height; y++, row += row_bytes) {
    memcpy(row, strip + (size_t)((number + y) % FRAME_PERIOD) * FRAME_PIXEL, row_bytes);
    crc = sw_crc32c(crc, row, row_bytes);
  }
  *header = (frame_header){.magic = FRAME_MAGIC, .width = width, .height = height, .crc = crc, .number = number};
  return header;
}

#endif
