import type { Finding } from './finding.ts'

/**
 * `automatic`: nobody is asked, so what is unusual stops it. `asked`: a person has seen the plan and said yes. `archive`: a
 * person has asked for what `prune: never` keeps past its term.
 */
export type CleanupMode = 'automatic' | 'asked' | 'archive'

/** One clean-up of a project in a vault. Moments are milliseconds since 1970, UTC. */
export interface CleanupRecord {
  readonly id: string
  readonly project: string
  readonly vault: string
  readonly mode: CleanupMode
  /** `running`: also one whose process was killed; the next one ends its work. */
  readonly status: 'running' | 'complete' | 'failed' | 'cancelled'
  readonly startedAt: number
  readonly endedAt?: number
  /** Whether the space was freed. */
  readonly isPruned: boolean
  readonly freedBytes: number
  readonly findings: readonly Finding[]
  /** How far the log had come. */
  readonly logNumber: number
  readonly who: string
}

/** A snapshot that a clean-up removes. */
export interface PlannedRemoval {
  /** Full id, in the vault that it is removed from. */
  readonly snapshot: string
  /** What it said when it was made: milliseconds since 1970, UTC. */
  readonly time: number
  /** The run that this catalog saw make it; absent when it saw none. */
  readonly run?: string
}
