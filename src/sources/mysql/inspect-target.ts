import type { SourceFinding } from '../finding.ts'
import type { DumpFacts, LoadTarget, TargetReport } from '../load-contract.ts'
import { loadError } from '../load-errors.ts'
import { nameBeside } from '../load-names.ts'
import { plainAddress, shownAddress } from '../server-address.ts'
import { ask, connect, isOfRights, type Connection } from './ask.ts'
import { flavourOf, isOlder } from './client.ts'
import type { Flavour } from './option-file.ts'
import { isGranted, readGrants } from './rights.ts'
import type { ServerFacts } from './server-facts.ts'

/** A target, and what the login may there. */
export interface MysqlTarget extends TargetReport {
  readonly server: ServerFacts
  /** Whether views and routines can be made for others. */
  readonly mayNameDefiners: boolean
}

/** The target by no database, because it may not be there. @throws `source.client-missing`. */
export async function connectionOf({ host, connection }: LoadTarget, signal?: AbortSignal): Promise<Connection> {
  return connect(host, plainAddress(connection), '', signal)
}

export function textOfSql(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

/** As `inspectTarget`, for MySQL and MariaDB. */
export async function inspectMysqlTarget(
  target: LoadTarget,
  dump: DumpFacts,
  signal?: AbortSignal,
): Promise<MysqlTarget> {
  const { database } = target
  const connection = await connectionOf(target, signal)
  const name = textOfSql(database)
  const answers = await ask(
    connection,
    [
      `select 'server', version(), @@version_comment, current_user(), @@max_allowed_packet, @@character_set_server, @@collation_server`,
      `select 'database', default_character_set_name, default_collation_name from information_schema.schemata where schema_name = ${name}`,
      `select 'tables', count(*), coalesce(sum(data_length + index_length), 0) from information_schema.tables where table_schema = ${name} and table_type in ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE')`,
      `select 'others', (select count(*) from information_schema.tables where table_schema = ${name} and table_type = 'VIEW') + (select count(*) from information_schema.routines where routine_schema = ${name}) + (select count(*) from information_schema.events where event_schema = ${name})`,
    ],
    signal,
  )
  const of = (kind: string): string[] | undefined => answers.find(([first]) => first === kind)?.slice(1)
  const there = of('database')
  const [version = '', comment = '', account = '', packet, charset = '', collation = ''] = of('server')!
  const server: ServerFacts = {
    flavour: flavourOf(`${version} ${comment}`),
    version,
    account,
    maxAllowedPacketBytes: Number(packet),
    charset: there?.[0] ?? charset,
    collation: there?.[1] ?? collation,
  }
  demandNewEnough(connection, server, dump)
  const tables = Number(of('tables')![0])
  const isEmpty = tables + Number(of('others')![0]) === 0
  const rights = await rightsOf(connection, server, database, signal)
  return {
    version,
    major: Number.parseInt(version, 10),
    login: account,
    exists: there !== undefined,
    isEmpty,
    sizeBytes: Number(of('tables')![1]),
    tables,
    rights: { createDatabase: rights.createDatabase, createRole: rights.createRole, superuser: rights.superuser },
    missing: { roles: await missingAccounts(connection, dump, signal), extensions: [] },
    method:
      there === undefined
        ? rights.create
          ? 'create'
          : undefined
        : isEmpty
          ? 'fill'
          : rights.beside
            ? 'beside'
            : 'over',
    findings: findingsFor(database, server, dump),
    server,
    mayNameDefiners: rights.mayNameDefiners,
  }
}

async function rightsOf(connection: Connection, server: ServerFacts, database: string, signal?: AbortSignal) {
  const grants = await readGrants(connection, server, signal)
  const everywhere = (right: string): boolean => isGranted(grants, right, '')
  const makes = (name: string): boolean =>
    ['CREATE', 'DROP', 'ALTER', 'INSERT', 'CREATE VIEW', 'TRIGGER'].every((right) => isGranted(grants, right, name))
  return {
    create: makes(database),
    beside: [database, nameBeside(database, 'loading', 'x'), nameBeside(database, 'before', 'x')].every(makes),
    createDatabase: everywhere('CREATE'),
    createRole: everywhere('CREATE USER'),
    superuser: everywhere('SUPER') || everywhere('ALL PRIVILEGES'),
    mayNameDefiners: ['SUPER', 'SET USER', 'SET_USER_ID', 'SET_ANY_DEFINER'].some(everywhere),
  }
}

async function missingAccounts(
  connection: Connection,
  { roles = [] }: DumpFacts,
  signal?: AbortSignal,
): Promise<string[]> {
  const known = roles.length > 0 ? await knownAccounts(connection, signal) : undefined
  return known ? roles.filter((name) => !known.has(name)) : []
}

/** Versions of MariaDB and MySQL do not compare; a dump of the one loads into the other as far as it goes. */
function demandNewEnough(connection: Connection, server: ServerFacts, { facts }: DumpFacts): void {
  const dump = String(facts['serverVersion'] ?? '')
  if (dump === '' || familyOf(facts) !== server.flavour || !isOlder(server.version, dump)) return
  const { version } = server
  throw loadError('source.server-older', { dump, version, server: shownAddress(connection.address) })
}

function familyOf(facts: DumpFacts['facts']): Flavour {
  return flavourOf(`${facts['server'] ?? ''} ${facts['serverVersion'] ?? ''}`)
}

function findingsFor(database: string, server: ServerFacts, { facts }: DumpFacts): SourceFinding[] {
  const longest = Number(facts['longestStatementBytes'] ?? 0)
  const subject = `database ${database}`
  const found: SourceFinding[] = []
  if (longest > server.maxAllowedPacketBytes) {
    const text = `the server takes statements of ${server.maxAllowedPacketBytes} bytes, and the dump has one of ${longest}: set max_allowed_packet above that`
    found.push({ subject, severity: 'warning', text })
  }
  if (facts['server'] !== undefined && familyOf(facts) !== server.flavour) {
    const text = `the dump comes from ${facts['server']}, and the server is ${server.flavour === 'mariadb' ? 'MariaDB' : 'MySQL'}`
    found.push({ subject, severity: 'warning', text })
  }
  return found
}

/** Users and roles of the server, as `shop@localhost`; undefined when the login may not see them. */
export async function knownAccounts(connection: Connection, signal?: AbortSignal): Promise<Set<string> | undefined> {
  try {
    const rows = await ask(connection, ['select user, host from mysql.user'], signal)
    return new Set(rows.map(([user, host]) => (host === '' ? user! : `${user}@${host}`)))
  } catch (thrown) {
    if (isOfRights(thrown)) return undefined
    throw thrown
  }
}
