// Which lines of which files mistakes are made in.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const SCRIPT = /^lib\/(?!generated\/).*\.ts$/
const NATIVE = /^native\/.*\.(c|cc|h)$/
/** What this system does not compile, and what only lists names. */
const ELSEWHERE = /^native\/(prim\/(windows|macos)\.c|codegen\/)/

export const isScript = (file) => SCRIPT.test(file)

function wanted(file, patterns) {
  if ((!SCRIPT.test(file) && !NATIVE.test(file)) || ELSEWHERE.test(file)) return false
  return patterns.length === 0 || patterns.some((pattern) => file === pattern || file.startsWith(pattern))
}

const git = (root, ...args) => execFileSync('git', args, { cwd: root, maxBuffer: 2 ** 28 }).toString()

function everyLine(root, file) {
  return new Set(
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .map((_, index) => index + 1),
  )
}

/** Line numbers, from 1, that `git diff` says the tree has and the commit has not. */
function linesOf(diff) {
  const changed = new Map()
  let lines
  for (const line of diff.split('\n')) {
    const file = /^\+\+\+ b\/(.*)$/.exec(line)
    if (file) {
      lines = new Set()
      changed.set(file[1], lines)
    }
    const hunk = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line)
    if (!hunk) continue
    for (let i = 0; i < Number(hunk[2] ?? 1); i++) lines.add(Number(hunk[1]) + i)
  }
  return changed
}

/**
 * Map of file to the Set of its lines: what changed since a commit, or all of the files that are
 * named.
 */
export function changedLines(root, since, patterns) {
  const changed = new Map()
  const untracked = git(root, 'ls-files', '-o', '--exclude-standard', '--', 'lib', 'native').split('\n').filter(Boolean)
  if (since !== undefined) {
    const diff = git(root, 'diff', '-U0', '-M', '--no-color', '--no-ext-diff', since, '--', 'lib', 'native')
    for (const [file, lines] of linesOf(diff)) changed.set(file, lines)
    for (const file of untracked) changed.set(file, everyLine(root, file))
  } else {
    for (const file of [...git(root, 'ls-files', '--', 'lib', 'native').split('\n').filter(Boolean), ...untracked]) {
      if (wanted(file, patterns)) changed.set(file, everyLine(root, file))
    }
  }
  return new Map([...changed].filter(([file, lines]) => lines.size > 0 && wanted(file, patterns)))
}
