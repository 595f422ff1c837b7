import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'

import { cutRanges } from './ranges.ts'

const blob = fc.record({
  gap: fc.oneof(fc.constant(0), fc.nat(3_000_000)),
  length: fc.integer({ min: 1, max: 500_000 }),
  copies: fc.integer({ min: 1, max: 3 }),
})

test('blobs of a pack are cut into runs that hold each place once and stay within their limits', () => {
  fc.assert(
    fc.property(fc.array(blob), (sketches) => {
      let end = 0
      const blobs = sketches.flatMap(({ gap, length, copies }) => {
        const offset = end + gap
        end = offset + length
        return Array.from({ length: copies }, () => ({ packId: '', offset, length, uncompressedLength: 0 }))
      })
      const runs = [...cutRanges(blobs, { bytes: 2_000_000, blobs: 5 })]
      assert.deepEqual(runs.flat(), blobs)
      for (const [number, run] of runs.entries()) {
        const [first, last] = [run[0]!, run.at(-1)!]
        assert.ok(run.length <= 3 || last.offset + last.length - first.offset <= 2_000_000)
        assert.ok(new Set(run.map(({ offset }) => offset)).size <= 5)
        if (number > 0) assert.notEqual(first.offset, runs[number - 1]!.at(-1)!.offset)
      }
    }),
  )
})

test('blobs that overlap, or lie far apart, are not loaded together', () => {
  const at = (offset: number): { packId: string; offset: number; length: number; uncompressedLength: number } => ({
    packId: '',
    offset,
    length: 100,
    uncompressedLength: 0,
  })
  const limits = { bytes: 2 ** 23, blobs: 100 }
  assert.equal([...cutRanges([at(0), at(50)], limits)].length, 2)
  assert.equal([...cutRanges([at(0), at(100), at(100 + 2 ** 20)], limits)].length, 1)
  assert.equal([...cutRanges([at(0), at(101 + 2 ** 20)], limits)].length, 2)
  assert.deepEqual([...cutRanges([], limits)], [])
})
