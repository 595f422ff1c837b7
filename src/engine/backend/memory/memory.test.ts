import assert from 'node:assert/strict'
import { test } from 'node:test'

import { backendSuite, MemoryBackend } from '../../testing.ts'
import { loadAll } from '../load-all.ts'

backendSuite('memory', () => new MemoryBackend())

test('a clone and its origin change independently', async () => {
  const origin = new MemoryBackend()
  const config = { type: 'config', name: '' } as const
  await origin.save(config, Buffer.from('one'))
  const clone = origin.clone()
  clone.overwrite(config, Buffer.from('two'))
  assert.equal(Buffer.from(await loadAll(origin, config)).toString(), 'one')
  assert.equal(Buffer.from(await loadAll(clone, config)).toString(), 'two')
  await origin.remove(config)
  assert.equal((await Array.fromAsync(clone.list('config'))).length, 1)
})
