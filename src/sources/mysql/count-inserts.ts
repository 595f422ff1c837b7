import { RowReader } from './read-rows.ts'
import { SqlText } from './sql-text.ts'

/** What a dump has shown of itself. */
export interface DumpSummary {
  /** Rows by table; tables without rows too. */
  readonly rows: ReadonlyMap<string, number>
  /** Tables whose definition was seen. */
  readonly defined: ReadonlySet<string>
  /** Tables whose data, even if it is none, was seen to its end. */
  readonly filled: ReadonlySet<string>
  readonly sequences: ReadonlySet<string>
  readonly views: ReadonlySet<string>
  readonly triggers: number
  readonly events: number
  readonly routines: number
  /** The longest INSERT statement: the server that loads it must accept a packet of this size. */
  readonly longestStatementBytes: number
  /** Names the database that the dump was made from, which it then changes when it is loaded elsewhere. */
  readonly changesDatabase: boolean
  /** Why the dump is not whole as far as it can tell by itself. */
  readonly fault: string | undefined
}

/** What is told of a dump to who reads its rows, and not only counts them. Bytes hold until the call returns. */
export interface InsertSink {
  /** A line that is none of rows, with its line feed. @param isOpen - it begins outside of strings, names and comments. */
  line(line: Uint8Array, isOpen: boolean): void
  /** The words of an INSERT statement up to its first row: `INSERT INTO name (column, …) VALUES`. */
  beginRows(header: string): void
  rows(bytes: Uint8Array): void
  endOfRows(): void
}

interface OpenInsert {
  readonly table: string
  readonly reader: RowReader
}

const insertStart = Buffer.from('INSERT INTO `')
const [feed, openRow, backquote, closeRow] = [0x0a, 0x28, 0x60, 0x29]
/** A line of SQL that is longer comes from no dump program. */
const longestLineBytes = 1 << 28

/** Beginnings of lines that name what they make. */
const named = [
  { what: 'definition', start: 'CREATE TABLE `' },
  { what: 'data', start: 'LOCK TABLES `' },
  { what: 'sequence', start: 'CREATE SEQUENCE `' },
  { what: 'view', start: '/*!50001 VIEW `' },
] as const
type Named = (typeof named)[number]['what']

const trailer = /^-- Dump completed(?: on [-: 0-9]+)?\r?\n?$/
const modeLine = /^\/\*!50003 SET sql_mode\s+= (?:'([^']*)'|@saved_sql_mode) \*\//
/** `CREATE … DEFINER=…@… PROCEDURE`, or any of the other kinds; a definer is quoted as the routine's SQL mode says. */
const made =
  /^(?:\/\*!\d+\s*)?CREATE\b(?:(?!\bDEFINER=)[^`'"])*(?:DEFINER=(?:(?:`(?:[^`]|``)*`|"(?:[^"]|"")*")@?){1,2})?[^`'"(]*?\b(TRIGGER|EVENT|PROCEDURE|FUNCTION|PACKAGE)\b/i

/**
 * Reads the output of mariadb-dump or mysqldump while it streams by: counts the rows of each table, and sees what is
 * there and whether it ends as it must.
 *
 * Pieces may be cut anywhere. Memory: the longest line that is not one of rows.
 */
export class DumpReader {
  readonly #text = new SqlText()
  readonly #rows = new Map<string, number>()
  readonly #defined = new Set<string>()
  readonly #filled = new Set<string>()
  readonly #sequences = new Set<string>()
  readonly #views = new Set<string>()
  readonly #counts = { trigger: 0, event: 0, routine: 0 }
  #longest = 0
  #changesDatabase = false
  #fault: string | undefined
  #isComplete = false
  /** The line that has begun and not ended. */
  #begun: Uint8Array[] = []
  #begunBytes = 0
  #insert: OpenInsert | undefined
  #data: string | undefined
  #name: { readonly what: Named; readonly parts: Buffer[] } | undefined
  readonly #sink: InsertSink | undefined

  constructor(sink?: InsertSink) {
    this.#sink = sink
  }

  push(piece: Uint8Array): void {
    let at = 0
    while (at < piece.length && this.#fault === undefined) {
      at = this.#insert ? this.#readRows(this.#insert, piece, at) : this.#readLine(piece, at)
    }
  }

  end(): DumpSummary {
    if (this.#begunBytes > 0) this.#takeLine(this.#takeBegun())
    if (this.#insert) this.#fail(`the rows of table ${this.#insert.table} break off`)
    if (!this.#isComplete) this.#fail('the line "Dump completed" is missing at its end')
    return {
      rows: this.#rows,
      defined: this.#defined,
      filled: this.#filled,
      sequences: this.#sequences,
      views: this.#views,
      triggers: this.#counts.trigger,
      events: this.#counts.event,
      routines: this.#counts.routine,
      longestStatementBytes: this.#longest,
      changesDatabase: this.#changesDatabase,
      fault: this.#fault,
    }
  }

  #readRows({ table, reader }: OpenInsert, piece: Uint8Array, at: number): number {
    const end = reader.read(piece, at)
    if (reader.fault !== undefined) this.#fail(`in the rows of table ${table} ${reader.fault}`)
    this.#sink?.rows(piece.subarray(at, end))
    if (reader.isEnded) {
      this.#sink?.endOfRows()
      this.#rows.set(table, (this.#rows.get(table) ?? 0) + reader.rows)
      this.#longest = Math.max(this.#longest, reader.bytes)
      this.#insert = undefined
    }
    return end
  }

  #readLine(piece: Uint8Array, at: number): number {
    const end = piece.indexOf(feed, at)
    if (this.#mayBeInsert(piece, at)) return this.#readHeader(piece, at)
    const next = end === -1 ? piece.length : end + 1
    if (this.#begunBytes === 0 && end !== -1) this.#takeLine(piece.subarray(at, next))
    else {
      this.#begun.push(Buffer.from(piece.subarray(at, next)))
      this.#begunBytes += next - at
      if (this.#begunBytes > longestLineBytes) this.#fail('a line has no end')
      if (end !== -1) this.#takeLine(this.#takeBegun())
    }
    return next
  }

  /** Whether the line that has begun, with what follows, is or may become the beginning of rows. */
  #mayBeInsert(piece: Uint8Array, at: number): boolean {
    if (!this.#text.isOpen || this.#text.delimiter !== ';') return false
    const begun = this.#begunBytes === 0 ? undefined : this.#peekBegun()
    for (let nth = 0; nth < insertStart.length; nth++) {
      const byte = begun && nth < begun.length ? begun[nth] : piece[at + nth - (begun?.length ?? 0)]
      if (byte !== undefined && byte !== insertStart[nth]) return false
    }
    return true
  }

  /** Takes the words up to the first row, and begins to read rows when they are all there. */
  #readHeader(piece: Uint8Array, at: number): number {
    const before = this.#takeBegun()
    const text = Buffer.concat([before, piece.subarray(at)])
    const header = parseHeader(text)
    if (header === 'incomplete') {
      this.#begun.push(text)
      this.#begunBytes = text.length
      if (text.length > longestLineBytes) this.#fail('an INSERT statement has no rows')
      return piece.length
    }
    if (header === undefined) {
      this.#fail('an INSERT statement is not as the dump programs write them')
      return piece.length
    }
    if (this.#data !== header.table) {
      this.#fail(`rows of table ${header.table} stand outside of its data`)
      return piece.length
    }
    const reader = new RowReader(header.linewise)
    reader.bytes = header.end
    this.#sink?.beginRows(text.toString('utf8', 0, header.end))
    this.#insert = { table: header.table, reader }
    return at + header.end - before.length
  }

  #takeBegun(): Buffer {
    const line = this.#peekBegun()
    this.#begun = []
    this.#begunBytes = 0
    return line
  }

  #peekBegun(): Buffer {
    if (this.#begun.length > 1) this.#begun = [Buffer.concat(this.#begun)]
    return (this.#begun[0] as Buffer | undefined) ?? Buffer.alloc(0)
  }

  #takeLine(line: Uint8Array): void {
    if (this.#isComplete) {
      if (line.some((byte) => byte !== feed)) this.#fail('something follows after its end')
      return
    }
    this.#sink?.line(line, this.#text.isOpen)
    if (this.#text.isOpen) this.#beginLine(line)
    this.#text.read(line, (part, isWhole) => this.#takeName(part, isWhole))
  }

  #beginLine(line: Uint8Array): void {
    // A long line is only looked at where it begins: what matters stands there.
    const start = Buffer.from(line.buffer, line.byteOffset, Math.min(line.length, 1000)).toString('latin1')
    if (this.#text.delimiter !== ';') {
      const kind = made.exec(start)?.[1]?.toLowerCase()
      if (kind === 'trigger' || kind === 'event') this.#counts[kind]++
      else if (kind !== undefined) this.#counts.routine++
    }
    if (start.startsWith('ALTER DATABASE `')) this.#changesDatabase = true
    const mode = modeLine.exec(start)
    if (mode) this.#text.plainBackslash = (mode[1] ?? '').includes('NO_BACKSLASH_ESCAPES')
    if (this.#text.delimiter !== ';') return
    if (trailer.test(start)) this.#isComplete = true
    else if (start.startsWith('-- WHERE: ')) this.#fail('an option file of the host chooses among its rows')
    else if (start.startsWith('UNLOCK TABLES;')) this.#endData()
    const found = named.find((one) => start.startsWith(one.start))
    if (found) this.#name = { what: found.what, parts: [] }
  }

  #takeName(part: Uint8Array, isWhole: boolean): void {
    if (!this.#name) return
    this.#name.parts.push(Buffer.from(part))
    if (!isWhole) return
    const name = unquoted(Buffer.concat(this.#name.parts))
    const { what } = this.#name
    this.#name = undefined
    if (what === 'definition') this.#defined.add(name)
    else if (what === 'sequence') this.#sequences.add(name)
    else if (what === 'view') this.#views.add(name)
    else this.#data = name
  }

  #endData(): void {
    if (this.#data === undefined) return
    this.#filled.add(this.#data)
    if (!this.#rows.has(this.#data)) this.#rows.set(this.#data, 0)
    this.#data = undefined
  }

  #fail(fault: string): void {
    this.#fault ??= fault
  }
}

/** `INSERT INTO name (column, …) VALUES`, up to the first row. */
function parseHeader(text: Uint8Array): { table: string; end: number; linewise: boolean } | 'incomplete' | undefined {
  let at = insertStart.length
  const nameEnd = endOfName(text, at)
  if (nameEnd === undefined) return 'incomplete'
  const table = unquoted(Buffer.from(text.subarray(at, nameEnd)))
  at = nameEnd + 1
  if (text[at + 1] === openRow) {
    at += 2
    while (at < text.length && text[at] !== closeRow) {
      if (text[at] === backquote) at = endOfName(text, at + 1) ?? text.length
      at++
    }
    at++
  }
  const word = Buffer.from(text.subarray(at, at + ' VALUES '.length + 1)).toString('latin1')
  if (/^ VALUES[ \n]\(/.test(word)) {
    const linewise = word[7] === '\n'
    return { table, end: at + ' VALUES '.length, linewise }
  }
  return ' VALUES ('.startsWith(word) || ' VALUES\n('.startsWith(word) ? 'incomplete' : undefined
}

/** The place of the backquote that ends a name. Undefined when it cannot be told yet. */
function endOfName(text: Uint8Array, start: number): number | undefined {
  for (
    let at = text.indexOf(backquote, start);
    at !== -1 && at + 1 < text.length;
    at = text.indexOf(backquote, at + 2)
  ) {
    if (text[at + 1] !== backquote) return at
  }
  return undefined
}

function unquoted(name: Buffer): string {
  return name.toString().replaceAll('``', '`')
}
