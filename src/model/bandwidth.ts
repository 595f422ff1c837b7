import type { TimeOfDay } from './schedule.ts'

/** From `from` up to, and without, `to`, each day in the organisation's time zone; over midnight when `to` is the earlier. */
export interface BandwidthRule {
  readonly from: TimeOfDay
  readonly to: TimeOfDay
  /** Bytes/s; 0 for not at this time. */
  readonly rate: number
}

/** The first rule that fits a moment holds; outside of them it goes as fast as it can. */
export type Bandwidth = readonly BandwidthRule[]

const midnight: TimeOfDay = { hour: 0, minute: 0 }

/** The same limit all day. @param rate - bytes/s. */
export function allDay(rate: number): Bandwidth {
  return [{ from: midnight, to: midnight, rate }]
}

/**
 * The limit of a moment in bytes/s; undefined for none.
 *
 * @param now - milliseconds since 1970, UTC.
 * @param timezone - IANA name.
 */
export function bandwidthAt(bandwidth: Bandwidth, now: number, timezone: string): number | undefined {
  const { hour, minute } = Temporal.Instant.fromEpochMilliseconds(Math.trunc(now)).toZonedDateTimeISO(timezone)
  const time = minutesOf({ hour, minute })
  return bandwidth.find(({ from, to }) => isBetween(time, minutesOf(from), minutesOf(to)))?.rate
}

function minutesOf({ hour, minute }: TimeOfDay): number {
  return hour * 60 + minute
}

function isBetween(time: number, from: number, to: number): boolean {
  return from < to ? time >= from && time < to : time >= from || time < to
}
