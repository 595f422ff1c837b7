import { latestMatch, type Schedule } from './schedule.ts'

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

/** After a leap year, so that each day of the calendar is in it, and on a Tuesday, so that a weekend comes soon. */
const yearEnd = Date.UTC(2029, 0, 2)
const mostMoments = 1000

function longestGapOf(pattern: string): number {
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
