#!/bin/sh
# Builds and runs the C tests, plain and with AddressSanitizer and UBSan, then a small program
# against the installed library. Other compilers: CC=clang scripts/test-c.sh
set -eu
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }

# What is missing, as Debian calls it.
missing() {
  command -v cmake >/dev/null 2>&1 || printf 'cmake '
  printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n#include <cmocka.h>\nint main(void) { return 0; }\n' |
    ${CC:-cc} -x c - -lcmocka -o /dev/null 2>/dev/null || printf 'libcmocka-dev '
}

needed=$(missing)
if [ -n "$needed" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  say "installing $needed"
  # shellcheck disable=SC2086 # a list of packages
  { apt-get install -y $needed || { apt-get update && apt-get install -y $needed; }; } >&2 || true
  needed=$(missing)
fi
if [ -n "$needed" ]; then
  printf 'The C tests need: %s\nOn Debian and Ubuntu: apt-get install %s\n' "$needed" "$needed" >&2
  exit 1
fi

generator='Unix Makefiles'
if command -v ninja >/dev/null 2>&1; then generator=Ninja; fi

# build <folder> <cmake options...>
build() {
  folder=$1
  shift
  say "building $folder"
  # A build folder stays with the compiler, the generator and the place it was made with.
  if [ -n "${CC:-}" ] && ! grep -qs "^CMAKE_C_COMPILER:.*/${CC##*/}\$" "$folder/CMakeCache.txt"; then rm -rf "$folder"; fi
  if ! cmake -S . -B "$folder" -G "$generator" -DSABWAY_DEV=ON -DSABWAY_TESTS=ON "$@" >"$folder.log" 2>&1; then
    rm -rf "$folder"
    cmake -S . -B "$folder" -G "$generator" -DSABWAY_DEV=ON -DSABWAY_TESTS=ON "$@" >"$folder.log" 2>&1 || {
      cat "$folder.log" >&2
      exit 1
    }
  fi
  cmake --build "$folder" -j 2 >"$folder.log" 2>&1 || {
    cat "$folder.log" >&2
    exit 1
  }
}

# run <folder> <ctest options...>
run() {
  folder=$1
  shift
  say "testing $folder"
  (cd "$folder" && ctest --output-on-failure -j 2 "$@")
}

mkdir -p build
build build/cmake
run build/cmake
build build/cmake-asan -DSABWAY_SANITIZE=address
run build/cmake-asan -E '^check-' # those read the sources, which are the same

say 'a program that uses the installed library'
rm -rf build/install build/install-test
cmake --install build/cmake --prefix build/install >build/install.log
cmake -S test/c/install -B build/install-test -G "$generator" -DCMAKE_PREFIX_PATH="$PWD/build/install" >build/install-test.log
cmake --build build/install-test >>build/install-test.log || {
  cat build/install-test.log >&2
  exit 1
}
build/install-test/consumer

say 'two processes of a program that uses the installed library'
rm -rf build/c-process
cmake -S examples/c-process -B build/c-process -G "$generator" -DCMAKE_PREFIX_PATH="$PWD/build/install" >build/c-process.log
cmake --build build/c-process >>build/c-process.log || {
  cat build/c-process.log >&2
  exit 1
}
mkfifo build/c-process/token
build/c-process/c-process serve >build/c-process/token &
serving=$!
trap "kill $serving 2>/dev/null || true" EXIT
{
  read -r token
  build/c-process/c-process ask "$token" 100000
  cat # what the server says in the end
} <build/c-process/token
wait $serving
