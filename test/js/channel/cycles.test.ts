import assert from 'node:assert/strict'
import { getHeapSpaceStatistics } from 'node:v8'
import { SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { collectGarbage, collectUntil } from '../support/gc.js'
import { plugin } from '../support/paths.js'
import { allThreads, memory, nativeThreadsAre, openFiles } from '../support/threads.js'
import { turns, until } from '../support/wait.js'

const MiB = 2 ** 20

/**
 * Resident memory without that of V8's young generation, which keeps what it grew to: 64 MiB in
 * Node 24.
 */
function resident(): number {
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')!
  return memory('VmRSS') - young.physical_space_size
}

describe('1,000 cycles of create and cleanup', () => {
  /**
   * A native worker, messages both ways, an event loop that was woken: all that a channel can hold
   * on to.
   */
  function cycle(i: number): void {
    const channel = new SharedMemoryChannel(65536, 65536)
    if (i % 3 === 0) channel.startWorker({ plugin: plugin('logger'), onLog: () => {} })
    else channel.startWorker({ builtin: i % 3 === 1 ? 'echo' : 'source' })
    channel.startReceiving(() => {})
    for (let n = 0; n < 5; n++) channel.send(pattern(n, 1000))
    if (i % 2 === 0) channel.send(pattern(0, 65536))
    channel.cleanup()
  }

  it('leave threads, files and memory where they began', async () => {
    for (let i = 0; i < 100; i++) cycle(i)
    await turns(10)
    collectGarbage()
    await turns(10)
    collectGarbage()
    const before = { threads: allThreads(), files: openFiles(), resident: resident(), virtual: memory('VmSize') }
    for (let i = 0; i < 1000; i++) {
      cycle(i)
      if (i % 10 === 0) await turns(2)
    }
    await nativeThreadsAre(0)
    // one reserves more
    await collectUntil(() => memory('VmSize') < before.virtual + 1024 * MiB, 'the regions to be unmapped')
    // 130 KiB a cycle would be over
    await collectUntil(() => resident() < before.resident + 64 * MiB, 'resident memory to be back')
    // others' may have ended meanwhile
    await until(() => allThreads() <= before.threads, 'no more threads than before')
    assert.equal(openFiles(), before.files)
  })
})
