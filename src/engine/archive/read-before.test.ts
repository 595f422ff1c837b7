import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { memoryRepository } from '#engine/testing'
import { HeldMemory, textAt, Trial, trialFolder } from './trial.ts'

test('what was read of an index is not believed when its files were removed before the lock settled', async () => {
  await using folder = await trialFolder()
  await using repository = await memoryRepository()
  const { backend } = repository
  const memory = new HeldMemory()
  await writeFile(join(folder.path, 'kept'), 'kept')
  const parts = [{ kind: 'folder', at: 'files', path: folder.path }] as const
  const trial = new Trial(repository, memory)
  await trial.backUp(parts)

  // as somebody does who was alone in the repository until then: the index is read by the time the memory is
  const removing = {
    load: async () => {
      for (const { name } of await Array.fromAsync(backend.list('index'))) await backend.remove({ type: 'index', name })
      return await memory.load()
    },
    save: (bytes: Uint8Array) => memory.save(bytes),
  }
  const { tree, bytesAdded } = await trial.backUp(parts, { memory: removing })
  assert.ok(bytesAdded > 0)
  await repository.loadIndex()
  assert.equal(await textAt(repository, tree, 'files/kept'), 'kept')
})
