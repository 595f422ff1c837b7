/**
 * Layout of a custom archive (`pg_dump --format=custom`), uncompressed and written to a pipe:
 *
 *     "PGDMP", version (3 bytes), size of integers, size of offsets, format (1), compression,
 *     7 integers of time, 3 strings, count of entries, entries: the table of contents
 *     for each entry with data, in any order:
 *       1, entry, { length, bytes } …, 0                                 the rows of a table as a COPY block
 *       3, entry, { oid, { length, bytes } …, 0 } …, 0                   large objects
 *
 * An integer is a byte of sign and then its bytes, lowest first; a string is its length (−1 for none) and its bytes.
 *
 * Source: PostgreSQL's src/bin/pg_dump/pg_backup_archiver.c and pg_backup_custom.c.
 */
import type { TableKey } from './table-name.ts'
import { DumpFault, tableOfCopy, type DumpWatcher } from './watcher.ts'

interface DataEntry {
  /** Absent for large objects. */
  readonly table?: TableKey
}

interface Contents {
  readonly integerSize: number
  /** What must have data, by its number. */
  readonly entries: Map<number, DataEntry>
}

/** Format versions whose table of contents is known, as `major * 256 + minor`: those of pg_dump 12 to 18. */
const oldestVersion = version(1, 14)
const newestVersion = version(1, 16)
/** Such entries are in the contents for their order only. */
const withoutData = 3
/** Larger contents than these are no contents. */
const longestContents = 1 << 30

/** What every COPY block ends with in an archive. */
const endOfRows = '\\.\n\n\n'
const feed = 10

type State = 'contents' | 'block' | 'entry' | 'oid' | 'length' | 'bytes'

/** Reads an uncompressed custom archive, counts the rows of each table, and knows whether all data that it announces is there. */
export class ArchiveWatcher implements DumpWatcher {
  readonly keepsPieces = true
  readonly rows = new Map<TableKey, number>()
  #largeObjects = 0
  #state: State = 'contents'
  /** Bytes that are too few for what is read next, and how many they are. */
  #pieces: Buffer[] = []
  #held = 0
  /** When to try again to read the contents, so that reading them piece by piece does not take forever. */
  #tryAt = 0
  #integerSize = 4
  #waiting = new Map<number, DataEntry>()
  #entry: DataEntry = {}
  #isLargeObjects = false
  /** Bytes of the present chunk that are still to come. */
  #remaining = 0
  #feeds = 0
  #tail = ''

  get largeObjects(): number {
    return this.#largeObjects
  }

  push(bytes: Uint8Array): void {
    this.#pieces.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
    this.#held += bytes.length
    if (this.#state === 'contents' && this.#held < this.#tryAt) return
    const buffer = this.#takePieces()
    const at = this.#state === 'contents' ? this.#readContents(buffer) : 0
    const end = at === undefined ? 0 : this.#readBlocks(buffer, at)
    if (end === buffer.length) return
    // A copy, because a rest of some bytes would keep all that they came with.
    this.#pieces.push(at === undefined ? buffer : Buffer.from(buffer.subarray(end)))
    this.#held = buffer.length - end
  }

  #takePieces(): Buffer {
    const [first = Buffer.alloc(0), ...others] = this.#pieces
    const buffer = others.length === 0 ? first : Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#held = 0
    return buffer
  }

  /** The place where the blocks begin; undefined when there is more of the contents to come. */
  #readContents(buffer: Buffer): number | undefined {
    const found = readContents(buffer)
    if (!found) {
      if (buffer.length > longestContents) throw new DumpFault('its table of contents has no end')
      this.#tryAt = buffer.length * 2
      return undefined
    }
    this.#integerSize = found.contents.integerSize
    this.#waiting = found.contents.entries
    this.#state = 'block'
    return found.end
  }

  end(): void {
    if (this.#state === 'contents') this.#endContents()
    if (this.#state !== 'block' || this.#held > 0) throw new DumpFault('it ends in the middle of a table')
    if (this.#waiting.size > 0) throw new DumpFault(`data of ${this.#waiting.size} of its entries is missing`)
  }

  /** What was held back because more was to come may be all. */
  #endContents(): void {
    if (this.#held === 0) throw new DumpFault('it is empty')
    const buffer = this.#takePieces()
    const at = this.#readContents(buffer)
    if (at === undefined) throw new DumpFault('its table of contents is cut off')
    this.#held = buffer.length - this.#readBlocks(buffer, at)
  }

  #readBlocks(buffer: Buffer, from: number): number {
    const integer = this.#integerSize + 1
    let at = from
    for (;;) {
      switch (this.#state) {
        case 'bytes': {
          const end = Math.min(buffer.length, at + this.#remaining)
          this.#takeBytes(buffer, at, end)
          this.#remaining -= end - at
          at = end
          if (this.#remaining > 0) return at
          this.#state = 'length'
          break
        }
        case 'length': {
          if (buffer.length - at < integer) return at
          const length = readInteger(buffer, at, this.#integerSize)
          at += integer
          if (length < 0) throw new DumpFault('a length in it is negative')
          this.#remaining = length
          if (length > 0) this.#state = 'bytes'
          else this.#endChunks()
          break
        }
        case 'block': {
          if (buffer.length - at < 1) return at
          const kind = buffer[at]!
          if (kind !== 1 && kind !== 3) throw new DumpFault('something in it is no block of data')
          this.#isLargeObjects = kind === 3
          this.#state = 'entry'
          at += 1
          break
        }
        case 'entry': {
          if (buffer.length - at < integer) return at
          this.#beginEntry(readInteger(buffer, at, this.#integerSize))
          at += integer
          break
        }
        case 'oid': {
          if (buffer.length - at < integer) return at
          const oid = readInteger(buffer, at, this.#integerSize)
          at += integer
          if (oid === 0) {
            this.#state = 'block'
          } else {
            this.#largeObjects += 1
            this.#state = 'length'
          }
          break
        }
        case 'contents':
          throw new Error('the contents are read before the blocks')
        default:
          this.#state satisfies never
      }
    }
  }

  #beginEntry(number: number): void {
    const entry = this.#waiting.get(number)
    if (!entry) throw new DumpFault('data in it belongs to nothing of its table of contents')
    this.#waiting.delete(number)
    this.#entry = entry
    this.#feeds = 0
    this.#tail = ''
    this.#state = this.#isLargeObjects ? 'oid' : 'length'
  }

  #takeBytes(buffer: Buffer, from: number, to: number): void {
    if (this.#isLargeObjects || this.#entry.table === undefined) return
    for (let at = from; at < to; at++) {
      at = buffer.indexOf(feed, at)
      if (at === -1 || at >= to) break
      this.#feeds += 1
    }
    // Most chunks are one row; only the last has the form of an end.
    if (to - from <= endOfRows.length)
      this.#tail = (this.#tail + buffer.toString('latin1', from, to)).slice(-endOfRows.length)
    else this.#tail = buffer[to - 2] === feed ? buffer.toString('latin1', to - endOfRows.length, to) : ''
  }

  #endChunks(): void {
    if (this.#isLargeObjects) return void (this.#state = 'oid')
    const { table } = this.#entry
    if (table !== undefined) {
      if (this.#tail !== endOfRows) throw new DumpFault('the rows of a table in it have no end')
      this.rows.set(table, (this.rows.get(table) ?? 0) + this.#feeds - 3)
    }
    this.#state = 'block'
  }
}

/** Undefined when `buffer` does not hold all of the contents yet. */
function readContents(buffer: Buffer): { readonly contents: Contents; readonly end: number } | undefined {
  const reader = new Reader(buffer)
  try {
    const contents = parseContents(reader)
    return { contents, end: reader.at }
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined
    throw thrown
  }
}

function parseContents(reader: Reader): Contents {
  if (reader.take(5).toString('latin1') !== 'PGDMP') throw new DumpFault('it does not begin as an archive does')
  const [major, minor] = [reader.byte(), reader.byte()]
  const found = version(major, minor)
  reader.byte()
  if (found < oldestVersion || found > newestVersion) {
    throw new DumpFault(`its format has the version ${major}.${minor}, which is not known`)
  }
  const integerSize = (reader.integerSize = reader.byte())
  if (integerSize !== 4 && integerSize !== 8) throw new DumpFault('its integers have an unknown size')
  const offsetSize = reader.byte()
  if (reader.byte() !== 1) throw new DumpFault('it is not a custom archive')
  const compression = found >= version(1, 15) ? reader.byte() : reader.integer()
  if (compression !== 0) throw new DumpFault('it is compressed')
  for (let nth = 0; nth < 7; nth++) reader.integer()
  for (let nth = 0; nth < 3; nth++) reader.text()
  const entries = new Map<number, DataEntry>()
  for (let count = reader.integer(); count > 0; count--) {
    const { number, entry } = parseEntry(reader, found, offsetSize)
    if (entry) entries.set(number, entry)
  }
  return { integerSize, entries }
}

/** One line of the contents. The fields after `copy` differ by version and are not looked at. */
function parseEntry(reader: Reader, found: number, offsetSize: number): { number: number; entry?: DataEntry } {
  const number = reader.integer()
  reader.integer()
  reader.text() // the catalog's own numbers, as text
  reader.text()
  reader.text()
  const kind = reader.text()
  reader.integer()
  reader.text()
  reader.text()
  const copy = reader.text()
  for (let nth = 0; nth < 3; nth++) reader.text()
  if (found >= version(1, 16)) reader.integer()
  reader.text()
  reader.text()
  while (reader.text() !== undefined);
  const hasData = reader.byte() !== withoutData
  reader.take(offsetSize)
  if (!hasData) return { number }
  if (kind !== 'TABLE DATA') return { number, entry: {} }
  const table = tableOfCopy((copy ?? '').replace(/;\n$/, ''))
  if (table === undefined) throw new DumpFault('a COPY statement in it has an unknown form')
  return { number, entry: { table } }
}

class Reader {
  at = 0
  integerSize = 4
  readonly #buffer: Buffer

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  /** @throws RangeError when there are not so many bytes. */
  take(length: number): Buffer {
    if (this.#buffer.length - this.at < length) throw new RangeError('more bytes are needed')
    return this.#buffer.subarray(this.at, (this.at += length))
  }

  byte(): number {
    return this.take(1)[0]!
  }

  integer(): number {
    const at = this.at
    this.take(this.integerSize + 1)
    return readInteger(this.#buffer, at, this.integerSize)
  }

  /** Each byte one character. */
  text(): string | undefined {
    const length = this.integer()
    return length < 0 ? undefined : this.take(length).toString('latin1')
  }
}

function readInteger(buffer: Buffer, at: number, size: number): number {
  const value = size === 4 ? buffer.readUInt32LE(at + 1) : Number(buffer.readBigUInt64LE(at + 1))
  return buffer[at] === 0 ? value : -value
}

function version(major: number, minor: number): number {
  return major * 256 + minor
}
