import assert from 'node:assert/strict'
import { test } from 'node:test'

import { collect, streamProgram } from '#base'
import { shellCommand, shellWord } from './shell-words.ts'

const awkward = [
  '',
  ' ',
  'plain',
  "it's",
  "'",
  "''",
  '"$HOME" `id` $(id) \\ \\n !x ~ * ? [a] {a,b} # ; & | < > ( )',
  '-rf',
  'line\nline\n',
  '\n',
  '\ttab\r',
  'caf\xc3\xa9',
  'caf\xe9',
  '\xff\xfe\x80\n',
  "\xe9'\xe9\n",
  Array.from({ length: 255 }, (_, byte) => String.fromCharCode(byte + 1)).join(''),
]

for (const shell of ['sh', 'bash']) {
  test(`each word reaches a program of ${shell} as it is, whatever bytes it holds`, async () => {
    const line = `printf '%s\\0' ${awkward.map(shellWord).join(' ')}`
    const output = await collect(streamProgram(shell, ['-c', line]))
    assert.deepEqual(Buffer.from(output).toString('latin1').split('\0').slice(0, -1), awkward)
  })
}

test('a plain word stays readable, a zero byte is refused', () => {
  assert.equal(shellCommand('find', ['/srv/app', '-name', 'a b']), "find /srv/app -name 'a b'")
  assert.throws(() => shellWord('a\0b'), RangeError)
})
