import { availableParallelism } from 'node:os'

import { describeFile } from '../backend/file-ref.ts'
import { listNames } from '../backend/list-names.ts'
import type { RepositoryLock } from '../repository/lock.ts'
import type { Repository } from '../repository/repository.ts'
import { BlobCopier } from './blob-copier.ts'
import { pruneError } from './errors.ts'
import { Findings } from './finding.ts'
import { IndexFiles, isFull } from './index-files.ts'
import { NewPacks } from './new-packs.ts'
import { Preparing, type PreparedPrune } from './plan-prune.ts'
import type { PruneOptions, PruneProgress, PruneResult } from './prune-plan.ts'
import { Removals } from './removals.ts'

const progressMs = 200

/**
 * Removes what no snapshot needs. Holds an exclusive lock, so no backup runs meanwhile, neither of ours nor of restic.
 *
 * Order: packs that no index file names; packs without anything that is needed, as {@link IndexFiles} says; and then new packs
 * with what is needed of others, index files that name them, and the same for those others. Stopped anywhere, everything that
 * is needed is named and there, and nothing that is gone is named, so that no backup takes it for stored; the next prune
 * finishes. Nothing is copied before the place was seen to remove something, and each blob that is copied was verified.
 *
 * Before anything is removed, snapshots, index files and packs are listed again: should somebody write although the lock is
 * ours, because his own was taken away, nothing more is removed.
 *
 * On a disk that is full, packs go without anything being copied; and of what is copied, as much as finds room.
 *
 * Memory: as `planPrune`, 45 bytes a blob that is copied, and a few packs for each processor.
 *
 * @throws what `planPrune` throws; `prune.changed` when `options.plan` is not what would be planned by now; `prune.damaged` also
 * for a blob that is to be copied and of which no copy is right; `prune.disturbed`; `repository.lock-lost`.
 *
 * Source: restic-format §12, §15.
 */
export async function prune(
  repository: Repository,
  options: PruneOptions = {},
  signal?: AbortSignal,
): Promise<PruneResult> {
  await using lock = await repository.lock('exclusive', signal)
  const stop = signal ? AbortSignal.any([signal, lock.signal]) : lock.signal
  const { plan: expected, onProgress } = options
  const preparing = new Preparing(repository, expected ?? options)
  let pruning: Pruning | undefined
  const timer = setInterval(() => onProgress?.((pruning ?? preparing).progress), progressMs)
  // because blobs are about to lie in other packs than it says
  repository.dropIndex()
  try {
    const prepared = await preparing.run(stop)
    if (expected && expected.fingerprint !== prepared.plan.fingerprint) {
      const reason = 'snapshots, index files or packs came or went'
      throw pruneError('prune.changed', { place: repository.backend.place, reason })
    }
    pruning = new Pruning(repository, prepared, lock, stop)
    return await pruning.run()
  } finally {
    clearInterval(timer)
    repository.dropIndex()
  }
}

class Pruning {
  readonly #repository: Repository
  readonly #prepared: PreparedPrune
  readonly #lock: RepositoryLock
  readonly #signal: AbortSignal
  readonly #findings = new Findings()
  readonly #removals: Removals
  readonly #indexFiles: IndexFiles
  /** Of all packs that may be there. */
  readonly #known: Set<string>
  readonly #added = { count: 0, bytes: 0 }
  readonly #copied = { count: 0, bytes: 0 }
  readonly #confirm = (): Promise<void> => this.#lock.confirm(this.#signal)
  #copier: BlobCopier | undefined
  #bytesToCopy = 0
  #isCutShort = false

  constructor(repository: Repository, prepared: PreparedPrune, lock: RepositoryLock, signal: AbortSignal) {
    this.#repository = repository
    this.#prepared = prepared
    this.#lock = lock
    this.#signal = signal
    this.#removals = new Removals(repository, this.#findings, signal)
    this.#indexFiles = new IndexFiles(repository, prepared.indexFiles, this.#removals, signal)
    this.#known = new Set(prepared.seen.packs)
  }

  get progress(): PruneProgress {
    if (this.#copier) return { phase: 'copying', done: this.#copier.bytes, total: this.#bytesToCopy }
    const { done, total } = this.#indexFiles.progress
    if (done < total) return { phase: 'rewriting', done, total }
    const { unindexed, removed, repacked } = this.#prepared
    return { phase: 'removing', done: this.#removals.packs, total: unindexed.size + removed.size + repacked.size }
  }

  async run(): Promise<PruneResult> {
    const { unindexed, removed, repacked, plan } = this.#prepared
    if (unindexed.size > 0 || plan.indexFiles.replaced > 0) {
      await this.#lookAgain()
      await this.#removals.removePacks(unindexed)
      await this.#unlessFull(() => this.#indexFiles.drop(removed, this.#confirm))
      if (repacked.size > 0 && !this.#indexFiles.hasRemoved) {
        await this.#unlessFull(() => this.#indexFiles.tryRemoval(repacked, this.#confirm))
      }
      if (repacked.size > 0 && !this.#isCutShort && !this.#indexFiles.isRefused) await this.#repack(repacked)
    }
    this.#removals.tell()
    const { packs: count, bytes, refused } = this.#removals
    return {
      plan,
      removed: { count, bytes },
      added: this.#added,
      copied: this.#copied,
      bytesFreed: bytes - this.#added.bytes,
      isComplete: !this.#isCutShort && !this.#indexFiles.isRefused && refused === 0,
      findings: this.#findings.list(),
    }
  }

  /**
   * Packs what is needed of some packs again. What finds no room is given up and tried in two halves, because each that
   * succeeds makes room for the next. Once a single pack finds none, that is all.
   */
  async #repack(packs: ReadonlyMap<string, number>): Promise<void> {
    const added = new NewPacks(this.#repository, this.#confirm, this.#signal)
    try {
      await this.#copy(packs, added)
    } catch (thrown) {
      if (!isFull(thrown)) throw thrown
      await added.undo(this.#indexFiles.ids)
      if (packs.size === 1) return this.#tellFull()
      for (const half of halvesOf(packs)) if (!this.#isCutShort) await this.#repack(half)
      return
    }
    // which packs they name matters to nobody, because none of those is about to go
    for (const id of added.indexIds) this.#indexFiles.add({ id, packs: [], blobs: 0, isReplaced: false })
    for (const id of added.ids) this.#known.add(id)
    this.#added.count += added.ids.length
    this.#added.bytes += added.bytes
    await this.#lookAgain()
    await this.#unlessFull(() => this.#indexFiles.drop(packs, this.#confirm))
  }

  /** @throws `prune.damaged` when something needed cannot be read. */
  async #copy(packs: ReadonlyMap<string, number>, added: NewPacks): Promise<void> {
    const { wanted: all, repacked } = this.#prepared
    const wanted = packs.size === repacked.size ? all : all.only(new Set(packs.keys()))
    this.#bytesToCopy = wanted.bytes
    const threads = availableParallelism()
    await using copier = new BlobCopier(this.#repository, this.#repository, added, threads, this.#signal)
    this.#copier = copier
    try {
      await copier.copy(wanted)
    } finally {
      this.#copier = undefined
    }
    const [lost] = copier.lost
    if (lost) {
      await added.undo(this.#indexFiles.ids).catch(() => {}) // because the next prune removes what is left
      const what = `${lost.type} blob ${lost.id.slice(0, 10)} in ${describeFile({ type: 'pack', name: lost.packId })}`
      const reason = `${what}, which snapshots need, cannot be read: ${lost.reason}`
      throw pruneError('prune.damaged', { place: this.#repository.backend.place, reason })
    }
    await added.finish()
    this.#copied.count += wanted.count
    this.#copied.bytes += wanted.bytes
  }

  /** Sees that nobody has added or removed anything besides us. @throws `prune.disturbed`; `repository.lock-lost`. */
  async #lookAgain(): Promise<void> {
    await this.#confirm()
    const { backend } = this.#repository
    const compare = async (type: 'snapshot' | 'index' | 'pack', known: ReadonlySet<string>): Promise<void> => {
      const names = await listNames(backend, type, this.#signal)
      const extra = names.difference(known).values().next().value
      const lost = type === 'pack' ? undefined : known.difference(names).values().next().value
      const name = extra ?? lost
      if (name === undefined) return
      const reason = `${describeFile({ type, name })} ${extra === undefined ? 'went' : 'came'} meanwhile`
      throw pruneError('prune.disturbed', { place: backend.place, reason })
    }
    await compare('pack', this.#known)
    await compare('index', this.#indexFiles.ids)
    await compare('snapshot', this.#prepared.seen.snapshots)
  }

  async #unlessFull(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (thrown) {
      if (!isFull(thrown)) throw thrown
      this.#tellFull()
    }
  }

  #tellFull(): void {
    if (this.#isCutShort) return
    this.#isCutShort = true
    const text = 'has no room for what must be written before more can be removed; give it some, and clean up again'
    this.#findings.add('warning', this.#repository.backend.place, text)
  }
}

function halvesOf(packs: ReadonlyMap<string, number>): Map<string, number>[] {
  const all = [...packs]
  const middle = all.length >> 1
  return [new Map(all.slice(0, middle)), new Map(all.slice(middle))]
}
