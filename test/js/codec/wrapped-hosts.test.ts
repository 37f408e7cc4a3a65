// Codecs that compress and encrypt, between hosts, threads and processes: Node's zlib and crypto,
// and what pages have, read each other's messages; and no nonce comes twice, also when a process
// was killed.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSecretKey, webcrypto } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { deflateRawSync } from 'node:zlib'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { type CodecName, SharedMemoryChannel } from 'sabway'
import * as ofNode from 'sabway/codecs'
import { keep } from '../support/channels.js'
import { assertError, throwsError } from '../support/errors.js'
import { root } from '../support/paths.js'
import { Peer } from '../support/processes.js'
import { Thread } from '../support/threads.js'
import { TABLE } from '../support/value-kinds.js'
import { within } from '../support/wait.js'
import { codecFor, KEY, noise } from '../support/wrapped.js'

const ofPages: typeof ofNode = await import(new URL('dist/browser-codecs.mjs', root).href)
const HOSTS = { Node: ofNode, 'a page': ofPages }
const folder = fileURLToPath(root)

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const keyOfNode = await webcrypto.subtle.importKey('raw', KEY, 'AES-GCM', true, ['encrypt'])
const hiddenKey = await webcrypto.subtle.importKey('raw', KEY, 'AES-GCM', false, ['encrypt'])

for (const [from, sender] of Object.entries(HOSTS)) {
  for (const [to, reader] of Object.entries(HOSTS)) {
    describe(`what is made by ${from}`, () => {
      it(`is read by ${to}, at every level and of every length`, () => {
        for (const level of [1, 2, 3, 4, 5, 6, 7, 8, 9] as const)
          for (const length of [0, 1, 15, 16, 17, 63, 64, 65, 1000, 5000, 100_000]) {
            const bytes =
              length % 2 === 0 ? noise(length) : new TextEncoder().encode('some text '.repeat(length)).slice(0, length)
            const packed = sender.compressed('bytes', { level, threshold: 1 }).encode(bytes)
            assert.deepEqual(Buffer.from(reader.compressed('bytes').decode(packed)), Buffer.from(bytes))
            const sealed = sender.encrypted('bytes', { key: KEY, context: `context ${level}` }).encode(bytes)
            const open = reader.encrypted('bytes', { key: KEY, context: `context ${level}` })
            assert.deepEqual(Buffer.from(open.decode(sealed)), Buffer.from(bytes))
            sealed[sealed.length - 1]! ^= 1
            assert.throws(() => open.decode(sealed), { code: 'ERR_SABWAY_FORGED' })
          }
      })
    })
  }
}

describe('the cipher', () => {
  it('is XChaCha20-Poly1305, as others make and read it', () => {
    const about = Buffer.concat(
      ['sabway encrypted 1', 'bytes', 'orders', 'renderer'].map((text) => {
        const length = Buffer.alloc(4)
        length.writeUInt32LE(text.length)
        return Buffer.concat([length, Buffer.from(text)])
      }),
    )
    for (const host of Object.values(HOSTS)) {
      const codec = host.encrypted('bytes', { key: KEY, context: 'orders' })
      const message = codec.encode(Uint8Array.of(1, 2, 3), 'renderer')
      const cipher = xchacha20poly1305(KEY, message.slice(0, 24), about)
      assert.deepEqual([...cipher.decrypt(message.slice(24))], [1, 2, 3])
      const nonce = noise(24, 5)
      const made = xchacha20poly1305(KEY, nonce, about).encrypt(noise(1000))
      assert.deepEqual(Buffer.from(codec.decode(Buffer.concat([nonce, made]), 'renderer')), Buffer.from(noise(1000)))
    }
  })

  it('is that of the draft (draft-irtf-cfrg-xchacha, A.3.1)', () => {
    const text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
    const key = hex('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f')
    const nonce = hex('404142434445464748494a4b4c4d4e4f5051525354555657')
    const sealed = xchacha20poly1305(key, nonce, hex('50515253c0c1c2c3c4c5c6c7')).encrypt(Buffer.from(text))
    assert.equal(Buffer.from(sealed.slice(-16)).toString('hex'), 'c0875924c1c7987947deafd8780acf49')
  })
})

describe('keys of Node and of WebCrypto', () => {
  it('are those of the bytes that they export', () => {
    const message = ofNode.encrypted('bytes', { key: KEY }).encode(Uint8Array.of(1))
    for (const key of [createSecretKey(KEY), keyOfNode])
      assert.deepEqual([...ofNode.encrypted('bytes', { key }).decode(message)], [1])
    throwsError(
      () => ofNode.encrypted('bytes', { key: createSecretKey(noise(16)) }),
      'ERR_SABWAY_OUT_OF_RANGE',
      /this one has 16/,
    )
    throwsError(() => ofNode.encrypted('bytes', { key: hiddenKey }), 'ERR_SABWAY_INVALID_TYPE', /extractable CryptoKey/)
    assert.throws(() => ofPages.encrypted('bytes', { key: keyOfNode }), /exportKey\("raw", key\)/)
  })
})

describe('values of every kind', () => {
  for (const inner of ['v8', 'msgpack'] as const)
    it(`are what the codec ${inner} alone makes of them, or are refused as it does`, () => {
      const through = (codec: CodecName | ReturnType<typeof codecFor>) => {
        const renderer = new SharedMemoryChannel<unknown>(1 << 20, 4096, { codec })
        const native = SharedMemoryChannel.attach<unknown>(renderer.handle, { side: 'native', codec })
        keep(renderer as never)
        keep(native as never)
        return (value: unknown) => {
          try {
            renderer.trySend(value)
          } catch (error) {
            return { code: (error as { code: string }).code }
          }
          return { received: native.tryReceive()!.message }
        }
      }
      const plain = through(inner)
      const wrapped = through(codecFor(`encrypted compressed ${inner}`))
      let received = 0
      const shown = (value: unknown) => inspect(value, { depth: 20, showHidden: true })
      for (const [what, { make, refused }] of Object.entries(TABLE)) {
        if (refused !== undefined) continue // some of those change while they are read
        // made anew, because getters run when they are read; at one place, which errors tell
        const [expected, actual] = [plain, wrapped].map((through) =>
          through(typeof make === 'string' ? new Function(`return ${make}`)() : make()),
        )
        assert.equal(shown(actual), shown(expected), what)
        if ('received' in expected!) received++
      }
      assert.ok(received > 60, `${received}`)
    })
})

describe('memory for a message', () => {
  it('is not had because the message says that it is long', () => {
    const codec = ofNode.compressed('bytes', { maxBytes: 2 ** 30 })
    // DEFLATE of 200 MB of zeros, which says that it is 2,000 bytes; and the reverse
    const bomb = deflateRawSync(new Uint8Array(200_000_000))
    const said = (length: number, packed: Uint8Array) => {
      const message = Buffer.alloc(12 + packed.length)
      message[0] = 0x5a
      message[1] = 1
      message.writeUInt32LE(length, 4)
      message.set(packed, 12)
      return message
    }
    const before = process.memoryUsage()
    for (let i = 0; i < 2; i++) {
      for (const codecOfHost of [codec, ofPages.compressed('bytes', { maxBytes: 2 ** 30 })])
        for (const message of [said(2000, bomb), said(2 ** 30, bomb.subarray(0, 1000))])
          assert.throws(() => codecOfHost.decode(message), { code: 'ERR_SABWAY_NOT_COMPRESSED' })
    }
    const { arrayBuffers, rss } = process.memoryUsage()
    assert.ok(arrayBuffers - before.arrayBuffers < 50e6 && rss - before.rss < 100e6, `${rss - before.rss}`)
  })
})

describe('nonces', () => {
  it('of 100,000 messages from 4 threads are distinct', async () => {
    const count = 25_000
    const threads = Array.from({ length: 4 }, () => new Thread('coded', { coded: 'nonces', count, key: [...KEY] }))
    const seen = new Set<string>()
    for (const thread of threads) {
      const nonces = Buffer.from(await thread.next<Uint8Array>())
      for (let i = 0; i < count; i++) seen.add(nonces.toString('latin1', 24 * i, 24 * i + 24))
    }
    assert.equal(seen.size, 4 * count)
  })

  it('of a process that was killed are not those of the next ones, which take its place', async () => {
    const codec = codecFor('encrypted compressed msgpack')
    const channel = new SharedMemoryChannel<{ count: number; text: string }>(65536, 65536, {
      share: 'processes',
      codec: codec as never,
    })
    keep(channel as never)
    const nonces = new Set<string>()
    const senders = new Set<string>()
    let messages = 0
    for (let round = 0; round < 4; round++) {
      const peer = new Peer({
        coded: 'flood',
        to: channel.token,
        codec: 'encrypted compressed msgpack',
        key: [...KEY],
      })
      await peer.next('the first message')
      for (let more = 0; more < 300; ) {
        await setTimeout(1)
        channel.drain((bytes, start, end) => {
          const message = bytes.slice(start, end)
          const { count, text } = codec.decode(message, 'native') as { count: number; text: string }
          assert.equal(text.length, count % 3000)
          nonces.add(Buffer.from(message.subarray(0, 24)).toString('hex'))
          senders.add(Buffer.from(message.subarray(0, 16)).toString('hex'))
          messages++
          more++
        })
      }
      await peer.kill()
    }
    assert.deepEqual([nonces.size, senders.size], [messages, 4])
  })

  it('are not drawn while a startup snapshot is built', () => {
    const directory = mkdtempSync(join(tmpdir(), 'sabway-snapshot-'))
    try {
      const script = join(directory, 'entry.cjs')
      // The require of a script that a snapshot is made of knows Node's own modules only.
      writeFileSync(
        script,
        `const { encrypted } = require('node:module').createRequire('${root.href}')('./dist/codecs.cjs')
        try { encrypted('bytes', { key: new Uint8Array(32) }).encode(new Uint8Array(1)); console.log('drawn') }
        catch (error) { console.log(error.code) }`,
      )
      const run = (...options: string[]) =>
        execFileSync(process.execPath, ['--no-warnings', ...options, script], { encoding: 'utf8' }).trim()
      assert.equal(run(), 'drawn')
      assert.equal(run('--snapshot-blob', join(directory, 'blob'), '--build-snapshot'), 'ERR_SABWAY_INVALID_STATE')
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})

describe('a channel whose codec compresses and encrypts', () => {
  const VALUE = { rows: Array.from({ length: 300 }, (_, i) => ({ id: i, name: `unit ${i % 7}` })), at: new Date(5) }

  for (const where of ['a thread', 'a process'])
    for (const name of ['compressed structured', 'encrypted structured', 'encrypted compressed structured'])
      it(`carries values to ${where} and back: ${name}`, async () => {
        const share = where === 'a process' ? ('processes' as const) : ('threads' as const)
        const channel = new SharedMemoryChannel<unknown>(65536, 65536, { share, codec: codecFor(name) })
        keep(channel as never)
        const task = { coded: 'echo' as const, codec: name, key: [...KEY] }
        const other =
          where === 'a thread'
            ? new Thread('coded', { ...task, to: channel.handle })
            : new Peer({ ...task, to: channel.token })
        await other.next('that it is there')
        for (let i = 0; i < 50; i++) {
          channel.send({ ...VALUE, i })
          assert.deepEqual(await within(channel.receive(), 'the echo'), { ...VALUE, i })
        }
      })

  it('refuses what a process sends that has another key', async () => {
    const name = 'encrypted structured'
    const channel = new SharedMemoryChannel<unknown>(65536, 65536, { share: 'processes', codec: codecFor(name) })
    keep(channel as never)
    const peer = new Peer({ coded: 'flood', codec: name, key: [...noise(32)], to: channel.token })
    await peer.next('the first message')
    for (let i = 0; i < 10; i++) {
      const error = await within(channel.receive(), 'a message').catch((thrown: unknown) => thrown)
      assertError(error, 'ERR_SABWAY_FORGED', /the key/)
    }
  })
})

describe("'sabway/codecs'", () => {
  const run = (source: string, type: string) =>
    execFileSync(process.execPath, [`--input-type=${type}`, '-e', source], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  const program = (load: (name: string) => string) => `
    ${load('sabway')}
    let codec
    try {
      codec = codecOf({ enableCompression: true })
      try { codec.decode(new Uint8Array(3)) } catch (error) {
        console.log(codec.name.slice(0, 10), error.code, error instanceof SabwayError)
      }
    } catch (error) { console.log(error.code, error.message) }`

  it('is loaded in Node when the options of a class ask for it', () => {
    const imported = program((name) => `import { codecOf, SabwayError } from '${name}'`)
    assert.equal(run(imported, 'module'), 'compressed ERR_SABWAY_NOT_COMPRESSED true')
    const required = program((name) => `const { codecOf, SabwayError } = require('${name}')`)
    assert.equal(run(required, 'commonjs'), 'compressed ERR_SABWAY_NOT_COMPRESSED true')
  })

  it('is asked for where it cannot be loaded like that, as in a page', () => {
    const file = join(folder, 'dist', 'browser.mjs')
    const page = program(() => `import { codecOf, SabwayError } from ${JSON.stringify(file)}`)
    assert.match(run(page, 'module'), /^ERR_SABWAY_NOT_LOADED .*compression is in 'sabway\/codecs'; import that/)
  })
})
