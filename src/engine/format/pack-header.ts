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
const idLength = 32
const sealOverhead = 32
const lengthWord = 4

/** Bytes that the header of `blobs` adds to a pack after them: the sealed entries and the length word. */
export function headerSize(blobs: readonly IndexedBlob[]): number {
  return sealedHeaderSize(entriesSize(blobs))
}

/** The same for a header that has so many bytes before it is sealed. */
export function sealedHeaderSize(plainLength: number): number {
  return plainLength + sealOverhead + lengthWord
}

function entriesSize(blobs: readonly IndexedBlob[]): number {
  return blobs.reduce((size, blob) => size + entrySize(blob.uncompressedLength), 0)
}

function entrySize(uncompressedLength: number): number {
  return uncompressedLength > 0 ? compressedEntrySize : rawEntrySize
}

/** The entries as they are before sealing. `blobs` must be in the order of the pack; their offsets are not written. */
export function encodePackHeader(blobs: readonly IndexedBlob[]): Uint8Array {
  const writer = new PackHeaderWriter(blobs.length)
  const bytes = Buffer.alloc(idLength)
  for (const { id, type, length, uncompressedLength } of blobs) {
    bytes.write(id, 'hex')
    writer.add(type === 'tree', length, uncompressedLength, bytes, 0)
  }
  return writer.bytes()
}

/** Entries one after the other, in the order of the pack. */
export class PackHeaderWriter {
  readonly #bytes: Uint8Array
  #length = 0

  /** @param most - entries. */
  constructor(most: number) {
    this.#bytes = new Uint8Array(most * compressedEntrySize)
  }

  /** @param ids - its id are the 32 bytes at `idStart`. */
  add(isTree: boolean, length: number, uncompressedLength: number, ids: Uint8Array, idStart: number): void {
    const bytes = this.#bytes
    const isCompressed = uncompressedLength > 0
    bytes[this.#length++] = (isTree ? 1 : 0) + (isCompressed ? 2 : 0)
    this.#word(length)
    if (isCompressed) this.#word(uncompressedLength)
    for (let at = 0; at < idLength; at++) bytes[this.#length++] = ids[idStart + at]!
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #word(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.#bytes[this.#length++] = value >>> shift
  }
}

/**
 * The blobs that an unsealed header lists, with the offsets that follow from their lengths.
 *
 * @param within - only those that begin in this half-open range of bytes.
 * @throws `format.damaged` when there is none, an entry is cut off or of unknown type, or an offset exceeds 32 bits.
 */
export function decodePackHeader(plain: Uint8Array, { start, end: stop } = { start: 0, end: Infinity }): IndexedBlob[] {
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
    if (offset >= start && offset < stop) {
      const id = header.toString('hex', end - 32, end)
      blobs.push({ id, type: code % 2 === 1 ? 'tree' : 'data', offset, length, uncompressedLength })
    }
    offset += length
    if (offset > maximumUint32) throw damaged('pack header', 'its blobs are longer than a pack can be')
    at = end
  }
  if (header.length === 0) throw damaged('pack header', 'it lists no blob')
  return blobs
}
