// Names of the platform that this package's declarations use. Where `lib.dom` or @types/node
// declares them, these add nothing; in a program with neither they are types of which nothing is
// known, and the program type-checks all the same. Their type parameters are those of `lib.dom`, as
// merging interfaces demands.
// / <reference lib="esnext.disposable" />

interface Event {}
interface EventTarget {}
interface MessageEvent<T = any> {}
interface MessagePort {}
interface AbortSignal {}
interface ReadableStream<R = any> {}
interface WritableStream<W = any> {}
declare namespace WebAssembly {
  interface Memory {}
  interface Module {}
}
