// Child processes: each runs one file of test/js/children with this Node.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Ending {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

const DEADLINE_MS = 150_000

/**
 * Run to its end. A child that does not end by itself is killed at the deadline, which shows as
 * signal SIGKILL.
 */
export function runChild(name: string, args: string[] = [], nodeOptions: string[] = []): Promise<Ending> {
  const file = fileURLToPath(new URL(`../children/${name}`, import.meta.url))
  const child = spawn(process.execPath, [...nodeOptions, file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => {
    stdout += data
  })
  child.stderr.on('data', (data) => {
    stderr += data
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, stdout, stderr })
    })
  })
}
