// Every way in which the other side can end, times every way of waiting for it: each wait ends,
// after what was sent, and says why.
import assert from 'node:assert/strict'
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { SharedMemoryChannel } from 'sabway'
import type { EndingTask } from '../children/ending.js'
import { pattern } from '../support/bytes.js'
import { attach, collect, keep, open, takeAll } from '../support/channels.js'
import { rejectsWith, throwsError } from '../support/errors.js'
import { heard, openShared, Peer } from '../support/processes.js'
import { aWhile, until, within } from '../support/wait.js'
import { waitInAllWays } from '../support/wait-in-all-ways.js'
import { DIED, type Outcome, type Way } from '../support/wait-ways.js'

const CLOSED: Record<Way, Outcome> = {
  receive: ['message', 'ERR_SABWAY_CLOSED'],
  'for await': ['message', 'end'],
  receiveSync: ['message', 'ERR_SABWAY_CLOSED'],
  sendDirect: ['ERR_SABWAY_CLOSED'],
  readable: ['message', 'end'],
  port: ['message', 'close'],
  startReceiving: ['message', 'close'],
}

const NO_ADDON = ['--no-addons']
const file = fileURLToPath(new URL('../children/ending.js', import.meta.url))
/** What is still running. */
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** A process on the other side, and what is done to it once it has attached. */
function startProcess(task: EndingTask, then: NodeJS.Signals | null): void {
  const child = fork(file, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [] })
  ends.push(() => child.kill('SIGKILL'))
  child.once('message', () => then !== null && child.kill(then))
  child.send(task)
}

const overProcesses = (task: Omit<EndingTask, 'from'>, then: NodeJS.Signals | null = null) =>
  waitInAllWays(
    'processes',
    () => openShared(4096, 4096),
    (from) => startProcess({ ...task, from }, then),
  )

const overThreads = (how: EndingTask['how'], terminate = false, execArgv: string[] = []) =>
  waitInAllWays(
    'threads',
    () => open(4096, 4096),
    (from) => {
      const worker = new Worker(file, { workerData: { from, how } satisfies EndingTask, execArgv })
      worker.on('error', () => {})
      ends.push(() => worker.terminate())
      if (terminate) worker.once('message', () => worker.terminate())
    },
  )

describe('a wait of any kind for a side that ends:', () => {
  const cases: [string, () => Promise<Record<Way, Outcome>>, Record<Way, Outcome>][] = [
    ['a process, naturally', () => overProcesses({ how: 'natural' }), DIED],
    ['a process, by process.exit', () => overProcesses({ how: 'exit' }), DIED],
    ['a process, by an uncaught error', () => overProcesses({ how: 'uncaught' }), DIED],
    ['a process, by SIGTERM', () => overProcesses({ how: 'waits to be ended' }, 'SIGTERM'), DIED],
    ['a process, by SIGKILL', () => overProcesses({ how: 'waits to be ended' }, 'SIGKILL'), DIED],
    ['a process, after cleanup', () => overProcesses({ how: 'cleanup' }), CLOSED],
    ["a process's worker, naturally", () => overProcesses({ how: 'natural', thread: true }), DIED],
    ["a process's worker, by process.exit", () => overProcesses({ how: 'exit', thread: true }), DIED],
    ["a process's worker, by an uncaught error", () => overProcesses({ how: 'uncaught', thread: true }), DIED],
    ["a process's worker, terminated", () => overProcesses({ how: 'waits to be ended', thread: true }), DIED],
    ["a process's worker, after cleanup", () => overProcesses({ how: 'cleanup', thread: true }), CLOSED],
    ['a thread, naturally', () => overThreads('natural'), DIED],
    ['a thread, by process.exit', () => overThreads('exit'), DIED],
    ['a thread, by an uncaught error', () => overThreads('uncaught'), DIED],
    ['a thread, terminated', () => overThreads('waits to be ended', true), DIED],
    ['a thread, after cleanup', () => overThreads('cleanup'), CLOSED],
    ['a thread without the addon, naturally', () => overThreads('natural', false, NO_ADDON), DIED],
    ['a thread without the addon, by process.exit', () => overThreads('exit', false, NO_ADDON), DIED],
    ['a thread without the addon, by an uncaught error', () => overThreads('uncaught', false, NO_ADDON), DIED],
    ['a thread without the addon, after cleanup', () => overThreads('cleanup', false, NO_ADDON), CLOSED],
  ]
  for (const [what, wait, expected] of cases) {
    it(what, async () => assert.deepEqual(await within(wait(), 'the ends of all waits'), expected))
  }

  it('a parent that is killed before its child', async () => {
    const parent = spawn(process.execPath, [fileURLToPath(new URL('../children/parent.js', import.meta.url))])
    ends.push(() => parent.kill('SIGKILL'))
    let printed = ''
    parent.stdout.on('data', (text) => {
      printed += text
    })
    await within(once(parent.stdout, 'end'), 'the end of the child')
    assert.deepEqual(JSON.parse(printed), DIED)
  })
})

describe('a death', () => {
  it('that no call waited for is told to the next one that would wait, and only to that', async () => {
    const channel = openShared()
    const peer = new Peer({ does: 'burst', token: channel.token, count: 2 })
    await peer.next()
    assert.equal((await channel.receive()).length > 0, true)
    await peer.kill()
    await until(() => !channel.stats().peer, 'the death')
    assert.equal((await channel.receive()).length > 0, true) // what it had sent comes first
    await rejectsWith(channel.receive(), 'ERR_SABWAY_PEER_DIED', /another may take its place/)
    const next = channel.receive()
    const successor = new Peer({ does: 'burst', token: channel.token, count: 1 })
    await within(next, 'a message of the successor')
    await successor.kill()
  })

  it('is told to receiveSync after what was sent, and not to one that does not wait', async () => {
    const channel = openShared()
    const peer = new Peer({ does: 'burst', token: channel.token, count: 1 })
    await peer.next()
    await peer.kill()
    assert.notEqual(channel.receiveSync(), null)
    assert.equal(channel.receiveSync(0), null)
    throwsError(() => channel.receiveSync(), 'ERR_SABWAY_PEER_DIED', /another may take its place/)
    assert.equal(channel.receiveSync(20), null)
  })

  it('of a predecessor is not told once a successor is there', async () => {
    const channel = openShared(4096, 4096)
    channel.send(pattern(0, 10)) // it holds its side now
    for (let round = 0; round < 2; round++) {
      const peer = new Peer({ does: 'hold', token: channel.token })
      await peer.next()
      await aWhile()
      if (round === 0) await peer.kill()
    }
    await until(() => channel.stats().peer, 'the successor')
    const waiting = channel.receive({ timeout: 400 })
    await rejectsWith(waiting, 'ERR_SABWAY_TIMEOUT', /no message/)
  })
})

describe('detach', () => {
  it('lets go of a side: the other one is told nothing, and the next one goes on', async () => {
    const renderer = open(65536, 65536)
    const told: string[] = []
    for (const type of ['close', 'peer-died']) renderer.addEventListener(type, () => told.push(type))
    const first = attach(renderer, 'native')
    for (let i = 0; i < 3; i++) renderer.send(pattern(i, 10))
    first.send(pattern(7, 7))
    assert.deepEqual(await first.receive(), pattern(0, 10))
    first.detach()
    first.detach()
    assert.equal(first.closed, true)
    throwsError(() => first.send(pattern(0, 1)), 'ERR_SABWAY_CLOSED', /detach was called/)
    await rejectsWith(first.receive(), 'ERR_SABWAY_CLOSED', /detach was called/)
    const second = attach(renderer, 'native') // as React's strict mode does
    assert.deepEqual(takeAll(second), [pattern(1, 10), pattern(2, 10)])
    second.send(pattern(8, 8))
    assert.deepEqual(takeAll(renderer), [pattern(7, 7), pattern(8, 8)])
    await aWhile()
    assert.deepEqual(told, [])
    second.cleanup()
    await until(() => told.length === 1, 'the end')
    assert.deepEqual(told, ['close'])
  })

  it('sends what a batch holds and what the ring has room for; what else is queued is given up', async () => {
    const renderer = keep(new SharedMemoryChannel(4096, 4096, { batch: { maxDelayMs: 1000 } }))
    const native = attach(renderer, 'native')
    renderer.send(pattern(1, 100))
    renderer.detach()
    assert.deepEqual(takeAll(native), [pattern(1, 100)])
    native.send(pattern(2, 4096))
    const waiting = rejectsWith(native.sendDirect(pattern(3, 4096)), 'ERR_SABWAY_CLOSED', /detach was called/)
    native.detach()
    await waiting
  })

  it('between processes is no death, either', async () => {
    const channel = openShared()
    const told: string[] = []
    for (const type of ['close', 'peer-died']) channel.addEventListener(type, () => told.push(type))
    const received = collect(channel)
    const peer = new Peer({ does: 'hold', token: channel.token })
    await peer.next()
    peer.process.send('detach')
    await peer.ended()
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.deepEqual(told, [])
    const next = new Peer({ does: 'burst', token: channel.token, count: 3 })
    await until(() => received.length === 3, 'messages of the next one')
    const died = heard(channel, 'peer-died')
    await next.kill()
    await died
  })
})

describe('region.close()', () => {
  it('ends the channel that lives in it, on both sides', async () => {
    const { Region } = await import('sabway')
    const region = Region.create({ size: 4 << 20 })
    const channel = keep(new SharedMemoryChannel(65536, 65536, { region }))
    const native = attach(channel, 'native')
    const received = collect(native)
    const ended = heard(native, 'close')
    channel.send(pattern(1, 10))
    const waiting = rejectsWith(channel.receive(), 'ERR_SABWAY_CLOSED', /its region was closed/)
    region.close()
    await Promise.all([waiting, ended])
    assert.deepEqual(received, [pattern(1, 10)])
    assert.equal(channel.closed, true)
    throwsError(() => channel.send(pattern(2, 10)), 'ERR_SABWAY_CLOSED', /its region was closed/)
    assert.equal(region.closed, false) // the other side holds it
    native.cleanup()
    assert.equal(region.closed, true)
    throwsError(() => new SharedMemoryChannel(4096, 4096, { region }), 'ERR_SABWAY_CLOSED', /region/)
  })
})
