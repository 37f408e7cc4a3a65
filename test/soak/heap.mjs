// The lane of the heap: a thread and a process work in one region and are killed, in the middle of
// allocating, naming, locking and making channels. What they leave must be sound, and bounded.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { MemoryHeap, Mutex, SharedMemoryChannel } from 'sabway'
import { Lane } from './lanes.mjs'

const SIZE = 64 * 2 ** 20
const NAMES = 100
/** Beside the entry and the object of each name: tables, and headers of channels, which stay. */
const BLOCKS = 64
/**
 * This thread, and two processes: the endpoint of one that was killed stays until a claim takes it,
 * and claims take the first endpoint that is free, so the two peers come to no more than two.
 */
const MOST_LEFT = 3
/** Of one region: a death behind the making of a channel, before its naming, loses two blocks. */
const LIVES = 100
const CHURN = new URL('churn.mjs', import.meta.url)

export class HeapLane extends Lane {
  #heap
  #mutex
  /** A pair of words under the mutex, and how far the thread and the process are. */
  #state
  #peers = []

  constructor(seed, fail) {
    super('heap', seed, fail)
    this.#make()
    this.#start()
  }

  #make() {
    this.#heap = new MemoryHeap({ size: SIZE, share: 'processes' })
    this.#mutex = new Mutex(this.#heap)
    this.#state = this.#heap.allocI32(4)
    this.#heap.region.set('mutex', this.#mutex)
    this.#heap.region.set('state', this.#state)
  }

  #start() {
    const { token, handle } = this.#heap.region
    const task = (index) => ({ index, seed: this.below(2 ** 31), names: NAMES })
    const thread = new Worker(CHURN, { workerData: { ...task(0), shared: handle } })
    const child = fork(fileURLToPath(CHURN), [JSON.stringify({ ...task(1), shared: token })])
    this.#peers = [
      { what: 'thread', from: thread, kill: () => thread.terminate() },
      { what: 'process', from: child, kill: () => child.kill('SIGKILL') },
    ]
    for (const peer of this.#peers) {
      peer.ended = once(peer.from, 'exit')
      peer.from.on('message', (text) => this.fail(`in the ${peer.what}: ${text}`))
      peer.from.on('error', (error) => this.fail(`in the ${peer.what}: ${error.message}`))
      peer.from.once('exit', (code) => peer.isKilled || this.fail(`the ${peer.what} ended (${code})`))
    }
  }

  /** How far the slower one is. */
  get progress() {
    return Math.min(this.#state.data[2], this.#state.data[3])
  }

  /** The one that lives longer works on with what the other has left. */
  async #kill() {
    if (this.below(2) === 0) this.#peers.reverse()
    for (const peer of this.#peers) {
      await sleep(this.below(3) * this.below(150))
      peer.isKilled = true
      peer.kill()
      await peer.ended
    }
  }

  async restart() {
    this.restarts++
    await this.#kill()
    const { region } = this.#heap
    const deadline = performance.now() + 10_000
    while (region.stats().participants > MOST_LEFT && performance.now() < deadline) await sleep(1)
    const { participants } = region.stats()
    if (participants > MOST_LEFT) return this.fail(`${participants} participants are there after both were killed`)
    this.#mend()
    this.#sweep()
    if (this.restarts % LIVES === 0) {
      region.close()
      this.#make()
    }
    this.#start()
  }

  #mend() {
    const { data } = this.#state
    const lock = this.#mutex.lock({ timeout: 10_000 })
    if (lock.ownerDied) {
      data[0] = data[1]
      lock.consistent()
    }
    if (data[0] !== data[1]) this.fail(`the pair under the mutex is ${data[0]} and ${data[1]}`)
    lock.release()
  }

  /** Free all that the dead have left, but named blocks, and count what there is. */
  #sweep() {
    const heap = this.#heap
    for (const { name, kind } of heap.region.list()) if (kind === 'channel') this.#giveUp(name)
    try {
      new SharedMemoryChannel(SIZE, SIZE, { region: heap.region }) // reclaims, in want of room
    } catch (error) {
      if (error.code !== 'ERR_SABWAY_HEAP_FULL') throw error
    }
    for (const { pointer } of heap.check({ sweep: true })) heap.free(pointer)
    const left = heap.check({ sweep: true }).length
    if (left !== 0) this.fail(`${left} blocks that were swept are still there`)
    const names = heap.region.list().length
    const blocks = heap.stats().blocks - 2 * names
    if (blocks > BLOCKS) this.fail(`${blocks} blocks are left beside those of ${names} names, more than ${BLOCKS}`)
  }

  /** A channel is freed by the one that takes the sides which the dead have not cleaned up. */
  #giveUp(name) {
    for (const side of ['renderer', 'native']) {
      try {
        const handle = this.#heap.region.get(name)
        if (handle !== undefined) SharedMemoryChannel.attach(handle, { side }).cleanup()
      } catch (error) {
        if (error.code !== 'ERR_SABWAY_CLOSED') throw error
      }
    }
    if (this.#heap.region.has(name)) this.fail(`the channel '${name}' of the dead is still there`)
  }

  async end() {
    await this.#kill()
    this.#heap.region.close()
  }
}
