/**
 * Index files as numbers, because a repository has millions of blobs, and an object with two texts for each of them takes
 * most of the time of a run in which nothing changed.
 *
 * What restic and we write is read byte by byte; any other JSON of the same meaning goes through {@link decodeIndex}.
 */
import { decodeIndex, type IndexedBlob, type IndexedPack } from './index-file.ts'
import { PackHeaderWriter } from './pack-header.ts'

/** What one index file says. */
export interface IndexRows {
  /** Hex ids. */
  readonly packs: readonly string[]
  /**
   * `rowWords` words a blob: position of its pack in `packs`, 1 for a tree and 0 for data, offset, length, uncompressed length
   * (0 = stored raw), and the 32 bytes of its id as they stand in memory. Those of one pack follow each other.
   */
  readonly rows: Uint32Array
}

export const rowWords = 13
const idAt = 5
const idLength = 32
const hexLength = 2 * idLength

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const fileStart = bytesOf('{"packs":[')
const packStart = bytesOf('{"id":"')
const packMiddle = bytesOf('","blobs":[')
const blobStart = bytesOf('{"id":"')
const typeStart = bytesOf('","type":"')
const treeType = bytesOf('tree","offset":')
const dataType = bytesOf('data","offset":')
const lengthStart = bytesOf(',"length":')
const plainLengthStart = bytesOf(',"uncompressed_length":')
const fileEnd = bytesOf(']}')
/** Bytes of the shortest blob, with the comma before it. */
const shortestBlob = '{"id":"","type":"data","offset":0,"length":0}'.length + hexLength + 1

const [comma, lineFeed, closeBracket, closeBrace] = [0x2c, 0x0a, 0x5d, 0x7d]
const notHex = 0xff
const digits = new Uint8Array(256).fill(notHex)
for (let digit = 0; digit < 16; digit++) digits[digit.toString(16).charCodeAt(0)] = digit

/**
 * The blobs of one index file, in its order.
 *
 * @throws `format.damaged`.
 */
export function decodeIndexRows(bytes: Uint8Array): IndexRows {
  return new Scan(bytes).index() ?? rowsOf(bytes)
}

/** What the rows of one pack say of it. */
export interface PackRows {
  /** Hex. */
  readonly id: string
  /** One object for each row. */
  blobs(): IndexedBlob[]
  /**
   * The pack that it is when its blobs follow each other from its first byte on, as in every sound one; without an object for each of
   * them. Undefined when they do not.
   */
  gapless(): GaplessPack | undefined
}

export interface GaplessPack {
  /** Bytes of the blobs. */
  readonly length: number
  /** As `encodePackHeader` gives it. */
  readonly header: Uint8Array
  readonly trees: number
  readonly data: number
  /** Blobs that are compressed. */
  readonly compressed: number
  /** Bytes of the shortest blob as it is stored. */
  readonly shortest: number
}

/** The packs of an index file, in its order; objects are made for one of them at a time. */
export function* packsOf(index: IndexRows): Generator<IndexedPack, void, void> {
  for (const pack of packRowsOf(index)) yield { id: pack.id, blobs: pack.blobs() }
}

/** As {@link packsOf}, and nothing is made of a pack but what is asked for. */
export function* packRowsOf({ packs, rows }: IndexRows): Generator<PackRows, void, void> {
  let end = 0
  for (const [position, id] of packs.entries()) {
    const start = end
    while (end < rows.length && rows[end] === position) end += rowWords
    const own = rows.subarray(start, end)
    yield { id, blobs: () => blobsOf(own), gapless: () => gaplessPackOf(own) }
  }
}

function blobsOf(rows: Uint32Array): IndexedBlob[] {
  const ids = Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength)
  const blobs: IndexedBlob[] = []
  for (let at = 0; at < rows.length; at += rowWords) {
    const idStart = (at + idAt) * 4
    blobs.push({
      id: ids.toString('hex', idStart, idStart + idLength),
      type: rows[at + 1] === 1 ? 'tree' : 'data',
      offset: rows[at + 2]!,
      length: rows[at + 3]!,
      uncompressedLength: rows[at + 4]!,
    })
  }
  return blobs
}

function gaplessPackOf(rows: Uint32Array): GaplessPack | undefined {
  const count = rows.length / rowWords
  const header = new PackHeaderWriter(count)
  const ids = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength)
  let [length, trees, compressed, shortest] = [0, 0, 0, Infinity]
  for (let at = 0; at < rows.length; at += rowWords) {
    const isTree = rows[at + 1] === 1
    if (rows[at + 2] !== length) return undefined
    header.add(isTree, rows[at + 3]!, rows[at + 4]!, ids, (at + idAt) * 4)
    length += rows[at + 3]!
    shortest = Math.min(shortest, rows[at + 3]!)
    if (isTree) trees++
    if (rows[at + 4] !== 0) compressed++
  }
  return { length, header: header.bytes(), trees, data: count - trees, compressed, shortest }
}

function rowsOf(bytes: Uint8Array): IndexRows {
  const packs = decodeIndex(bytes)
  const count = packs.reduce((sum, { blobs }) => sum + blobs.length, 0)
  const rows = new Uint32Array(count * rowWords)
  const ids = Buffer.from(rows.buffer)
  let at = 0
  for (const [position, { blobs }] of packs.entries()) {
    for (const { id, type, offset, length, uncompressedLength } of blobs) {
      rows.set([position, type === 'tree' ? 1 : 0, offset, length, uncompressedLength], at)
      ids.write(id, (at + idAt) * 4, 'hex')
      at += rowWords
    }
  }
  return { packs: packs.map(({ id }) => id), rows }
}

/** One way through the bytes of an index file; whatever is not as restic writes it ends it without a result. */
class Scan {
  readonly #bytes: Uint8Array
  readonly #rows: Uint32Array
  readonly #ids: Uint8Array
  #at = 0
  #row = 0
  /** The number read last. */
  #number = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#rows = new Uint32Array(Math.ceil(bytes.length / shortestBlob) * rowWords)
    this.#ids = new Uint8Array(this.#rows.buffer)
  }

  index(): IndexRows | undefined {
    const packs: string[] = []
    if (!this.#passes(fileStart)) return undefined
    do {
      const id = this.#packId()
      if (id === undefined || !this.#blobs(packs.length)) return undefined
      packs.push(id)
    } while (this.#passesByte(comma))
    if (!this.#passes(fileEnd)) return undefined
    if (this.#bytes[this.#at] === lineFeed) this.#at++
    return this.#at === this.#bytes.length ? { packs, rows: this.#rows.subarray(0, this.#row) } : undefined
  }

  #packId(): string | undefined {
    if (!this.#passes(packStart)) return undefined
    const text = Buffer.from(this.#bytes.subarray(this.#at, this.#at + hexLength)).toString('latin1')
    this.#at += hexLength
    return /^[0-9a-f]{64}$/.test(text) && this.#passes(packMiddle) ? text : undefined
  }

  /** From the first blob of a pack to its end. */
  #blobs(pack: number): boolean {
    do if (!this.#blob(pack)) return false
    while (this.#passesByte(comma))
    return this.#passesByte(closeBracket) && this.#passesByte(closeBrace)
  }

  #blob(pack: number): boolean {
    const rows = this.#rows
    const row = this.#row
    if (!this.#passes(blobStart) || !this.#passesId((row + idAt) * 4) || !this.#passes(typeStart)) return false
    const isTree = this.#passes(treeType)
    if (!isTree && !this.#passes(dataType)) return false
    if (!this.#passesNumber()) return false
    rows[row + 2] = this.#number
    if (!this.#passes(lengthStart) || !this.#passesNumber()) return false
    rows[row + 3] = this.#number
    rows[row] = pack
    rows[row + 1] = isTree ? 1 : 0
    if (this.#passes(plainLengthStart)) {
      if (!this.#passesNumber()) return false
      rows[row + 4] = this.#number
    }
    this.#row = row + rowWords
    return this.#passesByte(closeBrace)
  }

  /** Puts the 32 bytes of an id to their place. */
  #passesId(to: number): boolean {
    const bytes = this.#bytes
    const start = this.#at
    if (start + hexLength > bytes.length) return false
    let seen = 0
    for (let place = 0; place < idLength; place++) {
      const high = digits[bytes[start + 2 * place]!]!
      const low = digits[bytes[start + 2 * place + 1]!]!
      seen |= high | low
      this.#ids[to + place] = (high << 4) | low
    }
    this.#at = start + hexLength
    return seen < 16
  }

  /** A whole number of 32 bits, without needless zeros. */
  #passesNumber(): boolean {
    const bytes = this.#bytes
    const start = this.#at
    let value = 0
    let at = start
    for (; ; at++) {
      const digit = bytes[at]! - 0x30
      if (!(digit >= 0 && digit <= 9) || value > 0xffff_ffff) break
      value = value * 10 + digit
    }
    this.#at = at
    this.#number = value
    return value <= 0xffff_ffff && at > start && (bytes[start] !== 0x30 || at === start + 1)
  }

  #passes(text: Uint8Array): boolean {
    const bytes = this.#bytes
    const at = this.#at
    for (let place = 0; place < text.length; place++) if (bytes[at + place] !== text[place]) return false
    this.#at = at + text.length
    return true
  }

  #passesByte(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false
    this.#at++
    return true
  }
}
