import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decodeIndex, encodeIndex, type IndexedPack } from './index-file.ts'
import { decodeIndexRows, packRowsOf, packsOf } from './index-rows.ts'
import { encodePackHeader } from './pack-header.ts'

const id = (nth: number): string => nth.toString(16).padStart(4, '0').repeat(16)
const packs: IndexedPack[] = [
  {
    id: id(0xaa01),
    blobs: [
      { id: id(0x0123), type: 'data', offset: 0, length: 640, uncompressedLength: 0 },
      { id: id(0xcdef), type: 'data', offset: 640, length: 2 ** 32 - 1, uncompressedLength: 600 },
    ],
  },
  { id: id(0xbb02), blobs: [{ id: id(0x89ab), type: 'tree', offset: 10, length: 54, uncompressedLength: 13 }] },
]

/** What the rows say, as the packs that `decodeIndex` gives. */
function fromRows(bytes: Uint8Array): IndexedPack[] {
  return [...packsOf(decodeIndexRows(bytes))]
}

test('rows say what the packs of an index file say', () => {
  assert.deepEqual(fromRows(encodeIndex(packs)), packs)
  assert.deepEqual(fromRows(Buffer.from(JSON.stringify({ packs: [] }))), [])
})

test('the rows of a pack without gaps give its header', () => {
  const [first, second] = [...packRowsOf(decodeIndexRows(encodeIndex(packs)))]
  const { header, ...counts } = first!.gapless()!
  assert.deepEqual(Buffer.from(header), Buffer.from(encodePackHeader(packs[0]!.blobs)))
  assert.deepEqual(counts, { length: 640 + 2 ** 32 - 1, trees: 0, data: 2, compressed: 1, shortest: 640 })
  assert.equal(second!.gapless(), undefined)
})

test('whatever byte of an index file is another one, or is not there, rows and packs say the same or both refuse it', () => {
  const bytes = encodeIndex(packs)
  for (const [nth, byte] of bytes.entries()) {
    for (const other of Buffer.from('0"} -A')) if (other !== byte) assertSame(bytes.with(nth, other))
    assertSame(bytes.subarray(0, nth))
    assertSame(Buffer.concat([bytes.subarray(0, nth), bytes.subarray(nth + 1)]))
  }
})

function assertSame(bytes: Uint8Array): void {
  assert.equal(
    outcomeOf(() => fromRows(bytes)),
    outcomeOf(() => decodeIndex(bytes)),
    Buffer.from(bytes).toString(),
  )
}

function outcomeOf(read: () => IndexedPack[]): string {
  try {
    return JSON.stringify(read())
  } catch (thrown) {
    return (thrown as Error).message
  }
}
