import { planRetention, type JudgedSnapshot, type RetainedSnapshot, type RetentionCase } from './plan-retention.ts'
import { parseDuration } from './duration.ts'
import type { RetentionCount, RetentionPolicy } from './retention.ts'

export const amsterdam = 'Europe/Amsterdam'
const dayMs = 86_400_000

/** A policy as the configuration writes it. */
export type WrittenPolicy = Partial<Record<RetentionCount, number>> & {
  readonly within?: string
  readonly for?: string
  readonly prune?: 'never'
}

export function policyOf({ within, for: duty, prune, ...counts }: WrittenPolicy): RetentionPolicy {
  return {
    ...counts,
    prune: prune ?? 'automatic',
    ...(within !== undefined && { within: parseDuration(within) }),
    ...(duty !== undefined && { for: parseDuration(duty) }),
  }
}

/** `2026-11-22T03:00` on the clock of a zone, as milliseconds. */
export function moment(wall: string, timezone = amsterdam): number {
  return Temporal.PlainDateTime.from(wall).toZonedDateTime(timezone).epochMilliseconds
}

/** A snapshot that was made here. */
export function made(number: number, at: number, rest: Partial<RetainedSnapshot> = {}): RetainedSnapshot {
  const id = `s${String(number).padStart(4, '0')}`
  return { id, claimedAt: at, seenAt: at, made: { number, at, isComplete: true }, isVerified: false, ...rest }
}

/** One a day at the same time of day, the newest on `last`: the numbers are in the order of time, from 1. */
export function dailies(last: string, count: number, timezone = amsterdam): RetainedSnapshot[] {
  const newest = Temporal.PlainDateTime.from(last)
  return Array.from({ length: count }, (_, index) => {
    const day = newest.subtract({ days: count - 1 - index })
    return made(index + 1, day.toZonedDateTime(timezone).epochMilliseconds)
  })
}

/** One that says it was made at a time, and was first seen later, or as late as is said. */
export function foreign(id: string, claimedAt: number, seenAt = claimedAt + dayMs): RetainedSnapshot {
  return { id, claimedAt, seenAt, isVerified: false }
}

export function caseOf(
  policy: WrittenPolicy | undefined,
  snapshots: readonly RetainedSnapshot[],
  now: number,
  rest: Partial<RetentionCase> = {},
): RetentionCase {
  return {
    project: 'shop',
    vault: 'local',
    snapshots,
    holds: [],
    timezone: amsterdam,
    now,
    ...(policy && { policy: policyOf(policy) }),
    ...rest,
  }
}

/** The ids that stay, oldest first. */
export function keptOf(situation: RetentionCase): string[] {
  return keptIn(planRetention(situation))
}

export function keptIn(judged: readonly JudgedSnapshot[]): string[] {
  return judged.flatMap(({ snapshot, reasons }) => (reasons.length > 0 ? [snapshot.id] : [])).toReversed()
}

/** Why each stays, by its id, in the words of the plan. */
export function whyOf(situation: RetentionCase): Record<string, string> {
  return Object.fromEntries(
    planRetention(situation).map(({ snapshot, reasons }) => [snapshot.id, reasons.map(({ text }) => text).join('; ')]),
  )
}
