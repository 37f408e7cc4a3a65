// All that a program can call or set, and how a test gives each of its parameters an odd value.
// odd-values.test.ts finds by reflection what is not in this table.
import { EventEmitter } from 'node:events'
import type * as Sabway from 'sabway'

/** What a row may use: made for each row, and let go after it. */
export interface Scene {
  sabway: typeof Sabway
  /** Both sides of one channel of bytes. */
  renderer: Sabway.SharedMemoryChannel
  native: Sabway.SharedMemoryChannel
  /** Of another channel, with a codec. */
  values: Sabway.SharedMemoryChannel<unknown>
  region: Sabway.Region
  port: Sabway.ChannelPort
  /** A heap in a region of its own, and what lives in it. */
  heap: Sabway.MemoryHeap
  memory: Sabway.AllocatedMemory
  mutex: Sabway.Mutex
}

type Try = (odd: never, scene: Scene) => unknown

/**
 * `platform`: inherited from the platform's EventTarget, whose TypeErrors are as specified there.
 * `internal`: not for users.
 */
export type Row = readonly Try[] | 'no parameters' | 'platform' | 'internal'

const bytes = new Uint8Array([1, 2, 3])
/**
 * A call with each option, and with options that are none. `needed`: options that the call needs.
 */
const withOptions = (
  needed: object,
  names: readonly string[],
  call: (options: object, scene: Scene) => unknown,
): Try[] => [
  (odd, scene) => call(odd, scene),
  ...names.map(
    (name): Try =>
      (odd, scene) =>
        call({ ...needed, [name]: odd }, scene),
  ),
]

const optionsOf = (names: readonly string[], call: (options: object, scene: Scene) => unknown): Try[] =>
  withOptions({}, names, call)

const CODEC = { name: 'own', encode: () => bytes, decode: () => 1 }

const channel: Record<string, Row> = {
  'SharedMemoryChannel.attach': [
    (odd, { sabway }) => sabway.SharedMemoryChannel.attach(odd, { side: 'native' }),
    ...withOptions(
      { side: 'native' },
      ['side', 'codec', 'wait', 'batch', 'maxQueued', 'share'],
      (options, { sabway }) => {
        const made = new sabway.SharedMemoryChannel(4096, 4096)
        try {
          return sabway.SharedMemoryChannel.attach(made.handle, options as never)
        } finally {
          made.cleanup()
        }
      },
    ),
  ],
  'SharedMemoryChannel.over': 'internal',
  'SharedMemoryChannel.isMade': 'internal',
  'SharedMemoryChannel#place': 'internal',
  'SharedMemoryChannel.idle': 'internal',
  'SharedMemoryChannel#constructor': [
    (odd, { sabway }) => new sabway.SharedMemoryChannel(odd),
    (odd, { sabway }) => new sabway.SharedMemoryChannel(4096, odd),
    ...optionsOf(
      ['region', 'buffer', 'share', 'name', 'codec', 'wait', 'batch', 'maxQueued', 'format', 'side'],
      (options, { sabway }) => new sabway.SharedMemoryChannel(4096, 4096, options),
    ),
    ...optionsOf(
      ['maxBytes', 'maxDelayMs'],
      (batch, { sabway }) => new sabway.SharedMemoryChannel(4096, 4096, { batch }),
    ),
    ...(['name', 'encode', 'decode'] as const).map(
      (part): Try =>
        (odd, { sabway }) =>
          new sabway.SharedMemoryChannel(4096, 4096, { codec: { ...CODEC, [part]: odd } }),
    ),
    (name, { sabway }) => new sabway.SharedMemoryChannel(4096, 4096, { share: 'processes', name }),
    (share, { sabway, region }) => new sabway.SharedMemoryChannel(4096, 4096, { region, share }),
  ],
  'SharedMemoryChannel#handle': 'no parameters',
  'SharedMemoryChannel#token': 'no parameters',
  'SharedMemoryChannel#onQueueEmpty': [
    (odd, { renderer }) => {
      renderer.onQueueEmpty = odd
      renderer.onQueueEmpty = null
    },
  ],
  'SharedMemoryChannel#send': [(odd, { renderer }) => renderer.send(odd), (odd, { values }) => values.send(odd)],
  'SharedMemoryChannel#trySend': [
    (odd, { renderer }) => renderer.trySend(odd),
    (odd, { values }) => values.trySend(odd),
  ],
  'SharedMemoryChannel#sendDirect': [
    (odd, { renderer }) => renderer.sendDirect(odd),
    (odd, { values }) => values.sendDirect(odd),
    ...optionsOf(['timeout', 'signal'], (options, { renderer }) => renderer.sendDirect(bytes, options)),
  ],
  'SharedMemoryChannel#sendBatch': [
    (odd, { renderer }) => renderer.sendBatch(odd),
    (odd, { renderer }) => renderer.sendBatch([bytes, odd, bytes]),
    (odd, { values }) => values.sendBatch(odd),
  ],
  'SharedMemoryChannel#reserve': [
    (odd, { renderer }) => {
      const room = renderer.reserve(odd)
      if (room !== null) renderer.abandon()
    },
  ],
  'SharedMemoryChannel#commit': [
    (odd, { renderer }) => {
      renderer.reserve(8)
      try {
        renderer.commit(odd)
      } catch (error) {
        renderer.abandon()
        throw error
      }
    },
  ],
  'SharedMemoryChannel#abandon': 'no parameters',
  'SharedMemoryChannel#write': [
    (odd, { renderer }) => renderer.write(odd, () => 0),
    (odd, { renderer }) => renderer.write(8, () => odd),
    (odd, { renderer, native }) => {
      // so that what is a function, but cannot be called, is not called
      while (renderer.trySend(bytes)) {}
      try {
        return renderer.write(8, odd)
      } finally {
        native.drain(() => {})
      }
    },
  ],
  'SharedMemoryChannel#startReceiving': [
    (odd, { native }) => {
      native.startReceiving(odd)
      native.stopReceiving()
    },
    ...optionsOf(['signal', 'budget', 'copy', 'schedule', 'poll'], (options, { native }) => {
      native.startReceiving(() => {}, options)
      native.stopReceiving()
    }),
    ...optionsOf(['min', 'max'], (poll, { native }) => {
      native.startReceiving(() => {}, { poll: poll as never })
      native.stopReceiving()
    }),
  ],
  'SharedMemoryChannel#stopReceiving': 'no parameters',
  'SharedMemoryChannel#receive': optionsOf(['timeout', 'signal'], (options, { native, renderer }) => {
    renderer.send(bytes)
    return native.receive(options)
  }),
  'SharedMemoryChannel#Symbol(Symbol.asyncIterator)': 'no parameters',
  'SharedMemoryChannel#drain': [
    (odd, { native }) => native.drain(odd),
    (odd, { native }) => native.drain(() => {}, odd),
  ],
  'SharedMemoryChannel#receiveSync': [
    (odd, { native, renderer }) => {
      renderer.send(bytes)
      return native.receiveSync(odd)
    },
  ],
  'SharedMemoryChannel#tryReceive': [
    (odd, { native, renderer }) => {
      renderer.send(bytes)
      return native.tryReceive(odd)
    },
  ],
  'SharedMemoryChannel#readable': 'no parameters',
  'SharedMemoryChannel#writable': 'no parameters',
  'SharedMemoryChannel#port': 'no parameters',
  'SharedMemoryChannel#startWorker': [
    ...optionsOf(['builtin', 'plugin'], (options, { sabway }) => started(sabway, options)),
    ...(['wait', 'onLog', 'size', 'rate', 'count', 'unknown'] as const).map(
      (name): Try =>
        (odd, { sabway }) =>
          started(sabway, { builtin: 'source', [name]: odd }),
    ),
    (size, { sabway }) => started(sabway, { builtin: 'echo', size }),
    (own, { sabway }) => started(sabway, { plugin: '/nowhere.so', own }),
  ],
  'SharedMemoryChannel#stopWorker': 'no parameters',
  'SharedMemoryChannel#closed': 'no parameters',
  'SharedMemoryChannel#ref': 'no parameters',
  'SharedMemoryChannel#unref': 'no parameters',
  'SharedMemoryChannel#stats': 'no parameters',
  'SharedMemoryChannel#cleanup': 'no parameters',
  'SharedMemoryChannel#detach': 'no parameters',
  'SharedMemoryChannel#flush': 'no parameters',
  'SharedMemoryChannel#Symbol(Symbol.dispose)': 'no parameters',
  'SharedMemoryChannel#Symbol(Symbol.asyncDispose)': 'no parameters',
  'SharedMemoryChannel#Symbol(Symbol.toStringTag)': 'no parameters',
  'SharedMemoryChannel#Symbol(nodejs.util.inspect.custom)': 'internal',
  'SharedMemoryChannel#toJSON': 'no parameters',
  'SharedMemoryChannel#side': 'no parameters',
}
for (const name of ['onListenersChanged', 'beforeListening', 'listenerCount', 'region', 'cloneHint']) {
  channel[`SharedMemoryChannel#${name}`] = 'internal'
}
for (const name of ['addEventListener', 'removeEventListener']) channel[`SharedMemoryChannel#${name}`] = 'platform'

const region: Record<string, Row> = {
  'Region.create': [
    ...withOptions({ size: 2 ** 22 }, ['size', 'share', 'name', 'wiat'], (options, { sabway }) =>
      sabway.Region.create(options as never),
    ),
    (name, { sabway }) => sabway.Region.create({ size: 2 ** 22, share: 'processes', name }),
  ],
  'Region.over': [(odd, { sabway }) => sabway.Region.over(odd)],
  'Region.open': [(odd, { sabway }) => sabway.Region.open(odd)],
  'Region#constructor': [
    (odd, { sabway }) => Reflect.construct(sabway.Region, [odd]),
    (odd, { sabway, region }) => Reflect.construct(sabway.Region, [odd, region.memory]),
  ],
  'Region#handle': 'no parameters',
  'Region#token': 'no parameters',
  'Region#closed': 'no parameters',
  'Region#stats': 'no parameters',
  'Region#check': 'no parameters',
  'Region#close': 'no parameters',
  'Region#toJSON': 'no parameters',
  'Region#Symbol(Symbol.toStringTag)': 'no parameters',
  'Region#Symbol(nodejs.util.inspect.custom)': 'internal',
  'Region#memory': 'no parameters',
  'Region#buffer': 'no parameters',
  'Region#heap': 'no parameters',
  'Region#set': [
    (odd, { heap, memory }) => heap.region.set(odd, memory),
    (odd, { heap }) => heap.region.set('of an odd object', odd),
  ],
  'Region#get': [(odd, { heap }) => heap.region.get(odd)],
  'Region#getOrMake': [
    (odd, { heap, memory }) => heap.region.getOrMake(odd, () => memory),
    (odd, { heap }) => heap.region.getOrMake('of an odd object', () => odd),
    (odd, { heap, memory }) => {
      // so that what is a function, but cannot be called, is not called
      heap.region.set('there', memory)
      return heap.region.getOrMake('there', odd)
    },
  ],
  'Region#has': [(odd, { heap }) => heap.region.has(odd)],
  'Region#delete': [(odd, { heap }) => heap.region.delete(odd)],
  'Region#list': 'no parameters',
}
for (const name of [
  '.forChannel',
  '.holding',
  '.known',
  '.on',
  '.isRegion',
  '#join',
  '#hasPeer',
  '#deadPeer',
  '#onClose',
  '#handleOf',
  '#commons',
  '#wakes',
  '#bytes',
  '#channelHandle',
  '#freeChannel',
  '#giveHandles',
  '#handing',
  '#host',
  '#mustHaveChannel',
  '#placeOf',
  '#release',
  '#takeHandles',
  '#windows',
  '#words',
  '#core',
  '#hot',
  '#size',
  '#endpoint',
  '#instance',
  '#binding',
  '#processes',
  '#copied',
  '#cloneHint',
  '#codeHost',
]) {
  region[`Region${name}`] = 'internal'
}

const port: Record<string, Row> = {
  'ChannelPort#constructor': [
    (odd, { sabway }) => Reflect.construct(sabway.ChannelPort, [odd]),
    (odd, { sabway }) => Reflect.construct(sabway.ChannelPort, [odd, {}]),
  ],
  'ChannelPort#postMessage': [
    (odd, { port }) => port.postMessage(odd),
    (odd, { port }) => port.postMessage(1, odd),
    (odd, { port }) => port.postMessage(1, [odd]),
    ...optionsOf(['transfer'], (options, { port }) => port.postMessage(1, options)),
  ],
  'ChannelPort#onmessage': 'platform',
  'ChannelPort#onmessageerror': 'platform',
  'ChannelPort#addEventListener': 'platform',
  'ChannelPort#removeEventListener': 'platform',
  'ChannelPort#onListenersChanged': 'internal',
  'ChannelPort#beforeListening': 'internal',
  'ChannelPort#listenerCount': 'internal',
  'ChannelPort#start': 'no parameters',
  'ChannelPort#close': 'no parameters',
  'ChannelPort#ref': 'no parameters',
  'ChannelPort#unref': 'no parameters',
  'ChannelPort#end': 'internal',
  'ChannelPort#cloneHint': 'internal',
  'ChannelPort#toJSON': 'no parameters',
  'ChannelPort#Symbol(Symbol.toStringTag)': 'no parameters',
  'ChannelPort#Symbol(nodejs.util.inspect.custom)': 'internal',
}

const rest: Record<string, Row> = {
  crc32c: [(odd, { sabway }) => sabway.crc32c(odd), (odd, { sabway }) => sabway.crc32c(bytes, odd)],
  'SabwayError#constructor': [
    (odd, { sabway }) => new sabway.SabwayError(odd, 'detail'),
    (odd, { sabway }) => void new sabway.SabwayError('ERR_SABWAY_CLOSED', odd),
    ...optionsOf(['cause'], (options, { sabway }) => void new sabway.SabwayError('ERR_SABWAY_CLOSED', 'x', options)),
  ],
  'SabwayError#code': 'no parameters',
  'SabwayError#errno': 'no parameters',
  'SabwayError#name': 'no parameters',
  'SabwayError#stack': 'platform',
  'SabwayError#message': 'no parameters',
  'ChannelErrorEvent#constructor': [(odd, { sabway }) => void new sabway.ChannelErrorEvent(odd)],
  'ChannelErrorEvent#error': 'no parameters',
  'ChannelMessageEvent#constructor': [(odd, { sabway }) => void new sabway.ChannelMessageEvent(odd)],
  'ChannelMessageEvent#data': 'no parameters',
}

const heap: Record<string, Row> = {
  createPointer: [(odd, { sabway }) => sabway.createPointer(odd, 0), (odd, { sabway }) => sabway.createPointer(0, odd)],
  getPointer: [(odd, { sabway }) => sabway.getPointer(odd)],
  'MemoryHeap#constructor': [
    ...withOptions(
      { size: 2 ** 22 },
      ['size', 'share', 'name', 'bufferSize', 'initialBuffers'],
      (config, { sabway }) => {
        const made = new sabway.MemoryHeap(config)
        if (made.region !== config) made.region.close()
      },
    ),
    (memory, { sabway }) => new sabway.MemoryHeap({ sabway: 'region', memory }),
  ],
  'MemoryHeap#region': 'no parameters',
  'MemoryHeap#toJSON': 'no parameters',
  'MemoryHeap#Symbol(Symbol.toStringTag)': 'no parameters',
  'MemoryHeap#Symbol(nodejs.util.inspect.custom)': 'internal',
  'MemoryHeap#cloneHint': 'internal',
  'MemoryHeap#member': 'internal',
  'MemoryHeap#heapRegion': 'internal',
  'MemoryHeap#buffer': 'no parameters',
  'MemoryHeap#alloc': [
    (odd, { heap }) => heap.free(heap.alloc(odd)),
    ...optionsOf(['align'], (options, { heap }) => heap.free(heap.alloc(8, options))),
  ],
  'MemoryHeap#free': [(odd, { heap }) => heap.free(odd)],
  'MemoryHeap#realloc': [
    (odd, { heap }) => heap.realloc(odd, 8),
    (odd, { heap }) => {
      const pointer = heap.alloc(8)
      try {
        heap.free(heap.realloc(pointer, odd))
      } catch (error) {
        heap.free(pointer)
        throw error
      }
    },
  ],
  'MemoryHeap#usableSize': [(odd, { heap }) => heap.usableSize(odd)],
  'MemoryHeap#getSharedAlloc': [
    (odd, { heap }) => heap.getSharedAlloc(odd),
    ...withOptions(
      { bufferPosition: 0, bufferByteOffset: 16 },
      ['bufferPosition', 'bufferByteOffset'],
      (shared, { heap }) => heap.getSharedAlloc(shared as never),
    ),
  ],
  'MemoryHeap#getSharedMemory': 'no parameters',
  'MemoryHeap#currentUsed': 'no parameters',
  'MemoryHeap#totalAllocated': 'no parameters',
  'MemoryHeap#stats': 'no parameters',
  'MemoryHeap#trim': 'no parameters',
  'MemoryHeap#walk': 'no parameters',
  'MemoryHeap#check': optionsOf(['sweep'], (options, { heap }) => heap.check(options)),
  'MemoryHeap#addOnGrowBufferHandlers': [(odd, { heap }) => heap.addOnGrowBufferHandlers(odd)],
  'MemoryHeap#addSharedBuffer': [(odd, { heap }) => heap.addSharedBuffer(odd)],
  'AllocatedMemory#constructor': [
    (odd, { sabway, memory }) => new sabway.AllocatedMemory(odd, memory.pointer),
    (odd, { sabway, heap }) => new sabway.AllocatedMemory(heap, odd),
    (odd, { sabway, heap, memory }) => new sabway.AllocatedMemory(heap, memory.pointer, odd),
    (odd, { sabway, heap, memory }) => new sabway.AllocatedMemory(heap, memory.pointer, Uint8Array, odd),
  ],
  'AllocatedMemory.isMade': 'internal',
  'AllocatedMemory#heap': 'no parameters',
  'AllocatedMemory#pointer': 'no parameters',
  'AllocatedMemory#data': 'no parameters',
  'AllocatedMemory#bufferPosition': 'no parameters',
  'AllocatedMemory#bufferByteOffset': 'no parameters',
  'AllocatedMemory#getArray': [
    (odd, { memory }) => memory.getArray(odd, 0, 1),
    (odd, { memory }) => memory.getArray(Uint8Array, odd, 1),
    (odd, { memory }) => memory.getArray(Uint8Array, 0, odd),
  ],
  'AllocatedMemory#getSharedMemory': 'no parameters',
  'AllocatedMemory#free': 'no parameters',
  'AllocatedMemory#cloneHint': 'internal',
  'AllocatedMemory#Symbol(Symbol.toStringTag)': 'no parameters',
  'AllocatedMemory#toJSON': 'no parameters',
}
for (const array of ['UI32', 'I32', 'UI16', 'I16', 'UI8', 'I8', 'F32', 'F64'] as const) {
  heap[`MemoryHeap#alloc${array}`] = [(odd, { heap }) => heap[`alloc${array}`](odd).free()]
}

const mutex: Record<string, Row> = {
  'Mutex#constructor': [
    (odd, { sabway }) => new sabway.Mutex(odd),
    (odd, { sabway, heap }) => new sabway.Mutex(heap, odd),
  ],
  'Mutex.isMade': 'internal',
  'Mutex#heap': 'no parameters',
  'Mutex#pointer': 'no parameters',
  'Mutex#lock': optionsOf(['timeout', 'signal'], (options, { mutex }) => mutex.lock(options).release()),
  'Mutex#tryLock': 'no parameters',
  'Mutex#lockAsync': [
    ...optionsOf(['timeout', 'signal'], async (options, { mutex }) => (await mutex.lockAsync(options)).release()),
    // one that waits
    ...optionsOf(['timeout', 'signal'], async (options, { mutex }) => {
      const held = mutex.lock()
      const waiting = mutex.lockAsync(options)
      held.release()
      const lock = await waiting
      lock.release()
    }),
  ],
  'Mutex#locked': 'no parameters',
  'Mutex#getSharedMemory': 'no parameters',
  'Mutex#free': 'no parameters',
  'Mutex#cloneHint': 'internal',
  'Mutex#Symbol(Symbol.toStringTag)': 'no parameters',
  'Mutex#toJSON': 'no parameters',
  'Lock#constructor': [
    (odd, { sabway }) => Reflect.construct(sabway.Lock, [odd, false]),
    (odd, { sabway }) => Reflect.construct(sabway.Lock, [{}, odd]),
  ],
  'Lock#ownerDied': 'no parameters',
  'Lock#consistent': 'no parameters',
  'Lock#release': 'no parameters',
  'Lock#cloneHint': 'internal',
  'Lock#Symbol(Symbol.toStringTag)': 'no parameters',
  'Lock#Symbol(Symbol.dispose)': 'no parameters',
}

const common = { ...channel, ...region, ...port, ...heap, ...mutex, ...rest }

type Main = typeof import('sabway/electron/main')
type Renderer = typeof import('sabway/electron/renderer')

/** What an entry point exports besides. */
export const SURFACE: Readonly<Record<'index' | 'browser' | 'main' | 'renderer', Readonly<Record<string, Row>>>> = {
  index: common,
  browser: common,
  main: {
    ...common,
    SCHEME_PRIVILEGES: 'no parameters',
    registerScheme: [(odd, { sabway }) => (sabway as unknown as Main).registerScheme(odd)],
    serveScheme: [
      (odd, { sabway }) => (sabway as unknown as Main).serveScheme(odd),
      ...optionsOf(['scheme', 'headers', 'protocol', 'port'], (options, { sabway }) =>
        (sabway as unknown as Main).serveScheme('/', options),
      ),
      ...optionsOf(['x'], (headers, { sabway }) =>
        (sabway as unknown as Main).serveScheme('/', { headers: headers as never }),
      ),
    ],
    shareWithWindow: [
      (odd, { sabway, renderer }) => (sabway as unknown as Main).shareWithWindow(odd, renderer as never),
      (odd, { sabway }) => (sabway as unknown as Main).shareWithWindow(new EventEmitter() as never, odd),
      ...optionsOf(['name', 'origins'], (options, { sabway, renderer }) =>
        (sabway as unknown as Main).shareWithWindow(new EventEmitter() as never, renderer as never, options),
      ),
    ],
  },
  renderer: {
    ...common,
    connect: optionsOf(['name', 'transport'], (options, { sabway }) =>
      (sabway as unknown as Renderer).connect(options),
    ),
  },
}

function started(sabway: typeof Sabway, options: object): void {
  const made = new sabway.SharedMemoryChannel(4096, 4096)
  try {
    made.startWorker(options as never)
  } finally {
    made.cleanup()
  }
}

/** The names of all that the module's exports have, as the table has them. */
export function membersOf(module: object, instances: Record<string, object>): string[] {
  const names: string[] = []
  for (const [name, exported] of Object.entries(module)) {
    if (typeof exported !== 'function' || !/^class /.test(Function.prototype.toString.call(exported))) {
      names.push(name)
      continue
    }
    for (const key of Reflect.ownKeys(exported)) {
      if (!['length', 'name', 'prototype'].includes(key as string)) names.push(`${name}.${String(key)}`)
    }
    const found = new Set<string>()
    for (let at = exported.prototype; at !== null && !PLATFORM.has(at); at = Object.getPrototypeOf(at)) {
      for (const key of Reflect.ownKeys(at)) found.add(String(key))
    }
    for (const key of Object.getOwnPropertyNames(instances[name] ?? {})) found.add(key)
    found.delete('isTrusted') // every event's own, in some versions of Node
    names.push(
      ...[...found].map(
        (key) =>
          `${name}#${key.replace('(nodejs.dispose', '(Symbol.dispose').replace('(nodejs.async', '(Symbol.async')}`,
      ),
    )
  }
  return names.sort()
}

const PLATFORM = new Set<object>([EventTarget.prototype, Event.prototype, Error.prototype, Object.prototype])
