// The generated constants. In a browser test/browser/page/generated.ts stands in for this file.
import { readFileSync } from 'node:fs'
import { root } from './paths.js'

/**
 * lib/generated/abi.ts is JavaScript but for `export` and `as const`; the library does not export it. Read without top-level
 * await: V8 aborts the process when a thread is terminated inside a module that had to wait for another (Node 22 to 26).
 */
function read(): unknown {
  const source = readFileSync(new URL('lib/generated/abi.ts', root), 'utf8')
  const found = {}
  new Function('found', source.replaceAll(' as const', '').replaceAll('export const ', 'found.'))(found)
  return found
}

export const generated = read()
