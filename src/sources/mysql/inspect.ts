import { sourceError } from '../errors.ts'
import { shownAddress } from '../server-address.ts'
import { ask, quotedName, type Connection } from './ask.ts'
import { flavourOf } from './client.ts'
import { requireRights } from './rights.ts'
import type { ServerFacts } from './server-facts.ts'

export interface TableFacts {
  readonly name: string
  readonly engine: string
  /** What the server guesses. */
  readonly estimatedRows: number
  /** One transaction shows it as it was at one moment. */
  readonly isTransactional: boolean
  /** Its rows lie elsewhere (MERGE, FEDERATED …), and a dump has its definition alone. */
  readonly isRemote: boolean
  readonly isVersioned: boolean
}

/** What is in a database at the moment. */
export interface Inspection {
  readonly server: ServerFacts
  readonly tables: readonly TableFacts[]
  readonly sequences: readonly string[]
  readonly views: readonly string[]
  readonly triggers: number
  readonly events: number
  readonly routines: number
}

/** Engines of which mariadb-dump and mysqldump write no rows. */
const remoteEngines = new Set(['MRG_MYISAM', 'MRG_ISAM', 'FEDERATED', 'CONNECT', 'OQGRAPH', 'SPIDER', 'VP'])

const here = (column: string): string => `${column} = database() and binary ${column} = binary database()`

const questions = [
  `select 'server', version(), @@version_comment, current_user(), @@max_allowed_packet, @@character_set_database, @@collation_database`,
  `show session status like 'ssl_cipher'`,
  `select 'table', t.table_name, t.table_type, coalesce(t.engine, ''), coalesce(t.table_rows, 0), coalesce(e.transactions, 'NO')
     from information_schema.tables t left join information_schema.engines e on e.engine = t.engine where ${here('t.table_schema')}`,
  `select 'trigger', count(*) from information_schema.triggers where ${here('trigger_schema')}`,
  `select 'event', count(*) from information_schema.events where ${here('event_schema')}`,
  `select 'routine', routine_name, routine_definition is null from information_schema.routines where ${here('routine_schema')}`,
].map((question) => question.replace(/\s+/g, ' '))

/**
 * Looks at a database: what is in it, and whether the account may read all of it.
 *
 * @throws `source.database-missing`, `source.access-refused`, `source.server-unreachable`, `source.right-missing`.
 */
export async function inspectMysql(connection: Connection, signal?: AbortSignal): Promise<Inspection> {
  const answers = await ask(connection, questions, signal)
  const of = (kind: string): string[][] => answers.filter(([first]) => first === kind).map((row) => row.slice(1))
  requireTls(connection, of('Ssl_cipher')[0]?.[0] ?? '')
  const server = readServer(of('server')[0]!)
  const entries = of('table').map(([name = '', type = '', engine = '', rows, transactions]) => ({
    type,
    name,
    engine,
    estimatedRows: Number(rows),
    isTransactional: transactions === 'YES',
    isRemote: remoteEngines.has(engine.toUpperCase()),
    isVersioned: type === 'SYSTEM VERSIONED',
  }))
  const named = (wanted: string): string[] => entries.filter(({ type }) => type === wanted).map(({ name }) => name)
  const hidden = of('routine').filter(([, isHidden]) => isHidden === '1')
  await requireRights(
    connection,
    server,
    hidden.map(([name]) => name!),
    signal,
  )
  return {
    server,
    tables: entries.filter(({ type }) => type === 'BASE TABLE' || type === 'SYSTEM VERSIONED'),
    sequences: named('SEQUENCE'),
    views: named('VIEW'),
    triggers: Number(of('trigger')[0]![0]),
    events: Number(of('event')[0]![0]),
    routines: of('routine').length,
  }
}

function readServer([
  version = '',
  comment = '',
  account = '',
  packet,
  charset = '',
  collation = '',
]: string[]): ServerFacts {
  const flavour = flavourOf(`${version} ${comment}`)
  return { flavour, version, account, maxAllowedPacketBytes: Number(packet), charset, collation }
}

/** Because MariaDB's clients go on without encryption where a server has none, whatever they are told. */
function requireTls({ address }: Connection, cipher: string): void {
  const isDemanded = address.tls !== undefined && !['disable', 'prefer'].includes(address.tls.mode)
  if (!isDemanded || cipher !== '') return
  const reason = 'it does not encrypt the connection, which is demanded'
  throw sourceError('source.server-unreachable', { server: shownAddress(address), reason })
}

/** Tables that one call asks about, so that the argument list stays short. */
const tablesAtOnce = 100

/**
 * Which tables have rows. Reading one row of each also shows, before a dump begins, that they can be read and that nobody
 * holds a lock on them.
 *
 * @throws `source.lock-held`, `source.table-damaged`, `source.right-missing`.
 */
export async function filledTables(
  connection: Connection,
  tables: readonly string[],
  lockTimeoutSeconds: number,
  signal?: AbortSignal,
): Promise<Set<string>> {
  const filled = new Set<string>()
  for (let from = 0; from < tables.length; from += tablesAtOnce) {
    const some = tables.slice(from, from + tablesAtOnce)
    const statements = some.map((name, nth) => `select ${nth}, exists (select 1 from ${quotedName(name)})`)
    const answers = await ask(
      connection,
      [`set session lock_wait_timeout = ${lockTimeoutSeconds}`, ...statements],
      signal,
    )
    for (const [nth, isFilled] of answers) if (isFilled === '1') filled.add(some[Number(nth)]!)
  }
  return filled
}
