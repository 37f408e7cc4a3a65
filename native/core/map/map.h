/* What the map's files share.
 *
 *   map.c     the calls: new, open, free; the number of entries
 *   table.c   tables of buckets: growth, and the way to a bucket
 *   find.c    keys, entries, reading
 *   change.c  adding, replacing, deleting
 *   evict.c   what makes room: SW_MAP_LRU, SW_MAP_TTL
 *   walk.c    walks, checks, blocks
 *
 * A bucket is one word, which decides. Whatever it leads to never changes while it leads there: a
 * change makes a new entry (and, of several, a new block), and one compare-exchange of the word.
 *
 *   word                      state       next
 *   version 0, own table      unborn      a helper moves the parent's entries here -> content;
 *                                         where the parent has none for it, it is an empty bucket:
 *                                         a change [K1] -> content, growth [K1] -> forwarded
 *   content                   living      a change [K1] -> content, version + 1
 *                                         growth [K1] -> frozen
 *                                         growth [K1], of an empty one -> forwarded
 *   content, frozen           frozen      the children that get entries are born -> forwarded
 *   version 0, frozen         forwarded   none: the children have the entries
 *   version 0, dead           dead        none: the map is being freed
 *
 * A reader copies what it wants, and looks at the word again: when it is the same, what it copied
 * was there, because a block is filled again only behind the exchange that took it away.
 *
 *   a writer                                  a reader
 *     take a block, fill it      [K4]           load the word               [K2]
 *     exchange the word          [K1]           copy                        [K3]
 *     the old block is filled    [K4]           load the word again
 *
 * Ordering edges:
 *   [K1] the exchange that publishes an entry or a block, pairs with
 *   [K2] the load of a bucket's word: what it leads to is seen. It also comes before the look at
 *        the map's life: a word that was loaded while the map was there is one of the map.
 *   [K3] the loads of what an entry or a block holds, pair with
 *   [K4] the stores that fill it: a reader that sees the fill sees the exchange before it, so its
 *        second look finds another word.
 *   [K5] the exchange that publishes a table, pairs with the loads of `next` and of the root.
 *
 * Growth. `next` of the table gets a table of twice the buckets, all unborn. A bucket is moved like
 * this, by any participant that comes to it, and by each change a few more:
 *
 *   freeze it [K1]; for each child that gets entries: exchange unborn -> its entries [K1];
 *   exchange frozen -> forwarded [K1], and free the old block
 *
 * An empty bucket is exchanged for forwarded at once. What a child gets nothing of is told by the
 * word alone: of none, or of a single entry, which goes to the other child. Such a child stays
 * unborn, and no helper, however late, gives it anything. So behind a forwarded parent, and in the
 * first table, unborn means empty.
 *
 * A child is never unborn again, so a helper that comes late, or a second one, changes nothing. A
 * reader of a frozen bucket looks at the child first; while that is unborn the old entries count,
 * and its second look is whether that is so still. The fingerprint of a single entry begins with
 * the bit that says which child it belongs to: the entry itself may be freed, and be something else
 * by then, when the other child is not born yet. When all are forwarded the root moves on. Old
 * tables stay until the map is freed: an exchange that comes late must find buckets there.
 *
 * What a crash leaves: before an exchange, blocks that no word leads to; behind it, blocks that it
 * has replaced; a bucket that is frozen, or whose children are not all born, which the next
 * participant goes on with; and a number of entries that is off by one. */
#ifndef SABWAY_CORE_MAP_H
#define SABWAY_CORE_MAP_H

#include "base/peer.h"
#include "sabway/map.h"

/* For what is called for each key that is read or changed. */
#define SWI_MAP_INLINE static inline __attribute__((always_inline))

/* How often a call begins anew because others have changed what it reads. */
enum { SWI_MAP_TRIES = 1024, SWI_MAP_LEVELS = 32, SWI_MAP_CHUNK = 8 };

/* ---- a bucket's word ---- */

#define SWI_MAP_FROZEN ((uint64_t)1 << 31)

static inline uint32_t swi_word_version(uint64_t word) { return (uint32_t)(word >> 40); }
static inline uint32_t swi_word_print(uint64_t word) { return (uint32_t)(word >> 32) & 255; }
static inline uint32_t swi_word_count(uint64_t word) { return (uint32_t)word >> 28 & 7; }
static inline uint32_t swi_word_offset(uint64_t word) { return (uint32_t)word << 4; }
static inline bool swi_word_frozen(uint64_t word) { return (word & SWI_MAP_FROZEN) != 0; }

static inline uint64_t swi_word_of(uint32_t print, uint32_t count, uint32_t offset) {
  return (uint64_t)(print & 255) << 32 | count << 28 | offset >> 4;
}

/* The word that follows `old`, with that content. */
static inline uint64_t swi_word_next(uint64_t old, uint64_t content) {
  uint32_t version = (swi_word_version(old) + 1) & 0xffffff;
  return (uint64_t)(version == 0 ? 1 : version) << 40 | content;
}

/* Words without content, of the table at an offset. */
static inline uint64_t swi_word_unborn(uint32_t table) { return SWI_MAP_FROZEN | table >> 4; }
static inline uint64_t swi_word_forwarded(uint32_t table) { return SWI_MAP_FROZEN | 1u << 28 | table >> 4; }
static inline uint64_t swi_word_dead(uint32_t table) { return SWI_MAP_FROZEN | 2u << 28 | table >> 4; }

/* A half of a word that belongs to the block at `owner`. */
static inline uint64_t swi_word_owned(uint32_t owner, uint32_t half) { return (uint64_t)owner << 32 | half; }

/* ---- places ---- */

typedef struct swi_table {
  uint32_t at, log2;
  uint64_t *bucket;
} swi_table;

/* Where the entries of a hash are. */
typedef struct swi_spot {
  swi_table table;
  uint64_t *bucket; /* the one that is exchanged */
  uint64_t word;    /* its content */
  /* the second look: what was read was there when this is so still */
  const uint64_t *look;
  uint64_t seen;
} swi_spot;

/* A key, whose first eight bytes are in a word. */
typedef struct swi_key {
  const uint8_t *bytes;
  uint64_t first;
  uint32_t type, length, hash;
} swi_key;

/* The content of a bucket: `pairs` is NULL of one entry, which is `single`. */
typedef struct swi_content {
  const uint64_t *pairs;
  uint32_t count, single;
  uint32_t block, bytes; /* where `pairs` is in, or zero */
} swi_content;

/* An entry, as a reader found it. */
typedef struct swi_found {
  uint32_t at, index;
  uint32_t type, length; /* of the value */
  uint32_t value;        /* offset */
  uint64_t shape;
} swi_found;

static inline uint64_t *swi_map_word(const sw_map_handle *m, uint32_t at) { return (uint64_t *)(void *)(m->base + at); }
static inline const uint64_t *swi_map_look(const sw_map_handle *m, uint32_t at) {
  return (const uint64_t *)(const void *)(m->base + at);
}

/* Are there so many bytes of the heap? `at` is a multiple of 16. */
static inline bool swi_map_inside(const sw_map_handle *m, uint32_t at, uint64_t bytes) {
  return at >= m->begin && at < m->end && bytes <= m->end - at;
}

/* [K3] */
static inline uint64_t swi_map_part(const uint64_t *word) { return sw_peer_load64_acquire(word); }

/* [K4] */
static inline void swi_map_fill(uint64_t *word, uint64_t value) { sw_fill64(word, value); }

static inline uint32_t swi_map_padded(uint32_t bytes) { return (bytes + 7) & ~7u; }

static inline uint32_t swi_entry_time(uint64_t shape) { return (shape & SW_MAP_EXPIRES) != 0 ? 8 : 0; }
static inline uint32_t swi_entry_hash(uint64_t shape) { return (uint32_t)(shape >> 32); }
/* Bytes of an entry of that shape and lengths. */
static inline uint64_t swi_entry_bytes(uint64_t shape, uint64_t lengths) {
  return sizeof(sw_map_entry) + swi_entry_time(shape) + (((uint64_t)(uint32_t)lengths + 7) & ~7ull) +
         (((lengths >> 32) + 7) & ~7ull);
}

/* ---- table.c ---- */

/* Sees the table at an offset. Errors: SW_ECORRUPT. */
int swi_table_open(const sw_map_handle *m, uint32_t at, swi_table *table);
/* Sees the one that it grows to: 1, or 0: there is none. Errors: SW_EFREED, SW_ECORRUPT. */
int swi_table_next(const sw_map_handle *m, const swi_table *table, swi_table *next);
/* A new one, all of whose words are unborn, or living and empty. 0 with heap->status. */
uint32_t swi_table_new(sw_map_handle *m, uint32_t log2, uint32_t previous, bool born);
/* Looks at the root's table first from now on. */
int swi_table_refresh(sw_map_handle *m);
static inline swi_table swi_table_first(const sw_map_handle *m) { return (swi_table){m->table, m->log2, m->bucket}; }
/* Where the entries of the hash are. For a change: a frozen bucket is moved first. Errors:
 * SW_EFREED, SW_ECORRUPT, and of a change those of the heap. */
int swi_table_find(sw_map_handle *m, uint32_t hash, bool change, swi_spot *spot);
/* Moves the entries of one bucket. Errors: likewise. */
int swi_table_move(sw_map_handle *m, const swi_table *table, uint32_t index, const swi_table *next);
/* The head of the table whose buckets those are. */
static inline sw_map_table *swi_table_header(uint64_t *bucket) { return (sw_map_table *)(void *)bucket - 1; }
/* A few buckets more of the first table, which grows. */
void swi_table_move_some(sw_map_handle *m);
/* Behind a change: goes on with a growth that is under way. */
static inline void swi_table_help(sw_map_handle *m) {
  /* a hint */
  if ((uint32_t)sw_peer_load64_relaxed(&swi_table_header(m->bucket)->next) != 0) swi_table_move_some(m);
}
/* Begins to grow, if no participant has. */
void swi_table_grow(sw_map_handle *m);
/* Behind an added entry: begins to grow when there are too many. `crowd`: of its bucket. */
void swi_table_consider(sw_map_handle *m, uint32_t crowd);

/* ---- find.c ---- */

/* Errors: SW_EINVAL, SW_ERANGE. */
int swi_key_of(const sw_map_handle *m, uint32_t type, const void *bytes, uint32_t length, swi_key *key);
swi_key swi_key_number(const sw_map_handle *m, double key);
/* That of a number, whose bits and hash are known. */
static inline swi_key swi_key_known(uint64_t bits, uint32_t hash) {
  return (swi_key){NULL, bits, SW_MAP_NUMBER, 8, hash};
}
/* The word number i of so many bytes, with zeros behind them. */
uint64_t swi_bytes_word(const uint8_t *bytes, uint32_t length, uint32_t i);
/* Errors: SW_ECORRUPT, which may mean that the word is another meanwhile. */
int swi_content_of(const sw_map_handle *m, uint64_t word, swi_content *content);
static inline uint64_t swi_content_pair(const sw_map_handle *m, const swi_content *content, uint32_t i) {
  if (content->pairs != NULL) return swi_map_part(&content->pairs[i]);
  uint64_t shape = swi_map_part(swi_map_look(m, content->single));
  return (uint64_t)swi_entry_hash(shape) << 32 | content->single;
}
/* The key's entry: 1, or 0. Errors: SW_ECORRUPT, likewise. */
int swi_content_find(const sw_map_handle *m, const swi_spot *spot, const swi_content *content, const swi_key *key,
                     swi_found *found);
/* Is the entry at that offset the key's? Then `found` has where, but for its index. */
bool swi_entry_is(const sw_map_handle *m, uint32_t at, const swi_key *key, swi_found *found);
/* The second look. */
static inline bool swi_spot_holds(const swi_spot *spot) { return sw_peer_load64_relaxed(spot->look) == spot->seen; }
bool swi_entry_expired(const sw_map_handle *m, const swi_found *found);

/* ---- change.c ---- */

uint32_t swi_map_take(sw_map_handle *m, uint32_t bytes);
void swi_map_give(sw_map_handle *m, uint32_t at, uint64_t bytes);
/* What becomes of a content: that of its word, and the block that it is in, which is not published
 * yet. */
typedef struct swi_made {
  uint64_t content; /* of the word */
  uint32_t block, bytes, count;
} swi_made;
/* The content without the entry `skip` (or UINT32_MAX) and with the pair `add` (or zero). 1, or an
 * error of the heap. */
int swi_content_make(sw_map_handle *m, const swi_content *content, uint32_t log2, uint32_t skip, uint64_t add,
                     swi_made *made);
/* Those of several entries whose hashes have that bit: for the child of a bucket that grows. 1, or
 * an error of the heap. */
int swi_content_split(sw_map_handle *m, const swi_content *content, uint32_t log2, uint32_t side, swi_made *made);
/* Deletes the entry number `index` of the spot, if it is so still. Returns 1 or 0, or an error. */
int swi_map_remove(sw_map_handle *m, const swi_spot *spot, const swi_content *content, uint32_t index);

/* Takes all entries out of the bucket at once, if it is so still. */
bool swi_map_empty(const swi_spot *spot);

/* ---- map.c ---- */

void swi_map_count(sw_map_handle *m, int32_t more);

/* ---- evict.c ---- */

/* Notes that the bucket was used; `added`: by a new entry. */
void swi_map_mark(sw_map_handle *m, const swi_spot *spot, bool added);
/* A bucket's entries have moved: so does what is noted of them. */
void swi_map_mark_child(sw_map_handle *m, const swi_spot *parent, const swi_spot *child);
/* Behind an added entry: makes room. */
void swi_map_make_room(sw_map_handle *m);
/* Removes what has expired of the bucket of that hash. Returns how many. */
int swi_map_drop_expired(sw_map_handle *m, uint32_t hash);

#endif
