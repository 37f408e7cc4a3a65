// Node and a plain C program (examples/c-process) on the two sides of one channel.
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Region, SharedMap, SharedMemoryChannel, SharedVector } from 'sabway'
import { keep } from '../support/channels.js'
import { program, root } from '../support/paths.js'
import { exchange, heard, openShared } from '../support/processes.js'
import { closeLater } from '../support/regions.js'
import { until } from '../support/wait.js'

const path = program('c-process')
const started: ChildProcess[] = []

/** A server that has said its token. */
async function serve(...args: string[]) {
  const child = spawn(path, ['serve', ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  started.push(child)
  const closed = once(child, 'close')
  const lines: string[] = []
  createInterface(child.stdout!).on('line', (line) => lines.push(line))
  await until(() => lines.length > 0, 'its token')
  return { child, closed, token: lines.shift()!, lines }
}

describe('a channel between Node and a C program', () => {
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL')
  })

  it('that joins by the token', async () => {
    const channel = openShared()
    const child = spawn(path, ['answer', channel.token], { stdio: ['ignore', 'pipe', 'inherit'] })
    started.push(child)
    const closed = once(child, 'close')
    let said = ''
    child.stdout.on('data', (text) => {
      said += text
    })
    await exchange(channel, 5000, 5000)
    channel.cleanup()
    const [code] = await closed
    assert.deepEqual([code, said], [0, '5000 messages, then: ERR_SABWAY_CLOSED\n'])
  })

  for (const name of [[], [`test-${process.pid}-c`]]) {
    it(`that made it${name.length === 0 ? '' : ', with a name'}`, async () => {
      const { closed, token, lines } = await serve(...name)
      const channel = keep(SharedMemoryChannel.attach(token, { side: 'native' }))
      await exchange(channel, 5000, 5000)
      channel.cleanup()
      const [code] = await closed
      assert.deepEqual([code, ...lines], [0, '5000 messages, then: ERR_SABWAY_CLOSED'])
    })
  }

  it('that dies', async () => {
    const { child, token } = await serve()
    const channel = keep(SharedMemoryChannel.attach(token, { side: 'native' }))
    await exchange(channel, 100, 5000)
    const told = heard(channel, 'peer-died')
    child.kill('SIGKILL')
    await told
    assert.equal(channel.stats().peer, false)
  })

  it('that is told when Node dies', async () => {
    const { closed, token, lines } = await serve()
    const script = `
      const { SharedMemoryChannel } = require('${fileURLToPath(new URL('dist/index.cjs', root))}')
      const channel = SharedMemoryChannel.attach('${token}', { side: 'native' })
      channel.send(new Uint8Array(3))
      channel.startReceiving(() => process.kill(process.pid, 'SIGKILL'))
      channel.ref()`
    assert.throws(() => execFileSync(process.execPath, ['-e', script]), { signal: 'SIGKILL' })
    const [code] = await closed
    assert.deepEqual([code, ...lines], [0, '1 messages, then: ERR_SABWAY_PEER_DIED'])
  })

  it('or between two of them', async () => {
    const { closed, token } = await serve()
    const { stdout } = await promisify(execFile)(path, ['ask', token, '20000'])
    assert.equal(stdout, '20000 messages came back\n')
    const [code] = await closed
    assert.equal(code, 0)
  })

  it('as the example shows it', () => {
    const main = fileURLToPath(new URL('examples/c-process/node.mjs', root))
    const printed = execFileSync(process.execPath, [main, path], { encoding: 'utf8' })
    assert.match(printed, /^C answers: hello 0\n1000 answers\n1000 messages, then: ERR_SABWAY_CLOSED$/m)
  })
})

describe('the heap of a C program and Node', () => {
  const tally = (...args: string[]) => promisify(execFile)(path, ['tally', ...args])

  it('has what each has put there, by name', async () => {
    const region = closeLater(Region.create({ size: 2 ** 22, share: 'processes' }))
    const votes = new SharedMap<string, number>(region, { numeric: 'f64' })
    const log = new SharedVector<Float64Array>(region, { type: Float64Array })
    region.set('votes', votes)
    region.set('log', log)
    votes.set('apples', 3)
    votes.set('pears', 5)
    const programs = [tally(region.token, '5000'), tally(region.token, '5000')]
    for (let i = 0; i < 1000; i++) votes.add('pears', 1)
    for (const { stdout } of await Promise.all(programs)) assert.equal(stdout, '5000 votes\n')
    assert.deepEqual([...votes].sort(), [
      ['apples', 3],
      ['pears', 11_005],
    ])
    assert.equal(log.length, 10_000)
    assert.equal(new Set(log).size, 10_000) // each number once
    assert.ok([...log].every((each) => each > 5 && each <= 11_005))
    const lost = region.heap.check({ sweep: true })
    assert.deepEqual(lost, [])
  })

  it('is not taken for what it is not', async () => {
    const region = closeLater(Region.create({ size: 2 ** 22, share: 'processes' }))
    const failed = (code: string) => (error: { stderr: string }) => error.stderr.includes(code)
    await assert.rejects(tally(region.token), failed('ERR_SABWAY_OTHER_KIND'))
    region.set('votes', new SharedVector(region, { type: Float64Array }))
    await assert.rejects(tally(region.token), failed('ERR_SABWAY_OTHER_KIND'))
    await assert.rejects(tally(openShared().token), failed('the region has none'))
  })

  it('is as the example shows it', () => {
    const main = fileURLToPath(new URL('examples/c-process/heap.mjs', root))
    const printed = execFileSync(process.execPath, [main, path], { encoding: 'utf8' })
    assert.match(printed, /^1000 votes\ncode 0: 2005 pears, 1000 in the log, 3 apples$/m)
  })
})
