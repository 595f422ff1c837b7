import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { FolderSync } from './sync-folder.ts'

test('a folder whose fsync failed is refused from then on, also when it could be fsynced again', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'bewaar-sync-'))
  const sync = new FolderSync()
  const folder = join(scratch, 'later')
  await assert.rejects(sync.sync(folder), { code: 'ENOENT' })
  await mkdir(folder)
  await assert.rejects(sync.sync(folder), { code: 'ENOENT' })
  await new FolderSync().sync(folder)
  await sync.sync(scratch)
  await rm(scratch, { recursive: true })
})

test('all who wait while an fsync runs share the next one', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'bewaar-sync-'))
  const sync = new FolderSync()
  const first = sync.sync(scratch)
  const waiting = Array.from({ length: 50 }, () => sync.sync(scratch))
  assert.equal(new Set(waiting).size, 1)
  await Promise.all([first, ...waiting])
  const after = sync.sync(scratch)
  assert.notEqual(after, waiting[0])
  await after
  await rm(scratch, { recursive: true })
})
