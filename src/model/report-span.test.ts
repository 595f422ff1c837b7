import assert from 'node:assert/strict'
import { test } from 'node:test'

import { beginOfDay, endOfDay, lastDayOf, scheduledSpan, spanOf, type ReportPeriod } from './report-span.ts'
import { parseSchedule } from './schedule.ts'

const zone = 'Europe/Amsterdam'

function at(text: string, timezone = zone): number {
  return Temporal.PlainDateTime.from(text).toZonedDateTime(timezone).epochMilliseconds
}

function shown(moment: number, timezone = zone): string {
  const zoned = Temporal.Instant.fromEpochMilliseconds(moment).toZonedDateTimeISO(timezone)
  return zoned.toPlainDateTime().toString({ smallestUnit: 'minute' })
}

function spanAt(period: ReportPeriod, moment: string, timezone = zone): string[] {
  const { from, to } = spanOf(period, at(moment, timezone), timezone)
  return [shown(from, timezone), shown(to, timezone)]
}

test('a day and a week begin at the same time of day, also across changes of the clock and the end of a year', () => {
  assert.deepEqual(spanAt('day', '2025-11-21T07:00'), ['2025-11-20T07:00', '2025-11-21T07:00'])
  assert.deepEqual(spanAt('day', '2026-03-29T07:00'), ['2026-03-28T07:00', '2026-03-29T07:00'])
  assert.deepEqual(spanAt('week', '2025-10-27T08:00'), ['2025-10-20T08:00', '2025-10-27T08:00'])
  assert.deepEqual(spanAt('week', '2026-01-03T08:00'), ['2025-12-27T08:00', '2026-01-03T08:00'])
  const hours = ({ from, to }: { from: number; to: number }): number => (to - from) / 3_600_000
  assert.equal(hours(spanOf('day', at('2026-03-29T07:00'), zone)), 23)
  assert.equal(hours(spanOf('day', at('2025-10-26T07:00'), zone)), 25)
  assert.equal(hours(spanOf('week', at('2026-03-30T07:00'), zone)), 7 * 24 - 1)
})

test('a month is the last one of the calendar that is over', () => {
  assert.deepEqual(spanAt('month', '2026-01-01T00:00'), ['2025-12-01T00:00', '2026-01-01T00:00'])
  assert.deepEqual(spanAt('month', '2026-01-31T23:59'), ['2025-12-01T00:00', '2026-01-01T00:00'])
  assert.deepEqual(spanAt('month', '2024-03-31T08:00'), ['2024-02-01T00:00', '2024-03-01T00:00'])
  const march = spanOf('month', at('2026-04-02T08:00'), zone)
  assert.equal((march.to - march.from) / 3_600_000, 31 * 24 - 1)
})

test('a month begins with its first moment where a change of the clock leaves midnight out', () => {
  // because in Asuncion 1 October 2000 began at 01:00
  assert.deepEqual(spanAt('month', '2000-11-05T12:00', 'America/Asuncion'), ['2000-10-01T01:00', '2000-11-01T00:00'])
})

test('the spans of a scheduled digest follow each other without a gap or an overlap', () => {
  for (const text of ['daily 02:30', 'daily 00:00', 'weekly monday 08:00', 'cron "0 7 * * 1-5"']) {
    const schedule = parseSchedule(text)
    let end: number | undefined
    let sent: number[] = []
    for (let now = at('2025-03-01T12:00'); now < at('2026-04-01T12:00'); now += 11 * 3_600_000) {
      const span = scheduledSpan('day', schedule, now, zone, sent)
      if (span.to === end) continue
      assert.ok(span.from < span.to && span.to <= now)
      if (end !== undefined) assert.equal(span.from, end, `${text} ${shown(span.to)}`)
      end = span.to
      sent = [span.to]
    }
  }
})

test('a digest covers what those covered that were not sent, at most a month', () => {
  const daily = parseSchedule('daily 07:00')
  const now = at('2025-11-21T07:00')
  const from = (earlier: readonly string[]): string =>
    shown(
      scheduledSpan(
        'day',
        daily,
        now,
        zone,
        earlier.map((one) => at(one)),
      ).from,
    )
  assert.equal(from([]), '2025-11-20T07:00')
  assert.equal(from(['2025-11-20T07:00']), '2025-11-20T07:00')
  assert.equal(from(['2025-11-16T07:00', '2025-11-17T07:00']), '2025-11-17T07:00')
  assert.equal(from(['2025-11-21T07:00', '2025-11-18T07:00']), '2025-11-18T07:00')
  assert.equal(from(['2025-03-01T07:00']), '2025-10-21T07:00')
})

test('other reports end with their slot, and one without a schedule ends now', () => {
  const monday = parseSchedule('weekly monday 08:00')
  const { from, to } = scheduledSpan('week', monday, at('2025-11-19T12:00'), zone, [])
  assert.deepEqual([shown(from), shown(to)], ['2025-11-10T08:00', '2025-11-17T08:00'])
  const month = scheduledSpan('month', parseSchedule('monthly 1 08:00'), at('2026-01-03T12:00'), zone, [])
  assert.deepEqual([shown(month.from), shown(month.to)], ['2025-12-01T00:00', '2026-01-01T00:00'])
  const bare = scheduledSpan('day', undefined, at('2026-01-03T12:00'), zone, [at('2026-01-01T12:00')])
  assert.deepEqual([shown(bare.from), shown(bare.to)], ['2026-01-02T12:00', '2026-01-03T12:00'])
  const never = scheduledSpan('day', parseSchedule('cron "0 0 29 2 *"'), at('1970-01-05T00:00'), zone, [])
  assert.equal(shown(never.to).slice(0, 4), '1968')
})

test('a report is named after the day with which its span ends', () => {
  assert.equal(lastDayOf({ to: at('2025-11-21T07:00') }, zone), '2025-11-21')
  assert.equal(lastDayOf({ to: at('2025-12-01T00:00') }, zone), '2025-11-30')
  assert.equal(lastDayOf({ to: endOfDay('2026-03-29', zone) }, zone), '2026-03-29')
  assert.equal(shown(endOfDay('2024-02-29', zone)), '2024-03-01T00:00')
  assert.equal(shown(beginOfDay('2026-03-29', zone)), '2026-03-29T00:00')
})
