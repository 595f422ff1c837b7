import { AppError, mapInOrder, textOf } from '#base'
import type { Backend } from '../backend/backend.ts'
import { loadAll } from '../backend/load-all.ts'
import type { Sealer } from '../crypto/seal.ts'
import type { BlobIndex, BlobLocation, BlobType } from './blob-index.ts'
import { repositoryError } from './errors.ts'
import { BlobDamage, BlobMemory, largestBlob, openBlob, plainLengthOf, type ReusedMemory } from './open-blob.ts'
import { PackCache } from './pack-cache.ts'

/** Bytes that are read at once for blobs that lie side by side. */
const longestRun = 2 * 1024 * 1024
/** Runs that are read ahead of whoever takes their blobs. */
const runsAhead = 4

/** Blobs that lie side by side in one pack. */
interface Run {
  readonly packId: string
  readonly start: number
  end: number
  readonly blobs: { readonly id: string; readonly place?: BlobLocation }[]
}

/**
 * Reads blobs of one repository. Every blob is opened, decompressed and compared with its id; when a copy is damaged
 * or gone, the others are tried.
 *
 * Tree blobs that lie in one pack are read together, because whoever asks for some of them walks a tree.
 */
export class BlobLoader {
  readonly #backend: Backend
  readonly #sealer: Sealer
  readonly #packs: PackCache
  readonly #payloads = payloadsOf(new BlobMemory())

  constructor(backend: Backend, sealer: Sealer) {
    this.#backend = backend
    this.#sealer = sealer
    this.#packs = new PackCache(backend)
  }

  /** @throws `repository.blob-missing`; `repository.blob-damaged`; what the backend throws when no copy is left. */
  async load(index: BlobIndex, type: BlobType, id: string, signal?: AbortSignal): Promise<Uint8Array> {
    const copies = index.find(type, id)
    const facts = { type, blob: id.slice(0, 10), place: this.#backend.place }
    if (copies.length === 0) throw repositoryError('repository.blob-missing', facts)
    const troubles: unknown[] = []
    // twice, because a bit may have turned over on its way to us and not in the place
    for (const cache of [type === 'tree' ? this.#packs : undefined, undefined]) {
      for (const copy of copies) {
        try {
          return openBlob(this.#sealer, id, await this.#sealed(type, copy, cache, signal), copy.uncompressedLength)
        } catch (thrown) {
          signal?.throwIfAborted()
          if (!(thrown instanceof AppError) && !(thrown instanceof BlobDamage)) throw thrown
          troubles.push(thrown)
        }
      }
    }
    const passing = troubles.find((thrown) => thrown instanceof AppError && !isLoss(thrown))
    if (passing !== undefined) throw passing
    const reason = [...new Set(troubles.map((thrown) => textOf(thrown)))].join('; ')
    throw repositoryError('repository.blob-damaged', { ...facts, reason }, troubles[0])
  }

  /**
   * Blobs in the order of `ids`, each as `load` gives it. Those that lie side by side are read together, because a place that is asked
   * for each blob of a large file answers late each time. Memory: four runs of 2 MiB, and a blob.
   *
   * @throws as `load`.
   */
  async *loadInOrder(
    index: BlobIndex,
    type: BlobType,
    ids: Iterable<string>,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    const read = async (run: Run): Promise<Run & { bytes?: Uint8Array; plain?: Uint8Array }> => {
      const [only] = run.blobs
      if (run.blobs.length === 1) return { ...run, plain: await this.load(index, type, only!.id, signal) }
      const bytes = await this.#readRun(run, signal)
      return { ...run, ...(bytes && { bytes }) }
    }
    for await (const { blobs, bytes, plain, start } of mapInOrder(runsOf(index, type, ids), read, runsAhead)) {
      for (const { id, place } of blobs) {
        const known = place && bytes && this.#openWithin(id, place, bytes.subarray(place.offset - start))
        yield plain ?? known ?? (await this.load(index, type, id, signal))
      }
    }
  }

  /** @returns undefined when each blob should be read by itself, which says what is wrong with it. */
  async #readRun({ packId, start, end }: Run, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      return await loadAll(this.#backend, { type: 'pack', name: packId }, { start, end }, signal)
    } catch (thrown) {
      signal?.throwIfAborted()
      if (!(thrown instanceof AppError)) throw thrown
      return undefined
    }
  }

  /** @returns undefined when these are not its bytes. */
  #openWithin(id: string, { length, uncompressedLength }: BlobLocation, bytes: Uint8Array): Uint8Array | undefined {
    try {
      const memory = uncompressedLength > 0 ? this.#payloads : undefined
      return openBlob(this.#sealer, id, bytes.subarray(0, length), uncompressedLength, memory)
    } catch (thrown) {
      if (!(thrown instanceof AppError) && !(thrown instanceof BlobDamage)) throw thrown
      return undefined
    }
  }

  async #sealed(
    type: BlobType,
    copy: BlobLocation,
    cache: PackCache | undefined,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    if (plainLengthOf(copy) > largestBlob[type] || copy.length > largestBlob[type]) {
      throw new BlobDamage(`an index says that it has ${plainLengthOf(copy)} bytes, more than any blob`)
    }
    const range = { start: copy.offset, end: copy.offset + copy.length }
    return (
      (await cache?.read(copy.packId, range, signal)) ??
      (await loadAll(this.#backend, { type: 'pack', name: copy.packId }, range, signal))
    )
  }
}

/** Not for plain bytes: whoever takes them may keep them. */
function payloadsOf(memory: BlobMemory): ReusedMemory {
  return { payload: (length) => memory.payload(length) }
}

function* runsOf(index: BlobIndex, type: BlobType, ids: Iterable<string>): Generator<Run, void, void> {
  let run: Run | undefined
  for (const id of ids) {
    const [place] = index.find(type, id)
    const blob = { id, ...(place && place.length + plainLengthOf(place) <= longestRun && { place }) }
    const end = place ? place.offset + place.length : 0
    const follows = run && blob.place && blob.place.packId === run.packId && blob.place.offset === run.end
    if (run && follows && end - run.start <= longestRun) {
      run.blobs.push(blob)
      run.end = end
      continue
    }
    if (run) yield run
    run = { packId: place?.packId ?? '', start: place?.offset ?? 0, end, blobs: [blob] }
  }
  if (run) yield run
}

/** Damaged or gone, unlike a place that did not answer. */
function isLoss(error: AppError): boolean {
  return error.kind === 'damaged' || error.kind === 'missing'
}
