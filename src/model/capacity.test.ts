import assert from 'node:assert/strict'
import { test } from 'node:test'

import { costOf, growthOf, judgeCapacity, monthlyPrice, usedBytes, type VaultMeasurement } from './capacity.ts'
import { parseDuration } from './duration.ts'

const dayMs = 24 * 60 * 60 * 1000
const price = { amount: 10, currency: 'EUR', per: 'month' } as const

function at(day: number, bytes: number, space?: VaultMeasurement['space']): VaultMeasurement {
  const repositories = [{ project: 'shop', files: 1, bytes, olderBytes: 0 }]
  return { vault: 'v', at: day * dayMs, repositories, ...(space && { space }) }
}

const daily = (sizes: readonly number[]): VaultMeasurement[] => sizes.map((bytes, day) => at(day, bytes))

test('growth is what a day usually brings, whatever came once', () => {
  const cases: readonly [string, readonly VaultMeasurement[], number | undefined][] = [
    ['nothing is known after one day', daily([5, 10]), undefined],
    ['nor by one measurement', [at(0, 5)], undefined],
    ['nor by several of one day', [at(0, 1), at(0.4, 9), at(0.9, 20)], undefined],
    ['the same each day', daily([0, 10, 20, 30]), 10],
    ['a first backup of all', daily([0, 1000, 1010, 1020, 1030, 1040, 1050, 1060]), 10],
    ['copies of once a week, nearly', daily(Array.from({ length: 29 }, (_, day) => 70 * Math.floor(day / 7))), 9],
    ['days without a measurement', [at(0, 0), at(3, 30), at(10, 100)], 10],
    ['a vault that shrinks', daily([100, 90, 80]), -10],
    ['what was longer ago than a season', [at(0, 9000), ...[100, 101, 102].map((day) => at(day, day))], 1],
    ['in any order', [at(2, 20), at(0, 0), at(1, 10)], 10],
  ]
  for (const [title, measurements, growth] of cases) assert.equal(growthOf(measurements), growth, title)
})

test('what is free is the least that anybody says', () => {
  const space = { sizeBytes: 1000, freeBytes: 400 }
  const cases: readonly [VaultMeasurement, number | undefined, { totalBytes?: number; freeBytes?: number }][] = [
    [at(0, 100), undefined, {}],
    [at(0, 100, space), undefined, { totalBytes: 1000, freeBytes: 400 }],
    [at(0, 100), 300, { totalBytes: 300, freeBytes: 200 }],
    [at(0, 100, space), 300, { totalBytes: 300, freeBytes: 200 }],
    [at(0, 100, space), 5000, { totalBytes: 5000, freeBytes: 400 }],
    [at(0, 100), 60, { totalBytes: 60, freeBytes: 0 }],
  ]
  for (const [measurement, capacity, expected] of cases) {
    assert.deepEqual(judgeCapacity([measurement], capacity), { usedBytes: 100, ...expected })
  }
})

test('the day when it is full is told when it will come', () => {
  const grown = (bytes: number): VaultMeasurement[] => daily([0, bytes, 2 * bytes])
  assert.equal(judgeCapacity(grown(100), 1200).fullAt, 12 * dayMs)
  assert.equal(judgeCapacity(grown(0), 1200).fullAt, undefined)
  assert.equal(judgeCapacity(grown(1), 1e9).fullAt, undefined, 'after more than a century')
  assert.equal(judgeCapacity(grown(100), undefined).fullAt, undefined)
})

test('all projects of a vault are used together, versions too', () => {
  const repositories = ['a', 'b'].map((project) => ({ project, files: 2, bytes: 7, olderBytes: 3 }))
  assert.equal(usedBytes({ repositories }), 14)
})

test('a project pays for its share, a month and for its whole term', () => {
  assert.equal(monthlyPrice({ ...price, amount: 120, per: 'year' }), 10)
  assert.deepEqual(costOf(price, 0.25, undefined), { perMonth: 2.5 })
  const terms: readonly [string, number][] = [
    ['7 years', 840],
    ['3 months', 30],
    ['4 weeks', 9.2],
    ['30 days', 9.86],
    ['12 hours', 0.16],
    ['30 minutes', 0.01],
  ]
  for (const [term, cost] of terms) {
    const { overTerm } = costOf(price, 1, parseDuration(term))
    assert.equal(Math.round(overTerm! * 100) / 100, cost, term)
  }
})
