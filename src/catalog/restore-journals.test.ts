import assert from 'node:assert/strict'
import { test } from 'node:test'

import { systemClock } from '#base'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCatalog } from './catalog.ts'

const wish = { only: [], paths: ['a'], tables: [], delete: true, rolePasswords: false, safety: true }
const beginning = { id: 'r-1', project: 'shop', vault: 'hot', snapshot: 'a', wish, startedAt: 5 }

async function withCatalog(
  use: (journals: Awaited<ReturnType<typeof openCatalog>>['restoreJournals']) => Promise<void>,
) {
  const folder = mkdtempSync(join(tmpdir(), 'bewaar-journals-'))
  try {
    await using catalog = await openCatalog(join(folder, 'catalog.sqlite'), { purpose: 'write', clock: systemClock })
    await use(catalog.restoreJournals)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('a journal reads back as it was written, each step once and in the order in which it was begun', () =>
  withCatalog(async (journals) => {
    assert.equal(await journals.open(beginning), undefined)
    await journals.write('r-1', { kind: 'verify', about: 'a', state: 'done', beganAt: 6, endedAt: 7 })
    await journals.write('r-1', { kind: 'database', about: 'x', state: 'begun', beganAt: 8 })
    await journals.write('r-1', {
      kind: 'database',
      about: 'x',
      state: 'failed',
      beganAt: 9,
      text: 'why',
      wayBack: '{}',
    })
    await journals.setSafety('r-1', { vault: 'hot', snapshot: 'b', without: ['c'] })
    await journals.end('r-1', 'failed')
    assert.deepEqual(await journals.find('r-1'), {
      ...beginning,
      state: 'failed',
      isAbandoned: false,
      safety: { vault: 'hot', snapshot: 'b', without: ['c'] },
      steps: [
        { kind: 'verify', about: 'a', state: 'done', beganAt: 6, endedAt: 7 },
        { kind: 'database', about: 'x', state: 'failed', beganAt: 8, text: 'why', wayBack: '{}' },
      ],
    })
    assert.deepEqual(await journals.list({ project: 'other' }), [])
  }))

test('of two restores of one project the second is refused, and leaves nothing', () =>
  withCatalog(async (journals) => {
    await journals.open(beginning)
    const other = await journals.open({ ...beginning, id: 'r-2', startedAt: 6 })
    assert.equal(other?.id, 'r-1')
    assert.deepEqual(
      (await journals.list({ project: 'shop' })).map(({ id }) => id),
      ['r-1'],
    )
    assert.equal(await journals.open({ ...beginning, id: 'r-3', project: 'other' }), undefined)
    await journals.end('r-1', 'failed')
    assert.equal(await journals.open({ ...beginning, id: 'r-2', startedAt: 6, undoes: 'r-1' }), undefined)
    assert.equal((await journals.find('r-2'))?.undoes, 'r-1')
    assert.deepEqual(await journals.closeAbandoned(), [])
  }))
