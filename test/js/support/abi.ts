// Offsets into a region, for tests that write into it what no peer should.
import { generated } from './generated.js'

interface Abi {
  sw_region_header: Record<
    'sizeof' | 'magic' | 'layout_hash' | 'pages' | 'flags' | 'root' | 'nonce_low' | 'nonce_high',
    number
  >
  sw_endpoint: Record<
    'sizeof' | 'pid' | 'start_low' | 'start_high' | 'doorbell' | 'sleeping' | 'skills' | 'request',
    number
  >
  sw_ring: {
    sizeof: number
    capacity: number
    data: number
    producer: number
    consumer: number
    head: number
    tail: number
    closed: number
  }
  sw_channel: { sizeof: number; rings: number }
  sw_producer: { status: number; next: number; room: number }
  sw_frame: { sizeof: number; length: number; info: number }
  sw_heap_control: { lock: number }
  sw_directory: { lock: number }
  sw_directory_entry: { sizeof: number }
  sw_mutex: { waiters: number }
  SW_MAGIC: number
  SW_PAGE: number
  SW_INSTANCES_AT: number
  SW_SLEEP_ATOMICS: number
  SW_RELAYS: number
  SW_ENDPOINTS: number
  SW_HEAP_AT: number
  SW_DIRECTORY_AT: number
  SW_RING_MIN: number
  SW_RING_MAX: number
  ERRORS: Record<string, { number: number; text: string }>
}

const { ADDON_ERRORS, OBJECT_ERRORS, CODEC_ERRORS, WRAPPER_ERRORS, PEER_ERRORS, ...rest } = generated as Abi &
  Record<'ADDON_ERRORS' | 'OBJECT_ERRORS' | 'CODEC_ERRORS' | 'WRAPPER_ERRORS' | 'PEER_ERRORS', Abi['ERRORS']>

export const abi: Abi = {
  ...rest,
  ERRORS: { ...rest.ERRORS, ...ADDON_ERRORS, ...OBJECT_ERRORS, ...CODEC_ERRORS, ...WRAPPER_ERRORS, ...PEER_ERRORS },
}

/** Index, in an Int32Array over the region, of a word of the ring that this side produces into. */
export function ringWord(producer: 'renderer' | 'native', field: number): number {
  const side = producer === 'renderer' ? 0 : 1
  return (abi.SW_HEAP_AT + abi.sw_channel.rings + side * abi.sw_ring.sizeof + field) >>> 2
}
