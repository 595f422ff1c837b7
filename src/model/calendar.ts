import type { Duration } from './duration.ts'

/** Stretches of the calendar in which retention counts. */
export type Period = 'hour' | 'day' | 'week' | 'month' | 'year'

/** A moment as the clock of a time zone shows it. @param time - milliseconds since 1970, UTC. @param timezone - IANA name. */
export function onClock(time: number, timezone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(time)).toZonedDateTimeISO(timezone)
}

/** The same for all moments of one period, and for none of another. An hour that the clock shows twice is two. */
export function periodOf(moment: Temporal.ZonedDateTime, period: Period): string {
  const { year, month, day, hour, offset, yearOfWeek, weekOfYear } = moment
  switch (period) {
    case 'hour':
      return `${year}-${month}-${day} ${hour} ${offset}`
    case 'day':
      return `${year}-${month}-${day}`
    case 'week':
      return `${yearOfWeek}-W${weekOfYear}`
    case 'month':
      return `${year}-${month}`
    case 'year':
      return `${year}`
    default:
      return period satisfies never
  }
}

/**
 * When a term is over that began at `begin`: in years at the end of the calendar year, else at the end of the day, in which
 * it would be over to the minute. Half-open: the first moment that is not in it.
 */
export function endOfTerm({ amount, unit }: Duration, begin: Temporal.ZonedDateTime): Temporal.ZonedDateTime {
  const end = begin.add({ [`${unit}s`]: amount }).startOfDay()
  return unit === 'year'
    ? end.with({ month: 1, day: 1 }).add({ years: 1 }).startOfDay()
    : end.add({ days: 1 }).startOfDay()
}
