// Chromium with test/browser/cage/cage.c in its renderers: see docs/design/cage.md.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'puppeteer-core'
import type { SharedMemoryChannel } from 'sabway'
import { abi } from '../../js/support/abi.js'
import { launch } from './browsers.js'
import { root } from './bundle.js'

const log = join(root, 'build/cage/log')

/** What the library said. */
export const cageLog = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '')

function build(): string {
  const folder = join(root, 'build/cage')
  execFileSync('cmake', ['-S', join(root, 'test/browser/cage'), '-B', folder, '-DCMAKE_BUILD_TYPE=RelWithDebInfo'])
  execFileSync('cmake', ['--build', folder, '-j2'])
  return join(folder, 'libcage.so')
}

/** A file of a process, or nothing when it has ended. */
export const read = (pid: number, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** The renderer in which the library has claimed an endpoint of the region. */
export function rendererIn(channel: SharedMemoryChannel) {
  const { sw_region_header, SW_ENDPOINTS, sw_endpoint } = abi
  const words = new Uint32Array(channel.handle.memory.buffer)
  for (let i = 0; i < SW_ENDPOINTS; i++) {
    const at = (field: number) => words[(sw_region_header.sizeof + i * sw_endpoint.sizeof + field) >>> 2]!
    const pid = at(sw_endpoint.pid)
    if (!read(pid, 'cmdline').includes('--type=renderer')) continue
    return { pid, startLow: at(sw_endpoint.start_low), startHigh: at(sw_endpoint.start_high) }
  }
  throw new Error('no renderer has an endpoint of this region')
}

/** Chromium whose renderers can map this channel's region. */
export function launchCage(channel: SharedMemoryChannel, args: string[] = []): Promise<Browser> {
  const library = build()
  rmSync(log, { force: true })
  const env = { LD_PRELOAD: library, SABWAY_CAGE_TOKEN: channel.token, SABWAY_CAGE_LOG: log }
  return launch('chromium', {
    // a zygote's renderers are forked: the library's constructor would not run in them
    args: ['--no-zygote', ...args],
    env: { ...(process.env as Record<string, string>), ...env },
  })
}

/** Let the page ask which process it is in: see page/cage-bridge.ts. */
export function tellIdentity(page: Page, channel: SharedMemoryChannel): Promise<unknown> {
  return page.exposeFunction('identity', () => ({ ...rendererIn(channel), test: process.pid }))
}
