/* Barriers.
 *
 *   state: generation << 1 | broken                  next
 *   g, 0            members arrive                   the last one: -> g + 1, 0 [T1]
 *                                                    a member is dead: -> g, 1
 *   g, 1            broken                           reset -> g + 1, 0
 *
 *   member[place]   state                            next
 *   0               vacant                           join, arrive -> role | flag
 *   role | flag     a member: it has arrived, or     arrive: the flag of the generation
 *                   not, for generation g when the   leave -> LEFT; dead: -> LEFT (SW_SYNC_LEAVE)
 *                   flag is g's lowest bit, or not   reset, when it is dead -> 0
 *   LEFT            the party has one less           for good
 *
 * So the one store of `state` that ends a generation is also what makes all members ones that have
 * not arrived: nothing has to be counted, and a crash leaves nothing half done.
 *
 * Those that change a member or the state have the object's lock, for a few instructions, and find
 * it taken: SW_EBUSY. Waiters read `state` alone. A dead holder of the lock is followed by the next
 * caller, which finds each word before or after its change; a generation whose last member died
 * between its arrival and [T1] is ended by the next look, before a sleep or behind burial's ring.
 *
 * Ordering edge: [T1] pairs with the load by which a waiter finds its generation over: what all
 * members wrote before they arrived, ordered by the lock, is seen behind it. */
#include "core/sync/sync.h"
#include "sabway/mutex.h"

#define LEFT ((uint32_t)SW_BARRIER_LEFT)

enum { BROKEN = 1 };

static uint32_t flag_of(uint32_t state) { return (state >> 1 & 1) != 0 ? SW_SYNC_FLAG : 0; }
/* Members have the first places: as many as there are parties. */
static uint32_t places_of(const sw_sync *o) {
  uint32_t limit = sw_peer_load_relaxed(&o->limit);
  return limit < SW_ENDPOINTS ? limit : SW_ENDPOINTS;
}
static uint32_t role_of(uint32_t word) { return word & ~(uint32_t)SW_SYNC_FLAG; }

/* Lock it. On an error it is not locked. */
static int enter(const sw_heap *h, uint32_t at, uint32_t generation, sw_sync **o) {
  *o = (sw_sync *)(void *)swi_object_lock(h, at, SW_TYPE_BARRIER, generation);
  if (*o != NULL) return SW_OK;
  int status = swi_object_lock_slowly(h, at, SW_TYPE_BARRIER, generation);
  if (status != SW_OK && status != SW_EOWNERDEAD) return status;
  *o = (sw_sync *)(void *)(h->base + at);
  if (status == SW_EOWNERDEAD) sw_mutex_consistent(h->base, &(*o)->head.object.lock, h->endpoint);
  return SW_OK;
}

static int done(const sw_heap *h, sw_sync *o, int status) {
  if (!swi_object_unlock(h, &o->head.object)) sw_mutex_unlock(h->base, &o->head.object.lock, h->endpoint);
  return status;
}

/* How many have arrived, and how many places the party has. */
typedef struct tally {
  uint32_t arrived, members, left;
  bool dead; /* a member that has not arrived */
} tally;

static tally count(const sw_heap *h, sw_sync *o, uint32_t state, bool closely) {
  tally t = {0};
  bool leaves = (sw_peer_load_relaxed(&o->options) & SW_SYNC_LEAVE) != 0;
  for (uint32_t i = 0, places = places_of(o); i < places; i++) {
    uint32_t word = sw_peer_load_relaxed(&o->member[i]);
    bool arrived = (word & SW_SYNC_FLAG) == flag_of(state);
    if (word != 0 && word != LEFT && closely && (leaves || !arrived) && !swi_sync_lives(h, role_of(word))) {
      if (leaves) {
        sw_store_relaxed(&o->member[i], LEFT);
        word = LEFT;
      } else {
        t.dead = true;
      }
    }
    t.left += word == LEFT;
    t.members += word != 0 && word != LEFT;
    t.arrived += word != 0 && word != LEFT && arrived;
  }
  return t;
}

/* End the generation when all have arrived, or break it when one cannot any more. Returns whether
 * it has ended. With the lock. */
static bool settle(sw_heap *h, sw_sync *o, bool closely) {
  uint32_t state = sw_peer_load_relaxed(&o->state);
  if ((state & BROKEN) != 0) return false;
  tally t = count(h, o, state, closely);
  uint32_t limit = sw_peer_load_relaxed(&o->limit);
  bool ends = t.arrived != 0 && t.arrived + t.left >= limit;
  if (!ends && !t.dead) return false;
  if (!ends) sw_store_relaxed(&o->more, (state >> 1) + 1);
  sw_store_release(&o->state, ends ? state + 2 : state | BROKEN); /* [T1] */
  swi_waits_ring_all(h->base, &o->head.waits[0]);
  return ends;
}

/* A waiter looks for members that have died: behind the arming of its endpoint, so that either this
 * look finds the death, or the ring of its burial ends the sleep. */
static void look_closely(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o;
  int status = SW_EBUSY;
  for (int tries = 0; tries < 2 && status == SW_EBUSY; tries++) status = enter(h, at, generation, &o);
  if (status != SW_OK) return; /* the next look does it */
  settle(h, o, true);
  done(h, o, SW_OK);
}

/* The caller's place, or SW_ENDPOINTS. */
static uint32_t place_of(const sw_heap *h, const sw_sync *o, uint32_t role) {
  for (uint32_t i = 0, places = places_of(o); i < places; i++) {
    uint32_t word = sw_peer_load_relaxed(&o->member[i]);
    if (word == role || word == (role | SW_SYNC_FLAG)) return i;
  }
  (void)h;
  return SW_ENDPOINTS;
}

/* The caller's place, as a member that has not arrived: an error when there is none for it. */
static int join(sw_heap *h, sw_sync *o) {
  uint32_t state = sw_peer_load_relaxed(&o->state), own = place_of(h, o, h->role);
  if (own < SW_ENDPOINTS) return (int)own;
  tally t = count(h, o, state, false);
  if (t.members + t.left >= sw_peer_load_relaxed(&o->limit)) return SW_ECROWDED;
  for (uint32_t i = 0, places = places_of(o); i < places; i++) {
    if (sw_peer_load_relaxed(&o->member[i]) != 0) continue;
    sw_store_relaxed(&o->member[i], h->role | (flag_of(state) ^ SW_SYNC_FLAG));
    return (int)i;
  }
  return SW_ECROWDED;
}

int sw_barrier_join(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o;
  int status = enter(h, at, generation, &o);
  if (status != SW_OK) return status;
  int place = join(h, o);
  return done(h, o, place < 0 ? place : SW_OK);
}

int sw_barrier_leave(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o;
  int status = enter(h, at, generation, &o);
  if (status != SW_OK) return status;
  uint32_t own = place_of(h, o, h->role);
  if (own == SW_ENDPOINTS) return done(h, o, SW_ESTATE);
  sw_store_relaxed(&o->member[own], LEFT);
  settle(h, o, false);
  return done(h, o, SW_OK);
}

int sw_barrier_arrive(sw_heap *h, uint32_t at, uint32_t generation, uint32_t *ticket) {
  sw_sync *o;
  int status = enter(h, at, generation, &o);
  if (status != SW_OK) return status;
  uint32_t state = sw_peer_load_relaxed(&o->state);
  if ((state & BROKEN) != 0) return done(h, o, SW_EBROKEN);
  int place = join(h, o);
  if (place < 0) return done(h, o, place);
  uint32_t *own = &o->member[(uint32_t)place % SW_ENDPOINTS], arrived = h->role | flag_of(state);
  if (sw_peer_load_relaxed(own) == arrived) return done(h, o, SW_ESTATE);
  *ticket = state >> 1;
  sw_store_relaxed(own, arrived);
  return done(h, o, settle(h, o, false) ? 1 : 0);
}

static int look(const sw_sync *o, uint32_t ticket) {
  uint32_t state = sw_peer_load_acquire(&o->state); /* [T1] */
  if ((state & BROKEN) != 0 && state >> 1 == (ticket & INT32_MAX)) return SW_EBROKEN;
  if (state >> 1 == (ticket & INT32_MAX)) return SW_EBUSY;
  return sw_peer_load_relaxed(&o->more) == ticket + 1 ? SW_EBROKEN : SW_OK;
}

int sw_barrier_try(sw_heap *h, uint32_t at, uint32_t generation, uint32_t ticket) {
  sw_sync *o = swi_sync_at(h, at, SW_TYPE_BARRIER, generation);
  if (o == NULL) return swi_sync_why(h, at, SW_TYPE_BARRIER, generation);
  int status = look(o, ticket);
  if (status != SW_EBUSY || !swi_sync_waits(h, o)) return status;
  look_closely(h, at, generation);
  return look(o, ticket);
}

int sw_barrier_withdraw(sw_heap *h, uint32_t at, uint32_t generation, uint32_t ticket) {
  sw_sync *o;
  int status = enter(h, at, generation, &o);
  if (status != SW_OK) return status;
  uint32_t state = sw_peer_load_relaxed(&o->state), own = place_of(h, o, h->role);
  if (state >> 1 != ticket) return done(h, o, 1);
  if (own < SW_ENDPOINTS) sw_store_relaxed(&o->member[own], h->role | (flag_of(state) ^ SW_SYNC_FLAG));
  return done(h, o, SW_OK);
}

int sw_barrier_reset(sw_heap *h, uint32_t at, uint32_t generation) {
  sw_sync *o;
  int status = enter(h, at, generation, &o);
  if (status != SW_OK) return status;
  uint32_t state = sw_peer_load_relaxed(&o->state);
  /* All are to be ones that have not arrived in the next generation: the flag of this one is that.
   * `more` first: one that waits finds this generation broken, and no other. */
  sw_store_relaxed(&o->more, (state >> 1) + 1);
  for (uint32_t i = 0, places = places_of(o); i < places; i++) {
    uint32_t word = sw_peer_load_relaxed(&o->member[i]), role = role_of(word);
    if (word == 0 || word == LEFT) continue;
    sw_store_relaxed(&o->member[i], swi_sync_lives(h, role) ? role | flag_of(state) : 0);
  }
  sw_store_release(&o->state, (state | BROKEN) + 1); /* [T1] */
  swi_waits_ring_all(h->base, &o->head.waits[0]);
  return done(h, o, SW_OK);
}
