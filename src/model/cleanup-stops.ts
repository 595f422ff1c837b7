import { ageOf } from './age.ts'
import { onClock } from './calendar.ts'
import { ageAllowed, longestGap } from './late.ts'
import { planRetention, type JudgedSnapshot, type RetainedSnapshot, type RetentionCase } from './plan-retention.ts'
import type { Project } from './project.ts'
import type { VerificationRecord } from './record.ts'
import { sliceCount } from './verification-slices.ts'

/** What keeps a clean-up of a project in a vault from removing anything. */
export interface CleanupStop {
  readonly kind: 'late' | 'damaged' | 'clock' | 'much'
  /** One sentence for people, without a full stop. */
  readonly text: string
  /** What to do. */
  readonly advice: string
}

/** What is looked at before anything goes. Moments are milliseconds since 1970, UTC. */
export interface StopFacts {
  readonly situation: RetentionCase
  readonly project: Project
  /** What was found by {@link planRetention} for that situation. */
  readonly judged: readonly JudgedSnapshot[]
  /** In the vault that runs write to, those that were made here. */
  readonly written: readonly RetainedSnapshot[]
  /** Vaults of the project in which damage was found that nobody has seen mended; see {@link isDamaged}. */
  readonly damagedVaults: readonly string[]
  /** When the last clean-up of the project in the vault ended that nothing stopped. */
  readonly lastAt?: number
  /** What the clock has shown since then, in the order in which it happened. */
  readonly moments: readonly number[]
}

/** All that stops it, the gravest first. */
export function findStops(facts: StopFacts): CleanupStop[] {
  return [...byDamage(facts), ...byAge(facts), ...byClock(facts), ...byAmount(facts)]
}

function byDamage({ project: { name }, damagedVaults }: StopFacts): CleanupStop[] {
  return damagedVaults.map((vault) => ({
    kind: 'damaged',
    text: `damage was found in ${vault}`,
    advice: `Mend it, and run \`bewaar verify --project=${name} --vault=${vault}\`: what is lost may be in what would go.`,
  }))
}

function byAge({ situation, project, written }: StopFacts): CleanupStop[] {
  if (project.paused && situation.isArchiveCleanup) return []
  const { now, timezone, vault, snapshots } = situation
  const places = [
    { name: project.vault, snapshots: written },
    ...(vault === project.vault ? [] : [{ name: vault, snapshots }]),
  ]
  return places.flatMap(({ name, snapshots }): CleanupStop[] => {
    const times = snapshots.flatMap(({ made }) => (made && made.at <= now ? [made.at] : []))
    const newestAt = times.reduce((newest, time) => Math.max(newest, time), -Infinity)
    const verb =
      name === project.vault ? `run --project=${project.name}` : `copy --project=${project.name} --to=${name}`
    const advice = `Run \`bewaar ${verb}\` first.`
    if (newestAt === -Infinity) return [{ kind: 'late', text: `there is no backup made here in ${name} yet`, advice }]
    const allowed = ageAllowed(project, name, newestAt, now, timezone)
    if (now - newestAt <= allowed) return []
    const text = `the newest backup in ${name} is ${ageOf(now - newestAt)} old, and may be ${ageOf(allowed)}`
    return [{ kind: 'late', text, advice }]
  })
}

/**
 * Whether a verification found damage, and none since has read the same and found it sound. A share that was drawn by lot is
 * not known to be the same.
 */
export function isDamaged(
  verifications: readonly Pick<VerificationRecord, 'status' | 'startedAt' | 'share' | 'slices'>[],
): boolean {
  const latestFirst = verifications.toSorted((a, b) => b.startedAt - a.startedAt)
  const sound = new Set<number>()
  for (const { status, share, slices } of latestFirst) {
    if (status === 'sound') {
      if (!slices && share === 1) return false
      for (const slice of slices ?? []) sound.add(slice)
    }
    if (status === 'damaged' && (!slices || slices.some((slice) => !sound.has(slice)))) return sound.size < sliceCount
  }
  return false
}

/** More than this backwards is no mere correction of the clock. */
const mostBackMs = 3_600_000
const weekMs = 7 * 24 * 3_600_000

function byClock({ situation, project, lastAt, moments }: StopFacts): CleanupStop[] {
  const { now, timezone } = situation
  const longestMs = Math.max(weekMs, 2 * longestGap(project.schedule))
  const day = onClock(now, timezone).toPlainDate().toString()
  const advice = `When today is ${day}, run \`bewaar cleanup --project=${project.name}\` and say so; else put the clock right.`
  const say = (time: number): string =>
    onClock(time, timezone).toPlainDateTime().round('minute').toString().replace('T', ' ').slice(0, 16)
  let [previous, latest] = [lastAt, lastAt ?? -Infinity]
  for (const moment of [...moments, now]) {
    if (moment < latest - mostBackMs) {
      return [{ kind: 'clock', text: `the clock went back from ${say(latest)} to ${say(moment)}`, advice }]
    }
    if (previous !== undefined && moment - previous > longestMs) {
      const text = `the clock went from ${say(previous)} to ${say(moment)} without a sign of life in between`
      return [{ kind: 'clock', text, advice }]
    }
    previous = moment
    latest = Math.max(latest, moment)
  }
  return []
}

/** So many may go that were due before, or a tenth of all if that is more. */
const fewest = 3

function byAmount({ situation, project: { name }, judged, lastAt }: StopFacts): CleanupStop[] {
  const due = findOverdue(situation, judged, lastAt)
  const most = Math.max(fewest, Math.ceil(situation.snapshots.length / 10))
  if (due.length <= most) return []
  const since = lastAt === undefined ? 'and nothing was cleaned up there before' : 'that were due before'
  const text = `${due.length} of ${situation.snapshots.length} backups would go ${since}, more than ${most}`
  return [{ kind: 'much', text, advice: `Run \`bewaar cleanup --project=${name}\`; it shows them and asks.` }]
}

/** Of what goes, that which the calendar has not brought since the last clean-up. */
function findOverdue(
  situation: RetentionCase,
  judged: readonly JudgedSnapshot[],
  lastAt: number | undefined,
): JudgedSnapshot[] {
  const goes = judged.filter(({ reasons }) => reasons.length === 0)
  if (lastAt === undefined) return goes
  const there = situation.snapshots.filter(({ seenAt }) => seenAt <= lastAt)
  const then = planRetention({ ...situation, now: lastAt, snapshots: there.map((one) => asOf(one, lastAt)) })
  const wasKept = new Set(then.flatMap(({ snapshot, reasons }) => (reasons.length > 0 ? [snapshot.id] : [])))
  return goes.filter(({ snapshot: { id, made, seenAt } }) => !wasKept.has(id) && (seenAt <= lastAt || !made))
}

/** A snapshot waited for its copy then, when that came later. */
function asOf(snapshot: RetainedSnapshot, time: number): RetainedSnapshot {
  const { copiedAt } = snapshot
  return copiedAt !== undefined && copiedAt > time ? { ...snapshot, awaitedBy: ['another vault'] } : snapshot
}
