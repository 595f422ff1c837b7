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
import { DumpReader } from './count-inserts.ts'
import { readTuples, unescapeString } from './read-tuples.ts'

/** Reads the rows and definitions of a dump of mariadb-dump or mysqldump. @param shown - its name, for errors. */
export function readMysqlTables(dump: AsyncIterable<Uint8Array>, shown: string): TableReader {
  const reading = new Reading()
  const reader = new DumpReader(reading)
  async function* read(): AsyncGenerator<TableRows, void, void> {
    for await (const piece of dump) {
      reader.push(piece)
      yield* reading.takeRows()
    }
    const fault = reading.fault ?? reader.end().fault
    if (fault !== undefined) throw sourceError('source.tables-unreadable', { dump: shown, reason: fault })
  }
  return { rows: read(), definitions: reading.definitions, remarks: [] }
}

const tableStart = 'CREATE TABLE `'
const dataStart = 'LOCK TABLES `'

/** What a reader of a dump tells, put together: definitions as they come, and rows until they are taken. */
class Reading {
  readonly definitions = new Map<string, TableDefinition>()
  fault: string | undefined
  #definition: string | undefined
  #table = ''
  #columns: readonly string[] = []
  readonly #rest = new Remainder()
  #ready: TableRows[] = []

  takeRows(): readonly TableRows[] {
    const ready = this.#ready
    this.#ready = []
    return ready
  }

  line(line: Uint8Array, isOpen: boolean): void {
    if (this.#definition === undefined && !isOpen) return
    const isStart = isOpen && (line[0] === 0x43 || line[0] === 0x4c)
    if (this.#definition === undefined && !isStart) return
    const text = Buffer.from(line.buffer, line.byteOffset, line.length).toString()
    if (this.#definition !== undefined) this.#continueDefinition(text, isOpen)
    else if (text.startsWith(tableStart)) this.#definition = text
    else if (text.startsWith(dataStart)) this.#beginData(nameAt(text.slice(dataStart.length - 1))?.name ?? '')
  }

  beginRows(header: string): void {
    const from = header.indexOf('(')
    const behindName = header.slice('INSERT INTO '.length + (nameAt(header.slice('INSERT INTO '.length))?.end ?? 0))
    this.#columns =
      from !== -1 && behindName.trimStart().startsWith('(')
        ? namesOf(behindName.slice(behindName.indexOf('(') + 1, behindName.lastIndexOf(')')))
        : this.#ownColumns()
  }

  rows(bytes: Uint8Array): void {
    const text = this.#rest.add(bytes)
    if (text) this.#takeTuples(text)
  }

  endOfRows(): void {
    this.#takeTuples(this.#rest.take())
    if (this.#rest.bytes > 0) this.fault ??= `a row of table ${this.#table} is broken off`
  }

  #takeTuples(bytes: Buffer): void {
    // Each byte one character, because a piece may end in the middle of one.
    const { rows, end } = readTuples(bytes.toString('latin1'))
    this.#rest.putBack(bytes.subarray(end))
    if (rows.length === 0) return
    if (rows.some((row) => row.length !== this.#columns.length))
      this.fault ??= `a row of table ${this.#table} has another number of values than columns`
    this.#ready.push({ table: this.#table, columns: this.#columns, rows })
  }

  #beginData(table: string): void {
    this.#table = table
    this.#columns = this.#ownColumns()
    this.#ready.push({ table, columns: this.#columns, rows: [] })
  }

  #ownColumns(): readonly string[] {
    return this.definitions.get(this.#table)?.columns.map(({ name }) => name) ?? []
  }

  #continueDefinition(line: string, isOpen: boolean): void {
    this.#definition += line
    if (!isOpen || !line.startsWith(')')) return
    const text = this.#definition!
    this.#definition = undefined
    const name = nameAt(text.slice(tableStart.length - 1))?.name
    const plain = withoutStrings(text, true)
    const from = plain.indexOf('(\n')
    const to = plain.lastIndexOf('\n)')
    if (name === undefined || from === -1 || to === -1) return
    const parts = splitDefinitions(text.slice(from + 1, to), true)
    const comment = commentIn(text.slice(to))
    this.definitions.set(name, {
      columns: parts.flatMap((part) => (part.startsWith('`') ? columnOf(part) : [])),
      primaryKey: parts.flatMap((part) => (part.startsWith('PRIMARY KEY ') ? keyColumns(part) : [])),
      foreignKeys: parts.flatMap((part) => foreignKeyOf(part) ?? []),
      ...(comment !== undefined && { comment }),
    })
  }
}

function columnOf(part: string): ColumnDefinition {
  const { name, end } = nameAt(part)!
  const rest = part.slice(end)
  const plain = withoutStrings(rest, true)
  const afterType =
    /\s(?:CHARACTER SET|COLLATE|NOT NULL|NULL|DEFAULT|GENERATED|AS|INVISIBLE|COMMENT|AUTO_INCREMENT|CHECK|ON UPDATE|WITHOUT|COMPRESSED)\b/
  const type = rest.slice(0, afterType.exec(plain)?.index).trim()
  const begin = /\sDEFAULT\s/.exec(plain)
  const from = begin && begin.index + begin[0].length
  const length =
    from === null ? undefined : /\s(?:COMMENT|ON UPDATE|CHECK|INVISIBLE)\b|$/.exec(plain.slice(from))!.index
  const comment = commentIn(rest)
  return {
    name,
    type,
    nullable: !/\sNOT NULL\b/.test(plain),
    ...(from !== null && { fallback: rest.slice(from, from + length!).trim() }),
    ...(comment !== undefined && { comment }),
  }
}

function commentIn(text: string): string | undefined {
  const found = /\sCOMMENT[ =]'/.exec(withoutStrings(text, true))
  if (!found) return undefined
  const quoted = /^'((?:[^'\\]|''|\\.)*)'/s.exec(text.slice(found.index + found[0].length - 1))?.[1]
  return quoted && unescapeString(quoted)
}

/** `PRIMARY KEY (`id`,`name`(20)) USING BTREE`. */
function keyColumns(part: string): string[] {
  return namesOf(/\(((?:`(?:[^`]|``)*`|[^()`]|\(\d+\))*)\)/.exec(part)?.[1] ?? '')
}

function foreignKeyOf(part: string): TableDefinition['foreignKeys'][number] | undefined {
  const found = /\bFOREIGN KEY (\(.*?\)) REFERENCES (.*)$/s.exec(part)
  if (!found) return undefined
  const target = nameAt(found[2]!)
  return { columns: keyColumns(found[1]!), references: `${target?.name} (${keyColumns(found[2]!).join(', ')})` }
}
