// A ring costs the turn of the one endpoint that it is for, however many others wait in the thread;
// and it is lost neither there nor while a turn runs.
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Region, SharedMemoryChannel } from 'sabway'
import type { TennisTask } from '../children/tennis.js'
import { besideIdle, type Sleeps } from '../support/bystanders.js'
import { attach, keep, open } from '../support/channels.js'
import { openShared, Peer } from '../support/processes.js'
import { closeLater } from '../support/regions.js'
import { play } from '../support/tennis.js'
import { Thread } from '../support/threads.js'
import { aWhile, until, within } from '../support/wait.js'

const file = fileURLToPath(new URL('../children/tennis.js', import.meta.url))
const IDLE = 40
const TRIPS = 60
/**
 * Where there are Web Locks, an endpoint is rung once for each that is held in its region from now
 * on.
 */
const FEW = 'locks' in (globalThis.navigator ?? {}) ? 3 : 0
const WITHOUT = { execArgv: ['--no-addons'] }

function sawNoTurn({ before, after, rung }: Sleeps): void {
  assert.equal(before.length, 2 * IDLE)
  const turns = after.map((count, i) => count - before[i]!)
  assert.ok(Math.max(...turns) <= FEW, `${turns} turns, and ${rung} of the one that was rung`)
  assert.ok(rung >= TRIPS, `${rung} sleeps of the one that was rung`)
}

/** A thread on the far side of the channels. */
async function player(channels: readonly SharedMemoryChannel[], over: number, options = {}): Promise<void> {
  const task: TennisTask = { from: channels.map(({ handle }) => handle), over }
  assert.equal(await new Thread('../children/tennis', task, options).next(), 'ready')
}

const FOR_EVER = 2 ** 31

describe('idle channels have no turn while another is rung', () => {
  const park = (share = {}) => keep(new SharedMemoryChannel(4096, 4096, { wait: 'park', ...share }))

  it('by a native thread', async () => {
    const channel = park()
    channel.startWorker({ builtin: 'echo' })
    sawNoTurn(await besideIdle(channel, IDLE, TRIPS))
  })

  for (const [name, options] of Object.entries({ 'with the addon': {}, 'without it': WITHOUT })) {
    it(`by a thread ${name}`, async () => {
      const channel = park()
      await player([channel], FOR_EVER, options)
      sawNoTurn(await besideIdle(channel, IDLE, TRIPS))
    })

    it(`in a thread ${name}`, async () => {
      const native = attach(open(), 'native')
      native.startReceiving((message) => native.send(message))
      const thread = new Thread('bystanders', { from: native.handle, idle: IDLE, trips: TRIPS }, options)
      sawNoTurn(await thread.next<Sleeps>('the counts'))
    })
  }

  it('by another process', async () => {
    const channel = park({ share: 'processes' })
    startEcho(channel)
    sawNoTurn(await besideIdle(channel, IDLE, TRIPS))
  })
})

describe('idle channels of one region have no turn while another one there is rung', () => {
  const park = (region: Region) => keep(new SharedMemoryChannel(4096, 4096, { wait: 'park', region }))
  const regionOf = (options = {}) => closeLater(Region.create({ size: 2 ** 24, ...options }))

  it('by a native thread', async () => {
    const region = regionOf()
    const channel = park(region)
    channel.startWorker({ builtin: 'echo' })
    sawNoTurn(await besideIdle(channel, IDLE, TRIPS, region))
  })

  for (const [name, options] of Object.entries({ 'with the addon': {}, 'without it': WITHOUT })) {
    it(`by a thread ${name}`, async () => {
      const region = regionOf()
      const channel = park(region)
      await player([channel], FOR_EVER, options)
      sawNoTurn(await besideIdle(channel, IDLE, TRIPS, region))
    })
  }

  it('by another process', async () => {
    const region = regionOf({ share: 'processes' })
    const channel = park(region)
    startEcho(channel)
    sawNoTurn(await besideIdle(channel, IDLE, TRIPS, region))
  })
})

function startEcho(channel: SharedMemoryChannel): void {
  new Peer({ does: 'echo', token: channel.token })
}

describe('among a thousand idle channels', () => {
  it('a death is told, and to the one that it concerns', async () => {
    const died: number[] = []
    const channels = Array.from({ length: 1000 }, (_, i) => {
      const channel = open(4096, 4096)
      channel.addEventListener('peer-died', () => died.push(i))
      channel.startReceiving(() => {})
      return channel
    })
    await player(channels.toSpliced(777, 1), FOR_EVER)
    const end = new Thread('end', { handle: channels[777]!.handle, side: 'native', job: 'idle' })
    assert.equal(await end.next(), 'ready')
    await aWhile()
    await end.terminate()
    await until(() => died.length !== 0, "'peer-died'")
    await aWhile()
    assert.deepEqual(died, [777])
  })

  it('many that are rung at once while the thread blocks are all heard', async () => {
    const channels = Array.from({ length: 200 }, () => open(4096, 4096))
    const came = new Set<number>()
    for (const [i, channel] of channels.entries()) channel.startReceiving(() => came.add(i))
    await player(channels, FOR_EVER)
    for (const channel of channels) channel.send(new Uint8Array(8))
    const blocking = open()
    assert.equal(blocking.tryReceive(200), null)
    await until(() => came.size === channels.length, 'an answer on each')
  })
})

describe('rings that come while a turn runs are not lost', () => {
  const GAMES = 8
  const OVER = 400
  const games = (make: () => SharedMemoryChannel) => Array.from({ length: GAMES }, make)
  const ended = (playing: Promise<void>) => within(playing, 'the end of all games')

  for (const [name, options] of Object.entries({ 'with the addon': {}, 'without it': WITHOUT })) {
    it(`from a thread ${name}`, async () => {
      const channels = games(() => open(4096, 4096, { wait: 'park' }))
      await player(channels, OVER, options)
      await ended(play(channels, OVER))
    })
  }

  it('between two threads without the addon', async () => {
    const handles = games(() => open(4096, 4096)).map(({ handle }) => handle)
    const far = new Thread('../children/tennis', { from: handles, over: OVER } satisfies TennisTask, WITHOUT)
    assert.equal(await far.next(), 'ready')
    const near: TennisTask = { from: handles, over: OVER, serves: true }
    const thread = new Thread('../children/tennis', near, WITHOUT)
    assert.equal(await thread.next(), 'ready')
    assert.equal(await thread.next('the end of all games'), 'ended')
  })

  it('from native threads', async () => {
    const channels = games(() => open(4096, 4096, { wait: 'park' }))
    for (const channel of channels) channel.startWorker({ builtin: 'echo' })
    await ended(play(channels, OVER))
  })

  it('from another process', async () => {
    const channels = games(() => openShared(4096, 4096))
    const child = fork(file)
    try {
      child.send({ from: channels.map(({ token }) => token), over: OVER } satisfies TennisTask)
      await once(child, 'message')
      await ended(play(channels, OVER))
    } finally {
      child.kill('SIGKILL')
    }
  })
})
