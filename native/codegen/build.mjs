// Builds what TypeScript needs from the C sources: the core as WebAssembly and the layout as
// constants.
//
//   node native/codegen/build.mjs
//
// It writes lib/generated: abi.ts (the layout), and for each of the modules of exports.txt, core
// and objects, its functions (core.ts), the module as text (core-wasm.ts) and as it is (core.wasm).
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runClang } from '@yowasp/clang'
import { callsFile, declared, functionsOf, headers, lines, MODULES, tree, update } from './calls.mjs'

const native = join(dirname(fileURLToPath(import.meta.url)), '..')
const generated = join(native, '..', 'lib', 'generated')
const CUSTOM_SECTION = 0
const TYPE_SECTION = 1
const IMPORT_SECTION = 2
const FUNCTION_SECTION = 3
const EXPORT_SECTION = 7
const DATA_SECTION = 11
const CORE_SECTION = 'sabway'
const STACK_POINTER = '__stack_pointer'

async function compile(sources, flags, files) {
  const args = [
    'clang',
    '--target=wasm32',
    '-std=c11',
    // A fifth smaller than with -O3 to download, and as fast, as measured: the small functions of
    // the ring must be inlined.
    '-Os',
    '-mllvm',
    '-inline-threshold=75',
    '-Wl,-mllvm,-inline-threshold=75',
    '-ffreestanding',
    '-nostdlib',
    '-Wall',
    '-Wextra',
    '-Werror',
  ]
  const command = [...args, '-I.', '-Iinclude', ...flags, ...sources, '-o', 'out.wasm']
  try {
    const out = await runClang(command, files, { fetchProgress: () => {} })
    return out['out.wasm']
  } catch (error) {
    // The compiler's error has its whole file system as a property.
    throw new Error(`the wasm build failed (exit code ${error.code}); the compiler's words are above`)
  }
}

/** Reads a WebAssembly module, or one of its sections. */
class Reader {
  at = 0

  constructor(bytes) {
    this.bytes = bytes
  }

  get done() {
    return this.at >= this.bytes.length
  }

  byte() {
    return this.bytes[this.at++]
  }

  /** An unsigned number in LEB128. */
  number() {
    let value = 0
    for (let shift = 0, byte = 0x80; byte & 0x80; shift += 7) {
      byte = this.byte()
      value |= (byte & 0x7f) << shift
    }
    return value >>> 0
  }

  take(length) {
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  text() {
    return Buffer.from(this.take(this.number())).toString()
  }

  /** A vector: its length, then its elements. */
  list(element) {
    return Array.from({ length: this.number() }, () => element(this))
  }
}

/** An unsigned number in LEB128. */
const leb = (value) => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)])

/** The module's sections: their content, and all their bytes. */
function sections(bytes) {
  const found = []
  for (const reader = new Reader(bytes.subarray(8)); !reader.done; ) {
    const begin = reader.at
    const id = reader.byte()
    const content = reader.take(reader.number())
    found.push({ id, content, bytes: reader.bytes.subarray(begin, reader.at) })
  }
  return found
}

const readExport = (reader) => ({ name: reader.text(), kind: reader.byte(), index: reader.number() })
const FUNCTION = 0

/** The parameters and the result of the module's exported functions, as TypeScript has them. */
function signatures(bytes) {
  const section = (wanted) => new Reader(sections(bytes).find(({ id }) => id === wanted).content)
  const type = (reader) => {
    const code = reader.byte()
    const [i32, i64, f64] = [0x7f, 0x7e, 0x7c]
    if (code !== i32 && code !== i64 && code !== f64)
      throw new Error(`the core has a function with a type of code ${code}`)
    return code === i64 ? 'bigint' : 'number'
  }
  const types = section(TYPE_SECTION).list((reader) => {
    reader.byte() // a function type
    return { parameters: reader.list(type), result: reader.list(type)[0] ?? 'void' }
  })
  const functions = section(FUNCTION_SECTION).list((reader) => types[reader.number()])
  // Imported functions come first in the numbering.
  const imported = WebAssembly.Module.imports(new WebAssembly.Module(bytes))
  const first = imported.filter(({ kind }) => kind === 'function').length
  const exported = section(EXPORT_SECTION).list(readExport)
  return new Map(
    exported.filter(({ kind }) => kind === FUNCTION).map(({ name, index }) => [name, functions[index - first]]),
  )
}

/**
 * The same module, whose exports have their number in the list for a name: a page loads the names
 * with the core.
 */
function shortened(bytes, names) {
  const parts = sections(bytes).map((section) => {
    if (section.id !== EXPORT_SECTION) return section.bytes
    const exported = new Reader(section.content).list(readExport)
    const entries = exported.flatMap(({ name, kind, index }) => {
      const short = Buffer.from(names.indexOf(name).toString(36)) // as lib/base/core.ts has it
      return [short.length, ...short, kind, ...leb(index)]
    })
    const content = [...leb(exported.length), ...entries]
    return Buffer.from([EXPORT_SECTION, ...leb(content.length), ...content])
  })
  return Buffer.concat([bytes.subarray(0, 8), ...parts])
}

/**
 * The functions that run before an instance has a stack of its own must not use one: with the stack
 * pointer at zero a push traps.
 */
function checkStackless(module) {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true })
  const { exports } = new WebAssembly.Instance(module, { env: { memory, wake() {}, alive: () => 0 } })
  exports.__stack_pointer.value = 0
  exports.sw_layout_hash()
  exports.sw_region_bytes(4096, 4096)
  if (exports.sw_region_format(0, 64, 4096, 4096) !== 0) throw new Error('sw_region_format failed on a fresh memory')
  if (exports.sw_region_format_empty(0, 64, 0) !== 0) throw new Error('sw_region_format_empty failed on a fresh memory')
  if (exports.sw_region_verify(0, 64) !== 0) throw new Error('sw_region_verify refused a fresh region')
  if (exports.sw_endpoint_claim(0, 1, 1, 0) !== 0) throw new Error('sw_endpoint_claim did not claim endpoint 0')
  exports.sw_endpoint_release_role(0, (1 << 8) | 1) // the role of its first claim
  if (exports.sw_endpoint_claim(0, 1, 1, 0) !== 0) throw new Error('sw_endpoint_release_role did not give it back')
}

async function coreSources() {
  return [...(await lines('sources.txt')).filter((path) => path.startsWith('core/')), 'prim/wasm.c']
}

async function buildModule(files, functions) {
  const exported = functions.map(({ name }) => `-Wl,--export=${name}`)
  const bytes = await compile(
    await coreSources(),
    // Null is the region's first byte here; the imported memory may have any size up to 4 GiB.
    [
      '-fno-delete-null-pointer-checks',
      '-matomics',
      '-mbulk-memory',
      '-mmutable-globals',
      '-flto',
      '-Wl,--no-entry,--import-memory,--shared-memory,--max-memory=4294967296,--strip-all',
      `-Wl,--export=${STACK_POINTER}`,
      ...exported,
    ],
    files,
  )
  if (sections(bytes).some(({ id }) => id === DATA_SECTION)) {
    throw new Error('the wasm code has a data section: its memory is the region, so it must not bring static data')
  }
  return bytes
}

/**
 * A module that comes with a handle is used in place of compiling one, but only when it is the very
 * core that belongs to the TypeScript beside it. A custom section that holds a hash of all that
 * precedes it tells.
 */
function marked(bytes) {
  const id = createHash('sha256').update(bytes).digest('hex').slice(0, 32)
  const content = Buffer.concat([Buffer.from([CORE_SECTION.length]), Buffer.from(CORE_SECTION + id)])
  // lengths below 128: one byte each
  return { id, bytes: Buffer.concat([bytes, Buffer.from([CUSTOM_SECTION, content.length]), content]) }
}

/**
 * How large a region must be is asked before there is one. The same C function in a module of its
 * own, without the memory that the linker always adds: V8 sets 10 GiB of addresses aside for each
 * memory, however small.
 */
async function buildSizes(files) {
  const flags = ['-matomics', '-mbulk-memory', '-flto', '-Wl,--no-entry,--import-memory,--strip-all']
  const linked = await compile(await coreSources(), [...flags, '-Wl,--export=sw_region_bytes'], files)
  const kept = sections(linked).filter(({ id }) => id !== IMPORT_SECTION)
  const bytes = Buffer.concat([linked.subarray(0, 8), ...kept.map((section) => section.bytes)])
  // validates: nothing in it touches a memory
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(bytes))
  if (exports.sw_region_bytes(4096, 4096) === 0n) throw new Error('sw_region_bytes refuses rings of 4096 bytes')
  return bytes
}

async function buildAbi(files) {
  const bytes = await compile(['codegen/abi_table.c'], ['-Wl,--no-entry'], files)
  const { instance } = await WebAssembly.instantiate(bytes)
  const { memory, row_count, row_at } = instance.exports
  const text = (at) => {
    const all = new Uint8Array(memory.buffer)
    return new TextDecoder().decode(all.subarray(at, all.indexOf(0, at)))
  }
  const rows = []
  for (let i = 0; i < row_count(); i++) {
    const view = new DataView(memory.buffer, row_at(i), 16)
    const word = (index) => view.getUint32(4 * index, true)
    rows.push({ kind: text(word(0)), owner: text(word(1)), name: text(word(2)), value: view.getInt32(12, true) })
  }
  return rows
}

/** What only the addon finds: a page that loads sabway/bytes need not know the sentences. */
const OF_ADDON = [
  'SYSTEM',
  'PLUGIN_NOT_FOUND',
  'PLUGIN_SYMBOL',
  'PLUGIN_ABI',
  'PLUGIN_OPEN',
  'PLUGIN_FAILED',
  'INVALID_TOKEN',
  'REGION_GONE',
  'STALE_TOKEN',
  'SIZE_MISMATCH',
  'NOT_PERMITTED',
  'NAME_TAKEN',
  'OVERLAY_REFUSED',
  'TOO_MANY_FILES',
  'OTHER_NAMESPACE',
].map((name) => `ERR_SABWAY_${name}`)

/** What only the objects of a heap find; the addon finds that a name is taken, too. */
const OF_OBJECTS = [
  'NAME_TAKEN',
  'OWNER_DIED',
  'POISONED',
  'BUSY',
  'HEAP_FULL',
  'DOUBLE_FREE',
  'WILD_POINTER',
  'OTHER_KIND',
  'FREED',
  'TOO_MANY_CHANGES',
  'POOL_EMPTY',
  'RELEASED',
  'NOT_HELD',
  'TOO_MANY_BUFFERS',
  'BROKEN',
  'NOT_SUBSCRIBED',
].map((name) => `ERR_SABWAY_${name}`)

/** What only codecs find that compress or encrypt. */
const OF_WRAPPERS = ['FORGED', 'NOT_COMPRESSED', 'EXPANDS_TOO_MUCH'].map((name) => `ERR_SABWAY_${name}`)

/** What only the managers of peers find. */
const OF_PEERS = ['TRANSPORT', 'PEER_EXPELLED'].map((name) => `ERR_SABWAY_${name}`)

/** What only codecs find. */
const OF_CODECS = ['ERR_SABWAY_NOT_ENCODABLE', 'ERR_SABWAY_NOT_DECODABLE']

/**
 * The files of the layout. Each struct is a module of constants, which abi.ts names: bundlers put
 * the number where `sw_ring.head` stands, which they do not for an object, and drop those that
 * nothing asks for.
 */
function abiFiles(rows) {
  const of = (kind) => rows.filter((row) => row.kind === kind)
  const found = {}
  const owners = [...new Set([...of('size'), ...of('field')].map((row) => row.owner))]
  for (const owner of owners) {
    const own = (kind) => of(kind).filter((row) => row.owner === owner)
    const constant = (name, value) => `export const ${name} = ${value}`
    found[`${owner}.ts`] = [
      ...own('size').map((row) => constant('sizeof', row.value)),
      ...own('field').map((row) => constant(row.name, row.value)),
    ]
  }
  const errors = (belongs) =>
    of('error')
      .filter((row) => belongs(row.owner))
      .map((row) => `  ${row.owner}: { number: ${row.value}, text: ${JSON.stringify(row.name)} },`)
  found['abi.ts'] = [
    ...owners.map((owner) => `export * as ${owner} from './${owner}.js'`),
    '',
    ...of('constant').map((row) => `export const ${row.owner} = ${row.value}`),
    '',
    'export const ERRORS = {',
    ...errors(
      (code) => ![OF_ADDON, OF_OBJECTS, OF_CODECS, OF_WRAPPERS, OF_PEERS].some((codes) => codes.includes(code)),
    ),
    '} as const',
    '',
    'export const ADDON_ERRORS = {',
    ...errors((code) => OF_ADDON.includes(code)),
    '} as const',
    '',
    'export const OBJECT_ERRORS = {',
    ...errors((code) => OF_OBJECTS.includes(code)),
    '} as const',
    '',
    'export const CODEC_ERRORS = {',
    ...errors((code) => OF_CODECS.includes(code)),
    '} as const',
    '',
    'export const WRAPPER_ERRORS = {',
    ...errors((code) => OF_WRAPPERS.includes(code)),
    '} as const',
    '',
    'export const PEER_ERRORS = {',
    ...errors((code) => OF_PEERS.includes(code)),
    '} as const',
  ]
  return found
}

const namesOf = (functions, hot) => functions.filter((each) => each.hot === hot).map(({ name }) => name)

const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())

/**
 * The core's functions as TypeScript: their types are those of the module, the names of their
 * parameters those of the C declarations. The exports have short names, by their number in the
 * list.
 */
function functionsFile(module, functions, types, declarations) {
  const suffix = module === 'core' ? 'Core' : 'Objects'
  const method = (name) => {
    const { parameters, result } = types.get(name)
    const names = declared(name, declarations).parameters.map((parameter) => camel(parameter.name))
    if (names.length !== parameters.length) throw new Error(`${name} is declared with ${names.length} parameters`)
    const named = parameters.map((type, i) => `${names[i]}: ${type}`)
    return `  ${name}(${named.join(', ')}): ${result}`
  }
  const methods = (hot) => namesOf(functions, hot).map(method)
  return [
    '/** Functions that throw ERR_SABWAY_CORRUPT where the core traps. */',
    `export interface Guarded${suffix} {`,
    ...methods(false),
    '}',
    '',
    '/** Functions of the bare core, called for every message or batch: their caller makes an error of a trap. */',
    `export interface Hot${suffix} {`,
    ...methods(true),
    '}',
    '',
    '/** The exports are numbered: these first, then the others, then the stack pointer. */',
    `export const HOT_NAMES = '${namesOf(functions, true).join(' ')}'`,
    `export const GUARDED_NAMES = '${namesOf(functions, false).join(' ')}'`,
  ]
}

/** The bytes as lib/base/wasm-text.ts reads them. */
function letters(bytes) {
  const letter = (byte) => (byte < 91 ? String.fromCharCode(35 + byte) : `~${letter(byte - 91)}`)
  return JSON.stringify(Array.from(bytes, letter).join(''))
}

const folders = ['include', 'base', 'core', 'prim', 'napi', 'codegen']
const files = Object.fromEntries(await Promise.all(folders.map(async (name) => [name, await tree(join(native, name))])))
const sizes = await buildSizes(files)
await mkdir(generated, { recursive: true })
const declarations = headers(files)
const made = abiFiles(await buildAbi(files))
for (const module of MODULES) {
  const functions = await functionsOf(module)
  const linked = await buildModule(files, functions)
  if (module === 'core') {
    checkStackless(await WebAssembly.compile(linked))
    made['core_calls.h'] = callsFile(functions, declarations)
  }
  const names = [...namesOf(functions, true), ...namesOf(functions, false), STACK_POINTER]
  const { id, bytes } = marked(shortened(linked, names))
  made[`${module}.ts`] = functionsFile(module, functions, signatures(linked), declarations)
  made[`${module}-wasm.ts`] = [
    `export const CODE = ${letters(bytes)}`,
    `export const ID = '${id}'`,
    ...(module === 'core'
      ? [`export const SECTION = '${CORE_SECTION}'`, `export const SIZES = ${letters(sizes)}`]
      : []),
  ]
  await writeFile(join(generated, `${module}.wasm`), linked) // for tests and tools
  console.log(`wasm ${module}: ${bytes.length} bytes`)
}
for (const [name, source] of Object.entries(made)) await update(name, source)
