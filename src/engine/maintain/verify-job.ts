import type { MasterKey } from '../crypto/seal.ts'
import type { SharedIndex } from '../repository/blob-index.ts'
import type { PackJob, PackReport } from './verify-pack.ts'

/** What a verifying thread is given before its first job. */
export interface VerifySetup {
  readonly key: MasterKey
  readonly index: SharedIndex
}

/** From here on these data blobs count as lost. */
export interface LostJob {
  readonly lost: readonly string[]
}

export type VerifyJob = PackJob | LostJob

/** Undefined for a `LostJob`. */
export type VerifyResult = PackReport | undefined
