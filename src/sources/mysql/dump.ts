import { AppError, pause } from '#base'
import { sourceError } from '../errors.ts'
import { plainAddress, shownAddress, type PlainAddress, type ServerAddress } from '../server-address.ts'
import { rawPathOf } from '../raw-path.ts'
import type { DumpContext, SourceType } from '../source.ts'
import { ask, connect, type Connection } from './ask.ts'
import { DumpReader, type DumpSummary } from './count-inserts.ts'
import { dumpCall, findDumper } from './dump-call.ts'
import { mysqlError } from './errors.ts'
import { isOfChange, meaningOf, reasonOf } from './failures.ts'
import { factsOf, findingsOf } from './findings.ts'
import { streamGrants } from './grants.ts'
import { filledTables, inspectMysql } from './inspect.ts'
import { withPatience } from './patience.ts'
import { findFault, type Fault } from './verdict.ts'

export interface MysqlOptions {
  readonly connection: ServerAddress
  /** `at`: the path in the snapshot, such as `database/shop.sql`. */
  readonly databases: readonly { readonly name: string; readonly at: string }[]
  /** What the project calls it; which of the two answers is asked of the server. */
  readonly driver: 'mysql' | 'mariadb'
  /** Where users and grants go, such as `database/globals.sql`; absent: they are not taken. */
  readonly grants?: string
  /** How long the dump may wait for a lock that somebody holds. Default: 60. */
  readonly lockTimeoutSeconds?: number
}

/** How often a dump is begun when changes of the schema break it. */
const attempts = 3
const pauseBetweenMs = 300
/** Times the lock timeout: after that a server that sends nothing at all counts as gone. */
const silencesBorne = 10

/** Databases of MySQL and MariaDB as plain SQL, each as it was at one moment, and users with their grants. */
export const mysqlSource: SourceType<MysqlOptions> = {
  describe: ({ connection, databases, driver, grants }) => {
    const server = `${driver === 'mariadb' ? 'MariaDB' : 'MySQL'} at ${shownAddress(plainAddress(connection))}`
    return {
      takes: [
        ...databases.map(({ name }) => `database ${name} of ${server}, as SQL of one moment`),
        ...(grants === undefined ? [] : [`users, roles and grants of ${server}`]),
      ],
      leavesOut: grants === undefined ? [`users and grants of ${server}`] : [],
    }
  },

  async *dump(options, context) {
    const address = plainAddress(options.connection)
    const lockTimeoutSeconds = options.lockTimeoutSeconds ?? 60
    for (const { name, at } of options.databases) {
      const scene: Scene = { address, database: name, at, lockTimeoutSeconds, context }
      const passing = new WeakSet<object>()
      yield {
        kind: 'content',
        at,
        content: {
          kind: 'stream',
          open: (signal) => streamDatabase(scene, passing, signal),
          onFailure: 'abort',
          cut: 'dump',
          retry: async (thrown, attempt) => {
            if (attempt >= attempts || typeof thrown !== 'object' || !passing.has(thrown!)) return false
            await pause(pauseBetweenMs * attempt)
            return true
          },
        },
      }
    }
    if (options.grants === undefined) return
    const at = options.grants
    yield {
      kind: 'content',
      at,
      content: {
        kind: 'stream',
        open: (signal) => streamGrants(context, address, at, signal),
        onFailure: 'abort',
        cut: 'dump',
      },
    }
  },
}

interface Scene {
  readonly address: PlainAddress
  readonly database: string
  readonly at: string
  readonly lockTimeoutSeconds: number
  readonly context: DumpContext
}

/** @param passing - gets the errors after which another attempt may succeed. */
async function* streamDatabase(
  scene: Scene,
  passing: WeakSet<object>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const { address, database, lockTimeoutSeconds, context } = scene
  const fail = ({ reason, mayPass }: Fault, cause?: unknown): AppError => {
    const error = sourceError('source.dump-incomplete', { database, reason }, cause)
    if (mayPass) passing.add(error)
    return error
  }
  const connection = await connect(context.host, address, database, signal)
  const inspection = await inspectMysql(connection, signal)
  const dumper = await findDumper(context.host, inspection.server, address, signal)
  const own = inspection.tables.filter(({ isRemote }) => !isRemote).map(({ name }) => name)
  const filled = await filledTables(connection, own, lockTimeoutSeconds, signal).catch((thrown: unknown) => {
    const reason = thrown instanceof AppError ? String(thrown.facts['reason']) : ''
    throw isOfChange(reason) ? fail({ reason, mayPass: true }, thrown) : thrown
  })

  const reader = new DumpReader()
  try {
    const open = (stop: AbortSignal): AsyncIterable<Uint8Array> =>
      context.host.stream({ ...dumpCall(dumper, address, database, inspection), isPassedOn: true }, stop)
    const onSilence = (times: number): Promise<Error | undefined> =>
      whyIsItSilent(connection, times, lockTimeoutSeconds)
    for await (const piece of withPatience(open, onSilence, lockTimeoutSeconds * 1000, signal)) {
      reader.push(piece)
      yield piece
    }
  } catch (thrown) {
    const reason = reasonOf(thrown, scene)
    if (reason === undefined) throw thrown
    const error = meaningOf(reason, scene, inspection.server.account) ?? fail({ reason, mayPass: false }, thrown)
    if (isOfChange(reason)) passing.add(error)
    throw error
  }
  const summary = reader.end()
  const fault = findFault(inspection, summary) ?? (await findLostRows(connection, filled, summary, signal))
  if (fault) throw fail(fault)
  for (const finding of findingsOf(database, inspection, dumper, summary)) context.report(finding)
  context.record({
    path: rawPathOf(scene.at),
    kind: 'mysql',
    rows: Object.fromEntries(summary.rows),
    facts: factsOf(inspection, dumper, summary),
  })
}

/** A table that had rows before the dump and has some after it, but none in it. */
async function findLostRows(
  connection: Connection,
  filled: ReadonlySet<string>,
  { rows }: DumpSummary,
  signal?: AbortSignal,
): Promise<Fault | undefined> {
  const empty = [...filled].filter((name) => rows.get(name) === 0)
  if (empty.length === 0) return undefined
  // A server that cannot be asked leaves it open whether the rows were there, and then the dump is not trusted.
  const [lost] = await filledTables(connection, empty, 10, signal).catch(() => new Set(empty))
  return lost === undefined ? undefined : { reason: `it lacks the rows of table ${lost}`, mayPass: true }
}

/** @returns the error with which the dump ends; undefined when it shall be waited for. */
async function whyIsItSilent(connection: Connection, times: number, seconds: number): Promise<Error | undefined> {
  const { database } = connection
  const threads = await ask({ ...connection, database: '' }, ['show full processlist'])
  const waiting = threads.find(
    ([, , , itsDatabase, , time, state = '']) =>
      itsDatabase === database && Number(time) >= seconds - 1 && /^Waiting for .*lock/i.test(state),
  )
  const waited = seconds * times
  if (waiting) return mysqlError('source.lock-held', { database, seconds: waited, reason: waiting[6]! })
  if (times < silencesBorne) return undefined
  const reason = `the server has sent nothing for ${waited} seconds`
  return sourceError('source.dump-incomplete', { database, reason })
}
