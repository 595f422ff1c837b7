import type { Schedule } from './schedule.ts'
import { lastSlot } from './slots.ts'

export const reportPeriods = ['day', 'week', 'month'] as const
export type ReportPeriod = (typeof reportPeriods)[number]

/** Half-open: from `from` up to, and without, `to`; milliseconds since 1970, UTC. */
export interface Span {
  readonly from: number
  readonly to: number
}

/**
 * What a report covers by the calendar of `timezone`: the day or the seven days up to `moment`, from the same time of day;
 * of a month, the last one that was over by then.
 *
 * @param moment - milliseconds since 1970, UTC.
 * @param timezone - IANA name.
 */
export function spanOf(period: ReportPeriod, moment: number, timezone: string): Span {
  const end = zoned(moment, timezone)
  switch (period) {
    case 'day':
      return { from: end.subtract({ days: 1 }).epochMilliseconds, to: moment }
    case 'week':
      return { from: end.subtract({ weeks: 1 }).epochMilliseconds, to: moment }
    case 'month': {
      const begin = end.toPlainDate().with({ day: 1 })
      const [from, to] = [begin.subtract({ months: 1 }), begin]
      return { from: midnight(from, timezone), to: midnight(to, timezone) }
    }
    default:
      return period satisfies never
  }
}

/**
 * What a report that a schedule asks for covers: it ends with its slot. A daily one begins where the one before it ended, so
 * that there is neither a gap nor an overlap; at the slot before when there was none, and at most a month back.
 *
 * @param schedule - absent: it was taken out of the configuration, and now is its slot.
 * @param earlier - slots of daily reports that were sent, in any order.
 */
export function scheduledSpan(
  period: ReportPeriod,
  schedule: Schedule | undefined,
  now: number,
  timezone: string,
  earlier: readonly number[],
): Span {
  const slot = (schedule && lastSlot(schedule, now, timezone)) ?? now
  const usual = spanOf(period, slot, timezone)
  if (period !== 'day' || !schedule) return usual
  const sent = Math.max(...earlier.filter((one) => one < slot))
  const before = lastSlot(schedule, slot - 1, timezone) ?? usual.from
  const longest = zoned(slot, timezone).subtract({ months: 1 }).epochMilliseconds
  return { from: Number.isFinite(sent) ? Math.max(Math.min(sent, before), longest) : before, to: slot }
}

/** The first moment of a day of the calendar. @param date - `2025-11-21`. */
export function beginOfDay(date: string, timezone: string): number {
  return midnight(Temporal.PlainDate.from(date), timezone)
}

/** The end of a day of the calendar. @param date - `2025-11-21`. */
export function endOfDay(date: string, timezone: string): number {
  return midnight(Temporal.PlainDate.from(date).add({ days: 1 }), timezone)
}

/**
 * The day that a report is named after, `2025-11-21`: the one in which its span ends, or that ends with it.
 */
export function lastDayOf({ to }: Pick<Span, 'to'>, timezone: string): string {
  return zoned(to - 1, timezone)
    .toPlainDate()
    .toString()
}

function zoned(moment: number, timezone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(Math.trunc(moment)).toZonedDateTimeISO(timezone)
}

/** The first moment of a day: in some places a change of the clock leaves midnight out. */
function midnight(date: Temporal.PlainDate, timezone: string): number {
  return date.toZonedDateTime(timezone).epochMilliseconds
}
