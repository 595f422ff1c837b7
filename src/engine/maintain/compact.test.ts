import assert from 'node:assert/strict'
import { test } from 'node:test'

import { randomHex } from '#base'
import { choosePacks } from './choose-packs.ts'
import { IdTable } from './id-table.ts'
import { TreeGraph } from './tree-graph.ts'
import { cutRuns, WantedBlobs } from './wanted-blobs.ts'

test('ids get numbers in the order they come, however many there are', () => {
  const table = new IdTable()
  const ids = Array.from({ length: 20_000 }, () => randomHex(32))
  for (const [number, id] of ids.entries()) assert.equal(table.add(id), number)
  for (const [number, id] of ids.entries()) assert.equal(table.add(id), number)
  assert.equal(table.size, ids.length)
  assert.equal(table.idOf(12_345), ids[12_345])
})

test('a tree is tainted when something below it is not sound, by whatever way it was reached', () => {
  const graph = new TreeGraph()
  const [left, right, inner, deep, other] = Array.from({ length: 5 }, () => randomHex(32)) as [
    string,
    string,
    string,
    string,
    string,
  ]
  graph.record(left, 'sound', [inner])
  graph.record(right, 'sound', [inner])
  graph.record(inner, 'sound', [deep])
  graph.record(other, 'sound', [])
  graph.recordLost(deep)
  for (const root of [left, right, other]) graph.reach(root)
  assert.deepEqual([...graph.tainted()].map((tree) => graph.idOf(tree)).sort(), [deep, inner, left, right].sort())
  assert.deepEqual(
    [...graph.ancestors(graph.number(deep), 10)],
    [deep, inner, left].map((id) => graph.number(id)),
  )
})

test('a copy that could be read counts more than one that could not, whichever came first', () => {
  const graph = new TreeGraph()
  const [first, second] = [randomHex(32), randomHex(32)]
  graph.recordLost(first)
  graph.record(first, 'sound', [])
  graph.record(second, 'sound', [])
  graph.recordLost(second)
  assert.deepEqual([graph.state(graph.number(first)), graph.state(graph.number(second))], ['sound', 'sound'])
})

test('blobs of a pack are read in runs without what lies between far ones', () => {
  const wanted = new WantedBlobs()
  const add = (offset: number, length: number): void =>
    wanted.add('data', randomHex(32), { packId: 'p', offset, length, uncompressedLength: 7 })
  for (const offset of [5_000_000, 0, 100, 4_000_000]) add(offset, 100)
  const runs = [...cutRuns(wanted.inPack('p'))].map(({ start, end, blobs }) => [start, end, blobs.length])
  assert.deepEqual(runs, [
    [0, 200, 2],
    [4_000_000, 4_000_100, 1],
    [5_000_000, 5_000_100, 1],
  ])
  assert.deepEqual([wanted.count, wanted.bytes], [4, 400])
})

test('a run has an end, unless one blob alone is longer', () => {
  const wanted = new WantedBlobs()
  for (const [nth, length] of [9e6, 9e6, 40e6, 1].entries()) {
    const offset = [0, 9e6, 18e6, 58e6][nth]!
    wanted.add('tree', randomHex(32), { packId: 'p', offset, length, uncompressedLength: 0 })
  }
  assert.deepEqual(
    [...cutRuns(wanted.inPack('p'))].map(({ blobs }) => blobs.length),
    [1, 1, 1, 1],
  )
})

test('the parts that packs are told apart by are everything together, and nothing twice', () => {
  const ids = Array.from({ length: 500 }, () => randomHex(32))
  const parts = [1, 2, 3].flatMap((part) => choosePacks(ids, 0, { part, of: 3 }))
  assert.deepEqual(parts.sort(), ids.sort())
  assert.equal(choosePacks(ids, 0.101).length, 51)
  assert.equal(choosePacks(ids, 0).length, 0)
  assert.equal(choosePacks(ids, 1).length, 500)
})
