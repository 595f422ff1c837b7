import { latestMatch, weekdays, type Schedule } from './schedule.ts'

const minuteMs = 60_000
/** No clock is changed by more at once. */
const largestChange = { hours: 3 }
/** A Monday, so that `every 168 hours` begins with the week. */
const intervalsBegin = '1970-01-05T00:00'

/**
 * The latest slot of a schedule at or before a moment: milliseconds since 1970, UTC; undefined when a pattern of `cron` had
 * none before it.
 *
 * A time of day that a change of the clock leaves out comes as much later; one that comes twice counts the first time. So
 * each slot of a day is there once. `every` counts real time from a midnight of 1970, without regard to such changes.
 *
 * @param now - milliseconds since 1970, UTC.
 * @param timezone - IANA name.
 */
export function lastSlot(schedule: Schedule, now: number, timezone: string): number | undefined {
  if (schedule.kind === 'every') return lastInterval(schedule, now, timezone)
  const instant = Temporal.Instant.fromEpochMilliseconds(Math.floor(now))
  const wallAt = (moment: Temporal.Instant): Temporal.PlainDateTime =>
    moment.toZonedDateTimeISO(timezone).toPlainDateTime()
  // because slots beside a change of the clock need not come in the order of the clock on the wall
  const before = wallAt(instant).subtract(largestChange)
  const after = wallAt(instant).add(largestChange)
  const isPlain =
    wallAt(instant.subtract(largestChange)).equals(before) && wallAt(instant.add(largestChange)).equals(after)
  const [from, until] = isPlain ? [wallAt(instant), wallAt(instant)] : [after, before]

  let latest: number | undefined
  let wall = latestOnWall(schedule, from)
  while (wall) {
    const slot = wall.toZonedDateTime(timezone).epochMilliseconds
    if (slot <= now && (latest === undefined || slot > latest)) latest = slot
    if (latest !== undefined && Temporal.PlainDateTime.compare(wall, until) <= 0) break
    wall = latestOnWall(schedule, wall.subtract({ minutes: 1 }))
  }
  return latest
}

/** Sixteen years: far enough for a 29 February, also where a leap year is left out. */
const farthestMs = 2 ** 23 * minuteMs

/** The first slot of a schedule after a moment, by the same rules; undefined when there is none within sixteen years. */
export function nextSlot(schedule: Schedule, now: number, timezone: string): number | undefined {
  const slotAfter = (moment: number): number | undefined => {
    const slot = lastSlot(schedule, moment, timezone)
    return slot !== undefined && slot > now ? slot : undefined
  }
  let next: number | undefined
  for (let ahead = minuteMs; next === undefined && ahead <= farthestMs; ahead *= 2) next = slotAfter(now + ahead)
  // mostly that is the one; where slots are dense, there are many before it
  let before = now
  while (next !== undefined) {
    const earlier = slotAfter(next - 1)
    if (earlier === undefined) return next
    const middle = Math.floor((before + earlier) / 2)
    const firstHalf = slotAfter(middle)
    if (firstHalf === undefined) before = middle
    next = firstHalf ?? earlier
  }
  return undefined
}

function lastInterval({ amount, unit }: Schedule & { kind: 'every' }, now: number, timezone: string): number {
  const begin = Temporal.PlainDateTime.from(intervalsBegin).toZonedDateTime(timezone).epochMilliseconds
  const length = amount * (unit === 'hour' ? 60 : 1) * minuteMs
  return begin + Math.floor((now - begin) / length) * length
}

/** The latest time that a schedule names at or before another one, both as the clock on the wall shows them. */
function latestOnWall(
  schedule: Exclude<Schedule, { kind: 'every' }>,
  wall: Temporal.PlainDateTime,
): Temporal.PlainDateTime | undefined {
  const isPast = (time: Temporal.PlainDateTime): boolean => Temporal.PlainDateTime.compare(time, wall) <= 0
  switch (schedule.kind) {
    case 'daily': {
      const today = wall.withPlainTime(schedule.at)
      return isPast(today) ? today : today.subtract({ days: 1 })
    }
    case 'weekly': {
      const days = (wall.dayOfWeek - 1 - weekdays.indexOf(schedule.weekday) + 7) % 7
      const thisWeek = wall.withPlainTime(schedule.at).subtract({ days })
      return isPast(thisWeek) ? thisWeek : thisWeek.subtract({ weeks: 1 })
    }
    case 'monthly': {
      // because there is no day 31 in some months, and Temporal takes the last one in its place
      const day = schedule.day === 'last' ? 31 : schedule.day
      const thisMonth = wall.withPlainTime(schedule.at).with({ day })
      return isPast(thisMonth) ? thisMonth : thisMonth.with({ day: 1 }).subtract({ months: 1 }).with({ day })
    }
    case 'cron': {
      const match = latestMatch(schedule.pattern, wall.toZonedDateTime('UTC').epochMilliseconds)
      const utc = match === undefined ? undefined : Temporal.Instant.fromEpochMilliseconds(match)
      return utc?.toZonedDateTimeISO('UTC').toPlainDateTime()
    }
    default:
      return schedule satisfies never
  }
}
