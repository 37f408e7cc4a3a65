// Makes small mistakes in the lines that a change touches, one at a time, and runs the tests that
// cover them: what no test notices is printed. Works in a copy under .cache; the tree is never
// written to.
//
//   npm run mutants -- --since <commit> [--limit n] [--seed n] [--files native/worker ...]
//   npm run mutants -- --files native/process --limit 40      all of these files, changed or not
//
// What cannot be noticed because it changes nothing stands in test/mutants/accepted.json, with the
// reason.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SingleBar } from 'cli-progress'
import { Command, InvalidArgumentError } from 'commander'
import { changedLines, isScript } from './mutants/changes.mjs'
import { Copy } from './mutants/copy.mjs'
import { nativeMutants, tryNativeMutants } from './mutants/native.mjs'
import { scriptMutants, testFiles, tryScriptMutants } from './mutants/script.mjs'

const ENOUGH = 0.9
const root = join(dirname(fileURLToPath(import.meta.url)), '..')

function number(text) {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number above 0.')
  return value
}

const options = new Command('mutants')
  .description('Make small mistakes in changed lines, and print those that no test notices. Exit code 1 below 90 %.')
  .option('--since <commit>', 'lines that differ from this commit')
  .option('--files <path...>', 'only files whose path begins so; without --since all lines of them')
  .option('--limit <n>', 'try n of them, chosen at random', number)
  .option('--seed <n>', 'what --limit chooses by', number, 1)
  .option('--tests <pattern>', 'for lib/: only test files whose path matches this regular expression')
  .option('--lanes <n>', 'test files to run at once', number, 2)
  .option('--pages', 'for lib/: try in Chromium what no test in Node notices; minutes each')
  .option('--programs', 'for native/: only the programs of test/c, for a first look')
  .option('--list', 'print the mistakes, and try none')
  .parse()
  .opts()
if (options.since === undefined && options.files === undefined) {
  console.error('mutants: --since <commit> or --files <path...> is needed')
  process.exit(2)
}

/**
 * The same choice for the same seed: each mistake gets a number of its own, and the lowest are
 * taken.
 */
function choose(mutants, limit, seed) {
  const hash = (text) => {
    let sum = Math.imul(seed, 0x9e3779b1)
    for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193)
    return Math.imul(sum ^ (sum >>> 15), 0x85ebca6b) >>> 0
  }
  const numbered = mutants.map((mutant) => [hash(`${mutant.file}:${mutant.line}:${mutant.change}`), mutant])
  const chosen = numbered.sort((a, b) => a[0] - b[0]).slice(0, limit)
  return chosen.map(([, mutant]) => mutant).sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line)
}

const accepted = JSON.parse(readFileSync(join(root, 'test', 'mutants', 'accepted.json'), 'utf8'))
const reasonFor = ({ file, text, change }) =>
  accepted.find((entry) => entry.file === file && entry.line === text && entry.change === change)

async function main() {
  const copy = new Copy(root)
  copy.sync()
  const changed = changedLines(root, options.since, options.files ?? [])
  const script = new Map([...changed].filter(([file]) => isScript(file)))
  const native = new Map([...changed].filter(([file]) => !isScript(file)))
  const { mutants: inScript, files } = await scriptMutants(copy, script)
  const all = [...nativeMutants(copy, native), ...inScript]
  const same = all.filter(reasonFor)
  const chosen = choose(
    all.filter((mutant) => reasonFor(mutant) === undefined),
    options.limit,
    options.seed,
  )

  for (const { file, line, change } of options.since === undefined ? accepted : []) {
    const there = all.some((mutant) => mutant.file === file && mutant.text === line && mutant.change === change)
    if (changed.has(file) && !there)
      console.log(`mutants: an accepted mistake is not made any more: ${file}: ${change}`)
  }

  const where = (mutant) => `${mutant.file}:${mutant.line} ${mutant.kind}: ${mutant.change}`
  console.log(
    `mutants: ${all.length} mistakes in ${changed.size} files; ${same.length} are accepted; ${chosen.length} are tried`,
  )
  if (options.list) {
    for (const mutant of chosen) console.log(where(mutant))
    return 0
  }

  const [chosenScript, chosenNative] = [
    chosen.filter(({ file }) => isScript(file)),
    chosen.filter(({ file }) => !isScript(file)),
  ]
  const tests = options.tests === undefined ? undefined : new RegExp(options.tests)
  const tally = { noticed: 0, survived: 0, invalid: 0 }
  const bar = process.stdout.isTTY
    ? new SingleBar({ format: '{bar} {value}/{total} | {eta_formatted} | {last}' })
    : undefined

  function say(text) {
    bar?.stop()
    console.log(text)
    bar?.start(bar.getTotal(), bar.value, { last: '' })
  }

  function tell(mutant, { noticed, invalid, by }) {
    tally[invalid ? 'invalid' : noticed ? 'noticed' : 'survived']++
    bar?.increment(1, { last: mutant.file })
    if (!noticed && !invalid) say(`SURVIVED ${where(mutant)}\n         ${mutant.text}\n         ${by}`)
    else if (!bar) console.log(`${invalid ? 'invalid ' : 'noticed '} ${where(mutant)}\n         ${by}`)
  }

  const common = {
    lanes: options.lanes,
    report: (text) => say(`mutants: ${text}`),
    tell,
    progress: () => bar?.increment(1),
  }
  if (!options.programs || chosenScript.length > 0) {
    await copy.buildNative()
    await copy.buildLibrary()
    await copy.buildTests()
  }
  bar?.start(chosen.length + (chosenScript.length > 0 ? testFiles(copy, tests).length : 0), 0, { last: '' })
  if (chosenNative.length > 0) {
    await tryNativeMutants(copy, { ...common, mutants: chosenNative, programs: options.programs })
    if (chosenScript.length > 0) await copy.buildNative()
  }
  if (chosenScript.length > 0)
    await tryScriptMutants(copy, { ...common, mutants: chosenScript, files, tests, pages: options.pages })
  bar?.stop()

  const tried = tally.noticed + tally.survived
  const share = tried === 0 ? 1 : tally.noticed / tried
  console.log(
    `mutants: ${tally.noticed} of ${tried} noticed (${(100 * share).toFixed(1)} %), ${tally.survived} not; ` +
      `${tally.invalid} did not compile, ${same.length} are accepted`,
  )
  return share >= ENOUGH ? 0 : 1
}

try {
  process.exit(await main())
} catch (error) {
  console.error(`mutants: ${error.message}`)
  process.exit(2)
}
