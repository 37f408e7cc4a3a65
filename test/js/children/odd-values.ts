// Gives every parameter of one entry point every odd value, and prints what went wrong: a process
// of its own, so that a crash and a hang show.
import { fileURLToPath } from 'node:url'
import type * as Sabway from 'sabway'
import { main } from '../../electron/stubs/electron.js'
import { ODD } from '../support/odd.js'
import { root } from '../support/paths.js'
import { membersOf, type Scene, SURFACE } from '../support/surface.js'
import { poolInstances } from '../support/surface-pools.js'
import { queueInstances } from '../support/surface-queues.js'

const entry = process.argv[2] as keyof typeof SURFACE
const file = { index: 'index.mjs', browser: 'browser.mjs', renderer: 'electron/renderer.mjs', main: '' }[entry]
const sabway = (entry === 'main' ? main : await import(fileURLToPath(new URL(`dist/${file}`, root)))) as typeof Sabway

const failures: string[] = []
let calls = 0
let now = ''

process.on('uncaughtException', (error) => {
  if (now === '') throw error // the test itself is wrong
  failures.push(`${now}: uncaught ${error}`)
})
process.on('unhandledRejection', (error) => failures.push(`${now}: unhandled ${error}`))

function scene(): Scene {
  const renderer = new sabway.SharedMemoryChannel(65536, 65536)
  const native = sabway.SharedMemoryChannel.attach(renderer.handle, { side: 'native' })
  const heap = new sabway.MemoryHeap({ size: 2 ** 22 })
  const Class = sabway.defineObject({ hp: 'i32', at: ['f32', 2] })
  const codec = { name: 'json', encode: (value: unknown) => Buffer.from(JSON.stringify(value)), decode: () => 1 }
  const values = new sabway.SharedMemoryChannel<unknown>(2 ** 22, 65536, { codec: sharedCodec() ?? codec })
  class Pointers extends sabway.SharedPointerList<Sabway.PointerItem> {
    protected override createItem(memory: Sabway.AllocatedMemory): Sabway.PointerItem {
      return { memory }
    }
  }
  class Items extends sabway.CachedItemList<Sabway.SharedString> {
    protected override initItem(pointer: number): Sabway.SharedString {
      return new sabway.SharedString(this.heap, pointer)
    }
  }
  const vector = new sabway.SharedVector(heap, { type: Int32Array })
  const wide = new sabway.SharedVector<Float32Array, Float32Array>(heap, { type: Float32Array, dataLength: 3 })
  const list = new sabway.SharedList(heap)
  const pointers = new Pointers(heap)
  const items = new Items(heap)
  vector.pushAll([1, 2, 3])
  wide.push([1, 2, 3])
  list.insert(1)
  pointers.insert({ memory: heap.allocUI32(1) })
  items.insert(new sabway.SharedString(heap, 'item'))
  return {
    sabway,
    string: new sabway.SharedString(heap, 'text'),
    vector,
    wide,
    list,
    pointers,
    items,
    renderer,
    native,
    values,
    region: sabway.Region.create({ size: 2 ** 22 }),
    get port() {
      return values.port()
    },
    heap,
    memory: heap.allocUI32(4),
    mutex: new sabway.Mutex(heap),
    object: new Class(heap),
    structs: { Class, array: new sabway.SharedStructArray(heap, Class, { length: 3 }) },
    map: new sabway.SharedMap(heap),
    numbers: new sabway.SharedMap<Sabway.MapKey, number>(heap, { numeric: 'u32' }),
    coded: new sabway.SharedMap(heap, { ttl: 1e9, maxEntries: 50, codec: sharedCodec() ?? (codec as never) }),
  }
}

/** Entry points that come without codecs have none of their own to test. */
function sharedCodec(): 'structured' | undefined {
  try {
    new sabway.SharedMemoryChannel<unknown>(4096, 4096, { codec: 'structured' }).cleanup()
    return 'structured'
  } catch {
    return undefined
  }
}

function end({ renderer, native, values, region, heap }: Scene): void {
  for (const each of [renderer, native, values]) each.cleanup()
  for (const each of [region, heap.region]) each.close()
}

/** A mistake costs the call, not the channel, the heap or the mutex. */
function stillWorks(scene: Scene): void {
  const { renderer, native, heap, memory, mutex, object, structs, map, string, vector, list } = scene
  for (let left = 0; native.tryReceive() !== null; left++) if (left > 1000) throw new Error('messages without end')
  const sent = new Uint8Array([7, 8, 9])
  renderer.send(sent)
  const received = native.receiveSync(5000)
  if (received === null || Buffer.compare(received, sent) !== 0) throw new Error('the channel works no more')
  heap.check()
  heap.free(heap.alloc(100_000))
  if (heap.usableSize(memory.pointer) < 16) throw new Error('the block is gone')
  mutex.lock().release()
  object.lock((fields) => ++fields.hp)
  structs.array.lock((objects) => ++objects.at(2).hp)
  if (map.set('works', 5).get('works') !== 5) throw new Error('the map works no more')
  map.check()
  string.value = 'works'
  vector.push(5)
  list.insert(5)
  if (string.value !== 'works' || vector.at(-1) !== 5 || list.length === 0) throw new Error('a container works no more')
}

function judge(error: unknown): void {
  if (!(error instanceof sabway.SabwayError)) failures.push(`${now}: ${shortly(String(error))}`)
  else if (error.message.length >= 400)
    failures.push(`${now}: ${error.message.length} characters: ${shortly(error.message)}`)
  else if (/x{101}|\d{101}/.test(error.message)) failures.push(`${now}: holds the value`)
}

const shortly = (text: string) => text.slice(0, 200)

function letGo(result: unknown): void {
  if (result instanceof sabway.SharedMemoryChannel) result.cleanup()
  else if (result instanceof sabway.Region) result.close()
  else if (typeof result === 'function') result()
}

const PENDING = Symbol('pending')
const soon = () => new Promise<symbol>((resolve) => setImmediate(() => setImmediate(resolve, PENDING)))

for (const [member, row] of Object.entries(SURFACE[entry])) {
  if (typeof row === 'string') continue
  const stage = scene()
  for (const [index, attempt] of row.entries()) {
    for (const [name, make] of Object.entries(ODD)) {
      now = `${member} ${index} with ${name}`
      calls++
      try {
        const result = attempt(make() as never, stage)
        if (result instanceof Promise) letGo(await Promise.race([result, soon()]).catch(judge))
        else letGo(result)
      } catch (error) {
        judge(error)
      }
    }
    now = `after ${member} ${index}`
    try {
      stillWorks(stage)
    } catch (error) {
      failures.push(`${now}: ${error}`)
    }
  }
  end(stage)
}

function partOf(heap: Sabway.MemoryHeap): Sabway.WaitGroupPart {
  const group = new sabway.SharedWaitGroup(heap)
  group.add()
  return group.claim()
}

now = ''
const last = scene()
const members = membersOf(sabway, {
  SharedMemoryChannel: last.renderer,
  Region: last.region,
  MemoryHeap: last.heap,
  AllocatedMemory: last.memory,
  Mutex: last.mutex,
  SharedObject: last.object,
  SharedStructArray: last.structs.array,
  Lock: last.mutex.lock(),
  SharedEvent: new sabway.SharedEvent(last.heap),
  SharedSemaphore: new sabway.SharedSemaphore(last.heap, { permits: 1 }),
  SharedCondition: new sabway.SharedCondition(last.heap),
  SharedRwLock: new sabway.SharedRwLock(last.heap),
  SharedBarrier: new sabway.SharedBarrier(last.heap, { parties: 1 }),
  SharedWaitGroup: new sabway.SharedWaitGroup(last.heap),
  SharedOnce: new sabway.SharedOnce(last.heap),
  SharedSpinLock: new sabway.SharedSpinLock(last.heap),
  Permit: new sabway.SharedSemaphore(last.heap, { permits: 1 }).acquire(),
  ReadLock: new sabway.SharedRwLock(last.heap).readLock(),
  WriteLock: new sabway.SharedRwLock(last.heap).tryWriteLock()!,
  SpinHold: new sabway.SharedSpinLock(last.heap).tryLock()!,
  WaitGroupPart: partOf(last.heap),
  SpinLock: new sabway.SpinLock(new SharedArrayBuffer(4)),
  SharedMap: last.map,
  SharedString: last.string,
  SharedVector: last.vector,
  SharedList: last.list,
  SharedPointerList: last.pointers,
  CachedItemList: last.items,
  ...poolInstances(last),
  ...queueInstances(last),
  ConcurrentHashMap: new sabway.ConcurrentHashMap(last.heap),
  // an entry without codecs has no ports
  ChannelPort: sharedCodec() === undefined ? { cloneHint: '' } : last.port,
  SabwayError: new sabway.SabwayError('ERR_SABWAY_CLOSED', 'x'),
  ChannelErrorEvent: new sabway.ChannelErrorEvent(new sabway.SabwayError('ERR_SABWAY_CLOSED', 'x')),
  ChannelMessageEvent: new sabway.ChannelMessageEvent(new Uint8Array(1)),
})
end(last)
await soon()
console.log(JSON.stringify({ calls, failures, members }))
process.exit(0)
