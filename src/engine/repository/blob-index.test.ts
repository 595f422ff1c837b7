import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'

import { BlobIndex, type SharedIndex } from './blob-index.ts'

const idOf = (text: string): Buffer => createHash('sha256').update(text).digest()
const packId = idOf('pack').toString('hex')
const place = { packId, offset: 0, length: 132, uncompressedLength: 0 }

test('a blob that was inserted is found where it lies, by bytes and by hex', () => {
  const index = new BlobIndex()
  index.insert('data', idOf('a'), { packId, offset: 7, length: 99, uncompressedLength: 1234 })
  const expected = [{ packId, offset: 7, length: 99, uncompressedLength: 1234 }]
  assert.deepEqual(index.find('data', idOf('a')), expected)
  assert.deepEqual(index.find('data', idOf('a').toString('hex')), expected)
  assert.equal(index.plainLength('data', idOf('a')), 1234)
  assert.deepEqual(index.find('data', idOf('b')), [])
})

test('the same bytes as data and as tree are two blobs', () => {
  const index = new BlobIndex()
  index.insert('data', idOf('a'), place)
  assert.equal(index.has('tree', idOf('a')), false)
  assert.equal(index.claim('tree', idOf('a')), true)
  assert.equal(index.claim('data', idOf('a')), false)
})

test('a copy in another pack is kept beside the first, and the same copy twice is one', () => {
  const index = new BlobIndex()
  const other = { ...place, packId: idOf('other pack').toString('hex') }
  for (const copy of [place, other, place, other]) index.insert('data', idOf('a'), copy)
  assert.deepEqual(index.find('data', idOf('a')), [place, other])
  assert.equal(index.size, 2)
})

test('a claimed blob is known, has no place, and gets one when it is inserted', () => {
  const index = new BlobIndex()
  assert.equal(index.claim('data', idOf('a')), true)
  assert.equal(index.claim('data', idOf('a')), false)
  assert.deepEqual(index.find('data', idOf('a')), [])
  index.insert('data', idOf('a'), place)
  assert.deepEqual(index.find('data', idOf('a')), [place])
  assert.equal(index.size, 1)
})

test('it grows and forgets nothing', () => {
  const index = new BlobIndex()
  const count = 100_000
  for (let nth = 0; nth < count; nth++)
    index.insert(nth % 3 === 0 ? 'tree' : 'data', idOf(`${nth}`), { ...place, offset: nth })
  assert.equal(index.size, count)
  for (let nth = 0; nth < count; nth += 997) {
    assert.deepEqual(index.find(nth % 3 === 0 ? 'tree' : 'data', idOf(`${nth}`)), [{ ...place, offset: nth }])
  }
  assert.equal(Array.from(index.entries()).length, count)
})

test('room that was reserved is enough without growing', () => {
  const index = new BlobIndex()
  index.reserve(500_000)
  const { slots } = index.shared
  for (let nth = 0; nth < 300_000; nth++) index.claim('data', idOf(`${nth}`))
  assert.equal(index.isCrowded, false)
  assert.equal(index.shared.slots, slots)
})

test('of many threads exactly one is told to store a blob', async () => {
  const index = new BlobIndex()
  index.reserve(40_000)
  const blobs = 20_000
  const claims = await Promise.all(Array.from({ length: 4 }, () => claimInThread(index.shared, blobs)))
  assert.equal(
    claims.reduce((sum, claimed) => sum + claimed, 0),
    blobs,
  )
  for (let nth = 0; nth < blobs; nth++) assert.equal(index.has('data', idOf(`${nth}`)), true)
})

function claimInThread(shared: SharedIndex, blobs: number): Promise<number> {
  const script = `
    import { createHash } from 'node:crypto'
    import { parentPort, workerData } from 'node:worker_threads'
    const { BlobIndex } = await import(workerData.module)
    const index = new BlobIndex(workerData.shared)
    let claimed = 0
    for (let nth = 0; nth < workerData.blobs; nth++) {
      if (index.claim('data', createHash('sha256').update(String(nth)).digest())) claimed++
    }
    parentPort.postMessage(claimed)`
  const url = new URL(`data:text/javascript,${encodeURIComponent(script)}`)
  const worker = new Worker(url, { workerData: { module: import.meta.resolve('./blob-index.ts'), shared, blobs } })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

test('all entries are gone over as numbers, each with the first copy of its blob', () => {
  const index = new BlobIndex()
  const packs = ['one', 'two', 'three'].map((text) => idOf(text).toString('hex'))
  const count = 60_000 // so that it grows on the way
  for (let nth = 0; nth < count; nth++) {
    const type = nth % 3 === 0 ? 'tree' : 'data'
    index.insert(type, idOf(`${nth}`), { ...place, packId: packs[0]!, offset: nth, length: nth })
    if (nth % 2 === 0) index.insert(type, idOf(`${nth}`), { ...place, packId: packs[1 + (nth % 4) / 2]!, offset: nth })
  }
  index.claim('data', idOf('claimed'))
  const seen = new Map<number, number>()
  for (const { entry, first, type, pack, length } of index.rows()) {
    seen.set(first, (seen.get(first) ?? 0) + 1)
    const id = index.idOf(entry)
    assert.equal(index.entryOf(type, id), first)
    assert.equal(index.packs[pack], index.placeOf(entry).packId)
    assert.equal(index.packOf(entry), pack)
    assert.equal(length, index.placeOf(entry).length)
    if (entry === first) assert.deepEqual(index.find(type, id)[0], index.placeOf(entry))
  }
  assert.equal(seen.size, count)
  assert.equal(
    seen
      .values()
      .filter((copies) => copies === 2)
      .toArray().length,
    count / 2,
  )
  assert.equal(index.entryOf('data', idOf('unknown')), undefined)
})
