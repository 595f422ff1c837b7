import type { MasterKey } from '../crypto/seal.ts'
import type { UnsetNote } from './finding.ts'
import type { RefusedNode } from './node-record.ts'

/** What a thread is given before its first job. */
export interface CrewSetup {
  readonly key: MasterKey
}

/** Sealed blobs that lie in one run of bytes. */
export interface SealedRun {
  readonly bytes: Uint8Array<SharedArrayBuffer>
  /** Hex, 64 digits for each blob. */
  readonly ids: string
  /** Three numbers for each blob: where it begins in `bytes`, its sealed length, its plain length or 0 when stored raw. */
  readonly places: Uint32Array<ArrayBuffer>
}

/** Open trees and turn their nodes into records. */
export interface TreesJob {
  readonly kind: 'trees'
  readonly run: SealedRun
}

export interface TreesResult {
  /** The records of all trees, one tree after the other. */
  readonly records: Uint8Array<ArrayBuffer>
  readonly trees: readonly OpenedTree[]
}

export interface OpenedTree {
  /** Half-open, in `records`. */
  readonly start: number
  readonly end: number
  readonly refused: readonly RefusedNode[]
  /** Why it could not be read; then it has no records. */
  readonly damage?: string
}

/** Are files that are there already what the snapshot holds? */
export interface CompareJob {
  readonly kind: 'compare'
  readonly folder: number
  readonly records: Uint8Array<ArrayBuffer>
  /** The plain length of each blob, over all files in order. */
  readonly lengths: Uint32Array<ArrayBuffer>
}

export interface CompareResult {
  /** For each file: what identified it while it was equal, or undefined when it was not. */
  readonly equal: readonly (FileIdentity | undefined)[]
}

/** Enough to see later that nobody touched a file. */
export interface FileIdentity {
  readonly inode: bigint
  readonly ctimeNs: bigint
  /** How many names it has. */
  readonly links: number
}

/** A file that gets its bytes from several jobs. It was created under a name of its own and takes its real one at the end. */
export interface PartialFile {
  readonly folder: number
  readonly name: string
  readonly inode: bigint
}

/**
 * Write blobs to files.
 *
 * `whole` files are created, filled, given their metadata and closed by this job: files of one blob, files without any,
 * links, fifos and devices. `partial` ones only get bytes.
 */
export interface WriteJob {
  readonly kind: 'write'
  /** Undefined when none of the files has bytes. */
  readonly run?: SealedRun
  /** Whether the bytes of the run are plain and were checked. */
  readonly plain: boolean
  /** How many writes each blob of the run has; they follow each other in `writes`. */
  readonly writesOf: Uint32Array<ArrayBuffer>
  /** Two numbers for each write: the whole file, or ~ the partial file; the position in bytes. */
  readonly writes: Float64Array<ArrayBuffer>
  /** Of the whole files. */
  readonly records: Uint8Array<ArrayBuffer>
  /** Of each whole file: the descriptor of its folder. */
  readonly folders: Int32Array<ArrayBuffer>
  /** Of each whole file: 1 when it replaces what has its name, 0 when nothing may have its name. */
  readonly replacing: Uint8Array<ArrayBuffer>
  /** Of each whole file: the name that it is made under, and keeps; '' where it gets its own. Undefined: all get their own. */
  readonly staged?: readonly string[]
  readonly partial: readonly PartialFile[]
}

export interface WriteResult {
  /** Blobs of the run that are not what their ids say; nothing of them was written. */
  readonly damaged: readonly { readonly blob: number; readonly reason: string }[]
  /** Files, as in `writes`, that the target did not take; a whole one is not there. */
  readonly failed: readonly { readonly file: number; readonly text: string }[]
  readonly unset: readonly UnsetNote[]
  /** Whole files that are there. */
  readonly done: number
  /** Plain bytes of files, holes included. */
  readonly bytes: number
}

/** Set metadata of what is there: folders when they are left, and files that were equal. */
export interface SettleJob {
  readonly kind: 'settle'
  readonly records: Uint8Array<ArrayBuffer>
  /** Of each: the descriptor of its folder. */
  readonly folders: Int32Array<ArrayBuffer>
  /** Of each: what it must still be. `ctimeNs` is 0 where it does not matter. */
  readonly identities: readonly FileIdentity[]
}

export interface SettleResult {
  readonly failed: readonly { readonly file: number; readonly text: string }[]
  readonly unset: readonly UnsetNote[]
}

/** Make file systems durable. */
export interface SyncJob {
  readonly kind: 'sync'
  /** The descriptor of a folder on each. */
  readonly folders: Int32Array<ArrayBuffer>
}

export interface SyncResult {
  readonly synced: number
}

/** The result of each kind of job. */
export interface Results {
  readonly trees: TreesResult
  readonly compare: CompareResult
  readonly write: WriteResult
  readonly settle: SettleResult
  readonly sync: SyncResult
}

export type RestoreJob = TreesJob | CompareJob | WriteJob | SettleJob | SyncJob
