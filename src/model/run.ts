import type { Finding } from './finding.ts'

export const runStatuses = ['running', 'complete', 'incomplete', 'failed', 'cancelled'] as const
/** `incomplete`: there is a snapshot, and some sources could not be read. `failed`: there is none. */
export type RunStatus = (typeof runStatuses)[number]

/** One backup of one project. Instants are milliseconds since 1970, UTC; sizes are bytes. */
export interface Run {
  readonly id: string
  readonly project: string
  /** The vault it writes to. */
  readonly vault: string
  readonly status: RunStatus
  readonly startedAt: number
  readonly endedAt?: number
  /** Full id; absent while it runs and when there is none. */
  readonly snapshot?: string
  readonly bytesRead: number
  /** Bytes that the repository grew. */
  readonly bytesAdded: number
  readonly files: number
  readonly findings: readonly Finding[]
  /** Who asked for it: `user@host`. */
  readonly who: string
  /** The slot of its schedule that it was made for; absent when a person asked for it. */
  readonly slot?: number
}

/** How a run ended. */
export type RunOutcome = Pick<Run, 'bytesRead' | 'bytesAdded' | 'files' | 'findings'> & {
  readonly status: Exclude<RunStatus, 'running'>
  readonly endedAt: number
  readonly snapshot?: string
}

/** One body of data in a snapshot: a dump, a tree of files, a bundle. */
export interface Artifact {
  /** Where it lies in the snapshot, for example `database/shop.sql`. */
  readonly path: string
  /** What it is: `sqlite`, `json`, `files`, `config`, `git` … */
  readonly kind: string
  readonly bytes: number
  /** Lower-case hex; absent for a tree of files, whose every file has its own hashes in the repository. */
  readonly sha256?: string
  /** Rows of each table, for what has tables. */
  readonly rows?: Readonly<Record<string, number>>
  /** Versions, encodings, extensions, counts of other things: what a restore wants to know. */
  readonly facts?: Readonly<Record<string, string | number>>
}
