import { AppError } from '#base'
import { sourceError } from '../errors.ts'
import type { Host } from '../host/host.ts'

/** The client programs of one version of PostgreSQL. */
export interface Client {
  /** As they say it: `15.18`. */
  readonly version: string
  readonly major: number
  /** The path of one of them, or its name when they are on the PATH. */
  program(name: 'psql' | 'pg_dump' | 'pg_dumpall' | 'pg_restore'): string
}

/** Where systems keep the programs of several versions side by side: Debian, and the packages of postgresql.org. */
const versionFolders = [
  { folder: '/usr/lib/postgresql', name: /^\d+$/ },
  { folder: '/usr', name: /^pgsql-\d+$/ },
]

/**
 * Client programs of a host: the newest of those that lie side by side, or else those on the PATH. They can ask any
 * server; whether they can dump it says {@link fittingClient}.
 *
 * @throws `source.client-missing`.
 */
export async function findClient(host: Host, signal?: AbortSignal): Promise<Client> {
  const folders = await programFolders(host)
  const found = await Promise.all(folders.map((folder) => clientIn(host, folder, signal)))
  const [newest] = found.filter((client) => client !== undefined).toSorted((a, b) => b.major - a.major)
  const client = newest ?? (await clientIn(host, onPath, signal))
  if (client) return client
  const facts = { program: 'pg_dump', server: 'PostgreSQL', place: host.place, package: 'postgresql-client' }
  throw sourceError('source.client-missing', facts)
}

/**
 * The client, or the one on the PATH when that is new enough for the server and the client is not.
 *
 * @throws `source.client-old` when no client of the host can be trusted with this server.
 */
export async function fittingClient(
  host: Host,
  client: Client,
  serverVersion: string,
  signal?: AbortSignal,
): Promise<Client> {
  const server = Number.parseInt(serverVersion, 10)
  if (client.major >= server) return client
  const other = await clientIn(host, onPath, signal)
  if (other && other.major >= server) return other
  throw sourceError('source.client-old', {
    program: 'pg_dump',
    version: client.version,
    place: host.place,
    server: `PostgreSQL ${serverVersion}`,
    package: `postgresql-client-${server}`,
  })
}

/** What stands before the name of a program that is on the PATH. */
const onPath = ''

async function programFolders(host: Host): Promise<string[]> {
  const found: string[] = []
  for (const { folder, name } of versionFolders) {
    const entries = await host.list(folder).catch(() => []) // because most systems have only one of them
    found.push(...entries.filter((entry) => name.test(entry.name)).map((entry) => `${folder}/${entry.name}/bin/`))
  }
  return found
}

async function clientIn(host: Host, folder: string, signal?: AbortSignal): Promise<Client | undefined> {
  const program = (name: string): string => folder + name
  try {
    const answer = await host.run({ program: program('pg_dump'), args: ['--version'] }, signal)
    const version = /\(PostgreSQL\) (\d+[\w.]*)/.exec(answer)?.[1]
    return version === undefined ? undefined : { version, major: Number.parseInt(version, 10), program }
  } catch (thrown) {
    // because a folder without the program, or with one that does not run, is no client
    if (thrown instanceof AppError && thrown.code.startsWith('program.')) return undefined
    throw thrown
  }
}
