import { availableParallelism } from 'node:os'

import type { IndexedBlob } from '../format/index-file.ts'
import type { Snapshot } from '../format/snapshot.ts'
import { packTarget } from '../repository/pack-buffer.ts'
import type { Repository } from '../repository/repository.ts'
import type { StoredSnapshot } from '../repository/snapshots.ts'
import { BlobCopier } from './blob-copier.ts'
import { chooseSnapshots } from './choose-snapshots.ts'
import { CopiedPacks, storedBadly } from './copied-packs.ts'
import { Findings, type Finding } from './finding.ts'
import { MissingBlobs } from './find-missing.ts'
import { findUnnamedPacks } from './find-unnamed.ts'
import { WantedBlobs } from './wanted-blobs.ts'

export interface CopyProgress {
  /** The trees of the source are read, blobs are copied, and what was stored is read back. */
  readonly phase: 'looking' | 'copying' | 'verifying'
  readonly trees: number
  readonly blobs: number
  readonly blobsToCopy: number
  /** Bytes read of the source's packs. */
  readonly bytesRead: number
  readonly bytesToRead: number
}

export interface CopyOptions {
  /** Ids or beginnings of ids, `latest`, or all of them. */
  readonly snapshots: readonly string[] | 'all'
  /** Full hex ids of those that are not copied all the same. */
  readonly without?: ReadonlySet<string>
  /** Share of the packs stored, 0 to 1, that is read back and verified before an index names them. Default: 0. */
  readonly verify?: number
  /** Copies that are made at the same time: they share the processors. Default: 1. */
  readonly atOnce?: number
  /** Called a few times a second. */
  readonly onProgress?: (progress: CopyProgress) => void
}

export interface CopiedSnapshot {
  /** Hex id in the source. */
  readonly source: string
  /** Hex id in the target. */
  readonly target: string
}

export interface CopyResult {
  readonly copied: readonly CopiedSnapshot[]
  /** Those that the target had already. */
  readonly present: readonly CopiedSnapshot[]
  /** Hex ids, in the source, of those that were asked for and cannot be copied. */
  readonly failed: readonly string[]
  readonly findings: readonly Finding[]
  readonly blobs: number
  readonly bytesRead: number
  /** Bytes that the packs of the target grew by. */
  readonly bytesAdded: number
}

const progressMs = 200
/** Looking for what an interrupted copy has left takes longer than sending this many bytes again. */
const worthLooking = packTarget

/**
 * Copies snapshots with all that they need and the target does not have. Blobs stay as they were cut; they are opened,
 * verified and sealed with the target's key. A copied snapshot has no parent, and `original` names the first version of it.
 *
 * Order of writes: packs, index files, snapshots. An interrupted copy leaves no snapshot that is not whole, and the next
 * one finds what was stored, whether or not an index names it. A snapshot that needs a blob of which the source has no good
 * copy is not copied.
 *
 * Holds a shared lock on both repositories.
 *
 * @throws `repository.snapshot-missing`, `repository.snapshot-ambiguous`; `repository.locked`; `repository.file-damaged` for
 * an index file; what the backends throw.
 *
 * Source: restic-format §15, `copy`.
 */
export async function copySnapshots(
  from: Repository,
  to: Repository,
  options: CopyOptions,
  signal?: AbortSignal,
): Promise<CopyResult> {
  await using fromLock = await from.lock('shared', signal)
  await using toLock = await to.lock('shared', signal)
  const stop = AbortSignal.any([fromLock.signal, toLock.signal, ...(signal ? [signal] : [])])
  const confirmLock = (): Promise<void> => toLock.confirm(stop)
  await using copying = new Copying(from, to, options, confirmLock, stop)
  const timer = setInterval(() => options.onProgress?.(copying.progress), progressMs)
  try {
    return await copying.run(options)
  } finally {
    clearInterval(timer)
  }
}

class Copying implements AsyncDisposable {
  readonly #from: Repository
  readonly #to: Repository
  readonly #signal: AbortSignal
  readonly #threads: number
  readonly #confirmLock: () => Promise<void>
  readonly #findings = new Findings()
  readonly #packs: CopiedPacks
  readonly #copier: BlobCopier
  #missing: MissingBlobs | undefined
  #wanted = new WantedBlobs()
  #phase: CopyProgress['phase'] = 'looking'

  constructor(
    from: Repository,
    to: Repository,
    options: CopyOptions,
    confirmLock: () => Promise<void>,
    signal: AbortSignal,
  ) {
    const { verify = 0, atOnce = 1 } = options
    const threads = Math.max(1, Math.floor(availableParallelism() / atOnce))
    this.#from = from
    this.#to = to
    this.#signal = signal
    this.#threads = threads
    this.#confirmLock = confirmLock
    this.#packs = new CopiedPacks(to, { verify, threads, findings: this.#findings, confirmLock }, signal)
    this.#copier = new BlobCopier(from, to, this.#packs, threads, signal)
  }

  get progress(): CopyProgress {
    return {
      phase: this.#phase,
      trees: this.#missing?.trees ?? 0,
      blobs: this.#copier.blobs,
      blobsToCopy: this.#wanted.count,
      bytesRead: this.#copier.bytes,
      bytesToRead: this.#wanted.bytes,
    }
  }

  async run({ snapshots, without }: CopyOptions): Promise<CopyResult> {
    const { wanted, present, damaged } = await chooseSnapshots(
      this.#from,
      this.#to,
      { asked: snapshots, ...(without && { without }) },
      this.#findings,
      this.#signal,
    )
    // what a damaged index file names is missed in the source, and stored once more in the target
    for (const repository of [this.#from, this.#to]) {
      for (const { message } of await repository.loadReadableIndex(this.#signal)) {
        this.#findings.add('warning', repository.backend.place, message)
      }
    }
    const missing = (this.#missing = new MissingBlobs(this.#from, this.#to))
    for (const { snapshot } of wanted) await missing.addTree(snapshot.tree, this.#signal)
    this.#wanted = await this.#adopt(missing.wanted)
    await this.#store(this.#wanted)
    const failed = this.#packs.isSound ? await this.#findFailed(wanted, missing) : new Set(wanted.map(({ id }) => id))
    const copied: CopiedSnapshot[] = []
    if (failed.size < wanted.length) await this.#confirmLock()
    for (const { id, snapshot } of wanted) {
      if (!failed.has(id)) copied.push({ source: id, target: await this.#save(id, snapshot) })
    }
    return {
      copied,
      present: [...present].map(([source, target]) => ({ source, target })),
      failed: [...damaged, ...failed],
      findings: this.#findings.list(),
      blobs: this.#wanted.count - this.#copier.lost.length,
      bytesRead: this.#copier.bytes,
      bytesAdded: this.#packs.bytes,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#copier[Symbol.asyncDispose]()
  }

  /** What an interrupted copy has stored and no index names need not be sent again. @returns what is left. */
  async #adopt(wanted: WantedBlobs): Promise<WantedBlobs> {
    if (wanted.bytes < worthLooking) return wanted
    const { index } = this.#from
    const isWanted = ({ type, id }: IndexedBlob): boolean => index.has(type, id)
    const unnamed = await findUnnamedPacks(this.#to, isWanted, this.#threads, this.#signal)
    if (unnamed.length === 0) return wanted
    await this.#packs.adopt(unnamed)
    return wanted.without((type, id) => this.#to.index.has(type, id))
  }

  async #store(wanted: WantedBlobs): Promise<void> {
    this.#phase = 'copying'
    try {
      await this.#copier.copy(wanted)
      this.#phase = 'verifying'
      await this.#packs.settle()
    } catch (thrown) {
      if (thrown !== storedBadly) throw thrown
    }
  }

  /** Ids of the snapshots that need what the source does not have any more. */
  async #findFailed(wanted: readonly StoredSnapshot[], missing: MissingBlobs): Promise<Set<string>> {
    for (const { type, id, packId, reason } of this.#copier.lost) {
      this.#findings.add('damage', `pack ${packId.slice(0, 10)}`, `${type} blob ${id.slice(0, 10)}: ${reason}`)
    }
    const lost = new Set(this.#copier.lost.map(({ id }) => id))
    for (const { type, id, reason } of missing.gaps) {
      if (!lost.has(id)) this.#findings.add('damage', `${type} blob ${id.slice(0, 10)}`, reason)
    }
    const roots = wanted.map(({ snapshot }) => snapshot.tree)
    const damaged = await missing.damagedOf(roots, lost, this.#signal)
    const failed = wanted.filter(({ snapshot }) => damaged.has(snapshot.tree)).map(({ id }) => id)
    for (const id of failed) {
      this.#findings.add(
        'damage',
        `snapshot ${id.slice(0, 10)}`,
        'was not copied, because something in it cannot be read',
      )
    }
    return new Set(failed)
  }

  async #save(id: string, snapshot: Snapshot): Promise<string> {
    const { parent: _, ...rest } = snapshot
    return await this.#to.saveSnapshot({ ...rest, original: snapshot.original ?? id }, this.#signal)
  }
}
