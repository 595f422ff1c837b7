import assert from 'node:assert/strict'
import { globSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { needs } from '../needs.ts'
import { chanceOf, isLong, seedOf } from './chance.ts'
import { KilledRuns } from './killing.ts'
import { Installation } from './program.ts'
import { changeProject, makeProject, projectDatabases } from './record.ts'

const skip = needs('restic')
const moments = isLong ? 200 : 5
const seed = seedOf(20_260_101)

function installation(): Installation {
  return new Installation((scratch) => ({
    projects: { data: { path: join(scratch, 'project'), databases: projectDatabases } },
  }))
}

test(
  `a run that is killed at ${moments} moments loses nothing, and the next needs no help`,
  { skip },
  async (context) => {
    const chance = chanceOf(seed)
    context.diagnostic(`seed ${seed}`)
    using bewaar = installation()
    const project = bewaar.projects['data']!.path
    makeProject(project, chance, { small: 300, large: 2, largeBytes: 3_000_000 })
    await bewaar.succeed('init')
    const runs = new KilledRuns(bewaar)
    await runs.runWhole()
    const shares = Array.from({ length: moments }, (_, nth) => (nth + chance.next()) / moments)
    for (const [round, share] of shares.sort(() => chance.next() - 0.5).entries()) {
      changeProject(project, chance, round)
      await runs.runKilled(share)
      await runs.assertNothingLost()
      if (chance.next() < 0.5) changeProject(project, chance, round + 1)
      await runs.runWhole()
      await runs.assertCatalogWhole()
      await bewaar.restic(runs.repository, 'check')
    }
    context.diagnostic(runs.figures())
    await runs.assertNothingLost()
    await runs.assertRestored(isLong ? 1 : 3)
    const list = (await bewaar.succeed('list')) as { snapshot: string }[]
    assert.deepEqual(list.map(({ snapshot }) => snapshot).sort(), runs.snapshots())
    await bewaar.restic(runs.repository, 'check', '--read-data')
  },
)

test('what is lost or changed is seen by what the test of kills asserts', { skip }, async () => {
  using bewaar = installation()
  makeProject(bewaar.projects['data']!.path, chanceOf(seed), { small: 20, large: 1, largeBytes: 1_000_000 })
  await bewaar.succeed('init')
  const runs = new KilledRuns(bewaar)
  await runs.runWhole()
  await runs.assertNothingLost()
  await bewaar.restic(runs.repository, 'check')
  const packs = globSync('data/*/*', { cwd: runs.repository })
  assert.ok(packs.length >= 2)
  const ids = readdirSync(join(runs.repository, 'snapshots')).map((id) => `snapshots/${id}`)
  for (const file of isLong ? [...packs, ...ids] : [packs[0]!, packs.at(-1)!, ids[0]!]) {
    const [there, away] = [join(runs.repository, file), join(bewaar.scratch, 'away')]
    renameSync(there, away)
    await assert.rejects(runs.assertNothingLost(), file)
    if (file.startsWith('data')) assert.notEqual((await bewaar.tryRestic(runs.repository, ['check'])).code, 0)
    renameSync(away, there)
  }
  await runs.assertNothingLost()
  runs.spoil('db.json')
  await assert.rejects(runs.assertNothingLost(), /db\.json: .* is not spoiled/)
})
