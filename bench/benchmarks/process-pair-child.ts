// The other process of process-pair.ts: it executes what that one sends, and reports each result.
import { SharedMemoryChannel } from 'sabway'
import type { Job } from '../transports/transport.js'
import { type ChildTask, processTransports } from './process-pair.js'

interface Order {
  task?: ChildTask
  frames?: { bytes: number; ring: number }
  count?: number
}

let work: (count: number) => Promise<void> = async () => {}

const say = (result: object) => process.send!({ begin: 0n, end: 0n, outcome: undefined, ...result })

async function serve({ transport: name, role, load, remote }: ChildTask): Promise<void> {
  const transport = processTransports[name]!
  const end = await transport.open(remote)
  const job: Job = transport.roles[role]!(end, load)
  work = async (count) => {
    say({})
    try {
      const begin = process.hrtime.bigint()
      const outcome = await job(count)
      say({ begin, end: process.hrtime.bigint(), outcome })
    } catch (error) {
      say({ error: (error as Error).message })
    }
  }
  say({})
}

/** A native thread writes the frames; this one only starts it. */
function serveFrames({ bytes, ring }: { bytes: number; ring: number }): void {
  const channel = new SharedMemoryChannel(4096, ring, { share: 'processes' })
  work = async (count) => {
    channel.stopWorker()
    channel.startWorker({ builtin: 'source', size: bytes, count })
    say({})
  }
  say({ outcome: channel.token })
}

process.on('message', (order: Order) => {
  if (order.task !== undefined) void serve(order.task)
  if (order.frames !== undefined) serveFrames(order.frames)
  if (order.count !== undefined) void work(order.count)
})
