// One command in a process group of its own: what loops endlessly, or leaves children behind, is
// killed with all it began.
import { spawn } from 'node:child_process'

const KEPT = 200_000
const SHOWN = 4000
const running = new Set()

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The whole group has ended.
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const pid of running) killGroup(pid)
    process.exit(130)
  })
}

/**
 * { status: 'passed' | 'failed' | 'late', seconds, output }: `late` is what was killed after
 * `seconds`.
 */
export function run(command, args, { cwd, env = {}, seconds = 600 }) {
  const begin = performance.now()
  const options = { cwd, env: { ...process.env, ...env }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] }
  const child = spawn(command, args, options)
  if (child.pid !== undefined) running.add(child.pid)
  let output = ''
  const keep = (data) => {
    output = (output + data).slice(-KEPT)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  return new Promise((resolve, reject) => {
    let late = false
    const timer = setTimeout(() => {
      late = true
      killGroup(child.pid)
    }, seconds * 1000)
    child.on('error', reject)
    // Not `close`: a grandchild that was left behind holds the pipes open.
    child.on('exit', (code) => {
      clearTimeout(timer)
      killGroup(child.pid)
      running.delete(child.pid)
      const status = late ? 'late' : code === 0 ? 'passed' : 'failed'
      setTimeout(() => resolve({ status, seconds: (performance.now() - begin) / 1000, output }), 10)
    })
  })
}

/** Run a build step; what it says is the error when it fails. */
export async function build(command, args, options) {
  const { status, output } = await run(command, args, options)
  if (status !== 'passed') throw new Error(`${command} ${args.join(' ')} ${status}:\n${output.slice(-SHOWN)}`)
}

/**
 * Call `task` for each item, `lanes` at a time. A task that returns true ends it: no further item
 * is begun.
 */
export async function pool(items, lanes, task) {
  let next = 0
  let done = false
  const lane = async () => {
    while (!done && next < items.length) {
      if (await task(items[next++])) done = true
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
