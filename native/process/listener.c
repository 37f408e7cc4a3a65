/* The listener: a thread that watches the processes of the peers for an event loop, and sleeps on
 * its doorbells; with more doorbells than one thread can sleep on, further threads for the rest.
 *
 *   ears, each a thread                     what it sleeps on, and does
 *   the first                               FEW doorbells; every SW_WAIT_DEATH_NS it looks at peers
 *   the others, while they have doorbells   as many as a thread can
 *
 * To sleep on a hundred doorbells takes a hundred times what one takes, at each ring of any. So the
 * owner moves those that are rung often to the first ear (sw_listener_settle), in the place of
 * those that are not.
 *
 * An ear's list of doorbells belongs to its thread, and the list of watches to the first one's,
 * except while that is paused. The owner changes them so, by three counters of each ear:
 *
 *   step                                             asked  paused  resumed  state
 *                                                      n      n       n      running
 *   owner: counts `asked` up, wakes the thread        n+1     n       n      requested
 *   thread: answers in `paused`, wakes the owner      n+1    n+1      n      paused
 *   owner: changes the list, answers in `resumed`     n+1    n+1     n+1     running
 *
 * A doorbell that has changed is told to the loop at once (hooks.rung). The first thread looks at
 * the role words of the watches, a part of them each time, and at all when a process has ended: it
 * watches the processes of their holders, each of them once however many roles it has, and tells
 * each death once for each watch, with all roles that the dead participant had there.
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

/* A process that is watched. */
typedef struct process {
  sw_prim_watch watch;
  uint32_t users; /* roles of watches; 0: this place is free */
  int ended;
} process;

enum {
  FEW = 15,   /* doorbells of the first ear */
  OFTEN = 16, /* rings after which a doorbell is moved there */
  GLANCE = 64 /* watches that are looked at each time, at least; of more, a QUARTER */
};
#define QUARTER 4
#define NONE    UINT32_MAX

typedef struct ear ear;

typedef struct watched {
  sw_listener_watch config;
  ear *ear; /* that sleeps on its doorbell; NULL when it has none */
  uint32_t roles[SW_ROLES];
  /* of the processes that hold them; NONE when there is nothing to watch */
  uint32_t processes[SW_ROLES];
} watched;

/* What an ear knows of a doorbell. */
typedef struct place {
  void *bell;
  uint32_t id;    /* of the watch */
  uint32_t rings; /* lately */
} place;

struct ear {
  sw_listener *listener;
  sw_prim_thread thread;
  uint32_t asked, paused, resumed; /* shared with the owner */
  uint32_t stop;
  uint32_t restless; /* shared with the owner: a doorbell is rung often, and not in the first ear */
  uint32_t most;     /* doorbells that it may have */
  uint32_t count, room;
  uint32_t **words;   /* `asked`, then the doorbells: what the thread sleeps on */
  uint32_t *expected; /* their values when the loop was last told */
  place *places;      /* of the doorbells, from index 1 on */
};

struct sw_listener {
  sw_listener_hooks hooks;
  uint32_t most;    /* doorbells of an ear */
  ear **ears;       /* the owner's */
  uint64_t settled; /* when doorbells were last moved */
  uint32_t ear_count;
  uint32_t count, room;
  watched *watched;
  uint32_t next;          /* of the watches: the one to look at next */
  uint32_t process_count; /* places that were ever used */
  process *processes;     /* with room for every role of each watch */
};

/* ---- the threads ---- */

static void unwatch(sw_listener *l, uint32_t *number) {
  if (*number == NONE) return;
  process *p = &l->processes[*number];
  if (--p->users == 0) sw_prim_watch_close(&p->watch);
  *number = NONE;
}

static uint32_t watch_process(sw_listener *l, const sw_owner *owner) {
  uint32_t vacant = NONE;
  for (uint32_t i = 0; i < l->process_count; i++) {
    process *p = &l->processes[i];
    if (p->users == 0) {
      vacant = i;
    } else if (p->watch.pid == owner->pid && p->watch.start_low == owner->start_low &&
               p->watch.start_high == owner->start_high) {
      p->users++;
      return i;
    }
  }
  if (vacant == NONE) vacant = l->process_count++;
  process *p = &l->processes[vacant];
  *p = (process){.users = 1};
  sw_prim_watch_open(&p->watch, owner->pid, owner->start_low, owner->start_high);
  return vacant;
}

/* Watch the process of the role's new holder, unless it is this one, or the holder is the watched
 * endpoint itself. True when that holder has crashed already: one that leaves in order clears its
 * roles before its endpoint. */
static int watch_holder(sw_listener *l, watched *s, uint32_t which, uint32_t role) {
  sw_owner owner;
  if (role == 0 || sw_role_index(role) == s->config.endpoint) return 0;
  if (!sw_endpoint_owner(s->config.base, role, &owner)) return 1;
  if (owner.pid != sw_prim_pid()) s->processes[which] = watch_process(l, &owner);
  return 0;
}

/* The participant of another process whose death this role's word, or the end of that process,
 * shows; zero for none. Deaths of this process's threads are for JavaScript to see, which looks at
 * the words itself. */
static uint32_t dead_holder(sw_listener *l, watched *s, uint32_t which) {
  uint32_t number = s->processes[which];
  int foreign = number != NONE;
  int ended = foreign && l->processes[number].ended;
  uint32_t word = sw_channel_role(s->config.base, s->config.size, s->config.channel, which);
  uint32_t before = s->roles[which], holder = sw_role_holder(word);
  if (ended || word != before) unwatch(l, &s->processes[which]);
  if (word == before) return ended ? before : 0;
  s->roles[which] = word;
  if (watch_holder(l, s, which, holder)) return holder;
  /* the next one is there, and the last one did not leave in order */
  if (holder != 0) return ended ? before : 0;
  return foreign ? sw_role_lost(word) : 0;
}

/* Each death is told once, with all roles that the dead one had. */
static void look_at_roles(sw_listener *l, watched *s) {
  uint32_t dead[SW_ROLES];
  for (uint32_t which = 0; which < SW_ROLES; which++) dead[which] = dead_holder(l, s, which);
  for (uint32_t first = 0; first < SW_ROLES; first++) {
    uint32_t role = dead[first], roles = 0;
    if (role == 0) continue;
    for (uint32_t which = 0; which < SW_ROLES; which++) {
      if (dead[which] != role && s->roles[which] != role) continue;
      roles |= 1u << which;
      dead[which] = 0;
      if (s->roles[which] == role) unwatch(l, &s->processes[which]);
    }
    l->hooks.died(l->hooks.context, s->config.id, roles, role);
  }
}

/* Ends first: a process that left in order has cleared its roles before it ended, as the look at
 * them then shows. */
static void look_at_peers(sw_listener *l) {
  int ended = 0;
  for (uint32_t i = 0; i < l->process_count; i++) {
    process *p = &l->processes[i];
    if (p->users != 0) ended |= p->ended = sw_prim_watch_ended(&p->watch);
  }
  uint32_t some = l->count / QUARTER < GLANCE ? GLANCE : l->count / QUARTER + 1;
  for (uint32_t left = ended || some > l->count ? l->count : some; left > 0; left--) {
    if (l->next >= l->count) l->next = 0;
    look_at_roles(l, &l->watched[l->next++]);
  }
}

/* True when one was rung. */
static int look_at_doorbells(ear *e) {
  sw_listener *l = e->listener;
  int rung = 0;
  for (uint32_t i = 1; i <= e->count; i++) {
    uint32_t now = sw_peer_load_acquire(e->words[i]);
    if (now == e->expected[i]) continue;
    e->expected[i] = now;
    rung = 1;
    l->hooks.rung(l->hooks.context, e->places[i].bell);
    if (++e->places[i].rings >= OFTEN && e->most != FEW) sw_store_release(&e->restless, 1);
  }
  return rung;
}

/* False when the thread is to end. */
static int give_way(ear *e, uint32_t asked) {
  sw_store_release(&e->paused, asked);
  sw_prim_futex_wake(&e->paused);
  for (uint32_t resumed; (resumed = sw_load_acquire(&e->resumed)) != asked;) {
    sw_prim_futex_wait(&e->resumed, resumed, -1);
  }
  return !sw_load_acquire(&e->stop);
}

/* Every thread's; `patrol` is the first one's: it is called once in SW_WAIT_DEATH_NS, and whenever
 * the list of watches has changed. */
static void attend(ear *e, void (*patrol)(sw_listener *)) {
  uint64_t due = 0;
  for (;;) {
    uint32_t asked = sw_load_acquire(&e->asked);
    if (asked != sw_load_acquire(&e->resumed)) {
      if (!give_way(e, asked)) return;
      due = 0;
      continue;
    }
    int64_t left = -1;
    if (patrol != NULL) {
      uint64_t now = sw_prim_now();
      if (now >= due) {
        patrol(e->listener);
        due = now + SW_WAIT_DEATH_NS;
      }
      left = (int64_t)(due - now);
    }
    e->expected[0] = asked;
    if (!look_at_doorbells(e)) sw_prim_futex_wait_any(e->words, e->expected, e->count + 1, left);
  }
}

static void attend_all(void *argument) { attend(argument, look_at_peers); }

static void attend_own(void *argument) { attend(argument, NULL); }

/* ---- their owner ---- */

static void pause_ear(ear *e) {
  uint32_t asked = e->asked + 1;
  sw_store_release(&e->asked, asked);
  sw_prim_futex_wake(&e->asked);
  for (uint32_t paused; (paused = sw_load_acquire(&e->paused)) != asked;) sw_prim_futex_wait(&e->paused, paused, -1);
}

static void resume_ear(ear *e) {
  sw_store_release(&e->resumed, e->asked);
  sw_prim_futex_wake(&e->resumed);
}

/* Room for one more doorbell. */
static int grow_ear(ear *e) {
  if (e->count < e->room) return SW_OK;
  uint32_t room = e->room == 0 ? 8 : e->room * 2;
  uint32_t **words = realloc(e->words, (room + 1) * sizeof(*words));
  if (words != NULL) e->words = words;
  uint32_t *expected = realloc(e->expected, (room + 1) * sizeof(*expected));
  if (expected != NULL) e->expected = expected;
  place *places = realloc(e->places, (room + 1) * sizeof(*places));
  if (places != NULL) e->places = places;
  if (words == NULL || expected == NULL || places == NULL) return SW_ENOMEM;
  e->room = room;
  e->words[0] = &e->asked;
  return SW_OK;
}

/* Room for one more watch. */
static int grow_list(sw_listener *l) {
  if (l->count < l->room) return SW_OK;
  uint32_t room = l->room == 0 ? 8 : l->room * 2;
  watched *list = realloc(l->watched, room * sizeof(*list));
  if (list != NULL) l->watched = list;
  process *processes = realloc(l->processes, (size_t)room * SW_ROLES * sizeof(*processes));
  if (processes != NULL) l->processes = processes;
  if (list == NULL || processes == NULL) return SW_ENOMEM;
  l->room = room;
  return SW_OK;
}

static void free_ear(ear *e) {
  free((void *)e->words);
  free(e->expected);
  free(e->places);
  free(e);
}

static int add_ear(sw_listener *l, const char *name, void (*run)(void *), uint32_t most) {
  /* NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers */
  ear **ears = realloc((void *)l->ears, (l->ear_count + 1) * sizeof(*ears));
  if (ears != NULL) l->ears = ears;
  ear *e = ears == NULL ? NULL : calloc(1, sizeof(*e));
  if (e == NULL) return SW_ENOMEM;
  e->listener = l;
  e->most = most;
  int status = grow_ear(e);
  if (status == SW_OK) status = sw_prim_thread_start(&e->thread, name, run, e);
  if (status == SW_OK) l->ears[l->ear_count++] = e;
  else free_ear(e);
  return status;
}

/* The thread of the paused ear ends. */
static void end_ear(ear *e) {
  sw_store_release(&e->stop, 1);
  resume_ear(e);
  sw_prim_thread_join(&e->thread);
  free_ear(e);
}

/* One that has room for another doorbell; NULL when there is no memory, or no thread, for one. */
static ear *ear_with_room(sw_listener *l) {
  for (uint32_t i = 0; i < l->ear_count; i++) {
    if (l->ears[i]->count < l->ears[i]->most) return l->ears[i];
  }
  return add_ear(l, "sabway-bells", attend_own, l->most) == SW_OK ? l->ears[l->ear_count - 1] : NULL;
}

/* The ears in these are paused. */

static void move_doorbell(ear *to, uint32_t there, const ear *from, uint32_t here) {
  to->words[there] = from->words[here];
  to->expected[there] = from->expected[here];
  to->places[there] = from->places[here];
}

static int add_doorbell(ear *e, const sw_listener_watch *config) {
  int status = grow_ear(e);
  if (status != SW_OK) return status;
  uint32_t *doorbell = sw_endpoint_doorbell(config->base, config->endpoint);
  uint32_t at = ++e->count;
  e->words[at] = doorbell;
  e->expected[at] = sw_peer_load_acquire(doorbell) - 1; /* told once, for what came before */
  e->places[at] = (place){.bell = config->bell, .id = config->id};
  return SW_OK;
}

static void remove_doorbell(ear *e, const uint32_t *doorbell) {
  uint32_t at = 1;
  while (e->words[at] != doorbell) at++;
  move_doorbell(e, at, e, e->count--);
}

static void set_ear(sw_listener *l, uint32_t id, ear *e) {
  uint32_t at = 0;
  while (l->watched[at].config.id != id) at++;
  l->watched[at].ear = e;
}

static uint32_t least_rung(const ear *e) {
  uint32_t least = 1;
  for (uint32_t i = 2; i <= e->count; i++) {
    if (e->places[i].rings < e->places[least].rings) least = i;
  }
  return least;
}

/* The first ear takes the doorbell: in the place of one that is rung less, where it is full. */
static void take_over(sw_listener *l, ear *first, ear *e, uint32_t at) {
  uint32_t id = e->places[at].id, there = first->count + 1;
  if (first->count < first->most && grow_ear(first) == SW_OK) {
    move_doorbell(first, there, e, at);
    move_doorbell(e, at, e, e->count);
    first->count++;
    e->count--;
  } else {
    there = least_rung(first);
    if (first->count == 0 || first->places[there].rings >= e->places[at].rings) return;
    move_doorbell(first, 0, first, there); /* nothing of index 0 is in use but its word */
    move_doorbell(first, there, e, at);
    move_doorbell(e, at, first, 0);
    first->words[0] = &first->asked;
    set_ear(l, e->places[at].id, e);
  }
  set_ear(l, id, first);
}

static void fade(ear *e) {
  for (uint32_t i = 1; i <= e->count; i++) e->places[i].rings /= 2;
}

static void settle_ear(sw_listener *l, ear *first, ear *e) {
  pause_ear(first);
  pause_ear(e);
  sw_store_relaxed(&e->restless, 0);
  for (uint32_t i = e->count; i >= 1; i--) {
    if (e->places[i].rings >= OFTEN) take_over(l, first, e, i);
  }
  fade(first);
  fade(e);
  resume_ear(e);
  resume_ear(first);
}

static void forget_ear(sw_listener *l, ear *e) {
  uint32_t at = 0;
  while (l->ears[at] != e) at++;
  l->ears[at] = l->ears[--l->ear_count];
}

int sw_listener_start(sw_listener **listener, const sw_listener_hooks *hooks) {
  sw_listener *l = calloc(1, sizeof(*l));
  if (l == NULL) return SW_ENOMEM;
  l->hooks = *hooks;
  uint32_t most = sw_prim_futex_most();
  l->most = most - 1; /* the other one is `asked` */
  int status = grow_list(l);
  if (status == SW_OK) status = add_ear(l, "sabway-listener", attend_all, most == 0 ? UINT32_MAX : FEW);
  if (status == SW_OK) {
    *listener = l;
    return status;
  }
  free(l->watched);
  free(l->processes);
  free((void *)l->ears);
  free(l);
  return status;
}

int sw_listener_add(sw_listener *l, const sw_listener_watch *config) {
  ear *first = l->ears[0], *e = NULL;
  if (config->endpoint < SW_ENDPOINTS && (e = ear_with_room(l)) == NULL) return SW_ENOMEM;
  pause_ear(first);
  if (e != NULL && e != first) pause_ear(e);
  int status = grow_list(l);
  if (status == SW_OK && e != NULL) status = add_doorbell(e, config);
  if (status == SW_OK) {
    l->next = l->count; /* the new one first */
    watched *s = &l->watched[l->count++];
    *s = (watched){.config = *config, .ear = e};
    for (uint32_t which = 0; which < SW_ROLES; which++) s->processes[which] = NONE;
  }
  if (e != NULL && e != first) resume_ear(e);
  resume_ear(first);
  return status;
}

void sw_listener_remove(sw_listener *l, uint32_t id) {
  ear *first = l->ears[0];
  uint32_t at = 0;
  while (at < l->count && l->watched[at].config.id != id) at++;
  if (at == l->count) return;
  watched *s = &l->watched[at];
  ear *e = s->ear;
  uint32_t *doorbell = e == NULL ? NULL : sw_endpoint_doorbell(s->config.base, s->config.endpoint);
  pause_ear(first);
  for (uint32_t which = 0; which < SW_ROLES; which++) unwatch(l, &s->processes[which]);
  *s = l->watched[--l->count];
  if (e == first) remove_doorbell(e, doorbell);
  resume_ear(first);
  if (e == NULL || e == first) return;
  pause_ear(e);
  remove_doorbell(e, doorbell);
  if (e->count != 0) {
    resume_ear(e);
    return;
  }
  forget_ear(l, e);
  end_ear(e);
}

void sw_listener_settle(sw_listener *l) {
  uint64_t now = 0;
  for (uint32_t i = 1; i < l->ear_count; i++) {
    ear *e = l->ears[i];
    if (!sw_load_acquire(&e->restless)) continue;
    if (now == 0) now = sw_prim_now();
    if (now - l->settled < SW_WAIT_DEATH_NS) return;
    settle_ear(l, l->ears[0], e);
  }
  if (now != 0) l->settled = now;
}

void sw_listener_stop(sw_listener *l) {
  while (l->ear_count != 0) {
    ear *e = l->ears[--l->ear_count];
    pause_ear(e);
    end_ear(e);
  }
  for (uint32_t i = 0; i < l->count; i++) {
    for (uint32_t which = 0; which < SW_ROLES; which++) unwatch(l, &l->watched[i].processes[which]);
  }
  free(l->watched);
  free(l->processes);
  free((void *)l->ears);
  free(l);
}
