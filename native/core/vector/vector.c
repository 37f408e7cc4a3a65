/* Vectors.
 *
 * `length` decides what is there. The lock is of those that change it, or that move elements:
 *
 *   push    the element, then length + 1                     [V1]
 *   pop     the element is copied, then length - 1
 *   clear   length := 0
 *   delete  until := length - 1, moving := 1 + index         what a crash interrupts is ended by
 *           version odd                                      the next holder of the lock, which
 *           each element behind: to the place before it,     goes on at `moving`: to copy an
 *             moving counts up                               element once more changes nothing
 *           length := until, version even, moving := 0
 *   set     of several components: the element to the spare   likewise: it is copied once more
 *           place, until := index, moving := WRITING,
 *           version odd, the element to its place,
 *           version even, moving := 0
 *
 * A reader looks at the length, copies, and looks at the length again: what a pop and the next push
 * did meanwhile to that place it does not return. An element of several components is copied
 * between two looks at an even version that is the same [V2].
 *
 * Ordering edges:
 *   [V1] the release store of a `length` that is more, pairs with the acquire load of it by a
 *   reader: the element
 *        and its segment are seen.
 *   [V2] the stores of an element of several components release the odd version, and pair with the
 *        acquire loads of a reader, whose second look at the version then differs; the release
 *        store of the even one, with the acquire load of the first look: what was written is seen.
 *
 * What a crash leaves: an element that is not there yet, or is; a segment that no table leads to;
 * or `moving`, and then the next holder of the lock ends it. */
#include "sabway/vector.h"

#include "base/peer.h"
#include "core/objects/lock.h"
#include "sabway/mutex.h"

enum {
  USUAL = 16, /* elements of segment 0 */
  TRIES = 16  /* of a reader, before it takes the lock */
};
#define WRITING ((uint32_t)SW_VECTOR_WRITING)

/* What one call knows of a vector: copies of what does not change, within bounds. */
typedef struct view {
  sw_vector *vector;
  sw_vector_table *table;
  uint32_t size, base; /* bytes of an element; log2 of the elements of segment 0 */
  bool wide;           /* it has several components */
  uint32_t first;      /* offset of segment 0 */
} view;

static uint64_t end_of(const sw_heap *h) { return h->begin + (uint64_t)h->count * SW_HEAP_PAGE; }

SWI_INLINE sw_vector *vector_at(const sw_heap *h, uint32_t at) { return (sw_vector *)(void *)(h->base + at); }

/* Room for one element that is being written. */
SWI_INLINE uint32_t spare_of(uint32_t size, bool wide) {
  return wide ? (size + SW_HEAP_UNIT - 1) / SW_HEAP_UNIT * SW_HEAP_UNIT : 0;
}

SWI_INLINE bool is_within(const sw_heap *h, uint32_t at, uint64_t bytes) {
  return at >= h->begin && at % SW_HEAP_UNIT == 0 && at + bytes <= end_of(h);
}

/* What is at `at` as a vector: false, when a hostile peer has changed what it is. */
SWI_INLINE bool see(const sw_heap *h, uint32_t at, view *v) {
  v->vector = vector_at(h, at);
  uint32_t shape = sw_peer_load_relaxed(&v->vector->shape), table = sw_peer_load_relaxed(&v->vector->table);
  v->size = sw_component_bytes(shape & 0xff) * (shape >> 16);
  v->wide = shape >> 16 > 1;
  v->base = shape >> 8 & 0xff;
  if (v->size - 1 >= SW_VECTOR_WIDEST || v->base > 30) return false;
  v->first = table + (uint32_t)sizeof(sw_vector_table) + spare_of(v->size, v->wide);
  if (!is_within(h, table, v->first - table + ((uint64_t)v->size << v->base))) return false;
  v->table = (sw_vector_table *)(void *)(h->base + table);
  return true;
}

/* Errors: SW_ECORRUPT; as sw_object_check. */
static int look(const sw_heap *h, uint32_t at, uint32_t generation, view *v) {
  int status = sw_object_check(h, at, SW_TYPE_VECTOR, generation);
  if (status != SW_OK) return status;
  return see(h, at, v) ? SW_OK : SW_ECORRUPT;
}

/* ---- places ---- */

/* The segment that has an element: 0, or k, which begins with element 1 << (base + k - 1). */
SWI_INLINE uint32_t segment_of(const view *v, uint32_t index) {
  uint32_t part = index >> v->base;
  return part == 0 ? 0 : 32 - (uint32_t)__builtin_clz(part);
}

SWI_INLINE uint32_t first_of(const view *v, uint32_t segment) {
  return segment == 0 ? 0 : (uint32_t)1 << (v->base + segment - 1);
}

static uint32_t room_of(const view *v, uint32_t segment) {
  return (uint32_t)1 << (v->base + (segment == 0 ? 0 : segment - 1));
}

/* The place of an element, or NULL: its segment is not there, or a peer has moved it out of the
 * heap. */
SWI_INLINE uint8_t *slot(const sw_heap *h, const view *v, uint32_t index) {
  uint32_t segment = segment_of(v, index);
  if (segment == 0) return h->base + v->first + index * v->size;
  /* ordered by [V1], or by the lock */
  uint32_t at = sw_peer_load_relaxed(&v->table->segment[segment]);
  uint64_t offset = (uint64_t)(index - first_of(v, segment)) * v->size;
  return is_within(h, at, offset + v->size) ? h->base + at + offset : NULL;
}

/* ---- elements: `private` is the caller's own memory ---- */

static void put(uint8_t *place, const uint8_t *private, uint32_t size) {
  if (size == 4) {
    uint32_t word;
    __builtin_memcpy(&word, private, 4);
    sw_fill((uint32_t *)(void *)place, word); /* [V2] */
  } else if (size % 8 == 0) {
    for (uint32_t i = 0; i < size; i += 8) {
      uint64_t word;
      __builtin_memcpy(&word, private + i, 8);
      sw_fill64((uint64_t *)(void *)(place + i), word); /* [V2] */
    }
  } else if (size % 4 == 0) {
    for (uint32_t i = 0; i < size; i += 4) {
      uint32_t word;
      __builtin_memcpy(&word, private + i, 4);
      sw_fill((uint32_t *)(void *)(place + i), word); /* [V2] */
    }
  } else {
    for (uint32_t i = 0; i < size; i++) ((volatile uint8_t *)place)[i] = private[i];
  }
}

static void take(uint8_t *private, const uint8_t *place, uint32_t size) {
  if (size % 8 == 0) {
    for (uint32_t i = 0; i < size; i += 8) {
      const void *from = place + i;
      uint64_t word = sw_peer_load64_acquire((const uint64_t *)from); /* [V2] */
      __builtin_memcpy(private + i, &word, 8);
    }
  } else if (size % 4 == 0) {
    for (uint32_t i = 0; i < size; i += 4) {
      uint32_t word = sw_peer_load_acquire((const uint32_t *)(const void *)(place + i)); /* [V2] */
      __builtin_memcpy(private + i, &word, 4);
    }
  } else {
    for (uint32_t i = 0; i < size; i++) private[i] = ((const volatile uint8_t *)place)[i];
  }
}

/* ---- the lock ---- */

static void begin_change(const view *v) {
  sw_store_relaxed(&v->vector->version, sw_peer_load_relaxed(&v->vector->version) | 1);
  sw_fence_fill(); /* [V2] */
}

static void end_change(const view *v) {
  uint32_t odd = sw_peer_load_relaxed(&v->vector->version) | 1;
  sw_store_release(&v->vector->version, odd + 1); /* [V2] */
  sw_store_relaxed(&v->vector->moving, 0);
}

/* Move elements, from the one that `moving` tells, up to `until`. SW_ECORRUPT: a segment is not
 * there. */
static int move(const sw_heap *h, const view *v, uint32_t until) {
  uint32_t index = sw_peer_load_relaxed(&v->vector->moving) - 1;
  uint8_t element[SW_VECTOR_WIDEST];
  while (index < until) {
    uint8_t *to = slot(h, v, index), *from = slot(h, v, index + 1);
    if (to == NULL || from == NULL) return SW_ECORRUPT;
    /* up to the end of the segment that `from` is in: there they lie side by side */
    uint32_t segment = segment_of(v, index + 1), end = first_of(v, segment) + room_of(v, segment);
    do {
      take(element, from, v->size);
      put(to, element, v->size);
      to = from;
      from += v->size;
      index++;
      /* a crash must not leave it without the element */
      sw_fill(&v->vector->moving, index + 1);
    } while (index < until && index + 1 < end);
  }
  return SW_OK;
}

/* End what a holder that died was about. */
static int mend(const sw_heap *h, const view *v) {
  uint32_t moving = sw_peer_load_relaxed(&v->vector->moving), until = sw_peer_load_relaxed(&v->vector->until);
  int status = SW_OK;
  begin_change(v);
  if (moving == WRITING) {
    uint8_t *place = slot(h, v, until), element[SW_VECTOR_WIDEST];
    if (place != NULL) {
      take(element, h->base + v->first - spare_of(v->size, v->wide), v->size);
      put(place, element, v->size);
    }
  } else if (moving != 0) {
    if (until >= SW_VECTOR_MOST) until = 0; /* a hostile peer has written it */
    status = move(h, v, until);
    sw_store_relaxed(&v->vector->length, until);
  }
  end_change(v);
  return status;
}

static void unlock(const sw_heap *h, const view *v) { sw_mutex_unlock(h->base, &v->vector->object.lock, h->endpoint); }

/* Lock, and see the vector. On an error it is not locked. */
static int enter(const sw_heap *h, uint32_t at, uint32_t generation, view *v) {
  bool at_once = swi_object_lock(h, at, SW_TYPE_VECTOR, generation) != NULL;
  int locked = at_once ? SW_OK : swi_object_lock_slowly(h, at, SW_TYPE_VECTOR, generation);
  if (locked != SW_OK && locked != SW_EOWNERDEAD) return locked;
  sw_mutex *lock = &((sw_vector *)(void *)(h->base + at))->object.lock;
  int status = see(h, at, v) ? SW_OK : SW_ECORRUPT;
  if (locked == SW_EOWNERDEAD) {
    if (status == SW_OK) status = mend(h, v);
    sw_mutex_consistent(h->base, lock, h->endpoint);
  }
  if (status != SW_OK) sw_mutex_unlock(h->base, lock, h->endpoint);
  return status;
}

/* ---- making ---- */

uint32_t sw_vector_new(sw_heap *h, uint32_t type, uint32_t components, uint32_t capacity) {
  uint32_t bytes = sw_component_bytes(type), base = 0;
  h->status = bytes == 0 ? SW_EINVAL : SW_ERANGE;
  if (bytes == 0 || components - 1 >= SW_VECTOR_WIDEST / bytes) return 0;
  if (capacity > (uint32_t)1 << 30) return 0;
  if (capacity == 0) capacity = USUAL;
  while ((uint32_t)1 << base < capacity) base++;
  uint32_t size = bytes * components;
  uint64_t whole = sizeof(sw_vector_table) + spare_of(size, components > 1) + ((uint64_t)size << base);
  h->status = SW_EHEAPFULL;
  if (whole > UINT32_MAX) return 0;
  uint32_t table = sw_heap_alloc(h, (uint32_t)whole);
  if (table == 0) return 0;
  uint32_t *segments = ((sw_vector_table *)(void *)(h->base + table))->segment;
  for (uint32_t i = 0; i < SW_VECTOR_SEGMENTS; i++) sw_store_relaxed(&segments[i], 0);
  uint32_t at = sw_object_new(h, SW_TYPE_VECTOR);
  if (at == 0) {
    int status = h->status;
    sw_heap_free(h, table);
    h->status = status;
    return 0;
  }
  sw_store_relaxed(&segments[0], table + (uint32_t)(whole - ((uint64_t)size << base)));
  sw_store_relaxed(&vector_at(h, at)->shape, type | base << 8 | components << 16);
  sw_store_relaxed(&vector_at(h, at)->table, table);
  return at;
}

uint32_t sw_vector_length(const sw_heap *h, uint32_t at) {
  return sw_peer_load_acquire(&vector_at(h, at)->length); /* [V1] */
}

/* ---- growing and shrinking ---- */

/* There is a place for the element with that index. For the holder of the lock. */
static int make_room(sw_heap *h, const view *v, uint32_t index) {
  uint32_t segment = segment_of(v, index);
  if (index >= SW_VECTOR_MOST) return SW_ERANGE;
  if (segment == 0 || sw_peer_load_relaxed(&v->table->segment[segment]) != 0) return SW_OK;
  uint64_t bytes = (uint64_t)room_of(v, segment) * v->size;
  if (bytes > UINT32_MAX) return SW_EHEAPFULL;
  uint32_t at = sw_heap_alloc(h, (uint32_t)bytes);
  if (at == 0) return h->status;
  sw_store_relaxed(&v->table->segment[segment], at); /* published by [V1] */
  return SW_OK;
}

/* Growth, other holders, and all that is wrong. */
__attribute__((noinline)) static int push_slowly(sw_heap *h, uint32_t at, uint32_t generation, const void *from) {
  view v;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  uint32_t length = sw_peer_load_relaxed(&v.vector->length);
  status = make_room(h, &v, length);
  if (status == SW_OK) {
    uint8_t *place = slot(h, &v, length);
    if (place == NULL) {
      status = SW_ECORRUPT;
    } else {
      put(place, from, v.size);
      sw_store_release_unless(h->ordered, &v.vector->length, length + 1); /* [V1] */
    }
  }
  unlock(h, &v);
  return status;
}

/* The place of an element of four bytes, the most frequent kind: as `see` and `slot`, in a third of
 * the instructions. NULL: it takes those. */
SWI_INLINE uint32_t *word_slot(const sw_heap *h, const sw_vector *vector, uint32_t index) {
  uint32_t shape = sw_peer_load_relaxed(&vector->shape), table = sw_peer_load_relaxed(&vector->table) - h->begin;
  uint32_t bytes = h->count * SW_HEAP_PAGE, base = shape >> 8 & 0xff;
  if ((shape & 0xffff00f0) != (1 << 16 | 2 << 4) || base > 30) return NULL;
  if (table >= bytes - sizeof(sw_vector_table) || table % SW_HEAP_UNIT != 0) return NULL;
  uint32_t part = index >> base, at = table + (uint32_t)sizeof(sw_vector_table);
  if (part != 0) {
    uint32_t segment = 32 - (uint32_t)__builtin_clz(part);
    const sw_vector_table *segments = (const sw_vector_table *)(const void *)(h->base + h->begin + table);
    /* ordered by the lock */
    at = sw_peer_load_relaxed(&segments->segment[segment]) - h->begin;
    index -= (uint32_t)1 << (base + segment - 1);
  }
  if (at >= bytes || at % 4 != 0 || index >= (bytes - at) / 4) return NULL;
  return (uint32_t *)(void *)(h->base + h->begin + at) + index;
}

/* Append an element, where there is room for it. For the holder of the lock. */
SWI_INLINE bool append(const sw_heap *h, uint32_t at, const void *from) {
  view v = {.vector = vector_at(h, at)};
  uint32_t length = sw_peer_load_relaxed(&v.vector->length);
  if (length >= SW_VECTOR_MOST) return false;
  uint32_t *word = word_slot(h, v.vector, length);
  if (word != NULL) {
    uint32_t value;
    __builtin_memcpy(&value, from, 4);
    sw_fill(word, value); /* [V2] */
  } else {
    uint8_t *place = see(h, at, &v) ? slot(h, &v, length) : NULL;
    if (place == NULL) return false;
    put(place, from, v.size);
  }
  sw_store_release_unless(h->ordered, &v.vector->length, length + 1); /* [V1] */
  return true;
}

int sw_vector_push(sw_heap *h, uint32_t at, uint32_t generation, const void *from) {
  sw_object *object = swi_object_lock(h, at, SW_TYPE_VECTOR, generation);
  if (object == NULL) return push_slowly(h, at, generation, from);
  bool done = append(h, at, from);
  if (!swi_object_unlock(h, object)) sw_mutex_unlock(h->base, &object->lock, h->endpoint);
  return done ? SW_OK : push_slowly(h, at, generation, from);
}

int sw_vector_begin_push(sw_heap *h, uint32_t at, uint32_t generation, uint32_t count) {
  view v;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  uint32_t length = sw_peer_load_relaxed(&v.vector->length), last = length + count;
  if (count > SW_VECTOR_MOST || last > SW_VECTOR_MOST) status = SW_ERANGE;
  /* the first element of each segment that is needed, and the last of all */
  for (uint32_t index = length; status == SW_OK && index < last;) {
    uint32_t segment = segment_of(&v, index);
    status = make_room(h, &v, index);
    if (status == SW_OK && slot(h, &v, index) == NULL) status = SW_ECORRUPT;
    index = first_of(&v, segment) + room_of(&v, segment);
  }
  if (status != SW_OK) unlock(h, &v);
  return status;
}

void sw_vector_end_push(sw_heap *h, uint32_t at, uint32_t count) {
  sw_vector *vector = vector_at(h, at);
  sw_store_release(&vector->length, sw_peer_load_relaxed(&vector->length) + count); /* [V1] */
  sw_mutex_unlock(h->base, &vector->object.lock, h->endpoint);
}

int sw_vector_pop(sw_heap *h, uint32_t at, uint32_t generation, void *to) {
  view v;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  uint32_t length = sw_peer_load_relaxed(&v.vector->length);
  if (length != 0) {
    const uint8_t *place = length <= SW_VECTOR_MOST ? slot(h, &v, length - 1) : NULL;
    status = place == NULL ? SW_ECORRUPT : 1;
    if (status == 1) {
      take(to, place, v.size);
      sw_store_relaxed(&v.vector->length, length - 1);
    }
  }
  unlock(h, &v);
  return status;
}

int sw_vector_delete(sw_heap *h, uint32_t at, uint32_t generation, uint32_t index) {
  view v;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  uint32_t length = sw_peer_load_relaxed(&v.vector->length);
  if (length > SW_VECTOR_MOST) status = SW_ECORRUPT;
  bool is_there = status == SW_OK && index < length;
  if (is_there) {
    sw_store_relaxed(&v.vector->until, length - 1);
    sw_store_release(&v.vector->moving, index + 1); /* a crash must not leave it without `until` */
    begin_change(&v);
    status = move(h, &v, length - 1);
    if (status == SW_OK) {
      sw_store_relaxed(&v.vector->length, length - 1);
      status = 1;
    }
    end_change(&v);
  }
  unlock(h, &v);
  return status;
}

int sw_vector_clear(sw_heap *h, uint32_t at, uint32_t generation) {
  view v;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  sw_store_relaxed(&v.vector->length, 0);
  unlock(h, &v);
  return SW_OK;
}

/* ---- elements in their places ---- */

/* One try: 1, or 0 when it is not there; SW_EBUSY: it was changed meanwhile. */
static int read(const sw_heap *h, const view *v, uint32_t index, void *to) {
  uint32_t version = v->wide ? sw_peer_load_acquire(&v->vector->version) : 0; /* [V2] */
  if (index >= sw_peer_load_acquire(&v->vector->length)) return 0;            /* [V1] */
  if ((version & 1) != 0) return SW_EBUSY;
  const uint8_t *place = index < SW_VECTOR_MOST ? slot(h, v, index) : NULL;
  if (place == NULL) return SW_ECORRUPT;
  take(to, place, v->size);
  if (v->wide && sw_peer_load_relaxed(&v->vector->version) != version) return SW_EBUSY;
  return index < sw_peer_load_relaxed(&v->vector->length);
}

int sw_vector_get(sw_heap *h, uint32_t at, uint32_t generation, uint32_t index, void *to) {
  view v;
  int status = look(h, at, generation, &v);
  if (status != SW_OK) return status;
  status = SW_EBUSY;
  for (uint32_t tries = 0; status == SW_EBUSY && tries < TRIES; tries++) status = read(h, &v, index, to);
  if (status == SW_EBUSY) {
    status = enter(h, at, generation, &v);
    if (status != SW_OK) return status;
    status = read(h, &v, index, to);
    unlock(h, &v);
    /* only a holder of the lock makes the version odd */
    if (status == SW_EBUSY) status = SW_ECORRUPT;
  }
  if (status != 0) return status;
  /* a vector that was freed has no elements, and that is not what it had */
  int there = sw_object_check(h, at, SW_TYPE_VECTOR, generation);
  return there == SW_OK ? 0 : there;
}

int sw_vector_set(sw_heap *h, uint32_t at, uint32_t generation, uint32_t index, const void *from) {
  view v;
  int status = look(h, at, generation, &v);
  bool wide = status == SW_OK && v.wide;
  if (wide) status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  if (index < sw_peer_load_acquire(&v.vector->length)) { /* [V1] */
    uint8_t *place = index < SW_VECTOR_MOST ? slot(h, &v, index) : NULL;
    status = place == NULL ? SW_ECORRUPT : 1;
    if (status == 1 && wide) {
      put(h->base + v.first - spare_of(v.size, v.wide), from, v.size);
      sw_store_relaxed(&v.vector->until, index);
      /* a crash must not leave it without the element */
      sw_store_release(&v.vector->moving, WRITING);
      begin_change(&v);
      put(place, from, v.size);
      end_change(&v);
    } else if (status == 1) {
      put(place, from, v.size);
    }
  }
  if (wide) unlock(h, &v);
  return status;
}

uint32_t sw_vector_locate(const sw_heap *h, uint32_t at, uint32_t generation, uint32_t index) {
  view v;
  if (look(h, at, generation, &v) != SW_OK) return 0;
  uint32_t length = sw_peer_load_acquire(&v.vector->length); /* [V1] */
  if (index >= length || index >= SW_VECTOR_MOST) return 0;
  const uint8_t *place = slot(h, &v, index);
  return place == NULL ? 0 : (uint32_t)(place - h->base);
}

/* ---- the end ---- */

int sw_vector_free(sw_heap *h, uint32_t at, uint32_t generation) {
  view v;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  status = sw_object_begin_free(h, at, SW_TYPE_VECTOR, generation);
  if (status != SW_OK) {
    unlock(h, &v);
    return status;
  }
  sw_store_relaxed(&v.vector->length, 0); /* what others do from now on finds nothing */
  for (uint32_t segment = 1; segment < SW_VECTOR_SEGMENTS; segment++) {
    uint32_t block = sw_peer_load_relaxed(&v.table->segment[segment]);
    if (block != 0) sw_heap_free(h, block);
  }
  sw_heap_free(h, (uint32_t)((uint8_t *)v.table - h->base));
  unlock(h, &v);
  sw_object_end_free(h, at);
  return SW_OK;
}

/* Are the segments there that the length needs, and large enough? */
static int check_segments(sw_heap *h, const view *v, uint32_t length) {
  for (uint32_t segment = 1; segment < SW_VECTOR_SEGMENTS; segment++) {
    uint32_t block = sw_peer_load_relaxed(&v->table->segment[segment]);
    bool needed = v->base + segment - 1 < 31 && first_of(v, segment) < length;
    if (block == 0 && !needed) continue;
    if (v->base + segment - 1 >= 31 || sw_heap_usable(h, block) < (uint64_t)room_of(v, segment) * v->size)
      return SW_ECORRUPT;
  }
  return SW_OK;
}

int sw_vector_check(sw_heap *h, uint32_t at, uint32_t generation) {
  view v;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  uint32_t length = sw_peer_load_relaxed(&v.vector->length), table = (uint32_t)((uint8_t *)v.table - h->base);
  bool whole = length <= SW_VECTOR_MOST && sw_peer_load_relaxed(&v.vector->moving) == 0 &&
               sw_peer_load_relaxed(&v.vector->version) % 2 == 0 &&
               sw_heap_usable(h, table) >= v.first - table + ((uint64_t)v.size << v.base);
  status = whole ? check_segments(h, &v, length) : SW_ECORRUPT;
  unlock(h, &v);
  return status;
}
