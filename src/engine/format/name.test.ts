import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { quoteName, unquoteName } from './name.ts'

const { names } = JSON.parse(
  readFileSync(new URL('../../../tests/fixtures/vectors/tree-names.json', import.meta.url), 'utf8'),
) as { names: { bytes_hex: string; json_decoded_name: string }[] }

test('every awkward name is quoted as restic 0.14 quoted it, and read back', () => {
  assert.equal(names.length, 42)
  for (const { bytes_hex: hex, json_decoded_name: text } of names) {
    assert.equal(quoteName(Buffer.from(hex, 'hex')), text)
    assert.deepEqual(unquoteName(text), Buffer.from(hex, 'hex'))
  }
})

test('all characters of Unicode are quoted as restic 0.14 quoted them', () => {
  const hash = createHash('sha256')
  for (let first = 0; first <= 0x10_ffff; first += 256) {
    const block = Array.from({ length: 256 }, (_, at) => first + at).filter(
      (codePoint) => codePoint !== 0 && codePoint !== 0x2f && (codePoint < 0xd800 || codePoint >= 0xe000),
    )
    hash.update(quoteName(Buffer.from(String.fromCodePoint(...block))))
  }
  // Of the names that Debian's restic 0.14.0 stored for files whose names hold every character once, in order.
  assert.equal(hash.digest('hex'), '22c555163db0eecf30c86e8497879aa39855d7f7f8fb2a8f49c7401e0dce6360')
})

test('any bytes come back from their quoted form, which is one line of valid text', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  )
  fc.assert(
    fc.property(bytes, (name) => {
      const text = quoteName(name)
      assert.ok(text.isWellFormed() && !text.includes('\n'))
      assert.ok(Buffer.from(name).equals(unquoteName(text)))
    }),
    { numRuns: 300 },
  )
})

test('every escape that Go reads is read', () => {
  const text = String.raw`\a\b\f\n\r\t\v\\\"\'\x41\xFf\101\377\u00e9\u00C9\U0001F600é`
  const bytes = Buffer.concat([
    Buffer.from('\u0007\b\f\n\r\t\v\\"\'A'),
    Uint8Array.of(0xff, 0x41, 0xff),
    Buffer.from('éÉ😀é'),
  ])
  assert.deepEqual(unquoteName(text), bytes)
})

for (const text of [
  'a"b',
  'a\nb',
  '\\',
  'a\\',
  '\\z',
  '\\x4',
  '\\x4g',
  '\\400',
  '\\08',
  '\\ud800',
  '\\u12',
  '\\U00110000',
  '\\X41',
]) {
  test(`${JSON.stringify(text)} is not taken for a quoted name`, () => {
    assert.throws(() => unquoteName(text), { code: 'format.damaged' })
  })
}
