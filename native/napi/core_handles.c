#include "napi/core_handles.h"

#include <stdlib.h>

static swi_handle **bucket_of(swi_handles *handles, uint32_t at) {
  return &handles->buckets[(at / 16 ^ at / SW_INSTANCE_BYTES) % SWI_HANDLE_BUCKETS];
}

/* The handle of that offset, attached or not. */
static swi_handle *listed(swi_handles *handles, swi_handle_kind kind, uint32_t at) {
  swi_handle *last = handles->last[kind];
  if (last != NULL && last->at == at) return last;
  for (swi_handle *handle = *bucket_of(handles, at); handle != NULL; handle = handle->next) {
    if (handle->at == at && handle->kind == kind) return handles->last[kind] = handle;
  }
  return NULL;
}

static bool is_attached(const swi_handle *handle) {
  return handle->kind == SWI_PRODUCER ? handle->as.producer.ring != NULL : handle->as.consumer.ring != NULL;
}

static bool can_be_shown(const swi_handles *handles, swi_handle_kind kind, uint32_t at) {
  uint64_t bytes = kind == SWI_PRODUCER ? sizeof(swi_wasm_producer) : sizeof(swi_wasm_consumer);
  return at % sizeof(uint64_t) == 0 && at + bytes <= handles->size;
}

/* A handle that is not attached, listed for that offset. */
static swi_handle *list(swi_handles *handles, swi_handle_kind kind, uint32_t at) {
  if (!can_be_shown(handles, kind, at)) return NULL;
  swi_handle *handle = calloc(1, sizeof(*handle));
  if (handle == NULL) return NULL;
  swi_handle **bucket = bucket_of(handles, at);
  handle->kind = kind;
  handle->at = at;
  handle->next = *bucket;
  *bucket = handle;
  return handles->last[kind] = handle;
}

swi_handle *swi_handle_make(swi_handles *handles, swi_handle_kind kind, uint32_t at) {
  swi_handle *handle = listed(handles, kind, at);
  if (handle == NULL) handle = list(handles, kind, at);
#ifdef SWI_HANDLES_IN_REGION
  if (handle != NULL) swi_handle_load(handles, handle);
#endif
  return handle;
}

swi_handle *swi_handle_find(swi_handles *handles, swi_handle_kind kind, uint32_t at) {
  swi_handle *handle = listed(handles, kind, at);
#ifdef SWI_HANDLES_IN_REGION
  handle = swi_handle_make(handles, kind, at);
#endif
  return handle != NULL && is_attached(handle) ? handle : NULL;
}

static uint32_t offset_of(const swi_handles *handles, const void *address) {
  return (uint32_t)((const uint8_t *)address - handles->base);
}

static void show_producer(const swi_handles *handles, swi_wasm_producer *shown, const sw_producer *p) {
  shown->base = offset_of(handles, p->base);
  shown->ring = offset_of(handles, p->ring);
  shown->data = offset_of(handles, p->data);
  shown->capacity = p->capacity;
  shown->head = p->head;
  shown->published = p->published;
  shown->tail_seen = p->tail_seen;
  shown->reserved = p->reserved;
  shown->lead = p->lead;
  shown->padding = p->padding;
  shown->open = p->open;
  shown->status = p->status;
  shown->role = p->role;
  shown->next = p->next;
  shown->room = p->room;
  shown->messages = p->messages;
  shown->bytes = p->bytes;
}

static void show_consumer(const swi_handles *handles, swi_wasm_consumer *shown, const sw_consumer *c) {
  shown->base = offset_of(handles, c->base);
  shown->ring = offset_of(handles, c->ring);
  shown->data = offset_of(handles, c->data);
  shown->capacity = c->capacity;
  shown->tail = c->tail;
  shown->cursor = c->cursor;
  shown->head_seen = c->head_seen;
  shown->handed_out = c->handed_out;
  shown->patience = c->patience;
  shown->misses = c->misses;
  shown->status = c->status;
  shown->role = c->role;
  shown->messages = c->messages;
  shown->bytes = c->bytes;
  shown->bytes_handed_out = c->bytes_handed_out;
}

void swi_handle_show(const swi_handles *handles, const swi_handle *handle) {
  if (!is_attached(handle)) return;
  void *shown = handles->base + handle->at;
  if (handle->kind == SWI_PRODUCER) show_producer(handles, shown, &handle->as.producer);
  else show_consumer(handles, shown, &handle->as.consumer);
}

void swi_handles_free(swi_handles *handles) {
  for (int i = 0; i < SWI_HANDLE_BUCKETS; i++) {
    for (swi_handle *handle = handles->buckets[i], *next; handle != NULL; handle = next) {
      next = handle->next;
      free(handle);
    }
    handles->buckets[i] = NULL;
  }
}
