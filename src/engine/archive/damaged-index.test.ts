import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { memoryRepository } from '#engine/testing'
import { sha256Hex } from '../crypto/hash.ts'
import { HeldMemory, textAt, tickMs, Trial, trialFolder } from './trial.ts'

test('an index file that broke, or that somebody put there, keeps no backup from being made, and is told', async () => {
  await using folder = await trialFolder()
  await using repository = await memoryRepository()
  const memory = new HeldMemory()
  const trial = new Trial(repository, memory)
  await writeFile(join(folder.path, 'kept'), 'kept')
  const parts = [{ kind: 'folder', at: 'files', path: folder.path }] as const
  const before = await trial.backUp(parts)
  assert.deepEqual(before.findings, [])

  const [own] = await Array.fromAsync(repository.backend.list('index'))
  assert.ok(own)
  const junk = Buffer.from('half of an index')
  await repository.backend.save({ type: 'index', name: sha256Hex(junk) }, junk)
  await writeFile(join(folder.path, 'new'), 'new')
  const beside = await trial.backUp(parts)
  assert.deepEqual(
    beside.findings.map(({ path, code }) => [path, code]),
    [['the repository', 'index-damaged']],
  )
  assert.equal(await textAt(repository, beside.tree, 'files/kept'), 'kept')
  assert.equal(await textAt(repository, beside.tree, 'files/new'), 'new')

  // and what only the broken one named is stored once more, whatever the memory of the folders says
  await repository.backend.remove({ type: 'index', name: own.name })
  const broken = Buffer.from('what is left of it')
  await repository.backend.save({ type: 'index', name: sha256Hex(broken) }, broken)
  await new Promise((resolve) => setTimeout(resolve, tickMs))
  const again = await trial.backUp(parts)
  assert.ok(again.findings.filter(({ code }) => code === 'index-damaged').length === 2)
  await repository.loadReadableIndex()
  assert.equal(await textAt(repository, again.tree, 'files/kept'), 'kept')
})
