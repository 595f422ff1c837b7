import { rmSync } from 'node:fs'

/**
 * Removes what SQLite keeps beside a database: journals of a state that is about to be replaced would be played into the
 * restored one and destroy it. Call it right before the database is put in place, while nobody uses it.
 */
export function removeJournals(database: string | Uint8Array): void {
  for (const suffix of ['-wal', '-shm', '-journal']) {
    rmSync(Buffer.concat([Buffer.from(database as string), Buffer.from(suffix)]), { force: true })
  }
}
