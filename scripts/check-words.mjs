// The mechanical part of the rules for words (docs/glossary.md):
//
//   node scripts/check-words.mjs [path...]     all files that git knows, or those below the paths
//
// A comment ends at column 100. Words that the glossary retires stand in no comment, no string (so
// in no error text and no test title) and no document. Identifiers of the public C headers have no
// double underscore, which C++ reserves. Prints each finding as file:line, and exits with 1 on any.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const COLUMNS = 100
const GLOSSARY = 'docs/glossary.md'
const RETIRED = '## Words that are not used'

/** Files whose comments begin with '#'. */
const SCRIPT = /\.sh$|CMakeLists\.txt$|^\.ci\/run$|\.gyp$/

/** Comments for tools, which take a whole line however long it is. */
const PRAGMA = /biome-ignore|@ts-|NOLINT|clang-format o/

/**
 * { word, instead }[]: the first two columns of the glossary's table. A word with a sense in
 * parentheses has others that are allowed, so it is left to the reader.
 */
export const retiredWords = (glossary) => {
  const table = glossary.slice(glossary.indexOf(RETIRED))
  const rows = [...table.matchAll(/^\| (.+?) \| (.+?) \|/gm)].map(([, words, instead]) => [words, instead])
  return rows
    .filter(([words]) => words !== 'not' && words !== '---' && !words.includes('('))
    .flatMap(([words, instead]) => words.split(', ').map((word) => ({ word, instead })))
}

/** { comments, strings }: where they begin and end in TypeScript or JavaScript. */
const partsOfScript = (path, text) => {
  const kind = /ts$/.test(path) ? ts.ScriptKind.TS : ts.ScriptKind.JS
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, kind)
  const comments = new Map()
  const strings = []
  const visit = (node) => {
    if (node.kind >= ts.SyntaxKind.FirstJSDocNode && node.kind <= ts.SyntaxKind.LastJSDocNode) return
    const children = node.getChildren(source)
    if (children.length === 0) {
      const before = ts.getLeadingCommentRanges(text, node.pos) ?? []
      const behind = ts.getTrailingCommentRanges(text, node.end) ?? []
      for (const { pos, end } of [...before, ...behind]) comments.set(pos, [pos, end])
      if (ts.isStringLiteralLike(node) || ts.isTemplateMiddleOrTemplateTail(node) || ts.isTemplateHead(node)) {
        strings.push([node.getStart(source), node.end])
      }
    }
    children.forEach(visit)
  }
  visit(source)
  return { comments: [...comments.values()], strings }
}

const matches = (text, pattern) =>
  [...text.matchAll(pattern)].map(({ 0: { length }, index }) => [index, index + length])

const partsOfC = (text) => {
  const parts = matches(text, /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'/g)
  const isComment = ([start]) => text[start] === '/'
  return { comments: parts.filter(isComment), strings: parts.filter((part) => !isComment(part)) }
}

const partsOf = (path, text) => {
  if (/\.[cm]?[jt]s$/.test(path)) return partsOfScript(path, text)
  if (/\.(c|h|cc)$/.test(path)) return partsOfC(text)
  if (SCRIPT.test(path)) return { comments: matches(text, /(?<=^|\s)# .*$/gm), strings: [] }
  return undefined
}

const blank = (text) => text.replace(/[^\n]/g, ' ')

/** A document without its code, and without the table that names the words. */
const prose = (text) =>
  text.replace(/^```[\s\S]*?^```|`[^`\n]*`/gm, blank).replace(new RegExp(`^${RETIRED}[\\s\\S]*`, 'm'), blank)

/** { line, what }[] of one file; `path` is relative to the root. */
export const findings = (path, text, retired) => {
  const found = []
  const report = (offset, what) => found.push({ line: text.slice(0, offset).split('\n').length, what })
  const findWords = (start, end, from = text) => {
    for (const { word, instead } of retired) {
      const pattern = new RegExp(`\\b${word.replaceAll(' ', '[\\s/*#]+')}\\b`, 'gi')
      for (const { index } of from.slice(start, end).matchAll(pattern)) {
        report(start + index, `'${word}': say ${instead} (${GLOSSARY})`)
      }
    }
  }

  if (/\.md$/.test(path)) {
    findWords(0, text.length, prose(text))
    return found
  }
  const parts = partsOf(path, text)
  if (parts === undefined) return found
  for (const [start, end] of [...parts.comments, ...parts.strings]) findWords(start, end)
  for (const [start, end] of parts.comments) {
    let at = start
    for (const line of text.slice(start, end).split('\n')) {
      const column = at - text.lastIndexOf('\n', at - 1) - 1
      if (column + line.length > COLUMNS && !PRAGMA.test(line)) report(at, `a comment beyond column ${COLUMNS}`)
      at += line.length + 1
    }
  }
  if (path.startsWith('native/include/')) {
    let code = text
    for (const [start, end] of [...parts.comments, ...parts.strings]) {
      code = code.slice(0, start) + blank(code.slice(start, end)) + code.slice(end)
    }
    for (const { 0: name, index } of code.matchAll(/\b[A-Za-z]\w*__\w*|(?<=#\s*define\s+)_\w+/g)) {
      report(index, `${name}: names with a double underscore are the compiler's`)
    }
  }
  return found
}

const main = (paths) => {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const read = (path) => readFileSync(join(root, path), 'utf8')
  const retired = retiredWords(read(GLOSSARY))
  const list = ['ls-files', '-coz', '--exclude-standard', '--', ...paths]
  const files = execFileSync('git', list, { cwd: root, encoding: 'utf8' }).split('\0')
  const checked = files.filter(
    (path) => existsSync(join(root, path)) && (SCRIPT.test(path) || /\.(md|c|h|cc|[cm]?[jt]s)$/.test(path)),
  )
  let count = 0
  for (const path of checked) {
    for (const { line, what } of findings(path, read(path), retired)) {
      console.error(`${path}:${line}: ${what}`)
      count++
    }
  }
  if (retired.length === 0 || checked.length === 0)
    throw new Error('nothing was checked: a file or a heading has moved')
  process.exitCode = count === 0 ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2))
