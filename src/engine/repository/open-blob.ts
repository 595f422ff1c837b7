import { zstdDecompressSync } from 'node:zlib'

import { sha256Hex } from '../crypto/hash.ts'
import { sealOverhead, type Sealer } from '../crypto/seal.ts'
import type { BlobType } from './blob-index.ts'

/** Bytes: far above what any program stores as one blob, so that a wrong number in an index asks for no more memory. */
export const largestBlob: Readonly<Record<BlobType, number>> = { data: 2 ** 28, tree: 2 ** 31 }

/** Why a stored blob is not the one it should be. It becomes `repository.blob-damaged` when no copy is left. */
export class BlobDamage extends Error {}

/** The plain length in bytes that an index claims for a blob. */
export function plainLengthOf(place: { readonly length: number; readonly uncompressedLength: number }): number {
  return place.uncompressedLength || place.length - sealOverhead
}

/**
 * The plain bytes of a sealed blob: opened, decompressed and compared with their SHA-256. Works without waiting, for
 * blobs of trees and for worker threads.
 *
 * @param uncompressedLength - 0 when the blob is stored raw.
 * @throws {@link BlobDamage}; `crypto.damaged`.
 */
export function openBlob(sealer: Sealer, id: string, sealed: Uint8Array, uncompressedLength: number): Uint8Array {
  const payload = sealer.unseal(sealed)
  const plain = uncompressedLength === 0 ? payload : decompress(payload, uncompressedLength)
  if (plain.length !== (uncompressedLength || payload.length)) {
    throw new BlobDamage(`it has ${plain.length} bytes and should have ${uncompressedLength}`)
  }
  if (sha256Hex(plain) !== id) throw new BlobDamage('its bytes do not hash to its id')
  return plain
}

/** The largest piece of memory asked for at once: beyond it a blob must prove its length by its bytes. */
const largestPiece = 16 * 1024 * 1024

function decompress(payload: Uint8Array, length: number): Uint8Array {
  try {
    // one byte of room more than needed, because a full buffer makes zlib ask for another one
    const chunkSize = Math.min(Math.max(length + 1, 64), largestPiece)
    return zstdDecompressSync(payload, { maxOutputLength: length, chunkSize })
  } catch (thrown) {
    throw new BlobDamage(thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown })
  }
}
