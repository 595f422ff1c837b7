import type { Readable } from 'node:stream'

import { AppError, mapInOrder } from '#base'
import { backendError } from '../errors.ts'
import { checkRequest, describeFile, isFileName, rangeWithin } from '../file-ref.ts'
import { baseNameOf, folderOf, folders } from '../layout.ts'
import type { ByteRange, FileRef, FileStat, FileType } from '../backend.ts'
import { findVersioning, listCurrent, requireObjectLock } from './bucket.ts'
import { connect, type S3Connection } from './connection.ts'
import { ensureHold, isHeld } from './hold.ts'
import type { ObjectLock, S3Options } from './options.ts'
import { putNew } from './put-new.ts'
import { removeFile, removeVersions } from './remove.ts'
import type { S3Backend } from './s3-backend.ts'
import { ensureLocked, findRetention, lockMissing, type LockedFile, type Retention } from './retention.ts'
import { listOldest, measureUsage, versionsOf, type S3Usage } from './versions.ts'
import { Watch } from './watch.ts'

/** Oldest versions that are remembered, so that nobody asks twice for them: about 300 bytes each. */
const versionsRemembered = 100_000

/**
 * Opens the files of a repository in a bucket, which need not hold any yet. The layout is that of restic.
 *
 * In a bucket with versions a file is removed with all its versions where that is allowed, else hidden by a delete marker.
 * With `objectLock` the oldest version of a file is its only true one, whatever was put over it or hides it.
 *
 * @throws `backend.place-missing` when there is no such bucket; `backend.denied`, `backend.unavailable`;
 * `backend.lock-missing` when files are to be locked and the bucket keeps no versions.
 */
export async function openS3(options: S3Options, signal?: AbortSignal): Promise<S3Backend> {
  const connection = await connect(options)
  try {
    const versioning = await findVersioning(connection, signal)
    if (options.objectLock && versioning !== undefined && versioning !== 'Enabled') {
      throw lockMissing(connection, 'the bucket', 'it keeps no versions, so nothing can be locked')
    }
    const hasVersions = versioning === undefined ? options.objectLock !== undefined : versioning !== 'Never'
    return new S3Files(connection, options, hasVersions)
  } catch (thrown) {
    connection[Symbol.dispose]()
    throw thrown
  }
}

/**
 * The same for a repository that is about to be made. There are no folders to make, and the bucket is the operator's: who
 * may make buckets may do more than a backup should. With `objectLock` it is seen that the bucket was made for that.
 *
 * @throws as {@link openS3}.
 */
export async function createS3(options: S3Options, signal?: AbortSignal): Promise<S3Backend> {
  if (options.objectLock) {
    using connection = await connect(options)
    await requireObjectLock(connection, signal)
  }
  return await openS3(options, signal)
}

class S3Files implements S3Backend {
  readonly place: string
  readonly connections: number
  readonly #connection: S3Connection
  readonly #hasVersions: boolean
  readonly #lock: ObjectLock | undefined
  readonly #oldest = new Map<string, string>()

  constructor(connection: S3Connection, options: S3Options, hasVersions: boolean) {
    this.#connection = connection
    this.place = connection.place
    this.connections = options.connections ?? 8
    this.#lock = options.objectLock
    this.#hasVersions = hasVersions
  }

  async save(ref: FileRef, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref)
    const [key, file] = [this.#keyOf(ref), describeFile(ref)]
    const lock = this.#lockOf(ref)
    const target = { key, file, lock, hasVersions: this.#hasVersions }
    try {
      const version = await putNew(this.#connection, target, body, signal)
      // no signal from here on, because the file is there and an error would say that it is not
      if (lock) await ensureLocked(this.#connection, { key, version, file }, lock, false)
    } catch (thrown) {
      // because whoever saved it first may have been stopped before its lock was seen to hold
      if (lock && thrown instanceof AppError && thrown.code === 'backend.conflict') await this.#lockOldest(ref, lock)
      throw thrown
    }
  }

  async *load(ref: FileRef, range?: ByteRange, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref, range)
    if (range !== undefined && range.start === range.end) {
      rangeWithin(this.place, ref, await this.#sizeOf(ref, signal), range)
      return
    }
    const purpose = { verb: 'load', file: describeFile(ref) } as const
    const request = {
      Bucket: this.#connection.bucket,
      Key: this.#keyOf(ref),
      VersionId: await this.#versionToLoad(ref, signal),
      Range: range && `bytes=${range.start}-${range.end - 1}`,
    }
    using watch = new Watch(this.#connection.stallMs, signal)
    const get = this.#connection.askWatched(
      purpose,
      watch,
      (s3, abortSignal) => s3.getObject(request, { abortSignal }),
      signal,
    )
    const { Body, ContentLength, ContentRange } = await get
    const body = Body as Readable
    const cut = (): void => void body.destroy(watch.signal.reason as Error)
    watch.signal.addEventListener('abort', cut, { once: true })
    try {
      if (range) this.#requireRange(ref, range, ContentRange)
      let left = range ? range.end - range.start : (ContentLength ?? 0)
      for (const pieces = body[Symbol.asyncIterator](); ;) {
        const next = await this.#connection.askWatched(purpose, watch, () => pieces.next(), signal)
        if (next.done === true) break
        const piece = next.value as Buffer
        left -= piece.length
        watch.pause()
        yield piece
        watch.touch()
      }
      if (left !== 0) throw this.#connection.unavailable(purpose, `the answer ended ${left} bytes too early`)
    } finally {
      watch.signal.removeEventListener('abort', cut)
      body.destroy()
    }
  }

  async *list(type: FileType, signal?: AbortSignal): AsyncGenerator<FileStat, void, void> {
    signal?.throwIfAborted()
    if (type === 'config') {
      const size = await this.#findSize({ type, name: '' }, signal)
      if (size !== undefined) yield { type, name: '', size }
      return
    }
    const prefix = `${this.#connection.folder}${folders[type]}/`
    const purpose = { verb: 'list', file: prefix } as const
    const files: AsyncIterable<{ readonly key: string; readonly size: number; readonly id?: string }> =
      this.#lock && type !== 'lock'
        ? listOldest(this.#connection, prefix, purpose, signal)
        : listCurrent(this.#connection, prefix, purpose, signal)
    for await (const { key, size, id } of files) {
      const name = key.slice(key.lastIndexOf('/') + 1)
      if (!isFileName(name) || key !== this.#keyOf({ type, name })) continue
      if (id !== undefined) this.#rememberOldest(key, id)
      yield { type, name, size }
    }
    signal?.throwIfAborted()
  }

  async remove(ref: FileRef, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref)
    const target = { key: this.#keyOf(ref), file: describeFile(ref), mayHide: this.#lockOf(ref) === undefined }
    if (this.#hasVersions) await removeVersions(this.#connection, { ...target, isLock: ref.type === 'lock' }, signal)
    else await removeFile(this.#connection, target, signal)
    this.#oldest.delete(target.key)
  }

  async extend(refs: Iterable<FileRef>, until: Temporal.Instant, signal?: AbortSignal): Promise<number> {
    if (!this.#lock) throw lockMissing(this.#connection, 'what is stored', 'it was opened without Object Lock')
    const lock = { mode: this.#lock.mode, until }
    return await this.#changeEach(refs, (ref) => this.#lockOldest(ref, lock, signal))
  }

  async findLock(ref: FileRef, signal?: AbortSignal): Promise<Retention | undefined> {
    return await findRetention(this.#connection, await this.#oldestOf(ref, signal), signal)
  }

  async hold(refs: Iterable<FileRef>, on: boolean, signal?: AbortSignal): Promise<number> {
    return await this.#changeEach(refs, async (ref) =>
      ensureHold(this.#connection, await this.#oldestOf(ref, signal), on, signal),
    )
  }

  async findHold(ref: FileRef, signal?: AbortSignal): Promise<boolean> {
    return await isHeld(this.#connection, await this.#oldestOf(ref, signal), signal)
  }

  usage(signal?: AbortSignal): Promise<S3Usage> {
    return measureUsage(this.#connection, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection[Symbol.dispose]()
  }

  #keyOf(ref: FileRef): string {
    const folder = folderOf(ref)
    return `${this.#connection.folder}${folder === '' ? '' : `${folder}/`}${baseNameOf(ref)}`
  }

  /** Locks of restic come and go with each run. */
  #lockOf(ref: FileRef): ObjectLock | undefined {
    return ref.type === 'lock' ? undefined : this.#lock
  }

  /** @returns whether it had to be locked longer or more firmly. */
  async #lockOldest(ref: FileRef, lock: ObjectLock, signal?: AbortSignal): Promise<boolean> {
    return await ensureLocked(this.#connection, await this.#oldestOf(ref, signal), lock, true, signal)
  }

  async #changeEach(refs: Iterable<FileRef>, change: (ref: FileRef) => Promise<boolean>): Promise<number> {
    let changed = 0
    for await (const isChanged of mapInOrder(refs, change, this.connections)) if (isChanged) changed++
    return changed
  }

  async #oldestOf(ref: FileRef, signal?: AbortSignal): Promise<LockedFile> {
    checkRequest(this.place, ref)
    const key = this.#keyOf(ref)
    const version = this.#oldest.get(key) ?? (await this.#findOldest(ref, signal))
    return { key, version, file: describeFile(ref) }
  }

  /**
   * The oldest version, because a name stands for one content for ever: what was put over it later is somebody else's,
   * and older than ours nobody can make one.
   */
  async #versionToLoad(ref: FileRef, signal?: AbortSignal): Promise<string | undefined> {
    if (this.#lockOf(ref) === undefined) return undefined
    const key = this.#keyOf(ref)
    const known = this.#oldest.get(key)
    if (known !== undefined) return known
    const version = await this.#findOldest(ref, signal)
    this.#rememberOldest(key, version)
    return version
  }

  #rememberOldest(key: string, version: string): void {
    if (this.#oldest.size >= versionsRemembered) this.#oldest.clear()
    this.#oldest.set(key, version)
  }

  async #findOldest(ref: FileRef, signal?: AbortSignal): Promise<string> {
    const [oldest] = await this.#versionsOf(ref, signal)
    if (oldest === undefined || oldest.isMarker) throw this.#missing(ref)
    return oldest.id
  }

  #versionsOf(ref: FileRef, signal?: AbortSignal): ReturnType<typeof versionsOf> {
    return versionsOf(this.#connection, this.#keyOf(ref), { verb: 'load', file: describeFile(ref) }, signal)
  }

  async #sizeOf(ref: FileRef, signal?: AbortSignal): Promise<number> {
    const size = await this.#findSize(ref, signal)
    if (size === undefined) throw this.#missing(ref)
    return size
  }

  async #findSize(ref: FileRef, signal?: AbortSignal): Promise<number | undefined> {
    if (this.#lockOf(ref)) {
      const [oldest] = await this.#versionsOf(ref, signal)
      return oldest === undefined || oldest.isMarker ? undefined : oldest.size
    }
    const request = { Bucket: this.#connection.bucket, Key: this.#keyOf(ref) }
    try {
      const found = await this.#connection.ask(
        { verb: 'load', file: describeFile(ref) },
        (s3, abortSignal) => s3.headObject(request, { abortSignal }),
        signal,
      )
      return found.ContentLength ?? 0
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === 'backend.missing') return undefined
      throw thrown
    }
  }

  /** A server shortens a range that goes beyond the end, and one that knows no ranges gives the whole file. */
  #requireRange(ref: FileRef, range: ByteRange, answered: string | undefined): void {
    const [, start, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(answered ?? '') ?? []
    if (Number(start) !== range.start) {
      throw this.#connection.unavailable(
        { verb: 'load', file: describeFile(ref) },
        'it gave other bytes than asked for',
      )
    }
    rangeWithin(this.place, ref, Number(size), range)
  }

  #missing(ref: FileRef): AppError {
    return backendError('backend.missing', { file: describeFile(ref), place: this.place })
  }
}
