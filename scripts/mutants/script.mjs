// Mistakes in lib/. StrykerJS makes them: its instrumenter puts all of them into the code at once,
// each behind a switch that the environment variable __STRYKER_ACTIVE_MUTANT__ turns on, so that
// the library is built once. Its mocha runner turns them on in its own thread only; the tests here
// run the library in workers and in other processes, too, which inherit the variable. So each test
// file runs as a process of its own, as `npx mocha <file>` would.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Instrumenter } from '@stryker-mutator/instrumenter'
import { pool, run } from './run.mjs'

const QUIET = { debug() {}, info() {}, warn() {}, isDebugEnabled: () => false }
const LONGEST_S = 300
const LONGEST_IN_PAGES_S = 900
const flat = (text) => text.replace(/\s+/g, ' ').trim()

function snippet(lines, { start, end }) {
  if (start.line === end.line) return lines[start.line].slice(start.column, end.column)
  const inner = lines.slice(start.line + 1, end.line)
  return [lines[start.line].slice(start.column), ...inner, lines[end.line].slice(0, end.column)].join('\n')
}

/** Sentences are for people: no test has to notice that one is missing. Names and codes count. */
const isProse = (mutatorName, before) => mutatorName === 'StringLiteral' && /[\s${]/.test(before)

/**
 * { mutants, files }: mistakes that begin in a changed line, and the text of the files with all of
 * them in it.
 */
export async function scriptMutants(copy, changed) {
  const sources = [...changed.keys()].map((name) => ({ name, mutate: true, content: copy.read(name) }))
  const options = { plugins: null, excludedMutations: [], ignorers: [] }
  const { files, mutants } = await new Instrumenter(QUIET).instrument(sources, options)
  const lines = new Map(sources.map(({ name, content }) => [name, content.split('\n')]))
  const found = []
  for (const { id, fileName, location, mutatorName, replacement } of mutants) {
    const line = location.start.line + 1
    const before = snippet(lines.get(fileName), location)
    if (!changed.get(fileName).has(line) || isProse(mutatorName, before)) continue
    const text = flat(lines.get(fileName)[line - 1])
    const change = `${flat(before).slice(0, 160)} -> ${flat(replacement).slice(0, 160)}`
    found.push({ file: fileName, line, text, change, kind: mutatorName, id })
  }
  return { mutants: found, files }
}

export function testFiles(copy, pattern) {
  const found = readdirSync(join(copy.path, 'build', 'test'), { recursive: true })
  const inNode = found.filter((name) => name.endsWith('.test.js') && !/^(browser|electron.real)./.test(name))
  const files = inNode.map((name) => join('build', 'test', name))
  return files.filter((file) => pattern === undefined || pattern.test(file)).sort()
}

/** A test file, alone. What repeats something at random repeats it less often. */
export function mocha(copy, file, env = {}, seconds = LONGEST_S) {
  const args = ['node_modules/mocha/bin/mocha.js', '--bail', '--reporter', 'dot', file]
  return run(process.execPath, args, { cwd: copy.path, env: { SABWAY_EFFORT: '0.2', ...env }, seconds })
}

/**
 * What each test file executes, and how long it takes. Files that fail without a mistake are left
 * out, which is reported.
 */
async function survey(copy, files, lanes, report, progress) {
  const surveyed = []
  await pool(files, lanes, async (file) => {
    const folder = join(copy.path, '..', 'coverage', basename(file))
    const env = { SABWAY_MUTANTS_COVERAGE: folder }
    env.NODE_OPTIONS = `--require=${join(copy.path, 'scripts', 'mutants', 'coverage.cjs')}`
    let result
    for (let tries = 0; tries < 2 && result?.status !== 'passed'; tries++) {
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(folder, { recursive: true })
      result = await mocha(copy, file, env)
    }
    progress()
    if (result.status !== 'passed') {
      report(`${file} fails without any mistake, and is left out:\n${result.output.slice(-1500)}`)
      return
    }
    const ids = new Set(readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n')))
    surveyed.push({ file, ids, seconds: result.seconds })
  })
  return surveyed
}

/** The shortest first, and before them those that are named after the source file. */
function inOrder(tests, source) {
  const stem = basename(source, '.ts')
  const named = (test) => (basename(test.file).includes(stem) ? 0 : 1)
  return [...tests].sort((a, b) => named(a) - named(b) || a.seconds - b.seconds)
}

async function tryMutant(copy, mutant, surveyed) {
  const covering = inOrder(
    surveyed.filter(({ ids }) => ids.has(mutant.id)),
    mutant.file,
  )
  if (covering.length === 0) return { noticed: false, by: 'no test executes it' }
  for (const { file, seconds } of covering) {
    const env = { __STRYKER_ACTIVE_MUTANT__: mutant.id }
    const once = () => mocha(copy, file, env, Math.min(LONGEST_S, 30 + 4 * seconds))
    let { status } = await once()
    // on a busy machine a test may fail once for no mistake at all
    if (status === 'failed') ({ status } = await once())
    if (status !== 'passed') return { noticed: true, by: `${basename(file)} ${status}` }
  }
  return { noticed: false, by: `${covering.length} test files passed` }
}

/** Write `head` as the first statement of every built file, and return what takes it away again. */
function prepend(copy, head) {
  const dist = join(copy.path, 'dist')
  const files = readdirSync(dist, { recursive: true }).filter((name) => /\.[mc]js$/.test(name))
  const originals = files.map((name) => [join(dist, name), readFileSync(join(dist, name), 'utf8')])
  for (const [file, text] of originals) writeFileSync(file, text.replace(/^(["']use strict["'];?)?/, `$1${head}`))
  return () => {
    for (const [file, text] of originals) writeFileSync(file, text)
  }
}

/**
 * The tests of pages, in Chromium. Their scopes have no environment: the built files themselves say
 * which mistake is active.
 */
async function tryInPages(copy, mutant) {
  const restore = prepend(copy, `(globalThis.__stryker__ ??= {}).activeMutant ??= '${mutant.id}';`)
  try {
    const args = [
      'node_modules/mocha/bin/mocha.js',
      '--config',
      'test/browser/mocharc.json',
      '--bail',
      '--reporter',
      'dot',
    ]
    const env = { SABWAY_BROWSERS: 'chromium', SABWAY_EFFORT: '0.2' }
    const { status } = await run(process.execPath, args, { cwd: copy.path, env, seconds: LONGEST_IN_PAGES_S })
    return status === 'passed'
      ? { noticed: false, by: 'no test, nor those of pages' }
      : { noticed: true, by: `pages ${status}` }
  } finally {
    restore()
  }
}

/**
 * Try those mutants: `tell(mutant, { noticed, by })` for each. With `pages`, in Chromium what no
 * test in Node notices.
 */
export async function tryScriptMutants(copy, { mutants, files, tests, lanes, pages, report, tell, progress }) {
  for (const { name, content } of files) copy.write(name, `// @ts-nocheck\n${content}`)
  await copy.buildLibrary()
  const surveyed = await survey(copy, testFiles(copy, tests), lanes, report, progress)
  const left = []
  await pool(mutants, lanes, async (mutant) => {
    const result = await tryMutant(copy, mutant, surveyed)
    if (pages && !result.noticed) left.push(mutant)
    else tell(mutant, result)
  })
  for (const mutant of left) tell(mutant, await tryInPages(copy, mutant))
}
