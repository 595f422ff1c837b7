import { AppError, systemClock } from '#base'
import { backendError } from '../errors.ts'
import type { S3Connection } from './connection.ts'
import { isHeld } from './hold.ts'
import { describeRetention, findRetention } from './retention.ts'
import { versionsOf, type Version } from './versions.ts'

/** A file that is to go. */
export interface Doomed {
  readonly key: string
  /** For messages. */
  readonly file: string
  /** Whether it counts as removed when a delete marker hides it. */
  readonly mayHide: boolean
}

/** Removes a file from a bucket without versions. @throws `backend.missing`. */
export async function removeFile(connection: S3Connection, target: Doomed, signal?: AbortSignal): Promise<void> {
  const request = { Bucket: connection.bucket, Key: target.key }
  const purpose = { verb: 'remove', file: target.file } as const
  // because deleting what is not there succeeds
  await connection.ask(purpose, (s3, abortSignal) => s3.headObject(request, { abortSignal }), signal)
  await connection.ask(purpose, (s3, abortSignal) => s3.deleteObject(request, { abortSignal }), signal)
}

/**
 * Removes all versions of a file and its delete markers, so that nothing piles up that is paid for and never read.
 *
 * The oldest goes first: when it is locked nothing has been touched. Where the keys may not delete versions, the file is
 * hidden by a delete marker, and a rule of the bucket lets the versions expire.
 *
 * @param target - `isLock` for a lock of restic, which is hidden even when the bucket locks whatever it gets.
 * @throws `backend.missing`; `backend.denied` with the date when the file is locked.
 */
export async function removeVersions(
  connection: S3Connection,
  target: Doomed & { readonly isLock: boolean },
  signal?: AbortSignal,
): Promise<void> {
  const purpose = { verb: 'remove', file: target.file } as const
  const versions = await versionsOf(connection, target.key, purpose, signal)
  const isThere = versions.some(({ isMarker, isCurrent }) => !isMarker && (isCurrent || !target.mayHide))
  if (!isThere) throw backendError('backend.missing', { file: target.file, place: connection.place })
  for (const version of versions) {
    try {
      await deleteVersion(connection, target, version.id, signal)
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.kind !== 'denied') throw thrown
      const reason = target.isLock ? undefined : await whyKept(connection, target, version, signal)
      if (reason !== undefined) {
        const facts = { place: connection.place, verb: 'remove', file: target.file }
        throw backendError('backend.denied', { ...facts, reason }, thrown)
      }
      if (!target.mayHide) throw thrown
      return await deleteVersion(connection, target, undefined, signal)
    }
  }
}

/** Without a version the server puts a delete marker over the file. */
async function deleteVersion(
  connection: S3Connection,
  { key, file }: Doomed,
  version: string | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const request = { Bucket: connection.bucket, Key: key, VersionId: version }
  await connection.ask({ verb: 'remove', file }, (s3, abortSignal) => s3.deleteObject(request, { abortSignal }), signal)
}

/** What keeps a version, as far as these keys may know. */
async function whyKept(
  connection: S3Connection,
  { key, file }: Doomed,
  { id, isMarker }: Version,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (isMarker) return undefined
  const target = { key, version: id, file }
  const retention = await unlessDenied(findRetention(connection, target, signal))
  if (retention && retention.untilMs > systemClock.now()) return describeRetention(retention)
  return (await unlessDenied(isHeld(connection, target, signal))) ? 'it is under a legal hold' : undefined
}

async function unlessDenied<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.kind === 'denied') return undefined
    throw thrown
  }
}
