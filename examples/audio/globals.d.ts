// What an AudioWorkletGlobalScope has, of which TypeScript's library knows nothing.
declare class AudioWorkletProcessor {
  readonly port: MessagePort
}
declare function registerProcessor(name: string, processor: new (options: never) => AudioWorkletProcessor): void
