import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import type { IndexedBlob } from './index-file.ts'
import { decodePackHeader, encodePackHeader, headerSize, sealedHeaderSize } from './pack-header.ts'

const anyBlob = fc.record({
  id: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  type: fc.constantFrom('data' as const, 'tree' as const),
  length: fc.integer({ min: 32, max: 2 ** 20 }),
  uncompressedLength: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 ** 32 - 1 })),
})

test('the blobs of a pack come back from its header, with offsets that leave no gap', () => {
  fc.assert(
    fc.property(fc.array(anyBlob, { minLength: 1, maxLength: 20 }), (list) => {
      let next = 0
      const blobs = list.map((blob): IndexedBlob => {
        const offset = next
        next += blob.length
        return { ...blob, offset }
      })
      const header = encodePackHeader(blobs)
      assert.deepEqual(decodePackHeader(header), blobs)
      assert.equal(headerSize(blobs), header.length + 36)
      assert.equal(sealedHeaderSize(header.length), headerSize(blobs))
    }),
  )
})

test('every blob of a pack is in exactly one of the parts that it is cut into', () => {
  fc.assert(
    fc.property(
      fc.array(anyBlob, { minLength: 1, maxLength: 20 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (list, share) => {
        const header = encodePackHeader(list.map((blob) => ({ ...blob, offset: 0 })))
        const blobs = decodePackHeader(header)
        const end = blobs.at(-1)!.offset + 1
        const cut = Math.round(end * share)
        const before = decodePackHeader(header, { start: 0, end: cut })
        assert.deepEqual([...before, ...decodePackHeader(header, { start: cut, end })], blobs)
        assert.ok(before.every(({ offset }) => offset < cut))
      },
    ),
  )
})

const entry = encodePackHeader([{ id: 'ab'.repeat(32), type: 'data', offset: 0, length: 640, uncompressedLength: 0 }])
const compressed = encodePackHeader([
  { id: 'ab'.repeat(32), type: 'tree', offset: 0, length: 64, uncompressedLength: 9 },
])

function changed(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = Buffer.from(bytes)
  copy.set(values, at)
  return copy
}

for (const [wrong, header] of Object.entries({
  'no entry': new Uint8Array(0),
  'an entry that is cut off': entry.subarray(0, 36),
  'a compressed entry that is cut off': compressed.subarray(0, 40),
  'an entry and one byte': Buffer.concat([entry, Uint8Array.of(0)]),
  'an unknown type': changed(entry, 0, 4),
  'a compressed blob of no bytes': changed(compressed, 5, 0),
  'a blob that is shorter than its seal': changed(entry, 1, 31, 0),
  'more bytes than 32 bits count': Buffer.concat([changed(entry, 1, 255, 255, 255, 255), entry]),
})) {
  test(`a pack header with ${wrong} is damaged`, () => {
    assert.throws(() => decodePackHeader(header), { code: 'format.damaged', message: /valid pack header/ })
  })
}
