import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { test } from 'node:test'

import {
  createRepository,
  createRest,
  forgetSnapshots,
  openLocal,
  openRepository,
  openRest,
  planPrune,
  prune,
} from '#engine'
import { cheapKey } from '#engine/testing'
import { needs } from '../needs.ts'
import { chanceOf, seedOf } from '../crash/chance.ts'
import { History, opening } from '../crash/history.ts'
import { startPlace, type PlaceKind } from './fault-places.ts'
import { startRclone } from './rest-server.ts'
import { skip as s3Missing } from './s3-scene.ts'

const seed = seedOf(20_260_608)
const kinds: Readonly<Record<Exclude<PlaceKind, 'rest-ssh'>, string | false>> = {
  sftp: needs('sshd'),
  'sftp-bare': needs('sshd'),
  rest: needs('rclone'),
  s3: s3Missing,
}

for (const [kind, skip] of Object.entries(kinds) as [PlaceKind, string | false][]) {
  test(`a prune over ${kind} frees what it planned and keeps every snapshot`, { skip }, async () => {
    await using place = await startPlace(kind)
    using history = new History(chanceOf(seed), { files: 20, largest: 300_000 })
    await using backend = await place.connect('create', place.port, 'pruned')
    await using repository = await createRepository(backend, { ...opening, cost: cheapKey })
    for (let nth = 0; nth < 8; nth++) {
      history.change()
      await history.backUp(repository)
    }
    const gone = history.letGo(0.6)
    const plan = await planPrune(repository, { forget: gone, maxUnusedShare: 0 })
    assert.deepEqual((await forgetSnapshots(repository, gone)).removed.length, gone.length)
    const result = await prune(repository, { plan })
    assert.deepEqual([result.isComplete, result.findings], [true, []])
    assert.equal(result.bytesFreed, plan.bytesFreed - result.added.count * 36)
    await history.assertWhole(await place.connect('open', place.port, 'pruned'), kind)
  })
}

test('a server that only appends keeps everything, and is told so', { skip: needs('rclone') }, async () => {
  await using server = await startRclone()
  using history = new History(chanceOf(seed), { files: 20, largest: 300_000 })
  await using backend = await createRest({ url: `${server.url}/kept/` })
  await using repository = await createRepository(backend, { ...opening, cost: cheapKey })
  for (let nth = 0; nth < 4; nth++) {
    history.change()
    await history.backUp(repository)
  }
  const [first] = history.records.keys()
  await repository.removeSnapshot(first!)
  history.records.delete(first!)
  await using appending = await startRclone('--append-only')
  await cp(server.folder, appending.folder, { recursive: true })
  await using kept = await openRest({ url: `${appending.url}/kept/` })
  await using locked = await openRepository(kept, opening)
  const [second] = history.records.keys()
  const { removed, refused, findings } = await forgetSnapshots(locked, [second!])
  assert.deepEqual([removed, refused.map(({ id }) => id), findings.length], [[], [second], 1])
  const packs = (await Array.fromAsync(kept.list('pack'))).length
  const result = await prune(locked, { maxUnusedShare: 0 })
  assert.deepEqual([result.isComplete, result.removed.count, result.added.count], [false, 0, 0])
  assert.equal((await Array.fromAsync(kept.list('pack'))).length, packs)
  await history.assertWhole(await openLocal(`${appending.folder}/kept`), 'append-only')
})
