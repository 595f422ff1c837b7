import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'

import { SqliteDialect, type SqliteDatabase } from 'kysely'

import { systemCode, textOf } from '#base'
import { catalogError } from './errors.ts'

const busyMs = 10_000

/** An open file, and the dialect that lets Kysely use it. Whoever opens it closes it through Kysely. */
export interface SqliteFile {
  readonly database: DatabaseSync
  readonly dialect: SqliteDialect
}

/**
 * Opens a SQLite file: other processes may use it at the same time, and what a transaction wrote survives a power cut.
 *
 * @param waitMs how long a query waits for another process that is writing.
 * @throws `catalog.damaged`, `catalog.busy`, `catalog.unavailable`; the same errors come from every later query.
 */
export function openSqlite(file: string, access: 'read' | 'write', waitMs = busyMs): SqliteFile {
  return translated(file, () => {
    const database = new DatabaseSync(file, {
      readOnly: access === 'read',
      timeout: waitMs,
      enableForeignKeyConstraints: true,
    })
    try {
      if (access === 'write') database.exec('pragma journal_mode = wal; pragma synchronous = full')
      database.prepare('select count(*) from sqlite_schema').get()
      return { database, dialect: new SqliteDialect({ database: adapt(database, file) }) }
    } catch (error) {
      database.close()
      throw error
    }
  })
}

/** Writes what a SQLite file holds at one moment into a new one of mode 0600. @throws as {@link openSqlite}. */
export function copySqlite(file: string, copy: string): void {
  const { database } = openSqlite(file, 'read')
  try {
    closeSync(openSync(copy, 'wx', 0o600)) // because SQLite would make it readable for all
    translated(file, () => database.prepare('vacuum into ?').run(copy))
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown
    throw catalogError('catalog.unavailable', { file: copy, reason: textOf(thrown) }, thrown)
  } finally {
    database.close()
  }
}

/** What Kysely expects of a SQLite library, by the one that Node has built in. */
function adapt(database: DatabaseSync, file: string): SqliteDatabase {
  const kept = new Map<string, PreparedStatement>()
  return {
    close: () => database.close(),
    prepare: (sql) => {
      const known = kept.get(sql)
      if (known) return known
      // Because a transaction that begins by reading could not become a writing one beside another writer.
      const prepare = (): StatementSync => database.prepare(sql === 'begin' ? 'begin immediate' : sql)
      const statement = translated(file, prepare)
      statement.setReturnArrays(true)
      const prepared = {
        reader: statement.columns().length > 0,
        all: (parameters: readonly unknown[]) => translated(file, () => readRows(statement, values(parameters))),
        run: (parameters: readonly unknown[]) => translated(file, () => statement.run(...values(parameters))),
        // with a statement of its own, because another query may use the kept one before its last row is read
        iterate: (parameters: readonly unknown[]) => translated(file, prepare).iterate(...values(parameters)),
      }
      if (kept.size < mostKept && !changesForm.test(sql)) kept.set(sql, prepared)
      return prepared
    },
  }
}

/**
 * All rows as objects. Those that Node makes itself are dictionaries, which take twice the time to read and to clear away.
 */
function readRows(statement: StatementSync, parameters: SQLInputValue[]): Record<string, SQLOutputValue>[] {
  const rows = statement.all(...parameters) as unknown as SQLOutputValue[][]
  if (rows.length === 0) return []
  const names = statement.columns().map(({ name }) => name) // afterwards, because a change of the form shows by then
  return rows.map((row) => {
    const named: Record<string, SQLOutputValue> = {}
    for (let nth = 0; nth < row.length; nth++) named[names[nth]!] = row[nth]!
    return named
  })
}

type PreparedStatement = ReturnType<SqliteDatabase['prepare']>

/** More different queries than there are; preparing one takes as long as what most of them do. */
const mostKept = 300
const changesForm = /^\s*(?:create|alter|drop)\b/i

function values(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters as SQLInputValue[]
}

/** Runs `work`, and gives the troubles of SQLite our own codes. Source: SQLite, "Result and Error Codes". */
export function translated<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined
    const facts = { file, reason: textOf(error) }
    if (code === 11 || code === 26) throw catalogError('catalog.damaged', facts, error)
    if (code === 5 || code === 6) throw catalogError('catalog.busy', { file }, error)
    if (code === 8 || code === 10 || code === 13 || code === 14) throw catalogError('catalog.unavailable', facts, error)
    throw error
  }
}
