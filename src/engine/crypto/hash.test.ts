import assert from 'node:assert/strict'
import { test } from 'node:test'

import { sha256, sha256Hex } from './hash.ts'

test('SHA-256 of the example of FIPS 180-4, as bytes and as hex', () => {
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  assert.equal(sha256Hex(Buffer.from('abc')), expected)
  assert.equal(sha256(Buffer.from('abc')).toString('hex'), expected)
})
