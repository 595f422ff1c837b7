import { test } from 'node:test'

import { needs } from '../needs.ts'
import { chanceOf, isLong, seedOf } from '../crash/chance.ts'
import { VaultModel } from './vault-model.ts'

const sequences = isLong ? 40 : 1
const steps = isLong ? 25 : 6
const seed = seedOf(20_260_106)

for (let nth = 0; nth < sequences; nth++) {
  test(
    `every snapshot stays whole through ${steps} verbs of two clients and restic, seed ${seed + nth}`,
    {
      skip: needs('restic'),
    },
    async (context) => {
      await using model = new VaultModel(chanceOf(seed + nth))
      await model.begin()
      for (let step = 0; step < steps; step++) context.diagnostic(await model.step())
      await model.end()
    },
  )
}
