import { join } from 'node:path'

import { RunningHash, type ExportTools, type Repository } from '#engine'
import { ColumnCounter, csvLine, measureOf, type Artifact, type ColumnTotals } from '#model'
import {
  rawPathOf,
  readTables,
  sourceError,
  type ColumnDefinition,
  type TableDefinition,
  type TableReader,
} from '#sources'
import type { Services } from '../services.ts'

/** A table as a CSV file, as it was counted when the dump was first read. */
export interface TableFile {
  readonly table: string
  /** The name of its file, without folder and ending: `public.invoice`. */
  readonly file: string
  readonly columns: readonly CountedColumn[]
  readonly definition: TableDefinition
  readonly rows: number
  /** As they were counted when the backup was made. */
  readonly expectedRows?: number
  readonly bytes: number
  /** Lower-case hex. */
  readonly sha256: string
}

export interface CountedColumn extends ColumnDefinition {
  readonly totals: ColumnTotals
}

/** The tables of one database. */
export interface DatabaseTables {
  readonly artifact: Artifact
  /** In the archive: `tables/shop`. */
  readonly folder: string
  readonly tables: readonly TableFile[]
  readonly remarks: readonly string[]
}

/** Where the tables of a snapshot are read from. */
export interface TableScene {
  readonly services: Pick<Services, 'temporaryFolder'>
  readonly tools: ExportTools
  readonly repository: Repository
  readonly tree: string
}

interface OpenTables extends AsyncDisposable {
  readonly reader: TableReader
}

/** A database of SQLite is laid on disk while it is read, because it cannot be read from front to back. */
async function openTables(
  { services, tools, repository, tree }: TableScene,
  { path, kind, facts }: Artifact,
  signal: AbortSignal,
): Promise<OpenTables> {
  const dump = tools.readFile(repository, tree, Buffer.from(path, 'latin1'), signal)
  const shown = Buffer.from(path, 'latin1').toString()
  if (kind !== 'sqlite') {
    const format = facts?.['format'] === 'custom' ? 'custom' : 'plain'
    const stored = kind === 'mysql' ? ({ kind, dump } as const) : ({ kind: 'postgresql', format, dump } as const)
    return { reader: readTables(stored, shown, signal), [Symbol.asyncDispose]: async () => {} }
  }
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await services.temporaryFolder())
  const file = join(folder.path, 'database.sqlite')
  await tools.saveStream(file, dump)
  const held = stack.move()
  return {
    reader: readTables({ kind, path: rawPathOf(file) }, shown, signal),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/**
 * Reads a database of a snapshot from beginning to end, and counts what its tables will be as CSV files.
 *
 * @param folder - in the archive.
 * @throws `source.tables-unreadable`, and what keeps the dump from being read.
 */
export async function countTables(
  scene: TableScene,
  artifact: Artifact,
  folder: string,
  signal: AbortSignal,
): Promise<DatabaseTables> {
  await using opened = await openTables(scene, artifact, signal)
  const { reader } = opened
  const counting = new Map<string, TableCounter>()
  const names = new FileNames()
  let current = ''
  for await (const { table, columns, rows } of reader.rows) {
    let counter = counting.get(table)
    if (counter && current !== table) {
      throw sourceError('source.tables-unreadable', { dump: artifact.path, reason: `${table} comes in two parts` })
    }
    current = table
    if (!counter) {
      counter = new TableCounter(names.next(table), columns, reader.definitions.get(table))
      counting.set(table, counter)
    }
    counter.add(rows)
  }
  const tables = Array.from(counting, ([table, counter]) =>
    counter.finish(table, reader.definitions.get(table), artifact.rows?.[table]),
  )
  return { artifact, folder, tables, remarks: [...reader.remarks] }
}

/** The content of one CSV file, which must be read before the next is asked for. */
export interface TableContent {
  readonly table: TableFile
  readonly content: AsyncIterable<Uint8Array>
}

/** Reads the database once more, and gives each table as the CSV file that was counted. */
export async function* writeTables(
  scene: TableScene,
  { artifact, tables }: DatabaseTables,
  signal: AbortSignal,
): AsyncGenerator<TableContent, void, void> {
  await using opened = await openTables(scene, artifact, signal)
  const parts = opened.reader.rows[Symbol.asyncIterator]()
  try {
    let next = await parts.next()
    for (const table of tables) {
      const columns = table.columns.map(({ name }) => name)
      yield { table, content: contentOf(table.table, columns) }
    }
    async function* contentOf(table: string, columns: readonly string[]): AsyncGenerator<Uint8Array, void, void> {
      yield Buffer.from(csvLine(columns))
      for (; !next.done && next.value.table === table; next = await parts.next()) {
        if (next.value.rows.length > 0) yield linesOf(next.value.rows)
      }
    }
  } finally {
    await parts.return?.()
  }
}

type Rows = readonly (readonly (string | null)[])[]

function linesOf(rows: Rows): Buffer {
  let text = ''
  for (const row of rows) text += csvLine(row)
  return Buffer.from(text)
}

class TableCounter {
  readonly #file: string
  readonly #columns: readonly string[]
  readonly #counters: readonly ColumnCounter[]
  readonly #hash = new RunningHash()
  #rows = 0

  constructor(file: string, columns: readonly string[], definition: TableDefinition | undefined) {
    this.#file = file
    this.#columns = columns
    this.#counters = columns.map((name) => new ColumnCounter(measureOf(definitionOf(name, definition).type)))
    this.#hash.add(Buffer.from(csvLine(columns)))
  }

  add(rows: Rows): void {
    if (rows.length === 0) return
    for (const row of rows) for (let at = 0; at < row.length; at++) this.#counters[at]!.add(row[at]!)
    this.#rows += rows.length
    this.#hash.add(linesOf(rows))
  }

  finish(table: string, definition: TableDefinition | undefined, expectedRows: number | undefined): TableFile {
    return {
      table,
      file: this.#file,
      columns: this.#columns.map((name, at) => ({
        ...definitionOf(name, definition),
        totals: this.#counters[at]!.totals(),
      })),
      definition: definition ?? { columns: [], primaryKey: [], foreignKeys: [] },
      rows: this.#rows,
      bytes: this.#hash.bytes,
      sha256: this.#hash.finish(),
      ...(expectedRows !== undefined && { expectedRows }),
    }
  }
}

function definitionOf(name: string, definition: TableDefinition | undefined): ColumnDefinition {
  return definition?.columns.find((column) => column.name === name) ?? { name, type: '', nullable: true }
}

/** Names of files that every system can hold beside each other, whatever the tables are called. */
export class FileNames {
  readonly #taken = new Set<string>()

  next(name: string): string {
    const plain = name.replace(/[^\p{L}\p{N}._-]+/gu, '_').slice(0, 80) || '_'
    const safe = plain.startsWith('.') ? `_${plain}` : plain
    let free = safe
    for (let nth = 2; this.#taken.has(free.toLowerCase()); nth++) free = `${safe}-${nth}`
    this.#taken.add(free.toLowerCase())
    return free
  }
}
