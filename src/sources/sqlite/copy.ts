import { chmodSync, constants, copyFileSync, rmSync, statSync, writeFileSync, type BigIntStats } from 'node:fs'
import { backup, DatabaseSync } from 'node:sqlite'

import { pause, systemClock, systemCode, textOf } from '#base'
import { bytesOf, type RawPath } from '../raw-path.ts'
import { beginReading, openAtRest, openInUse } from './connection.ts'
import { hasWriteAheadLog, sideFiles, sideSize } from './inspect.ts'

/** What is known of a copy. */
export interface CopyOutcome {
  /** `as it lies`: the same bytes as the file. `snapshot`: the state of one moment, put together by SQLite. */
  readonly how: 'as it lies' | 'snapshot'
  readonly rows: Readonly<Record<string, number>>
  /** What `PRAGMA quick_check` has to say, or why the copy cannot be opened; empty when it is well. */
  readonly complaints: readonly string[]
  /** Milliseconds during which writers had to wait. */
  readonly writersWaitedMs: number
}

/** How long others may keep a database locked before it is given up. */
const patienceMs = 15_000
/** A file that was written to less than this long ago may be written to again without its times changing. */
const settledAfterMs = 50
/** How long copying is tried again because somebody wrote to what seemed at rest. */
const attemptsMs = 20_000
const betweenAttemptsMs = 20
/** Pages between two moments at which the copying can be stopped. */
const pagesAtOnce = 4096

/**
 * Copies a SQLite database that may be in use, as it is at one moment between two transactions, and examines the copy.
 *
 * - With a write-ahead log in use: SQLite's own backup inside one reading transaction. Writers go on undisturbed; the
 *   log grows meanwhile.
 * - With a rollback journal: the file's own bytes, while a shared lock keeps writers from committing. That lasts as
 *   long as copying a file on this machine does (about 0.1 s for 100 MB; nothing where the file system can share blocks).
 * - Nobody has it open and a log or journal was left behind: the files together, recovered in the copy.
 *
 * Nothing is written beside the database. Runs in a thread of its own, because much of it is synchronous.
 */
export async function copyDatabase(database: RawPath, copy: RawPath): Promise<CopyOutcome> {
  const made = await copyByState(database, copy)
  chmodSync(bytesOf(copy), 0o600)
  return { ...made, ...examine(copy) }
}

type Made = Pick<CopyOutcome, 'how' | 'writersWaitedMs'>

async function copyByState(database: RawPath, copy: RawPath): Promise<Made> {
  const deadline = systemClock.monotonic() + attemptsMs
  for (;;) {
    removeCopy(copy)
    let made: Made | undefined
    if (sideSize(database, '-shm') !== undefined) made = await copySnapshot(database, copy)
    else if ((sideSize(database, '-wal') ?? 0) > 0) made = await copyLeftBehind(database, copy, '-wal')
    else if (hasWriteAheadLog(database)) made = await copySettled(database, copy, [])
    else made = await copyLocked(database, copy)
    if (made) return made
    if (systemClock.monotonic() > deadline) throw new Error('it kept changing while it was copied')
    await pause(betweenAttemptsMs)
  }
}

async function copySnapshot(database: RawPath, copy: RawPath): Promise<Made> {
  using source = openInUse(database)
  await beginReading(source, patienceMs) // because a backup without a transaction starts over whenever somebody writes
  writeFileSync(bytesOf(copy), '', { mode: 0o600 })
  await backup(source, bytesOf(copy), { rate: pagesAtOnce })
  source.exec('commit')
  return { how: 'snapshot', writersWaitedMs: 0 }
}

async function copyLocked(database: RawPath, copy: RawPath): Promise<Made | undefined> {
  using source = openInUse(database)
  try {
    await beginReading(source, patienceMs)
  } catch (thrown) {
    // because a journal that a crash left behind is rolled back by the first who may write, and that is not us
    if ((sideSize(database, '-journal') ?? 0) > 0) return copyLeftBehind(database, copy, '-journal')
    throw thrown
  }
  const before = performance.now()
  copyFileSync(bytesOf(database), bytesOf(copy), constants.COPYFILE_FICLONE)
  source.exec('commit')
  return { how: 'as it lies', writersWaitedMs: Math.round(performance.now() - before) }
}

async function copyLeftBehind(database: RawPath, copy: RawPath, side: '-wal' | '-journal'): Promise<Made | undefined> {
  if (!(await copySettled(database, copy, [side]))) return undefined
  using recovered = new DatabaseSync(bytesOf(copy))
  recovered.prepare('select count(*) from sqlite_schema').get()
  if (side === '-wal') recovered.exec('pragma wal_checkpoint(truncate)')
  return { how: 'snapshot', writersWaitedMs: 0 }
}

/** Copies files that nobody seems to write to; undefined when somebody did. */
async function copySettled(
  database: RawPath,
  copy: RawPath,
  sides: readonly ('-wal' | '-journal')[],
): Promise<Made | undefined> {
  const before = statesOf(database)
  const newestMs = Math.max(...[...before.values()].map((state) => Number(state?.mtimeMs ?? 0)))
  if (systemClock.now() - newestMs < settledAfterMs) await pause(settledAfterMs)
  try {
    for (const side of ['', ...sides]) {
      copyFileSync(bytesOf(database + side), bytesOf(copy + side), constants.COPYFILE_FICLONE)
    }
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return undefined // because somebody put the log away meanwhile
    throw thrown
  }
  return sameStates(before, statesOf(database)) ? { how: 'as it lies', writersWaitedMs: 0 } : undefined
}

function statesOf(database: RawPath): Map<string, BigIntStats | undefined> {
  const stateOf = (side: string): BigIntStats | undefined =>
    statSync(bytesOf(database + side), { bigint: true, throwIfNoEntry: false })
  return new Map(['', ...sideFiles].map((side) => [side, stateOf(side)]))
}

function sameStates(before: ReturnType<typeof statesOf>, after: ReturnType<typeof statesOf>): boolean {
  return [...before].every(([side, a]) => {
    const b = after.get(side)
    return a?.ino === b?.ino && a?.size === b?.size && a?.mtimeNs === b?.mtimeNs && a?.ctimeNs === b?.ctimeNs
  })
}

function examine(copy: RawPath): Pick<CopyOutcome, 'rows' | 'complaints'> {
  try {
    using database = openAtRest(copy)
    const lines = database.prepare('pragma quick_check(20)').all() as { quick_check: string }[]
    const complaints = lines.map((line) => line.quick_check).filter((line) => line !== 'ok')
    return { rows: countRows(database), complaints }
  } catch (thrown) {
    return { rows: {}, complaints: [textOf(thrown)] }
  }
}

function countRows(database: DatabaseSync): Record<string, number> {
  const tables = database
    .prepare(`select name from pragma_table_list where schema = 'main' and type in ('table', 'virtual') order by name`)
    .all() as { name: string }[]
  const rows: Record<string, number> = {}
  for (const { name } of tables) {
    if (name.startsWith('sqlite_')) continue
    try {
      const counted = database.prepare(`select count(*) as count from "${name.replaceAll('"', '""')}"`).get()
      rows[name] = Number(counted!['count'])
    } catch {
      continue // because a virtual table of an extension that is not loaded has no rows to count, only tables of its own
    }
  }
  return rows
}

/** Removes a copy and whatever SQLite laid beside it. */
export function removeCopy(copy: RawPath): void {
  for (const side of ['', ...sideFiles]) rmSync(bytesOf(copy + side), { force: true })
}
