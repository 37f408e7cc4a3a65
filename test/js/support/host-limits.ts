// Tests that need more of the host than others. Where it is not given they are not run, and their
// titles say so.
import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { root } from './paths.js'

export const NOBODY = 65534

/** How a process is run as another user. */
export const asAnother = { uid: NOBODY, gid: NOBODY }

const isRoot = process.getuid?.() === 0
/** Can another user be tried? That takes root, and a Node and a library that this user may read. */
const canBeAnother = isRoot && anotherReads(fileURLToPath(new URL('dist/index.mjs', root)))
const canMount = isRoot && spawnSync('unshare', ['-m', '-p', '-f', 'true']).status === 0

function anotherReads(file: string): boolean {
  try {
    const script = `require('fs').accessSync('${file}', 4)`
    execFileSync(process.execPath, ['-e', script], { ...asAnother, stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

type Test = () => void | Promise<void>

const itWhere = (there: boolean, needs: string) => (title: string, test: Test) =>
  there ? it(title, test) : it.skip(`${title} (not run: needs ${needs})`)

export const itAsAnother = itWhere(canBeAnother, 'root, and a folder that others can read')

export const itMounting = itWhere(canMount, 'root that may make namespaces')
