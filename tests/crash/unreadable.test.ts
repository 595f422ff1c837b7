import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { needs } from '../needs.ts'
import { chanceOf } from './chance.ts'
import { Installation, main, reportOf } from './program.ts'
import { assertSame, contentsOf, makeProject } from './record.ts'

const skip = needs('unshare', 'root')
const nobody = 65_534
/** Neither nobody nor a root without its powers may read what is theirs. */
const somebodyElse = 1

/** Nobody; or root without the powers of root, where the sources of Bewaar are hidden from nobody. */
function withoutRights(): string[] {
  const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups']
  const [program, ...args] = ['setpriv', ...asNobody.slice(1), 'test', '-r', main]
  if (spawnSync(program, args).status === 0) return asNobody
  return ['setpriv', '--inh-caps=-all', '--bounding-set=-all']
}

function giveAway(folder: string, owner: number): void {
  for (const name of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })]) {
    chownSync(join(folder, name), owner, owner)
  }
}

test('what may not be read is named, the run is incomplete, and the rest comes back', { skip }, async () => {
  using bewaar = new Installation()
  const project = bewaar.projects['data']!.path
  makeProject(project, chanceOf(1), { small: 30, large: 0, largeBytes: 0 })
  const under = withoutRights()
  const owner = under.includes('--clear-groups') ? nobody : 0
  mkdirSync(join(project, 'closed'))
  writeFileSync(join(project, 'closed', 'inside'), 'nobody sees this')
  writeFileSync(join(project, 'd3', 'secret'), 'nor this')
  giveAway(bewaar.scratch, owner)
  const options = { under, env: { HOME: bewaar.scratch } }
  for (const [path, mode] of [
    ['closed', 0o700],
    ['d3/secret', 0o600],
  ] as const) {
    chownSync(join(project, path), somebodyElse, somebodyElse)
    chmodSync(join(project, path), mode)
  }
  const init = await bewaar.run(['init'], options)
  assert.equal(init.code, 0, init.stderr)
  for (let round = 0; round < 2; round++) {
    const ended = await bewaar.run(['run'], options)
    const report = reportOf(ended.stdout)!
    assert.deepEqual([ended.code, report.status], [3, 'incomplete'], ended.stdout)
    const subjects = report.findings.filter(({ severity }) => severity !== 'notice').map(({ subject }) => subject)
    for (const path of ['closed', 'd3/secret'])
      assert.ok(subjects.includes(`files/${path}`), `${path} in ${subjects.join()}`)
    assert.equal(subjects.length, 2)
  }
  const target = join(bewaar.scratch, 'target')
  const restored = await bewaar.run(['restore', '--project=data', `--to=${target}`], options)
  assert.equal(restored.code, 0, restored.stderr)
  const { 'closed/inside': _, closed, 'd3/secret': __, ...readable } = contentsOf(project)
  const { closed: restoredClosed, ...found } = contentsOf(join(target, 'files'))
  assert.ok(restoredClosed === undefined || restoredClosed === closed)
  assertSame(found, readable, 'the rest')
  for (const path of ['closed', 'd3/secret']) chownSync(join(project, path), owner, owner)
  const complete = await bewaar.run(['run'], options)
  assert.equal(complete.code, 0, complete.stdout)
})

test('a project that may not be read at all makes no backup, and says so', { skip }, async () => {
  using bewaar = new Installation()
  const project = bewaar.projects['data']!.path
  const under = withoutRights()
  writeFileSync(join(project, 'file'), 'x')
  giveAway(bewaar.scratch, under.includes('--clear-groups') ? nobody : 0)
  const options = { under, env: { HOME: bewaar.scratch } }
  assert.equal((await bewaar.run(['init'], options)).code, 0)
  chownSync(project, somebodyElse, somebodyElse)
  chmodSync(project, 0o700)
  const ended = await bewaar.run(['run'], options)
  const report = reportOf(ended.stdout)!
  assert.deepEqual([ended.code, report.status, report.snapshot], [1, 'failed', null], ended.stdout)
  assert.match(report.error!.message, /project/)
  assert.deepEqual(readdirSync(join(bewaar.repository(), 'snapshots')), [])
})

test('a vault that may not be written to is an error that names it', { skip }, async () => {
  using bewaar = new Installation()
  const under = withoutRights()
  giveAway(bewaar.scratch, under.includes('--clear-groups') ? nobody : 0)
  const options = { under, env: { HOME: bewaar.scratch } }
  assert.equal((await bewaar.run(['init'], options)).code, 0)
  const locks = join(bewaar.repository(), 'locks')
  chownSync(locks, somebodyElse, somebodyElse)
  chmodSync(locks, 0o755)
  const ended = await bewaar.run(['run'], options)
  const report = reportOf(ended.stdout)!
  assert.deepEqual([ended.code, report.error!.code], [1, 'backend.denied'])
  assert.ok(report.error!.message.includes(bewaar.repository()), report.error!.message)
})
