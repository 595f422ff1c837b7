import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { memoryFile } from './memory-file.ts'

test('a memory is kept in a file of its own, for nobody else to read, and replaced as a whole', async () => {
  const state = await mkdtemp(join(tmpdir(), 'bewaar-state-'))
  try {
    const place = memoryFile(state, 'office', 'shop')
    assert.equal(await place.load(), undefined)
    for (const text of ['first', 'second']) {
      await place.save(Buffer.from(text))
      assert.equal(String(await memoryFile(state, 'office', 'shop').load()), text)
    }
    assert.equal(await memoryFile(state, 'office', 'other').load(), undefined)
    assert.equal(await memoryFile(state, 'office', 'shop', 'locks').load(), undefined)
    assert.deepEqual(await readdir(join(state, 'cache/office')), ['shop.folders'])
    assert.equal((await stat(join(state, 'cache/office/shop.folders'))).mode & 0o777, 0o600)
    assert.equal((await stat(join(state, 'cache'))).mode & 0o777, 0o700)
  } finally {
    await rm(state, { recursive: true })
  }
})
