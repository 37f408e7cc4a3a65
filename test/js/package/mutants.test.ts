// The mistakes that `npm run mutants` makes in C: each kind is made where it can be, and nothing
// that is no code is touched.
import assert from 'node:assert/strict'
import { root } from '../support/paths.js'

interface Mistake {
  line: number
  kind: string
  change: string
  result: string
}

let nativeMistakes: (source: string, lines: Set<number>) => Mistake[]

/** What becomes of the one line of a function. */
const made = (line: string, kind: string): string[] => {
  const source = `void f(void) {\n  ${line}\n}\n`
  return nativeMistakes(source, new Set([2]))
    .filter((mistake) => mistake.kind === kind)
    .map(({ result }) => result.trim())
}

/** A line, the kind of mistake, and all of that kind that can be made in it. */
const ROWS: [string, string, string[]][] = [
  ['sw_prim_futex_wake(doorbell);', 'dropped', ['']],
  ['w->stop = 1; /* now */', 'dropped', ['']],
  ['s->left--;', 'dropped', ['']],
  ['if (status != SW_OK) return status;', 'dropped', ['']],
  ['close(fd);', 'dropped', ['']],
  ['return close(fd);', 'dropped', []],
  ['uint32_t room = least(a, b);', 'dropped', []],
  ['sw_endpoint *e = at(base, i);', 'dropped', []],
  ['static const int x = f(1);', 'dropped', []],
  ['for (int i = 0; i < n; i++) f(i);', 'dropped', []],
  ['/* f(x); */', 'dropped', []],
  ['int less = a < b;', 'comparison', ['int less = a <= b;']],
  ['int same = a == b && c >= d;', 'comparison', ['int same = a != b && c >= d;', 'int same = a == b && c > d;']],
  ['int shifted = a << b;', 'comparison', []],
  ['f("a < b", x);', 'comparison', []],
  ['int any = a && b;', 'logic', ['int any = a || b;']],
  ['int sum = a + 1 - b;', 'arithmetic', ['int sum = a - 1 - b;', 'int sum = a + 1 + b;']],
  ['int none = !some;', 'negation', ['int none = some;']],
  ['if (done) f();', 'condition', ['if (0) f();', 'if (1) f();']],
  ['sw_store_release(&w->stop, 1);', 'order', ['sw_store_relaxed(&w->stop, 1);']],
  ['x = sw_peer_load_acquire(&e->pid);', 'order', ['x = sw_peer_load_relaxed(&e->pid);']],
  ['sw_consumer_release(&w->in);', 'order', []],
  ['sw_fence_handshake();', 'order', ['']],
  ['fd = open(path, O_RDWR | O_CLOEXEC);', 'flag', ['fd = open(path, O_RDWR);', 'fd = open(path, O_CLOEXEC);']],
  ['file = fopen(path, "re");', 'flag', ['file = fopen(path, "r");']],
  ['return SW_EFULL;', 'result', ['return 0;']],
  ['return 1;', 'result', ['return 0;']],
  ['return count;', 'result', []],
  ['f(a, b);', 'arguments', ['f(b, a);']],
  ['f(g(a, 1), b);', 'arguments', ['f(b, g(a, 1));', 'f(g(1, a), b);']],
  ['f(a, a);', 'arguments', []],
]

describe('mistakes in C', () => {
  before(async () => {
    nativeMistakes = (await import(new URL('scripts/mutants/operators.mjs', root).href)).nativeMistakes
  })

  for (const [line, kind, results] of ROWS) {
    it(`${kind}: ${line}`, () => assert.deepEqual(made(line, kind).sort(), [...results].sort()))
  }

  it('are not made in what other systems and processors compile', () => {
    const source = [
      'void f(void) {',
      '#if defined(__aarch64__)',
      '  a(x);',
      '#elif defined(__x86_64__)',
      '  b(x);',
      '#else',
      '  c(x);',
      '#endif',
      '#ifndef _WIN32',
      '  d(x);',
      '#endif',
      '  e(x);',
      '}',
    ]
    const mistakes = nativeMistakes(source.join('\n'), new Set(source.map((_, i) => i + 1)))
    assert.deepEqual(
      mistakes.map(({ line }) => line),
      [5, 7, 10, 12],
    )
  })

  it('are made in the lines that are asked for, and not in comments, macros and assertions', () => {
    const source = [
      '/* a',
      '   x = f(y);',
      '*/',
      '#define ONE(x) \\',
      '  f(x)',
      '_Static_assert(a == b, "");',
      'int a(void) {',
      '  f(a);',
      '  g(b);',
      '}',
    ]
    const all = new Set(source.map((_, i) => i + 1))
    const lines = nativeMistakes(source.join('\n'), all).map(({ line }) => line)
    assert.deepEqual([...new Set(lines)], [8, 9])
    assert.deepEqual(
      nativeMistakes(source.join('\n'), new Set([9])).map(({ change }) => change),
      ['g(b); -> (nothing)'],
    )
  })
})
