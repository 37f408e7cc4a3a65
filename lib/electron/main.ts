/**
 * sabway/electron/main: in the main process, serve pages in a way that lets them share memory, and
 * share channels with windows.
 */
import { type IpcMainEvent, ipcMain, type MessagePortMain, type WebContents, type WebFrameMain } from 'electron'
import * as check from '../base/check.js'
import { adopt, SabwayError } from '../base/errors.js'
import { SharedMemoryChannel } from '../channel/channel.js'
import { loadAddon } from '../load.js'
import { loadObjects } from '../objects.js'
import { handleParts } from '../region/handle.js'
import { Region } from '../region/region.js'
import { loadParts } from '../whole.js'
import { type Answer, ASK, type Capacities, COPY, type CopyReply, LONGEST_NAME, type Transport } from './messages.js'
import { COPIED_SIDE, pump, type Wire } from './pump.js'
import { isServed } from './scheme.js'
import { toWire } from './wire-error.js'

export * from '../exports.js'
export { registerScheme, SCHEME_PRIVILEGES, type ServeOptions, serveScheme } from './scheme.js'

loadAddon()
loadParts()
loadObjects() // a bundler for Node may take the call in objects.ts for one without effect

export interface WindowOptions {
  /** What the page calls it in `connect` (default 'default'). */
  name?: string
  /**
   * Origins whose pages may have it, such as 'http://localhost:5173'. Default: those that
   * serveScheme serves.
   */
  origins?: readonly string[]
}

interface Offer {
  channel: SharedMemoryChannel
  origins: readonly string[] | undefined
  /** The renderer's side, while its messages are copied to a page. */
  copied: SharedMemoryChannel | null
}

/** By window (its WebContents), then by name. */
const offers = new Map<WebContents, Map<string, Offer>>()
let listening = false

/**
 * Let the pages of this window, one after the other, take the 'renderer' side of a channel. It was
 * made here, in the main process, with share: 'processes', and is not used on that side; the other
 * side is a native worker's (startWorker), or `SharedMemoryChannel.attach(channel.token, { side:
 * 'native' })`. Returns what ends the offer; the window's end does so, too. Errors:
 * ERR_SABWAY_INVALID_STATE, and ERR_SABWAY_INVALID_ARGUMENT for the codec 'v8', which no page can
 * read.
 */
export function shareWithWindow<T = Uint8Array>(
  window: WebContents | { webContents: WebContents },
  shared: SharedMemoryChannel<T>,
  options?: WindowOptions,
): () => void {
  const contents = contentsOf(window)
  const channel = shared as unknown as SharedMemoryChannel // whose messages pass as bytes
  if (check.kindOf(channel) !== 'SharedMemoryChannel') {
    check.refuse('ERR_SABWAY_INVALID_TYPE', 'channel must be a SharedMemoryChannel', channel)
  }
  const { name = 'default', origins: listed } = check.options(options, 'window options', ['name', 'origins'])
  check.text(name, 'name', LONGEST_NAME)
  const origins =
    listed === undefined ? undefined : check.reading('origins', () => [...check.array(listed, 'origins')] as string[])
  for (const origin of origins ?? []) check.text(origin, 'each of origins', LONGEST_ORIGIN)
  const named = offers.get(contents) ?? new Map<string, Offer>()
  if (named.has(name)) {
    throw new SabwayError('ERR_SABWAY_INVALID_STATE', `this window has a channel '${name}'; give this one another name`)
  }
  requireShared(channel)
  if (codecOf(channel) === 'v8') {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      "pages cannot read what the codec 'v8' writes; make the channel with codec: 'structured', which in Electron is 'msgpack'",
    )
  }
  if (named.size === 0 && !offers.has(contents)) contents.once('destroyed', () => forget(contents))
  offers.set(contents, named)
  named.set(name, { channel, origins, copied: null })
  listen()
  return () => {
    named.get(name)?.copied?.detach()
    named.delete(name)
  }
}

const LONGEST_ORIGIN = 1000

/**
 * Errors: ERR_SABWAY_INVALID_STATE when only threads share the channel, which may come from another
 * copy of the library.
 */
function requireShared(channel: SharedMemoryChannel): void {
  try {
    channel.token
  } catch (error) {
    throw adopt(error)
  }
}

const codecOf = (channel: SharedMemoryChannel): string => channel.handle.codec ?? 'bytes'

/** Errors: ERR_SABWAY_INVALID_TYPE. */
function contentsOf(window: WebContents | { webContents: WebContents }): WebContents {
  const expected = 'window must be a BrowserWindow or its webContents'
  if (typeof window !== 'object' || window === null) check.refuse('ERR_SABWAY_INVALID_TYPE', expected, window)
  const found = check.reading('window', () => ('webContents' in window ? window.webContents : window))
  const once = found && check.reading('window', () => found.once)
  if (typeof once !== 'function') check.refuse('ERR_SABWAY_INVALID_TYPE', expected, window)
  return found
}

function forget(contents: WebContents): void {
  for (const { copied } of offers.get(contents)?.values() ?? []) copied?.detach()
  offers.delete(contents)
}

function listen(): void {
  if (listening) return
  listening = true
  ipcMain.handle(ASK, (event, name: unknown, transport: Transport): Answer => {
    try {
      const offer = find(event.sender, event.senderFrame, name)
      const answer = { ...capacitiesOf(offer.channel), codec: codecOf(offer.channel) }
      return transport === 'shared' ? { ...answer, token: offer.channel.token } : answer
    } catch (error) {
      return toWire(error)
    }
  })
  ipcMain.on(COPY, copyOverPort)
}

/**
 * What this page may have. A renderer is not trusted: it names a channel, and all else is looked
 * up.
 */
function find(contents: WebContents, frame: WebFrameMain | null, name: unknown): Offer {
  const offer = typeof name === 'string' ? offers.get(contents)?.get(name) : undefined
  if (offer === undefined) {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_STATE',
      `main shares no channel ${check.shown(name)} with this window (shareWithWindow)`,
    )
  }
  const url = frame?.url ?? ''
  const allowed = offer.origins === undefined ? isServed(url) : offer.origins.includes(originOf(url))
  if (frame === null || frame !== contents.mainFrame || !allowed) {
    throw new SabwayError(
      'ERR_SABWAY_NOT_PERMITTED',
      `the channel '${name}' is not for ${url.slice(0, 90) || 'this frame'}; serve the page with serveScheme, or name its origin in shareWithWindow's origins`,
    )
  }
  return offer
}

function originOf(url: string): string {
  if (!URL.canParse(url)) return ''
  const { origin, protocol, host } = new URL(url)
  // Node knows no origins of custom schemes
  return origin === 'null' ? `${protocol}//${host}` : origin
}

function capacitiesOf(channel: SharedMemoryChannel): Capacities {
  const { side, sent, received } = channel.stats()
  const [rendererToNative, nativeToRenderer] =
    side === 'renderer' ? [sent.capacity, received.capacity] : [received.capacity, sent.capacity]
  return { rendererToNative, nativeToRenderer }
}

/** A page that cannot have the memory: this process has its side, and copies the messages. */
function copyOverPort(event: IpcMainEvent, name: unknown): void {
  const port = event.ports[0]
  if (port === undefined) return
  try {
    const offer = find(event.sender, event.senderFrame, name)
    offer.copied?.detach() // an earlier page's
    const parts = handleParts(offer.channel.handle)
    // values pass as the bytes they are
    const options = { channel: parts.channel, format: null, ...COPIED_SIDE }
    const copied = SharedMemoryChannel.over(Region.holding(parts), 'renderer', options)
    offer.copied = copied
    port.postMessage({ copying: true } satisfies CopyReply)
    const { rendererToNative, nativeToRenderer } = capacitiesOf(copied)
    pump(copied, mainWire(port), { outgoing: nativeToRenderer, incoming: rendererToNative }, (ended) => {
      if (ended) copied.cleanup()
      else copied.detach()
      if (offer.copied === copied) offer.copied = null
    })
  } catch (error) {
    port.postMessage({ refused: toWire(error) } satisfies CopyReply)
    port.close()
  }
}

function mainWire(port: MessagePortMain): Wire {
  return {
    post: (parcel) => port.postMessage(parcel),
    onParcel: (callback) => {
      port.on('message', ({ data }) => callback(data))
      port.start()
    },
    onClose: (callback) => port.on('close', callback),
    close: () => port.close(),
  }
}
