#!/bin/sh
# examples/godot in Godot 3 without a window: the golden bytes, then files that peer.c fills.
# godot.sh <the repository> <the program of peer.c>
set -eu
if ! command -v godot3-server >/dev/null 2>&1; then
  echo 'godot3-server is missing. On Debian and Ubuntu: apt-get install godot3-server' >&2
  exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$1"/examples/godot/*.gd "$1"/test/c/godot/*.gd "$folder"
export HOME="$folder" LANG=en
unset XDG_DATA_HOME XDG_CONFIG_HOME XDG_CACHE_HOME
cat >"$folder/project.godot" <<'END'
config_version=4
[logging]
file_logging/enable_file_logging=false
END
# A script that fails leaves Godot running.
godot() { timeout 60 godot3-server --path "$folder" "$@"; }

for script in "$1"/examples/godot/*.gd; do
  says=$(godot --check-only -s "$(basename "$script")" 2>&1)
  case $says in *ERROR*) printf '%s\n' "$says" >&2; exit 1 ;; esac
done
# What it prints counts: Godot ends with 0 when it cannot read a script.
godot -s golden.gd "$1/test/golden/p2p.txt" | tee "$folder/says"
grep -q '^golden: 8 cases, 8 compared, 0 failures$' "$folder/says"
for form in '1024 1' '512 2'; do
  # shellcheck disable=SC2086 # two words
  timeout 110 "$2" "$folder/queue" $form 300 godot3-server --path "$folder" -s echo.gd "$folder/queue" ${form% *} 300
done
