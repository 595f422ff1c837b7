/**
 * The body of index, snapshot and lock files before sealing: byte 2 and a zstd frame of the JSON, or the bare JSON that
 * version 1 of the format wrote.
 *
 * Source: restic-format §5.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

import { textOf } from '#base'
import { damaged } from './errors.ts'

const compressed = 0x02
const marker = Uint8Array.of(compressed)

/** Bytes of the pieces in which zlib gives its result: with one that holds it all, nothing is put together afterwards. */
const leastPiece = 1024
const largestPiece = 2 ** 24

/** Bytes that an unpacked body may have: a small file that claims more is a trap. */
const defaultLimit = 2 ** 30

/** Level 1: an index is mostly digits of hashes, which level 3 makes larger by 6%, in two to three times the time. */
const params = { [constants.ZSTD_c_compressionLevel]: 1 }

export function packUnpacked(json: Uint8Array): Uint8Array {
  return Buffer.concat([marker, zstdCompressSync(json, { chunkSize: Math.max(leastPiece, json.length), params })])
}

/**
 * The JSON of a body; empty when the body is empty.
 *
 * @param limit - bytes that the JSON may have.
 * @throws `format.damaged` when the first byte is none of those known, or the rest does not unpack.
 */
export function unpackUnpacked(body: Uint8Array, limit: number = defaultLimit): Uint8Array {
  const first = body[0]
  if (first === undefined || first === 0x7b || first === 0x5b) return body
  if (first !== compressed) throw damaged('file', `its first byte ${first} is no way to encode JSON`)
  try {
    const frame = body.subarray(1)
    // one more, because zlib asks for another piece when the last one is full
    const chunkSize = Math.min(Math.max(leastPiece, contentSize(frame) + 1), largestPiece)
    return zstdDecompressSync(frame, { maxOutputLength: limit, chunkSize })
  } catch (thrown) {
    throw damaged('file', textOf(thrown), thrown)
  }
}

/**
 * Bytes that the first frame says it has; 0 when it says nothing. To be taken as a guess.
 *
 * Source: RFC 8878, section 3.1.1.1.
 */
function contentSize(frame: Uint8Array): number {
  if (frame.length < 18) return 0
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length)
  const descriptor = view.getUint8(4)
  const isSingle = (descriptor & 0x20) !== 0
  const at = 5 + (isSingle ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!
  switch (descriptor >> 6) {
    case 0:
      return isSingle ? view.getUint8(at) : 0
    case 1:
      return view.getUint16(at, true) + 256
    case 2:
      return view.getUint32(at, true)
    default:
      return Number(view.getBigUint64(at, true))
  }
}
