import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { deriveKey } from './derive-key.ts'
import { Sealer } from './seal.ts'

const { keys } = JSON.parse(
  readFileSync(new URL('../../../tests/fixtures/vectors/crypto.json', import.meta.url), 'utf8'),
) as {
  keys: {
    key_json: { N: number; r: number; p: number; salt: string; data: string }
    password: string
    scrypt_output_hex: string
    aes256_key_hex: string
    mac_k_hex: string
    mac_r_hex: string
    mac_r_clamped_hex: string
    data_plaintext: string
  }[]
}

for (const vector of keys) {
  test(`the password ${vector.password} makes the key that restic made of it, and opens the master key`, async () => {
    const { N, r, p, salt, data } = vector.key_json
    const key = await deriveKey(vector.password, { N, r, p, salt: Buffer.from(salt, 'base64') })
    assert.equal(Buffer.from(key.encrypt).toString('hex'), vector.aes256_key_hex)
    assert.equal(Buffer.from(key.macK).toString('hex'), vector.mac_k_hex)
    assert.equal(Buffer.from(key.macR).toString('hex'), vector.mac_r_hex)
    assert.equal(Buffer.concat([key.encrypt, key.macK, key.macR]).toString('hex'), vector.scrypt_output_hex)
    const sealed = Buffer.from(data, 'base64')
    assert.equal(Buffer.from(new Sealer(key).unseal(sealed)).toString(), vector.data_plaintext)
    const clamped = { ...key, macR: Buffer.from(vector.mac_r_clamped_hex, 'hex') }
    assert.equal(Buffer.from(new Sealer(clamped).unseal(sealed)).toString(), vector.data_plaintext)
  })
}

test('the cheap costs that restic accepts are accepted', async () => {
  const salt = new Uint8Array(64)
  assert.equal((await deriveKey('', { N: 1024, r: 8, p: 1, salt })).encrypt.length, 32)
  assert.equal((await deriveKey('x', { N: 2, r: 1, p: 1, salt })).macR.length, 16)
})

test('costs that are wrong, or would take gigabytes or minutes, are refused before anything is derived', async () => {
  const salt = new Uint8Array(64)
  for (const [N, r, p] of [
    [0, 8, 1],
    [1, 8, 1],
    [1000, 8, 1],
    [-1024, 8, 1],
    [1024, 0, 1],
    [1024, 8, 0],
    [1024, 8, 1.5],
    [Number.NaN, 8, 1],
    [2 ** 20, 8, 1],
    [2 ** 52, 8, 1],
    [2, 2 ** 29, 1],
    [2, 1, 2 ** 29],
    [32_768, 8, 2 ** 12],
  ] as const) {
    await assert.rejects(deriveKey('x', { N, r, p, salt }), { code: 'crypto.kdf-refused', kind: 'damaged' })
  }
})
