import assert from 'node:assert/strict'
import { test } from 'node:test'

import { sha256Hex } from '../crypto/hash.ts'
import { choosePacks } from './choose-packs.ts'

const ids = Array.from({ length: 2000 }, (_, index) => sha256Hex(Buffer.from(String(index))))

test('slices are together everything, and none is in two', () => {
  for (const count of [1, 7, 28]) {
    const slices = Array.from({ length: count }, (_, index) => choosePacks(ids, 0, { slices: [index + 1], of: count }))
    assert.deepEqual(slices.flat().toSorted(), ids.toSorted())
    assert.ok(slices.every((slice) => slice.length > 0))
  }
})

test('several slices are those packs, and a new pack changes no other slice', () => {
  const both = choosePacks(ids, 0, { slices: [3, 9], of: 28 })
  const one = choosePacks(ids, 0, { slices: [3], of: 28 })
  assert.ok(one.every((id) => both.includes(id)))
  assert.deepEqual(
    choosePacks(ids.slice(0, 1000), 0, { slices: [3], of: 28 }),
    one.filter((id) => ids.indexOf(id) < 1000),
  )
})
