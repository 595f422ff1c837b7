import { AppError } from '#base'
import { Sealer } from '../crypto/seal.ts'
import { decodeTree } from '../format/tree-node.ts'
import type { BlobIndex, BlobType } from '../repository/blob-index.ts'
import { BlobLoader } from '../repository/load-blob.ts'
import type { Repository } from '../repository/repository.ts'
import type { StoredSnapshot } from '../repository/snapshots.ts'
import { pruneError } from './errors.ts'

/** Trees that are read at once. */
const treesAtOnce = 8

/**
 * The blobs that some snapshots need, as numbers of entries of the index, which must not grow meanwhile: of each blob the
 * entry of the copy that is kept. Memory: 4 bytes a blob.
 */
export class UsedBlobs {
  readonly #index: BlobIndex
  /** By the first entry of a blob: the entry of the kept copy + 1, or 0 for a blob that nobody needs. */
  readonly #kept: Int32Array

  constructor(index: BlobIndex) {
    this.#index = index
    this.#kept = new Int32Array(index.size)
  }

  /** @returns whether it was not marked before; undefined when no index file names it. */
  mark(type: BlobType, id: string): boolean | undefined {
    const entry = this.#index.entryOf(type, id)
    if (entry === undefined) return undefined
    if (this.#kept[entry] !== 0) return false
    this.#kept[entry] = entry + 1
    return true
  }

  /** The entry of the copy that is kept of the blob whose first entry is `first`; undefined for one that nobody needs. */
  keptOf(first: number): number | undefined {
    const kept = this.#kept[first]!
    return kept === 0 ? undefined : kept - 1
  }

  /** Keeps another copy of a blob. */
  keep(first: number, entry: number): void {
    this.#kept[first] = entry + 1
  }
}

/**
 * Walks the trees of snapshots for every blob that they need.
 *
 * @param onProgress - told the snapshots that are done.
 * @throws `prune.damaged` when a tree cannot be read, or a blob is in no index file.
 */
export async function findUsedBlobs(
  repository: Repository,
  index: BlobIndex,
  snapshots: readonly StoredSnapshot[],
  onProgress: (done: number) => void,
  signal?: AbortSignal,
): Promise<UsedBlobs> {
  const walk = new Walk(repository, index, signal)
  for (const [nth, snapshot] of snapshots.entries()) {
    await walk.add(snapshot)
    onProgress(nth + 1)
  }
  return walk.used
}

class Walk {
  readonly used: UsedBlobs
  readonly #place: string
  readonly #loader: BlobLoader
  readonly #index: BlobIndex
  readonly #signal: AbortSignal | undefined

  constructor(repository: Repository, index: BlobIndex, signal: AbortSignal | undefined) {
    this.used = new UsedBlobs(index)
    this.#place = repository.backend.place
    this.#loader = new BlobLoader(repository.backend, new Sealer(repository.key))
    this.#index = index
    this.#signal = signal
  }

  async add({ id, snapshot }: StoredSnapshot): Promise<void> {
    const waiting: string[] = []
    this.#need('tree', snapshot.tree, id, waiting)
    while (waiting.length > 0) {
      this.#signal?.throwIfAborted()
      await Promise.all(waiting.splice(-treesAtOnce).map((tree) => this.#visit(tree, id, waiting)))
    }
  }

  async #visit(tree: string, snapshot: string, waiting: string[]): Promise<void> {
    for (const { content, subtree } of await this.#read(tree, snapshot)) {
      for (const blob of content ?? []) this.#need('data', blob, snapshot, waiting)
      if (subtree !== undefined) this.#need('tree', subtree, snapshot, waiting)
    }
  }

  #need(type: BlobType, id: string, snapshot: string, waiting: string[]): void {
    const isNew = this.used.mark(type, id)
    if (isNew === undefined) throw this.#damaged(snapshot, `the ${type} blob ${id.slice(0, 10)}, which no index names`)
    if (isNew && type === 'tree') waiting.push(id)
  }

  async #read(tree: string, snapshot: string): Promise<ReturnType<typeof decodeTree>> {
    try {
      return decodeTree(await this.#loader.load(this.#index, 'tree', tree, this.#signal))
    } catch (thrown) {
      this.#signal?.throwIfAborted()
      if (!(thrown instanceof AppError) || (thrown.kind !== 'damaged' && thrown.kind !== 'missing')) throw thrown
      throw this.#damaged(snapshot, `the tree ${tree.slice(0, 10)}, which cannot be read`, thrown)
    }
  }

  #damaged(snapshot: string, what: string, cause?: unknown): AppError {
    const reason = `snapshot ${snapshot.slice(0, 10)} needs ${what}`
    return pruneError('prune.damaged', { place: this.#place, reason }, cause)
  }
}
