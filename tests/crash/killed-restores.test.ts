import assert from 'node:assert/strict'
import { test } from 'node:test'

import { killRestores } from './killed-restores.ts'

test('a restore in place that is killed can be undone or gone on with', async () => {
  assert.ok((await killRestores(3, 20_261_122)) >= 0)
})
