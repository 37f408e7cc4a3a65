// sabway/bytes in a process of its own: before anything else has loaded what it leaves out, and
// after. Prints what it saw as JSON.
import { createRequire } from 'node:module'
import type * as Sabway from 'sabway'

const [file, whole] = process.argv.slice(2) as [string, string]
const root = new URL('../../../../', import.meta.url)
const load = async (name: string): Promise<typeof Sabway> => {
  const url = new URL(`dist/${name}`, root)
  return name.endsWith('.cjs') ? createRequire(root)(url.pathname) : import(url.href)
}

const small = await load(file)
const names = Object.keys(small).sort()
const { SharedMemoryChannel } = small
const renderer = new SharedMemoryChannel(4096, 4096)
const native = SharedMemoryChannel.attach(renderer.handle, { side: 'native' })
const { handle } = renderer
const region = small.Region.create({ size: 2 ** 22 })

function refusal(act: () => unknown): object {
  try {
    act()
    return {}
  } catch (error) {
    const { code, errno, message } = error as Sabway.SabwayError
    return { code, errno, message, own: error instanceof small.SabwayError }
  }
}

const own = { name: 'own', encode: (value: Uint8Array) => value, decode: (message: Uint8Array) => message.slice() }
const refusals = [
  refusal(() => new SharedMemoryChannel(4096, 4096, { codec: 'structured' })),
  refusal(() => new SharedMemoryChannel(4096, 4096, { codec: 'msgpack' })),
  refusal(() => SharedMemoryChannel.attach({ ...handle, codec: 'msgpack' }, { side: 'native' })),
  refusal(() => new SharedMemoryChannel(4096, 4096, { codec: own })),
  refusal(() => new SharedMemoryChannel(4096, 4096, { batch: {} })),
  refusal(() => SharedMemoryChannel.attach(handle, { side: 'native', batch: {} })),
  ...[{ schedule: 'microtask' }, { poll: 5 }, { copy: 'pooled' }].map((options) =>
    refusal(() => native.startReceiving(() => {}, options as Sabway.StartOptions & { copy: 'pooled' })),
  ),
  refusal(() => native.readable),
  refusal(() => native.writable),
  refusal(() => native.port()),
  refusal(() => region.heap),
  refusal(() => region.set('x', {})),
  refusal(() => region.get('x')),
  refusal(() => region.getOrMake('x', () => ({}))),
  refusal(() => region.has('x')),
  refusal(() => region.delete('x')),
  refusal(() => region.list()),
]
region.close()

renderer.send(Uint8Array.of(1, 2, 3))
const bytes = [...(await native.receive())]

const all = await load(whole)
const same = names.every((name) => Reflect.get(small, name) === Reflect.get(all, name))
const value = { map: new Map([[1, 'x']]) }
const valueRenderer = new SharedMemoryChannel<typeof value>(4096, 4096, { codec: 'structured' })
const valueNative = all.SharedMemoryChannel.attach<typeof value>(valueRenderer.handle, { side: 'native' })
valueRenderer.send(value)
const { map } = await valueNative.receive()
const writer = renderer.writable.getWriter()
await writer.write(Uint8Array.of(4))
const [read] = (await native.readable.getReader().read()).value!
native.port().postMessage('through a port')
const posted = await new Promise((resolve) => {
  renderer.port().onmessage = ({ data }) => resolve(data)
})

for (const channel of [renderer, valueRenderer, native, valueNative]) channel.cleanup()
console.log(JSON.stringify({ names, refusals, bytes, same, entries: [...map], read, posted }))
