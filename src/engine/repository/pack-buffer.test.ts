import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'

import { sha256Hex } from '../crypto/hash.ts'
import { newMasterKey, Sealer } from '../crypto/seal.ts'
import { PackBuffer } from './pack-buffer.ts'

test('what fits is appended in the memory that is there, and all of it opens where the pack says', () => {
  const sealer = new Sealer(newMasterKey())
  const plains = [randomBytes(100_000), randomBytes(1), randomBytes(250_000)]
  const packs = plains.map((plain) => {
    const pack = new PackBuffer('data')
    pack.seal(sealer, sha256Hex(plain), plain, 0)
    return pack
  })
  const [first, ...others] = packs
  const target = PackBuffer.from({ type: 'data', blobs: first!.blobs, bytes: first!.content() })
  const { buffer } = target.content()
  for (const other of others) {
    assert.ok(target.fits(other.length))
    target.append(other.blobs, other.content())
  }
  assert.equal(target.content().buffer, buffer)
  assert.ok(!target.fits(buffer.byteLength - target.length))
  const { id, blobs, bytes } = target.finish(sealer)
  assert.equal(bytes.buffer, buffer)
  assert.equal(id, sha256Hex(bytes))
  assert.deepEqual(
    blobs.map(({ offset, length }) => Buffer.from(sealer.unseal(bytes.subarray(offset, offset + length)))),
    plains,
  )
})
