/* The handles of the native core that JavaScript calls. JavaScript names each by an offset in the
 * region, as it does those of the core as WebAssembly. The handle itself is private: a peer may
 * write anywhere in the region, and an address or a length that was read from there would lead the
 * core to any place in the process. What lies at the offset is a copy for JavaScript to read, laid
 * out as wasm32 has it. */
#ifndef SABWAY_NAPI_CORE_HANDLES_H
#define SABWAY_NAPI_CORE_HANDLES_H

#include <stdbool.h>

#include "sabway/ring.h"

/* sw_producer and sw_consumer, as wasm32 lays them out. */
typedef struct swi_wasm_producer {
  uint32_t base, ring, data, capacity, head, published, tail_seen, reserved, lead, padding;
  int32_t open, status;
  uint32_t role, next, room, unused;
  uint64_t messages, bytes;
} swi_wasm_producer;

typedef struct swi_wasm_consumer {
  uint32_t base, ring, data, capacity, tail, cursor, head_seen, handed_out, patience, misses;
  int32_t status;
  uint32_t role;
  uint64_t messages, bytes, bytes_handed_out;
} swi_wasm_consumer;

typedef enum swi_handle_kind { SWI_PRODUCER, SWI_CONSUMER, SWI_HANDLE_KINDS } swi_handle_kind;

typedef struct swi_handle {
  struct swi_handle *next;
  uint32_t at;
  swi_handle_kind kind;
  union {
    sw_producer producer;
    sw_consumer consumer;
  } as;
} swi_handle;

/* All handles of one participant: zero, but for base and size, at first. */
enum { SWI_HANDLE_BUCKETS = 256 };
typedef struct swi_handles {
  uint8_t *base;
  uint64_t size;
  swi_handle *last[SWI_HANDLE_KINDS]; /* the ones that were found last */
  swi_handle *buckets[SWI_HANDLE_BUCKETS];
} swi_handles;

/* The handle that was made for this offset; NULL when there is none, or the core has not attached
 * it to a ring. */
swi_handle *swi_handle_find(swi_handles *handles, swi_handle_kind kind, uint32_t at);

/* The same, which need not be attached: made when there is none. NULL where its copy cannot lie in
 * the region, or memory has run out. It stays until swi_handles_free. */
swi_handle *swi_handle_make(swi_handles *handles, swi_handle_kind kind, uint32_t at);

/* Write JavaScript's copy of an attached handle. */
void swi_handle_show(const swi_handles *handles, const swi_handle *handle);

void swi_handles_free(swi_handles *handles);

#ifdef SWI_HANDLES_IN_REGION
/* For tests that change from one core to the other between two calls: fill the handle with what is
 * at its offset. */
void swi_handle_load(const swi_handles *handles, swi_handle *handle);
#endif

#endif
