// The parts of a token, for tests that forge some: docs/guide/processes.md says what they are.
import { crc32c } from 'sabway'

export interface TokenParts {
  version: string
  pid: string
  start: string
  namespace: string
  handle: string
  size: string
  nonce: string
  name: string
}

const PARTS = ['version', 'pid', 'start', 'namespace', 'handle', 'size', 'nonce', 'name'] as const

export function partsOf(token: string): TokenParts {
  const values = token.split(':')
  return Object.fromEntries(PARTS.map((part, i) => [part, values[i]!])) as unknown as TokenParts
}

/** The same token with other parts, and a checksum that is right. */
export function forge(token: string, parts: Partial<TokenParts>): string {
  const all = { ...partsOf(token), ...parts }
  const text = PARTS.map((part) => all[part]).join(':')
  return `${text}:${crc32c(Buffer.from(text)).toString(16).padStart(8, '0')}`
}

export const hex = (value: number | bigint): string => value.toString(16)
