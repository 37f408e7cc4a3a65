/* Two streams of numbered messages, one each way, between this process and a child that is killed
 * at a random moment: by itself at a shared access, or by its parent, wherever it is then. The next
 * child takes over. Neither stream may lose, repeat or break a message. SABWAY_SEED and
 * SABWAY_ROUNDS change what is tried. */
#include <signal.h>

#include "crash.h"

enum { LARGEST = 300, BURST = 8, MOST_POINTS = 30000 };

/* Shared, outside the region: what one side has certainly done, and what it was about to. */
typedef struct counts {
  uint32_t sent_sure, sent_possible;
  uint32_t released_sure, released_possible;
} counts;

typedef struct side {
  region r;
  uint32_t index;
  sw_producer p;
  sw_consumer c;
  counts *done;
  uint32_t next; /* number of the next message to arrive; UINT32_MAX: to be seen */
  const char *wrong;
} side;

static uint32_t numbered_length(uint32_t n) { return 4 + n * 2654435761u % LARGEST; }

static int send_number(sw_producer *p, uint32_t n) {
  uint32_t length = numbered_length(n);
  uint8_t *room = sw_producer_reserve(p, length, 0);
  if (room == NULL) return 0;
  memcpy(room, &n, 4);
  pattern_fill(room + 4, length - 4, n);
  return sw_producer_commit(p, length) == SW_OK;
}

static void check_message(side *s, const sw_slice *slice) {
  const uint8_t *bytes = s->r.base + slice->offset;
  uint32_t n;
  memcpy(&n, bytes, 4);
  if (s->next == UINT32_MAX) { /* where the dead one stopped */
    if (n < s->done->released_sure || n > s->done->released_possible) s->wrong = "lost or released twice";
    s->next = n;
  }
  if (n != s->next) s->wrong = "out of order";
  else if (slice->length != numbered_length(n)) s->wrong = "wrong length";
  else if (!pattern_holds(bytes + 4, slice->length - 4, n)) s->wrong = "wrong bytes";
  s->next++;
}

static int receive_some(side *s) {
  sw_slice slices[BURST];
  int got = sw_consumer_peek_batch(&s->c, slices, BURST);
  if (got < 0) s->wrong = sw_error_code(got);
  if (got <= 0) return 0;
  for (int i = 0; i < got; i++) check_message(s, &slices[i]);
  s->done->released_possible = s->next;
  sw_consumer_release(&s->c);
  s->done->released_sure = s->next;
  return 1;
}

static int send_some(side *s) {
  uint32_t n = s->done->sent_sure;
  uint32_t before = n;
  s->done->sent_possible = n + BURST;
  while (n < before + BURST && send_number(&s->p, n)) n++;
  if (s->p.status == SW_ECORRUPT) s->wrong = "the producer is corrupt";
  sw_producer_publish(&s->p);
  s->done->sent_sure = n;
  return n != before;
}

static void sleep_a_little(side *s) {
  uint32_t ticket = sw_endpoint_arm(s->r.base, s->index, SW_SLEEP_FUTEX);
  if (!sw_consumer_ready(&s->c) && !sw_producer_want_space(&s->p, 2 * LARGEST)) {
    sw_prim_futex_wait(sw_endpoint_doorbell(s->r.base, s->index), ticket, PATROL_NS);
  }
  sw_endpoint_disarm(s->r.base, s->index);
}

static void open_side(side *s, uint32_t which) {
  MUST(sw_channel_open_producer(&s->p, s->r.base, s->r.size, SW_HEAP_AT, 0, which, s->index) == SW_OK);
  MUST(sw_channel_open_consumer(&s->c, s->r.base, s->r.size, SW_HEAP_AT, 0, which, s->index) == SW_OK);
}

static void be_the_child(side *s, notes *n, uint32_t k) {
  int index = crash_claim(&s->r);
  MUST(index == 1); /* that of the dead one */
  s->index = 1;
  n->role = sw_endpoint_role(s->r.base, 1);
  open_side(s, SW_NATIVE);
  sw_store_release(&n->ready, 1);
  crash_arm(n, k);
  for (;;) {
    int work = receive_some(s);
    work |= send_some(s);
    if (s->wrong != NULL) fprintf(stderr, "the child finds: %s, at message %u\n", s->wrong, s->next);
    MUST(s->wrong == NULL);
    if (!work) sleep_a_little(s);
  }
}

/* One life of a child. Returns how many shared accesses it had. */
static uint32_t one_round(side *own, side *theirs, notes *n, uint32_t k, int by_parent) {
  memset(n, 0, sizeof(*n));
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) be_the_child(theirs, n, by_parent ? UINT32_MAX : k);
  int killed = 0;
  for (uint32_t i = 1;; i++) {
    int work = receive_some(own);
    work |= send_some(own);
    if (own->wrong != NULL) fail_msg("%s, at message %u", own->wrong, own->next);
    if (by_parent && !killed && sw_load_relaxed(&n->points) >= k) killed = kill(child, SIGKILL) == 0;
    if (work && i % 1024 != 0) continue;
    if (sw_load_acquire(&n->ready) && !sw_endpoint_role_alive(own->r.base, n->role)) break;
    if (!work) sleep_a_little(own);
  }
  assert_true(crash_reap(child));
  return n->points;
}

static uint64_t from_environment(const char *name, uint64_t otherwise) {
  const char *text = getenv(name);
  return text == NULL ? otherwise : strtoull(text, NULL, 0);
}

static void flood_and_kill(void **state) {
  (void)state;
  uint64_t seed = from_environment("SABWAY_SEED", sw_prim_now()), random = seed | 1;
  uint64_t rounds = from_environment("SABWAY_ROUNDS", 300), points = 0;
  printf("SABWAY_SEED=%llu\n", (unsigned long long)seed);
  counts *done = crash_shared(2 * sizeof(counts));
  notes *n = crash_shared(sizeof(notes));
  side own = {.r = region_new_shared(CAPACITY, CAPACITY), .done = &done[SW_RENDERER]};
  side theirs = {.r = own.r, .done = &done[SW_NATIVE], .next = UINT32_MAX};
  own.index = region_claim(&own.r);
  open_side(&own, SW_RENDERER);
  for (uint64_t i = 0; i < rounds; i++) {
    uint32_t before = own.next;
    uint32_t k = 1 + random_next(&random) % (i % 3 == 0 ? 200 : MOST_POINTS);
    points += one_round(&own, &theirs, n, k, (int)(i % 2));
    while (receive_some(&own)) {
    }
    const counts *c = &done[SW_NATIVE];
    assert_true(own.next >= before);
    assert_in_range(own.next, c->sent_sure, c->sent_possible);
    done[SW_NATIVE].sent_sure = own.next; /* the next child goes on there */
    assert_int_equal(sw_channel_check(own.r.base, own.r.size, SW_HEAP_AT), SW_OK);
  }
  printf("%llu children killed, after %llu shared accesses; %u messages from them, %u to them, none lost\n",
         (unsigned long long)rounds, (unsigned long long)points, own.next, done[SW_NATIVE].released_sure);
  region_free_shared(&own.r);
  munmap(done, 2 * sizeof(counts));
  munmap(n, sizeof(notes));
}

TESTS(TEST(flood_and_kill));
