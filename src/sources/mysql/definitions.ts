import { collect } from '#base'
import { ask, quotedName, type Connection } from './ask.ts'
import { callClient } from './client.ts'
import { findDumper } from './dump-call.ts'
import { reasonOf } from './failures.ts'
import { textOfSql } from './inspect-target.ts'
import { loadError } from '../load-errors.ts'
import type { ServerFacts } from './server-facts.ts'

/** What is in a database beside its tables: triggers, views, routines, events. None of it can be moved to another. */
export interface Movables {
  /** Base tables and sequences. */
  readonly tables: readonly string[]
  readonly views: readonly string[]
  /** Statements that remove them. */
  readonly removing: readonly string[]
}

/** @param only - these tables and their triggers; absent: everything. */
export async function movablesOf(
  connection: Connection,
  database: string,
  only?: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<Movables> {
  const of = (column: string): string => `${column} = ${textOfSql(database)}`
  const rows = await ask(
    connection,
    [
      `select 'table', table_name from information_schema.tables where ${of('table_schema')} and table_type in ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE')`,
      `select 'view', table_name from information_schema.views where ${of('table_schema')}`,
      `select 'trigger', trigger_name, event_object_table from information_schema.triggers where ${of('trigger_schema')}`,
      `select 'event', event_name from information_schema.events where ${of('event_schema')}`,
      `select routine_type, routine_name from information_schema.routines where ${of('routine_schema')}`,
    ],
    signal,
  )
  const isWanted = ([kind, name, table]: readonly string[]): boolean =>
    only === undefined || (kind === 'table' && only.has(name!)) || (kind === 'trigger' && only.has(table!))
  const wanted = rows.filter(isWanted)
  const named = (kind: string): string[] => wanted.filter(([one]) => one === kind).map(([, name]) => name!)
  const removing = wanted
    .filter(([kind]) => kind !== 'table')
    .map(([kind, name]) => `drop ${kind} if exists ${quotedName(database)}.${quotedName(name!)}`)
  // because the text of a package is removed with the package
  const removed = removing.filter((statement) => !statement.startsWith('drop PACKAGE BODY '))
  return { tables: named('table'), views: named('view'), removing: removed }
}

/**
 * SQL that makes triggers, views, routines and events of a database anew, as the dump program writes them, so that it can be
 * played into a database of another name.
 */
export async function definitionsOf(
  connection: Connection,
  server: ServerFacts,
  database: string,
  { tables, views }: Movables,
  only?: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<Buffer> {
  const dumper = await findDumper(connection.host, server, connection.address, signal)
  const shared = ['--skip-opt', '--quote-names', '--default-character-set=utf8mb4', '--set-charset', '--skip-comments']
  const own = dumper.flavour === 'mysql' && server.flavour === 'mysql' ? ['--set-gtid-purged=OFF'] : []
  const run = async (args: readonly string[]): Promise<Buffer> => {
    const call = callClient(dumper, connection.address, [...shared, ...own, '--no-tablespaces', '--no-data', ...args])
    try {
      return Buffer.from(await collect(connection.host.stream(call, signal)))
    } catch (thrown) {
      const reason = reasonOf(thrown, connection)
      throw reason === undefined ? thrown : loadError('source.load-failed', { database, reason }, thrown)
    }
  }
  const parts: Buffer[] = []
  const code = only ? ['--triggers'] : ['--triggers', '--routines', '--events']
  const some = only ? [database, ...tables] : [database]
  if (!only || tables.length > 0) parts.push(await run(['--no-create-info', ...code, '--', ...some]))
  if (!only && views.length > 0) parts.push(await run(['--skip-triggers', '--', database, ...views]))
  return renamed(Buffer.concat(parts))
}

/** Routines of another character set change that of their database for a moment, by its name. */
function renamed(definitions: Buffer): Buffer {
  const text = definitions
    .toString('latin1')
    .replaceAll(/^ALTER DATABASE `(?:[^`]|``)*` (CHARACTER SET)/gm, 'ALTER DATABASE $1')
  return Buffer.from(text, 'latin1')
}
