// Short of address space and descriptors: what the operating system then refuses. Prints the errors
// as JSON.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { SharedMemoryChannel } from 'sabway'
import { useUpFiles } from '../support/files.js'

const channels = Array.from({ length: 64 }, () => new SharedMemoryChannel(4096, 4096))
const used = Number(/^VmSize:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024
// sixteen thread stacks
execFileSync('prlimit', [`--pid=${process.pid}`, `--as=${used + 128 * 2 ** 20}`, '--nofile=100'])

const attempts = [
  () => new SharedMemoryChannel(2 ** 28, 2 ** 28),
  () => {
    try {
      for (const channel of channels) channel.startWorker({ builtin: 'echo' })
    } finally {
      // the addresses of the stacks: without any, V8 ends the process at its next collection
      for (const channel of channels) channel.cleanup()
    }
  },
  () => {
    useUpFiles()
    new SharedMemoryChannel(4096, 4096, { share: 'processes' })
  },
]
const errors = attempts.map((act) => {
  try {
    act()
    return 'nothing was thrown'
  } catch (error) {
    const { code, errno, message } = error as { code: string; errno: number; message: string }
    return { code, errno, message }
  }
})
console.log(JSON.stringify(errors))
