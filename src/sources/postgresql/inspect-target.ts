import { AppError } from '#base'
import type { DumpFacts, LoadTarget, TargetReport } from '../load-contract.ts'
import { loadError } from '../load-errors.ts'
import type { SourceFinding } from '../finding.ts'
import { plainAddress, shownAddress } from '../server-address.ts'
import { askJson, quotedText, type Scene } from './ask.ts'
import { findClient } from './client.ts'

/** Databases that servers have from the beginning, from which others can be made and renamed. */
const maintenance = ['postgres', 'template1'] as const

/** The target as the client programs are told of it. @throws `source.client-missing`. */
export async function sceneOf({ host, connection, database }: LoadTarget, signal?: AbortSignal): Promise<Scene> {
  return { host, client: await findClient(host, signal), address: plainAddress(connection), database }
}

/** The same server by a database that is always there. @throws the error of the last that was tried. */
export async function besideScene(scene: Scene, signal?: AbortSignal): Promise<Scene> {
  let last: unknown
  for (const database of maintenance.filter((name) => name !== scene.database)) {
    const other = { ...scene, database }
    try {
      await askJson(other, 'select 1', signal)
      return other
    } catch (thrown) {
      signal?.throwIfAborted()
      last = thrown
    }
  }
  throw last
}

interface ServerAnswer {
  readonly version: string
  readonly login: string
  readonly superuser: boolean
  readonly createDatabase: boolean
  readonly createRole: boolean
  readonly missingRoles: readonly string[] | null
  readonly missingExtensions: readonly string[] | null
}

interface DatabaseAnswer {
  readonly sizeBytes: number
  readonly tables: number
  readonly others: number
  readonly ownsIt: boolean
  readonly mayMakeIn: boolean
}

const ofExtension = (catalog: string, oid: string): string =>
  `exists (select from pg_depend d where d.classid = '${catalog}'::regclass and d.objid = ${oid} and d.deptype = 'e')`
const ofUsers = `n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`

const aboutDatabase = `
select json_build_object(
  'sizeBytes', pg_database_size(current_database()),
  'tables', (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where ${ofUsers} and c.relkind in ('r', 'p', 'f') and not ${ofExtension('pg_class', 'c.oid')}),
  'others', (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where ${ofUsers} and c.relkind in ('v', 'm', 'S') and not ${ofExtension('pg_class', 'c.oid')})
          + (select count(*) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
             where ${ofUsers} and not ${ofExtension('pg_proc', 'p.oid')})
          + (select count(*) from pg_type t join pg_namespace n on n.oid = t.typnamespace
             where ${ofUsers} and t.typtype in ('e', 'd', 'r') and not ${ofExtension('pg_type', 't.oid')})
          + (select count(*) from pg_largeobject_metadata)
          + (select count(*) from pg_namespace n where ${ofUsers} and n.nspname <> 'public'
             and not ${ofExtension('pg_namespace', 'n.oid')}),
  'ownsIt', (select pg_has_role(datdba, 'member') from pg_database where datname = current_database()),
  'mayMakeIn', has_database_privilege(current_database(), 'create'))`

/**
 * Looks at a database of PostgreSQL that a dump shall go into.
 *
 * @throws as `inspectTarget`.
 */
export async function inspectPostgresqlTarget(
  target: LoadTarget,
  dump: DumpFacts,
  signal?: AbortSignal,
): Promise<TargetReport> {
  const scene = await sceneOf(target, signal)
  const database = await findDatabase(scene, signal)
  const server = await askServer(database ? scene : await besideScene(scene, signal), dump, signal)
  const version = server.version.split(' ')[0]!
  demandNewEnough(scene, version, dump)
  const isEmpty = !database || database.tables + database.others === 0
  const { createDatabase, createRole, superuser } = server
  const roles = server.missingRoles ?? []
  const extensions = server.missingExtensions ?? []
  return {
    version,
    major: Number.parseInt(version, 10),
    login: server.login,
    exists: database !== undefined,
    isEmpty,
    sizeBytes: database?.sizeBytes ?? 0,
    tables: database?.tables ?? 0,
    rights: { createDatabase, createRole, superuser },
    missing: { roles, extensions },
    method: methodFor(database, isEmpty, createDatabase),
    findings: findingsOf(scene.database, roles, extensions),
  }
}

function methodFor(
  database: DatabaseAnswer | undefined,
  isEmpty: boolean,
  createDatabase: boolean,
): TargetReport['method'] {
  if (!database) return createDatabase ? 'create' : undefined
  if (isEmpty) return 'fill'
  if (createDatabase && database.ownsIt) return 'beside'
  return database.ownsIt || database.mayMakeIn ? 'transaction' : undefined
}

function findingsOf(database: string, roles: readonly string[], extensions: readonly string[]): SourceFinding[] {
  const subject = `database ${database}`
  const warn = (text: string): SourceFinding => ({ subject, severity: 'warning', text })
  return [
    ...(roles.length > 0 ? [warn(`the server lacks roles of the dump: ${roles.join(', ')}`)] : []),
    ...(extensions.length > 0 ? [warn(`the server lacks extensions of the dump: ${extensions.join(', ')}`)] : []),
  ]
}

/** @returns undefined when it is not there. */
async function findDatabase(scene: Scene, signal?: AbortSignal): Promise<DatabaseAnswer | undefined> {
  try {
    return await askJson<DatabaseAnswer>(scene, aboutDatabase, signal)
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'source.database-missing') return undefined
    throw thrown
  }
}

function askServer(scene: Scene, { facts, roles = [] }: DumpFacts, signal?: AbortSignal): Promise<ServerAnswer> {
  const extensions = extensionsOf(facts)
  const list = (texts: readonly string[]): string => `unnest(array[${texts.map(quotedText).join(', ')}]::text[]) as e`
  const role = (column: string): string => `(select ${column} from pg_roles where rolname = current_user)`
  return askJson<ServerAnswer>(
    scene,
    `select json_build_object(
      'version', current_setting('server_version'),
      'login', current_user,
      'superuser', ${role('rolsuper')},
      'createDatabase', ${role('rolcreatedb or rolsuper')},
      'createRole', ${role('rolcreaterole or rolsuper')},
      'missingRoles', (select json_agg(e) from ${list(roles)} where not exists (select from pg_roles where rolname = e)),
      'missingExtensions', (select json_agg(e) from ${list(extensions)}
        where not exists (select from pg_available_extensions where name = e)))`,
    signal,
  )
}

/** `plpgsql 1.0, pg_trgm 1.6` of the manifest. */
function extensionsOf(facts: DumpFacts['facts']): string[] {
  const listed = String(facts['extensions'] ?? '')
  return listed.split(', ').flatMap((one) => (one === '' ? [] : [one.slice(0, one.lastIndexOf(' '))]))
}

function demandNewEnough(scene: Scene, version: string, { facts }: DumpFacts): void {
  const dump = String(facts['server'] ?? '')
  if (!(Number.parseInt(dump, 10) > Number.parseInt(version, 10))) return
  throw loadError('source.server-older', { dump, version, server: shownAddress(scene.address) })
}
