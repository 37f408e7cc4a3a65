// How large a queue between peers is, and what lies where in it: sabway/layout/p2p.h.
import * as check from '../base/check.js'
import {
  SW_P2P_PLAIN,
  SW_P2P_SLOT_LARGE,
  SW_P2P_SLOT_SMALL,
  SW_P2P_SLOTS,
  SW_P2P_SLOTS_MOST,
  SW_P2P_TIMED,
  sw_p2p_header,
  sw_p2p_plain,
  sw_p2p_slot,
  sw_p2p_timed,
} from '../generated/abi.js'

/** Which way messages go: `'incoming'` ones from the network to the engine. */
export type P2PDirection = 'incoming' | 'outgoing'

export const DIRECTIONS = ['incoming', 'outgoing'] as const

/** What a queue is like. Both sides must say the same: only `timestamps` stands in the memory. */
export interface P2PQueueOptions {
  /** Slots of a direction, from 2 to 65536; 256 unless given. One of them stays free. */
  slots?: number
  /** Bytes of a slot: 512, or 1024, which is what it has unless given. */
  slotBytes?: 512 | 1024
  /** Messages have 8 bytes more, which say when they were sent: the older form. */
  timestamps?: boolean
  /** One direction, which is `'incoming'`. */
  single?: boolean
}

export const OPTION_NAMES = ['slots', 'slotBytes', 'timestamps', 'single'] as const

export interface Shape {
  readonly slots: number
  readonly slotBytes: number
  readonly timestamps: boolean
  readonly single: boolean
  readonly version: number
  /** Bytes of a message before its data. */
  readonly headBytes: number
  /** The most bytes of data. */
  readonly most: number
  readonly byteLength: number
}

const directionsOf = (single: boolean): number => (single ? 1 : 2)

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_INVALID_ARGUMENT. */
export function shapeOf(options: P2PQueueOptions): Shape {
  const slots = check.integer(options.slots ?? SW_P2P_SLOTS, 'slots', 2, SW_P2P_SLOTS_MOST)
  const slotBytes = options.slotBytes ?? SW_P2P_SLOT_LARGE
  if (slotBytes !== SW_P2P_SLOT_SMALL && slotBytes !== SW_P2P_SLOT_LARGE) {
    check.refuse('ERR_SABWAY_INVALID_ARGUMENT', 'slotBytes must be 512 or 1024', slotBytes)
  }
  const { timestamps = false, single = false } = options
  check.flag(timestamps, 'timestamps')
  check.flag(single, 'single')
  const headBytes = timestamps ? sw_p2p_timed.sizeof : sw_p2p_plain.sizeof
  return {
    slots,
    slotBytes,
    timestamps,
    single,
    version: timestamps ? SW_P2P_TIMED : SW_P2P_PLAIN,
    headBytes,
    most: slotBytes - sw_p2p_slot.message - headBytes,
    byteLength: directionsOf(single) * (sw_p2p_header.sizeof + slots * slotBytes),
  }
}

/** Where a direction's header and its first slot are, from the queue's first byte. */
export function placesOf(shape: Shape, direction: number): { header: number; slots: number } {
  const headers = directionsOf(shape.single) * sw_p2p_header.sizeof
  return { header: direction * sw_p2p_header.sizeof, slots: headers + direction * shape.slots * shape.slotBytes }
}
