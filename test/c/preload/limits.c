/* Preloaded into a process of a test (LD_PRELOAD): before its main function it forbids itself what
 * SABWAY_TEST_LIMITS names, separated by commas. A system call and the error it is to fail with:
 * memfd_create=EPERM; or `undumpable`, by which the process is protected as a setuid program is. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
  const char *name;
  unsigned number;
} CALLS[] = {
    {"memfd_create", SYS_memfd_create}, {"futex_waitv", 449}, {"pidfd_open", 434}, {"ftruncate", SYS_ftruncate}};

static void fail(const char *what) {
  fprintf(stderr, "limits.c: %s\n", what);
  _exit(99);
}

static void forbid(unsigned number, int error) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof(filter) / sizeof(*filter), filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    fail("this system does not let a process forbid itself system calls");
  }
}

static void limit(const char *what) {
  const char *error = strchr(what, '=');
  if (strcmp(what, "undumpable") == 0) {
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) fail("prctl");
    return;
  }
  for (size_t i = 0; error != NULL && i < sizeof(CALLS) / sizeof(*CALLS); i++) {
    size_t length = (size_t)(error - what);
    if (strlen(CALLS[i].name) != length || strncmp(what, CALLS[i].name, length) != 0) continue;
    forbid(CALLS[i].number, strcmp(error, "=EPERM") == 0 ? EPERM : ENOSYS);
    return;
  }
  fail(what);
}

__attribute__((constructor)) static void limits(void) {
  const char *all = getenv("SABWAY_TEST_LIMITS");
  char *copy = strdup(all == NULL ? "" : all), *rest = NULL;
  for (char *what = strtok_r(copy, ",", &rest); what != NULL; what = strtok_r(NULL, ",", &rest)) limit(what);
  free(copy);
}
