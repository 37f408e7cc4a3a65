// Which scopes shared memory can leave. What helps in one that it cannot is isolation-advice.ts.
import { SabwayError } from '../base/errors.js'
import { HEADERS, type Scope } from './isolation-advice.js'
import { advicePart } from './parts.js'

/**
 * Errors: ERR_SABWAY_NOT_ISOLATED. Hosts that are no browser, which do not know the word, have no
 * such rule.
 */
export function isolated(): void {
  const scope = globalThis as Scope
  if (scope.crossOriginIsolated === undefined) return
  const kind = Object.prototype.toString.call(scope).slice(8, -1)
  if (scope.crossOriginIsolated && shares(scope, kind)) return
  throw new SabwayError('ERR_SABWAY_NOT_ISOLATED', advicePart.loaded?.whyNot(scope, kind) ?? IN_GENERAL)
}

/**
 * Headers isolate a service worker in Chromium, and what it posts arrives nowhere all the same. A
 * SharedWorker that has workers of its own may share with those.
 */
const shares = (scope: Scope, kind: string): boolean =>
  kind !== 'ServiceWorkerGlobalScope' && (kind !== 'SharedWorkerGlobalScope' || scope.Worker !== undefined)

const IN_GENERAL = `this scope is not cross-origin isolated; serve the page, and the scripts of its workers, with ${HEADERS}; import 'sabway' to be told more`
