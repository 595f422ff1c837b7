import assert from 'node:assert/strict'
import { test } from 'node:test'

import { array, assert as check, boolean, property } from 'fast-check'

import { chooseSlices, sliceCount, wholeSince, type SlicesRead } from './verification-slices.ts'

const day = 24 * 60 * 60 * 1000
const begin = Date.parse('2026-11-02T04:00:00Z')

function reading(slices: SlicesRead['slices'], at: number, isSound = true): SlicesRead {
  return { slices, startedAt: at, isSound }
}

test('each day another slice is read, and then the first again', () => {
  const readings: SlicesRead[] = []
  for (let index = 0; index < 2 * sliceCount; index++) {
    const at = begin + index * day
    const slices = chooseSlices(readings, begin, at)
    assert.deepEqual(slices, [(index % sliceCount) + 1])
    readings.push(reading(slices, at))
  }
})

test('whatever days are missed, no slice stays unread for more than 30 days while the machine runs each day', () => {
  check(
    property(array(boolean(), { minLength: 40, maxLength: 120 }), (isOn) => {
      const readings: SlicesRead[] = []
      const days = [...isOn, true]
      days.forEach((on, index) => {
        if (!on) return
        const at = begin + index * day
        const first = readings[0]?.startedAt ?? at
        readings.push(reading(chooseSlices(readings, first, at), at))
        // after a day that it was on, nothing is older than a day short of the limit
        for (let slice = 1; slice <= sliceCount; slice++) {
          const last = readings.findLast(({ slices }) => slices !== 'all' && slices.includes(slice))
          assert.ok(at - (last?.startedAt ?? first) < 29 * day)
        }
      })
    }),
    { numRuns: 50 },
  )
})

test('all is read when each slice was found sound, as far back as the one that was read longest ago', () => {
  const readings = Array.from({ length: sliceCount }, (_, index) => reading([index + 1], begin + index * day))
  assert.equal(wholeSince(readings.slice(1)), undefined)
  assert.equal(wholeSince(readings), begin)
  assert.equal(wholeSince([...readings, reading([1], begin + 40 * day)]), begin + day)
  assert.equal(wholeSince([...readings, reading([3], begin + 40 * day, false)]), undefined)
  assert.equal(wholeSince([reading('all', begin + 50 * day)]), begin + 50 * day)
})
