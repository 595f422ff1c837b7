import assert from 'node:assert/strict'
import { test } from 'node:test'

import { compareHistories } from './compare.ts'

test('what is kept is what the documented rules say, in 100,000 random histories', (context) => {
  const seed = Number(process.env['BEWAAR_SEED'] ?? 1_000_000)
  const { histories, snapshots, kept } = compareHistories(seed, Number(process.env['BEWAAR_CASES'] ?? 100_000))
  context.diagnostic(`${histories} histories from the seed ${seed}: ${kept} of ${snapshots} snapshots kept`)
  assert.ok(kept > snapshots / 10 && kept < snapshots * 0.9)
})
