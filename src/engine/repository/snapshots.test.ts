import assert from 'node:assert/strict'
import { test } from 'node:test'

import { FaultyBackend, MemoryBackend, memoryPassword, memoryRepository } from '../testing.ts'
import { openRepository } from './repository.ts'

const tree = 'a'.repeat(64)

test('snapshots are listed oldest first by the instant, whatever their zone', async () => {
  await using repository = await memoryRepository()
  const times = ['2026-03-01T10:00:00.000000002Z', '2026-03-01T10:30:00+02:00', '2026-03-01T10:00:00.000000001Z']
  for (const time of times) await repository.saveSnapshot({ time, tree, paths: ['/srv'], tags: ['one'] })
  const { snapshots, damaged } = await repository.listSnapshots()
  assert.deepEqual(
    snapshots.map(({ snapshot }) => snapshot.time),
    [times[1], times[2], times[0]],
  )
  assert.deepEqual(damaged, [])
  assert.deepEqual(snapshots[0]!.snapshot, { time: times[1], tree, paths: ['/srv'], tags: ['one'] })
  assert.equal((await repository.findSnapshot('latest')).snapshot.time, times[0])
})

test('a snapshot is found by the beginning of its id, when only one begins so', async () => {
  await using repository = await memoryRepository()
  const ids: string[] = []
  for (let second = 10; second < 50; second++) {
    ids.push(await repository.saveSnapshot({ time: `2026-03-01T10:00:${second}Z`, tree, paths: ['/srv'] }))
  }
  const [first] = ids
  assert.equal((await repository.findSnapshot(first!)).id, first)
  assert.equal((await repository.findSnapshot(first!.slice(0, 12).toUpperCase())).id, first)
  const shared = ids.map((id) => id[0]!).find((digit) => ids.filter((id) => id.startsWith(digit)).length > 1)
  await assert.rejects(repository.findSnapshot(shared!), { code: 'repository.snapshot-ambiguous', kind: 'invalid' })
  for (const name of ['', 'zz', '../', `${first}0`]) {
    await assert.rejects(repository.findSnapshot(name), { code: 'repository.snapshot-missing', kind: 'missing' })
  }
  await using empty = await memoryRepository()
  await assert.rejects(empty.findSnapshot('latest'), { code: 'repository.snapshot-missing' })
})

test('a damaged snapshot is reported beside the sound ones', async () => {
  const backend = new MemoryBackend()
  await using repository = await memoryRepository(backend)
  const sound = await repository.saveSnapshot({ time: '2026-03-01T10:00:00Z', tree, paths: ['/srv'] })
  const hurt = await repository.saveSnapshot({ time: '2026-03-02T10:00:00Z', tree, paths: ['/srv'] })
  const strange = await repository.saveUnpacked('snapshot', Buffer.from('{"time":"2026-03-02T10:00:00Z"}'))
  backend.overwrite({ type: 'snapshot', name: hurt }, Buffer.from('x'))
  const { snapshots, damaged } = await repository.listSnapshots()
  assert.deepEqual(
    snapshots.map(({ id }) => id),
    [sound],
  )
  assert.deepEqual(new Set(damaged.map(({ id }) => id)), new Set([hurt, strange]))
  for (const { error } of damaged) assert.equal(error.code, 'repository.file-damaged')
  await assert.rejects(repository.findSnapshot(hurt), { code: 'repository.file-damaged' })
  assert.equal((await repository.findSnapshot('latest')).id, sound)
})

test('a snapshot that goes while the list is made is no trouble; a place that does not answer is', async () => {
  const backend = new MemoryBackend()
  const made = await memoryRepository(backend)
  for (let day = 10; day < 20; day++) {
    await made.saveSnapshot({ time: `2026-03-${day}T10:00:00Z`, tree, paths: ['/srv'] })
  }
  const ids = (await made.listSnapshots()).snapshots.map(({ id }) => id)
  const listing = made.listSnapshots()
  await made.removeSnapshot(ids[9]!)
  assert.ok((await listing).snapshots.length >= 9)
  await assert.rejects(made.removeSnapshot(ids[9]!), { code: 'repository.snapshot-missing' })

  const faults = [{ at: 3, action: 'fail', on: ['load'], type: 'snapshot' } as const]
  const faulty = await openRepository(new FaultyBackend(backend, { faults }), { password: memoryPassword })
  await assert.rejects(faulty.listSnapshots(), { code: 'backend.unavailable' })
})
