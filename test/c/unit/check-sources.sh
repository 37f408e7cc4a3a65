#!/bin/sh
# Rules of the core that a compiler does not check. Run from the repository's root.
failed=0

# report <what is wrong> <what grep found>
report() {
  if [ -n "$2" ]; then
    printf '%s:\n%s\n' "$1" "$2" >&2
    failed=1
  fi
}

atomics=$(grep -rnE '\batomic_[a-z]|__atomic_|__sync_|_Atomic\b|stdatomic' native --include='*.[ch]' --include='*.cc' |
  grep -v '^native/core/atomics\.h:')
report 'atomic operations belong in native/core/atomics.h' "$atomics"

loads=$(grep -nE '\bsw_load_(relaxed|acquire)\b' native/core/*.[ch] | grep -vE '^native/core/(atomics|peer)\.h:')
report 'the core reads shared words through native/core/peer.h' "$loads"

systems='__linux|_WIN32|_WIN64|__APPLE__|__MACH__|__unix|__wasm|__x86_64|__i386|__aarch64|__arm|_MSC_VER|_M_X64'
conditions=$(grep -nE "^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|elif).*($systems)" native/core/*.[ch] |
  grep -v '^native/core/atomics\.h:')
report 'native/core knows no operating system and no processor: use native/prim' "$conditions"

includes=$(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<' native/core/*.[ch] | grep -vE '<(stdint|stdbool|stddef)\.h>')
report 'native/core is freestanding' "$includes"

exit $failed
