import type { Readable } from 'node:stream'

import { AppError, collect, randomHex, systemClock } from '#base'
import { probeBodies, probeRepository, weakest, weakestOf, type Attempt, type Attempts, type Probe } from '../probe.ts'
import { findVersioning } from './bucket.ts'
import { connect, type S3Connection } from './connection.ts'
import { folderOfPrefix, type ObjectLock, type S3Options } from './options.ts'
import { findRetention, modeOf, wholeSeconds, type Retention } from './retention.ts'
import { answerOf } from './translate.ts'
import { Upload } from './upload.ts'
import { listVersions } from './versions.ts'

/** How long a probe is locked: long enough to see that it holds, and no longer than it takes until the next one. */
const lockMs = 24 * 60 * 60 * 1000
/** Old probes that are looked at, at the most: they cost nothing, and each question does. */
const mostSwept = 200
/** Subfolders of a repository in which files lie that must stay. */
const folders = ['', 'keys/', 'snapshots/', 'index/', 'data/00/']

/**
 * Finds out what keys can do to the files of a vault in a bucket, by probes in a folder of their own that is laid out as a
 * repository: rights in S3 go by the beginning of names.
 *
 * With `objectLock` each probe is locked for a day, and lifting that is tried too, the right to bypass it among it; where
 * the bucket locks by itself, what it gives is seen. What could not be removed is removed by a later probe, when it can be.
 *
 * @param options - the prefix is the vault's; of the lock, the mode counts.
 * @throws errors as `openS3`; `backend.denied` when nothing can be stored there.
 */
export async function probeS3(
  options: Omit<S3Options, 'objectLock'>,
  mode: ObjectLock['mode'] | undefined,
  signal?: AbortSignal,
): Promise<Probe> {
  using connection = await connect({ ...options, prefix: `${folderOfPrefix(options.prefix)}${probeRepository}` })
  const hasVersions = (await findVersioning(connection, signal)) !== 'Never'
  if (hasVersions) await removeAll(connection, signal)
  const found: Tried[] = []
  for (const folder of folders) {
    const key = `${connection.folder}${folder}${randomHex(32)}`
    found.push(await tryObject(connection, key, mode, hasVersions, signal))
  }
  const left = hasVersions ? await removeAll(connection, signal) : found.filter(({ isLeft }) => isLeft).length
  const locks = found.flatMap(({ lock }) => lock ?? [])
  const weakestLock = locks.toSorted((a, b) => firmness(a) - firmness(b) || a.untilMs - b.untilMs)[0]
  return { ...weakestOf(found), ...(locks.length === found.length && weakestLock && { lock: weakestLock }), left }
}

type Tried = Attempts & { readonly lock?: Retention; readonly isLeft: boolean }

function firmness({ mode }: Retention): number {
  return mode === 'compliance' ? 1 : 0
}

async function tryObject(
  connection: S3Connection,
  key: string,
  mode: ObjectLock['mode'] | undefined,
  hasVersions: boolean,
  signal?: AbortSignal,
): Promise<Tried> {
  const [first, other] = probeBodies
  const version = await put(connection, key, first, { isNew: true, mode }, signal)
  const object: ProbedObject = { connection, key, version }
  const lock = hasVersions ? await findLock(object, signal) : undefined
  const overwrites = await attempt(
    () => put(connection, key, other, { isNew: false, mode: undefined }, signal),
    async () => Buffer.compare((await read(object, signal)) ?? first, first) !== 0,
  )
  const lifts = lock && (await tryToLift(object, lock, signal))
  const deletes = await attempt(
    () => remove(object, lock?.mode === 'governance', signal),
    async () => (await read(object, signal)) === undefined,
  )
  const holds = lock !== undefined && lifts === 'refused' && deletes === 'refused'
  return {
    overwrites,
    truncates: 'impossible',
    // because a lock that can be lifted is no lock
    deletes: lifts === undefined ? deletes : weakest([deletes, lifts]),
    ...(holds && { lock }),
    isLeft: deletes !== 'allowed',
  }
}

interface ProbedObject {
  readonly connection: S3Connection
  readonly key: string
  /** What was made first; undefined where there are no versions. */
  readonly version: string | undefined
}

interface PutOptions {
  readonly isNew: boolean
  readonly mode: ObjectLock['mode'] | undefined
}

/** Puts it as files of a repository are put. @returns the version. */
async function put(
  connection: S3Connection,
  key: string,
  body: Uint8Array,
  { isNew, mode }: PutOptions,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const until = Temporal.Instant.fromEpochMilliseconds(systemClock.now() + lockMs)
  const upload = new Upload(body, () => {})
  const isConditional = isNew && connection.bearsConditions
  const request = {
    Bucket: connection.bucket,
    Key: key,
    Body: upload.stream,
    ContentLength: upload.size,
    ContentMD5: upload.md5,
    ContentType: 'application/octet-stream',
    ...(isConditional && { IfNoneMatch: '*' }),
    ...(mode && { ObjectLockMode: modeOf({ mode, until }), ObjectLockRetainUntilDate: wholeSeconds(until) }),
  }
  const answer = await connection.ask(
    { verb: 'save', file: 'a probe' },
    async (s3, abortSignal) => {
      try {
        return { version: (await s3.putObject(request, { abortSignal })).VersionId }
      } catch (thrown) {
        const { name } = answerOf(thrown) ?? {}
        // because a bucket that was made without Object Lock says so, and then nothing in it is locked
        if (mode && name === 'InvalidRequest') return { isNew, mode: undefined }
        if (!isConditional || name !== 'NotImplemented') throw thrown
        connection.bearsConditions = false
        return { isNew, mode }
      } finally {
        upload.stream.destroy()
      }
    },
    signal,
  )
  return 'version' in answer ? answer.version : await put(connection, key, body, answer, signal)
}

/** Undefined when it is not there. */
async function read({ connection, key, version }: ProbedObject, signal?: AbortSignal): Promise<Buffer | undefined> {
  const request = { Bucket: connection.bucket, Key: key, VersionId: version }
  try {
    return await connection.ask(
      { verb: 'load', file: 'a probe' },
      async (s3, abortSignal) => {
        const { Body } = await s3.getObject(request, { abortSignal })
        return Buffer.from(await collect(Body as Readable))
      },
      signal,
    )
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'backend.missing') return undefined
    throw thrown
  }
}

async function findLock({ connection, key, version }: ProbedObject, signal?: AbortSignal) {
  try {
    return await findRetention(connection, { key, version, file: 'a probe' }, signal)
  } catch (thrown) {
    // because a lock that may not be looked at was not seen
    if (thrown instanceof AppError && thrown.kind === 'denied') return undefined
    throw thrown
  }
}

/** Tries to let the lock end an hour earlier, with the right to bypass it where there is one. */
function tryToLift(object: ProbedObject, lock: Retention, signal?: AbortSignal): Promise<Attempt> {
  const { connection, key, version } = object
  const until = new Date(lock.untilMs - lockMs / 24)
  const request = {
    Bucket: connection.bucket,
    Key: key,
    VersionId: version,
    Retention: { Mode: lock.mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE', RetainUntilDate: until },
    ...(lock.mode === 'governance' && { BypassGovernanceRetention: true }),
  } as const
  return attempt(
    () =>
      connection.ask(
        { verb: 'lock', file: 'a probe' },
        (s3, abortSignal) => s3.putObjectRetention(request, { abortSignal }),
        signal,
      ),
    async () => ((await findLock(object, signal))?.untilMs ?? 0) < lock.untilMs,
  )
}

async function remove({ connection, key, version }: ProbedObject, bypasses: boolean, signal?: AbortSignal) {
  const bypass = bypasses && { BypassGovernanceRetention: true }
  const request = { Bucket: connection.bucket, Key: key, VersionId: version, ...bypass }
  await connection.ask(
    { verb: 'remove', file: 'a probe' },
    (s3, abortSignal) => s3.deleteObject(request, { abortSignal }),
    signal,
  )
}

/** What is refused is what changed nothing: servers say yes to a deletion that only hides. */
async function attempt(work: () => Promise<unknown>, hasChanged: () => Promise<boolean>): Promise<Attempt> {
  try {
    await work()
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    if (thrown.kind !== 'denied' && thrown.kind !== 'conflict') return 'unclear'
  }
  return (await hasChanged()) ? 'allowed' : 'refused'
}

/** Removes all probes that can be removed, those of earlier times too. @returns how many remain. */
async function removeAll(connection: S3Connection, signal?: AbortSignal): Promise<number> {
  let left = 0
  const purpose = { verb: 'list', file: 'the probes' } as const
  const versions = await Array.fromAsync(listVersions(connection, connection.folder, purpose, signal))
  for (const [index, { key, id, isMarker }] of versions.entries()) {
    try {
      if (index >= mostSwept) throw new RangeError('too many')
      await remove({ connection, key, version: id }, false, signal)
    } catch {
      signal?.throwIfAborted()
      if (!isMarker) left++ // because it stays until it may go; the next probe tries again
    }
  }
  return left
}
