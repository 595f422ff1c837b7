/** Repositories that restic made and filled: ours checks them, restores from them, and goes on in them. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { Secret } from '#base'
import {
  archive,
  check,
  copySnapshots,
  createLocal,
  createRepository,
  openLocal,
  openRepository,
  type Repository,
} from '#engine'
import { cheapKey, stockRestic, type StockRestic } from '#engine/testing'
import { needs } from '../needs.ts'
import { backUpWithRestic, remove, restore } from './battery.ts'
import { assertSameTree } from './compare.ts'
import { at, trees, type Tree } from './trees.ts'

const password = new Secret('password of restic')
const all = Object.entries(trees).flatMap(([group, list]) => (group === 'inMemory' ? [] : list))

/** Every tree in the long run; else each eighth. */
function sample(): readonly Tree[] {
  const usable = all.filter(({ needs: needed = [], blind = [] }) => !needs(...needed) && blind.length === 0)
  if (process.env['BEWAAR_LONG'] === '1') return usable
  const share = 8
  return usable.filter(({ title }, nth) => nth % share === 0 && !/20,000|40 MiB|16 MiB/.test(title))
}

for (const version of [1, 2]) {
  describe(
    `a repository of version ${version} that restic made`,
    { skip: needs('restic', 'rsync', 'setfattr') },
    () => {
      const chosen = sample()
      const nameOf = (tree: Tree): string => `tree ${all.indexOf(tree)}`
      let restic: StockRestic
      let source: string
      let repository: Repository
      const opened = new AsyncDisposableStack()
      before(async () => {
        restic = await stockRestic(password)
        source = join(restic.scratch, 'source')
        for (const tree of chosen) {
          mkdirSync(join(source, nameOf(tree)), { recursive: true })
          tree.build(join(source, nameOf(tree)))
        }
        await restic.run('init', '--repository-version', String(version))
        for (let backup = 0; backup < 3; backup++) {
          writeFileSync(at(source, 'changes'), `backup ${backup}`)
          await restic.run('backup', source, '--tag', `number ${backup}`)
        }
        const backend = opened.use(await openLocal(restic.repository))
        repository = opened.use(await openRepository(backend, { password, lockTimings: { settleMs: 0 } }))
        await repository.loadIndex()
      })
      after(async () => {
        await opened.disposeAsync()
        remove(restic.scratch)
      })

      test('is sound, as we see it', async () => {
        assert.equal(repository.config.version, version)
        const result = await check(repository, { readShare: 1 })
        assert.deepEqual([result.findings, result.snapshots], [[], 3])
      })

      test('restores whole, from the first backup and from the last', async () => {
        const { snapshots } = await repository.listSnapshots()
        const first = join(restic.scratch, 'first')
        await restore(repository, snapshots[0]!.snapshot.tree, source, first)
        const last = join(restic.scratch, 'last')
        await restore(repository, snapshots[2]!.snapshot.tree, source, last)
        assert.equal(await restic.run('dump', snapshots[0]!.id, join(source, 'changes')), 'backup 0')
        for (const tree of chosen) {
          const { leftOut } = tree
          for (const target of [first, last]) {
            assertSameTree(join(source, nameOf(tree)), join(target, nameOf(tree)), leftOut ? { leftOut } : {})
          }
        }
      })

      test('its snapshots can be copied into a repository of ours', async () => {
        await using ours = await stockRestic(password)
        await using backend = await createLocal(ours.repository)
        const { chunkerPolynomial: polynomial } = repository.config
        await using to = await createRepository(backend, {
          password,
          polynomial,
          cost: cheapKey,
          lockTimings: { settleMs: 0 },
        })
        const { copied, findings } = await copySnapshots(repository, to, { snapshots: 'all', verify: 1 })
        assert.deepEqual([copied.length, findings], [3, []])
        assert.match(await ours.run('check', '--read-data'), /no errors were found/)
      })

      test('takes a backup of ours, which adds no data that it has', async () => {
        const { id, snapshot } = await repository.findSnapshot('latest')
        const result = await archive(repository, {
          parts: [{ kind: 'folder', at: source.slice(1), path: source }],
          parent: { id, tree: snapshot.tree, timeNs: BigInt(Date.parse(snapshot.time)) * 1_000_000n },
          timeNs: BigInt(Date.now()) * 1_000_000n,
          paths: [source],
          hostname: hostname(),
        })
        const stored = await repository.findSnapshot(result.snapshot)
        assert.equal(stored.snapshot.summary?.dataBlobs, 0)
        assert.match(await restic.run('check', '--read-data'), /no errors were found/)
        const target = join(restic.scratch, 'by restic')
        await restic.run('restore', result.snapshot, '--target', target)
        for (const tree of chosen) {
          const { leftOut } = tree
          assertSameTree(join(source, nameOf(tree)), join(target, source, nameOf(tree)), leftOut ? { leftOut } : {})
        }
        assert.equal((await backUpWithRestic(restic, source)).data_blobs, 0)
        assert.ok(existsSync(target))
      })
    },
  )
}
