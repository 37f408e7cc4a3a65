// The page of the worklet test: an audio node whose processor is worklet.ts, and the other side of
// its channel.
import { numbered, numberOf } from '../../js/support/numbered.js'
import { SharedMemoryChannel } from './sabway.js'
import type { WorkletReport } from './worklet.js'

export interface WorkletOutcome {
  failures: string[]
  /** Messages that came back, and how many of them were not the next one. */
  received: number
  wrong: number
}

const BLOCK = 128
const BLOCKS = 400

/**
 * Send `count` messages to the worklet and have them back, while an OfflineAudioContext renders.
 */
async function runWorklet(count: number): Promise<WorkletOutcome> {
  const outcome: WorkletOutcome = { failures: [], received: 0, wrong: 0 }
  const channel = new SharedMemoryChannel(1 << 20, 1 << 20)
  channel.startReceiving((message) => {
    if (numberOf(message) !== outcome.received++) outcome.wrong++
  })
  for (let number = 0; number < count; number++) channel.send(numbered(number, number % 100))
  const context = new OfflineAudioContext(1, BLOCK * BLOCKS, 48_000)
  await context.audioWorklet.addModule('/worklet.js')
  const node = new AudioWorkletNode(context, 'tests', { processorOptions: { handle: channel.handle } })
  node.onprocessorerror = () => outcome.failures.push('the processor failed')
  const checked = new Promise<void>((resolve) => {
    node.port.onmessage = ({ data }: MessageEvent<WorkletReport>) => {
      if (!('failures' in data)) return
      outcome.failures.push(...data.failures)
      resolve()
    }
  })
  node.connect(context.destination)
  await context.startRendering()
  await checked
  const end = performance.now() + 20_000
  while (outcome.received < count && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5))
  channel.cleanup()
  return outcome
}

Object.assign(globalThis, { runWorklet })
