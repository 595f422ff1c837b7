import { test } from 'node:test'

import { killRestores } from './killed-restores.ts'

test('a restore in place that is killed can be undone or gone on with', async () => {
  await killRestores(2, 20_261_122)
})
