// What both stand-ins for Electron's processes need.
import Module from 'node:module'

type Load = (request: string, ...rest: unknown[]) => unknown

/** Have require('electron') return this. The package of that name is only there for its types. */
export function provide(electron: object): void {
  const loader = Module as unknown as { _load: Load }
  const load = loader._load
  loader._load = (request, ...rest) => (request === 'electron' ? electron : load(request, ...rest))
}

/** "An object could not be cloned.": nothing that is shared crosses Electron's IPC. */
export function refuseShared(value: unknown): void {
  if (value instanceof WebAssembly.Memory || value instanceof SharedArrayBuffer)
    throw new Error('An object could not be cloned.')
  if (ArrayBuffer.isView(value)) refuseShared(value.buffer)
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) refuseShared(part)
}
