// A host whose node:v8 is not all there, in the way that the argument names: what do codecs make of
// it?
import type * as nodeV8 from 'node:v8'

const refuse = (): never => {
  throw new Error('not implemented')
}

class Halting {
  constructor() {
    refuse()
  }
}

const { getBuiltinModule } = process as unknown as { getBuiltinModule(name: string): unknown }
const real = getBuiltinModule.call(process, 'node:v8') as typeof nodeV8

const HOSTS: Record<string, () => unknown> = {
  'no module': () => undefined,
  'a module that cannot be loaded': refuse,
  'no Serializer': () => ({ ...real, Serializer: undefined }),
  'no Deserializer': () => ({ ...real, Deserializer: undefined }),
  'a Serializer that cannot be made': () => ({ ...real, Serializer: Halting }),
  'a Deserializer that cannot be made': () => ({ ...real, Deserializer: Halting }),
  'a Serializer that cannot write': () => ({
    ...real,
    Serializer: class extends real.Serializer {
      override writeValue = refuse
    },
  }),
  'a Serializer without host objects': () => ({
    ...real,
    Serializer: class extends real.Serializer {
      _setTreatArrayBufferViewsAsHostObjects = undefined
    },
  }),
  'a Deserializer that cannot read': () => ({
    ...real,
    Deserializer: class extends real.Deserializer {
      override readValue = refuse
    },
  }),
}
const host = HOSTS[process.argv[2]!]!
Object.assign(process, {
  getBuiltinModule: (name: string) => (name === 'node:v8' ? host() : getBuiltinModule.call(process, name)),
})

const { SharedMemoryChannel } = await import('sabway')
const renderer = new SharedMemoryChannel<unknown>(65536, 65536, { codec: 'structured' })
const { codec } = renderer.handle
const native = SharedMemoryChannel.attach<unknown>(renderer.handle, { side: 'native', codec: 'structured' })
renderer.send({ map: new Map([[1, Float32Array.of(2)]]) })
const { map } = native.tryReceive()!.message as { map: Map<number, Float32Array> }
let refusal: unknown
try {
  SharedMemoryChannel.attach({ ...renderer.handle, codec: 'v8' }, { side: 'native', codec: 'structured' })
} catch (error) {
  refusal = (error as Error).message
}
console.log(JSON.stringify({ codec, received: map.get(1)![0], refusal }))
renderer.cleanup()
native.cleanup()
