import { ask, quotedName, type Connection } from './ask.ts'
import { definitionsOf, movablesOf } from './definitions.ts'
import { textOfSql } from './inspect-target.ts'
import { execute, piece, play } from './play.ts'
import type { ServerFacts } from './server-facts.ts'

/** Three databases: the one that all use, the one with what comes into it, the one that keeps what was there. */
export interface Trio {
  readonly database: string
  readonly beside: string
  readonly before: string
}

/** Ours, in `before`: what it takes to go back. The second one takes the place of the first when all tables have moved. */
const notes = 'bewaar_not_moved'
const notesMoved = 'bewaar_moved'

const there = (database: string, name: string): string => `${quotedName(database)}.${quotedName(name)}`

/**
 * Puts the tables of `beside` in place of those of `database` in one statement, which moves all or none, and keeps the
 * others in `before`. Triggers, views, routines and events cannot be moved: they are written down in `before` first, removed,
 * and made again where their tables are then.
 *
 * @param only - these tables alone, with their triggers.
 */
export async function swap(
  connection: Connection,
  server: ServerFacts,
  { database, beside, before }: Trio,
  only?: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<void> {
  const old = await movablesOf(connection, database, only, signal)
  const coming = await movablesOf(connection, beside, undefined, signal)
  const oldCode = await definitionsOf(connection, server, database, old, only, signal)
  const comingCode = await definitionsOf(connection, server, beside, coming, undefined, signal)
  await execute(
    connection,
    [
      `create table ${there(before, notes)} (what varchar(16) primary key, code longblob not null) engine = InnoDB`,
      `insert into ${there(before, notes)} values ('old', ${hex(oldCode)}), ('coming', ${hex(comingCode)})`,
    ],
    signal,
  )
  const moves = [
    [there(before, notes), there(before, notesMoved)],
    ...old.tables.map((name) => [there(database, name), there(before, name)]),
    ...coming.tables.map((name) => [there(beside, name), there(database, name)]),
  ]
  // What else refers to one of these tables means the one that then has the name.
  const keys = only ? ['set session foreign_key_checks = 0'] : []
  await execute(
    connection,
    [
      takeTurn(database),
      ...keys,
      ...old.removing,
      ...coming.removing,
      `rename table ${moves.map((pair) => pair.join(' to ')).join(', ')}`,
    ],
    signal,
  )
  await define({ ...connection, database }, database, comingCode, signal)
  await define({ ...connection, database: before }, database, oldCode, signal)
}

async function define(connection: Connection, turn: string, code: Buffer, signal?: AbortSignal): Promise<void> {
  await play(connection, piece(Buffer.concat([Buffer.from(`${takeTurn(turn)};\n`), code])), signal)
}

/** A program that was started by somebody who was killed may still be at it: whoever comes next waits for its end. */
function takeTurn(database: string): string {
  return `select get_lock(md5(${textOfSql(`bewaar ${database}`)}), 600)`
}

function hex(bytes: Buffer): string {
  return bytes.length === 0 ? "''" : `0x${bytes.toString('hex')}`
}

/**
 * Puts back what was there, from any state in which a swap was left, and removes the other two databases.
 *
 * @param only - the tables that were swapped, and those that were not there before. Absent: everything.
 */
export async function undoSwap(
  connection: Connection,
  { database, beside, before }: Trio,
  only?: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<void> {
  await ask(connection, [takeTurn(database)], signal)
  const state = await readNotes(connection, before, signal)
  if (state) {
    const now = await movablesOf(connection, database, only, signal)
    const kept = await movablesOf(connection, before, undefined, signal)
    const back = kept.tables.filter((name) => name !== notes && name !== notesMoved)
    const inTheWay = now.tables.filter((name) => back.includes(name) || state.isMoved)
    const moves = [
      ...inTheWay.map((name) => [there(database, name), there(beside, name)]),
      ...back.map((name) => [there(before, name), there(database, name)]),
    ]
    const left = (await movablesOf(connection, beside, undefined, signal)).tables.filter((name) =>
      inTheWay.includes(name),
    )
    await execute(
      connection,
      [
        'set session foreign_key_checks = 0',
        `create database if not exists ${quotedName(beside)}`,
        ...left.map((name) => `drop table ${there(beside, name)}`),
        ...now.removing,
        ...kept.removing,
        ...(moves.length > 0 ? [`rename table ${moves.map((pair) => pair.join(' to ')).join(', ')}`] : []),
      ],
      signal,
    )
    await define({ ...connection, database }, database, state.code, signal)
  }
  await removeDatabases(connection, [before, beside], signal)
}

/** What the swap wrote down before it changed anything; undefined when it did not come so far. */
async function readNotes(connection: Connection, before: string, signal?: AbortSignal) {
  const [found] = await ask(
    connection,
    [
      `select table_name from information_schema.tables where table_schema = ${textOfSql(before)} and table_name in ('${notes}', '${notesMoved}')`,
    ],
    signal,
  )
  if (found === undefined) return undefined
  const [row] = await ask(connection, [`select hex(code) from ${there(before, found[0]!)} where what = 'old'`], signal)
  if (row === undefined) return undefined
  return { isMoved: found[0] === notesMoved, code: Buffer.from(row[0]!, 'hex') }
}

export async function removeDatabases(
  connection: Connection,
  databases: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  await execute(
    connection,
    ['set session foreign_key_checks = 0', ...databases.map((name) => `drop database if exists ${quotedName(name)}`)],
    signal,
  )
}
