// A native engine, which is another process, reads and writes the queue of a manager in a region
// that both share, while a peer sends and is answered; the engine is killed, too.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { MemoryHeap, Region } from 'sabway'
import { P2PLoopback, P2PManager, P2PQueue } from 'sabway/p2p'
import { itNative } from '../support/host.js'
import { program } from '../support/paths.js'
import { closeLater } from '../support/regions.js'
import { numbered, numberOf, until } from './servers.js'

const ADDED = 1_000_000
const SLOTS = 16

describe('a native engine', () => {
  const engines: ChildProcess[] = []
  afterEach(async () => {
    for (const engine of engines.splice(0)) engine.kill('SIGKILL')
  })

  async function start(token: string, at: number): Promise<ChildProcess> {
    const engine = spawn(program('engine'), [token, String(at), String(SLOTS)], { stdio: ['pipe', 'pipe', 'inherit'] })
    engines.push(engine)
    await once(engine.stdout!, 'data')
    return engine
  }

  itNative('answers what a peer sends, through memory alone, and goes on where another was killed', async () => {
    const region = closeLater(Region.create({ size: 4 * 2 ** 20, share: 'processes' }))
    const heap = new MemoryHeap(region.token)
    closeLater(heap.region)
    const { byteOffset } = heap.allocUI8(new P2PQueue({ slots: SLOTS }).byteLength).data
    const queue = P2PQueue.attach(heap.region.buffer, { slots: SLOTS, byteOffset })
    queue.clear()

    const hub = new P2PLoopback()
    const limits = { messagesPerSecond: 1e9, bytesPerSecond: 1e12 }
    using game = new P2PManager({
      transport: hub.connect('game'),
      queue: { slots: SLOTS },
      makeQueue: () => queue,
      frameInterval: 1,
      maxBacklog: 2 ** 20,
      limits,
    })
    game.getP2PChannelQueue(0)
    game.sendEachFrame(0, true, 'far')
    using far = new P2PManager({ transport: hub.connect('far'), frameInterval: 1, maxBacklog: 2 ** 20, limits })
    await until('joined', () => far.peers.length === 1 && game.peers.length === 1)

    let engine = await start(region.token, byteOffset)
    const answers: number[] = []
    const take = (count: number) =>
      until(`${count} answers`, () => {
        for (const { from, data } of far.readP2PMessagesOnChannel(0)) {
          assert.equal(from, 'game') // the transport says so, whatever the engine has written
          answers.push(numberOf(data))
        }
        return answers.length >= count
      })
    const COUNT = 2000
    for (let n = 0; n < COUNT; n++) assert.equal(far.sendP2PMessage('game', 0, true, numbered(n)), true)
    await take(COUNT / 4)
    engine.kill('SIGKILL')
    await once(engine, 'exit')
    engine = await start(region.token, byteOffset)
    await take(COUNT)
    // The message at which it was killed may have been answered, and be read once more.
    const repeated = answers.filter((n, i) => n === answers[i - 1])
    assert.ok(repeated.length <= 1)
    assert.deepEqual(
      [...new Set(answers)],
      Array.from({ length: COUNT }, (_, n) => n + ADDED),
    )
    engine.stdin!.end()
    const [code] = (await once(engine, 'exit')) as [number]
    assert.equal(code, 0)
    assert.deepEqual([queue.reader('outgoing').bad, game.stats().channels[0]!.skipped], [0, 0])
  })
})
