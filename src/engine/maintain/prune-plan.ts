import type { Finding } from './finding.ts'

export interface PlanPruneOptions {
  /** Hex ids of snapshots that count as gone already. Default: none. */
  readonly forget?: readonly string[]
  /** Share of the repository, 0 to 1, that may stay though no snapshot needs it, to copy less. Default: 0.05. */
  readonly maxUnusedShare?: number
  /** Bytes of packs that are copied at the most. Default: no limit. */
  readonly maxRepackBytes?: number
  /** Called a few times a second. */
  readonly onProgress?: (progress: PruneProgress) => void
}

export interface PruneOptions extends Omit<PlanPruneOptions, 'forget'> {
  /** Performs just this plan, or nothing; the options of the plan count then. Absent: what is right by now. */
  readonly plan?: PrunePlan
}

export interface PruneProgress {
  /**
   * The index is read, the trees of the snapshots are walked, index files are written without what goes, packs are copied,
   * and files are removed.
   */
  readonly phase: 'index' | 'snapshots' | 'rewriting' | 'copying' | 'removing'
  /** Of index files, snapshots, index files, bytes and files. */
  readonly done: number
  readonly total: number
}

export interface Amount {
  readonly count: number
  readonly bytes: number
}

/** What a prune does. Counts and bytes only; the packs themselves follow from the repository. */
export interface PrunePlan {
  /** Stands for all that the plan follows from: snapshots that stay, index files, packs, and the limits below. */
  readonly fingerprint: string
  readonly maxUnusedShare: number
  /** Undefined: no limit. */
  readonly maxRepackBytes?: number
  /** Snapshots that stay. */
  readonly snapshots: number
  /** Files and their bytes. */
  readonly packs: {
    /** Those that stay as they are. */
    readonly kept: Amount
    /** Those without a blob that is needed; index files name them. */
    readonly removed: Amount
    /** Those whose needed blobs are copied into new packs. */
    readonly repacked: Amount
    /** Those that no index file names: they are removed. */
    readonly unindexed: Amount
  }
  /** Copies of blobs that the index files name, and their sealed bytes. */
  readonly blobs: {
    /** One copy of each blob that a snapshot needs. */
    readonly used: Amount
    readonly unused: Amount
    /** More copies of what is used. */
    readonly duplicate: Amount
  }
  /** Of the blobs used, those that are copied. */
  readonly copied: Amount
  readonly indexFiles: {
    readonly kept: number
    /** Those that are replaced by others, or not needed any more. */
    readonly replaced: number
  }
  /** Bytes of packs less, but for some hundred of the headers of new packs. */
  readonly bytesFreed: number
  /** Bytes of blobs that nobody needs and that stay. */
  readonly bytesUnusedLeft: number
  /** What is odd in the repository and does no harm. */
  readonly findings: readonly Finding[]
}

export interface PruneResult {
  readonly plan: PrunePlan
  /** Packs that are gone: removed, repacked and unindexed ones. */
  readonly removed: Amount
  /** New packs. */
  readonly added: Amount
  /** Blobs that were copied into them. */
  readonly copied: Amount
  /** `removed` less `added`, in bytes. */
  readonly bytesFreed: number
  /** Whether all of the plan was done. What was not, and why, is in `findings`; the next prune tries it again. */
  readonly isComplete: boolean
  readonly findings: readonly Finding[]
}
