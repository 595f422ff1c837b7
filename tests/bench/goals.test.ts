import assert from 'node:assert/strict'
import { test } from 'node:test'

import { tableOfGoals } from './goals.ts'
import { outcomesOf, type Done } from './outcomes.ts'

const done = (seconds: number, peak: number, stored?: number): Done => ({
  measured: { seconds, cpuSeconds: seconds, peak },
  ...(stored !== undefined && { stored }),
})

test('each goal of a case stands beside what was reached, by the program that it is measured by', () => {
  const rows = new Map([
    ['bewaar', [done(4, 360e6, 101)]],
    ['restic', [done(10, 100e6, 100)]],
    ['tar|zstd|age', [done(3, 10e6, 99)]],
  ])
  assert.deepEqual(tableOfGoals(outcomesOf('uploads, first', rows)).slice(2), [
    '| uploads, first | seconds of restic | 0.45 | 0.40 | reached |',
    '| uploads, first | seconds of tar zstd age | 1.15 | 1.33 |  |',
    '| uploads, first | stored of restic | 1.02 | 1.01 | reached |',
    '| uploads, first | memory | 350 MB | 360 MB |  |',
  ])
})

test('a goal without its program is left out, and one of its own is in seconds', () => {
  assert.deepEqual(tableOfGoals(outcomesOf('start, help', new Map([['bewaar', [done(0.14, 60e6)]]]))).slice(2), [
    '| start, help | memory | 350 MB | 60.0 MB | reached |',
    '| start, help | seconds | 0.15 s | 0.14 s | reached |',
  ])
})
