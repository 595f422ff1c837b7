import type { IndexedPack } from '../format/index-file.ts'
import { encodeIndex } from '../format/index-file.ts'
import type { FinishedPack } from './pack-buffer.ts'
import type { Repository } from './repository.ts'

/** As restic: an index file is closed at this many blobs … */
const blobsOfIndexFile = 50_000
/** … or after this time, so that an interrupted backup need not store the same again. */
const indexEveryMs = 10 * 60 * 1000

/**
 * Saves packs and, only after them, the index files that name them.
 *
 * Several packs may be under way at once; `save` resolves when its pack is durable and findable.
 */
export class PackSaver {
  /** Hex ids of the index files that were saved so far. */
  readonly indexIds: string[] = []
  readonly #repository: Repository
  readonly #confirmLock: () => Promise<void>
  readonly #indexes: Promise<unknown>[] = []
  #packs: IndexedPack[] = []
  #blobs = 0
  #since: number
  #bytes = 0

  /**
   * @param confirmLock - called before each index file: without a lock the packs may be gone by then, and an index that names
   * what is gone lets every later backup take it for stored.
   */
  constructor(repository: Repository, confirmLock: () => Promise<void> = async () => {}) {
    this.#repository = repository
    this.#confirmLock = confirmLock
    this.#since = repository.clock.monotonic()
  }

  /** Bytes of all packs saved so far. */
  get bytes(): number {
    return this.#bytes
  }

  async save(pack: FinishedPack, signal?: AbortSignal): Promise<void> {
    await this.#repository.backend.save({ type: 'pack', name: pack.id }, pack.bytes, signal)
    this.#bytes += pack.bytes.length
    for (const blob of pack.blobs) {
      const { offset, length, uncompressedLength } = blob
      this.#repository.index.insert(blob.type, blob.id, { packId: pack.id, offset, length, uncompressedLength })
    }
    this.#packs.push({ id: pack.id, blobs: pack.blobs })
    this.#blobs += pack.blobs.length
    const elapsed = this.#repository.clock.monotonic() - this.#since
    if (this.#blobs >= blobsOfIndexFile || elapsed >= indexEveryMs) this.#saveIndex(signal)
  }

  /** Resolves when every saved pack is named by an index file that is durable. */
  async finish(signal?: AbortSignal): Promise<void> {
    if (this.#packs.length > 0) this.#saveIndex(signal)
    await Promise.all(this.#indexes)
  }

  /** Resolves when nothing is under way any more, whatever became of it. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#indexes)
  }

  #saveIndex(signal?: AbortSignal): void {
    const saved = this.#saveNow(encodeIndex(this.#packs), signal)
    saved.catch(() => {}) // because `finish` reports it
    this.#indexes.push(saved)
    this.#packs = []
    this.#blobs = 0
    this.#since = this.#repository.clock.monotonic()
  }
  async #saveNow(index: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#confirmLock()
    this.indexIds.push(await this.#repository.saveUnpacked('index', index, signal))
  }
}
