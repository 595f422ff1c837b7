import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'

import { needs } from '../needs.ts'
import { chanceOf, isLong, seedOf } from './chance.ts'
import { assertTyped, Installation, reportOf } from './program.ts'
import { assertSame, changeProject, contentsOf, makeProject, projectDatabases } from './record.ts'

const skip = needs('restic')
const moments = isLong ? 40 : 1
const seed = seedOf(20_260_103)

function installation(): Installation {
  return new Installation((scratch) => ({
    vaults: { vault: join(scratch, 'vault'), second: join(scratch, 'second') },
    projects: { data: { path: join(scratch, 'project'), databases: projectDatabases, copies: ['second'] } },
  }))
}

/** Runs a verb, kills it after a share of the time, and gives its exit code: 137 when it was killed. */
async function killAfter(bewaar: Installation, args: readonly string[], waitMs: number): Promise<number> {
  const { child, ended } = bewaar.start(args)
  await Promise.race([pause(waitMs), ended])
  child.kill('SIGKILL')
  const end = await ended
  if (end.code !== 137) assertTyped(end)
  return end.code
}

/** What a killed restore leaves behind says by its name that it is not whole. */
function isTemporary(path: string): boolean {
  return /(^|\/)\.bewaar-[0-9a-f]+\.part$/.test(path)
}

async function durationOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** Evenly over the time, each at a chance within its part. */
function shares(seedOfTest: number): number[] {
  const chance = chanceOf(seedOfTest)
  return Array.from({ length: moments }, (_, nth) => (nth + chance.next()) / moments)
}

test(`an init that is killed at ${moments} moments is completed by the next one`, { skip }, async () => {
  using bewaar = installation()
  makeProject(bewaar.projects['data']!.path, chanceOf(seed), { small: 20, large: 1, largeBytes: 300_000 })
  const usual = await durationOf(() => bewaar.succeed('init'))
  for (const share of shares(seed)) {
    for (const folder of [bewaar.state, ...Object.values(bewaar.vaults)])
      rmSync(folder, { recursive: true, force: true })
    await killAfter(bewaar, ['init'], share * usual)
    await bewaar.succeed('init')
    const report = reportOf(JSON.stringify(await bewaar.succeed('run')))
    assert.equal(report!.status, 'complete')
    await bewaar.restic(bewaar.repository(), 'check')
    await bewaar.restic(bewaar.repository('data', 'second'), 'check')
  }
})

test(
  `a copy that is killed at ${moments} moments harms neither vault, and the next completes it`,
  { skip },
  async () => {
    const chance = chanceOf(seed)
    using bewaar = installation()
    const project = bewaar.projects['data']!.path
    makeProject(project, chance, { small: 60, large: 2, largeBytes: 4_000_000 })
    await bewaar.succeed('init')
    await bewaar.succeed('run')
    const usual = await durationOf(() => bewaar.succeed('copy'))
    for (const [round, share] of shares(seed + 1).entries()) {
      changeProject(project, chance, round * 3)
      await bewaar.succeed('run')
      await killAfter(bewaar, ['copy'], share * usual)
      await bewaar.succeed('copy')
      for (const vault of ['vault', 'second']) await bewaar.restic(bewaar.repository('data', vault), 'check')
    }
    const record = contentsOf(project)
    for (const vault of ['vault', 'second']) {
      await bewaar.restic(bewaar.repository('data', vault), 'check', '--read-data')
      const target = join(bewaar.scratch, `from-${vault}`)
      await bewaar.succeed('restore', '--project=data', `--vault=${vault}`, `--to=${target}`)
      assertSame(contentsOf(join(target, 'files')), record, vault)
    }
  },
)

test(`a restore that is killed at ${moments} moments leaves no half file under its name`, { skip }, async () => {
  const chance = chanceOf(seed)
  using bewaar = installation()
  const project = bewaar.projects['data']!.path
  makeProject(project, chance, { small: 300, large: 6, largeBytes: 5_000_000 })
  await bewaar.succeed('init')
  await bewaar.succeed('run')
  const record = contentsOf(project)
  const args = (target: string): string[] => ['restore', '--project=data', `--to=${target}`, '--yes']
  const usual = await durationOf(() => bewaar.run(args(join(bewaar.scratch, 'measured'))))
  for (const [round, share] of shares(seed + 2).entries()) {
    const target = join(bewaar.scratch, `target${round}`)
    // because nothing is written in the first part of it, while the program starts and reads the trees
    await killAfter(bewaar, args(target), (0.4 + 0.6 * share) * usual)
    const left = existsSync(target) ? contentsOf(target) : {}
    for (const [path, content] of Object.entries(left)) {
      if (!path.startsWith('files/') || isTemporary(path)) continue
      assert.equal(content, record[path.slice('files/'.length)], `${path} is there and not whole`)
    }
    await bewaar.succeed(...args(target))
    const whole = Object.entries(contentsOf(join(target, 'files'))).filter(([path]) => !isTemporary(path))
    assertSame(Object.fromEntries(whole), record, 'the next restore')
    await bewaar.restic(bewaar.repository(), 'check')
  }
  assert.match(readFileSync(join(bewaar.scratch, 'measured', 'manifest.json'), 'utf8'), /"project": ?"data"/)
})
