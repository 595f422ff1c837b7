import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'

import { sha256Hex } from '../crypto/hash.ts'
import { newMasterKey, Sealer } from '../crypto/seal.ts'
import { BlobMemory } from './open-blob.ts'
import { endOfBatch, openTogether, type StoredBlob } from './open-together.ts'

const sealer = new Sealer(newMasterKey())
const texts = Array.from({ length: 20 }, (_, nth) => `text ${nth} `.repeat(nth + 1))

function stored(text: string, claims: Partial<StoredBlob> = {}): StoredBlob {
  const sealed = sealer.seal(zstdCompressSync(text))
  return { id: sha256Hex(Buffer.from(text)), sealed, uncompressedLength: text.length, ...claims }
}

function opened(blobs: readonly StoredBlob[]): (string | undefined)[] {
  return openTogether(sealer, blobs, new BlobMemory()).map((plain) => plain && Buffer.from(plain).toString())
}

test('blobs that are opened together are what each of them is alone', () => {
  assert.deepEqual(opened(texts.map((text) => stored(text))), texts)
})

test('one that is another than its id says is told from its neighbours', () => {
  const blobs = texts.map((text, nth) => stored(text, nth === 7 ? { id: sha256Hex(Buffer.from('another')) } : {}))
  assert.deepEqual(opened(blobs), [...texts.slice(0, 7), undefined, ...texts.slice(8)])
})

test('where one cannot be opened or is of another length, none is given, or only such as are right', () => {
  const broken = stored('broken')
  broken.sealed[20]! ^= 1
  assert.deepEqual(opened([stored('a'), broken, stored('b')]), [])
  assert.deepEqual(opened([stored('a'), stored('longer', { uncompressedLength: 3 })]), [])
  const swapped = [stored('a'), stored('four', { uncompressedLength: 5 }), stored('fifth', { uncompressedLength: 4 })]
  assert.deepEqual(opened(swapped), ['a', undefined, undefined])
})

test('a batch ends before a blob that is stored raw or is large, and when it has enough', () => {
  const of = (...lengths: number[]): number =>
    endOfBatch(
      lengths.map((uncompressedLength) => ({ uncompressedLength })),
      0,
    )
  assert.equal(of(5, 6, 0, 7), 2)
  assert.equal(of(0, 7), 1)
  assert.equal(of(5, 100_000), 1)
  assert.equal(of(...Array.from({ length: 40 }, () => 60_000)), 17)
})
