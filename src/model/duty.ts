export const dutyKinds = [
  'run',
  'copy',
  'verify',
  'cleanup',
  'restore-test',
  'measure',
  'own-backup',
  'report',
  'watch',
] as const
/** What is done by itself, for each project or for all. */
export type DutyKind = (typeof dutyKinds)[number]

/** What a duty is about: absent parts are all of them. */
export interface DutySubject {
  readonly project?: string
  readonly vault?: string
  /** Of a report: `day`, `week` or `month`. */
  readonly part?: string
}

/** One performance of a duty that leaves no other record. Moments are milliseconds since 1970, UTC. */
export interface DutyRecord extends DutySubject {
  readonly id: string
  readonly kind: DutyKind
  readonly slot: number
  readonly startedAt: number
  readonly endedAt: number
  readonly outcome: 'done' | 'failed' | 'cancelled'
  /** Why it failed. */
  readonly text?: string
}

/** How a duty ended. */
export interface DutyReport extends DutySubject {
  readonly kind: DutyKind
  readonly slot: number
  /** `incomplete`: done, and something was found. */
  readonly outcome: 'done' | 'incomplete' | 'failed' | 'cancelled'
  readonly seconds: number
  /** One sentence for people. */
  readonly text: string
}

/** What was done of what was due; or the process that does it already. */
export type DueResult = { readonly reports: readonly DutyReport[] } | { readonly busy: Keeper }

/** The process that does what is due; there is one at a time. */
export interface Keeper {
  readonly verb: 'serve' | 'run'
  /** Milliseconds since 1970, UTC. */
  readonly since: number
  readonly pid: number
  readonly host: string
}

/** `shop in archive`, `all`: who a duty is about, in words. */
export function describeSubject({ project, vault, part }: DutySubject): string {
  const where = [project, vault].filter((name) => name !== undefined).join(' in ')
  return [where, part].filter((word) => word !== undefined && word !== '').join(' ') || 'all'
}
