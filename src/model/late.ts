import type { Project } from './project.ts'
import { latestMatch, type Schedule } from './schedule.ts'
import { lastSlot } from './slots.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
/** How long after the longest gap of its schedule a backup may still come: a run takes its time. */
const graceMs = hourMs

/**
 * The longest time between two moments of a schedule, in milliseconds. Of a pattern of `cron`, what a year shows, or its
 * latest thousand moments.
 */
export function longestGap(schedule: Schedule): number {
  switch (schedule.kind) {
    case 'daily':
      return dayMs
    case 'weekly':
      return 7 * dayMs
    case 'monthly':
      return 31 * dayMs
    case 'every':
      return schedule.amount * (schedule.unit === 'hour' ? hourMs : minuteMs)
    case 'cron':
      return longestGapOf(schedule.pattern)
    default:
      return schedule satisfies never
  }
}

/** How old the newest backup may be where a run writes to: 25 hours for a daily one. */
export function oldestInTime(schedule: Schedule): number {
  return longestGap(schedule) + graceMs
}

/** The same in a vault that gets copies: after each run, or on a schedule of its own, when what it gets is a gap old. */
export function oldestCopyInTime(schedule: Schedule, copying: Schedule | undefined): number {
  return oldestInTime(schedule) + (copying ? longestGap(copying) : 0)
}

/**
 * How old the newest backup of a project may be in a vault: longer by what the clock on the wall was put back in between, because
 * a day of 25 hours is no delay.
 *
 * @param newestAt - when it was made, and `now`: milliseconds since 1970, UTC.
 * @param timezone - IANA name.
 */
export function ageAllowed(
  { schedule, vault, copies }: Project,
  name: string,
  newestAt: number,
  now: number,
  timezone: string,
): number {
  const copying = copies.find(({ to }) => to === name)?.schedule
  const allowed = name === vault ? oldestInTime(schedule) : oldestCopyInTime(schedule, copying)
  return allowed + Math.max(0, offsetAt(newestAt, timezone) - offsetAt(now, timezone))
}

function offsetAt(time: number, timezone: string): number {
  const instant = Temporal.Instant.fromEpochMilliseconds(Math.floor(time))
  return instant.toZonedDateTimeISO(timezone).offsetNanoseconds / 1_000_000
}

/**
 * Whether two slots of a schedule in a row have passed without a backup, the latest an hour ago: what the longest gap alone
 * would hide where gaps differ, such as a weekend.
 */
export function hasMissedTwo(schedule: Schedule, newestAt: number, now: number, timezone: string): boolean {
  const latest = lastSlot(schedule, now - graceMs, timezone)
  const before = latest === undefined ? undefined : lastSlot(schedule, latest - 1, timezone)
  return before !== undefined && newestAt < before
}

/** After a leap year, so that each day of the calendar is in it, and on a Tuesday, so that a weekend comes soon. */
const yearEnd = Date.UTC(2029, 0, 2)
const mostMoments = 1000

/** Because walking through a year takes a third of a second, and the answer is always the same. */
const gaps = new Map<string, number>()

function longestGapOf(pattern: string): number {
  const known = gaps.get(pattern)
  if (known !== undefined) return known
  const longest = walkGaps(pattern)
  gaps.set(pattern, longest)
  return longest
}

function walkGaps(pattern: string): number {
  let [longest, later] = [0, latestMatch(pattern, yearEnd)]
  for (let left = mostMoments; left > 0 && later !== undefined; left--) {
    const earlier = latestMatch(pattern, later - minuteMs)
    if (earlier === undefined) break
    longest = Math.max(longest, later - earlier)
    if (yearEnd - earlier > 367 * dayMs) break
    later = earlier
  }
  return longest
}
