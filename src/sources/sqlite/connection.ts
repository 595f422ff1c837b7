import { DatabaseSync } from 'node:sqlite'

import { pause, systemClock } from '#base'
import { bytesOf, type RawPath } from '../raw-path.ts'

/** Opens a database that others may be using, for reading only; does not wait for locks by itself. */
export function openInUse(path: RawPath): DatabaseSync {
  return new DatabaseSync(bytesOf(path), { readOnly: true, timeout: 0 })
}

/** Opens a database that nobody changes: takes no locks, makes no files beside it and ignores those that are there. */
export function openAtRest(path: RawPath): DatabaseSync {
  const escaped = path.replace(/[^\w/.-]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
  return new DatabaseSync(`file://${escaped}?immutable=1`, { readOnly: true })
}

/**
 * Pins what the connection sees until its transaction ends: others may go on writing, with a write-ahead log also
 * committing.
 *
 * Tries every millisecond, because a writer that hardly pauses leaves gaps shorter than SQLite's own waiting would find.
 *
 * @throws SQLite's error; `SQLITE_BUSY` when others kept it locked for `patienceMs`.
 */
export async function beginReading(database: DatabaseSync, patienceMs: number): Promise<void> {
  const deadline = systemClock.monotonic() + patienceMs
  database.exec('begin')
  for (;;) {
    try {
      database.prepare('select count(*) from sqlite_schema').get()
      return
    } catch (thrown) {
      if (!isBusy(thrown) || systemClock.monotonic() > deadline) throw thrown
      await pause(1)
    }
  }
}

/** SQLite's extended result code of a thrown value. Source: sqlite.org/rescode.html */
export function resultCode(thrown: unknown): number | undefined {
  return thrown instanceof Error && 'errcode' in thrown && typeof thrown.errcode === 'number'
    ? thrown.errcode
    : undefined
}

/** `SQLITE_BUSY` in any of its extended forms. */
export function isBusy(thrown: unknown): boolean {
  return ((resultCode(thrown) ?? 0) & 0xff) === 5
}
