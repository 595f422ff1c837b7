import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { randomBytes, Secret } from '#base'
import { stockRestic, type StockRestic } from '../testing.ts'
import { needs } from '../../../tests/needs.ts'
import { openLocal } from '../backend/local/local.ts'
import { openRepository } from '../repository/repository.ts'
import { check, type CheckResult } from './check.ts'

const skip = needs('restic')
const password = new Secret('password of a test')

async function checked({ repository: folder }: StockRestic): Promise<CheckResult> {
  await using backend = await openLocal(folder)
  await using repository = await openRepository(backend, { password, lockTimings: { settleMs: 10 } })
  return await check(repository, { readShare: 1 })
}

async function writeTree(folder: string): Promise<void> {
  for (const name of ['a', 'b/c', 'd']) await mkdir(join(folder, name), { recursive: true })
  await writeFile(join(folder, 'a', 'noise'), randomBytes(3_000_000))
  await writeFile(join(folder, 'b', 'text'), 'line of text\n'.repeat(200_000))
  await writeFile(join(folder, 'b', 'c', 'empty'), '')
  for (let nth = 0; nth < 200; nth++) await writeFile(join(folder, 'd', `ü ${nth} "x"`), `content ${nth}`)
}

/** Three snapshots, the last one under another zone; one of them forgotten and pruned. */
async function resticRepository(version: 1 | 2): Promise<StockRestic> {
  const restic = await stockRestic(password)
  const folder = join(restic.scratch, 'source')
  await writeTree(folder)
  await restic.run('init', '--repository-version', String(version))
  await restic.run('backup', folder, '--tag', 'one')
  await writeFile(join(folder, 'a', 'more'), randomBytes(500_000))
  await restic.run('backup', folder)
  await writeFile(join(folder, 'a', 'noise'), randomBytes(2_000_000))
  await restic.run('backup', folder)
  await restic.run('tag', '--add', 'two', 'latest')
  await restic.run('forget', '--prune', '--tag', 'one', '--keep-last', '1', '--keep-tag', 'none')
  return restic
}

for (const version of [1, 2] as const) {
  test(`a repository of restic, version ${version}, is sound`, { skip }, async () => {
    await using restic = await resticRepository(version)
    const { findings, snapshots, packs, packsRead } = await checked(restic)
    assert.deepEqual(findings, [])
    assert.ok(snapshots >= 2)
    assert.equal(packsRead, packs)
  })
}

test('what restic finds damaged is damaged', { skip }, async () => {
  await using restic = await resticRepository(2)
  const folder = join(restic.repository, 'data')
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name))
  const packs = await Promise.all(paths.map(async (path) => ({ path, bytes: await readFile(path) })))
  packs.sort((a, b) => b.bytes.length - a.bytes.length)
  const [{ path, bytes }] = packs as [(typeof packs)[number]]
  await chmod(path, 0o600)
  await writeFile(path, bytes.with(bytes.length >> 1, bytes[bytes.length >> 1]! ^ 4))
  const { findings } = await checked(restic)
  assert.ok(findings.some(({ severity, subject }) => severity === 'damage' && subject.startsWith('pack')))
  await assert.rejects(restic.run('check', '--read-data'))
  await rm(path)
  const { damagedSnapshots } = await checked(restic)
  assert.ok(damagedSnapshots.length > 0)
  await assert.rejects(restic.run('check'))
  await writeFile(path, bytes)
  assert.deepEqual((await checked(restic)).findings, [])
})
