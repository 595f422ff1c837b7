import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { newMasterKey, Sealer, sealOverhead, type MasterKey } from './seal.ts'

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../tests/fixtures/vectors/${name}.json`, import.meta.url), 'utf8'))
const vectors = read('crypto') as {
  master: { mac: { k: string; r: string }; encrypt: string }
  enc: Record<'file' | 'nonce_hex' | 'aes_k_nonce_hex' | 'tag_hex' | 'plaintext_hex', string>[]
  ctr_wrap: Record<'nonce_hex' | 'plaintext_hex' | 'sealed_hex', string>[]
}
const { files } = read('fixture-repo') as { files: Record<string, string> }

const master: MasterKey = {
  encrypt: Buffer.from(vectors.master.encrypt, 'base64'),
  macK: Buffer.from(vectors.master.mac.k, 'base64'),
  macR: Buffer.from(vectors.master.mac.r, 'base64'),
}
const hex = (text: string): Buffer => Buffer.from(text, 'hex')
/** A sealer that takes `nonce` first. */
const withNonce = (nonce: string): Sealer =>
  new Sealer(master, (count) => Buffer.concat([hex(nonce), Buffer.alloc(count - 16, 1)]))

test('the sealed files of restic are opened, and sealed again under their nonces to the same bytes', () => {
  assert.equal(vectors.enc.length, 5)
  for (const { file, nonce_hex: nonce, aes_k_nonce_hex: block, tag_hex: tag, plaintext_hex: plain } of vectors.enc) {
    const sealed = Buffer.from(files[file]!, 'base64')
    assert.equal(sealed.toString('hex', 0, 16), nonce)
    assert.equal(sealed.toString('hex', sealed.length - 16), tag)
    assert.equal(createCipheriv('aes-128-ecb', master.macK, null).update(nonce, 'hex', 'hex'), block)
    assert.deepEqual(new Sealer(master).unseal(sealed), hex(plain))
    assert.deepEqual(withNonce(nonce).seal(hex(plain)), sealed)
  }
})

test('the counter wraps around all 128 bits', () => {
  assert.equal(vectors.ctr_wrap.length, 4)
  for (const { nonce_hex: nonce, plaintext_hex: plain, sealed_hex: sealed } of vectors.ctr_wrap) {
    assert.deepEqual(withNonce(nonce).seal(hex(plain)), hex(sealed))
    assert.deepEqual(new Sealer(master).unseal(hex(sealed)), hex(plain))
  }
})

test('what is sealed comes back, whatever its length, and lies where it was asked for', () => {
  const sealer = new Sealer(newMasterKey())
  for (const size of [0, 1, 15, 16, 17, 1000, 65_535, 65_536, 65_537, 200_000, 1 << 20]) {
    const plain = Buffer.alloc(size, 'plain bytes')
    const out = Buffer.alloc(size + sealOverhead + 20, 9)
    assert.equal(sealer.sealInto(plain, out, 10), size + sealOverhead)
    assert.deepEqual(out.subarray(0, 10), Buffer.alloc(10, 9))
    assert.deepEqual(out.subarray(-10), Buffer.alloc(10, 9))
    assert.deepEqual(Buffer.from(sealer.unseal(out.subarray(10, -10))), plain)
    assert.equal(sealer.seal(plain).length, size + sealOverhead)
  }
  assert.throws(() => sealer.sealInto(Buffer.alloc(10), Buffer.alloc(50), 9), RangeError)
})

test('sealing uses no nonce twice', () => {
  const sealer = new Sealer(newMasterKey())
  const nonces = Array.from({ length: 2000 }, () => Buffer.from(sealer.seal(Buffer.alloc(0))).toString('hex', 0, 16))
  assert.equal(new Set(nonces).size, 2000)
})

test('any changed bit, any missing byte and any other key are noticed', () => {
  const sealer = new Sealer(master)
  const anyBytes = fc.uint8Array({ maxLength: 300 })
  fc.assert(
    fc.property(anyBytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (plain, place, bits) => {
      const sealed = Buffer.from(sealer.seal(plain))
      const at = place % sealed.length
      assert.throws(() => sealer.unseal(sealed.subarray(0, at)), { code: 'crypto.damaged', kind: 'damaged' })
      assert.throws(() => new Sealer(newMasterKey()).unseal(sealed), { code: 'crypto.damaged' })
      sealed[at]! ^= bits
      assert.throws(() => sealer.unseal(sealed), { code: 'crypto.damaged' })
    }),
    { numRuns: 300 },
  )
})

test('many are unsealed as each of them is, one behind the other, and one that was changed is noticed', () => {
  const sealer = new Sealer(master)
  const plain = ['', 'a', 'two', 'x'.repeat(1000)].map((text) => Buffer.from(text))
  const sealed = plain.map((bytes) => sealer.seal(bytes))
  const out = Buffer.alloc(2000)
  const length = sealer.unsealAllInto(sealed, out)
  assert.deepEqual(out.subarray(0, length), Buffer.concat(plain))
  assert.throws(() => sealer.unsealAllInto([...sealed, new Uint8Array(31)], out), { code: 'crypto.damaged' })
  sealed[2]![17]! ^= 1
  assert.throws(() => sealer.unsealAllInto(sealed, out), { code: 'crypto.damaged', message: /tag is wrong/ })
})

test('a nonce of zeros is refused, both ways', () => {
  assert.throws(() => new Sealer(master).unseal(new Uint8Array(64)), {
    code: 'crypto.damaged',
    message: /nonce is zero/,
  })
  assert.throws(() => withNonce('00'.repeat(16)).seal(new Uint8Array(1)), {
    code: 'crypto.damaged',
    message: /nonce of zeros/,
  })
})
