import assert from 'node:assert/strict'
import { test } from 'node:test'

import { longestUnderWay, usual } from './stuck.ts'

const hourMs = 60 * 60_000

test('what is usual is the middle of what is known', () => {
  assert.equal(usual([3, 100, 1]), 3)
  assert.equal(usual([]), 0)
})

test('a run may take five times as long as usual, two hours at least, and a day when little is known', () => {
  assert.equal(longestUnderWay([hourMs, hourMs, hourMs]), 5 * hourMs)
  assert.equal(longestUnderWay([1, 1, 50 * hourMs]), 2 * hourMs)
  assert.equal(longestUnderWay([1, 1]), 24 * hourMs)
})
