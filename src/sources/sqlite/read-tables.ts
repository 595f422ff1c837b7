import type { SQLOutputValue } from 'node:sqlite'

import { textOf } from '#base'
import { sourceError } from '../errors.ts'
import type { RawPath } from '../raw-path.ts'
import type { ColumnDefinition, TableDefinition, TableReader, TableRows } from '../table-rows.ts'
import { openAtRest } from './connection.ts'

/** Rows that are in memory at once. */
const rowsAtOnce = 500

/**
 * Reads the tables of a SQLite database that nobody changes, without virtual ones, whose rows lie in tables of their own.
 *
 * @param path - absolute. @param shown - its name, for errors.
 */
export function readSqliteTables(path: RawPath, shown: string): TableReader {
  const definitions = new Map<string, TableDefinition>()
  async function* read(): AsyncGenerator<TableRows, void, void> {
    try {
      using database = openAtRest(path)
      // Because a database from elsewhere may have functions and views that do something when they are read.
      database.exec('pragma trusted_schema = off')
      for (const table of tablesOf(database)) {
        const definition = definitionOf(database, table)
        definitions.set(table, definition)
        const columns = definition.columns.map(({ name }) => name)
        yield { table, columns, rows: [] }
        for (const rows of rowsOf(database, table, columns)) yield { table, columns, rows }
      }
    } catch (thrown) {
      throw sourceError('source.tables-unreadable', { dump: shown, reason: textOf(thrown) }, thrown)
    }
  }
  return { rows: read(), definitions, remarks: [] }
}

type Database = ReturnType<typeof openAtRest>

function tablesOf(database: Database): string[] {
  const list = database.prepare(`select name from pragma_table_list where schema = 'main' and type = 'table'`).all()
  const names = list.map(({ name }) => String(name)).filter((name) => !name.startsWith('sqlite_'))
  return names.toSorted()
}

function* rowsOf(
  database: Database,
  table: string,
  columns: readonly string[],
): Generator<(string | null)[][], void, void> {
  const select = database.prepare(`select ${columns.map(quoted).join(', ')} from main.${quoted(table)}`)
  select.setReadBigInts(true)
  select.setReturnArrays(true)
  let rows: (string | null)[][] = []
  for (const row of select.iterate() as unknown as Iterable<readonly SQLOutputValue[]>) {
    rows.push(row.map(valueOf))
    if (rows.length < rowsAtOnce) continue
    yield rows
    rows = []
  }
  if (rows.length > 0) yield rows
}

function definitionOf(database: Database, table: string): TableDefinition {
  const info = database.prepare(`select * from pragma_table_xinfo(?) where hidden <> 1 order by cid`).all(table)
  const columns = info.map((row): ColumnDefinition => ({
    name: String(row['name']),
    type: String(row['type']),
    nullable: row['notnull'] === 0,
    ...(row['dflt_value'] !== null && { fallback: String(row['dflt_value']) }),
  }))
  const keyed = info.filter((row) => Number(row['pk']) > 0).toSorted((a, b) => Number(a['pk']) - Number(b['pk']))
  const foreign = database.prepare(`select * from pragma_foreign_key_list(?) order by id, seq`).all(table)
  return {
    columns,
    primaryKey: keyed.map((row) => String(row['name'])),
    foreignKeys: Array.from(Map.groupBy(foreign, (row) => row['id']).values(), (rows) => ({
      columns: rows.map((row) => String(row['from'])),
      references: `${String(rows[0]!['table'])} (${rows.map((row) => String(row['to'] ?? '')).join(', ')})`,
    })),
  }
}

function valueOf(value: SQLOutputValue): string | null {
  if (value === null) return null
  if (value instanceof Uint8Array)
    return `0x${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}`
  // A real number stays one to whoever reads it: `1.0`, as SQLite prints it.
  if (typeof value === 'number')
    return Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toFixed(1) : String(value)
  return String(value)
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
