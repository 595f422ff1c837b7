import type { RestorePlan, RestoreResult } from '#engine'

/** What writing a folder would do. */
export type PlannedWrites = Pick<RestorePlan, 'bytes' | 'changes' | 'counts' | 'findings' | 'layout' | 'target'>

/** What writing a folder came to. */
export type WrittenFolder = Pick<RestoreResult, 'files' | 'bytes' | 'findings'>
