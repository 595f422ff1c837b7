import type { Host } from './host/host.ts'
import { loadError } from './load-errors.ts'
import { DumpFilter } from './mysql/dump-filter.ts'
import { selectPostgresqlTables } from './postgresql/select-tables.ts'

export interface TableSelection {
  readonly kind: 'postgresql' | 'mysql'
  readonly format: 'plain' | 'custom'
  /** For people. */
  readonly database: string
  /** `invoice` or `public.invoice`. */
  readonly tables: readonly string[]
  /** Whose `pg_restore` reads an archive. */
  readonly host: Host
}

/**
 * What of a dump belongs to some tables, as SQL that makes and fills them: definition, rows, sequences, indexes, constraints,
 * triggers and rights. Streamed; memory: a piece of the dump.
 *
 * @throws `source.dump-refused` for a dump that is not whole; `source.table-missing`, when all of it has been read.
 */
export function selectTables(
  dump: AsyncIterable<Uint8Array>,
  selection: TableSelection,
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> {
  return selection.kind === 'postgresql'
    ? selectPostgresqlTables(dump, selection, signal)
    : selectMysqlTables(dump, selection)
}

async function* selectMysqlTables(
  dump: AsyncIterable<Uint8Array>,
  { database, tables }: TableSelection,
): AsyncGenerator<Uint8Array, void, void> {
  const filter = new DumpFilter({ database, ownDefiner: false, keepsSandbox: true, tables: new Set(tables) })
  for await (const piece of dump) yield* filter.push(piece)
  yield* filter.end().rest
  const missing = tables.find((table) => !filter.found.has(table))
  if (missing !== undefined) throw loadError('source.table-missing', { table: missing })
}
