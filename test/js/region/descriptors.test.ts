// File descriptors: what channels between processes have open is closed with them, and no program
// that this process starts inherits any of it. One that did would keep memory alive, and could
// write into it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { Region, SharedMemoryChannel } from 'sabway'
import { throwsError } from '../support/errors.js'
import { exchange, openShared, Peer } from '../support/processes.js'
import { openFiles } from '../support/threads.js'
import { forge, partsOf } from '../support/tokens.js'
import { turns, until } from '../support/wait.js'

const OURS = /memfd:sabway|\/dev\/shm\/sabway|\[pidfd\]/
const O_CLOEXEC = 0o2000000
const name = `descriptors-${process.pid}`

/** Ours among this process's descriptors: what each is, and its flags. */
function ours(): { target: string; flags: number }[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))
      return OURS.test(target) ? [{ target, flags: Number.parseInt(flags![1]!, 8) }] : []
    } catch {
      return [] // what listed the folder has been closed
    }
  })
}

async function closedAgain(before: number, what: string): Promise<void> {
  await turns(3)
  await until(() => openFiles() <= before, `what was open before ${what}`)
  assert.deepEqual(ours(), [])
}

const acts: Record<string, () => void | Promise<void>> = {
  'a channel without a name': () => openShared().cleanup(),
  'a channel with a name': () => openShared(4096, 4096, name).cleanup(),
  'both sides here': () => {
    const channel = openShared()
    SharedMemoryChannel.attach(channel.token, { side: 'native' }).cleanup()
    channel.cleanup()
  },
  'a region': () => {
    const region = Region.create({ size: 2 ** 21, share: 'processes' })
    Region.open(region.token).close()
    region.close()
  },
  'a token that is refused after its memory was opened': () => {
    const channel = openShared()
    const { nonce, size } = partsOf(channel.token)
    const attach = (token: string) => () => SharedMemoryChannel.attach(token, { side: 'native' })
    const other = (BigInt(`0x${nonce}`) ^ 1n).toString(16).padStart(16, '0')
    throwsError(attach(forge(channel.token, { nonce: other })), 'ERR_SABWAY_STALE_TOKEN', /another region/)
    const larger = (BigInt(`0x${size}`) + 65536n).toString(16)
    throwsError(attach(forge(channel.token, { size: larger })), 'ERR_SABWAY_SIZE_MISMATCH', /bytes/)
    channel.cleanup()
  },
  'a side that is taken': () => {
    const channel = openShared()
    channel.trySend(new Uint8Array(1))
    const second = () => SharedMemoryChannel.attach(channel.token, { side: 'renderer' })
    throwsError(second, 'ERR_SABWAY_SIDE_TAKEN', /one producer on each side/)
    channel.cleanup()
  },
  'a name that is taken': () => {
    const channel = openShared(4096, 4096, name)
    throwsError(() => openShared(4096, 4096, name), 'ERR_SABWAY_NAME_TAKEN', /another name/)
    channel.cleanup()
  },
  'a peer that ends': async () => {
    const channel = openShared()
    const peer = new Peer({ does: 'echo', token: channel.token })
    await exchange(channel, 20, 100)
    channel.cleanup()
    assert.equal(await peer.ended(), 0)
  },
  'a peer that is killed': async () => {
    const channel = openShared()
    const peer = new Peer({ does: 'echo', token: channel.token })
    await exchange(channel, 20, 100)
    await peer.kill()
    await until(() => !channel.stats().peer, 'its death')
    channel.cleanup()
  },
}

describe('descriptors', () => {
  before(async () => {
    // What Node itself opens for its first child and the library at first use is there for good.
    await acts['a peer that ends']!()
    acts['a channel with a name']!()
    await turns(10)
  })

  for (const [what, act] of Object.entries(acts)) {
    it(`are closed again: ${what}`, async () => {
      const before = openFiles()
      for (let round = 0; round < 3; round++) await act()
      await closedAgain(before, what)
    })
  }

  it('are inherited by no program that is started meanwhile', async () => {
    const channels = [openShared(), openShared(4096, 4096, name)]
    const peers = channels.map((channel) => new Peer({ does: 'echo', token: channel.token }))
    for (const channel of channels) await exchange(channel, 20, 100)
    await until(() => ours().some(({ target }) => target.includes('[pidfd]')), 'a peer that is watched')
    const kinds = ours().map(({ target, flags }) => {
      assert.ok((flags & O_CLOEXEC) !== 0, `${target} would be inherited`)
      return OURS.exec(target)![0]
    })
    assert.deepEqual([...new Set(kinds)].sort(), ['/dev/shm/sabway', '[pidfd]', 'memfd:sabway'])
    const { stdout } = spawnSync('sh', ['-c', 'ls -l /proc/self/fd'], { encoding: 'utf8' })
    assert.match(stdout, /->/)
    assert.doesNotMatch(stdout, OURS)
    for (const channel of channels) channel.cleanup()
    for (const peer of peers) assert.equal(await peer.ended(), 0)
  })
})
