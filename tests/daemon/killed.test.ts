import { test } from 'node:test'

import { needs } from '../needs.ts'
import { killAndRestart } from './killed.ts'

test('a daemon that is killed in the middle of runs loses and doubles none', { skip: needs('restic') }, async () => {
  await killAndRestart({ kills: 4, seed: 1 })
})
