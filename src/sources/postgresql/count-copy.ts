import { RowCounter } from './row-counter.ts'
import type { TableKey } from './table-name.ts'
import { DumpFault, tableOfCopy, type DumpWatcher } from './watcher.ts'

/** The words that open and close a dump, as comments of their own. */
interface Frame {
  readonly head: string
  readonly trailer: string
}

const frames = {
  database: { head: '-- PostgreSQL database dump', trailer: '-- PostgreSQL database dump complete' },
  globals: { head: '-- PostgreSQL database cluster dump', trailer: '-- PostgreSQL database cluster dump complete' },
} as const satisfies Record<string, Frame>

/** What is told of a dump to who reads its rows, and not only counts them. */
export interface PlainDumpSink {
  /** A statement without its semicolon, each byte one character; of a very long one the beginning. */
  statement(text: string): void
  /** Bytes of the rows of the last COPY statement, and of the `\.` behind them. They hold until the call returns. */
  rows(bytes: Uint8Array): void
  endOfRows(): void
}

/** Is told a comment (each byte one character) and where, in the bytes that were pushed last, its line is over. */
export type CommentReader = (comment: string, end: number) => void

/** Longer comments and other statements are not looked at to their end. */
const longestComment = 1024
const longestBeginning = 64
/** A table has at most 1,600 columns, and a name at most 63 bytes, all of which may be doubled quotes. */
const longestCopy = 1 << 20

/** What the bytes are part of. */
type State =
  | 'sql'
  | 'line comment'
  | 'block comment'
  | 'string'
  | 'string with escapes'
  | 'quoted name'
  | 'dollar tag'
  | 'dollar string'
  | 'command of psql'
  | 'end of COPY'
  | 'rows'

const feed = 10
const doubleQuote = 34
const dollar = 36
const quote = 39
const star = 42
const minus = 45
const slash = 47
const semicolon = 59
const backslash = 92
const smallE = 101

/**
 * Reads a plain SQL dump of `pg_dump` or `pg_dumpall` as `psql` would, so that a COPY block is one only where a statement
 * may stand: never in a string, a name, a comment or the body of a function. Counts the rows of each block, and knows
 * whether the dump has its beginning, its trailer, and nothing after it.
 *
 * Since August 2025 dumps are wrapped in `\restrict` and `\unrestrict` with one random word; a dump that opens with the
 * one must close with the other. Every encoding of a server has ASCII bytes for ASCII characters only, so bytes will do.
 */
export class PlainWatcher implements DumpWatcher {
  readonly keepsPieces = false
  readonly rows = new Map<TableKey, number>()
  #largeObjects = 0

  readonly #frame: Frame
  #isBegun = false
  #isComplete = false
  #restriction: string | undefined

  #state: State = 'sql'
  /** The statement so far, each byte one character; of any but COPY only its beginning. */
  #statement = ''
  #isKept = true
  #previous = feed
  #beforePrevious = feed
  /** The comment, command or dollar tag so far. */
  #text = ''
  #delimiter = ''
  /** The last bytes of a dollar string, in which its delimiter may have begun. */
  #tail = ''
  #isEscaped = false
  #commentDepth = 0
  #reopened: State = 'string'
  #hasEscapesInAll = false
  #table: TableKey = ''
  readonly #counter = new RowCounter()

  readonly #sink: PlainDumpSink | undefined

  readonly #onComment: CommentReader | undefined

  /** @param onComment - gets the comments that stand between statements. */
  constructor(kind: keyof typeof frames, sink?: PlainDumpSink, onComment?: CommentReader) {
    this.#frame = frames[kind]
    this.#sink = sink
    this.#onComment = onComment
  }

  get largeObjects(): number {
    return this.#largeObjects
  }

  push(bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let at = 0; at < buffer.length;) at = this.#read(buffer, at)
  }

  end(): void {
    if (this.#state === 'rows') throw new DumpFault('it ends in the middle of a table')
    if (!this.#isBegun) throw new DumpFault('it is empty')
    if (!this.#isComplete) throw new DumpFault('its trailer is missing')
    if (this.#restriction !== undefined || this.#state !== 'sql') throw new DumpFault('its trailer is cut off')
    if (this.#statement !== '') throw new DumpFault('something follows its trailer')
  }

  /** Reads on in the present state, and gives the place where another begins or the bytes end. */
  #read(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'sql':
        return this.#readSql(bytes, at)
      case 'line comment':
      case 'command of psql':
        return this.#readLine(bytes, at)
      case 'block comment':
        return this.#readBlockComment(bytes, at)
      case 'string':
        return this.#readUntil(bytes, at, quote)
      case 'quoted name':
        return this.#readUntil(bytes, at, doubleQuote)
      case 'string with escapes':
        return this.#readEscapes(bytes, at)
      case 'dollar tag':
        return this.#readDollarTag(bytes, at)
      case 'dollar string':
        return this.#readDollarString(bytes, at)
      case 'end of COPY':
        return this.#readEndOfCopy(bytes, at)
      case 'rows':
        return this.#readRows(bytes, at)
      default:
        return this.#state satisfies never
    }
  }

  #readSql(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]!
      const previous = this.#previous
      const before = this.#beforePrevious
      this.#previous = byte
      this.#beforePrevious = previous
      if (this.#statement === '' && isSpace(byte)) continue
      if (this.#isComplete && byte !== minus && byte !== backslash) throw new DumpFault('something follows its trailer')
      switch (byte) {
        case quote:
          // A quote right after one that closed a string goes on with the same string.
          if (previous !== quote) this.#reopened = this.#kindOfString(before, previous)
          this.#isEscaped = false
          return this.#enter(this.#reopened, byte, at)
        case doubleQuote:
          return this.#enter('quoted name', byte, at)
        case dollar:
          if (isInName(previous)) break
          this.#text = ''
          return this.#enter('dollar tag', byte, at)
        case minus:
          if (previous !== minus) break
          this.#dropLast()
          this.#text = '--'
          this.#state = 'line comment'
          return at + 1
        case star:
          if (previous !== slash) break
          this.#dropLast()
          this.#commentDepth = 1
          this.#previous = 0
          this.#state = 'block comment'
          return at + 1
        case backslash:
          if (this.#statement !== '') break
          this.#text = '\\'
          this.#state = 'command of psql'
          return at + 1
        case semicolon:
          this.#endStatement()
          if (this.#state !== 'sql') return at + 1
          continue
      }
      this.#keep(byte)
    }
    return bytes.length
  }

  #enter(state: State, byte: number, at: number): number {
    this.#keep(byte)
    this.#state = state
    return at + 1
  }

  /** A word that is an `E` and nothing else marks a string with escapes. */
  #kindOfString(before: number, previous: number): State {
    const isMarked = (previous | 0x20) === smallE && !isInName(before) && before !== dollar
    return isMarked || this.#hasEscapesInAll ? 'string with escapes' : 'string'
  }

  #keep(byte: number): void {
    if (this.#isKept) this.#keepText(String.fromCharCode(byte))
  }

  #keepText(text: string): void {
    this.#statement += text
    this.#isKept = this.#statement.length < this.#longestStatement
  }

  get #longestStatement(): number {
    return this.#sink || this.#statement.startsWith('COPY ') ? longestCopy : longestBeginning
  }

  /** The first character of a comment looked like one of the statement. */
  #dropLast(): void {
    if (this.#isKept) this.#statement = this.#statement.slice(0, -1)
  }

  #endStatement(): void {
    const statement = this.#statement
    this.#statement = ''
    this.#isKept = true
    if (!this.#isBegun) throw new DumpFault('it does not begin as a dump does')
    this.#sink?.statement(statement)
    if (statement.startsWith('COPY ')) {
      const table = tableOfCopy(statement)
      if (table === undefined) throw new DumpFault('a COPY statement in it has an unknown form')
      this.#table = table
      this.#state = 'end of COPY'
    } else if (statement.startsWith('SELECT pg_catalog.lo_open(')) {
      this.#largeObjects += 1
    } else if (statement.startsWith('SET standard_conforming_strings = ')) {
      this.#hasEscapesInAll = statement.endsWith('off')
    }
  }

  #readLine(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(feed, from)
    const piece = bytes.subarray(from, end === -1 ? undefined : end)
    if (this.#text.length < longestComment) this.#text += piece.toString('latin1', 0, longestComment)
    if (end === -1) return bytes.length
    if (this.#state === 'line comment') {
      this.#takeComment(this.#text)
      if (this.#statement === '') this.#onComment?.(this.#text, end + 1)
    } else this.#takeCommand(this.#text)
    this.#state = 'sql'
    this.#previous = feed
    return end + 1
  }

  #takeComment(comment: string): void {
    if (this.#statement !== '') return
    if (comment === this.#frame.trailer) this.#isComplete = this.#isBegun
    else if (comment === '--') return
    else if (this.#isComplete) throw new DumpFault('something follows its trailer')
    else if (comment === this.#frame.head) this.#isBegun = true
    else if (!this.#isBegun) throw new DumpFault('it does not begin as a dump does')
  }

  #takeCommand(command: string): void {
    if (!this.#isBegun) throw new DumpFault('it does not begin as a dump does')
    const [verb, word = ''] = command.split(' ', 2)
    if (verb === '\\restrict' && this.#restriction === undefined && !this.#isComplete) this.#restriction = word
    else if (verb === '\\unrestrict' && this.#restriction === word) this.#restriction = undefined
    else throw new DumpFault(`it holds the unknown command ${verb}`)
  }

  #readBlockComment(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]!
      const pair = this.#previous === star && byte === slash ? -1 : this.#previous === slash && byte === star ? 1 : 0
      this.#previous = pair === 0 ? byte : 0
      this.#commentDepth += pair
      if (this.#commentDepth > 0) continue
      this.#state = 'sql'
      return at + 1
    }
    return bytes.length
  }

  /** To the next such byte, which ends the string or name; a doubled one begins it anew, which comes to the same. */
  #readUntil(bytes: Buffer, from: number, byte: number): number {
    const end = bytes.indexOf(byte, from)
    const next = end === -1 ? bytes.length : end + 1
    if (this.#isKept) this.#keepText(bytes.toString('latin1', from, Math.min(next, from + this.#longestStatement)))
    if (end === -1) return next
    this.#state = 'sql'
    this.#previous = byte
    return next
  }

  #readEscapes(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (this.#isEscaped) this.#isEscaped = false
      else if (byte === backslash) this.#isEscaped = true
      else if (byte === quote) {
        this.#state = 'sql'
        this.#previous = quote
        return at + 1
      }
    }
    return bytes.length
  }

  #readDollarTag(bytes: Buffer, at: number): number {
    const byte = bytes[at]!
    if (byte === dollar) {
      this.#delimiter = `$${this.#text}$`
      this.#tail = ''
      this.#state = 'dollar string'
      return at + 1
    }
    const isFirst = this.#text === ''
    if (isInName(byte) && !(isFirst && isDigit(byte))) {
      this.#text += String.fromCharCode(byte)
      return at + 1
    }
    this.#previous = dollar
    this.#state = 'sql'
    return at
  }

  #readDollarString(bytes: Buffer, from: number): number {
    const { length } = this.#delimiter
    const seam = this.#tail + bytes.toString('latin1', from, Math.min(bytes.length, from + length - 1))
    const inSeam = seam.indexOf(this.#delimiter)
    if (inSeam !== -1) return this.#endDollarString(from + inSeam + length - this.#tail.length)
    const found = bytes.indexOf(this.#delimiter, from, 'latin1')
    if (found !== -1) return this.#endDollarString(found + length)
    this.#tail = (this.#tail + bytes.toString('latin1', Math.max(from, bytes.length - length + 1))).slice(1 - length)
    return bytes.length
  }

  #endDollarString(next: number): number {
    this.#state = 'sql'
    this.#previous = dollar
    return next
  }

  #readEndOfCopy(bytes: Buffer, at: number): number {
    if (bytes[at] !== feed) throw new DumpFault('a COPY statement in it is not followed by its rows')
    this.#counter.begin()
    this.#state = 'rows'
    return at + 1
  }

  #readRows(bytes: Buffer, at: number): number {
    const end = this.#counter.read(bytes, at)
    this.#sink?.rows(bytes.subarray(at, end === -1 ? undefined : end))
    if (end === -1) return bytes.length
    this.#sink?.endOfRows()
    this.rows.set(this.#table, (this.rows.get(this.#table) ?? 0) + this.#counter.rows)
    this.#state = 'sql'
    this.#previous = feed
    return end
  }
}

function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13)
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57
}

/** Letters, digits, `_` and every byte of a character that is not ASCII; a `$` that follows one begins no string. */
function isInName(byte: number): boolean {
  return isDigit(byte) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte === 95 || byte >= 128
}
