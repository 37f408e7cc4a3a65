/* Child processes, for the tests of what happens when one is gone. */
#ifndef SABWAY_TEST_PROCESS_H
#define SABWAY_TEST_PROCESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* has to come before all system headers: include this file first */
#endif

#include "../helper.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A region that a child shares. */
HELPER region region_new_shared(uint32_t renderer_to_native, uint32_t native_to_renderer) {
  region r = {.size = sw_region_bytes(renderer_to_native, native_to_renderer)};
  r.pages = (uint32_t)(r.size / SW_PAGE);
  r.base = mmap(NULL, (size_t)r.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(r.base, MAP_FAILED);
  assert_int_equal(sw_region_format(r.base, r.pages, renderer_to_native, native_to_renderer), SW_OK);
  return r;
}

HELPER void region_free_shared(region *r) { munmap(r->base, (size_t)r->size); }

/* Run `child` in a child process that ends with it, and wait until it has; it is not reaped yet. */
HELPER pid_t run_child(void (*child)(const region *), const region *r) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    child(r);
    _exit(0);
  }
  siginfo_t info;
  assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
  assert_int_equal(info.si_code, CLD_EXITED);
  return pid;
}

HELPER void reap(pid_t pid) { assert_int_equal(waitpid(pid, NULL, 0), pid); }

#endif
