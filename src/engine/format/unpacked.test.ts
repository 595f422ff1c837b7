import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, zstdCompressSync } from 'node:zlib'

import { packUnpacked, unpackUnpacked } from './unpacked.ts'

const json = Buffer.from(`{"packs":[${' '.repeat(100_000)}]}`)

test('a body is compressed, and comes back', () => {
  const body = packUnpacked(json)
  assert.equal(body[0], 2)
  assert.ok(body.length < 200)
  assert.deepEqual(unpackUnpacked(body), json)
})

test('bare JSON and an empty body are taken as they are', () => {
  for (const text of ['{}', '[]', '']) assert.deepEqual(unpackUnpacked(Buffer.from(text)), Buffer.from(text))
})

test('what other tools compress is read: with a checksum, in two frames', () => {
  const checked = zstdCompressSync(json, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })
  assert.deepEqual(unpackUnpacked(Buffer.concat([Uint8Array.of(2), checked])), json)
  const halves = [json.subarray(0, 500), json.subarray(500)].map((half) => zstdCompressSync(half))
  assert.deepEqual(unpackUnpacked(Buffer.concat([Uint8Array.of(2), ...halves])), json)
})

test('a small body that unpacks to more than the limit is refused', () => {
  assert.deepEqual(unpackUnpacked(packUnpacked(json), json.length), json)
  assert.throws(() => unpackUnpacked(packUnpacked(json), json.length - 1), { code: 'format.damaged' })
})

for (const [wrong, body] of Object.entries({
  'an unknown first byte': Buffer.concat([Uint8Array.of(1), json]),
  'a space before its JSON': Buffer.from(' {}'),
  'no frame': Uint8Array.of(2),
  'bytes that are no frame': Uint8Array.of(2, 1, 2, 3),
  'a frame that is cut off': packUnpacked(json).subarray(0, -3),
})) {
  test(`a body with ${wrong} is damaged`, () => {
    assert.throws(() => unpackUnpacked(body), { code: 'format.damaged', message: /valid file/ })
  })
}
