/* Are the scenarios strong enough? Every order in the core is taken away, one at a time: acquire or
 * release becomes relaxed, a fence is removed, the look behind a fence shows nothing new, a
 * read-modify-write is no longer atomic. Some scenario must fail of it. Where none can, `reasons`
 * says why the order does not matter there.
 *
 * Each mutant runs in a process of its own, because the core may do anything then; as many at
 * once as there are processors. Argument: a part of a mutant's description, to run only those and
 * see how they fail; or --sites, to run none, and see whether each label and reason has a place. */
#define _DEFAULT_SOURCE

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenes.h"
#include "sites.h"

#ifndef SABWAY_ROOT
#define SABWAY_ROOT "."
#endif

enum { SCENARIOS = 512, PATIENCE_S = 120, HARMLESS_RUNS = 50000 };

static const char *const mutations[] = {"", "weakened to relaxed", "not atomic", "nothing new behind it"};
static const char *const fence_mutations[] = {"", "removed", "", "nothing new seen behind it"};

/* Mutants that change nothing: by function, a part of the line, and what is done to it. */
static const struct reason {
  const char *function, *text;
  enum model_mutation mutation;
  const char *why;
} reasons[] = {
    {"reclaim_if_dead", "&e->start_low", MODEL_WEAKEN,
     "only that one rival succeeds matters; what the next owner reads it gets from the claim word"},
    {"sw_endpoint_claim", "compare_exchange", MODEL_WEAKEN,
     "the load of the claim word before it and the epoch's read-modify-write behind it order the same stores"},
    {"give_back", "&e->pid", MODEL_WEAKEN,
     "the epoch's read-modify-write before it is read by the next claim's, which orders the same stores"},
    {"sw_endpoint_claim", "&e->epoch", MODEL_WEAKEN, "edge [E2] orders the same stores"},
    {"sw_endpoint_claim", "&e->epoch", MODEL_SPLIT, "only the holder of the claim word changes the epoch"},
    {"sw_endpoint_release", "&e->epoch", MODEL_SPLIT, "only the holder of the claim word changes the epoch"},
    {"sw_endpoint_release_role", "&e->epoch", MODEL_WEAKEN, "edge [E2] orders the same stores"},
    {"sw_endpoint_role", "epoch", MODEL_WEAKEN,
     "asked by the owner, or by the thread that started it: the claim comes before"},
    {"sw_endpoint_role_alive", "epoch", MODEL_WEAKEN,
     "a thread that knows a role read it with acquire after the claim; an older role is judged late, which is allowed"},
    {"sw_endpoint_role_alive", "&e->pid", MODEL_WEAKEN, "as above: the claim, with its start time, comes before"},
    {"sw_endpoint_arm", "&e->doorbell", MODEL_WEAKEN, "fence [F1] behind it makes it an acquire"},
    {"sw_endpoint_disarm", "->sleeping", MODEL_WEAKEN, "a thread that finds the owner awake reads nothing else of it"},
    {"sw_endpoint_arm", "&e->sleeping", MODEL_WEAKEN, "fence [F1] orders what matters: the look behind it"},
    {"end_sleep", "&e->sleeping", MODEL_WEAKEN,
     "which arm it takes matters, and that only one waker takes it: not what else it sees"},
    {"end_sleep", "&e->doorbell", MODEL_WEAKEN, "the fences order the work; the doorbell only ends the sleep"},
    {"relays", "&e->skills", MODEL_WEAKEN, "which relay to ring: fences [Q3] and [Q4] order it against the requests"},
    {"ring_one", "&relay->doorbell", MODEL_WEAKEN, "fence [Q3] before it releases the request"},
    {"swi_relay_ask", "&e->request", MODEL_WEAKEN, "fence [Q3] behind it, and the relay's doorbell behind that"},
    {"sw_endpoint_set_skills", "->skills", MODEL_WEAKEN, "fence [Q4] behind it orders what matters"},
    {"sw_relay_serve", "&e->request", MODEL_WEAKEN, "the relay reads nothing by it: it only wakes"},
    {"sw_relay_serve", "&e->request", MODEL_SPLIT,
     "a request that is lost so was made for a sleep that this wake has ended, or is made again by the next ring"},
    {"sw_endpoint_wake_path", "&peer->skills", MODEL_WEAKEN, "a hint: an old one is noticed at the next sleep"},
    {"sw_ready_mark", "&ready->some, bit_of_word);", MODEL_WEAKEN,
     "needed where read-modify-writes of two words change places (load buffering), which is not walked"},
    {"sw_ready_take", "sw_exchange64_acq_rel(&ready->some", MODEL_WEAKEN, "as above"},
    {"sw_ready_take", "sw_fetch_or64_acq_rel(&ready->word[at]", MODEL_WEAKEN,
     "the owner hands nothing on by what it puts back"},
    {"sw_ready_take", "&ready->some, some);", MODEL_WEAKEN, "as above"},
    {"sw_channel_ring_holders", "sw_fence_handshake", MODEL_WEAKEN,
     "one that has taken a role is behind fence [C3]; it is for one that has left"},
    {"sw_channel_ring_holders", "sw_fence_handshake", MODEL_BLIND, "as above"},
    {"sw_producer_attach", "&ring->head", MODEL_WEAKEN, "the role word, edges [C1] and [C2], orders the last producer"},
    {"sw_consumer_attach", "&ring->tail", MODEL_WEAKEN, "the role word, edges [C1] and [C2], orders the last consumer"},
    {"sw_consumer_attach", "&ring->head", MODEL_WEAKEN, "only checked; frames are read up to what [A1] loads"},
    {"sw_ring_check", "&ring->head", MODEL_WEAKEN, "for a ring that no participant uses meanwhile"},
    {"sw_ring_check", "&ring->tail", MODEL_WEAKEN, "for a ring that no participant uses meanwhile"},
    {"sw_producer_close", "&p->ring->closed", MODEL_WEAKEN,
     "every publication ends with fence [F2], which lies between the last one and this"},
    {"sw_consumer_close", "&c->ring->closed", MODEL_WEAKEN, "the producer reads nothing by it: it only stops"},
    {"swi_slab_adopt", "(word, &owner, 0)", MODEL_WEAKEN, "what is given up was not used"},
    {"swi_slab_adopt", "(word, &owner, 0)", MODEL_SPLIT, "no other changes a living owner's word but by a store"},
    {"rebuild", "&h->map[next]", MODEL_WEAKEN, "the fence of sw_mutex_unlock comes before the next use of the pages"},
    {"take_all_back", "given[i]", MODEL_SPLIT,
     "the holder of the lock takes out, and others put in where there is nothing"},
    {"shrink", "&h->map[page]", MODEL_WEAKEN, "decides whether it was freed; the lock orders the rest"},
    {"grow", "&h->map[page]", MODEL_WEAKEN, "decides whether it was freed; the lock orders the rest"},
    {"swi_pool_link", "link[way", MODEL_WEAKEN,
     "a chunk whose words are not seen yet gives no cell, or one that is given back [X4]; this is for the zeros of a "
     "new block"},
    {"append_chunk", "load_acquire(link)", MODEL_WEAKEN, "the lock orders it"},
    {"append_chunk", "sw_store_release(link", MODEL_WEAKEN, "as swi_pool_link"},
    {"sw_mutex_consistent", "&m->state", MODEL_WEAKEN, "the holder stays: its unlock, edge [M2], publishes"},
    {"sw_mutex_request_handoff", "&m->state", MODEL_WEAKEN, "the holder stays: its unlock, edge [M2], publishes"},
    {"wake_next", "&m->state", MODEL_WEAKEN, "a hint, in a word whose other exchanges order what matters"},
    {"withdraw", "&m->state", MODEL_WEAKEN,
     "hands on what [M2] released, as every read-modify-write does; [F4] orders the look"},
    {"sw_mutex_end_wait", "&m->waiters", MODEL_WEAKEN, "fence [F4] behind it orders what matters"},
    {"take_from", "&m->state", MODEL_WEAKEN, "fence [F4] before it releases the same"},
    {"swi_waits_begin", "(waits, bit_of", MODEL_WEAKEN, "fence [F1] behind it orders what matters"},
    {"swi_waits_end", "(waits, ~bit_of", MODEL_WEAKEN, "fence [F8] behind it orders what matters"},
    {"swi_waits_bury", "(waits, ~bit_of", MODEL_WEAKEN, "the ring's fence [F7] behind it orders what matters"},
    {"clear", "&o->member[i], &word, to", MODEL_WEAKEN,
     "the fences of the mutex's eviction, which comes before, release the same"},
    {"swi_sync_bury", "object.life", MODEL_WEAKEN,
     "the registry led here, which orders what the maker wrote; it is for one that is made anew meanwhile"},
    {"sw_semaphore_try_acquire", "if (sw_compare_exchange", MODEL_WEAKEN,
     "by the holder's death, too, what it did is seen; what the taker does is published by its release"},
    {"sw_condition_enlist", "&word, h->role", MODEL_WEAKEN, "the unlocking of the mutex behind it publishes it"},
    {"sw_condition_leave", "SW_ENDPOINTS], 0)", MODEL_WEAKEN,
     "the exchange of the waits word before it has seen every waiter that the notifier saw"},
    {"sw_mutex_begin_wait", "&m->waiters", MODEL_WEAKEN, "fence [F1] behind it orders what matters"},
    {"sw_mutex_evict_endpoint", "&m->waiters", MODEL_WEAKEN, "fence [F4] behind it orders what matters"},
    {"grow", "&directory->table", MODEL_WEAKEN, "the lock orders it between the living; it is for what a crash leaves"},
    {"add", "&v->table->slot", MODEL_WEAKEN, "the lock orders it between the living; it is for what a crash leaves"},
    {"sw_object_type", "&object->life", MODEL_WEAKEN,
     "the pointer came by a message or by a name, which orders what the maker wrote"},
    {"sw_object_begin_free", "->life, &life, dying", MODEL_WEAKEN,
     "what it publishes is that the object is gone; the heap's exchanges behind it order what is freed"},
    {"sw_object_end_free", "&object->life", MODEL_WEAKEN, "the registry's exchange behind it orders the same"},
    {"sw_mutex_free", "&object->generation", MODEL_WEAKEN, "the registry's exchange behind it orders the same"},
    {"sw_mutex_free", "&object->generation", MODEL_SPLIT,
     "of two that free one mutex one gets an error; counted once or twice, the old name is gone"},
    {"replace", "sw_compare_exchange_acq_rel(slot", MODEL_WEAKEN,
     "what is removed is not read any more, and what is used again is ordered by words of its own, edge [C4]"},
    {"sw_registry_add", "sw_store_release(&registry->hint", MODEL_WEAKEN,
     "what it hands on is in no store of its own; for the plain stores that clear the block"},
    {"sw_registry_remove", "->hint", MODEL_WEAKEN,
     "what it hands on is in no store of its own; for the plain stores that clear the block"},
    {"find", "magic", MODEL_WEAKEN, "a role is read with acquire before the rest of the channel is: [C4]"},
    {"admit", "&p->channel->life", MODEL_WEAKEN,
     "fence [C3] before it orders what matters; the rest of the channel is seen by [C4]"},
    {"sw_ring_format", "roles);", MODEL_WEAKEN,
     "the fences of freeing come before, and the rest of the channel is seen by `life`, too, in admit"},
    {"take_apart", "&channel->data", MODEL_WEAKEN, "which freer gets the block matters, not what else it sees"},
    {"take_apart", "&channel->data", MODEL_SPLIT, "only a freer that lives and is taken for dead has a rival here"},
    {"take_apart", "&channel->life", MODEL_WEAKEN, "the registry's exchange behind it orders the same stores"},
    {"take_apart", "&channel->life", MODEL_SPLIT, "only a freer that lives and is taken for dead has a rival here"},
    {"begin", "*seen = ", MODEL_WEAKEN, "the exchange behind it reads the same word"},
    {"sw_channel_free", "magic", MODEL_WEAKEN, "the exchange of `life` behind it orders the same stores"},
    {"sw_channel_free", "swi_life_of(generation, 0)", MODEL_WEAKEN, "fence [O1] before it is a release"},
    {"is_alive", "object.life", MODEL_WEAKEN,
     "the exchange behind it decides, and finds none of the words of a map that is gone"},
    {"sees_short_way", "object.life", MODEL_WEAKEN, "as above"},
    {"put_shortly", "object.life", MODEL_WEAKEN, "as above"},
    {"put", "sw_fill((uint32_t *)(void *)place, word)", MODEL_WEAKEN,
     "the store of `append` is the same, is what the scenes reach, and is not to be weakened"},
    {"sw_map_get_number", "object.life", MODEL_WEAKEN, "the second look finds the bucket dead, or as it was"},
    {"get_short", "object.life", MODEL_WEAKEN, "as above"},
    {"swi_map_count", "(m->count", MODEL_WEAKEN, "a number, which hands nothing on"},
    {"swi_map_count", "(m->count", MODEL_SPLIT, "only the endpoint's owner changes it while the map is there"},
    {"sw_map_new", "object.root", MODEL_WEAKEN, "what hands the new map's offset on publishes the map"},
    {"swi_table_refresh", "object.root", MODEL_WEAKEN,
     "with one bucket its forwarded word, edge [K2], orders the same stores; it is for the others"},
    {"finish", "object.root", MODEL_WEAKEN, "as above"},
    {"finish", "object.root", MODEL_SPLIT, "two that finish store the same"},
    {"swi_table_move_some", "(moved", MODEL_WEAKEN, "as swi_table_refresh: it is for the other buckets"},
    {"swi_table_grow", "table.at, at)", MODEL_SPLIT,
     "the heap of the scene has room for one more table; many grow at once in test_map_shared"},
    {"change_mark", "(word, &old, value)", MODEL_WEAKEN, "a mark is a hint"},
    {"change_mark", "(word, &old, value)", MODEL_SPLIT, "as above"},
    {"next_hand", "(hand, &old", MODEL_WEAKEN, "the hand's place is a hint"},
    {"next_hand", "(hand, &old", MODEL_SPLIT, "as above"},
    {"swi_map_make_room", "sw_fence_handshake", MODEL_WEAKEN,
     "needed for the exact limit among threads: a scene of it is too large, test/js/map tries it"},
    {"swi_map_make_room", "sw_fence_handshake", MODEL_BLIND, "as above"},
    {"free_frozen", "swi_word_dead", MODEL_WEAKEN, "it publishes a word without content"},
    {"free_frozen", "swi_word_dead", MODEL_SPLIT,
     "a child that is born meanwhile has one entry, which is freed once, and no block of its own"},
    {"next_of", "(word, &none", MODEL_WEAKEN, "it publishes nothing"},
    {"next_of", "(word, &none", MODEL_SPLIT, "what begins to grow meanwhile is a block that is lost with the map"},
    {"sw_map_free", "object.root", MODEL_WEAKEN, "the exchange of `life` before it, edge [J1], orders the same stores"},
    {"swi_table_move_some", "(moved", MODEL_SPLIT, "those that count a bucket have all moved it"},
    {"sw_channel_free", "mine)", MODEL_WEAKEN,
     "what holders did is seen by [O2]; nothing is published before the registry"},
    {"write_field", "sw_store_release(word, bits)", MODEL_WEAKEN,
     "as the store of 64 bits above it, by which snapshots are explored: words of both widths cannot be mixed here"},
    {"write_field", "&seen, (seen & ~mask) | bits", MODEL_WEAKEN, "as above"},
    {"put_text", "sw_store64_release", MODEL_WEAKEN, "as the store of 64 bits in write_field"},
    {"note", "&v->record->undo", MODEL_WEAKEN, "the lock orders it between the living; it is for what a crash leaves"},
    {"take_back", "&v->record->undo", MODEL_WEAKEN, "as above"},
    {"make", "&v->record->undo", MODEL_WEAKEN, "as above"},
    {"free_garbage", "&node->number", MODEL_WEAKEN, "a reader that finds no number tries again, whatever else it sees"},
    {"take_out", "&p->node->number", MODEL_WEAKEN, "as above"},
    {"seek", "&node->number", MODEL_WEAKEN,
     "the load that led to the node orders it, and the node that is found is read again"},
    {"clear", "&v->list->head", MODEL_WEAKEN, "it takes away; the order is for what a crash leaves"},
    {"read", "length = (uint32_t)", MODEL_WEAKEN, "copying begins with the same word again, by an acquiring load"},
    {"sw_string_check", "text_of", MODEL_WEAKEN, "for a moment when no participant replaces the text"},
    {"sw_rwlock_try_read", "own, h->role", MODEL_WEAKEN, "the fence behind it orders it"},
    {"sw_rwlock_try_read", "own, h->role", MODEL_SPLIT, "no other writes the word of one that lives"},
    {"sw_rwlock_end_read", "own_of(h, o), 0", MODEL_SPLIT, "as above"},
    {"swi_ncq_find_tail", "*t = ", MODEL_WEAKEN, "the slot says by its cycle whether that position is the tail"},
    {"swi_ncq_find_tail", "*seen = ", MODEL_WEAKEN, "the exchange that fills the slot reads the same word"},
    {"swi_ncq_find_tail", "&tail, *t + 1", MODEL_WEAKEN,
     "the tail is a hint: the slots tell one that is old, and it is moved"},
    {"swi_ncq_find_tail", "&tail, *t + 1", MODEL_SPLIT, "as above"},
    {"swi_ncq_put_behind", "&tail, t + 1", MODEL_WEAKEN, "as above"},
    {"swi_ncq_put_behind", "&tail, t + 1", MODEL_SPLIT, "as above"},
    {"swi_ncq_is_full", "&q->ring->head", MODEL_WEAKEN,
     "a taker that reads a slot which is filled anew is told so by its cycle; blocks are used again by words of their "
     "own"},
    {"swi_ncq_put", "&q->ring->head", MODEL_WEAKEN, "as above"},
    {"swi_ncq_size", "&q->ring->head", MODEL_WEAKEN, "a number of the moment"},
    {"swi_ncq_size", "swi_ncq_slot(q, t)", MODEL_WEAKEN, "a number of the moment"},
    {"sw_queue_new", "&queue->rings", MODEL_WEAKEN, "what hands the new queue's offset on publishes the queue"},
    {"give_role", "&own, 0", MODEL_WEAKEN, "the fence of the last call before it, which wakes others, is a release"},
    {"give_role", "&own, 0", MODEL_SPLIT, "no other changes the role of one that lives"},
    {"claim", "sw_peer_load_acquire(role)", MODEL_WEAKEN, "the exchange behind it reads the same word"},
    {"claim", "&seen, h->role", MODEL_WEAKEN,
     "the exchanges of the ring's slots and ends order what the last owner did"},
    {"put_single", "&t, t + 1", MODEL_WEAKEN, "as the tail in swi_ncq_put"},
    {"put_single", "&t, t + 1", MODEL_SPLIT, "as above; what the block is used for behind a free has other words"},
    {"put_level", "(present, bit)", MODEL_WEAKEN, "the fence before it orders it, and a mark is a hint"},
    {"take_marked", "load64_acquire(present)", MODEL_WEAKEN, "a mark is a hint"},
    {"take_marked", "(present, ~bit)", MODEL_WEAKEN, "the fence behind it orders it"},
    {"take_marked", "(present, bit)", MODEL_WEAKEN, "as above"},
    {"take_marked", "(present, bit)", MODEL_SPLIT, "as above"},
    {"swi_queue_bury", "&queue->present", MODEL_WEAKEN, "as above"},
    {"swi_queue_bury", "&queue->present", MODEL_SPLIT, "as above"},
    {"sw_queue_has_room", "->closed", MODEL_WEAKEN, "put looks again, under the lock"},
    {"sw_queue_has_news", "->closed", MODEL_WEAKEN, "fence [F1] before it orders it for one that waits"},
    {"sw_queue_is_closed", "->closed", MODEL_WEAKEN, "calls look again, under the lock"},
    {"swi_sorted_close", "&v.queue->closed", MODEL_WEAKEN, "the lock orders it"},
    {"read_run", "swi_ncq_slot", MODEL_WEAKEN,
     "the fence that wakes producers, before the values are used, makes it an acquire"},
    {"next_ticket", "->offers", MODEL_WEAKEN, "that no two are alike matters: the exchanges order what is behind them"},
    {"next_ticket", "->offers", MODEL_SPLIT,
     "one number twice matters to a third call that is late by a whole offer, with four at once: more than is walked"},
    {"meet", "c->state, &seen, next", MODEL_WEAKEN,
     "fence [U5] before it makes it a release, and [U1] ordered what the card leads to"},
    {"settle", "state, &seen, ended", MODEL_WEAKEN,
     "an offer that has ended is not read: the next one comes by an exchange"},
    {"swi_offer_close", "root, &seen", MODEL_WEAKEN, "nothing is read behind it; the fence before the rings orders it"},
    {"end_place", "place->ticket) & HELD", MODEL_WEAKEN,
     "needed where stores of two participants to one word change places, which is not walked"},
    {"swi_offer_bury", "place->ticket", MODEL_WEAKEN, "what a dead one has written is ordered by its end"},
    {"swi_queue_bury", "object.life", MODEL_WEAKEN, "burial exchanges what names the dead one, and nothing else"},
    {"swi_queue_bury", "(roles[i]", MODEL_WEAKEN, "the system orders what a process did before its end"},
    {"swi_queue_is_there", "object.life", MODEL_WEAKEN,
     "the queue was opened before; that it is gone is seen late, and the exchanges behind it decide"},
    {"sw_queue_block", "&spares.ring->head", MODEL_WEAKEN, "for a moment when none is in a call"},
    {"sw_queue_block", "&spares, head + index", MODEL_WEAKEN, "as above"},
    {"sw_queue_block", "&ring.ring->head", MODEL_WEAKEN, "as above"},
    {"sw_queue_block", "&ring, at", MODEL_WEAKEN, "as above"},
    {"check_ring", "&ring->ring->head", MODEL_WEAKEN, "as above"},
    {"check_ring", "(ring, head + i)", MODEL_WEAKEN, "as above"},
    {"swi_ack_value", "&cell->state", MODEL_WEAKEN, "as above"},
    {"peek_level", "&ring.ring->head", MODEL_WEAKEN, "the fence above it orders what matters"},
    {"find_free", "*state = ", MODEL_WEAKEN, "the exchange behind it reads the same word"},
    {"find_free", "state, next", MODEL_WEAKEN, "the load before it has read the same word, and it publishes nothing"},
    {"swi_ack_has_any", "&cells[i].state", MODEL_WEAKEN,
     "the end of the ring, edge [P1], orders what was put before it"},
    {"swi_ack_put", "&cell->state, &state, next", MODEL_WEAKEN, "the ring, edge [P1], has published the value"},
    {"find_cell", "*state = ", MODEL_WEAKEN, "the name in the ring, edge [P1], orders the value"},
    {"find_cell", "(&(*cell)->state, state", MODEL_WEAKEN, "as above"},
    {"take_from", "(&cell->state, &state", MODEL_WEAKEN,
     "as above; what it writes behind it is published by the end of the hold"},
    {"swi_ack_peek", "&cell->state", MODEL_WEAKEN, "the fence above it orders what matters"},
    {"is_held", "*state = ", MODEL_WEAKEN, "of a cell that is the caller's it has made the last exchange itself"},
    {"has_name", "&ring->ring->head", MODEL_WEAKEN, "the slots tell by their cycles which position they are of"},
    {"has_name", "(ring, head + i)", MODEL_WEAKEN,
     "what a dead one put is ordered by its end, and of two that evict one the exchange decides"},
    {"swi_ack_clear", "load64_acquire", MODEL_WEAKEN, "the exchange behind it reads the same word"},
    {"swi_ack_clear", "sw_compare_exchange64", MODEL_WEAKEN, "the heap's exchanges order what is freed"},
    {"swi_ack_clear", "sw_fence_handshake", MODEL_BLIND, "it is for what is freed behind it: nothing is looked at"},
    {"end_ring", "sw_fence_handshake", MODEL_BLIND, "as above"},
    {"swi_ack_evict", "load64_acquire", MODEL_WEAKEN, "the exchange behind it reads the same word"},
    {"swi_ack_evict", "&cells[i].state, &state, next", MODEL_WEAKEN,
     "the producer, or the death, has published the value"},
    {"set_state", "&v->sorted->state", MODEL_WEAKEN,
     "the lock orders it between the living; it is for what a crash leaves"},
    {"write_entry", "&to->key", MODEL_WEAKEN, "as above"},
    {"write_entry", "&to->seq", MODEL_WEAKEN, "as above"},
    {"write_entry", "&to->value", MODEL_WEAKEN, "as above"},
    {"swi_sorted_put", "&v.sorted->seq", MODEL_WEAKEN, "as above"},
    {"make_room", "&s->cursor", MODEL_WEAKEN,
     "needed where a copy comes behind the store of its cursor (load buffering), which is not walked"},
    {"receive", "&s->cursor, position", MODEL_WEAKEN, "as above"},
    {"sw_broadcast_unsubscribe", "->role, &role, 0", MODEL_WEAKEN, "as above"},
    {"sw_broadcast_unsubscribe", "->role, &role, 0", MODEL_SPLIT, "no other changes the role of one that lives"},
    {"make_room", "&s->role, &role, 0", MODEL_WEAKEN, "the system orders what a process did before its end"},
    {"make_room", "&s->role, &role, 0", MODEL_SPLIT,
     "the next owner of the endpoint subscribes under the lock, which the caller has"},
    {"publish", "word_at(v, head), pad", MODEL_WEAKEN,
     "in place of a message it tells that all up to the ring's end is missed, as the numbers do"},
    {"sw_broadcast_subscribe", "sw_store_release(&s->role", MODEL_WEAKEN, "the lock orders it"},
    {"swi_broadcast_bury", "(word, &role, 0)", MODEL_WEAKEN, "the fence of the ring behind it orders what matters"},
    {"move", "&v->vector->moving", MODEL_WEAKEN,
     "the lock orders it between the living; it is for what a crash leaves"},
    {"sw_vector_delete", "&v.vector->moving", MODEL_WEAKEN, "as above"},
    {"sw_vector_set", "WRITING", MODEL_WEAKEN, "as above"},
    {"put_right", "->message_count, &count, used", MODEL_WEAKEN, "a number, which hands nothing on"},
    {"sw_p2p_commit", "->message_count, 1)", MODEL_WEAKEN, "the index before it, edge [I1], publishes the message"},
    {"sw_p2p_writer_repair", "->message_count", MODEL_WEAKEN,
     "a count that is put right by an old number is wrong behind that, and put right again"},
    {"sw_p2p_reader_repair", "->write_index", MODEL_WEAKEN, "as above"},
    {"sw_p2p_reader_repair", "->message_count", MODEL_WEAKEN, "as above"},
};

enum { REASONS = sizeof(reasons) / sizeof(reasons[0]) };
static bool used[REASONS];

/* A mutant, and what became of it. */
typedef struct {
  int which; /* of the sites */
  enum model_mutation mutation;
  const char *why; /* it is said to change nothing, or NULL */
  pid_t child;
  bool done;
  char how[320]; /* the words of the scenario that found it, by its process; empty: none did */
} attempt;

static site sites[SITES];
static const model_scenario *scenarios[SCENARIOS];
static int scenario_count, foundation_count; /* those of the foundation come first */
/* The scenarios, those of the fewest runs first: most mutants die there. */
static int order[SCENARIOS];

/* What the processes share. */
static struct {
  atomic_int next; /* scenario to survey */
  atomic_bool failed;
  uint64_t runs[SCENARIOS];
  bool covers[SCENARIOS][SITES];
  attempt attempts[SITES * MODEL_BLIND];
} * shared;
static int attempt_count;

static const char *describe(const attempt *a) {
  static char text[256];
  const site *s = &sites[a->which];
  bool fence = s->mutable_as[MODEL_BLIND];
  snprintf(text, sizeof(text), "%-9.23s %.31s:%d %.127s: %s", s->labels, s->file, s->line, s->text,
           fence ? fence_mutations[a->mutation] : mutations[a->mutation]);
  return text;
}

static const char *reason(const site *s, enum model_mutation mutation) {
  for (size_t i = 0; i < REASONS; i++) {
    if (reasons[i].mutation != mutation || strcmp(reasons[i].function, s->function) != 0 ||
        strstr(s->text, reasons[i].text) == NULL)
      continue;
    used[i] = true;
    return reasons[i].why;
  }
  return NULL;
}

static int by_runs(const void *a, const void *b) {
  uint64_t left = shared->runs[*(const int *)a], right = shared->runs[*(const int *)b];
  return (left > right) - (left < right);
}

static pid_t in_child(void (*act)(void *), void *argument) {
  fflush(stdout);
  pid_t child = fork();
  if (child != 0) return child;
  act(argument);
  fflush(stdout);
  _exit(0);
}

/* Run the unchanged core, to learn which scenario executes which site. */
static void survey_some(void *site_count) {
  for (int i; (i = atomic_fetch_add(&shared->next, 1)) < scenario_count;) {
    model_options options = {.mode = MODEL_WEAK};
    model_result result;
    model_explore(scenarios[i], &options, &result);
    if (result.failed || !result.exhausted) {
      printf("%s fails without any mutant: run model_core\n", scenarios[i]->name);
      atomic_store(&shared->failed, true);
    }
    for (int k = 0; k < *(int *)site_count; k++) shared->covers[i][k] = model_covered(sites[k].file, sites[k].line);
    shared->runs[i] = result.runs;
  }
}

static bool survey(int site_count, int jobs) {
  for (int i = 0; scenes_all[i] != NULL; i++) {
    if (i == SCENES_FOUNDATION) foundation_count = scenario_count;
    for (const model_scenario *s = scenes_all[i]; s->name != NULL; s++) {
      if (s->large) continue;
      if (scenario_count == SCENARIOS) {
        printf("more than %d scenarios: raise SCENARIOS\n", SCENARIOS);
        return false;
      }
      order[scenario_count] = scenario_count;
      scenarios[scenario_count++] = s;
    }
  }
  for (int i = 0; i < jobs; i++) in_child(survey_some, &site_count);
  for (int status; wait(&status) > 0;) {
    if (status != 0) atomic_store(&shared->failed, true);
  }
  qsort(order, (size_t)scenario_count, sizeof(*order), by_runs);
  return !atomic_load(&shared->failed);
}

/* Only the mutants of which a part of the description was given: they say how they fail. */
static const char *only;

/* What finds the mutant. One that is said to change nothing in the foundation is tried by the
 * scenes of the foundation, as those of structures run through it, too; and none is tried by scenes
 * of very many runs, which are there to find what is not known. */
static void hunt(void *argument) {
  attempt *a = argument;
  const site *s = &sites[a->which];
  model_mutant mutant = {.mutation = a->mutation, .line = s->line};
  memcpy(mutant.file, s->file, sizeof(mutant.file));
  /* not by the clock: others may be busy, too */
  setrlimit(RLIMIT_CPU, &(struct rlimit){PATIENCE_S, PATIENCE_S});
  int count = a->why != NULL && s->foundation ? foundation_count : scenario_count;
  for (int i = 0; i < scenario_count; i++) {
    int scenario = order[i];
    if (scenario >= count || !shared->covers[scenario][a->which]) continue;
    if (a->why != NULL && shared->runs[scenario] > HARMLESS_RUNS) continue;
    model_options options = {.mode = MODEL_WEAK, .mutant = mutant, .quiet = only == NULL};
    model_result result;
    model_explore(scenarios[scenario], &options, &result);
    if (!result.failed) continue;
    snprintf(a->how, sizeof(a->how), "%s: %s", scenarios[scenario]->name, result.why);
    return;
  }
}

static bool executed(int which) {
  for (int i = 0; i < scenario_count; i++) {
    if (shared->covers[i][which]) return true;
  }
  return false;
}

/* Wait until the process of one ends. */
static void await_one(void) {
  int status = 0;
  pid_t ended = wait(&status);
  for (int i = 0; i < attempt_count; i++) {
    attempt *a = &shared->attempts[i];
    if (a->child != ended || a->done) continue;
    a->done = true;
    if (WIFSIGNALED(status)) snprintf(a->how, sizeof(a->how), "signal %d", WTERMSIG(status));
  }
}

/* Tally of main. */
static int dead, excused, failed;

static void report(const attempt *a) {
  bool found = a->how[0] != '\0';
  dead += found;
  excused += !found && a->why != NULL;
  failed += found == (a->why != NULL);
  printf("%s %s\n", found ? "killed  " : a->why != NULL ? "same    " : "SURVIVED", describe(a));
  if (found) printf("            %s\n", a->how);
  else if (a->why != NULL) printf("            %s\n", a->why);
  else if (!executed(a->which)) printf("            no scenario executes it\n");
  if (found && a->why != NULL) printf("            FAILED: it is said to change nothing: %s\n", a->why);
  fflush(stdout);
}

int main(int count, char **arguments) {
  bool sites_only = count > 1 && strcmp(arguments[1], "--sites") == 0;
  only = count > 1 && !sites_only ? arguments[1] : NULL;
  int jobs = (int)sysconf(_SC_NPROCESSORS_ONLN);
  shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) abort();
  int site_count = sites_read(SABWAY_ROOT, sites);
  if (site_count <= 0 || (!sites_only && !survey(site_count, jobs))) return 1;
  for (int i = 0; i < site_count; i++) {
    for (enum model_mutation m = MODEL_WEAKEN; m <= MODEL_BLIND; m++) {
      if (!sites[i].mutable_as[m]) continue;
      attempt *a = &shared->attempts[attempt_count];
      *a = (attempt){.which = i, .mutation = m, .why = reason(&sites[i], m)};
      attempt_count += only == NULL || strstr(describe(a), only) != NULL;
    }
  }
  int wanted = sites_only ? 0 : attempt_count;
  for (int begun = 0, ended = 0, reported = 0; reported < wanted;) {
    for (; begun < wanted && begun - ended < jobs; begun++)
      shared->attempts[begun].child = in_child(hunt, &shared->attempts[begun]);
    await_one();
    ended++;
    for (; reported < wanted && shared->attempts[reported].done; reported++) report(&shared->attempts[reported]);
  }
  for (size_t i = 0; i < REASONS; i++) {
    if (used[i]) continue;
    printf("FAILED: no mutant for the reason about %s in %s\n", reasons[i].text, reasons[i].function);
    failed++;
  }
  if (!sites_only) printf("killed %d of %d; %d more change nothing\n", dead, attempt_count - excused, excused);
  return failed != 0;
}
