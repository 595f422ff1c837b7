import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'

import { compressBlob } from './compress.ts'

test('text is compressed to a frame that gives it back', () => {
  const plain = Buffer.from('insert into invoice values (1, 2, 3);\n'.repeat(5000))
  const packed = compressBlob('data', plain)!
  assert.ok(packed.length < plain.length / 10)
  assert.deepEqual(zstdDecompressSync(packed), plain)
})

test('data that would not become smaller is left as it is', () => {
  assert.equal(compressBlob('data', randomBytes(300)), undefined)
  assert.equal(compressBlob('data', randomBytes(1_000_000)), undefined)
})

test('the look at samples does not hide what compresses', () => {
  const half = Buffer.concat([randomBytes(100_000), Buffer.alloc(100_000)])
  assert.ok(compressBlob('data', half)!.length < 110_000)
  const base64 = Buffer.from(randomBytes(300_000).toString('base64'))
  assert.ok(compressBlob('data', base64)!.length < base64.length * 0.8)
})

test('trees are always compressed', () => {
  const plain = randomBytes(50_000)
  assert.deepEqual(zstdDecompressSync(compressBlob('tree', plain)!), plain)
})
