import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'

import { laravelValue, readDotenv, type DotenvDialect } from './dotenv.ts'

function valuesOf(text: string, dialect: DotenvDialect = 'laravel'): Record<string, string> {
  return Object.fromEntries(readDotenv(text, dialect).values)
}

/** Each: a file, what Laravel's reader gives of it, and the lines that it refuses. */
const laravel: readonly (readonly [string, Record<string, string>, ...number[]])[] = [
  ['A=b', { A: 'b' }],
  ['A = b', { A: 'b' }],
  ['A=', { A: '' }],
  ['A=""', { A: '' }],
  ["A=''", { A: '' }],
  ['A="b c"', { A: 'b c' }],
  ["A='b c'", { A: 'b c' }],
  ['A=b c', {}, 1],
  ['A=b # c', { A: 'b' }],
  ['A=b#c', { A: 'b' }],
  ['A="b#c" # d', { A: 'b#c' }],
  ['A="b" c', {}, 1],
  ['# A=b', {}],
  ['  # A=b', {}],
  ['export AB=c', { AB: 'c' }],
  // phpdotenv takes `export` for a part of so short a name
  ['export A=b', {}, 1],
  ['export   "A"=b', { A: 'b' }],
  ["'A'=b", { A: 'b' }],
  ['=b', {}, 1],
  ['A-B=c', {}, 1],
  ['Ä.B_1=c', { 'Ä.B_1': 'c' }],
  ['A=b\nA', {}],
  ['A=b=c', { A: 'b=c' }],
  ['A=b"c"', { A: 'b"c"' }],
  ["A=it's", { A: "it's" }],
  ['A="b\\"c"', { A: 'b"c' }],
  ['A="b\\\\c"', { A: 'b\\c' }],
  ['A="b\\nc\\td\\re\\vf\\f"', { A: 'b\nc\td\re\vf\f' }],
  ['A="b\\c"', {}, 1],
  ["A='b\\nc'", { A: 'b\\nc' }],
  ['A=b\\nc', { A: 'b\\nc' }],
  ['A="b\nc\n\nd"\nE=f', { A: 'b\nc\n\nd', E: 'f' }],
  ['A="b\r\nc"', { A: 'b\nc' }],
  ["A='b\nc'", {}, 1, 2],
  ['A="b\nC=d\nE=f', {}, 1],
  ['A="b', {}, 1],
  ["A='b", {}, 1],
  ['A=b\r\nC=d\rE=f', { A: 'b', C: 'd', E: 'f' }],
  ['\uFEFFA=b', { A: 'b' }],
  ['A=b\nB=${A}c', { A: 'b', B: 'bc' }],
  ['A=b\nB="${A} ${A}"', { A: 'b', B: 'b b' }],
  ["A=b\nB='${A}'", { A: 'b', B: '${A}' }],
  ['A=b\nB="\\${A}"', { A: 'b', B: '${A}' }],
  ['A=b\nB=$A', { A: 'b', B: '$A' }],
  ['B=${A}\nA=b', { B: '${A}', A: 'b' }],
  ['A=b\nN=A\nB="${${N}}"', { A: 'b', N: 'A', B: 'b' }],
  ['A=b\nA=${A}c', { A: 'bc' }],
  ['A=1\nB==2', { A: '1', B: '=2' }],
  ['A=p@ss:w0rd!%&*()', { A: 'p@ss:w0rd!%&*()' }],
]

test('a .env is read as Laravel reads it', () => {
  for (const [text, values, ...refused] of laravel) {
    const reading = readDotenv(text)
    assert.deepEqual(Object.fromEntries(reading.values), values, JSON.stringify(text))
    assert.deepEqual(
      reading.troubles.map(({ line }) => line),
      refused,
      JSON.stringify(text),
    )
  }
})

/** Each: a file, and what the dotenv of Node.js gives of it. */
const node: readonly (readonly [string, Record<string, string>])[] = [
  ['A=b c', { A: 'b c' }],
  ['A=b # c', { A: 'b' }],
  ['A: b', { A: 'b' }],
  ['export A=b', { A: 'b' }],
  ['A-B=c', { 'A-B': 'c' }],
  ['A=`b "c"`', { A: 'b "c"' }],
  ["A='b\nc'\nD=e", { A: 'b\nc', D: 'e' }],
  ['A="b\\nc"', { A: 'b\nc' }],
  ["A='b\\nc'", { A: 'b\\nc' }],
  ['A="b\nC=d', { A: '"b', C: 'd' }],
  ['nonsense\nA=b', { A: 'b' }],
  ['A=b\nB=${A}-$A', { A: 'b', B: 'b-b' }],
  ['B=${A:-c}', { B: 'c' }],
  ["A=b\nB='$A'", { A: 'b', B: '$A' }],
  ['A=b\nB=\\$A', { A: 'b', B: '\\$A' }],
  ['\n\n  A=b\n', { A: 'b' }],
]

test('a .env of a Node.js application is read as its dotenv reads it', () => {
  for (const [text, values] of node) assert.deepEqual(valuesOf(text, 'node'), values, JSON.stringify(text))
})

test('words stand for values as in the env() of Laravel', () => {
  const words = [
    'true',
    '(True)',
    'FALSE',
    '(false)',
    'null',
    '(NULL)',
    'empty',
    '(empty)',
    'yes',
    '1',
    '"a b"',
    "'a'",
    '',
  ]
  assert.deepEqual(words.map(laravelValue), [true, true, false, false, null, null, '', '', 'yes', '1', 'a b', 'a', ''])
})

test('a trouble says the line, and never a value', () => {
  const { troubles } = readDotenv('A=1\n\nPASSWORD=hunter2 hunter3\nB="hunter4')
  assert.deepEqual(
    troubles.map(({ line }) => line),
    [3, 4],
  )
  for (const { text } of troubles) assert.doesNotMatch(text, /hunter/)
})

test('any text is read, whatever it is', () => {
  const bits = fc.constantFrom(
    'A',
    'B',
    '=',
    '"',
    "'",
    '\\',
    '$',
    '{',
    '}',
    '${A}',
    '#',
    ' ',
    '\n',
    '`',
    'export ',
    ':',
    '\0',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(bits, { maxLength: 200 }).map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(text, fc.constantFrom<DotenvDialect>('laravel', 'node'), (text, dialect) => {
      const { values } = readDotenv(text, dialect)
      for (const value of values.values()) assert.equal(typeof value, 'string')
    }),
    { numRuns: 500 },
  )
})

test('what is written with quotes is read back as it was', () => {
  const value = fc.string({ unit: fc.constantFrom(...Array.from('ab \\"\'$#{}=\n\té😀`')) })
  fc.assert(
    fc.property(value, (value) => {
      const written = value.replace(/[\\"$]/g, '\\$&').replaceAll('\n', '\\n')
      assert.equal(valuesOf(`A="${written}"`)['A'], value)
    }),
    { numRuns: 500 },
  )
})

test('hostile files end soon', () => {
  const long = 1 << 18
  const hostile = ['A="', '${', 'A=${B}', '"', "A='", 'A="\\', '\n', '=', '#', 'A=$', '${A:-', 'A=`\n', '\\'].flatMap(
    (piece) => [piece.repeat(long / piece.length), `A=${piece.repeat(60_000 / piece.length)}`],
  )
  const doubling = Array.from({ length: 200 }, (_, nth) => `V${nth + 1}="\${V${nth}}\${V${nth}}"`).join('\n')
  for (const text of [...hostile, `V0=abc\n${doubling}`, 'A=b\n'.repeat(long / 4)]) {
    for (const dialect of ['laravel', 'node'] as const) {
      const begin = performance.now()
      readDotenv(text, dialect)
      const seconds = (performance.now() - begin) / 1000
      assert.ok(seconds < 30, `${dialect} ${JSON.stringify(text.slice(0, 20))}: ${seconds} s`)
    }
  }
  assert.equal(readDotenv('A=b\n'.repeat(long)).values.size, 0)
})
