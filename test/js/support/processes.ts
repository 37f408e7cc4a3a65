// Other processes on the far side of a channel: each is a forked test/js/children/peer.ts.
import assert from 'node:assert/strict'
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { SharedMemoryChannel } from 'sabway'
import type { LimitsTask } from '../children/limits.js'
import type { PeerTask } from '../children/peer.js'
import type { BroadcastTask } from '../workers/broadcast.js'
import type { CodedTask } from '../workers/coded.js'
import type { ContainersTask } from '../workers/containers.js'
import type { HeapTask } from '../workers/heap.js'
import type { MapTask } from '../workers/map.js'
import type { MutexTask } from '../workers/mutex.js'
import type { P2PTask } from '../workers/p2p.js'
import type { PoolTask } from '../workers/pools.js'
import type { QueuesTask } from '../workers/queues.js'
import type { RecordTask } from '../workers/record.js'
import type { SelectTask } from '../workers/select.js'
import type { SyncTask } from '../workers/sync.js'
import { pattern } from './bytes.js'
import { collect, keep } from './channels.js'
import { until, within } from './wait.js'

const running: Peer[] = []

/** What a task has that only those of its program have, and the program; the first that fits. */
const PROGRAMS: readonly (readonly [mark: string, name: string])[] = [
  ['broadcast', 'workers/broadcast'],
  ['p2p', 'workers/p2p'],
  ['select', 'workers/select'],
  ['pool', 'workers/pools'],
  ['locks', 'workers/mutex'],
  ['coded', 'workers/coded'],
  ['containers', 'workers/containers'],
  ['sync', 'workers/sync'],
  ['queue', 'workers/queues'],
  ['map', 'workers/map'],
  ['changes', 'workers/record'],
  ['shared', 'workers/heap'],
  ['does', 'children/peer'],
  ['', 'children/limits'],
]

export class Peer {
  readonly process: ChildProcess
  readonly #said: unknown[] = []
  #wake: () => void = () => {}

  /** `under`: a command that runs the process, and its arguments. */
  constructor(
    task:
      | PeerTask
      | LimitsTask
      | HeapTask
      | MutexTask
      | MapTask
      | RecordTask
      | ContainersTask
      | CodedTask
      | PoolTask
      | P2PTask
      | SyncTask
      | QueuesTask
      | BroadcastTask
      | SelectTask,
    under: readonly string[] = [],
    options: SpawnOptions = {},
  ) {
    const [, name] = PROGRAMS.find(([mark]) => mark === '' || mark in task)!
    const file = fileURLToPath(new URL(`../${name}.js`, import.meta.url))
    const [command, ...args] = [...under, process.execPath, file, JSON.stringify(task)]
    const stdio = ['inherit', 'inherit', 'inherit', 'ipc'] as const
    this.process = spawn(command!, args, { serialization: 'advanced', ...options, stdio: [...stdio] })
    this.process.on('message', (message) => {
      this.#said.push(message)
      this.#wake()
    })
    running.push(this)
  }

  /** The next thing it says. */
  async next<T>(what = 'a word from the other process'): Promise<T> {
    while (this.#said.length === 0) {
      const { exitCode, signalCode } = this.process
      if (exitCode !== null || signalCode !== null)
        throw new Error(`it ended (${exitCode ?? signalCode}); awaited: ${what}`)
      const said = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await within(Promise.race([said, once(this.process, 'exit')]), what)
    }
    return this.#said.shift() as T
  }

  /** And wait until it has gone. One that has failed before is an error. */
  async kill(): Promise<void> {
    await this.stop()
    const { exitCode } = this.process
    assert.ok(exitCode === null || exitCode === 0, `the other process had failed (${exitCode})`)
  }

  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.process
    if (exitCode !== null || signalCode !== null) return
    const gone = once(this.process, 'exit')
    this.process.kill('SIGKILL')
    await gone
  }

  /** Its exit code, when it ends by itself. */
  async ended(): Promise<number | null> {
    if (this.process.exitCode === null) await within(once(this.process, 'exit'), 'the end of the other process')
    return this.process.exitCode
  }
}

export async function killAll(): Promise<void> {
  await Promise.all(running.splice(0).map((peer) => peer.stop()))
}

/** A channel that processes share, cleaned up after the test. */
export const openShared = (rendererToNative = 65536, nativeToRenderer = 65536, name?: string): SharedMemoryChannel =>
  keep(new SharedMemoryChannel(rendererToNative, nativeToRenderer, { share: 'processes', ...(name && { name }) }))

/** Send messages of 0 to `largest` bytes to an echo, and get them all back. */
export async function exchange(channel: SharedMemoryChannel, count: number, largest: number): Promise<void> {
  const back = collect(channel)
  for (let i = 0; i < count; i++) channel.send(pattern(i, (i * 37) % (largest + 1)))
  await until(() => back.length === count, `${count} echoes`)
  for (const [i, message] of back.entries()) assert.deepEqual(message, pattern(i, (i * 37) % (largest + 1)))
}

/**
 * An echoing process that has taken the other side gives back small messages and large ones, and
 * ends well after the channel.
 */
export async function echoed(channel: SharedMemoryChannel, peer: Peer): Promise<void> {
  await exchange(channel, 5000, 3000)
  await peer.next()
  assert.equal(channel.stats().peer, true)
  channel.stopReceiving()
  await exchange(channel, 20, 65536)
  channel.cleanup()
  assert.equal(await peer.ended(), 0)
}

/** Resolves with the next event of that type. */
export const heard = (channel: SharedMemoryChannel, type: string): Promise<Event> =>
  within(
    new Promise((resolve) => channel.addEventListener(type, resolve as EventListener, { once: true })),
    `the event '${type}'`,
  )

/** How many mappings of shared regions this process has. */
export const sharedMappings = (): number =>
  readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => /memfd:sabway|\/dev\/shm\/sabway/.test(line)).length
