import { AppError } from '#base'
import { rawPathOf } from '../raw-path.ts'
import { plainAddress, shownAddress, type ServerAddress } from '../server-address.ts'
import type { DumpContext, SourcePart, SourceType } from '../source.ts'
import { findClient, fittingClient, type Client } from './client.ts'
import { clientCall, stderrOf, type Target } from './connection.ts'
import { ArchiveWatcher } from './count-archive.ts'
import { PlainWatcher } from './count-copy.ts'
import { Globals } from './globals.ts'
import { inspectPostgresql, type Inspection } from './inspect.ts'
import { shownTable } from './table-name.ts'
import { explain, watched } from './watched.ts'
import { DumpFault, type DumpWatcher } from './watcher.ts'

export interface PostgresqlOptions {
  readonly connection: ServerAddress
  readonly databases: readonly DatabaseDump[]
  /** `plain` is SQL that any later version reads; `custom` is an archive for `pg_restore`, not compressed. */
  readonly format: 'plain' | 'custom'
  readonly leaveOutSchemas?: readonly string[]
  /** Where roles, their memberships and tablespaces go in the snapshot: `database/globals.sql`. Absent: not taken. */
  readonly globals?: string
  /** How long a dump waits for a table that somebody holds locked. Default: a minute. */
  readonly lockPatienceMs?: number
}

export interface DatabaseDump {
  readonly name: string
  /** Its path in the snapshot: `database/shop.sql`. */
  readonly at: string
}

const defaultLockPatienceMs = 60_000
/** A dump that a change of the schema broke is begun again so often. */
const attempts = 3

/**
 * Databases of a PostgreSQL server as `pg_dump` gives them, streamed: nothing lies on a disk in between.
 *
 * A dump counts as whole only when its program ended well, every table that the server has was seen with its rows, and
 * the dump has its beginning, its trailer and nothing else. Rows are counted while they pass, and recorded by
 * `schema.table`. Anything less throws, and nothing of it is stored.
 */
export const postgresqlSource: SourceType<PostgresqlOptions> = {
  describe: ({ connection, databases, format, leaveOutSchemas = [], globals }) => {
    const server = shownAddress(plainAddress(connection))
    const form = format === 'plain' ? 'as SQL' : 'as an archive for pg_restore'
    return {
      takes: [
        ...databases.map(({ name }) => `PostgreSQL database ${name} of ${server}, ${form}, at one moment`),
        ...(globals === undefined ? [] : [`Roles and tablespaces of ${server}`]),
      ],
      leavesOut: leaveOutSchemas.map((schema) => `Schema ${schema} of these databases`),
    }
  },

  async *dump(options, context) {
    const address = plainAddress(options.connection)
    const [first] = options.databases
    // One of the databases that are dumped lets the backup user in.
    const anyTarget = { address, database: first?.name ?? 'postgres' }
    const globals = options.globals === undefined ? undefined : new Globals(anyTarget, options.globals, context)
    for (const database of options.databases) {
      const beside = database === first ? globals : undefined
      yield databasePart({ address, database: database.name }, database.at, options, context, beside)
    }
    if (globals) yield globalsPart(options.globals!, globals)
  },
}

function databasePart(
  target: Target,
  at: string,
  options: PostgresqlOptions,
  context: DumpContext,
  globals: Globals | undefined,
): SourcePart {
  return {
    kind: 'content',
    at,
    content: {
      kind: 'stream',
      onFailure: 'abort',
      cut: 'dump',
      open: (signal) => streamDatabase(target, at, options, context, globals, signal),
      retry: async (thrown, attempt) => attempt < attempts && mayPass(thrown),
    },
  }
}

function globalsPart(at: string, globals: Globals): SourcePart {
  const open = (signal?: AbortSignal): AsyncIterable<Uint8Array> => globals.stream(signal)
  return { kind: 'content', at, content: { kind: 'stream', onFailure: 'abort', cut: 'dump', open } }
}

async function* streamDatabase(
  target: Target,
  at: string,
  options: PostgresqlOptions,
  context: DumpContext,
  globals: Globals | undefined,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const { host } = context
  const asking = await findClient(host, signal)
  const seen = await inspectPostgresql(host, asking, target, options.leaveOutSchemas, signal)
  const client = await fittingClient(host, asking, seen.version, signal)

  const watcher = options.format === 'plain' ? new PlainWatcher('database') : new ArchiveWatcher()
  const call = clientCall(target, client.program('pg_dump'), dumpArguments(options))
  let isWhole = false
  globals?.begin({ client, seen }, signal)
  try {
    yield* watched(host, { ...call, isPassedOn: !watcher.keepsPieces }, watcher, signal)
    demandAll(seen, watcher)
    isWhole = true
  } catch (thrown) {
    throw explain(thrown, target)
  } finally {
    if (!isWhole) await globals?.cancel()
  }
  record(at, options.format, client, seen, watcher, context)
}

function dumpArguments(options: PostgresqlOptions): string[] {
  const { format, leaveOutSchemas = [], lockPatienceMs = defaultLockPatienceMs } = options
  return [
    // Not compressed, because what is compressed has no two equal pieces from one day to the next.
    ...(format === 'plain' ? ['--format=plain'] : ['--format=custom', '--compress=0']),
    // Large objects would be left out as soon as a schema is.
    '-b',
    `--lock-wait-timeout=${lockPatienceMs}`,
    ...leaveOutSchemas.map((schema) => `--exclude-schema="${schema.replaceAll('"', '""')}"`),
  ]
}

/** @throws {@link DumpFault} when something that the server has is not in the dump. */
function demandAll({ tables, largeObjects, decode }: Inspection, watcher: DumpWatcher): void {
  const missing = tables.filter(({ key }) => !watcher.rows.has(key)).map(({ key }) => shownTable(key, decode))
  if (missing.length > 0) {
    const more = missing.length > 3 ? ` and ${missing.length - 3} more` : ''
    throw new TableMissing(`the rows of ${missing.slice(0, 3).join(', ')}${more} are not in it`)
  }
  if (largeObjects > 0 && watcher.largeObjects === 0) throw new DumpFault('none of its large objects is in it')
}

/** It may have been dropped or renamed after it was listed. */
class TableMissing extends DumpFault {}

/** What a change of the schema does to a dump that is about to begin, or the primary to one of a standby. */
const changedMeanwhile =
  /cache lookup failed|could not open relation|relation .* does not exist|schema .* does not exist|tuple concurrently|deadlock detected|conflict with recovery/i

/** Whether a dump that failed so may go well the next moment. */
function mayPass(thrown: unknown): boolean {
  const reason = thrown instanceof AppError ? thrown.cause : undefined
  return reason instanceof TableMissing || changedMeanwhile.test(stderrOf(reason) ?? '')
}

function record(
  at: string,
  format: string,
  client: Client,
  seen: Inspection,
  watcher: DumpWatcher,
  context: DumpContext,
): void {
  const rows = Object.fromEntries([...watcher.rows].map(([key, count]) => [shownTable(key, seen.decode), count]))
  const extensions = Object.entries(seen.extensions).map(([name, version]) => `${name} ${version}`)
  context.record({
    path: rawPathOf(at),
    kind: 'postgresql',
    rows,
    facts: {
      server: seen.version,
      client: client.version,
      format,
      encoding: seen.encoding,
      collation: seen.collation,
      owner: seen.owner,
      extensions: extensions.join(', '),
      tables: watcher.rows.size,
      largeObjects: watcher.largeObjects,
    },
  })
}
