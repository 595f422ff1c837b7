import assert from 'node:assert/strict'
import { test } from 'node:test'

import { killRestores } from './killed-restores.ts'

const count = Number(process.env['BEWAAR_KILLS'] ?? 50)
const seed = Number(process.env['BEWAAR_SEED'] ?? 20_261_122)

test(`a restore in place that is killed at ${count} moments can be undone or gone on with, whenever it was`, async () => {
  const cut = await killRestores(count, seed)
  assert.ok(cut >= count / 4, `only ${cut} of ${count} were killed while they did something`)
})
