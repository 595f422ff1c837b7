import assert from 'node:assert/strict'

import { planRetention, type RetentionCase } from '#model'
import { chanceOf, historyOf } from './histories.ts'
import { keptByThePage, type OracleCase, type OracleSnapshot } from './oracle.ts'

export interface Compared {
  readonly histories: number
  readonly snapshots: number
  readonly kept: number
}

/** Compares what the rules keep with what the oracle keeps, for as many histories as `count`, from the seed on. */
export function compareHistories(seed: number, count: number): Compared {
  let [snapshots, kept] = [0, 0]
  for (let nth = seed; nth < seed + count; nth++) {
    const history = historyOf(nth)
    const found = keptByTheRules(history)
    const expected = keptByThePage(history)
    const sayWhich = `the history of the seed ${nth}`
    assert.deepEqual([...found].sort(), [...expected].sort(), sayWhich)
    protectNothingLess(history, found, nth)
    snapshots += history.snapshots.length
    kept += found.size
  }
  return { histories: count, snapshots, kept }
}

/** Whatever is put into a vault, and whatever it claims, nothing goes that would have stayed without it. */
function protectNothingLess(history: OracleCase, kept: ReadonlySet<string>, seed: number): void {
  const chance = chanceOf(seed ^ 0x5bd1e995)
  const times = history.snapshots.map(({ claimed }) => claimed)
  const claimed = Math.round(
    Math.min(...times) + (chance() * 1.5 - 0.25) * (Math.max(...times) - Math.min(...times) + 1),
  )
  const forged: OracleSnapshot = {
    id: 'added',
    claimed,
    firstSeen: Math.round(history.now - chance() * 86_400_000 * 30),
    isProven: false,
    isMissingInCopy: false,
  }
  const more = keptByTheRules({ ...history, snapshots: [...history.snapshots, forged] })
  for (const id of kept) assert.ok(more.has(id), `a forged snapshot took the place of ${id}: seed ${seed}`)
}

export function keptByTheRules(history: OracleCase): Set<string> {
  const { policy, isLockedVault, timezone, now } = history
  const situation: RetentionCase = {
    project: 'shop',
    vault: 'local',
    policy,
    hasLocks: isLockedVault,
    timezone,
    now,
    snapshots: history.snapshots.map(({ id, claimed, firstSeen, made, isProven, isMissingInCopy }) => ({
      id,
      claimedAt: claimed,
      seenAt: firstSeen,
      isVerified: isProven,
      ...(made && { made: { number: made.number, at: made.start, isComplete: made.isComplete } }),
      ...(made && isMissingInCopy && { awaitedBy: ['archive'] }),
    })),
    holds: history.holds.map(({ snapshot, until }, nth) => ({
      id: `h-${nth}`,
      project: 'shop',
      reason: 'audit',
      beganAt: now - 1,
      who: 'somebody@here',
      ...(snapshot !== undefined && { snapshot }),
      ...(until !== undefined && { until }),
    })),
  }
  const judged = planRetention(situation)
  assert.equal(judged.length, history.snapshots.length)
  return new Set(judged.filter(({ reasons }) => reasons.length > 0).map(({ snapshot }) => snapshot.id))
}
