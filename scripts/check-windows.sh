#!/bin/sh
# Compiles the C core for Windows with mingw-w64 and links a program with it (examples/c-process). What runs is not checked:
# Windows stays unverified. On Debian: apt-get install gcc-mingw-w64-x86-64
set -eu
cd "$(dirname "$0")/.."

compiler=x86_64-w64-mingw32-gcc
command -v $compiler >/dev/null 2>&1 || {
  echo "check-windows: $compiler is missing; on Debian: apt-get install gcc-mingw-w64-x86-64" >&2
  exit 1
}
mkdir -p build
# shellcheck disable=SC2046 # a list of files
$compiler -std=gnu11 -O2 -Wall -Wextra -Werror -Inative -Inative/include examples/c-process/main.c native/prim/windows.c \
  $(sed 's|^|native/|' native/sources.txt) -lsynchronization -lbcrypt -o build/c-process.exe
echo "linked build/c-process.exe"
