// A Comlink API in a thread of its own, over a port of Sabway.
import { parentPort, workerData } from 'node:worker_threads'
import * as Comlink from 'comlink'
import { type ChannelHandle, SharedMemoryChannel } from 'sabway'

class Counter {
  count = 0
  add(by: number): number {
    this.count += by
    return this.count
  }
}

export const api = {
  name: 'the worker',
  nested: { deep: { answer: 42, double: (n: number) => n * 2 } },
  Counter,
  add: (a: number, b: number) => a + b,
  echo: (value: unknown) => value,
  fail(): void {
    throw new RangeError('as asked')
  },
  failWithNoError(): void {
    throw { reason: 'a plain object' }
  },
  async each(list: number[], callback: (n: number) => Promise<number>): Promise<number[]> {
    const results: number[] = []
    for (const n of list) results.push(await callback(n))
    return results
  },
  async callFailing(callback: () => Promise<void>): Promise<string> {
    try {
      await callback()
      return 'nothing was thrown'
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`
    }
  },
  makeCounter: () => Comlink.proxy(new Counter()),
  sum: (array: Float64Array) => array.reduce((a, b) => a + b, 0),
}

const channel = SharedMemoryChannel.attach(workerData as ChannelHandle, { side: 'native' })
Comlink.expose(api, channel.port())
parentPort?.postMessage('ready')
