/** What becomes of an entry of the target that has the name of one of the snapshot. */
export type ExistingPolicy =
  /** A target that holds anything is refused as a whole. */
  | 'refuse'
  /** It is replaced, in one step, unless it is equal; folders are merged. */
  | 'overwrite'
  /** It stays as it is, whatever it is; folders are merged. */
  | 'keep'

export interface RestoreRequest {
  /** Hex id of the tree of the snapshot. */
  readonly tree: string
  /** A folder, made when it is not there. Links on the way to it, and at its end, are followed. */
  readonly target: string | Uint8Array
  /** Paths inside the snapshot, each with everything below it. Default: everything. */
  readonly include?: readonly (string | Uint8Array)[]
  /** A folder inside the snapshot that becomes the target itself; nothing outside it is restored. */
  readonly strip?: string | Uint8Array
  /** Default: `refuse`. */
  readonly existing?: ExistingPolicy
  /** Leave owner, mode, times and attributes of folders that are there already as they are. Default: false. */
  readonly keepFolders?: boolean
  /** Remove what the snapshot does not hold from folders that it holds. Only with `overwrite`. Default: false. */
  readonly delete?: boolean
  /** Remove the unfinished files that killed restores have left in folders of the target. Default: false. */
  readonly sweep?: boolean
  /** Folders and entries that are believed possible; more are refused, because a few trees can stand for any number. */
  readonly maximumEntries?: number
}

/** One change of the target that performing the plan would make. */
export interface PlannedChange {
  readonly change: 'create' | 'overwrite' | 'unchanged' | 'keep' | 'remove'
  readonly type: 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket'
  /** Below the target, raw bytes, parts joined by slashes. */
  readonly path: Buffer
  /** Bytes of a file. */
  readonly size: number
}
