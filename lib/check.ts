// Arguments are checked once, here, before anything is touched.
import { SabwayError } from './errors.js'

const shown = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : String(value))

export function integer(value: unknown, name: string, least: number, most: number): number {
  if (typeof value !== 'number') {
    throw new SabwayError('ERR_SABWAY_INVALID_TYPE', `${name} must be a number, got ${typeof value}`)
  }
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new SabwayError(
      'ERR_SABWAY_OUT_OF_RANGE',
      `${name} must be an integer from ${least} to ${most}, got ${value}`,
    )
  }
  return value
}

export function milliseconds(value: unknown, name: string): number {
  if (typeof value !== 'number' || !(value >= 0)) {
    throw new SabwayError(
      'ERR_SABWAY_OUT_OF_RANGE',
      `${name} must be a number of milliseconds, at least 0, got ${shown(value)}`,
    )
  }
  return value
}

export function callback(value: unknown, name: string): void {
  if (typeof value !== 'function') {
    throw new SabwayError('ERR_SABWAY_INVALID_TYPE', `${name} must be a function, got ${typeof value}`)
  }
}

export function bytes(value: unknown): asserts value is Uint8Array {
  if (value instanceof Uint8Array) return
  const hint = ArrayBuffer.isView(value)
    ? '; wrap it: new Uint8Array(view.buffer, view.byteOffset, view.byteLength)'
    : ''
  throw new SabwayError('ERR_SABWAY_INVALID_TYPE', `a message must be a Uint8Array, got ${shown(value)}${hint}`)
}

export function oneOf<T extends string>(value: unknown, name: string, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T
  throw new SabwayError(
    'ERR_SABWAY_INVALID_ARGUMENT',
    `${name} must be one of ${choices.map(shown).join(', ')}, got ${shown(value)}`,
  )
}

/** Shared memory leaves a page's thread only where the page is cross-origin isolated; without a page there is no such rule. */
export function isolated(): void {
  if ((globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false) return
  throw new SabwayError(
    'ERR_SABWAY_NOT_ISOLATED',
    'its memory cannot be posted; serve the page with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp',
  )
}

export function abortSignal(value: unknown): void {
  if (value === undefined || value instanceof AbortSignal) return
  throw new SabwayError('ERR_SABWAY_INVALID_TYPE', 'signal must be an AbortSignal')
}
