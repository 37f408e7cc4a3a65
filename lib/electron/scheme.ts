// Serving pages in a way that makes them cross-origin isolated.
import { extname, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { app, net, protocol } from 'electron'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'

/**
 * What registerScheme registers a scheme with; for programs that register several, which Electron
 * wants in one call.
 */
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

/**
 * Register `scheme` (default 'app') as one whose pages can be isolated. Before app is ready.
 * Errors: ERR_SABWAY_INVALID_STATE.
 */
export function registerScheme(scheme = 'app'): void {
  checkScheme(scheme)
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

/**
 * Serve the files of `folder` as `<scheme>://<any host>/...`, with the headers that isolate a page.
 * After app is ready.
 */
export function serveScheme(folder: string, options?: ServeOptions): void {
  check.text(folder, 'folder', LONGEST_PATH)
  const found = check.options(options, 'serve options', ['scheme', 'headers', 'protocol'])
  const { scheme = 'app', protocol: own = protocol } = found
  checkScheme(scheme)
  const headers = headersOf(found.headers)
  const handle = check.reading('protocol', () => own.handle)
  if (typeof handle !== 'function') check.refuse('ERR_SABWAY_INVALID_TYPE', 'protocol must be that of a session', own)
  const root = resolve(folder)
  const kept = Object.entries({ ...ISOLATED, ...headers }).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  )
  own.handle(scheme, async (request) => {
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

const LONGEST_PATH = 4096

/** As URLs have it. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT. */
function checkScheme(scheme: unknown): void {
  if (/^[a-z][a-z0-9+.-]{0,99}$/.test(check.text(scheme, 'scheme', 100))) return
  check.refuse('ERR_SABWAY_INVALID_ARGUMENT', "scheme must be lower-case letters, digits, '+', '.' and '-'", scheme)
}

function headersOf(given: unknown): Record<string, string | null> {
  if (given === undefined) return {}
  if (typeof given !== 'object' || given === null || ArrayBuffer.isView(given)) {
    check.refuse('ERR_SABWAY_INVALID_TYPE', 'headers must be an object such as { name: value }', given)
  }
  const headers = check.reading('headers', () => ({ ...given }) as Record<string, string | null>)
  const probe = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    if (value !== null && typeof value !== 'string') {
      check.refuse('ERR_SABWAY_INVALID_TYPE', `header ${check.shown(name)} must be a string or null`, value)
    }
    check.reading(`header ${check.shown(name)}`, () => probe.set(name, value ?? ''))
  }
  return headers
}

/** Is this a page of a scheme that serveScheme serves? */
export const isServed = (url: string): boolean => URL.canParse(url) && served.has(new URL(url).protocol)
