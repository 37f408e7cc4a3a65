/* Adding, replacing, deleting: one exchange of a bucket's word each. See map.h. */
#include "core/map/map.h"

/* An index of no entry. An enumerator is an int, which has no such value. */
#define NONE UINT32_MAX

enum { ADD = SW_MAP_REPLACE + 1, ADD_INTEGER, IF_EQUAL, DELETE };

/* A value, or none: its type is zero then. */
typedef struct item {
  uint32_t type, length;
  const uint8_t *bytes;
} item;

typedef struct change {
  swi_key key;
  uint32_t mode;
  item value, expected;
  double amount;
  int64_t *integer;
  uint32_t entry; /* which is not published yet, or zero */
  uint64_t bytes; /* of it */
  uint64_t sum;   /* what an addition makes */
} change;

/* ---- blocks ---- */

static uint32_t units_of(uint64_t bytes) { return bytes > 64 ? UINT32_MAX : (uint32_t)(bytes + 15) / 16; }

uint32_t swi_map_take(sw_map_handle *m, uint32_t bytes) {
  uint32_t units = units_of(bytes), at = units <= SW_MAP_SPARES ? m->spare[units - 1] : 0;
  if (at == 0) return sw_heap_alloc(m->heap, bytes);
  m->spare[units - 1] = 0;
  return at;
}

void swi_map_give(sw_map_handle *m, uint32_t at, uint64_t bytes) {
  uint32_t units = units_of(bytes);
  if (units <= SW_MAP_SPARES && m->spare[units - 1] == 0 && swi_map_inside(m, at, units * 16u))
    m->spare[units - 1] = at;
  else sw_heap_free(m->heap, at);
}

/* An entry that no word leads to any more. */
static void give_entry(sw_map_handle *m, uint32_t at) {
  const uint64_t *entry = swi_map_look(m, at);
  swi_map_give(m, at, swi_entry_bytes(swi_map_part(entry), swi_map_part(entry + 1)));
}

void sw_map_close(sw_map_handle *m) {
  for (uint32_t i = 0; i < SW_MAP_SPARES; i++) {
    if (m->spare[i] != 0) sw_heap_free(m->heap, m->spare[i]);
    m->spare[i] = 0;
  }
}

/* ---- entries ---- */

static void fill_bytes(uint64_t *to, const uint8_t *bytes, uint32_t length) {
  for (uint32_t i = 0; 8 * i < length; i++) swi_map_fill(&to[i], swi_bytes_word(bytes, length, i));
}

static uint32_t value_at(const change *c, uint32_t time) {
  return c->entry + (uint32_t)sizeof(sw_map_entry) + time + swi_map_padded(c->key.length);
}

/* What an entry is before its value. `expires`: NULL where its shape has no time. Returns where the
 * value goes. */
SWI_MAP_INLINE uint64_t *fill_key(uint64_t *to, const swi_key *key, uint64_t shape, uint64_t lengths,
                                  const double *expires) {
  swi_map_fill(to++, shape);
  swi_map_fill(to++, lengths);
  if (expires != NULL) {
    uint64_t bits;
    __builtin_memcpy(&bits, expires, 8);
    swi_map_fill(to++, bits);
  }
  if (key->length != 0) swi_map_fill(to++, key->first);
  for (uint32_t i = 1; 8 * i < key->length; i++) swi_map_fill(to++, swi_bytes_word(key->bytes, key->length, i));
  return to;
}

/* Without the bit that tells of a time. */
SWI_MAP_INLINE uint64_t shape_of(const swi_key *key, uint32_t value_type) {
  return (uint64_t)key->hash << 32 | value_type << 4 | key->type;
}
SWI_MAP_INLINE uint64_t lengths_of(const swi_key *key, uint32_t value_length) {
  return (uint64_t)value_length << 32 | key->length;
}

/* A block with the key and the value. Errors: those of the heap. */
static int make_entry(sw_map_handle *m, change *c) {
  const item *value = &c->value;
  bool expires = m->expires != 0 && (m->flags & SW_MAP_TTL) != 0;
  uint64_t shape = shape_of(&c->key, value->type) | (expires ? SW_MAP_EXPIRES : 0);
  uint64_t lengths = lengths_of(&c->key, value->length);
  if (c->entry != 0) { /* of an exchange that has failed: only a sum is another one now */
    if (c->mode == ADD || c->mode == ADD_INTEGER)
      fill_bytes(swi_map_word(m, value_at(c, swi_entry_time(shape))), value->bytes, value->length);
    return SW_OK;
  }
  c->bytes = swi_entry_bytes(shape, lengths);
  if (c->bytes > UINT32_MAX) return SW_EHEAPFULL;
  c->entry = swi_map_take(m, (uint32_t)c->bytes);
  if (c->entry == 0) return m->heap->status;
  sw_fence_fill_unless(m->ordered);
  uint64_t *to = fill_key(swi_map_word(m, c->entry), &c->key, shape, lengths, expires ? &m->expires : NULL);
  fill_bytes(to, value->bytes, value->length);
  return SW_OK;
}

/* ---- contents ---- */

/* Room for so many pairs, and the content that they are: where the first one goes, or NULL with an
 * error in *status. */
static uint64_t *make_block(sw_map_handle *m, uint32_t count, swi_made *made, int *status) {
  *status = SW_EHEAPFULL;
  if (count > SW_MAP_BUCKET_MOST) return NULL;
  bool crowd = count >= SW_MAP_CROWD;
  made->bytes = (count + (crowd ? 1 : 0)) * 8;
  made->block = swi_map_take(m, made->bytes);
  *status = m->heap->status;
  if (made->block == 0) return NULL;
  made->content = swi_word_of(0, crowd ? SW_MAP_CROWD : count, made->block);
  uint64_t *pairs = swi_map_word(m, made->block);
  sw_fence_fill_unless(m->ordered);
  if (crowd) swi_map_fill(pairs++, count);
  return pairs;
}

static uint64_t single(uint64_t pair, uint32_t log2) {
  return swi_word_of((uint32_t)(pair >> 32) >> log2, 1, (uint32_t)pair);
}

int swi_content_make(sw_map_handle *m, const swi_content *content, uint32_t log2, uint32_t skip, uint64_t add,
                     swi_made *made) {
  uint32_t count = content->count - (skip != NONE) + (add != 0);
  *made = (swi_made){0, 0, 0, count};
  if (count == 0) return 1;
  if (count == 1) {
    uint64_t pair = add != 0 ? add : swi_content_pair(m, content, skip == 0 ? 1 : 0);
    made->content = single(pair, log2);
    return 1;
  }
  int status;
  uint64_t *pairs = make_block(m, count, made, &status);
  if (pairs == NULL) return status;
  for (uint32_t i = 0; i < content->count; i++) {
    if (i != skip) swi_map_fill(pairs++, swi_content_pair(m, content, i));
  }
  if (add != 0) swi_map_fill(pairs, add);
  return 1;
}

static bool is_on_side(uint64_t pair, uint32_t log2, uint32_t side) {
  return ((uint32_t)(pair >> 32) >> log2 & 1) == side;
}

int swi_content_split(sw_map_handle *m, const swi_content *content, uint32_t log2, uint32_t side, swi_made *made) {
  uint32_t count = 0;
  uint64_t last = 0;
  *made = (swi_made){0, 0, 0, 0};
  for (uint32_t i = 0; i < content->count; i++) {
    uint64_t pair = swi_content_pair(m, content, i);
    if (!is_on_side(pair, log2, side)) continue;
    last = pair;
    count++;
  }
  made->count = count;
  if (count == 1) made->content = single(last, log2 + 1);
  if (count < 2) return 1;
  int status;
  uint64_t *pairs = make_block(m, count, made, &status);
  if (pairs == NULL) return status;
  for (uint32_t i = 0; i < content->count && count > 0; i++) {
    uint64_t pair = swi_content_pair(m, content, i);
    if (!is_on_side(pair, log2, side)) continue;
    swi_map_fill(pairs++, pair);
    count--;
  }
  return 1;
}

/* The only exchange of a living word by another one. */
SWI_MAP_INLINE bool publish(uint64_t *bucket, uint64_t word, uint64_t content) {
  uint64_t next = swi_word_next(word, content);
  return sw_compare_exchange64_acq_rel(bucket, &word, next); /* [K1] */
}

bool swi_map_empty(const swi_spot *spot) { return publish(spot->bucket, spot->word, 0); }

int swi_map_remove(sw_map_handle *m, const swi_spot *spot, const swi_content *content, uint32_t index) {
  swi_made made;
  uint32_t at = (uint32_t)swi_content_pair(m, content, index);
  int status = swi_content_make(m, content, spot->table.log2, index, 0, &made);
  if (status != 1) return status;
  if (!publish(spot->bucket, spot->word, made.content)) {
    if (made.block != 0) swi_map_give(m, made.block, made.bytes);
    return 0;
  }
  if (content->block != 0) swi_map_give(m, content->block, content->bytes);
  if (at % SW_HEAP_UNIT == 0 && swi_map_inside(m, at, sizeof(sw_map_entry))) give_entry(m, at);
  swi_map_count(m, -1);
  return 1;
}

/* ---- what a change does ---- */

static bool is_expected(const sw_map_handle *m, const swi_found *found, const item *expected) {
  if (found->type != expected->type || found->length != expected->length) return false;
  for (uint32_t i = 0; 8 * i < found->length; i++) {
    uint64_t word = swi_map_part(swi_map_look(m, found->value + 8 * i));
    if (word != swi_bytes_word(expected->bytes, expected->length, i)) return false;
  }
  return true;
}

/* Of a double that may be anything: the integer modulo 2^32. */
static double wrapped(double sum) {
  double most = 4294967296.0;
  if (!(sum > -most * 2097152 && sum < most * 2097152)) return 0;
  int64_t whole = (int64_t)sum;
  return (double)(uint32_t)whole;
}

/* Make the sum of what is there and what is added: 1, or SW_EINVAL. */
static int add_up(const sw_map_handle *m, change *c, const swi_found *found) {
  uint64_t bits = found == NULL ? 0 : swi_map_part(swi_map_look(m, found->value));
  if (c->mode == ADD_INTEGER) {
    if (found != NULL && (found->type != SW_MAP_BIGINT || found->length != 8)) return SW_EINVAL;
    c->sum = bits + (uint64_t)*c->integer;
    return 1;
  }
  double sum;
  if (found != NULL && found->type != SW_MAP_NUMBER) return SW_EINVAL;
  __builtin_memcpy(&sum, &bits, 8);
  sum += c->amount;
  if ((m->flags & SW_MAP_NUMERIC) == SW_MAP_U32) sum = wrapped(sum);
  __builtin_memcpy(&c->sum, &sum, 8);
  return 1;
}

/* Is it to be done? 1; 0: no; or an error. `found`: NULL where there is none. */
static int decide(const sw_map_handle *m, change *c, const swi_found *found) {
  switch (c->mode) {
    case SW_MAP_SET:
      return 1;
    case SW_MAP_INSERT:
      return found == NULL;
    case IF_EQUAL:
      return found != NULL && is_expected(m, found, &c->expected);
    case ADD:
    case ADD_INTEGER:
      return add_up(m, c, found);
    default:
      return found != NULL;
  }
}

/* Behind the exchange: `block`, or zero, had the bucket's pairs, `old`, or NULL, is the entry that
 * is in it no more, and there are `count` entries now, `more` than before. */
SWI_MAP_INLINE void settle(sw_map_handle *m, uint32_t block, uint32_t bytes, const swi_found *old, uint32_t count,
                           int32_t more) {
  if (block != 0) swi_map_give(m, block, bytes);
  if (old != NULL) swi_map_give(m, old->at, old->value - old->at + (uint64_t)swi_map_padded(old->length));
  if (more != 0) swi_map_count(m, more);
  swi_table_help(m);
  if (more > 0) swi_table_consider(m, count);
}

/* One try: 1 and 2 as sw_map_put, or 0: it is not to be done, or an error. *again: others were
 * faster. */
static int try_change(sw_map_handle *m, change *c, bool *again) {
  swi_spot spot;
  swi_content content;
  swi_found found = {0};
  swi_made made;
  int status = swi_table_find(m, c->key.hash, true, &spot);
  if (status != SW_OK) return status;
  status = swi_content_of(m, spot.word, &content);
  if (status == SW_OK) status = swi_content_find(m, &spot, &content, &c->key, &found);
  bool there = status == 1, stands = there && !swi_entry_expired(m, &found);
  if (status >= 0) status = decide(m, c, stands ? &found : NULL);
  bool adds = c->value.type != 0;
  if (c->mode == ADD || c->mode == ADD_INTEGER) c->value.bytes = (const uint8_t *)&c->sum;
  if (status == 1 && adds) {
    status = make_entry(m, c);
    if (status == SW_OK) status = 1;
  }
  uint64_t pair = adds ? (uint64_t)c->key.hash << 32 | c->entry : 0;
  if (status == 1) status = swi_content_make(m, &content, spot.table.log2, there ? found.index : NONE, pair, &made);
  if (status != 1) {
    *again = !swi_spot_holds(&spot);
    return status;
  }
  if (!publish(spot.bucket, spot.word, made.content)) {
    if (made.block != 0) swi_map_give(m, made.block, made.bytes);
    *again = true;
    return 0;
  }
  c->entry = 0;
  if (c->mode == ADD) __builtin_memcpy(&c->amount, &c->sum, 8);
  if (c->mode == ADD_INTEGER) __builtin_memcpy(c->integer, &c->sum, 8);
  bool added = adds && !there;
  if ((m->flags & SW_MAP_LRU) != 0 && made.count != 0) swi_map_mark(m, &spot, added);
  settle(m, content.block, content.bytes, there ? &found : NULL, made.count, (int32_t)(made.count - content.count));
  if (added && (m->flags & (SW_MAP_LRU | SW_MAP_TTL)) != 0) swi_map_make_room(m);
  return stands ? 2 : 1;
}

static int perform(sw_map_handle *m, change *c) {
  int status = SW_EBUSY;
  for (int tries = 0; tries < SWI_MAP_TRIES; tries++) {
    bool again = false;
    status = try_change(m, c, &again);
    if (!again) break;
    status = SW_EBUSY;
  }
  if (c->entry != 0) swi_map_give(m, c->entry, c->bytes);
  c->entry = 0;
  return status;
}

/* ---- calls ---- */

static bool is_item(const item *value) {
  if (value->type == SW_MAP_NUMBER) return value->length == 8;
  return value->type >= SW_MAP_NUMBER && value->type <= SW_MAP_VIEW;
}

/* The content of a new entry's pair, and of another one or zero: those two go into the block. */
SWI_MAP_INLINE uint64_t few_of(const sw_map_handle *m, uint64_t added, uint64_t other, uint32_t block) {
  if (other == 0) return single(added, m->log2);
  swi_map_fill(swi_map_word(m, block), other);
  swi_map_fill(swi_map_word(m, block) + 1, added);
  return swi_word_of(0, 2, block);
}

/* Of no mode but SW_MAP_SET: one try, where the bucket lives in the first table and has few
 * entries, which do not expire. As try_change, in fewer steps. Returns 1 or 2 as sw_map_put; 0:
 * nothing was done, it takes the other way. */
static int put_shortly(sw_map_handle *m, const swi_key *key, const item *value) {
  /* [K2] */
  uint64_t *bucket = &m->bucket[key->hash & m->mask], word = sw_peer_load64_acquire(bucket);
  uint32_t count = swi_word_count(word), at = swi_word_offset(word);
  if (swi_word_frozen(word) && word != swi_word_unborn(m->table)) return 0;
  if (count > 2 || (m->flags & (SW_MAP_LRU | SW_MAP_TTL)) != 0) return 0;
  if (sw_peer_load64_acquire(&m->map->object.life) != m->life) return 0;
  if (count != 0 && !swi_map_inside(m, at, sizeof(sw_map_entry))) return 0;
  /* the pairs that are there; `other` stays */
  const uint64_t *pairs = swi_map_look(m, at);
  uint64_t pair = count == 0 ? 0 : swi_map_part(pairs), other = count < 2 ? 0 : swi_map_part(pairs + 1);
  if (count == 1) pair = pair >> 32 << 32 | at;
  swi_found old = {0};
  bool there = count != 0 && pair >> 32 == key->hash && swi_entry_is(m, (uint32_t)pair, key, &old);
  if (!there) {
    uint64_t second = other;
    other = pair;
    there = count == 2 && second >> 32 == key->hash && swi_entry_is(m, (uint32_t)second, key, &old);
    if (count == 2 && !there) return 0;
  }
  uint64_t shape = shape_of(key, value->type), lengths = lengths_of(key, value->length);
  uint32_t bytes = (uint32_t)swi_entry_bytes(shape, lengths), entry = swi_map_take(m, bytes);
  uint32_t block = entry == 0 || other == 0 ? 0 : swi_map_take(m, 16);
  if (entry != 0 && (other == 0 || block != 0)) {
    sw_fence_fill_unless(m->ordered);
    uint64_t *to = fill_key(swi_map_word(m, entry), key, shape, lengths, NULL);
    fill_bytes(to, value->bytes, value->length);
    if (publish(bucket, word, few_of(m, (uint64_t)key->hash << 32 | entry, other, block))) {
      settle(m, count == 2 ? at : 0, 16, there ? &old : NULL, block != 0 ? 2 : 1, there ? 0 : 1);
      return there ? 2 : 1;
    }
  }
  if (block != 0) swi_map_give(m, block, 16);
  if (entry != 0) swi_map_give(m, entry, bytes);
  return 0;
}

__attribute__((noinline)) static int put_any(sw_map_handle *m, const swi_key *key, const item *value, uint32_t mode) {
  change c = {.key = *key, .mode = mode, .value = *value};
  return perform(m, &c);
}

int sw_map_put(sw_map_handle *m, uint32_t type, const void *key, uint32_t length, uint32_t value_type,
               const void *value, uint32_t value_length, uint32_t mode) {
  item put = {value_type, value_length, value};
  swi_key known;
  if (mode > SW_MAP_REPLACE || !is_item(&put)) return SW_EINVAL;
  int status = swi_key_of(m, type, key, length, &known);
  if (status != SW_OK) return status;
  if (mode == SW_MAP_SET && value_length <= SW_HEAP_SMALL && length <= SW_HEAP_SMALL) {
    int done = put_shortly(m, &known, &put);
    if (done != 0) return done;
  }
  return put_any(m, &known, &put, mode);
}

/* What a change of a number by a number needs when nothing is in its way. */
typedef struct short_way {
  uint64_t *bucket, word;
  uint32_t at;    /* of the entry that is replaced */
  uint64_t other; /* the pair of the bucket's other entry, or zero */
} short_way;

/* Is the key's entry, of a number, in a living bucket of one or two entries of the first table, and
 * has the handle a block for each that is needed? */
SWI_MAP_INLINE bool sees_short_way(sw_map_handle *m, const swi_key *key, short_way *w) {
  w->bucket = &m->bucket[key->hash & m->mask];
  w->word = sw_peer_load64_acquire(w->bucket); /* [K2] */
  uint32_t count = swi_word_count(w->word);
  w->at = swi_word_offset(w->word);
  w->other = 0;
  if (swi_word_frozen(w->word) || count - 1 > 1 || m->spare[1] == 0 || (count == 2 && m->spare[0] == 0)) return false;
  if ((m->flags & (SW_MAP_LRU | SW_MAP_TTL)) != 0 || !swi_map_inside(m, w->at, 32)) return false;
  if (sw_peer_load64_acquire(&m->map->object.life) != m->life) return false;
  if (count == 2) {
    const uint64_t *pairs = swi_map_look(m, w->at);
    uint64_t pair = swi_map_part(pairs);
    w->other = swi_map_part(pairs + 1);
    if (pair >> 32 != key->hash) {
      uint64_t second = w->other;
      w->other = pair;
      pair = second;
    }
    w->at = (uint32_t)pair;
    if (w->at % SW_HEAP_UNIT != 0 || !swi_map_inside(m, w->at, 32)) return false;
  }
  const uint64_t *entry = swi_map_look(m, w->at);
  return swi_map_part(entry) == shape_of(key, SW_MAP_NUMBER) && swi_map_part(entry + 2) == key->first;
}

/* Exchanges the entry for one with that value. False: another was faster. */
SWI_MAP_INLINE bool go_short_way(sw_map_handle *m, const swi_key *key, const short_way *w, uint64_t value) {
  /* of a length that the compiler sees */
  const swi_key known = swi_key_known(key->first, key->hash);
  uint64_t shape = shape_of(&known, SW_MAP_NUMBER), lengths = lengths_of(&known, 8);
  uint32_t entry = m->spare[1], block = m->spare[0];
  sw_fence_fill_unless(m->ordered);
  swi_map_fill(fill_key(swi_map_word(m, entry), &known, shape, lengths, NULL), value);
  m->spare[1] = 0;
  if (w->other != 0) m->spare[0] = 0;
  bool done = publish(w->bucket, w->word, few_of(m, (uint64_t)known.hash << 32 | entry, w->other, block));
  m->spare[1] = done ? w->at : entry;
  if (w->other != 0) m->spare[0] = done ? swi_word_offset(w->word) : block;
  if (done) swi_table_help(m);
  return done;
}

/* Without the short way: out of its way, with the space that it needs. The key comes in parts,
 * which need none. */
__attribute__((noinline)) static int put_number(sw_map_handle *m, uint64_t bits, uint32_t hash, double value) {
  const swi_key key = swi_key_known(bits, hash);
  return put_any(m, &key, &(item){SW_MAP_NUMBER, 8, (const uint8_t *)&value}, SW_MAP_SET);
}

int sw_map_put_number(sw_map_handle *m, double number, double value) {
  swi_key key = swi_key_number(m, number);
  short_way w;
  if (sees_short_way(m, &key, &w)) {
    uint64_t bits;
    __builtin_memcpy(&bits, &value, 8);
    if (go_short_way(m, &key, &w, bits)) return 2;
  }
  return put_number(m, key.first, key.hash, value);
}

int sw_map_replace_if(sw_map_handle *m, uint32_t type, const void *key, uint32_t length, uint32_t expected_type,
                      const void *expected, uint32_t expected_length, uint32_t value_type, const void *value,
                      uint32_t value_length) {
  change c = {.mode = IF_EQUAL,
              .value = {value_type, value_length, value},
              .expected = {expected_type, expected_length, expected}};
  if ((value_type != 0 && !is_item(&c.value)) || !is_item(&c.expected)) return SW_EINVAL;
  int status = swi_key_of(m, type, key, length, &c.key);
  if (status == SW_OK) status = perform(m, &c);
  return status > 1 ? 1 : status;
}

int sw_map_delete(sw_map_handle *m, uint32_t type, const void *key, uint32_t length) {
  change c = {.mode = DELETE};
  int status = swi_key_of(m, type, key, length, &c.key);
  if (status == SW_OK) status = perform(m, &c);
  return status > 1 ? 1 : status;
}

static double summed(sw_map_handle *m, change *c) {
  c->mode = ADD;
  c->value = (item){SW_MAP_NUMBER, 8, NULL};
  int status = perform(m, c);
  m->status = status > 0 ? SW_MAP_NUMBER : status;
  return status > 0 ? c->amount : __builtin_nan("");
}

double sw_map_add(sw_map_handle *m, uint32_t type, const void *key, uint32_t length, double amount) {
  change c = {.amount = amount};
  int status = swi_key_of(m, type, key, length, &c.key);
  if (status == SW_OK) return summed(m, &c);
  m->status = status;
  return __builtin_nan("");
}

__attribute__((noinline)) static double add_number(sw_map_handle *m, uint64_t bits, uint32_t hash, double amount) {
  change c = {.amount = amount, .key = swi_key_known(bits, hash)};
  return summed(m, &c);
}

double sw_map_add_number(sw_map_handle *m, double number, double amount) {
  swi_key key = swi_key_number(m, number);
  short_way w;
  if (sees_short_way(m, &key, &w)) {
    uint64_t bits = swi_map_part(swi_map_look(m, w.at + 24));
    double sum;
    __builtin_memcpy(&sum, &bits, 8);
    sum += amount;
    if ((m->flags & SW_MAP_NUMERIC) == SW_MAP_U32) sum = wrapped(sum);
    __builtin_memcpy(&bits, &sum, 8);
    m->status = SW_MAP_NUMBER;
    if (go_short_way(m, &key, &w, bits)) return sum;
  }
  return add_number(m, key.first, key.hash, amount);
}

int sw_map_add_integer(sw_map_handle *m, uint32_t type, const void *key, uint32_t length, int64_t *amount) {
  change c = {.mode = ADD_INTEGER, .value = {SW_MAP_BIGINT, 8, NULL}, .integer = amount};
  int status = swi_key_of(m, type, key, length, &c.key);
  return status == SW_OK ? perform(m, &c) : status;
}
