import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseSchedule } from './schedule.ts'
import { lastSlot } from './slots.ts'

const amsterdam = 'Europe/Amsterdam'

function lastOf(schedule: string, now: string, timezone = amsterdam): string | undefined {
  const slot = lastSlot(parseSchedule(schedule), Temporal.Instant.from(now).epochMilliseconds, timezone)
  return slot === undefined ? undefined : new Date(slot).toISOString().replace(':00.000Z', 'Z')
}

/** Every slot that is the last one at some five minutes of a time, from the beginning of that on. */
function slotsBetween(schedule: string, from: string, to: string, timezone = amsterdam): string[] {
  const [begin, end] = [from, to].map((text) => Temporal.Instant.from(text).epochMilliseconds) as [number, number]
  const parsed = parseSchedule(schedule)
  const slots: number[] = []
  for (let now = begin; now < end; now += 300_000) {
    const slot = lastSlot(parsed, now, timezone)
    if (slot !== undefined && slot >= begin && slot !== slots.at(-1)) slots.push(slot)
  }
  return slots.map((slot) => new Date(slot).toISOString().replace(':00.000Z', 'Z'))
}

const cases: readonly [what: string, schedule: string, now: string, expected: string][] = [
  ['a day, after its time', 'daily 03:00', '2026-01-10T12:00Z', '2026-01-10T02:00Z'],
  ['a day, before its time', 'daily 03:00', '2026-01-10T01:59:59Z', '2026-01-09T02:00Z'],
  ['a day, at its time', 'daily 03:00', '2026-01-10T02:00Z', '2026-01-10T02:00Z'],
  ['a day in summer', 'daily 03:00', '2026-07-10T12:00Z', '2026-07-10T01:00Z'],
  ['the last day of a year', 'daily 23:30', '2026-01-01T00:00Z', '2025-12-31T22:30Z'],
  ['a week, on its day', 'weekly sunday 05:00', '2026-01-11T04:00Z', '2026-01-11T04:00Z'],
  ['a week, before its time', 'weekly sunday 05:00', '2026-01-11T03:59Z', '2026-01-04T04:00Z'],
  ['a week, the day before', 'weekly monday 00:00', '2026-01-11T22:59Z', '2026-01-04T23:00Z'],
  ['a week, the day after', 'weekly sunday 05:00', '2026-01-12T12:00Z', '2026-01-11T04:00Z'],
  ['a month', 'monthly 15 04:00', '2026-02-20T12:00Z', '2026-02-15T03:00Z'],
  ['a month, before its day', 'monthly 15 04:00', '2026-02-10T12:00Z', '2026-01-15T03:00Z'],
  ['the last day of a short month', 'monthly last 04:00', '2026-03-10T12:00Z', '2026-02-28T03:00Z'],
  ['the last day of a leap February', 'monthly last 04:00', '2028-03-10T12:00Z', '2028-02-29T03:00Z'],
  ['the last day of a long month', 'monthly last 04:00', '2026-01-31T03:00Z', '2026-01-31T03:00Z'],
  ['before the last day of a month', 'monthly last 04:00', '2026-03-31T01:59Z', '2026-02-28T03:00Z'],
  ['January reaches back to December', 'monthly last 04:00', '2026-01-02T00:00Z', '2025-12-31T03:00Z'],
  ['some hours', 'every 4 hours', '2026-01-10T12:30Z', '2026-01-10T11:00Z'],
  ['some minutes', 'every 15 minutes', '2026-01-10T12:44:59Z', '2026-01-10T12:30Z'],
  ['a week in hours', 'every 168 hours', '2026-01-14T12:00Z', '2026-01-11T23:00Z'],
  ['a pattern', 'cron "0 3 * * *"', '2026-01-10T12:00Z', '2026-01-10T02:00Z'],
  ['a pattern at its moment', 'cron "0 3 * * *"', '2026-01-10T02:00Z', '2026-01-10T02:00Z'],
  ['a pattern just before', 'cron "0 3 * * *"', '2026-01-10T01:59:59.999Z', '2026-01-09T02:00Z'],
  ['a pattern of the last day', 'cron "30 1 L * *"', '2026-03-10T12:00Z', '2026-02-28T00:30Z'],
  ['a pattern of a rare day', 'cron "0 0 29 2 *"', '2027-03-10T12:00Z', '2024-02-28T23:00Z'],
]

for (const [what, schedule, now, expected] of cases) {
  test(`the last slot of ${what} is found`, () => assert.equal(lastOf(schedule, now), expected))
}

test('a time that spring leaves out comes an hour later, once', () => {
  const expected = ['2026-03-28T01:30Z', '2026-03-29T01:30Z', '2026-03-30T00:30Z']
  for (const schedule of ['daily 02:30', 'cron "30 2 * * *"']) {
    assert.deepEqual(slotsBetween(schedule, '2026-03-28T00:00Z', '2026-03-31T00:00Z'), expected, schedule)
  }
  assert.deepEqual(slotsBetween('weekly sunday 02:30', '2026-03-22T00:00Z', '2026-04-06T00:00Z'), [
    '2026-03-22T01:30Z',
    '2026-03-29T01:30Z',
    '2026-04-05T00:30Z',
  ])
})

test('a time that autumn has twice counts the first time alone', () => {
  const expected = ['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z']
  for (const schedule of ['daily 02:30', 'cron "30 2 * * *"']) {
    assert.deepEqual(slotsBetween(schedule, '2026-10-24T00:00Z', '2026-10-27T00:00Z'), expected, schedule)
  }
})

test('two slots that spring puts in another order are both there', () => {
  // 02:30 comes at 03:30, after 03:15
  assert.deepEqual(slotsBetween('cron "15,30 2,3 * * *"', '2026-03-29T00:00Z', '2026-03-29T06:00Z'), [
    '2026-03-29T01:15Z',
    '2026-03-29T01:30Z',
  ])
  assert.deepEqual(slotsBetween('cron "30 2,3 * * *"', '2026-10-25T00:00Z', '2026-10-25T06:00Z'), [
    '2026-10-25T00:30Z',
    '2026-10-25T02:30Z',
  ])
  assert.equal(lastOf('cron "30 2,3 * * *"', '2026-03-29T01:40Z'), '2026-03-29T01:30Z')
})

test('intervals are as long as ever on a day with a change of the clock', () => {
  for (const day of ['2026-03-29', '2026-10-25']) {
    const slots = slotsBetween('every 3 hours', `${day}T00:00Z`, `${day}T23:59Z`)
    assert.equal(slots.length, 8)
    const gaps = slots.slice(1).map((slot, nth) => Date.parse(slot) - Date.parse(slots[nth]!))
    assert.deepEqual(new Set(gaps), new Set([3 * 3_600_000]))
  }
})

test('each day of two years has one slot, in order, whatever the zone', () => {
  const schedule = parseSchedule('daily 02:15')
  const begin = Temporal.Instant.from('2026-01-01T12:00Z').epochMilliseconds
  for (const timezone of [amsterdam, 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC']) {
    const slots = new Set<number>()
    for (let now = begin; now < begin + 730 * 86_400_000; now += 4 * 3_600_000)
      slots.add(lastSlot(schedule, now, timezone)!)
    const dates = [...slots].map((slot) =>
      Temporal.Instant.fromEpochMilliseconds(slot).toZonedDateTimeISO(timezone).toPlainDate(),
    )
    for (const [nth, date] of dates.entries()) {
      assert.equal(date.toString(), dates[0]!.add({ days: nth }).toString(), timezone)
    }
  }
})

test('a pattern that had no moment before has no slot', () => {
  assert.equal(lastOf('cron "0 0 29 2 *"', '0004-01-01T00:00Z'), undefined)
})
