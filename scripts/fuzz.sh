#!/usr/bin/env bash
# Fuzzes the C core with libFuzzer under AddressSanitizer and UBSan. Exits with 1 on any finding;
# the input that shows it is then under .cache/fuzz, next to the corpora, which grow from run to
# run.
#
#   npm run fuzz -- [--seconds N] [target...]
#
# N seconds for all targets together (60); the targets are the fuzz_*.c of test/c/hostile.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=60
targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=${2:?--seconds needs a number}; shift 2 ;;
    --seconds=*) seconds=${1#*=}; shift ;;
    -*) echo "usage: npm run fuzz -- [--seconds N] [target...]" >&2; exit 2 ;;
    *) targets+=("$1"); shift ;;
  esac
done
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "fuzz: --seconds is a whole number from 1 on, not '$seconds'" >&2; exit 2; }
known=$(cd test/c/hostile && printf '%s\n' fuzz_*.c | sed 's/^fuzz_//; s/\.c$//')
if [ ${#targets[@]} = 0 ]; then mapfile -t targets <<<"$known"; fi
for target in "${targets[@]}"; do
  grep -qx -- "$target" <<<"$known" || { echo "fuzz: no target $target; there are: ${known//$'\n'/ }" >&2; exit 2; }
done

build=build/cmake-fuzz
cache=.cache/fuzz
mkdir -p "$build" "$cache"
command -v clang >/dev/null || { echo 'fuzz: clang is missing; on Debian: apt-get install clang libclang-rt-14-dev' >&2; exit 1; }
generator='Unix Makefiles'
if command -v ninja >/dev/null; then generator=Ninja; fi
[ -f "$build/CMakeCache.txt" ] && generator=$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' "$build/CMakeCache.txt")
{
  cmake -S . -B "$build" -G "$generator" -DCMAKE_C_COMPILER=clang -DSABWAY_DEV=ON -DSABWAY_TESTS=ON -DSABWAY_EXAMPLES=OFF &&
    cmake --build "$build" -j 2 --target "${targets[@]/#/fuzz_}"
} >"$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }

each=$(((seconds + ${#targets[@]} - 1) / ${#targets[@]}))
failed=0
total=0
for target in "${targets[@]}"; do
  mkdir -p "$cache/$target"
  log=$cache/$target.log
  if ! "$build/test/c/hostile/fuzz_$target" -max_total_time="$each" -timeout=10 -rss_limit_mb=1024 -max_len=512 \
    -print_final_stats=1 -artifact_prefix="$cache/$target-" "$cache/$target" "test/c/hostile/corpus/$target" >"$log" 2>&1; then
    failed=1
    grep -v '^#[0-9]' "$log" | tail -60 >&2
    echo "fuzz: $target FAILED; see $log, and replay the input with $build/test/c/hostile/fuzz_$target <file>" >&2
  fi
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  total=$((total + ${runs:-0}))
  printf '%-14s %10s inputs in %s s, corpus of %s, %s\n' "$target" "${runs:-?}" "$each" "$(find "$cache/$target" -type f | wc -l)" \
    "$(grep -o 'cov: [0-9]*' "$log" | tail -1)"
done
printf '%s inputs\n' "$total"
exit $failed
