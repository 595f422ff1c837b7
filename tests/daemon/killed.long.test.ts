import { test } from 'node:test'

import { needs } from '../needs.ts'
import { killAndRestart } from './killed.ts'

const kills = Number(process.env['BEWAAR_KILLS'] ?? 100)
const seed = Number(process.env['BEWAAR_SEED'] ?? 2026)

test(
  `a daemon that is killed ${kills} times loses and doubles no run (seed ${seed})`,
  { skip: needs('restic') },
  async () => {
    await killAndRestart({ kills, seed })
  },
)
