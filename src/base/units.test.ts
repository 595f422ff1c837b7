import assert from 'node:assert/strict'
import { test } from 'node:test'

import { formatBytes, formatCount, formatSeconds, parseBytes } from './units.ts'

test('sizes are shown with at most three digits, in powers of 1000', () => {
  const shown: readonly [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KB'],
    [1500, '1.5 KB'],
    [99_949, '99.9 KB'],
    [99_950, '100 KB'],
    [999_499, '999 KB'],
    [999_500, '1.0 MB'],
    [1_500_000_000, '1.5 GB'],
    [5e12, '5.0 TB'],
    [2e18, '2000 PB'],
  ]
  for (const [bytes, text] of shown) assert.equal(formatBytes(bytes), text)
})

test('durations are shown as people say them', () => {
  const shown: readonly [number, string][] = [
    [0, '0.0 s'],
    [0.44, '0.4 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.4, '59 s'],
    [59.6, '1 min 00 s'],
    [185, '3 min 05 s'],
    [3599.6, '1 h 00 min'],
    [7800, '2 h 10 min'],
  ]
  for (const [seconds, text] of shown) assert.equal(formatSeconds(seconds), text)
})

test('sizes are read as people write them', () => {
  const read: readonly [string, number | undefined][] = [
    ['12', 12],
    ['12 B', 12],
    ['5 TB', 5e12],
    ['300MB', 3e8],
    [' 1.5 gb ', 1.5e9],
    ['', undefined],
    ['TB', undefined],
    ['-1 MB', undefined],
    ['1,5 GB', undefined],
    ['5 TiB', undefined],
    ['1e3', undefined],
  ]
  for (const [text, bytes] of read) assert.equal(parseBytes(text), bytes, text)
})

test('a whole number has its thousands apart', () => {
  for (const count of [0, 7, 999, 1000, 12_345, 999_999, 1_000_000, 123_456_789, -1, -999, -1234]) {
    assert.equal(formatCount(count), count.toLocaleString('en'))
  }
})
