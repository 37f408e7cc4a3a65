/* Shared memory between processes: the object, its token, and one side of a channel in C. */
#include "process.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "sabway/shared.h"

enum { RING = 4096 };

static sw_shared new_shared(const char *name) {
  sw_shared s;
  uint64_t size = sw_region_bytes(RING, RING);
  assert_int_equal(sw_shared_create(&s, size, name), SW_OK);
  assert_int_equal(sw_shared_map(&s), SW_OK);
  assert_int_equal(sw_region_format(s.base, (uint32_t)(size / SW_PAGE), RING, RING), SW_OK);
  return s;
}

static void open_again(void **state) {
  (void)state;
  sw_shared made = new_shared(NULL), opened;
  char token[SW_TOKEN_BYTES];
  sw_shared_token(&made, token);
  assert_int_equal(sw_shared_open(&opened, token), SW_OK);
  assert_int_equal(sw_shared_map(&opened), SW_OK);
  assert_int_equal(sw_region_verify(opened.base, (uint32_t)(opened.size / SW_PAGE)), SW_OK);
  assert_ptr_not_equal(opened.base, made.base);
  ((uint8_t *)made.base)[opened.size - 1] = 42;
  assert_int_equal(((uint8_t *)opened.base)[opened.size - 1], 42);
  const sw_region_header *header = opened.base;
  assert_int_equal(header->flags, SW_REGION_PROCESSES);
  assert_int_equal((uint64_t)header->nonce_high << 32 | header->nonce_low, opened.nonce);
  sw_shared_close(&made);
  assert_int_equal(((uint8_t *)opened.base)[opened.size - 1], 42);
  sw_shared again;
  assert_int_equal(sw_shared_open(&again, token), SW_EGONE);
  sw_shared_token(&opened, token); /* a process that has it open can let others in */
  assert_int_equal(sw_shared_open(&again, token), SW_OK);
  sw_shared_close(&again);
  sw_shared_close(&again);
  sw_shared_close(&opened);
}

static void refused_sizes_and_names(void **state) {
  (void)state;
  sw_shared s;
  static const uint64_t SIZES[] = {0, 1, SW_PAGE - 1, SW_PAGE + 4096, (uint64_t)SW_PAGE * 65537, UINT64_MAX};
  for (size_t i = 0; i < sizeof(SIZES) / sizeof(*SIZES); i++) {
    assert_int_equal(sw_shared_create(&s, SIZES[i], NULL), SW_ERANGE);
  }
  char longest[SW_NAME_BYTES + 1];
  memset(longest, 'n', sizeof(longest));
  longest[SW_NAME_BYTES] = '\0';
  const char *names[] = {"", "/", "a/b", "..\\x", "a b", longest};
  for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
    assert_int_equal(sw_shared_create(&s, SW_PAGE, names[i]), SW_EINVAL);
    assert_true(strlen(s.why) > 10);
  }
}

static void names(void **state) {
  (void)state;
  char name[SW_NAME_BYTES], path[128], token[SW_TOKEN_BYTES];
  snprintf(name, sizeof(name), "unit-%d", (int)getpid());
  snprintf(path, sizeof(path), "/dev/shm/sabway.%s", name);
  sw_shared made = new_shared(name), other;
  struct stat is;
  assert_int_equal(stat(path, &is), 0);
  assert_int_equal(is.st_mode & 0777, 0600);
  assert_int_equal(sw_shared_create(&other, SW_PAGE, name), SW_EEXIST);
  sw_shared_token(&made, token);
  assert_int_equal(sw_shared_open(&other, token), SW_OK);
  sw_shared_close(&other);
  assert_int_equal(stat(path, &is), 0); /* not the last */
  assert_int_equal(sw_shared_open(&other, token), SW_OK);
  sw_shared_close(&made);
  assert_int_equal(stat(path, &is), -1); /* the creator */
  sw_shared next = new_shared(name);     /* another of that name */
  sw_shared_close(&other);
  assert_int_equal(stat(path, &is), 0); /* is left alone */
  assert_int_equal(sw_shared_open(&other, token), SW_ESTALE);
  sw_shared_close(&next);
}

/* No process holds the lock of an object whose users were killed. */
static void abandoned(void **state) {
  (void)state;
  char name[SW_NAME_BYTES], path[128];
  snprintf(name, sizeof(name), "unit-%d", (int)getpid());
  snprintf(path, sizeof(path), "/dev/shm/sabway.%s", name);
  pid_t child = fork();
  if (child == 0) {
    sw_shared s;
    _exit(sw_shared_create(&s, SW_PAGE, name) == SW_OK ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(access(path, F_OK), 0);
  sw_shared any;
  assert_int_equal(sw_shared_create(&any, SW_PAGE, NULL), SW_OK);
  sw_shared_close(&any);
  assert_int_equal(access(path, F_OK), -1);
}

static void sealed(void **state) {
  (void)state;
  sw_shared s = new_shared(NULL);
  int fd = (int)s.handle;
  assert_int_equal(ftruncate(fd, 0), -1);
  assert_int_equal(ftruncate(fd, (off_t)s.size + 1), -1);
  assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
  assert_int_equal(fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)s.size, 4096), -1);
  sw_shared_close(&s);
}

/* ---- mapping over memory ---- */

static void *anonymous(size_t pages) {
  void *at = mmap(NULL, pages * SW_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(at, MAP_FAILED);
  return at;
}

/* Neighbours of the same kind, which the kernel lists as one mapping with it. */
static void overlay_vouched(void **state) {
  (void)state;
  sw_shared s = new_shared(NULL);
  size_t pages = (size_t)(s.size / SW_PAGE);
  uint8_t *around = anonymous(pages + 2), *at = around + SW_PAGE;
  mprotect(at, (size_t)s.size - SW_PAGE, PROT_READ | PROT_WRITE);
  /* the last page is not writable */
  assert_int_equal(sw_shared_overlay_vouched(&s, at, s.size), SW_EOVERLAY);
  mprotect(around, (pages + 2) * SW_PAGE, PROT_READ | PROT_WRITE);
  memset(around, 7, (pages + 2) * SW_PAGE);
  assert_int_equal(sw_shared_overlay(&s, at, s.size), SW_EOVERLAY);
  assert_int_equal(sw_shared_overlay_vouched(&s, at + 8, s.size), SW_EOVERLAY);
  assert_int_equal(sw_shared_overlay_vouched(&s, at, s.size - SW_PAGE), SW_ESIZE);
  assert_int_equal(sw_shared_overlay_vouched(&s, at, s.size), SW_OK);
  assert_int_equal(sw_region_verify(at, (uint32_t)pages), SW_OK);
  assert_int_equal(around[SW_PAGE - 1], 7); /* the neighbours keep what they have */
  assert_int_equal(at[s.size], 7);
  assert_int_equal(sw_shared_overlay_vouched(&s, at, s.size), SW_EOVERLAY); /* shared already */
  sw_shared_close(&s);
  munmap(around, (pages + 2) * SW_PAGE);
}

static void overlay(void **state) {
  (void)state;
  sw_shared s = new_shared(NULL);
  size_t pages = (size_t)(s.size / SW_PAGE);
  uint8_t *around = anonymous(pages + 2), *at = around + SW_PAGE;
  assert_int_equal(sw_shared_overlay(&s, at, s.size), SW_EOVERLAY); /* nothing to write to */
  mprotect(at, (size_t)s.size - SW_PAGE, PROT_READ | PROT_WRITE);
  assert_int_equal(sw_shared_overlay(&s, at, s.size), SW_EOVERLAY); /* not all of it */
  mprotect(at, (size_t)s.size + SW_PAGE, PROT_READ | PROT_WRITE);
  assert_int_equal(sw_shared_overlay(&s, at, s.size), SW_EOVERLAY); /* it goes on */
  mprotect(around, (size_t)s.size + SW_PAGE, PROT_READ | PROT_WRITE);
  mprotect(at + s.size, SW_PAGE, PROT_NONE);
  assert_int_equal(sw_shared_overlay(&s, at, s.size), SW_EOVERLAY); /* it begins before */
  mprotect(around, SW_PAGE, PROT_NONE);
  assert_int_equal(sw_shared_overlay(&s, at + 8, s.size), SW_EOVERLAY);
  assert_int_equal(sw_shared_overlay(&s, NULL, s.size), SW_EOVERLAY);
  assert_int_equal(sw_shared_overlay(&s, at, s.size - SW_PAGE), SW_ESIZE);
  /* the shared memory itself */
  assert_int_equal(sw_shared_overlay(&s, s.base, s.size), SW_EOVERLAY);
  memset(at, 1, s.size);
  assert_int_equal(sw_shared_overlay(&s, at, s.size), SW_OK);
  assert_int_equal(sw_region_verify(at, (uint32_t)pages), SW_OK);
  assert_int_equal(sw_shared_overlay(&s, at, s.size), SW_EOVERLAY);
  sw_shared_close(&s);
  assert_int_equal(sw_region_verify(at, (uint32_t)pages), SW_OK); /* the mapping stays */
  munmap(around, (pages + 2) * SW_PAGE);
}

/* ---- ports ---- */

static void echo_until_closed(const region *r) {
  sw_port port;
  if (sw_port_open(&port, r->base, r->size, SW_NATIVE) != SW_OK) _exit(1);
  for (;;) {
    sw_slice slice;
    int status = sw_consumer_peek(&port.in, &slice);
    if (status == 0) status = sw_port_wait(&port, SW_UNTIL_MESSAGE, 0, -1);
    else if (status == 1) {
      while ((status = sw_producer_send(&port.out, r->base + slice.offset, slice.length)) == SW_EFULL) {
        sw_port_wait(&port, SW_UNTIL_ROOM, slice.length, -1);
      }
      sw_consumer_release(&port.in);
    }
    if (status < 0) break;
  }
  sw_port_close(&port, 1);
  _exit(0);
}

static pid_t start(void (*child)(const region *), const region *r) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) child(r);
  return pid;
}

static void ports(void **state) {
  (void)state;
  region r = region_new_shared(RING, RING);
  sw_port port, second;
  assert_int_equal(sw_port_open(&port, r.base, r.size, SW_RENDERER), SW_OK);
  assert_int_equal(sw_port_open(&second, r.base, r.size, SW_RENDERER), SW_ETAKEN);
  assert_false(sw_port_has_peer(&port));
  assert_int_equal(sw_port_wait(&port, SW_UNTIL_MESSAGE, 0, 1000000), 0);
  pid_t child = start(echo_until_closed, &r);
  uint32_t sent = 0, back = 0;
  uint8_t message[1000];
  while (back < 20000) {
    uint32_t length = sent % 1000;
    pattern_fill(message, length, sent);
    int status = sent < 20000 ? sw_producer_send(&port.out, message, length) : SW_EFULL;
    if (status == SW_OK) sent++;
    for (sw_slice slice; sw_consumer_peek(&port.in, &slice) == 1; sw_consumer_release(&port.in), back++) {
      assert_int_equal(slice.length, back % 1000);
      assert_true(pattern_holds(r.base + slice.offset, slice.length, back));
    }
    uint32_t what = sent < 20000 ? SW_UNTIL_MESSAGE | SW_UNTIL_ROOM : SW_UNTIL_MESSAGE;
    if (status == SW_EFULL && back < 20000) assert_int_equal(sw_port_wait(&port, what, length, -1), 1);
  }
  assert_true(sw_port_has_peer(&port));
  sw_port_close(&port, 1);
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  region_free_shared(&r);
}

static void send_and_pause(const region *r) {
  sw_port port;
  if (sw_port_open(&port, r->base, r->size, SW_NATIVE) != SW_OK) _exit(1);
  for (uint32_t i = 0; i < 3; i++) sw_producer_send(&port.out, &i, sizeof(i));
  for (;;) pause();
}

static void peer_dies(void **state) {
  (void)state;
  region r = region_new_shared(RING, RING);
  sw_port port;
  sw_slice slice;
  const uint8_t filling[100] = {0};
  assert_int_equal(sw_port_open(&port, r.base, r.size, SW_RENDERER), SW_OK);
  for (int round = 0; round < 3; round++) {
    pid_t child = start(send_and_pause, &r);
    while (!sw_port_has_peer(&port)) sleep_ms(1);
    for (uint32_t i = 0; i < 3; i++) {
      assert_int_equal(sw_port_wait(&port, SW_UNTIL_MESSAGE, 0, -1), 1);
      assert_int_equal(sw_consumer_peek(&port.in, &slice), 1);
      if (i == 1) kill(child, SIGKILL); /* the last is still received */
      sw_consumer_release(&port.in);
    }
    assert_int_equal(sw_port_wait(&port, SW_UNTIL_MESSAGE, 0, -1), SW_EPEERDIED);
    while (sw_producer_send(&port.out, filling, sizeof(filling)) == SW_OK) {
    }
    assert_int_equal(sw_port_wait(&port, SW_UNTIL_ROOM, 100, -1), SW_EPEERDIED);
    reap(child);
    assert_false(sw_port_has_peer(&port));
  }
  sw_port_close(&port, 0);
  region_free_shared(&r);
}

TESTS(TEST(open_again), TEST(refused_sizes_and_names), TEST(names), TEST(abandoned), TEST(sealed), TEST(overlay),
      TEST(overlay_vouched), TEST(ports), TEST(peer_dies));
