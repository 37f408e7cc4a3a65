// Queues and calls under names of the window, where engines look for them.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'

export interface P2PExposeNames {
  /** The queues by their numbers: `'WavedashP2PChannelQueues'` unless given. */
  queues?: string
  /** The calls: `'WavedashJS'` unless given. */
  sdk?: string
}

const NAME_MOST = 200

/**
 * Put two objects there: `queues`, whose property of each number is made when it is asked for, and
 * `sdk`. Returns how to take them away again. Errors: ERR_SABWAY_INVALID_TYPE,
 * ERR_SABWAY_INVALID_ARGUMENT; ERR_SABWAY_INVALID_STATE: one of the names is taken.
 */
export function expose(
  scope: object,
  names: P2PExposeNames | undefined,
  channels: number,
  queueOf: (channel: number) => unknown,
  sdk: object,
): () => void {
  if ((typeof scope !== 'object' && typeof scope !== 'function') || scope === null) {
    check.refuse('ERR_SABWAY_INVALID_TYPE', 'scope must be an object such as window', scope)
  }
  const given = check.options(names, 'names', ['queues', 'sdk'])
  const queuesName = check.text(given.queues ?? 'WavedashP2PChannelQueues', 'queues', NAME_MOST)
  const sdkName = check.text(given.sdk ?? 'WavedashJS', 'sdk', NAME_MOST)
  const queues = Object.create(null) as object
  for (let channel = 0; channel < channels; channel++) {
    Object.defineProperty(queues, channel, { enumerable: true, get: () => queueOf(channel) })
  }
  Object.defineProperty(queues, 'length', { value: channels })
  const values: [string, object][] = [
    [queuesName, queues],
    [sdkName, sdk],
  ]
  for (const [name] of values) {
    if (!(name in scope) && queuesName !== sdkName) continue
    throw new SabwayError(
      'ERR_SABWAY_INVALID_STATE',
      `'${name}' is taken there; give another name, or close the manager that has it`,
    )
  }
  for (const [name, value] of values)
    Object.defineProperty(scope, name, { value, configurable: true, enumerable: true })
  return () => {
    for (const [name, value] of values) {
      const there = scope as Record<string, unknown>
      if (there[name] === value) delete there[name]
    }
  }
}
