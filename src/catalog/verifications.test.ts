import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import type { VerificationRecord } from '#model'
import { openCatalog, type Catalog } from './catalog.ts'

const here = { project: 'shop', vault: 'hot' }

async function withCatalog(work: (catalog: Catalog) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bewaar-verifications-'))
  try {
    await using catalog = await openCatalog(join(folder, 'catalog.sqlite'), { purpose: 'write' })
    await work(catalog)
  } finally {
    await rm(folder, { recursive: true })
  }
}

function verification(startedAt: number, status: VerificationRecord['status'], vault = here.vault): VerificationRecord {
  const about = { id: `${vault} ${startedAt}`, project: here.project, vault, status, startedAt, endedAt: startedAt + 1 }
  return { ...about, share: 0.1, bytesRead: 5, findings: [], who: 'anna@vm', slices: [startedAt] }
}

test('verifications: readings are told only where damage was ever found, and then the latest of all', async () => {
  await withCatalog(async (catalog) => {
    const { verifications } = catalog
    for (const one of [verification(1, 'sound'), verification(2, 'failed'), verification(3, 'damaged', 'box')])
      await verifications.add(one)
    assert.deepEqual(await verifications.readingsOfDamage(here), [])
    await verifications.add(verification(4, 'damaged'))
    await verifications.add(verification(5, 'sound'))
    const told = await verifications.readingsOfDamage({ ...here, until: 4 })
    assert.deepEqual(told, [
      { status: 'damaged', startedAt: 4, share: 0.1, slices: [4] },
      { status: 'failed', startedAt: 2, share: 0.1, slices: [2] },
      { status: 'sound', startedAt: 1, share: 0.1, slices: [1] },
    ])
    assert.deepEqual(
      (await verifications.readings({ ...here, since: 4 })).map(({ startedAt }) => startedAt),
      [5, 4],
    )
  })
})

test('verifications: the newest of some statuses is that of one place', async () => {
  await withCatalog(async ({ verifications }) => {
    for (const one of [verification(1, 'sound'), verification(2, 'failed'), verification(3, 'sound', 'box')])
      await verifications.add(one)
    const latest = async (until: number, ...statuses: readonly VerificationRecord['status'][]) =>
      (await verifications.latest({ ...here, until, statuses }))?.startedAt
    assert.equal(await latest(9, 'sound', 'failed'), 2)
    assert.equal(await latest(9, 'sound'), 1)
    assert.equal(await latest(0, 'sound'), undefined)
    assert.deepEqual(await verifications.latest({ ...here, statuses: ['failed'] }), verification(2, 'failed'))
  })
})

test('a safety backup is known as one, and can be left out of what is listed', async () => {
  await withCatalog(async ({ snapshots }) => {
    const known = { ...here, bytes: 1, files: 1 }
    await snapshots.record({ ...known, id: 'a', time: 1, run: 'r' })
    await snapshots.record({ ...known, id: 'b', time: 2, safety: '9f' })
    const ids = async (kind?: 'backup' | 'safety') =>
      (await snapshots.list({ ...here, ...(kind && { kind }) })).map(({ id, safety }) => `${id} ${safety ?? ''}`)
    assert.deepEqual(await ids(), ['b 9f', 'a '])
    assert.deepEqual(await ids('backup'), ['a '])
    assert.deepEqual(await ids('safety'), ['b 9f'])
  })
})
