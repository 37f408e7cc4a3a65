/* The listener: one thread that sleeps for an event loop on many doorbells, and watches the
 * processes of the peers.
 *
 * The list of watches belongs to the thread, except while it is paused. The owner changes it so, by
 * three counters:
 *
 *   step                                             asked  paused  resumed  state
 *                                                      n      n       n      running
 *   owner: counts `asked` up, wakes the thread        n+1     n       n      requested
 *   thread: answers in `paused`, wakes the owner      n+1    n+1      n      paused
 *   owner: changes the list, answers in `resumed`     n+1    n+1     n+1     running
 *
 * A doorbell that has changed is told to the loop at once (hooks.rung). Every SW_WAIT_DEATH_NS the
 * thread looks at the role words of each watch: it watches the processes of their holders, and
 * tells each death once, with all roles that the dead participant had.
 *
 * What a crash leaves: nothing in shared memory. The listener only reads there, but for what the
 * hooks do. */
#include "listener.h"

#include <stdlib.h>
#include <string.h>

#include "base/peer.h"
#include "prim/prim.h"
#include "sabway/channel.h"
#include "sabway/endpoint.h"
#include "sabway/wait.h"

typedef struct watched {
  sw_listener_watch config;
  uint32_t *doorbell;
  uint32_t seen; /* the doorbell's value when the loop was last told */
  uint32_t roles[SW_ROLES];
  /* of the processes that hold them; pid 0 when there is nothing to watch */
  sw_prim_watch watches[SW_ROLES];
} watched;

struct sw_listener {
  sw_listener_hooks hooks;
  sw_prim_thread thread;
  uint32_t asked, paused, resumed; /* shared by the two threads */
  uint32_t stop;
  uint32_t silent; /* the doorbell of a watch that has none: never rung */
  uint32_t count, room;
  watched *watched;
  uint32_t **words; /* `asked`, then the watched doorbells: what the thread sleeps on */
  uint32_t *expected;
};

/* ---- the thread ---- */

static void unwatch(sw_prim_watch *watch) {
  if (watch->pid != 0) sw_prim_watch_close(watch);
  watch->pid = 0;
}

/* Watch the process of the role's new holder, unless it is this one, or the holder is the watched
 * endpoint itself. True when that holder has crashed already: one that leaves in order clears its
 * roles before its endpoint. */
static int watch_holder(watched *s, uint32_t which, uint32_t role) {
  sw_owner owner;
  if (role == 0 || sw_role_index(role) == s->config.endpoint) return 0;
  if (!sw_endpoint_owner(s->config.base, role, &owner)) return 1;
  if (owner.pid != sw_prim_pid()) sw_prim_watch_open(&s->watches[which], owner.pid, owner.start_low, owner.start_high);
  return 0;
}

/* The participant of another process whose death this role's word, or the end of that process,
 * shows; zero for none. Deaths of this process's threads are for JavaScript to see, which looks at
 * the words itself. */
static uint32_t dead_holder(watched *s, uint32_t which) {
  sw_prim_watch *watch = &s->watches[which];
  int foreign = watch->pid != 0;
  int ended = foreign && sw_prim_watch_ended(watch);
  uint32_t word = sw_channel_role(s->config.base, s->config.size, s->config.channel, which);
  uint32_t before = s->roles[which], holder = sw_role_holder(word);
  if (ended || word != before) unwatch(watch);
  if (word == before) return ended ? before : 0;
  s->roles[which] = word;
  if (watch_holder(s, which, holder)) return holder;
  /* the next one is there, and the last one did not leave in order */
  if (holder != 0) return ended ? before : 0;
  return foreign ? sw_role_lost(word) : 0;
}

/* Each death is told once, with all roles that the dead one had. */
static void look_at_roles(sw_listener *l, watched *s) {
  uint32_t dead[SW_ROLES];
  for (uint32_t which = 0; which < SW_ROLES; which++) dead[which] = dead_holder(s, which);
  for (uint32_t first = 0; first < SW_ROLES; first++) {
    uint32_t role = dead[first], roles = 0;
    if (role == 0) continue;
    for (uint32_t which = 0; which < SW_ROLES; which++) {
      if (dead[which] != role && s->roles[which] != role) continue;
      roles |= 1u << which;
      dead[which] = 0;
      if (s->roles[which] == role) unwatch(&s->watches[which]);
    }
    l->hooks.died(l->hooks.context, s->config.id, roles, role);
  }
}

static int look_at_doorbells(sw_listener *l) {
  int rung = 0;
  for (uint32_t i = 0; i < l->count; i++) {
    uint32_t now = sw_peer_load_acquire(l->watched[i].doorbell);
    rung |= now != l->watched[i].seen;
    l->watched[i].seen = l->expected[i + 1] = now;
  }
  return rung;
}

static void look_at_peers(sw_listener *l) {
  for (uint32_t i = 0; i < l->count; i++) look_at_roles(l, &l->watched[i]);
}

/* False when the thread is to end. */
static int give_way(sw_listener *l, uint32_t asked) {
  sw_store_release(&l->paused, asked);
  sw_prim_futex_wake(&l->paused);
  for (uint32_t resumed; (resumed = sw_load_acquire(&l->resumed)) != asked;) {
    sw_prim_futex_wait(&l->resumed, resumed, -1);
  }
  return !sw_load_acquire(&l->stop);
}

static void run(void *argument) {
  sw_listener *l = argument;
  uint64_t look = 0;
  for (;;) {
    uint32_t asked = sw_load_acquire(&l->asked);
    if (asked != sw_load_acquire(&l->resumed)) {
      if (!give_way(l, asked)) return;
      look = 0;
      continue;
    }
    uint64_t now = sw_prim_now();
    if (now >= look) {
      look_at_peers(l);
      look = now + SW_WAIT_DEATH_NS;
    }
    l->expected[0] = asked;
    if (look_at_doorbells(l)) l->hooks.rung(l->hooks.context);
    else sw_prim_futex_wait_any(l->words, l->expected, l->count + 1, (int64_t)(look - now));
  }
}

/* ---- its owner ---- */

static void request_pause(sw_listener *l) {
  uint32_t asked = l->asked + 1;
  sw_store_release(&l->asked, asked);
  sw_prim_futex_wake(&l->asked);
  for (uint32_t paused; (paused = sw_load_acquire(&l->paused)) != asked;) sw_prim_futex_wait(&l->paused, paused, -1);
}

static void resume(sw_listener *l) {
  sw_store_release(&l->resumed, l->asked);
  sw_prim_futex_wake(&l->resumed);
}

/* Room for one more. */
static int grow(sw_listener *l) {
  if (l->count < l->room) return SW_OK;
  uint32_t room = l->room == 0 ? 8 : l->room * 2;
  watched *list = realloc(l->watched, room * sizeof(*list));
  if (list != NULL) l->watched = list;
  uint32_t **words = realloc(l->words, (room + 1) * sizeof(*words));
  if (words != NULL) l->words = words;
  uint32_t *expected = realloc(l->expected, (room + 1) * sizeof(*expected));
  if (expected != NULL) l->expected = expected;
  if (list == NULL || words == NULL || expected == NULL) return SW_ENOMEM;
  l->room = room;
  l->words[0] = &l->asked;
  return SW_OK;
}

static void destroy(sw_listener *l) {
  free(l->watched);
  free((void *)l->words);
  free(l->expected);
  free(l);
}

int sw_listener_start(sw_listener **listener, const sw_listener_hooks *hooks) {
  sw_listener *l = calloc(1, sizeof(*l));
  if (l == NULL) return SW_ENOMEM;
  l->hooks = *hooks;
  int status = grow(l);
  if (status == SW_OK) status = sw_prim_thread_start(&l->thread, "sabway-listener", run, l);
  if (status == SW_OK) *listener = l;
  else destroy(l);
  return status;
}

int sw_listener_add(sw_listener *l, const sw_listener_watch *config) {
  request_pause(l);
  int status = grow(l);
  if (status == SW_OK) {
    watched *s = &l->watched[l->count];
    *s = (watched){.config = *config, .doorbell = &l->silent};
    if (config->endpoint < SW_ENDPOINTS) s->doorbell = sw_endpoint_doorbell(config->base, config->endpoint);
    s->seen = sw_peer_load_acquire(s->doorbell) - 1; /* told once, for what came before */
    l->words[++l->count] = s->doorbell;
  }
  resume(l);
  return status;
}

void sw_listener_remove(sw_listener *l, uint32_t id) {
  request_pause(l);
  for (uint32_t i = 0; i < l->count; i++) {
    if (l->watched[i].config.id != id) continue;
    for (uint32_t which = 0; which < SW_ROLES; which++) unwatch(&l->watched[i].watches[which]);
    l->watched[i] = l->watched[--l->count];
    l->words[i + 1] = l->words[l->count + 1];
    break;
  }
  resume(l);
}

void sw_listener_stop(sw_listener *l) {
  request_pause(l);
  sw_store_release(&l->stop, 1);
  resume(l);
  sw_prim_thread_join(&l->thread);
  for (uint32_t i = 0; i < l->count; i++) {
    for (uint32_t which = 0; which < SW_ROLES; which++) unwatch(&l->watched[i].watches[which]);
  }
  destroy(l);
}
