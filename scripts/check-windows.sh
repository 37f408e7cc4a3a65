#!/bin/sh
# Compiles the C core for Windows with mingw-w64 and links a program with it (examples/c-process).
# Where there is Wine, two processes of it exchange messages; on Windows itself nothing was run. On
# Debian: apt-get install gcc-mingw-w64-x86-64 wine64
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

for wine in wine64 /usr/lib/wine/wine64 ''; do
  if [ -n "$wine" ] && command -v "$wine" >/dev/null 2>&1; then break; fi
done
if [ -z "$wine" ]; then
  echo 'NOT RUN: there is no wine64 here'
  exit 0
fi
export WINEPREFIX="$PWD/build/wine" WINEDEBUG=-all
"$wine" build/c-process.exe ask 'no token' 2>/dev/null || true # makes the prefix
rm -f build/c-process.token
mkfifo build/c-process.token
"$wine" build/c-process.exe serve >build/c-process.token 2>build/c-process-windows.log &
serving=$!
trap 'kill $serving 2>/dev/null || true' EXIT
{
  read -r token
  "$wine" build/c-process.exe ask "$(printf %s "$token" | tr -d '\r')" 20000
  cat
} <build/c-process.token
wait $serving
