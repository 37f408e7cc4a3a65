#!/bin/sh
# The same bytes on every system: compiles the layout's numbers for many targets with clang, which
# needs no headers of the target for that, and compares them; likewise what each target computes as
# the layout hash. With --print, the rows of the first target.
set -eu
cd "$(dirname "$0")/../../.."
clang=${CLANG:-clang}
command -v "$clang" >/dev/null || {
  echo "layout-dump: $clang is missing; on Debian: apt-get install clang"
  exit 77
}

targets='x86_64-linux-gnu x86_64-linux-musl aarch64-linux-gnu aarch64-linux-android arm-linux-gnueabihf i686-linux-gnu
  riscv64-linux-gnu powerpc64le-linux-gnu wasm32 wasm64
  x86_64-windows-msvc x86_64-windows-gnu i686-windows-msvc aarch64-windows-msvc
  x86_64-apple-macos11 arm64-apple-macos11 arm64-apple-ios15'

# ir <target> <file>: LLVM's own assembly, which writes constants alike for all targets.
ir() {
  "$clang" --target="$1" -std=c11 -O2 -ffreestanding -Wall -Wextra -Werror -Inative -Inative/include -S -emit-llvm -o - "$2"
}

# Numbers of the array sw_rows, one a line.
rows() {
  ir "$1" test/c/layout/rows.c | sed -n 's/^@sw_rows = .*\[i32 \(.*\)\].*/\1/p' | sed 's/, i32 /\n/g'
}

# The constant that sw_layout_hash was folded to.
hash() {
  ir "$1" native/core/region/region.c | sed -n '/ @sw_layout_hash(/,/^}/s/^ *ret i32 \(-\{0,1\}[0-9][0-9]*\).*/\1/p'
}

first=
differ=0
compared=0
for target in $targets; do
  these=$(rows "$target")
  hash=$(hash "$target")
  if [ -z "$these" ] || [ -z "$hash" ]; then
    echo "layout-dump: nothing to read from $clang for $target"
    exit 1
  fi
  if [ -z "$first" ]; then
    first=$target
    expected=$these
    expected_hash=$hash
    [ "${1:-}" != --print ] || printf '%s\n' "$expected"
  elif [ "$these" != "$expected" ] || [ "$hash" != "$expected_hash" ]; then
    echo "layout-dump: $target lays the region out otherwise than $first"
    differ=1
  fi
  compared=$((compared + 1))
done
[ "$differ" = 0 ] || exit 1
echo "layout-dump: $(printf '%s\n' "$expected" | wc -l) rows and the layout hash are the same for $compared targets"
