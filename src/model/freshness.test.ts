import assert from 'node:assert/strict'
import { test } from 'node:test'

import { judgeFreshness } from './freshness.ts'

const hourMs = 60 * 60_000
const now = 1000 * hourMs
const dayAndHour = (): number => 25 * hourMs

function verdicts(times: readonly number[], damaged = 0, allowed: typeof dayAndHour | undefined = dayAndHour): string {
  return judgeFreshness({ times, damaged }, allowed, now)
    .reasons.map(({ verdict }) => verdict)
    .join(' ')
}

test('a vault is fresh as long as its newest backup is not older than it may be', () => {
  assert.equal(verdicts([now - 40 * hourMs, now - 25 * hourMs]), '')
  assert.equal(verdicts([now - 25 * hourMs - 1]), 'late')
  assert.equal(verdicts([]), 'late')
  assert.equal(
    verdicts([], 0, () => Infinity),
    'late',
  )
  assert.deepEqual(judgeFreshness({ times: [], damaged: 0 }, undefined, now), { reasons: [] })
})

test('a backup of the future makes nothing fresh', () => {
  const forged = now + 5 * 60_000 + 1
  assert.equal(verdicts([now - 26 * hourMs, forged]), 'late clock')
  assert.equal(verdicts([now - hourMs, forged]), 'clock')
  assert.equal(judgeFreshness({ times: [now - hourMs, forged], damaged: 0 }, dayAndHour, now).newestAt, now - hourMs)
  assert.equal(verdicts([forged - 1]), '', 'two clocks may differ a little')
})

test('snapshots that cannot be read are damage', () => {
  assert.equal(verdicts([now], 2), 'damaged')
})
