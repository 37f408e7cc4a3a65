#!/bin/sh
# Rules of native/ that a compiler does not check.
#
#   check-sources.sh [root]      the folder that native/ is in (default: the current one)
cd "${1:-.}" || exit 2
failed=0

# report <what is wrong> <what grep found>
report() {
  if [ -n "$2" ]; then
    printf '%s:\n%s\n' "$1" "$2" >&2
    failed=1
  fi
}

# search <pattern> <folder...>: in every C and C++ file below the folders, however deep.
search() {
  pattern=$1
  shift
  grep -rnE "$pattern" "$@" --include='*.[ch]' --include='*.cc'
}

if [ ! -f native/base/atomics.h ] || [ ! -f native/base/peer.h ]; then
  report 'the rules are about files that have moved' 'native/base/atomics.h and native/base/peer.h'
fi

atomics=$(search '\batomic_[a-z]|__atomic_|__sync_|_Atomic\b|stdatomic' native | grep -v '^native/base/atomics\.h:')
report 'atomic operations belong in native/base/atomics.h' "$atomics"

loads=$(search '\bsw_load(64)?_(relaxed|acquire)\b' native/core)
report 'the core reads shared words through native/base/peer.h' "$loads"

# Outside the core a thread's own words are read, too: those stand in the struct that it is handed,
# and one step away.
own='\bsw_load(64)?_(relaxed|acquire)\(&[a-z]+->[a-z_]+(\.[a-z_]+)*\)'
loads=$(search '\bsw_load(64)?_(relaxed|acquire)\b' native | grep -vE '^native/(core/|base/(atomics|peer)\.h:)' | sed -E "s/$own//g" |
  grep -E '\bsw_load(64)?_(relaxed|acquire)\b')
report 'words of a region are read by sw_peer_load_*; sw_load_* is for &handle->word of a private struct' "$loads"

systems='__linux|_WIN32|_WIN64|__APPLE__|__MACH__|__unix|__wasm|__x86_64|__i386|__aarch64|__arm|_MSC_VER|_M_X64'
conditions=$(search "^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|elif).*($systems)" native/base native/core |
  grep -v '^native/base/atomics\.h:')
report 'native/base and native/core know no operating system and no processor: use native/prim' "$conditions"

includes=$(search '^[[:space:]]*#[[:space:]]*include[[:space:]]*<' native/base native/core | grep -vE '<(stdint|stdbool|stddef)\.h>')
report 'native/base and native/core are freestanding' "$includes"

exit $failed
