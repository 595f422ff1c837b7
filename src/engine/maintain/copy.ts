import { describeFile } from '../backend/file-ref.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { encodePackHeader } from '../format/pack-header.ts'
import { parseTime } from '../format/time.ts'
import type { Snapshot } from '../format/snapshot.ts'
import type { Repository } from '../repository/repository.ts'
import type { StoredSnapshot } from '../repository/snapshots.ts'
import { BlobCopier } from './blob-copier.ts'
import { choosePacks } from './choose-packs.ts'
import { Findings, type Finding } from './finding.ts'
import { MissingBlobs } from './find-missing.ts'
import { PackVerifier } from './pack-verifier.ts'

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
  /** Share of the packs stored, 0 to 1, that is read back and verified before a snapshot is saved. Default: 0. */
  readonly verify?: number
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

/**
 * Copies snapshots with all that they need and the target does not have. Blobs stay as they were cut; they are opened,
 * verified and sealed with the target's key. A copied snapshot has no parent, and `original` names the first version of it.
 *
 * Order of writes: packs, index files, snapshots. An interrupted copy leaves no snapshot that is not whole, and the next
 * one finds what was stored. A snapshot that needs a blob of which the source has no good copy is not copied.
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
  await using copying = new Copying(from, to, stop)
  const timer = setInterval(() => options.onProgress?.(copying.progress), progressMs)
  try {
    return await copying.run(options, () => toLock.confirm(stop))
  } catch (thrown) {
    // because what was stored by then need not be copied again; without the lock somebody may be removing it
    if (!toLock.signal.aborted) await copying.leaveIndex()
    throw thrown
  } finally {
    clearInterval(timer)
  }
}

class Copying implements AsyncDisposable {
  readonly #from: Repository
  readonly #to: Repository
  readonly #signal: AbortSignal
  readonly #findings = new Findings()
  readonly #copier: BlobCopier
  #missing: MissingBlobs | undefined
  #phase: CopyProgress['phase'] = 'looking'

  constructor(from: Repository, to: Repository, signal: AbortSignal) {
    this.#from = from
    this.#to = to
    this.#signal = signal
    this.#copier = new BlobCopier(from, to, signal)
  }

  get progress(): CopyProgress {
    return {
      phase: this.#phase,
      trees: this.#missing?.trees ?? 0,
      blobs: this.#copier.blobs,
      blobsToCopy: this.#missing?.wanted.count ?? 0,
      bytesRead: this.#copier.bytes,
      bytesToRead: this.#missing?.wanted.bytes ?? 0,
    }
  }

  async run({ snapshots, verify = 0 }: CopyOptions, confirmLock: () => Promise<void>): Promise<CopyResult> {
    this.#compareConfigs()
    const { chosen, damaged } = await this.#choose(snapshots)
    const present = await this.#findPresent(chosen)
    const wanted = chosen.filter(({ id }) => !present.has(id))
    await this.#from.loadIndex(this.#signal)
    await this.#to.loadIndex(this.#signal)
    const missing = (this.#missing = new MissingBlobs(this.#from, this.#to))
    for (const { snapshot } of wanted) await missing.addTree(snapshot.tree, this.#signal)
    this.#phase = 'copying'
    await this.#copier.copy(missing.wanted)
    this.#phase = 'verifying'
    // before the index names it, so that what was stored badly is stored again by the next copy
    const isStored = await this.#readBack(verify)
    if (isStored) await this.#copier.finish()
    const failed = isStored ? await this.#findFailed(wanted, missing) : new Set(wanted.map(({ id }) => id))
    const copied: CopiedSnapshot[] = []
    if (failed.size < wanted.length) await confirmLock()
    for (const { id, snapshot } of wanted) {
      if (!failed.has(id)) copied.push({ source: id, target: await this.#save(id, snapshot) })
    }
    return {
      copied,
      present: [...present].map(([source, target]) => ({ source, target })),
      failed: [...damaged, ...failed],
      findings: this.#findings.list(),
      blobs: missing.wanted.count - this.#copier.lost.length,
      bytesRead: this.#copier.bytes,
      bytesAdded: this.#copier.saver.bytes,
    }
  }

  /** Names what was stored in an index file, as far as that is possible by now. */
  async leaveIndex(): Promise<void> {
    await this.#copier.saver.finish().catch(() => {}) // because the error that ended the copy is the news
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#copier[Symbol.asyncDispose]()
  }

  #compareConfigs(): void {
    if (this.#from.config.chunkerPolynomial === this.#to.config.chunkerPolynomial) return
    const text =
      'cuts files in another way than the source: copies work, but what is backed up into both is stored there twice'
    this.#findings.add('warning', this.#to.backend.place, text)
  }

  /** The snapshots asked for, oldest first, and the ids of those that cannot even be read. */
  async #choose(asked: readonly string[] | 'all'): Promise<{ chosen: StoredSnapshot[]; damaged: string[] }> {
    if (asked === 'all') {
      const { snapshots, damaged } = await this.#from.listSnapshots(this.#signal)
      for (const { id, error } of damaged) {
        this.#findings.take(describeFile({ type: 'snapshot', name: id }), error, this.#signal)
      }
      return { chosen: [...snapshots], damaged: damaged.map(({ id }) => id) }
    }
    const chosen = new Map<string, StoredSnapshot>()
    for (const name of asked) {
      const found = await this.#from.findSnapshot(name, this.#signal)
      chosen.set(found.id, found)
    }
    const age = ({ snapshot }: StoredSnapshot): number => -Number(parseTime(snapshot.time))
    return { chosen: [...chosen.values()].sort((a, b) => age(b) - age(a)), damaged: [] }
  }

  /** Ids of the source's snapshots that the target has, with their ids there. */
  async #findPresent(chosen: readonly StoredSnapshot[]): Promise<Map<string, string>> {
    const { snapshots } = await this.#to.listSnapshots(this.#signal)
    const there = Map.groupBy(snapshots, ({ id, snapshot }) => snapshot.original ?? id)
    const present = new Map<string, string>()
    for (const { id, snapshot } of chosen) {
      const twin = there.get(snapshot.original ?? id)?.find((other) => isSameBackup(snapshot, other.snapshot))
      if (twin) present.set(id, twin.id)
    }
    return present
  }

  /** Reads back a share of the packs that were stored. False when one of them is not what was written. */
  async #readBack(share: number): Promise<boolean> {
    if (share <= 0) return true
    const packs = new Map(this.#copier.packs.map((pack) => [pack.id, pack]))
    const requests = choosePacks([...packs.keys()], share).map((id) => {
      const { size, blobs } = packs.get(id)!
      return { id, size, headerHash: sha256Hex(encodePackHeader(blobs)), trees: false }
    })
    await using verifier = new PackVerifier(this.#to.backend, this.#to.key, this.#to.index)
    let isStored = true
    await verifier.verify(
      requests,
      ({ id }, result) => {
        const subject = describeFile({ type: 'pack', name: id })
        if ('thrown' in result) this.#findings.take(subject, result.thrown, this.#signal)
        else if (!result.isSound)
          this.#findings.add('damage', subject, 'is not what was just stored; nothing was copied')
        if ('thrown' in result || !result.isSound) isStored = false
      },
      this.#signal,
    )
    return isStored
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

/** Equal in all that restic compares: everything but `parent`, `original` and what a run says of itself. */
function isSameBackup(a: Snapshot, b: Snapshot): boolean {
  const listsAreSame = (one: readonly string[] = [], other: readonly string[] = []): boolean =>
    one.length === other.length && one.every((text, nth) => text === other[nth])
  return (
    parseTime(a.time) === parseTime(b.time) &&
    a.tree === b.tree &&
    a.hostname === b.hostname &&
    a.username === b.username &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    listsAreSame(a.paths, b.paths) &&
    listsAreSame(a.excludes, b.excludes) &&
    listsAreSame(a.tags, b.tags)
  )
}
