/* Values as the words of slots: in the word itself, or in a block of the heap that it leads to.
 *
 * The order of a put is: allocate, fill, put; of a take: take, copy, give back. So a crash loses
 * one block at most, and no participant finds a value that is half there. A block that is in the
 * ring is no participant's, and the one that takes its word owns it alone.
 *
 * Large blocks come from the heap under its lock. So they go to a ring of spares behind a take, and
 * come from there before a put. */
#include "core/queue/queue.h"

enum {
  SPARE_LEAST = 1024, /* bytes of a block that is kept */
  SPARE_MOST = 65536 + 4096,
  INTEGER_MOST = 1 << 27,
  TAG = 15
};

static uint32_t block_of(uint32_t value) { return value & ~(uint32_t)TAG; }

/* ---- blocks ---- */

void swi_item_give(const sw_queue_handle *q, sw_heap *h, uint32_t block) {
  uint32_t bytes = sw_heap_usable(h, block);
  if (bytes >= SPARE_LEAST && bytes <= SPARE_MOST) {
    swi_ncq spares = swi_queue_spares(q, h);
    if (swi_ncq_put(&spares, block) == 1) return;
  }
  sw_heap_free(h, block);
}

/* A spare block of so many bytes, or 0. One that is too small goes back to the heap: values have
 * grown. */
static uint32_t take_spare(const sw_queue_handle *q, sw_heap *h, uint32_t bytes) {
  swi_ncq spares = swi_queue_spares(q, h);
  uint32_t value;
  if (swi_ncq_take(&spares, &value) != 1) return 0;
  uint32_t block = block_of(value), usable = sw_heap_usable(h, block);
  if (usable >= bytes) return block;
  if (usable != 0) sw_heap_free(h, block); /* else a hostile peer has written it */
  return 0;
}

static bool give_spares_back(const sw_queue_handle *q, sw_heap *h) {
  swi_ncq spares = swi_queue_spares(q, h);
  uint32_t value, count = 0;
  for (; count < SW_QUEUE_SPARES && swi_ncq_take(&spares, &value) == 1; count++) sw_heap_free(h, block_of(value));
  return count != 0;
}

/* Sizes of which there are few, so that a spare one fits. */
static uint32_t rounded(uint32_t bytes) {
  if (bytes < SPARE_LEAST || bytes > SPARE_MOST) return bytes;
  uint32_t step = ((uint32_t)1 << (31 - __builtin_clz(bytes))) / 4;
  return (bytes + step - 1) & ~(step - 1);
}

uint32_t sw_queue_reserve(sw_queue_handle *q, sw_heap *h, uint32_t length) {
  h->status = SW_EHEAPFULL;
  if (length > UINT32_MAX - sizeof(sw_queue_item)) return 0;
  uint32_t bytes = length + (uint32_t)sizeof(sw_queue_item);
  uint32_t block = bytes < SPARE_LEAST || bytes > SPARE_MOST ? 0 : take_spare(q, h, bytes);
  if (block == 0) block = sw_heap_alloc(h, rounded(bytes));
  if (block == 0 && h->status == SW_EHEAPFULL && give_spares_back(q, h)) block = sw_heap_alloc(h, bytes);
  return block;
}

/* ---- values ---- */

/* Whole words first: most values are a few of them. */
static void copy(uint8_t *to, const uint8_t *from, uint32_t length) {
  if (length == 8) __builtin_memcpy(to, from, 8);
  else __builtin_memcpy(to, from, length);
}

static void seal(const sw_heap *h, uint32_t block, uint32_t type, uint32_t length) {
  sw_queue_item *item = (sw_queue_item *)(void *)(h->base + block);
  sw_store_owned(&item->type, type);
  sw_store_owned(&item->length, length);
}

/* Does the number need no block? -0 does. */
static bool is_small(double number, uint32_t *value) {
  if (!(number >= -INTEGER_MOST && number < INTEGER_MOST)) return false;
  int32_t integer = (int32_t)number;
  if ((double)integer != number || (integer == 0 && 1 / number < 0)) return false;
  *value = (uint32_t)integer << 4 | SW_QUEUE_INTEGER;
  return true;
}

uint32_t sw_queue_pack(sw_queue_handle *q, sw_heap *h, uint32_t type, const void *bytes, uint32_t length) {
  uint32_t value = 0;
  if (type >= SW_MAP_NULL && type <= SW_MAP_TRUE) return type;
  if (type == SW_MAP_NUMBER && length == 8) {
    double number;
    __builtin_memcpy(&number, bytes, 8);
    if (is_small(number, &value)) return value;
  }
  uint32_t block = sw_queue_reserve(q, h, length);
  if (block == 0) return 0;
  seal(h, block, type, length);
  copy(h->base + block + sizeof(sw_queue_item), bytes, length);
  return block;
}

/* A value without a block: its type, or 0. */
static int unpack_small(sw_queue_handle *q, uint32_t value, void *to, uint32_t room) {
  uint32_t tag = value & TAG;
  q->length = 0;
  if (tag >= SW_MAP_NULL && tag <= SW_MAP_TRUE) return (int)tag;
  if (tag != SW_QUEUE_INTEGER) return 0;
  double number = (int32_t)value >> 4;
  q->length = 8;
  if (room < 8) return SW_ERANGE;
  __builtin_memcpy(to, &number, 8);
  return SW_MAP_NUMBER;
}

int swi_item_look(sw_queue_handle *q, sw_heap *h, uint32_t block) {
  uint32_t usable = sw_heap_usable(h, block);
  if (usable < sizeof(sw_queue_item)) return SW_ECORRUPT;
  const sw_queue_item *item = (const sw_queue_item *)(const void *)(h->base + block);
  uint32_t type = sw_peer_data_load(&item->type), length = sw_peer_data_load(&item->length);
  if (type == 0 || type > SW_MAP_VIEW || length > usable - sizeof(sw_queue_item)) return SW_ECORRUPT;
  q->length = length;
  return (int)type;
}

int sw_queue_unpack(sw_queue_handle *q, sw_heap *h, uint32_t value, void *to, uint32_t room) {
  if (q->held != 0) sw_queue_done(q, h);
  int type = unpack_small(q, value, to, room);
  if (type != 0) return type;
  if ((value & TAG) != 0 || value == 0) return SW_ECORRUPT;
  type = swi_item_look(q, h, value);
  if (type < 0) return type;
  if (q->length > room) {
    q->held = value;
    return type;
  }
  copy(to, h->base + value + sizeof(sw_queue_item), q->length);
  swi_item_give(q, h, value);
  return type;
}

void sw_queue_done(sw_queue_handle *q, sw_heap *h) {
  uint32_t block = q->held;
  q->held = 0;
  /* with SW_QUEUE_ACK it is the queue's */
  if (block != 0 && (q->flags & SW_QUEUE_ACK) == 0) swi_item_give(q, h, block);
}

void swi_item_drop(const sw_queue_handle *q, sw_heap *h, uint32_t value) {
  if ((value & TAG) == 0 && value != 0) swi_item_give(q, h, value);
}

int swi_item_peek(sw_queue_handle *q, sw_heap *h, uint32_t value, void *to, uint32_t room) {
  int type = unpack_small(q, value, to, room);
  if (type != 0) return type;
  if ((value & TAG) != 0 || value == 0) return SW_ECORRUPT;
  type = swi_item_look(q, h, value);
  if (type < 0) return type;
  if (q->length > room) return SW_ERANGE;
  /* it may be taken and filled anew meanwhile: the caller looks whether it was */
  const uint8_t *from = h->base + value + sizeof(sw_queue_item);
  for (uint32_t i = 0; i < q->length; i++) ((uint8_t *)to)[i] = ((const volatile uint8_t *)from)[i];
  return type;
}

int sw_queue_put_block(sw_queue_handle *q, sw_heap *h, uint32_t block, uint32_t type, uint32_t length,
                       double priority) {
  int room = sw_queue_has_room(q, h, priority);
  if (room != 1) return room;
  uint32_t usable = sw_heap_usable(h, block);
  if (usable < sizeof(sw_queue_item) || length > usable - sizeof(sw_queue_item)) return SW_EINVAL;
  seal(h, block, type, length);
  return swi_queue_put_word(q, h, block, priority);
}

int sw_queue_put(sw_queue_handle *q, sw_heap *h, uint32_t type, const void *bytes, uint32_t length, double priority) {
  int room = sw_queue_has_room(q, h, priority);
  if (room != 1) return room;
  uint32_t value = sw_queue_pack(q, h, type, bytes, length);
  if (value == 0) return h->status;
  int put = swi_queue_put_word(q, h, value, priority);
  if (put != 1) swi_item_drop(q, h, value);
  return put;
}
