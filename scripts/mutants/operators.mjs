// Small mistakes in C and C++, by the text of one line: { line, text, change, kind, result }, where
// `result` is the line with the mistake in it. The sources are formatted by clang-format, so a line
// is a statement, or an obvious part of one.

const COMPARED = { '<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '!=', '!=': '==' }

/**
 * The text with comments and strings blanked out, so that what is found is code. Keeps every
 * column.
 */
function codeOf(text, state) {
  let code = ''
  for (let i = 0; i < text.length; ) {
    if (state.comment) {
      const end = text.indexOf('*/', i)
      const stop = end < 0 ? text.length : end + 2
      code += ' '.repeat(stop - i)
      state.comment = end < 0
      i = stop
    } else if (text.startsWith('/*', i)) {
      state.comment = true
      code += '  '
      i += 2
    } else if (text.startsWith('//', i)) {
      code += ' '.repeat(text.length - i)
      break
    } else if (text[i] === '"' || text[i] === "'") {
      let end = i + 1
      while (end < text.length && text[end] !== text[i]) end += text[end] === '\\' ? 2 : 1
      code += text[i] + '_'.repeat(Math.max(0, end - i - 1)) + text[i]
      i = end + 1
    } else {
      code += text[i++]
    }
  }
  return code.slice(0, text.length)
}

const balanced = (code) => code.split('(').length === code.split(')').length

/** A whole statement that may be left out without leaving a name undeclared. */
function isStatement(code) {
  const text = code.trim()
  if (
    !text.endsWith(';') ||
    !balanced(text) ||
    /^(return|break|continue|goto|typedef|using|#|case|for|while|do|else)\b/.test(text)
  ) {
    return false
  }
  if (/^if \(/.test(text)) return true
  if (/^(throw|delete)\b/.test(text)) return true
  const declares =
    /^(static|const|extern|enum|struct|union|auto|volatile|inline|virtual|explicit|friend)\b|^[\w:<>]+[\s*&]+\w+(\[\w*\])?\s*(=|;|\(|,|\{)/
  if (declares.test(text)) return false
  return /^[\w*(+-].*(=|\(|\+\+|--)/.test(text)
}

/**
 * Commas at depth zero inside the parentheses that begin at `open`: the arguments, or none when the
 * call goes on.
 */
function argumentsAt(code, open) {
  const parts = []
  let depth = 0
  let from = open + 1
  for (let i = open; i < code.length; i++) {
    if ('([{'.includes(code[i])) depth++
    if (')]}'.includes(code[i]) && --depth === 0) return [...parts, { from, to: i }]
    if (code[i] === ',' && depth === 1) {
      parts.push({ from, to: i })
      from = i + 1
    }
  }
  return []
}

function* swaps(code, text) {
  for (const call of code.matchAll(/\b(?!if|while|for|switch|sizeof|return)([a-z_]\w*)\(/gi)) {
    const parts = argumentsAt(code, call.index + call[0].length - 1)
    for (let i = 0; i + 1 < parts.length; i++) {
      const [a, b] = [parts[i], parts[i + 1]].map(({ from, to }) => ({
        from: from + text.slice(from, to).search(/\S/),
        to,
      }))
      const [first, second] = [text.slice(a.from, a.to), text.slice(b.from, b.to)]
      // A parameter list reads like this, too: what is declared there would only be renamed.
      if (first === second || /[{}"]|^(const|void|u?int\d*_t|size_t|int|char|\w+) \*?\w+$/.test(`${first}`)) continue
      if (/^(const|void|u?int\d*_t|size_t|int|char|\w+)[ *]+\w+$/.test(second)) continue
      yield ['arguments', a.from, b.to, second + text.slice(a.to, b.from) + first]
    }
  }
}

function* places(code, text) {
  for (const m of code.matchAll(/ (<=?|>=?|==|!=) /g))
    yield ['comparison', m.index + 1, m.index + 1 + m[1].length, COMPARED[m[1]]]
  for (const m of code.matchAll(/ (&&|\|\|) /g)) yield ['logic', m.index + 1, m.index + 3, m[1] === '&&' ? '||' : '&&']
  for (const m of code.matchAll(/(?<=[\w)\]]) ([+-]) (?=[\w(])/g)) {
    yield ['arithmetic', m.index + 1, m.index + 2, m[1] === '+' ? '-' : '+']
  }
  for (const m of code.matchAll(/!(?=[a-zA-Z_(])/g)) yield ['negation', m.index, m.index + 1, '']
  for (const m of code.matchAll(/\bif \((.*)\) (\{|[\w*(].*;)\s*$/g)) {
    const open = m.index + 3
    const condition = argumentsAt(code, open)
    if (condition.length === 0) continue
    const end = condition[condition.length - 1].to
    yield ['condition', open, end + 1, '(0)']
    yield ['condition', open, end + 1, '(1)']
  }
  for (const m of code.matchAll(/\bsw_(?:peer_load|load|store)_(acquire|release)\(/g)) {
    const at = m.index + m[0].length - 1 - m[1].length
    yield ['order', at, at + m[1].length, 'relaxed']
  }
  for (const m of code.matchAll(/ \| (?=[A-Z][A-Z0-9_]+\b)[A-Z0-9_]+/g))
    yield ['flag', m.index, m.index + m[0].length, '']
  for (const m of code.matchAll(/\b[A-Z][A-Z0-9_]+ \| (?=[A-Z])/g)) yield ['flag', m.index, m.index + m[0].length, '']
  for (const m of text.matchAll(/"([rwa]\+?)e"/g)) yield ['flag', m.index, m.index + m[0].length, `"${m[1]}"`]
  for (const m of code.matchAll(/\breturn (SW_E\w+|0|1|-1|NULL|nullptr|true|false);/g)) {
    const swapped =
      { 0: '1', 1: '0', '-1': '0', true: 'false', false: 'true' }[m[1]] ?? (m[1].startsWith('SW_E') ? '0' : undefined)
    if (swapped !== undefined) yield ['result', m.index + 7, m.index + 7 + m[1].length, swapped]
  }
  yield* swaps(code, text)
}

/**
 * Which #if a line stands in; what other systems and processors compile is no matter of the tests
 * that run here.
 */
function elsewhere(code, nested) {
  const directive = /^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b(.*)/.exec(code)
  if (directive === null) return nested.includes(true)
  const [, word, condition] = directive
  const other = word !== 'ifndef' && /^[^!]*(__aarch64__|__ARM_|_WIN32|_MSC_VER|__APPLE__|__wasm__)/.test(condition)
  if (word.startsWith('if')) nested.push(other)
  else if (word === 'endif') nested.pop()
  else nested[nested.length - 1] = other
  return true
}

/** Every mistake of the lines in the Set `lines`. */
export function nativeMistakes(source, lines) {
  const found = []
  const state = { comment: false }
  let before = ';'
  let inMacro = false
  const nested = []
  source.split('\n').forEach((text, index) => {
    const code = codeOf(text, state)
    const skipped = elsewhere(code, nested) || inMacro || /^\s*#/.test(code)
    inMacro = (inMacro || /^\s*#/.test(code)) && code.trimEnd().endsWith('\\')
    if (!lines.has(index + 1) || skipped || /_Static_assert|static_assert/.test(code)) {
      if (code.trim()) before = code.trim()
      return
    }
    const add = (kind, result, change) => found.push({ line: index + 1, text: text.trim(), kind, change, result })
    // A definition's head, and a declaration, are no statements; those begin in the first column.
    const inside = /^\s/.test(text)
    if (inside && /[;{}:]$|^#/.test(before) && isStatement(code))
      add(/\bsw_fence_/.test(code) ? 'order' : 'dropped', '', `${text.trim()} -> (nothing)`)
    if (inside || code.includes('{')) {
      for (const [kind, from, to, replacement] of places(code, text)) {
        const result = text.slice(0, from) + replacement + text.slice(to)
        add(kind, result, `${text.trim()} -> ${result.trim()}`)
      }
    }
    if (code.trim()) before = code.trim()
  })
  return found.filter(
    ({ result }, i, all) => all.findIndex((other) => other.result === result && other.line === all[i].line) === i,
  )
}
