#!/usr/bin/env bash
# Builds and runs heap.c. Debian: apt-get install libmimalloc-dev libboost1.81-dev
set -euo pipefail
cd "$(dirname "$0")/../.."
out=build/bench-native
mkdir -p "$out"
objects=()
for source in $(sed 's,^,native/,' native/sources.txt) native/prim/linux/*.c native/prim/posix.c bench/native/heap.c; do
  object=$out/${source//\//_}.o
  gcc -std=c11 -O3 -Inative -Inative/include -c "$source" -o "$object"
  objects+=("$object")
done
g++ -O3 -c bench/native/peer.cc -o "$out/peer.o"
g++ "${objects[@]}" "$out/peer.o" -o "$out/heap" -lmimalloc -lpthread -ldl -lrt
"$out/heap"
