// Options that would be ignored are refused, with the name that was probably meant.
import assert from 'node:assert/strict'
import { Region, SharedMemoryChannel } from 'sabway'
import { open, pair } from '../support/channels.js'
import { rejectsWith, throwsError } from '../support/errors.js'
import { itNative } from '../support/host.js'

const CODE = 'ERR_SABWAY_INVALID_ARGUMENT'

describe('options', () => {
  const wrong: [name: string, call: (channel: SharedMemoryChannel) => unknown, teaches: RegExp][] = [
    [
      'of a channel',
      () => open(4096, 4096, { wiat: 'spin' } as never),
      /channel options: unknown option 'wiat'; did you mean 'wait'\?/,
    ],
    ['of a channel, in another case', () => open(4096, 4096, { Share: 'threads' } as never), /did you mean 'share'\?/],
    ['of a channel, that are attach’s', () => open(4096, 4096, { side: 'native' } as never), /unknown option 'side'/],
    [
      'that name how the library makes channels',
      () => open(4096, 4096, { format: null } as never),
      /unknown option 'format'/,
    ],
    [
      'of attach',
      (channel) => SharedMemoryChannel.attach(channel.handle, { side: 'native', timeout: 1 } as never),
      /attach options: unknown option 'timeout'; there are 'side', 'codec', 'wait', 'batch', 'maxQueued', 'replace'/,
    ],
    [
      'of a batch',
      () => open(4096, 4096, { batch: { maxDelay: 5 } as never }),
      /batch: unknown option 'maxDelay'; did you mean 'maxDelayMs'\?/,
    ],
    [
      'of a region',
      () => Region.create({ size: 2 ** 22, sharing: 'threads' } as never),
      /region options: unknown option 'sharing'; there are 'size', 'share', 'name'/,
    ],
    [
      'of startReceiving',
      (channel) => channel.startReceiving(() => {}, { bugdet: 5 } as never),
      /startReceiving options: unknown option 'bugdet'; did you mean 'budget'\?/,
    ],
    [
      'of poll',
      (channel) => channel.startReceiving(() => {}, { poll: { min: 1, max: 5, step: 2 } as never }),
      /poll: unknown option 'step'; there are 'min', 'max'/,
    ],
    [
      'of receive',
      (channel) => channel.receive({ timeoutMs: 5 } as never),
      /receive options: unknown option 'timeoutMs'; did you mean 'timeout'\?/,
    ],
    [
      'of sendDirect',
      (channel) => channel.sendDirect(new Uint8Array(1), { singal: 5 } as never),
      /send options: unknown option 'singal'; did you mean 'signal'\?/,
    ],
    [
      'of postMessage',
      (channel) => channel.port().postMessage(1, { transfers: [] } as never),
      /postMessage options: unknown option 'transfers'; did you mean 'transfer'\?/,
    ],
    [
      'that is only long',
      () => open(4096, 4096, { ['y'.repeat(1e6)]: 1 } as never),
      /unknown option a string of 1000000 characters; there are/,
    ],
  ]
  for (const [name, call, teaches] of wrong) {
    it(`${name}: an unknown name is refused`, async () => {
      const act = async () => call(open(4096, 4096))
      await rejectsWith(act(), CODE, teaches)
    })
  }

  itNative('of a built-in handler: an unknown name is refused, a plugin has its own', () => {
    const channel = open(65536)
    throwsError(
      () => channel.startWorker({ builtin: 'source', sise: 5 } as never),
      CODE,
      /unknown option 'sise'; did you mean 'size'\?/,
    )
    throwsError(
      () => channel.startWorker({ builtin: 'echo', size: 5 } as never),
      CODE,
      /of 'echo': unknown option 'size'/,
    )
    throwsError(
      () => channel.startWorker({ builtin: 'source', size: '5' } as never),
      'ERR_SABWAY_INVALID_TYPE',
      /size must be a number, got '5'/,
    )
    throwsError(
      () => channel.startWorker({ plugin: '/nowhere.so', anything: 5 }),
      'ERR_SABWAY_PLUGIN_NOT_FOUND',
      /nowhere/,
    )
    throwsError(
      () => channel.startWorker({ plugin: '/nowhere.so', big: 5n }),
      CODE,
      /reading startWorker options threw/,
    )
  })

  it('that contradict each other are refused', () => {
    const region = Region.create({ size: 2 ** 22 })
    throwsError(() => open(4096, 4096, { region, share: 'threads' }), CODE, /`share` is an option of Region\.create/)
    const channel = open(4096)
    throwsError(
      () => channel.startReceiving(() => {}, { poll: 5, schedule: 'microtask' }),
      CODE,
      /either `schedule` or `poll`/,
    )
    // Nothing was touched: the region is still good for its channel.
    open(4096, 4096, { region }).cleanup()
    region.close()
  })

  it('that are wrong leave the region without a channel', () => {
    const region = Region.create({ size: 2 ** 22 })
    throwsError(
      () => open(65536, 4096, { region, batch: { maxBytes: 20000 } }),
      'ERR_SABWAY_OUT_OF_RANGE',
      /from 64 to 16384/,
    )
    throwsError(
      () => open(4096, 4096, { region, batch: 0 as never }),
      'ERR_SABWAY_INVALID_TYPE',
      /batch must be an object/,
    )
    throwsError(() => open(4096, 4096, { region, codec: 'nothing' as never }), CODE, /'nothing'/)
    open(65536, 4096, { region, batch: { maxBytes: 16384 } }).cleanup()
    region.close()
  })

  it('may be left out, or be undefined, and are read once', async () => {
    const { renderer, native } = pair(4096)
    await renderer.sendDirect(new Uint8Array(1), undefined)
    await renderer.sendDirect(new Uint8Array(1), { timeout: undefined, signal: undefined, other: undefined } as never)
    let reads = 0
    class Options {
      get timeout() {
        reads++
        return 5000
      }
    }
    await native.receive(new Options())
    assert.equal(reads, 1)
    await rejectsWith(
      native.receive(null as never),
      'ERR_SABWAY_INVALID_TYPE',
      /must be an object such as \{ timeout, signal \}, got null/,
    )
    await rejectsWith(native.receive(5 as never), 'ERR_SABWAY_INVALID_TYPE', /got 5/)
    const { signal } = new AbortController()
    await rejectsWith(native.receive(signal as never), 'ERR_SABWAY_INVALID_TYPE', /got an object \(AbortSignal\)/)
    await rejectsWith(native.receive(new Map() as never), 'ERR_SABWAY_INVALID_TYPE', /got an object \(Map\)/)
  })
})
