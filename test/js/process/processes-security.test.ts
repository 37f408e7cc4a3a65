// Which processes and what data a region that processes share keeps out: docs/design/security.md.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, closeSync, ftruncateSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Region, SharedMemoryChannel } from 'sabway'
import { abi } from '../support/abi.js'
import { pattern } from '../support/bytes.js'
import { keep, takeAll } from '../support/channels.js'
import { assertError, throwsError } from '../support/errors.js'
import { itAsAnother, NOBODY } from '../support/host-limits.js'
import { rawAddon, root } from '../support/paths.js'
import { openShared, Peer, sharedMappings } from '../support/processes.js'
import { forge, hex, partsOf } from '../support/tokens.js'

const open = (token: string) => () => Region.open(token)
const place = (token: string) => `/proc/${parseInt(partsOf(token).pid, 16)}/fd/${parseInt(partsOf(token).handle, 16)}`

describe('tokens', () => {
  it('are refused when anything in them was changed', () => {
    const { token } = openShared()
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === '0' ? '1' : '0'
      throwsError(open(token.slice(0, at) + other + token.slice(at + 1)), 'ERR_SABWAY_INVALID_TOKEN', /.../)
      throwsError(open(token.slice(0, at)), 'ERR_SABWAY_INVALID_TOKEN', /.../)
    }
    throwsError(open(`${token}0`), 'ERR_SABWAY_INVALID_TOKEN', /checksum/)
    throwsError(open(`${token}\0`), 'ERR_SABWAY_INVALID_TOKEN', /begin/)
    throwsError(open(token + 'x'.repeat(5000)), 'ERR_SABWAY_INVALID_TOKEN', /too long/)
    Region.open(token).close()
  })

  it('of other versions say so', () => {
    const { token } = openShared()
    throwsError(open(forge(token, { version: 'sabway9' })), 'ERR_SABWAY_INVALID_TOKEN', /another version than sabway2/)
  })

  it('with a right checksum and wrong parts', () => {
    const { token } = openShared()
    const cases = [
      { pid: '0' },
      { pid: '' },
      { pid: 'fffffffff' },
      { pid: '-1' },
      { pid: 'g' },
      { start: '00000000000000001' },
      { size: 'abc' },
      { size: '10000' },
      { name: '../../etc/passwd' },
      { name: 'a'.repeat(64) },
      { handle: '0x1' },
    ]
    // what is behind a slash is taken for a channel's place, so then the checksum is wrong
    for (const parts of cases)
      throwsError(open(forge(token, parts)), 'ERR_SABWAY_INVALID_TOKEN', /parts|name|size|checksum/)
  })

  it('are useless once their process is gone, also when another has its pid', async () => {
    const maker = new Peer({ does: 'make' })
    const token = await maker.next<string>()
    await maker.kill()
    throwsError(open(token), 'ERR_SABWAY_REGION_GONE', /process \d+ has ended; ask a process that still has the region/)
    const { token: own } = openShared()
    const later = hex(BigInt(`0x${partsOf(own).start}`) + 1n)
    throwsError(open(forge(own, { start: later })), 'ERR_SABWAY_REGION_GONE', /has ended/)
  })

  it('are useless once the descriptor is something else', async () => {
    const channel = openShared()
    const other = openShared()
    const { handle } = partsOf(other.token)
    throwsError(open(forge(channel.token, { handle })), 'ERR_SABWAY_STALE_TOKEN', /another region has taken its place/)
    const file = openSync(fileURLToPath(new URL('package.json', root)), 'r')
    const loose = /mode|another user|bytes, the token/
    assert.throws(open(forge(channel.token, { handle: hex(file) })), loose)
    closeSync(file)
    const folder = openSync('/tmp', 'r')
    assert.throws(open(forge(channel.token, { handle: hex(folder) })), /directory|not a shared memory object/)
    closeSync(folder)
    const server = createServer().listen(0)
    const socket = (server as unknown as { _handle: { fd: number } })._handle.fd
    throwsError(
      open(forge(channel.token, { handle: hex(socket) })),
      'ERR_SABWAY_STALE_TOKEN',
      /is not a shared memory object/,
    )
    server.close()
  })

  it('a file that only looks like one has no seals', () => {
    const { token } = openShared()
    const path = `/tmp/sabway-test-${process.pid}`
    writeFileSync(path, Buffer.alloc(parseInt(partsOf(token).size, 16)), { mode: 0o600 })
    const file = openSync(path, 'r+')
    unlinkSync(path)
    throwsError(
      open(forge(token, { handle: hex(file) })),
      'ERR_SABWAY_STALE_TOKEN',
      /without seals: it could be truncated/,
    )
    closeSync(file)
  })
})

describe('shared memory', () => {
  it('cannot be truncated, grown or sealed anew, by its maker or by others', async () => {
    const channel = openShared()
    const file = openSync(place(channel.token), 'r+')
    const size = parseInt(partsOf(channel.token).size, 16)
    for (const length of [0, 4096, size - 1, size + 1]) {
      assert.throws(() => ftruncateSync(file, length), { code: 'EPERM' }, `to ${length}`)
    }
    closeSync(file)
    const script = `require('fs').truncateSync('${place(channel.token)}', 0)`
    const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
    assert.equal(status, 1)
    assert.match(stderr, /EPERM/)
    assert.throws(() => openSync(place(channel.token), 'w'), { code: 'EPERM' })
    const peer = new Peer({ does: 'echo', token: channel.token })
    await peer.next()
    channel.send(pattern(1, 10))
  })

  it('with a name is refused when its size or mode has changed', () => {
    const name = `test-${process.pid}-changed`
    const channel = openShared(4096, 4096, name)
    const path = `/dev/shm/sabway.${name}`
    for (const mode of [0o666, 0o640, 0o604, 0o700]) {
      chmodSync(path, mode)
      throwsError(open(channel.token), 'ERR_SABWAY_NOT_PERMITTED', /others could write/)
    }
    chmodSync(path, 0o600)
    const file = openSync(path, 'r+')
    ftruncateSync(file, parseInt(partsOf(channel.token).size, 16) + 65536)
    closeSync(file)
    throwsError(open(channel.token), 'ERR_SABWAY_SIZE_MISMATCH', /bytes, the token says/)
  })

  itAsAnother('of another user', () => {
    const name = `test-${process.pid}-stranger`
    const { token } = openShared()
    const path = `/dev/shm/sabway.${name}`
    const script = `require('fs').writeFileSync('${path}', Buffer.alloc(0x${partsOf(token).size}), { mode: 0o600 })`
    execFileSync(process.execPath, ['-e', script], { uid: NOBODY, gid: NOBODY })
    try {
      throwsError(
        open(forge(token, { name })),
        'ERR_SABWAY_NOT_PERMITTED',
        /belongs to user 65534, this process to user 0/,
      )
      throwsError(() => openShared(4096, 4096, name), 'ERR_SABWAY_NAME_TAKEN', /another name/)
    } finally {
      unlinkSync(path)
    }
  })

  itAsAnother('is closed to another user that has the token', () => {
    const library = fileURLToPath(new URL('dist/index.mjs', root))
    const name = `test-${process.pid}-closed`
    for (const { token } of [openShared(), openShared(4096, 4096, name)]) {
      const script = `import('${library}').then(({ Region }) => Region.open('${token}')).catch(({ code }) => console.log(code))`
      const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
        uid: NOBODY,
        gid: NOBODY,
        encoding: 'utf8',
      })
      assert.equal(stdout.trim(), 'ERR_SABWAY_NOT_PERMITTED', stderr)
    }
  })

  it('with a hostile header is refused', () => {
    const { sw_region_header: header } = abi
    const cases: [number, number, Parameters<typeof throwsError>[1]][] = [
      [header.magic, 0, 'ERR_SABWAY_NOT_A_REGION'],
      [header.layout_hash, 1, 'ERR_SABWAY_LAYOUT_MISMATCH'],
      [header.pages, 1, 'ERR_SABWAY_NOT_A_REGION'],
      [header.pages, -1, 'ERR_SABWAY_NOT_A_REGION'],
      [header.nonce_low, 7, 'ERR_SABWAY_STALE_TOKEN'],
      [header.nonce_high, 7, 'ERR_SABWAY_STALE_TOKEN'],
    ]
    for (const [field, value, code] of cases) {
      const channel = openShared()
      const mappings = sharedMappings()
      new Int32Array(channel.handle.memory.buffer)[field >>> 2] = value
      throwsError(open(channel.token), code, /.../)
      // a Memory that was mapped over goes with the collector
      assert.ok(sharedMappings() <= mappings + 1)
    }
  })

  it('with flags that lie is opened, and works', () => {
    const channel = openShared()
    new Int32Array(channel.handle.memory.buffer)[abi.sw_region_header.flags >>> 2] = 0
    const other = keep(SharedMemoryChannel.attach(channel.token, { side: 'native' }))
    channel.send(pattern(1, 10))
    assert.deepEqual(takeAll(other), [pattern(1, 10)])
  })
})

describe('mapping over memory', () => {
  const size = 2 ** 21
  let shared: InstanceType<ReturnType<typeof rawAddon>['SharedMemory']>

  beforeEach(() => {
    shared = new (rawAddon().SharedMemory)(size)
  })
  afterEach(() => shared.close())

  const refused = (bytes: unknown, code: Parameters<typeof assertError>[1], teaches: RegExp) => {
    try {
      shared.overlay(bytes as Uint8Array)
    } catch (error) {
      assertError({ ...(error as object), message: (error as Error).message }, code, teaches)
      return
    }
    assert.fail('it was mapped over')
  }

  it('is refused for everything but a whole shared WebAssembly.Memory', () => {
    const whole = () => new WebAssembly.Memory({ initial: size / 65536, maximum: size / 65536, shared: true })
    const overlay = 'ERR_SABWAY_OVERLAY_REFUSED'
    refused(new Uint8Array(new SharedArrayBuffer(size)), overlay, /whole/)
    refused(new Uint8Array(new ArrayBuffer(size)), overlay, /whole/)
    refused(Buffer.allocUnsafeSlow(size), overlay, /whole/)
    const longer = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true })
    refused(new Uint8Array(longer.buffer, 0, size), overlay, /not the whole/)
    refused(new Uint8Array(longer.buffer, size), overlay, /not the whole/)
    refused(new Uint8Array(longer.buffer, 1, size), overlay, /whole pages/)
    refused(new Uint8Array(whole().buffer, 0, size - 65536), 'ERR_SABWAY_SIZE_MISMATCH', /bytes/)
    refused({}, 'ERR_SABWAY_INVALID_TYPE', /Uint8Array/)
    refused(undefined, 'ERR_SABWAY_INVALID_TYPE', /Uint8Array/)
    const once = whole()
    shared.overlay(new Uint8Array(once.buffer))
    refused(new Uint8Array(once.buffer), overlay, /shared with other processes already/)
    new Uint8Array(longer.buffer).fill(1) // all of it is still there
    shared.close()
    refused(new Uint8Array(whole().buffer), 'ERR_SABWAY_CLOSED', /.*/)
  })

  it('happens where the memory was: its content is the shared one from then on', () => {
    const memory = new WebAssembly.Memory({ initial: size / 65536, maximum: size / 65536, shared: true })
    const bytes = new Uint8Array(memory.buffer)
    bytes.fill(7)
    shared.overlay(bytes)
    assert.equal(bytes[size - 1], 0)
    bytes[size - 1] = 42
    const file = readFileSync(place(shared.token()))
    assert.deepEqual([file.length, file[size - 1]], [size, 42])
  })
})
