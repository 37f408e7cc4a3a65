#!/bin/sh
# check-layers.sh finds what it is there for: one violation at a time is planted in a copy of
# native/. Run from the repository's root.
set -eu
check=$PWD/test/c/unit/check-layers.sh
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R native "$copy/native"
failed=0

"$check" "$copy" >/dev/null || { echo 'the layers as they are do not pass' >&2; exit 1; }

# plant <file> <line> <part of the complaint>
plant() {
  mkdir -p "$copy/$(dirname "$1")"
  printf '%s\n' "$2" >"$copy/$1"
  if words=$("$check" "$copy" 2>&1) || ! printf '%s' "$words" | grep -qF "$3"; then
    echo "not found: $2 in $1" >&2
    failed=1
  fi
  rm "$copy/$1"
}

plant native/base/planted.h '#include "sabway/layout.h"' 'native/base/planted.h:1: base includes'
plant native/include/sabway/planted.h '#include "base/peer.h"' 'native/include/sabway/planted.h:1: include includes'
plant native/core/region/planted.c '#include "core/ring/frame.h"' 'core/ring/frame.h, which is above it'
plant native/core/ring/planted.c '  #  include "threads/spin.h" /* why */' \
  'threads/spin.h, which is above it'
plant native/prim/linux/planted.c '#include "process/listener.h"' 'process/listener.h, which is above it'
plant native/worker/planted.c '#include "process/listener.h"' 'process/listener.h, which is beside it'
plant native/process/planted.c '#include "worker/handlers.h"' 'worker/handlers.h, which is beside it'
plant native/util/planted.c '#include "threads/spin.h"' 'threads/spin.h, which is beside it'
plant native/worker/planted.cc '#include "napi/error.h"' 'napi/error.h, which is above it'
plant native/elsewhere/planted.c '#include "base/peer.h"' 'native/elsewhere/planted.c has no layer'

# Two files of one layer that need each other.
relay=$copy/native/core/region/relay.h
cp "$relay" "$copy/before"
echo '#include "core/region/doorbell.h"' >>"$relay"
if words=$("$check" "$copy" 2>&1) || ! printf '%s' "$words" | grep -qF 'in a circle'; then
  echo 'not found: doorbell and relay in a circle' >&2
  failed=1
fi
mv "$copy/before" "$relay"

rm "$copy/native/base/atomics.h"
if "$check" "$copy" >/dev/null 2>&1; then
  echo 'not found: native/base has moved' >&2
  failed=1
fi
exit $failed
