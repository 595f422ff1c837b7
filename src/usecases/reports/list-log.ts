import type { Catalog } from '#catalog'
import type { CopyRecord, LogEntry, LogKind, RestoreRecord, Run, VerificationRecord } from '#model'

export interface LogRequest {
  readonly project?: string
  /** Default: all. */
  readonly kinds?: readonly LogKind[]
  /** Only what was logged then or later: milliseconds since 1970, UTC. */
  readonly since?: number
  /** Only what was logged in the last so many milliseconds. */
  readonly withinMs?: number
  /** How many of the latest entries. Default: all. */
  readonly limit?: number
}

/** An entry of the log, and what is on record of what it tells. */
export interface LogLine extends LogEntry {
  readonly record?: LogRecord
}

/** What was done, for people who have to show it. Sizes in bytes. */
export interface LogRecord {
  readonly result: Run['status'] | VerificationRecord['status']
  /** Where it was written to, read from or, of a verification, looked at. */
  readonly vault: string
  /** Of a copy: the vault that it came from. */
  readonly from?: string
  /** Of a restore: the folder that was written to. */
  readonly target?: string
  /** Full id. */
  readonly snapshot?: string
  /** Of a backup all that it holds, if that is known; of a copy what was added; of others what was read or written. */
  readonly bytes?: number
  readonly seconds: number
  /** `user@host`; absent of a copy: it belongs to a run, or to who asked for that. */
  readonly who?: string
  /** Of a backup: SHA-256 of each body of data, by its path. */
  readonly sha256?: Readonly<Record<string, string>>
}

/** What takes longer is not found on record; the entry itself is shown all the same. */
const longestMs = 3 * 24 * 60 * 60 * 1000

/** The latest entries that fit, oldest first. */
export async function listLog(catalog: Catalog, request: LogRequest, now: number): Promise<LogLine[]> {
  const { withinMs, ...query } = request
  const entries = await catalog.log.latest({ ...query, ...(withinMs !== undefined && { since: now - withinMs }) })
  if (entries.length === 0) return []
  const times = entries.map(({ time }) => time)
  const about = {
    ...(request.project !== undefined && { project: request.project }),
    since: times.reduce((earliest, time) => Math.min(earliest, time)) - longestMs,
    until: times.reduce((latest, time) => Math.max(latest, time)),
  }
  const has = (kind: LogKind): boolean => entries.some((entry) => entry.kind === kind)
  const records = new Map<string, LogRecord>()
  // because an entry is written with the moment at which the record of it ended
  const remember = (kind: LogKind, project: string, endedAt: number | undefined, record: LogRecord): void => {
    if (endedAt !== undefined) records.set(keyOf(kind, project, endedAt), record)
  }
  if (has('backup')) {
    for (const run of await catalog.runs.list(about)) {
      if (entries.some(({ kind, time }) => kind === 'backup' && time === run.endedAt))
        remember('backup', run.project, run.endedAt, await recordOfRun(catalog, run))
    }
  }
  if (has('copy')) {
    for (const copy of await catalog.copies.list(about))
      remember('copy', copy.project, copy.endedAt, recordOfCopy(copy))
  }
  if (has('verify')) {
    for (const one of await catalog.verifications.list(about))
      remember('verify', one.project, one.endedAt, recordOfVerification(one))
  }
  if (has('restore')) {
    const { project } = request
    for (const restore of await catalog.restores.list(project === undefined ? {} : { project }))
      remember('restore', restore.project, restore.endedAt, recordOfRestore(restore))
  }
  return entries.map((entry) => {
    const record = records.get(keyOf(entry.kind, entry.project ?? '', entry.time))
    return record ? { ...entry, record } : entry
  })
}

function keyOf(kind: LogKind, project: string, endedAt: number): string {
  return `${kind} ${project} ${endedAt}`
}

async function recordOfRun({ runs, snapshots }: Catalog, run: Run): Promise<LogRecord> {
  const { id, project, vault, snapshot, status, who } = run
  const known = snapshot === undefined ? undefined : await snapshots.find({ vault, project, id: snapshot })
  const hashes = (await runs.artifacts(id)).flatMap(({ path, sha256 }) =>
    sha256 === undefined ? [] : [[path, sha256]],
  )
  return {
    result: status,
    vault,
    ...(snapshot !== undefined && { snapshot }),
    ...(known && { bytes: known.bytes }),
    seconds: secondsOf(run),
    who,
    ...(hashes.length > 0 && { sha256: Object.fromEntries(hashes) as Record<string, string> }),
  }
}

function recordOfCopy(copy: CopyRecord): LogRecord {
  const { status, to, from, bytesAdded } = copy
  return { result: status, vault: to, from, bytes: bytesAdded, seconds: secondsOf(copy) }
}

function recordOfVerification(verification: VerificationRecord): LogRecord {
  const { status, vault, bytesRead, who } = verification
  return { result: status, vault, bytes: bytesRead, seconds: secondsOf(verification), who }
}

function recordOfRestore(restore: RestoreRecord): LogRecord {
  const { status, vault, target, snapshot, bytes, who } = restore
  return { result: status, vault, target, snapshot, bytes, seconds: secondsOf(restore), who }
}

function secondsOf({ startedAt, endedAt }: { readonly startedAt: number; readonly endedAt?: number }): number {
  return endedAt === undefined ? 0 : Math.max(0, endedAt - startedAt) / 1000
}
