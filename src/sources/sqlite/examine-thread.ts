import { parentPort, workerData } from 'node:worker_threads'
import type { DatabaseSync } from 'node:sqlite'

import { textOf } from '#base'
import type { RawPath } from '../raw-path.ts'
import { openAtRest } from './connection.ts'

export interface ExamineOrder {
  /** Absolute. */
  readonly database: RawPath
  readonly queries: readonly string[]
  /** Whether all of it is looked through. */
  readonly wholly: boolean
}

/** Rows of one query, each value as text; or why there are none. */
export type SqliteAnswer = { readonly rows: readonly (readonly (string | null)[])[] } | { readonly failed: string }

export interface ExamineAnswer {
  /** What SQLite finds wrong with it; empty when it is well, or was not looked through. */
  readonly complaints: readonly string[]
  /** Rows by table; empty when it was not looked through. */
  readonly rows: Readonly<Record<string, number>>
  /** In the order of the queries. */
  readonly answers: readonly SqliteAnswer[]
}

const mostComplaints = 20

parentPort!.postMessage(examine(workerData as ExamineOrder), [])

function examine({ database: path, queries, wholly }: ExamineOrder): ExamineAnswer {
  try {
    using database = openAtRest(path)
    // because the schema of a foreign database may name functions that do more than compute
    database.exec('pragma trusted_schema = off; pragma query_only = on; pragma cell_size_check = on')
    return {
      complaints: wholly ? complaintsOf(database) : [],
      rows: wholly ? countRows(database) : {},
      answers: queries.map((query) => ask(database, query)),
    }
  } catch (thrown) {
    const failed = textOf(thrown)
    return { complaints: [failed], rows: {}, answers: queries.map(() => ({ failed })) }
  }
}

function complaintsOf(database: DatabaseSync): string[] {
  const damage = column(database, `pragma integrity_check(${mostComplaints})`).filter((line) => line !== 'ok')
  const orphans = database
    .prepare('select "table", parent, count(*) as n from pragma_foreign_key_check group by 1, 2')
    .all()
  return [
    ...damage,
    ...orphans.map(
      ({ table, parent, n }) =>
        `${String(n)} rows of ${String(table)} refer to rows of ${String(parent)} that are not there`,
    ),
  ]
}

function column(database: DatabaseSync, sql: string): string[] {
  return database
    .prepare(sql)
    .all()
    .map((row) => String(Object.values(row)[0]))
}

function countRows(database: DatabaseSync): Record<string, number> {
  const tables = column(
    database,
    `select name from pragma_table_list where schema = 'main' and type in ('table', 'virtual') order by name`,
  )
  const rows: Record<string, number> = {}
  for (const name of tables.filter((table) => !table.startsWith('sqlite_'))) {
    const answer = ask(database, `select count(*) from "${name.replaceAll('"', '""')}"`)
    // because a virtual table of an extension that is not loaded cannot be counted, only its own tables
    if ('rows' in answer) rows[name] = Number(answer.rows[0]![0])
  }
  return rows
}

function ask(database: DatabaseSync, query: string): SqliteAnswer {
  try {
    const statement = database.prepare(query)
    statement.setReadBigInts(true)
    statement.setReturnArrays(true)
    const rows = statement.all() as unknown as (readonly unknown[])[]
    return { rows: rows.map((row) => row.map(textOfValue)) }
  } catch (thrown) {
    return { failed: textOf(thrown) }
  }
}

function textOfValue(value: unknown): string | null {
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : null
}
