#!/usr/bin/env bash
# Formatting and lint of everything: check-words.mjs for comments, strings and documents;
# clang-format and clang-tidy for C and C++; Biome, tsc and the layers of lib for TypeScript and
# JavaScript.
set -euo pipefail
cd "$(dirname "$0")/.."

need() {
  command -v "$1" >/dev/null || { echo "lint: $1 is missing; on Debian: apt-get install $1" >&2; exit 1; }
}
need clang-format
need clang-tidy

node scripts/check-words.mjs

mapfile -t sources < <(git ls-files -co --exclude-standard -- '*.c' '*.h' '*.cc')
clang-format --dry-run -Werror "${sources[@]}"

mapfile -t tidied < <(git ls-files -co --exclude-standard -- native/{core,worker,process,threads,util}/'*.c' 'native/prim/linux/*.c' native/prim/{posix,wake}.c)
clang-tidy --quiet --warnings-as-errors='*' "${tidied[@]}" -- -std=c11 -Inative -Inative/include 2> >(grep -v 'warnings generated\|Suppressed\|Use -header-filter' >&2 || true)

npx biome check --error-on-warnings .
npx tsc -p .
npx depcruise lib
npx tsc -p test/tsconfig.json --noEmit
npx tsc -p test/browser/page --noEmit
npx tsc -p examples/electron
npx tsc -p examples/audio
npx tsc -p examples/boids
npx tsc -p examples/p2p-game
