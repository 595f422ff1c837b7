import { AppError } from '#base'
import { sourceError } from '../errors.ts'
import type { Host } from '../host/host.ts'
import { shownAddress, type PlainAddress } from '../server-address.ts'
import { callClient, findClient, type Client } from './client.ts'
import { meaningOf, reasonOf, type FailureScene } from './failures.ts'

/** A server that can be asked, through the client program of the host. */
export interface Connection extends FailureScene {
  readonly host: Host
  readonly client: Client
}

/** @throws `source.client-missing`. */
export async function connect(
  host: Host,
  address: PlainAddress,
  database: string,
  signal?: AbortSignal,
): Promise<Connection> {
  const client = await findClient(host, ['mariadb', 'mysql'], () => true, signal)
  if (client) return { host, address, database, client }
  const facts = { program: 'mariadb or mysql', server: shownAddress(address), place: host.place }
  throw sourceError('source.client-missing', { ...facts, package: 'mariadb-client or mysql-client' })
}

const options = [
  '--batch',
  '--skip-column-names',
  '--skip-auto-rehash',
  '--skip-reconnect',
  '--skip-force',
  '--default-character-set=utf8mb4',
  '--max-allowed-packet=256M',
]

/** The line of the first statement of a call, as errors name it: before it stands one of our own. */
export const firstLine = 2

/**
 * Asks the server, and gives the rows of all statements as texts; NULL is the text `NULL`.
 *
 * @param statements - each stands on a line of its own, so that the line in an error names it.
 * @throws what the failure means, in the words of `source.*`; `source.server-unreachable` when it means nothing else.
 */
export async function ask(
  connection: Connection,
  statements: readonly string[],
  signal?: AbortSignal,
): Promise<string[][]> {
  const { host, client, address, database } = connection
  const sql = ["set session sql_mode = ''", ...statements].map((statement) => `${statement};`).join('\n')
  const where = database === '' ? [] : [`--database=${database}`]
  try {
    const output = await host.run(callClient(client, address, [...options, ...where, `--execute=${sql}`]), signal)
    return output
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t').map(unescaped))
  } catch (thrown) {
    throw asFailure(thrown, connection)
  }
}

function asFailure(thrown: unknown, connection: Connection): unknown {
  const reason = reasonOf(thrown, connection)
  if (reason === undefined) return thrown
  const server = shownAddress(connection.address)
  return meaningOf(reason, connection) ?? sourceError('source.server-unreachable', { server, reason }, thrown)
}

/** True for the errors of a server that answers, but not so to this account. */
export function isOfRights(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.code === 'source.right-missing'
}

/** `mysql --batch` writes these three so, that each row is a line. */
function unescaped(value: string): string {
  const escapes: Readonly<Record<string, string>> = { '\\n': '\n', '\\t': '\t', '\\0': '\0', '\\\\': '\\' }
  return value.replace(/\\[nt0\\]/g, (escape) => escapes[escape]!)
}

/** A name as SQL writes it, whatever it holds. */
export function quotedName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}
