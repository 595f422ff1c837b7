import assert from 'node:assert/strict'
import { globSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { needs } from '../needs.ts'
import { chanceOf, isLong, seedOf } from './chance.ts'
import { errorOf, Installation, reportOf, type RunReport } from './program.ts'
import { assertSame, contentsOf, makeProject, projectDatabases, SnapshotReader } from './record.ts'
import { SmallDisk } from './small-disk.ts'

const skip = needs('restic', 'unshare', 'root')
const seed = seedOf(20_260_104)

function installation(): Installation {
  return new Installation((scratch) => ({
    projects: { data: { path: join(scratch, 'project'), databases: projectDatabases } },
  }))
}

function makeSmall(bewaar: Installation): string {
  const project = bewaar.projects['data']!.path
  makeProject(project, chanceOf(seed), { small: 40, large: 1, largeBytes: 1_000_000 })
  return project
}

async function run(
  bewaar: Installation,
  under: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<[number, RunReport]> {
  const ended = await bewaar.run(['run'], { under, env })
  assert.notEqual(ended.stdout, '', ended.stderr)
  return [ended.code, reportOf(ended.stdout)!]
}

test('a vault that is full is an error, loses nothing, and works again when there is room', { skip }, async () => {
  using bewaar = installation()
  const project = makeSmall(bewaar)
  using disk = await SmallDisk.mount(bewaar.vaults['vault']!, 16)
  const { under } = disk
  assert.equal((await bewaar.run(['init'], { under })).code, 0)
  assert.equal((await run(bewaar, under))[0], 0)
  const record = contentsOf(project)
  writeFileSync(join(project, 'too-large'), chanceOf(seed).bytes(40_000_000))
  const [code, report] = await run(bewaar, under)
  assert.deepEqual([code, report.status, report.snapshot, report.error!.code], [1, 'failed', null, 'backend.full'])
  assert.match(report.error!.message, /room|full|space/i)
  assert.deepEqual(globSync('**/*-tmp-*', { cwd: disk.inside('data') }), [])
  const checked = await bewaar.tryRestic(bewaar.repository(), ['check', '--no-lock'], under)
  assert.equal(checked.code, 0, checked.stdout + checked.stderr)
  disk.resize(120)
  const [again, complete] = await run(bewaar, under)
  assert.deepEqual([again, complete.status], [0, 'complete'])
  const whole = await bewaar.tryRestic(bewaar.repository(), ['check', '--read-data'], under)
  assert.equal(whole.code, 0, whole.stdout + whole.stderr)
  const list = JSON.parse((await bewaar.run(['list'], { under })).stdout) as { snapshot: string }[]
  assert.equal(list.length, 2)
  for (const [nth, expected] of [contentsOf(project), record].entries()) {
    const target = join(bewaar.scratch, `target${nth}`)
    const args = ['restore', '--project=data', `--snapshot=${list[nth]!.snapshot}`, `--to=${target}`]
    assert.equal((await bewaar.run(args, { under })).code, 0)
    assertSame(contentsOf(join(target, 'files')), expected, `snapshot ${nth}`)
  }
})

test('a vault without room for a lock is an error, and keeps nobody from looking at it', { skip }, async () => {
  using bewaar = installation()
  const project = makeSmall(bewaar)
  using disk = await SmallDisk.mount(bewaar.vaults['vault']!, 16)
  const { under } = disk
  assert.equal((await bewaar.run(['init'], { under })).code, 0)
  assert.equal((await run(bewaar, under))[0], 0)
  disk.fill(join(bewaar.vaults['vault']!, 'ballast'))
  const [code, report] = await run(bewaar, under)
  assert.deepEqual([code, report.error!.code], [1, 'backend.full'])
  const target = join(bewaar.scratch, 'target')
  const restored = await bewaar.run(['restore', '--project=data', `--to=${target}`], { under })
  if (restored.code === 0) assertSame(contentsOf(join(target, 'files')), contentsOf(project), 'from a full vault')
  else assert.equal(errorOf(restored).code, 'backend.full')
  rmSync(disk.inside('ballast'))
  assert.equal((await run(bewaar, under))[0], 0)
  assert.equal((await bewaar.tryRestic(bewaar.repository(), ['check'], under)).code, 0)
})

test('a state folder that is full is an error, and no backup is lost or claimed', { skip }, async () => {
  using bewaar = installation()
  const project = makeSmall(bewaar)
  using disk = await SmallDisk.mount(bewaar.state, 4)
  const { under } = disk
  assert.equal((await bewaar.run(['init'], { under })).code, 0)
  assert.equal((await run(bewaar, under))[0], 0)
  const record = contentsOf(project)
  for (const left of isLong ? [0, 4096, 8192, 16_384, 40_000, 100_000] : [0, 40_000]) {
    disk.fill(join(bewaar.state, 'ballast'), left)
    writeFileSync(join(project, 'more'), String(left))
    const ended = await bewaar.run(['run'], { under })
    if (ended.code !== 0) {
      assert.equal(ended.code, 1)
      const error = reportOf(ended.stdout)?.error ?? errorOf(ended)
      assert.match(error.code, /^catalog\./)
      assert.ok(error.hint.length > 0)
    }
    const target = join(bewaar.scratch, `while-full-${left}`)
    const restored = await bewaar.run(['restore', '--project=data', `--to=${target}`], { under })
    if (restored.code !== 0) assert.match(errorOf(restored).code, /^catalog\./)
    rmSync(disk.inside('ballast'))
    assert.equal((await run(bewaar, under))[0], 0)
    await bewaar.restic(bewaar.repository(), 'check')
  }
  await using repository = await bewaar.open()
  const reader = new SnapshotReader(repository)
  const { snapshots } = await repository.listSnapshots()
  assertSame(await reader.contents(snapshots[0]!.id), record, 'the first snapshot')
  assertSame(await reader.contents(snapshots.at(-1)!.id), contentsOf(project), 'the last snapshot')
})

test('a restore to a disk that is too small is an error, and leaves no half file', { skip }, async () => {
  using bewaar = installation()
  const project = bewaar.projects['data']!.path
  makeProject(project, chanceOf(seed), { small: 100, large: 6, largeBytes: 3_000_000 })
  await bewaar.succeed('init')
  await bewaar.succeed('run')
  const record = contentsOf(project)
  const target = join(bewaar.scratch, 'target')
  using disk = await SmallDisk.mount(target, 8)
  const args = ['restore', '--project=data', `--to=${join(target, 'in')}`, '--yes']
  const failed = await bewaar.run(args, { under: disk.under })
  assert.deepEqual([failed.code, errorOf(failed).code], [1, 'restore.target-full'])
  for (const [path, content] of Object.entries(contentsOf(disk.inside('in')))) {
    if (path.startsWith('files/')) assert.equal(content, record[path.slice('files/'.length)], `${path} is not whole`)
  }
  disk.resize(60)
  const whole = await bewaar.run(args, { under: disk.under })
  assert.equal(whole.code, 0, whole.stderr)
  assertSame(contentsOf(disk.inside('in', 'files')), record, 'after there was room')
})

test('a full folder for temporary files is told, and the rest of the project is stored', { skip }, async () => {
  using bewaar = installation()
  const project = makeSmall(bewaar)
  const temporary = join(bewaar.scratch, 'tmp')
  using disk = await SmallDisk.mount(temporary, 1)
  await bewaar.succeed('init')
  disk.fill(join(temporary, 'ballast'))
  const [code, report] = await run(bewaar, disk.under, { TMPDIR: temporary })
  if (code !== 0) {
    assert.ok(code === 3 || code === 1)
    assert.ok(
      code === 1 || report.findings.some(({ subject }) => subject.includes('shop.sqlite')),
      JSON.stringify(report),
    )
  }
  rmSync(disk.inside('ballast'))
  disk.resize(20)
  assert.equal((await run(bewaar, disk.under, { TMPDIR: temporary }))[0], 0)
  await using repository = await bewaar.open()
  const { id } = await repository.findSnapshot('latest')
  assertSame(await new SnapshotReader(repository).contents(id), contentsOf(project), 'the last snapshot')
})
