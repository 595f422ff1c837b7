/**
 * What is kept, reckoned a second time from docs/operate/retention.md alone, with other means than the program: no Temporal, a
 * calendar of its own on what `Intl` says of the clock on the wall, and every condition asked of every pair.
 */
export interface OracleSnapshot {
  readonly id: string
  /** What it says of itself; milliseconds since 1970, as all moments here. */
  readonly claimed: number
  readonly firstSeen: number
  /** Absent for a foreign one. */
  readonly made?: { readonly number: number; readonly start: number; readonly isComplete: boolean }
  readonly isProven: boolean
  readonly isMissingInCopy: boolean
}

export interface OracleTerm {
  readonly amount: number
  readonly unit: 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year'
}

export interface OraclePolicy {
  readonly within?: OracleTerm
  readonly for?: OracleTerm
  readonly last?: number
  readonly hourly?: number
  readonly daily?: number
  readonly weekly?: number
  readonly monthly?: number
  readonly yearly?: number
  readonly prune: 'automatic' | 'never'
}

export interface OracleHold {
  /** Absent: all. */
  readonly snapshot?: string
  /** `2027-06-30`, the last day on which it keeps. */
  readonly until?: string
}

export interface OracleCase {
  readonly snapshots: readonly OracleSnapshot[]
  readonly policy: OraclePolicy
  readonly holds: readonly OracleHold[]
  readonly isLockedVault: boolean
  readonly timezone: string
  readonly now: number
}

const day = 86_400_000

/** The ids of what stays in an automatic clean-up. */
export function keptByThePage(question: OracleCase): Set<string> {
  return new Set(question.snapshots.filter((one) => stays(one, question)).map(({ id }) => id))
}

function stays(one: OracleSnapshot, question: OracleCase): boolean {
  const { snapshots, policy, holds, now, timezone } = question
  if (policy.prune === 'never') return true
  const newer = snapshots.filter((other) => isNewer(other, one, snapshots, now))
  if (newer.length === 0) return true
  const proven = snapshots.filter(({ isProven }) => isProven)
  if (one.isProven && !proven.some((other) => isNewer(other, one, proven, now))) return true
  if (one.made && one.made.start > now) return true
  if (one.isMissingInCopy && one.made) return true
  if (holds.some((hold) => isHeldBy(hold, one, timezone, now))) return true
  for (const term of [policy.within, policy.for])
    if (term && now < endOfTerm(term, timeForTerms(one, snapshots, now), timezone)) return true
  if (question.isLockedVault && isLocked(one, question)) return true
  return units.some(([rule, period]) => {
    const count = policy[rule]
    if (count === undefined) return false
    const own = period(one, timezone, now)
    const periods = new Set(newer.map((other) => period(other, timezone, now)))
    return !periods.has(own) && periods.size < count
  })
}

type Period = (one: OracleSnapshot, timezone: string, now: number) => string

const units: readonly (readonly ['last' | 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly', Period])[] = [
  ['last', ({ id }) => id],
  [
    'hourly',
    (one, timezone, now) => {
      const w = wall(timeOf(one, now), timezone)
      return `${w.date} ${w.hour} ${w.offset}`
    },
  ],
  ['daily', (one, timezone, now) => String(wall(timeOf(one, now), timezone).date)],
  ['weekly', (one, timezone, now) => String(mondayOf(wall(timeOf(one, now), timezone).date))],
  ['monthly', (one, timezone, now) => monthOf(wall(timeOf(one, now), timezone).date)],
  ['yearly', (one, timezone, now) => String(yearOf(wall(timeOf(one, now), timezone).date))],
]

function timeOf({ made, claimed, firstSeen }: OracleSnapshot, now: number): number {
  return made ? made.start : Math.min(claimed, firstSeen, now)
}

function timeForTerms(one: OracleSnapshot, all: readonly OracleSnapshot[], now: number): number {
  const { made } = one
  if (!made || made.start > now) return timeOf(one, now)
  const before = all.flatMap((other) => (other.made && other.made.number <= made.number ? [other.made.start] : []))
  return Math.max(...before.filter((start) => start <= now))
}

function isAsGood(one: OracleSnapshot, other: OracleSnapshot): boolean {
  return (one.made?.isComplete ?? true) || (other.made !== undefined && !other.made.isComplete)
}

function isNewer(w: OracleSnapshot, s: OracleSnapshot, all: readonly OracleSnapshot[], now: number): boolean {
  if (w === s || !w.made || w.made.start > now) return false
  if (w.made.start < timeOf(s, now)) return false
  if (s.made && w.made.number <= s.made.number) return false
  if (!isAsGood(w, s)) return false
  const { number, start } = w.made
  return !all.some((x) => x.made && x.made.number > number && x.made.start < start && isAsGood(x, w))
}

function isHeldBy({ snapshot, until }: OracleHold, { id }: OracleSnapshot, timezone: string, now: number): boolean {
  if (snapshot !== undefined && snapshot !== id) return false
  return until === undefined || wall(now, timezone).date <= Date.parse(`${until}T00:00Z`) / day
}

/** The first moment at which the term is over. */
function endOfTerm(term: OracleTerm, from: number, timezone: string): number {
  const end = dateAfter(term, from, timezone)
  return startOf(term.unit === 'year' ? firstOfYear(yearOf(end) + 1) : end + 1, timezone)
}

function isLocked(one: OracleSnapshot, { snapshots, policy, timezone, now }: OracleCase): boolean {
  const from = Math.max(timeForTerms(one, snapshots, now), one.firstSeen)
  const ends = [policy.for, policy.within].flatMap((term) => {
    if (!term) return []
    const end = dateAfter(term, from, timezone)
    if (term.unit === 'year') return [firstOfYear(yearOf(end) + 1)]
    const isLong = end - wall(from, timezone).date >= 30
    return [isLong ? mondayOf(end) + 7 : end + 1]
  })
  return ends.length > 0 && now < startOf(Math.max(...ends), timezone)
}

/** The day on which a term is over, as days since 1970. */
function dateAfter({ amount, unit }: OracleTerm, from: number, timezone: string): number {
  const { date } = wall(from, timezone)
  switch (unit) {
    case 'minute':
      return wall(from + amount * 60_000, timezone).date
    case 'hour':
      return wall(from + amount * 3_600_000, timezone).date
    case 'day':
      return date + amount
    case 'week':
      return date + 7 * amount
    case 'month':
    case 'year': {
      const at = new Date(date * day)
      const months = at.getUTCFullYear() * 12 + at.getUTCMonth() + amount * (unit === 'year' ? 12 : 1)
      const [year, month] = [Math.floor(months / 12), months % 12]
      const longest = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
      return Date.UTC(year, month, Math.min(at.getUTCDate(), longest)) / day
    }
    default:
      return unit satisfies never
  }
}

interface Wall {
  /** Days since 1970. */
  readonly date: number
  readonly hour: number
  /** Milliseconds before UTC. */
  readonly offset: number
}

const clocks = new Map<string, Intl.DateTimeFormat>()

/** What the clock on the wall shows. */
function wall(moment: number, timezone: string): Wall {
  let clock = clocks.get(timezone)
  if (!clock) {
    const parts = {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    } as const
    clock = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, hourCycle: 'h23', ...parts })
    clocks.set(timezone, clock)
  }
  const shown = Date.parse(`${clock.format(moment).replace(' ', 'T')}Z`)
  const date = Math.floor(shown / day)
  const hour = Math.floor((shown - date * day) / 3_600_000)
  return { date, hour, offset: shown - Math.floor(moment / 1000) * 1000 }
}

const starts = new Map<string, number>()

/** The first moment of a day. */
function startOf(date: number, timezone: string): number {
  const key = `${timezone} ${date}`
  let start = starts.get(key)
  if (start === undefined) {
    let [before, at] = [date * day - 30 * 3_600_000, date * day + 30 * 3_600_000]
    while (at - before > 1000) {
      const middle = Math.floor((before + at) / 2000) * 1000
      if (wall(middle, timezone).date >= date) at = middle
      else before = middle
    }
    start = at
    starts.set(key, start)
  }
  return start
}

function mondayOf(date: number): number {
  return date - ((((date + 3) % 7) + 7) % 7) // because 1970 began on a Thursday
}

function monthOf(date: number): string {
  return new Date(date * day).toISOString().slice(0, 7)
}

function yearOf(date: number): number {
  return new Date(date * day).getUTCFullYear()
}

function firstOfYear(year: number): number {
  return Date.UTC(year, 0, 1) / day
}
