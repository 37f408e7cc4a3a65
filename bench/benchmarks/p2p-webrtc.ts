// Messages from one peer to another over WebRTC, both in one page of Chromium, without a window:
// bench/pages/p2p.mjs.
import { fileURLToPath, pathToFileURL } from 'node:url'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import type { Benchmark, Run } from './benchmark.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-dev-shm-usage',
  // Addresses of this machine as they are: there is no multicast DNS in a container.
  '--disable-features=WebRtcHideLocalIpsWithMdns',
]

const HTML = '<!doctype html><script type="module" src="/bench/pages/p2p.mjs"></script>'

interface Scope {
  open(kind: string): Promise<void>
  run(count: number): Promise<number>
}

export class WebRtc implements Benchmark {
  private browser!: Browser
  private page!: Page
  private site!: { origin: string; close(): Promise<void> }

  constructor(
    readonly name: string,
    readonly ours: boolean,
    private readonly kind: 'bare' | 'single' | 'batched' | 'drained',
  ) {}

  async open(): Promise<void> {
    const { serve } = await import(pathToFileURL(`${root}examples/serve.mjs`).href)
    this.site = await serve({ '/': { html: HTML } }, ['.'])
    this.browser = await puppeteer.launch({
      executablePath: process.env.SABWAY_CHROMIUM ?? '/usr/bin/chromium',
      args: ARGS,
    })
    this.page = await this.browser.newPage()
    await this.page.goto(`${this.site.origin}/`)
    await this.page.waitForFunction('globalThis.run')
    await this.page.evaluate((kind) => (globalThis as never as Scope).open(kind), this.kind)
  }

  async run(count: number): Promise<Run> {
    return { seconds: await this.page.evaluate((count) => (globalThis as never as Scope).run(count), count) }
  }

  async close(): Promise<void> {
    await this.browser.close()
    await this.site.close()
  }
}
