// What channels, regions and ports say of themselves to JSON.stringify, console.log and
// structuredClone. They hold megabytes of shared memory, which none of these should walk through.

/** How Node's console.log asks an object for its text. */
export const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never

type Inspect = (value: unknown, options: object) => string

/** `SharedMemoryChannel { side: 'native', ... }` */
export function inspected(name: string, facts: object, options: object, inspect: Inspect): string {
  return `${name} ${inspect(facts, options)}`
}

/**
 * The first own property of an object that cannot be cloned: structuredClone and postMessage come
 * to it first, and the DataCloneError they throw quotes a symbol's description. Each object has
 * another symbol, so that no two are deeply equal.
 */
export const cloneHint = (what: string): symbol => Symbol(what)

/**
 * Add properties that deep comparison, spreading and Object.keys pass over. They must not exist
 * yet: V8 is slow with redefined ones.
 */
export function hide<Properties extends object>(object: object, properties: Properties): void {
  for (const [name, value] of Object.entries(properties)) Object.defineProperty(object, name, { value, writable: true })
}
