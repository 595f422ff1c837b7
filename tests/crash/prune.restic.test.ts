import { test } from 'node:test'

import { needs } from '../needs.ts'
import { chanceOf, seedOf } from './chance.ts'
import { pruneHistory } from './pruned-history.ts'

const seed = seedOf(20_260_602)

test(
  'a random history of 50 snapshots is checked and restored by restic after many prunes',
  { skip: needs('restic') },
  async (context) => {
    context.diagnostic(`seed ${seed}: ${await pruneHistory(chanceOf(seed), 50, 4)}`)
  },
)
