import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'

import { AppError } from '#base'
import { type Backend, type FileRef, forgetSnapshots, openRepository, planPrune, prune } from '#engine'
import { type FaultAction, FaultyBackend, loadAll, MemoryBackend, memoryRepository } from '#engine/testing'
import { chanceOf, isLong, seedOf } from './chance.ts'
import { History, opening } from './history.ts'

const seed = seedOf(20_260_601)
/** Whose lock is taken away by the next program on this machine. */
const deadProcess = { hostname: hostname(), username: 'root', pid: 2 ** 31 - 1, uid: 0, gid: 0 }

/** A repository in which a prune has everything to do: packs to remove, to pack again, to merge, and unindexed ones. */
async function stage(): Promise<{ readonly history: History; readonly template: MemoryBackend }> {
  const chance = chanceOf(seed)
  const history = new History(chance, { files: 8, largest: 30_000 })
  const template = new MemoryBackend()
  await using repository = await memoryRepository(template)
  for (let nth = 0; nth < 6; nth++) {
    history.change()
    await history.backUp(repository)
  }
  await template.save({ type: 'pack', name: 'ab'.repeat(32) }, chance.bytes(5000))
  await forgetSnapshots(repository, history.letGo(0.6))
  return { history, template }
}

/** Prunes on a backend with one fault. @returns how many operations it took. */
async function pruneWith(backend: Backend, at: number, action: FaultAction): Promise<number> {
  const faulty = new FaultyBackend(backend, { faults: [{ at, action }] })
  try {
    await using repository = await openRepository(faulty, { ...opening, identity: deadProcess })
    await prune(repository, { maxUnusedShare: 0 })
  } catch (thrown) {
    assert.ok(thrown instanceof AppError, `no typed error: ${String((thrown as Error).stack)}`)
  }
  return faulty.operations.length
}

/** The next prune leaves nothing that nobody needs. */
async function assertFinished(history: History, backend: MemoryBackend, what: string): Promise<void> {
  await using repository = await openRepository(backend, opening)
  const result = await prune(repository, { maxUnusedShare: 0 })
  assert.ok(result.isComplete, what)
  const { packs, blobs } = await planPrune(repository, { maxUnusedShare: 0 })
  const left = [packs.removed, packs.repacked, packs.unindexed, blobs.unused, blobs.duplicate]
  assert.deepEqual(
    left.map(({ count }) => count),
    [0, 0, 0, 0, 0],
    what,
  )
  await history.assertWhole(backend, what)
}

for (const action of ['stop', 'lose-answer', 'fail'] as const) {
  test(`a prune struck at any operation by the fault "${action}" loses nothing, and the next finishes`, async (context) => {
    const { history, template } = await stage()
    using _ = history
    const operations = await pruneWith(template.clone(), Number.MAX_SAFE_INTEGER, action)
    const every = isLong || action === 'stop' ? 1 : 6
    context.diagnostic(`${operations} operations, seed ${seed}`)
    for (let at = 1; at <= operations; at += every) {
      const backend = template.clone()
      await pruneWith(backend, at, action)
      await history.assertWhole(backend, `${action} at operation ${at}`)
      await assertFinished(history, backend, `after ${action} at operation ${at}`)
    }
  })
}

/** Says that index files are stored, and has them only until it is gone: as if a prune removed the old ones first. */
class ForgetfulBackend extends MemoryBackend {
  readonly #inner: MemoryBackend
  readonly #indexes = new MemoryBackend()

  constructor(inner: MemoryBackend) {
    super()
    this.#inner = inner
  }

  override async save(ref: FileRef, body: Uint8Array): Promise<void> {
    await (ref.type === 'index' ? this.#indexes : this.#inner).save(ref, body)
  }

  override async *load(...args: Parameters<MemoryBackend['load']>): ReturnType<MemoryBackend['load']> {
    const [ref, range] = args
    const isNew =
      ref.type === 'index' &&
      (await Array.fromAsync(this.#indexes.list('index'))).some((file) => file.name === ref.name)
    yield await loadAll(isNew ? this.#indexes : this.#inner, ref, range)
  }

  override async *list(...[type]: Parameters<MemoryBackend['list']>): ReturnType<MemoryBackend['list']> {
    yield* this.#inner.list(type)
    if (type === 'index') yield* this.#indexes.list(type)
  }

  override async remove(ref: FileRef): Promise<void> {
    await this.#inner.remove(ref)
  }
}

test('old index files that go before the new ones are stored are seen by what these tests assert', async () => {
  const { history, template } = await stage()
  using _ = history
  await history.assertWhole(template, 'before')
  await pruneWith(new ForgetfulBackend(template), Number.MAX_SAFE_INTEGER, 'stop')
  await assert.rejects(history.assertWhole(template, 'turned round'))
})
