// A renderer of ./electron.ts: preload and page in one thread, in two worlds. The preload script
// has the CommonJS copy of the library, and the addon; the page has the ESM copy, which never loads
// one.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { connect } from 'sabway/electron/renderer'
import { root } from '../../js/support/paths.js'
import type { PageOptions, PageScope } from './electron.js'
import { provide, refuseShared } from './module.js'

const {
  contextIsolated = true,
  sandboxed = false,
  crossOriginIsolated = true,
  electron: version = '45.0.0',
} = workerData as PageOptions
const answers = new Map<number, (answer: unknown) => void>()
let calls = 0

/**
 * The window, which both worlds see. Messages are cloned by Blink: memory passes, if the page is
 * isolated.
 */
class FakeWindow extends EventTarget {
  readonly posted: unknown[] = []

  postMessage(message: unknown, _target: string, transfer: MessagePort[] = []): void {
    if (!crossOriginIsolated) refuseShared(message)
    this.posted.push(message)
    const { port1, port2 } = new MessageChannel()
    port2.onmessage = ({ data }) => {
      port2.close()
      this.dispatchEvent(
        Object.assign(new Event('message'), { data: data.message, ports: data.transfer, source: this }),
      )
    }
    port1.postMessage({ message, transfer }, transfer as never)
  }
}

/**
 * What contextBridge lets through: copies of plain data, and functions that take and give those.
 */
function bridged(value: unknown): unknown {
  if (typeof value === 'function') return (...args: unknown[]) => bridged(value(...args.map(bridged)))
  if (value instanceof Promise) return value.then(bridged)
  if (typeof value !== 'object' || value === null) return value
  refuseShared(value)
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, bridged(part)]))
}

const window = new FakeWindow()
Object.assign(globalThis, { window, crossOriginIsolated })
Object.assign(process, { contextIsolated, sandboxed })
Object.defineProperty(process.versions, 'electron', { value: version })

provide({
  contextBridge: {
    exposeInMainWorld: (key: string, api: unknown) => Object.assign(globalThis, { [key]: bridged(api) }),
  },
  ipcRenderer: {
    invoke: (channel: string, ...args: unknown[]) =>
      new Promise((resolve) => {
        refuseShared(args)
        answers.set(++calls, resolve)
        parentPort!.postMessage({ invoke: channel, args, call: calls })
      }),
    postMessage(channel: string, message: unknown, ports: MessagePort[] = []) {
      refuseShared(message)
      parentPort!.postMessage({ post: channel, message, ports }, ports)
    },
  },
})

const require = createRequire(import.meta.url)
const preload = require(
  fileURLToPath(new URL('dist/electron/preload.cjs', root)),
) as typeof import('sabway/electron/preload')
preload.exposeSabway()
// Without contextIsolation what preload gave the window is the page's global.
Object.assign(globalThis, { sabwayElectron: (globalThis as any).sabwayElectron ?? (window as any).sabwayElectron })

const scope: PageScope = {
  connect,
  window: window as never,
  kept: {},
}

parentPort!.on('message', async (told) => {
  if ('answer' in told) {
    answers.get(told.call)!(told.answer)
    answers.delete(told.call)
    return
  }
  const { source, argument, call } = told
  try {
    const result = await new Function(`return (${source})`)()(scope, argument)
    parentPort!.postMessage({ result, call })
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    parentPort!.postMessage({ error: { code, message }, call })
  }
})
