#!/bin/sh
# check-sources.sh finds what it is there for: one violation at a time is planted in a copy of
# native/, some of them in folders that are not there yet. Run from the repository's root.
set -eu
check=$PWD/test/c/unit/check-sources.sh
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R native "$copy/native"
failed=0

"$check" "$copy" || { echo 'the sources as they are do not pass' >&2; exit 1; }

# plant <file> <line>: the check must fail, and name the file.
plant() {
  mkdir -p "$copy/$(dirname "$1")"
  printf '%s\n' "$2" >"$copy/$1"
  if words=$("$check" "$copy" 2>&1) || ! printf '%s' "$words" | grep -q "^$1:1:"; then
    echo "not found: $2 in $1" >&2
    failed=1
  fi
  rm "$copy/$1"
}

plant native/worker/planted.c 'static int x(uint32_t *w) { return __atomic_load_n(w, __ATOMIC_RELAXED); }'
plant native/napi/deep/planted.cc 'std::atomic_int x;'
plant native/core/planted.c 'return sw_load_acquire(&e->pid);'
plant native/core/ring/planted.h 'return sw_load_relaxed(&c->ring->tail);'
plant native/worker/planted.c 'uint32_t sender = sw_load_relaxed(&w->in.ring->producer);'
plant native/process/planted.c 'if (sw_load_acquire(doorbell) != ticket) return;'
plant native/prim/linux/planted.c 'if (sw_load_acquire(&w->stop) || sw_load_acquire(words[i]) != expected[i]) return;'
plant native/process/planted.h 'return sw_load_relaxed(&swi_endpoint_at(base, 0)->pid);'
plant native/core/heap/planted.c '#ifdef __linux__'
plant native/core/heap/planted.c '#include <stdlib.h>'
plant native/base/planted.h '#include <string.h>'
rm "$copy/native/base/peer.h"
if "$check" "$copy" 2>/dev/null; then
  echo 'not found: the file that the rules are about has moved' >&2
  failed=1
fi
exit $failed
