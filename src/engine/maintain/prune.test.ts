import assert from 'node:assert/strict'
import { test } from 'node:test'

import { randomBytes, Secret } from '#base'
import type { Backend, FileRef, FileType } from '../backend/backend.ts'
import { backendError } from '../backend/errors.ts'
import { describeFile } from '../backend/file-ref.ts'
import { FaultyBackend } from '../backend/faulty.ts'
import { MemoryBackend } from '../backend/memory/memory.ts'
import { openRepository, type Repository } from '../repository/repository.ts'
import { check } from './check.ts'
import {
  craftedConfig,
  craftedPassword,
  CraftedRepository,
  fileNode,
  folderNode,
  type CraftedBlob,
} from './crafted-repository.ts'
import { forgetSnapshots } from './forget.ts'
import { planPrune } from './plan-prune.ts'
import { prune } from './prune.ts'

const size = 20_000

async function openOn(backend: Backend): Promise<Repository> {
  return await openRepository(backend, { password: new Secret(craftedPassword), lockTimings: { settleMs: 0 } })
}

interface Stage {
  readonly crafted: CraftedRepository
  /** Ids of two snapshots: the first needs `blobs` 0 to 3, the second 2 to 5. */
  readonly snapshots: readonly [string, string]
  readonly blobs: readonly CraftedBlob[]
  /** Ids of the packs of blobs 0 and 1, 2 and 3, 4 and 5. */
  readonly dataPacks: readonly string[]
  readonly roots: readonly [CraftedBlob, CraftedBlob]
  readonly indexId: string
}

async function stage(version: 1 | 2 = 2): Promise<Stage> {
  const crafted = new CraftedRepository()
  await crafted.saveKey()
  crafted.saveConfig(JSON.stringify({ ...craftedConfig, version }))
  const blobs = Array.from({ length: 6 }, () => crafted.blob('data', randomBytes(size), { raw: version === 1 }))
  const files = blobs.map(({ id }, nth) => fileNode(`f${nth}`, [id], size))
  const inner = [files.slice(0, 4), files.slice(2)].map((nodes) =>
    crafted.blob('tree', `${JSON.stringify({ nodes })}\n`, { raw: version === 1 }),
  )
  const roots = inner.map(({ id }) =>
    crafted.blob('tree', `${JSON.stringify({ nodes: [folderNode('d', id)] })}\n`, { raw: version === 1 }),
  ) as [CraftedBlob, CraftedBlob]
  const packs = [0, 2, 4].map((at) => crafted.pack(blobs.slice(at, at + 2)))
  const trees = crafted.pack([...inner, ...roots])
  const indexId = crafted.saveIndex(...packs, trees)
  const [one, two] = roots.map(({ id }, nth) => crafted.saveSnapshot(id, { time: `2026-01-0${nth + 1}T00:00:00Z` }))
  return { crafted, snapshots: [one!, two!], blobs, dataPacks: packs.map(({ id }) => id), roots, indexId }
}

async function namesIn(backend: Backend): Promise<string[]> {
  const types: FileType[] = ['snapshot', 'index', 'pack']
  const all = await Promise.all(types.map((type) => Array.fromAsync(backend.list(type))))
  return all.flat().map(describeFile).sort()
}

async function assertSound(repository: Repository, snapshots: number): Promise<void> {
  const result = await check(repository, { readShare: 1 })
  assert.deepEqual([result.findings, result.snapshots], [[], snapshots])
}

/** Of every data blob of a snapshot's only folder. */
async function assertHolds(repository: Repository, blobs: readonly CraftedBlob[]): Promise<void> {
  for (const { id } of blobs) assert.equal((await repository.loadBlob('data', id)).length, size)
}

test('what no snapshot needs goes, what is shared stays, and a plan says both beforehand', async () => {
  const { crafted, snapshots, blobs, dataPacks } = await stage()
  await using repository = await openOn(crafted.backend)
  const before = await namesIn(crafted.backend)
  const plan = await planPrune(repository, { forget: [snapshots[0]] })
  assert.deepEqual(await namesIn(crafted.backend), before)
  assert.deepEqual([plan.snapshots, plan.packs.removed.count, plan.packs.kept.count], [1, 1, 3])
  assert.deepEqual([plan.blobs.used.count, plan.blobs.unused.count, plan.blobs.duplicate.count], [6, 4, 0])
  await forgetSnapshots(repository, [snapshots[0]])
  const result = await prune(repository, { plan })
  assert.deepEqual([result.isComplete, result.removed.count, result.bytesFreed], [true, 1, plan.bytesFreed])
  const left = await namesIn(crafted.backend)
  assert.ok(!left.includes(describeFile({ type: 'pack', name: dataPacks[0]! })))
  await assertSound(repository, 1)
  await assertHolds(repository, blobs.slice(2))
})

test('with no waste allowed partly needed packs are packed again, and nothing is left to do', async () => {
  for (const version of [1, 2] as const) {
    const { crafted, snapshots, blobs } = await stage(version)
    await using repository = await openOn(crafted.backend)
    await forgetSnapshots(repository, [snapshots[0]])
    const result = await prune(repository, { maxUnusedShare: 0 })
    assert.deepEqual([result.plan.packs.repacked.count, result.copied.count, result.added.count], [1, 2, 1])
    await assertSound(repository, 1)
    await assertHolds(repository, blobs.slice(2))
    const again = await prune(repository, { maxUnusedShare: 0 })
    assert.deepEqual([again.removed.count, again.added.count, again.plan.indexFiles.replaced], [0, 0, 0])
  }
})

test('not more is packed again than was allowed', async () => {
  const { crafted, snapshots } = await stage()
  await using repository = await openOn(crafted.backend)
  await forgetSnapshots(repository, [snapshots[0]])
  const { plan, added } = await prune(repository, { maxUnusedShare: 0, maxRepackBytes: 100 })
  assert.deepEqual([plan.packs.repacked.count, added.count, plan.maxRepackBytes], [0, 0, 100])
  assert.ok(plan.bytesUnusedLeft > 0)
  await assertSound(repository, 1)
})

test('of blobs that are stored twice one copy stays, in the pack that is wasted least', async () => {
  const { crafted, blobs, dataPacks } = await stage()
  crafted.saveIndex(crafted.pack([...blobs.slice(0, 4), crafted.blob('data', randomBytes(size))]))
  await using repository = await openOn(crafted.backend)
  const { plan } = await prune(repository)
  assert.deepEqual([plan.blobs.duplicate.count, plan.blobs.unused.count, plan.packs.removed.count], [4, 1, 1])
  const left = await namesIn(crafted.backend)
  for (const name of dataPacks) assert.ok(left.includes(describeFile({ type: 'pack', name })))
  await assertSound(repository, 2)
})

test('packs of both types are sorted out, and trees that are not compressed are compressed', async () => {
  const crafted = new CraftedRepository()
  await crafted.saveKey()
  crafted.saveConfig(JSON.stringify(craftedConfig))
  const blob = crafted.blob('data', randomBytes(size))
  const raw = crafted.blob('tree', `${JSON.stringify({ nodes: [fileNode('f', [blob.id], size)] })}\n`, { raw: true })
  const root = crafted.tree(folderNode('d', raw.id))
  crafted.saveIndex(crafted.pack([blob, root]), crafted.pack([raw]))
  crafted.saveSnapshot(root.id)
  await using repository = await openOn(crafted.backend)
  const { plan, added } = await prune(repository)
  assert.deepEqual([plan.packs.repacked.count, added.count], [2, 2])
  await assertSound(repository, 1)
  const again = await planPrune(repository)
  assert.equal(again.packs.repacked.count, 0)
  await repository.loadIndex()
  assert.ok(repository.index.find('tree', raw.id)[0]!.uncompressedLength > 0)
})

test('many small packs and index files are merged once', async () => {
  const { crafted } = await stage()
  const blobs = Array.from({ length: 12 }, () => crafted.blob('data', randomBytes(1000)))
  for (const blob of blobs) crafted.saveIndex(crafted.pack([blob]))
  const root = crafted.tree(...blobs.map(({ id }, nth) => fileNode(`s${10 + nth}`, [id], 1000)))
  crafted.saveIndex(crafted.pack([root]))
  crafted.saveSnapshot(root.id)
  await using repository = await openOn(crafted.backend)
  const { plan, added } = await prune(repository)
  assert.deepEqual([plan.packs.repacked.count, added.count, plan.indexFiles.replaced], [17, 2, 14])
  await assertSound(repository, 3)
  const again = await planPrune(repository)
  assert.deepEqual([again.packs.repacked.count, again.indexFiles.replaced], [0, 0])
})

const damages: Readonly<Record<string, (stage: Stage) => Promise<unknown>>> = {
  'a snapshot that cannot be read': async ({ crafted }) => crafted.saveBody('snapshot', 'no JSON'),
  'an index file that cannot be read': async ({ crafted }) => crafted.saveBody('index', 'no JSON'),
  'a tree that no index names': async ({ crafted }) => crafted.saveSnapshot('ab'.repeat(32)),
  'a blob that no index names': async ({ crafted }) => {
    const tree = crafted.tree(fileNode('f', ['ab'.repeat(32)], 5))
    crafted.saveIndex(crafted.pack([tree]))
    crafted.saveSnapshot(tree.id)
  },
  'a tree that is damaged': async ({ crafted }) => {
    const tree = crafted.tree(fileNode('f', [], 0))
    crafted.saveIndex(crafted.pack([{ ...tree, id: 'ab'.repeat(32) }]))
    crafted.saveSnapshot('ab'.repeat(32))
  },
  'a needed pack that is gone': async ({ crafted, dataPacks }) =>
    await crafted.backend.remove({ type: 'pack', name: dataPacks[1]! }),
  'a needed pack of another size': async ({ crafted, dataPacks }) =>
    crafted.backend.overwrite({ type: 'pack', name: dataPacks[1]! }, randomBytes(50)),
  'a pack that two index files describe in two ways': async ({ crafted, dataPacks, blobs }) =>
    crafted.saveIndex({ id: dataPacks[1]!, blobs: [{ ...blobs[2]!, offset: 3 }] }),
}

for (const [what, damage] of Object.entries(damages)) {
  test(`${what} is a reason not to prune at all`, async () => {
    const one = await stage()
    await damage(one)
    await using repository = await openOn(one.crafted.backend)
    await forgetSnapshots(repository, [one.snapshots[0]])
    const before = await namesIn(one.crafted.backend)
    await assert.rejects(planPrune(repository), { code: 'prune.damaged', kind: 'damaged' })
    await assert.rejects(prune(repository), { code: 'prune.damaged' })
    assert.deepEqual(await namesIn(one.crafted.backend), before)
  })
}

test('a blob that is to be packed again and is not what its id says ends the prune before anything is removed', async () => {
  const { crafted, snapshots, blobs, indexId } = await stage()
  // its pack is as large as it must be, and only its bytes are others
  await crafted.backend.remove({ type: 'index', name: indexId })
  const other = crafted.blob('data', randomBytes(size))
  const bad = { ...blobs[5]!, sealed: other.sealed }
  await using before = await openOn(crafted.backend)
  const files = [blobs.slice(2, 5), [bad, crafted.blob('data', randomBytes(size))]].map((some) => crafted.pack(some))
  const nodes = blobs.slice(2).map(({ id }, nth) => fileNode(`f${nth}`, [id], size))
  const root = crafted.tree(...nodes)
  crafted.saveIndex(...files, crafted.pack([root]))
  for (const id of snapshots) await before.removeSnapshot(id)
  crafted.saveSnapshot(root.id)
  const there = await namesIn(crafted.backend)
  await using repository = await openOn(crafted.backend)
  const wantedPack = describeFile({ type: 'pack', name: files[1]!.id })
  await assert.rejects(prune(repository, { maxUnusedShare: 0 }), (thrown: Error) => {
    assert.match(thrown.message, new RegExp(`data blob ${blobs[5]!.id.slice(0, 10)} in ${wantedPack}`))
    return 'code' in thrown && thrown.code === 'prune.damaged'
  })
  const left = await namesIn(crafted.backend)
  // besides what no index names, which went first
  assert.deepEqual(
    left.filter((name) => name.startsWith('snapshot') || name === wantedPack),
    there.filter((name) => name.startsWith('snapshot') || name === wantedPack),
  )
  await assertHolds(repository, blobs.slice(2, 5))
})

test('a pack that is gone and that nobody needs is forgotten by the index', async () => {
  const { crafted, snapshots, dataPacks } = await stage()
  await crafted.backend.remove({ type: 'pack', name: dataPacks[0]! })
  await using repository = await openOn(crafted.backend)
  await forgetSnapshots(repository, [snapshots[0]])
  const { plan, removed, isComplete } = await prune(repository)
  assert.deepEqual([removed.count, isComplete, plan.findings[0]?.severity], [0, true, 'warning'])
  await assertSound(repository, 1)
})

test('where no snapshot would stay nothing is removed', async () => {
  const { crafted, snapshots } = await stage()
  await using repository = await openOn(crafted.backend)
  const before = await namesIn(crafted.backend)
  const plan = await planPrune(repository, { forget: snapshots })
  assert.deepEqual([plan.packs.removed.count, plan.packs.kept.count, plan.findings.length], [0, 4, 1])
  await forgetSnapshots(repository, snapshots)
  await prune(repository, { plan })
  assert.deepEqual(
    await namesIn(crafted.backend),
    before.filter((name) => !name.startsWith('snapshot')),
  )
})

test('a plan that the repository has outlived is not performed', async () => {
  const { crafted, snapshots, roots } = await stage()
  await using repository = await openOn(crafted.backend)
  const plan = await planPrune(repository, { forget: [snapshots[0]] })
  await assert.rejects(prune(repository, { plan }), { code: 'prune.changed', kind: 'conflict' })
  await forgetSnapshots(repository, [snapshots[0]])
  crafted.saveSnapshot(roots[1].id, { time: '2026-02-01T00:00:00Z' })
  const before = await namesIn(crafted.backend)
  await assert.rejects(prune(repository, { plan }), { code: 'prune.changed' })
  assert.deepEqual(await namesIn(crafted.backend), before)
})

/** A place that keeps some files, whoever wants to remove them. */
class KeepingBackend extends FaultyBackend {
  readonly #keeps: (ref: FileRef) => boolean

  constructor(inner: Backend, keeps: (ref: FileRef) => boolean) {
    super(inner)
    this.#keeps = keeps
  }

  override async remove(ref: FileRef, signal?: AbortSignal): Promise<void> {
    if (!this.#keeps(ref)) return await super.remove(ref, signal)
    const facts = { place: this.place, verb: 'remove', file: describeFile(ref), reason: 'it is locked until 2033' }
    throw backendError('backend.denied', facts)
  }
}

test('a place that removes nothing is told, and nothing is copied in vain', async () => {
  const { crafted, snapshots, blobs } = await stage()
  await crafted.backend.remove({ type: 'snapshot', name: snapshots[0] })
  await using repository = await openOn(new KeepingBackend(crafted.backend, ({ type }) => type !== 'lock'))
  const packs = (await Array.fromAsync(crafted.backend.list('pack'))).length
  const result = await prune(repository, { maxUnusedShare: 0 })
  assert.deepEqual([result.isComplete, result.removed.count, result.added.count], [false, 0, 0])
  assert.match(result.findings[0]!.text, /locked until 2033/)
  assert.equal((await Array.fromAsync(crafted.backend.list('pack'))).length, packs)
  await assertHolds(repository, blobs.slice(2))
  const { findings } = await check(repository, { readShare: 1 })
  assert.deepEqual(
    findings.filter(({ severity }) => severity !== 'notice'),
    [],
  )
})

test('packs that the place keeps are told in one finding, and go with a later prune', async () => {
  const { crafted, snapshots } = await stage()
  const keeping = new KeepingBackend(crafted.backend, ({ type }) => type === 'pack')
  await using locked = await openOn(keeping)
  await forgetSnapshots(locked, [snapshots[0]])
  const result = await prune(locked, { maxUnusedShare: 0 })
  assert.deepEqual([result.isComplete, result.removed.count, result.findings.length], [false, 0, 1])
  assert.match(result.findings[0]!.text, /2 packs that nobody needs.*locked until 2033/)
  await using repository = await openOn(crafted.backend)
  const later = await prune(repository, { maxUnusedShare: 0 })
  assert.deepEqual([later.isComplete, later.removed.count], [true, 2])
  await assertSound(repository, 1)
})

/** Stores something of its own while the packs are listed, as a writer does whose lock was taken away. */
class VisitedBackend extends FaultyBackend {
  readonly #visit: () => void
  #lists = 0

  constructor(inner: Backend, visit: () => void) {
    super(inner)
    this.#visit = visit
  }

  override async *list(type: FileType, signal?: AbortSignal): ReturnType<FaultyBackend['list']> {
    yield* super.list(type, signal)
    if (type === 'pack' && ++this.#lists === 1) this.#visit()
  }
}

test('whoever writes although we hold the lock is noticed before anything is removed', async () => {
  const visits: Record<string, (one: Stage) => void> = {
    pack: ({ crafted, blobs }) => void crafted.pack(blobs.slice(0, 1)),
    index: ({ crafted, blobs }) => void crafted.saveIndex(crafted.pack(blobs.slice(0, 1))),
    snapshot: ({ crafted, roots }) => void crafted.saveSnapshot(roots[0].id),
  }
  for (const [type, visit] of Object.entries(visits)) {
    const one = await stage()
    await one.crafted.backend.remove({ type: 'snapshot', name: one.snapshots[0] })
    await using repository = await openOn(new VisitedBackend(one.crafted.backend, () => visit(one)))
    await assert.rejects(prune(repository), { code: 'prune.disturbed', kind: 'locked' }, type)
    const left = await namesIn(one.crafted.backend)
    for (const name of one.dataPacks) assert.ok(left.includes(describeFile({ type: 'pack', name })))
  }
})

test('our lock that was taken away ends the prune before anything is removed', async () => {
  const { crafted, snapshots, dataPacks } = await stage()
  await crafted.backend.remove({ type: 'snapshot', name: snapshots[0] })
  const takeAway = async (): Promise<void> => {
    for await (const lock of crafted.backend.list('lock')) await crafted.backend.remove(lock)
  }
  await using repository = await openOn(new VisitedBackend(crafted.backend, () => void takeAway()))
  await assert.rejects(prune(repository), { code: 'repository.lock-lost' })
  assert.ok((await namesIn(crafted.backend)).includes(describeFile({ type: 'pack', name: dataPacks[0]! })))
})

test('a prune waits for nobody and says who holds a lock', async () => {
  const { crafted } = await stage()
  await using repository = await openOn(crafted.backend)
  await using _ = await repository.lock('shared')
  await assert.rejects(prune(repository), { code: 'repository.locked' })
  await assert.rejects(forgetSnapshots(repository, ['ab'.repeat(32)]), { code: 'repository.locked' })
  await planPrune(repository)
})

test('a plan is made where nothing can be written', async () => {
  const { crafted, snapshots } = await stage()
  class ReadOnly extends MemoryBackend {
    override async save(ref: FileRef): Promise<void> {
      throw backendError('backend.denied', {
        place: 'here',
        verb: 'save',
        file: describeFile(ref),
        reason: 'read-only',
      })
    }
  }
  const place = new ReadOnly()
  for (const type of ['config', 'key', 'snapshot', 'index', 'pack'] as const) {
    for await (const file of crafted.backend.list(type)) {
      place.overwrite(file, Buffer.concat(await Array.fromAsync(crafted.backend.load(file))))
    }
  }
  await using repository = await openOn(place)
  assert.equal((await planPrune(repository, { forget: [snapshots[0]] })).packs.removed.count, 1)
})

test('a prune that is called off stops, and its lock is gone', async () => {
  const { crafted } = await stage()
  await using repository = await openOn(crafted.backend)
  await assert.rejects(prune(repository, {}, AbortSignal.abort(new Error('called off'))), /called off/)
  assert.deepEqual(await Array.fromAsync(crafted.backend.list('lock')), [])
})

test('snapshots that are forgotten, gone already, or kept by the place are told apart', async () => {
  const { crafted, snapshots } = await stage()
  const keeping = new KeepingBackend(crafted.backend, ({ name }) => name === snapshots[1])
  await using repository = await openOn(keeping)
  const gone = 'ab'.repeat(32)
  const result = await forgetSnapshots(repository, [snapshots[0], gone, snapshots[1], snapshots[0]])
  assert.deepEqual([result.removed, result.missing], [[snapshots[0]], [gone]])
  assert.deepEqual(
    result.refused.map(({ id }) => id),
    [snapshots[1]],
  )
  assert.match(result.findings[0]!.text, /was not removed: .*locked until 2033/)
  await assert.rejects(forgetSnapshots(repository, ['latest']), { code: 'backend.request-invalid' })
  assert.deepEqual(await forgetSnapshots(repository, []), { removed: [], missing: [], refused: [], findings: [] })
})
