// What test/browser/limits.test.ts asks of a page or of a dedicated worker: this file is the entry
// of both.
import { type ChannelHandle, SharedMemoryChannel } from 'sabway'
import { pattern } from '../../js/support/bytes.js'
import { type DropArguments, dropMany, uses } from '../../js/support/drops.js'

const turn = () =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = resolve
    port2.postMessage(0)
  })

const tasks = {
  async drops({ group, share, over, count }: DropArguments): Promise<unknown> {
    const made: Record<string, unknown> = {}
    for (const [name, drop] of Object.entries(uses[group])) {
      made[name] = await dropMany(() => drop(share), count, over === 'turns' ? turn : undefined)
      await turn()
    }
    return made
  },

  /**
   * Hold channels until there is no room: what the error says, and whether there is room when they
   * are cleaned up.
   */
  async fill(): Promise<unknown> {
    const made: SharedMemoryChannel[] = []
    let error: { code?: string; message?: string } = {}
    try {
      while (made.length < 20_000) made.push(new SharedMemoryChannel(4096, 4096))
    } catch (thrown) {
      error = thrown as typeof error
    }
    const count = made.length
    for (const channel of made.splice(0)) channel.cleanup()
    await turn()
    new SharedMemoryChannel(4096, 4096).cleanup()
    return { count, code: error.code, message: error.message }
  },

  /** Take the other side, and answer. */
  async echo(handle: ChannelHandle): Promise<unknown> {
    const channel = SharedMemoryChannel.attach(handle, { side: 'native' })
    const message = await channel.receive()
    channel.send(message)
    return 'echoed'
  },

  /** With no address left for another memory, a new worker loads the library and takes a side. */
  async attachWithNoneLeft(): Promise<unknown> {
    const channel = new SharedMemoryChannel(4096, 4096)
    const memories: WebAssembly.Memory[] = []
    try {
      while (memories.length < 20_000) memories.push(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }))
    } catch {
      // There is none left.
    }
    channel.send(pattern(1, 100))
    const said = await inWorker('echo', channel.handle)
    return { said, length: (await channel.receive()).length, full: memories.length < 20_000 }
  },
}

type Task = keyof typeof tasks

const run = (task: Task, given: unknown): Promise<unknown> => tasks[task](given as never)

function inWorker(task: Task, given: unknown): Promise<unknown> {
  const worker = new Worker('/limits.js', { type: 'module' })
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data)
    worker.onerror = ({ message }) => reject(new Error(message))
    worker.postMessage({ task, given })
  }).finally(() => worker.terminate())
}

if (typeof document === 'undefined') {
  globalThis.onmessage = async ({ data: { task, given } }) => postMessage(await run(task, given))
} else {
  Object.assign(globalThis, { tasks: { page: run, worker: inWorker } })
}
