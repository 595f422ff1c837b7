import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'

import { durationUnits, parseDuration } from './duration.ts'
import { lockTerm } from './lock-term.ts'
import type { RetentionPolicy } from './retention.ts'

const vault = { name: 'b2', objectLock: 'compliance' } as const
const amsterdam = 'Europe/Amsterdam'

function term(rules: { for?: string; within?: string }, at: string, timezone = amsterdam): string | undefined {
  const policy: RetentionPolicy = {
    prune: 'automatic',
    ...(rules.for && { for: parseDuration(rules.for) }),
    ...(rules.within && { within: parseDuration(rules.within) }),
  }
  const project = { name: 'shop', keep: new Map([['b2', policy]]) }
  const until = lockTerm(vault, project, Temporal.Instant.from(at).epochMilliseconds, timezone)
  return until?.toZonedDateTimeISO(timezone).toString({ timeZoneName: 'never' })
}

describe('the term of a lock', () => {
  test('in years lasts to the end of its calendar year, where the books are', () => {
    assert.equal(term({ for: '7 years' }, '2026-11-22T02:00:00Z'), '2034-01-01T00:00:00+01:00')
    assert.equal(term({ for: '7 years' }, '2026-12-31T22:59:59Z'), '2034-01-01T00:00:00+01:00')
    assert.equal(term({ for: '7 years' }, '2026-12-31T23:00:00Z'), '2035-01-01T00:00:00+01:00')
    assert.equal(term({ for: '7 years' }, '2026-12-31T23:00:00Z', 'America/New_York'), '2034-01-01T00:00:00-05:00')
    assert.equal(term({ for: '1 year' }, '2024-02-29T12:00:00Z'), '2026-01-01T00:00:00+01:00')
  })

  test('of thirty days and more lasts to the end of its week, a shorter one to the end of its day', () => {
    // 22 December 2026 is a Tuesday
    assert.equal(term({ within: '30 days' }, '2026-11-22T02:00:00Z'), '2026-12-28T00:00:00+01:00')
    assert.equal(term({ within: '29 days' }, '2026-11-22T02:00:00Z'), '2026-12-22T00:00:00+01:00')
    assert.equal(term({ within: '2 months' }, '2026-11-22T02:00:00Z'), '2027-01-25T00:00:00+01:00')
    assert.equal(term({ within: '90 minutes' }, '2026-11-22T22:00:00Z'), '2026-11-24T00:00:00+01:00')
  })

  test('is the later one of two', () => {
    const at = '2026-11-22T02:00:00Z'
    assert.equal(term({ within: '30 days', for: '7 years' }, at), term({ for: '7 years' }, at))
    assert.equal(term({ within: '30 days', for: '1 day' }, at), term({ within: '30 days' }, at))
  })

  test('is none where nothing is locked, and must be said where something is', () => {
    const project = { name: 'shop', keep: new Map() }
    assert.equal(lockTerm({ name: 'local' }, project, 0, 'UTC'), undefined)
    assert.throws(() => lockTerm(vault, project, 0, 'UTC'), { code: 'vault.lock-term' })
    const counting = { name: 'shop', keep: new Map([['b2', { prune: 'never', daily: 7 } as const]]) }
    assert.throws(() => lockTerm(vault, counting, 0, 'UTC'), { code: 'vault.lock-term' })
  })

  test('is never shorter than was asked for, and never ends earlier for what is stored later', () => {
    const moment = fc.integer({ min: 0, max: 4_000_000_000_000 })
    const duration = fc.record({ amount: fc.integer({ min: 1, max: 400 }), unit: fc.constantFrom(...durationUnits) })
    const zones = fc.constantFrom('UTC', amsterdam, 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia')
    fc.assert(
      fc.property(moment, fc.nat(400 * 86_400_000), duration, zones, (time, later, wanted, timezone) => {
        const project = { name: 'shop', keep: new Map([['b2', { prune: 'never', for: wanted } as const]]) }
        const until = lockTerm(vault, project, time, timezone)!.epochMilliseconds
        const asked = Temporal.Instant.fromEpochMilliseconds(time)
          .toZonedDateTimeISO(timezone)
          .add({ [`${wanted.unit}s`]: wanted.amount })
        assert.ok(until >= asked.epochMilliseconds)
        assert.ok(lockTerm(vault, project, time + later, timezone)!.epochMilliseconds >= until)
      }),
    )
  })
})
