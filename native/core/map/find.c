/* Keys, entries, and reading. See map.h. */
#include "core/map/map.h"

/* ---- keys ---- */

SWI_MAP_INLINE uint64_t mix(uint64_t a, uint64_t b) {
  a = (a ^ b) * 0x9e3779b97f4a7c15u;
  return a ^ a >> 32;
}

SWI_MAP_INLINE uint32_t finish(uint64_t hash) {
  hash *= 0xd6e8feb86659fd93u;
  return (uint32_t)(hash >> 32);
}

uint64_t swi_bytes_word(const uint8_t *bytes, uint32_t length, uint32_t i) {
  uint64_t word = 0;
  uint32_t left = length - 8 * i;
  if (left >= 8) {
    __builtin_memcpy(&word, bytes + 8 * i, 8);
    return word;
  }
  bytes += 8 * i;
  uint32_t shift = 0;
  if ((left & 4) != 0) {
    uint32_t four;
    __builtin_memcpy(&four, bytes, 4);
    word = four;
    bytes += 4;
    shift = 32;
  }
  for (left &= 3; left > 0; left--, shift += 8) word |= (uint64_t)*bytes++ << shift;
  return word;
}

/* Numbers that JavaScript's Map takes for the same key are one. */
static inline uint64_t bits_of(double key) {
  uint64_t bits;
  if (key != key) return 0x7ff8000000000000u;
  key += 0.0; /* -0 becomes 0 */
  __builtin_memcpy(&bits, &key, 8);
  return bits;
}

SWI_MAP_INLINE swi_key number_key(const sw_map_handle *m, double key) {
  uint64_t bits = bits_of(key);
  return swi_key_known(bits, finish(mix(bits, m->seed ^ SW_MAP_NUMBER)));
}

swi_key swi_key_number(const sw_map_handle *m, double key) { return number_key(m, key); }

/* Of bytes: hashed a word after the other. */
SWI_MAP_INLINE swi_key bytes_key(const sw_map_handle *m, uint32_t type, const uint8_t *bytes, uint32_t length) {
  uint64_t first = swi_bytes_word(bytes, length, 0), hash = mix(first, m->seed ^ type ^ (uint64_t)length << 8);
  for (uint32_t i = 1; 8 * i < length; i++) hash = mix(hash, swi_bytes_word(bytes, length, i)) * 5;
  return (swi_key){bytes, first, type, length, finish(hash)};
}

int swi_key_of(const sw_map_handle *m, uint32_t type, const void *bytes, uint32_t length, swi_key *key) {
  if (type < SW_MAP_NUMBER || type > SW_MAP_BYTES) return SW_EINVAL;
  if (length > SW_MAP_KEY_MOST || (type == SW_MAP_NUMBER && length != 8)) return SW_ERANGE;
  if (type == SW_MAP_NUMBER) {
    double number;
    __builtin_memcpy(&number, bytes, 8);
    *key = swi_key_number(m, number);
    return SW_OK;
  }
  *key = bytes_key(m, type, bytes, length);
  return SW_OK;
}

/* ---- entries ---- */

int swi_content_of(const sw_map_handle *m, uint64_t word, swi_content *content) {
  uint32_t at = swi_word_offset(word), count = swi_word_count(word);
  *content = (swi_content){NULL, count, at, 0, 0};
  if (count == 0) return SW_OK;
  if (!swi_map_inside(m, at, sizeof(sw_map_entry))) return SW_ECORRUPT;
  if (count == 1) return SW_OK;
  content->pairs = swi_map_look(m, at);
  content->block = at;
  content->bytes = count * 8;
  if (count == SW_MAP_CROWD) {
    uint64_t many = swi_map_part(content->pairs++);
    if (many < SW_MAP_CROWD || many > SW_MAP_BUCKET_MOST) return SW_ECORRUPT;
    content->count = (uint32_t)many;
    content->bytes = content->count * 8 + 8;
  }
  return swi_map_inside(m, at, content->bytes) ? SW_OK : SW_ECORRUPT;
}

static bool is_key(const uint64_t *at, const swi_key *key) {
  if (swi_map_part(at) != key->first && key->length != 0) return false;
  for (uint32_t i = 1; 8 * i < key->length; i++) {
    if (swi_map_part(at + i) != swi_bytes_word(key->bytes, key->length, i)) return false;
  }
  return true;
}

bool swi_entry_is(const sw_map_handle *m, uint32_t at, const swi_key *key, swi_found *found) {
  if (at % SW_HEAP_UNIT != 0 || !swi_map_inside(m, at, sizeof(sw_map_entry))) return false;
  const uint64_t *entry = swi_map_look(m, at);
  uint64_t shape = swi_map_part(entry);
  if (swi_entry_hash(shape) != key->hash || (shape & 15) != key->type) return false;
  uint64_t lengths = swi_map_part(entry + 1);
  if ((uint32_t)lengths != key->length) return false;
  if (!swi_map_inside(m, at, swi_entry_bytes(shape, lengths))) return false;
  uint32_t key_at = at + (uint32_t)sizeof(sw_map_entry) + swi_entry_time(shape);
  if (!is_key(swi_map_look(m, key_at), key)) return false;
  found->at = at;
  found->type = (uint32_t)shape >> 4 & 15;
  found->length = (uint32_t)(lengths >> 32);
  found->value = key_at + swi_map_padded(key->length);
  found->shape = shape;
  return true;
}

int swi_content_find(const sw_map_handle *m, const swi_spot *spot, const swi_content *content, const swi_key *key,
                     swi_found *found) {
  if (content->pairs == NULL) {
    found->index = 0;
    if (content->count == 0 || ((key->hash >> spot->table.log2) & 255) != swi_word_print(spot->word)) return 0;
    return swi_entry_is(m, content->single, key, found);
  }
  for (uint32_t i = 0; i < content->count; i++) {
    uint64_t pair = swi_map_part(&content->pairs[i]);
    if (pair >> 32 != key->hash || !swi_entry_is(m, (uint32_t)pair, key, found)) continue;
    found->index = i;
    return 1;
  }
  return 0;
}

bool swi_entry_expired(const sw_map_handle *m, const swi_found *found) {
  if ((found->shape & SW_MAP_EXPIRES) == 0) return false;
  uint64_t bits = swi_map_part(swi_map_look(m, found->at + (uint32_t)sizeof(sw_map_entry)));
  double expires;
  __builtin_memcpy(&expires, &bits, 8);
  return expires <= m->now;
}

/* ---- reading ---- */

static void copy_out(const sw_map_handle *m, uint32_t at, void *out, uint32_t length) {
  const uint64_t *from = swi_map_look(m, at);
  uint8_t *to = out;
  for (uint32_t done = 0; done < length; done += 8) {
    uint64_t word = swi_map_part(from++);
    uint32_t left = length - done;
    if (left >= 8) __builtin_memcpy(to + done, &word, 8);
    else {
      for (uint32_t i = 0; i < left; i++) to[done + i] = (uint8_t)(word >> (8 * i));
    }
  }
}

static int get(sw_map_handle *m, const swi_key *key, void *out, uint32_t room) {
  for (int tries = 0; tries < SWI_MAP_TRIES; tries++) {
    swi_spot spot;
    swi_content content;
    swi_found found = {0};
    int status = swi_table_find(m, key->hash, false, &spot);
    if (status != SW_OK) return status;
    status = swi_content_of(m, spot.word, &content);
    if (status == SW_OK) status = swi_content_find(m, &spot, &content, key, &found);
    bool fits = status == 1 && found.length <= room;
    if (status == 1 && swi_entry_expired(m, &found)) status = 0;
    if (status == 1 && fits) copy_out(m, found.value, out, found.length);
    if (!swi_spot_holds(&spot)) continue;
    if (status != 1) return status;
    m->length = found.length;
    if ((m->flags & SW_MAP_LRU) != 0) swi_map_mark(m, &spot, false);
    return fits ? (int)found.type : SW_ERANGE;
  }
  return SW_EBUSY;
}

__attribute__((noinline)) static int get_any(sw_map_handle *m, uint32_t type, const void *bytes, uint32_t length,
                                             void *out, uint32_t room) {
  swi_key key;
  int status = swi_key_of(m, type, bytes, length, &key);
  return status == SW_OK ? get(m, &key, out, room) : status;
}

/* ---- reading what is found at the first look ---- */

/* The offset of the entry that has the hash, in a living bucket; 0: there is none, or it takes a
 * longer look. */
SWI_MAP_INLINE uint32_t glance(const sw_map_handle *m, uint64_t word, uint32_t hash) {
  uint32_t count = swi_word_count(word), at = swi_word_offset(word);
  if (swi_word_frozen(word) || !swi_map_inside(m, at, 64)) return 0;
  if (count == 1) return ((hash >> m->log2) & 255) == swi_word_print(word) ? at : 0;
  if (count == SW_MAP_CROWD) return 0;
  const uint64_t *pairs = swi_map_look(m, at);
  for (uint32_t i = 0; i < count; i++) {
    uint64_t pair = swi_map_part(&pairs[i]);
    if (pair >> 32 == hash) return (uint32_t)pair;
  }
  return 0;
}

/* The quiet NaN, without a constant in memory. */
static double nothing(void) { return __builtin_nan(""); }

/* A number that is not found at the first look. */
__attribute__((noinline)) static double get_slowly(sw_map_handle *m, double number) {
  swi_key key = swi_key_number(m, number);
  double value = 0;
  m->status = get(m, &key, &value, 8);
  return m->status == SW_MAP_NUMBER ? value : nothing();
}

double sw_map_get_number(sw_map_handle *m, double number) {
  const swi_key key = number_key(m, number);
  const uint32_t hash = key.hash;
  const uint64_t *bucket = &m->bucket[hash & m->mask];
  uint64_t word = sw_peer_load64_acquire(bucket); /* [K2] */
  if (sw_peer_load64_acquire(&m->map->object.life) != m->life) return get_slowly(m, number);
  /* an entry of a number and a number, in the first table: the rest is for the slow way */
  bool is_single = swi_word_count(word) == 1;
  uint32_t at = glance(m, word, hash);
  /* of a single entry the word has these, too */
  if (!is_single && (at % SW_HEAP_UNIT != 0 || !swi_map_inside(m, at, 32))) return get_slowly(m, number);
  if (at == 0) return get_slowly(m, number);
  const uint64_t *entry = swi_map_look(m, at);
  uint64_t shape = (uint64_t)hash << 32 | SW_MAP_NUMBER | SW_MAP_NUMBER << 4;
  bool is_it = swi_map_part(entry) == shape && swi_map_part(entry + 2) == key.first;
  uint64_t value = swi_map_part(entry + 3);
  if (!is_it || (m->flags & SW_MAP_LRU) != 0 || sw_peer_load64_relaxed(bucket) != word) return get_slowly(m, number);
  double result;
  __builtin_memcpy(&result, &value, 8);
  if (result != result) m->status = SW_MAP_NUMBER;
  return result;
}

/* A key of a text or an integer of up to 64 bytes, and an entry that is found at the first look, in
 * a map that neither marks what is read nor forgets it. Returns the type of the value; 0: it takes
 * the other way. */
SWI_MAP_INLINE uint32_t get_short(sw_map_handle *m, uint32_t type, const uint8_t *bytes, uint32_t length, void *out,
                                  uint32_t room) {
  swi_key key = bytes_key(m, type, bytes, length);
  const uint64_t *bucket = &m->bucket[key.hash & m->mask];
  uint64_t word = sw_peer_load64_acquire(bucket); /* [K2] */
  if (sw_peer_load64_acquire(&m->map->object.life) != m->life) return 0;
  uint32_t at = glance(m, word, key.hash);
  if (at % SW_HEAP_UNIT != 0 || !swi_map_inside(m, at, sizeof(sw_map_entry) + 128)) return 0;
  const uint64_t *entry = swi_map_look(m, at);
  uint64_t shape = swi_map_part(entry), lengths = swi_map_part(entry + 1);
  uint32_t value = (uint32_t)(lengths >> 32), words = (length + 7) / 8;
  if (shape >> 32 != key.hash || (shape & (15 | SW_MAP_EXPIRES)) != type) return 0;
  if ((uint32_t)lengths != length || value > 64 || value > room || !is_key(entry + 2, &key)) return 0;
  copy_out(m, at + (uint32_t)sizeof(sw_map_entry) + 8 * words, out, value);
  if (sw_peer_load64_relaxed(bucket) != word) return 0;
  m->length = value;
  return (uint32_t)shape >> 4 & 15;
}

int sw_map_get(sw_map_handle *m, uint32_t type, const void *bytes, uint32_t length, void *out, uint32_t room) {
  bool is_plain = (m->flags & (SW_MAP_LRU | SW_MAP_TTL)) == 0;
  if (is_plain && (type == SW_MAP_STRING || type == SW_MAP_BIGINT) && length <= 64) {
    uint32_t found = get_short(m, type, bytes, length, out, room);
    if (found != 0) return (int)found;
  }
  return get_any(m, type, bytes, length, out, room);
}
