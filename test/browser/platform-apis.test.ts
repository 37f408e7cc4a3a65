// What the platform's functions make of a message in place, as docs/reference/platform-apis.md has
// it, browser by browser. With SABWAY_WRITE_DOCS=1 the browsers' answers are written there instead.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { type BrowserName, launch, openPage } from './support/browsers.js'
import { root } from './support/bundle.js'
import { BROWSERS } from './support/selection.js'
import { type Site, serve } from './support/server.js'

const DOC = join(root, 'docs/reference/platform-apis.md')

/** Lines of the table: | `call` | an answer for each browser | what to do instead |. */
const ROW = /^\| `([^|]+)` \|([^|]*)\|([^|]*)\|([^|]*)\|$/

interface Row {
  answers: Record<BrowserName, string>
  instead: string
}

function readTable(): Map<string, Row> {
  const table = new Map<string, Row>()
  for (const line of readFileSync(DOC, 'utf8').split('\n')) {
    const [, call, chromium, firefox, instead] = ROW.exec(line) ?? []
    if (call === undefined) continue
    table.set(call, { answers: { chromium: chromium!.trim(), firefox: firefox!.trim() }, instead: instead!.trim() })
  }
  return table
}

/** Rows stay where they are, and new ones come last. */
function writeAnswers(browser: BrowserName, answers: Record<string, string>): void {
  const table = readTable()
  for (const [call, answer] of Object.entries(answers)) {
    const row = table.get(call) ?? { answers: { chromium: '', firefox: '' }, instead: '' }
    row.answers[browser] = answer
    table.set(call, row)
  }
  const lines = readFileSync(DOC, 'utf8').split('\n')
  const head = lines.findIndex((line) => line.startsWith('| --- |')) + 1
  const end = lines.findIndex((line, i) => i >= head && !line.startsWith('|'))
  const rows = [...table].map(
    ([call, { answers, instead }]) => `| \`${call}\` | ${answers.chromium} | ${answers.firefox} | ${instead} |`,
  )
  writeFileSync(DOC, [...lines.slice(0, head), ...rows, ...lines.slice(end)].join('\n'))
}

/** Graphics in software, so that every machine has them. */
const GRAPHICS = [
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--ignore-gpu-blocklist',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
]

describe('messages in place and the functions of the platform', () => {
  let site: Site

  before(async () => {
    const html = '<!doctype html><title>platform</title><script type="module" src="/platform-apis.mjs"></script>'
    site = await serve({ '/': { html } }, ['test/browser/static', '.'])
  })

  after(() => site?.close())

  async function inPage<T>(name: BrowserName, run: (page: Page) => Promise<unknown>): Promise<T> {
    const browser = await launch(name, name === 'chromium' ? { args: GRAPHICS } : {})
    try {
      const { page } = await openPage(browser, site.origin)
      await page.waitForFunction("'probe' in globalThis")
      return (await run(page)) as T
    } finally {
      await browser.close()
    }
  }

  for (const name of BROWSERS) {
    it(`${name} answers as docs/reference/platform-apis.md says`, async () => {
      const answers = await inPage<Record<string, string>>(name, (page) => page.evaluate('probe()'))
      if (process.env.SABWAY_WRITE_DOCS === '1') writeAnswers(name, answers)
      assert.deepEqual(answers, Object.fromEntries([...readTable()].map(([call, row]) => [call, row.answers[name]])))
    })

    it(`${name}: all of them take a copy, and the ways around work`, async () => {
      const failed = await inPage(name, async (page) => [
        await page.evaluate('refusingCopies()'),
        await page.evaluate('failedWaysAround()'),
      ])
      assert.deepEqual(failed, [[], []])
    })
  }

  it('docs/reference/platform-apis.md has a way around for each that does not take a message in place everywhere', () => {
    const without = [...readTable()].filter(
      ([, { answers, instead }]) =>
        instead === '' && Object.values(answers).some((answer) => answer !== 'in place' && answer !== 'absent'),
    )
    assert.deepEqual(without, [])
    assert.ok(readTable().size >= 50)
  })
})
