import { closeSync, openSync, readSync, statSync } from 'node:fs'

import { systemCode } from '#base'
import type { Host } from '../host/host.ts'
import { bytesOf, type RawPath } from '../raw-path.ts'

const magic = Buffer.from('SQLite format 3\0', 'latin1')
const headerLength = 100
const extensions = /\.(?:db|db3|sqlite|sqlite3|sqlitedb|sdb|s3db|sl3)$/i

/** What SQLite puts beside a database; they belong to it and mean nothing without it. */
export const sideFiles = ['-wal', '-shm', '-journal'] as const
const sideFilePattern = /^(.+)-(?:wal|shm|journal)$/s

/** Files that may be SQLite databases: by their extension, or because SQLite's files lie beside them. */
export function mayBeSqlite(names: readonly RawPath[]): RawPath[] {
  const owners = new Set<RawPath>()
  for (const name of names) {
    const owner = sideFilePattern.exec(name)?.[1]
    if (owner !== undefined) owners.add(owner)
  }
  return names.filter((name) => extensions.test(name) || owners.has(name))
}

/**
 * True when the file begins as a SQLite database does. One that is encrypted as a whole does not.
 *
 * Must not be asked about a database that this process has open: closing any descriptor of a file ends all locks that
 * the process holds on it.
 *
 * Source: sqlite.org/fileformat.html section 1.3; sqlite.org/howtocorrupt.html section 2.2.
 */
export async function isSqlite(host: Host, path: RawPath): Promise<boolean> {
  const head = await host.findHead(path, headerLength)
  return head?.length === headerLength && magic.equals(head.subarray(0, magic.length))
}

/** True when the database's header says that it works with a write-ahead log. The same caution as for `isSqlite`. */
export function hasWriteAheadLog(path: RawPath): boolean {
  return readHeader(path)?.[18] === 2
}

function readHeader(path: RawPath): Buffer | undefined {
  try {
    const descriptor = openSync(bytesOf(path), 'r')
    try {
      const header = Buffer.alloc(headerLength)
      return readSync(descriptor, header) === header.length ? header : undefined
    } finally {
      closeSync(descriptor)
    }
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown
    return undefined // because the archive reads the file as well, and reports why it cannot
  }
}

/** The size of one of SQLite's files beside a database; undefined when it is not there. */
export function sideSize(path: RawPath, side: (typeof sideFiles)[number]): number | undefined {
  return statSync(bytesOf(path + side), { throwIfNoEntry: false })?.size
}
