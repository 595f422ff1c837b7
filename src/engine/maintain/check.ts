import { describeFile } from '../backend/file-ref.ts'
import { Sealer } from '../crypto/seal.ts'
import { decodeTree } from '../format/tree-node.ts'
import type { BlobIndex } from '../repository/blob-index.ts'
import type { Repository } from '../repository/repository.ts'
import type { StoredSnapshot } from '../repository/snapshots.ts'
import { BlobLoader } from '../repository/load-blob.ts'
import { BadCopies } from './bad-copies.ts'
import { choosePacks, type PackChoice } from './choose-packs.ts'
import { Findings, type Finding } from './finding.ts'
import { PackVerifier, type PackRequest } from './pack-verifier.ts'
import { reviewConfig, reviewKeys, reviewLocks, reviewSnapshots } from './review-files.ts'
import { blobsOf, isPlausible, requestOf, reviewIndex, reviewPackFiles, type KnownPack } from './review-index.ts'
import { TreeReview } from './tree-review.ts'
import type { PackReport } from './verify-pack.ts'

export interface CheckProgress {
  /** Packs of data are read first, those of trees last. */
  readonly phase: 'files' | 'data' | 'trees'
  /** Packs read so far, of those that will be. */
  readonly packs: number
  readonly packsToRead: number
  readonly bytesRead: number
  readonly findings: number
}

export interface CheckOptions {
  /** Share of the data packs that are read and verified, 0 to 1. Default: 0. Packs of trees are always read. */
  readonly readShare?: number
  /** Which packs that share is. Default: drawn by lot. */
  readonly packs?: PackChoice
  /** Called a few times a second. */
  readonly onProgress?: (progress: CheckProgress) => void
}

export interface CheckResult {
  readonly findings: readonly Finding[]
  /** Hex ids of the snapshots that cannot be restored whole, as far as was read. */
  readonly damagedSnapshots: readonly string[]
  readonly snapshots: number
  /** Trees that the snapshots reach. */
  readonly trees: number
  /** Blobs that the index files name, copies counted. */
  readonly blobs: number
  /** Packs that the index files name, and how many of them were read whole. */
  readonly packs: number
  readonly packsRead: number
  readonly bytesRead: number
}

const progressMs = 200
/** Packs that are judged in full detail are taken in groups, because their blobs are gathered from the whole index. */
const groupSize = 64

/**
 * Checks whether a repository is sound in itself, more strictly than restic's own check: every small file, the index
 * against the packs, every tree that there is, and the packs of data that `options` choose. Packs that look doubtful are
 * read in any case.
 *
 * What it sees is its result; it throws only when the repository cannot be locked or its place does not answer.
 *
 * Holds a shared lock where it can be written, where restic takes an exclusive one: files of a repository never change, and whoever removes some
 * needs an exclusive lock. What others add meanwhile does no harm, because snapshots are listed before the index and
 * packs after it.
 *
 * Memory: the index, about 100 bytes a tree, and a few packs.
 *
 * @throws `repository.locked`; `repository.lock-unreadable`; `repository.lock-lost`; what the backend throws again and again.
 */
export async function check(
  repository: Repository,
  options: CheckOptions = {},
  signal?: AbortSignal,
): Promise<CheckResult> {
  const findings = new Findings()
  await reviewLocks(repository, findings, signal)
  await using lock = await repository.lockToRead(signal)
  const stop = AbortSignal.any([signal, lock?.signal].filter((one) => one !== undefined))
  await reviewConfig(repository, findings, stop)
  await reviewKeys(repository, findings, stop)
  const { snapshots, damaged } = await reviewSnapshots(repository, findings, stop)
  const { index, packs } = await reviewIndex(repository, findings, stop)
  await reviewPackFiles(repository, packs, findings, stop)
  await using checking = new Checking(repository, index, packs, findings)
  const timer = setInterval(() => options.onProgress?.(checking.progress), progressMs)
  try {
    await checking.readData(options, stop)
    await checking.readTrees(snapshots, stop)
  } finally {
    clearInterval(timer)
  }
  checking.tellBadCopies()
  return {
    findings: findings.list(),
    damagedSnapshots: [...damaged, ...checking.damagedSnapshots],
    snapshots: snapshots.length + damaged.length,
    trees: checking.treesReached,
    blobs: index.size,
    packs: packs.size,
    packsRead: checking.packsRead,
    bytesRead: checking.bytesRead,
  }
}

/** The part of a check that reads packs. */
class Checking implements AsyncDisposable {
  readonly #index: BlobIndex
  readonly #packs: ReadonlyMap<string, KnownPack>
  readonly #findings: Findings
  readonly #verifier: PackVerifier
  readonly #bad: BadCopies
  readonly #trees: TreeReview
  readonly #read = new Set<string>()
  #phase: CheckProgress['phase'] = 'files'
  #packsToRead = 0
  damagedSnapshots: readonly string[] = []

  constructor(repository: Repository, index: BlobIndex, packs: ReadonlyMap<string, KnownPack>, findings: Findings) {
    this.#index = index
    this.#packs = packs
    this.#findings = findings
    this.#verifier = new PackVerifier(repository.backend, repository.key, index)
    this.#bad = new BadCopies(index)
    const loader = new BlobLoader(repository.backend, new Sealer(repository.key))
    this.#trees = new TreeReview(async (id, stop) => decodeTree(await loader.load(index, 'tree', id, stop)))
    for (const pack of packs.values()) if (pack.fileSize === undefined) this.#bad.addPack(pack.id, 'missing')
  }

  get progress(): CheckProgress {
    return {
      phase: this.#phase,
      packs: this.#read.size,
      packsToRead: this.#packsToRead,
      bytesRead: this.bytesRead,
      findings: this.#findings.count,
    }
  }

  get packsRead(): number {
    return this.#read.size
  }

  get bytesRead(): number {
    return this.#verifier.bytesRead
  }

  get treesReached(): number {
    return this.#trees.reached
  }

  async readData({ readShare = 0, packs: choice }: CheckOptions, signal: AbortSignal): Promise<void> {
    this.#phase = 'data'
    const present = [...this.#packs.values()].filter((pack) => pack.fileSize !== undefined)
    const pure = present.filter((pack) => pack.holds === 'data')
    const chosen = new Set(
      choosePacks(
        pure.map(({ id }) => id),
        readShare,
        choice,
      ),
    )
    // those that hold trees too are read for their trees later, when it is known which data blobs are lost
    const packs = present.filter(
      (pack) => pack.holds === 'both' || chosen.has(pack.id) || (pack.holds === 'data' && !isPlausible(pack)),
    )
    this.#packsToRead = packs.length + present.filter((pack) => pack.holds === 'tree').length
    await this.#verifyAll(packs, (pack) => ({ ...requestOf(pack), trees: false }), signal)
    await this.#verifier.setLost(this.#bad.lost('data'))
  }

  async readTrees(snapshots: readonly StoredSnapshot[], signal: AbortSignal): Promise<void> {
    this.#phase = 'trees'
    const packs = [...this.#packs.values()].filter((pack) => pack.fileSize !== undefined && pack.holds !== 'data')
    await this.#verifyAll(packs, (pack) => ({ ...requestOf(pack), trees: true }), signal)
    for (const id of this.#bad.lost('tree')) this.#trees.lost(id)
    this.damagedSnapshots = await this.#trees.judge(snapshots, this.#findings, signal)
  }

  /** Told at the end, because only then is it known whether another copy of a blob can be read. */
  tellBadCopies(): void {
    this.#bad.tell(this.#findings)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#verifier[Symbol.asyncDispose]()
  }

  /** Quickly those that look right; those that are not, once more and in detail. */
  async #verifyAll(
    packs: readonly KnownPack[],
    requestFor: (pack: KnownPack) => PackRequest,
    signal: AbortSignal,
  ): Promise<void> {
    const doubtful = packs.filter((pack) => !isPlausible(pack))
    const suspects = new Set<string>()
    const quickly = (request: PackRequest, result: PackReport | { readonly thrown: unknown }): void => {
      if ('thrown' in result || !result.isSound) suspects.add(request.id)
      else this.#take(request, result)
    }
    await this.#verifier.verify(packs.filter(isPlausible).map(requestFor), quickly, signal)
    const inDetail = [...doubtful, ...packs.filter((pack) => suspects.has(pack.id))]
    for (let start = 0; start < inDetail.length; start += groupSize) {
      const group = inDetail.slice(start, start + groupSize)
      const blobs = blobsOf(this.#index, new Set(group.map(({ id }) => id)))
      const requests = group.map((pack) => ({ ...requestFor(pack), blobs: blobs.get(pack.id) ?? [] }))
      const thoroughly = (request: PackRequest, result: PackReport | { readonly thrown: unknown }): void => {
        if ('thrown' in result) this.#takeUnread(request, result.thrown, signal)
        else this.#takeSuspect(request, result, suspects.has(request.id))
      }
      await this.#verifier.verify(requests, thoroughly, signal)
    }
  }

  #take(request: PackRequest, { trees }: PackReport): void {
    this.#read.add(request.id)
    for (const tree of trees) this.#trees.take(tree)
  }

  #takeSuspect(request: PackRequest, report: PackReport, looksRight: boolean): void {
    const isSecondTime = this.#read.has(request.id)
    this.#take(request, report)
    if (isSecondTime) return
    const subject = describeFile({ type: 'pack', name: request.id })
    const { nameFault, headerFault, blobFaults, isSound } = report
    if (nameFault) this.#findings.add('damage', subject, `is damaged: ${nameFault}`)
    if (headerFault) this.#findings.add(nameFault ? 'damage' : 'warning', subject, headerFault)
    for (const fault of blobFaults) this.#bad.addBlob(request.id, fault)
    if (isSound && looksRight) {
      const text =
        'came wrong when it was read first and right the second time: memory, disk or cable is not to be trusted'
      this.#findings.add('warning', subject, text)
    }
  }

  #takeUnread(request: PackRequest, thrown: unknown, signal: AbortSignal): void {
    const subject = describeFile({ type: 'pack', name: request.id })
    this.#findings.take(subject, thrown, signal)
    this.#bad.addPack(request.id, 'unreadable')
  }
}
