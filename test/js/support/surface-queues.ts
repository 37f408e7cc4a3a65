// The rows of surface.ts for queues, channels, broadcasts and task pools.
import type * as Sabway from 'sabway'
import type { Row, Scene } from './surface.js'

type Try = Exclude<Row, string>[number]
type Freed = { free(): void }

/** Calls on an object that is made for each of them, and freed behind it. */
const on =
  <T extends Freed>(make: (scene: Scene) => T) =>
  (call: (odd: never, object: T) => unknown): Try =>
  (odd, scene) => {
    const object = make(scene)
    const result = (() => {
      try {
        return call(odd, object)
      } catch (error) {
        object.free()
        throw error
      }
    })()
    if (result instanceof Promise) return result.finally(() => object.free())
    object.free()
    return undefined
  }

/** A call with odd options, and with each of them odd. */
const each = <T extends Freed>(
  using: (call: (odd: never, object: T) => unknown) => Try,
  names: readonly string[],
  call: (options: never, object: T) => unknown,
): Try[] => [using(call), ...names.map((name) => using((odd, object) => call({ [name]: odd } as never, object)))]

const WAIT = ['timeout', 'signal']
const BLOCK = ['timeout']
const CODING = ['codec', 'enableCompression', 'compressionThreshold', 'enableEncryption', 'encryptionKey']
const QUEUE = ['capacity', ...CODING]

/** What the constructor takes. */
const constructing = (
  name:
    | 'LockFreeQueue'
    | 'RingBufferChannel'
    | 'MultiProducerQueue'
    | 'PriorityQueue'
    | 'SharedChannel'
    | 'SharedBroadcast',
  options: readonly string[],
): Try[] => {
  const needed = name === 'SharedBroadcast' ? {} : { capacity: 4 }
  const made = (sabway: typeof Sabway, home: unknown, given?: unknown) => {
    const object = Reflect.construct(sabway[name], [home, given]) as Freed
    object.free()
  }
  const shared = ({ sabway, heap }: Scene, more: object) => {
    const object = Reflect.construct(sabway[name], [heap, needed]) as Freed & { getSharedMemory(): object }
    try {
      void Reflect.construct(sabway[name], [heap, { ...object.getSharedMemory(), ...more }])
    } finally {
      object.free()
    }
  }
  const opened = ({ sabway, heap }: Scene, open: unknown) => {
    const object = Reflect.construct(sabway[name], [heap, needed]) as Freed & { getSharedMemory(): object }
    try {
      void Reflect.construct(sabway[name], [heap, object.getSharedMemory(), open])
    } finally {
      object.free()
    }
  }
  return [
    (odd, { sabway }) => made(sabway, odd),
    (odd, { sabway, heap }) => made(sabway, heap, odd),
    (odd, scene) => opened(scene, odd),
    (odd, scene) => opened(scene, { codec: odd }),
    ...['bufferPosition', 'bufferByteOffset', 'generation'].map(
      (field): Try =>
        (odd, scene) =>
          shared(scene, { [field]: odd }),
    ),
    ...options.map(
      (option): Try =>
        (odd, { sabway, heap }) =>
          made(sabway, heap, { ...needed, [option]: odd }),
    ),
  ]
}

const rows: Record<string, Row> = {}

// ---- queues: each with a value in it, so that no call waits ----

const PROTECTED =
  'block call closedError drop error failure nudge pack put release takeCell takeOrEnd takeOrThrow unpack wait cloneHint'
const NONE =
  'tryDequeue peek getSize getCapacity isEmpty isFull clear close isClosed free isFreed getSharedMemory toJSON region heap pointer'
const SYMBOLS = ['Symbol.dispose', 'Symbol.toStringTag', 'Symbol.asyncIterator']

function queueRows<T extends Sabway.SharedQueue<unknown>>(name: string, make: (scene: Scene) => T) {
  const using = on(make)
  for (const member of NONE.split(' ')) rows[`${name}#${member}`] = 'no parameters'
  for (const symbol of SYMBOLS) rows[`${name}#Symbol(${symbol})`] = 'no parameters'
  const internal = [...PROTECTED.split(' '), 'generation', 'member', 'attachment', 'flags']
  for (const member of [...internal, 'Symbol(nodejs.util.inspect.custom)']) rows[`${name}#${member}`] = 'internal'
  rows[`${name}#dequeueAsync`] = each(using, WAIT, (options, queue) => queue.dequeueAsync(options))
  rows[`${name}#dequeueSync`] = each(using, BLOCK, (options, queue) => queue.dequeueSync(options))
  rows[`${name}#dequeueBatch`] = [using((odd, queue) => queue.dequeueBatch(odd))]
  return using
}

for (const name of ['LockFreeQueue', 'RingBufferChannel'] as const) {
  const using = queueRows(name, ({ sabway, heap }) => {
    const queue = new sabway[name](heap, { capacity: 4 })
    queue.enqueue(1)
    return queue
  })
  rows[`${name}#constructor`] = constructing(name, QUEUE)
  rows[`${name}#dequeue`] = 'no parameters'
  rows[`${name}#enqueue`] = [using((odd, queue) => queue.enqueue(odd))]
  rows[`${name}#tryEnqueue`] = [using((odd, queue) => queue.tryEnqueue(odd))]
  rows[`${name}#enqueueAsync`] = [
    using((odd, queue) => queue.enqueueAsync(odd)),
    ...each(using, WAIT, (options, queue) => queue.enqueueAsync(1, options)),
  ]
  rows[`${name}#enqueueSync`] = [
    using((odd, queue) => queue.enqueueSync(odd)),
    ...each(using, BLOCK, (options, queue) => queue.enqueueSync(1, options)),
  ]
  rows[`${name}#enqueueBatch`] = [
    using((odd, queue) => queue.enqueueBatch(odd)),
    using((odd, queue) => queue.enqueueBatch([1, odd])),
  ]
}
for (const member of Object.keys(rows)) {
  if (!member.startsWith('RingBufferChannel#')) continue
  rows[member.replace('RingBufferChannel', 'ImmediateQueue')] = 'abstract'
  if (!/#(tryE|e|d)(nqueue|equeue)(Async|Sync|Batch)?$/.test(member) || /#dequeue(Async|Sync|Batch)$/.test(member))
    rows[member.replace('RingBufferChannel', 'SharedQueue')] = 'abstract'
}
rows['LockFreeQueue#leave'] = 'no parameters'

const multi = queueRows('MultiProducerQueue', ({ sabway, heap }) => {
  const queue = new sabway.MultiProducerQueue(heap, { capacity: 4, delivery: 'ack' })
  queue.tryEnqueue(1)
  return queue
})
rows['MultiProducerQueue#constructor'] = constructing('MultiProducerQueue', [...QUEUE, 'delivery'])
rows['MultiProducerQueue#enqueue'] = [
  multi((odd, queue) => queue.enqueue(odd)),
  ...each(multi, WAIT, (options, queue) => queue.enqueue(1, options)),
]
rows['MultiProducerQueue#dequeue'] = each(multi, WAIT, (options, queue) => queue.dequeue(options))
rows['MultiProducerQueue#tryEnqueue'] = [multi((odd, queue) => queue.tryEnqueue(odd))]
rows['MultiProducerQueue#enqueueSync'] = [
  multi((odd, queue) => queue.enqueueSync(odd)),
  ...each(multi, BLOCK, (options, queue) => queue.enqueueSync(1, options)),
]
rows['MultiProducerQueue#enqueueBatch'] = [
  multi((odd, queue) => queue.enqueueBatch(odd)),
  multi((odd, queue) => queue.enqueueBatch([1, odd])),
]
rows['MultiProducerQueue#delivery'] = 'no parameters'
rows['MultiProducerQueue#tryReceive'] = 'no parameters'
rows['MultiProducerQueue#receive'] = each(multi, WAIT, (options, queue) =>
  queue.receive(options).then((delivery) => delivery.ack()),
)
for (const member of ['value', 'deliveries', 'ack', 'nack', 'Symbol(Symbol.dispose)', 'Symbol(Symbol.toStringTag)'])
  rows[`Delivery#${member}`] = 'no parameters'
rows['Delivery#constructor'] = 'internal'

const sorted = queueRows('PriorityQueue', ({ sabway, heap }) => {
  const queue = new sabway.PriorityQueue(heap, { capacity: 4 })
  queue.tryEnqueue(1, 1)
  return queue
})
rows['PriorityQueue#constructor'] = constructing('PriorityQueue', [...QUEUE, 'levels'])
rows['PriorityQueue#enqueue'] = [
  sorted((odd, queue) => queue.enqueue(odd, 1)),
  sorted((odd, queue) => queue.enqueue(1, odd)),
  ...each(sorted, WAIT, (options, queue) => queue.enqueue(1, 1, options)),
]
rows['PriorityQueue#dequeue'] = each(sorted, WAIT, (options, queue) => queue.dequeue(options))
rows['PriorityQueue#tryEnqueue'] = [
  sorted((odd, queue) => queue.tryEnqueue(odd, 1)),
  sorted((odd, queue) => queue.tryEnqueue(1, odd)),
]
rows['PriorityQueue#enqueueSync'] = [
  sorted((odd, queue) => queue.enqueueSync(odd, 1)),
  sorted((odd, queue) => queue.enqueueSync(1, odd)),
  ...each(sorted, BLOCK, (options, queue) => queue.enqueueSync(1, 1, options)),
]
rows['PriorityQueue#enqueueBatch'] = [
  sorted((odd, queue) => queue.enqueueBatch(odd)),
  sorted((odd, queue) => queue.enqueueBatch([odd])),
  sorted((odd, queue) => queue.enqueueBatch([[1, odd]])),
]

// ---- channels and select ----

const channel = queueRows('SharedChannel', ({ sabway, heap }) => {
  const made = new sabway.SharedChannel(heap)
  made.trySend(1)
  return made
})
for (const member of ['attemptOf', 'waitSet', 'values', 'room']) rows[`SharedChannel#${member}`] = 'internal'
rows['SharedChannel.isChannel'] = 'internal'
rows['SharedChannel#constructor'] = constructing('SharedChannel', [
  ...QUEUE,
  'maxMessages',
  'bufferSize',
  'enableBatching',
])
rows['SharedChannel#send'] = [
  channel((odd, made) => made.send(odd)),
  ...each(channel, WAIT, (options, made) => made.send(1, options)),
]
rows['SharedChannel#trySend'] = [channel((odd, made) => made.trySend(odd))]
rows['SharedChannel#sendSync'] = [
  channel((odd, made) => made.sendSync(odd)),
  ...each(channel, BLOCK, (options, made) => made.sendSync(1, options)),
]
rows['SharedChannel#sendBatch'] = [
  channel((odd, made) => made.sendBatch(odd)),
  channel((odd, made) => made.sendBatch([odd])),
  ...each(channel, WAIT, (options, made) => made.sendBatch([1], options)),
]
rows['SharedChannel#receive'] = each(channel, WAIT, (options, made) => made.receive(options))
rows['SharedChannel#tryReceive'] = 'no parameters'
rows['SharedChannel#isUnbuffered'] = 'no parameters'
rows['SharedChannel#receiveSync'] = each(channel, BLOCK, (options, made) => made.receiveSync(options))
rows['SharedChannel#receiveBatch'] = [
  channel((odd, made) => made.receiveBatch(odd)),
  ...each(channel, WAIT, (options, made) => made.receiveBatch(1, options)),
]
rows['SharedChannel#getLength'] = 'no parameters'
const CASE = ['receive', 'send', 'value']
const selecting = (choose: (sabway: typeof Sabway) => (cases: never, options?: never) => unknown, names: string[]) => {
  const choice = (
    call: (odd: never, select: (cases: never, options?: never) => unknown, made: object) => unknown,
  ): Try => {
    return (odd, scene) => {
      const made = new scene.sabway.SharedChannel(scene.heap)
      made.trySend(1)
      const result = (() => {
        try {
          return call(odd, choose(scene.sabway), made)
        } catch (error) {
          made.free()
          throw error
        }
      })()
      if (result instanceof Promise) return result.finally(() => made.free())
      made.free()
      return undefined
    }
  }
  return [
    choice((odd, select) => select(odd)),
    choice((odd, select) => select([odd] as never)),
    ...CASE.map((field) => choice((odd, select, made) => select([{ receive: made, [field]: odd }] as never))),
    choice((odd, select, made) => select([{ receive: made }] as never, odd)),
    ...names.map((name) =>
      choice((odd, select, made) => select([{ receive: made }] as never, { [name]: odd } as never)),
    ),
  ]
}
rows.select = selecting((sabway) => sabway.select as never, ['timeout', 'signal', 'default'])
rows.selectSync = selecting((sabway) => sabway.selectSync as never, ['timeout', 'default'])

// ---- broadcasts ----

const broadcast = on(({ sabway, heap }) => {
  const made = new sabway.SharedBroadcast(heap)
  made.subscribe()
  made.tryBroadcast(1)
  return made
})
for (const member of [
  ...'close closed free getSharedMemory getSubscriberCount heap isFreed isSubscribed longest missed pointer'.split(' '),
  ...'policy region toJSON tryReceive unsubscribe'.split(' '),
  ...SYMBOLS.map((symbol) => `Symbol(${symbol})`),
])
  rows[`SharedBroadcast#${member}`] = 'no parameters'
for (const member of ['cloneHint', 'error', 'generation', 'member', 'release', 'Symbol(nodejs.util.inspect.custom)'])
  rows[`SharedBroadcast#${member}`] = 'internal'
rows['SharedBroadcast#constructor'] = [
  ...constructing('SharedBroadcast', ['policy', ...QUEUE]),
  (odd, { sabway, heap }) => {
    const made = new sabway.SharedBroadcast(heap)
    try {
      void new sabway.SharedBroadcast(heap, made.getSharedMemory(), odd)
      void new sabway.SharedBroadcast(heap, made.getSharedMemory(), { codec: odd })
    } finally {
      made.free()
    }
  },
]
rows['SharedBroadcast#broadcast'] = [
  broadcast((odd, made) => made.broadcast(odd)),
  ...each(broadcast, WAIT, (options, made) => made.broadcast(1, options)),
]
rows['SharedBroadcast#tryBroadcast'] = [broadcast((odd, made) => made.tryBroadcast(odd))]
rows['SharedBroadcast#broadcastSync'] = [
  broadcast((odd, made) => made.broadcastSync(odd)),
  ...each(broadcast, BLOCK, (options, made) => made.broadcastSync(1, options)),
]
rows['SharedBroadcast#subscribe'] = each(broadcast, ['from'], (options, made) => made.subscribe(options))
rows['SharedBroadcast#receive'] = each(broadcast, WAIT, (options, made) => made.receive(options))
rows['SharedBroadcast#receiveSync'] = each(broadcast, BLOCK, (options, made) => made.receiveSync(options))
// the same class, by another name
for (const [name, row] of Object.entries(rows)) {
  const [, member] = /^SharedBroadcast(#.*)$/.exec(name) ?? []
  if (member !== undefined) rows[`BroadcastChannel${member}`] = typeof row === 'string' ? row : 'no parameters'
}

// ---- task pools: without workers that could load, as none of these calls gets that far ----

const file = new URL('file:///not-there.mjs')
const POOL = ['file', 'workers', 'retries', 'concurrency', 'capacity', 'maxQueued', 'codec', 'size', 'workerOptions']
/** One for each scene: a thread takes time to begin. */
const made = new WeakMap<Scene, Sabway.SharedPool>()
const running =
  (call: (odd: never, pool: Sabway.SharedPool) => Promise<unknown>): Try =>
  (odd, scene) => {
    let pool = made.get(scene)
    if (pool === undefined) {
      pool = new scene.sabway.SharedPool({ file, workers: 1, size: 2 ** 22 })
      made.set(scene, pool)
    }
    return call(odd, pool)
  }
rows['SharedPool#constructor'] = [
  (odd, { sabway }) => new sabway.SharedPool(odd).destroy(),
  ...POOL.map(
    (name): Try =>
      (odd, { sabway }) =>
        new sabway.SharedPool({ file, workers: 1, size: 2 ** 22, [name]: odd }).destroy(),
  ),
]
rows['SharedPool#run'] = [
  running((odd, pool) => pool.run(odd)),
  running((odd, pool) => pool.run(1, odd)),
  ...['signal', 'timeout', 'transfer', 'onProgress', 'terminate'].map((name) =>
    running((odd, pool) => pool.run(1, { [name]: odd })),
  ),
]
for (const member of [
  ...['workers', 'pending', 'queued', 'close', 'destroy'],
  ...['Symbol.dispose', 'Symbol.asyncDispose', 'Symbol.toStringTag'].map((symbol) => `Symbol(${symbol})`),
])
  rows[`SharedPool#${member}`] = 'no parameters'
rows.serveTasks = [(odd, { sabway }) => sabway.serveTasks(odd)]

export const queues = rows

/** One of each class: what an object itself has is seen there. */
export function queueInstances({ sabway, heap }: Scene): Record<string, object> {
  const acknowledged = new sabway.MultiProducerQueue(heap, { capacity: 4, delivery: 'ack' })
  acknowledged.tryEnqueue(1)
  const single = new sabway.LockFreeQueue(heap, { capacity: 4 })
  const pool = new sabway.SharedPool({ file, workers: 1, size: 2 ** 22 })
  pool.destroy()
  return {
    SharedQueue: single,
    ImmediateQueue: single,
    LockFreeQueue: single,
    RingBufferChannel: new sabway.RingBufferChannel(heap, { capacity: 4 }),
    MultiProducerQueue: acknowledged,
    Delivery: acknowledged.tryReceive()!,
    PriorityQueue: new sabway.PriorityQueue(heap, { capacity: 4 }),
    SharedChannel: new sabway.SharedChannel(heap),
    SharedBroadcast: new sabway.SharedBroadcast(heap),
    BroadcastChannel: new sabway.BroadcastChannel(heap),
    SharedPool: pool,
  }
}
