import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { compare, comparisons, medianRatio, megabytes } from './speed.ts'

suite(`the speed of ${Math.round(megabytes)} MB`, { concurrency: 1 }, () => {
  for (const comparison of comparisons) {
    const { title, theirs, most, skip } = comparison
    test(`${title} takes at most ${most.toFixed(2)} of the time of ${theirs}`, { skip }, async (t) => {
      const pairs = await compare(comparison, 3)
      for (const pair of pairs) {
        t.diagnostic(`${pair.ours.toFixed(2)} s, ${theirs}: ${pair.theirs.toFixed(2)} s`)
      }
      const ratio = medianRatio(pairs)
      assert.ok(ratio <= most, `${ratio.toFixed(2)} of the time of ${theirs}`)
    })
  }
})
