// Makes channels and drops them without cleanup while only so many addresses can be had. Prints how many it could make.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { SharedMemoryChannel } from 'sabway'

const [share, over] = process.argv.slice(2) as ['threads' | 'processes', 'turn' | 'turns']
const SPARE = 2 ** 40
const COUNT = 2000

const size = Number(/^VmSize:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024
execFileSync('prlimit', ['--pid', String(process.pid), `--as=${size + SPARE}:`, '--nofile=200:'])
for (let i = 0; i < COUNT; i++) {
  new SharedMemoryChannel(8192, 8192, { share }).send(Uint8Array.of(1))
  if (over === 'turns') await turn()
}
console.log(COUNT)
