/**
 * sabway/electron/renderer: a page of an Electron window gets its channels from here. Needs no
 * Node, and a preload script that has called `exposeSabway()` of sabway/electron/preload.
 */
import { PEER_DIED, provideAddon, type RegionBinding } from '../base/addon.js'
import * as check from '../base/check.js'
import { provideErrors, SabwayError } from '../base/errors.js'
import { SharedMemoryChannel } from '../channel/channel.js'
import { formatFor } from '../channel/parts.js'
import type { Codec, CodecName } from '../codec/codec.js'
import { ADDON_ERRORS } from '../generated/abi.js'
import { nativeEvents } from '../loop/native-events.js'
import { nativePart } from '../loop/parts.js'
import type { RegionHost } from '../region/membership.js'
import { Region } from '../region/region.js'
import { loadParts } from '../whole.js'
import {
  BRIDGE,
  type Bridge,
  type Copied,
  type CopyReply,
  type Delivery,
  isRefusal,
  LONGEST_NAME,
  type Opened,
  TAG,
  type Transport,
} from './messages.js'
import { COPIED_SIDE, pump, type Wire } from './pump.js'
import { fromWire } from './wire-error.js'

export * from '../exports.js'

provideErrors(ADDON_ERRORS) // the main process tells of them
provideAddon(null, 'a page has none; native workers run in the main process: startWorker there')
nativePart.provide(nativeEvents) // of the addon in the preload script
loadParts()

export interface ConnectOptions<T = Uint8Array> {
  /** Which of the channels that main shares with this window (default 'default'). */
  name?: string
  /**
   * 'shared': one memory with main. 'copied': messages are copied over a MessagePort. 'auto'
   * (default): shared, and copied where the preload script is sandboxed. Which one it is, the
   * channel's stats() say.
   */
  transport?: Transport | 'auto'
  /**
   * Only for a channel with a codec of your own: one of the same name. The name of any other comes
   * from main.
   */
  codec?: CodecName | Codec<T>
}

let lastId = 0

/**
 * This page's side ('renderer') of a channel that main shares with its window. After a reload or
 * navigation the next page connects anew and goes on where this one left off; after `cleanup()`
 * there is no going on. Errors: ERR_SABWAY_NOT_ISOLATED (the page, or Electron 41.0.0 to 41.5.0),
 * ERR_SABWAY_INVALID_STATE (no preload, or main shares nothing of that name),
 * ERR_SABWAY_NOT_PERMITTED, ERR_SABWAY_SIDE_TAKEN, ERR_SABWAY_NO_ADDON with transport 'shared'.
 */
export async function connect<T = Uint8Array>(options?: ConnectOptions<T>): Promise<SharedMemoryChannel<T>> {
  const found = check.options<ConnectOptions<T>>(options, 'connect options', ['name', 'transport', 'codec'])
  const { name = 'default', transport = 'auto' } = found
  const codec = check.codec(found.codec)
  check.text(name, 'name', LONGEST_NAME)
  check.oneOf(transport, 'transport', ['auto', 'shared', 'copied'])
  const bridge = (globalThis as { [BRIDGE]?: Bridge })[BRIDGE]
  if (bridge === undefined) {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_STATE',
      "this window's preload script must call exposeSabway() of sabway/electron/preload",
    )
  }
  const id = ++lastId
  const delivery = new BridgeDelivery(id)
  try {
    const reply = await bridge.open(id, name, transport)
    if (isRefusal(reply)) throw fromWire(reply)
    if (reply.transport === 'copied') {
      const port = (await delivery.event).ports[0]!
      return await copyOverPort<T>(reply, port, codec).catch((error) => {
        port.close()
        throw error
      })
    }
    return joinShared<T>(bridge, id, reply, reply.memory ?? (await delivery.event).data.memory!, codec)
  } finally {
    delivery.forget()
  }
}

/** The window message that preload posts for one `open`. */
class BridgeDelivery {
  readonly event: Promise<MessageEvent<Delivery>>
  forget: () => void = () => {}

  constructor(id: number) {
    this.event = new Promise((resolve) => {
      const listener = (event: MessageEvent) => {
        if (event.source !== window || event.data?.sabway !== TAG || event.data.id !== id) return
        event.stopImmediatePropagation() // it is for no other listener
        resolve(event)
      }
      window.addEventListener('message', listener)
      this.forget = () => window.removeEventListener('message', listener)
    })
  }
}

/** The addon in preload stands for this region's endpoint. */
function joinShared<T>(
  bridge: Bridge,
  id: number,
  { identity, codec, channel }: Opened,
  memory: WebAssembly.Memory,
  own: unknown,
): SharedMemoryChannel<T> {
  const host: RegionHost = {
    alive: (pid, startLow, startHigh) => bridge.alive(pid, startLow, startHigh),
    join(_bytes, claim) {
      const endpoint = claim(identity)
      return { endpoint, binding: new DistantBinding(bridge, id, endpoint) }
    },
  }
  try {
    const format = formatFor(own, codec)
    return SharedMemoryChannel.over<T>(Region.on(memory, host), 'renderer', { format, channel })
  } catch (error) {
    bridge.close(id)
    throw error
  }
}

/** What the page can have of the addon in its preload script. */
class DistantBinding implements RegionBinding {
  readonly #bridge: Bridge
  readonly #id: number

  constructor(bridge: Bridge, id: number, endpoint: number) {
    this.#bridge = bridge
    this.#id = id
    const refusal = bridge.bind(id, endpoint, (number) =>
      nativeEvents.receive({ worker: id, kind: PEER_DIED, number, text: '' }),
    )
    if (refusal !== null) throw fromWire(refusal)
  }

  ring(doorbell: number, how: number): void {
    this.#bridge.ring(this.#id, doorbell, how)
  }

  park(): never {
    throw new SabwayError('ERR_SABWAY_NO_ADDON', 'a page cannot block; use startReceiving or receive')
  }

  /** Only threads that block spin. */
  yield(): void {}

  /** Preload listens, and notifies this page's doorbell. */
  listen(): number {
    return 0
  }

  /** Preload has watched the page's channel since `bind`. */
  watch(): number {
    return this.#id
  }

  /** Preload does, when it closes. */
  unwatch(): void {}

  close(): void {
    this.#bridge.close(this.#id)
  }
}

/** A channel of the page's own, whose other side is copied to main and back. */
async function copyOverPort<T>(copied: Copied, port: MessagePort, own: unknown): Promise<SharedMemoryChannel<T>> {
  const { rendererToNative, nativeToRenderer, because } = copied
  const format = formatFor(own, copied.codec)
  const answer = await new Promise<CopyReply>((resolve) => {
    port.onmessage = ({ data }) => resolve(data as CopyReply)
  })
  if ('refused' in answer) throw fromWire(answer.refused)
  const [region] = Region.forChannel(rendererToNative, nativeToRenderer, {})
  const channel = SharedMemoryChannel.over<T>(region, 'renderer', { format, copiedBecause: because })
  const { memory } = channel.region
  const outer = SharedMemoryChannel.attach({ sabway: 'channel', memory }, { side: 'native', ...COPIED_SIDE })
  pump(outer, pageWire(port), { outgoing: rendererToNative, incoming: nativeToRenderer }, () => outer.cleanup())
  return channel
}

function pageWire(port: MessagePort): Wire {
  return {
    post: (parcel) => port.postMessage(parcel),
    onParcel: (callback) => {
      port.onmessage = ({ data }) => callback(data)
    },
    onClose: (callback) => port.addEventListener('close', callback),
    close: () => port.close(),
  }
}
