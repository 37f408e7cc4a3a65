// The network in memory: what it delays, loses and cuts, and that it does so in the same way each
// time.
import assert from 'node:assert/strict'
import { P2PLoopback, type P2PLoopbackOptions, type P2PTransport } from 'sabway/p2p'

interface Peer {
  transport: P2PTransport
  /** What it was told, in its order. */
  told: string[]
}

function join(hub: P2PLoopback, id: string): Peer {
  const transport = hub.connect(id)
  const told: string[] = []
  transport.start({
    joined: (peer) => void told.push(`joined ${peer}`),
    left: (peer) => void told.push(`left ${peer}`),
    failed: (peer, error) => void told.push(`failed ${peer}: ${(error as Error).message}`),
    message: (peer, bytes) => void told.push(`${peer} ${bytes.join()}`),
    drained: (peer) => void told.push(`drained ${peer}`),
  })
  return { transport, told }
}

const numbered = (n: number, length = 1): Uint8Array => new Uint8Array(length).fill(n)

/** What arrives of 200 messages, and when. */
function run(options: P2PLoopbackOptions, reliable: boolean): string[] {
  const hub = new P2PLoopback({ ...options, manual: true })
  const [a, b] = [join(hub, 'a'), join(hub, 'b')]
  hub.advance(1000)
  for (let n = 0; n < 200; n++) {
    assert.equal(a.transport.send('b', 0, reliable, numbered(n)), true)
    hub.advance(1)
    b.told.push('.')
  }
  hub.advance(1000)
  return b.told
}

const arrived = (told: string[]): number[] =>
  told.filter((line) => line.startsWith('a ')).map((line) => Number(line.slice(2)))

describe('a network in memory', () => {
  it('connects those that are started, before any of their messages', () => {
    const hub = new P2PLoopback({ manual: true, delay: [0, 100] })
    const a = join(hub, 'a')
    const b = join(hub, 'b')
    a.transport.send('b', 0, false, numbered(1))
    b.transport.send('a', 0, true, numbered(2))
    hub.advance(1000)
    assert.deepEqual(
      [a.told, b.told],
      [
        ['joined b', 'b 2'],
        ['joined a', 'a 1'],
      ],
    )
  })

  it('copies what is sent', () => {
    const hub = new P2PLoopback({ manual: true })
    const [a, b] = [join(hub, 'a'), join(hub, 'b')]
    const bytes = numbered(1)
    a.transport.send('b', 0, true, bytes)
    bytes[0] = 2
    hub.advance(0)
    assert.deepEqual(arrived(b.told), [1])
  })

  it('delays, and keeps the order of what is reliable', () => {
    const told = run({ delay: [5, 50], loss: 0.9 }, true)
    assert.deepEqual(arrived(told), [...Array(200).keys()])
    const dots = told.indexOf('a 0') - told.indexOf('.')
    assert.ok(dots >= 4 && dots <= 50, `${dots}`)
  })

  it('loses and reorders what is not, in the same way for a seed', () => {
    const options = { delay: [5, 50], loss: 0.25 } as const
    const first = arrived(run({ ...options, seed: 4 }, false))
    assert.ok(first.length > 120 && first.length < 180, `${first.length}`)
    assert.notDeepEqual(
      first,
      [...first].sort((a, b) => a - b),
    )
    assert.deepEqual(arrived(run({ ...options, seed: 4 }, false)), first)
    assert.notDeepEqual(arrived(run({ ...options, seed: 5 }, false)), first)
    assert.deepEqual(arrived(run({ loss: 1 }, false)), [])
  })

  it('takes no more than fits, and tells when more does', () => {
    const hub = new P2PLoopback({ manual: true, maxInFlight: 100, delay: 10 })
    const [a, b] = [join(hub, 'a'), join(hub, 'b')]
    hub.advance(10)
    const send = (n: number) => a.transport.send('b', 0, true, numbered(n, 50))
    assert.deepEqual([send(1), send(2), send(3)], [true, true, false])
    hub.advance(10)
    assert.deepEqual(a.told, ['joined b', 'drained b'])
    assert.equal(b.told.length, 3)
    assert.equal(a.transport.send('b', 0, true, numbered(4, 5000)), true) // alone it goes
    assert.equal(send(5), false)
  })

  it('cuts and heals connections, and loses what was on its way', () => {
    const hub = new P2PLoopback({ manual: true, delay: 10 })
    const [a, b] = [join(hub, 'a'), join(hub, 'b')]
    hub.advance(10)
    a.transport.send('b', 0, true, numbered(1))
    hub.cut('b', 'a')
    hub.cut('a', 'b')
    hub.advance(100)
    assert.equal(a.transport.send('b', 0, true, numbered(2)), true)
    hub.cut('a', 'nothing')
    hub.heal('nothing', 'a')
    hub.advance(100)
    hub.heal('a', 'b')
    hub.heal('a', 'b')
    hub.advance(100)
    a.transport.send('b', 0, true, numbered(3))
    hub.advance(100)
    assert.deepEqual(b.told, ['joined a', 'failed a: the connection was cut', 'joined a', 'a 3'])
    assert.deepEqual(a.told, ['joined b', 'failed b: the connection was cut', 'joined b'])
  })

  it('lets peers disconnect each other, and leave for another of their name', () => {
    const hub = new P2PLoopback({ manual: true })
    const [a, b] = [join(hub, 'a'), join(hub, 'b')]
    hub.advance(1)
    a.transport.disconnect('b')
    hub.advance(1)
    assert.deepEqual(
      [a.told, b.told],
      [
        ['joined b', 'left b'],
        ['joined a', 'left a'],
      ],
    )
    b.transport.close()
    const again = join(hub, 'b')
    hub.advance(1)
    b.transport.close() // the first one: the second one stays
    hub.advance(1)
    a.transport.send('b', 0, true, numbered(7))
    hub.advance(1)
    assert.deepEqual(again.told, ['joined a', 'a 7'])
    assert.deepEqual(b.told, ['joined a', 'left a'])
  })

  for (const delay of [0, 5]) {
    it(`needs no clock of the program's, with a delay of ${delay} ms`, async () => {
      const hub = new P2PLoopback({ delay })
      const [a, b] = [join(hub, 'a'), join(hub, 'b')]
      while (b.told.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      for (let n = 0; n < 20; n++) a.transport.send('b', 0, true, numbered(n))
      while (b.told.length < 21) await new Promise((resolve) => setTimeout(resolve, 1))
      assert.deepEqual(arrived(b.told), [...Array(20).keys()])
    })
  }
})
