import { randomHex, textOf } from '#base'
import type { Host } from '../host/host.ts'
import { localHost } from '../host/local-host.ts'
import { placeOf } from '../placement.ts'
import { rawPathOf, shownPath, type RawPath } from '../raw-path.ts'
import { listed, type DumpContext, type SourceType } from '../source.ts'
import { beginReading, isBusy, openInUse } from './connection.ts'
import { removeCopy, type CopyOutcome } from './copy.ts'
import type { CopyAnswer, CopyOrder } from './copy-thread.ts'
import { fetchDatabase } from './fetch.ts'
import { sideFiles, sideSize } from './inspect.ts'
import { runThread } from './run-thread.ts'

export interface SqliteOptions {
  /** The project's folder, absolute. */
  readonly path: string
  /** Absolute. */
  readonly databases: readonly RawPath[]
}

/** How long the first look may wait for a lock: whoever holds one proves that the database can be opened. */
const probePatienceMs = 100

/** SQLite databases, each as it is at one moment between two transactions, at its own place with its own metadata. */
export const sqliteSource: SourceType<SqliteOptions> = {
  describe: ({ databases }) => ({
    takes: listed(databases, (path) => `SQLite database ${path}, copied between two transactions`),
    leavesOut:
      databases.length === 0 ? [] : ['-wal, -shm and -journal files of these databases: the copy holds what they hold'],
  }),

  async *dump({ path, databases }, context) {
    for (const database of databases) {
      // Over there it is fetched as it lies, and opened here.
      const isElsewhere = context.host.kind === 'ssh'
      const reason = isElsewhere ? undefined : await whyNotOpened(database)
      if (reason !== undefined) {
        const text = `It could not be opened as a SQLite database and is taken as a plain file: ${reason}`
        context.report({ subject: shownPath(database), severity: 'warning', text })
        continue
      }
      const place = placeOf(rawPathOf(path), database)
      let isCopied = true
      const onFailure = (): void => void (isCopied = false)
      yield {
        kind: 'replace',
        path: database,
        content: { kind: 'stream', open: (signal) => streamDatabase(database, place, context, onFailure, signal) },
      }
      // The archive comes to these after the database, because their names begin with its name.
      for (const side of sideFiles) yield { kind: 'omit', path: database + side, unless: () => !isCopied }
    }
  },
}

/** Asked of a database in use only: opening another one could make files beside it, and its copy tells as much. */
async function whyNotOpened(database: RawPath): Promise<string | undefined> {
  if (sideSize(database, '-shm') === undefined) return undefined
  try {
    using source = openInUse(database)
    await beginReading(source, probePatienceMs)
    return undefined
  } catch (thrown) {
    return isBusy(thrown) ? undefined : textOf(thrown)
  }
}

async function* streamDatabase(
  database: RawPath,
  place: RawPath,
  context: DumpContext,
  onFailure: () => void,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const copy = rawPathOf(`${context.temporaryFolder}/${randomHex(8)}.sqlite`)
  const subject = shownPath(database)
  try {
    const answer = await copyOf(database, copy, context.host, signal)
    if ('failed' in answer) {
      const text = `It could not be copied consistently, so its bytes were taken as they lay: ${answer.failed}`
      onFailure() // because what its log holds is nowhere else
      context.report({ subject, severity: 'warning', text })
      yield* context.host.read(database, signal)
      return
    }
    const { complaints } = answer.outcome
    if (complaints.length > 0) {
      const text = `SQLite finds damage in it, and it is kept as it is: ${complaints.join('; ')}`
      context.report({ subject, severity: 'damage', text })
    }
    context.record({ path: place, kind: 'sqlite', rows: answer.outcome.rows, facts: factsOf(answer.outcome) })
    yield* localHost(context.temporaryFolder).read(copy, signal)
  } finally {
    removeCopy(copy)
  }
}

async function copyOf(database: RawPath, copy: RawPath, host: Host, signal?: AbortSignal): Promise<CopyAnswer> {
  if (host.kind !== 'ssh') return copyInThread({ database, copy }, signal)
  const fetched = `${copy}.fetched`
  try {
    await fetchDatabase(host, database, fetched, signal)
    return await copyInThread({ database: fetched, copy }, signal)
  } catch (thrown) {
    signal?.throwIfAborted()
    return { failed: textOf(thrown) }
  } finally {
    removeCopy(fetched)
  }
}

function factsOf({ how, writersWaitedMs, rows }: CopyOutcome): Record<string, string | number> {
  return { sqlite: process.versions.sqlite!, copied: how, writersWaitedMs, tables: Object.keys(rows).length }
}

function copyInThread(order: CopyOrder, signal?: AbortSignal): Promise<CopyAnswer> {
  return runThread(new URL(import.meta.resolve('./copy-thread.ts')), order, signal)
}
