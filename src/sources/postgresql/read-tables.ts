import { sourceError } from '../errors.ts'
import {
  nameAt,
  namesOf,
  Remainder,
  splitDefinitions,
  withoutStrings,
  type ColumnDefinition,
  type TableDefinition,
  type TableReader,
  type TableRows,
} from '../table-rows.ts'
import { PlainWatcher } from './count-copy.ts'
import { isKnownEncoding, nameDecoder, shownTable, tableKey } from './table-name.ts'
import { DumpFault, tableOfCopy } from './watcher.ts'

const feed = 10

/** Reads the rows and definitions of a plain dump of `pg_dump`. @param shown - its name, for errors. */
export function readPostgresqlTables(dump: AsyncIterable<Uint8Array>, shown: string): TableReader {
  const reading = new Reading()
  const watcher = new PlainWatcher('database', reading)
  async function* read(): AsyncGenerator<TableRows, void, void> {
    try {
      for await (const piece of dump) {
        watcher.push(piece)
        yield* reading.takeRows()
      }
      watcher.end()
    } catch (thrown) {
      if (!(thrown instanceof DumpFault)) throw thrown
      throw sourceError('source.tables-unreadable', { dump: shown, reason: thrown.message }, thrown)
    }
  }
  return { rows: read(), definitions: reading.definitions, remarks: reading.remarks }
}

interface Table {
  columns: ColumnDefinition[]
  primaryKey: string[]
  readonly foreignKeys: { readonly columns: readonly string[]; readonly references: string }[]
  comment?: string
}

/** What a watcher of a dump tells, put together: definitions as they come, and rows until they are taken. */
class Reading {
  readonly #tables = new Map<string, Table>()
  readonly remarks: string[] = []
  #isUtf8 = true
  #decode = nameDecoder('UTF8')
  #table = ''
  #columns: readonly string[] = []
  readonly #rest = new Remainder()
  #ready: TableRows[] = []

  get definitions(): ReadonlyMap<string, TableDefinition> {
    return this.#tables
  }

  takeRows(): readonly TableRows[] {
    const ready = this.#ready
    this.#ready = []
    return ready
  }

  statement(raw: string): void {
    if (raw.startsWith('COPY ')) this.#beginCopy(raw)
    else if (raw.startsWith('SET client_encoding = ')) this.#useEncoding(raw)
    else if (/^CREATE (?:UNLOGGED |FOREIGN )?TABLE /.test(raw)) this.#define(this.#decode(raw))
    else if (raw.startsWith('ALTER TABLE ')) this.#addKey(this.#decode(raw))
    else if (raw.startsWith('COMMENT ON ')) this.#addComment(this.#decode(raw))
  }

  rows(bytes: Uint8Array): void {
    const text = this.#rest.add(bytes)
    if (!text) return
    const end = text.lastIndexOf(feed)
    this.#takeLines(text.subarray(0, end + 1))
    this.#rest.putBack(text.subarray(end + 1))
  }

  endOfRows(): void {
    this.#takeLines(this.#rest.take())
  }

  #beginCopy(raw: string): void {
    const key = tableOfCopy(raw)
    if (key === undefined) return // because the watcher refuses the dump
    this.#table = shownTable(key, this.#decode)
    const from = raw.indexOf('(', behindName(raw.slice('COPY '.length)) + 'COPY '.length)
    const list = from === -1 ? '' : raw.slice(from + 1, raw.lastIndexOf(')'))
    this.#columns = namesOf(this.#decode(list))
    this.#ready.push({ table: this.#table, columns: this.#columns, rows: [] })
  }

  #useEncoding(raw: string): void {
    const encoding = /'(.*)'/.exec(raw)?.[1] ?? 'UTF8'
    this.#isUtf8 = encoding === 'UTF8'
    this.#decode = isKnownEncoding(encoding) ? nameDecoder(encoding) : decodeLines
    if (isKnownEncoding(encoding)) return
    this.remarks.push(`The database has the encoding ${encoding}: text that is not UTF-8 is read as Latin-1`)
  }

  #takeLines(bytes: Buffer): void {
    if (bytes.length === 0) return
    const text = this.#isUtf8 ? bytes.toString() : this.#decode(bytes.toString('latin1'))
    const lines = text.split('\n')
    lines.pop()
    if (lines.at(-1) === '\\.') lines.pop()
    if (lines.length === 0) return
    const rows = lines.map((line) => this.#rowOf(line))
    this.#ready.push({ table: this.#table, columns: this.#columns, rows })
  }

  #rowOf(line: string): (string | null)[] {
    if (this.#columns.length === 0) return []
    const values: (string | null)[] = line.split('\t')
    if (values.length !== this.#columns.length) throw new DumpFault(`a row of ${this.#table} lacks values`)
    if (!line.includes('\\')) return values
    return values.map((value) => (value === '\\N' ? null : unescape(value!)))
  }

  #define(statement: string): void {
    const name = qualifiedName(statement.replace(/^CREATE (?:UNLOGGED |FOREIGN )?TABLE /, ''))
    const from = statement.indexOf('(', name?.end)
    if (!name || from === -1) return
    const plain = withoutStrings(statement, false)
    const body = statement.slice(from + 1, plain.lastIndexOf(')'))
    const columns = splitDefinitions(body, false).flatMap((part) => columnOf(part) ?? [])
    this.#tables.set(name.shown, { columns, primaryKey: [], foreignKeys: [] })
  }

  #addKey(statement: string): void {
    const name = qualifiedName(statement.replace(/^ALTER TABLE (?:ONLY )?/, ''))
    const table = name && this.#tables.get(name.shown)
    if (!table) return
    const primary = /\bPRIMARY KEY \((.*?)\)(?: INCLUDE .*)?$/s.exec(statement)?.[1]
    if (primary !== undefined) table.primaryKey = namesOf(primary)
    const foreign = /\bFOREIGN KEY \((.*?)\) REFERENCES (.*)$/s.exec(statement)
    if (!foreign) return
    const target = qualifiedName(foreign[2]!)
    const columns = /^\s*\((.*?)\)/s.exec(foreign[2]!.slice(target?.end))?.[1] ?? ''
    table.foreignKeys.push({ columns: namesOf(foreign[1]!), references: `${target?.shown} (${columns})` })
  }

  #addComment(statement: string): void {
    const match = /^COMMENT ON (TABLE|COLUMN) (.*?) IS '(.*)'$/s.exec(statement)
    if (!match) return // because it is about something else, or its text has escapes
    const [, kind, subject, text] = match
    const comment = text!.replaceAll("''", "'")
    const name = qualifiedName(subject!)
    const table = name && this.#tables.get(name.shown)
    if (!table) return
    if (kind === 'TABLE') table.comment = comment
    const column = nameAt(subject!.slice(name.end + 1))?.name
    table.columns = table.columns.map((one) => (one.name === column ? { ...one, comment } : one))
  }
}

/** Of bytes, each one character, in no known encoding: a line that is UTF-8 is taken for it. */
function decodeLines(text: string): string {
  const decode = nameDecoder('UTF8')
  return text.split('\n').map(decode).join('\n')
}

/** `schema.table` at the beginning of `text`, as manifests show it. */
function qualifiedName(text: string): { readonly shown: string; readonly end: number } | undefined {
  const schema = nameAt(text)
  if (!schema || text[schema.end] !== '.') return undefined
  const table = nameAt(text.slice(schema.end + 1))
  if (!table) return undefined
  return {
    shown: shownTable(tableKey(schema.name, table.name), (name) => name),
    end: schema.end + 1 + table.end,
  }
}

function behindName(text: string): number {
  return qualifiedName(text)?.end ?? 0
}

const afterType = /\s(?:DEFAULT|NOT NULL|NULL|COLLATE|GENERATED|CONSTRAINT|STORAGE|COMPRESSION|OPTIONS)\b/

/** A line of CREATE TABLE that defines a column; undefined for a constraint. */
function columnOf(part: string): ColumnDefinition | undefined {
  const name = nameAt(part)
  const rest = part.slice(name?.end)
  if (!name || (/^(?:CONSTRAINT|CHECK|LIKE)$/.test(name.name) && !part.startsWith('"'))) return undefined
  const plain = withoutStrings(rest, false)
  const type = rest.slice(0, afterType.exec(plain)?.index).trim()
  const nullable = !/\sNOT NULL\b/.test(plain)
  const begin = /\sDEFAULT\s/.exec(plain)
  if (!begin) return { name: name.name, type, nullable }
  const from = begin.index + begin[0].length
  const length = /\s(?:NOT NULL|CONSTRAINT|GENERATED)\b/.exec(plain.slice(from))?.index
  const fallback = rest.slice(from, length === undefined ? undefined : from + length).trim()
  return { name: name.name, type, nullable, fallback }
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** Source: postgresql.org/docs, "COPY", "File Formats, Text Format". */
function unescape(value: string): string {
  if (!value.includes('\\')) return value
  return value.replace(/\\(.)/gs, (_, char: string) => escapes[char] ?? char)
}
