import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decodeConfig, encodeConfig } from './config.ts'

const id = '9e70feabb7a30240298078bb2b3568fb4a97686cf006020c995271e0c770b4ca'
const text = `{"version":2,"id":"${id}","chunker_polynomial":"3855f384f04c43"}`
const config = { version: 2, id, chunkerPolynomial: 0x3855f384f04c43n } as const

test('a config is written as restic writes it', () => {
  assert.equal(Buffer.from(encodeConfig(config)).toString(), text)
})

test('a config is read as restic reads it: unknown fields, upper-case hex, white space, version 1', () => {
  for (const [tolerated, version] of [
    [text, 2],
    [text.replace('3855f384f04c43', '3855F384F04C43'), 2],
    [`${text} \n\n`, 2],
    [text.replace('{', '{"append_only":true,'), 2],
    [text.replace('"version":2', '"version":1'), 1],
  ] as const) {
    assert.deepEqual(decodeConfig(Buffer.from(tolerated)), { ...config, version })
  }
})

for (const [wrong, bytes] of Object.entries({
  'packed like other files': `\u0002${text}`,
  'of version 3': text.replace('2', '3'),
  'of a version in quotes': text.replace('2', '"2"'),
  'without an id': text.replace(id, ''),
  'with a polynomial of 65 bits': text.replace('3855f384f04c43', '13855f384f04c4300'),
  'with a polynomial that is a number': text.replace('"3855f384f04c43"', '3855'),
  'that is empty': '',
  'that is null': 'null',
})) {
  test(`a config ${wrong} is damaged`, () => {
    assert.throws(() => decodeConfig(Buffer.from(bytes)), { code: 'format.damaged', message: /valid config/ })
  })
}
