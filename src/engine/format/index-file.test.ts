import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decodeIndex, encodeIndex, type IndexedPack } from './index-file.ts'

const id = (digits: string): string => digits.repeat(32)
const packs: IndexedPack[] = [
  {
    id: id('aa'),
    blobs: [
      { id: id('01'), type: 'data', offset: 0, length: 640, uncompressedLength: 0 },
      { id: id('02'), type: 'data', offset: 640, length: 2 ** 32 - 1, uncompressedLength: 600 },
    ],
  },
  { id: id('bb'), blobs: [{ id: id('03'), type: 'tree', offset: 0, length: 54, uncompressedLength: 13 }] },
]

const decode = (document: unknown): IndexedPack[] => decodeIndex(Buffer.from(JSON.stringify(document)))

test('an index comes back, and a blob that is stored raw has no uncompressed length', () => {
  const bytes = encodeIndex(packs)
  assert.deepEqual(decodeIndex(bytes), packs)
  assert.equal(
    Buffer.from(bytes).toString(),
    `{"packs":[{"id":"${id('aa')}","blobs":[{"id":"${id('01')}","type":"data","offset":0,"length":640},` +
      `{"id":"${id('02')}","type":"data","offset":640,"length":4294967295,"uncompressed_length":600}]},` +
      `{"id":"${id('bb')}","blobs":[{"id":"${id('03')}","type":"tree","offset":0,"length":54,"uncompressed_length":13}]}]}\n`,
  )
})

test('an index is read as restic reads it: no packs, no blobs, fields that others add', () => {
  assert.deepEqual(decode({ packs: [] }), [])
  assert.deepEqual(decode({ packs: null, supersedes: [id('cc')] }), [])
  assert.deepEqual(decode({ packs: [{ id: id('AA'), blobs: null, time: 'x', size: 1 }], packs_to_delete: [{}] }), [
    { id: id('aa'), blobs: [] },
  ])
})

const blob = { id: id('01'), type: 'data', offset: 0, length: 640 }
for (const [wrong, document] of Object.entries({
  'a pack that is null': { packs: [null] },
  'a pack without an id': { packs: [{ blobs: [] }] },
  'a blob of an unknown type': { packs: [{ id: id('aa'), blobs: [{ ...blob, type: 'list' }] }] },
  'a blob whose type is on every object': { packs: [{ id: id('aa'), blobs: [{ ...blob, type: 'constructor' }] }] },
  'an offset of more than 32 bits': { packs: [{ id: id('aa'), blobs: [{ ...blob, offset: 2 ** 32 }] }] },
  'a negative length': { packs: [{ id: id('aa'), blobs: [{ ...blob, length: -1 }] }] },
  'a length with a fraction': { packs: [{ id: id('aa'), blobs: [{ ...blob, length: 1.5 }] }] },
  'an uncompressed length that is a text': {
    packs: [{ id: id('aa'), blobs: [{ ...blob, uncompressed_length: '1' }] }],
  },
  'an object in place of the list': { packs: {} },
  'a list in place of the object': [],
})) {
  test(`an index with ${wrong} is damaged`, () => {
    assert.throws(() => decode(document), { code: 'format.damaged', message: /valid index/ })
  })
}
