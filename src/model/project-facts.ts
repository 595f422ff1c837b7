import type { CleanupRecord } from './cleanup-record.ts'
import { troubleKinds } from './incident.ts'
import type { Project } from './project.ts'
import type { Reading } from './reading.ts'
import type { RestoreTestRecord } from './restore-test.ts'
import type { CopyRecord, VerificationRecord } from './record.ts'
import type { Run } from './run.ts'
import type { Vault } from './vault.ts'
import type { ProbeRecord } from './worth.ts'

/** What is known of one project in one of its vaults. Moments are milliseconds since 1970, UTC. */
export interface VaultFacts {
  readonly vault: Vault
  /** When its newest backup was made; absent when it has none. One that says it is of the future does not count. */
  readonly newestAt?: number
  /** The latest that a backup of the future says it was made. */
  readonly futureAt?: number
  /** Absent in the vault that runs write to, and where nothing was copied yet. */
  readonly lastCopy?: Pick<CopyRecord, 'status' | 'endedAt' | 'findings'>
  /** Since when a copy to it is being made. */
  readonly copyingSince?: number
  readonly lastVerification?: Pick<VerificationRecord, 'status' | 'endedAt'>
  /** The latest that has ended, and was not cancelled. */
  readonly lastCleanup?: Pick<CleanupRecord, 'status' | 'findings'>
  /** Absent when no backup was seen to come there. */
  readonly reading?: Reading
  readonly probe?: ProbeRecord
  /** How much of its room was free when it was measured, 0 to 1, oldest first; absent where the place does not tell. */
  readonly freeShares?: readonly number[]
}

/** What is known of one project. */
export interface ProjectFacts {
  readonly project: Project
  /** IANA name; the project's schedule is in it. */
  readonly timezone: string
  /** The latest that has ended well or badly; one that was cancelled says nothing. */
  readonly lastRun?: Pick<Run, 'status' | 'startedAt'> & Partial<Pick<Run, 'findings'>>
  /** Since when a run is under way. */
  readonly runningSince?: number
  /** How long its latest runs took that made a backup, in milliseconds. */
  readonly durations?: readonly number[]
  /** What is known of its restore tests; absent where nobody looked. */
  readonly tests?: TestFacts
  /** Why the latest clean-up of the daemon failed that left no record in a vault. */
  readonly cleanupFailure?: string
  /** The time of the latest entry of the log: the clock of this machine said so when it was written. */
  readonly clockWas?: number
  /** The one that runs write to first. */
  readonly vaults: readonly VaultFacts[]
}

export interface TestFacts {
  /** The latest of any vault that was not cancelled. */
  readonly last?: Pick<RestoreTestRecord, 'status' | 'endedAt' | 'findings' | 'vault' | 'snapshot'>
  /** When a backup last passed. */
  readonly passedAt?: number
  /** When the first backup was made that could have been tested. */
  readonly since?: number
}

/** From the gravest. `unreachable`: nobody could look into a vault. */
export const verdicts = ['unreachable', ...troubleKinds, 'healthy'] as const
/** A project's or vault's health in one word: that of its gravest trouble. */
export type Verdict = Exclude<(typeof verdicts)[number], 'channel' | 'configuration' | 'kit' | 'own-backup'>

export interface Reason {
  readonly verdict: Exclude<Verdict, 'healthy'>
  /** One sentence for people, without a full stop. */
  readonly text: string
  /** What to do. */
  readonly advice: string
}
