// A stand-in for the module 'electron' in the main process, with windows whose renderers are worker
// threads: each has an environment of its own with the real addon, which ends as a preload script's
// does at a navigation. What Electron's IPC refuses, this refuses.
import { EventEmitter } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type MessagePort, Worker } from 'node:worker_threads'
import { root } from '../../js/support/paths.js'
import { within } from '../../js/support/wait.js'
import { provide, refuseShared } from './module.js'

type Handler = (event: object, ...args: unknown[]) => unknown

const handlers = new Map<string, Handler>()
const running = new Set<FakeWindow>()

/** MessagePortMain, on a port of Node's. */
class FakePortMain extends EventEmitter {
  constructor(private readonly port: MessagePort) {
    super()
    port.on('close', () => this.emit('close'))
  }

  start(): void {
    this.port.on('message', (data) => this.emit('message', { data }))
  }

  postMessage(message: unknown): void {
    refuseShared(message)
    this.port.postMessage(message)
  }

  close(): void {
    this.port.close()
  }
}

export const app = { ready: true, isReady: () => app.ready }
export const ipcMain = Object.assign(new EventEmitter(), {
  handle: (channel: string, handler: Handler) => void handlers.set(channel, handler),
})
export const protocol = {
  schemes: [] as unknown[],
  handled: new Map<string, (request: Request) => Promise<Response>>(),
  registerSchemesAsPrivileged: (schemes: unknown[]) => protocol.schemes.push(...schemes),
  handle: (scheme: string, handler: (request: Request) => Promise<Response>) =>
    void protocol.handled.set(scheme, handler),
}
export const net = {
  fetch: async (url: string) =>
    new Response(await readFile(fileURLToPath(url)), { headers: { 'content-type': 'text/html' } }),
}

const electron = { app, ipcMain, protocol, net }
provide(electron)

/** sabway/electron/main, over this. */
export const main = createRequire(import.meta.url)(
  fileURLToPath(new URL('dist/electron/main.cjs', root)),
) as typeof import('sabway/electron/main')

/** Act as where process.versions says that this is Electron. */
export function asElectron<T>(act: () => T): T {
  Object.defineProperty(process.versions, 'electron', { value: '45.0.0', configurable: true })
  try {
    return act()
  } finally {
    delete (process.versions as { electron?: string }).electron
  }
}

export interface PageOptions {
  url?: string
  contextIsolated?: boolean
  sandboxed?: boolean
  crossOriginIsolated?: boolean
  electron?: string
  /** Have the frame that asks be another than the window's. */
  subframe?: boolean
}

/** What a function given to `evaluate` finds. */
export interface PageScope {
  connect: typeof import('sabway/electron/renderer').connect
  window: EventTarget & { posted: unknown[]; postMessage(message: unknown, target: string): void }
  /** For what one evaluation leaves to the next. */
  kept: Record<string, any>
}

type Said =
  | { invoke: string; args: unknown[]; call: number }
  | { post: string; message: unknown; ports: MessagePort[] }
  | { result: unknown; call: number }
  | { error: { code?: string; message: string }; call: number }

/** A BrowserWindow. */
export class FakeWindow {
  readonly webContents = Object.assign(new EventEmitter(), { mainFrame: { url: '' } })
  #renderer: Worker | null = null
  #frame = { url: '' }
  #calls = 0
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()

  constructor() {
    running.add(this)
  }

  /**
   * Navigate: the old page's environment is torn down, the new one runs its preload script, then
   * the page.
   */
  async load(options: PageOptions = {}): Promise<void> {
    await this.#renderer?.terminate()
    this.#frame = { url: options.url ?? 'app://test/index.html' }
    this.webContents.mainFrame = options.subframe ? { url: this.#frame.url } : this.#frame
    this.#renderer = new Worker(new URL('./renderer.js', import.meta.url), { workerData: options })
    this.#renderer.on('message', (said: Said) => void this.#hear(said))
    this.#renderer.on('error', (error) => {
      for (const { reject } of this.#waiting.values()) reject(error)
    })
  }

  /** Run `act` in the page. Its result, or what it throws, is cloned. */
  evaluate<T, A = undefined>(act: (scope: PageScope, argument: A) => T | Promise<T>, argument?: A): Promise<T> {
    const call = ++this.#calls
    const result = new Promise<T>((resolve, reject) => this.#waiting.set(call, { resolve: resolve as never, reject }))
    this.#renderer!.postMessage({ source: act.toString(), argument, call })
    return within(result, 'the page')
  }

  async close(): Promise<void> {
    running.delete(this)
    await this.#renderer?.terminate()
    this.webContents.emit('destroyed')
  }

  async #hear(said: Said): Promise<void> {
    const event = { sender: this.webContents, senderFrame: this.#frame }
    if ('invoke' in said) {
      const answer = await handlers.get(said.invoke)!(event, ...said.args)
      refuseShared(answer)
      this.#renderer!.postMessage({ answer, call: said.call })
    } else if ('post' in said) {
      ipcMain.emit(said.post, { ...event, ports: said.ports.map((port) => new FakePortMain(port)) }, said.message)
    } else {
      const { resolve, reject } = this.#waiting.get(said.call)!
      this.#waiting.delete(said.call)
      if ('error' in said) reject(Object.assign(new Error(said.error.message), said.error))
      else resolve(said.result)
    }
  }
}

export async function closeWindows(): Promise<void> {
  await Promise.all([...running].map((window) => window.close()))
}
