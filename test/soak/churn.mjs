// What the heap's lane begins and kills: a thread, or with its task as an argument a process, that
// works without end on the blocks, names, mutex and channels of a region. Names belong to all such
// participants, and are taken away under the mutex alone, so none leads to a block that was freed.
import { once } from 'node:events'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { AllocatedMemory, MemoryHeap, SharedMemoryChannel } from 'sabway'
import { random } from '../../build/test/js/support/bytes.js'

const BLOCKS = 150
const CHANNELS = 6
const TURN = 50

const task = isMainThread ? JSON.parse(process.argv[2]) : workerData
const say = (text) => (isMainThread ? process.send(text) : parentPort.postMessage(text))
const chance = random(task.seed)
const below = (limit) => Math.floor(chance() * limit)
const heap = new MemoryHeap(task.shared)
const { region } = heap
const mutex = region.get('mutex')
const state = region.get('state').data
const words = new Uint32Array(heap.buffer)
const held = []
const channels = []

function must(holds, text) {
  if (!holds) throw new Error(text)
}

/** Pass over what the other participant's work, or its death, may be the cause of. */
function unless(codes, error) {
  if (!codes.includes(error.code)) throw error
}

/** Each block has its own pointer in its first and its last word: two that overlap would show. */
function make(bytes) {
  const pointer = heap.alloc(bytes)
  const last = (pointer + bytes - 4) >>> 2
  words[pointer >>> 2] = words[last] = pointer
  return { pointer, last }
}

function block() {
  if (held.length < BLOCKS && below(20) < 11) {
    held.push(make(4 * (1 + below(below(10) === 0 ? 5000 : 200))))
  } else if (held.length !== 0) {
    const { pointer, last } = held.splice(below(held.length), 1)[0]
    for (const at of [pointer >>> 2, last]) must(words[at] === pointer, `block ${pointer} has ${words[at]}`)
    heap.free(pointer)
  }
}

const anyName = () => `block ${below(task.names)}`

function name() {
  const { pointer } = make(8)
  try {
    region.set(anyName(), new AllocatedMemory(heap, pointer))
  } catch (error) {
    heap.free(pointer)
    unless(['ERR_SABWAY_NAME_TAKEN'], error)
  }
}

async function underMutex() {
  const way = below(3)
  const lock = way === 0 ? mutex.lock() : way === 1 ? mutex.tryLock() : await mutex.lockAsync()
  if (lock === null) return
  if (lock.ownerDied) {
    state[0] = state[1]
    lock.consistent()
  }
  // Plain accesses: only the mutex orders them.
  must(state[0] === state[1], `the pair under the mutex is ${state[0]} and ${state[1]}`)
  const next = state[0] + 1
  state[0] = next
  for (let i = below(4); i > 0; i--) unname(anyName())
  if (below(8) === 0) await sleep(below(5)) // where many of the deaths are to come
  must(state[1] === next - 1, 'two hold the mutex')
  state[1] = next
  lock.release()
}

function unname(text) {
  const memory = region.get(text)
  if (memory === undefined) return
  must(memory.data[0] === memory.pointer, `${text} leads to ${memory.pointer}, which has ${memory.data[0]}`)
  must(region.delete(text), `${text} is not there any more`)
  memory.free()
}

/** Of either side: each message has one byte, any number of times. */
function use(channel) {
  channel.addEventListener('error', ({ error }) => say(`a channel: ${error.message}`))
  channel.startReceiving((message) =>
    must(
      message.every((byte) => byte === message[0]),
      'a message is wrong',
    ),
  )
  channels.push(channel)
}

function channel() {
  const what = below(10)
  try {
    if (channels.length === CHANNELS || what === 0) channels.splice(below(channels.length), 1)[0]?.cleanup()
    else if (what === 1) {
      use(new SharedMemoryChannel(4096, 4096, { region, name: `channel ${below(2 * CHANNELS)}` }))
    } else if (what === 2) {
      const handle = region.get(`channel ${below(2 * CHANNELS)}`)
      if (handle !== undefined) use(SharedMemoryChannel.attach(handle, { side: 'native' }))
    } else channels[below(channels.length)]?.trySend(new Uint8Array(1 + below(500)).fill(below(256)))
  } catch (error) {
    unless(['ERR_SABWAY_NAME_TAKEN', 'ERR_SABWAY_CLOSED', 'ERR_SABWAY_SIDE_TAKEN'], error)
  }
}

process.on('disconnect', () => process.exit()) // the soak has ended without killing this process
try {
  const acts = [block, block, block, block, name, channel, underMutex]
  for (;;) {
    for (let i = 0; i < TURN; i++) await acts[below(acts.length)]()
    Atomics.add(state, 2 + task.index, 1)
    await nextTurn()
  }
} catch (error) {
  say(error.stack)
  if (!isMainThread) await once(parentPort, 'message') // stay, so that the text arrives
}
