// scripts/check-words.mjs, which `npm run lint` runs, finds what it is there for: one violation at
// a time is planted in each kind of file. The retired words come from docs/glossary.md, so that
// this file contains none of them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { root } from '../support/paths.js'

interface Retired {
  word: string
  instead: string
}

interface Checks {
  retiredWords(glossary: string): Retired[]
  findings(path: string, text: string, retired: Retired[]): { line: number; what: string }[]
}

/** With '// ' before it, it ends at column 100. */
const long = 'x'.repeat(97)

describe('the check of words', () => {
  let checks: Checks
  let retired: Retired[]
  let word: string

  /** The lines in which something is found. */
  const lines = (path: string, ...text: string[]) =>
    checks.findings(path, text.join('\n'), retired).map(({ line }) => line)

  before(async () => {
    checks = await import(new URL('scripts/check-words.mjs', root).href)
    retired = checks.retiredWords(readFileSync(new URL('docs/glossary.md', root), 'utf8'))
    word = retired[0]!.word
  })

  it('reads the glossary: words, and what to say instead; a word with allowed senses is left out', () => {
    assert.ok(retired.length > 10, `${retired.length} words`)
    assert.ok(retired.every((each) => /^[a-z ]+$/.test(each.word) && each.instead !== ''))
    assert.ok(!retired.some((each) => each.word.startsWith('hold')))
  })

  for (const path of ['a.ts', 'a.mts', 'a.mjs', 'a.cjs', 'a.c', 'a.h', 'a.cc']) {
    it(`finds retired words in comments and strings: ${path}`, () => {
      assert.deepEqual(lines(path, 'f() // the thread', `f() // ${word} waits`), [2])
      assert.deepEqual(lines(path, '/* the thread', ` * ${word.toUpperCase()} waits */`), [2])
      assert.deepEqual(lines(path, 'f("the // thread")', `f("the // ${word}")`), [2])
      assert.deepEqual(lines(path, `${word}()`, `x${word}y("x${word}y")`), [])
    })

    it(`finds comments beyond column 100: ${path}`, () => {
      assert.deepEqual(lines(path, `// ${long}`, ` // ${long}`), [2])
      assert.deepEqual(lines(path, '/*', ` * ${long} ${long} */`), [2])
      assert.deepEqual(lines(path, `f("${long}") // then`), [1])
      assert.deepEqual(lines(path, `f("${long} ${long}")`), [])
    })
  }

  it('finds retired words in titles and templates', () => {
    assert.deepEqual(lines('a.test.ts', `it('is for ${word}', () => {})`), [1])
    assert.deepEqual(lines('a.test.ts', '// the thread', `it(\`is \${how} for ${word}\`, () => {}) // now`), [2])
  })

  it('finds a word that a line break divides', () => {
    const two = retired.find((each) => each.word.includes(' '))!.word.split(' ')
    assert.deepEqual(lines('a.c', `/* ${two[0]}`, ` * ${two[1]} */`), [1])
  })

  it('finds both in shell scripts', () => {
    assert.deepEqual(lines('a.sh', '#!/bin/sh', `# ${word}`, `echo  # ${long} ${word}`), [2, 3, 3])
    assert.deepEqual(lines('CMakeLists.txt', `# ${word}`), [1])
  })

  it('finds retired words in documents, but not in their code', () => {
    assert.deepEqual(lines('a.md', `For ${word}.`, `\`${word}\``, '```', word, '```'), [1])
    assert.deepEqual(lines('a.md', '## Words that are not used', '', `| ${word} |`), [])
  })

  it('finds names with a double underscore in public headers', () => {
    const header = ['#ifdef __cplusplus', '#endif', 'int sw__f(void); /* sw__g */']
    assert.deepEqual(lines('native/include/sabway/a.h', ...header), [3])
    assert.deepEqual(lines('native/include/sabway/a.h', '#define _A 1'), [1])
    assert.deepEqual(lines('native/core/a.h', ...header), [])
  })

  it('leaves comments for tools alone', () => {
    assert.deepEqual(lines('a.ts', `// biome-ignore lint: ${long}`), [])
  })
})
