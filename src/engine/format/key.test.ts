import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decodeKeyFile, decodeMasterKey, encodeKeyFile, encodeMasterKey, type KeyFile } from './key.ts'

const key: KeyFile = {
  created: '2026-11-21T23:45:55.114966143+01:00',
  username: 'root',
  hostname: 'vm',
  kdf: 'scrypt',
  N: 32_768,
  r: 8,
  p: 7,
  salt: new Uint8Array(64).fill(7),
  data: new Uint8Array([1, 2, 3, 255]),
}
const text = Buffer.from(encodeKeyFile(key)).toString()

const decode = (json: string): KeyFile => decodeKeyFile(Buffer.from(json))

test('a key file comes back, with its fields in the order of restic', () => {
  assert.deepEqual(decode(text), key)
  assert.match(
    text,
    /^\{"created":"2.*","username":"root","hostname":"vm","kdf":"scrypt","N":32768,"r":8,"p":7,"salt":".*","data":"AQID\/w=="\}$/,
  )
})

test('who made a key, and when, may be missing; unknown fields are ignored', () => {
  const { username: _, hostname: __, ...bare } = key
  assert.deepEqual(decode(Buffer.from(encodeKeyFile(bare)).toString()), bare)
  assert.deepEqual(decode(text.replace(/"created.*?"kdf"/, '"label":"office","kdf"')), { ...bare, created: '' })
})

for (const [wrong, json] of Object.entries({
  'a salt of 63 bytes': text.replace(/"salt":"[^"]*"/, `"salt":"${Buffer.alloc(63).toString('base64')}"`),
  'no salt': text.replace(/"salt":"[^"]*",/, ''),
  'another derivation': text.replace('scrypt', 'argon2'),
  'data in another alphabet': text.replace('AQID/w==', 'AQID_w=='),
  'data without padding': text.replace('AQID/w==', 'AQID/w'),
  'costs that are texts': text.replace('32768', '"32768"'),
})) {
  test(`a key file with ${wrong} is damaged`, () => {
    assert.throws(() => decode(json), { code: 'format.damaged', message: /valid key/ })
  })
}

const parts = {
  encrypt: new Uint8Array(32).fill(1),
  macK: new Uint8Array(16).fill(2),
  macR: new Uint8Array(16).fill(3),
}

test('the parts of a master key come back', () => {
  assert.deepEqual(decodeMasterKey(encodeMasterKey(parts)), parts)
})

test('a master key with a part that is zero, too short or missing is damaged', () => {
  for (const part of ['encrypt', 'macK', 'macR'] as const) {
    for (const bytes of [new Uint8Array(parts[part].length), parts[part].subarray(1), new Uint8Array(0)]) {
      assert.throws(() => decodeMasterKey(encodeMasterKey({ ...parts, [part]: bytes })), { code: 'format.damaged' })
    }
  }
  assert.throws(() => decodeMasterKey(Buffer.from('{"encrypt":""}')), { code: 'format.damaged' })
})
