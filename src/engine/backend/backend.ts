export type FileType = 'config' | 'key' | 'lock' | 'snapshot' | 'index' | 'pack'

/** Names one file of a repository; `name` is the lower-case hex SHA-256 of its content, '' for `config`. */
export interface FileRef {
  readonly type: FileType
  readonly name: string
}

export interface FileStat extends FileRef {
  /** Bytes. */
  readonly size: number
}

/** Half-open: the bytes from `start` up to, and without, `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * A place that keeps the files of one repository. It knows names and bytes, and nothing of what is inside.
 *
 * Every implementation passes `backendSuite` (#engine/testing), which is the full statement of this contract.
 * Errors: `backend.unavailable` may be retried, all others may not. An aborted signal throws its own reason.
 *
 * Source: restic design document, "Repository Layout".
 */
export interface Backend extends AsyncDisposable {
  /** For messages: `s3:bucket/path`, never a credential. */
  readonly place: string
  /** How many operations it bears at once. */
  readonly connections: number

  /**
   * Stores `body` whole or not at all; once it returns, the bytes survive a power cut and `body` may be reused.
   *
   * Of several savers of one name at once exactly one succeeds.
   *
   * @throws `backend.conflict` when `ref` is taken; `backend.full`; `backend.denied`.
   */
  save(ref: FileRef, body: Uint8Array, signal?: AbortSignal): Promise<void>

  /**
   * Streams a file, or the part of it in `range`, and never fewer bytes than asked.
   *
   * @throws `backend.missing` before the first byte when `ref` is not there; `backend.damaged` when the file ends
   * before `range` does.
   */
  load(ref: FileRef, range?: ByteRange, signal?: AbortSignal): AsyncIterable<Uint8Array>

  /**
   * The same straight into memory, where that spares a copy: `target` is as long as `range`, and may be shared.
   *
   * @throws as `load`; `target` holds anything then.
   */
  loadInto?(ref: FileRef, range: ByteRange, target: Uint8Array, signal?: AbortSignal): Promise<void>

  /** Each file of `type` once, in no order, empty ones too; files saved meanwhile may or may not appear. */
  list(type: FileType, signal?: AbortSignal): AsyncIterable<FileStat>

  /** The names that `list` gives, where they can be had without a look at each file. @throws as `list`. */
  names?(type: FileType, signal?: AbortSignal): Promise<readonly string[]>

  /**
   * Once it returns, the file stays away, also after a power cut; only a lock may come back then.
   *
   * @throws `backend.missing` when `ref` is not there.
   */
  remove(ref: FileRef, signal?: AbortSignal): Promise<void>
}
