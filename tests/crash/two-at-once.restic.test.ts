import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'

import { needs } from '../needs.ts'
import { chanceOf } from './chance.ts'
import { errorOf, Installation, reportOf, type Started } from './program.ts'
import { assertSame, contentsOf, makeProject, SnapshotReader } from './record.ts'

const skip = needs('restic')
const small = { small: 30, large: 1, largeBytes: 2_000_000 }

/** Stops the process as soon as it has written its lock, so that it holds it for as long as we like. */
async function stopWhenLocked({ child, ended }: Started, repository: string): Promise<void> {
  const locks = join(repository, 'locks')
  const before = new Set(readdirSync(locks))
  const over = new AbortController()
  void ended.then(() => over.abort())
  const isLocked = (): boolean => readdirSync(locks).some((name) => !before.has(name) && /^[0-9a-f]{64}$/.test(name))
  while (!over.signal.aborted && !isLocked()) await pause(2)
  assert.ok(!over.signal.aborted, 'it ended before it was seen to lock')
  child.kill('SIGSTOP')
}

async function readyMade(): Promise<Installation> {
  const bewaar = new Installation()
  makeProject(bewaar.projects['data']!.path, chanceOf(1), small)
  await bewaar.succeed('init')
  return bewaar
}

test('of two runs of one project one works, and the other is told who does', { skip }, async () => {
  using bewaar = await readyMade()
  const first = bewaar.start(['run'])
  await stopWhenLocked(first, bewaar.repository())
  const second = await bewaar.run(['run'])
  assert.deepEqual([second.code, errorOf(second).code], [11, 'run.in-progress'])
  first.child.kill('SIGCONT')
  const ended = await first.ended
  assert.equal(ended.code, 0, ended.stderr)
  await bewaar.succeed('run')
  assert.equal(readdirSync(join(bewaar.repository(), 'snapshots')).length, 2)
  await bewaar.restic(bewaar.repository(), 'check')
})

test('runs that begin at one and the same moment leave one winner, or none that harms', { skip }, async () => {
  using bewaar = await readyMade()
  const all = await Promise.all([1, 2, 3].map(() => bewaar.run(['run'])))
  const complete = all.filter(({ code }) => code === 0)
  for (const other of all.filter(({ code }) => code !== 0)) {
    assert.deepEqual([other.code, errorOf(other).code], [11, 'run.in-progress'])
  }
  assert.ok(complete.length >= 1)
  assert.equal(readdirSync(join(bewaar.repository(), 'snapshots')).length, complete.length)
  await bewaar.restic(bewaar.repository(), 'check')
})

test('two projects go into one vault at once, and two machines into one repository', { skip }, async () => {
  using bewaar = new Installation((scratch) => ({
    projects: { one: { path: join(scratch, 'one') }, two: { path: join(scratch, 'two') } },
  }))
  for (const [nth, { path }] of Object.values(bewaar.projects).entries()) makeProject(path, chanceOf(nth), small)
  using machine = new Installation(() => ({ vaults: bewaar.vaults, projects: bewaar.projects }))
  await bewaar.succeed('init')
  await machine.succeed('init')
  const ended = await Promise.all([
    bewaar.run(['run', '--project=one']),
    bewaar.run(['run', '--project=two']),
    machine.run(['run', '--project=one']),
  ])
  for (const { code, stdout, stderr } of ended) assert.equal(code, 0, stderr + stdout)
  for (const [nth, project] of ['one', 'two', 'one'].entries()) {
    await using repository = await bewaar.open(project)
    const id = reportOf(ended[nth]!.stdout, project)!.snapshot!
    assertSame(await new SnapshotReader(repository).contents(id), contentsOf(bewaar.projects[project]!.path), project)
    await bewaar.restic(bewaar.repository(project), 'check', '--read-data')
  }
})

test('restic waits for our run, and forgets and prunes nothing of it', { skip }, async () => {
  using bewaar = await readyMade()
  await bewaar.succeed('run')
  const repository = bewaar.repository()
  const run = bewaar.start(['run'])
  await stopWhenLocked(run, repository)
  // because a run that is looked for with a signal, as unlock does, must not be taken for dead
  await bewaar.tryRestic(repository, ['unlock'])
  for (const verb of [['prune'], ['forget', '--keep-last', '1', '--prune'], ['check']]) {
    const { code, stderr } = await bewaar.tryRestic(repository, verb)
    assert.notEqual(code, 0, verb.join(' '))
    assert.match(stderr, /already locked/)
  }
  run.child.kill('SIGCONT')
  const ended = await run.ended
  assert.equal(ended.code, 0, ended.stderr)
  await bewaar.restic(repository, 'forget', '--keep-last', '1', '--prune')
  await bewaar.restic(repository, 'check', '--read-data')
})

test('our run waits for restic', { skip }, async () => {
  using bewaar = await readyMade()
  await bewaar.succeed('run')
  const repository = bewaar.repository()
  const prune = bewaar.startRestic(repository, ['prune'])
  await stopWhenLocked(prune, repository)
  const run = await bewaar.run(['run'])
  assert.deepEqual([run.code, reportOf(run.stdout)!.error!.code], [11, 'repository.locked'])
  const verify = await bewaar.run(['verify'])
  assert.deepEqual([verify.code, errorOf(verify).code], [11, 'repository.locked'])
  prune.child.kill('SIGCONT')
  assert.equal((await prune.ended).code, 0)
  await bewaar.succeed('run')
  await bewaar.restic(repository, 'check')
})
