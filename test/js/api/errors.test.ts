// Every code of the error table can be had, and each message teaches: it names what was wrong, and
// what is right.
import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import {
  BufferPool,
  defineObject,
  type ErrorCode,
  Mutex,
  Region,
  type SabwayError,
  SharedBarrier,
  SharedBroadcast,
  SharedMemoryChannel,
  SharedMemoryManager,
  SharedMemoryPool,
} from 'sabway'
import { compressed, encrypted } from 'sabway/codecs'
import { P2PLoopback, P2PManager, type P2PTransport } from 'sabway/p2p'
import { abi, ringWord } from '../support/abi.js'
import { attach, keep, open, pair } from '../support/channels.js'
import { runChild } from '../support/children.js'
import { assertError } from '../support/errors.js'
import { haveAddon, itNative } from '../support/host.js'
import { plugin, rawAddon } from '../support/paths.js'
import { openShared, Peer } from '../support/processes.js'
import { anotherPlace, closeLater } from '../support/regions.js'
import { Thread } from '../support/threads.js'
import { forge } from '../support/tokens.js'
import { within } from '../support/wait.js'

interface Row {
  /** Needs the native addon, or a process of its own. */
  native?: true
  /** Ends with the error, thrown or as a rejection. */
  act: () => unknown
  teaches: RegExp
}

/** The error of a channel's 'error' event. */
function reported(channel: SharedMemoryChannel): Promise<never> {
  return within(
    new Promise((_, reject) => {
      channel.addEventListener('error', (event) => reject((event as unknown as { error: SabwayError }).error))
    }),
    "an 'error' event",
  )
}

/** A channel whose 4 KiB ring is full. */
function full(): SharedMemoryChannel {
  const { renderer } = pair(4096)
  renderer.send(new Uint8Array(4096))
  return renderer
}

const pluginFrom = (name: string) => () => open().startWorker({ plugin: plugin(name) })

/** Plain objects, from another thread or process. */
const starved = async (index: number) => {
  const { stdout, stderr } = await runChild('starved.js')
  assert.equal(stderr, '')
  throw JSON.parse(stdout)[index]
}

/**
 * FULL becomes false, null or a queue; OWNER_DIED a property of the lock; UNSUPPORTED is for
 * operating systems that cannot map over memory; BUSY for locks whose holder was stopped; the last
 * two are of pages that are served in a way that causes them, which test/browser has.
 */
const UNTESTED = [
  'ERR_SABWAY_FULL',
  'ERR_SABWAY_OWNER_DIED',
  'ERR_SABWAY_UNSUPPORTED',
  'ERR_SABWAY_BUSY',
  'ERR_SABWAY_NO_WASM',
  'ERR_SABWAY_NOT_ISOLATED',
] as const
type Untested = (typeof UNTESTED)[number]

/** What a transport tells one that sends the peer something malformed when it has joined. */
function sendsNonsense(transport: P2PTransport, to: string): void {
  transport.start({
    joined: (peer) => void (peer === to && transport.send(to, 0, true, new Uint8Array(3))),
    left() {},
    failed() {},
    message() {},
    drained() {},
  })
}

/** The failure that a manager tells of when its network has what `happens` in it. */
function failure(happens: (hub: P2PLoopback) => void): Promise<never> {
  const hub = new P2PLoopback()
  const manager = new P2PManager({ transport: hub.connect('alice'), limits: { malformed: 0 } })
  const failed = new Promise<never>((_, reject) => {
    manager.addEventListener('peer-failed', ({ error }) => reject(error))
  })
  const bob = hub.connect('bob')
  const joined = (peer: string) => void (peer === 'alice' && happens(hub))
  bob.start({ joined, left() {}, failed() {}, message() {}, drained() {} })
  return within(failed, "a 'peer-failed' event").finally(() => manager.close())
}

const table: Record<Exclude<ErrorCode, Untested>, Row> = {
  ERR_SABWAY_TRANSPORT: {
    act: () => failure((hub) => hub.cut('alice', 'bob')),
    teaches: /the connection to 'bob' failed: the connection was cut; the cause says what/,
  },
  ERR_SABWAY_PEER_EXPELLED: {
    act: () => failure((hub) => sendsNonsense(hub.connect('carol'), 'alice')),
    teaches: /'carol' has sent 1 frames that are no frames, and was cut off; raise limits\.malformed/,
  },
  ERR_SABWAY_INVALID_ARGUMENT: {
    native: true,
    act: () => open().startWorker({ builtin: 'ecco' } as never),
    teaches: /builtin must be one of 'echo', 'sink', 'source', got 'ecco'/,
  },
  ERR_SABWAY_INVALID_TYPE: {
    act: () => open().send(new Uint16Array(4) as never),
    teaches:
      /must be a Uint8Array, got .*; wrap it: new Uint8Array\(view\.buffer, view\.byteOffset, view\.byteLength\)/,
  },
  ERR_SABWAY_OUT_OF_RANGE: {
    act: () => new SharedMemoryChannel(100),
    teaches: /rendererToNativeBytes must be an integer from 4096 to 536870912, got 100/,
  },
  ERR_SABWAY_MESSAGE_TOO_LARGE: {
    act: () => open(4096).send(new Uint8Array(5000)),
    teaches: /5000 bytes into a ring of 4096; make the channel larger, or send parts/,
  },
  ERR_SABWAY_QUEUE_FULL: {
    act: () => {
      const channel = open(4096, 4096, { maxQueued: 0 })
      channel.send(new Uint8Array(4096))
      channel.send(new Uint8Array(1))
    },
    teaches: /1 bytes more would exceed maxQueued, 0; this message was not queued: await sendDirect/,
  },
  ERR_SABWAY_CLOSED: {
    act: () => {
      const channel = open()
      channel.cleanup()
      channel.send(new Uint8Array(1))
    },
    teaches: /cleanup was called/,
  },
  ERR_SABWAY_SIDE_TAKEN: {
    act: () => attach(pair().renderer, 'native'),
    teaches: /one producer on each side; attach to the other side, or clean up the first/,
  },
  ERR_SABWAY_REPLACED: {
    act: () => {
      const { renderer, native } = pair()
      SharedMemoryChannel.attach(renderer.handle, { side: 'native', replace: true })
      native.send(new Uint8Array(1))
    },
    teaches: /it attached with \{ replace: true \}, .*; nothing more can be done here, attach again to go on/,
  },
  ERR_SABWAY_NOT_A_REGION: {
    act: () => {
      const memory = new WebAssembly.Memory({ initial: 50, maximum: 50, shared: true })
      SharedMemoryChannel.attach({ sabway: 'channel', memory }, { side: 'native' })
    },
    teaches: /its header says magic 0x0.*open handles of regions made by the same version of Sabway/,
  },
  ERR_SABWAY_LAYOUT_MISMATCH: {
    act: () => {
      const channel = open()
      new Int32Array(channel.handle.memory.buffer)[abi.sw_region_header.layout_hash >>> 2]! ^= 1
      attach(channel, 'native')
    },
    teaches: /layout 0x[0-9a-f]+; open handles of regions made by the same version/,
  },
  ERR_SABWAY_CORRUPT: {
    act: () => {
      const { renderer, native } = pair()
      new Int32Array(renderer.handle.memory.buffer)[ringWord('renderer', abi.sw_ring.head)] = 3
      native.startReceiving(() => {})
      return reported(native)
    },
    teaches: /while receiving; this side reads no more from the channel/,
  },
  ERR_SABWAY_TIMEOUT: {
    act: () => full().sendDirect(new Uint8Array(7), { timeout: 1 }),
    teaches: /no room for 7 bytes within 1 ms/,
  },
  ERR_SABWAY_ABORTED: {
    act: () => full().sendDirect(new Uint8Array(7), { signal: AbortSignal.abort() }),
    teaches: /the operation was given up/,
  },
  ERR_SABWAY_INVALID_STATE: {
    act: () => open().commit(),
    teaches: /commit without reserve/,
  },
  ERR_SABWAY_TOO_MANY_PARTICIPANTS: {
    act: () => {
      const held = [region()] // what is dropped gives its place back
      for (let i = 0; i < 70; i++) held.push(anotherPlace(held[0]!))
      return held
    },
    teaches: /room for 64 threads; clean up channels no longer used/,
  },
  ERR_SABWAY_OUT_OF_MEMORY: {
    native: true,
    act: () => starved(0),
    teaches: /a region of \d+ bytes; .*this thread holds \d+: call cleanup/,
  },
  ERR_SABWAY_SYSTEM: { native: true, act: () => starved(1), teaches: /the native worker's thread/ },
  ERR_SABWAY_PLUGIN_NOT_FOUND: {
    native: true,
    act: pluginFrom('nowhere'),
    teaches: /nowhere\.so: cannot open shared object file/,
  },
  ERR_SABWAY_PLUGIN_SYMBOL: {
    native: true,
    act: pluginFrom('no-symbol'),
    teaches: /no-symbol\.so: declare it as SABWAY_EXPORT/,
  },
  ERR_SABWAY_PLUGIN_ABI: {
    native: true,
    act: pluginFrom('bad-abi'),
    teaches: /says version 999, this Sabway has versions 1 to 2/,
  },
  ERR_SABWAY_PLUGIN_OPEN: { native: true, act: pluginFrom('open-fails'), teaches: /open-fails: no camera on port 7/ },
  ERR_SABWAY_PLUGIN_FAILED: {
    native: true,
    act: () => {
      const channel = open()
      channel.startWorker({ plugin: plugin('on-fails') })
      channel.send(new Uint8Array(1))
      return reported(channel)
    },
    teaches: /the native worker ended/,
  },
  ERR_SABWAY_NO_ADDON: {
    act: async () => {
      const thread = new Thread('refused', null, { execArgv: ['--no-addons'] })
      throw (await thread.next<object[]>())[0]
    },
    teaches: haveAddon ? /the native addon was not loaded: .*addons/ : /it is the browser build/,
  },
  ERR_SABWAY_NOT_LOADED: {
    native: true,
    act: async () => {
      const { stdout } = await runChild('bytes.js', ['bytes.mjs', 'index.mjs'])
      throw JSON.parse(stdout).refusals[0]
    },
    teaches: /codec 'structured' is not in 'sabway\/bytes'; import 'sabway' in this thread/,
  },
  ERR_SABWAY_INVALID_TOKEN: {
    native: true,
    act: () => Region.open('a token'),
    teaches: /does not begin like a token; pass the/,
  },
  ERR_SABWAY_REGION_GONE: {
    native: true,
    act: () => {
      const { token } = openShared()
      Region.open(forge(token, { handle: 'ffff' }))
    },
    teaches: /process \d+ has no descriptor 65535 any more/,
  },
  ERR_SABWAY_STALE_TOKEN: {
    native: true,
    act: () => Region.open(forge(openShared().token, { nonce: '0123456789abcdef' })),
    teaches: /another region has taken its place; ask for a new token/,
  },
  ERR_SABWAY_SIZE_MISMATCH: {
    native: true,
    act: () => Region.open(forge(openShared().token, { size: '200000' })),
    teaches: /it has \d+ bytes, the token says 2097152/,
  },
  ERR_SABWAY_NOT_PERMITTED: {
    native: true,
    act: () => {
      const name = `test-${process.pid}-mode`
      const { token } = openShared(4096, 4096, name)
      chmodSync(`/dev/shm/sabway.${name}`, 0o660)
      Region.open(token)
    },
    teaches: /its mode is 660, expected 600: others could write into it/,
  },
  ERR_SABWAY_NAME_TAKEN: {
    native: true,
    act: () => {
      const name = `test-${process.pid}-taken`
      openShared(4096, 4096, name)
      openShared(4096, 4096, name)
    },
    teaches: /choose another name, or close the region that has it/,
  },
  ERR_SABWAY_OVERLAY_REFUSED: {
    native: true,
    act: () => {
      const shared = new (rawAddon().SharedMemory)(2 ** 21, undefined)
      try {
        shared.overlay(new Uint8Array(new SharedArrayBuffer(2 ** 21)))
      } catch (error) {
        throw { ...(error as object), message: (error as Error).message }
      } finally {
        shared.close()
      }
    },
    teaches: /WebAssembly\.Memory/,
  },
  ERR_SABWAY_TOO_MANY_FILES: { native: true, act: () => starved(2), teaches: /raise the limit: `ulimit -n`/ },
  ERR_SABWAY_OTHER_NAMESPACE: {
    native: true,
    act: () => Region.open(forge(openShared().token, { namespace: '7' })),
    teaches: /the token is of pid namespace 7, this process of \d+ .*run both in one container/,
  },
  ERR_SABWAY_PEER_DIED: {
    native: true,
    act: async () => {
      const channel = openShared(4096, 4096)
      const peer = new Peer({ does: 'hold', token: channel.token })
      await peer.next()
      channel.send(new Uint8Array(4096))
      const promise = channel.sendDirect(new Uint8Array(1))
      promise.catch(() => {})
      await peer.kill()
      await within(promise, 'the rejection')
    },
    teaches: /it was not sent/,
  },
  ERR_SABWAY_NOT_ENCODABLE: {
    act: () =>
      open()
        .port()
        .postMessage({ call: () => {} }),
    teaches: /could not be cloned/,
  },
  ERR_SABWAY_NOT_DECODABLE: {
    act: () => {
      const channel = keep(
        new SharedMemoryChannel<unknown>(4096, 4096, { codec: 'structured' }) as never,
      ) as SharedMemoryChannel
      const bytes = SharedMemoryChannel.attach({ sabway: 'channel', memory: channel.handle.memory }, { side: 'native' })
      keep(bytes).send(Uint8Array.of(1, 2, 3))
      return channel.receive()
    },
    teaches: /too short for a value/,
  },
  ERR_SABWAY_HEAP_FULL: {
    act: () => region().heap.alloc(2 ** 30),
    teaches: /1073741824 bytes were asked for; of \d+ bytes 0 are in use, .* free some, or make the region larger/,
  },
  ERR_SABWAY_DOUBLE_FREE: {
    act: () => {
      const { heap } = region()
      heap.alloc(16)
      const memory = heap.allocUI8(16)
      memory.free()
      memory.free()
    },
    teaches: /\d+ \(0x[0-9a-f]+\); a pointer is what an allocation of this heap returned/,
  },
  ERR_SABWAY_POISONED: {
    act: async () => {
      const made = region()
      const mutex = new Mutex(made.heap)
      const memory = made.heap.allocI32(2)
      const task = { shared: made.handle, pointer: mutex.pointer, words: memory.pointer, locks: 'die' }
      await new Thread('mutex', task).next()
      const lock = await mutex.lockAsync()
      lock.release()
    },
    teaches: /the next one unlocked it without consistent\(\): make another mutex/,
  },
  ERR_SABWAY_WILD_POINTER: { act: () => region().heap.free(64), teaches: /64 \(0x40\); a pointer is/ },
  ERR_SABWAY_OTHER_KIND: {
    act: () => {
      const made = region()
      made.set('x', made.heap.allocUI8(1))
      // as a later version would write it: the entry is the block behind
      const entry = [...made.heap.walk()].find(
        ({ pointer }) => new Uint8Array(made.buffer, pointer)[abi.sw_directory_entry.sizeof] === 0x78,
      )!
      new Uint32Array(made.buffer, entry.pointer, 1)[0] = 15
      made.get('x')
    },
    teaches: /kind 15, which this version of Sabway has no class for/,
  },
  ERR_SABWAY_FREED: {
    act: () => {
      const object = new (defineObject({ hp: 'i32' }))(region())
      object.free()
      return object.hp
    },
    teaches: /what was at \d+/,
  },
  ERR_SABWAY_TOO_MANY_CHANGES: {
    act: () => {
      const object = new (defineObject({ hp: 'i32', mana: 'i32' }))(region(), { undo: 1 })
      object.lock((fields) => fields.assign({ hp: 1, mana: 2 }))
    },
    teaches: /1 values at most can be changed under one lock; all of them are as before; make it with a larger `undo`/,
  },
  ERR_SABWAY_FORGED: {
    act: () => encrypted('bytes', { key: new Uint8Array(32) }).decode(new Uint8Array(50)),
    teaches: /the key, the context and the codec must be the same on both sides; or it was changed since/,
  },
  ERR_SABWAY_NOT_COMPRESSED: {
    act: () => compressed('bytes').decode(new Uint8Array(50)),
    teaches: /it does not begin like one; do both sides use the same codec\?/,
  },
  ERR_SABWAY_EXPANDS_TOO_MUCH: {
    act: () => compressed('bytes', { maxBytes: 9 }).decode(compressed('bytes').encode(new Uint8Array(10))),
    teaches: /it stands for 10 bytes, and maxBytes of the compression is 9; set it higher if the sender can be trusted/,
  },
  ERR_SABWAY_NOT_SUBSCRIBED: { act: () => new SharedBroadcast(region()).tryReceive(), teaches: /subscribe/ },
  ERR_SABWAY_BROKEN: {
    act: async () => {
      const barrier = new SharedBarrier(region(), { parties: 2 })
      const waiting = barrier.waitAsync()
      barrier.reset()
      await waiting
    },
    teaches: /reset\(\) lets those that live begin anew/,
  },
  ERR_SABWAY_POOL_EMPTY: {
    act: () => {
      const pool = new SharedMemoryPool(region(), { maxBlocks: 1 })
      pool.acquire()
      pool.acquire()
    },
    teaches: /1 are held by participants that live; release some, or make it larger/,
  },
  ERR_SABWAY_RELEASED: {
    act: () => {
      const block = new SharedMemoryPool(region()).acquire()
      block.release()
      block.release()
    },
    teaches: /block 0 of the pool at \d+/,
  },
  ERR_SABWAY_NOT_HELD: {
    act: () => new BufferPool().returnBuffer(new Uint8Array(1)),
    teaches: /must be the very array that getBuffer\(\) of this pool returned/,
  },
  ERR_SABWAY_TOO_MANY_BUFFERS: {
    act: () => {
      const manager = new SharedMemoryManager({ maxBuffers: 1, cleanupInterval: Number.POSITIVE_INFINITY })
      manager.createBuffer(1)
      manager.createBuffer(1)
    },
    teaches: /1, as maxBuffers says; release some, or raise it/,
  },
}

const region = () => closeLater(Region.create({ size: 2 ** 22 }))

describe('the error table', () => {
  for (const [code, { native, act, teaches }] of Object.entries(table) as [ErrorCode, Row][]) {
    const test = native === undefined ? it : itNative
    test(code, async () => {
      const error = await Promise.resolve()
        .then(act)
        .then(
          () => assert.fail('nothing was thrown'),
          (thrown: unknown) => thrown,
        )
      assertError(error, code, teaches)
    })
  }

  it('has no code that is not tested here, but those that Untested explains', () => {
    assert.deepEqual(Object.keys(abi.ERRORS).sort(), [...Object.keys(table), ...UNTESTED].sort())
    const numbers = Object.values(abi.ERRORS).map(({ number }) => number)
    assert.equal(new Set(numbers).size, numbers.length)
    const channel = full()
    assert.equal(channel.trySend(new Uint8Array(1)), false)
    assert.equal(channel.reserve(1), null)
    assert.equal(channel.sendBatch([new Uint8Array(1)]), 0)
    assert.equal(channel.send(new Uint8Array(1)), false)
  })
})

describe('arguments of the wrong type or value', () => {
  const rows: [string, (channel: SharedMemoryChannel) => unknown, ErrorCode, RegExp][] = [
    ['send text', (c) => c.send('hello' as never), 'ERR_SABWAY_INVALID_TYPE', /a Uint8Array, got 'hello'/],
    ['send nothing', (c) => c.send(undefined as never), 'ERR_SABWAY_INVALID_TYPE', /got undefined/],
    ['send null', (c) => c.trySend(null as never), 'ERR_SABWAY_INVALID_TYPE', /got null/],
    ['send a list', (c) => c.send([1, 2] as never), 'ERR_SABWAY_INVALID_TYPE', /got an array of 2/],
    [
      'send an ArrayBuffer',
      (c) => c.send(new ArrayBuffer(3) as never),
      'ERR_SABWAY_INVALID_TYPE',
      /got an object \(ArrayBuffer\)/,
    ],
    [
      'send a DataView',
      (c) => c.send(new DataView(new ArrayBuffer(3)) as never),
      'ERR_SABWAY_INVALID_TYPE',
      /wrap it: /,
    ],
    [
      'send bytes that are clamped',
      (c) => c.send(new Uint8ClampedArray(3) as never),
      'ERR_SABWAY_INVALID_TYPE',
      /wrap it: /,
    ],
    [
      'a timeout of -1',
      (c) => c.sendDirect(new Uint8Array(1), { timeout: -1 }),
      'ERR_SABWAY_OUT_OF_RANGE',
      /timeout .* at least 0, got -1/,
    ],
    [
      'a timeout of NaN',
      (c) => c.sendDirect(new Uint8Array(1), { timeout: Number.NaN }),
      'ERR_SABWAY_OUT_OF_RANGE',
      /got NaN/,
    ],
    [
      'a timeout of text',
      (c) => c.sendDirect(new Uint8Array(1), { timeout: '1' as never }),
      'ERR_SABWAY_INVALID_TYPE',
      /got '1'/,
    ],
    [
      'a signal that is none',
      (c) => c.sendDirect(new Uint8Array(1), { signal: {} as never }),
      'ERR_SABWAY_INVALID_TYPE',
      /signal must be an AbortSignal, got an object/,
    ],
    [
      'share that does not exist',
      () => new SharedMemoryChannel(4096, 4096, { share: 'all' as never }),
      'ERR_SABWAY_INVALID_ARGUMENT',
      /share must be one of .*'threads'.*, got 'all'/,
    ],
  ]
  for (const [what, act, code, teaches] of rows) {
    it(what, async () => {
      const channel = open()
      let error: unknown
      try {
        await act(channel)
      } catch (thrown) {
        error = thrown
      }
      assertError(error, code, teaches)
      assert.equal(channel.stats().sent.messages, 0)
    })
  }
})
