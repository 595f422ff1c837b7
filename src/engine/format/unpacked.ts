/**
 * The body of index, snapshot and lock files before sealing: byte 2 and a zstd frame of the JSON, or the bare JSON that
 * version 1 of the format wrote.
 *
 * Source: restic-format §5.
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'

import { textOf } from '#base'
import { damaged } from './errors.ts'

const compressed = 0x02
const marker = Uint8Array.of(compressed)

/** Bytes that an unpacked body may have: a small file that claims more is a trap. */
const defaultLimit = 2 ** 30

export function packUnpacked(json: Uint8Array): Uint8Array {
  return Buffer.concat([marker, zstdCompressSync(json)])
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
    return zstdDecompressSync(body.subarray(1), { maxOutputLength: limit })
  } catch (thrown) {
    throw damaged('file', textOf(thrown), thrown)
  }
}
