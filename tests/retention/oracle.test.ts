import assert from 'node:assert/strict'
import { test } from 'node:test'

import { compareHistories, keptByTheRules } from './compare.ts'
import { historyOf } from './histories.ts'
import { keptByThePage, type OracleCase } from './oracle.ts'

test('what is kept is what the documented rules say, in a sample of random histories', (context) => {
  const seed = Number(process.env['BEWAAR_SEED'] ?? 1)
  const { histories, snapshots, kept } = compareHistories(seed, 800)
  context.diagnostic(`${histories} histories from the seed ${seed}: ${kept} of ${snapshots} snapshots kept`)
})

test('a rule that is wrong by a little is seen', () => {
  const differs = (change: (history: OracleCase) => OracleCase): boolean =>
    Array.from({ length: 300 }, (_, seed) => historyOf(seed)).some(
      (history) => keptByTheRules(history).symmetricDifference(keptByThePage(change(history))).size > 0,
    )
  assert.ok(!differs((history) => history))
  assert.ok(differs((history) => ({ ...history, timezone: 'UTC' })))
  assert.ok(differs((history) => ({ ...history, holds: [] })))
  assert.ok(differs((history) => ({ ...history, isLockedVault: false })))
  const forgeries = ({ id }: { readonly id: string }): boolean => id.startsWith('foreign')
  const trusted = { number: 1e9, isComplete: true }
  assert.ok(
    differs((history) => ({
      ...history,
      snapshots: history.snapshots.map((one) =>
        forgeries(one) ? { ...one, made: { ...trusted, start: one.claimed } } : one,
      ),
    })),
  )
})

const day = 86_400_000

function daily(count: number, now: number, policy: OracleCase['policy']): OracleCase {
  const snapshots = Array.from({ length: count }, (_, nth) => {
    const start = now - (count - nth) * day + 3_600_000
    const made = { number: nth + 1, start, isComplete: true }
    return { id: `${nth}`, claimed: start, firstSeen: start, made, isProven: false, isMissingInCopy: false }
  })
  return { snapshots, policy, holds: [], isLockedVault: false, timezone: 'Europe/Amsterdam', now }
}

test('the oracle itself knows the documented examples', () => {
  const now = Date.UTC(2026, 10, 22, 12)
  const kept = (count: number, policy: OracleCase['policy']): number => keptByThePage(daily(count, now, policy)).size
  // 7 days, of which the first is a Sunday, so that they end 2 of the weeks; and one of them ends the month of November
  assert.equal(kept(150, { daily: 7, prune: 'automatic' }), 7)
  assert.equal(kept(150, { daily: 7, weekly: 4, monthly: 3, prune: 'automatic' }), 7 + 2 + 2)
  assert.equal(kept(150, { within: { amount: 30, unit: 'day' }, prune: 'automatic' }), 30)
  assert.equal(kept(150, { prune: 'never' }), 150)
  const term = daily(2, Date.UTC(2019, 0, 2, 12), { for: { amount: 7, unit: 'year' }, prune: 'automatic' })
  const keptAt = (moment: string): string[] => [...keptByThePage({ ...term, now: Date.parse(moment) })].sort()
  assert.deepEqual(keptAt('2025-12-31T22:59:59Z'), ['0', '1']) // the clock shows 23:59:59
  assert.deepEqual(keptAt('2025-12-31T23:00:00Z'), ['1'])
})
