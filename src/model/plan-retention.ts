import { endOfTerm, onClock, periodOf, type Period } from './calendar.ts'
import { formatDuration } from './duration.ts'
import { formatHold, isAbout, isInForce, type Hold } from './hold.ts'
import { lockEnd } from './lock-term.ts'
import { Newer, type Compared, type Made, type WitnessedPeriod } from './newer.ts'
import { retentionCounts, type RetentionCount, type RetentionPolicy } from './retention.ts'

/** A snapshot in a vault, as retention sees it. Moments are milliseconds since 1970, UTC. */
export interface RetainedSnapshot {
  /** Full id. */
  readonly id: string
  /** What it says itself; nobody need believe it. */
  readonly claimedAt: number
  /** When this catalog first saw it in this vault. */
  readonly seenAt: number
  /** Absent: foreign. */
  readonly made?: Made
  /** The run that it names; to find the copies of what is held. */
  readonly run?: string
  /** All of it was read back, or it passed a restore test. */
  readonly isVerified: boolean
  /** Vaults that shall get a copy of it and have none yet. */
  readonly awaitedBy?: readonly string[]
  /** When the last of its copies was first seen in its vault. */
  readonly copiedAt?: number
}

/** All that decides what one project keeps in one vault. */
export interface RetentionCase {
  readonly project: string
  readonly vault: string
  /** Absent: everything is kept. */
  readonly policy?: RetentionPolicy
  /** Whether the vault locks what it gets until the end of its term. */
  readonly hasLocks?: boolean
  readonly snapshots: readonly RetainedSnapshot[]
  readonly holds: readonly Hold[]
  /** IANA name. */
  readonly timezone: string
  /** Milliseconds since 1970, UTC. */
  readonly now: number
  /** A person asks for what `prune: never` alone keeps. Default: no. */
  readonly isArchiveCleanup?: boolean
}

export type KeepKind =
  | RetentionCount
  | 'within'
  | 'for'
  | 'hold'
  | 'newest'
  | 'newest-verified'
  | 'future'
  | 'locked'
  | 'awaited'
  | 'never-pruned'
  | 'no-rule'

/** Why a snapshot is kept. */
export interface KeepReason {
  readonly kind: KeepKind
  /** For people: `daily 3 of 7`. */
  readonly text: string
}

export interface JudgedSnapshot {
  readonly snapshot: RetainedSnapshot
  /** The time by which it is counted. */
  readonly time: number
  /** Empty: it goes. */
  readonly reasons: readonly KeepReason[]
}

/** Says of each snapshot why it is kept, or that it goes; newest first. The exact rules are in docs/operate/retention.md. */
export function planRetention(situation: RetentionCase): JudgedSnapshot[] {
  const { now, policy } = situation
  const snapshots = situation.snapshots.map((snapshot): Timed => ({ ...timeOf(snapshot, now), snapshot }))
  setTermTimes(snapshots, now)
  const judge = policy ? new Judge(situation, policy, snapshots) : undefined
  return snapshots
    .map((one) => ({ snapshot: one.snapshot, time: one.time, reasons: judge ? judge.reasonsOf(one) : [noRule] }))
    .sort((a, b) => b.time - a.time || (a.snapshot.id < b.snapshot.id ? -1 : 1))
}

const noRule: KeepReason = { kind: 'no-rule', text: 'no rule for this vault' }

/** The rules that count stretches of the calendar. */
const periods: Readonly<Record<Exclude<RetentionCount, 'last'>, Period>> = {
  hourly: 'hour',
  daily: 'day',
  weekly: 'week',
  monthly: 'month',
  yearly: 'year',
}

interface Timed extends Compared {
  readonly snapshot: RetainedSnapshot
  /** From when its terms are counted. */
  termTime: number
  /** Its time as the clock shows it, once somebody has asked: finding it takes long. */
  onClock?: Temporal.ZonedDateTime
}

function timeOf({ made, claimedAt, seenAt }: RetainedSnapshot, now: number): Compared & { termTime: number } {
  const time = made?.at ?? Math.min(claimedAt, seenAt, now)
  return { time, termTime: time, ...(made && { made }) }
}

/** Because a clock that was behind must not make a backup older than the one before it. */
function setTermTimes(snapshots: readonly Timed[], now: number): void {
  const made = snapshots.filter((one) => one.made)
  let latest = -Infinity
  for (const one of made.sort((a, b) => a.made!.number - b.made!.number)) {
    if (one.time > now) continue
    latest = Math.max(latest, one.time)
    one.termTime = latest
  }
}

class Judge {
  readonly #situation: RetentionCase
  readonly #policy: RetentionPolicy
  readonly #holds: readonly Hold[]
  readonly #newer: Newer<Timed>
  readonly #newerVerified: Newer<Timed>
  /** The periods in which a snapshot lies, by rule: asked for many times of each. */
  readonly #periods = new Map<RetentionCount, Map<Timed, string>>()
  readonly #witnessed = new Map<RetentionCount, readonly WitnessedPeriod[]>()

  constructor(situation: RetentionCase, policy: RetentionPolicy, snapshots: readonly Timed[]) {
    const { holds, now, timezone } = situation
    this.#situation = situation
    this.#policy = policy
    this.#holds = holds.filter((hold) => isInForce(hold, now, timezone))
    this.#newer = new Newer(snapshots, now)
    this.#newerVerified = new Newer(
      snapshots.filter(({ snapshot }) => snapshot.isVerified),
      now,
    )
  }

  reasonsOf(one: Timed): KeepReason[] {
    const reasons = [...this.#held(one), ...this.#terms(one), ...this.#counts(one), ...this.#others(one)]
    if (reasons.length > 0 || this.#policy.prune !== 'never') return reasons
    if (this.#situation.isArchiveCleanup && hasRules(this.#policy)) return reasons
    return [{ kind: 'never-pruned', text: 'never pruned automatically' }]
  }

  #held({ snapshot }: Timed): KeepReason[] {
    const { project, vault } = this.#situation
    const about = { ...snapshot, project, vault }
    return this.#holds
      .filter((hold) => isAbout(hold, about))
      .map((hold) => ({ kind: 'hold', text: `hold: ${formatHold(hold)}` }))
  }

  #terms({ termTime }: Timed): KeepReason[] {
    const { now, timezone } = this.#situation
    const reasons: KeepReason[] = []
    for (const kind of ['within', 'for'] as const) {
      const term = this.#policy[kind]
      if (!term) continue
      const end = endOfTerm(term, onClock(termTime, timezone))
      if (end.epochMilliseconds <= now) continue
      const until = kind === 'for' ? `, until ${end.toPlainDate().toString()}` : ''
      reasons.push({ kind, text: `${kind} ${formatDuration(term)}${until}` })
    }
    return reasons
  }

  #counts(one: Timed): KeepReason[] {
    return retentionCounts.flatMap((rule) => {
      const most = this.#policy[rule]
      const nth = most === undefined ? undefined : this.#placeOf(one, rule, most)
      return nth === undefined ? [] : [{ kind: rule, text: `${rule} ${nth} of ${most}` }]
    })
  }

  /** Its place among the first `most`, from 1; undefined when it has none of them. */
  #placeOf(one: Timed, rule: RetentionCount, most: number): number | undefined {
    const own = this.#periodOf(one, rule)
    let nth = 1
    for (const period of this.#periodsOf(rule)) {
      if (period.latest < one.time) break
      if (!period.hasNewer(one)) continue
      if (period.name === own || nth === most) return undefined
      nth++
    }
    return nth
  }

  /** The one with the latest snapshot first. */
  #periodsOf(rule: RetentionCount): readonly WitnessedPeriod[] {
    const known = this.#witnessed.get(rule) ?? this.#newer.inPeriods((one) => this.#periodOf(one, rule))
    this.#witnessed.set(rule, known)
    return known
  }

  #periodOf(one: Timed, rule: RetentionCount): string {
    if (rule === 'last') return one.snapshot.id
    const known = this.#periods.get(rule) ?? new Map<Timed, string>()
    this.#periods.set(rule, known)
    let period = known.get(one)
    if (period === undefined) {
      one.onClock ??= onClock(one.time, this.#situation.timezone)
      period = periodOf(one.onClock, periods[rule])
      known.set(one, period)
    }
    return period
  }

  #others(one: Timed): KeepReason[] {
    const { now, hasLocks, timezone } = this.#situation
    const { snapshot, time, termTime } = one
    const reasons: KeepReason[] = []
    if (this.#newer.isNewest(one)) reasons.push({ kind: 'newest', text: 'newest' })
    if (snapshot.isVerified && this.#newerVerified.isNewest(one)) {
      reasons.push({ kind: 'newest-verified', text: 'newest verified' })
    }
    if (time > now) reasons.push({ kind: 'future', text: 'its time is in the future' })
    const end = hasLocks ? lockEnd(this.#policy, Math.max(termTime, snapshot.seenAt), timezone) : undefined
    if (end && end.epochMilliseconds > now) {
      const day = onClock(end.epochMilliseconds, timezone).toPlainDate()
      reasons.push({ kind: 'locked', text: `locked until ${day.toString()}` })
    }
    for (const vault of snapshot.awaitedBy ?? []) reasons.push({ kind: 'awaited', text: `not copied to ${vault} yet` })
    return reasons
  }
}

/** Whether a policy says more than that nothing goes by itself. */
export function hasRules(policy: RetentionPolicy): boolean {
  return [policy.within, policy.for, ...retentionCounts.map((rule) => policy[rule])].some((rule) => rule !== undefined)
}
