import assert from 'node:assert/strict'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { runProgram } from '#base'
import { archive, check, openRepository } from '#engine'
import { memoryPassword, memoryRepository, stockRestic, type StockRestic } from '#engine/testing'
import { needs } from '../needs.ts'
import { makeScene, skip, type Scene } from './s3-scene.ts'

// a bucket with Object Lock is one with versions too, and the next test is on a plain one
const kinds = process.env['BEWAAR_LONG'] ? (['plain', 'versioned', 'locked'] as const) : (['locked'] as const)

/** Folders and files of many sizes, some of them the same. */
async function makeTree(tree: string): Promise<void> {
  for (let folder = 0; folder < 10; folder++) {
    await mkdir(join(tree, `folder ${folder}`), { recursive: true })
    for (let file = 0; file < 10; file++) {
      const bytes = Buffer.alloc(file * file * 5000, `${folder % 7}-${file}`)
      await writeFile(join(tree, `folder ${folder}`, `file ${file}`), bytes)
    }
  }
}

describe('S3 and stock restic', { skip: skip || needs('restic', 'rsync') }, () => {
  let scene: Scene
  let restic: StockRestic
  let tree: string
  before(async () => {
    scene = await makeScene()
    restic = await stockRestic(memoryPassword)
    tree = join(restic.scratch, 'tree')
    await makeTree(tree)
  })
  after(async () => {
    await restic?.[Symbol.asyncDispose]()
    await scene?.[Symbol.asyncDispose]()
  })

  const request = { timeNs: 1_700_000_000n * 10n ** 9n, hostname: 'web1' }
  const backUp = async (repository: Parameters<typeof archive>[0]): Promise<string> => {
    const parts = [{ kind: 'folder', at: 'tree', path: tree }] as const
    return (await archive(repository, { ...request, parts, paths: [tree] })).snapshot
  }

  /** Restic on a repository in a bucket, with the keys of the owner. */
  function runRestic(bucket: string, prefix: string, ...args: string[]): Promise<string> {
    const env = {
      PATH: process.env['PATH'],
      RESTIC_REPOSITORY: `s3:${scene.server.endpoint}/${bucket}/${prefix}`,
      RESTIC_PASSWORD: memoryPassword.reveal(),
      AWS_ACCESS_KEY_ID: scene.server.accessKey.reveal(),
      AWS_SECRET_ACCESS_KEY: scene.server.secretKey.reveal(),
    }
    return runProgram('restic', ['--no-cache', ...args], { env })
  }

  async function assertSame(restored: string): Promise<void> {
    const args = ['--archive', '--checksum', '--dry-run', '--itemize-changes', `${tree}/`, `${restored}/`]
    assert.equal(await runProgram('rsync', args), '')
  }

  test('restic reads what we wrote, and we read what it adds, in each kind of bucket', async () => {
    for (const kind of kinds) {
      const [bucket, prefix] = [await scene.makeBucket(kind), 'backups/shop']
      const until = Temporal.Now.instant().add({ hours: 1 })
      const lock = kind === 'locked' ? ({ objectLock: { mode: 'compliance', until } } as const) : {}
      await using backend = await scene.open(bucket, { prefix, ...lock })
      await using repository = await memoryRepository(backend)
      const snapshot = await backUp(repository)
      const target = join(restic.scratch, kind)
      await runRestic(bucket, prefix, 'check', '--read-data')
      await runRestic(bucket, prefix, 'restore', snapshot, '--target', target)
      await assertSame(join(target, 'tree'))
      await runRestic(bucket, prefix, 'backup', tree)
      assert.equal((await repository.listSnapshots()).snapshots.length, 2)
      assert.deepEqual((await check(repository, { readShare: 1 })).findings, [])
      await rm(target, { recursive: true })
    }
  })

  test('we read and add to what restic made', async () => {
    const [bucket, prefix] = [await scene.makeBucket('plain'), 'stock']
    await runRestic(bucket, prefix, 'init')
    await runRestic(bucket, prefix, 'backup', tree)
    await using backend = await scene.open(bucket, { prefix })
    await using repository = await openRepository(backend, { password: memoryPassword })
    await backUp(repository)
    assert.deepEqual((await check(repository, { readShare: 1 })).findings, [])
    await runRestic(bucket, prefix, 'check', '--read-data')
  })

  test('a locked repository in which every file was overwritten and hidden is sound to us', async () => {
    const [bucket, prefix] = [await scene.makeBucket('locked'), 'attacked']
    const options = {
      prefix,
      objectLock: { mode: 'compliance', until: Temporal.Now.instant().add({ hours: 1 }) },
    } as const
    {
      await using backend = await scene.open(bucket, options)
      await using repository = await memoryRepository(backend)
      await backUp(repository)
    }
    const found = await scene.owner.listObjectsV2({ Bucket: bucket })
    for (const { Key, Size = 0 } of found.Contents ?? []) {
      await scene.owner.putObject({ Bucket: bucket, Key: Key!, Body: Buffer.alloc(Size, 7) })
      await scene.owner.deleteObject({ Bucket: bucket, Key: Key! })
    }
    await assert.rejects(runRestic(bucket, prefix, 'check'))
    await using backend = await scene.open(bucket, options)
    await using repository = await openRepository(backend, { password: memoryPassword })
    assert.equal((await repository.listSnapshots()).snapshots.length, 1)
    assert.deepEqual((await check(repository, { readShare: 1 })).findings, [])
  })
})
