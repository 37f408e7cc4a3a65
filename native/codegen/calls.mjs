// Writes lib/generated/core_calls.h: how the native core is called from JavaScript, by the list of
// exports.txt and the C declarations. native/napi/direct_core.c defines what its macros mean. It
// needs no compiler, so the addon can be built before the WebAssembly core is.
//
//   node native/codegen/calls.mjs
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const native = join(dirname(fileURLToPath(import.meta.url)), '..')
const generated = join(native, '..', 'lib', 'generated')
/** Structs that JavaScript keeps the offset of, and the core a private copy. */
const HANDLES = ['producer', 'consumer']

export const HEAD = '// Generated from native/include/sabway by native/codegen/build.mjs: do not edit.'

export const lines = async (file) => (await readFile(join(native, file), 'utf8')).split('\n').filter(Boolean)

/** The folder's entries, each a folder or the bytes of a file. */
export async function tree(folder) {
  const entries = await readdir(folder, { withFileTypes: true })
  const pairs = entries.map(async (entry) => {
    const path = join(folder, entry.name)
    return [entry.name, entry.isDirectory() ? await tree(path) : await readFile(path)]
  })
  return Object.fromEntries(await Promise.all(pairs))
}

/** Programs that only send and receive load the first alone. */
export const MODULES = ['core', 'objects']

/** What exports.txt lists for a module. */
export async function functionsOf(wanted) {
  let module = MODULES[0]
  const found = []
  for (const line of await lines('codegen/exports.txt')) {
    const [name, mark] = line.split(' ')
    if (name === '#') module = MODULES.includes(mark) && line === `# ${mark}` ? mark : module
    else if (mark !== undefined && mark !== 'hot') throw new Error(`exports.txt: ${line}`)
    else if (module === wanted) found.push({ name, hot: mark === 'hot' })
  }
  return found
}

/** All headers, without their comments. */
export function headers(tree) {
  const text = ([name, entry]) =>
    name.endsWith('.h') ? entry.toString() : Buffer.isBuffer(entry) ? '' : headers(entry)
  return Object.entries(tree)
    .map(text)
    .join('\n')
    .replaceAll(/\/\*.*?\*\//gs, '')
}

/** How the headers declare a function: { result, parameters: { type, name }[] } in C's words. */
export function declared(name, declarations) {
  const found = new RegExp(`([\\w ]+?[ *]+)${name}\\(([^)]*)\\);`).exec(declarations)
  if (!found) throw new Error(`exports.txt lists ${name}, which no header declares`)
  const parameters = found[2] === 'void' ? [] : found[2].split(',').map((text) => /(.*?)(\w+)\s*$/s.exec(text))
  return { result: found[1].trim(), parameters: parameters.map(([, type, name]) => ({ type: type.trim(), name })) }
}

/**
 * What must hold of an argument before the core may have it: JavaScript hands over numbers, and an
 * offset that was not looked at is a write to any place in the process.
 */
function bound({ type, name }, i, call, declarations) {
  if (name === 'base') return `IS_BASE(${i})`
  if (name === 'size') return `IS_SIZE(${i})`
  if (name === 'pages') return `IS_PAGES(${i})`
  if (name === 'index' || name === 'endpoint') return `IS_ENDPOINT(${i})`
  if (name === 'slots') return `ARE_WORDS(${i}, ${i + 1})`
  if (name === 'slices') return `ARE_SLICES(${i}, ${i + 1})`
  if (call.name === 'sw_channel_format' && name === 'offset') return `HAS_ROOM_FOR_CHANNEL(${i})`
  if (!type.endsWith('*')) return null
  const struct = type
    .replace(/^const /, '')
    .slice(0, -1)
    .trim()
  if (HANDLES.includes(struct.slice('sw_'.length)) && i === 0) return null // found by its offset
  if (!declarations.includes(`X(${struct})`)) {
    throw new Error(`${call.name}: its parameter ${name} is a '${type}', of which calls.mjs knows no bound`)
  }
  return `IS_PLACE(${i}, ${struct})`
}

/** CORE_CALL(kind, name, what it gives, arguments, reading them, their bounds, the call) */
export function callsFile(functions, declarations) {
  const call = ({ name }) => {
    const { result, parameters } = declared(name, declarations)
    const handle = parameters[0]?.type.endsWith('*') && HANDLES.find((each) => parameters[0].type === `sw_${each} *`)
    const wide = ({ type }) => type === 'uint64_t'
    const read = parameters.map((parameter, i) => `${wide(parameter) ? 'READ_BIGINT' : 'READ_NUMBER'}(${i})`)
    const bounds = parameters.map((parameter, i) => bound(parameter, i, { name }, declarations)).filter(Boolean)
    const given = parameters.map((parameter, i) => {
      if (i === 0 && handle) return `&handle->as.${handle}`
      if (parameter.type.endsWith('*')) return `PLACE(${i})`
      return wide(parameter) ? `a[${i}]` : `(${parameter.type})WORD(${i})`
    })
    const called = `${name}(${given.join(', ')})`
    const opens = handle && name.startsWith('sw_channel_open_') ? 'OPEN_' : ''
    const kind = handle ? `${opens}${handle.toUpperCase()}` : 'PLAIN'
    const all = (list) => (list.length === 0 ? 'true' : list.join(' && '))
    const head = `${kind}, ${name}`
    const tail = `${parameters.length}, ${all(read)}, ${all(bounds)}`
    if (result === 'void') return `CORE_CALL(${head}, NOTHING, ${tail}, (${called}, 0))`
    if (result.endsWith('*')) return `CORE_CALL(${head}, NUMBER, ${tail}, offset_or_zero(c, ${called}))`
    return `CORE_CALL(${head}, ${result === 'uint64_t' ? 'BIGINT' : 'NUMBER'}, ${tail}, ${called})`
  }
  return functions.map(call)
}

/**
 * OBJECT_CALL(name, what it gives, arguments, reading them, the call): how test/differential calls
 * the objects natively. There is no bound: only a test chooses the arguments.
 */
export function objectCallsFile(functions, declarations) {
  const handles = { sw_heap: 'HEAP', sw_map_handle: 'MAP' }
  const reads = { uint64_t: 'READ_BIGINT', double: 'READ_DOUBLE' }
  const gives = { void: 'NOTHING', uint64_t: 'BIGINT', double: 'DOUBLE' }
  const given = ({ type, name }, i) => {
    if (type.endsWith('*')) {
      const struct = type
        .replace(/^const /, '')
        .slice(0, -1)
        .trim()
      return `${name === 'base' ? 'BASE' : (handles[struct] ?? 'PLACE')}(${i})`
    }
    if (type === 'double') return `d[${i}]`
    return type === 'uint64_t' ? `a[${i}]` : `(${type})WORD(${i})`
  }
  return functions.map(({ name }) => {
    const { result, parameters } = declared(name, declarations)
    const read = parameters.map(({ type }, i) => `${reads[type] ?? 'READ_NUMBER'}(${i})`).join(' && ')
    const call = `${name}(${parameters.map(given).join(', ')})`
    return `OBJECT_CALL(${name}, ${gives[result] ?? 'NUMBER'}, ${parameters.length}, ${read}, ${call})`
  })
}

/** Write a file that differs: what depends on one that does not need not be built again. */
export async function update(name, source) {
  const file = join(generated, name)
  const text = [HEAD, '', ...source, ''].join('\n')
  const before = await readFile(file, 'utf8').catch(() => '')
  if (text !== before) await writeFile(file, text)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await mkdir(generated, { recursive: true })
  const declarations = headers(await tree(join(native, 'include')))
  await update('core_calls.h', callsFile(await functionsOf(MODULES[0]), declarations))
  await update('object_calls.h', objectCallsFile(await functionsOf(MODULES[1]), declarations))
}
