/**
 * The header at the end of a pack: what its blobs are, in the order they lie there from offset 0 without gaps.
 *
 *     pack   = sealed blob … · sealed header · length of the sealed header (4, LE)
 *     header = entry …
 *     entry  = type (1) · sealed length (4, LE) · [length before compression (4, LE), types 2 and 3] · id (32)
 *     type   = 0 data raw · 1 tree raw · 2 data compressed · 3 tree compressed
 *
 * Source: restic-format §6.
 */
import { damaged } from './errors.ts'
import { maximumUint32 } from './json.ts'
import type { IndexedBlob } from './index-file.ts'

const rawEntrySize = 37
const compressedEntrySize = 41
const sealOverhead = 32
const lengthWord = 4

/** Bytes that the header of `blobs` adds to a pack after them: the sealed entries and the length word. */
export function headerSize(blobs: readonly IndexedBlob[]): number {
  return entriesSize(blobs) + sealOverhead + lengthWord
}

function entriesSize(blobs: readonly IndexedBlob[]): number {
  return blobs.reduce((size, blob) => size + entrySize(blob.uncompressedLength), 0)
}

function entrySize(uncompressedLength: number): number {
  return uncompressedLength > 0 ? compressedEntrySize : rawEntrySize
}

/** The entries as they are before sealing. `blobs` must be in the order of the pack; their offsets are not written. */
export function encodePackHeader(blobs: readonly IndexedBlob[]): Uint8Array {
  const header = Buffer.alloc(entriesSize(blobs))
  let at = 0
  for (const { id, type, length, uncompressedLength } of blobs) {
    const isCompressed = uncompressedLength > 0
    header[at] = (type === 'tree' ? 1 : 0) + (isCompressed ? 2 : 0)
    header.writeUInt32LE(length, at + 1)
    if (isCompressed) header.writeUInt32LE(uncompressedLength, at + 5)
    at += entrySize(uncompressedLength)
    header.write(id, at - 32, 'hex')
  }
  return header
}

/**
 * The blobs that an unsealed header lists, with the offsets that follow from their lengths.
 *
 * @throws `format.damaged` when there is none, an entry is cut off or of unknown type, or an offset exceeds 32 bits.
 */
export function decodePackHeader(plain: Uint8Array): IndexedBlob[] {
  const header = Buffer.from(plain.buffer, plain.byteOffset, plain.length)
  const blobs: IndexedBlob[] = []
  let offset = 0
  for (let at = 0; at < header.length;) {
    const code = header[at]!
    if (code > 3) throw damaged('pack header', `an entry is of the unknown type ${code}`)
    const isCompressed = code >= 2
    const end = at + (isCompressed ? compressedEntrySize : rawEntrySize)
    if (end > header.length) throw damaged('pack header', 'its last entry is cut off')
    const length = header.readUInt32LE(at + 1)
    const uncompressedLength = isCompressed ? header.readUInt32LE(at + 5) : 0
    if (isCompressed && uncompressedLength === 0) throw damaged('pack header', 'a compressed blob has the length 0')
    if (length < sealOverhead) throw damaged('pack header', 'a blob is shorter than any sealed bytes are')
    const id = header.toString('hex', end - 32, end)
    blobs.push({ id, type: code % 2 === 1 ? 'tree' : 'data', offset, length, uncompressedLength })
    offset += length
    if (offset > maximumUint32) throw damaged('pack header', 'its blobs are longer than a pack can be')
    at = end
  }
  if (blobs.length === 0) throw damaged('pack header', 'it lists no blob')
  return blobs
}
