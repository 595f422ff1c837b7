import type { Criticality } from './project.ts'

/** What a trouble is, from the gravest. */
export const troubleKinds = [
  'damaged',
  'test-failed',
  'late',
  'failed',
  'stuck',
  'copy-failed',
  'clock',
  'full',
  'weak',
  'incomplete',
  'unverified',
  'untested',
  'own-backup',
  'cleanup-failed',
  'kit',
  'configuration',
  'channel',
] as const
/**
 * `test-failed`: the last restore test found a backup that is not what it must be. `untested`: no backup passed a restore test
 * in time. `damaged`: a vault holds bytes that are not what they must be. `late`: the newest backup is older than it may be. `failed`:
 * the last run made no backup. `stuck`: a run is under way far longer than usual. `copy-failed`: the last copy to a vault
 * failed. `clock`: the clock of this machine is not to be trusted, or a backup says that it is of the future. `full`: a vault
 * has little room. `weak`: a vault does not hold what is claimed of it. `incomplete`: the last run could not take everything.
 * `unverified`: a vault was not read back in time. `cleanup-failed`: old backups could not be removed.
 * `own-backup`: a vault holds no new backup of the configuration and the catalog. `kit`: nobody has proven for a year that the
 * password on paper opens the vaults.
 * `configuration`: it was changed and is refused, so the one before goes on. `channel`: people cannot be told.
 */
export type TroubleKind = (typeof troubleKinds)[number]

/** Something that is wrong at this moment. Two with the same {@link troubleKey} are one trouble. */
export interface Trouble {
  readonly kind: TroubleKind
  /** Absent when it is about no single project. */
  readonly project?: string
  /** Absent when it is about no single vault. */
  readonly vault?: string
  readonly criticality: Criticality
  /** One sentence for people, without a full stop. */
  readonly text: string
  /** What to do now. */
  readonly advice: string
}

/** The newest good backup of a project. */
export interface LastBackup {
  /** Milliseconds since 1970, UTC. */
  readonly at: number
  readonly vault: string
}

/** A trouble as it is seen at this moment. */
export interface SeenTrouble extends Trouble {
  /** Absent when it is about no single project, and when there is none. */
  readonly lastBackup?: LastBackup
}

/** The same as long as a trouble lasts: its kind, project and vault. */
export function troubleKey({ kind, project = '', vault = '' }: Pick<Trouble, 'kind' | 'project' | 'vault'>): string {
  return `${kind}/${project}/${vault}`
}

export const incidentEvents = ['opened', 'reopened', 'changed', 'acknowledged', 'told', 'resolved'] as const

/**
 * What happened to an incident, in the order of time. `reopened`: the trouble came back within minutes after the incident
 * was resolved by itself. `changed`: its text or its criticality did, and an acknowledgement is void.
 */
export interface IncidentEvent {
  /** Milliseconds since 1970, UTC. */
  readonly at: number
  readonly what: (typeof incidentEvents)[number]
  /** One sentence for people. */
  readonly text: string
  /** `user@host`; absent when it happened by itself. */
  readonly who?: string
}

/**
 * A trouble with a beginning, perhaps an owner, and an end. Moments are milliseconds since 1970, UTC. Of one trouble at most
 * one incident is open at any time.
 */
export interface Incident extends Trouble {
  /** Short enough to be typed: `i-3f09ac`. */
  readonly id: string
  readonly openedAt: number
  /** When it was last seen. */
  readonly seenAt: number
  readonly acknowledgedAt?: number
  readonly acknowledgedBy?: string
  readonly resolvedAt?: number
  /** `user@host`; absent when it was over by itself. */
  readonly resolvedBy?: string
  /** The newest backup of the project when it was opened or last seen, and the vault that has it. */
  readonly lastBackup?: LastBackup
  /** Oldest first. */
  readonly timeline: readonly IncidentEvent[]
}
