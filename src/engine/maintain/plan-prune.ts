import { describeFile } from '../backend/file-ref.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { headerSize } from '../format/pack-header.ts'
import type { RepositoryLock } from '../repository/lock.ts'
import type { Repository } from '../repository/repository.ts'
import { chooseRepack, wastedBytes, type RepackLimits } from './choose-repack.ts'
import { amountOf, chooseCopies, countBlobs, isWhole, sumOfBlobs } from './count-packs.ts'
import { pruneError } from './errors.ts'
import { Findings } from './finding.ts'
import { isFull } from './index-files.ts'
import { takeInventory, type InventoriedPack, type Inventory } from './pack-inventory.ts'
import { isAffected, planIndexes, type PlannedIndex } from './plan-indexes.ts'
import type { PlanPruneOptions, PrunePlan, PruneProgress } from './prune-plan.ts'
import { findUsedBlobs, type UsedBlobs } from './used-blobs.ts'
import { WantedBlobs } from './wanted-blobs.ts'

/** As restic. */
const defaultUnusedShare = 0.05
const progressMs = 200

/** A plan, with all that is needed to perform it. */
export interface PreparedPrune {
  readonly plan: PrunePlan
  /** Hex ids of all snapshots, and of all packs, as they were found. */
  readonly seen: { readonly snapshots: ReadonlySet<string>; readonly packs: ReadonlySet<string> }
  readonly unindexed: ReadonlyMap<string, number>
  /** By hex id, with the size of the file; 0 for one that is not there. */
  readonly removed: ReadonlyMap<string, number>
  readonly repacked: ReadonlyMap<string, number>
  /** What is to be copied. */
  readonly wanted: WantedBlobs
  readonly indexFiles: readonly PlannedIndex[]
}

/**
 * Tells what a prune would do, as if the snapshots of `forget` were gone. Changes nothing.
 *
 * Holds a shared lock, where one can be written: so no other program removes anything meanwhile, which would look like
 * damage here, while backups go on. What they have stored and not yet named counts as not needed in the plan; the prune,
 * which waits until they are done, finds another repository then and wants another plan.
 *
 * Where no snapshot would stay nothing is planned: an empty list of snapshots is rather a fault of the place than a wish.
 *
 * Memory: the index, some 70 bytes a blob, some 500 bytes a pack, and some trees.
 *
 * @throws `prune.damaged` when a snapshot or tree of those that stay cannot be read, or something that they need is gone;
 * `repository.locked`; what the backend throws.
 *
 * Source: restic-format §15, `prune`.
 */
export async function planPrune(
  repository: Repository,
  options: PlanPruneOptions = {},
  signal?: AbortSignal,
): Promise<PrunePlan> {
  await using lock = await lockUnlessFull(repository, signal)
  const stop = AbortSignal.any([signal, lock?.signal].filter((one) => one !== undefined))
  const preparing = new Preparing(repository, options)
  const timer = setInterval(() => options.onProgress?.(preparing.progress), progressMs)
  try {
    return (await preparing.run(stop)).plan
  } finally {
    clearInterval(timer)
  }
}

/** Undefined on a disk without room for a lock too: a plan is wanted there most, and a wrong one is never performed. */
async function lockUnlessFull(repository: Repository, signal?: AbortSignal): Promise<RepositoryLock | undefined> {
  try {
    return await repository.lockToRead(signal)
  } catch (thrown) {
    if (isFull(thrown)) return undefined
    throw thrown
  }
}

/** Finds out what a prune has to do. Wants a lock. */
export class Preparing {
  readonly #repository: Repository
  readonly #forget: ReadonlySet<string>
  readonly #limits: RepackLimits
  readonly #findings = new Findings()
  #progress: PruneProgress = { phase: 'index', done: 0, total: 0 }

  constructor(repository: Repository, options: PlanPruneOptions) {
    const { forget = [], maxUnusedShare = defaultUnusedShare, maxRepackBytes } = options
    this.#repository = repository
    this.#forget = new Set(forget)
    this.#limits = { maxUnusedShare, maxRepackBytes, version: repository.config.version }
  }

  get progress(): PruneProgress {
    return this.#progress
  }

  /** Snapshots are listed before the index is read, and packs after it, so that what is added meanwhile does no harm. */
  async run(signal?: AbortSignal): Promise<PreparedPrune> {
    const repository = this.#repository
    const { snapshots, damaged } = await repository.listSnapshots(signal)
    const unreadable = damaged.find(({ id }) => !this.#forget.has(id))
    if (unreadable) throw this.#damaged(unreadable.error.message, unreadable.error)
    const kept = snapshots.filter(({ id }) => !this.#forget.has(id))
    const onIndex = (done: number, total: number): void => void (this.#progress = { phase: 'index', done, total })
    const inventory = await takeInventory(repository, onIndex, signal)
    const seen = { snapshots: new Set([...snapshots, ...damaged].map(({ id }) => id)), packs: namesOf(inventory) }
    if (kept.length === 0) return { ...this.#nothing(inventory), seen }
    const total = kept.length
    const onSnapshot = (done: number): void => void (this.#progress = { phase: 'snapshots', done, total })
    onSnapshot(0)
    // the newest first, because its trees lie side by side
    const used = await findUsedBlobs(repository, inventory.index, kept.toReversed(), onSnapshot, signal)
    chooseCopies(inventory, used)
    this.#requirePacks(inventory, used)
    countBlobs(inventory, used)
    const ids = kept.map(({ id }) => id).sort()
    return { ...this.#prepare(inventory, used, ids), seen }
  }

  #requirePacks({ index, packs }: Inventory, used: UsedBlobs): void {
    for (const { entry, first, pack: number } of index.rows()) {
      if (used.keptOf(first) !== entry || isWhole(packs[number]!)) continue
      const { id, fileSize, size } = packs[number]!
      const fault = fileSize === undefined ? 'is not there' : `has ${fileSize} bytes and should have ${size}`
      throw this.#damaged(`${describeFile({ type: 'pack', name: id })}, of which snapshots need something, ${fault}`)
    }
  }

  #prepare(inventory: Inventory, used: UsedBlobs, snapshots: readonly string[]): Omit<PreparedPrune, 'seen'> {
    const { packs } = inventory
    const needed = packs.filter(({ counts }) => counts.used.count > 0)
    const unneeded = packs.filter(({ counts }) => counts.used.count === 0)
    const chosen = chooseRepack(needed, this.#limits)
    const kept = needed.filter((pack) => !chosen.has(pack))
    const wanted = wantedOf(inventory, used, chosen)
    const unindexed = new Map(inventory.unindexed.map(({ name, size }) => [name, size]))
    const removed = sizesOf(unneeded)
    const repacked = sizesOf(chosen)
    const indexFiles = planIndexes(inventory)
    const gone = new Map([...removed, ...repacked])
    const replaced = indexFiles.filter((file) => isAffected(file, gone)).length
    for (const { id, fileSize } of unneeded) if (fileSize === undefined) this.#tellMissing(id)
    const amounts = {
      kept: amountOf(kept.map(({ fileSize }) => fileSize)),
      removed: amountOf(unneeded.map(({ fileSize }) => fileSize)),
      repacked: amountOf(repacked.values()),
      unindexed: amountOf(unindexed.values()),
    }
    const plan: PrunePlan = {
      ...this.#head(inventory, snapshots),
      packs: amounts,
      blobs: sumOfBlobs(packs),
      copied: { count: wanted.count, bytes: wanted.bytes },
      indexFiles: { kept: indexFiles.length - replaced, replaced },
      bytesFreed: amounts.removed.bytes + amounts.unindexed.bytes + amounts.repacked.bytes - bytesAgain(wanted),
      bytesUnusedLeft: kept.reduce((sum, pack) => sum + wastedBytes(pack), 0),
      findings: this.#findings.list(),
    }
    return { plan, unindexed, removed, repacked, wanted, indexFiles }
  }

  #nothing(inventory: Inventory): Omit<PreparedPrune, 'seen'> {
    const none = { count: 0, bytes: 0 }
    const sizes = [...inventory.packs.map(({ fileSize }) => fileSize), ...inventory.unindexed.map(({ size }) => size)]
    this.#findings.add('notice', 'the repository', 'has no snapshot that would stay, so nothing of it is removed')
    const plan: PrunePlan = {
      ...this.#head(inventory, []),
      packs: { kept: amountOf(sizes), removed: none, repacked: none, unindexed: none },
      blobs: { used: none, unused: none, duplicate: none },
      copied: none,
      indexFiles: { kept: inventory.indexFiles.length, replaced: 0 },
      bytesFreed: 0,
      bytesUnusedLeft: 0,
      findings: this.#findings.list(),
    }
    const packs = { unindexed: new Map(), removed: new Map(), repacked: new Map() }
    return { plan, ...packs, wanted: new WantedBlobs(), indexFiles: [] }
  }

  #head(
    { packs, indexFiles, unindexed }: Inventory,
    snapshots: readonly string[],
  ): Pick<PrunePlan, 'fingerprint' | 'maxUnusedShare' | 'maxRepackBytes' | 'snapshots'> {
    const { maxUnusedShare, maxRepackBytes } = this.#limits
    const files = [
      ...packs.map(({ id, fileSize }) => `pack ${id} ${fileSize}`),
      ...unindexed.map(({ name, size }) => `pack ${name} ${size}`),
      ...indexFiles.map(({ id }) => `index ${id}`),
      ...snapshots.map((id) => `snapshot ${id}`),
    ]
    const fingerprint = sha256Hex(Buffer.from([maxUnusedShare, maxRepackBytes, ...files.sort()].join('\n')))
    const limit = maxRepackBytes === undefined ? {} : { maxRepackBytes }
    return { fingerprint, maxUnusedShare, ...limit, snapshots: snapshots.length }
  }

  #tellMissing(pack: string): void {
    const text = 'is not there; no snapshot needs it, and the index forgets it'
    this.#findings.add('warning', describeFile({ type: 'pack', name: pack }), text)
  }

  #damaged(reason: string, cause?: unknown): Error {
    return pruneError('prune.damaged', { place: this.#repository.backend.place, reason }, cause)
  }
}

function namesOf({ packs, unindexed }: Inventory): Set<string> {
  const names = new Set(unindexed.map(({ name }) => name))
  for (const { id, fileSize } of packs) if (fileSize !== undefined) names.add(id)
  return names
}

function sizesOf(packs: Iterable<InventoriedPack>): Map<string, number> {
  return new Map(Array.from(packs, ({ id, fileSize = 0 }) => [id, fileSize]))
}

/** The blobs of some packs that are needed. */
function wantedOf({ index, packs }: Inventory, used: UsedBlobs, chosen: ReadonlySet<InventoriedPack>): WantedBlobs {
  const wanted = new WantedBlobs()
  if (chosen.size === 0) return wanted
  for (const { entry, first, type, pack } of index.rows()) {
    const isWanted = used.keptOf(first) === entry && chosen.has(packs[pack]!)
    if (isWanted) wanted.add(type, index.idOf(entry), index.placeOf(entry))
  }
  return wanted
}

/** Bytes that copied blobs take in other packs, with what the headers say of them. */
function bytesAgain(wanted: WantedBlobs): number {
  const emptyHeader = headerSize([])
  return wanted.packs.reduce((sum, id) => sum + headerSize(wanted.inPack(id)) - emptyHeader, wanted.bytes)
}
