import { throughProgram } from '#base'
import { readMysqlTables } from './mysql/read-tables.ts'
import { readPostgresqlTables } from './postgresql/read-tables.ts'
import type { RawPath } from './raw-path.ts'
import { readSqliteTables } from './sqlite/read-tables.ts'
import type { TableReader } from './table-rows.ts'

/** A dump as it was stored, or a SQLite database as a file that nobody changes. */
export type StoredTables =
  | {
      readonly kind: 'postgresql'
      readonly format: 'plain' | 'custom'
      readonly dump: AsyncIterable<Uint8Array>
    }
  | { readonly kind: 'mysql'; readonly dump: AsyncIterable<Uint8Array> }
  | { readonly kind: 'sqlite'; readonly path: RawPath }

/**
 * Reads the tables of a dump without a server. An archive in PostgreSQL's custom format is made SQL by `pg_restore`, which
 * runs nothing of it.
 *
 * @param shown - the dump's name, for errors.
 */
export function readTables(stored: StoredTables, shown: string, signal?: AbortSignal): TableReader {
  switch (stored.kind) {
    case 'postgresql': {
      const isPlain = stored.format === 'plain'
      const restored = (): AsyncIterable<Uint8Array> =>
        throughProgram(stored.dump, 'pg_restore', ['--file=-'], {}, signal)
      return readPostgresqlTables(isPlain ? stored.dump : restored(), shown)
    }
    case 'mysql':
      return readMysqlTables(stored.dump, shown)
    case 'sqlite':
      return readSqliteTables(stored.path, shown)
    default:
      return stored satisfies never
  }
}
