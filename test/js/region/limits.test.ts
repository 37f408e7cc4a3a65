// Each limit of the host, made to happen in a process of its own: its code, its cause, and the way
// out. docs/guide/troubleshooting.md has the same as a table.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ErrorCode, Region } from 'sabway'
import type { Step } from '../children/limits.js'
import { assertError, throwsError } from '../support/errors.js'
import { asAnother, itAsAnother, itMounting } from '../support/host-limits.js'
import { plugin, program } from '../support/paths.js'
import { echoed, exchange, openShared, Peer } from '../support/processes.js'
import { anotherPlace, closeLater } from '../support/regions.js'

type Expected = 'works' | [ErrorCode, RegExp]

function judge(said: unknown, expected: Expected, step: Step): void {
  if (expected === 'works') assert.deepEqual([step, said], [step, 'works'])
  else assertError(said, ...expected)
}

/** Run the steps in a process under that command, and compare what it says of each. */
async function limited(
  under: readonly string[],
  steps: readonly (readonly [Step, Expected])[],
  options: Record<string, unknown> = {},
): Promise<void> {
  const peer = new Peer({ steps: steps.map(([step]) => step) }, under, options)
  for (const [step, expected] of steps) judge(await peer.next(), expected, step)
  peer.process.send('end')
  assert.equal(await peer.ended(), 0)
}

const shell = (script: string) => ['sh', '-c', `${script} exec "$@"`, 'sh']
/** In a mount namespace of its own. */
const mounting = (script: string) => ['unshare', '-m', ...shell(`${script} &&`)]
const forbidding = (...what: string[]) => ({
  env: {
    ...process.env,
    LD_PRELOAD: [process.env.LD_PRELOAD, plugin('limits')].filter(Boolean).join(' '),
    SABWAY_TEST_LIMITS: what.join(','),
  },
})

const OUT_OF_MEMORY = 'ERR_SABWAY_OUT_OF_MEMORY'
const SYSTEM = 'ERR_SABWAY_SYSTEM'
const FILES = 'ERR_SABWAY_TOO_MANY_FILES'
const NO_ADDON = 'ERR_SABWAY_NO_ADDON'
const OTHER = 'ERR_SABWAY_OTHER_NAMESPACE'
const DENIED = 'ERR_SABWAY_NOT_PERMITTED'

describe('limits: WebAssembly and address space', () => {
  it('--jitless', () => {
    const jitless: Expected = ['ERR_SABWAY_NO_WASM', /there is no WebAssembly; start Node without --jitless/]
    const steps = (['threads', 'processes'] as const).map((step) => [step, jitless] as const)
    return limited(['env', 'NODE_OPTIONS=--jitless'], steps)
  })

  it('ulimit -v', () => {
    const short: Expected = [
      OUT_OF_MEMORY,
      /7812 MiB of address space \(`ulimit -v`, RLIMIT_AS\).*holds 0: call cleanup/,
    ]
    // From Node 24 on V8 makes memories without guard regions where addresses are short: a small
    // region is one.
    const expected = Number(process.versions.node.split('.')[0]) < 24 ? short : 'works'
    return limited(shell('ulimit -v 8000000;'), [
      ['threads', expected],
      ['processes', expected],
    ])
  })

  it('address space that is used up', () =>
    limited(
      [],
      [
        ['threads', 'works'],
        ['addresses', 'works'],
        [
          'threads',
          [
            OUT_OF_MEMORY,
            /used up, or address space.*this thread holds \d+: call cleanup.*many channels in one region/,
          ],
        ],
      ],
    ))

  it('ulimit -f', () => {
    const short: Expected = [OUT_OF_MEMORY, /bytes.*; raise `ulimit -f` \(RLIMIT_FSIZE\)/]
    return limited(shell('ulimit -f 1000;'), [
      ['threads', 'works'],
      ['processes', short],
      ['named', short],
    ])
  })
})

describe('limits: descriptors', () => {
  const few = shell('ulimit -n 64;')
  const none: Expected = [FILES, /Too many open files\); close files, or raise the limit: `ulimit -n`/]

  it('there is none to make or open a region', () => {
    const unnamed = openShared()
    const named = openShared(4096, 4096, `limits-files-${process.pid}`)
    return limited(few, [
      ['files', 'works'],
      ['threads', 'works'],
      ['processes', none],
      ['named', none],
      [{ open: unnamed.token }, none],
      [{ open: named.token }, none],
    ])
  })

  it('a death is told where there is none for a pidfd', async () => {
    const maker = new Peer({ does: 'make', files: 'none' }, few)
    const peer = new Peer({ does: 'hold', token: await maker.next() })
    assert.equal(await peer.next(), 'ready')
    await peer.kill()
    assert.equal(await maker.next(), 'peer-died')
  })
})

describe('limits: file systems', () => {
  itMounting('no /proc', async () => {
    const { token } = openShared()
    const proc: Expected = [SYSTEM, /found through \/proc, which is not mounted here.*give the region a name/]
    const other: Expected = [OTHER, /this process of 0 \(0: no \/proc/]
    await limited(mounting('umount -l /proc'), [
      ['threads', 'works'],
      ['processes', proc],
      ['named', 'works'],
      [{ open: token }, other],
    ])
  })

  itMounting('no /proc: what is mapped over cannot be looked up, so messages are copied', async () => {
    const peer = new Peer({ steps: ['copied'] }, mounting('umount -l /proc'))
    assert.match(await peer.next(), /looked up in \/proc\/self\/maps \(No such file.*mount -t proc proc \/proc/)
    peer.process.send('end')
    assert.equal(await peer.ended(), 0)
  })

  itMounting('/proc of another pid namespace', () =>
    limited(
      ['unshare', '-p', '-f', '--kill-child'],
      [
        ['threads', 'works'],
        ['processes', [SYSTEM, /or is another pid namespace's; mount it/]],
        ['named', 'works'],
      ],
    ),
  )

  const shm: [string, string, ErrorCode, RegExp][] = [
    [
      'is not there',
      'mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 666 /dev/urandom c 1 9',
      SYSTEM,
      /No such file or directory; regions with a name need \/dev\/shm.*without one do not/,
    ],
    [
      'cannot be written',
      'umount -l /dev/shm; mount -t tmpfs -o ro none /dev/shm',
      SYSTEM,
      /Read-only file system; regions with a name need \/dev\/shm.*without one do not/,
    ],
    [
      'is full',
      'umount -l /dev/shm; mount -t tmpfs -o size=64k none /dev/shm',
      OUT_OF_MEMORY,
      /in \/dev\/shm: No space left on device; make it larger \(docker run --shm-size.*or make this one without/,
    ],
  ]
  for (const [what, script, code, teaches] of shm) {
    itMounting(`/dev/shm ${what}`, () =>
      limited(mounting(script), [
        ['threads', 'works'],
        ['processes', 'works'],
        ['named', [code, teaches]],
      ]),
    )
  }

  itMounting('a named region of another /dev/shm', () => {
    const { token } = openShared(4096, 4096, `limits-shm-${process.pid}`)
    const elsewhere: Expected = ['ERR_SABWAY_REGION_GONE', /was closed, or this process sees another \/dev\/shm/]
    return limited(mounting('mount -t tmpfs none /dev/shm'), [[{ open: token }, elsewhere]])
  })
})

describe('limits: system calls that a filter refuses', () => {
  for (const error of ['EPERM', 'ENOSYS']) {
    it(`memfd_create, with ${error}`, () =>
      limited(
        [],
        [
          ['threads', 'works'],
          [
            'processes',
            [SYSTEM, /memfd_create: .*; a seccomp filter .* may be why: allow the call; or give the region a/],
          ],
          ['named', 'works'],
        ],
        forbidding(`memfd_create=${error}`),
      ))

    it(`ftruncate, with ${error}`, () =>
      limited(
        [],
        [['processes', [SYSTEM, /bytes of memfd: .*; a seccomp filter .* may be why/]]],
        forbidding(`ftruncate=${error}`),
      ))

    it(`futex_waitv, with ${error}: messages arrive all the same`, async () => {
      const channel = openShared()
      const options = forbidding(`futex_waitv=${error}`)
      await echoed(channel, new Peer({ does: 'echo', token: channel.token }, [], options))
    })

    it(`pidfd_open, with ${error}: deaths are told all the same`, async () => {
      const maker = new Peer({ does: 'make' }, [], forbidding(`pidfd_open=${error}`))
      const peer = new Peer({ does: 'hold', token: await maker.next() })
      assert.equal(await peer.next(), 'ready')
      await peer.kill()
      assert.equal(await maker.next(), 'peer-died')
    })
  }
})

describe('limits: whose processes they are', () => {
  const guarded: Expected = [
    DENIED,
    /does not let this one open its descriptors \(Permission denied\).*give the region a name/,
  ]

  itAsAnother(
    'a protected process: its regions without a name are closed to others, those with one are not',
    async () => {
      const name = `limits-protected-${process.pid}`
      const steps: Step[] = [{ token: '' }, { token: name }]
      const maker = new Peer({ steps }, [], { ...asAnother, ...forbidding('undumpable') })
      const tokens = [await maker.next<string>(), await maker.next<string>()]
      await limited(
        [],
        [
          [{ open: tokens[0]! }, guarded],
          [{ open: tokens[1]! }, 'works'],
        ],
        asAnother,
      )
      maker.process.send('end')
      assert.equal(await maker.ended(), 0)
    },
  )

  itAsAnother('another user', () => limited([], [[{ open: openShared().token }, guarded]], asAnother))

  itMounting('/proc that hides processes', () => {
    const hidden: Expected = [DENIED, /\/proc hides process \d+ from this one \(hidepid\)/]
    const under = [
      ...mounting('mount -t proc -o hidepid=2 proc /proc'),
      'setpriv',
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
    ]
    return limited(under, [[{ open: openShared().token }, hidden]])
  })

  const apart = ['unshare', '-p', '-f', '--mount-proc', '--kill-child']
  const refused: Expected = [OTHER, /the token is of pid namespace \d+, this process of \d+.*in one container/]
  const name = `limits-apart-${process.pid}`

  itMounting('a token of another pid namespace is refused outside of it', async () => {
    const maker = new Peer({ steps: ['processes', 'named', { token: '' }, { token: name }] }, apart)
    assert.deepEqual([await maker.next(), await maker.next()], ['works', 'works'])
    for (let i = 0; i < 2; i++) {
      const token = await maker.next<string>()
      throwsError(() => Region.open(token), ...(refused as [ErrorCode, RegExp]))
    }
    maker.process.send('end')
    assert.equal(await maker.ended(), 0)
  })

  itMounting('a token of another pid namespace is refused inside of one, by C programs, too', async () => {
    const tokens = [openShared().token, openShared(4096, 4096, name).token]
    await limited(
      apart,
      tokens.map((token) => [{ open: token }, refused] as const),
    )
    for (const token of tokens) {
      const { stderr } = spawnSync('unshare', [...apart.slice(1), program('c-process'), 'answer', token], {
        encoding: 'utf8',
      })
      assert.match(stderr, /ERR_SABWAY_OTHER_NAMESPACE.*pid namespace/)
    }
  })

  it('64 endpoints', async () => {
    const channel = openShared()
    const region = closeLater(Region.open(channel.token))
    const regions = Array.from({ length: 62 }, () => anotherPlace(region))
    await limited(
      [],
      [[{ open: channel.token }, ['ERR_SABWAY_TOO_MANY_PARTICIPANTS', /room for 64 threads; clean up/]]],
    )
    for (const place of [region, ...regions]) place.close()
    const peer = new Peer({ does: 'echo', token: channel.token })
    await exchange(channel, 100, 100)
    await peer.next()
  })
})

describe('limits: no addon', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sabway-limits-'))
    mkdirSync(join(folder, 'build', 'Release'), { recursive: true })
    mkdirSync(join(folder, 'away', 'prebuilds', 'plan9-mips'), { recursive: true })
    mkdirSync(join(folder, 'empty'))
    writeFileSync(join(folder, 'build', 'Release', 'sabway.node'), 'not a library')
  })
  after(() => rmSync(folder, { recursive: true }))

  const rebuild = 'run `npm rebuild sabway`'
  const cases: [string, () => string[], RegExp][] = [
    ['--no-addons', () => ['NODE_OPTIONS=--no-addons'], /addons are disabled here: start .* without --no-addons$/],
    [
      'install scripts have not run',
      () => [`SABWAY_PREBUILD=${join(folder, 'empty')}`],
      new RegExp(`there is no binary for \\S+ in .*: ${rebuild}.*no --ignore-scripts`),
    ],
    [
      'another platform',
      () => [`SABWAY_PREBUILD=${join(folder, 'away')}`],
      new RegExp(`there is no binary for \\S+ in .*: there is one for plan9-mips; ${rebuild}`),
    ],
    [
      'a broken binary',
      () => [`SABWAY_PREBUILD=${folder}`],
      new RegExp(
        `sabway\\.node cannot be loaded by this Node \\(\\S+\\): (?!.*sabway\\.node)\\S.*; it is broken, or .*: ${rebuild}`,
      ),
    ],
  ]
  for (const [what, environment, teaches] of cases) {
    it(what, () =>
      limited(
        ['env', ...environment()],
        [
          ['threads', 'works'],
          ['processes', [NO_ADDON, teaches]],
        ],
      ),
    )
  }
})
