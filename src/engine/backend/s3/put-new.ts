import { backendError } from '../errors.ts'
import type { S3Connection } from './connection.ts'
import type { ObjectLock } from './options.ts'
import { lockMissing, modeOf, wholeSeconds } from './retention.ts'
import { answerOf } from './translate.ts'
import { Upload } from './upload.ts'
import { versionsOf, type Version } from './versions.ts'
import { Watch } from './watch.ts'

/** A file that is to be made. */
export interface NewFile {
  readonly key: string
  /** For messages. */
  readonly file: string
  readonly lock: ObjectLock | undefined
  /** Whether the bucket keeps what is put over. */
  readonly hasVersions: boolean
}

/**
 * Puts a file under a name that nobody has taken; of several at once one succeeds.
 *
 * Servers that know `If-None-Match: *` see to that themselves. Some ignore it, at least where there are versions (Ceph
 * 16), so that besides it is looked before, and where there are versions also afterwards: the oldest one wins. Where a
 * server without versions ignores it too, two savers within the same moment both succeed; that is harmless, because a
 * name is the hash of the content and both have put the same bytes. The config is put once in the life of a repository.
 *
 * @returns the version that was made, undefined where there are none.
 * @throws `backend.conflict`, and whatever a put may throw.
 */
export async function putNew(
  connection: S3Connection,
  target: NewFile,
  body: Uint8Array,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const before = await requireFree(connection, target, signal)
  const version = await put(connection, target, body, signal)
  if (!target.hasVersions || version === undefined) return version
  // no signal, because the file is there and an error would say that it is not
  const after = await versionsOf(connection, target.key, purposeOf(target))
  const rivals = after.filter(({ id, isMarker }) => !isMarker && !before.has(id))
  if (rivals.findIndex(({ id }) => id === version) <= 0) return version
  await forgetOwn(connection, target, version)
  throw conflict(connection, target)
}

/** @returns the versions that are there and do not count: they were removed. */
async function requireFree(
  connection: S3Connection,
  target: NewFile,
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const purpose = purposeOf(target)
  if (!target.hasVersions) {
    const request = { Bucket: connection.bucket, Key: target.key }
    const isTaken = await connection.ask(
      purpose,
      async (s3, abortSignal) => {
        try {
          await s3.headObject(request, { abortSignal })
          return true
        } catch (thrown) {
          if (answerOf(thrown)?.status === 404) return false
          throw thrown
        }
      },
      signal,
    )
    if (isTaken) throw conflict(connection, target)
    return new Set()
  }
  const versions = await versionsOf(connection, target.key, purpose, signal)
  // because what is locked is there, whatever hides it
  const counts = (version: Version): boolean => !version.isMarker && (version.isCurrent || target.lock !== undefined)
  if (versions.some(counts)) throw conflict(connection, target)
  return new Set(versions.map(({ id }) => id))
}

/** What a server that refuses `If-None-Match` with a put has answered. */
const unknownHeader = Symbol('unknown header')

async function put(
  connection: S3Connection,
  target: NewFile,
  body: Uint8Array,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const isConditional = connection.bearsConditions
  const stop = new AbortController()
  using watch = new Watch(connection.stallMs, stop.signal)
  const upload = new Upload(body, () => watch.touch())
  const abort = (): void => {
    // because once the server may have all of it, only its answer tells whether the file is there
    if (!upload.mayBeThere) stop.abort(signal?.reason)
  }
  signal?.throwIfAborted()
  signal?.addEventListener('abort', abort, { once: true })
  const { lock } = target
  const request = {
    Bucket: connection.bucket,
    Key: target.key,
    Body: upload.stream,
    ContentLength: upload.size,
    ContentMD5: upload.md5,
    ContentType: 'application/octet-stream',
    ...(isConditional && { IfNoneMatch: '*' }),
    ...(lock && { ObjectLockMode: modeOf(lock), ObjectLockRetainUntilDate: wholeSeconds(lock.until) }),
  }
  try {
    const version = await connection.askWatched(
      purposeOf(target),
      watch,
      async (s3, abortSignal) => {
        try {
          return (await s3.putObject(request, { abortSignal })).VersionId
        } catch (thrown) {
          const { name } = answerOf(thrown) ?? {}
          if (name === 'InvalidRequest' && lock) {
            throw lockMissing(connection, 'the bucket', 'it was made without Object Lock', new Error(name))
          }
          if (name !== 'NotImplemented' || !isConditional) throw thrown
          return unknownHeader
        }
      },
      stop.signal,
    )
    if (version !== unknownHeader) return version
    connection.bearsConditions = false
    return await put(connection, target, body, signal)
  } finally {
    signal?.removeEventListener('abort', abort)
    upload.stream.destroy()
  }
}

/** Takes the version away that came too late; a lock, or keys that may not, keep it, which costs room and no more. */
async function forgetOwn(connection: S3Connection, target: NewFile, version: string): Promise<void> {
  if (target.lock) return
  const request = { Bucket: connection.bucket, Key: target.key, VersionId: version }
  try {
    await connection.ask(purposeOf(target), (s3, abortSignal) => s3.deleteObject(request, { abortSignal }))
  } catch {
    // because the conflict is the news, and the bytes of both are the same
  }
}

function conflict(connection: S3Connection, { file }: NewFile): Error {
  return backendError('backend.conflict', { file, place: connection.place })
}

function purposeOf({ file }: NewFile): { readonly verb: 'save'; readonly file: string } {
  return { verb: 'save', file }
}
