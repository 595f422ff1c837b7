import assert from 'node:assert/strict'
import { test } from 'node:test'

import { memoryRepository } from '../testing.ts'
import { Handmade } from './handmade.ts'
import { planRestore } from './plan-restore.ts'

test('a plan of more folders than are read together has each of them, at its depth and with what is in it', async () => {
  await using repository = await memoryRepository()
  const make = new Handmade(repository)
  const inner = make.tree([make.file('leaf', 'of a leaf')])
  const middle = make.tree([{ name: 'inner', type: 'dir', subtree: inner }, make.file('text', 'in the middle')])
  const count = 17_000
  const names = Array.from({ length: count }, (_, nth) => `d${String(nth).padStart(5, '0')}`)
  const root = make.tree(names.map((name) => ({ name, type: 'dir', subtree: middle })))
  await make.store()

  const plan = await planRestore(repository, { tree: root, target: '/nowhere/at/all' })
  assert.deepEqual(plan.findings, [])
  assert.equal(plan.counts.folders, 2 * count)
  assert.equal(plan.counts.created, 2 * count)
  assert.deepEqual(plan.layout.levels, [0, 1, 1 + count])
  const paths = new Set(Array.from(plan.changes(), ({ path }) => path.toString()))
  const expected = names.flatMap((name) => ['', '/inner', '/inner/leaf', '/text'].map((below) => `${name}${below}`))
  assert.deepEqual(paths, new Set(expected))
})
