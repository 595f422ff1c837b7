import { test } from 'node:test'

import { needs } from '../needs.ts'
import { chanceOf, seedOf } from './chance.ts'
import { killPrunes } from './killed-prunes.ts'

const seed = seedOf(20_260_604)

test(
  'a prune that is killed at 4 moments loses nothing, and the next one finishes',
  { skip: needs('restic') },
  async (context) => {
    context.diagnostic(`seed ${seed}: ${await killPrunes(chanceOf(seed), 4, 2)}`)
  },
)
