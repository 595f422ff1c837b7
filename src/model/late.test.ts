import assert from 'node:assert/strict'
import { test } from 'node:test'

import { hasMissedTwo, longestGap, oldestCopyInTime, oldestInTime } from './late.ts'
import { parseSchedule } from './schedule.ts'

const hourMs = 60 * 60 * 1000

test('the longest gap of a schedule is known in each of its forms', () => {
  const cases: readonly [string, number][] = [
    ['daily 03:00', 24],
    ['weekly sunday 05:00', 168],
    ['monthly last 05:00', 31 * 24],
    ['every 4 hours', 4],
    ['every 30 minutes', 0.5],
    ['cron "0 3 * * *"', 24],
    ['cron "0 3 * * 1-5"', 72],
    ['cron "0 9-17 * * 1-5"', 64],
    ['cron "0 0 1 1 *"', 366 * 24],
    ['cron "0 0 31 * *"', 61 * 24],
    ['cron "* * * * *"', 1 / 60],
  ]
  for (const [text, hours] of cases) assert.equal(longestGap(parseSchedule(text)) / hourMs, hours, text)
})

test('a daily backup is in time for 25 hours, and a weekly copy of it for a week more', () => {
  const [daily, weekly] = [parseSchedule('daily 03:00'), parseSchedule('weekly sunday 06:00')]
  assert.equal(oldestInTime(daily) / hourMs, 25)
  assert.equal(oldestCopyInTime(daily, undefined) / hourMs, 25)
  assert.equal(oldestCopyInTime(daily, weekly) / hourMs, 25 + 168)
})

test('two slots are missed when both have passed, the later one an hour ago', () => {
  const daily = parseSchedule('daily 03:00')
  const three = Date.UTC(2026, 0, 10, 3)
  const missed = (newest: number, now: number): boolean => hasMissedTwo(daily, newest, now, 'UTC')
  assert.equal(missed(three - 1, three + 25 * hourMs), true)
  assert.equal(missed(three - 1, three + 25 * hourMs - 1), false, 'the later one may still be late')
  assert.equal(missed(three, three + 25 * hourMs), false)
})
