import { sourceError } from '../errors.ts'
import type { Host } from '../host/host.ts'
import type { Client } from './client.ts'
import { clientCall, connectionFault, type Target } from './connection.ts'
import { nameDecoder, tableKey, type TableKey } from './table-name.ts'

/** What a database holds, as far as it tells whether a dump of it is whole. */
export interface Inspection {
  /** Of the server: `15.18`. */
  readonly version: string
  /** PostgreSQL's name of the encoding: `UTF8`. */
  readonly encoding: string
  readonly collation: string
  readonly owner: string
  /** By name, in the order of the names. */
  readonly extensions: Readonly<Record<string, string>>
  readonly schemas: readonly string[]
  /** Every table whose rows are in a dump: ordinary tables and partitions. */
  readonly tables: readonly TableFacts[]
  readonly largeObjects: number
  /** On the server's disk, indexes included. */
  readonly sizeBytes: number
  /** Whether who asks may read the passwords of roles. */
  readonly readsRolePasswords: boolean
  /** Text of a name of this database. */
  readonly decode: (raw: string) => string
}

export interface TableFacts {
  readonly key: TableKey
  /** As the server last estimated it. */
  readonly rowsAbout: number
  readonly bytesAbout: number
}

/**
 * Names go as hexadecimal bytes of the database's own encoding, in which the dump holds them too, so that no name is lost
 * or merged with another on its way through UTF-8.
 *
 * Rows of an extension's own tables are in a dump only when the extension says so. A standby dumps no unlogged tables.
 */
const question = `
with bytes as (
  select n.oid, encode(convert_to(n.nspname::text, getdatabaseencoding()), 'hex') as name
  from pg_namespace n where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
)
select json_build_object(
  'version', current_setting('server_version'),
  'encoding', getdatabaseencoding(),
  'owner', (select pg_get_userbyid(datdba) from pg_database where datname = current_database()),
  'collation', (select datcollate from pg_database where datname = current_database()),
  'extensions', (select json_agg(json_build_array(extname, extversion) order by extname) from pg_extension),
  'schemas', (select json_agg(name order by name) from bytes),
  'tables', (
    select json_agg(json_build_array(
      b.name, encode(convert_to(c.relname::text, getdatabaseencoding()), 'hex'),
      greatest(c.reltuples, 0)::bigint, c.relpages::bigint * current_setting('block_size')::bigint))
    from pg_class c join bytes b on b.oid = c.relnamespace
    where c.relkind = 'r' and not (c.relpersistence = 'u' and pg_is_in_recovery())
      and (not exists (select from pg_depend d
             where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
           or exists (select from pg_extension e where c.oid = any (e.extconfig)))),
  'largeObjects', (select count(*) from pg_largeobject_metadata),
  'sizeBytes', pg_database_size(current_database()),
  'readsRolePasswords', has_table_privilege('pg_authid', 'select'))`

interface Answer {
  readonly version: string
  readonly encoding: string
  readonly collation: string
  readonly owner: string
  readonly extensions: readonly (readonly [name: string, version: string])[] | null
  readonly schemas: readonly string[] | null
  readonly tables: readonly (readonly [schema: string, table: string, rows: number, bytes: number])[] | null
  readonly largeObjects: number
  readonly sizeBytes: number
  readonly readsRolePasswords: boolean
}

/**
 * Asks a database what it holds.
 *
 * @param leaveOut - schemas whose tables are not wanted.
 * @throws `source.database-missing`, `source.server-unreachable`; `source.dump-incomplete` when it does not answer.
 */
export async function inspectPostgresql(
  host: Host,
  client: Client,
  target: Target,
  leaveOut: readonly string[] = [],
  signal?: AbortSignal,
): Promise<Inspection> {
  const answer = await ask(host, client, target, signal)
  const decode = nameDecoder(answer.encoding)
  const unwanted = new Set(leaveOut)
  const tables = (answer.tables ?? []).filter(([schema]) => !unwanted.has(decode(rawOf(schema))))
  return {
    version: answer.version.split(' ')[0]!,
    encoding: answer.encoding,
    collation: answer.collation,
    owner: answer.owner,
    extensions: Object.fromEntries(answer.extensions ?? []),
    schemas: (answer.schemas ?? []).map((schema) => decode(rawOf(schema))),
    tables: tables.map(([schema, table, rowsAbout, bytesAbout]) => ({
      key: tableKey(rawOf(schema), rawOf(table)),
      rowsAbout,
      bytesAbout,
    })),
    largeObjects: answer.largeObjects,
    sizeBytes: answer.sizeBytes,
    readsRolePasswords: answer.readsRolePasswords,
    decode,
  }
}

async function ask(host: Host, client: Client, target: Target, signal?: AbortSignal): Promise<Answer> {
  const options = ['--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--set=ON_ERROR_STOP=1']
  // A search path of its own, because tables of the database could otherwise stand in for those of the catalog; and only
  // for this transaction, because behind a pool of connections the next user of the session may be the application.
  const before = `begin read only; set local search_path = pg_catalog; set local statement_timeout = '120s'`
  const args = [...options, `--command=${before}; ${question}; commit`]
  try {
    return JSON.parse(await host.run(clientCall(target, client.program('psql'), args), signal)) as Answer
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw connectionFault(thrown, target)
    const reason = 'the server did not say what it holds'
    throw sourceError('source.dump-incomplete', { database: target.database, reason }, thrown)
  }
}

/** Each byte one character. */
function rawOf(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1')
}
