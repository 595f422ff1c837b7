/** What a restore does, one after the other. */
export const restoreStepKinds = [
  'verify',
  'safety',
  'before',
  'files',
  'git',
  'remove',
  'roles',
  'database',
  'after',
  'up',
  'health',
] as const
export type RestoreStepKind = (typeof restoreStepKinds)[number]

/** One step, as it is written down before it is begun and when it is over. */
export interface RestoreStep {
  readonly kind: RestoreStepKind
  /** What it is about, and with `kind` its name within the restore: a folder, a database, a command. */
  readonly about: string
  readonly state: 'begun' | 'done' | 'failed' | 'undone'
  readonly beganAt: number
  readonly endedAt?: number
  /** Why it failed, or what there is to say of it. */
  readonly text?: string
  /** How to go back, as the source that wrote it down understands it; JSON. */
  readonly wayBack?: string
}

/** What was there before, where it can be had from. */
export interface SafetyBackup {
  readonly vault: string
  /** Full id. */
  readonly snapshot: string
  /** Databases and files that are not in it, for people. */
  readonly without: readonly string[]
}

/** What a restore was asked for; enough to go on with it. */
export interface RestoreWish {
  readonly only: readonly string[]
  readonly paths: readonly string[]
  readonly tables: readonly string[]
  readonly delete: boolean
  readonly rolePasswords: boolean
  readonly safety: boolean
  /** Another server than its own, as `ssh://user@host:port`. */
  readonly toHost?: string
}

export const restoreStates = ['open', 'complete', 'incomplete', 'failed', 'cancelled', 'undone', 'confirmed'] as const
export type RestoreState = (typeof restoreStates)[number]

/** A restore in place with all its steps, so that it can be gone on with, or undone, by another process. */
export interface RestoreJournal {
  readonly id: string
  readonly project: string
  readonly vault: string
  /** Full id. */
  readonly snapshot: string
  readonly wish: RestoreWish
  /** `open` while it runs, and after its process was killed. */
  readonly state: RestoreState
  /** The process that had it open is gone. */
  readonly isAbandoned: boolean
  readonly startedAt: number
  readonly safety?: SafetyBackup
  /** The restore that this one takes back. */
  readonly undoes?: string
  /** In the order in which they were begun. */
  readonly steps: readonly RestoreStep[]
}

/** A restore that was cut off or failed, so that the project may be neither as it was nor as it shall be. */
export function isUnfinished({ state, isAbandoned }: Pick<RestoreJournal, 'state' | 'isAbandoned'>): boolean {
  return state === 'open' ? isAbandoned : state === 'failed' || state === 'cancelled'
}

/** Steps that change the project. */
const changing: ReadonlySet<RestoreStepKind> = new Set([
  'before',
  'files',
  'git',
  'remove',
  'roles',
  'database',
  'after',
])

/** Whether anything of the project was changed, or may have been. */
export function hasChanged({ steps }: Pick<RestoreJournal, 'steps'>): boolean {
  return steps.some(({ kind, state }) => changing.has(kind) && state !== 'undone')
}

/** The state that things are in, and what to do, one sentence a line. */
export function describeStanding(journal: RestoreJournal): string[] {
  const { id, project, steps, safety, state } = journal
  const done = steps.filter((step) => step.state === 'done' && changing.has(step.kind))
  const broken = steps.filter((step) => step.state === 'begun' || step.state === 'failed')
  if (!hasChanged(journal)) return [`Restore ${id} ended before anything of ${project} was changed.`]
  return [
    ...(done.length > 0 ? [`Done: ${done.map(nameOf).join(', ')}.`] : []),
    ...broken.map((step) => `${step.state === 'failed' ? 'Failed' : 'Cut off'}: ${nameOf(step)}; ${standingOf(step)}.`),
    ...(safety
      ? [`As it was before, the project is in snapshot ${safety.snapshot.slice(0, 8)} of the vault ${safety.vault}.`]
      : []),
    ...(state === 'complete' || state === 'confirmed'
      ? []
      : [`Go on: bewaar restore --project=${project} --resume`, `Go back: bewaar restore --project=${project} --undo`]),
  ]
}

function nameOf({ kind, about }: RestoreStep): string {
  return kind === 'verify' || kind === 'safety' ? kind : `${kind} ${about}`
}

function standingOf({ kind, wayBack }: RestoreStep): string {
  switch (kind) {
    case 'files':
    case 'git':
      return 'each file there is the old one or the new one, whole'
    case 'remove':
      return 'some of what the backup does not hold is gone'
    case 'database':
      return wayBack === undefined
        ? 'it is as it was'
        : 'it is as it was or as in the backup, and nothing of it is lost'
    case 'roles':
      return 'roles that were there are as they were'
    case 'verify':
    case 'safety':
      return 'nothing was changed by it'
    case 'before':
    case 'after':
    case 'up':
    case 'health':
      return 'the data is not touched by it'
    default:
      return kind satisfies never
  }
}
