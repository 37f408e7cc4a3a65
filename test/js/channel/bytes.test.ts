// sabway/bytes: the same library without the parts that few pages need. Each of its files has a
// process of its own, because what loads 'sabway' in the same thread gives it those parts.
import assert from 'node:assert/strict'
import * as sabway from 'sabway'
import { runChild } from '../support/children.js'

/** What sabway/bytes does not export. */
const LEFT_OUT = [
  'AllocatedMemory',
  'BroadcastChannel',
  'BufferPool',
  'CachedItemList',
  'ChannelPort',
  'ConcurrentHashMap',
  'Delivery',
  'ImmediateQueue',
  'Lock',
  'LockFreeQueue',
  'MemoryHeap',
  'MemoryPool',
  'MultiProducerQueue',
  'Mutex',
  'ObjectLease',
  'ObjectPool',
  'Permit',
  'PoolBlock',
  'PriorityQueue',
  'ReadLock',
  'RingBufferChannel',
  'SharedBarrier',
  'SharedBroadcast',
  'SharedChannel',
  'SharedCondition',
  'SharedEvent',
  'SharedList',
  'SharedMap',
  'SharedMemoryAtomics',
  'SharedMemoryBuffer',
  'SharedMemoryManager',
  'SharedMemoryPool',
  'SharedObject',
  'SharedOnce',
  'SharedPointerList',
  'SharedPool',
  'SharedQueue',
  'SharedRwLock',
  'SharedSemaphore',
  'SharedSpinLock',
  'SharedString',
  'SharedStructArray',
  'SharedVector',
  'SharedWaitGroup',
  'SpinHold',
  'SpinLock',
  'WaitGroupPart',
  'WriteLock',
  'addFloat32',
  'addFloat64',
  'codecOf',
  'convertFloat32ToInt32',
  'convertInt32ToFloat32',
  'createObjectFromMemory',
  'createObjectFromPointer',
  'createPointer',
  'defineObject',
  'exchangeFloat32',
  'getPointer',
  'loadFloat32',
  'select',
  'selectSync',
  'serializeObjectToMemory',
  'serveTasks',
  'storeFloat32',
  'warnForgotten',
]

const FILES = [
  ['bytes.mjs', 'index.mjs'],
  ['bytes.cjs', 'index.cjs'],
  ['browser-bytes.mjs', 'browser.mjs'],
  ['browser-bytes.cjs', 'browser.cjs'],
] as const

describe('sabway/bytes', () => {
  for (const [file, whole] of FILES) {
    describe(file, () => {
      // biome-ignore lint/suspicious/noExplicitAny: what the child printed
      let seen: any
      before(async () => {
        const { stdout, stderr } = await runChild('bytes.js', [file, whole])
        assert.equal(stderr, '')
        seen = JSON.parse(stdout)
      })

      it('exports what sabway does, but for the port, the heap and what lives in that', () => {
        assert.deepEqual([...LEFT_OUT, ...seen.names].sort(), Object.keys(sabway).sort())
      })

      it('carries bytes', () => {
        assert.deepEqual(seen.bytes, [1, 2, 3])
      })

      it('says of what it leaves out where that is', () => {
        const codecs = ["codec 'structured'", "codec 'msgpack'", "codec 'msgpack'", 'a codec']
        const batch = 'the option `batch`'
        const pace = 'the option `schedule` or `poll`'
        const whats = [...codecs, batch, batch, pace, pace, "copy: 'pooled'", 'readable', 'writable', 'port()']
        whats.push('a heap', ...new Array(6).fill('the directory of names'))
        assert.equal(seen.refusals.length, whats.length)
        whats.forEach((what, i) => {
          const { code, message, own } = seen.refusals[i]
          assert.equal(code, 'ERR_SABWAY_NOT_LOADED')
          const ofHeap = what === 'a heap' || what === 'the directory of names'
          const wayOut = ofHeap
            ? "is not loaded in this thread; import Region, MemoryHeap or Mutex from 'sabway'"
            : "is not in 'sabway/bytes'; import 'sabway' in this thread"
          assert.ok(message.includes(`: ${what} ${wayOut}`), message)
          assert.equal(own, true)
        })
      })

      it(`has the classes of ${whole}, which brings the rest to it`, () => {
        assert.equal(seen.same, true)
        assert.deepEqual(seen.entries, [[1, 'x']])
        assert.equal(seen.read, 4)
        assert.equal(seen.posted, 'through a port')
      })
    })
  }
})
