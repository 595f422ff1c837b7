import { test } from 'node:test'

import { needs } from '../needs.ts'
import { chanceOf, seedOf } from './chance.ts'
import { pruneHistory } from './pruned-history.ts'

const seed = seedOf(20_260_603)
const count = Number(process.env['BEWAAR_COUNT'] ?? 20)

for (let nth = 0; nth < count; nth++) {
  const one = seed + nth
  test(
    `every snapshot that stays is restored by restic after many prunes, seed ${one}`,
    { skip: needs('restic') },
    async (context) => {
      context.diagnostic(await pruneHistory(chanceOf(one), 50, 1))
    },
  )
}
