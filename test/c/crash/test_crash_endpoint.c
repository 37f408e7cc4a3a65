/* Death inside everything that is not a ring: making a region, taking part in it, taking and giving
 * back roles. The survivor gets the dead one's endpoint and both roles of a ring, and messages
 * flow. */
#include <signal.h>

#include "crash.h"
#include "sabway/ready.h"

static const setting NEW_RING = {"new", 0, 0, 0}, USED_RING = {"3 messages, 2^32", 0u - 4 * FRAME, 3, 0};

/* ---- survivor ---- */

/* The survivor plays both ends of the ring. What was left in it comes first. */
static void traffic(scene *s, uint32_t writer) {
  sw_producer p;
  sw_consumer c;
  sw_slice slice;
  assert_int_equal(sw_channel_open_producer(&p, s->r.base, s->r.size, SW_HEAP_AT, 0, SW_RENDERER, writer), SW_OK);
  assert_int_equal(sw_channel_open_consumer(&c, s->r.base, s->r.size, SW_HEAP_AT, 0, SW_NATIVE, writer), SW_OK);
  uint32_t next = 0;
  for (uint32_t n = s->at->fill; n < 3 * FRAMES; n++) {
    assert_int_equal(put(&p, n), SW_OK);
    sw_producer_publish(&p);
    while (sw_consumer_peek(&c, &slice) == 1) assert_true(is_message(s, &slice, next++));
    sw_consumer_release(&c);
  }
  assert_int_equal(next, 3 * FRAMES);
}

static void after(scene *s) {
  uint32_t dead = s->notes->index;
  /* Even a claim that was only begun is not taken for a living one. */
  assert_false(sw_endpoint_role_alive(s->r.base, sw_endpoint_role(s->r.base, dead)));
  assert_int_equal(sw_channel_check(s->r.base, s->r.size, SW_HEAP_AT), SW_OK);
  if (dead == 2) assert_int_equal(region_claim(&s->r), 1);
  uint32_t index = reclaim(s);
  assert_int_equal(region_claim(&s->r), dead + 1);
  assert_true(sw_endpoint_role_alive(s->r.base, sw_endpoint_role(s->r.base, s->own)));
  traffic(s, index);
}

/* Being rung still works, and still once per sleep. */
static void after_ring(scene *s) {
  uint32_t *doorbell = sw_endpoint_doorbell(s->r.base, s->own);
  uint32_t ticket = sw_endpoint_arm(s->r.base, s->own, SW_SLEEP_FUTEX);
  sw_endpoint_ring(s->r.base, sw_endpoint_role(s->r.base, s->own));
  assert_false(sw_endpoint_is_armed(s->r.base, s->own));
  assert_int_equal(*doorbell, ticket + 1);
  after(s);
}

static void dies_with_an_endpoint(const region *r) { region_claim(r); }

static void fill(const region *r, sw_producer *p) {
  assert_int_equal(sw_channel_open_producer(p, r->base, r->size, SW_HEAP_AT, 0, SW_RENDERER, region_claim(r)), SW_OK);
}

static void dies_with_roles(const region *r) {
  sw_consumer c;
  uint32_t index = region_claim(r);
  sw_channel_open_consumer(&c, r->base, r->size, SW_HEAP_AT, 0, SW_NATIVE, index);
  for (uint32_t side = 0; side < 2; side++) {
    sw_producer p;
    sw_channel_open_producer(&p, r->base, r->size, SW_HEAP_AT, 0, side, index);
  }
}

/* Messages of a participant that left in order. */
static void before(scene *s) {
  sw_producer p;
  if (s->at->fill == 0) return;
  fill(&s->r, &p);
  for (uint32_t n = 0; n < s->at->fill; n++) assert_int_equal(put(&p, n), SW_OK);
  sw_producer_publish(&p);
  sw_producer_leave(&p);
  sw_endpoint_release(s->r.base, sw_role_index(p.role));
}

static void before_claim(scene *s) {
  before(s);
  s->notes->index = 1;
}

static void before_claim_of_a_dead_one(scene *s) {
  before_claim(s);
  somebody_dies(s, dies_with_an_endpoint);
}

/* Endpoint 1 is dead and holds roles; the child will have endpoint 1, too, or (for evict) endpoint
 * 2. */
static void before_take_over(scene *s) {
  before(s);
  somebody_dies(s, dies_with_roles);
  assert_int_not_equal(s->ring->consumer, 0);
}

/* Leave what a region has before it is one. */
static void before_format(scene *s) {
  s->notes->index = 1;
  memset(s->r.base, 0, SW_HEADER_BYTES);
  memset(s->r.base + SW_HEAP_AT, 0, (size_t)s->r.size - SW_HEAP_AT);
}

static void after_format(scene *s) {
  int made = sw_region_verify(s->r.base, s->r.pages);
  if (made != SW_OK) {
    assert_int_equal(made, SW_ENOTREGION);
    assert_int_equal(sw_region_format(s->r.base, s->r.pages, CAPACITY, CAPACITY), SW_OK);
  }
  assert_int_equal(sw_region_verify(s->r.base, s->r.pages), SW_OK);
  after(s);
}

/* ---- child ---- */

static void no_prelude(scene *s) { (void)s; }

static void claim(scene *s) { region_claim(&s->r); }

static void format(scene *s) { MUST(sw_region_format(s->r.base, s->r.pages, CAPACITY, CAPACITY) == SW_OK); }

static void release(scene *s) { sw_endpoint_release(s->r.base, s->notes->index); }

static void arm(scene *s) { sw_endpoint_arm(s->r.base, s->notes->index, SW_SLEEP_FUTEX); }

static void disarm(scene *s) { sw_endpoint_disarm(s->r.base, s->notes->index); }

static void prelude_armed(scene *s) {
  child_claims(s);
  arm(s);
}

static void prelude_ring(scene *s) {
  child_claims(s);
  s->dead = sw_endpoint_role(s->r.base, s->own); /* it lives, as it happens */
}

static void ring(scene *s) { sw_endpoint_ring(s->r.base, s->dead); }

/* There is a relay, and it has a request. */
static void prelude_relay(scene *s) {
  prelude_ring(s);
  sw_endpoint_set_skills(s->r.base, s->notes->index, SW_WAKES_FUTEX | SW_RELAYS);
  ((sw_endpoint *)(void *)(s->r.base + SW_HEADER_BYTES))[s->own].request = 1;
}

/* What native code cannot wake is left to a relay. */
static void prelude_request(scene *s) {
  prelude_relay(s);
  sw_endpoint_arm(s->r.base, s->own, SW_SLEEP_ATOMICS);
}

static void ring_holders(scene *s) { sw_channel_ring_holders(s->r.base, s->r.size, SW_HEAP_AT, SW_NATIVE); }

static void able(scene *s) { sw_endpoint_set_skills(s->r.base, s->notes->index, SW_WAKES_FUTEX | SW_RELAYS); }

static void serve(scene *s) { sw_relay_serve(s->r.base); }

static void wake_always(scene *s) { sw_endpoint_wake_always(s->r.base, s->dead); }

static void prelude_marked(scene *s) {
  prelude_ring(s);
  const uint32_t slots[] = {3, 4, 64, 4095};
  for (size_t i = 0; i < 4; i++) sw_ready_mark(s->r.base, s->notes->index, slots[i]);
}

static void mark(scene *s) { sw_ready_mark(s->r.base, s->own, 64); }

static void take_slots(scene *s) {
  uint32_t slots[2];
  while (sw_ready_take(s->r.base, s->notes->index, slots, 2) != 0) {
  }
}

/* Marks are complete again with the next one of the slot, in the set of the present owner. */
static void after_mark(scene *s) {
  const uint32_t sets[] = {s->own, s->notes->index};
  for (size_t i = 0; i < 2; i++) {
    uint32_t slots[8], got;
    sw_ready_take(s->r.base, sets[i], slots, 8);
    for (uint32_t slot = 2; slot < SW_READY_SLOTS; slot += 31) {
      sw_ready_mark(s->r.base, sets[i], slot);
      for (uint32_t found = 0; !found;) {
        got = sw_ready_take(s->r.base, sets[i], slots, 8);
        assert_int_not_equal(got, 0);
        for (uint32_t k = 0; k < got; k++) found |= slots[k] == slot;
      }
    }
  }
  after(s);
}

static void open_producer(scene *s) {
  MUST(sw_channel_open_producer(&s->p, s->r.base, s->r.size, SW_HEAP_AT, 0, SW_RENDERER, s->notes->index) == SW_OK);
}

static void open_consumer(scene *s) {
  MUST(sw_channel_open_consumer(&s->c, s->r.base, s->r.size, SW_HEAP_AT, 0, SW_NATIVE, s->notes->index) == SW_OK);
}

/* Everything a participant does, from its arrival to its leaving. */
static void whole_life(scene *s) {
  region_claim(&s->r);
  s->notes->index = 1;
  open_producer(s);
  open_consumer(s);
  sw_producer_leave(&s->p);
  sw_consumer_leave(&s->c);
  release(s);
}

static void evict(scene *s) { sw_channel_evict(s->r.base, s->r.size, SW_HEAP_AT, s->dead); }

static void before_evict(scene *s) {
  before_take_over(s);
  s->dead = 1;
}

/* Endpoint 1 stays what it is, a dead one's, until its roles are taken away. */
static void prelude_second(scene *s) {
  sw_endpoint *e = (sw_endpoint *)(void *)(s->r.base + SW_HEADER_BYTES) + 1;
  sw_endpoint dead = *e;
  e->pid = sw_prim_pid(); /* so that the claim passes it over */
  e->start_low = 0;
  child_claims(s);
  MUST(s->notes->index == 2);
  *e = dead;
}

static const crash_case CASES[] = {
    {"sw_endpoint_claim", before_claim, no_prelude, NULL, claim, after},
    {"sw_endpoint_claim of a dead one's", before_claim_of_a_dead_one, no_prelude, NULL, claim, after},
    {"sw_endpoint_release", before, child_claims, NULL, release, after},
    {"sw_endpoint_arm", before, child_claims, NULL, arm, after},
    {"sw_endpoint_disarm", before, prelude_armed, NULL, disarm, after},
    {"sw_endpoint_ring", before, prelude_ring, NULL, ring, after_ring},
    {"sw_endpoint_ring through a relay", before, prelude_request, NULL, ring, after_ring},
    {"sw_endpoint_set_skills", before, child_claims, NULL, able, after},
    {"sw_relay_serve", before, prelude_relay, NULL, serve, after_ring},
    {"sw_endpoint_wake_always", before, prelude_ring, NULL, wake_always, after_ring},
    {"sw_ready_mark", before, prelude_ring, NULL, mark, after_mark},
    {"sw_ready_take", before, prelude_marked, NULL, take_slots, after_mark},
    {"sw_channel_ring_holders", before, prelude_ring, NULL, ring_holders, after_ring},
    {"sw_channel_open_producer", before, child_claims, NULL, open_producer, after},
    {"sw_channel_open_consumer", before, child_claims, NULL, open_consumer, after},
    {"sw_channel_open_producer of a dead one's", before_take_over, child_claims, NULL, open_producer, after},
    {"sw_channel_open_consumer of a dead one's", before_take_over, child_claims, NULL, open_consumer, after},
    {"sw_channel_evict", before_evict, prelude_second, NULL, evict, after},
    {"claim, open, leave, release", before_claim, no_prelude, NULL, whole_life, after},
};

static void everybody_dies(void **state) {
  (void)state;
  static const crash_case FORMAT = {"sw_region_format", before_format, no_prelude, NULL, format, after_format};
  crash_sweep(&FORMAT, &NEW_RING);
  for (size_t c = 0; c < sizeof(CASES) / sizeof(*CASES); c++) {
    crash_sweep(&CASES[c], &NEW_RING);
    crash_sweep(&CASES[c], &USED_RING);
  }
  crash_summary();
}

/* Ask the system for the next process to have this pid: 0 when it does not. */
static pid_t fork_as(pid_t pid) {
  FILE *last = fopen("/proc/sys/kernel/ns_last_pid", "we");
  if (last == NULL) return 0;
  fprintf(last, "%d", pid - 1);
  if (fclose(last) != 0) return 0;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    pause();
    _exit(0);
  }
  if (child == pid) return child;
  kill(child, SIGKILL);
  reap(child);
  return 0;
}

/* A stranger that was given the dead one's pid is not taken for it. */
static void pid_is_reused(void **state) {
  (void)state;
  region r = region_new_shared(CAPACITY, CAPACITY);
  pid_t dead = run_child(dies_with_roles, &r);
  reap(dead);
  uint32_t role = sw_endpoint_role(r.base, 0);
  sleep_ms(50); /* start times are in ticks */
  pid_t stranger = 0;
  for (int i = 0; i < 20 && stranger == 0; i++) stranger = fork_as(dead);
  if (stranger == 0) {
    region_free_shared(&r);
    print_message("this system does not let a test choose a pid\n");
    skip();
  }
  assert_true(sw_prim_process_alive((uint32_t)dead, 0, 0));
  assert_false(sw_endpoint_role_alive(r.base, role));
  uint32_t index = region_claim(&r);
  assert_int_equal(index, 0);
  sw_producer p;
  sw_consumer c;
  assert_int_equal(sw_channel_open_producer(&p, r.base, r.size, SW_HEAP_AT, 0, SW_RENDERER, index), SW_OK);
  assert_int_equal(sw_channel_open_consumer(&c, r.base, r.size, SW_HEAP_AT, 0, SW_NATIVE, index), SW_OK);
  kill(stranger, SIGKILL);
  reap(stranger);
  region_free_shared(&r);
}

TESTS(TEST(everybody_dies), TEST(pid_is_reused));
