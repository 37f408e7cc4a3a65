// Why shared memory cannot leave a scope, and what helps there: that differs from scope to scope,
// and headers help in few of them.
import { whyNotIsolated } from '../base/electron-versions.js'

const EMBEDDER = 'Cross-Origin-Embedder-Policy: require-corp'
export const HEADERS = `Cross-Origin-Opener-Policy: same-origin and ${EMBEDDER}`

/** Of a page's, worker's or frame's globals, what tells them apart. */
export interface Scope {
  readonly crossOriginIsolated?: boolean
  readonly isSecureContext?: boolean
  readonly origin?: string
  readonly location?: { readonly protocol: string }
  readonly navigator?: { readonly userAgent?: string }
  readonly parent?: Scope
  readonly Worker?: unknown
}

/** Of a scope that shares no memory, whose class has that name. */
export function whyNot(scope: Scope, kind: string): string {
  // Isolated by its headers in Chromium: what it posts arrives nowhere all the same.
  if (kind === 'ServiceWorkerGlobalScope') {
    return 'a service worker shares memory with no page and no worker, whatever its headers; let a page and its dedicated workers have the channel, and tell the service worker by postMessage'
  }
  if (kind === 'SharedWorkerGlobalScope') {
    return 'a SharedWorker shares memory with no page, whatever its headers; use a dedicated worker (new Worker), and tell the SharedWorker by postMessage'
  }
  return missing(scope)
}

/** What a scope lacks that can be isolated, or why it cannot be. */
function missing(scope: Scope): string {
  const { location, navigator, origin, parent } = scope
  const inWorker = parent === undefined
  const electron = /Electron\/([\d.]+)/.exec(navigator?.userAgent ?? '')
  if (electron !== null) return whyNotIsolated(electron[1])
  if (location?.protocol === 'data:' && inWorker) {
    return 'a data: worker has an origin of its own: it can attach to the handle of an isolated page, but not pass one on; make the channel in the page, or start the worker from a URL of the page, or a blob:'
  }
  if (location?.protocol === 'file:') {
    return `a file: page is never cross-origin isolated; serve it over https: or from localhost, with ${HEADERS}`
  }
  if (location?.protocol === 'chrome-extension:') {
    return "this extension is not cross-origin isolated; its manifest needs cross_origin_opener_policy { value: 'same-origin' } and cross_origin_embedder_policy { value: 'require-corp' }"
  }
  if (origin === 'null') {
    return `its origin is opaque, as that of a data: page or a sandboxed iframe; load it from a URL, with allow-same-origin in the sandbox, inside a page that is served with ${HEADERS}`
  }
  if (scope.isSecureContext === false) {
    return `only https: and localhost can be cross-origin isolated, and this came over http:; serve it over https:, with ${HEADERS}`
  }
  if (inWorker) {
    return `the page that started this worker is not cross-origin isolated; serve the page with ${HEADERS}, and the worker's script with the latter, too`
  }
  return parent === scope ? `this page is not cross-origin isolated; serve it with ${HEADERS}` : missingInFrame(parent)
}

function missingInFrame(parent: Scope): string {
  if (canRead(parent)) {
    return `this iframe is not cross-origin isolated, since the page around it is not; serve the top page with ${HEADERS}, and this one with the latter, too`
  }
  return `this iframe, of another origin than the page around it, is not cross-origin isolated; the element needs allow="cross-origin-isolated", the top page ${HEADERS}, and this one the latter, too, and Cross-Origin-Resource-Policy: cross-origin`
}

/** A page of another origin refuses to be looked at. */
function canRead(page: Scope): boolean {
  try {
    return page.location?.protocol !== undefined
  } catch {
    return false
  }
}
