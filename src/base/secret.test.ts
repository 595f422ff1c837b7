import assert from 'node:assert/strict'
import { test } from 'node:test'
import { format, inspect } from 'node:util'

import { Secret } from './secret.ts'

const secret = new Secret('correct horse')

test('a secret shows itself only to who asks for it by name', () => {
  assert.equal(secret.reveal(), 'correct horse')
})

test('no way to print a secret shows it', () => {
  const printed = [
    String(secret),
    JSON.stringify({ password: secret }),
    inspect(secret, { depth: 9, showHidden: true }),
    inspect({ deep: [{ secret }] }, { depth: 9, showHidden: true }),
    format('%s %o %O %j', secret, secret, secret, secret),
    JSON.stringify(Object.entries(secret)),
    new Error(`refused ${secret.toString()}`).message,
  ]
  for (const text of printed) assert.doesNotMatch(text, /correct|horse/)
  assert.equal(printed[0], '***')
})
