import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { formatTime, parseTime } from './time.ts'

const { samples } = JSON.parse(
  readFileSync(new URL('../../../tests/fixtures/vectors/timestamps.json', import.meta.url), 'utf8'),
) as { samples: { text: string; epoch_ns: string }[] }

const firstNs = -62_167_219_200_000_000_000n
const lastNs = 253_402_300_799_999_999_999n

test('every time that restic stored is read as its instant, and written again in UTC', () => {
  assert.equal(samples.length, 90)
  for (const { text, epoch_ns: ns } of samples) {
    assert.equal(parseTime(text), BigInt(ns), text)
    assert.equal(parseTime(formatTime(BigInt(ns))), BigInt(ns), text)
    if (text.endsWith('Z')) assert.equal(formatTime(BigInt(ns)), text)
  }
})

test('a time of the years 0 to 9999 is read as it was written, and its date is that of the system calendar', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: firstNs, max: lastNs }), (ns) => {
      const text = formatTime(ns)
      assert.equal(parseTime(text), ns)
      const ms = Number((ns - (((ns % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n)
      assert.equal(text.slice(0, 19), new Date(ms).toISOString().slice(0, 19))
    }),
    { numRuns: 500 },
  )
})

test('every day from 1896 to 2104 has its date', () => {
  for (let day = -27_030; day < 49_000; day++) {
    const text = new Date(day * 86_400_000).toISOString()
    assert.equal(formatTime(BigInt(day) * 86_400_000_000_000n), text.replace('.000', ''))
    assert.equal(parseTime(text), BigInt(day) * 86_400_000_000_000n)
  }
})

test('zeros at the end of a fraction are left out', () => {
  assert.equal(formatTime(0n), '1970-01-01T00:00:00Z')
  assert.equal(formatTime(500_000_000n), '1970-01-01T00:00:00.5Z')
  assert.equal(formatTime(100n), '1970-01-01T00:00:00.0000001Z')
  assert.equal(formatTime(-1n), '1969-12-31T23:59:59.999999999Z')
})

test('a year that has more than four digits is cut to 0 or 9999, and month, day and clock stay', () => {
  assert.equal(formatTime(lastNs + 1n), '9999-01-01T00:00:00Z')
  assert.equal(formatTime(firstNs - 1n), '0000-12-31T23:59:59.999999999Z')
  const leapDay12000 = BigInt(Date.UTC(12_000, 1, 29, 1, 2, 3)) * 1_000_000n
  assert.equal(formatTime(leapDay12000 + 7n), '9999-03-01T01:02:03.000000007Z')
  const leapDayBefore = BigInt(Date.UTC(-400, 1, 29)) * 1_000_000n
  assert.equal(formatTime(leapDayBefore), '0000-02-29T00:00:00Z')
  assert.match(formatTime(2n ** 100n), /^9999-\d\d-\d\dT/)
})

test('what Go reads besides is read: long fractions, zones with a sign', () => {
  assert.equal(parseTime('1970-01-01T00:00:00.1234567899999Z'), 123_456_789n)
  assert.equal(parseTime('1970-01-01T00:00:00-00:00'), 0n)
  assert.equal(parseTime('1970-01-02T00:30:00+24:30'), 0n)
  assert.equal(parseTime('0000-02-29T00:00:00Z'), firstNs + 59n * 86_400_000_000_000n)
})

for (const text of [
  '',
  '2026-01-01',
  '2026-01-01T00:00:00',
  '2026-01-01T00:00:00.Z',
  '2026-01-01T00:00:00Zz',
  '2026-01-01 00:00:00Z',
  '2026-01-01T00-00:00Z',
  '2026-01-01T00:00-00Z',
  '2026/01-01T00:00:00Z',
  '2026-01/01T00:00:00Z',
  '2026-02-29T00:00:00Z',
  '2100-02-29T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-01-01T00:00:60Z',
  '2026-01-01T00:00:00+1:00',
  '2026-01-01T00:00:00+01-00',
  '2026-01-01T00:00:00+01:000',
  '2026-01-01T00:00:00+25:00',
  '2026-01-01T00:00:00+01:61',
  '2026-01-01T00:00:00*01:00',
  '２026-01-01T00:00:00Z',
  '20x6-01-01T00:00:00Z',
]) {
  test(`${JSON.stringify(text)} is not taken for a time`, () => {
    assert.throws(() => parseTime(text), { code: 'format.damaged', kind: 'damaged' })
  })
}
