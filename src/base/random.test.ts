import assert from 'node:assert/strict'
import { test } from 'node:test'

import { randomBytes, randomHex } from './random.ts'

test('random bytes have the length that was asked, and two draws differ', () => {
  assert.equal(randomBytes(0).length, 0)
  assert.equal(randomBytes(32).length, 32)
  assert.notDeepEqual(randomBytes(32), randomBytes(32))
})

test('random hex has two lower-case digits for each byte', () => {
  assert.match(randomHex(16), /^[0-9a-f]{32}$/)
  assert.notEqual(randomHex(16), randomHex(16))
})
