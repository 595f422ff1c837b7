import { sha256Hex } from '../crypto/hash.ts'
import { sealOverhead, type Sealer } from '../crypto/seal.ts'
import { decompressInto } from '../native/zstd.ts'
import type { BlobMemory } from './open-blob.ts'

/** Blobs up to this many plain bytes are opened together, as long as they have this many in all. */
const small = 64 * 1024
const together = 2 ** 20

/** A blob as it is stored. */
export interface StoredBlob {
  /** Hex. */
  readonly id: string
  readonly sealed: Uint8Array
  /** Plain length in bytes; 0 when it is stored raw. */
  readonly uncompressedLength: number
}

/** Where those end that are to be opened together with the blob at `first`; behind it when it is opened alone. */
export function endOfBatch(blobs: readonly Pick<StoredBlob, 'uncompressedLength'>[], first: number): number {
  let bytes = 0
  let end = first
  for (; end < blobs.length; end++) {
    const { uncompressedLength } = blobs[end]!
    bytes += uncompressedLength
    if (uncompressedLength === 0 || uncompressedLength > small || bytes > together) break
  }
  return Math.max(end, first + 1)
}

/**
 * Opens many small compressed blobs with fewer calls: frames that follow each other are one stream (RFC 8878, section 3).
 *
 * @param memory - what was opened is there until it is used again.
 * @returns for each blob its plain bytes, compared with its id; undefined for one that does not come out as it must, to be opened
 * alone; nothing at all when that cannot be told.
 */
export function openTogether(
  sealer: Sealer,
  blobs: readonly StoredBlob[],
  memory: BlobMemory,
): readonly (Uint8Array | undefined)[] {
  let plain: Uint8Array
  try {
    const length = blobs.reduce((sum, { uncompressedLength }) => sum + uncompressedLength, 0)
    const frames = memory.payload(blobs.reduce((sum, { sealed }) => sum + Math.max(0, sealed.length - sealOverhead), 0))
    sealer.unsealAllInto(
      blobs.map(({ sealed }) => sealed),
      frames,
    )
    plain = memory.plain(length)
    if (decompressInto(frames, plain) !== length) return []
  } catch {
    return [] // because opened alone, the sound ones are told from the others
  }
  let start = 0
  return blobs.map(({ id, uncompressedLength }) => {
    const part = plain.subarray(start, (start += uncompressedLength))
    return sha256Hex(part) === id ? part : undefined
  })
}
