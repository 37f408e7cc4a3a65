// The reader and the writer of the seed, transcribed from GDScript line by line, with the names
// that they have there. The seed contradicts itself about the size of slots and about the header of
// a message: what it says in two ways is a parameter here.

/** As Godot 4 has it, but over memory that others share. */
export class PackedByteArray {
  #bytes: Uint8Array

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = bytes
  }

  size(): number {
    return this.#bytes.length
  }

  resize(size: number): void {
    const larger = new Uint8Array(size)
    larger.set(this.#bytes.subarray(0, size))
    this.#bytes = larger
  }

  at(index: number): number {
    return this.#bytes[index] as number
  }

  append(byte: number): void {
    this.resize(this.#bytes.length + 1)
    this.#bytes[this.#bytes.length - 1] = byte
  }

  append_array(other: PackedByteArray): void {
    for (let i = 0; i < other.size(); i++) this.append(other.at(i))
  }

  slice(begin: number, end: number): PackedByteArray {
    return new PackedByteArray(Uint8Array.from(this.#bytes.subarray(begin, end)))
  }

  decode_u32(offset: number): number {
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getUint32(offset, true)
  }

  encode_u32(offset: number, value: number): void {
    new DataView(this.#bytes.buffer, this.#bytes.byteOffset).setUint32(offset, value, true)
  }

  /** Godot ends a text at the first NUL. */
  get_string_from_utf8(): string {
    const text = new TextDecoder().decode(Uint8Array.from(this.#bytes))
    return text.split('\0', 1)[0] as string
  }

  bytes(): Uint8Array {
    return this.#bytes
  }
}

const to_utf8_buffer = (text: string): PackedByteArray => new PackedByteArray(new TextEncoder().encode(text))
const strip_right = (text: string): string => text.replace(/[\0-\x20]+$/, '')

/** What the two sections of the seed say differently. */
export interface Variant {
  QUEUE_SIZE: number
  MESSAGE_SIZE: number
  /** Where the length of the data and the data are in a message. */
  length_offset: number
  data_offset: number
}

export const READER_OF_SEED: Variant = { QUEUE_SIZE: 256, MESSAGE_SIZE: 512, length_offset: 44, data_offset: 48 }
export const WRITER_OF_SEED: Variant = { QUEUE_SIZE: 256, MESSAGE_SIZE: 1024, length_offset: 36, data_offset: 40 }

/** Where a direction lies: the first section of the seed has one, the other one has two. */
export interface Section {
  header: number
  data: number
}

export const FIRST_SECTION: Section = { header: 0, data: 16 }

export const incoming = (): Section => ({ header: 0, data: 32 })

export const outgoing = ({ QUEUE_SIZE, MESSAGE_SIZE }: Variant): Section => ({
  header: 16,
  data: 16 * 2 + QUEUE_SIZE * MESSAGE_SIZE,
})

export interface GodotMessage {
  from_user_id: string
  channel: number
  data: PackedByteArray
}

// ---- "2. Read Queue Header" and "3. Read Messages from Specific Channel" ----

function read_queue_header(queue_view: PackedByteArray, at: Section) {
  return {
    write_index: queue_view.decode_u32(at.header + 0),
    read_index: queue_view.decode_u32(at.header + 4),
    message_count: queue_view.decode_u32(at.header + 8),
    version: queue_view.decode_u32(at.header + 12),
  }
}

export function read_messages_from_queue(
  queue_view: PackedByteArray,
  max_messages: number,
  variant: Variant,
  at: Section,
): GodotMessage[] {
  const messages: GodotMessage[] = []
  const header = read_queue_header(queue_view, at)

  let messages_read = 0
  while (header.message_count > 0 && messages_read < max_messages) {
    const read_offset = at.data + header.read_index * variant.MESSAGE_SIZE

    const message_size = queue_view.decode_u32(read_offset)
    if (message_size === 0 || message_size > variant.MESSAGE_SIZE - 4) break

    const message_data = queue_view.slice(read_offset + 4, read_offset + 4 + message_size)
    messages.push(decode_binary_message(message_data, variant))

    header.read_index = (header.read_index + 1) % variant.QUEUE_SIZE
    header.message_count -= 1

    queue_view.encode_u32(at.header + 4, header.read_index)
    queue_view.encode_u32(at.header + 8, header.message_count)

    messages_read += 1
  }
  return messages
}

function decode_binary_message(data: PackedByteArray, variant: Variant): GodotMessage {
  const from_bytes = data.slice(0, 32)
  const from_user_id = strip_right(from_bytes.get_string_from_utf8())
  const channel = data.decode_u32(32)
  const data_length = data.decode_u32(variant.length_offset)
  return {
    from_user_id,
    channel,
    data: data_length > 0 ? data.slice(variant.data_offset, variant.data_offset + data_length) : new PackedByteArray(),
  }
}

// ---- "4. Sending P2P Messages from Godot" ----

/** A JavaScriptObject over the memory. */
class Buffer {
  readonly #view: DataView

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get_uint32(offset: number): number {
    return this.#view.getUint32(offset, true)
  }

  set_uint32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true)
  }

  set_uint8(offset: number, value: number): void {
    this.#view.setUint8(offset, value)
  }
}

/** False where the seed prints that the queue is full. */
export function write_to_outgoing_queue(
  memory: Uint8Array,
  from: string,
  payload: PackedByteArray,
  channel: number,
  variant: Variant,
  at: Section,
): boolean {
  const buffer = new Buffer(memory)
  const message_data = new PackedByteArray()

  const from_id = to_utf8_buffer(from)
  from_id.resize(32)
  message_data.append_array(from_id)

  message_data.append_array(
    new PackedByteArray(
      Uint8Array.of(channel & 0xff, (channel >> 8) & 0xff, (channel >> 16) & 0xff, (channel >> 24) & 0xff),
    ),
  )
  // The older form has a timestamp here.
  for (let i = 36; i < variant.length_offset; i++) message_data.append(0)

  const payload_len = payload.size()
  for (let i = 0; i < 4; i++) message_data.append((payload_len >> (i * 8)) & 0xff)

  message_data.append_array(payload)

  const { QUEUE_SIZE, MESSAGE_SIZE } = variant
  const WRITE_INDEX_OFFSET = 0
  const MESSAGE_COUNT_OFFSET = 8

  const write_index = buffer.get_uint32(at.header + WRITE_INDEX_OFFSET)
  const message_count = buffer.get_uint32(at.header + MESSAGE_COUNT_OFFSET)

  if (message_count >= QUEUE_SIZE) return false

  const write_offset = at.data + write_index * MESSAGE_SIZE
  buffer.set_uint32(write_offset, message_data.size())

  for (let i = 0; i < message_data.size(); i++) buffer.set_uint8(write_offset + 4 + i, message_data.at(i))

  const next_write_index = (write_index + 1) % QUEUE_SIZE
  buffer.set_uint32(at.header + WRITE_INDEX_OFFSET, next_write_index)
  buffer.set_uint32(at.header + MESSAGE_COUNT_OFFSET, message_count + 1)
  return true
}
