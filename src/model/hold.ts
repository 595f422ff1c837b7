import { onClock } from './calendar.ts'

/** An order to keep snapshots of a project whatever the policy says. Moments are milliseconds since 1970, UTC. */
export interface Hold {
  /** Short enough to be typed: `h-3f09ac`. */
  readonly id: string
  readonly project: string
  /** Absent: in all vaults. */
  readonly vault?: string
  /** Full id of the only snapshot that it is about. Absent: all of them, also those that come. */
  readonly snapshot?: string
  /** The run that made that snapshot: its copies in other vaults have another id. */
  readonly run?: string
  readonly reason: string
  readonly beganAt: number
  /** `user@host`. */
  readonly who: string
  /** The last day on which it keeps, `2027-06-30`. Absent: until it is lifted. */
  readonly until?: string
  readonly lifted?: { readonly at: number; readonly who: string; readonly reason: string }
}

/** Whether a hold keeps anything at a moment. @param timezone - of the days, an IANA name. */
export function isInForce({ lifted, until }: Hold, now: number, timezone: string): boolean {
  if (lifted) return false
  if (until === undefined) return true
  return Temporal.PlainDate.compare(onClock(now, timezone).toPlainDate(), Temporal.PlainDate.from(until)) <= 0
}

/** What a snapshot is known by to holds. */
export interface Holdable {
  readonly project: string
  readonly vault: string
  /** Full id. */
  readonly id: string
  readonly run?: string
}

/** Whether a hold, when it is in force, keeps a snapshot. */
export function isAbout(hold: Hold, { project, vault, id, run }: Holdable): boolean {
  if (hold.project !== project || (hold.vault !== undefined && hold.vault !== vault)) return false
  return hold.snapshot === undefined || hold.snapshot === id || (hold.run !== undefined && hold.run === run)
}

/** `audit 2026, until 2027-06-30`. */
export function formatHold({ reason, until }: Pick<Hold, 'reason' | 'until'>): string {
  return until === undefined ? reason : `${reason}, until ${until}`
}
