import assert from 'node:assert/strict'
import { test } from 'node:test'

import { chooseRepack } from './choose-repack.ts'
import type { InventoriedPack } from './pack-inventory.ts'

const megabyte = 1024 * 1024
const usual = { maxUnusedShare: 0.05, maxRepackBytes: undefined, version: 2 } as const

/** A pack of `megabytes`, of which a share is wasted. */
function packOf(id: string, megabytes: number, wasted: number, more: Partial<InventoriedPack> = {}): InventoriedPack {
  const size = megabytes * megabyte
  const counts = {
    used: { count: 1, bytes: size * (1 - wasted) },
    unused: { count: 1, bytes: size * wasted },
    duplicate: { count: 0, bytes: 0 },
  }
  return { id, size, fileSize: size, holds: 'data', hasRawTrees: false, digest: '', counts, ...more }
}

function chosen(packs: readonly InventoriedPack[], limits: Parameters<typeof chooseRepack>[1] = usual): string[] {
  return Array.from(chooseRepack(packs, limits), ({ id }) => id)
}

test('the most wasted packs are packed again, until what stays is little', () => {
  const packs = [packOf('a', 16, 0.1), packOf('b', 16, 0.6), packOf('c', 16, 0.3), packOf('d', 16, 0)]
  assert.deepEqual(chosen(packs), ['b', 'c'])
  assert.deepEqual(chosen(packs, { ...usual, maxUnusedShare: 0.15 }), ['b'])
  assert.deepEqual(chosen(packs, { ...usual, maxUnusedShare: 0 }), ['b', 'c', 'a'])
  assert.deepEqual(chosen(packs, { ...usual, maxUnusedShare: 1 }), [])
})

test('packs of both types, and trees that are not compressed, go first and whatever is wasted', () => {
  const packs = [
    packOf('a', 16, 0.5),
    packOf('b', 16, 0, { holds: 'both' }),
    packOf('c', 16, 0, { holds: 'tree', hasRawTrees: true }),
  ]
  assert.deepEqual(chosen(packs), ['b', 'c', 'a'])
  assert.deepEqual(chosen(packs, { ...usual, version: 1 }), ['b', 'a'])
  assert.deepEqual(chosen(packs, { ...usual, maxUnusedShare: 1 }), ['b', 'c'])
})

test('small packs are merged when there are ten of them', () => {
  const large = Array.from({ length: 20 }, (_, nth) => packOf(`large ${nth}`, 16, 0))
  const small = Array.from({ length: 10 }, (_, nth) => packOf(`small ${nth}`, 1, 0))
  assert.equal(chosen([...large, ...small]).length, 10)
  assert.equal(chosen([...large, ...small.slice(1)]).length, 0)
})

test('packs as large as ours are not small beside larger ones of other programs', () => {
  const theirs = Array.from({ length: 400 }, (_, nth) => packOf(`theirs ${nth}`, 128, 0))
  const ours = Array.from({ length: 11 }, (_, nth) => packOf(`ours ${nth}`, 17, 0))
  assert.deepEqual(chosen([...theirs, ...ours]), [])
})

test('not more bytes are packed again than is allowed', () => {
  const packs = [packOf('a', 16, 0.5), packOf('b', 12, 0.4), packOf('c', 3, 0.3)]
  assert.deepEqual(chosen(packs, { ...usual, maxUnusedShare: 0, maxRepackBytes: 20 * megabyte }), ['a', 'c'])
})
