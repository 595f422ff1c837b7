import { collect } from '#base'
import type { Host } from '../host/host.ts'
import { plainAddress, type ServerAddress } from '../server-address.ts'
import { connect } from './ask.ts'
import { callClient } from './client.ts'

/**
 * Loads a dump into a database that is there and empty. The server stops at the first statement that fails.
 *
 * Memory: the dump.
 *
 * @throws `program.failed` with the server's words; `source.client-missing`.
 */
export async function loadMysql(
  host: Host,
  connection: ServerAddress,
  database: string,
  dump: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  const address = plainAddress(connection)
  const { client } = await connect(host, address, database, signal)
  const options = ['--batch', '--binary-mode', '--max-allowed-packet=1G', '--default-character-set=utf8mb4']
  const call = callClient(client, address, [...options, `--database=${database}`])
  await host.run({ ...call, input: await collect(dump) }, signal)
}
