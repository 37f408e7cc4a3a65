// All that a program can call or set, and how a test gives each of its parameters an odd value.
// odd-values.test.ts finds by reflection what is not in this table.
import { EventEmitter } from 'node:events'
import type * as Sabway from 'sabway'
import { pools } from './surface-pools.js'
import { queues } from './surface-queues.js'

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
  /** Two fields: `hp: 'i32'`, `at: ['f32', 2]`. */
  object: InstanceType<UnitClass>
  structs: { Class: UnitClass; array: Sabway.SharedStructArray<Unit> }
  /** An empty map, one of numbers, and one with a codec whose entries expire. */
  map: Sabway.SharedMap
  numbers: Sabway.SharedMap<Sabway.MapKey, number>
  coded: Sabway.SharedMap
  /** A string, vectors of one number and of three, and a list, each with something in it. */
  string: Sabway.SharedString
  vector: Sabway.SharedVector<Int32Array>
  wide: Sabway.SharedVector<Float32Array, Float32Array>
  list: Sabway.SharedList
  pointers: Sabway.SharedPointerList<Sabway.PointerItem>
  items: Sabway.CachedItemList<Sabway.SharedString>
}

type Unit = { hp: 'i32'; at: readonly ['f32', 2] }
type UnitClass = Sabway.SharedObjectClass<Unit>

type Try = (odd: never, scene: Scene) => unknown

/**
 * `platform`: inherited from the platform's EventTarget, whose TypeErrors are as specified there.
 * `internal`: not for users. `abstract`: of a class that others extend, whose rows give the values.
 */
export type Row = readonly Try[] | 'no parameters' | 'platform' | 'internal' | 'abstract'

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
  codecOf: optionsOf(
    [
      'codec',
      'enableCompression',
      'compressionThreshold',
      'compressionLevel',
      'enableEncryption',
      'encryptionKey',
      'encryptionContext',
    ],
    (options, { sabway }) => sabway.codecOf(options),
  ),
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
  warnForgotten: [
    (odd, { sabway }) => {
      sabway.warnForgotten(odd)
      sabway.warnForgotten(false)
    },
  ],
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
  'Lock.isMade': 'internal',
  'Lock#suspend': 'internal',
  'Lock#resume': 'internal',
  'Lock#resumeAsync': 'internal',
  'Lock#ownerDied': 'no parameters',
  'Lock#consistent': 'no parameters',
  'Lock#release': 'no parameters',
  'Lock#cloneHint': 'internal',
  'Lock#Symbol(Symbol.toStringTag)': 'no parameters',
  'Lock#Symbol(Symbol.dispose)': 'no parameters',
}

/** Of objects with fields `hp: 'i32'`, `at: ['f32', 2]`. */
const record: Record<string, Row> = {
  defineObject: [
    (odd, { sabway }) => sabway.defineObject(odd),
    (odd, { sabway }) => sabway.defineObject({ hp: odd }),
    (odd, { sabway }) => sabway.defineObject({ at: [odd, 2] }),
    (odd, { sabway }) => sabway.defineObject({ at: ['f32', odd] }),
    (odd, { sabway, heap }) => new (sabway.defineObject({ hp: 'i32' }))(odd ?? heap).free(),
    (odd, { sabway, heap }) => new (sabway.defineObject({ hp: 'i32' }))(heap, odd),
    (odd, { sabway, heap }) => new (sabway.defineObject({ name: 'string' }))(heap, { values: { name: odd } }).free(),
    ...optionsOf(['values', 'undo'], (options, { sabway, heap }) =>
      new (sabway.defineObject({ hp: 'i32' }))(heap, options).free(),
    ),
  ],
  'SharedObject#constructor': [
    (odd, { sabway, heap }) => Reflect.construct(sabway.SharedObject, [heap, odd, odd]),
    (odd, { sabway, heap }) => Reflect.construct(sabway.SharedObject, [odd, heap]),
  ],
  'SharedObject#assign': [
    (odd, { object }) => {
      object.hp = odd
    },
    (odd, { object }) => {
      ;(object as { at: unknown }).at = odd
    },
    (odd, { object }) => object.assign(odd),
    ...optionsOf(['hp', 'at', 'x'], (values, { object }) => object.assign(values)),
  ],
  'SharedObject#lock': [
    // a function, which may be a class, would be called
    (odd, { object }) => typeof odd !== 'function' && object.lock(odd),
    ...optionsOf(['timeout'], (options, { object }) => object.lock(() => 0, options)),
    ...optionsOf(['hp', 'at', 'x'], (values, { object }) => object.lock((fields) => fields.assign(values))),
    (odd, { object }) => object.lock((fields) => (fields.hp = odd)),
    (odd, { object }) => object.lock(({ at }) => (at[0] = odd)),
    (odd, { object }) => object.lock(({ at }) => at.set(odd)),
    (odd, { object }) => object.lock(({ at }) => at.set([1], odd)),
    (odd, { object }) => void object.lock(() => odd),
  ],
  'SharedObject#tryLock': [
    (odd, { object }) => typeof odd !== 'function' && object.tryLock(odd),
    (odd, { object }) => object.tryLock(() => odd),
  ],
  'SharedObject#lockAsync': [
    (odd, { object }) => typeof odd !== 'function' && object.lockAsync(odd),
    ...optionsOf(['timeout', 'signal'], (options, { object }) => object.lockAsync(() => 0, options)),
    async (odd, { object }) => void (await object.lockAsync(() => odd)),
  ],
  'SharedObject#snapshot': 'no parameters',
  'SharedObject#atomicLoad': [(odd, { object }) => object.atomicLoad(odd)],
  'SharedObject#atomicStore': [
    (odd, { object }) => object.atomicStore(odd, 1 as never),
    (odd, { object }) => object.atomicStore('hp', odd),
  ],
  'SharedObject#atomicAdd': [
    (odd, { object }) => object.atomicAdd(odd, 1 as never),
    (odd, { object }) => object.atomicAdd('hp', odd),
  ],
  'SharedObject#atomicExchange': [
    (odd, { object }) => object.atomicExchange(odd, 1 as never),
    (odd, { object }) => object.atomicExchange('hp', odd),
  ],
  'SharedObject#atomicCompareExchange': [
    (odd, { object }) => object.atomicCompareExchange(odd, 1 as never, 1 as never),
    (odd, { object }) => object.atomicCompareExchange('hp', odd, 1),
    (odd, { object }) => object.atomicCompareExchange('hp', 1, odd),
  ],
  'SharedStructArray#constructor': [
    (odd, { sabway, structs }) => new sabway.SharedStructArray(odd, structs.Class, { length: 2 }),
    (odd, { sabway, heap }) => new sabway.SharedStructArray(heap, odd, { length: 2 }),
    (odd, { sabway, heap, structs }) => new sabway.SharedStructArray(heap, structs.Class, odd),
    ...withOptions({ length: 2 }, ['length', 'layout', 'undo'], (options, { sabway, heap, structs }) =>
      new sabway.SharedStructArray(heap, structs.Class, options as never).free(),
    ),
  ],
  'SharedStructArray#at': [
    (odd, { structs }) => void structs.array.at(odd),
    (odd, { structs }) => {
      structs.array.at(0).index = odd
    },
    (odd, { structs }) => {
      structs.array.at(0).hp = odd
    },
    (odd, { structs }) => {
      ;(structs.array.at(0) as { at: unknown }).at = odd
    },
    (odd, { structs }) => structs.array.at(0).assign(odd),
  ],
  'SharedStructArray#strided': [(odd, { structs }) => void structs.array.strided(odd)],
  'SharedStructArray#snapshot': [(odd, { structs }) => void structs.array.snapshot(odd)],
  'SharedStructArray#lock': [
    (odd, { structs }) => typeof odd !== 'function' && structs.array.lock(odd),
    ...optionsOf(['timeout'], (options, { structs }) => structs.array.lock(() => 0, options)),
    (odd, { structs }) => structs.array.lock((objects) => void objects.at(odd)),
  ],
  'SharedStructArray#tryLock': [(odd, { structs }) => typeof odd !== 'function' && structs.array.tryLock(odd)],
  'SharedStructArray#lockAsync': [
    (odd, { structs }) => typeof odd !== 'function' && structs.array.lockAsync(odd),
    ...optionsOf(['timeout', 'signal'], (options, { structs }) => structs.array.lockAsync(() => 0, options)),
  ],
  'SharedStructArray#length': 'no parameters',
  'SharedStructArray#structLayout': 'no parameters',
  'SharedStructArray#columns': 'no parameters',
  'SharedStructArray#Symbol(Symbol.iterator)': 'no parameters',
  convertFloat32ToInt32: [(odd, { sabway }) => sabway.convertFloat32ToInt32(odd)],
  convertInt32ToFloat32: [(odd, { sabway }) => sabway.convertInt32ToFloat32(odd)],
  serializeObjectToMemory: [
    (odd, { sabway }) => sabway.serializeObjectToMemory(odd, {}),
    (odd, { sabway, heap }) => sabway.serializeObjectToMemory(heap, odd).free(),
    (odd, { sabway, heap }) => sabway.serializeObjectToMemory(heap, { odd }).free(),
  ],
  createObjectFromMemory: [(odd, { sabway }) => sabway.createObjectFromMemory(odd)],
  createObjectFromPointer: [
    (odd, { sabway, memory }) => sabway.createObjectFromPointer(odd, memory.pointer),
    (odd, { sabway, heap }) => sabway.createObjectFromPointer(heap, odd),
  ],
}
for (const name of ['loadFloat32', 'storeFloat32', 'exchangeFloat32', 'addFloat32', 'addFloat64'] as const) {
  const call = (sabway: Scene['sabway']) => sabway[name] as (data: object, index: number, value: number) => unknown
  const data = name === 'addFloat64' ? new Float64Array(2) : new Float32Array(2)
  record[name] = [
    (odd, { sabway }) => call(sabway)(odd, 0, 1),
    (odd, { sabway }) => call(sabway)(data, odd, 1),
    (odd, { sabway }) => call(sabway)(data, 0, odd),
  ]
}
for (const name of ['SharedObject', 'SharedStructArray']) {
  for (const member of ['heap', 'pointer', 'getSharedMemory', 'free', 'isFreed', 'toJSON', 'Symbol(Symbol.dispose)'])
    record[`${name}#${member}`] = 'no parameters'
  for (const member of [
    'cloneHint',
    'generation',
    'member',
    'shape',
    'layout',
    'plan',
    'regionViews',
    'regionWords',
    'fieldsAt',
    'lifeIndex',
    'lifeWord',
    'release',
    'error',
    'gone',
    'mustLive',
    'scalar',
    'draft',
    'locked',
    'tryLocked',
    'lockedAsync',
    'change',
    'copyOf',
    'textAt',
    'setText',
    'Symbol(nodejs.util.inspect.custom)',
  ])
    record[`${name}#${member}`] = 'internal'
}
record['SharedObject#fieldArrays'] = 'internal'
for (const member of ['place', 'setValue']) record[`SharedStructArray#${member}`] = 'internal'

const MAP_OPTIONS = ['codec', 'numeric', 'maxEntries', 'evict', 'ttl', 'capacity'] as const

/** Of a key and a value, and of the options of a call. */
const entryOf = (call: (key: never, value: never, options: object, scene: Scene) => unknown): Try[] => [
  (odd, scene) => call(odd, 1 as never, {}, scene),
  (odd, scene) => call('key' as never, odd, {}, scene),
  ...optionsOf(['ttl'], (options, scene) => call('key' as never, 1 as never, options, scene)),
]

/** What a program's own function throws is for the program. */
const notCalled = (odd: never): never => (typeof odd === 'function' ? ((() => 1) as never) : odd)

const maps: Record<string, Row> = {
  'SharedMap#constructor': [
    (odd, { sabway }) => new sabway.SharedMap(odd),
    (odd, { sabway, heap }) => new sabway.SharedMap(heap, odd).free(),
    ...optionsOf(MAP_OPTIONS, (options, { sabway, heap }) => new sabway.SharedMap(heap, options).free()),
    (odd, { sabway, heap, map }) => new sabway.SharedMap(heap, { ...map.getSharedMemory(), bufferPosition: odd }),
    (odd, { sabway, heap, map }) => new sabway.SharedMap(heap, { ...map.getSharedMemory(), bufferByteOffset: odd }),
    (odd, { sabway, heap, map }) => new sabway.SharedMap(heap, { ...map.getSharedMemory(), generation: odd }),
    (odd, { sabway, heap, map }) => new sabway.SharedMap(heap, map.getSharedMemory(), odd),
    ...optionsOf(['codec'], (open, { sabway, heap, map }) => new sabway.SharedMap(heap, map.pointer, open)),
    ...optionsOf(['codec', 'ttl'], (options, { sabway }) => new sabway.SharedMap(10, options).free()),
  ],
  'SharedMap#get': [(odd, { map }) => map.get(odd), (odd, { coded }) => coded.get(odd)],
  'SharedMap#set': [
    ...entryOf((key, value, options, { map }) => map.set(key, value, options)),
    ...entryOf((key, value, options, { coded }) => coded.set(key, value, options)),
    ...entryOf((key, value, options, { numbers }) => numbers.set(key, value, options)),
  ],
  'SharedMap#has': [(odd, { map }) => map.has(odd)],
  'SharedMap#delete': [(odd, { map }) => map.delete(odd)],
  'SharedMap#update': [
    (odd, { map }) => map.update(odd, () => 1),
    (odd, { map }) => map.update('key', notCalled(odd)),
    (odd, { map }) => map.update('key', () => odd),
    (odd, { map }) => map.update('key', () => 1, odd),
  ],
  'SharedMap#compareAndSet': [
    (odd, { map }) => map.compareAndSet(odd, 1, 2),
    (odd, { map }) => map.compareAndSet('key', odd, 2),
    (odd, { map }) => map.compareAndSet('key', 1, odd),
    (odd, { map }) => map.compareAndSet('key', 1, 2, odd),
  ],
  'SharedMap#getOrInsert': entryOf((key, value, options, { coded }) => coded.getOrInsert(key, value, options)),
  'SharedMap#getOrInsertComputed': [
    (odd, { map }) => map.getOrInsertComputed(odd, () => 1),
    (odd, { map }) => map.getOrInsertComputed('other', notCalled(odd)),
    (odd, { map }) => map.getOrInsertComputed('third', () => odd),
    (odd, { map }) => map.getOrInsertComputed('fourth', () => 1, odd),
  ],
  'SharedMap#computeIfAbsent': [
    (odd, { map }) => map.computeIfAbsent(odd, () => 1),
    (odd, { map }) => map.computeIfAbsent('other', notCalled(odd)),
    (odd, { map }) => map.computeIfAbsent('other', () => 1, odd),
  ],
  'SharedMap#putIfAbsent': entryOf((key, value, options, { coded }) => coded.putIfAbsent(key, value, options)),
  'SharedMap#replace': entryOf((key, value, options, { coded }) => coded.replace(key, value, options)),
  'SharedMap#add': [
    (odd, { numbers }) => numbers.add(odd),
    (odd, { numbers }) => numbers.add('key', odd),
    (odd, { map }) => map.add('key', odd),
  ],
  'SharedMap#getAll': [(odd, { map }) => map.getAll(odd), (odd, { map }) => map.getAll([odd])],
  'SharedMap#setAll': [
    (odd, { map }) => map.setAll(odd),
    (odd, { map }) => map.setAll([odd]),
    (odd, { map }) => map.setAll([['key', odd]]),
    (odd, { map }) => map.setAll([], odd),
    (odd, { coded }) => coded.setAll([['key', 1]], odd),
  ],
  'SharedMap#forEach': [(odd, { map }) => map.forEach(odd), (odd, { map }) => map.forEach(() => {}, odd)],
  'ConcurrentHashMap#constructor': [
    (odd, { sabway }) => new sabway.ConcurrentHashMap(odd),
    (odd, { sabway, heap }) => new sabway.ConcurrentHashMap(heap, odd).free(),
    ...optionsOf(['initialCapacity', 'concurrencyLevel', 'maxEntries'], (options, { sabway, heap }) =>
      new sabway.ConcurrentHashMap(heap, options).free(),
    ),
    (odd, { sabway, heap, map }) => new sabway.ConcurrentHashMap(heap, map.getSharedMemory(), odd),
    (odd, { sabway }) => new sabway.ConcurrentHashMap(10, odd).free(),
  ],
}
for (const name of [
  'region',
  'getSize',
  'getCapacity',
  'isEmpty',
  'clear',
  'prune',
  'size',
  'length',
  'entries',
  'keys',
  'values',
  'Symbol(Symbol.iterator)',
  'check',
])
  maps[`SharedMap#${name}`] = 'no parameters'
for (const name of ['heap', 'pointer', 'getSharedMemory', 'free', 'isFreed', 'toJSON'])
  maps[`SharedMap#${name}`] = 'no parameters'
for (const name of ['Symbol(Symbol.dispose)', 'Symbol(Symbol.toStringTag)']) maps[`SharedMap#${name}`] = 'no parameters'
for (const name of ['cloneHint', 'generation', 'member', 'release', 'error', 'Symbol(nodejs.util.inspect.custom)'])
  maps[`SharedMap#${name}`] = 'internal'
for (const [name, row] of Object.entries(maps)) {
  const [, member] = /^SharedMap(#.*)$/.exec(name) ?? []
  if (member !== undefined) maps[`ConcurrentHashMap${member}`] ??= typeof row === 'string' ? row : 'no parameters'
}

/** A constructor's parameters: where it is made, and what of. */
const containerOf = (name: 'SharedString' | 'SharedVector' | 'SharedList', of: (scene: Scene) => object): Try[] => {
  const made = (scene: Scene, home: never, given: never) =>
    Reflect.construct(scene.sabway[name], [home, given]) as Sabway.SharedString
  const shared = (scene: Scene) => (of(scene) as Sabway.SharedString).getSharedMemory()
  return [
    (odd, scene) => made(scene, odd, undefined as never),
    (odd, scene) => made(scene, scene.heap as never, odd).free(),
    (odd, scene) => made(scene, scene.heap as never, { ...shared(scene), bufferPosition: odd } as never),
    (odd, scene) => made(scene, scene.heap as never, { ...shared(scene), bufferByteOffset: odd } as never),
    (odd, scene) => made(scene, scene.heap as never, { ...shared(scene), generation: odd } as never),
  ]
}

const containers: Record<string, Row> = {
  'SharedString#constructor': containerOf('SharedString', ({ string }) => string),
  'SharedString#value': [
    (odd, { string }) => {
      string.value = odd
    },
  ],
  'SharedString#compareAndSet': [
    (odd, { string }) => string.compareAndSet(odd, ''),
    (odd, { string }) => string.compareAndSet('', odd),
  ],
  'SharedString#update': [
    (odd, { string }) => string.update(notCalled(odd)),
    (odd, { string }) => string.update(() => odd),
  ],
  'SharedString#toString': 'no parameters',
  'SharedVector#constructor': [
    ...containerOf('SharedVector', ({ vector }) => vector),
    ...optionsOf(['type', 'dataLength', 'bufferLength'], (options, { sabway, heap }) =>
      new sabway.SharedVector(heap, options).free(),
    ),
  ],
  'SharedVector#get': [(odd, { vector }) => vector.get(odd), (odd, { wide }) => wide.get(odd)],
  'SharedVector#at': [(odd, { vector }) => vector.at(odd), (odd, { wide }) => wide.at(odd)],
  'SharedVector#set': [
    (odd, { vector }) => vector.set(odd, 1),
    (odd, { vector }) => vector.set(0, odd),
    (odd, { wide }) => wide.set(odd, 1),
    (odd, { wide }) => wide.set(0, odd),
    (odd, { wide }) => wide.set(0, [odd]),
  ],
  'SharedVector#add': [
    (odd, { vector }) => vector.add(odd, 1),
    (odd, { vector }) => vector.add(0, odd),
    (odd, { vector }) => vector.add(0, 1, odd),
    (odd, { wide }) => wide.add(0, odd),
  ],
  'SharedVector#compareExchange': [
    (odd, { vector }) => vector.compareExchange(odd, 1, 2),
    (odd, { vector }) => vector.compareExchange(0, odd, 2),
    (odd, { vector }) => vector.compareExchange(0, 1, odd),
    (odd, { vector }) => vector.compareExchange(0, 1, 2, odd),
  ],
  'SharedVector#push': [
    (odd, { vector }) => vector.push(odd),
    (odd, { wide }) => wide.push(odd),
    (odd, { wide }) => wide.push([1, odd]),
  ],
  'SharedVector#pushAll': [
    (odd, { vector }) => vector.pushAll(odd),
    (odd, { vector }) => vector.pushAll([1, odd]),
    (odd, { wide }) => wide.pushAll(odd),
  ],
  'SharedVector#deleteIndex': [(odd, { vector }) => vector.deleteIndex(odd)],
  'SharedVector#forEach': [(odd, { vector }) => vector.forEach(notCalled(odd))],
  'SharedList#constructor': [
    ...containerOf('SharedList', ({ list }) => list),
    ...optionsOf(['type', 'dataLength', 'initWithBlock', 'firstBlock'], (options, { sabway, heap }) =>
      new sabway.SharedList(heap, options as never).free(),
    ),
  ],
  'SharedList.ALLOCATE_COUNT': 'no parameters',
  'SharedList#onDelete': 'no parameters',
  'SharedList#insert': [(odd, { list }) => list.insert(odd), (odd, { list }) => list.insert([odd])],
  'SharedList#deleteIndex': [(odd, { list }) => list.deleteIndex(odd)],
  'SharedList#deleteValue': [(odd, { list }) => list.deleteValue(odd), (odd, { list }) => list.deleteValue([odd])],
  'SharedList#deleteMatch': [(odd, { list }) => list.deleteMatch(notCalled(odd))],
  'SharedList#forEach': [(odd, { list }) => list.forEach(notCalled(odd))],
  'SharedPointerList#constructor': [
    (odd, { pointers }) => Reflect.construct(pointers.constructor, [odd]),
    (odd, { heap, pointers }) => Reflect.construct(pointers.constructor, [heap, odd]).free(),
  ],
  'SharedPointerList#insert': [(odd, { pointers }) => pointers.insert(odd)],
  'SharedPointerList#delete': [(odd, { pointers }) => pointers.delete(odd)],
  'SharedPointerList#forEach': [(odd, { pointers }) => pointers.forEach(notCalled(odd))],
  'SharedPointerList#find': [(odd, { pointers }) => pointers.find(notCalled(odd))],
  'CachedItemList#constructor': [
    (odd, { items }) => Reflect.construct(items.constructor, [odd]),
    (odd, { heap, items }) => Reflect.construct(items.constructor, [heap, odd]).free(),
  ],
  'CachedItemList.ALLOCATE_COUNT': 'no parameters',
  'CachedItemList#cache': 'internal',
  'CachedItemList#insert': [(odd, { items }) => items.insert(odd)],
  'CachedItemList#delete': [(odd, { items }) => items.delete(odd)],
  'CachedItemList#getByPointer': [(odd, { items }) => items.getByPointer(odd)],
  'CachedItemList#forEach': [
    (odd, { items }) => items.forEach(notCalled(odd)),
    (odd, { items }) => items.forEach(() => {}, notCalled(odd)),
  ],
  'CachedItemList#find': [(odd, { items }) => items.find(notCalled(odd))],
  'CachedItemList#filter': [(odd, { items }) => items.filter(notCalled(odd))],
  'CachedItemList#map': [(odd, { items }) => items.map(notCalled(odd))],
  'CachedItemList#clear': 'no parameters',
}
const ITERATOR = 'Symbol(Symbol.iterator)'
const WITHOUT: Record<string, readonly string[]> = {
  SharedString: [],
  SharedVector: ['length', 'bufferLength', 'type', 'dataLength', 'pop', 'clear', 'segments', ITERATOR],
  SharedList: ['length', 'type', 'dataLength', 'clear', ITERATOR],
}
for (const [name, members] of Object.entries(WITHOUT)) {
  for (const each of [...members, 'heap', 'pointer', 'getSharedMemory', 'free', 'isFreed', 'toJSON'])
    containers[`${name}#${each}`] = 'no parameters'
  for (const each of ['Symbol(Symbol.dispose)', 'Symbol(Symbol.toStringTag)'])
    containers[`${name}#${each}`] = 'no parameters'
  for (const each of ['cloneHint', 'generation', 'member', 'release', 'error', 'Symbol(nodejs.util.inspect.custom)'])
    containers[`${name}#${each}`] = 'internal'
}
for (const name of ['SharedPointerList', 'CachedItemList']) {
  for (const each of ['list', 'heap', 'length', 'getSharedMemory', 'free', ITERATOR])
    containers[`${name}#${each}`] = 'no parameters'
}

type SyncName =
  | 'SharedEvent'
  | 'SharedSemaphore'
  | 'SharedCondition'
  | 'SharedRwLock'
  | 'SharedBarrier'
  | 'SharedWaitGroup'
  | 'SharedOnce'
  | 'SharedSpinLock'
type SyncClass = Sabway.SharedEvent | Sabway.SharedSemaphore

/** What the constructor takes, and an object that is made for one call and freed behind it. */
const syncOf = (name: SyncName, needed: object | undefined, options: readonly string[]) => {
  const made = ({ sabway, heap }: Scene, given: unknown = needed): SyncClass =>
    Reflect.construct(sabway[name], [heap, given]) as SyncClass
  const using = <T>(call: (odd: never, object: T) => unknown): Try => {
    return (odd, scene) => {
      const object = made(scene)
      try {
        const result = call(odd, object as never)
        if (!(result instanceof Promise)) return result
        return result.finally(() => object.free())
      } finally {
        object.free()
      }
    }
  }
  const shared = (scene: Scene, more: object) => {
    const object = made(scene)
    try {
      return made(scene, { ...object.getSharedMemory(), ...more })
    } finally {
      object.free()
    }
  }
  const constructing: Try[] = [
    (odd, { sabway }) => Reflect.construct(sabway[name], [odd, needed]),
    (odd, scene) => made(scene, odd).free(),
    (odd, scene) => shared(scene, { bufferPosition: odd }),
    (odd, scene) => shared(scene, { bufferByteOffset: odd }),
    (odd, scene) => shared(scene, { generation: odd }),
    ...options.map(
      (option): Try =>
        (odd, scene) =>
          made(scene, { ...needed, [option]: odd }).free(),
    ),
  ]
  return { constructing, using }
}

const event = syncOf('SharedEvent', {}, ['autoReset', 'set'])
const semaphore = syncOf('SharedSemaphore', { permits: 2 }, ['permits', 'initial'])
const condition = syncOf('SharedCondition', undefined, [])
const rwlock = syncOf('SharedRwLock', undefined, [])
const barrier = syncOf('SharedBarrier', { parties: 1 }, ['parties', 'onDeath'])
const group = syncOf('SharedWaitGroup', {}, ['onDeath'])
const once = syncOf('SharedOnce', undefined, [])
const spin = syncOf('SharedSpinLock', undefined, [])
const word = () => new Int32Array(new SharedArrayBuffer(8))
/** What a wait can be given; the object lets it go on at once. */
const waiting = <T>(
  { using }: ReturnType<typeof syncOf>,
  names: readonly string[],
  call: (object: T, options: object) => unknown,
): Try[] => [
  using<T>((odd, object) => call(object, odd)),
  ...names.map((name) => using<T>((odd, object) => call(object, { [name]: odd }))),
]
const BLOCK = ['timeout'] as const
const WAIT = ['timeout', 'signal'] as const

const sync: Record<string, Row> = {
  'SharedEvent#constructor': event.constructing,
  'SharedEvent#wait': waiting<Sabway.SharedEvent>(event, BLOCK, (object, options) => {
    object.set()
    object.wait(options)
  }),
  'SharedEvent#waitAsync': waiting<Sabway.SharedEvent>(event, WAIT, (object, options) => {
    object.set()
    return object.waitAsync(options)
  }),
  'SharedSemaphore#constructor': semaphore.constructing,
  'SharedSemaphore#acquire': waiting<Sabway.SharedSemaphore>(semaphore, BLOCK, (object, options) =>
    object.acquire(options),
  ),
  'SharedSemaphore#acquireAsync': waiting<Sabway.SharedSemaphore>(semaphore, WAIT, (object, options) =>
    object.acquireAsync(options),
  ),
  'SharedCondition#constructor': condition.constructing,
  'SharedCondition#wait': [condition.using<Sabway.SharedCondition>((odd, object) => object.wait(odd))],
  'SharedCondition#waitAsync': [condition.using<Sabway.SharedCondition>((odd, object) => object.waitAsync(odd))],
  'SharedRwLock#constructor': rwlock.constructing,
  'SharedRwLock#readLock': waiting<Sabway.SharedRwLock>(rwlock, BLOCK, (object, options) => object.readLock(options)),
  'SharedRwLock#readLockAsync': waiting<Sabway.SharedRwLock>(rwlock, WAIT, (object, options) =>
    object.readLockAsync(options),
  ),
  'SharedRwLock#writeLock': waiting<Sabway.SharedRwLock>(rwlock, BLOCK, (object, options) => object.writeLock(options)),
  'SharedRwLock#writeLockAsync': waiting<Sabway.SharedRwLock>(rwlock, WAIT, (object, options) =>
    object.writeLockAsync(options),
  ),
  'SharedBarrier#constructor': barrier.constructing,
  'SharedBarrier#wait': waiting<Sabway.SharedBarrier>(barrier, BLOCK, (object, options) => object.wait(options)),
  'SharedBarrier#waitAsync': waiting<Sabway.SharedBarrier>(barrier, WAIT, (object, options) =>
    object.waitAsync(options),
  ),
  'SharedWaitGroup#constructor': group.constructing,
  'SharedWaitGroup#add': [group.using<Sabway.SharedWaitGroup>((odd, object) => object.add(odd))],
  'SharedWaitGroup#wait': waiting<Sabway.SharedWaitGroup>(group, BLOCK, (object, options) => object.wait(options)),
  'SharedWaitGroup#waitAsync': waiting<Sabway.SharedWaitGroup>(group, WAIT, (object, options) =>
    object.waitAsync(options),
  ),
  'SharedOnce#constructor': once.constructing,
  'SharedOnce#run': [
    once.using<Sabway.SharedOnce>((odd, object) => object.run(notCalled(odd))),
    once.using<Sabway.SharedOnce>((odd, object) => object.run(() => {}, odd)),
  ],
  'SharedOnce#runAsync': [
    once.using<Sabway.SharedOnce>((odd, object) => object.runAsync(notCalled(odd))),
    once.using<Sabway.SharedOnce>((odd, object) => object.runAsync(() => {}, odd)),
  ],
  'SharedSpinLock#constructor': spin.constructing,
  'SharedSpinLock#lock': waiting<Sabway.SharedSpinLock>(spin, BLOCK, (object, options) => object.lock(options)),
  'SpinLock#constructor': [
    (odd, { sabway }) => new sabway.SpinLock(odd),
    (odd, { sabway }) => new sabway.SpinLock(word(), odd),
  ],
  'SpinLock#lock': optionsOf(['timeout'], (options, { sabway }) => new sabway.SpinLock(word()).lock(options)),
  'SharedMemoryAtomics.acquireMutex': [
    (odd, { sabway }) => sabway.SharedMemoryAtomics.acquireMutex(odd, 0),
    (odd, { sabway }) => sabway.SharedMemoryAtomics.acquireMutex(word(), odd),
  ],
  'SharedMemoryAtomics.releaseMutex': [
    (odd, { sabway }) => sabway.SharedMemoryAtomics.releaseMutex(odd, 0),
    (odd, { sabway }) => sabway.SharedMemoryAtomics.releaseMutex(word().fill(1), odd),
  ],
  'SharedMemoryAtomics.tryAcquireMutex': [
    (odd, { sabway }) => sabway.SharedMemoryAtomics.tryAcquireMutex(odd, 0),
    (odd, { sabway }) => sabway.SharedMemoryAtomics.tryAcquireMutex(word(), odd),
  ],
  'SharedMemoryAtomics.waitCondition': [
    (odd, { sabway }) => sabway.SharedMemoryAtomics.waitCondition(odd, 0, 1),
    (odd, { sabway }) => sabway.SharedMemoryAtomics.waitCondition(word(), odd, 1),
    (odd, { sabway }) => sabway.SharedMemoryAtomics.waitCondition(word().fill(12345), 0, odd),
  ],
  'SharedMemoryAtomics.notifyCondition': [
    (odd, { sabway }) => sabway.SharedMemoryAtomics.notifyCondition(odd, 0),
    (odd, { sabway }) => sabway.SharedMemoryAtomics.notifyCondition(word(), odd),
    (odd, { sabway }) => sabway.SharedMemoryAtomics.notifyCondition(word(), 0, odd),
  ],
  'SharedMemoryAtomics.notifyAllConditions': [
    (odd, { sabway }) => sabway.SharedMemoryAtomics.notifyAllConditions(odd, 0),
    (odd, { sabway }) => sabway.SharedMemoryAtomics.notifyAllConditions(word(), odd),
  ],
  'SharedMemoryAtomics.barrier': [
    (odd, { sabway }) => sabway.SharedMemoryAtomics.barrier(odd, 0, 1),
    (odd, { sabway }) => sabway.SharedMemoryAtomics.barrier(word(), odd, 1),
    (odd, { sabway }) => sabway.SharedMemoryAtomics.barrier(word(), 0, odd),
  ],
  'SharedMemoryAtomics.waitBarrier': [
    (odd, { sabway }) => sabway.SharedMemoryAtomics.waitBarrier(odd, 0),
    (odd, { sabway }) => sabway.SharedMemoryAtomics.waitBarrier(word(), odd),
  ],
  'SharedMemoryAtomics.fence': 'no parameters',
  'SharedMemoryAtomics#constructor': 'no parameters',
  'SharedMemoryAtomics.load': [
    (odd, { sabway }) => sabway.SharedMemoryAtomics.load(odd, 0),
    (odd, { sabway }) => sabway.SharedMemoryAtomics.load(word(), odd),
  ],
  'SharedMemoryAtomics.store': [
    (odd, { sabway }) => sabway.SharedMemoryAtomics.store(odd, 0, 1),
    (odd, { sabway }) => sabway.SharedMemoryAtomics.store(word(), odd, 1),
    (odd, { sabway }) => sabway.SharedMemoryAtomics.store(word(), 0, odd),
  ],
}
const SYNC_MEMBERS: Record<string, readonly string[]> = {
  SharedEvent: ['set', 'reset', 'isSet', 'tryWait'],
  SharedSemaphore: ['permits', 'available', 'tryAcquire', 'post'],
  SharedCondition: ['notifyOne', 'notifyAll'],
  SharedRwLock: ['tryReadLock', 'tryWriteLock'],
  SharedBarrier: ['parties', 'isBroken', 'join', 'leave', 'reset'],
  SharedWaitGroup: ['claim', 'done', 'left', 'mend', 'tryWait'],
  SharedOnce: ['isDone'],
  SharedSpinLock: ['tryLock'],
}
for (const [name, members] of Object.entries(SYNC_MEMBERS)) {
  for (const each of [...members, 'heap', 'pointer', 'getSharedMemory', 'free', 'isFreed', 'toJSON'])
    sync[`${name}#${each}`] = 'no parameters'
  for (const each of ['Symbol(Symbol.dispose)', 'Symbol(Symbol.toStringTag)']) sync[`${name}#${each}`] = 'no parameters'
  const internal = [
    'cloneHint',
    'generation',
    'member',
    'release',
    'error',
    'Symbol(nodejs.util.inspect.custom)',
    'calls',
  ]
  for (const each of internal) sync[`${name}#${each}`] = 'internal'
}
const HELD: Record<string, readonly string[]> = {
  Permit: ['release', 'consume'],
  ReadLock: ['release'],
  WriteLock: ['release', 'consistent', 'ownerDied'],
  WaitGroupPart: ['done'],
  SpinHold: ['release', 'ownerDied'],
}
for (const [name, members] of Object.entries(HELD)) {
  for (const each of [...members, 'Symbol(Symbol.dispose)', 'Symbol(Symbol.toStringTag)'])
    sync[`${name}#${each}`] = 'no parameters'
  for (const each of ['constructor', 'cloneHint']) sync[`${name}#${each}`] = 'internal'
}
for (const each of ['int32', 'index', 'tryLock', 'unlock', 'Symbol(Symbol.toStringTag)'])
  sync[`SpinLock#${each}`] = 'no parameters'

const common = {
  ...channel,
  ...region,
  ...port,
  ...heap,
  ...mutex,
  ...sync,
  ...maps,
  ...containers,
  ...record,
  ...rest,
  ...pools,
  ...queues,
}

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
