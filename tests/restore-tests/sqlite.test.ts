import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { DatabaseSync } from 'node:sqlite'

import { loadDuties } from '#usecases'
import { sqliteShop, type Plant, type Shop } from './scene.ts'

const testing = `schedule: after each run
uploads: { query: select picture from product, folder: uploads }
assertions:
  - { sql: select count(*) from product, is: 2 }
  - { sql: select sum(amount) from line, at-least: 60 }`

describe('a restore test of a project with a SQLite database', () => {
  let shop: Shop
  let good: string
  before(async () => {
    shop = await sqliteShop(testing)
    good = await shop.run()
  })
  after(() => shop[Symbol.asyncDispose]())

  const sandboxes = (): string[] => readdirSync('/var/tmp').filter((name) => name.startsWith('bewaar-sandbox-'))
  const edit = (folder: string, sql: string): void => {
    using file = new DatabaseSync(`${folder}/files/data/shop.sqlite`)
    file.exec(`pragma foreign_keys = off; ${sql}`)
  }

  test('is done by the daemon after a run, once, is recorded, and leaves nothing behind', async () => {
    const { catalog } = shop.services
    const before = sandboxes()
    const duty = (await loadDuties()).find(({ kind }) => kind === 'restore-test')!
    assert.ok(duty.judge !== 'often')
    const due = await duty.judge(shop.services, { project: 'shop' })
    assert.ok(due.isDue)
    const outcome = await duty.perform(shop.services, { project: 'shop' }, due.slot, new AbortController().signal)
    assert.equal(outcome.outcome, 'done', outcome.text)
    assert.ok(!(await duty.judge(shop.services, { project: 'shop' })).isDue)
    const [record] = await catalog.restoreTests.list({ project: 'shop' })
    assert.deepEqual([record?.status, record?.snapshot, record?.rows, record?.findings], ['passed', good, 5, []])
    const [listed] = await catalog.snapshots.list({ project: 'shop' })
    assert.ok(listed?.testedAt !== undefined)
    assert.deepEqual(
      sandboxes().filter((name) => !before.includes(name)),
      [],
    )
  })

  test('finds all that is wrong at once', async () => {
    const plant: Plant = async ({ folder, remove, write }) => {
      await remove('files/uploads/2.jpg')
      await write('files/uploads/1.jpg', '')
      edit(folder, 'delete from line where amount = 30; update line set product = 9 where amount = 10')
    }
    const told = await findings(plant)
    assert.match(told, /1 of 2 files that the database names are not there: 2\.jpg/)
    assert.match(told, /1 of 2 files that the database names are empty: 1\.jpg/)
    assert.match(told, /the table line has 2 rows, and had 3/)
    assert.match(told, /1 rows of line refer to rows of product that are not there/)
    assert.match(told, /it gives "30" where at least 60 is expected/)
  })

  test('finds a database that is cut off', async () => {
    const told = await findings(async ({ folder, read }) => {
      const text = await read('files/data/shop.sqlite')
      await writeFile(`${folder}/files/data/shop.sqlite`, Buffer.from(text.slice(0, 4096), 'latin1'))
    })
    assert.match(told, /cannot read it|malformed|not there/)
  })

  async function findings(plant: Plant): Promise<string> {
    const { status, findings } = await shop.test(await shop.plant(good, plant))
    const told = findings.map(({ text }) => text).join('\n')
    assert.equal(status, 'failed', told)
    return told
  }
})
