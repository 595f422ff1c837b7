import type { Backend } from '../backend/backend.ts'
import type { MasterKey } from '../crypto/seal.ts'
import type { BlobIndex, BlobType } from '../repository/blob-index.ts'

/** What a restore asks of a repository; its index is loaded. */
export interface BlobSource {
  readonly backend: Backend
  readonly key: MasterKey
  readonly index: Pick<BlobIndex, 'find'>
  /** Tries every copy. @throws an error of kind `damaged` or `missing` when none is sound. */
  loadBlob(type: BlobType, id: string, signal?: AbortSignal): Promise<Uint8Array>
}
