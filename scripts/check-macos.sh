#!/bin/sh
# Checks the syntax and types of the C core for macOS with clang, for both processors. Apple's
# headers are not here: this system's stand for those that POSIX describes, and the few things only
# Apple has are declared below, as far as macos.c uses them. It says nothing about what would happen
# there: nothing is linked or run.
set -eu
cd "$(dirname "$0")/.."

command -v clang >/dev/null || {
  echo 'check-macos: clang is missing; on Debian: apt-get install clang' >&2
  exit 1
}
headers=build/macos-headers
mkdir -p $headers/gnu $headers/bits
: >$headers/gnu/stubs.h # this system's own are for its processor
printf '#define __WORDSIZE 64\n#define __WORDSIZE_TIME64_COMPAT32 0\n#define __SYSCALL_WORDSIZE 64\n' >$headers/bits/wordsize.h
cat >$headers/libproc.h <<'END'
#include <stdint.h>
struct proc_bsdinfo {
  uint32_t pbi_flags, pbi_status, pbi_xstatus, pbi_pid, pbi_ppid;
  uint32_t pbi_uid, pbi_gid, pbi_ruid, pbi_rgid, pbi_svuid, pbi_svgid, rfu_1;
  char pbi_comm[16], pbi_name[32];
  uint32_t pbi_nfiles, pbi_pgid, pbi_pjobc, e_tdev, e_tpgid;
  int32_t pbi_nice;
  uint64_t pbi_start_tvsec, pbi_start_tvusec;
};
#define PROC_PIDTBSDINFO 3
int proc_pidinfo(int pid, int flavor, uint64_t arg, void *buffer, int buffersize);
END
printf '#include_next <pthread.h>\nint pthread_setname_np(const char *name);\n' >$headers/pthread.h
multiarch=/usr/include/$(uname -m)-linux-gnu
for target in x86_64-apple-macos11 arm64-apple-macos11; do
  # shellcheck disable=SC2046 # a list of files
  for file in native/prim/macos.c native/prim/posix.c $(sed 's|^|native/|' native/sources.txt); do
    clang --target=$target -fsyntax-only -std=c11 -Wall -Wextra -Werror -D_DEFAULT_SOURCE -U__nonnull '-D__regparm__(n)=__unused__' \
      -Inative -Inative/include -isystem $headers -isystem /usr/include -isystem "$multiarch" "$file"
  done
  echo "macos.c and the core pass as $target"
done
