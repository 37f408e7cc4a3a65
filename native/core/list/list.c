/* Lists.
 *
 * The list is what can be reached from `head` by `next`. Each change of it is one store:
 *
 *   insert   the node, then `next` of the last one, or head := node                    [N1]
 *   delete   `next` of the one before, or head := the one behind; version; free        [N2]
 *   set      likewise := a new node, whose `next` is the one behind; version; free     [N1] [N2]
 *   clear    garbage := head; head := 0; version; free them                            [N2]
 *
 * `previous`, tail and count follow from that. The holder of the lock keeps them, and makes them
 * anew when it has the lock from a dead one.
 *
 * A reader loads the version, and goes from node to node. What it has read of a node counts when
 * the version is still the same and it has a number: the node was in the list then. Else it begins
 * again, and looks for the first node with a higher number than the last one that counted.
 *
 * Numbers come to an end: then all nodes get new ones, in a new era, and a reader of an earlier one
 * goes on by its index.
 *
 * Ordering edges:
 *   [N1] the release store that links a node, pairs with the acquire load of `next` or head by a
 *        reader: the node is seen as it was filled.
 *   [N2] the version is raised by a release store behind the store that takes a node out, and pairs
 *        with the acquire load of a reader, which then does not come to the node. The stores that
 *        fill a freed block release that as well, and pair with the acquire loads of a reader that
 *        is in it: it sees another version at its second look, or no number.
 *
 * What a crash leaves: a node that is not linked yet, or not any more: one is lost. Behind
 * `garbage` the next holder of the lock goes on to free. */
#include "sabway/list.h"

#include "base/peer.h"
#include "core/objects/lock.h"
#include "sabway/mutex.h"
#include "sabway/vector.h"

enum {
/* Of a reader, before it takes the lock. The explorer tries each way in which a try can fail. */
#ifdef SW_FLAVOUR_MODEL
  TRIES = 2,
#else
  TRIES = 16,
#endif
  MORE = 64 /* nodes that a walk may meet beyond those that were counted */
};

/* What one call knows of a list. */
typedef struct view {
  sw_list *list;
  uint32_t at;
  uint32_t size;   /* bytes of an element */
  uint32_t stride; /* bytes of what is read of a node */
} view;

static uint64_t end_of(const sw_heap *h) { return h->begin + (uint64_t)h->count * SW_HEAP_PAGE; }

/* What is at `at` as a list: false, when a hostile peer has changed what it is. */
SWI_INLINE bool see(const sw_heap *h, uint32_t at, view *v) {
  v->list = (sw_list *)(void *)(h->base + at);
  v->at = at;
  uint32_t shape = sw_peer_load_relaxed(&v->list->shape);
  v->size = sw_component_bytes(shape & 0xff) * (shape >> 16);
  v->stride = (uint32_t)sizeof(sw_list_entry) + (v->size + 7) / 8 * 8;
  return v->size - 1 < SW_VECTOR_WIDEST;
}

/* Errors: SW_ECORRUPT; as sw_object_check. */
static int look(const sw_heap *h, uint32_t at, uint32_t generation, view *v) {
  int status = sw_object_check(h, at, SW_TYPE_LIST, generation);
  if (status != SW_OK) return status;
  return see(h, at, v) ? SW_OK : SW_ECORRUPT;
}

/* The node there, or NULL when none can be. */
static sw_node *node_at(const sw_heap *h, const view *v, uint32_t at) {
  if (at < h->begin || at % SW_HEAP_UNIT != 0 || at + sizeof(sw_node) + v->size > end_of(h)) return NULL;
  return (sw_node *)(void *)(h->base + at);
}

/* ---- elements: `private` is the caller's own memory ---- */

/* As words of 32 bits. The last one may have bytes that do not count: a block has them, too. */
static void put(sw_node *node, const uint8_t *private, uint32_t size) {
  uint32_t *words = (uint32_t *)(void *)(node + 1);
  for (uint32_t i = 0; i < size; i += 4) {
    uint32_t word = 0;
    for (uint32_t k = 0; k < 4 && i + k < size; k++) word |= (uint32_t) private[i + k] << 8 * k;
    sw_fill(&words[i / 4], word); /* [N2] */
  }
}

static void take(uint8_t *private, const sw_node *node, uint32_t size) {
  const uint32_t *words = (const uint32_t *)(const void *)(node + 1);
  for (uint32_t i = 0; i < size; i += 4) {
    uint32_t word = sw_peer_load_acquire(&words[i / 4]); /* [N2] */
    for (uint32_t k = 0; k < 4 && i + k < size; k++) private[i + k] = (uint8_t)(word >> 8 * k);
  }
}

/* ---- the lock ---- */

static void unlock(const sw_heap *h, const view *v) { sw_mutex_unlock(h->base, &v->list->object.lock, h->endpoint); }

static void raise_version(const sw_heap *h, const view *v) {
  uint32_t version = sw_peer_load_relaxed(&v->list->version) + 1;
  sw_store_release_unless(h->ordered, &v->list->version, version); /* [N2] */
}

/* What a reader knows of numbers is over. */
static void begin_era(const sw_heap *h, const view *v) {
  sw_store_relaxed(&v->list->era, sw_peer_load_relaxed(&v->list->era) + 1);
  raise_version(h, v);
}

/* As many nodes as the heap has room for: a walk that is longer goes in circles. */
static uint32_t most_nodes(const sw_heap *h) { return h->count * (SW_HEAP_PAGE / SW_HEAP_UNIT); }

/* Free the nodes from `garbage` on, which cannot be reached any more. */
static void free_garbage(sw_heap *h, const view *v) {
  uint32_t at = sw_peer_load_relaxed(&v->list->garbage);
  for (uint32_t steps = most_nodes(h); at != 0 && steps > 0; steps--) {
    sw_node *node = node_at(h, v, at);
    if (node == NULL || sw_peer_load_relaxed(&node->list) != v->at) break;
    uint32_t next = sw_peer_load_relaxed(&node->next);
    sw_store_owned(&v->list->garbage, next);
    sw_fill(&node->number, 0); /* [N2] */
    if (sw_heap_free(h, at) != SW_OK) break;
    at = next;
  }
  sw_store_relaxed(&v->list->garbage, 0);
}

/* Make anew what follows from the nodes, and end what a holder that died was about. */
static int mend(sw_heap *h, const view *v) {
  uint32_t head = sw_peer_load_relaxed(&v->list->head);
  /* it may have died before that, or in `renumber` */
  if (sw_peer_load_relaxed(&v->list->last) == UINT32_MAX) begin_era(h, v);
  else raise_version(h, v);
  if (sw_peer_load_relaxed(&v->list->garbage) != head) free_garbage(h, v);
  sw_store_relaxed(&v->list->garbage, 0);
  uint32_t previous = 0, count = 0, last = 0, steps = most_nodes(h);
  for (uint32_t at = head; at != 0; count++) {
    sw_node *node = node_at(h, v, at);
    if (node == NULL || steps-- == 0 || sw_peer_load_relaxed(&node->list) != v->at) return SW_ECORRUPT;
    sw_store_relaxed(&node->previous, previous);
    last = sw_peer_load_relaxed(&node->number);
    previous = at;
    at = sw_peer_load_relaxed(&node->next);
  }
  if (sw_peer_load_relaxed(&v->list->last) < last) sw_store_relaxed(&v->list->last, last);
  sw_store_relaxed(&v->list->tail, previous);
  sw_store_relaxed(&v->list->count, count);
  return SW_OK;
}

/* Lock, and see the list. On an error it is not locked. */
static int enter(sw_heap *h, uint32_t at, uint32_t generation, view *v) {
  bool at_once = swi_object_lock(h, at, SW_TYPE_LIST, generation) != NULL;
  int locked = at_once ? SW_OK : swi_object_lock_slowly(h, at, SW_TYPE_LIST, generation);
  if (locked != SW_OK && locked != SW_EOWNERDEAD) return locked;
  sw_mutex *lock = &((sw_list *)(void *)(h->base + at))->object.lock;
  int status = see(h, at, v) ? SW_OK : SW_ECORRUPT;
  if (locked == SW_EOWNERDEAD) {
    if (status == SW_OK) status = mend(h, v);
    sw_mutex_consistent(h->base, lock, h->endpoint);
  }
  if (status != SW_OK) sw_mutex_unlock(h->base, lock, h->endpoint);
  return status;
}

/* ---- making ---- */

uint32_t sw_list_new(sw_heap *h, uint32_t type, uint32_t components) {
  uint32_t bytes = sw_component_bytes(type);
  h->status = bytes == 0 ? SW_EINVAL : SW_ERANGE;
  if (bytes == 0 || components - 1 >= SW_VECTOR_WIDEST / bytes) return 0;
  uint32_t at = sw_object_new(h, SW_TYPE_LIST);
  if (at != 0) sw_store_relaxed(&((sw_list *)(void *)(h->base + at))->shape, type | components << 16);
  return at;
}

/* A node with that element, which no other participant knows yet: 0 with h->status. */
static uint32_t new_node(sw_heap *h, const view *v, uint32_t number, const void *from) {
  uint32_t at = sw_heap_alloc(h, (uint32_t)sizeof(sw_node) + (v->size + 3) / 4 * 4);
  if (at == 0) return 0;
  sw_node *node = (sw_node *)(void *)(h->base + at);
  sw_fence_fill_unless(h->ordered);
  sw_fill(&node->next, 0);        /* [N2] */
  sw_fill(&node->number, number); /* [N2] */
  sw_store_owned(&node->list, v->at);
  put(node, from, v->size);
  return at;
}

/* All nodes get new numbers, from 1 on. */
static int renumber(const sw_heap *h, const view *v) {
  begin_era(h, v);
  uint32_t number = 0, steps = most_nodes(h);
  for (uint32_t at = sw_peer_load_relaxed(&v->list->head); at != 0;) {
    sw_node *node = node_at(h, v, at);
    if (node == NULL || steps-- == 0) return SW_ECORRUPT;
    sw_store_relaxed(&node->number, ++number);
    at = sw_peer_load_relaxed(&node->next);
  }
  begin_era(h, v); /* a reader may have got an old number meanwhile */
  sw_store_relaxed(&v->list->last, number);
  return SW_OK;
}

/* Lead to `node` from the node `previous`, or from the head. */
static void link(const sw_heap *h, const view *v, uint32_t previous, uint32_t node) {
  sw_node *before = previous == 0 ? NULL : (sw_node *)(void *)(h->base + previous);
  /* [N1] */
  sw_store_release_unless(h->ordered, before == NULL ? &v->list->head : &before->next, node);
}

/* The node behind has this one before it; zero: there is none behind, and this one is the last. */
static void link_back(const sw_heap *h, const view *v, uint32_t next, uint32_t node) {
  sw_node *behind = next == 0 ? NULL : (sw_node *)(void *)(h->base + next);
  sw_store_owned(behind == NULL ? &v->list->tail : &behind->previous, node);
}

static int insert(sw_heap *h, const view *v, const void *from) {
  uint32_t tail = sw_peer_load_relaxed(&v->list->tail);
  if (tail != 0 && node_at(h, v, tail) == NULL) return SW_ECORRUPT;
  if (sw_peer_load_relaxed(&v->list->last) == UINT32_MAX) {
    int status = renumber(h, v);
    if (status != SW_OK) return status;
  }
  uint32_t number = sw_peer_load_relaxed(&v->list->last) + 1;
  uint32_t at = new_node(h, v, number, from);
  if (at == 0) return h->status;
  sw_store_owned(&((sw_node *)(void *)(h->base + at))->previous, tail);
  sw_store_owned(&v->list->last, number);
  link(h, v, tail, at);
  sw_store_owned(&v->list->tail, at);
  sw_store_owned(&v->list->count, sw_peer_load_relaxed(&v->list->count) + 1);
  return SW_OK;
}

int sw_list_insert(sw_heap *h, uint32_t at, uint32_t generation, const void *from) {
  view v;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  status = insert(h, &v, from);
  unlock(h, &v);
  return status;
}

/* ---- taking out ---- */

/* The places of a node: what leads to it, and what it leads to, within bounds. */
typedef struct place {
  sw_node *node;
  uint32_t at, previous, next;
} place;

/* Is the node there? 1, or 0. For the holder of the lock. */
static int find(const sw_heap *h, const view *v, uint32_t at, place *p) {
  p->at = at;
  p->node = node_at(h, v, at);
  if (p->node == NULL || sw_peer_load_relaxed(&p->node->list) != v->at) return 0;
  p->previous = sw_peer_load_relaxed(&p->node->previous);
  p->next = sw_peer_load_relaxed(&p->node->next);
  sw_node *before = node_at(h, v, p->previous);
  if (p->previous != 0 && before == NULL) return 0;
  if (sw_peer_load_relaxed(p->previous == 0 ? &v->list->head : &before->next) != at) return 0;
  return p->next == 0 || node_at(h, v, p->next) != NULL;
}

static int find_number(const sw_heap *h, const view *v, uint32_t at, uint32_t number, place *p) {
  return find(h, v, at, p) && number != 0 && sw_peer_load_relaxed(&p->node->number) == number;
}

static void take_out(sw_heap *h, const view *v, const place *p) {
  link(h, v, p->previous, p->next);
  link_back(h, v, p->next, p->previous);
  sw_store_owned(&v->list->count, sw_peer_load_relaxed(&v->list->count) - 1);
  raise_version(h, v);
  sw_fill(&p->node->number, 0); /* [N2] */
  sw_heap_free(h, p->at);
}

int sw_list_delete(sw_heap *h, uint32_t at, uint32_t generation, uint32_t node, uint32_t number) {
  view v;
  place p;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  status = find_number(h, &v, node, number, &p);
  if (status == 1) take_out(h, &v, &p);
  unlock(h, &v);
  return status;
}

/* The node with that index, from the nearer end, or 0. */
static uint32_t walk_to(const sw_heap *h, const view *v, uint32_t index, uint32_t count) {
  bool back = index > count / 2;
  uint32_t at = sw_peer_load_relaxed(back ? &v->list->tail : &v->list->head);
  for (uint32_t steps = back ? count - 1 - index : index; steps > 0 && at != 0; steps--) {
    const sw_node *node = node_at(h, v, at);
    if (node == NULL) return 0;
    at = sw_peer_load_relaxed(back ? &node->previous : &node->next);
  }
  return at;
}

int sw_list_delete_index(sw_heap *h, uint32_t at, uint32_t generation, uint32_t index, void *to) {
  view v;
  place p;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  uint32_t count = sw_peer_load_relaxed(&v.list->count);
  if (count > most_nodes(h)) status = SW_ECORRUPT;
  if (status == SW_OK && index < count) {
    status = find(h, &v, walk_to(h, &v, index, count), &p) ? 1 : SW_ECORRUPT;
    if (status == 1) {
      if (to != NULL) take(to, p.node, v.size);
      take_out(h, &v, &p);
    }
  }
  unlock(h, &v);
  return status;
}

int sw_list_set(sw_heap *h, uint32_t at, uint32_t generation, uint32_t *node, uint32_t number, const void *from) {
  view v;
  place p;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  status = find_number(h, &v, *node, number, &p);
  if (status == 1) {
    uint32_t made = new_node(h, &v, number, from);
    status = made == 0 ? h->status : 1;
    if (made != 0) {
      sw_node *fresh = (sw_node *)(void *)(h->base + made);
      sw_store_owned(&fresh->previous, p.previous);
      sw_fill(&fresh->next, p.next); /* [N2] */
      link(h, &v, p.previous, made);
      link_back(h, &v, p.next, made);
      raise_version(h, &v);
      sw_fill(&p.node->number, 0); /* [N2] */
      sw_heap_free(h, p.at);
      *node = made;
    }
  }
  unlock(h, &v);
  return status;
}

static void clear(sw_heap *h, const view *v) {
  sw_store_relaxed(&v->list->garbage, sw_peer_load_relaxed(&v->list->head));
  sw_store_release(&v->list->head, 0); /* a crash must not leave it without `garbage` */
  sw_store_relaxed(&v->list->tail, 0);
  sw_store_relaxed(&v->list->count, 0);
  raise_version(h, v);
  free_garbage(h, v);
}

int sw_list_clear(sw_heap *h, uint32_t at, uint32_t generation) {
  view v;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  clear(h, &v);
  unlock(h, &v);
  return SW_OK;
}

/* ---- reading ---- */

/* The first node behind the cursor, or zero; SW_EBUSY, when the version moves meanwhile. */
static int seek(const sw_heap *h, const view *v, const sw_list_cursor *cursor, uint32_t version, uint32_t *found) {
  if (cursor->node != 0 && cursor->version == version) {
    const sw_node *node = node_at(h, v, cursor->node);
    if (node == NULL) return SW_ECORRUPT;
    *found = sw_peer_load_acquire(&node->next); /* [N1] */
    return SW_OK;
  }
  bool by_number = cursor->era == sw_peer_load_relaxed(&v->list->era);
  uint32_t at = sw_peer_load_acquire(&v->list->head); /* [N1] */
  uint32_t steps = sw_peer_load_relaxed(&v->list->count);
  steps = steps < most_nodes(h) ? steps + MORE : most_nodes(h);
  for (uint32_t index = 0; at != 0 && cursor->node != 0; index++) {
    const sw_node *node = node_at(h, v, at);
    if (node == NULL || steps-- == 0) return SW_EBUSY;
    uint32_t number = sw_peer_load_acquire(&node->number); /* [N2] */
    uint32_t next = sw_peer_load_acquire(&node->next);     /* [N1] */
    if (sw_peer_load_relaxed(&v->list->version) != version || number == 0) return SW_EBUSY;
    if (by_number ? number > cursor->number : index >= cursor->index) break;
    at = next;
  }
  *found = at;
  return SW_OK;
}

/* One try: how many nodes were read; SW_EBUSY: none, and the version has moved. */
static int read(const sw_heap *h, const view *v, sw_list_cursor *cursor, uint8_t *to, uint32_t room) {
  uint32_t version = sw_peer_load_acquire(&v->list->version); /* [N2] */
  uint32_t at;
  int nodes = 0, status = seek(h, v, cursor, version, &at);
  if (status != SW_OK) return status;
  for (; room >= v->stride; room -= v->stride) {
    const sw_node *node = at == 0 ? NULL : node_at(h, v, at);
    sw_list_entry entry = {at, 0};
    uint32_t next = 0;
    if (node != NULL) {
      next = sw_peer_load_acquire(&node->next);           /* [N1] */
      entry.number = sw_peer_load_acquire(&node->number); /* [N2] */
      take(to + sizeof(entry), node, v->size);
    }
    uint32_t era = sw_peer_load_relaxed(&v->list->era);
    /* now what was read counts, or not */
    bool moved = sw_peer_load_relaxed(&v->list->version) != version || (node != NULL && entry.number == 0);
    if (moved) return nodes == 0 ? SW_EBUSY : nodes;
    if (node == NULL) return at == 0 ? nodes : SW_ECORRUPT;
    __builtin_memcpy(to, &entry, sizeof(entry));
    *cursor = (sw_list_cursor){at, entry.number, version, era, cursor->index + 1};
    to += v->stride;
    nodes++;
    at = next;
  }
  return nodes;
}

int sw_list_read(sw_heap *h, uint32_t at, uint32_t generation, sw_list_cursor *cursor, void *to, uint32_t room) {
  view v;
  int status = look(h, at, generation, &v);
  if (status != SW_OK) return status;
  if (room < v.stride) return SW_ERANGE;
  status = SW_EBUSY;
  for (uint32_t tries = 0; status == SW_EBUSY && tries < TRIES; tries++) status = read(h, &v, cursor, to, room);
  if (status == SW_EBUSY) {
    status = enter(h, at, generation, &v);
    if (status != SW_OK) return status;
    status = read(h, &v, cursor, to, room);
    unlock(h, &v);
    if (status == SW_EBUSY) status = SW_ECORRUPT; /* only a holder of the lock changes it */
  }
  if (status > 0) return status;
  /* a list that was freed has no nodes, and that is not what it had */
  int there = sw_object_check(h, at, SW_TYPE_LIST, generation);
  return there == SW_OK ? status : there;
}

/* ---- the end ---- */

int sw_list_free(sw_heap *h, uint32_t at, uint32_t generation) {
  view v;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  status = sw_object_begin_free(h, at, SW_TYPE_LIST, generation);
  if (status == SW_OK) {
    uint32_t block = sw_peer_load_relaxed(&v.list->block);
    clear(h, &v);
    if (block != 0) sw_heap_free(h, block);
  }
  unlock(h, &v);
  if (status == SW_OK) sw_object_end_free(h, at);
  return status;
}

static int check_nodes(sw_heap *h, const view *v) {
  uint32_t previous = 0, count = 0, last = 0, steps = most_nodes(h);
  for (uint32_t at = sw_peer_load_relaxed(&v->list->head); at != 0; count++) {
    place p;
    if (steps-- == 0 || !find(h, v, at, &p) || p.previous != previous) return SW_ECORRUPT;
    uint32_t number = sw_peer_load_relaxed(&p.node->number);
    if (number <= last || sw_heap_usable(h, at) < sizeof(sw_node) + v->size) return SW_ECORRUPT;
    last = number;
    previous = at;
    at = p.next;
  }
  bool agrees = sw_peer_load_relaxed(&v->list->tail) == previous && sw_peer_load_relaxed(&v->list->count) == count &&
                sw_peer_load_relaxed(&v->list->last) >= last && sw_peer_load_relaxed(&v->list->garbage) == 0;
  return agrees ? SW_OK : SW_ECORRUPT;
}

int sw_list_check(sw_heap *h, uint32_t at, uint32_t generation) {
  view v;
  int status = enter(h, at, generation, &v);
  if (status != SW_OK) return status;
  status = check_nodes(h, &v);
  unlock(h, &v);
  return status;
}
