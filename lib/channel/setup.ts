// What the constructor of a channel is given, checked: by `new`, which makes a region, or by the
// library, which has joined one.
import type { ChannelHandle } from '../base/channel-handle.js'
import * as check from '../base/check.js'
import { between, type Format } from '../codec/format.js'
import { SW_NATIVE, SW_RENDERER } from '../generated/abi.js'
import { policyOf, type WaitPolicy } from '../loop/wait-policy.js'
import type { ChannelPlace } from '../region/channel-place.js'
import { FIRST_CHANNEL, handleParts, tokenParts } from '../region/handle.js'
import { Region } from '../region/region.js'
import type { BatchOptions } from './batch.js'
import type { AttachOptions, ChannelOptions, InnerOptions, Side } from './options.js'
import { formatFor, partsFor } from './parts.js'

export const BATCH = 'the option `batch`'

const CHANNEL_OPTIONS = ['region', 'buffer', 'share', 'name', 'codec', 'wait', 'batch', 'maxQueued'] as const
const ATTACH_OPTIONS = ['side', 'codec', 'wait', 'batch', 'maxQueued', 'replace'] as const

const queueBound = (given: number | undefined): number | undefined =>
  given === undefined ? undefined : check.count(given, 'maxQueued')

export interface SetupParts {
  region: Region
  /** Is the region closed with the channel? */
  ownsRegion: boolean
  place: ChannelPlace
  /** Can participants of other threads learn of the channel by another way than its handle? */
  named: boolean
  format: Format | null
  policy: WaitPolicy
  batch: BatchOptions | undefined
  maxQueued: number | undefined
  /** Why messages are copied to the other side; undefined where the memory is shared. */
  copiedBecause: string | undefined
  /** Of a new channel: leave nothing of it, because the object cannot be made. */
  undo?: () => void
}

/** Of what a channel object is made. No object of a program's is one of these. */
export class Setup {
  readonly #made = true

  private constructor(readonly parts: SetupParts) {}

  static is(value: unknown): value is Setup {
    return typeof value === 'object' && value !== null && #made in value
  }

  /**
   * Of the constructor's arguments: a new channel, in a region of its own or in one that is given.
   */
  static create<T>(rendererToNative: number, nativeToRenderer: number, given?: ChannelOptions<T>): Setup {
    const options = check.options(given, 'channel options', CHANNEL_OPTIONS)
    check.ringBytes(rendererToNative, 'rendererToNativeBytes')
    check.ringBytes(nativeToRenderer, 'nativeToRendererBytes')
    const policy = policyOf(options.wait)
    const maxQueued = queueBound(options.maxQueued)
    let { batch } = options
    if (batch !== undefined) batch = partsFor(BATCH).batchOptions(batch, 2 ** Math.ceil(Math.log2(rendererToNative)))
    const format = formatFor(options.codec)
    const [region, ref] = Region.forChannel(rendererToNative, nativeToRenderer, options)
    const place = region.placeOf(ref, SW_RENDERER)
    const name = options.region === undefined ? undefined : options.name
    if (name !== undefined) nameChannel(region, name, place)
    return new Setup({
      region,
      ownsRegion: options.region === undefined,
      place,
      named: name !== undefined,
      format: between(format, 'renderer', 'native'),
      policy,
      batch,
      maxQueued,
      copiedBecause: region.copied,
      undo() {
        try {
          if (name !== undefined) region.delete(name)
        } catch {
          // The name of a freed channel stands for nothing, and the first error is the one to tell.
        }
        region.freeChannel(place, true)
        if (options.region === undefined) region.close()
      },
    })
  }

  /** Of a region that was joined for the channel. */
  static join(region: Region, side: Side, options: InnerOptions): Setup {
    const { channel = FIRST_CHANNEL, format, wait, batch, maxQueued, copiedBecause = region.copied } = options
    const place = region.placeOf(channel, side === 'native' ? SW_NATIVE : SW_RENDERER)
    region.mustHaveChannel(place)
    return new Setup({
      region,
      ownsRegion: true,
      place,
      named: true,
      format: between(format, side, side === 'native' ? 'renderer' : 'native'),
      policy: policyOf(wait),
      batch,
      maxQueued,
      copiedBecause,
    })
  }
}

/**
 * What `attach` was given, checked, and the region that it names. Nothing is left open when that
 * fails.
 */
export function attachTo<T>(from: ChannelHandle | string, options: AttachOptions<T>): [Region, Side, InnerOptions] {
  const given = check.options(options, 'attach options', ATTACH_OPTIONS)
  const { side, batch, wait, codec, replace } = given
  check.oneOf(side, 'side', ['renderer', 'native'])
  if (replace !== undefined) check.flag(replace, 'replace')
  policyOf(wait)
  const maxQueued = queueBound(given.maxQueued)
  const parts = typeof from === 'string' ? tokenParts(from) : handleParts(from)
  const shared = 'sabway' in parts && parts.sabway === 'channel' ? (parts.codec ?? 'bytes') : undefined
  const format = formatFor(codec, shared) // before a region is open
  return [Region.holding(parts), side!, { channel: parts.channel, format, batch, wait, maxQueued, replace }]
}

/** Errors: as Region.set; then there is no channel either. */
function nameChannel(region: Region, name: string, place: ChannelPlace): void {
  try {
    region.set(name, region.channelHandle(place))
  } catch (error) {
    region.freeChannel(place, true)
    throw error
  }
}
