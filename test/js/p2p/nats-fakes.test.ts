// The states of peers over NATS, with a server and time that the test has in its hand: what comes
// twice, late or not at all, peers that begin anew, and what no peer of Sabway's sends.
import assert from 'node:assert/strict'
import { P2PNats, type P2PNatsOptions } from 'sabway/p2p'
import { throwsError } from '../support/errors.js'
import { Clock, turns } from './clock.js'
import { FakeNats } from './fake-nats.js'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const SESSION = '0102030405060708'
const OTHER = '1112131415161718'

function sessionBytes(session: string): number[] {
  return [...session.matchAll(/../g)].map(([pair]) => Number.parseInt(pair, 16))
}
const here = (session = SESSION, kind = 1) => bytes(kind, ...sessionBytes(session))
const lossy = (to: string, data: ArrayLike<number>, session = SESSION) => {
  const all = new Uint8Array(16 + data.length)
  all.set([...sessionBytes(session), ...sessionBytes(to)])
  all.set(data, 16)
  return all
}
const reliable = (to: string, number: number, data: number[], session = SESSION) =>
  bytes(...sessionBytes(session), ...sessionBytes(to), number, 0, 0, 0, 0, 0, 0, 0, ...data)

async function start(nats: FakeNats, id = 'a', options: Partial<P2PNatsOptions> = {}) {
  const clock = new Clock()
  const told: string[] = []
  const retried: string[] = []
  const { connection, jetstream } = nats
  const transport = new P2PNats({
    id,
    connection,
    jetstream,
    stream: 'GAME',
    prefix: 'g.1',
    heartbeat: 100,
    timeout: 500,
    gapTimeout: 1000,
    backoff: { least: 10, most: 40 },
    clock,
    onRetry: ({ message }) => retried.push(message),
    ...options,
  })
  transport.start({
    joined: (peer) => void told.push(`joined ${peer}`),
    left: (peer) => void told.push(`left ${peer}`),
    failed: (peer, error) => void told.push(`failed ${peer}: ${(error as Error).message}`),
    message: (peer, data) => void told.push(`${peer} ${data.join()}`),
    drained: (peer) => void told.push(`drained ${peer}`),
  })
  await turns()
  /** Its session, as its signs of life have it. */
  const session = () => {
    const found = nats.published.findLast(({ subject }) => subject === `g.1.here.${id}`)!
    return Array.from(found.data.subarray(1), (byte) => byte.toString(16).padStart(2, '0')).join('')
  }
  let stored = 0
  /** A reliable message of b's, in the stream. */
  const send = async (number: number, data: number[], from = SESSION) => {
    nats.store({
      subject: `g.1.r.b.${id}`,
      data: reliable(session(), number, data, from),
      msgID: `of the test ${stored++}`,
    })
    await turns()
  }
  const hear = async (session = SESSION, kind = 1, from = 'b') => {
    nats.publish(`g.1.here.${from}`, here(session, kind))
    await turns()
  }
  return { transport, told, clock, retried, session, send, hear, nats }
}

describe('peers over NATS, message by message', () => {
  it('read the stream from where they have joined, and say that they are there when they do', async () => {
    const nats = new FakeNats()
    nats.store({ subject: 'g.1.r.b.a', data: bytes(1), msgID: 'of before' })
    nats.isManual = true
    const a = await start(nats)
    assert.deepEqual([nats.published.length, nats.consumersMade.length], [0, 0])
    nats.waiting[0]!.ack()
    await turns()
    assert.deepEqual(nats.consumersMade, [
      { filter_subjects: 'g.1.r.*.a', deliver_policy: 'by_start_sequence', opt_start_seq: 3 },
    ])
    assert.deepEqual(
      nats.published.map(({ subject }) => subject),
      ['g.1.here.a'],
    )
    assert.equal(nats.waiting[0]!.stored.subject, 'g.1.r.a.a')
    assert.equal(a.transport.stats().malformed, 0)
    await a.clock.pass(250)
    assert.equal(nats.published.length, 3)
    assert.deepEqual(a.told, [])
  })

  it('answer a peer that is new at once, and send to it', async () => {
    const a = await start(new FakeNats())
    await a.hear()
    assert.deepEqual(a.told, ['joined b'])
    const before = a.nats.published.length
    await a.clock.pass(20)
    assert.equal(a.nats.published.length, before + 1)
    assert.equal(a.transport.send('b', 3, true, bytes(7, 8)), true)
    assert.equal(a.transport.send('b', 3, true, bytes(9)), true)
    await turns()
    const [first, second] = a.nats.stored.filter(({ subject }) => subject === 'g.1.r.a.b')
    assert.deepEqual(
      [...first!.data],
      [...sessionBytes(a.session()), ...sessionBytes(SESSION), ...Array(8).fill(0), 7, 8],
    )
    assert.equal(second!.data[16], 1)
    assert.notEqual(first!.msgID, second!.msgID)
    assert.equal(a.transport.send('b', 3, false, bytes(5)), true)
    const sent = a.nats.published.at(-1)!
    assert.equal(sent.subject, 'g.1.u.a.b')
    assert.deepEqual([...sent.data], [...sessionBytes(a.session()), ...sessionBytes(SESSION), 5])
    assert.equal(a.transport.stats().acknowledged, 2)
    // To others it is lost.
    assert.equal(a.transport.send('c', 3, true, bytes(1)), true)
    assert.equal(a.transport.send('c', 3, false, bytes(1)), true)
    assert.equal(a.nats.published.at(-1), sent)
  })

  it('give each reliable message once, in the order of its sender', async () => {
    const a = await start(new FakeNats())
    await a.hear()
    await a.send(0, [0])
    await a.send(2, [2])
    await a.send(1, [1])
    await a.send(1, [1])
    await a.send(4, [4])
    await a.send(4, [4])
    await a.send(3, [3])
    await a.send(0, [0])
    assert.deepEqual(a.told, ['joined b', 'b 0', 'b 1', 'b 2', 'b 3', 'b 4'])
    assert.equal(a.transport.stats().duplicates, 3)
    await a.clock.pass(5000)
    assert.equal(
      a.told.some((each) => each.startsWith('failed')),
      false,
    )
  })

  it('know a peer by its first message, when its sign of life was lost', async () => {
    const a = await start(new FakeNats())
    await a.send(0, [1])
    assert.deepEqual(a.told, ['joined b', 'b 1'])
    a.nats.publish('g.1.u.c.a', lossy(a.session(), [4], OTHER))
    await turns()
    assert.deepEqual(a.told.slice(2), ['joined c', 'c 4'])
  })

  it('publish again what was not acknowledged, under the same id and number', async () => {
    const a = await start(new FakeNats())
    await a.hear()
    a.nats.isManual = true
    a.transport.send('b', 0, true, bytes(1))
    a.transport.send('b', 0, true, bytes(2))
    assert.equal(a.transport.stats().waiting, 2)
    a.nats.waiting[1]!.ack()
    a.nats.waiting[0]!.fail(new Error('timed out'))
    await turns()
    assert.equal(a.nats.waiting.length, 2)
    await a.clock.pass(10)
    assert.equal(a.nats.waiting.length, 3)
    assert.deepEqual(a.nats.waiting[2]!.stored, a.nats.waiting[0]!.stored)
    a.nats.waiting[2]!.ack()
    await turns()
    const { waiting, acknowledged, retries } = a.transport.stats()
    assert.deepEqual([waiting, acknowledged, retries], [0, 2, 1])
    assert.match(a.retried.join(), /not acknowledged: timed out; it is published again/)
  })

  it('take no more than maxBuffered for a peer, and tell when there is room', async () => {
    const a = await start(new FakeNats(), 'a', { maxBuffered: 100 })
    await a.hear()
    a.nats.isManual = true
    assert.equal(a.transport.send('b', 0, true, new Uint8Array(1000)), true) // alone
    assert.equal(a.transport.send('b', 0, true, new Uint8Array(1)), false)
    a.nats.waiting[0]!.ack()
    await turns()
    assert.deepEqual(a.told, ['joined b', 'drained b'])
    for (let i = 0; i < 4; i++) assert.equal(a.transport.send('b', 0, true, new Uint8Array(25)), true)
    assert.equal(a.transport.send('b', 0, true, new Uint8Array(1)), false)
    a.nats.waiting[1]!.ack()
    await turns()
    assert.equal(a.told.length, 2)
    a.nats.waiting[2]!.ack()
    await turns()
    assert.deepEqual(a.told.slice(2), ['drained b'])
    a.nats.waiting[3]!.ack()
    await turns()
    assert.equal(a.told.length, 3)
  })

  it('bound the messages to a peer, too', async () => {
    const a = await start(new FakeNats())
    await a.hear()
    a.nats.isManual = true
    let taken = 0
    while (a.transport.send('b', 0, true, bytes(1))) taken++
    assert.equal(taken, 1024)
  })

  it('let a peer leave that gives no sign of life, and go on where they were when it comes back', async () => {
    const a = await start(new FakeNats())
    await a.hear()
    await a.send(0, [0])
    await a.clock.pass(490)
    assert.equal(a.told.length, 2)
    await a.clock.pass(200)
    assert.deepEqual(a.told.slice(2), ['left b'])
    await a.send(1, [1])
    assert.deepEqual(a.told.slice(3), ['joined b', 'b 1'])
  })

  it('let no peer leave while the server is not there, nor at once when it is back', async () => {
    const a = await start(new FakeNats())
    await a.hear()
    await a.clock.pass(100)
    a.nats.isDown = true
    await a.clock.pass(10_000)
    const told = () => a.told.filter((each) => !each.includes('the consumer'))
    assert.deepEqual(told(), ['joined b'])
    const published = a.nats.published.length
    assert.equal(a.transport.send('b', 0, false, bytes(1)), true)
    assert.equal(a.nats.published.length, published)
    assert.equal(a.transport.stats().lost, 1)
    a.nats.isDown = false
    await a.clock.pass(450)
    assert.deepEqual(told(), ['joined b'])
    await a.clock.pass(400)
    assert.deepEqual(told(), ['joined b', 'left b'])
  })

  it('let a peer leave that says so, and hear nothing that is left of it', async () => {
    const a = await start(new FakeNats())
    await a.hear()
    await a.hear(OTHER, 2)
    assert.deepEqual(a.told, ['joined b'])
    await a.hear(SESSION, 2)
    assert.deepEqual(a.told, ['joined b', 'left b'])
    await a.send(0, [1])
    await a.hear()
    assert.equal(a.told.length, 2)
    assert.equal(a.transport.stats().stale, 2)
  })

  it('tell of a peer that has begun anew that it left and joined, and count its messages anew', async () => {
    const a = await start(new FakeNats())
    await a.hear()
    await a.send(0, [1])
    await a.hear(OTHER)
    await a.send(1, [2]) // of the one before
    await a.send(0, [3], OTHER)
    assert.deepEqual(a.told, ['joined b', 'b 1', 'left b', 'joined b', 'b 3'])
    assert.equal(a.transport.stats().stale, 1)
    a.transport.send('b', 0, true, bytes(9))
    await turns()
    assert.deepEqual([...a.nats.stored.at(-1)!.data].slice(8, 17), [...sessionBytes(OTHER), 0])
  })

  it('refuse a peer that begins anew all the time', async () => {
    const a = await start(new FakeNats())
    for (let i = 10; i < 30; i++) await a.hear(`${i}`.repeat(8))
    assert.equal(a.told.filter((each) => each === 'joined b').length, 5)
    assert.equal(a.transport.stats().refused, 15)
  })

  it('refuse peers beyond maxPeers', async () => {
    const a = await start(new FakeNats(), 'a', { maxPeers: 2 })
    for (const [i, id] of ['x', 'y', 'z'].entries()) await a.hear(`0${i}`.repeat(8), 1, id)
    assert.deepEqual(a.told, ['joined x', 'joined y'])
    assert.equal(a.transport.stats().refused, 1)
  })

  it('cut off a peer until it has begun anew', async () => {
    const a = await start(new FakeNats())
    await a.hear()
    a.transport.disconnect('b')
    a.transport.disconnect('b')
    await a.hear()
    await a.send(0, [1])
    assert.deepEqual(a.told, ['joined b', 'left b'])
    await a.hear(OTHER)
    assert.deepEqual(a.told.slice(2), ['joined b'])
  })

  it('tell of reliable messages that do not come, and go on behind them', async () => {
    const a = await start(new FakeNats())
    await a.hear()
    await a.send(2, [2])
    for (let i = 0; i < 9; i++) {
      await a.clock.pass(100)
      await a.hear()
    }
    assert.deepEqual(a.told, ['joined b'])
    await a.send(3, [3])
    await a.send(6, [6])
    await a.clock.pass(300)
    assert.equal(a.told[1], 'failed b: reliable messages were lost; let the stream keep them for longer')
    assert.deepEqual(a.told.slice(2), ['joined b', 'b 2', 'b 3'])
    await a.send(4, [4])
    await a.send(5, [5])
    assert.deepEqual(a.told.slice(5), ['b 4', 'b 5', 'b 6'])
  })

  it('hold a bounded number of messages back', async () => {
    const a = await start(new FakeNats())
    await a.hear()
    for (let n = 0; n < 4097; n++) {
      const data = reliable(a.session(), 0, [n])
      new DataView(data.buffer).setUint32(16, n + 1, true)
      a.nats.store({ subject: 'g.1.r.b.a', data, msgID: `${n}` })
    }
    for (let i = 0; i < 3000; i++) await turns()
    assert.match(a.told[1]!, /^failed b/)
    assert.equal(a.told.filter((each) => /^b \d/.test(each)).length, 4097)
  })

  it('count what no peer of Sabway sends, and what is for or of another program', async () => {
    const a = await start(new FakeNats())
    await a.hear()
    const { nats } = a
    nats.publish('g.1.here.b', bytes(1, 2))
    nats.publish('g.1.here.b', here(SESSION, 3))
    nats.publish('g.1.here.=2', here())
    nats.publish('g.1.here.=41', here()) // that is A, whose token is another
    nats.publish(`g.1.here.${'x'.repeat(33)}`, here())
    nats.publish('g.1.u.b.a', bytes(1))
    nats.publish('g.1.u.b.a', lossy(a.session(), new Uint8Array(65537)))
    await turns()
    assert.equal(a.transport.stats().malformed, 7)
    nats.publish('g.1.u.b.a', lossy(OTHER, [1]))
    await turns()
    nats.store({ subject: 'g.1.r.b.a', data: bytes(1), msgID: 'x' })
    nats.store({ subject: 'g.1.r.a.a', data: reliable(a.session(), 0, [1]), msgID: 'own' })
    await turns()
    assert.deepEqual([a.transport.stats().malformed, a.transport.stats().stale], [8, 1])
    assert.deepEqual(a.told, ['joined b'])
    nats.publish('g.1.u.b.a', lossy(a.session(), []))
    await turns()
    assert.deepEqual(a.told, ['joined b', 'b '])
  })

  it('tell once of another program under their own id', async () => {
    const a = await start(new FakeNats())
    for (let i = 0; i < 3; i++) await a.hear(OTHER, 1, 'a')
    assert.deepEqual(a.told, ["failed null: another program is there as 'a'; ids must be unique"])
    assert.equal(a.transport.stats().twins, 3)
  })

  it('try again to read, where they were, and say what went wrong', async () => {
    const nats = new FakeNats()
    nats.refusal = new Error('stream not found')
    const a = await start(nats)
    assert.deepEqual(a.told, ['failed null: stream not found'])
    assert.equal(nats.published.length, 0)
    nats.refusal = undefined
    await a.clock.pass(10)
    await a.hear()
    await a.send(0, [1])
    nats.endReaders()
    await turns()
    assert.deepEqual(a.told.slice(1), [
      'joined b',
      'b 1',
      'failed null: the consumer has ended, or gave no sign of life',
    ])
    await a.clock.pass(100)
    await a.send(1, [2])
    assert.deepEqual(a.told.slice(4), ['b 2'])
    assert.deepEqual((nats.consumersMade.at(-1) as { opt_start_seq: number }).opt_start_seq, 3)
  })

  it('read anew where a consumer gives no sign of life, which the client need not notice', async () => {
    const nats = new FakeNats()
    const a = await start(nats)
    await a.hear()
    const made = () => nats.consumersMade.length
    await a.clock.pass(10_000)
    assert.equal(made(), 1)
    nats.isSilent = true
    // A message is a sign, too; what the client says by itself is none.
    for (let n = 0; n < 5; n++) {
      await a.send(n, [n])
      await a.clock.pass(2000)
    }
    assert.equal(made(), 1)
    await nats.tell('next')
    await nats.tell('heartbeats_missed')
    await a.clock.pass(2100)
    assert.equal(made(), 2)
    nats.isSilent = false
    await a.send(5, [5])
    assert.deepEqual(
      a.told.filter((each) => !/left|joined/.test(each)),
      [0, 1, 2, 3, 4]
        .map((n) => `b ${n}`)
        .concat('failed null: the consumer has ended, or gave no sign of life', 'b 5'),
    )
    await a.clock.pass(2000)
    assert.equal(made(), 2)
  })

  it('say that the subjects are those of another stream', async () => {
    const nats = new FakeNats()
    nats.streamName = 'OTHER'
    const a = await start(nats)
    assert.deepEqual(a.told, ["failed null: the subjects are those of the stream 'OTHER', not of 'GAME'"])
  })

  it('say that they leave, end all, and tell nothing behind it', async () => {
    const a = await start(new FakeNats())
    await a.hear()
    a.nats.isManual = true
    a.transport.send('b', 0, true, bytes(1))
    void a.transport.close()
    await a.transport.close()
    await turns()
    const last = a.nats.published.at(-1)!
    assert.deepEqual([last.subject, last.data[0]], ['g.1.here.a', 2])
    a.nats.waiting[0]!.fail(new Error('closed'))
    await a.hear(OTHER)
    await a.clock.pass(5000)
    assert.deepEqual(a.told, ['joined b'])
    assert.deepEqual(a.clock.due, [])
    assert.equal(a.nats.published.filter(({ subject }) => subject === 'g.1.here.a').at(-1), last)
    throwsError(() => a.transport.start({} as never), 'ERR_SABWAY_INVALID_STATE', /make a new one/)
  })

  it('say what is wrong with their options', () => {
    const { connection, jetstream } = new FakeNats()
    const make = (options: object) => () =>
      new P2PNats({ id: 'a', connection, jetstream, stream: 'GAME', prefix: 'g', ...options })
    throwsError(make({ id: 7 }), 'ERR_SABWAY_INVALID_TYPE', /id must be a string/)
    throwsError(make({ connection: {} }), 'ERR_SABWAY_INVALID_TYPE', /connection/)
    throwsError(make({ jetstream: {} }), 'ERR_SABWAY_INVALID_TYPE', /jetstream\(connection\)/)
    throwsError(make({ stream: 1 }), 'ERR_SABWAY_INVALID_TYPE', /stream/)
    for (const prefix of ['', 'a.*', 'a..b', '>', 'a b'])
      throwsError(make({ prefix }), 'ERR_SABWAY_INVALID_ARGUMENT', /prefix/)
    throwsError(make({ heartbeat: 0 }), 'ERR_SABWAY_OUT_OF_RANGE', /heartbeat/)
    throwsError(make({ heartbeat: 100, timeout: 99 }), 'ERR_SABWAY_OUT_OF_RANGE', /timeout/)
    throwsError(make({ maxBytes: 1199 }), 'ERR_SABWAY_OUT_OF_RANGE', /maxBytes/)
    throwsError(make({ peers: 3 }), 'ERR_SABWAY_INVALID_ARGUMENT', /peers/)
  })
})
