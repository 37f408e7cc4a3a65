/* Strings.
 *
 * The root decides: it has the version, and the offset of the text. A text is filled before it gets
 * there and never changed behind that, only replaced, and freed by the participant that replaced
 * it. So a reader copies the text and looks at the root once more: if that is the same, what was
 * copied was the text at that moment.
 *
 *   root                      next
 *   version, 0                set -> version + 1, block
 *   version, block            set -> version + 1, block or 0; the old block is freed
 *                             free -> version + 1, 0 (behind sw_object_begin_free)
 *
 * Ordering edges:
 *   [S1] the exchange that puts a text there, pairs with the acquire load of the root by a reader:
 *        what is in the text is seen.
 *   [S2] the stores that fill a block release the exchange by which it was taken from a string
 *        before, and pair with the acquire loads of a late reader: one that sees the fill sees
 *        another root at its second look. (JavaScript fills by plain stores, behind sw_fence_fill,
 *        and has a fence of its own before that look.)
 *   [S3] `life` is looked at behind the root that is to be exchanged: behind a free, either the
 *        object is gone or the exchange fails.
 *
 * What a crash leaves: between filling and the exchange, the new block; between that and its free,
 * the old one. */
#include "sabway/string.h"

#include "base/peer.h"
#include "core/objects/lock.h"
#include "sabway/mutex.h"

enum {
  HEAD = offsetof(sw_text, bytes),
  /* Reads that may fail before the writers are locked out, and how many are tried then: each of
   * them that is in a call can spoil one. */
  TRIES = 16,
  TRIES_LOCKED = 256,
  /* Exchanges that may fail before the caller is to come again. */
  EXCHANGES = 1024
};

static uint32_t version_of(uint64_t root) { return (uint32_t)(root >> 32); }
static uint32_t text_of(uint64_t root) { return (uint32_t)root; }
static uint64_t root_of(uint32_t version, uint32_t text) { return (uint64_t)version << 32 | text; }

static uint64_t *root_at(const sw_heap *h, uint32_t at) { return &((sw_string *)(void *)(h->base + at))->object.root; }

static uint64_t end_of(const sw_heap *h) { return h->begin + (uint64_t)h->count * SW_HEAP_PAGE; }

/* The words of a block that can be a text, or NULL. */
static uint64_t *words_of(const sw_heap *h, uint32_t text) {
  if (text < h->begin || text % SW_HEAP_UNIT != 0 || text >= end_of(h)) return NULL;
  return (uint64_t *)(void *)(h->base + text);
}

uint32_t sw_string_new(sw_heap *h) { return sw_object_new(h, SW_TYPE_STRING); }

/* ---- texts ---- */

static uint8_t byte_of(uint64_t word, uint32_t i) { return (uint8_t)(word >> 8 * (i % 8)); }

/* Bytes from a text's byte `HEAD` on, a word at a time. [S2] */
static void copy_out(uint8_t *bytes, const uint64_t *words, uint32_t length) {
  uint64_t word = sw_peer_load64_acquire(&words[0]);
  for (uint32_t i = 0; i < length; i++) {
    if ((HEAD + i) % 8 == 0) word = sw_peer_load64_acquire(&words[(HEAD + i) / 8]); /* [S2] */
    bytes[i] = byte_of(word, HEAD + i);
  }
}

/* Fill a block with the text that is at `bytes`, which follow the room for its length. */
static void fill(uint64_t *words, const uint8_t *bytes, uint32_t length) {
  uint64_t word = length;
  for (uint32_t i = 0; i < length && i < 8 - HEAD; i++) word |= (uint64_t)bytes[i] << 8 * (HEAD + i);
  sw_fill64(words++, word); /* [S2] */
  uint32_t i = 8 - HEAD;
  for (; i < length && length - i >= 8; i += 8) {
    __builtin_memcpy(&word, bytes + i, 8);
    sw_fill64(words++, word); /* [S2] */
  }
  word = 0;
  for (uint32_t k = 0; i + k < length; k++) word |= (uint64_t)bytes[i + k] << 8 * k;
  if (i < length) sw_fill64(words, word); /* [S2] */
}

/* ---- locking writers out ---- */

static sw_mutex *lock_of(const sw_heap *h, uint32_t at) { return &((sw_string *)(void *)(h->base + at))->object.lock; }

int sw_string_begin_read(const sw_heap *h, uint32_t at, uint32_t generation) {
  int locked = swi_object_lock_slowly(h, at, SW_TYPE_STRING, generation);
  if (locked != SW_EOWNERDEAD) return locked;
  sw_mutex_consistent(h->base, lock_of(h, at), h->endpoint); /* there is nothing to mend */
  return SW_OK;
}

void sw_string_end_read(const sw_heap *h, uint32_t at) { sw_mutex_unlock(h->base, lock_of(h, at), h->endpoint); }

/* ---- reading ---- */

/* One try: 1 when the root has moved meanwhile. */
static int read(const sw_heap *h, uint32_t at, uint8_t *bytes, uint32_t room, sw_string_content *content) {
  uint64_t root = sw_peer_load64_acquire(root_at(h, at)); /* [S1] */
  const uint64_t *words = words_of(h, text_of(root));
  uint32_t length = 0;
  if (text_of(root) != 0) {
    if (words == NULL) return SW_ECORRUPT;
    length = (uint32_t)sw_peer_load64_acquire(&words[0]); /* [S2] */
    /* before it is believed */
    if (sw_peer_load64_relaxed(root_at(h, at)) != root) return 1;
    if (length > end_of(h) - text_of(root) - HEAD) return SW_ECORRUPT;
  }
  content->length = length;
  content->version = version_of(root);
  if (length > room) return SW_ETOOBIG;
  if (length != 0) copy_out(bytes, words, length);
  return sw_peer_load64_relaxed(root_at(h, at)) != root;
}

static int read_until(const sw_heap *h, uint32_t at, uint8_t *bytes, uint32_t room, sw_string_content *content,
                      uint32_t tries) {
  int status = 1;
  while (status == 1 && tries-- > 0) status = read(h, at, bytes, room, content);
  return status;
}

int sw_string_get(const sw_heap *h, uint32_t at, uint32_t generation, void *bytes, uint32_t room,
                  sw_string_content *content) {
  int status = sw_object_check(h, at, SW_TYPE_STRING, generation);
  if (status != SW_OK) return status;
  status = read_until(h, at, bytes, room, content, TRIES);
  if (status == 1) {
    status = sw_string_begin_read(h, at, generation);
    if (status != SW_OK) return status;
    status = read_until(h, at, bytes, room, content, TRIES_LOCKED);
    sw_string_end_read(h, at);
    if (status == 1) return SW_ECORRUPT;
  }
  /* the root of a string that was freed is no text of it */
  int there = sw_object_check(h, at, SW_TYPE_STRING, generation);
  return there == SW_OK ? status : there;
}

/* ---- replacing ---- */

/* Why it is not there. */
static int gone(const sw_heap *h, uint32_t at, uint32_t generation) {
  int status = sw_object_check(h, at, SW_TYPE_STRING, generation);
  return status == SW_OK ? SW_EFREED : status;
}

/* Put `text` there: 1, or 0 when `*version` is not its version any more. */
static int exchange(sw_heap *h, uint32_t at, uint32_t generation, const uint32_t *version, uint32_t text) {
  uint64_t root = sw_peer_load64_acquire(root_at(h, at)); /* [S3] */
  for (uint32_t tries = 0; tries < EXCHANGES; tries++) {
    /* [S3] */
    if (swi_object_at(h, at, SW_TYPE_STRING, generation) == NULL) return gone(h, at, generation);
    if (version != NULL && version_of(root) != *version) return 0;
    uint64_t next = root_of(version_of(root) + 1, text);
    if (!sw_compare_exchange64_acq_rel(root_at(h, at), &root, next)) continue; /* [S1] */
    /* a root that a hostile peer has written names no block, or one that is not the string's */
    if (text_of(root) != 0) sw_heap_free(h, text_of(root));
    return 1;
  }
  return SW_EBUSY;
}

static int replace(sw_heap *h, uint32_t at, uint32_t generation, const uint32_t *version, uint32_t text) {
  if (swi_object_at(h, at, SW_TYPE_STRING, generation) == NULL) return gone(h, at, generation);
  /* free, or left by one that has died, it is no reader's */
  bool locked = (uint32_t)sw_peer_load64_relaxed(&lock_of(h, at)->state) != 0;
  int status = locked ? sw_string_begin_read(h, at, generation) : SW_OK;
  if (status != SW_OK) return status;
  status = exchange(h, at, generation, version, text);
  if (locked) sw_string_end_read(h, at);
  return status;
}

uint32_t sw_string_alloc(sw_heap *h, uint32_t length) {
  if (length == 0 || length > UINT32_MAX - HEAD) {
    h->status = SW_ERANGE;
    return 0;
  }
  uint32_t at = sw_heap_alloc(h, HEAD + length);
  if (at != 0) sw_fence_fill_unless(h->ordered); /* [S2] */
  return at;
}

int sw_string_replace(sw_heap *h, uint32_t at, uint32_t generation, uint32_t block) {
  int status = replace(h, at, generation, NULL, block);
  return status < 0 ? status : SW_OK;
}

int sw_string_compare_replace(sw_heap *h, uint32_t at, uint32_t generation, uint32_t version, uint32_t block) {
  return replace(h, at, generation, &version, block);
}

static int set(sw_heap *h, uint32_t at, uint32_t generation, const uint32_t *version, const void *bytes,
               uint32_t length) {
  uint32_t block = 0;
  if (length != 0) {
    block = sw_string_alloc(h, length);
    if (block == 0) return h->status;
    fill(words_of(h, block), bytes, length);
  }
  int status = replace(h, at, generation, version, block);
  if (status != 1 && block != 0) sw_heap_free(h, block);
  return status;
}

int sw_string_set(sw_heap *h, uint32_t at, uint32_t generation, const void *bytes, uint32_t length) {
  int status = set(h, at, generation, NULL, bytes, length);
  return status < 0 ? status : SW_OK;
}

int sw_string_compare_set(sw_heap *h, uint32_t at, uint32_t generation, uint32_t version, const void *bytes,
                          uint32_t length) {
  return set(h, at, generation, &version, bytes, length);
}

/* ---- the end ---- */

int sw_string_free(sw_heap *h, uint32_t at, uint32_t generation) {
  int status = sw_object_begin_free(h, at, SW_TYPE_STRING, generation);
  if (status != SW_OK) return status;
  uint64_t root = sw_peer_load64_relaxed(root_at(h, at));
  /* [S3] the exchange of one that has looked at `life` before comes first, or fails */
  uint32_t tries = 0;
  while (!sw_compare_exchange64_acq_rel(root_at(h, at), &root, root_of(version_of(root) + 1, 0)) && ++tries < EXCHANGES)
    continue;
  if (text_of(root) != 0) sw_heap_free(h, text_of(root));
  sw_object_end_free(h, at);
  return SW_OK;
}

int sw_string_check(sw_heap *h, uint32_t at, uint32_t generation) {
  int status = sw_object_check(h, at, SW_TYPE_STRING, generation);
  if (status != SW_OK) return status;
  uint32_t text = text_of(sw_peer_load64_acquire(root_at(h, at))); /* [S1] */
  if (text == 0) return SW_OK;
  const uint64_t *words = words_of(h, text);
  if (words == NULL) return SW_ECORRUPT;
  uint32_t length = (uint32_t)sw_peer_load64_relaxed(&words[0]), usable = sw_heap_usable(h, text);
  return length != 0 && usable >= HEAD && length <= usable - HEAD ? SW_OK : SW_ECORRUPT;
}
