// The states of connections, with connections and time that the test has in its hand: offers that
// meet, losses, times between attempts, back-pressure, and peers that say what no peer does.
import assert from 'node:assert/strict'
import { P2PWebRTC, type P2PWebRTCOptions } from 'sabway/p2p'
import { throwsError } from '../support/errors.js'
import { Clock, turns } from './clock.js'
import { Signals } from './signaller.js'

type Listener = (event: unknown) => void

class FakeChannel {
  readyState = 'connecting'
  bufferedAmount = 0
  bufferedAmountLowThreshold = 0
  readonly sent: Uint8Array[] = []
  readonly #listeners = new Map<string, Listener>()
  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, listener)
  }
  tell(type: string, event: unknown = {}): void {
    if (type === 'open') this.readyState = 'open'
    this.#listeners.get(type)?.(event)
  }
  send(bytes: Uint8Array): void {
    this.sent.push(bytes)
    this.bufferedAmount += bytes.length
  }
  /** It tells so later, when the other side has heard it. */
  isSlow = false
  close(): void {
    if (this.readyState === 'closed') return
    this.readyState = 'closing'
    if (!this.isSlow) queueMicrotask(() => this.closed())
  }
  closed(): void {
    this.readyState = 'closed'
    this.tell('close')
  }
}

class FakeConnection {
  static all: FakeConnection[] = []
  static maxMessageSize = 65536
  static fails = false
  connectionState = 'new'
  localDescription: { type: string; sdp: string } | null = null
  remote = ''
  readonly sctp = { maxMessageSize: FakeConnection.maxMessageSize }
  onicecandidate: ((event: never) => unknown) | null = null
  onconnectionstatechange: ((event: never) => unknown) | null = null
  readonly channels: FakeChannel[] = []
  readonly candidates: unknown[] = []
  isClosed = false
  constructor() {
    if (FakeConnection.fails) throw new Error('no more connections')
    FakeConnection.all.push(this)
  }
  createDataChannel(_label: string, options: object): FakeChannel {
    const channel = new FakeChannel()
    this.channels.push(Object.assign(channel, { options }))
    return channel
  }
  /** The description waits for the test. */
  static isSlow = false
  describe = () => {}
  descriptions = 0
  async setLocalDescription(): Promise<void> {
    this.descriptions++
    if (FakeConnection.isSlow)
      await new Promise<void>((resolve) => {
        this.describe = resolve
      })
    this.localDescription = { type: 'x', sdp: `sdp ${FakeConnection.all.indexOf(this)}` }
  }
  async setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    if (sdp === 'bad') throw new Error('that is no description')
    this.remote = sdp
  }
  async addIceCandidate(candidate: unknown): Promise<void> {
    this.candidates.push(candidate)
  }
  close(): void {
    this.isClosed = true
  }
  state(state: string): void {
    this.connectionState = state
    this.onconnectionstatechange?.({} as never)
  }
  open(): void {
    this.state('connected')
    for (const channel of this.channels) channel.tell('open')
  }
}

async function start(signals: Signals, id: string, options: Partial<P2PWebRTCOptions> = {}) {
  const clock = new Clock()
  const told: string[] = []
  const transport = new P2PWebRTC({
    id,
    signaller: signals.connect(id),
    RTCPeerConnection: FakeConnection,
    clock,
    backoff: { least: 100, most: 1000 },
    ...options,
  })
  void transport.start({
    joined: (peer) => void told.push(`joined ${peer}`),
    left: (peer) => void told.push(`left ${peer}`),
    failed: (peer, error) => void told.push(`failed ${peer} ${(error as { code?: string }).code}`),
    message: (peer, bytes) => void told.push(`${peer} ${bytes.join()}`),
    drained: (peer) => void told.push(`drained ${peer}`),
  })
  await turns()
  return { transport, told, clock }
}

/** What packages of Node give, whose `slice` is a view. */
const bytesOfPackages: { from(bytes: number[]): Uint8Array } = globalThis.Buffer ?? Uint8Array

const last = () => FakeConnection.all.at(-1)!
const kinds = ({ said }: Signals) => said.map((line) => line.split(' ').slice(0, 3).join(' '))
const session = 'of-the-test'
const hello = (of = '') => JSON.stringify({ kind: 'hello', session: of })

describe('WebRTC, connection by connection', () => {
  beforeEach(() => {
    FakeConnection.all = []
    FakeConnection.maxMessageSize = 65536
    FakeConnection.fails = false
    FakeConnection.isSlow = false
  })

  it('has the smaller id offer, whichever joins first', async () => {
    for (const ids of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const signals = new Signals()
      const ends = [await start(signals, ids[0]), await start(signals, ids[1])]
      await turns()
      const said = kinds(signals)
      assert.equal(said.filter((line) => line === 'a b offer').length >= 1, true)
      assert.equal(said.includes('b a offer'), false)
      assert.equal(said.filter((line) => line === 'b a answer').length, 1)
      for (const { transport } of ends) assert.equal(transport.stats().attempts, 1)
      for (const { transport } of ends) transport.close()
    }
  })

  it('makes both channels under ids that both sides know', async () => {
    const signals = new Signals()
    await start(signals, 'a')
    await start(signals, 'b')
    for (const { channels } of FakeConnection.all) {
      assert.deepEqual(
        channels.map((channel) => (channel as unknown as { options: object }).options),
        [
          { negotiated: true, id: 0, ordered: true },
          { negotiated: true, id: 1, ordered: false, maxRetransmits: 0 },
        ],
      )
    }
  })

  it('tells of a peer when its reliable channel is open, and before its messages', async () => {
    const signals = new Signals()
    const a = await start(signals, 'a')
    await start(signals, 'b')
    const [reliable, lossy] = FakeConnection.all[0]!.channels
    lossy!.tell('message', { data: new Uint8Array([1]) })
    assert.deepEqual(a.told, [])
    reliable!.tell('message', { data: new Uint8Array([2]).buffer })
    reliable!.tell('open')
    lossy!.tell('message', { data: bytesOfPackages.from([3]) })
    assert.deepEqual(a.told, ['joined b', 'b 2', 'b 3'])
    reliable!.tell('message', { data: 'text' })
    reliable!.tell('message', { data: new Uint8Array(65537) })
    assert.equal(a.told.length, 3)
    assert.equal(a.transport.stats().unusable, 2)
  })

  it('holds candidates until the description that they belong to is there', async () => {
    const signals = new Signals()
    signals.connect('b').start({ joined() {}, left() {}, message() {}, failed() {} })
    const a = await start(signals, 'a')
    const offered = signals.texts.find((text) => text.includes('offer'))!
    const { session } = JSON.parse(offered)
    const candidate = { candidate: 'candidate:1', sdpMid: '0' }
    signals.say('b', 'a', JSON.stringify({ kind: 'candidate', session, candidate }))
    await turns()
    assert.deepEqual(last().candidates, [])
    signals.say('b', 'a', JSON.stringify({ kind: 'answer', session, sdp: 'theirs' }))
    await turns()
    assert.equal(last().remote, 'theirs')
    assert.deepEqual(last().candidates, [candidate])
    for (let i = 0; i < 70; i++) signals.say('b', 'a', JSON.stringify({ kind: 'candidate', session, candidate }))
    await turns()
    assert.equal(last().candidates.length, 64)
    assert.equal(a.transport.stats().malformed, 7)
  })

  it('says its offer again to a peer that has not heard it', async () => {
    const signals = new Signals()
    let lost = 0
    signals.loses = (from, _to, text) => from === 'a' && text.includes('offer') && lost++ === 0
    await start(signals, 'a')
    await start(signals, 'b')
    await turns()
    assert.deepEqual(kinds(signals).filter((line) => line === 'b a answer').length, 1)
    assert.equal(FakeConnection.all.length, 2)
  })

  it('connects again after losses, at times that grow to the most, and begin anew after a long time', async () => {
    const signals = new Signals()
    signals.connect('b').start({ joined() {}, left() {}, message() {}, failed() {} })
    const a = await start(signals, 'a')
    for (const wait of [75, 150, 300, 600, 750, 750]) {
      last().state('failed')
      assert.equal(last().isClosed, false) // in a turn of its own
      await turns()
      assert.equal(last().isClosed, true)
      assert.deepEqual(a.clock.due, [wait])
      const count = FakeConnection.all.length
      await a.clock.pass(wait - 1)
      assert.equal(FakeConnection.all.length, count)
      await a.clock.pass(1)
      assert.equal(FakeConnection.all.length, count + 1)
    }
    assert.equal(a.told.filter((line) => line === 'failed b ERR_SABWAY_TRANSPORT').length, 6)
    last().open()
    await a.clock.pass(10_000)
    last().channels[0]!.tell('close')
    assert.deepEqual(a.told.slice(-2), ['joined b', 'left b'])
    await turns()
    assert.deepEqual(a.clock.due, [75])
  })

  it('gives an attempt up after its time, and an interrupted connection after its own', async () => {
    const signals = new Signals()
    signals.connect('b').start({ joined() {}, left() {}, message() {}, failed() {} })
    const a = await start(signals, 'a', { connectTimeout: 1000, disconnectTimeout: 300 })
    await a.clock.pass(1000)
    assert.deepEqual(a.told, ['failed b ERR_SABWAY_TRANSPORT'])
    await a.clock.pass(75)
    assert.equal(FakeConnection.all.length, 2)
    last().open()
    last().state('disconnected')
    await a.clock.pass(299)
    last().state('connected')
    await a.clock.pass(5000)
    assert.deepEqual(a.told.slice(1), ['joined b'])
    last().state('disconnected')
    await a.clock.pass(300)
    assert.deepEqual(a.told.slice(2), ['failed b ERR_SABWAY_TRANSPORT'])
  })

  it('refuses when a channel is full, tells when it is not, and loses what has no channel', async () => {
    const signals = new Signals()
    const a = await start(signals, 'a', { maxBuffered: 100 })
    await start(signals, 'b')
    const connection = FakeConnection.all[0]!
    assert.equal(a.transport.send('b', 0, true, new Uint8Array(60)), true)
    connection.open()
    const [reliable] = connection.channels
    assert.equal(reliable!.bufferedAmountLowThreshold, 50)
    const bytes = new Uint8Array(60)
    assert.equal(a.transport.send('b', 0, true, bytes), true)
    bytes[0] = 1
    assert.equal(reliable!.sent[0]![0], 0)
    assert.equal(a.transport.send('b', 0, true, new Uint8Array(60)), true)
    assert.equal(a.transport.send('b', 0, true, new Uint8Array(1)), false)
    assert.equal(reliable!.sent.length, 2)
    reliable!.bufferedAmount = 50
    reliable!.tell('bufferedamountlow')
    reliable!.tell('bufferedamountlow')
    assert.deepEqual(a.told, ['joined b', 'drained b'])
    assert.equal(a.transport.send('absent', 0, true, new Uint8Array(1)), true)
  })

  it('takes no connection that carries less than maxBytes', async () => {
    FakeConnection.maxMessageSize = 5000
    const signals = new Signals()
    const a = await start(signals, 'a')
    await start(signals, 'b', { maxBytes: 5000 })
    for (const connection of FakeConnection.all) connection.open()
    assert.deepEqual(a.told, ['failed b ERR_SABWAY_TRANSPORT'])
  })

  it('tells of a platform that makes no connection, or takes no description, and tries again', async () => {
    const signals = new Signals()
    signals.connect('b').start({ joined() {}, left() {}, message() {}, failed() {} })
    FakeConnection.fails = true
    const a = await start(signals, 'a')
    assert.deepEqual(a.told, ['failed b undefined'])
    FakeConnection.fails = false
    await a.clock.pass(75)
    const { session } = JSON.parse(signals.texts.at(-1)!)
    signals.say('b', 'a', JSON.stringify({ kind: 'answer', session, sdp: 'bad' }))
    await turns()
    assert.deepEqual(a.told.slice(1), ['failed b ERR_SABWAY_TRANSPORT'])
    assert.deepEqual(a.clock.due, [150])
  })

  it('counts signals that no peer sends, and makes nothing of them', async () => {
    const signals = new Signals()
    signals.connect('b').start({ joined() {}, left() {}, message() {}, failed() {} })
    const a = await start(signals, 'a')
    const { length } = FakeConnection.all
    const bad = [
      '',
      'x',
      'null',
      '{}',
      JSON.stringify({ kind: 'offer', session, sdp: 'from the larger id' }),
      JSON.stringify({ kind: 'answer', session: '', sdp: 'x' }),
      JSON.stringify({ kind: 'answer', session, sdp: 7 }),
      JSON.stringify({ kind: 'hello', session: 'x'.repeat(33) }),
      JSON.stringify({ kind: 'candidate', session, candidate: null }),
      JSON.stringify({ kind: 'candidate', session, candidate: { candidate: 'x' } }),
      JSON.stringify({ kind: 'candidate', session, candidate: { candidate: 'x'.repeat(1025), sdpMid: '0' } }),
      JSON.stringify({ kind: 'answer', session, sdp: 'x'.repeat(16384) }),
    ]
    for (const text of bad) signals.events('a').message('b', text)
    signals.events('a').message('b', 7 as never)
    assert.equal(a.transport.stats().malformed, bad.length + 1)
    signals.events('a').message('stranger', hello())
    assert.equal(a.transport.stats().unknown, 1)
    for (let i = 0; i < 200; i++) signals.events('a').message('b', hello())
    assert.equal(a.transport.stats().flood, 200 - (100 - bad.length - 1))
    assert.equal(FakeConnection.all.length, length)
  })

  it('makes no more connections for offers than a peer may ask for', async () => {
    const signals = new Signals()
    signals.connect('a').start({ joined() {}, left() {}, message() {}, failed() {} })
    const b = await start(signals, 'b')
    for (let i = 0; i < 50; i++) {
      signals.events('b').message('a', JSON.stringify({ kind: 'offer', session: `s${i}`, sdp: 'x' }))
    }
    await turns()
    assert.equal(FakeConnection.all.length, 4)
    assert.equal(FakeConnection.all.filter(({ isClosed }) => !isClosed).length, 1)
    assert.equal(b.transport.stats().flood, 46)
  })

  it('connects to no more peers than it may, and to none whose id is too long', async () => {
    const signals = new Signals()
    const a = await start(signals, 'a', { maxPeers: 2 })
    for (const id of ['a', 'b', 'c', 'd', 'x'.repeat(33)]) signals.events('a').joined(id)
    await turns()
    assert.equal(a.transport.stats().refused, 3)
    assert.equal(FakeConnection.all.length, 2)
  })

  it('ends all when it is closed, and tells nothing behind it', async () => {
    const signals = new Signals()
    const a = await start(signals, 'a')
    await start(signals, 'b')
    FakeConnection.all[0]!.open()
    a.transport.close()
    a.transport.close()
    await turns()
    assert.equal(FakeConnection.all[0]!.isClosed, true)
    FakeConnection.all[0]!.state('failed')
    FakeConnection.all[0]!.channels[0]!.tell('message', { data: new Uint8Array(1) })
    assert.deepEqual(a.told, ['joined b'])
    assert.deepEqual(a.clock.due, [])
    throwsError(() => a.transport.start({} as never), 'ERR_SABWAY_INVALID_STATE', /make a new one/)
  })

  it('describes its offer once, and is closed only when that is done', async () => {
    FakeConnection.isSlow = true
    const signals = new Signals()
    const a = await start(signals, 'a')
    await start(signals, 'b')
    const connection = last()
    signals.say('b', 'a', hello())
    await turns()
    assert.equal(connection.descriptions, 1)
    a.transport.close()
    await turns()
    assert.equal(connection.isClosed, false)
    connection.describe()
    await turns()
    assert.equal(connection.isClosed, true)
    assert.deepEqual(kinds(signals).includes('a b offer'), false)
  })

  it('closes a connection when the other side has heard that its channels are, or after two seconds', async () => {
    for (const hears of [true, false]) {
      const signals = new Signals()
      const a = await start(signals, 'a')
      await start(signals, 'b')
      const connection = FakeConnection.all.at(-2)!
      connection.open()
      for (const channel of connection.channels) channel.isSlow = true
      a.transport.disconnect('b')
      await turns()
      assert.deepEqual(
        connection.channels.map(({ readyState }) => readyState),
        ['closing', 'closing'],
      )
      if (hears) {
        connection.channels[1]!.closed()
        await turns()
        assert.equal(connection.isClosed, false)
        connection.channels[0]!.closed()
      } else {
        await a.clock.pass(1999)
        assert.equal(connection.isClosed, false)
        await a.clock.pass(1)
      }
      await turns()
      assert.equal(connection.isClosed, true)
      assert.deepEqual(a.told, ['joined b', 'left b'])
      a.transport.close()
      assert.deepEqual(a.clock.due, [])
    }
  })

  it('says what is wrong with its options', () => {
    const signaller = new Signals().connect('a')
    const make = (options: object) => () =>
      new P2PWebRTC({ id: 'a', signaller, RTCPeerConnection: FakeConnection, ...options } as P2PWebRTCOptions)
    throwsError(make({ id: 7 }), 'ERR_SABWAY_INVALID_TYPE', /id must be a string/)
    throwsError(make({ id: 'x'.repeat(33) }), 'ERR_SABWAY_INVALID_ARGUMENT', /at most 32 bytes/)
    throwsError(make({ signaller: {} }), 'ERR_SABWAY_INVALID_TYPE', /start, send and close/)
    throwsError(make({ signaller: undefined }), 'ERR_SABWAY_INVALID_TYPE', /start, send and close/)
    throwsError(make({ maxBytes: 1199 }), 'ERR_SABWAY_OUT_OF_RANGE', /maxBytes/)
    throwsError(make({ maxBytes: 65537 }), 'ERR_SABWAY_OUT_OF_RANGE', /maxBytes/)
    throwsError(make({ backoff: { least: 10, most: 9 } }), 'ERR_SABWAY_OUT_OF_RANGE', /backoff.most/)
    throwsError(make({ RTCPeerConnection: 'x' }), 'ERR_SABWAY_INVALID_TYPE', /RTCPeerConnection/)
    throwsError(make({ peers: 3 }), 'ERR_SABWAY_INVALID_ARGUMENT', /peers/)
    if (!('RTCPeerConnection' in globalThis))
      throwsError(make({ RTCPeerConnection: undefined }), 'ERR_SABWAY_UNSUPPORTED', /werift/)
  })
})
