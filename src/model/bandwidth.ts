import { formatTimeOfDay, type TimeOfDay } from './schedule.ts'

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

/** In the words of the configuration: `10 MB/s`, or a list of rules. */
export function describeBandwidth(
  bandwidth: Bandwidth,
): string | readonly { readonly from: string; readonly to: string; readonly rate: string }[] {
  const [first, ...others] = bandwidth
  if (first && others.length === 0 && minutesOf(first.from) === minutesOf(first.to)) return formatRate(first.rate)
  return bandwidth.map(({ from, to, rate }) => ({
    from: formatTimeOfDay(from),
    to: formatTimeOfDay(to),
    rate: formatRate(rate),
  }))
}

const units = [
  [1e9, 'GB/s'],
  [1e6, 'MB/s'],
  [1e3, 'KB/s'],
] as const

/** Exact, so that it reads back the same. */
function formatRate(rate: number): string {
  const [factor, unit] = units.find(([factor]) => rate >= factor) ?? [1, 'B/s']
  return rate === 0 ? '0' : `${rate / factor} ${unit}`
}

function minutesOf({ hour, minute }: TimeOfDay): number {
  return hour * 60 + minute
}

function isBetween(time: number, from: number, to: number): boolean {
  return from < to ? time >= from && time < to : time >= from || time < to
}
