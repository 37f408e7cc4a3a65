// A handle brings the library's compiled code along.
import assert from 'node:assert/strict'
import { type ChannelHandle, Region, SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { keep, open, takeAll } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { Thread } from '../support/threads.js'

/** A module with one custom section, of that name and content. */
function moduleWith(name: string, content: string): WebAssembly.Module {
  const text = new TextEncoder().encode(name + content)
  const section = [0, text.length + 1, name.length, ...text]
  return new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section]))
}

/** How many modules another thread compiles to attach with this handle. */
async function compiledFor(from: (handle: ChannelHandle) => ChannelHandle): Promise<number> {
  const channel = open()
  channel.send(pattern(5, 300))
  const thread = new Thread('compiling', from(channel.handle))
  const compiled = await thread.next<number>('how many modules it compiled')
  assert.deepEqual(takeAll(channel), [pattern(5, 300)])
  return compiled
}

const idOf = (module: WebAssembly.Module | undefined): string =>
  new TextDecoder().decode(WebAssembly.Module.customSections(module!, 'sabway')[0])

describe('the compiled module in a handle', () => {
  it('spares the other thread to compile it', async () => {
    assert.equal(await compiledFor((handle) => handle), 0)
  })

  it('need not be there', async () => {
    assert.equal(await compiledFor(({ module: _, ...rest }) => rest), 1)
    assert.equal(await compiledFor((handle) => ({ ...handle, module: undefined as never })), 1)
  })

  it('is the same in every handle, of channels and of regions', () => {
    const { module } = open().handle
    assert.ok(module instanceof WebAssembly.Module)
    assert.equal(open().handle.module, module)
    const region = Region.create({ size: 2 ** 22 })
    assert.equal(region.handle.module, module)
    region.close()
    assert.match(idOf(module), /^[0-9a-f]{32}$/)
  })

  it('is ignored when it is not that of this version: the thread compiles its own', async () => {
    const own = idOf(open().handle.module)
    const others = [
      moduleWith(
        'sabway',
        own.replace(/./g, (digit) => (digit === '0' ? '1' : '0')),
      ),
      moduleWith('sabway', `${own}0`),
      moduleWith('sabway', own.slice(1)),
      moduleWith('sabway', ''),
      moduleWith('other', own),
    ]
    for (const module of others) assert.equal(await compiledFor((handle) => ({ ...handle, module })), 1)
  })

  it('is refused when it is no module', () => {
    const { handle } = open()
    for (const odd of [null, 0, 'module', {}, new Uint8Array(8), handle.memory, Promise.resolve(handle.module)]) {
      const attach = () => keep(SharedMemoryChannel.attach({ ...handle, module: odd as never }, { side: 'native' }))
      throwsError(attach, 'ERR_SABWAY_INVALID_TYPE', /the handle's module must be a WebAssembly\.Module, got /)
    }
    keep(SharedMemoryChannel.attach(handle, { side: 'native' }))
  })
})
