import type { IndexedBlob } from '../format/index-file.ts'
import type { BlobLocation, BlobType } from '../repository/blob-index.ts'

/** id (32) · offset (4, LE) · length (4) · uncompressed length (4) · 1 for a tree (1). */
const recordSize = 45

interface Records {
  bytes: Buffer
  count: number
}

/** Blobs to fetch, by the pack they lie in: 45 bytes each, where objects would take some hundred. */
export class WantedBlobs {
  readonly #packs = new Map<string, Records>()
  #count = 0
  #bytes = 0

  get count(): number {
    return this.#count
  }

  /** Sealed bytes of all of them. */
  get bytes(): number {
    return this.#bytes
  }

  /** Hex ids of the packs, in the order in which they were first named. */
  get packs(): readonly string[] {
    return [...this.#packs.keys()]
  }

  add(type: BlobType, id: string, { packId, offset, length, uncompressedLength }: BlobLocation): void {
    let records = this.#packs.get(packId)
    if (!records) this.#packs.set(packId, (records = { bytes: Buffer.alloc(8 * recordSize), count: 0 }))
    const at = records.count * recordSize
    if (at === records.bytes.length) {
      const larger = Buffer.alloc(at * 2)
      records.bytes.copy(larger)
      records.bytes = larger
    }
    const { bytes } = records
    bytes.write(id, at, 'hex')
    bytes.writeUInt32LE(offset, at + 32)
    bytes.writeUInt32LE(length, at + 36)
    bytes.writeUInt32LE(uncompressedLength, at + 40)
    bytes[at + 44] = type === 'tree' ? 1 : 0
    records.count++
    this.#count++
    this.#bytes += length
  }

  /** Those that `isThere` does not know. */
  without(isThere: (type: BlobType, id: string) => boolean): WantedBlobs {
    const rest = new WantedBlobs()
    for (const packId of this.#packs.keys()) {
      for (const { type, id, ...place } of this.inPack(packId)) {
        if (!isThere(type, id)) rest.add(type, id, { packId, ...place })
      }
    }
    return rest
  }

  /** Those that lie in some packs. */
  only(packIds: ReadonlySet<string>): WantedBlobs {
    const some = new WantedBlobs()
    for (const packId of this.#packs.keys()) {
      if (!packIds.has(packId)) continue
      for (const { type, id, ...place } of this.inPack(packId)) some.add(type, id, { packId, ...place })
    }
    return some
  }

  /** Those that lie in one pack, sorted by offset. */
  inPack(packId: string): IndexedBlob[] {
    const { bytes, count } = this.#packs.get(packId)!
    const blobs = Array.from({ length: count }, (_, nth): IndexedBlob => {
      const at = nth * recordSize
      return {
        id: bytes.toString('hex', at, at + 32),
        type: bytes[at + 44] === 1 ? 'tree' : 'data',
        offset: bytes.readUInt32LE(at + 32),
        length: bytes.readUInt32LE(at + 36),
        uncompressedLength: bytes.readUInt32LE(at + 40),
      }
    })
    return blobs.sort((a, b) => a.offset - b.offset)
  }
}

/** Bytes between two blobs that are rather read than skipped with another request. */
const largestGap = 256 * 1024
/** Bytes of one run, unless one blob alone is longer. */
const largestRun = 16 * 1024 * 1024

/** Blobs that are loaded with one request, and the half-open range of their pack. */
export interface BlobRun {
  readonly start: number
  readonly end: number
  readonly blobs: readonly IndexedBlob[]
}

/** Cuts blobs of one pack, sorted by offset, into runs; no byte is loaded twice, unless blobs overlap. */
export function* cutRuns(sorted: readonly IndexedBlob[]): Generator<BlobRun, void, void> {
  let blobs: IndexedBlob[] = []
  let start = 0
  let end = 0
  for (const blob of sorted) {
    const blobEnd = blob.offset + blob.length
    if (blobs.length > 0 && (blob.offset > end + largestGap || blobEnd - start > largestRun)) {
      yield { start, end, blobs }
      blobs = []
    }
    if (blobs.length === 0) start = end = blob.offset
    blobs.push(blob)
    end = Math.max(end, blobEnd)
  }
  if (blobs.length > 0) yield { start, end, blobs }
}
