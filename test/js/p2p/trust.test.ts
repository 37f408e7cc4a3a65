// What a hostile peer can do to a manager: nothing but what is counted.
import assert from 'node:assert/strict'
import { P2PLoopback, P2PManager, type P2PManagerOptions, P2PQueue, type P2PTransport } from 'sabway/p2p'

const HELLO = Uint8Array.of(1, 1, 0, 0, 0, 0, 1, 0, 0xd4, 3, 0, 0)

interface Scene {
  manager: P2PManager
  /** The hostile peer's. */
  mallory: P2PTransport
  failures: string[]
  send(...frames: (Uint8Array | number[])[]): Promise<void>
  pass(milliseconds?: number): Promise<void>
}

const closers: (() => void)[] = []

afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function scene(options: Partial<P2PManagerOptions> = {}, id = 'mallory'): Promise<Scene> {
  const hub = new P2PLoopback({ manual: true })
  let time = 0
  const failures: string[] = []
  const manager = new P2PManager({
    transport: hub.connect('alice'),
    frameInterval: Number.POSITIVE_INFINITY,
    now: () => time,
    ...options,
  })
  closers.push(() => manager.close())
  manager.addEventListener('peer-failed', ({ peer, error }) => failures.push(`${peer}: ${error.code}`))
  const mallory = hub.connect(id)
  const pass = async (milliseconds = 1) => {
    for (let i = 0; i < 5; i++) await Promise.resolve()
    time += milliseconds
    hub.advance(milliseconds)
  }
  const send = async (...frames: (Uint8Array | number[])[]) => {
    for (const frame of frames) mallory.send('alice', 0, true, Uint8Array.from(frame))
    await pass()
  }
  await pass()
  mallory.start({ joined() {}, left() {}, failed() {}, message() {}, drained() {} })
  await pass()
  return { manager, mallory, failures, send, pass }
}

/** A frame of messages of one channel. */
const messages = (channel: number, ...data: (Uint8Array | number[])[]): number[] => [
  2,
  1,
  0,
  0,
  ...data.flatMap((each) => [channel, each.length & 0xff, (each.length >> 8) & 0xff, each.length >> 16, ...each]),
]

const u32 = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24]
const u16 = (value: number): number[] => [value & 0xff, value >> 8]

const fragment = (
  id: number,
  total: number,
  index: number,
  count: number,
  data: Uint8Array | number[],
  channel = 0,
): number[] => [3, channel, 1, 0, ...u32(id), ...u32(total), ...u16(index), ...u16(count), ...data]

describe('a hostile peer', () => {
  it('cannot speak for another', async () => {
    const { manager, send } = await scene()
    const forged = new Uint8Array(32)
    forged.set(new TextEncoder().encode('alice'))
    await send(HELLO, messages(0, forged))
    const [message] = manager.readP2PMessagesOnChannel(0)
    assert.equal(message!.from, 'mallory')
    assert.deepEqual(message!.data, forged)
  })

  it('is known by an id that fits, or not at all', async () => {
    const { manager, failures, send } = await scene({}, 'm'.repeat(32))
    await send(HELLO)
    assert.deepEqual(manager.peers, ['m'.repeat(32)])
    assert.deepEqual(failures, [])
    const told: string[] = []
    const transport: P2PTransport = {
      id: 'bob',
      start(events) {
        for (const peer of ['x'.repeat(33), 'a\0', '\u{1f600}'.repeat(9)]) {
          events.joined(peer)
          events.message(peer, HELLO)
        }
      },
      send: () => true,
      disconnect: (peer) => void told.push(peer),
      close() {},
    }
    const bob = new P2PManager({ transport, frameInterval: Number.POSITIVE_INFINITY })
    closers.push(() => bob.close())
    for (let i = 0; i < 5; i++) await Promise.resolve()
    assert.equal(told.length, 3)
    assert.deepEqual([bob.peers, bob.stats().dropped['unknown-peer']], [[], 3])
  })

  it('is cut off when it goes on sending what is malformed, and stays so', async () => {
    const { manager, failures, send, mallory, pass } = await scene({ limits: { malformed: 3 } })
    await send(HELLO)
    await send([], [9], [2], [2, 0, 0, 0])
    assert.equal(manager.stats().dropped.malformed, 4)
    assert.deepEqual(failures, ['mallory: ERR_SABWAY_PEER_EXPELLED'])
    assert.deepEqual(manager.peers, [])
    await send(messages(0, [1]))
    assert.deepEqual(manager.readP2PMessagesOnChannel(0), [])
    mallory.close()
    await pass()
    assert.deepEqual(manager.stats().peers, [])
  })

  const frames: Record<string, number[]> = {
    'no bytes': [],
    'an unknown kind': [0, 0, 0, 0],
    'a short hello': [1, 1, 0, 0],
    'a hello of no version': [1, 0, ...new Array(10).fill(0)],
    'messages without a message': [2, 0, 0, 0],
    'a message cut off': messages(0, [1, 2, 3]).slice(0, -1),
    'a message with more behind it': [...messages(0, [1, 2, 3]), 7],
    'a right message before one that is cut off': [...messages(0, [1]), 0, 9, 0, 0, 1],
    'a message of a channel that cannot be': messages(64, [1]),
    'a fragment without data': fragment(1, 1000, 0, 2, []),
    'a fragment of a whole': fragment(1, 500, 0, 1, new Uint8Array(500)),
    'a fragment of none': fragment(1, 500, 0, 0, new Uint8Array(500)),
    'a fragment behind the last': fragment(1, 1000, 2, 2, new Uint8Array(500)),
    'a fragment that is too short': fragment(1, 1000, 0, 2, new Uint8Array(499)),
    'a fragment that is too long': fragment(1, 1000, 1, 2, new Uint8Array(501)),
    'fragments that are tiny': fragment(1, 1000, 0, 1000, [1]),
    'a fragment of a channel that cannot be': fragment(1, 1000, 0, 2, new Uint8Array(500), 64),
  }
  for (const [name, frame] of Object.entries(frames)) {
    it(`is told apart from a manager by ${name}`, async () => {
      const { manager, send } = await scene()
      await send(HELLO, frame)
      const { dropped, receivedMessages } = manager.stats()
      assert.deepEqual([dropped.malformed, receivedMessages], [1, 0])
    })
  }

  it('cannot have a message put together of parts that do not belong to each other', async () => {
    const { manager, send } = await scene()
    const half = new Uint8Array(500)
    await send(fragment(1, 1000, 0, 2, half), fragment(1, 1001, 1, 2, half), fragment(1, 1000, 1, 2, half, 1))
    assert.equal(manager.stats().dropped.malformed, 2)
    await send(fragment(1, 1000, 0, 2, half)) // twice
    assert.deepEqual(manager.readP2PMessagesOnChannel(0), [])
    await send(fragment(1, 1000, 1, 2, half))
    assert.equal(manager.readP2PMessagesOnChannel(0)[0]!.data.length, 1000)
  })

  it('cannot fill the memory with parts of messages', async () => {
    const { manager, send, pass } = await scene({ limits: { assemblies: 4, assemblyBytes: 100_000 } })
    const half = new Uint8Array(500)
    for (let id = 0; id < 10; id++) await send(fragment(id, 1000, 0, 2, half))
    assert.equal(manager.stats().dropped.incomplete, 6)
    await send(fragment(20, 65_000, 0, 2, new Uint8Array(32_500)))
    await send(fragment(21, 65_000, 0, 2, new Uint8Array(32_500)))
    assert.equal(manager.stats().dropped.incomplete, 11)
    await send(fragment(22, 100_000, 0, 2, new Uint8Array(50_000)))
    assert.equal(manager.stats().dropped['too-large'], 1)
    await pass(5000)
    manager.frame()
    assert.equal(manager.stats().dropped.incomplete, 12)
  })

  it('cannot flood: neither by messages nor by bytes', async () => {
    const limits = { messagesPerSecond: 100, bytesPerSecond: 10_000 }
    const { manager, send, pass } = await scene({ limits })
    await send(HELLO)
    for (let n = 0; n < 300; n++) await send(messages(0, [n]))
    const read = manager.readP2PMessagesOnChannel(0).length
    assert.ok(read >= 100 && read <= 140, `${read}`) // 300 ms have passed
    assert.equal(manager.stats().dropped.flood, 300 - read)
    await pass(1000)
    for (let n = 0; n < 30; n++) await send(messages(0, new Uint8Array(500)))
    const large = manager.readP2PMessagesOnChannel(0).length
    assert.ok(large >= 19 && large <= 21, `${large}`)
    await pass(1000)
    await send(messages(0, [1]))
    assert.equal(manager.readP2PMessagesOnChannel(0).length, 1)
  })

  it('has a bound of its own', async () => {
    const hub = new P2PLoopback({ manual: true })
    const options = { limits: { messagesPerSecond: 10 }, frameInterval: Number.POSITIVE_INFINITY, now: () => 0 }
    const [alice, bob, carol] = ['alice', 'bob', 'carol'].map(
      (id) => new P2PManager({ transport: hub.connect(id), ...options }),
    )
    for (const each of [alice, bob, carol]) closers.push(() => each!.close())
    const pass = async () => {
      for (let i = 0; i < 5; i++) await Promise.resolve()
      hub.advance(1)
    }
    await pass()
    await pass()
    for (let n = 0; n < 30; n++) bob!.sendP2PMessage('alice', 0, true, Uint8Array.of(1))
    for (let n = 0; n < 10; n++) carol!.sendP2PMessage('alice', 0, true, Uint8Array.of(2))
    await pass()
    const from = alice!.readP2PMessagesOnChannel(0).map(({ from }) => from)
    assert.deepEqual([from.filter((id) => id === 'bob').length, from.filter((id) => id === 'carol').length], [10, 10])
    const drops = alice!.stats().peers.map(({ id, dropped }) => [id, dropped.flood])
    assert.deepEqual(drops.sort(), [
      ['bob', 20],
      ['carol', 0],
    ])
  })

  it('makes no channel that this side does not have, and no large message where there are none', async () => {
    const { manager, send } = await scene({ channels: 2, maxMessageBytes: 0 })
    await send(HELLO, messages(2, [1]), messages(0, new Uint8Array(981)), fragment(1, 1000, 0, 2, new Uint8Array(500)))
    const { dropped, channels } = manager.stats()
    assert.deepEqual([dropped['no-channel'], dropped['too-large']], [1, 2])
    assert.deepEqual(
      channels.map(({ channel }) => channel),
      [0],
    )
  })

  it('reaches nothing of the memory of an engine but slots, whatever it sends', async () => {
    let seed = 9
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return (seed >>> 8) % below
    }
    const limits = { malformed: 1e9, messagesPerSecond: 1e9, bytesPerSecond: 1e9 }
    const { manager, send } = await scene({ channels: 3, limits })
    const queue = P2PQueue.attach(manager.getP2PChannelQueue(0))
    const words = new Int32Array(queue.buffer)
    const reader = queue.reader('incoming')
    for (let i = 0; i < 3000; i++) {
      const data = Uint8Array.from({ length: random(1100) }, () => random(256))
      const frame = [
        data,
        messages(random(4), data, [1]),
        fragment(random(3), 1000 + random(3), random(3), 2, new Uint8Array(500)),
        Uint8Array.from(HELLO, (byte) => (random(4) === 0 ? random(256) : byte)),
      ][random(4)]!
      await send(frame)
      reader.read((message) => {
        assert.deepEqual([message.from, message.channel], ['mallory', 0])
        assert.ok(message.length <= 980)
      })
      assert.equal(words[3], 1)
      assert.deepEqual([...words.subarray(4, 8)], [0, 0, 0, 1]) // of the engine's own direction
    }
    assert.equal(reader.skipped, 0)
  })
})
