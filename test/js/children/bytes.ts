// sabway/bytes in a process of its own: before anything else has loaded the codecs, and after. Prints what it saw as JSON.
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
const handle = { ...renderer.handle, codec: 'msgpack' }

function refusal(act: () => unknown): object {
  try {
    act()
    return {}
  } catch (error) {
    const { code, errno, message } = error as Sabway.SabwayError
    return { code, errno, message, own: error instanceof small.SabwayError }
  }
}

const refusals = [
  refusal(() => new SharedMemoryChannel(4096, 4096, { codec: 'structured' })),
  refusal(() => new SharedMemoryChannel(4096, 4096, { codec: 'msgpack' })),
  refusal(() => SharedMemoryChannel.attach(handle, { side: 'native' })),
  refusal(() => native.port()),
]

renderer.send(Uint8Array.of(1, 2, 3))
const bytes = [...(await native.receive())]

const codec = {
  name: 'numbers',
  encode: (value: number) => Uint8Array.of(value),
  decode: (message: Uint8Array) => message[0]!,
}
const ownRenderer = new SharedMemoryChannel(4096, 4096, { codec })
const ownNative = SharedMemoryChannel.attach(ownRenderer.handle, { side: 'native', codec })
ownRenderer.send(7)
const own = await ownNative.receive()

const all = await load(whole)
const same = names.every((name) => Reflect.get(small, name) === Reflect.get(all, name))
const value = { map: new Map([[1, 'x']]) }
const valueRenderer = new SharedMemoryChannel<typeof value>(4096, 4096, { codec: 'structured' })
const valueNative = all.SharedMemoryChannel.attach<typeof value>(valueRenderer.handle, { side: 'native' })
valueRenderer.send(value)
const { map } = await valueNative.receive()
native.port().postMessage('through a port')
const posted = await new Promise((resolve) => {
  renderer.port().onmessage = ({ data }) => resolve(data)
})

for (const channel of [renderer, ownRenderer, valueRenderer, native, ownNative, valueNative]) channel.cleanup()
console.log(JSON.stringify({ names, refusals, bytes, own, same, entries: [...map], posted }))
