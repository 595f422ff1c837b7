import type { Host } from '../host/host.ts'
import { bytesOf, type RawPath } from '../raw-path.ts'
import { plainAddress, type ServerAddress } from '../server-address.ts'
import { findClient } from './client.ts'
import { clientCall, loadFault } from './connection.ts'

export interface PostgresqlLoad {
  readonly connection: ServerAddress
  /** Must exist, and be empty; roles that own its objects must exist too. */
  readonly database: string
  readonly format: 'plain' | 'custom'
  /** Where the dump lies on the host; absolute. */
  readonly path: RawPath
}

/**
 * Plays a dump into an empty database, and stops at the first statement that fails. After an error the database holds a
 * part of the dump and is best dropped.
 *
 * A dump can run anything that who loads it may: load what you trust, as a user that may do little else.
 *
 * @throws `source.client-missing`, `source.server-unreachable`, `source.database-missing`; `source.load-failed` with the
 * first statement that failed.
 */
export async function loadPostgresql(host: Host, load: PostgresqlLoad, signal?: AbortSignal): Promise<void> {
  const target = { address: plainAddress(load.connection), database: load.database }
  const client = await findClient(host, signal)
  const path = bytesOf(load.path).toString()
  const call =
    load.format === 'plain'
      ? clientCall(target, client.program('psql'), [
          '--no-psqlrc',
          '--quiet',
          '--set=ON_ERROR_STOP=1',
          `--file=${path}`,
        ])
      : clientCall(target, client.program('pg_restore'), ['--exit-on-error', path])
  try {
    for await (const _ of host.stream(call, signal)); // because functions that the dump calls answer with rows
  } catch (thrown) {
    throw loadFault(thrown, target)
  }
}
