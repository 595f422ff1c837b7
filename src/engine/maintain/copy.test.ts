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

/** One more snapshot, of thirty blobs of a mebibyte in packs of their own. */
function addMuch(crafted: CraftedRepository): void {
  const more = Array.from({ length: 30 }, () => crafted.blob('data', randomBytes(2 ** 20), { raw: true }))
  crafted.saveIndex(...more.map((blob) => crafted.pack([blob])))
  const root = crafted.tree(...more.map(({ id }, nth) => fileNode(`m${String(nth).padStart(2, '0')}`, [id], 2 ** 20)))
  crafted.saveIndex(crafted.pack([root]))
  crafted.saveSnapshot(root.id, { time: '2026-02-01T00:00:00Z' })
}

const opening = { password: new Secret('password of a test'), lockTimings: { settleMs: 0 } }

/** A copy of much that was ended when its first pack lay there. */
async function abortedCopy(): Promise<{ crafted: CraftedRepository; target: MemoryBackend; packs: string[] }> {
  const { crafted } = await threeSnapshots(2 ** 20)
  addMuch(crafted)
  const target = new MemoryBackend('target')
  await using to = await memoryRepository(target, { polynomial })
  await using from = await source(crafted)
  const stop = new AbortController()
  const packs = async (): Promise<string[]> => (await Array.fromAsync(target.list('pack'))).map(({ name }) => name)
  const look = async (): Promise<void> => {
    if ((await packs()).length > 0) stop.abort(new Error('stopped'))
  }
  const watch = setInterval(() => void look(), 1)
  try {
    await assert.rejects(copySnapshots(from, to, { snapshots: 'all', verify: 1 }, stop.signal), /stopped/)
  } finally {
    clearInterval(watch)
  }
  return { crafted, target, packs: await packs() }
}

test('what a copy has stored before it was ended is not sent again, though no index names it', async () => {
  const { crafted, target, packs } = await abortedCopy()
  assert.deepEqual(await Array.fromAsync(target.list('index')), [])
  const watched = new FaultyBackend(target)
  await using to = await openRepository(watched, opening)
  await using from = await source(crafted)
  const { findings, copied, blobs } = await copySnapshots(from, to, { snapshots: 'all', verify: 1 })
  assert.deepEqual([findings, copied.length], [[], 4])
  assert.ok(blobs <= 36 + 6 - 12 * packs.length, `${blobs} blobs sent beside ${packs.length} packs`)
  for (const pack of packs) assert.ok(to.index.packs.includes(pack))
  await assertSound(to, 4)
})

test('a pack that was left behind and is not whole, or has a damaged blob, is sent again', async () => {
  const { crafted, target, packs } = await abortedCopy()
  const ref = { type: 'pack', name: packs[0]! } as const
  const bytes = Buffer.concat(await Array.fromAsync(target.load(ref)))
  const spoilt = [Buffer.from(bytes.with(1000, bytes[1000]! ^ 1)), bytes.subarray(0, 9_000_000), Buffer.alloc(0)]
  for (const spoil of spoilt) {
    const other = target.clone()
    for (const name of packs) other.overwrite({ type: 'pack', name }, spoil)
    await using to = await openRepository(other, opening)
    await using from = await source(crafted)
    const { copied, blobs } = await copySnapshots(from, to, { snapshots: 'all', verify: 1 })
    assert.deepEqual([copied.length, blobs], [4, 36 + 6])
    for (const name of packs) assert.ok(!to.index.packs.includes(name))
  }
})

test('in a long copy what was stored is read back and named from time to time', async () => {
  const { crafted } = await threeSnapshots(2 ** 20)
  addMuch(crafted)
  const target = new MemoryBackend('target')
  await using _ = await memoryRepository(target, { polynomial })
  const watched = new FaultyBackend(target)
  let now = 0
  const clock = { now: () => Date.now(), monotonic: () => (now += 5 * 60_000) }
  await using to = await openRepository(watched, { ...opening, clock })
  await using from = await source(crafted)
  await copySnapshots(from, to, { snapshots: 'all', verify: 1 })
  const steps = watched.operations.flatMap(({ operation, type }) => {
    const step = `${operation} ${type}`
    return ['save pack', 'load pack', 'save index', 'save snapshot'].includes(step) ? [step] : []
  })
  assert.ok(steps.indexOf('save index') < steps.lastIndexOf('save pack'), steps.join(', '))
  assert.ok(steps.indexOf('load pack') < steps.indexOf('save index'), steps.join(', '))
  assert.ok(steps.lastIndexOf('save index') < steps.indexOf('save snapshot'), steps.join(', '))
  await assertSound(to, 4)
})

test('a place that does not answer while it is read back is no damage', async () => {
  const { crafted } = await threeSnapshots()
  const target = new MemoryBackend('target')
  await using _ = await memoryRepository(target, { polynomial })
  const failing = new FaultyBackend(target, { faults: [{ at: 1, action: 'fail', on: ['load'], type: 'pack' }] })
  await using to = await openRepository(failing, opening)
  await using from = await source(crafted)
  await assert.rejects(copySnapshots(from, to, { snapshots: 'all', verify: 1 }), { kind: 'unavailable' })
  assert.deepEqual(await Array.fromAsync(target.list('snapshot')), [])
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
