import assert from 'node:assert/strict'
import { test } from 'node:test'

import { estimateSeconds } from './restore-time.ts'

const megabyte = 1024 * 1024

test('the middle of the speeds of the latest restores tells how long the next takes', () => {
  const measured = [10, 20, 1000].map((seconds) => ({ bytes: 100 * megabyte, seconds }))
  assert.equal(estimateSeconds(measured, 50 * megabyte), 10)
})

test('restores of next to nothing, and none at all, tell nothing', () => {
  assert.equal(estimateSeconds([], megabyte), undefined)
  assert.equal(estimateSeconds([{ bytes: 100, seconds: 5 }], megabyte), undefined)
  assert.equal(estimateSeconds([{ bytes: megabyte, seconds: 0 }], megabyte), undefined)
})
