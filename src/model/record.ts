import type { Finding } from './finding.ts'

/** A project that is kept quiet by a run. */
export interface QuietRecord {
  readonly run: string
  readonly project: string
  /** Milliseconds since 1970. */
  readonly since: number
  /** Programs with their arguments that undo it, in order. */
  readonly undo: readonly (readonly string[])[]
}

/** A snapshot in a vault, as far as the catalog knows; the vault itself has the last word. */
export interface KnownSnapshot {
  readonly vault: string
  readonly project: string
  /** Full id. */
  readonly id: string
  /** When it was made: milliseconds since 1970, UTC. */
  readonly time: number
  /** Plain size of all that it holds. */
  readonly bytes: number
  readonly files: number
  /** The run that made it, when this catalog saw it. */
  readonly run?: string
  /** Bytes that the repository grew by it. */
  readonly added?: number
  /** When all of it was last read back and found sound. */
  readonly verifiedAt?: number
  /** When it last passed a restore test. */
  readonly testedAt?: number
  /** The restore before which it was made: it is there to undo that, and counts as no backup of the project. */
  readonly safety?: string
}

/** One copying of a project's snapshots to another vault. */
export interface CopyRecord {
  readonly id: string
  readonly project: string
  readonly from: string
  readonly to: string
  readonly status: 'complete' | 'failed' | 'cancelled'
  readonly startedAt: number
  readonly endedAt: number
  readonly snapshots: number
  readonly bytesAdded: number
  /** Share of what was sent that was to be read back, 0 to 1; absent when nobody knows any more. */
  readonly verified?: number
  readonly findings: readonly Finding[]
  /** The run after which it was made. */
  readonly run?: string
}

/** One restore, or an attempt at one. */
export interface RestoreRecord {
  readonly id: string
  readonly project: string
  readonly vault: string
  readonly snapshot: string
  /** The folder that was written to. */
  readonly target: string
  readonly status: 'complete' | 'incomplete' | 'failed' | 'cancelled'
  readonly startedAt: number
  readonly endedAt: number
  readonly files: number
  readonly bytes: number
  readonly findings: readonly Finding[]
  readonly who: string
}

/** One verification of a project in a vault. */
export interface VerificationRecord {
  readonly id: string
  readonly project: string
  readonly vault: string
  readonly status: 'sound' | 'damaged' | 'failed' | 'cancelled'
  readonly startedAt: number
  readonly endedAt: number
  /** Share of the data that was read back, 0 to 1. */
  readonly share: number
  readonly bytesRead: number
  readonly findings: readonly Finding[]
  readonly who: string
  /** Which slices of the data that share was, 1 to `sliceCount`; absent when it was drawn by lot, or all. */
  readonly slices?: readonly number[]
}

export const logKinds = [
  'backup',
  'copy',
  'restore',
  'export',
  'test',
  'verify',
  'cleanup',
  'init',
  'serve',
  'alarm',
] as const
export type LogKind = (typeof logKinds)[number]

export const logLevels = ['info', 'warning', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

/** One line of the log. */
export interface LogEntry {
  /** Milliseconds since 1970, UTC. */
  readonly time: number
  readonly kind: LogKind
  readonly level: LogLevel
  /** One sentence for people. */
  readonly text: string
  readonly project?: string
  /** The run, restore or verification that it belongs to. */
  readonly run?: string
}
