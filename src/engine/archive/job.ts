import type { FinishedPack } from '../repository/pack-buffer.ts'
import type { BlobType, SharedIndex } from '../repository/blob-index.ts'
import type { RepositoryConfig } from '../format/config.ts'
import type { IndexedBlob } from '../format/index-file.ts'
import type { ExtendedAttribute } from '../format/tree-node.ts'
import type { MasterKey } from '../crypto/seal.ts'
import type { StreamContent } from './entry.ts'

/** What of a repository's config decides about its blobs: those of version 1 are never compressed. */
export type SealingConfig = Pick<RepositoryConfig, 'version' | 'chunkerPolynomial'>

/** What a sealing thread is given before its first job. */
export interface SealSetup {
  readonly key: MasterKey
  readonly config: SealingConfig
  readonly index: SharedIndex
  /** Shared memory in which chunks of streams are handed over. */
  readonly slots: readonly SharedArrayBuffer[]
}

/** Buffers of packs that have been saved come back with the next job. */
interface Recycling {
  readonly recycled: SharedArrayBuffer[]
}

/** Files to read, cut, seal: as `encodeFileList` writes them. */
export interface FilesJob extends Recycling {
  readonly kind: 'files'
  readonly list: Uint8Array<ArrayBuffer>
}

/** A stretch of a large file to read, cut, seal: `bytesOfStretch` or some more, up to where a chunk ends. */
export interface StretchJob extends Recycling {
  readonly kind: 'stretch'
  /** Of the open file; not used any more once the job has told where it ends. */
  readonly fd: number
  /** Bytes from the start of the file. */
  readonly from: number
}

/** What a `StretchJob` tells as soon as it has cut. */
export interface StretchEnd {
  /** Where the next one begins. */
  readonly end: number
  readonly isLast: boolean
}

/** Chunks of a stream, one after the other in a slot. */
export interface ChunksJob extends Recycling {
  readonly kind: 'chunks'
  readonly slot: number
  readonly lengths: readonly number[]
  readonly cut: NonNullable<StreamContent['cut']>
}

/** Tree blobs that are claimed already, one after the other in `bytes`. */
export interface TreesJob extends Recycling {
  readonly kind: 'trees'
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly ids: readonly string[]
  readonly lengths: readonly number[]
}

/** The index has grown: use this memory from now on. */
export interface IndexJob {
  readonly kind: 'index'
  readonly index: SharedIndex
}

/** Nothing more will come: hand over the packs that are not full. */
export interface FlushJob {
  readonly kind: 'flush'
}

export type SealJob = FilesJob | StretchJob | ChunksJob | TreesJob | IndexJob | FlushJob

export interface Rest {
  readonly type: BlobType
  readonly blobs: readonly IndexedBlob[]
  readonly bytes: Uint8Array<SharedArrayBuffer>
}

/** What became of one file of a `FilesJob`, or of a `StretchJob`. */
export interface FileOutcome {
  /** `stored`; `changed` while it was read; or `failed` with the system's error code. */
  readonly status: 'stored' | 'changed' | 'failed'
  readonly code?: string
  readonly message?: string
  /** Hex ids of its chunks, in order. */
  readonly content: string[]
  /** Bytes read. */
  readonly size: number
  /** Of a stored one: absent when it has none. */
  readonly extendedAttributes?: readonly ExtendedAttribute[]
}

/** What came of the work since it was last asked. */
export interface SealedSoFar {
  /** Packs that became full. */
  readonly packs: FinishedPack[]
  /** Data blobs that were not known before, and their plain bytes. */
  readonly newBlobs: number
  readonly newBytes: number
}

export interface SealResult extends SealedSoFar {
  /** Of a `FilesJob`: one for each file; of a `StretchJob` one. */
  readonly files?: FileOutcome[]
  /** Of a `ChunksJob`: hex, one for each chunk. */
  readonly ids?: readonly string[]
  /** Of a `FlushJob`. */
  readonly rests?: Rest[]
}
