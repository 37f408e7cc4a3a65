/* Channels in a heap: made, used, freed by the last side, and made anew. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */

#include "../heap/heap_helper.h"
#include "sabway/directory.h"
#include "sabway/heap_channel.h"
#include "sabway/mutex.h"
#include "sabway/registry.h"
#include "sabway/shared.h"
#include "sabway/side.h"

enum { CAPACITY = 4096 };

typedef struct side {
  sw_producer out;
  sw_consumer in;
} side;

typedef struct made {
  uint32_t at, generation;
} made;

static made make(heap_scene *s) {
  made m = {.at = sw_channel_new(&s->h, CAPACITY, CAPACITY)};
  if (m.at == 0) fail_msg("sw_channel_new: %d", s->h.status);
  m.generation = sw_channel_generation(s->r.base, s->r.size, m.at);
  assert_int_not_equal(m.generation, 0);
  return m;
}

static int open_side(side *o, const heap_scene *s, made m, uint32_t which, uint32_t index) {
  int status = sw_channel_open_producer(&o->out, s->r.base, s->r.size, m.at, m.generation, which, index);
  if (status != SW_OK) return status;
  status = sw_channel_open_consumer(&o->in, s->r.base, s->r.size, m.at, m.generation, which, index);
  assert_int_equal(status, SW_OK);
  return status;
}

static void leave(side *o, int close) {
  if (close) sw_producer_close(&o->out);
  if (close) sw_consumer_close(&o->in);
  sw_producer_leave(&o->out);
  sw_consumer_leave(&o->in);
}

static int free_it(heap_scene *s, made m) { return sw_channel_free(&s->h, m.at, m.generation, 0); }

static void the_last_side_frees(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  uint32_t first = region_claim(&s.r), second = region_claim(&s.r);
  uint64_t before = 0;
  for (uint32_t round = 1; round <= 300; round++) {
    made m = make(&s);
    assert_int_equal(m.generation, round); /* of one header */
    side a, b;
    assert_int_equal(open_side(&a, &s, m, SW_RENDERER, first), SW_OK);
    assert_int_equal(open_side(&b, &s, m, SW_NATIVE, second), SW_OK);
    sw_slice slice;
    assert_int_equal(sw_producer_send(&a.out, &round, 4), SW_OK);
    assert_int_equal(sw_consumer_peek(&b.in, &slice), 1);
    assert_memory_equal(s.r.base + slice.offset, &round, 4);
    sw_consumer_release(&b.in);
    assert_int_equal(free_it(&s, m), 0);
    leave(&a, 1);
    assert_int_equal(free_it(&s, m), 0);
    assert_int_equal(sw_channel_generation(s.r.base, s.r.size, m.at), round); /* open again */
    leave(&b, 1);
    assert_int_equal(free_it(&s, m), 1);
    assert_int_equal(free_it(&s, m), SW_ECLOSED);
    assert_int_equal(sw_channel_generation(s.r.base, s.r.size, m.at), 0);
    assert_int_equal(sw_channel_check(s.r.base, s.r.size, m.at), SW_ECLOSED);
    assert_int_equal(open_side(&a, &s, m, SW_RENDERER, first), SW_ECLOSED);
    if (round == 1) before = heap_stats(&s.h).used;
    assert_int_equal(heap_stats(&s.h).used, before);
  }
  heap_scene_close(&s);
}

/* What opens and frees with the place of an earlier channel leaves the next one alone. */
static void the_next_is_another(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  uint32_t first = region_claim(&s.r);
  made old = make(&s);
  assert_int_equal(sw_channel_free(&s.h, old.at, old.generation, SW_CHANNEL_UNSHARED), 1);
  made next = make(&s);
  assert_int_equal(next.at, old.at);
  side a;
  assert_int_equal(open_side(&a, &s, old, SW_RENDERER, first), SW_ECLOSED);
  assert_int_equal(sw_channel_free(&s.h, old.at, old.generation, SW_CHANNEL_UNSHARED), SW_ECLOSED);
  for (uint32_t i = 0; i < SW_ROLES; i++) {
    uint32_t role = sw_channel_role(s.r.base, s.r.size, next.at, i);
    assert_int_equal(sw_role_holder(role) | sw_role_lost(role) | (role & SW_ROLE_GONE), 0);
  }
  assert_int_equal(open_side(&a, &s, next, SW_RENDERER, first), SW_OK);
  assert_int_equal(sw_channel_check(s.r.base, s.r.size, next.at), SW_OK);
  heap_scene_close(&s);
}

/* A row: what becomes of the native side, while the renderer's is closed; is that the end of it? */
enum fate { NEVER, HELD, DETACHED, CLOSED, DEAD, EVICTED, EVICTED_ALIVE, HALF_DEAD };
static void done_when(void **state) {
  (void)state;
  static const struct {
    enum fate fate;
    uint32_t flags;
    int status;
  } ROWS[] = {{NEVER, 0, 0},         {NEVER, SW_CHANNEL_UNSHARED, 1},
              {HELD, 0, 0},          {HELD, SW_CHANNEL_UNSHARED, 0},
              {DETACHED, 0, 0},      {CLOSED, 0, 1},
              {DEAD, 0, 1},          {EVICTED, 0, 1},
              {EVICTED_ALIVE, 0, 0}, {HALF_DEAD, 0, 1},
              {NEVER, 2, 0}};
  for (size_t i = 0; i < sizeof(ROWS) / sizeof(*ROWS); i++) {
    heap_scene s;
    heap_scene_open(&s, SMALL_REGION);
    uint32_t first = region_claim(&s.r), second = region_claim(&s.r);
    uint32_t role = sw_endpoint_role(s.r.base, second);
    made m = make(&s);
    side a, b;
    enum fate fate = ROWS[i].fate;
    assert_int_equal(open_side(&a, &s, m, SW_RENDERER, first), SW_OK);
    if (fate != NEVER && fate != HALF_DEAD) assert_int_equal(open_side(&b, &s, m, SW_NATIVE, second), SW_OK);
    if (fate == HALF_DEAD)
      assert_int_equal(sw_channel_open_producer(&b.out, s.r.base, s.r.size, m.at, m.generation, SW_NATIVE, second),
                       SW_OK);
    leave(&a, 1);
    if (fate == DETACHED || fate == CLOSED) leave(&b, fate == CLOSED);
    if (fate == EVICTED || fate == EVICTED_ALIVE) sw_region_evict_role(s.r.base, s.r.size, role);
    if (fate == DEAD || fate == EVICTED || fate == HALF_DEAD) sw_endpoint_release(s.r.base, second);
    int status = sw_channel_free(&s.h, m.at, m.generation, ROWS[i].flags);
    if (status != ROWS[i].status) fail_msg("row %u: %d", (uint32_t)i, status);
    if (status == 0 && fate == EVICTED_ALIVE) { /* it is freed when the claim is over */
      sw_endpoint_release(s.r.base, second);
      assert_int_equal(sw_channel_reclaim(&s.h), 1);
    }
    heap_scene_close(&s);
  }
}

/* A full heap is searched for what dead participants have left. */
static void a_full_heap_takes_back_what_the_dead_left(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  uint32_t second = region_claim(&s.r), count = 0, at;
  while ((at = sw_channel_new(&s.h, CAPACITY, CAPACITY)) != 0) {
    made m = {at, 1};
    side a, b;
    assert_int_equal(open_side(&a, &s, m, SW_RENDERER, second), SW_OK);
    assert_int_equal(open_side(&b, &s, m, SW_NATIVE, second), SW_OK);
    count++;
  }
  assert_true(count > 10 && s.h.status == SW_EHEAPFULL);
  sw_endpoint_release(s.r.base, second);
  for (uint32_t i = 0; i < count; i++) make(&s);
  assert_int_equal(sw_channel_new(&s.h, CAPACITY, CAPACITY), 0);
  assert_int_equal(s.h.status, SW_EHEAPFULL);
  assert_int_equal(sw_heap_check(&s.h), SW_OK);
  heap_scene_close(&s);
}

static void refused(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  assert_int_equal(sw_channel_new(&s.h, 1, CAPACITY), 0);
  assert_int_equal(s.h.status, SW_ERANGE);
  assert_int_equal(sw_channel_new(&s.h, 1 << 28, CAPACITY), 0);
  assert_int_equal(s.h.status, SW_EHEAPFULL);
  made m = make(&s);
  static const uint32_t PLACES[] = {0, 4, SW_HEAP_AT - SW_LINE, UINT32_MAX, 0x80000000};
  for (int i = 0; i < 5; i++) assert_int_equal(sw_channel_free(&s.h, PLACES[i], 1, 0), SW_ERANGE);
  assert_int_equal(sw_channel_free(&s.h, m.at + SW_LINE, 1, 0), SW_ENOTREGION);
  assert_int_equal(sw_channel_free(&s.h, m.at, 0, SW_CHANNEL_UNSHARED), SW_ECLOSED);
  assert_int_equal(sw_channel_free(&s.h, m.at, 2, SW_CHANNEL_UNSHARED), SW_ECLOSED);
  assert_int_equal(free_it(&s, m), 0);
  heap_scene_close(&s);
}

/* A port takes its side of one channel of many. */
static void ports(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  made first = make(&s), second = make(&s);
  sw_place place = {s.r.base, s.r.size, second.at, SW_RENDERER, second.generation};
  sw_port here, there, none;
  /* it has a heap */
  assert_int_equal(sw_port_open(&none, s.r.base, s.r.size, SW_NATIVE), SW_ECORRUPT);
  assert_int_equal(sw_port_open_at(&here, &place), SW_OK);
  place.side = SW_NATIVE;
  assert_int_equal(sw_port_open_at(&there, &place), SW_OK);
  place.generation++;
  assert_int_equal(sw_port_open_at(&none, &place), SW_ECLOSED);
  assert_int_equal(sw_producer_send(&here.out, "x", 1), SW_OK);
  assert_int_equal(sw_port_wait(&there, SW_UNTIL_MESSAGE, 0, -1), 1);
  sw_port_close(&here, 1);
  sw_port_close(&there, 1);
  assert_int_equal(free_it(&s, second), 1);
  assert_int_equal(free_it(&s, first), 0);
  heap_scene_close(&s);
}

/* A side that has ended in one direction, and whose holder has died in the other, is done: one that
 * tries to take it and is refused leaves it so. */
static void a_refused_side_stays_done(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  made m = make(&s);
  side a, b;
  uint32_t dies = region_claim(&s.r), lives = region_claim(&s.r);
  assert_int_equal(open_side(&a, &s, m, SW_NATIVE, dies), SW_OK);
  assert_int_equal(open_side(&b, &s, m, SW_RENDERER, lives), SW_OK);
  sw_consumer_close(&a.in);
  sw_consumer_leave(&a.in);
  sw_region_evict_role(s.r.base, s.r.size, sw_endpoint_role(s.r.base, dies));
  sw_endpoint_release(s.r.base, dies);
  sw_place place = {s.r.base, s.r.size, m.at, SW_NATIVE, m.generation};
  sw_port none;
  assert_int_equal(sw_port_open_at(&none, &place), SW_ECLOSED);
  leave(&b, 1);
  assert_int_equal(free_it(&s, m), 1);
  heap_scene_close(&s);
}

/* Headers and rings of channels whose sides have died without being freed. */
static void the_dead_make_room(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  uint32_t dies = region_claim(&s.r), made_first = 0, made_then = 0;
  sw_registry_cursor cursor = {0};
  uint32_t rings = (uint32_t)(sw_channel_bytes(CAPACITY, CAPACITY) - sizeof(sw_channel));
  uint32_t room = sw_heap_alloc_aligned(&s.h, rings, SW_LINE);
  for (side a; sw_channel_new(&s.h, CAPACITY, CAPACITY) != 0; made_first++) {
    uint32_t at = sw_registry_next(s.r.base, s.r.size, &cursor) & ~(uint32_t)SW_KIND_MASK;
    made m = {at, sw_channel_generation(s.r.base, s.r.size, at)};
    assert_int_equal(open_side(&a, &s, m, SW_NATIVE, dies), SW_OK);
    assert_int_equal(open_side(&a, &s, m, SW_RENDERER, dies), SW_OK);
  }
  assert_int_equal(s.h.status, SW_EHEAPFULL);
  /* no page is left, so a new header has no room, either */
  while (sw_heap_alloc(&s.h, SW_HEAP_PAGE) != 0) {
  }
  while (sw_heap_alloc(&s.h, (uint32_t)sizeof(sw_channel)) != 0) {
  }
  sw_region_evict_role(s.r.base, s.r.size, sw_endpoint_role(s.r.base, dies));
  sw_endpoint_release(s.r.base, dies);
  sw_heap_free(&s.h, room); /* for the rings, so the header is what finds none */
  while (sw_channel_new(&s.h, CAPACITY, CAPACITY) != 0) made_then++;
  assert_true(made_first > 50);
  assert_true(made_then >= made_first);
  heap_scene_close(&s);
}

/* One that is evicted by its role may live, and is woken. One that leaves is not, and the roles of
 * all its claims go. */
static void the_evicted_may_live(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  uint32_t index = region_claim(&s.r);
  const uint32_t *doorbell = sw_endpoint_doorbell(s.r.base, index);
  made m = make(&s);
  side a, other;
  assert_int_equal(open_side(&a, &s, m, SW_RENDERER, index), SW_OK);
  assert_int_equal(open_side(&other, &s, m, SW_NATIVE, s.h.endpoint), SW_OK);
  uint32_t rings = *doorbell;
  sw_region_evict_role(s.r.base, s.r.size, sw_endpoint_role(s.r.base, index));
  assert_int_not_equal(*doorbell, rings);
  assert_false(sw_producer_holds(&a.out) || sw_consumer_holds(&a.in));
  for (int earlier = 0; earlier < 2; earlier++) {
    assert_int_equal(open_side(&a, &s, m, SW_RENDERER, index), SW_OK);
    if (earlier) sw_endpoint_release(s.r.base, index);
    if (earlier) assert_int_equal(region_claim(&s.r), index);
    rings = *doorbell;
    sw_region_evict(s.r.base, s.r.size, index);
    if (!earlier) assert_int_equal(*doorbell, rings);
    assert_false(sw_producer_holds(&a.out) || sw_consumer_holds(&a.in));
    assert_true(sw_producer_holds(&other.out) && sw_consumer_holds(&other.in));
  }
  heap_scene_close(&s);
}

static int name(heap_scene *s, const char *text, uint32_t kind, uint32_t object, uint32_t generation, sw_found *found) {
  sw_found given = {kind, object, generation};
  return sw_directory_add(&s->h, text, (uint32_t)strlen(text), &given, found);
}
static int named(heap_scene *s, const char *text, sw_found *found) {
  return sw_directory_find(&s->h, text, (uint32_t)strlen(text), found);
}
static uint32_t count_names(heap_scene *s) {
  uint32_t cursor = 0, length, count = 0;
  uint8_t text[SW_NAME_MOST];
  sw_found found;
  while (sw_directory_next(&s->h, &cursor, &found, text, &length) == 1) count++;
  return count;
}

/* The name of a freed object stands for nothing, not for what is made of its block. */
static void names_go_with_their_objects(void **state) {
  (void)state;
  heap_scene s;
  heap_scene_open(&s, SMALL_REGION);
  sw_found found;
  made old = make(&s);
  uint32_t lock = heap_get(&s.h, sizeof(sw_mutex_object)), plain = heap_get(&s.h, sizeof(sw_mutex));
  sw_mutex_object *mutex = (sw_mutex_object *)(void *)(s.r.base + lock);
  memset(mutex, 0, sizeof(*mutex));
  assert_int_equal(name(&s, "channel", SW_KIND_CHANNEL, old.at, old.generation + 1, &found), SW_ECLOSED);
  assert_int_equal(name(&s, "channel", SW_KIND_CHANNEL, old.at, 0, &found), 1);
  assert_int_equal(found.generation, old.generation);
  assert_int_equal(name(&s, "mutex", SW_KIND_MUTEX, lock, 0, &found), 1);
  assert_int_equal(name(&s, "plain", SW_KIND_MUTEX, plain, 0, &found), 1);
  assert_int_equal(name(&s, "block", SW_KIND_MEMORY, plain, 0, &found), 1);
  assert_int_equal(named(&s, "channel", &found), 1);
  assert_true(found.object == old.at && found.generation == old.generation);
  assert_int_equal(count_names(&s), 4);
  assert_int_equal(sw_channel_free(&s.h, old.at, old.generation, SW_CHANNEL_UNSHARED), 1);
  mutex->generation++;
  for (int anew = 0; anew < 2; anew++) { /* freed, then made anew */
    assert_int_equal(named(&s, "channel", &found), 0);
    assert_int_equal(named(&s, "mutex", &found), 0);
    assert_int_equal(named(&s, "plain", &found), 1);
    assert_int_equal(count_names(&s), 2);
    if (anew == 0) assert_int_equal(name(&s, "other", SW_KIND_CHANNEL, old.at, 0, &found), SW_ECLOSED);
    if (anew == 0) assert_int_equal(make(&s).at, old.at);
  }
  uint64_t blocks = heap_stats(&s.h).blocks;
  assert_int_equal(name(&s, "channel", SW_KIND_CHANNEL, old.at, 0, &found), 1);
  assert_int_equal(found.generation, old.generation + 1);
  assert_int_equal(heap_stats(&s.h).blocks, blocks); /* in the old entry's place */
  assert_int_equal(sw_directory_remove(&s.h, "mutex", 5, 0), 0);
  assert_int_equal(heap_stats(&s.h).blocks, blocks - 1);
  assert_int_equal(named(&s, "channel", &found), 1);
  assert_int_equal(sw_directory_check(&s.h), SW_OK);
  heap_scene_close(&s);
}

TESTS(TEST(names_go_with_their_objects), TEST(the_last_side_frees), TEST(the_next_is_another), TEST(done_when),
      TEST(a_full_heap_takes_back_what_the_dead_left), TEST(refused), TEST(ports), TEST(a_refused_side_stays_done),
      TEST(the_dead_make_room), TEST(the_evicted_may_live));
