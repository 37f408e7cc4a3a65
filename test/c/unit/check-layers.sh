#!/bin/sh
# The layers of native/, drawn from its includes: fails on an arrow that runs up or sideways, and on
# a circle of files.
#
#   check-layers.sh [root]      the folder that native/ is in (default: the current one)
#
# The table has the lowest layer first. A file includes what is in its own folder or in lower
# layers. Folders of one line are siblings, and do not include each other. A new folder gets its
# place here before it can be used.
cd "${1:-.}" || exit 2

ranks='base include
prim/prim.h
core/region core/checksum
core/ring
core/channel core/mutex
core/heap
core/objects
core/string core/vector core/list core/map core/record core/sync core/pool core/queue core/broadcast core/p2p
prim
threads util
process worker
napi
codegen'

[ -f native/base/atomics.h ] || {
  echo 'native/base/atomics.h has moved: is this still about native/?' >&2
  exit 1
}

# One line an include: the file, the number of its line, and what the file system has for it, which
# is the first of these that is there: beside the file, in native/, in native/include/. Others'
# headers (node_api.h, model_hooks.h) have none.
includes() {
  find native -name '*.[ch]' -o -name '*.cc' | sort | while read -r file; do
    grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$file" | sed -E 's/^([0-9]+):[^"]*"([^"]*)".*/\1 \2/' |
      while read -r line name; do
        for place in "${file%/*}" native native/include; do
          [ -f "$place/$name" ] || continue
          echo "$file $line $place/$name"
          break
        done
      done
  done
}

all=$(includes)

printf '%s\n' "$all" | awk -v ranks="$ranks" '
  BEGIN {
    lines = split(ranks, line, "\n")
    for (i = 1; i <= lines; i++) {
      names = split(line[i], name, " ")
      for (k = 1; k <= names; k++) rank[name[k]] = i
    }
  }
  # The longest entry of the table that the path is in.
  function layer(path,   part) {
    sub(/^native\//, "", path)
    for (part = path; part != ""; part = part ~ /\// ? substr(part, 1, match(part, /\/[^\/]*$/) - 1) : "")
      if (part in rank) return part
    return ""
  }
  {
    from = layer($1)
    to = layer($3)
    if (from == "" || to == "") {
      print $1 ":" $2 ": " (from == "" ? $1 : $3) " has no layer: give its folder a place in check-layers.sh"
      failed = 1
    } else if (from != to) {
      if (rank[to] >= rank[from]) {
        print $1 ":" $2 ": " from " includes " $3 ", which is " (rank[to] > rank[from] ? "above it" : "beside it")
        failed = 1
      }
      if (!((from, to) in seen)) below[from] = below[from] " " to
      seen[from, to] = 1
    }
  }
  END {
    for (i = lines; i > 0; i--) {
      names = split(line[i], name, " ")
      for (k = 1; k <= names; k++) printf "%-12s ->%s\n", name[k], name[k] in below ? below[name[k]] : " nothing"
    }
    exit failed
  }' || failed=1

# A module is a header and the source file of the same name. tsort names the members of a circle.
if ! circle=$(printf '%s\n' "$all" | sed -E 's/\.(h|cc?)( |$)/\2/g' | awk '$1 != $3 { print $1, $3 }' | tsort 2>&1 >/dev/null); then
  printf 'these files include each other in a circle:\n%s\n' "$circle" >&2
  exit 1
fi
exit "${failed:-0}"
