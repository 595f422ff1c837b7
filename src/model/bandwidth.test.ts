import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { parseBytes } from '#base'
import { allDay, bandwidthAt, describeBandwidth, type BandwidthRule } from './bandwidth.ts'

const timezone = 'Europe/Amsterdam'

/** Milliseconds since 1970 of a moment in Amsterdam. */
function at(moment: string): number {
  return Temporal.PlainDateTime.from(moment).toZonedDateTime(timezone).epochMilliseconds
}

const time = (hour: number, minute = 0) => ({ hour, minute })
const rule = (from: BandwidthRule['from'], to: BandwidthRule['to'], rate: number): BandwidthRule => ({ from, to, rate })

test('one rate holds at every moment', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 4e12 }), (now) => bandwidthAt(allDay(7), now, timezone) === 7))
})

test('a rule holds from its first minute up to, and without, its last', () => {
  const office = [rule(time(8), time(18, 30), 2e6)]
  const limits = ['07:59:59', '08:00', '18:29:59.999', '18:30'].map((clock) =>
    bandwidthAt(office, at(`2026-11-22T${clock}`), timezone),
  )
  assert.deepEqual(limits, [undefined, 2e6, 2e6, undefined])
})

test('a rule that ends before it begins goes over midnight', () => {
  const night = [rule(time(22), time(6), 9e6)]
  const limits = ['21:59', '22:00', '23:59', '00:00', '05:59', '06:00'].map((clock) =>
    bandwidthAt(night, at(`2026-11-22T${clock}`), timezone),
  )
  assert.deepEqual(limits, [undefined, 9e6, 9e6, 9e6, 9e6, undefined])
})

test('of several rules the first that fits holds, and outside of all there is no limit', () => {
  const rules = [rule(time(12), time(13), 0), rule(time(8), time(18), 1000)]
  const limits = ['09:00', '12:30', '13:00', '19:00'].map((clock) =>
    bandwidthAt(rules, at(`2026-11-22T${clock}`), timezone),
  )
  assert.deepEqual(limits, [1000, 0, 1000, undefined])
})

test('the time of day is that of the time zone, on both sides of a change of the clocks', () => {
  const office = [rule(time(8), time(18), 5)]
  // Amsterdam is two hours before UTC up to 25 October 2026, one hour after it
  const inUtc = ['2026-10-24T06:30Z', '2026-10-26T06:30Z', '2026-10-26T07:30Z']
  const limits = inUtc.map((moment) => bandwidthAt(office, Temporal.Instant.from(moment).epochMilliseconds, timezone))
  assert.deepEqual(limits, [5, undefined, 5])
})

test('a rate is described exactly, in the largest unit that it reaches', () => {
  assert.deepEqual(
    [0, 1, 999, 1000, 1_500_000, 1e9].map((rate) => describeBandwidth(allDay(rate))),
    ['0', '1 B/s', '999 B/s', '1 KB/s', '1.5 MB/s', '1 GB/s'],
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e12 }), (rate) => {
      const described = describeBandwidth(allDay(rate))
      assert.ok(typeof described === 'string')
      assert.equal(parseBytes(described.replace('/s', '')), rate)
    }),
  )
})

test('rules are described as the file says them', () => {
  assert.deepEqual(describeBandwidth([rule(time(8), time(18, 5), 2e6)]), [
    { from: '08:00', to: '18:05', rate: '2 MB/s' },
  ])
  const twice = [rule(time(0), time(0), 1), rule(time(8), time(9), 2)]
  assert.equal(describeBandwidth(twice).length, 2)
})
