/* The listener: rings of other processes, deaths, and systems that cannot wait for many words. */
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/atomics.h"
#include "process/listener.h"
#include "sabway/shared.h"

enum { CAPACITY = 4096, MANY = 200 };

typedef struct heard {
  uint32_t rung, deaths, id, roles, role; /* by the listener's threads */
  uint32_t unknown;                       /* rings of watches without a count of their own */
} heard;

static void on_rung(void *context, void *bell) {
  heard *h = context;
  sw_fetch_add_acq_rel(bell != NULL ? bell : &h->unknown, 1);
  sw_fetch_add_acq_rel(&h->rung, 1);
}

static void on_died(void *context, uint32_t id, uint32_t roles, uint32_t role) {
  heard *h = context;
  sw_store_relaxed(&h->id, id);
  sw_store_relaxed(&h->roles, roles);
  sw_store_relaxed(&h->role, role);
  sw_fetch_add_acq_rel(&h->deaths, 1);
}

static sw_listener *start(heard *h) {
  sw_listener *l;
  *h = (heard){0};
  sw_listener_hooks hooks = {h, on_rung, on_died};
  assert_int_equal(sw_listener_start(&l, &hooks), SW_OK);
  return l;
}

/* `count`: of its rings. */
static uint32_t add_counted(sw_listener *l, const region *r, uint32_t id, uint32_t *count) {
  uint32_t endpoint = region_claim(r);
  sw_listener_watch watch = {r->base, r->size, SW_HEAP_AT, endpoint, id, count};
  assert_int_equal(sw_listener_add(l, &watch), SW_OK);
  return endpoint;
}

static uint32_t add(sw_listener *l, const region *r, uint32_t id) { return add_counted(l, r, id, NULL); }

/* A lost ring hangs here, and ctest ends it. */
static void wait_for(const uint32_t *word, uint32_t value) {
  while (sw_load_acquire(word) < value) sleep_ms(1);
}

static void ring(const region *r) { sw_endpoint_ring(r->base, sw_endpoint_role(r->base, 0)); }

/* Each sleep of the loop is ended by a ring from another process. */
static void rings(void) {
  heard h;
  sw_listener *l = start(&h);
  region r = region_new_shared(CAPACITY, CAPACITY);
  uint32_t endpoint = add(l, &r, 1);
  assert_int_equal(endpoint, 0);
  wait_for(&h.rung, 1); /* for what came before */
  for (int i = 0; i < 20; i++) {
    uint32_t before = sw_load_acquire(&h.rung);
    sw_endpoint_arm(r.base, endpoint, SW_SLEEP_LOOP);
    reap(run_child(ring, &r));
    wait_for(&h.rung, before + 1);
  }
  sw_listener_remove(l, 1);
  uint32_t after = sw_load_acquire(&h.rung);
  sw_endpoint_arm(r.base, endpoint, SW_SLEEP_LOOP);
  reap(run_child(ring, &r));
  sw_listener_stop(l);
  assert_int_equal(sw_load_acquire(&h.rung), after);
  region_free_shared(&r);
}

/* Regions with an endpoint each, whose rings are counted. */
typedef struct crowd {
  region regions[MANY];
  uint32_t rings[MANY];
} crowd;

static crowd *gather(sw_listener *l) {
  crowd *c = calloc(1, sizeof(*c));
  assert_non_null(c);
  for (uint32_t i = 0; i < MANY; i++) {
    c->regions[i] = region_new_shared(CAPACITY, CAPACITY);
    add_counted(l, &c->regions[i], i + 1, &c->rings[i]);
  }
  for (uint32_t i = 0; i < MANY; i++) wait_for(&c->rings[i], 1); /* for what came before */
  return c;
}

static void disperse(crowd *c) {
  for (uint32_t i = 0; i < MANY; i++) region_free_shared(&c->regions[i]);
  free(c);
}

/* It is told, and as this one's. */
static void ring_one(crowd *c, uint32_t i) {
  uint32_t before = sw_load_acquire(&c->rings[i]);
  sw_endpoint_arm(c->regions[i].base, 0, SW_SLEEP_LOOP);
  ring(&c->regions[i]);
  wait_for(&c->rings[i], before + 1);
}

static uint32_t all_rings(crowd *c) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < MANY; i++) sum += sw_load_acquire(&c->rings[i]);
  return sum;
}

/* More watches than the kernel takes words, coming and going. */
static void many(void) {
  heard h;
  sw_listener *l = start(&h);
  crowd *c = gather(l);
  uint32_t before = all_rings(c), rung = 0;
  for (uint32_t i = 0; i < MANY; i++, rung++) ring_one(c, i);
  assert_int_equal(all_rings(c), before + rung); /* of no other one */
  for (uint32_t i = 0; i < MANY; i += 3) sw_listener_remove(l, i + 1);
  sw_listener_remove(l, MANY + 7); /* which there is not */
  for (uint32_t i = 0; i < MANY; i++) {
    if (i % 3 != 0) ring_one(c, i);
  }
  for (uint32_t i = 0; i < MANY; i += 3) {
    sw_listener_watch again = {c->regions[i].base, c->regions[i].size, SW_HEAP_AT, 0, i + 1, &c->rings[i]};
    before = sw_load_acquire(&c->rings[i]);
    assert_int_equal(sw_listener_add(l, &again), SW_OK);
    wait_for(&c->rings[i], before + 1);
  }
  for (uint32_t i = 0; i < MANY; i++) ring_one(c, i);
  for (uint32_t i = MANY; i > 0; i--) sw_listener_remove(l, i);
  sw_listener_stop(l);
  assert_int_equal(h.unknown, 0);
  disperse(c);
}

/* Doorbells that ring often change places with others: each is heard as before, and once. More of
 * them than there are such places. */
static void settling(void) {
  heard h;
  sw_listener *l = start(&h);
  crowd *c = gather(l);
  for (uint32_t round = 0; round < 3; round++) {
    for (uint32_t i = round * 40; i < round * 40 + 30; i++) {
      for (int k = 0; k < 40; k++) ring_one(c, i);
    }
    sleep_ms(110); /* it is done no oftener */
    sw_listener_settle(l);
    uint32_t before = all_rings(c);
    for (uint32_t i = 0; i < MANY; i++) ring_one(c, i);
    assert_int_equal(all_rings(c), before + MANY);
    sw_listener_remove(l, round * 40 + 1); /* moved, or not */
    sw_listener_remove(l, round * 40 + 2);
    sw_listener_watch again[2];
    for (uint32_t k = 0; k < 2; k++) {
      uint32_t i = round * 40 + k;
      again[k] = (sw_listener_watch){c->regions[i].base, c->regions[i].size, SW_HEAP_AT, 0, i + 1, &c->rings[i]};
      assert_int_equal(sw_listener_add(l, &again[k]), SW_OK);
    }
  }
  sw_listener_stop(l);
  disperse(c);
}

/* How often threads of this process have gone to sleep. */
static uint64_t sleeps(void) {
  uint64_t sum = 0;
  DIR *tasks = opendir("/proc/self/task");
  assert_non_null(tasks);
  for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
    char path[300], line[128];
    snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
    FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
      unsigned long long count;
      if (sscanf(line, "voluntary_ctxt_switches: %llu", &count) == 1) sum += count;
    }
    if (file != NULL) fclose(file);
  }
  closedir(tasks);
  return sum;
}

/* Idle, many watches wake no more threads than one does. Load makes these fewer, not more. */
static void idle(void) {
  heard h;
  sw_listener *l = start(&h);
  crowd *c = gather(l);
  sleep_ms(50);
  uint64_t before = sleeps();
  sleep_ms(1000);
  uint64_t after = sleeps();
  assert_in_range(after - before, 0, 60); /* a look every 100 ms; every 2 ms would be 500 */
  sw_listener_stop(l);
  disperse(c);
}

static uint32_t descriptors(void) {
  uint32_t count = 0;
  DIR *open_ones = opendir("/proc/self/fd");
  assert_non_null(open_ones);
  while (readdir(open_ones) != NULL) count++;
  closedir(open_ones);
  return count;
}

static void hold_native(const region *r) {
  sw_port port;
  sw_port_open(&port, r->base, r->size, SW_NATIVE);
}

/* Its word alone would tell of an earlier one, too. */
static void wait_for_holder(const region *r) {
  uint32_t consumer = sw_role_consumer(SW_NATIVE);
  while (sw_role_holder(sw_channel_role(r->base, r->size, SW_HEAP_AT, consumer)) == 0) sleep_ms(1);
}

static void leave_native(const region *r) {
  sw_port port;
  sw_port_open(&port, r->base, r->size, SW_NATIVE);
  sw_port_close(&port, 0);
}

/* Once for each, also when it has come and gone between two looks, and never for one that left. */
static void deaths(void) {
  heard h;
  sw_listener *l = start(&h);
  region r = region_new_shared(CAPACITY, CAPACITY), quiet = region_new_shared(CAPACITY, CAPACITY);
  add(l, &quiet, 8);
  add(l, &r, 9);
  uint32_t theirs = 1u << sw_role_producer(SW_NATIVE) | 1u << sw_role_consumer(SW_NATIVE);
  for (uint32_t i = 1; i <= 3; i++) {
    reap(run_child(hold_native, &r));
    wait_for(&h.deaths, i);
    assert_int_equal(sw_load_relaxed(&h.id), 9);
    assert_int_equal(sw_load_relaxed(&h.roles), theirs);
    reap(run_child(leave_native, &quiet));
  }
  pid_t child = fork();
  if (child == 0) {
    hold_native(&quiet);
    for (;;) pause();
  }
  wait_for_holder(&quiet);
  sleep_ms(250);
  kill(child, SIGSTOP);
  sleep_ms(250);
  assert_int_equal(sw_load_acquire(&h.deaths), 3); /* stopped is not dead */
  kill(child, SIGKILL);
  wait_for(&h.deaths, 4); /* before it is reaped: it may be the parent that waits */
  assert_int_equal(sw_load_relaxed(&h.id), 8);
  reap(child);
  sleep_ms(250);
  assert_int_equal(sw_load_acquire(&h.deaths), 4);
  sw_listener_stop(l);
  region_free_shared(&r);
  region_free_shared(&quiet);
}

static void hold_all(const crowd *c) {
  sw_port *ports = calloc(MANY, sizeof(*ports));
  for (uint32_t i = 0; i < MANY; i++) sw_port_open(&ports[i], c->regions[i].base, c->regions[i].size, SW_NATIVE);
  for (;;) pause();
}

/* One process that holds a side of each: one descriptor, and its death is told for each. */
static void death_of_many(void) {
  heard h;
  sw_listener *l = start(&h);
  crowd *c = gather(l);
  uint32_t before = descriptors();
  pid_t child = fork();
  if (child == 0) hold_all(c);
  wait_for_holder(&c->regions[MANY - 1]);
  sleep_ms(700); /* all of them were looked at */
  assert_in_range(descriptors(), before, before + 1);
  kill(child, SIGKILL);
  reap(child);
  wait_for(&h.deaths, MANY);
  sleep_ms(700);
  assert_int_equal(sw_load_acquire(&h.deaths), MANY);
  sw_listener_stop(l);
  assert_int_equal(descriptors(), before);
  disperse(c);
}

/* Opens ('o'), is evicted ('e') or leaves ('l') the native side as it is told. */
static void obey(const region *r, int orders) {
  sw_port port;
  char order;
  while (read(orders, &order, 1) == 1) {
    if (order == 'o') sw_port_open(&port, r->base, r->size, SW_NATIVE);
    if (order == 'l') sw_port_close(&port, 0);
    if (order != 'e') continue;
    sw_channel_evict(r->base, r->size, SW_HEAP_AT, port.endpoint);
    sw_endpoint_release(r->base, port.endpoint);
  }
}

static void tell(int orders, char order) {
  assert_int_equal(write(orders, &order, 1), 1);
  sleep_ms(250); /* the listener looks every 100 ms */
}

/* A thread of another process that ends while the process lives: its environment takes the roles
 * from it. */
static void ends_of_threads(void) {
  heard h;
  sw_listener *l = start(&h);
  region r = region_new_shared(CAPACITY, CAPACITY);
  add(l, &r, 4);
  int orders[2];
  assert_int_equal(pipe(orders), 0);
  pid_t child = fork();
  if (child == 0) obey(&r, orders[0]);
  for (uint32_t i = 1; i <= 2; i++) {
    tell(orders[1], 'o');
    uint32_t role = sw_channel_role(r.base, r.size, SW_HEAP_AT, sw_role_consumer(SW_NATIVE));
    assert_int_not_equal(sw_role_holder(role), 0);
    assert_int_equal(sw_load_acquire(&h.deaths), i - 1);
    tell(orders[1], 'e');
    assert_int_equal(sw_load_acquire(&h.deaths), i);
    assert_int_equal(sw_load_relaxed(&h.role), role);
    assert_int_equal(sw_load_relaxed(&h.roles), 1u << sw_role_producer(SW_NATIVE) | 1u << sw_role_consumer(SW_NATIVE));
  }
  tell(orders[1], 'o');
  tell(orders[1], 'l');
  kill(child, SIGKILL);
  reap(child);
  sleep_ms(250);
  /* to leave is not to die, and one that has left cannot */
  assert_int_equal(sw_load_acquire(&h.deaths), 2);
  sw_listener_stop(l);
  region_free_shared(&r);
}

/* ---- and where the kernel has neither futex_waitv nor pidfd_open ---- */

static void forbid(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 449, 2, 0), /* futex_waitv */
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
  };
  struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    _exit(77);
  if (syscall(449, NULL, 0, 0, NULL, 0) != -1 || errno != ENOSYS) _exit(1);
}

static void on_an_old_kernel(void (*test)(void)) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    forbid();
    test(); /* what fails in here aborts, or ends the child with an error */
    _exit(0);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
    print_message("this system does not let a test forbid system calls\n");
    skip();
  }
  assert_int_equal(status, 0);
}

static void test_rings(void **state) {
  (void)state;
  rings();
}

static void test_many(void **state) {
  (void)state;
  many();
}

static void test_settling(void **state) {
  (void)state;
  settling();
}

static void test_idle(void **state) {
  (void)state;
  idle();
}

static void test_death_of_many(void **state) {
  (void)state;
  death_of_many();
}

static void test_deaths(void **state) {
  (void)state;
  deaths();
}

static void test_ends_of_threads(void **state) {
  (void)state;
  ends_of_threads();
}

static void old_rings(void **state) {
  (void)state;
  on_an_old_kernel(rings);
}

static void old_many(void **state) {
  (void)state;
  on_an_old_kernel(many);
}

static void old_deaths(void **state) {
  (void)state;
  on_an_old_kernel(deaths);
}

TESTS(TEST(test_rings), TEST(test_many), TEST(test_settling), TEST(test_idle), TEST(test_deaths),
      TEST(test_death_of_many), TEST(test_ends_of_threads), TEST(old_rings), TEST(old_many), TEST(old_deaths));
