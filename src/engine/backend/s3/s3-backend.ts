import type { Backend, FileRef } from '../backend.ts'
import type { Retention } from './retention.ts'
import type { S3Usage } from './versions.ts'

/** The files of a repository in a bucket, and what only a bucket can do with them. */
export interface S3Backend extends Backend {
  /**
   * Lengthens the locks of files until at least then, so that what a newer snapshot uses stays as long as that. A lock
   * is never shortened; what is locked in governance mode stays so, because changing that takes the right to bypass.
   *
   * @returns how many had to be lengthened.
   * @throws `backend.lock-missing`; `backend.missing` when one of them is not there.
   */
  extend(refs: Iterable<FileRef>, until: Temporal.Instant, signal?: AbortSignal): Promise<number>
  /** What locks a file; undefined when nothing does. @throws `backend.missing`. */
  findLock(ref: FileRef, signal?: AbortSignal): Promise<Retention | undefined>
  /**
   * Puts a legal hold on files, which keeps them for as long as it is on, whatever their locks say; or lifts it.
   *
   * @returns how many had to be changed.
   * @throws `backend.lock-missing`; `backend.missing` when one of them is not there.
   */
  hold(refs: Iterable<FileRef>, on: boolean, signal?: AbortSignal): Promise<number>
  /** Whether a legal hold keeps a file. @throws `backend.missing`. */
  findHold(ref: FileRef, signal?: AbortSignal): Promise<boolean>
  /**
   * What the repository takes, with all versions, because all of them are paid for. It looks at each: 1000 with each
   * request, and some seconds for a million.
   */
  usage(signal?: AbortSignal): Promise<S3Usage>
}
