import type { LoadContext, LoadOptions, LoadResult, LoadTarget, WayBack } from '../load-contract.ts'
import { loadError } from '../load-errors.ts'
import { nameBeside, stampOf } from '../load-names.ts'
import { MeasuredDump } from '../measured-dump.ts'
import { demandRows } from '../load-rows.ts'
import { shownAddress } from '../server-address.ts'
import { ask, quotedName, type Connection } from './ask.ts'
import type { DumpSummary } from './count-inserts.ts'
import { movablesOf } from './definitions.ts'
import { DumpFilter } from './dump-filter.ts'
import { connectionOf, inspectMysqlTarget, textOfSql, type MysqlTarget } from './inspect-target.ts'
import { execute, play } from './play.ts'
import { removeDatabases, swap, undoSwap } from './swap.ts'

interface Loading {
  /** By no database. */
  readonly connection: Connection
  readonly database: string
  readonly report: MysqlTarget
  readonly dump: AsyncIterable<Uint8Array>
  readonly options: LoadOptions
  readonly context: LoadContext
}

/** As `loadDatabase`, for MySQL and MariaDB. */
export async function loadIntoMysql(
  target: LoadTarget,
  dump: AsyncIterable<Uint8Array>,
  options: LoadOptions,
  context: LoadContext,
  signal?: AbortSignal,
): Promise<LoadResult> {
  const connection = await connectionOf(target, signal)
  const report = await inspectMysqlTarget(target, { facts: options.facts ?? {} }, signal)
  const { database } = target
  const loading: Loading = { connection, database, report, dump, options, context }
  if (options.tables) return loadTables(loading, options.tables, signal)
  if (!report.isEmpty && !options.replace) {
    const what = `${report.tables} tables`
    throw loadError('source.target-filled', { database, server: shownAddress(connection.address), what })
  }
  switch (report.method) {
    case 'create':
    case 'fill':
    case 'over':
      return loadDirectly(loading, report.method, signal)
    case 'beside':
      return loadBeside(loading, signal)
    default:
      throw loadError('source.load-failed', { database, reason: `the login ${report.login} may not make it` })
  }
}

async function loadDirectly(
  loading: Loading,
  method: 'create' | 'fill' | 'over',
  signal?: AbortSignal,
): Promise<LoadResult> {
  const { connection, database, report, options, context } = loading
  const reason = 'it was loaded over what was there, because the login may make no database beside it'
  const ways: Readonly<Record<typeof method, WayBack>> = {
    create: { how: 'drop', database },
    fill: { how: 'empty', database },
    over: { how: 'none', database, reason },
  }
  const wayBack = ways[method]
  await context.onWayBack?.(wayBack)
  if (method === 'create') {
    const { charset, collation } = { ...report.server, ...options.facts }
    await execute(connection, [makeDatabase(database, charset, collation)], signal)
  }
  const { rows, bytes } = await fill(loading, database, undefined, signal)
  return { method, wayBack, rows, bytes, findings: findingsOf(loading) }
}

function makeDatabase(name: string, charset: string, collation: string): string {
  return `create database ${quotedName(name)} character set ${textOfSql(charset)} collate ${textOfSql(collation)}`
}

async function loadBeside(loading: Loading, signal?: AbortSignal): Promise<LoadResult> {
  const { connection, report, context } = loading
  const wayBack = { how: 'swap', ...namesFor(loading) } as const
  await context.onWayBack?.(wayBack)
  const { charset, collation } = report.server
  const make = [wayBack.beside, wayBack.before].map((name) => makeDatabase(name, charset, collation))
  await execute(connection, make, signal)
  try {
    const { rows, bytes } = await fill(loading, wayBack.beside, undefined, signal)
    await context.beforeSwap?.()
    await swap(connection, report.server, wayBack, undefined, signal)
    await removeDatabases(connection, [wayBack.beside], signal)
    return { method: 'beside', wayBack, rows, bytes, findings: findingsOf(loading) }
  } catch (thrown) {
    // because what was there must be there again; when this fails too, undoing the load does it later
    await undoSwap(connection, wayBack).catch(() => {})
    throw thrown
  }
}

function namesFor({ database, context }: Loading) {
  const stamp = stampOf(context.clock.now())
  return { database, beside: nameBeside(database, 'loading', stamp), before: nameBeside(database, 'before', stamp) }
}

async function loadTables(loading: Loading, named: readonly string[], signal?: AbortSignal): Promise<LoadResult> {
  const { connection, database, report, options, context } = loading
  const tables = named.map((name) => tableOf(name, database))
  const wanted = new Set(tables)
  const there = await movablesOf(connection, database, wanted, signal)
  if (there.tables.length > 0 && !options.replace) {
    const what = `the table ${there.tables[0]}`
    throw loadError('source.target-filled', { database, server: shownAddress(connection.address), what })
  }
  if (report.method !== 'beside') {
    const reason = 'the tables were loaded over what was there, because the login may make no database beside it'
    const wayBack = { how: 'none', database, reason } as const
    await context.onWayBack?.(wayBack)
    return {
      method: 'over',
      wayBack,
      ...(await fill(loading, database, wanted, signal)),
      findings: findingsOf(loading),
    }
  }
  const made = tables.filter((name) => !there.tables.includes(name))
  const wayBack = { how: 'tables', ...namesFor(loading), tables: there.tables, made } as const
  await context.onWayBack?.(wayBack)
  const { charset, collation } = report.server
  const make = [wayBack.beside, wayBack.before].map((name) => makeDatabase(name, charset, collation))
  await execute(connection, make, signal)
  try {
    const filled = await fill(loading, wayBack.beside, wanted, signal)
    await swap(connection, report.server, wayBack, wanted, signal)
    await removeDatabases(connection, [wayBack.beside], signal)
    return { method: 'tables', wayBack, ...filled, findings: findingsOf(loading) }
  } catch (thrown) {
    // because what was there must be there again; when this fails too, undoing the load does it later
    await undoSwap(connection, wayBack, wanted).catch(() => {})
    throw thrown
  }
}

/** `shop.invoice` of the database shop is its table invoice. */
function tableOf(name: string, database: string): string {
  return name.startsWith(`${database}.`) ? name.slice(database.length + 1) : name
}

/** Plays the dump, and counts twice: what passed, and what the server has then. */
async function fill(
  { connection, database, report, dump, options, context }: Loading,
  into: string,
  tables: ReadonlySet<string> | undefined,
  signal?: AbortSignal,
): Promise<{ readonly rows: Readonly<Record<string, number>>; readonly bytes: number }> {
  const measured = new MeasuredDump(dump, context)
  const ownDefiner = !report.mayNameDefiners
  const filter = new DumpFilter({ database: into, ownDefiner, keepsSandbox: false, ...(tables && { tables }) })
  const isWanted = ([table]: readonly [string, number]): boolean => !tables || tables.has(table)
  let summary: DumpSummary | undefined
  const sql = async function* (): AsyncGenerator<Uint8Array, void, void> {
    for await (const piece of measured.pieces()) yield* filter.push(piece)
    const ended = filter.end()
    summary = ended.summary
    const missing = [...(tables ?? [])].find((table) => !filter.found.has(table))
    if (missing !== undefined) throw loadError('source.table-missing', { table: missing })
    const expected = Object.entries(options.rows ?? {}).filter(isWanted)
    demandRows(database, Object.fromEntries(expected), Object.fromEntries(ended.summary.rows), 'in the dump')
    yield* ended.rest
  }
  await play({ ...connection, database: into }, sql(), signal)
  const rows = Object.fromEntries([...summary!.rows].filter(isWanted))
  const found = await countRows(connection, into, Object.keys(rows), signal)
  demandRows(database, rows, found, 'on the server')
  return { rows, bytes: measured.bytes }
}

/** Tables that one call asks about. */
const tablesAtOnce = 100

async function countRows(
  connection: Connection,
  database: string,
  tables: readonly string[],
  signal?: AbortSignal,
): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  const versioned = await ask(
    connection,
    [
      `select table_name from information_schema.tables where table_schema = ${textOfSql(database)} and table_type = 'SYSTEM VERSIONED'`,
    ],
    signal,
  )
  const past = new Set(versioned.map(([name]) => name))
  for (let from = 0; from < tables.length; from += tablesAtOnce) {
    const some = tables.slice(from, from + tablesAtOnce)
    const questions = some.map((name, nth) => {
      const all = past.has(name) ? ' for system_time all' : ''
      return `select ${nth}, count(*) from ${quotedName(database)}.${quotedName(name)}${all}`
    })
    for (const [nth, count] of await ask(connection, questions, signal)) found[some[Number(nth)]!] = Number(count)
  }
  return found
}

function findingsOf({ database, report }: Loading): LoadResult['findings'] {
  if (report.mayNameDefiners) return report.findings
  const text = `views, triggers, routines and events now run with the rights of ${report.login}, because it may make none for others`
  return [...report.findings, { subject: `database ${database}`, severity: 'notice', text }]
}

/** As `undoLoad`, for MySQL and MariaDB. */
export async function undoMysql(target: LoadTarget, wayBack: WayBack, signal?: AbortSignal): Promise<void> {
  const connection = await connectionOf(target, signal)
  const { database } = wayBack
  switch (wayBack.how) {
    case 'drop':
      return removeDatabases(connection, [database], signal)
    case 'empty':
      return emptyDatabase(connection, database, signal)
    case 'swap':
      return undoSwap(connection, wayBack, undefined, signal)
    case 'tables': {
      const only = new Set([...wayBack.tables, ...wayBack.made])
      return undoSwap(connection, { ...wayBack, beside: wayBack.beside! }, only, signal)
    }
    case 'none':
      throw loadError('source.no-way-back', { database, reason: wayBack.reason })
    default:
      return wayBack satisfies never
  }
}

async function emptyDatabase(connection: Connection, database: string, signal?: AbortSignal): Promise<void> {
  const { tables, removing } = await movablesOf(connection, database, undefined, signal)
  const drops = tables.map((name) => `drop table if exists ${quotedName(database)}.${quotedName(name)}`)
  await execute(connection, ['set session foreign_key_checks = 0', ...removing, ...drops], signal)
}

/** As `confirmLoad`, for MySQL and MariaDB. */
export async function confirmMysql(target: LoadTarget, wayBack: WayBack, signal?: AbortSignal): Promise<void> {
  if (wayBack.how !== 'swap' && wayBack.how !== 'tables') return
  const connection = await connectionOf(target, signal)
  const beside = wayBack.beside === undefined ? [] : [wayBack.beside]
  await removeDatabases(connection, [wayBack.before, ...beside], signal)
}
