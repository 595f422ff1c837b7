import { loadError } from '../load-errors.ts'
import { callClient } from './client.ts'
import type { Connection } from './ask.ts'
import { reasonOf, meaningOf } from './failures.ts'

/**
 * The client takes nothing in what it is given for a command of its own but a change of the delimiter, and hands the server
 * no file of the host. It stops at the first statement that fails.
 */
const options = [
  '--batch',
  '--binary-mode',
  '--local-infile=0',
  '--skip-column-names',
  '--skip-auto-rehash',
  '--skip-reconnect',
  '--skip-force',
  '--max-allowed-packet=1G',
  '--default-character-set=utf8mb4',
]

/**
 * Plays SQL into a database.
 *
 * @throws `source.load-failed` with the server's words; what the stream throws.
 */
export async function play(
  connection: Connection,
  sql: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  const { host, client, address, database } = connection
  const where = database === '' ? [] : [`--database=${database}`]
  const call = callClient(client, address, [...options, ...where])
  try {
    // because functions that the dump calls answer with rows
    for await (const _ of host.stream({ ...call, input: sql }, signal));
  } catch (thrown) {
    throw loadFault(thrown, connection)
  }
}

/** @param statements - each without its semicolon. @throws as {@link play}. */
export async function execute(
  connection: Connection,
  statements: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  if (statements.length === 0) return
  await play(connection, piece(`set session sql_mode = '';\n${statements.map((one) => `${one};\n`).join('')}`), signal)
}

export async function* piece(text: string | Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield Buffer.from(text)
}

function loadFault(thrown: unknown, connection: Connection): unknown {
  const reason = reasonOf(thrown, connection)
  if (reason === undefined) return thrown
  const meaning = meaningOf(reason, connection)
  if (meaning?.code === 'source.server-unreachable' || meaning?.code === 'source.access-refused') return meaning
  return loadError('source.load-failed', { database: connection.database, reason }, thrown)
}
