import { sha256Hex } from '../crypto/hash.ts'
import { sealOverhead, type Sealer } from '../crypto/seal.ts'
import { decompressInto } from '../native/zstd.ts'
import type { BlobType } from './blob-index.ts'

/** Bytes: far above what any program stores as one blob, so that a wrong number in an index asks for no more memory. */
export const largestBlob: Readonly<Record<BlobType, number>> = { data: 2 ** 28, tree: 2 ** 31 }

/** Why a stored blob is not the one it should be. It becomes `repository.blob-damaged` when no copy is left. */
export class BlobDamage extends Error {}

/** The plain length in bytes that an index claims for a blob. */
export function plainLengthOf(place: { readonly length: number; readonly uncompressedLength: number }): number {
  return place.uncompressedLength || place.length - sealOverhead
}

/** Memory that is used again for each blob that is opened. */
export interface ReusedMemory {
  /** For the bytes as they are stored: one that is stored raw is there until the next is opened. */
  payload(length: number): Uint8Array
  /** Absent: what was decompressed gets memory of its own. */
  plain?(length: number): Uint8Array
}

/** Memory for blobs that are opened one after the other: what was opened is there until the next one is. */
export class BlobMemory implements ReusedMemory {
  #payload: Uint8Array = new Uint8Array(0)
  #plain: Uint8Array = new Uint8Array(0)

  payload(length: number): Uint8Array {
    if (this.#payload.length < length) this.#payload = grown(length)
    return this.#payload.subarray(0, length)
  }

  plain(length: number): Uint8Array {
    if (this.#plain.length < length) this.#plain = grown(length)
    return this.#plain.subarray(0, length)
  }
}

function grown(length: number): Uint8Array {
  return new Uint8Array(Math.min(length + (length >> 1), Math.max(length, largestKept)))
}

/** Larger blobs get no more memory than they need. */
const largestKept = 16 * 1024 * 1024

/**
 * The plain bytes of a sealed blob: opened, decompressed and compared with their SHA-256. Works without waiting, for
 * blobs of trees and for worker threads.
 *
 * @param uncompressedLength - 0 when the blob is stored raw.
 * @param memory - to use again; absent: the bytes get memory of their own.
 * @throws {@link BlobDamage}; `crypto.damaged`.
 */
export function openBlob(
  sealer: Sealer,
  id: string,
  sealed: Uint8Array,
  uncompressedLength: number,
  memory?: ReusedMemory,
): Uint8Array {
  const isRaw = uncompressedLength === 0
  const payload = unsealWithin(sealer, sealed, memory)
  const plain = isRaw ? payload : decompress(payload, uncompressedLength, memory)
  if (plain.length !== (uncompressedLength || payload.length)) {
    throw new BlobDamage(`it has ${plain.length} bytes and should have ${uncompressedLength}`)
  }
  if (sha256Hex(plain) !== id) throw new BlobDamage('its bytes do not hash to its id')
  return plain
}

/** What was sealed. @param memory - as for {@link openBlob}. @throws `crypto.damaged`. */
export function unsealWithin(sealer: Sealer, sealed: Uint8Array, memory: ReusedMemory | undefined): Uint8Array {
  if (!memory || sealed.length < sealOverhead) return sealer.unseal(sealed)
  const payload = memory.payload(sealed.length - sealOverhead)
  sealer.unsealInto(sealed, payload)
  return payload
}

/** The largest piece of memory asked for at once: beyond it a blob must prove its length by its bytes. */
const largestPiece = 16 * 1024 * 1024

/**
 * The plain bytes of a frame that should have `length` of them, at the most as many.
 *
 * @param memory - as for {@link openBlob}. @throws {@link BlobDamage}.
 */
export function decompress(payload: Uint8Array, length: number, memory?: ReusedMemory): Uint8Array {
  try {
    if (length > largestPiece) {
      // asked for here, because few blobs need what each thread would load for it
      const { zstdDecompressSync } = process.getBuiltinModule('node:zlib')
      return zstdDecompressSync(payload, { maxOutputLength: length, chunkSize: largestPiece })
    }
    const plain = memory?.plain?.(length) ?? Buffer.allocUnsafe(length)
    return plain.subarray(0, decompressInto(payload, plain))
  } catch (thrown) {
    throw new BlobDamage(thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown })
  }
}
