// After the bundler: the entries' declarations refer to dist/globals.d.ts, a copy of
// lib/globals.d.ts. The bundler would drop a reference.
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const ENTRY =
  /^(index|bytes|codecs|p2p|browser|browser-bytes|browser-codecs|browser-p2p|main|preload|renderer)\.d\.[mc]ts$/

copyFileSync(join(root, 'lib', 'globals.d.ts'), join(root, 'dist', 'globals.d.ts'))
for (const [folder, path] of [
  ['dist', './globals.d.ts'],
  ['dist/electron', '../globals.d.ts'],
]) {
  for (const name of readdirSync(join(root, folder))) {
    if (!ENTRY.test(name)) continue
    const file = join(root, folder, name)
    writeFileSync(file, `/// <reference path="${path}" />\n${readFileSync(file, 'utf8')}`)
  }
}
