// The generated constants. In a browser test/browser/page/generated.ts stands in for this file.
import { readFileSync } from 'node:fs'
import { root } from './paths.js'

const STRUCT = /^export \* as (\w+) from '\.\/(\w+)\.js'$/gm

/**
 * The files of lib/generated are JavaScript but for `export` and `as const`; the library does not
 * export them. Read without top-level await: V8 aborts the process when a thread is terminated
 * inside a module that had to wait for another (Node 22 to 26).
 */
function read(name: string): Record<string, unknown> {
  const source = readFileSync(new URL(`lib/generated/${name}.ts`, root), 'utf8')
  const found: Record<string, unknown> = {}
  const body = source.replaceAll(' as const', '').replaceAll(STRUCT, '').replaceAll('export const ', 'found.')
  new Function('found', body)(found)
  for (const [, struct, file] of source.matchAll(STRUCT)) found[struct!] = read(file!)
  return found
}

export const generated = read('abi') as unknown
