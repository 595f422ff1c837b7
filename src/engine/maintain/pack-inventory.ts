import { AppError, mapInOrder } from '#base'
import type { FileStat } from '../backend/backend.ts'
import { describeFile } from '../backend/file-ref.ts'
import { listNames } from '../backend/list-names.ts'
import { sha256Hex } from '../crypto/hash.ts'
import type { IndexedBlob, IndexedPack } from '../format/index-file.ts'
import { type IndexRows, packsOf, rowWords } from '../format/index-rows.ts'
import { encodePackHeader, headerSize } from '../format/pack-header.ts'
import { BlobIndex } from '../repository/blob-index.ts'
import type { Repository } from '../repository/repository.ts'
import { pruneError } from './errors.ts'

/** A pack that index files name. What is counted of it is filled in later. */
export interface InventoriedPack {
  readonly id: string
  /** Bytes that it must have, as the index says. */
  readonly size: number
  /** Bytes that the file has; undefined when it is not there. */
  fileSize: number | undefined
  readonly holds: 'data' | 'tree' | 'both'
  /** Whether a tree lies in it that is not compressed. */
  readonly hasRawTrees: boolean
  /** Tells the same description from another one. */
  readonly digest: string
  readonly counts: Record<'used' | 'unused' | 'duplicate', { count: number; bytes: number }>
}

/** An index file, by the packs that it is the first to name. */
export interface InventoriedIndex {
  readonly id: string
  /** Positions in `packs`. */
  readonly packs: readonly number[]
  readonly blobs: number
  /** Names packs that hold nothing, or that another index file names as well. */
  readonly hasExcess: boolean
}

/** What lies in a repository besides its snapshots. */
export interface Inventory {
  readonly index: BlobIndex
  /** In the order of `index.packs`. */
  readonly packs: readonly InventoriedPack[]
  readonly indexFiles: readonly InventoriedIndex[]
  readonly unindexed: readonly FileStat[]
}

/**
 * Reads all index files, and lists the packs after them. Memory: the index, and some 400 bytes a pack.
 *
 * @param onProgress - told the index files read so far, of all.
 * @throws `prune.damaged` for an index file that cannot be read, or two that say different things of one pack.
 */
export async function takeInventory(
  repository: Repository,
  onProgress: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<Inventory> {
  const { backend } = repository
  const taking = new Taking(backend.place)
  // sorted, so that which of two index files is the first to name a pack is always the same one
  const names = [...(await listNames(backend, 'index', signal))].sort()
  const load = async (id: string): Promise<{ id: string; rows: IndexRows }> => {
    try {
      return { id, rows: await repository.loadIndexRows(id, signal) }
    } catch (thrown) {
      signal?.throwIfAborted()
      if (!(thrown instanceof AppError) || (thrown.kind !== 'damaged' && thrown.kind !== 'missing')) throw thrown
      throw pruneError('prune.damaged', { place: backend.place, reason: thrown.message }, thrown)
    }
  }
  for await (const { id, rows } of mapInOrder(names, load, backend.connections)) {
    taking.takeIndex(id, rows)
    onProgress(taking.indexFiles.length, names.length)
  }
  for await (const file of backend.list('pack', signal)) taking.takeFile(file)
  return taking
}

class Taking implements Inventory {
  readonly index = new BlobIndex()
  readonly packs: InventoriedPack[] = []
  readonly indexFiles: InventoriedIndex[] = []
  readonly unindexed: FileStat[] = []
  readonly #place: string
  readonly #numbers = new Map<string, number>()

  constructor(place: string) {
    this.#place = place
  }

  takeIndex(id: string, rows: IndexRows): void {
    this.index.reserve(rows.rows.length / rowWords)
    const owned: number[] = []
    let blobs = 0
    for (const pack of packsOf(rows)) {
      if (pack.blobs.length === 0 || this.#isKnown(pack)) continue
      owned.push(this.#add(pack))
      blobs += pack.blobs.length
    }
    this.indexFiles.push({
      id,
      packs: owned,
      blobs,
      hasExcess: owned.length < rows.packs.length || rows.packs.length === 0,
    })
  }

  takeFile(file: FileStat): void {
    const number = this.#numbers.get(file.name)
    if (number === undefined) this.unindexed.push(file)
    else this.packs[number]!.fileSize = file.size
  }

  /** @throws `prune.damaged` when the pack is known as another one. */
  #isKnown(pack: IndexedPack): boolean {
    const number = this.#numbers.get(pack.id)
    if (number === undefined) return false
    if (this.packs[number]!.digest === digestOf(sorted(pack))) return true
    const reason = `two index files say different things of ${describeFile({ type: 'pack', name: pack.id })}`
    throw pruneError('prune.damaged', { place: this.#place, reason })
  }

  #add(pack: IndexedPack): number {
    const number = this.packs.length
    const blobs = sorted(pack)
    for (const { id, type, offset, length, uncompressedLength } of blobs) {
      this.index.insert(type, id, { packId: pack.id, offset, length, uncompressedLength })
    }
    const trees = blobs.filter(({ type }) => type === 'tree')
    this.#numbers.set(pack.id, number)
    this.packs.push({
      id: pack.id,
      size: blobs.reduce((sum, { length }) => sum + length, 0) + headerSize(blobs),
      fileSize: undefined,
      holds: trees.length === 0 ? 'data' : trees.length === blobs.length ? 'tree' : 'both',
      hasRawTrees: trees.some(({ uncompressedLength }) => uncompressedLength === 0),
      digest: digestOf(blobs),
      counts: { used: { count: 0, bytes: 0 }, unused: { count: 0, bytes: 0 }, duplicate: { count: 0, bytes: 0 } },
    })
    return number
  }
}

function sorted({ blobs }: IndexedPack): IndexedBlob[] {
  return blobs.toSorted((a, b) => a.offset - b.offset)
}

function digestOf(blobs: readonly IndexedBlob[]): string {
  const offsets = Buffer.from(Float64Array.from(blobs, ({ offset }) => offset).buffer)
  return sha256Hex(Buffer.concat([encodePackHeader(blobs), offsets]))
}
