#!/usr/bin/env bash
# The C tests under ThreadSanitizer with gcc and with clang, and the JavaScript tests with an addon
# that was built with AddressSanitizer and UBSan, leaks included. (scripts/test-c.sh runs the C
# tests under AddressSanitizer.)
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }
generator='Unix Makefiles'
command -v ninja >/dev/null && generator=Ninja

thread() {
  local folder=build/cmake-tsan-$1
  say "ThreadSanitizer, $1"
  cmake -S . -B "$folder" -G "$generator" -DCMAKE_C_COMPILER="$1" -DSABWAY_DEV=ON -DSABWAY_TESTS=ON \
    -DSABWAY_SANITIZE=thread >"$folder.log" 2>&1 && cmake --build "$folder" -j 2 >>"$folder.log" 2>&1 ||
    { cat "$folder.log" >&2; exit 1; }
  (cd "$folder" && ctest --output-on-failure)
}

# The addon, compiled by hand: node-gyp knows one build folder. node-gyp-build takes it from
# SABWAY_PREBUILD.
addon() {
  say 'AddressSanitizer: the addon'
  local out=build/asan/build/Release flags=(-O1 -g -fPIC -fsanitize=address,undefined -fno-sanitize-recover=all)
  local napi headers
  napi=$(node -p "require('node-addon-api').include_dir")
  headers=$(node -p "require('node:path').resolve(process.execPath, '../../include/node')")
  local defines # a .gyp file is a Python literal
  defines=$(python3 -c "import ast; print(*('-D' + d for d in ast.literal_eval(open('binding.gyp').read())['targets'][0]['defines']))")
  local includes=(-Inative -Inative/include -Ilib/generated "-I${napi//\"/}" "-I$headers")
  mkdir -p "$out"
  local objects=() source object
  for source in $(sed 's,^,native/,' native/sources.txt) native/prim/linux/*.c native/prim/posix.c native/napi/*.c; do
    object=$out/$(tr / - <<<"${source%.c}").o # files of two folders may have one name
    gcc -std=c11 "${flags[@]}" "${includes[@]}" -DNAPI_VERSION=8 -c "$source" -o "$object"
    objects+=("$object")
  done
  # shellcheck disable=SC2086 # a list of flags
  g++ -std=c++17 "${flags[@]}" "${includes[@]}" $defines -DNODE_GYP_MODULE_NAME=sabway -shared \
    native/napi/*.cc "${objects[@]}" -o "$out/sabway.node" -lpthread -ldl -lrt
}

if [ "${1:-}" != --addon-only ]; then
  thread gcc
  thread clang
fi
addon
say 'AddressSanitizer: the JavaScript tests'
rm -f build/asan/report.*
SABWAY_PREBUILD=$PWD/build/asan SABWAY_EFFORT=${SABWAY_EFFORT:-0.1} LD_PRELOAD=$(gcc -print-file-name=libasan.so) \
  ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=4:log_path=$PWD/build/asan/report LSAN_OPTIONS=exitcode=0 \
  node --expose-gc node_modules/mocha/bin/mocha.js 'build/test/**/*.test.js'

# Node leaves memory of its own behind when it exits. Ours is what the addon itself allocated, or
# had C++ allocate for it.
if grep -hE '^ +#[12] .*(sabway\.node|native/)' build/asan/report.* 2>/dev/null; then
  echo 'the addon leaks: see build/asan/report.*' >&2
  exit 1
fi
say 'no leak in the addon'
