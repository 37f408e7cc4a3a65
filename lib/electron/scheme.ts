// Serving pages in a way that makes them cross-origin isolated.
import { extname, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { app, net, protocol } from 'electron'
import { SabwayError } from '../errors.js'

/** What registerScheme registers a scheme with; for those who register several, which Electron wants in one call. */
export const SCHEME_PRIVILEGES: Readonly<Electron.Privileges> = {
  standard: true,
  secure: true,
  supportFetchAPI: true,
  stream: true,
  codeCache: true,
}

/** With these a page may share memory; its Content-Security-Policy must allow WebAssembly. */
const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
}

/** Of compiled code, which net.fetch does not know by its name. */
const TYPES: Readonly<Record<string, string>> = { '.mjs': 'text/javascript', '.wasm': 'application/wasm' }

const served = new Set<string>()

/** Register `scheme` (default 'app') as one whose pages can be isolated. Before app is ready. Errors: ERR_SABWAY_INVALID_STATE. */
export function registerScheme(scheme = 'app'): void {
  if (app.isReady()) {
    throw new SabwayError('ERR_SABWAY_INVALID_STATE', 'registerScheme must be called before app is ready')
  }
  protocol.registerSchemesAsPrivileged([{ scheme, privileges: { ...SCHEME_PRIVILEGES } }])
}

export interface ServeOptions {
  scheme?: string
  /** Besides, or instead of, those that serveScheme sets (lower case); null takes one away. */
  headers?: Record<string, string | null>
  /** Whose protocol it is (default: the default session's). */
  protocol?: Electron.Protocol
}

/** Serve the files of `folder` as `<scheme>://<any host>/...`, with the headers that isolate a page. After app is ready. */
export function serveScheme(folder: string, options: ServeOptions = {}): void {
  const { scheme = 'app', headers = {} } = options
  const root = resolve(folder)
  const kept = Object.entries({ ...ISOLATED, ...headers }).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  )
  ;(options.protocol ?? protocol).handle(scheme, async (request) => {
    const file = resolve(root, `.${decodeURIComponent(new URL(request.url).pathname)}`)
    if (!file.startsWith(root + sep)) return new Response('outside of the folder that is served', { status: 403 })
    try {
      const found = await net.fetch(pathToFileURL(file).href, { bypassCustomProtocolHandlers: true })
      const answered = new Headers(found.headers)
      const type = TYPES[extname(file)]
      if (type !== undefined) answered.set('content-type', type)
      for (const [name, value] of kept) answered.set(name, value)
      return new Response(found.body, { status: found.status, headers: answered })
    } catch {
      return new Response(`no such file: ${request.url}`, { status: 404 })
    }
  })
  served.add(`${scheme}:`)
}

/** Is this a page of a scheme that serveScheme serves? */
export const isServed = (url: string): boolean => URL.canParse(url) && served.has(new URL(url).protocol)
