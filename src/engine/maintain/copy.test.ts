import assert from 'node:assert/strict'
import { test } from 'node:test'

import { randomBytes, Secret } from '#base'
import { memoryRepository } from '../testing.ts'
import type { Backend } from '../backend/backend.ts'
import { FaultyBackend } from '../backend/faulty.ts'
import { MemoryBackend } from '../backend/memory/memory.ts'
import { openRepository, type Repository } from '../repository/repository.ts'
import { check } from './check.ts'
import { copySnapshots, type CopyResult } from './copy.ts'
import { craftedPassword, CraftedRepository, craftRepository, fileNode, folderNode } from './crafted-repository.ts'

const polynomial = 0x3855f384f04c43n

async function source(crafted: CraftedRepository, backend: Backend = crafted.backend): Promise<Repository> {
  return await openRepository(backend, { password: new Secret(craftedPassword), lockTimings: { settleMs: 0 } })
}

/** Three snapshots that share files; the second one, `b`, needs the second pack of data too. */
async function threeSnapshots(sizes = 100_000): Promise<{
  crafted: CraftedRepository
  ids: string[]
  dataPacks: string[]
}> {
  const crafted = new CraftedRepository()
  await crafted.saveKey()
  crafted.saveConfig(JSON.stringify({ version: 2, id: '6'.repeat(64), chunker_polynomial: polynomial.toString(16) }))
  const blobs = Array.from({ length: 6 }, () => crafted.blob('data', randomBytes(sizes)))
  const names = blobs.map(({ id }, nth) => fileNode(`f${nth}`, [id], sizes))
  const shared = crafted.tree(...names.slice(0, 4))
  const extra = crafted.tree(...names.slice(4))
  const roots = [
    crafted.tree(folderNode('shared', shared.id)),
    crafted.tree(folderNode('extra', extra.id), folderNode('shared', shared.id)),
    crafted.tree(fileNode('also', [blobs[0]!.id, blobs[1]!.id], 2 * sizes), folderNode('shared', shared.id)),
  ]
  const packs = [crafted.pack(blobs.slice(0, 4)), crafted.pack(blobs.slice(4))]
  crafted.saveIndex(...packs, crafted.pack([shared, extra, ...roots]))
  const ids = roots.map(({ id }, nth) =>
    crafted.saveSnapshot(id, {
      time: `2026-01-0${nth + 1}T00:00:00+01:00`,
      parent: 'cd'.repeat(32),
      tags: ['t'],
      ...(nth === 2 && { original: 'ef'.repeat(32) }),
    }),
  )
  return { crafted, ids, dataPacks: packs.map(({ id }) => id) }
}

async function assertSound(repository: Repository, snapshots: number): Promise<void> {
  const result = await check(repository, { readShare: 1 })
  assert.deepEqual(result.findings, [])
  assert.equal(result.snapshots, snapshots)
}

/** Like {@link assertSound}, but a run that was stopped may leave packs that no index names, and its lock. */
async function assertUnharmed(repository: Repository): Promise<void> {
  const { findings } = await check(repository, { readShare: 1 })
  assert.deepEqual(
    findings.filter(({ severity }) => severity !== 'notice'),
    [],
  )
}

test('copied snapshots are whole in the target, without a parent and with their original', async () => {
  const { crafted, ids } = await threeSnapshots()
  await using from = await source(crafted)
  await using to = await memoryRepository(new MemoryBackend('target'), { polynomial })
  const result = await copySnapshots(from, to, { snapshots: 'all', verify: 1 })
  assert.deepEqual(result.findings, [])
  assert.deepEqual([result.failed, result.present], [[], []])
  assert.deepEqual(
    result.copied.map((copied) => copied.source),
    ids,
  )
  await assertSound(to, 3)
  const { snapshots } = await to.listSnapshots()
  assert.deepEqual(
    snapshots.map(({ snapshot }) => snapshot.original),
    [ids[0], ids[1], 'ef'.repeat(32)],
  )
  for (const [nth, { id, snapshot }] of snapshots.entries()) {
    assert.equal(id, result.copied[nth]!.target)
    assert.equal(snapshot.parent, undefined)
    const { snapshot: before } = await from.findSnapshot(ids[nth]!)
    const { parent: _, original: __, ...same } = before
    assert.deepEqual({ ...snapshot, original: undefined }, { ...same, original: undefined })
  }
})

test('what is there already is not copied again', async () => {
  const { crafted, ids } = await threeSnapshots()
  await using from = await source(crafted)
  await using to = await memoryRepository(new MemoryBackend('target'), { polynomial })
  const first = await copySnapshots(from, to, { snapshots: [ids[0]!.slice(0, 12)] })
  assert.equal(first.blobs, 4 + 2)
  const second = await copySnapshots(from, to, { snapshots: 'all' })
  assert.deepEqual(second.present, first.copied)
  assert.equal(second.copied.length, 2)
  assert.equal(second.blobs, 2 + 3)
  const third = await copySnapshots(from, to, { snapshots: 'all' })
  assert.deepEqual([third.copied.length, third.present.length, third.blobs, third.bytesAdded], [0, 3, 0, 0])
  await assertSound(to, 3)
  await using again = await memoryRepository(new MemoryBackend('third'), { polynomial })
  await copySnapshots(to, again, { snapshots: 'all' })
  const back = await copySnapshots(again, from, { snapshots: 'all' })
  assert.equal(back.present.length, 3)
})

test('each pack of the source is read once, in one piece where it is wanted whole', async () => {
  const { crafted } = await threeSnapshots()
  const watched = new FaultyBackend(crafted.backend)
  await using from = await source(crafted, watched)
  await using to = await memoryRepository(new MemoryBackend('target'), { polynomial })
  await copySnapshots(from, to, { snapshots: 'all' })
  const { index } = from
  const treePacks = new Set<string>()
  for (const { type, place } of index.entries()) if (type === 'tree') treePacks.add(place.packId)
  const reads = watched.operations.filter(({ operation, type }) => operation === 'load' && type === 'pack')
  const dataReads = reads.map(({ name }) => name).filter((name) => !treePacks.has(name))
  assert.equal(dataReads.length, 2)
  assert.equal(new Set(dataReads).size, 2)
})

test('a snapshot with a damaged blob is not copied, and the others are', async () => {
  const { crafted, ids, dataPacks } = await threeSnapshots()
  const ref = { type: 'pack', name: dataPacks[1]! } as const
  const bytes = Buffer.concat(await Array.fromAsync(crafted.backend.load(ref)))
  bytes[100]! ^= 1
  crafted.backend.overwrite(ref, bytes)
  await using from = await source(crafted)
  await using to = await memoryRepository(new MemoryBackend('target'), { polynomial })
  const result = await copySnapshots(from, to, { snapshots: 'all' })
  assert.deepEqual(result.failed, [ids[1]])
  assert.deepEqual(
    result.copied.map((copied) => copied.source),
    [ids[0], ids[2]],
  )
  const subjects = result.findings.map(({ severity, subject }) => `${severity} ${subject}`)
  assert.deepEqual(subjects, [`damage pack ${dataPacks[1]!.slice(0, 10)}`, `damage snapshot ${ids[1]!.slice(0, 10)}`])
  await assertSound(to, 2)
})

test('a damaged blob with another good copy is copied', async () => {
  const { crafted } = await threeSnapshots()
  const blob = crafted.blob('data', 'twice')
  const change = (bytes: Uint8Array): Uint8Array => bytes.with(20, bytes[20]! ^ 1)
  const root = crafted.tree(fileNode('twice', [blob.id], 5))
  crafted.saveIndex(crafted.pack([blob], { change }), crafted.pack([blob]), crafted.pack([root]))
  crafted.saveSnapshot(root.id, { time: '2026-02-01T00:00:00Z' })
  await using from = await source(crafted)
  await using to = await memoryRepository(new MemoryBackend('target'), { polynomial })
  const result = await copySnapshots(from, to, { snapshots: 'all' })
  assert.deepEqual([result.findings, result.failed], [[], []])
  await assertSound(to, 4)
})

test('a missing tree or data blob fails the snapshots that need it', async () => {
  const missing = 'ab'.repeat(32)
  for (const nodes of [[folderNode('zz', missing)], [fileNode('zz', [missing], 1)]]) {
    const crafted = await craftRepository({ nodes })
    await using from = await source(crafted)
    await using to = await memoryRepository(new MemoryBackend('target'), { polynomial })
    const result = await copySnapshots(from, to, { snapshots: 'all' })
    assert.equal(result.failed.length, 1)
    assert.equal(result.copied.length, 0)
    await assertSound(to, 0)
  }
})

test('a copy that is stopped at any operation harms nothing, and the next one completes it', async () => {
  const { crafted } = await threeSnapshots(2000)
  const template = new MemoryBackend('target')
  await using _ = await memoryRepository(template, { polynomial })
  const options = { password: new Secret('password of a test'), lockTimings: { settleMs: 0 } }
  for (let at = 1, isStopped = true; isStopped; at++) {
    const backend = template.clone()
    {
      const stopping = new FaultyBackend(backend, { faults: [{ at, action: 'stop' }] })
      await using from = await source(crafted)
      const copy = async (): Promise<CopyResult> => {
        await using to = await openRepository(stopping, options)
        return await copySnapshots(from, to, { snapshots: 'all' })
      }
      await copy().catch((thrown: unknown) => assert.equal((thrown as { code: string }).code, 'backend.unavailable'))
      isStopped = stopping.stopped
    }
    await using from = await source(crafted)
    await using to = await openRepository(backend, options)
    await assertUnharmed(to)
    const result = await copySnapshots(from, to, { snapshots: 'all' })
    assert.equal(result.copied.length + result.present.length, 3, `stopped at operation ${at}`)
    await assertUnharmed(to)
  }
})

test('a copy that is aborted leaves an index of what it stored', async () => {
  const { crafted } = await threeSnapshots(2 ** 20)
  const more = Array.from({ length: 30 }, () => crafted.blob('data', randomBytes(2 ** 20), { raw: true }))
  crafted.saveIndex(...more.map((blob) => crafted.pack([blob])))
  const root = crafted.tree(...more.map(({ id }, nth) => fileNode(`m${String(nth).padStart(2, '0')}`, [id], 2 ** 20)))
  crafted.saveIndex(crafted.pack([root]))
  crafted.saveSnapshot(root.id, { time: '2026-02-01T00:00:00Z' })
  const target = new MemoryBackend('target')
  await using to = await memoryRepository(target, { polynomial })
  await using from = await source(crafted)
  const stop = new AbortController()
  const look = async (): Promise<void> => {
    if ((await Array.fromAsync(target.list('pack'))).length > 0) stop.abort(new Error('stopped'))
  }
  const watch = setInterval(() => void look(), 1)
  try {
    await assert.rejects(copySnapshots(from, to, { snapshots: 'all' }, stop.signal), /stopped/)
  } finally {
    clearInterval(watch)
  }
  await to.loadIndex()
  assert.ok(to.index.size > 0)
  const result = await copySnapshots(from, to, { snapshots: 'all' })
  assert.ok(result.blobs < 36 + 6)
  await assertUnharmed(to)
})

test('repositories that cut in different ways are copied, with a warning', async () => {
  const { crafted } = await threeSnapshots()
  await using from = await source(crafted)
  await using to = await memoryRepository(new MemoryBackend('target'))
  const { findings } = await copySnapshots(from, to, { snapshots: 'all' })
  assert.deepEqual(
    findings.map(({ severity, subject }) => [severity, subject]),
    [['warning', 'target']],
  )
  await assertSound(to, 3)
})

test('what is read back and is not what was written stops the copy before a snapshot is saved', async () => {
  const { crafted, ids } = await threeSnapshots()
  const target = new MemoryBackend('target')
  await using _ = await memoryRepository(target, { polynomial })
  const flipping = new FaultyBackend(target, { faults: [{ at: 1, action: 'flip', on: ['save'], type: 'pack' }] })
  await using to = await openRepository(flipping, {
    password: new Secret('password of a test'),
    lockTimings: { settleMs: 0 },
  })
  await using from = await source(crafted)
  const result = await copySnapshots(from, to, { snapshots: 'all', verify: 1 })
  assert.deepEqual([...result.failed].sort(), [...ids].sort())
  assert.equal(result.findings[0]!.severity, 'damage')
  assert.deepEqual(await Array.fromAsync(target.list('snapshot')), [])
  await copySnapshots(from, to, { snapshots: 'all', verify: 1 })
  await assertUnharmed(to)
  assert.equal((await to.listSnapshots()).snapshots.length, 3)
})
