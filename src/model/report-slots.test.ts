import assert from 'node:assert/strict'
import { test } from 'node:test'

import { array, assert as check, integer, property } from 'fast-check'

import { countScheduled, type RunHistory } from './report-slots.ts'
import { parseSchedule } from './schedule.ts'

const zone = 'Europe/Amsterdam'
const daily = parseSchedule('daily 03:00')
const hourMs = 3_600_000

function at(text: string): number {
  return Temporal.PlainDateTime.from(text).toZonedDateTime(zone).epochMilliseconds
}

function runs(...begun: readonly (readonly [string, RunHistory['runs'][number]['status']])[]): RunHistory['runs'] {
  return begun.map(([time, status]) => ({ startedAt: at(time), status }))
}

const week = { from: at('2026-03-23T07:00'), to: at('2026-03-30T07:00') }
const before = at('2026-01-01T00:00')

function count(history: RunHistory['runs'], now = week.to, firstRunAt: number | undefined = before): string {
  const history_ = { runs: history, ...(firstRunAt !== undefined && { firstRunAt }) }
  const { due, succeeded } = countScheduled(daily, history_, week, now, zone)
  return `${succeeded}/${due}`
}

test('a slot succeeds by a complete run before the next one, also by the second attempt or in the evening', () => {
  const good = runs(
    ['2026-03-24T03:00', 'complete'],
    ['2026-03-25T03:00', 'failed'],
    ['2026-03-25T03:20', 'complete'],
    ['2026-03-26T22:00', 'complete'],
    ['2026-03-27T03:00', 'incomplete'],
    ['2026-03-28T03:00', 'complete'],
    ['2026-03-28T12:00', 'complete'],
    ['2026-03-29T04:00', 'cancelled'],
    ['2026-03-30T03:00', 'complete'],
  )
  assert.equal(count(good), '5/7')
  assert.equal(count([]), '0/7')
})

test('the night in which the clock is put forward has one slot, and so has the one in which it is put back', () => {
  const span = (day: string) => ({ from: at(`${day}T00:00`), to: at(`${day}T12:00`) })
  for (const [text, day] of [
    ['daily 02:30', '2026-03-29'],
    ['daily 02:30', '2026-10-25'],
    ['daily 03:00', '2026-03-29'],
  ] as const) {
    const { due } = countScheduled(
      parseSchedule(text),
      { runs: [], firstRunAt: before },
      span(day),
      week.to + 1e12,
      zone,
    )
    assert.equal(due, 1, `${text} ${day}`)
  }
})

test('what was due before the first run is not counted, and nothing where there was none', () => {
  assert.equal(count(runs(['2026-03-29T10:00', 'complete']), week.to, at('2026-03-29T10:00')), '1/2')
  assert.deepEqual(countScheduled(daily, { runs: [] }, week, week.to, zone), { due: 0, succeeded: 0 })
  const rare = parseSchedule('cron "0 0 31 1 1"')
  assert.deepEqual(countScheduled(rare, { runs: [], firstRunAt: 0 }, week, week.to, zone), { due: 0, succeeded: 0 })
})

test('a slot whose run is under way, or may come within the hour, is not missed yet', () => {
  const span = { from: at('2026-03-29T07:00'), to: at('2026-03-30T03:30') }
  const missed = (now: string, ...begun: readonly (readonly [string, RunHistory['runs'][number]['status']])[]) => {
    const { due } = countScheduled(daily, { runs: runs(...begun), firstRunAt: before }, span, at(now), zone)
    return due
  }
  assert.equal(missed('2026-03-30T03:30'), 0)
  assert.equal(missed('2026-03-30T04:01'), 1)
  assert.equal(missed('2026-03-30T05:00', ['2026-03-30T03:00', 'running']), 0)
  assert.equal(missed('2026-03-31T05:00', ['2026-03-30T03:00', 'running']), 1)
  assert.equal(missed('2026-03-30T03:20', ['2026-03-30T03:00', 'complete']), 1)
})

test('a run after the end of the span counts for the slot it was made for', () => {
  const span = { from: at('2026-03-28T00:00'), to: at('2026-03-30T04:00') }
  const late = runs(['2026-03-30T23:00', 'complete'])
  assert.deepEqual(countScheduled(daily, { runs: late, firstRunAt: before }, span, at('2026-04-20T00:00'), zone), {
    due: 3,
    succeeded: 1,
  })
})

test('every few hours: counts agree with slots that were counted one by one', () => {
  const begin = Date.UTC(2026, 0, 5) - hourMs
  check(
    property(
      integer({ min: 1, max: 12 }),
      array(integer({ min: 0, max: 200 * 60 }), { maxLength: 30 }),
      integer({ min: 0, max: 100 }),
      (hours, minutes, offset) => {
        const history = minutes.map((minute) => ({ startedAt: begin + minute * 60_000, status: 'complete' as const }))
        const span = { from: begin + offset * hourMs, to: begin + (offset + 90) * hourMs }
        const schedule = parseSchedule(`every ${hours} hours`)
        const found = countScheduled(schedule, { runs: history, firstRunAt: 0 }, span, begin + 1e10, zone)
        // because intervals begin with a Monday of 1970 there, which began an hour before the one of UTC
        const first = Date.UTC(1970, 0, 5) - hourMs
        const slots = new Set(history.map(({ startedAt }) => Math.floor((startedAt - first) / (hours * hourMs))))
        const [from, to] = [span.from, span.to].map((moment) => Math.ceil((moment - first) / (hours * hourMs)))
        const succeeded = [...slots].filter((slot) => slot >= from! && slot < to!).length
        assert.deepEqual(found, { due: to! - from!, succeeded })
      },
    ),
    { numRuns: 200 },
  )
})
