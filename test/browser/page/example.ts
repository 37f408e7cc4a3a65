// examples/electron's page as it is, on shared memory, without Electron.
import { cageBridge } from './cage-bridge.js'

Object.assign(globalThis, {
  async startExample(bytes: number): Promise<void> {
    Object.assign(globalThis, { sabwayElectron: cageBridge(bytes) })
    // @ts-expect-error: JavaScript, checked by examples/electron/tsconfig.json
    await import('../../../examples/electron/page.mjs')
  },
})
