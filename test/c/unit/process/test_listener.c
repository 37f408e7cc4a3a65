/* The listener: rings of other processes, deaths, and systems that cannot wait for many words. */
#include "process.h"

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
  uint32_t rung, deaths, id, roles, role; /* by the listener's thread */
} heard;

static void on_rung(void *context) { sw_fetch_add_acq_rel(&((heard *)context)->rung, 1); }

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

static uint32_t add(sw_listener *l, const region *r, uint32_t id) {
  uint32_t endpoint = region_claim(r);
  sw_listener_watch watch = {r->base, r->size, SW_HEAP_AT, endpoint, id};
  assert_int_equal(sw_listener_add(l, &watch), SW_OK);
  return endpoint;
}

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

/* More watches than the kernel takes words, coming and going. */
static void many(void) {
  heard h;
  sw_listener *l = start(&h);
  static region r[MANY];
  for (uint32_t i = 0; i < MANY; i++) {
    r[i] = region_new_shared(CAPACITY, CAPACITY);
    add(l, &r[i], i + 1);
  }
  for (uint32_t i = 0; i < MANY; i += 3) sw_listener_remove(l, i + 1);
  sw_listener_remove(l, MANY + 7); /* which there is not */
  for (uint32_t i = 1; i < MANY; i += 33) {
    if (i % 3 == 0) continue;
    uint32_t before = sw_load_acquire(&h.rung);
    sw_endpoint_arm(r[i].base, 0, SW_SLEEP_LOOP);
    ring(&r[i]);
    wait_for(&h.rung, before + 1);
  }
  sw_listener_stop(l);
  for (uint32_t i = 0; i < MANY; i++) region_free_shared(&r[i]);
}

static void hold_native(const region *r) {
  sw_port port;
  sw_port_open(&port, r->base, r->size, SW_NATIVE);
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
  while (sw_channel_role(quiet.base, quiet.size, SW_HEAP_AT, sw_role_consumer(SW_NATIVE)) == 0) sleep_ms(1);
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

static void old_deaths(void **state) {
  (void)state;
  on_an_old_kernel(deaths);
}

TESTS(TEST(test_rings), TEST(test_many), TEST(test_deaths), TEST(test_ends_of_threads), TEST(old_rings),
      TEST(old_deaths));
