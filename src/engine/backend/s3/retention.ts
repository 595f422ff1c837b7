import type { AppError } from '#base'
import { s3Error } from './errors.ts'
import type { S3Connection } from './connection.ts'
import type { ObjectLock } from './options.ts'
import { answerOf, translate } from './translate.ts'

/** One version of one file, as retention is asked for and set. */
export interface LockedFile {
  readonly key: string
  /** Undefined: the current version. */
  readonly version: string | undefined
  /** For messages. */
  readonly file: string
}

/** What locks a version now. */
export interface Retention {
  readonly mode: ObjectLock['mode']
  readonly untilMs: number
}

/** Some servers keep whole seconds only, so a date is rounded up: a lock may last longer, never shorter. */
export function wholeSeconds(until: Temporal.Instant): Date {
  return new Date(Math.ceil(until.epochMilliseconds / 1000) * 1000)
}

/** Undefined when the version has no retention, or its time is over on the server's side and was cleared. */
export async function findRetention(
  connection: S3Connection,
  { key, version, file }: LockedFile,
  signal?: AbortSignal,
): Promise<Retention | undefined> {
  const request = { Bucket: connection.bucket, Key: key, VersionId: version }
  const purpose = { verb: 'lock', file } as const
  const answer = await connection.ask(
    purpose,
    async (s3, abortSignal) => {
      try {
        return (await s3.getObjectRetention(request, { abortSignal })).Retention
      } catch (thrown) {
        if (saysUnlocked(thrown)) return undefined
        throw thrown
      }
    },
    signal,
  )
  if (answer?.RetainUntilDate === undefined) return undefined
  const mode = answer.Mode === 'COMPLIANCE' ? 'compliance' : 'governance'
  return { mode, untilMs: answer.RetainUntilDate.getTime() }
}

/**
 * Sees that a version is locked at least as long as it should be, and sets what is missing: servers have been seen to
 * take the headers of a lock and to forget them.
 *
 * @param mayStayWeaker - bears governance where compliance is wanted: only who may bypass a lock could change its mode.
 * @returns whether anything had to be set.
 * @throws `backend.lock-missing` when it cannot be had.
 */
export async function ensureLocked(
  connection: S3Connection,
  target: LockedFile,
  wanted: ObjectLock,
  mayStayWeaker: boolean,
  signal?: AbortSignal,
): Promise<boolean> {
  const before = await findRetention(connection, target, signal)
  const bearable = before && mayStayWeaker ? { ...wanted, mode: before.mode } : wanted
  if (isEnough(before, bearable)) return false
  await setRetention(connection, target, stronger(before, bearable), signal)
  const after = await findRetention(connection, target, signal)
  if (isEnough(after, bearable)) return true
  const found = after ? `${after.mode} until ${dateOf(after.untilMs)}` : 'no lock at all'
  throw lockMissing(connection, target.file, `the server keeps ${found}, whatever is asked of it`)
}

/** Says until when a file is locked: `2026-12-31T00:00:00Z`. */
export function describeRetention({ mode, untilMs }: Retention): string {
  return `it is locked until ${dateOf(untilMs)} (${mode})`
}

export function lockMissing(connection: S3Connection, file: string, reason: string, cause?: unknown): AppError {
  return s3Error('backend.lock-missing', { file, place: connection.place, reason }, cause)
}

async function setRetention(
  connection: S3Connection,
  { key, version, file }: LockedFile,
  lock: ObjectLock,
  signal?: AbortSignal,
): Promise<void> {
  const Retention = { Mode: modeOf(lock), RetainUntilDate: wholeSeconds(lock.until) }
  const request = { Bucket: connection.bucket, Key: key, VersionId: version, Retention }
  const purpose = { verb: 'lock', file } as const
  await connection.ask(
    purpose,
    async (s3, abortSignal) => {
      try {
        await s3.putObjectRetention(request, { abortSignal })
      } catch (thrown) {
        const error = translate(thrown, connection.subject(purpose))
        if (error.kind !== 'denied') throw thrown
        throw lockMissing(connection, file, String(error.facts['reason']), error)
      }
    },
    signal,
  )
}

export function modeOf({ mode }: ObjectLock): 'COMPLIANCE' | 'GOVERNANCE' {
  return mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE'
}

function isEnough(found: Retention | undefined, { mode, until }: ObjectLock): boolean {
  if (found === undefined || (mode === 'compliance' && found.mode !== 'compliance')) return false
  return found.untilMs >= wholeSeconds(until).getTime()
}

/** The firmer mode and the later date of the two, because a lock is never made weaker. */
function stronger(found: Retention | undefined, wanted: ObjectLock): ObjectLock {
  if (found === undefined) return wanted
  const mode = found.mode === 'compliance' ? 'compliance' : wanted.mode
  const untilMs = Math.max(found.untilMs, wanted.until.epochMilliseconds)
  return { mode, until: Temporal.Instant.fromEpochMilliseconds(untilMs) }
}

/** Servers name a version without retention in different ways; this is what AWS, Ceph and MinIO say. */
export function saysUnlocked(thrown: unknown): boolean {
  const answer = answerOf(thrown)
  if (answer === undefined) return false
  return (
    ['NoSuchObjectLockConfiguration', 'ObjectLockConfigurationNotFoundError'].includes(answer.name) ||
    (answer.name === 'InvalidRequest' && answer.status === 400)
  )
}

function dateOf(untilMs: number): string {
  return Temporal.Instant.fromEpochMilliseconds(untilMs).toString({ smallestUnit: 'second' })
}
