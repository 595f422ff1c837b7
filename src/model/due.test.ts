import assert from 'node:assert/strict'
import { test } from 'node:test'

import { catchUpAt, judgeDue, retryAt, type Attempt } from './due.ts'
import { parseSchedule } from './schedule.ts'
import { lastSlot, nextSlot } from './slots.ts'

const minute = 60_000
const hour = 60 * minute
const slot = Date.parse('2026-11-02T02:00:00Z')
const times = { slot, next: slot + 24 * hour }

function attempt(after: number, outcome: Attempt['outcome'], of: number | undefined = slot): Attempt {
  return { startedAt: slot + after, outcome, ...(of !== undefined && { slot: of }) }
}

test('a slot without an attempt is due, however long ago it came', () => {
  assert.deepEqual(judgeDue(times, [], slot), { isDue: true, slot, attempt: 1 })
  assert.deepEqual(judgeDue(times, [], slot + 23 * hour), { isDue: true, slot, attempt: 1 })
})

test('one success meets a slot, also one that a person asked for since', () => {
  const met = { isDue: false, at: times.next }
  assert.deepEqual(judgeDue(times, [attempt(0, 'done')], slot + hour), met)
  const byHand: Attempt = { startedAt: slot + minute, outcome: 'done' }
  assert.deepEqual(judgeDue(times, [byHand], slot + hour), met)
  assert.deepEqual(judgeDue(times, [attempt(minute, 'done', slot - hour)], slot + hour), met)
})

test('what lies in the future of the clock meets only the slot that it was made for', () => {
  const ahead = attempt(400 * 24 * hour, 'done', slot + 400 * 24 * hour)
  assert.equal(judgeDue(times, [ahead], slot + hour).isDue, true)
  assert.equal(judgeDue(times, [attempt(2 * hour, 'done')], slot + hour).isDue, false)
})

test('what is being done is looked at again in a minute, or at the next slot', () => {
  assert.deepEqual(judgeDue(times, [attempt(0, 'running')], slot + hour), { isDue: false, at: slot + hour + minute })
  const soon = { slot, next: slot + 30_000 }
  assert.deepEqual(judgeDue(soon, [attempt(0, 'running')], slot), { isDue: false, at: slot + 30_000 })
})

test('a failure is tried again later and later, and never after the next slot', () => {
  const failures = [0, 5, 20].map((minutes) => attempt(minutes * minute, 'failed'))
  assert.deepEqual(judgeDue(times, failures.slice(0, 1), slot + minute), { isDue: false, at: slot + 5 * minute })
  assert.deepEqual(judgeDue(times, failures.slice(0, 1), slot + 5 * minute), { isDue: true, slot, attempt: 2 })
  assert.deepEqual(judgeDue(times, failures, slot + 30 * minute), { isDue: false, at: slot + 80 * minute })
  const soon = { slot, next: slot + 2 * minute }
  assert.deepEqual(judgeDue(soon, failures.slice(0, 1), slot + minute), { isDue: false, at: slot + 2 * minute })
  assert.equal(retryAt([]), -Infinity)
  assert.equal(retryAt(Array.from({ length: 9 }, () => ({ startedAt: slot }))), slot + 6 * hour)
})

test('what was cut off on purpose is due at once, and a failure that a person saw counts for nothing', () => {
  assert.deepEqual(judgeDue(times, [attempt(0, 'cancelled')], slot + 1), { isDue: true, slot, attempt: 1 })
  assert.equal(judgeDue(times, [{ startedAt: slot + 1, outcome: 'failed' }], slot + 2).isDue, true)
})

test('a schedule without a slot yet is due at its first one', () => {
  assert.deepEqual(judgeDue({ slot: undefined, next: slot }, [], slot - 1), { isDue: false, at: slot })
  assert.deepEqual(judgeDue({ slot: undefined, next: undefined }, [], slot), { isDue: false, at: Infinity })
})

test('projects catch up a minute after each other what came while nothing ran', () => {
  assert.equal(catchUpAt(slot, slot + hour, 0), slot + hour)
  assert.equal(catchUpAt(slot, slot + hour, 3), slot + hour + 3 * minute)
  assert.equal(catchUpAt(slot, slot - hour, 3), slot)
})

test('the next slot is the first one whose moment has not come', () => {
  const schedules = [
    'daily 02:30',
    'weekly sun 02:15',
    'monthly last 23:59',
    'every 7 hours',
    'cron "*/5 9-17 * * 1-5"',
  ]
  for (const text of schedules) {
    const schedule = parseSchedule(text)
    for (let moment = Date.parse('2026-10-24T11:17:00Z'), left = 12; left > 0; left--) {
      const next = nextSlot(schedule, moment, 'Europe/Amsterdam')!
      assert.ok(next > moment, text)
      assert.equal(lastSlot(schedule, next, 'Europe/Amsterdam'), next, text)
      assert.ok((lastSlot(schedule, next - 1, 'Europe/Amsterdam') ?? 0) <= moment, text)
      moment = next
    }
  }
  assert.equal(nextSlot(parseSchedule('cron "0 0 29 2 *"'), Date.UTC(2096, 2, 1), 'UTC'), Date.UTC(2104, 1, 29))
})
