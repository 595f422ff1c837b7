import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import type { DutyRecord } from '#model'
import { openCatalog, type Catalog } from './catalog.ts'

async function withCatalog(work: (catalog: Catalog) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bewaar-duties-'))
  try {
    await using catalog = await openCatalog(join(folder, 'catalog.sqlite'), { purpose: 'write' })
    await work(catalog)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const verified: DutyRecord = {
  id: 'a',
  kind: 'verify',
  project: 'shop',
  vault: 'local',
  slot: 1000,
  startedAt: 1001,
  endedAt: 1002,
  outcome: 'failed',
  text: 'the vault did not answer',
}
const cleaned: DutyRecord = {
  id: 'b',
  kind: 'cleanup',
  project: 'shop',
  slot: 2000,
  startedAt: 2000,
  endedAt: 2000,
  outcome: 'done',
}

test('duties come back as they were, of one subject, newest first', () =>
  withCatalog(async ({ duties }) => {
    await duties.add(verified)
    await duties.add({ ...verified, id: 'c', startedAt: 3000 })
    await duties.add(cleaned)
    const about = { kind: 'verify', project: 'shop', vault: 'local' } as const
    assert.deepEqual(await duties.list(about), [{ ...verified, id: 'c', startedAt: 3000 }, verified])
    assert.deepEqual(await duties.list({ kind: 'cleanup', project: 'shop' }), [cleaned])
    assert.deepEqual(await duties.list({ kind: 'verify', project: 'shop' }), [])
    assert.equal((await duties.list({ ...about, since: 2000 })).length, 1)
    assert.equal((await duties.list({ ...about, limit: 1 }))[0]?.id, 'c')
  }))

test('one process is the keeper, until it lets go', () =>
  withCatalog(async ({ duties }) => {
    assert.equal(await duties.keeper(), undefined)
    assert.equal(await duties.take('serve', 5), undefined)
    const keeper = await duties.keeper()
    assert.deepEqual([keeper?.verb, keeper?.since, keeper?.pid], ['serve', 5, process.pid])
    assert.deepEqual(await duties.take('run', 6), keeper)
    await duties.letGo()
    assert.equal(await duties.take('run', 7), undefined)
  }))
