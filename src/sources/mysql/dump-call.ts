import { sourceError } from '../errors.ts'
import type { Host, ProgramCall } from '../host/host.ts'
import { shownAddress, type PlainAddress } from '../server-address.ts'
import { callClient, findClient, isOlder, type Client } from './client.ts'
import type { Inspection } from './inspect.ts'
import type { ServerFacts } from './server-facts.ts'

/**
 * The dump program of the host that fits the server: MariaDB's own for MariaDB, because MySQL's knows no sequences; MySQL's
 * own for MySQL, else MariaDB's.
 *
 * @throws `source.client-missing`; `source.client-old` when its series is older than the server's.
 */
export async function findDumper(
  host: Host,
  server: ServerFacts,
  address: PlainAddress,
  signal?: AbortSignal,
): Promise<Client> {
  const isMariadb = server.flavour === 'mariadb'
  const client = isMariadb
    ? await findClient(host, ['mariadb-dump', 'mysqldump'], ({ flavour }) => flavour === 'mariadb', signal)
    : ((await findClient(host, ['mysqldump'], ({ flavour }) => flavour === 'mysql', signal)) ??
      (await findClient(host, ['mariadb-dump', 'mysqldump'], () => true, signal)))
  const wanted = isMariadb
    ? { program: 'mariadb-dump', package: 'mariadb-client' }
    : { program: 'mysqldump', package: 'mysql-client' }
  if (!client) {
    throw sourceError('source.client-missing', { ...wanted, server: shownAddress(address), place: host.place })
  }
  if (client.flavour === server.flavour && isOlder(client.version, server.version)) {
    const { program, version } = client
    const facts = { program, version, place: host.place, server: server.version, package: wanted.package }
    throw sourceError('source.client-old', facts)
  }
  return client
}

/** Everything that the program would do by itself is said, because an option file could say otherwise. */
const options = [
  // One transaction sees all tables as they were at one moment, and locks none.
  '--single-transaction',
  '--skip-lock-tables',
  '--quick',
  '--routines',
  '--events',
  '--triggers',
  // Bytes as hexadecimal pass through every client and editor unchanged.
  '--hex-blob',
  '--default-character-set=utf8mb4',
  '--set-charset',
  '--tz-utc',
  '--create-options',
  '--quote-names',
  '--add-drop-table',
  '--add-locks',
  '--disable-keys',
  '--comments',
  // An unchanged database gives the same bytes.
  '--skip-dump-date',
  '--extended-insert',
  '--net-buffer-length=1M',
  '--max-allowed-packet=1G',
  // What it would say of tablespaces needs the right PROCESS, and is of no use on another server.
  '--no-tablespaces',
  // A program that goes on after an error ends its output as if nothing had happened.
  '--skip-force',
]

/**
 * The call that dumps a database without its name in it, so that it can be loaded into one of any name.
 */
export function dumpCall(
  client: Client,
  address: PlainAddress,
  database: string,
  { server, tables }: Inspection,
): ProgramCall {
  const isVersioned = tables.some((table) => table.isVersioned)
  const own = client.flavour === 'mysql' ? mysqlOptions(client, server) : []
  const history = isVersioned && hasHistory(client, server) ? ['--dump-history'] : []
  return callClient(client, address, [...options, ...own, ...history, '--', database])
}

/** Whether rows of the past in system-versioned tables can be dumped, and loaded again. */
export function hasHistory(client: Client, server: ServerFacts): boolean {
  return !isOlder(client.version, '10.11.0') && !isOlder(server.version, '10.11.0')
}

function mysqlOptions({ version }: Client, server: ServerFacts): string[] {
  const statistics = isOlder(version, '8.0.0') ? [] : ['--column-statistics=0']
  // A dump with the transaction ids of one server cannot be loaded into another that has some of its own.
  return server.flavour === 'mysql' ? ['--set-gtid-purged=OFF', ...statistics] : statistics
}
