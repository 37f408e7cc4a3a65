/* A string in a heap: a text that any participant reads and replaces as a whole.
 *
 *   uint32_t at = sw_string_new(&heap);
 *   uint32_t generation;
 *   sw_object_type(&heap, at, &generation);
 *   sw_string_set(&heap, at, generation, "ready", 5);
 *   ...
 *   char text[64];
 *   sw_string_content content;
 *   int status = sw_string_get(&heap, at, generation, text, sizeof(text), &content);
 *   if (status == SW_OK) printf("%.*s\n", (int)content.length, text);
 *
 * Texts are bytes to these functions; JavaScript reads and writes UTF-8, with half a surrogate pair
 * as three bytes of its own. Each replacement has a version, by which the next reader knows whether
 * the text is still what it has read. A replacement is one exchange: a participant that dies leaves
 * the text as it was or as it is to be, and one block of the heap that is lost.
 *
 * Readers and writers take no lock. But a reader whose text is replaced again and again before it
 * has copied it locks the writers out for that time: calls that replace are SW_EBUSY then, and are
 * to be made again. */
#ifndef SABWAY_STRING_H
#define SABWAY_STRING_H

#include "heap.h"
#include "object.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What sw_string_get found. */
typedef struct sw_string_content {
  uint32_t length;  /* in bytes */
  uint32_t version; /* changes with each replacement; comes again after 2^32 of them */
} sw_string_content;

/* Make a string, which is empty. Returns its offset, or 0 with h->status, as sw_object_new. */
uint32_t sw_string_new(sw_heap *h);

/* Copy the text to `bytes`, of which there are `room`. Begins again when the text is replaced
 * meanwhile. A crash inside changes nothing, but for a lock that the next writer takes over.
 * Errors: SW_ETOOBIG: content->length bytes are needed; SW_EBUSY: another reader has locked the
 * writers out; SW_ECORRUPT; as sw_object_check. */
int sw_string_get(const sw_heap *h, uint32_t at, uint32_t generation, void *bytes, uint32_t room,
                  sw_string_content *content);

/* Replace the text. A crash inside leaks the block of the new text, or of the old one.
 * Errors: as sw_heap_alloc, with length + 4 bytes, and as sw_object_check. */
int sw_string_set(sw_heap *h, uint32_t at, uint32_t generation, const void *bytes, uint32_t length);

/* Replace the text if its version is still this one: 1, or 0 when it is another. Otherwise as
 * sw_string_set. */
int sw_string_compare_set(sw_heap *h, uint32_t at, uint32_t generation, uint32_t version, const void *bytes,
                          uint32_t length);

/* Lock the writers out, to read the text in place, and let them in again. Meanwhile each of them
 * that is in a call replaces it once more at most. Errors: SW_EBUSY: another has locked them out;
 * as sw_object_check. */
int sw_string_begin_read(const sw_heap *h, uint32_t at, uint32_t generation);
void sw_string_end_read(const sw_heap *h, uint32_t at);

/* A block for a text of that length, for the caller to fill `bytes` and give to sw_string_replace.
 * Returns its offset, or 0 with h->status, as sw_heap_alloc. */
uint32_t sw_string_alloc(sw_heap *h, uint32_t length);

/* As sw_string_set, by a block of sw_string_alloc (zero: the text is empty), which belongs to the
 * string from then on. On an error it is still the caller's. */
int sw_string_replace(sw_heap *h, uint32_t at, uint32_t generation, uint32_t block);

/* As sw_string_compare_set, likewise; when it returns 0 the block is still the caller's. */
int sw_string_compare_replace(sw_heap *h, uint32_t at, uint32_t generation, uint32_t version, uint32_t block);

/* Free the string and its text. Calls of others are SW_EFREED from then on. A crash inside leaks
 * the control block, and perhaps the text. Errors: as sw_object_check. */
int sw_string_free(sw_heap *h, uint32_t at, uint32_t generation);

/* Is its text a block of the heap that is long enough? In a moment when no participant replaces it.
 * Errors: SW_ECORRUPT; as sw_object_check. */
int sw_string_check(sw_heap *h, uint32_t at, uint32_t generation);

#ifdef __cplusplus
}
#endif
#endif
