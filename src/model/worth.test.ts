import assert from 'node:assert/strict'
import { test } from 'node:test'

import { judgeWorth, listed, type Attempt, type ProbeFacts, type Worth } from './worth.ts'

const dayMs = 24 * 60 * 60 * 1000

function probeOf(attempts: readonly [Attempt, Attempt, Attempt], more: Partial<ProbeFacts> = {}) {
  const [deletes, overwrites, truncates] = attempts
  return { vault: 'v', at: 0, found: { deletes, overwrites, truncates, left: 0, ...more } }
}

test('a vault is worth what held when it was tried, and a doubt is never in its favour', () => {
  const lock = { mode: 'compliance' } as const
  const cases: readonly [readonly [Attempt, Attempt, Attempt], Partial<ProbeFacts>, Worth, string][] = [
    [['allowed', 'allowed', 'allowed'], {}, 'mutable', 'can be deleted, overwritten and truncated'],
    [['refused', 'refused', 'allowed'], {}, 'mutable', 'can be truncated'],
    [['refused', 'allowed', 'allowed'], {}, 'mutable', 'can be overwritten and truncated'],
    [['allowed', 'refused', 'impossible'], { lock }, 'mutable', 'can be deleted'],
    [['refused', 'refused', 'refused'], {}, 'append-only', 'can only be added to'],
    [['refused', 'refused', 'impossible'], {}, 'append-only', 'can only be added to'],
    [['refused', 'refused', 'impossible'], { lock }, 'locked', 'locked (compliance)'],
    [['unclear', 'refused', 'refused'], {}, 'unknown', 'nobody knows whether files can be deleted'],
    [
      ['refused', 'unclear', 'unclear'],
      { lock },
      'unknown',
      'nobody knows whether files can be overwritten and truncated',
    ],
    [['refused', 'refused', 'unclear'], {}, 'unknown', 'nobody knows whether files can be truncated'],
    [['impossible', 'refused', 'refused'], {}, 'unknown', 'nobody knows whether files can be deleted'],
  ]
  for (const [attempts, more, worth, text] of cases) {
    assert.deepEqual(judgeWorth(probeOf(attempts, more), 0), { worth, isStale: false, text }, attempts.join(' '))
  }
})

test('what was never tried is unknown, and what was tried is stale after seven days', () => {
  assert.deepEqual(judgeWorth(undefined, 0), { worth: 'unknown', isStale: false, text: 'never tried' })
  const probe = probeOf(['refused', 'refused', 'refused'])
  assert.equal(judgeWorth(probe, 7 * dayMs).isStale, false)
  assert.equal(judgeWorth(probe, 7 * dayMs + 1).isStale, true)
})

test('words are listed as people say them', () => {
  assert.deepEqual([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(listed), ['', 'a', 'a and b', 'a, b and c'])
})
