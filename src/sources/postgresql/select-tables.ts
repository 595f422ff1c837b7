import type { Host } from '../host/host.ts'
import { loadError } from '../load-errors.ts'
import { shownKey, tableKeyOf, TableChooser } from './choose-tables.ts'
import { filterDump } from './plain-dump.ts'

/** As `selectTables`, for PostgreSQL. */
export async function* selectPostgresqlTables(
  dump: AsyncIterable<Uint8Array>,
  selection: {
    readonly format: 'plain' | 'custom'
    readonly database: string
    readonly tables: readonly string[]
    readonly host: Host
  },
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const keys = selection.tables.map(tableKeyOf)
  const chooser = new TableChooser(new Map(keys.map((key) => [key, 'all'])))
  yield* filterDump(dump, selection, chooser, signal).sql
  const missing = keys.find((key) => !chooser.found.has(key))
  if (missing !== undefined) throw loadError('source.table-missing', { table: shownKey(missing) })
}
