/**
 * sabway/electron/preload: a preload script calls `exposeSabway()`, and its page uses
 * sabway/electron/renderer.
 *
 * With `sandbox: false` preload opens the shared memory with the addon, hands it to the page, and
 * is from then on how the page wakes other processes and is woken by them. In a sandboxed preload
 * script there is no addon: messages are copied over a MessagePort.
 */
import { contextBridge, ipcRenderer } from 'electron'
import { addon, addonMissing, type RegionBinding } from '../base/addon.js'
import { whyNotIsolated } from '../base/electron-versions.js'
import { SabwayError } from '../base/errors.js'
import { channel } from '../base/host.js'
import { SW_RENDERER, sw_endpoint } from '../generated/abi.js'
import { loadAddon } from '../load.js'
import { listen, listenForDeaths } from '../loop/native-events.js'
import type { DeathListener } from '../loop/parts.js'
import { loadObjects } from '../objects.js'
import type { ChannelPlace } from '../region/channel-place.js'
import { endpointWord } from '../region/endpoint.js'
import { tokenParts } from '../region/handle.js'
import { Region } from '../region/region.js'
import { loadParts } from '../whole.js'
import {
  type Answer,
  ASK,
  BRIDGE,
  type Bridge,
  COPY,
  type Delivery,
  isRefusal,
  type Refusal,
  type Reply,
  TAG,
  type Transport,
} from './messages.js'
import { toWire } from './wire-error.js'

export * from '../exports.js'

loadParts()
loadObjects() // a bundler for Node may take the call in objects.ts for one without effect

/** A region that was opened for the page, and the page's endpoint in it. */
interface PageRegion {
  region: Region
  place: ChannelPlace
  /**
   * The addon's hold on the page's endpoint: its environment's end gives it back, so a page may
   * just go.
   */
  binding: RegionBinding | null
  deathListener: DeathListener | null
}

/**
 * Let the page of this preload script have channels: `connect` of sabway/electron/renderer. Call it
 * once.
 */
export function exposeSabway(): void {
  if (!process.sandboxed) loadAddon()
  const bridge = new PageBridge().functions()
  if (process.contextIsolated) contextBridge.exposeInMainWorld(BRIDGE, bridge)
  else Object.assign(window, { [BRIDGE]: bridge })
}

class PageBridge {
  readonly #regions = new Map<number, PageRegion>()

  /** contextBridge passes on own properties that are functions, and no prototypes. */
  functions(): Bridge {
    return {
      open: (id, name, transport) => this.#open(id, name, transport).catch(toWire),
      bind: (id, endpoint, onPeerDied) => this.#bind(id, endpoint, onPeerDied),
      ring: (id, doorbell, how) => this.#regions.get(id)?.binding?.ring(doorbell, how),
      alive: (pid, startLow, startHigh) => addon()?.alive(pid, startLow, startHigh) ?? 1,
      close: (id) => this.#close(id),
    }
  }

  async #open(id: number, name: string, transport: Transport | 'auto'): Promise<Reply> {
    if (transport === 'copied') return this.#copyOverPort(id, name, 'the page asked for copies')
    if (addon() !== null) return this.#share(id, name, transport)
    const because = process.sandboxed ? 'the preload script is sandboxed and cannot load the addon' : addonMissing()
    if (transport === 'shared') return toWire(new SabwayError('ERR_SABWAY_NO_ADDON', because))
    return this.#copyOverPort(id, name, because)
  }

  async #share(id: number, name: string, transport: Transport | 'auto'): Promise<Reply> {
    if (process.contextIsolated && !globalThis.crossOriginIsolated) {
      throw new SabwayError('ERR_SABWAY_NOT_ISOLATED', whyNotIsolated(process.versions.electron))
    }
    const answer: Answer = await ipcRenderer.invoke(ASK, name, 'shared')
    if (isRefusal(answer)) return answer
    this.#close(id)
    const region = Region.open(answer.token!)
    if (region.copied !== undefined) {
      region.close()
      if (transport === 'shared') return toWire(new SabwayError('ERR_SABWAY_UNSUPPORTED', region.copied))
      return this.#copyOverPort(id, name, region.copied)
    }
    const { channel } = tokenParts(answer.token!)
    this.#regions.set(id, { region, place: region.placeOf(channel, SW_RENDERER), binding: null, deathListener: null })
    const { codec } = answer
    const opened = { transport: 'shared', identity: addon()!.identity(), codec, channel } as const
    const memory = region.memory as WebAssembly.Memory // as of every region that has a token
    if (!process.contextIsolated) return { ...opened, memory }
    deliver({ sabway: TAG, id, memory })
    return opened
  }

  #bind(id: number, endpoint: number, onPeerDied: (roles: number) => void): Refusal | null {
    const opened = this.#regions.get(id)
    if (opened === undefined) return toWire(new SabwayError('ERR_SABWAY_CLOSED', 'it was closed meanwhile'))
    try {
      const binding = new (addon()!.RegionBinding)(opened.region.bytes, endpoint)
      opened.binding = binding
      const doorbell = endpointWord(endpoint, sw_endpoint.doorbell)
      listen(binding, { rung: () => this.#notify(id, doorbell) })
      opened.deathListener = { region: { binding }, place: opened.place, onPeerDied }
      listenForDeaths(opened.deathListener)
      return null
    } catch (error) {
      return toWire(error)
    }
  }

  /** Looks the region up, which this is not to hold when it was closed. */
  #notify(id: number, doorbell: number): void {
    const opened = this.#regions.get(id)
    if (opened !== undefined) Atomics.notify(opened.region.words, doorbell)
  }

  #close(id: number): void {
    const opened = this.#regions.get(id)
    this.#regions.delete(id)
    opened?.binding?.close()
    opened?.region.close()
  }

  async #copyOverPort(id: number, name: string, because: string): Promise<Reply> {
    const answer: Answer = await ipcRenderer.invoke(ASK, name, 'copied')
    if (isRefusal(answer)) return answer
    const { port1, port2 } = channel()
    ipcRenderer.postMessage(COPY, name, [port2])
    deliver({ sabway: TAG, id }, [port1])
    const { rendererToNative, nativeToRenderer, codec } = answer
    return { transport: 'copied', because, rendererToNative, nativeToRenderer, codec }
  }
}

/** To the page of this window, and to no other origin. */
function deliver(delivery: Delivery, transfer: Transferable[] = []): void {
  window.postMessage(delivery, '/', transfer)
}
