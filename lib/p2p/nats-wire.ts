// The subjects of a game in NATS, and what its messages begin with.
//
//   <prefix>.here.<from>       presence   | kind, u8 | session of the sender, 8 bytes |
//   <prefix>.u.<from>.<to>     may be lost | session of the sender, 8 | of the receiver, 8 | data |
//   <prefix>.r.<from>.<to>     reliable   | the same 16 bytes | number, u64 | data |
//
// Numbers are little-endian. Whose message it is, the subject says, which the server lets only its
// user publish to. A session is 16 hexadecimal digits, as bytes: a program that begins anew under
// the same id has another one. Numbers are those of one sender to one receiver, in their sessions.
import { isId } from './ids.js'

export const HERE = 1
export const GONE = 2
const SESSION = 8
export const PRESENCE_BYTES = 1 + SESSION
export const LOSSY_HEAD = 2 * SESSION
export const RELIABLE_HEAD = LOSSY_HEAD + 8

const PLAIN = /[A-Za-z0-9_-]/

/** An id as a part of a subject: bytes other than letters, digits, `_` and `-` become `=2e`. */
export function tokenOf(id: string): string {
  let token = ''
  for (const byte of new TextEncoder().encode(id)) {
    const sign = String.fromCharCode(byte)
    token += PLAIN.test(sign) ? sign : `=${byte.toString(16).padStart(2, '0')}`
  }
  return token === '' ? '=' : token
}

/** Undefined: no id has that token. */
export function idOf(token: string): string | undefined {
  const bytes: number[] = []
  for (let at = 0; at < token.length && token !== '='; at++) {
    if (token[at] !== '=') {
      bytes.push(token.charCodeAt(at))
      continue
    }
    bytes.push(Number.parseInt(token.slice(at + 1, at + 3), 16))
    at += 2
  }
  const id = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes))
  return isId(id) && tokenOf(id) === token ? id : undefined
}

export function putSession(bytes: Uint8Array, at: number, session: string): void {
  for (let i = 0; i < SESSION; i++) bytes[at + i] = Number.parseInt(session.slice(2 * i, 2 * i + 2), 16)
}

export function sessionAt(bytes: Uint8Array, at: number): string {
  let session = ''
  for (let i = 0; i < SESSION; i++) session += bytes[at + i]!.toString(16).padStart(2, '0')
  return session
}

export function presence(kind: number, session: string): Uint8Array {
  const bytes = new Uint8Array(PRESENCE_BYTES)
  bytes[0] = kind
  putSession(bytes, 1, session)
  return bytes
}

/** A message, with a number where it is reliable. */
export function framed(from: string, to: string, data: Uint8Array, number?: number): Uint8Array {
  const head = number === undefined ? LOSSY_HEAD : RELIABLE_HEAD
  const bytes = new Uint8Array(head + data.length)
  putSession(bytes, 0, from)
  putSession(bytes, SESSION, to)
  if (number !== undefined) {
    const view = new DataView(bytes.buffer)
    view.setUint32(LOSSY_HEAD, number, true)
    view.setUint32(LOSSY_HEAD + 4, number / 2 ** 32, true)
  }
  bytes.set(data, head)
  return bytes
}

/** Not beyond what a number of JavaScript counts: Infinity then. */
export function numberAt(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const number = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32
  return Number.isSafeInteger(number) ? number : Number.POSITIVE_INFINITY
}
