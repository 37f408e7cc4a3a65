// The messages between JavaScript and the plugin, byte for byte: frame.h and frames.c in
// JavaScript. Little-endian.

export const FRAME_HEADER = 64
const FRAME_PIXEL = 4
const FRAME_PERIOD = 256
export const FRAME_SIDE_MAX = 16384

const FRAME_MAGIC = 0x31465753
const CONTROL_MAGIC = 0x31435753
const ACK_MAGIC = 0x31415753
const CONTROL_BYTES = 32
const ACK_BYTES = 24

const COMMANDS = { start: 1, rate: 2, size: 3, stop: 4 }
export const STATUS = {
  0: 'done',
  '-1': 'bad command',
  '-2': 'bad value',
  '-3': 'frame too large for the ring',
  '-4': 'out of memory',
  '-5': 'wrong state',
}

export const frameBytes = (width, height) => FRAME_HEADER + width * height * FRAME_PIXEL

const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** A control message. */
export function encodeOrder(seq, command, { width = 0, height = 0, rate = 0 } = {}) {
  const bytes = new Uint8Array(CONTROL_BYTES)
  const at = view(bytes)
  at.setUint32(0, CONTROL_MAGIC, true)
  at.setUint32(4, seq, true)
  at.setUint32(8, COMMANDS[command], true)
  at.setUint32(12, width, true)
  at.setUint32(16, height, true)
  at.setFloat64(24, rate, true)
  return bytes
}

/**
 * A frame's header or an acknowledgement, each field read once: in place, the sender could still
 * change it.
 */
export function decode(bytes) {
  const at = view(bytes)
  const magic = bytes.length >= 4 ? at.getUint32(0, true) : 0
  if (magic === ACK_MAGIC && bytes.length === ACK_BYTES) {
    const [seq, command, status] = [at.getUint32(4, true), at.getUint32(8, true), at.getInt32(12, true)]
    return { ack: true, seq, command, status, next: Number(at.getBigUint64(16, true)) }
  }
  if (magic !== FRAME_MAGIC || bytes.length < FRAME_HEADER) return null
  return {
    ack: false,
    width: at.getUint32(4, true),
    height: at.getUint32(8, true),
    crc: at.getUint32(12, true),
    number: Number(at.getBigUint64(16, true)),
    time: at.getBigUint64(24, true),
  }
}

/**
 * A function that renders the plugin's test pattern in the same steps, for the comparison with
 * postMessage.
 */
export function makeRenderer(width, height, crc32c) {
  const rowBytes = width * FRAME_PIXEL
  const strip = new Uint8Array(rowBytes + FRAME_PERIOD * FRAME_PIXEL)
  for (let x = 0; x < width + FRAME_PERIOD; x++) strip.set([x, 2 * x, 255 - x, 255], x * FRAME_PIXEL)
  const rows = Array.from({ length: FRAME_PERIOD }, (_, i) =>
    strip.subarray(i * FRAME_PIXEL, i * FRAME_PIXEL + rowBytes),
  )
  return (bytes, number) => {
    for (let y = 0, to = FRAME_HEADER; y < height; y++, to += rowBytes) bytes.set(rows[(number + y) % FRAME_PERIOD], to)
    const at = view(bytes)
    at.setUint32(0, FRAME_MAGIC, true)
    at.setUint32(4, width, true)
    at.setUint32(8, height, true)
    at.setUint32(12, crc32c(bytes.subarray(FRAME_HEADER)), true)
    at.setBigUint64(16, BigInt(number), true)
    at.setBigUint64(24, process.hrtime.bigint(), true)
  }
}
