import { AppError, textOf } from '#base'
import type { Backend } from '../backend/backend.ts'
import { loadAll } from '../backend/load-all.ts'
import type { Sealer } from '../crypto/seal.ts'
import type { BlobIndex, BlobLocation, BlobType } from './blob-index.ts'
import { repositoryError } from './errors.ts'
import { BlobDamage, largestBlob, openBlob, plainLengthOf } from './open-blob.ts'
import { PackCache } from './pack-cache.ts'

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

/** Damaged or gone, unlike a place that did not answer. */
function isLoss(error: AppError): boolean {
  return error.kind === 'damaged' || error.kind === 'missing'
}
