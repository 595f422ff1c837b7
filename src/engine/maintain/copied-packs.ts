import { AppError } from '#base'
import type { Backend } from '../backend/backend.ts'
import { isCached } from '../backend/cached.ts'
import { describeFile } from '../backend/file-ref.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { encodeIndex, type IndexedBlob } from '../format/index-file.ts'
import { encodePackHeader } from '../format/pack-header.ts'
import type { FinishedPack } from '../repository/pack-buffer.ts'
import type { Repository } from '../repository/repository.ts'
import { choosePacks } from './choose-packs.ts'
import type { Findings } from './finding.ts'
import { PackVerifier, type PackRequest } from './pack-verifier.ts'

/** As restic: an index file is written at this many blobs … */
const blobsOfIndexFile = 50_000
/** … or after this time, … */
const indexEveryMs = 10 * 60 * 1000
/** … or after so many bytes, so that the work of an interrupted copy is counted soon. */
const bytesOfIndexFile = 1024 * 1024 * 1024

/** Thrown to end a copy whose packs are not what was written; the findings say which. */
export const storedBadly = new Error('a pack is not what was just stored')

interface StoredPack {
  readonly id: string
  readonly size: number
  readonly blobs: readonly IndexedBlob[]
}

export interface CopiedPacksOptions {
  /** Share of the packs, 0 to 1, that is read back from the place itself. */
  readonly verify: number
  /** Threads that judge what was read. */
  readonly threads: number
  readonly findings: Findings
  /** Called before each index file: without a lock the packs may be gone by then. */
  readonly confirmLock: () => Promise<void>
}

/**
 * The packs of a copy in the target: saved, read back, and only then named by an index file, from time to time during a
 * long copy. So what was stored badly is never believed, and is stored again by the next copy.
 *
 * Several packs may be saved at once; `save` resolves when its pack is durable and findable.
 */
export class CopiedPacks {
  readonly #to: Repository
  readonly #options: CopiedPacksOptions
  readonly #place: Backend
  readonly #signal: AbortSignal
  #waiting: StoredPack[] = []
  #blobs = 0
  #bytesWaiting = 0
  #since: number
  #bytes = 0
  #isSound = true

  constructor(to: Repository, options: CopiedPacksOptions, signal: AbortSignal) {
    this.#to = to
    this.#options = options
    // because a copy that is kept on this machine proves nothing of the place
    this.#place = isCached(to.backend) ? to.backend.uncached : to.backend
    this.#signal = signal
    this.#since = to.clock.monotonic()
  }

  /** Bytes of all packs saved so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether all that was read back is what was written. Once it is not, nothing is named any more. */
  get isSound(): boolean {
    return this.#isSound
  }

  async save(pack: FinishedPack): Promise<void> {
    await this.#to.backend.save({ type: 'pack', name: pack.id }, pack.bytes, this.#signal)
    this.#bytes += pack.bytes.length
    this.#add({ id: pack.id, size: pack.bytes.length, blobs: pack.blobs })
    const isDue =
      this.#blobs >= blobsOfIndexFile ||
      this.#bytesWaiting >= bytesOfIndexFile ||
      this.#to.clock.monotonic() - this.#since >= indexEveryMs
    if (isDue) await this.settle()
  }

  /** Takes packs that lie there already and that were read whole. */
  async adopt(packs: readonly StoredPack[]): Promise<void> {
    for (const pack of packs) this.#insert(pack)
    for (const some of inFiles(packs)) await this.#name(some)
  }

  /** Reads back what was saved, and resolves when durable index files name it. @throws {@link storedBadly}. */
  async settle(): Promise<void> {
    const packs = this.#waiting
    this.#waiting = []
    this.#blobs = 0
    this.#bytesWaiting = 0
    this.#since = this.#to.clock.monotonic()
    await this.#readBack(packs)
    if (!this.#isSound) throw storedBadly
    for (const some of inFiles(packs)) await this.#name(some)
  }

  #add(pack: StoredPack): void {
    this.#insert(pack)
    this.#waiting.push(pack)
    this.#blobs += pack.blobs.length
    this.#bytesWaiting += pack.size
  }

  #insert({ id: packId, blobs }: StoredPack): void {
    for (const { type, id, offset, length, uncompressedLength } of blobs) {
      this.#to.index.insert(type, id, { packId, offset, length, uncompressedLength })
    }
  }

  async #name(packs: readonly StoredPack[]): Promise<void> {
    await this.#options.confirmLock()
    const index = encodeIndex(packs.map(({ id, blobs }) => ({ id, blobs })))
    await this.#to.saveUnpacked('index', index, this.#signal)
  }

  async #readBack(packs: readonly StoredPack[]): Promise<void> {
    const { verify, threads, findings } = this.#options
    if (verify <= 0) return
    const chosen = new Set(
      choosePacks(
        packs.map(({ id }) => id),
        verify,
      ),
    )
    const requests = packs.filter(({ id }) => chosen.has(id)).map(toRequest)
    await using verifier = new PackVerifier(this.#place, this.#to.key, this.#to.index, threads)
    await verifier.verify(
      requests,
      ({ id }, result) => {
        if ('isSound' in result && result.isSound) return
        if ('thrown' in result && !isLoss(result.thrown)) throw result.thrown
        this.#isSound = false
        findings.add(
          'damage',
          describeFile({ type: 'pack', name: id }),
          'is not what was just stored; no snapshot was copied',
        )
      },
      this.#signal,
    )
  }
}

/** What has to be read to know that a pack is what it was. */
export function toRequest({ id, size, blobs }: StoredPack): PackRequest {
  return { id, size, headerHash: sha256Hex(encodePackHeader(blobs)), trees: false }
}

/** Damaged or gone, unlike a place that did not answer. */
export function isLoss(thrown: unknown): thrown is AppError {
  return thrown instanceof AppError && (thrown.kind === 'damaged' || thrown.kind === 'missing')
}

function* inFiles(packs: readonly StoredPack[]): Generator<StoredPack[], void, void> {
  let some: StoredPack[] = []
  let blobs = 0
  for (const pack of packs) {
    some.push(pack)
    blobs += pack.blobs.length
    if (blobs < blobsOfIndexFile) continue
    yield some
    some = []
    blobs = 0
  }
  if (some.length > 0) yield some
}
