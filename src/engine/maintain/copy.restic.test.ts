import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { randomBytes, runProgram, Secret } from '#base'
import { cheapKey, stockRestic, type StockRestic } from '../testing.ts'
import { needs } from '../../../tests/needs.ts'
import { createLocal, openLocal } from '../backend/local/local.ts'
import { createRepository, openRepository, type Repository } from '../repository/repository.ts'
import { check } from './check.ts'
import { copySnapshots } from './copy.ts'

const skip = needs('restic')
const password = new Secret('password of a test')
const otherPassword = new Secret('another password')
const lockTimings = { settleMs: 10 }

async function open(restic: StockRestic, opening: Secret): Promise<Repository> {
  return await openRepository(await openLocal(restic.repository), { password: opening, lockTimings })
}

async function writeTree(folder: string): Promise<void> {
  await mkdir(join(folder, 'deep', 'er'), { recursive: true })
  for (let nth = 0; nth < 12; nth++) await writeFile(join(folder, `noise ${nth}`), randomBytes(2_500_000))
  await writeFile(join(folder, 'deep', 'text'), 'some text that compresses\n'.repeat(100_000))
  for (let nth = 0; nth < 300; nth++) await writeFile(join(folder, 'deep', 'er', `ü ${nth}`), `small ${nth}`)
  await symlink('deep/text', join(folder, 'link'))
}

/** The latest snapshot, restored by restic, is the folder that was backed up. */
async function assertRestores(restic: StockRestic, key: Secret, source: string): Promise<void> {
  const target = join(restic.scratch, 'restored')
  await restic.as(key, 'restore', 'latest', '--target', target)
  await runProgram('diff', ['-r', '--no-dereference', source, join(target, source)])
}

for (const version of [1, 2] as const) {
  test(
    `what is copied from a repository of version ${version} passes restic's check and restores`,
    { skip },
    async () => {
      await using theirs = await stockRestic(password)
      await using ours = await stockRestic(otherPassword)
      const source = join(theirs.scratch, 'source')
      await writeTree(source)
      await theirs.run('init', '--repository-version', String(version))
      await theirs.run('backup', source, '--tag', 'one')
      await writeFile(join(source, 'noise 3'), randomBytes(2_000_000))
      await theirs.run('backup', source)
      await using from = await open(theirs, password)
      const target = await createLocal(ours.repository)
      await using to = await createRepository(target, {
        password: otherPassword,
        cost: cheapKey,
        polynomial: from.config.chunkerPolynomial,
        lockTimings,
      })
      const { copied, findings } = await copySnapshots(from, to, { snapshots: 'all', verify: 0.5 })
      assert.deepEqual([copied.length, findings], [2, []])
      await ours.as(otherPassword, 'check', '--read-data')
      assert.deepEqual((await check(to, { readShare: 1 })).findings, [])
      await assertRestores(ours, otherPassword, source)
      const listed = JSON.parse(await ours.as(otherPassword, 'snapshots', '--json')) as { original: string }[]
      const originals = JSON.parse(await theirs.run('snapshots', '--json')) as { id: string }[]
      assert.deepEqual(
        listed.map(({ original }) => original),
        originals.map(({ id }) => id),
      )
    },
  )
}

test('restic copies nothing more after us, and we nothing more after restic', { skip }, async () => {
  await using theirs = await stockRestic(password)
  await using second = await stockRestic(password)
  await writeFile(join(theirs.scratch, 'file'), randomBytes(1_000_000))
  for (const restic of [theirs, second]) await restic.run('init')
  await theirs.run('backup', join(theirs.scratch, 'file'))
  await theirs.run('backup', join(theirs.scratch, 'file'), '--tag', 'x')
  await using from = await open(theirs, password)
  await using to = await open(second, password)
  const passwordFile = join(second.scratch, 'password')
  await writeFile(passwordFile, password.reveal())
  const resticCopy = ['copy', '--from-repo', theirs.repository, '--from-password-file', passwordFile]
  await copySnapshots(from, to, { snapshots: ['latest'] })
  await second.run(...resticCopy)
  const { present, copied } = await copySnapshots(from, to, { snapshots: 'all' })
  assert.deepEqual([present.length, copied.length], [2, 0])
  await second.run('check', '--read-data')
  const listed = JSON.parse(await second.run('snapshots', '--json')) as object[]
  assert.equal(listed.length, 2)
})

test('a target of version 1 gets no compressed blobs', { skip }, async () => {
  await using theirs = await stockRestic(password)
  await using old = await stockRestic(password)
  const source = join(theirs.scratch, 'source')
  await writeTree(source)
  await theirs.run('init')
  await theirs.run('backup', source)
  await old.run('init', '--repository-version', '1')
  await using from = await open(theirs, password)
  await using to = await open(old, password)
  await copySnapshots(from, to, { snapshots: 'all' })
  await old.run('check', '--read-data')
  assert.deepEqual((await check(to, { readShare: 1 })).findings, [])
  await assertRestores(old, password, source)
})
