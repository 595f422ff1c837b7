import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { needs } from '../needs.ts'
import { mariadbFaults, postgresqlFaults, type Fault } from './faults.ts'
import type { Shop } from './scene.ts'
import { shopOnMariadb, shopOnPostgresql } from './shops.ts'

const seed = Number(process.env['FAULT_SEED'] ?? 1)
const count = Number(process.env['FAULT_COUNT'] ?? 1000)
const goodOnes = Math.min(count, 20)

describe('restore tests of PostgreSQL', { skip: needs('pg_ctlcluster') }, () => {
  proves(() => shopOnPostgresql(), postgresqlFaults)
})

describe('restore tests of MariaDB', { skip: needs('mariadbd') }, () => {
  proves(() => shopOnMariadb(), mariadbFaults)
})

function proves(make: () => Promise<Shop>, faults: readonly Fault[]): void {
  let shop: Shop
  let good: string
  before(async () => {
    shop = await make()
    good = await shop.run()
  })
  after(() => shop[Symbol.asyncDispose]())

  test(`${goodOnes} good backups pass`, async () => {
    for (let nth = 0; nth < goodOnes; nth++) {
      const { status, findings } = await shop.test(await shop.run())
      assert.deepEqual([status, findings], ['passed', []])
    }
  })

  for (const { what, plant, finds } of chosen(faults)) {
    test(`it is found that ${what}`, async () => {
      const { status, findings } = await shop.test(await shop.plant(good, plant))
      const told = findings.map(({ severity, subject, text }) => `${severity} ${subject}: ${text}`).join('\n')
      assert.equal(status, 'failed', told)
      assert.match(told, finds)
    })
  }
}

/** The same ones for the same seed. */
function chosen(faults: readonly Fault[]): readonly Fault[] {
  const ranked = faults.map((fault, nth) => ({ fault, rank: ((nth + 1) * 2_654_435_761 * seed) % 4_294_967_296 }))
  return ranked
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, count)
    .map(({ fault }) => fault)
}
