import { AppError } from '#base'
import type { Host } from '../host/host.ts'
import { loadError } from '../load-errors.ts'
import { findClient, type Client } from './client.ts'
import { EntryFilter, type EntryChooser } from './entries.ts'
import type { TableKey } from './table-name.ts'
import { unrestricted } from './unrestricted.ts'
import { DumpFault } from './watcher.ts'

export interface FilteredDump {
  /** SQL that is to be given to a restricted client. */
  readonly sql: AsyncIterable<Uint8Array>
  /** Rows by table that have passed, whether they were kept or not. */
  readonly rows: () => ReadonlyMap<TableKey, number>
}

/**
 * A dump as SQL, of which the chooser keeps what it likes; an archive of `pg_dump` is made SQL by `pg_restore` of the host.
 *
 * The stream throws `source.dump-refused` when the dump is not whole, or holds commands of the client.
 */
export function filterDump(
  dump: AsyncIterable<Uint8Array>,
  { format, host, database }: { readonly format: 'plain' | 'custom'; readonly host: Host; readonly database: string },
  chooser: EntryChooser,
  signal?: AbortSignal,
): FilteredDump {
  const filter = new EntryFilter(chooser)
  const plain = format === 'custom' ? asPlain(dump, host, database, signal) : dump
  return { sql: filtered(plain, filter, database), rows: () => filter.rows }
}

async function* filtered(
  dump: AsyncIterable<Uint8Array>,
  filter: EntryFilter,
  database: string,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const piece of unrestricted(dump)) yield* filter.push(piece)
    yield* filter.end()
  } catch (thrown) {
    if (!(thrown instanceof DumpFault)) throw thrown
    throw loadError('source.dump-refused', { database, reason: thrown.message }, thrown)
  }
}

/** @throws `source.dump-refused` with the words of `pg_restore`. */
async function* asPlain(
  dump: AsyncIterable<Uint8Array>,
  host: Host,
  database: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const client = await findClient(host, signal)
  const call = { program: client.program('pg_restore'), args: ['--file=-'], environment: { LC_ALL: 'C' }, input: dump }
  try {
    yield* host.stream(call, signal)
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'program.failed') throw thrown
    const reason = String(thrown.facts['stderr']).replaceAll(/\s*\n\s*/g, ' ')
    throw loadError('source.dump-refused', { database, reason }, thrown)
  }
}

/** The first minor version of each major one whose client can be restricted. Source: CVE-2025-8714. */
const restrictedSince: Readonly<Record<number, number>> = { 13: 22, 14: 19, 15: 14, 16: 10, 17: 6 }

/** @throws `source.client-unsafe` when a dump could run programs by this client. */
export function demandRestrictable(client: Client, host: Host): void {
  const minor = Number(client.version.split('.')[1] ?? 0)
  if (client.major > 17 || minor >= (restrictedSince[client.major] ?? Infinity)) return
  throw loadError('source.client-unsafe', { program: 'psql', version: client.version, place: host.place })
}
