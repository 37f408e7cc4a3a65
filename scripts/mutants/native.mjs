// Mistakes in native/: one at a time in the copy, what depends on the file is rebuilt, and the
// tests that cover it run.
//
// The weakened orders of native/core are not made here: test/c/model/model_mutants.c tries each of
// them under every interleaving. Outside the core ThreadSanitizer is asked about them.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { nativeMistakes } from './operators.mjs'
import { build, pool, run } from './run.mjs'
import { mocha, testFiles } from './script.mjs'

const UNIT_RING = [
  'test_ring',
  'test_ring_wrap',
  'test_ring_batch',
  'test_ring_close',
  'test_ring_corrupt',
  'test_ring_model',
]
const UNIT_CORE = [
  ...UNIT_RING,
  'test_channel',
  'test_endpoint',
  'test_region',
  'test_park',
  'test_options',
  'test_error',
]
const HOSTILE = [
  'test_hostile_fields',
  'test_double_fetch',
  'test_double_fetch_heap',
  'replay_heap',
  'replay_ring_consumer',
  'replay_ring_producer',
  'replay_channel',
  'replay_attach',
  'replay_mutex',
]
const CRASH = ['test_crash_producer', 'test_crash_consumer', 'test_crash_endpoint']
const SHARED = [
  'test_shared',
  'test_token',
  'test_token_parts',
  'test_listener',
  'test_port',
  'test_descriptors',
  'test_shared_faults',
  'test_carrier',
]
const WORKER = [
  'test_worker',
  'test_worker_plugins',
  'test_plugin',
  'test_loop',
  'test_crc32c',
  'test_faults',
  'test_spin',
]

const OF_WORKER = {
  asan: [...WORKER, 'test_park'],
  plain: ['test_crash_worker', 'test_crash_flood'],
  js: /native-worker|plugins|wake-matrix|terminate|processes\.test/,
}

/** `unit`: the container's own test. */
const ofContainer = (unit) => ({
  asan: [unit, 'test_hostile_containers', 'test_double_fetch_heap', 'replay_heap'],
  plain: ['model_core', 'test_crash_containers'],
  js: /containers|vector|list|string|mixed|agree/,
})

/**
 * What covers the files whose path begins so: the first row that fits. asan and plain are programs
 * of test/c, js are test files.
 */
const COVER = [
  [
    'native/core/mutex/',
    {
      asan: ['test_mutex', 'test_mutex_lock', 'test_hostile_fields', 'test_double_fetch', 'replay_mutex'],
      plain: ['model_core', 'test_crash_mutex'],
      js: /mutex/,
    },
  ],
  ['native/threads/mutex', { asan: ['test_mutex_lock'], plain: ['test_crash_mutex'], js: /mutex/ }],
  [
    'native/core/heap/',
    {
      asan: ['test_heap', 'test_heap_shared', 'test_hostile_heap', 'test_double_fetch_heap', 'replay_heap'],
      plain: ['model_core', 'test_crash_heap'],
      js: /heap|agree/,
    },
  ],
  [
    'native/core/map/',
    {
      asan: ['test_map', 'test_map_shared', 'test_hostile_map', 'test_double_fetch_heap', 'replay_heap'],
      plain: ['model_core', 'test_crash_map'],
      js: /map|agree/,
    },
  ],
  ['native/core/vector/', ofContainer('test_vector')],
  ['native/core/list/', ofContainer('test_list')],
  ['native/core/string/', ofContainer('test_string')],
  [
    'native/core/record/',
    {
      asan: ['test_record', 'test_hostile_record', 'test_double_fetch_heap', 'replay_heap'],
      plain: ['model_core', 'test_crash_record'],
      js: /record|struct-array|agree/,
    },
  ],
  [
    'native/core/sync/',
    {
      asan: ['test_sync', 'test_hostile_sync'],
      plain: ['model_core', 'test_crash_sync'],
      js: /sync|agree/,
    },
  ],
  [
    'native/core/queue/',
    {
      asan: ['test_queue', 'test_hostile_queue'],
      plain: ['model_core', 'test_crash_queue'],
      js: /queue|select|agree/,
    },
  ],
  [
    'native/core/broadcast/',
    {
      asan: ['test_broadcast', 'test_hostile_broadcast'],
      plain: ['model_core', 'test_crash_broadcast'],
      js: /broadcast|agree/,
    },
  ],
  [
    'native/core/pool/',
    {
      asan: ['test_pool', 'test_hostile_pool'],
      plain: ['model_core', 'test_crash_pool'],
      js: /pool|agree/,
    },
  ],
  [
    'native/core/p2p/',
    {
      asan: ['test_p2p', 'test_p2p_golden', 'test_hostile_p2p'],
      plain: ['model_core', 'test_crash_p2p'],
      js: /p2p-agree/,
    },
  ],
  [
    'native/core/objects/',
    {
      asan: ['test_object', 'test_objects', 'test_heap_channel', 'test_hostile_heap', 'test_double_fetch_heap'],
      plain: ['model_core', 'test_crash_objects', 'test_crash_channel'],
      js: /heap|regions|agree/,
    },
  ],
  ['native/threads/heap', { asan: ['test_heap_shared'], plain: [], js: /heap/ }],
  [
    'native/core/',
    { asan: [...UNIT_CORE, ...HOSTILE], plain: ['model_core', ...CRASH], js: /agree|send|receive|batch|reserve|close/ },
  ],
  ['native/process/', { asan: SHARED, plain: [], js: /processes|c-process|descriptors|addon-/ }],
  [
    'native/prim/',
    {
      asan: [...SHARED, ...WORKER, 'test_endpoint'],
      plain: ['test_crash_worker'],
      js: /processes|descriptors|native-worker|plugins/,
    },
  ],
  ['native/worker/', OF_WORKER],
  ['native/threads/', OF_WORKER],
  ['native/util/', OF_WORKER],
  [
    'native/napi/',
    {
      asan: [],
      plain: [],
      js: /native-worker|plugins|processes|descriptors|addon-|terminate|teardown|regions|wake-matrix|receive-sync|gc\.test/,
    },
  ],
  [
    'native/',
    {
      asan: [...UNIT_CORE, ...WORKER, ...SHARED],
      plain: ['model_core'],
      js: /send|receive|native-worker|processes\.test|agree/,
    },
  ],
]

const FLAVOURS = {
  asan: ['-DSABWAY_SANITIZE=address'],
  plain: [],
  tsan: ['-DSABWAY_SANITIZE=thread', '-DCMAKE_C_COMPILER=clang'],
}
const coverOf = (file) => COVER.find(([prefix]) => file.startsWith(prefix))[1]
const isCore = (file) => /^native\/(core|base)\//.test(file)
/**
 * Arguments of other types that were swapped are noticed by the compiler: that is no matter for
 * tests.
 */
const STRICT = '-Werror=incompatible-pointer-types -Werror=int-conversion'
const plugins = (copy) =>
  readdirSync(join(copy.path, 'test/c/plugins'))
    .filter((name) => name.endsWith('.c'))
    .map((name) => `plugin-${basename(name, '.c')}`)

/** Mistakes in the changed lines. */
export function nativeMutants(copy, changed) {
  const found = []
  for (const [file, lines] of changed) {
    for (const mistake of nativeMistakes(copy.read(file), lines)) {
      if (mistake.kind !== 'order' || !isCore(file)) found.push({ file, ...mistake })
    }
  }
  return found
}

class NativeTests {
  constructor(copy, lanes, onlyPrograms) {
    this.copy = copy
    this.onlyPrograms = onlyPrograms
    this.lanes = lanes
    this.configured = new Map()
    this.failing = new Set()
    /** Seconds that the programs take without a mistake, by flavour and names. */
    this.usual = new Map()
  }

  folder(flavour) {
    return join('build', `mutants-${flavour}`)
  }

  /** Names of the test programs that there are. */
  async configure(flavour) {
    const { copy } = this
    const generator = existsSync('/usr/bin/ninja') ? ['-G', 'Ninja'] : []
    const options = ['-DSABWAY_TESTS=ON', '-DSABWAY_EXAMPLES=OFF', `-DCMAKE_C_FLAGS=${STRICT}`, ...FLAVOURS[flavour]]
    await build('cmake', ['-S', '.', '-B', this.folder(flavour), ...generator, ...options], { cwd: copy.path })
    const cwd = join(copy.path, this.folder(flavour))
    await build('cmake', ['--build', '.', '-j', String(this.lanes), '--target', ...plugins(copy)], { cwd })
    const listed = await run('ctest', ['-N'], { cwd })
    return new Set([...listed.output.matchAll(/Test +#\d+: (\S+)/g)].map(([, name]) => name))
  }

  /**
   * undefined when all passed; else what noticed the mistake. Throws when the mistake does not
   * compile.
   */
  async programs(flavour, names) {
    if (!this.configured.has(flavour)) this.configured.set(flavour, await this.configure(flavour))
    const there = names.filter((name) => this.configured.get(flavour).has(name))
    if (names.length === 0) return undefined
    if (there.length === 0) throw new Error(`test/c has none of ${names.join(', ')}`)
    const cwd = join(this.copy.path, this.folder(flavour))
    const jobs = ['-j', String(this.lanes)]
    await build('cmake', ['--build', '.', ...jobs, '--target', ...there], { cwd })
    const args = ['-R', `^(${there.join('|')})$`, ...jobs, '--stop-on-failure', '--output-on-failure']
    const key = `${flavour} ${names}`
    const usual = this.usual.get(key)
    const most = usual === undefined ? 300 : 20 + 4 * usual
    const { status, output, seconds } = await run('ctest', args, { cwd, seconds: most })
    if (status === 'passed') {
      if (usual === undefined) this.usual.set(key, seconds)
      return undefined
    }
    return `${flavour}: ${/\d+ - (\S+) \(/.exec(output)?.[1] ?? status}`
  }

  scriptsOf(pattern) {
    return testFiles(this.copy, pattern).filter((file) => !this.failing.has(file))
  }

  async scripts(pattern) {
    let by
    await pool(this.scriptsOf(pattern), this.lanes, async (file) => {
      const { status } = await mocha(this.copy, file, {}, 120)
      if (status !== 'passed') by = `${basename(file)} ${status}`
      return by !== undefined
    })
    return by
  }

  /**
   * The tests of the area that the file belongs to, without a mistake: what fails by itself would
   * notice every one.
   */
  async survey(file, report) {
    const { asan, plain, js } = coverOf(file)
    const by = (await this.programs('asan', asan)) ?? (await this.programs('plain', plain))
    if (by !== undefined) throw new Error(`the tests of ${file} fail without any mistake: ${by}`)
    if (this.onlyPrograms) return
    await this.rebuild(file)
    await pool(this.scriptsOf(js), this.lanes, async (script) => {
      for (let tries = 0; tries < 2; tries++) {
        if ((await mocha(this.copy, script, {}, 120)).status === 'passed') return
      }
      this.failing.add(script)
      report(`${script} fails without any mistake, and is left out`)
    })
  }

  /** What JavaScript runs of the file: the addon, and WebAssembly where that has it, too. */
  async rebuild(file) {
    const inWasm = /^native\/(base|core|include)\//.test(file)
    const targets = inWasm ? ['sabway', 'native_core'] : ['sabway']
    await build('make', ['-C', 'build', 'BUILDTYPE=Release', `-j${this.lanes}`, ...targets], { cwd: this.copy.path })
    if (!inWasm) return
    await this.copy.npm('build:wasm')
    await this.copy.buildLibrary()
  }

  /** undefined, or what noticed whatever is in the copy now. */
  async notice(file, kind) {
    const { asan, plain, js } = coverOf(file)
    if (kind === 'order') return this.programs('tsan', asan)
    const inC = (await this.programs('asan', asan)) ?? (await this.programs('plain', plain))
    if (inC !== undefined || this.onlyPrograms) return inC
    await this.rebuild(file)
    return this.scripts(js)
  }
}

async function tryOne(tests, copy, mutant) {
  const original = copy.read(mutant.file)
  const lines = original.split('\n')
  lines[mutant.line - 1] = mutant.result
  copy.write(mutant.file, lines.join('\n'))
  try {
    const by = await tests.notice(mutant.file, mutant.kind)
    return { noticed: by !== undefined, by: by ?? 'every test that covers the file passed' }
  } catch (error) {
    const words = /error: (.*)/.exec(error.message)?.[1] ?? error.message.split('\n').slice(-3).join(' ')
    return { invalid: true, by: `does not compile: ${words.slice(0, 100)}` }
  } finally {
    copy.write(mutant.file, original)
  }
}

/** Try those mutants: `tell(mutant, { noticed, invalid, by })` for each. */
export async function tryNativeMutants(copy, { mutants, lanes, programs, report, tell }) {
  const tests = new NativeTests(copy, lanes, programs)
  const oneOfEach = new Map(mutants.map(({ file }) => [coverOf(file), file]))
  for (const file of oneOfEach.values()) await tests.survey(file, report)
  for (const mutant of mutants) tell(mutant, await tryOne(tests, copy, mutant))
  rmSync(copy.stamp, { force: true })
}
